// The agents and the collector of a simulated world.
#ifndef ESEP_TESTS_SIM_MACHINES_H
#define ESEP_TESTS_SIM_MACHINES_H

#include "tests/sim/links.h"

// ---- agent.c
struct agent {
    struct world *world;
    int index;
    char name[24], folder[SIM_PATH];
    int machine;
    struct fake_clock clock;
    uint8_t key[KEY_BYTES];
    int identity; // whose figures and key it has: its own index but for a clone
    struct agent_config config;
    struct agent_source sources[SIM_SOURCES];
    struct sim_feed feeds[SIM_SOURCES];
    size_t feed_count;
    struct spool_options spool_options;
    // the process
    bool running;
    struct spool *spool;
    struct spool_reader *reader;
    struct sampler *sampler;
    struct uplink_core *uplink;
    struct link *link;
    bool link_up_told, link_lost;
    struct packet *inbox, **inbox_last;
    struct sampler_request requests[SIM_REQUESTS];
    size_t request_count;
    struct uplink_link link_told;
    uint32_t declares_known;
    uint64_t generation;                                      // of the spool as the uplink knows it
    int64_t sampler_us, uplink_us, boot_us, stalled_until_us; // when each is due
    bool power_cut;                                           // how it went down
    // truth
    struct told_life *lives;
    struct wire_incarnation incarnation; // the newest one
    bool known;                          // it has had one
    uint64_t taken;                      // samples given to the sampler and not settled yet
    uint64_t unsettled,
        unsettled_once;        // given back in this step; of those, what a program will not say again
    uint64_t in_doubt;         // when the process died: all in the spool or none
    uint64_t certain;          // settled in the call it died in: all in the spool
    uint64_t settled, refused; // in the spool, as the sampler said; refused by it
    uint64_t settled_before;
    uint64_t found; // of those in doubt, found in the spool afterwards
    bool may_renew; // a restored copy or a clone was injected: a new incarnation is due
    bool alarm_due; // the ledger that was put back lacks what it had acknowledged
    bool off;       // taken out of service
};
void agent_create(struct world *w, int index);
void agent_clone(struct world *w, const struct agent *from, struct agent *to); // onto a machine of its own
void agent_boot(struct agent *a);
void agent_die(struct agent *a, bool power_cut);
void agent_stop(struct agent *a); // as on SIGTERM
int64_t agent_due_us(const struct agent *a);
void agent_step(struct agent *a);
void agent_deliver(struct agent *a, struct packet *p); // owns p
bool agent_is_done(const struct agent *a);
void agent_free(struct agent *a);

// ---- collector.c
struct collector {
    char folder[SIM_PATH];
    int machine;
    struct fake_clock clock;
    bool running;
    struct counters counters;
    struct ledger *ledger;
    struct reader *committer_reader, *observer_reader;
    struct admission *admission;
    struct committer *committer;
    struct ingest *ingest;
    struct observations *observations;
    struct item *to_committer[COMMITTER_GROUP_MAX], *in_hand[COMMITTER_GROUP_MAX],
        *to_ingest[COMMITTER_GROUP_MAX];
    size_t to_committer_count, in_hand_count, to_ingest_count;
    int64_t ingest_us, committer_us, observer_us, boot_us, stalled_until_us;
    struct mono ticked, head_stored;
    uint64_t head_position;
    bool disk_full, power_cut;
    uint64_t budget_bytes;
    size_t max_items;
    // truth
    bool restored, just_restored; // a copy older than what was acknowledged was put back
    bool head_may_refuse;         // … and ledger.head was left there
};
void collector_create(struct world *w);
void collector_boot(struct world *w);
void collector_die(struct world *w, bool power_cut);
void collector_stop(struct world *w);
void collector_free(struct world *w);
int64_t collector_due_us(const struct world *w);
void collector_step(struct world *w);
bool collector_receive(struct world *w, const struct link *l, const void *bytes,
                       size_t len); // false: no room now

#endif
