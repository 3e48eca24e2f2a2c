// A target's outlook in words: what is lacking, how fast it goes and by which rule, when it is reached at
// that rate, what was planned by now for each reading of the due date, and whether it is late.
#ifndef ESEP_DASHBOARDS_PAGES_PROSPECT_H
#define ESEP_DASHBOARDS_PAGES_PROSPECT_H

#include "dashboards/outlook.h"
#include "dashboards/pages/page.h"

// Nothing without a target and its fact. brief: the gap, the forecast and lateness only.
void prospect_put(struct page *p, const struct statement *st, const struct fact *f, const struct outlook *o,
                  bool brief);
// The planned path as one <li>; nothing without one.
void prospect_path(struct page *p, const struct statement *st, const struct measure *m);
// The park's civil day at the page's moment.
int32_t prospect_today(const struct page *p, const struct park *park);

#endif
