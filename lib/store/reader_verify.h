// Shared by reader_verify*.c only.
#ifndef ESEP_STORE_READER_VERIFY_H
#define ESEP_STORE_READER_VERIFY_H

#include "store/reader_internal.h"
#include <stdarg.h>

struct verify_stream { // as its rows say
    uint64_t last_sequence, accepted, quarantined, gap, batches;
    uint64_t holes; // sequences that are not there
    // As seals and releases say.
    uint64_t sealed_rows, sealed_accepted, sealed_quarantined, sealed_last, released;
};

struct verify_run { // a sealed run
    uint64_t first, last, rows, seal;
    uint64_t left; // of its rows and of those of runs within it, not met yet as missing positions
    bool entered;
    bool within; // a run that an older version sealed over it: they are met together
    uint8_t before[HASH_BYTES], after[HASH_BYTES];
};

struct verify_range { // damaged rows not reported yet
    const char *why;  // NULL: none
    enum wire_class class;
    int64_t stream_id, agent_id;
    uint64_t first_position, last_position, first_sequence, last_sequence;
    int64_t first_us, last_us;
};

struct verify {
    struct reader *reader;
    reader_damage_visit visit;
    void *ctx;
    struct reader_verified out;
    struct ledger_head recorded; // ledger.head
    bool has_recorded;
    struct ledger_head kept;       // the chain table
    struct ledger_head ends;       // recomputed so far
    bool lost_end[LEDGER_CLASSES]; // rows before were unreadable: nothing to compare the next one with
    bool skipped;
    struct verify_range range;
    struct id_table streams; // of verify_stream
    struct db_stmt *find_agent, *find_sequence;
    reader_progress progress;
    struct verify_run *runs;                         // rising
    size_t run_count, run_at, run_outer;             // run_outer: the last that is within no other
    uint64_t last_seal;                              // with runs, when they were read
    uint64_t said_runs, said_streams, said_released; // in the bodies of seals and releases
};

void verify_damage(struct verify *v, const char *fmt, ...) PRINTF(2, 3);
void verify_flush(struct verify *v);
struct verify_stream *verify_stream(struct verify *v,
                                    int64_t stream_id); // NULL: no memory, or the id is impossible
// reader_verify_keep.c: rows that the collector wrote itself.
enum err verify_keep_open(struct verify *v, struct diag *d) MUST_USE; // reads the sealed runs and streams
// AGAIN: there are new ones.
enum err verify_keep_same(struct verify *v, struct diag *d) MUST_USE;
// No rows from first to last: right only where a seal says so.
void verify_keep_missing(struct verify *v, uint64_t first, uint64_t last);
void verify_keep_skip(struct verify *v, uint64_t last); // unreadable up to here
void verify_keep_row(struct verify *v, const struct reader_row *row);
void verify_keep_close(struct verify *v); // counts, runs that were never met

// What is kept beside the rows: streams, declares, series, chains' ends, ledger.head. Inside the read
// transaction that saw the last row.
enum err verify_tables(struct verify *v, struct diag *d) MUST_USE;

#endif
