// The load's agents, divided among a few threads.
#ifndef ESEP_TESTS_BENCH_LOAD_CROWD_H
#define ESEP_TESTS_BENCH_LOAD_CROWD_H

#include "tests/bench/load/peer.h"

struct crowd_turn { // of sending
    double seconds;
    double rate; // samples a second of all agents together; 0: as many as are taken
};

struct crowd_options {
    const char
        *state; // of a running collector on this machine: agents are admitted through its control socket
    const char *endpoint, *park, *name; // agents are of the residents park/name-0, park/name-1 …
    uint32_t agents, threads;
    struct figures figures; // of each; the seed is the agent's number
    struct crowd_turn turn; // the only one without `next`
    double patience_s;      // after a turn, until all is acknowledged
    // Not NULL: one figure of every series is sent and acknowledged first, then this is asked for a turn, and
    // again after each; false: it is over. `turn` comes as it was before.
    bool (*next)(uint32_t done, struct crowd_turn *turn);
};

struct crowd_result {
    uint64_t batches, samples, bytes, refused, unacknowledged;
    uint64_t first_samples; // of before the first turn, which nothing else here counts
    double seconds;         // of all turns, each from its first batch to its last acknowledgement
    double drain_seconds;   // of these, after the last was made; of the turn that took longest
    double cpu_seconds;     // of this process
    struct delays delays;
    char trouble[128];
};

struct crowd;
// Admits, connects and waits until everybody is welcomed and all series are declared.
enum err crowd_open(const struct crowd_options *o, struct crowd **out, struct diag *d) MUST_USE;
enum err crowd_run(struct crowd *c, struct crowd_result *out, struct diag *d) MUST_USE;
const struct peer *crowd_peer(const struct crowd *c, uint32_t i);
void crowd_close(struct crowd *c);

#endif
