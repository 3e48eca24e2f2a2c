// The uplink's thread: a DEALER socket, a reader of the spool, and the core between them. It asks the sampler
// through a bounded queue and is woken by it.
#ifndef ESEP_AGENT_UPLINK_H
#define ESEP_AGENT_UPLINK_H

#include "agent/config.h"
#include "agent/sampler.h"
#include "base/queue.h"

struct uplink;

struct uplink_options {
    const struct agent_config *config; // borrowed
    const struct clock *clock;
    const char *key_file;   // read at each opening of the socket, wiped after
    struct queue *requests; // of struct sampler_request, malloc'ed; borrowed
};

// Starts the thread; the spool must exist. DENIED, NOT_FOUND: the key file; UNSUPPORTED.
enum err uplink_start(const struct uplink_options *o, struct uplink **out, struct diag *d) MUST_USE;
void uplink_wake(struct uplink *u); // the spool has changed
// Sends and waits for what is on the way for at most drain_ms, then ends; does not wait itself. Idempotent.
void uplink_finish(struct uplink *u, int64_t drain_ms);
bool uplink_finished(struct uplink *u); // the thread has ended, or is about to
// Waits for the thread. The spool must not be read by it any longer: OK; CORRUPT: it found the spool damaged.
enum err uplink_stop(struct uplink *u);

#endif
