// A kind of source: how its figures are asked for. The sampler begins a run at each tick of the source's
// schedule, waits on its descriptors, and when it has answered (or was given up) takes what it found in
// portions: figures together with the position they were read up to, which go into the spool in one
// transaction. Threads: all of it in the sampler's. Nothing here blocks longer than a read of a local file.
#ifndef ESEP_AGENT_SOURCE_H
#define ESEP_AGENT_SOURCE_H

#include "agent/config.h"
#include "agent/harvest.h"
#include "base/clock.h"
#include <poll.h>

// What a source may ask of its surroundings: positions it has stored, by key. Keys begin with the source's
// own name space; the schedule's is "schedule" and the sampler's "status".
typedef enum err (*position_visit)(void *ctx, const char *key, const void *bytes, size_t len);
struct source_env {
    const struct clock *clock;
    void *ctx;
    // NOT_FOUND; TOO_BIG when it does not fit in cap.
    enum err (*get)(void *ctx, const char *source, const char *key, void *out, size_t cap, size_t *len);
    // Every position of the source whose key begins with prefix; stops at the first error of visit and
    // returns it.
    enum err (*each)(void *ctx, const char *source, const char *prefix, position_visit visit,
                     void *visit_ctx);
};

// Positions whose keys begin with this belong to what a source cannot say again. They are forgotten when the
// spool turns out to be older than it was: what was delivered since would be delivered once more.
#define POSITION_LIVE "live/"

struct source { // what each kind's own struct begins with
    const struct source_ops *ops;
};

struct source_ops {
    // config and env are borrowed until destroy.
    enum err (*create)(const struct agent_source *config, const struct source_env *env, struct source **out,
                       struct diag *d);
    void (*destroy)(struct source *s);
    // Starts the run of a tick. A failure is found by take.
    void (*begin)(struct source *s, int64_t tick_s);
    // Descriptors to wait on, at most max; may be 0.
    int (*fds)(const struct source *s, struct pollfd *out, int max);
    // Milliseconds until advance must be called whatever the descriptors say; −1: never.
    int (*wait_ms)(const struct source *s);
    // Goes on without blocking. True when the run has ended and take may be called.
    bool (*advance)(struct source *s);
    // Appends about max_samples figures, the positions that go with them, and errors; sets h->more when there
    // is more to take at once. A failure that ends the run (no file, no program) is an error in h, not a
    // result: what is returned is NOMEM or what env returned.
    enum err (*take)(struct source *s, size_t max_samples, struct harvest *h);
    // What the last take gave is in the spool (or could not be put there: it must be given again where
    // possible).
    void (*settled)(struct source *s, bool spooled);
    // Ends a run before its time: nothing of it will be taken.
    void (*abandon)(struct source *s);
};

extern const struct source_ops csv_source_ops;
extern const struct source_ops exec_source_ops;
extern const struct source_ops hand_source_ops;
const struct source_ops *source_ops_of(enum agent_source_kind kind);

#endif
