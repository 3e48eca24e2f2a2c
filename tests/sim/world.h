// The parts of a simulated world. Shared by tests/sim/*.c only.
#ifndef ESEP_TESTS_SIM_WORLD_H
#define ESEP_TESTS_SIM_WORLD_H

#include "agent/sampler.h"
#include "agent/spool_reader.h"
#include "agent/uplink_core.h"
#include "collector/committer.h"
#include "collector/ingest.h"
#include "store/observations.h"
#include "tests/sim/sim.h"
#include "tests/sim/trace.h"
#include "tests/support/random.h"
#include "tests/support/virtual_disk.h"

#define SIM_AGENTS   4 // clones included
#define SIM_SOURCES  3
#define SIM_SERIES   3                   // of a source
#define SIM_START_S  INT64_C(1772366400) // 2026-03-01T12:00:00Z, true time when a seed begins
#define SIM_NEVER    INT64_MAX
#define SIM_PATH     256
#define SIM_REQUESTS 256

struct world;
struct agent;

// ---- figures.c: sources whose truth is known
// ------------------------------------------------------------------------ A program (exec) is asked at ticks
// and forgets; a file (csv) has rows that become readable one after the other, some late, some correcting an
// earlier one. A figure follows from resident, series, time and version alone.
struct sim_feed {
    struct agent_source config;
    struct agent_series series[SIM_SERIES];
    int number;
    char name[24];
    struct agent *agent;
    int64_t row_every_ms; // files: how often a row appears; several can be read at once
};
struct sim_row { // a row of a file, or a tick of a program (version 0)
    int64_t time;
    uint32_t version;
};
struct sim_row sim_file_row(const struct sim_feed *f, uint64_t row);
struct harvest_sample sim_figure(const struct sim_feed *f, uint32_t series, int64_t time, uint32_t version);
// Which series of which feed a declared name is; NULL: none.
const struct sim_feed *sim_feed_of(const struct agent *a, const char *declared, uint32_t *series);
void sim_feeds_make(struct world *w, struct agent *a);

// ---- told.c: what each spool has held, row by row
// -------------------------------------------------------------------
struct told {      // a sequence of an incarnation of a machine
    uint8_t *body; // NULL: never seen (it was no longer kept when the spool came here)
    uint32_t len, samples;
    bool gap;      // a Gap message, moved here from another incarnation
    bool given_up; // has become part of a gap in the spool
};
struct told_life { // an incarnation as one machine has it
    struct wire_incarnation incarnation;
    bool former;       // of a spool that was replaced by an older copy since
    struct told *rows; // sequence 1 is rows[0]
    size_t count, room;
    uint64_t claimed; // highest sequence that the collector has said to be on its disk
    uint64_t acked;   // … and that the spool took to be
    uint64_t gaps;    // samples in gaps, as counted when last looked at
    uint64_t samples; // in batches that were seen
    struct told_life *next;
};
// Reads what is new in the agent's spool. Fails the world when a row that was there differs or is gone.
void told_record(struct agent *a);
// After the process began anew: what was told must still be there, byte for byte.
void told_again(struct agent *a);
struct told_life *told_life(struct agent *a,
                            const struct wire_incarnation *i); // not a former one; NULL: none
void told_replaced(struct agent *a);                           // the spool is another copy now
void told_free(struct agent *a);

// ---- links.c: connections
// ---------------------------------------------------------------------------------------------
struct packet {
    int64_t due_us;
    size_t len;
    struct packet *next;
    uint8_t bytes[];
};
struct way { // one direction of a connection: in order
    struct packet *first, **last;
    size_t count;
    int64_t due_us; // of the last
};
enum link_end { END_OPENING, END_UP, END_GONE };
struct link {
    uint64_t serial;
    struct agent *agent;
    enum link_end at_agent, at_collector; // GONE: that side knows it
    bool cut;                             // nothing gets through any more, whoever knows
    char token[ADMISSION_TOKEN];
    struct way up, down; // to the collector, to the agent
    int64_t agent_knows_us, collector_knows_us, open_us;
    size_t water_mark;
    struct link *next;
};
struct network {
    struct link *links;
    uint64_t serials;
    int64_t delay_us, jitter_us; // of a message
    uint32_t drop;               // of a thousand messages
};
struct link *link_open(struct world *w, struct agent *a);
void link_close_by_agent(struct world *w, struct link *l, bool politely);
void links_collector_gone(struct world *w, bool politely); // process ended, or only stopped answering
void link_cut(struct world *w, struct link *l);            // half-open until both have noticed
void links_block(struct world *w, const struct agent *a);  // a way has been blocked
struct link *link_of(const struct world *w, const struct mq_peer *peer); // NULL: forgotten
enum err link_send_up(struct world *w, struct link *l, const void *bytes, size_t len);
enum err link_send_down(struct world *w, const struct mq_peer *peer, const void *bytes, size_t len);
int64_t links_due_us(const struct world *w);
void links_step(struct world *w);
void links_free(struct world *w);

// ---- agent.c
// ----------------------------------------------------------------------------------------------------------
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
// ------------------------------------------------------------------------------------------------------
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

// ---- faults.c
// ---------------------------------------------------------------------------------------------------------
struct snapshot_copy { // a copy of a state folder
    bool there;
    char folder[SIM_PATH];
    int whose; // agent's index; −1: the collector's
};
void faults_plan(struct world *w);
void faults_step(struct world *w); // when due
void faults_heal(struct world *w);
void copy_folder(const char *from, const char *to);
void empty_folder(const char *path);

// ---- check.c
// ----------------------------------------------------------------------------------------------------------
void check_all(struct world *w);      // after everything was stopped
void check_counters(struct agent *a); // at any time
void check_reopened(struct world *w); // the ledger, after a boot

// ---- world.c
// ----------------------------------------------------------------------------------------------------------
enum fate { FATE_LOST, FATE_DOUBLED, FATE_UNBALANCED, FATE_OTHER };
struct world {
    struct sim_stage *stage;
    struct virtual_disk *disk;
    const struct catalogue *catalogue;
    struct trace *trace;
    struct random random;
    struct wire_arena *arena; // for looking into messages
    char folder[64];
    int64_t now_us, end_us, fault_us;
    int64_t quiet_us; // sources give no more from then on
    struct agent agents[SIM_AGENTS];
    size_t agent_count;
    struct collector collector;
    struct network network;
    struct snapshot_copy copies[SIM_AGENTS + 1];
    int64_t blocked_until_us[SIM_AGENTS];
    bool block_up[SIM_AGENTS], block_down[SIM_AGENTS];
    uint32_t fault_kinds; // which of them this seed has
    int64_t fault_pause_ms;
    struct sim_result *result;
};
void world_fail(struct world *w, enum fate f, const char *fmt, ...) PRINTF(3, 4);
uint64_t world_random(struct world *w, uint64_t below);
bool world_chance(struct world *w, uint32_t of_1000);
int64_t world_between(struct world *w, int64_t low, int64_t high); // both included
#define world_event(w, ...) trace_event((w)->trace, (w)->now_us, __VA_ARGS__)

// What the whole process shares; interpose.c.
void interpose_use(struct virtual_disk *d, uint64_t seed);

#endif
