// Exact totals of measurements by local day, kept in the observations so that a year is read from 365 rows
// and not from three million figures. An advance only notes which series have samples of which day (that
// costs nothing); days that are over are then added up from their exact points. They can be deleted: whoever
// lacks one reads the points.
#ifndef ESEP_STORE_DAY_TOTALS_H
#define ESEP_STORE_DAY_TOTALS_H

#include "kpi/tally.h"
#include "kpi/zone.h"
#include "store/observations.h"

struct day_zones { // the zone of a park's days; NULL: UTC
    const struct zone *(*of)(void *ctx, const char *park);
    void *ctx;
};
// The observer's thread, between advances, with readers of its own. Adds up at most max_days of the days that
// wait and ended some hours ago (those of a park whose zone, or what tzdata says of it, is another one than
// before: all anew), and commits. *days: how many were, 0: none waits. Cost: as points_read_raw of these
// days.
enum err day_totals_settle(struct observations *o, struct observations_reader *view, struct reader *r,
                           const struct day_zones *zones, int64_t now_s, size_t max_days, size_t *days,
                           struct diag *d) MUST_USE;

struct day_total {
    int32_t day;
    struct tally tally;
    int64_t newest_us; // when the newest figure in it was received, of cells when they were made
};
typedef enum err (*day_total_visit)(void *ctx, const struct day_total *t);
// Those of the days first ≤ day < end that can be relied on, in rising order: what is in the ledger changed
// none of them since. Days that are not visited: read their points.
enum err day_totals_read(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                         const struct zone *z, int32_t first, int32_t end, day_total_visit visit, void *ctx,
                         struct diag *d) MUST_USE;

#endif
