// How long an enterprise belongs to the park, in words.
#ifndef ESEP_DASHBOARDS_PAGES_MEMBER_H
#define ESEP_DASHBOARDS_PAGES_MEMBER_H

#include "dashboards/pages/page.h"

// A resident's page: since when, until when, merged into whom, and that figures of other days are not
// counted; nothing where the profile states no day.
void member_put(struct page *p, const struct park *park, const struct resident *r);
// Beside its name in a list: that it does not belong to the park today.
void member_put_badge(struct page *p, const struct park *park, const struct resident *r);

#endif
