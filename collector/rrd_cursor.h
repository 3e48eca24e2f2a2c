// The RRD writer's durable memory: how far the round-robin files have come on disk, each series' newest time
// there, which series must be rebuilt, and whether the last stop was a clean one. Its own small database,
// rrd.sqlite. Also the mark of the file being written, which outlives a kill but not a power cut. Threads:
// the RRD writer's.
#ifndef ESEP_COLLECTOR_RRD_CURSOR_H
#define ESEP_COLLECTOR_RRD_CURSOR_H

#include "base/crypto.h"
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

#define RRD_CURSOR_FILE "rrd.sqlite"  // in the state folder
#define RRD_MARK_FILE   "rrd.writing" // in the state folder
#define RRD_TIME_NONE   INT64_MIN

struct rrd_cursor_state {
    bool fresh;                // nothing was stored: new, deleted or damaged (and made anew)
    bool clean;                // stopped cleanly
    bool other_boot;           // the machine has restarted since
    uint64_t position;         // ledger rows up to here are in the files, but for dirty series
    uint8_t chain[HASH_BYTES]; // of that row
    int64_t interrupted;       // the series whose file was being written, 0: none
};

struct rrd_cursor_series {
    int64_t series_id;
    int64_t newest; // time of the file's last value, RRD_TIME_NONE: no file
    bool dirty;
    int64_t mtime_ns; // of the file after our last write
};
typedef enum err (*rrd_cursor_visit)(void *ctx, const struct rrd_cursor_series *s);

struct rrd_cursor;
enum err rrd_cursor_open(const char *state, struct rrd_cursor **out, struct rrd_cursor_state *stored,
                         struct diag *d) MUST_USE;
void rrd_cursor_close(struct rrd_cursor *c);
enum err rrd_cursor_series(struct rrd_cursor *c, rrd_cursor_visit visit, void *ctx, struct diag *d) MUST_USE;

// The stored position, read without opening it for writing. NOT_FOUND.
enum err rrd_cursor_peek(const char *state, uint64_t *position, uint64_t *dirty, struct diag *d) MUST_USE;

// begin, put the series that changed, commit. The files must be on disk before. An error leaves what was
// stored.
enum err rrd_cursor_begin(struct rrd_cursor *c, struct diag *d) MUST_USE;
enum err rrd_cursor_put(struct rrd_cursor *c, const struct rrd_cursor_series *s) MUST_USE;
enum err rrd_cursor_forget(struct rrd_cursor *c) MUST_USE; // every series
enum err rrd_cursor_commit(struct rrd_cursor *c, uint64_t position, const uint8_t chain[HASH_BYTES],
                           bool clean, struct diag *d) MUST_USE;
void rrd_cursor_rollback(struct rrd_cursor *c);

void rrd_cursor_mark(struct rrd_cursor *c, int64_t series_id); // 0: none

#endif
