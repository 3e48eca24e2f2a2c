// Retention of raw measurements: closes a month that is old enough, has its roll-ups written, then its raw
// rows dropped, each a short transaction of the committer's. Where it stands is in the ledger alone, so a
// stop at any moment costs at most work done twice. No thread inside. Threads: one.
#ifndef ESEP_COLLECTOR_RETENTION_H
#define ESEP_COLLECTOR_RETENTION_H

#include "base/clock.h"
#include "collector/counters.h"
#include "collector/retain.h"
#include "kpi/catalogue.h"
#include "kpi/park.h"
#include "store/observations.h"

#define RETENTION_LOOK_S 600 // a month to close is looked for so often

struct retention_options {
    struct reader *reader; // borrowed, as what follows; not used by anybody else
    struct observations_reader *observations;
    const struct catalogue *catalogue;
    const struct parks *parks; // for their time zones
    const struct clock *clock;
    struct counters *counters;
    int64_t raw_s;    // raw figures are kept so long; 0: for ever
    int64_t settle_s; // a month stays open until nothing of it was received for so long
    // Has the committer do it (committer_retain) and takes the job. AGAIN: not now.
    enum err (*submit)(void *ctx, struct retain_job *job, struct diag *d);
    // Rows up to here are in both projections on disk, and so may go.
    uint64_t (*projected)(void *ctx);
    bool (*stopping)(void *ctx);
    void *ctx;
};

struct retention;
enum err retention_create(const struct retention_options *o, struct retention **out, struct diag *d) MUST_USE;
void retention_destroy(struct retention *r);
// One piece of work. *did false: nothing to do now, or it must wait for the projections. Errors are of the
// files or of submit; the step can be tried again.
enum err retention_step(struct retention *r, bool *did, struct diag *d) MUST_USE;

#endif
