// The round-robin files as a projection of the ledger: reads rows after its cursor, writes each series' file
// once a visit, rebuilds from exact points what came late, was corrected, or was found missing or damaged. No
// thread inside. Threads: one; only this one opens round-robin files in the collector.
#ifndef ESEP_COLLECTOR_RRD_WRITER_H
#define ESEP_COLLECTOR_RRD_WRITER_H

#include "base/clock.h"
#include "collector/counters.h"
#include "store/observations.h"
#include "store/reader.h"

#define RRD_WRITER_ROWS_MAX   4096        // ledger rows in one read
#define RRD_WRITER_BYTES_MAX  (128 << 20) // of values that a step gathers before it writes: 8 million of them
#define RRD_WRITER_READ_MS    500         // and for so long
#define RRD_WRITER_REST_MS    10000       // between two steps under load, at most
#define RRD_WRITER_STORE_S    30          // the durable cursor is at most so old
#define RRD_WRITER_REBUILD_MS 1000        // a series is rebuilt at most so often

struct rrd_writer;
struct rrd_writer_options {
    const char *state;     // folder; copied
    struct reader *reader; // borrowed, as what follows; not used by anybody else
    struct observations_reader *observations;
    const struct clock *clock;
    struct counters *counters;
};
// Decides by the durable cursor: go on (clean stop, or the process alone had died), or first mark what a
// machine crash, a lost cursor or another ledger has made doubtful.
enum err rrd_writer_open(const struct rrd_writer_options *o, struct rrd_writer **out,
                         struct diag *d) MUST_USE;
// Stores the cursor; with clean the next start trusts the files. Call it after the last step.
enum err rrd_writer_stop(struct rrd_writer *w, bool clean, struct diag *d) MUST_USE;
void rrd_writer_close(struct rrd_writer *w);

void rrd_writer_use(struct rrd_writer *w,
                    struct observations_reader *observations); // instead of the one before

// Reads, writes, rebuilds what is due, stores the cursor when it is time. *did: rows read and files rebuilt;
// 0: nothing to do now. FULL, IO, NOMEM: what could not be done is kept and tried again later.
enum err rrd_writer_step(struct rrd_writer *w, size_t *did, struct diag *d) MUST_USE;
// After a step: how long to put off the next one so that a visit brings more values, unless somebody asks for
// what has come or the ledger reaches *enough. 0: not at all. Under load a visit costs the same for one value
// as for ten; when little comes a step takes no time and the next follows at once.
int64_t rrd_writer_rest_ms(const struct rrd_writer *w, uint64_t *enough);
// Every ledger row up to here is in the files, corrections included.
uint64_t rrd_writer_landed(const struct rrd_writer *w);
uint64_t
rrd_writer_position(const struct rrd_writer *w); // rows read; what is dirty may be missing from the files
// Whether a step brings somebody who waits for that row nearer to it: it is not read yet. What is dirty waits
// for the observer, for its turn, or for ever (a damaged row), and nothing is put off or hurried for it.
bool rrd_writer_owes(const struct rrd_writer *w, uint64_t position);
size_t rrd_writer_dirty(const struct rrd_writer *w);
void rrd_writer_hurry(
    struct rrd_writer *w); // the next step rebuilds whatever it can, however lately it was rebuilt
// Asks for a rebuild of one series by name, or of all ("" ). *count: how many. NOT_FOUND.
enum err rrd_writer_rebuild(struct rrd_writer *w, const char *name, uint64_t *count, struct diag *d) MUST_USE;

#endif
