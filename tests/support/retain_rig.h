// The RRD writer's rig with a retention over it: months of figures, kept 40 days, and what must be the same
// before and after they were dropped.
#ifndef ESEP_TESTS_RETAIN_RIG_H
#define ESEP_TESTS_RETAIN_RIG_H

#include "collector/retention.h"
#include "tests/support/rrd_rig.h"

#define RETAIN_RAW_S    (40 * INT64_C(86400))
#define RETAIN_SETTLE_S (7 * INT64_C(86400))

struct retain_rig {
    struct rig *r;
    struct reader *reader;
    struct observations_reader *observed;
    struct retention *retention;
    struct parks parks;
    uint64_t projected;       // what the projections are said to have on disk
    enum err submit_result;   // other than OK: nothing is handed to the committer
    unsigned jobs, jobs_left; // jobs_left: after so many more submits fail with AGAIN
};

int retain_setup(void **state);
int retain_teardown(void **state);
// The retention is made anew before each step: nothing may be remembered but in the ledger.
void retain_run(struct retain_rig *x, bool forgetful);
bool retain_step(struct retain_rig *x);
void retain_reopen(struct retain_rig *x);

// An hour of figures each 10 s that ends at end_s, in one batch of numbers 0 (integers: i + base) and 3
// (reals), received at received_s; each 50th is an explicit unknown, the last tenth is left out.
void retain_put_hour(struct retain_rig *x, int64_t end_s, int64_t received_s, int64_t base);
int64_t retain_integer(int64_t end_s, int i, int64_t base);
double retain_real(int64_t end_s, int i, int64_t base);
#define RETAIN_STEPS  324 // of the 360
#define retain_gap(i) ((i) % 50 == 49)

// Time passes, and one figure of a series of its own (id 5) says so: a clock alone closes no month.
void retain_go_to(struct retain_rig *x, int64_t time_s);

// Deletes every projection and builds it again, as `rebuild` does.
void retain_rebuild(struct retain_rig *x);

// All archived values of a series' file: AVERAGE, MIN and MAX of the step over the span, NaN where unknown.
size_t retain_archived(struct retain_rig *x, int64_t series_id, uint32_t step_s, int64_t from, int64_t to,
                       double *out, size_t max);

#endif
