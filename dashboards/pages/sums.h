// The table of a series by the park's calendar, newest first.
#ifndef ESEP_DASHBOARDS_PAGES_SUMS_H
#define ESEP_DASHBOARDS_PAGES_SUMS_H

#include "dashboards/as_of.h"
#include "dashboards/money.h"
#include "dashboards/pages/page.h"

struct sums_asked {
    const struct board_row *row; // as it is reported
    int64_t from, to;            // as spans_request's
    const struct as_of *as_of;
    const struct money *money;
    const char *address; // "from=…&to=…" and what else is asked for: for links that change the kind alone
};
// The parameter `sums` (day … fiscal_year), by default what suits the range. INVALID: the exchange holds the
// 400.
enum err sums_choose(struct page *p, const struct sums_asked *a, size_t *kind) MUST_USE;
void sums_put(struct page *p, const struct sums_asked *a, size_t kind);

#endif
