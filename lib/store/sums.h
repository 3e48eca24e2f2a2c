// One series added up over spans of a park's calendar, to the last digit: reports from the observations (each
// revision as it was known by a moment), measurements from their days' totals and, where there are none, from
// their exact points and roll-ups. A reader's call: any process, one thread.
#ifndef ESEP_STORE_SUMS_H
#define ESEP_STORE_SUMS_H

#include "kpi/calendar.h"
#include "kpi/convert.h"
#include "kpi/tally.h"
#include "store/observations.h"

struct sums_query {
    const struct ledger_series *series;
    const struct zone *zone;  // the park's; NULL: UTC
    const struct span *spans; // rising, none within another
    size_t count;
    int64_t as_of_us;  // 0: now
    bool by_published; // as_of is a published moment; of measurements that is the received one
    int64_t until_s;   // what ends later is not expected yet, 0: everything is
    // Another currency: each report is converted by its own period's rate, of measurements each local day's
    // sum (of a level: its last figure) by that day's. NULL: as reported.
    const struct currency *to;
    const struct rate_book *book;
    const char *park_currency; // says whose rates
    bool flow;                 // an amount in the period; else a level
    bool no_totals;            // of days: from the points alone, to compare
    uint64_t points_max;       // of measurements' points to be read, 0: any number
    uint64_t *points_read;     // NULL, or what several questions have read: points_max is for them together
};

struct span_sum {
    struct tally tally; // what was known, in `to`; with `to`, of a measurement's days
    uint64_t known;     // reports or steps behind it
    uint64_t expected;  // periods or steps that the span has (up to until_s); less known: missing
    uint64_t lacking;   // known, but there is no rate: not in the tally, as what follows
    uint64_t too_large; // known, and there is a rate, but no figure holds what it comes to
    uint64_t foreign;   // known in another currency than the series', and none was asked for
    uint64_t split;     // reports of periods that lie across the span's edge
    uint64_t gone;      // steps whose figures of then are not kept: their month was rolled up after as_of
    uint32_t carried;   // conversions with a rate of a day before
    int32_t first_day;  // of a measurement, where known > 0: the first local day with a known figure
};
// Whole only: nothing that was known is left out of the tally.
static inline bool span_sum_whole(const struct span_sum *s)
{
    return s->lacking + s->too_large + s->foreign + s->split + s->gone == 0;
}

// Fills out[0 .. count-1]. INVALID: spans that are not rising; TOO_BIG: past points_max; else as
// observations_query and points_read.
// Cost: a report's revision some µs; a measurement's day with a total as that, without one at 10 s about 10
// ms.
enum err sums_read(struct observations_reader *o, struct reader *r, const struct sums_query *q,
                   struct span_sum *out, struct diag *d) MUST_USE;

#endif
