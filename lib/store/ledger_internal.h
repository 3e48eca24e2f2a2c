// Shared by ledger*.c only.
#ifndef ESEP_STORE_LEDGER_INTERNAL_H
#define ESEP_STORE_LEDGER_INTERNAL_H

#include "store/db.h"
#include "store/id_table.h"
#include "store/ledger.h"
#include "store/ledger_head.h"
#include "store/ledger_identity.h"
#include "store/ledger_keep.h"

enum ledger_statement {
    LEDGER_INSERT_BATCH,
    LEDGER_FIND_BATCH,
    LEDGER_SAVE_CHAIN,
    LEDGER_COUNT,
    LEDGER_FIND_STREAM,
    LEDGER_LOAD_STREAM,
    LEDGER_INSERT_STREAM,
    LEDGER_SAVE_STREAM,
    LEDGER_FIND_SERIES,
    LEDGER_LOAD_SERIES,
    LEDGER_INSERT_SERIES,
    LEDGER_LOAD_DECLARE,
    LEDGER_INSERT_DECLARE,
    LEDGER_INSERT_AGENT,
    LEDGER_INSERT_KEY,
    LEDGER_FIND_KEY,
    LEDGER_REVOKE_KEY,
    LEDGER_OWN_AGENT,
    LEDGER_SCAN_RUN,
    LEDGER_DELETE_RUN,
    LEDGER_RUN_WITHIN,
    LEDGER_RUN_BEFORE,
    LEDGER_CHAIN_BEFORE,
    LEDGER_INSERT_ROLLUP,
    LEDGER_INSERT_SEAL,
    LEDGER_INSERT_RUN,
    LEDGER_INSERT_SEALED_STREAM,
    LEDGER_INSERT_RELEASE,
    LEDGER_REFUSED_OF,
    LEDGER_INSERT_AUDIT,
    LEDGER_OTHERS_STREAM,
    LEDGER_STATEMENTS
};

struct ledger_stream_entry {
    struct ledger_stream now, committed;
    int64_t first_received_us, last_received_us;
    int64_t committed_first_us, committed_last_us;
    bool dirty; // on the ledger's list
    bool made;  // in this transaction
    struct ledger_stream_entry *next_dirty;
    const struct ledger_series **declared; // by number; NULL: not loaded yet
    size_t declared_count;
};

struct ledger_series_entry {
    struct ledger_series series;
    struct ledger_series_entry *next; // on `made` or on `undone`
};

struct ledger_ends { // what a rollback puts back
    uint64_t position;
    int64_t received_us;
    struct ledger_chain_end chains[LEDGER_CHAINS];
    struct ledger_kept kept;
};

struct ledger {
    struct db *db;
    const struct clock *clock;
    char *state;
    uint8_t id[LEDGER_ID_BYTES];
    bool head_missing;
    uint64_t head_measurement; // the row of that class which ledger.head names, 0: none
    struct db_stmt *statements[LEDGER_STATEMENTS];
    struct ledger_ends now, committed;
    struct id_table streams, series;
    struct ledger_stream_entry *dirty;
    struct ledger_series_entry *made;   // in this transaction
    struct ledger_series_entry *undone; // rolled back: borrowed by somebody perhaps, so freed at the end
    bool in_transaction;
    enum err broken; // the transaction can only be rolled back
};

// Remembers a failure that leaves the transaction in doubt, so that no later call commits half of it.
void ledger_note_failure(struct ledger *l, enum err e, const char *what, struct diag *d);
static inline enum err ledger_fail(struct ledger *l, enum err e, const char *what, struct diag *d)
{
    ledger_note_failure(l, e, what, d);
    return e;
}
// OK inside a transaction that has not failed.
enum err ledger_writable(const struct ledger *l, struct diag *d) MUST_USE;

enum err ledger_entry(struct ledger *l, int64_t stream_id, struct ledger_stream_entry **out,
                      struct diag *d) MUST_USE;
void ledger_touch(struct ledger *l, struct ledger_stream_entry *s); // before it is changed
enum err ledger_streams_save(struct ledger *l, struct diag *d) MUST_USE;
void ledger_streams_committed(struct ledger *l);
void ledger_streams_rolled_back(struct ledger *l);
void ledger_streams_deinit(struct ledger *l);

// The columns of LEDGER_SERIES_COLUMNS, from column 0.
#define LEDGER_SERIES_COLUMNS "series_id, name, unit, currency, class, step_s, period, agent_id"
enum err ledger_series_from_row(struct db_stmt *s, struct ledger_series *out) MUST_USE; // CORRUPT
// The columns of LEDGER_STREAM_COLUMNS; 13 is first_received_us, 14 last_received_us.
#define LEDGER_STREAM_COLUMNS                                                                                \
    "stream_id, agent_id, incarnation, last_sequence, declares, last_position, last_chain, accepted, "       \
    "quarantined, gap, "                                                                                     \
    "repeats, batches, 0, first_received_us, last_received_us"
enum err ledger_stream_from_row(struct db_stmt *s, struct ledger_stream *out) MUST_USE; // CORRUPT
enum err ledger_invites_visit(struct db *db, ledger_invite_visit visit, void *ctx, struct diag *d) MUST_USE;
enum err ledger_agents_visit(struct db *db, ledger_agent_visit visit, void *ctx, struct diag *d) MUST_USE;
// The last seal's times; none: zeros.
enum err ledger_kept_read(struct db *db, struct ledger_kept *out, struct diag *d) MUST_USE;
static inline enum ledger_kind ledger_row_kind(const struct ledger_row *row)
{
    return row->gap ? LEDGER_GAP : row->own;
}
// Text into a field of fixed size; false when it does not fit.
bool ledger_copy_text(char *out, size_t size, const char *text);

// audit.c: the last entry is recomputed and nothing lies beyond it. CORRUPT.
enum err ledger_audit_check_end(struct ledger *l, struct diag *d) MUST_USE;
// audit_read.c: the columns of AUDIT_COLUMNS. False when the row does not match its chain hash, `hash` being
// what it should be after `previous`; *e is filled in as far as the row goes.
#define AUDIT_COLUMNS "position, received_us, since_us, who, event, object, outcome, count, detail, chain"
struct audit_entry;
bool audit_from_row(struct db_stmt *s, const uint8_t previous[HASH_BYTES], struct audit_entry *e,
                    uint8_t hash[HASH_BYTES]);

// Version of the tables; a ledger of another version is refused.
#define LEDGER_SCHEMA "1"
enum err ledger_schema_ensure(struct db *db, struct diag *d) MUST_USE;
enum err ledger_schema_check(struct db *db, struct diag *d) MUST_USE; // NOT_FOUND: no tables yet
extern const char *const ledger_sql[LEDGER_STATEMENTS];

#endif
