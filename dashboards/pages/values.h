// The table of exact values of a series, newest first.
#ifndef ESEP_DASHBOARDS_PAGES_VALUES_H
#define ESEP_DASHBOARDS_PAGES_VALUES_H

#include "dashboards/as_of.h"
#include "dashboards/money.h"
#include "dashboards/pages/page.h"

// Of the range (from, to]: the newest 100 measurements or 400 periods, what is missing between them said so.
// With a moment asked for, reports as they were known (published) by then; with a currency, each converted,
// with what was reported and the rate beside it.
void values_put(struct page *p, const struct board_row *r, int64_t from, int64_t to,
                const struct as_of *as_of, const struct money *money);

#endif
