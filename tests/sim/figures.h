// What the sources say, and what each spool has held of it. Shared by tests/sim/*.c only.
#ifndef ESEP_TESTS_SIM_FIGURES_H
#define ESEP_TESTS_SIM_FIGURES_H

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
// A program (exec) is asked at ticks
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
    uint64_t claimed;    // highest sequence that the collector has said to be on its disk
    uint64_t acked;      // … and that the spool took to be
    uint64_t remembered; // what the spool took to be now: less after it was told to go back
    uint64_t gaps;       // samples in gaps, as counted when last looked at
    uint64_t samples;    // in batches that were seen
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

#endif
