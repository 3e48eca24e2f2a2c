// Sums of a measured series from a day on, for tiles, from their
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
// Days (UTC civil) from ≤ day.
enum err totals_sum(struct site *s, const struct readers *store, const struct board_row *row, int32_t from,
                    struct total *out, struct diag *d) MUST_USE;

#endif
