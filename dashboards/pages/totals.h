// Totals over residents and computed KPIs on pages: the table of one by the park's calendar, and the list of
// a park's (or a resident's) with their newest figures.
#ifndef ESEP_DASHBOARDS_PAGES_TOTALS_H
#define ESEP_DASHBOARDS_PAGES_TOTALS_H

#include "dashboards/computed.h"
#include "dashboards/pages/sums.h"

// The parameter `sums` of the page of a total, by default what its parts are reported for.
enum err totals_choose(struct page *p, const struct sums_asked *a, size_t *kind) MUST_USE;
void totals_put(struct page *p, const struct sums_asked *a, size_t kind);
// "9 of 10, 1 missing", and how many of them are incomplete.
void totals_put_made_of(struct page *p, const struct kpi_total *t);
// Beside a total's newest figure: of how many residents it is, and how many are missing.
void totals_put_behind(struct page *p, const struct board_row *r);
// How it is made: the formula, the weight, a sum.
void totals_put_rule(struct page *p, const struct kpi *k);
// resident: "all", or one. Nothing where there are none, or the viewer may not see them.
void totals_put_list(struct page *p, const struct park *park, const char *resident,
                     const struct as_of *as_of);

#endif
