// Totals over a park's residents and computed KPIs, as series of their own that nobody stores: park/all/kpi,
// park/all/kpi/dimension, and of a computed KPI park/resident/kpi[/dimension]. They are made when asked, from
// exact sums of their parts for each span, as they were known by a moment, so they cannot disagree with them.
// kpi/total.h has the rules. A reader's calls: any process, one thread.
#ifndef ESEP_STORE_TOTALS_H
#define ESEP_STORE_TOTALS_H

#include "kpi/total.h"
#include "store/sums.h"

struct totals_place { // what is read; all borrowed
    const struct catalogue *catalogue;
    const struct park *park; // the profile by which is counted: for what was known in March, March's
    const struct zone *zone; // the park's
    struct observations_reader *observations;
    struct reader *reader;
    int64_t now_us;
};

// ---- which there are
struct total_series {
    struct series_name name;
    const struct kpi *kpi;
    enum period_kind period;         // the longest its parts are reported for; of measurements a day
    const struct currency *currency; // of its figures as they are; NULL: not money
    char unit[WIRE_UNIT_MAX + 1];
    bool simulated; // any resident with a part of it
};
typedef enum err (*total_series_visit)(void *ctx, const struct total_series *s);
// resident: a code, "all" for the totals, "" for both and every resident; by resident ("all" first), KPI,
// dimension. A series that somebody reports under the same name goes before: it is not among these.
enum err totals_list(const struct totals_place *p, const char *resident, total_series_visit visit, void *ctx,
                     struct diag *d) MUST_USE;
// NOT_FOUND: there is no such total, or nobody reports its parts.
enum err totals_find(const struct totals_place *p, const struct series_name *name, struct total_series *out,
                     struct diag *d) MUST_USE;
// The civil day its first part begins. NOT_FOUND: no figure yet.
enum err totals_first_day(const struct totals_place *p, const struct total_series *s, int32_t *day,
                          struct diag *d) MUST_USE;
// The end of the newest figure of any part (the day after it), and when the last one was received. NOT_FOUND.
enum err totals_newest(const struct totals_place *p, const struct total_series *s, int32_t *end,
                       int64_t *received_us, struct diag *d) MUST_USE;

// ---- what they are
#define TOTALS_CELLS_MAX  4000000 // residents' series times spans, in one question
#define TOTALS_POINTS_MAX 6000000 // measurements' points, where there are no days' totals yet

struct totals_question {
    const struct kpi *kpi;
    const char *resident;     // "": of the park
    const char *dimension;    // "": the whole
    const struct span *spans; // rising, none within another
    size_t count;
    int64_t as_of_us; // 0: now
    bool by_published;
    const struct currency *to; // NULL: the one that all parts are in, else the park's
    const bool *alike;         // like for like: of park->residents[i]; NULL: everybody
    uint64_t points_max;       // of all residents' measurements to be read; 0: TOTALS_POINTS_MAX
};
struct totals_said {
    const struct currency *currency; // that money is in; NULL: there is none among the parts
    bool converted;                  // rates were read: some part, or an amount of one, was in another one
    size_t series;                   // looked at
};
// Fills out[0 .. count-1]. TOO_BIG: past TOTALS_CELLS_MAX or points_max; else as sums_read.
enum err totals_read(const struct totals_place *p, const struct totals_question *q, struct kpi_total *out,
                     struct totals_said *said, struct diag *d) MUST_USE;

#endif
