// Shared by reader_verify*.c only.
#ifndef ESEP_STORE_READER_VERIFY_H
#define ESEP_STORE_READER_VERIFY_H

#include "store/reader_internal.h"
#include <stdarg.h>

struct verify_stream { // as its rows say
    uint64_t last_sequence, accepted, quarantined, gap, batches;
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
};

void verify_damage(struct verify *v, const char *fmt, ...) PRINTF(2, 3);
void verify_flush(struct verify *v);
struct verify_stream *verify_stream(struct verify *v,
                                    int64_t stream_id); // NULL: no memory, or the id is impossible
// What is kept beside the rows: streams, declares, series, chains' ends, ledger.head. Inside the read
// transaction that saw the last row.
enum err verify_tables(struct verify *v, struct diag *d) MUST_USE;

#endif
