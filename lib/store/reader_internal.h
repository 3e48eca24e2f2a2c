// Shared by reader*.c only.
#ifndef ESEP_STORE_READER_INTERNAL_H
#define ESEP_STORE_READER_INTERNAL_H

#include "store/ledger_internal.h"
#include "store/reader.h"
#include "wire/codec.h"

enum reader_statement {
    READER_HEAD,
    READER_ROWS,
    READER_STREAM_ROWS,
    READER_SERIES,
    READER_SERIES_BY_NAME,
    READER_SERIES_LIST,
    READER_DECLARES,
    READER_STREAMS,
    READER_COUNTERS,
    READER_ROW_AT,
    READER_ROW_HEADS,
    READER_REFUSED,
    READER_RELEASED,
    READER_ROLLUPS,
    READER_KEPT,
    READER_SEALED,
    READER_RUN_BEFORE,
    READER_CHAIN_BEFORE,
    READER_AUDIT,
    READER_STATEMENTS
};

// The columns that reader_row_from takes; 14 is the stream's incarnation.
#define READER_ROW_COLUMNS                                                                                   \
    "position, class, batch.gap, batch.stream_id, agent_id, key_id, sequence, batch.last_sequence, "         \
    "received_us, samples,"                                                                                  \
    " refused, chain, verdict, body, incarnation"

struct reader_declares { // of one stream, by number
    const struct ledger_series **series;
    size_t count, capacity;
};

struct reader {
    struct db *db;
    char *state;
    struct db_stmt *statements[READER_STATEMENTS];
    struct id_table series, declares;
    struct wire_arena *body_arena, *verdict_arena;
    int64_t release_stream; // 0: not known, or none yet
    unsigned depth;         // calls inside the one read transaction
};

static inline enum err reader_fail(struct reader *r, enum err e, const char *what, struct diag *d)
{
    (void)diag_fail(d, e, LEDGER_FILE ": %s: %s", what, e == ERR_NOMEM ? err_text(e) : db_error(r->db));
    return e;
}
enum err reader_begin(struct reader *r, struct diag *d) MUST_USE;
void reader_end(struct reader *r);
void reader_row_from(struct db_stmt *s, struct reader_row *out); // chain NULL when it is not a hash
enum err reader_stream_from(struct db_stmt *s, struct reader_stream *out) MUST_USE;
// What the row's hash is made of; incarnation: of its stream.
struct ledger_chain_row;
void reader_chain_row(const struct reader_row *row, const struct wire_incarnation *incarnation,
                      struct ledger_chain_row *out);
struct reader_verdict { // refusals borrow from the reader's verdict_arena
    bool whole;
    enum wire_reason whole_reason;
    size_t count, next;
    const struct wire_refusal *refusals;
};
enum err reader_verdict(struct reader *r, const struct reader_row *row, struct reader_verdict *out,
                        struct diag *d) MUST_USE;
// The reason, WIRE_REASON_NONE: accepted. Indexes must be asked in rising order.
enum wire_reason reader_refused(struct reader_verdict *v, uint32_t index);
// The row's batch, in the reader's body_arena. CORRUPT.
enum err reader_batch(struct reader *r, const struct reader_row *row, struct wire_batch *out,
                      struct diag *d) MUST_USE;
// The stream that releases are in, 0: there is none.
enum err reader_release_stream(struct reader *r, int64_t *out, struct diag *d) MUST_USE;
enum err reader_declared(struct reader *r, int64_t stream_id, uint32_t number,
                         const struct ledger_series **out, struct diag *d) MUST_USE;

#endif
