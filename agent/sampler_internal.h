// What sampler.c (ticks, requests) and sampler_collect.c (from harvests to one transaction) share.
#ifndef ESEP_AGENT_SAMPLER_INTERNAL_H
#define ESEP_AGENT_SAMPLER_INTERNAL_H

#include "agent/harvest.h"
#include "agent/packer.h"
#include "agent/sampler.h"
#include "agent/schedule.h"
#include "agent/source.h"
#include "agent/status.h"

#define SAMPLER_PORTION      8192 // figures a source gives into one transaction
#define SAMPLER_AGAIN_US     (5 * US_PER_S)
#define SAMPLER_SETTLE_US    US_PER_S
#define SAMPLER_NOTED_US     (90 * US_PER_S) // figures of each minute carry the acknowledgements of those before
#define SAMPLER_SCHEDULE_KEY "schedule"

struct feed { // one source and what is known of its runs
    const struct agent_source *config;
    struct source *source;
    struct schedule schedule;
    const uint32_t *numbers; // declared, of each series; part of the sampler's
    bool running;            // begun, not yet collected
    bool ended;              // answered, waits for the others of its tick
    bool more;               // has more to give at once
    int64_t tick_s;
    struct mono again; // not before: after a full disk
    struct source_status status;
    bool status_changed; // what a person would want to see
    struct mono status_written;
    char logged[480]; // the error logged last
    struct mono logged_at;
};

struct sampler {
    struct sampler_options options;
    struct source_env env;
    struct packer *packer;
    uint32_t *numbers; // of all series in the order of the configuration
    struct feed *feeds;
    size_t feed_count;
    size_t next_backlog; // whose turn it is
    bool stopping;
    struct mono give_up;                // on programs, while stopping
    uint64_t lost_sampled, lost_errors; // not yet in the counters: the disk was full
    uint64_t lost_refused;
    // asked by the uplink
    uint64_t acknowledged; // 0: nothing to settle
    struct wire_receipt receipt;
    struct mono settle_at;
    enum { PENDING_NOTHING, PENDING_REWIND, PENDING_RENEW } pending;
    uint64_t rewind_to;
    struct mono pending_again;
    struct uplink_link link;
    bool link_changed, link_waits; // waits: with the next batch is soon enough
    struct mono link_written;
    bool disk_full; // said in the log
    struct mono write_again;
    bool sending, window_stuck; // the uplink's wish; it could not be stored
};

// Takes from the feeds given and puts everything into one transaction. With none of them only what waits to
// be stored.
enum err sampler_collect(struct sampler *s, struct feed *const *feeds, size_t count, struct diag *d) MUST_USE;
// OK for what passes by itself (FULL, AGAIN: logged once); everything else comes back.
enum err sampler_tolerate(struct sampler *s, enum err e, const struct diag *d) MUST_USE;

#endif
