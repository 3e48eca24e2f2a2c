// Sums of a series over a run of days, for tiles. Reports come from the observations; measurements from their
// exact points, whose settled part is remembered so that a tile does not read months again every few seconds:
// figures of the last two days are at most 5 s old, corrections of older ones are seen after at most 10
// minutes. Threads: any.
#ifndef ESEP_DASHBOARDS_TOTALS_H
#define ESEP_DASHBOARDS_TOTALS_H

#include "dashboards/board.h"
#include "kpi/tally.h"

struct totals;
struct total {
    struct figure sum; // missing: nothing known in the span
    int64_t first_s;   // where the first figure's step or period begins; meaningful when the sum is known
};

enum err totals_create(struct totals **out) MUST_USE;
void totals_destroy(struct totals *t);
// Days (UTC civil) with from ≤ day < to. Of a report: the periods that start there.
enum err totals_sum(struct site *s, const struct readers *store, const struct board_row *row, int32_t from,
                    int32_t to, struct total *out, struct diag *d) MUST_USE;

#endif
