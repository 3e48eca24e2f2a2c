// Figures that were taken out as files and are not yet in the audit log. Of each who and what the first is
// told at once, then an entry a second with their number, so that nobody fills a log that is never cut short.
// Bounded; what there is no room to count is not to be handed out: nothing goes untold, and nothing is told
// as "several". No lock, clock or thread inside.
#ifndef ESEP_DASHBOARDS_EXPORTS_H
#define ESEP_DASHBOARDS_EXPORTS_H

#include "dashboards/refusals.h"

#define EXPORTS_KEPT   64
#define EXPORTS_OF_ONE 32 // places of one user or token that wait
#define EXPORTS_PER_S  16 // told at most, whosever they are
#define EXPORTS_WHOSE  80
#define EXPORTS_DETAIL 400

struct export
{
    char whose[EXPORTS_WHOSE]; // "user:aigul": told apart by it and by the object
    char who[REFUSALS_WHO], object[REFUSALS_OBJECT], detail[EXPORTS_DETAIL]; // the newest
    uint64_t count;                                                          // since it was told
    int64_t told_us, seen_us;
};

struct exports {
    struct export at[EXPORTS_KEPT];
    int64_t second_us;
    unsigned told; // since then
};

// e: whose, who, object, detail. False: there is no room, now.
bool exports_count(struct exports *all, const struct export *e, int64_t now_us);
// The one to be told now, which is then taken as told; at the end whatever is left. False: none.
bool exports_take(struct exports *all, int64_t now_us, bool end, struct export *out);

#endif
