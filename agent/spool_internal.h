// What the parts of the spool share: spool.c (life, append, acknowledge), spool_store.c (rows of the tables),
// spool_quota.c (gaps, tail, what may be sent), spool_rewind.c, spool_renew.c, spool_head.c, spool_reader.c.
#ifndef ESEP_AGENT_SPOOL_INTERNAL_H
#define ESEP_AGENT_SPOOL_INTERNAL_H

#include "agent/spool.h"
#include "store/db.h"

#define SPOOL_FORMAT      1
#define SPOOL_FORMAT_TEXT "1"
#define SPOOL_HASH_BYTES  16
#define SPOOL_GAP_CLASS   0 // in batch.class

struct spool_meta { // the one row of the table meta
    struct spool_state state;
    uint32_t declares_known;    // numbers below it are known to the collector
    uint64_t tail_bytes;        // of acknowledged rows that have their body
    uint64_t forgotten_last;    // sequences up to here have no row any more
    uint64_t forgotten_samples; // theirs
    int64_t forgotten_from_s, forgotten_to_s;
};

enum spool_statement {
    SPOOL_SQL_META_READ,
    SPOOL_SQL_META_WRITE,
    SPOOL_SQL_ROW_INSERT,
    SPOOL_SQL_ROW_READ,  // by its first sequence
    SPOOL_SQL_ROW_NEXT,  // the first from a sequence on
    SPOOL_SQL_ROW_STRIP, // body gone, the rest stays
    SPOOL_SQL_ROWS_DELETE,
    SPOOL_SQL_DECLARE_INSERT,
    SPOOL_SQL_DECLARE_READ,
    SPOOL_SQL_DECLARE_FIND,
    SPOOL_SQL_POSITION_PUT,
    SPOOL_SQL_POSITION_DELETE,
    SPOOL_SQL_POSITION_GET,
    SPOOL_SQL_POSITION_EACH,
    SPOOL_SQL_COUNT
};

struct spool_tables {
    struct db *db;
    struct db_stmt *sql[SPOOL_SQL_COUNT];
};

struct spool {
    struct spool_tables tables;
    struct spool_options options;
    const struct clock *clock;
    struct wall opened_wall;
    struct mono opened_mono;
    bool sending;
    int head;                // spool.head; −1: none
    struct spool_meta meta;  // as of the last commit, or being changed inside a transaction
    struct spool_meta saved; // to go back to on rollback
};

struct spool_stored {     // a row of the table batch
    uint64_t first, last; // the same but for gaps
    int class;            // SPOOL_GAP_CLASS for gaps
    int reason;           // of gaps
    uint64_t samples;
    int64_t from_s, to_s;
    int64_t created_us;
    const void *body; // borrowed until the next use of the statement; NULL: no longer kept
    size_t len;
};

// ---- spool_tables.c: the tables; UNSUPPORTED for a newer format, CORRUPT when they are not as they were
// made.
enum err spool_tables_create(struct db *db, struct diag *d) MUST_USE;
enum err spool_tables_prepare(struct spool_tables *t, struct db *db,
                              struct diag *d) MUST_USE; // db stays the caller's on failure
void spool_tables_finalize(struct spool_tables *t);
// ---- spool_store.c: rows, each with a hash of its own over all it says. CORRUPT when it does not match.
enum err spool_meta_read(struct spool_tables *t, struct spool_meta *out,
                         struct diag *d) MUST_USE; // NOT_FOUND
enum err spool_meta_write(struct spool_tables *t, const struct spool_meta *m, struct diag *d) MUST_USE;
enum err spool_row_insert(struct spool_tables *t, const struct spool_stored *row, struct diag *d) MUST_USE;
enum err spool_row_strip(struct spool_tables *t, const struct spool_stored *row, struct diag *d) MUST_USE;
enum err spool_rows_delete(struct spool_tables *t, uint64_t first, uint64_t last, struct diag *d) MUST_USE;
// NOT_FOUND. The row's statement stays open until spool_row_done, which must follow before a commit.
enum err spool_row_read(struct spool_tables *t, uint64_t first, struct spool_stored *out,
                        struct diag *d) MUST_USE;
enum err spool_row_from(struct spool_tables *t, uint64_t sequence, struct spool_stored *out,
                        struct diag *d) MUST_USE;
void spool_row_done(struct spool_tables *t);
enum err spool_declare_read(struct spool_tables *t, uint32_t number, struct wire_declare *out,
                            struct buf *texts,
                            struct diag *d) MUST_USE; // texts are kept in texts
enum err spool_declare_find(struct spool_tables *t, const struct wire_declare *wanted,
                            uint32_t *number) MUST_USE;
enum err spool_declare_insert(struct spool_tables *t, const struct wire_declare *wanted, uint32_t number,
                              struct diag *d) MUST_USE;
enum err spool_position_put(struct spool_tables *t, const struct spool_position *p, struct diag *d) MUST_USE;
enum err spool_tables_position_get(struct spool_tables *t, const char *source, const char *key, void *out,
                                   size_t cap, size_t *len) MUST_USE;
enum err spool_tables_position_each(struct spool_tables *t, const char *source, const char *prefix,
                                    position_visit visit, void *ctx) MUST_USE;

void spool_count_acknowledged(struct wire_counters *c, const struct spool_stored *row); // spool_store.c
// ---- spool.c: a change of the spool is made between these two, which keep meta as it was when anything
// fails.
enum err spool_begin(struct spool *s, struct diag *d) MUST_USE;
enum err spool_end(struct spool *s, enum err e, struct diag *d) MUST_USE; // commits when e is OK

// ---- spool_quota.c: inside a transaction, on s->meta.
enum err spool_apply_quota(struct spool *s, struct diag *d) MUST_USE;
enum err spool_trim_tail(struct spool *s, struct diag *d) MUST_USE;
enum err spool_extend_sendable(struct spool *s, struct diag *d) MUST_USE;
enum err spool_insert_gap(struct spool *s, const struct wire_gap *gap, struct diag *d) MUST_USE;

enum err spool_insert_damage(struct spool *s, struct diag *d) MUST_USE; // an empty gap that tells of it

// ---- spool_renew.c: as spool_renew, and tells of damage in the same transaction.
enum err spool_renew_damaged(struct spool *s, struct diag *d) MUST_USE;
// The row is acknowledged (its body still open): the numbers it needed are the collector's. Inside a
// transaction.
void spool_note_accepted(struct spool *s, const struct spool_stored *row);

// ---- spool_head.c: how far the spool had come, noted beside it after each commit. A failure to write it is
// none.
enum err spool_head_open(struct spool *s, const char *state_folder, struct diag *d) MUST_USE;
void spool_head_close(struct spool *s);
void spool_head_write(const struct spool *s);
// True when the spool is not what it had been: it is older, or gone (fresh: there was none).
bool spool_head_is_ahead(const struct spool *s, bool fresh, char *reason, size_t reason_size);
// What spool_note_acknowledged has noted, when it is of this spool and more than its tables say.
bool spool_head_noted(int head, const struct spool_state *st, uint64_t *sequence,
                      struct wire_receipt *receipt);

// ---- spool_aside.c: an unusable file leaves the way.
enum err spool_set_aside(const char *path, const struct clock *clock, char *aside, size_t aside_size,
                         struct diag *d) MUST_USE;

#endif
