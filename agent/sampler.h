// The agent's writing half as a step function: runs the sources at their ticks, packs what they bring, and is
// the only owner of the spool. Whoever drives it waits for its descriptors and its time, calls step, and
// hands it what the uplink asks for. Threads: one.
#ifndef ESEP_AGENT_SAMPLER_H
#define ESEP_AGENT_SAMPLER_H

#include "agent/config.h"
#include "agent/spool.h"
#include "agent/uplink_core.h"
#include <poll.h>

struct sampler;

struct sampler_options {
    const struct agent_config *config; // borrowed
    const struct clock *clock;
    struct spool *spool;        // borrowed
    void (*changed)(void *ctx); // the spool holds something new: wake the uplink
    void *ctx;
};

// Declares the series and reads the positions. FULL, IO, CORRUPT as the spool.
enum err sampler_create(const struct sampler_options *o, struct sampler **out, struct diag *d) MUST_USE;
void sampler_destroy(struct sampler *s);

// Does what is due without blocking. A full disk and a busy file are waited out; IO and CORRUPT end the
// sampler: close all.
enum err sampler_step(struct sampler *s, struct diag *d) MUST_USE;
int sampler_fds(const struct sampler *s, struct pollfd *out, int max); // to wait on
int sampler_wait_ms(const struct sampler *s);                          // at most this long

// No tick is begun any more; programs that run have grace_ms to end.
void sampler_stop(struct sampler *s, int64_t grace_ms);
bool sampler_stopped(const struct sampler *s); // and what they brought is in the spool

enum sampler_request_type { SAMPLER_ACKNOWLEDGE, SAMPLER_ALLOW, SAMPLER_REWIND, SAMPLER_RENEW, SAMPLER_LINK };
struct sampler_request {
    enum sampler_request_type type;
    uint64_t sequence;   // acknowledged; rewind
    uint64_t generation; // of these and renew: of the spool that is meant; ignored for another one. 0: any
    bool sending;        // allow
    uint32_t declares_known;
    struct wire_receipt receipt;
    struct uplink_link link;
};
// In the order the uplink made them. Errors as sampler_step. An acknowledgement is noted at once and reaches
// the disk with the next batch, after 90 s at the latest, or with sampler_settle.
enum err sampler_request(struct sampler *s, const struct sampler_request *r, struct diag *d) MUST_USE;
enum err sampler_settle(struct sampler *s, struct diag *d) MUST_USE;

#endif
