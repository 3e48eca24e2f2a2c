// Asks the collector to land what it has committed before something is drawn or shown, at most once per 500
// ms for the whole process, so that a figure just written is seen within two seconds without asking for each
// image. What is answered from ledger and observations alone needs no round-robin file: there it is enough
// that the observations have caught up. Threads: any. When no collector runs, or it does not answer, work
// goes on with what is there.
#ifndef ESEP_DASHBOARDS_FLUSH_H
#define ESEP_DASHBOARDS_FLUSH_H

#include "base/clock.h"
#include "base/err.h"
#include <stdbool.h>

struct flush;
typedef enum err (*flush_call)(const char *state, const char *request, int timeout_ms, char **reply,
                               struct diag *d);

// state is borrowed. call: control_call, or a test's.
enum err flush_create(const char *state, const struct clock *clock, flush_call call,
                      struct flush **out) MUST_USE;
void flush_destroy(struct flush *f);
// Returns when the newest flush that covers this moment is over, or failed.
void flush_now(struct flush *f);
// Waits until `caught_up` says so (asked each millisecond), for 250 ms at most and at most once per 500 ms;
// who comes meanwhile does not wait: what it sees is half a second old at most, and one answer in hundreds is
// late. After waiting in vain nobody waits for five seconds.
void flush_observed(struct flush *f, bool (*caught_up)(void *ctx), void *ctx);
// Asks it anything else; one conversation at a time in the whole process.
enum err flush_ask(struct flush *f, const char *request, int timeout_ms, char **reply,
                   struct diag *d) MUST_USE;
// Whether a collector answered the last time; asks when nobody has asked for two seconds.
bool flush_collector_runs(struct flush *f);

#endif
