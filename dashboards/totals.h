// Sums of measured series over local days, kept for tiles: a page asks for the same ones every few seconds,
// and the days that have no total yet are read from their points. Threads: any.
#ifndef ESEP_DASHBOARDS_TOTALS_H
#define ESEP_DASHBOARDS_TOTALS_H

#include "base/clock.h"
#include "base/err.h"
#include "kpi/tally.h"
#include <stdbool.h>

struct totals;
struct total_key {
    uint64_t edition; // of the files it is read from
    int64_t series_id;
    int32_t from, to; // local days from ≤ day < to; the same: where the day's figures begin
};
struct total {
    struct tally tally;
    int64_t first_s; // where the first figure's step or period begins; meaningful when something is known
    int64_t known_s; // that the known steps last
};

enum err totals_create(struct totals **out) MUST_USE;
void totals_destroy(struct totals *t);
bool totals_kept(struct totals *t, const struct total_key *key, struct mono now, struct total *out);
void totals_keep(struct totals *t, const struct total_key *key, struct mono now, int64_t for_ms,
                 const struct total *total);

#endif
