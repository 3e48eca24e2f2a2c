// What residents owe (kpi/obligation.h) beside what has come in: which report is done, still open, late, as
// it was known at any moment. Counts are exact; nothing is stored.
//
// A report is *done* when the revision known then has a figure. A revision that says "missing" is an answer
// and no report: it is counted by itself, the report stays open or late. When it was received is when the
// first figure of the period was; a later revision makes nobody late.
#ifndef ESEP_STORE_OWED_H
#define ESEP_STORE_OWED_H

#include "kpi/park.h"
#include "kpi/zone.h"
#include "store/observations.h"

enum owed_state {
    OWED_OPEN, // no figure yet, and not late
    OWED_LATE, // no figure, and the due date (with its days of grace) is over
    OWED_DONE
};
const char *owed_state_name(enum owed_state s); // "open" "late" "done"

struct owed_item {
    struct obligation_owed owed;
    enum owed_state state;
    bool answered;       // what is known says "missing"
    bool due_passed;     // the due date, with its days of grace, is over
    int64_t received_us; // when the first figure was received, 0: none was
    int64_t late_us;     // how long after the due date it came or, being late, is out; 0: it is not late
};
bool owed_in_time(const struct owed_item *i); // a figure came before it would have been late

struct owed_sum {
    uint64_t owed, done, answered, late; // late: without a figure now
    uint64_t due, in_time;               // whose date is over; of those, reported in time
};
void owed_add(struct owed_sum *sum, const struct owed_item *i);

struct owed_query {
    const struct park *park; // as its profile was known then
    const struct zone *zone; // the park's; NULL: UTC
    const char *resident;    // NULL: all
    struct period within;    // PERIOD_NONE: all
    int64_t as_of_us;        // the moment, not later than now
    size_t max_items;        // TOO_BIG beyond them
};
typedef enum err (*owed_visit)(void *ctx, const struct owed_item *i);
// By rule, resident, period. Anything but OK from visit stops, and is returned.
enum err owed_read(struct observations_reader *o, struct reader *r, const struct owed_query *q,
                   owed_visit visit, void *ctx, struct diag *d) MUST_USE;

#endif
