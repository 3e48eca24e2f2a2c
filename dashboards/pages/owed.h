// What residents owe, as sections of the park's and the resident's page. Nothing is put where the viewer may
// not see it, or nothing is owed.
#ifndef ESEP_DASHBOARDS_PAGES_OWED_H
#define ESEP_DASHBOARDS_PAGES_OWED_H

#include "dashboards/pages/page.h"

// As known at the page's moment; park: the profile of then.
void owed_put_park(struct page *p, const struct park *park);                       // a row a resident
void owed_put_resident(struct page *p, const struct park *park, const char *code); // a row a report

#endif
