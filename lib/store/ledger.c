// The writer. Rows go in one by one with their chain hash; watermarks and chains' ends are kept in memory and
// written once a transaction, which is what lets a group commit take tens of thousands of rows a second.
// After any failure that may have left half of something behind, the transaction can only be rolled back
// (`broken`): SQLite itself rolls back on a full disk, and a statement run after that would commit by itself.
#include "base/fs.h"
#include "store/ledger_internal.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STATE_MODE     02750 // new files take the folder's group, which readers are in
#define PATH_MAX_BYTES 4096

void ledger_note_failure(struct ledger *l, enum err e, const char *what, struct diag *d)
{
    if (l->in_transaction && l->broken == ERR_OK)
        l->broken = e;
    (void)diag_fail(d, e, LEDGER_FILE ": %s: %s", what, e == ERR_NOMEM ? err_text(e) : db_error(l->db));
}

enum err ledger_writable(const struct ledger *l, struct diag *d)
{
    if (!l->in_transaction)
        return diag_fail(d, ERR_INTERNAL, LEDGER_FILE ": written outside a transaction");
    return l->broken == ERR_OK
               ? ERR_OK
               : diag_fail(d, l->broken, LEDGER_FILE ": this transaction has failed: roll it back");
}

// ---- opening
// --------------------------------------------------------------------------------------------------------

static enum err ensure_state(const char *state, struct diag *d)
{
    struct stat st;
    if (stat(state, &st) == 0)
        return ERR_OK;
    enum err e = fs_make_dirs(state, STATE_MODE, d);
    // mkdir takes no set-group-id bit.
    if (e == ERR_OK && chmod(state, STATE_MODE) != 0)
        e = diag_errno(d, errno, "%s: cannot set mode 2750", state);
    return e;
}

static enum err prepare_all(struct ledger *l, struct diag *d)
{
    for (int i = 0; i < LEDGER_STATEMENTS; i++) {
        enum err e = db_prepare(l->db, ledger_sql[i], &l->statements[i], d);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

struct last_row {
    struct ledger_chain_row row;
    uint8_t chain[HASH_BYTES];
    char where[200];
};

static enum err read_last(struct db_stmt *s, struct last_row *out)
{
    size_t incarnation_len = 0;
    size_t chain_len = 0;
    const void *incarnation = db_blob(s, 3, &incarnation_len);
    const void *chain = db_blob(s, 11, &chain_len);
    out->row = (struct ledger_chain_row){
        .position = (uint64_t)db_int(s, 0),
        .class = db_int(s, 1),
        .agent_id = db_int(s, 2),
        .sequence = (uint64_t)db_int(s, 4),
        .last_sequence = (uint64_t)db_int(s, 5),
        .gap = db_int(s, 6),
        .key_id = db_int(s, 7),
        .received_us = db_int(s, 8),
        .samples = (uint64_t)db_int(s, 9),
        .refused = (uint64_t)db_int(s, 10),
    };
    char time[WALL_TEXT];
    wall_text((struct wall){out->row.received_us}, time);
    snprintf(out->where, sizeof out->where,
             "position %" PRIu64 ", agent %" PRId64 ", sequence %" PRIu64 ", received %s", out->row.position,
             out->row.agent_id, out->row.sequence, time);
    if (incarnation_len != WIRE_INCARNATION_BYTES || chain_len != HASH_BYTES)
        return ERR_CORRUPT;
    memcpy(out->row.incarnation.bytes, incarnation, incarnation_len);
    memcpy(out->chain, chain, chain_len);
    out->row.verdict = db_blob(s, 12, &out->row.verdict_len);
    out->row.body = db_blob(s, 13, &out->row.body_len);
    return ERR_OK;
}

// The last row of a class is recomputed: what a torn or flipped write would hit first.
static enum err check_end(struct ledger *l, struct db_stmt *s, int class, struct diag *d)
{
    const struct ledger_chain_end *end = &l->now.chains[class];
    struct last_row last;
    uint8_t hash[HASH_BYTES];
    bool row = false;
    if (end->position == 0)
        return ERR_OK;
    db_bind_int(s, 1, (int64_t)end->position);
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return diag_fail(d, e, LEDGER_FILE ": cannot read the row at position %" PRIu64 ": %s", end->position,
                         db_error(l->db));
    if (!row) {
        db_reset(s);
        return diag_fail(d, ERR_CORRUPT,
                         LEDGER_FILE ": the chain of class %d ends at position %" PRIu64 ", which is missing",
                         class, end->position);
    }
    if ((e = read_last(s, &last)) == ERR_OK) {
        ledger_chain_next(end->previous, &last.row, hash);
        if (memcmp(hash, end->hash, HASH_BYTES) != 0 || memcmp(last.chain, end->hash, HASH_BYTES) != 0)
            e = ERR_CORRUPT;
    }
    db_reset(s);
    return e == ERR_OK ? e
                       : diag_fail(d, e,
                                   LEDGER_FILE
                                   ": the last row of class %d is damaged (%s): run `esep-collector verify`",
                                   class, last.where);
}

static enum err check_ends(struct ledger *l, struct diag *d)
{
    struct db_stmt *s = NULL;
    enum err e = db_prepare(
        l->db,
        "SELECT position, class, agent_id, incarnation, sequence, batch.last_sequence, batch.gap, key_id,"
        " received_us, samples, refused, chain, verdict, body"
        " FROM batch LEFT JOIN stream USING(stream_id) WHERE position=?1",
        &s, d);
    for (int c = 1; e == ERR_OK && c < LEDGER_CLASSES; c++)
        e = check_end(l, s, c, d);
    db_finalize(s);
    return e;
}

// Rows must end where the chains do: a row beyond them was never committed by us.
static enum err read_end_of_rows(struct ledger *l, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e =
        db_prepare(l->db, "SELECT position, received_us FROM batch ORDER BY position DESC LIMIT 1", &s, d);
    if (e == ERR_OK && (e = db_step(s, &row)) != ERR_OK)
        e = diag_fail(d, e, LEDGER_FILE ": cannot read its last row: %s", db_error(l->db));
    uint64_t position = e == ERR_OK && row ? (uint64_t)db_int(s, 0) : 0;
    if (e == ERR_OK && row)
        l->now.received_us = db_int(s, 1);
    db_finalize(s);
    if (e == ERR_OK && position != l->now.position)
        e = diag_fail(d, ERR_CORRUPT,
                      LEDGER_FILE ": its rows end at position %" PRIu64 ", its chains at %" PRIu64
                                  ": run `esep-collector verify`",
                      position, l->now.position);
    return e;
}

static enum err load_ends(struct ledger *l, struct ledger_head *found, struct diag *d)
{
    enum err e = ledger_head_read(l->db, found, d);
    if (e != ERR_OK)
        return e;
    memcpy(l->id, found->ledger_id, LEDGER_ID_BYTES);
    l->now.position = found->position;
    memcpy(l->now.chains, found->chains, sizeof l->now.chains);
    if ((e = read_end_of_rows(l, d)) != ERR_OK)
        return e;
    if ((e = ledger_kept_read(l->db, &l->now.kept, d)) != ERR_OK)
        return e;
    l->committed = l->now;
    e = check_ends(l, d);
    return e == ERR_OK ? ledger_audit_check_end(l, d) : e;
}

static enum err compare_head(struct ledger *l, const struct ledger_head *found, struct diag *d)
{
    struct ledger_head recorded;
    enum err e = ledger_head_load(l->state, &recorded, d);
    if (e == ERR_NOT_FOUND) {
        l->head_missing = found->position > 0 || found->chains[LEDGER_AUDIT].rows > 0;
        return ERR_OK;
    }
    if (e == ERR_OK)
        l->head_measurement = recorded.chains[WIRE_MEASUREMENT].position;
    return e == ERR_OK ? ledger_head_check(l->db, &recorded, found, d) : e;
}

enum err ledger_open(const char *state, const struct clock *clock, struct ledger **out, struct diag *d)
{
    char path[PATH_MAX_BYTES];
    struct ledger_head found;
    struct ledger *l = calloc(1, sizeof *l);
    if (!l || !(l->state = strdup(state))) {
        free(l);
        return diag_fail(d, ERR_NOMEM, "ledger: %s", err_text(ERR_NOMEM));
    }
    l->clock = clock;
    enum err e = fs_join(path, sizeof path, state, LEDGER_FILE);
    if (e != ERR_OK)
        e = diag_fail(d, e, "%s: path too long", state);
    if (e == ERR_OK)
        e = ensure_state(state, d);
    if (e == ERR_OK)
        e = db_open_writer(path, &l->db, d);
    // A group of 5,000 rows and the index leaves of 5,000 streams stay in memory until their commit.
    if (e == ERR_OK)
        e = db_exec(l->db, "PRAGMA cache_size=-32768", d);
    if (e == ERR_OK)
        e = ledger_schema_ensure(l->db, d);
    if (e == ERR_OK)
        e = load_ends(l, &found, d);
    if (e == ERR_OK)
        e = compare_head(l, &found, d);
    if (e == ERR_OK)
        e = prepare_all(l, d);
    if (e != ERR_OK)
        ledger_close(l);
    else
        *out = l;
    return e;
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    if (l->in_transaction)
        ledger_rollback(l);
    ledger_streams_deinit(l);
    for (int i = 0; i < LEDGER_STATEMENTS; i++)
        db_finalize(l->statements[i]);
    db_close(l->db);
    free(l->state);
    free(l);
}

bool ledger_head_missing(const struct ledger *l)
{
    return l->head_missing;
}

// ---- transactions
// ---------------------------------------------------------------------------------------------------

enum err ledger_begin(struct ledger *l, int64_t *received_us, struct diag *d)
{
    if (l->in_transaction)
        return diag_fail(d, ERR_INTERNAL, LEDGER_FILE ": a transaction is open already");
    enum err e = db_begin(l->db, d);
    if (e != ERR_OK)
        return e;
    int64_t now = clock_wall(l->clock).us;
    l->in_transaction = true;
    l->broken = ERR_OK;
    if (now > l->now.received_us)
        l->now.received_us = now;
    *received_us = l->now.received_us;
    return ERR_OK;
}

static enum err save_chains(struct ledger *l, struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_SAVE_CHAIN];
    for (int c = 0; c < LEDGER_CHAINS; c++) {
        const struct ledger_chain_end *end = &l->now.chains[c];
        if (end->position == l->committed.chains[c].position)
            continue;
        db_bind_int(s, 1, c);
        db_bind_int(s, 2, (int64_t)end->position);
        db_bind_int(s, 3, (int64_t)end->rows);
        db_bind_blob(s, 4, end->hash, HASH_BYTES);
        db_bind_blob(s, 5, end->previous, HASH_BYTES);
        enum err e = db_run(s);
        if (e != ERR_OK)
            return ledger_fail(l, e, "cannot write the chain's end", d);
    }
    return ERR_OK;
}

enum err ledger_commit(struct ledger *l, struct diag *d)
{
    enum err e = ledger_writable(l, d);
    if (e == ERR_OK)
        e = ledger_streams_save(l, d);
    if (e == ERR_OK)
        e = save_chains(l, d);
    if (e == ERR_OK)
        e = db_commit(l->db, d);
    if (e != ERR_OK) {
        ledger_rollback(l);
        return e;
    }
    ledger_streams_committed(l);
    // Only rows say how far the clock has been: a restart asks them, and nothing else.
    if (l->now.position == l->committed.position)
        l->now.received_us = l->committed.received_us;
    l->committed = l->now;
    l->in_transaction = false;
    return ERR_OK;
}

void ledger_rollback(struct ledger *l)
{
    db_rollback(l->db);
    ledger_streams_rolled_back(l);
    l->now = l->committed;
    l->in_transaction = false;
    l->broken = ERR_OK;
}

// ---- rows
// -----------------------------------------------------------------------------------------------------------

static enum err check_row(const struct ledger_row *row, const struct ledger_stream *s, struct diag *d)
{
    bool shape = row->class >= WIRE_MEASUREMENT && row->class <= WIRE_CONTROL &&
                 row->refused <= row->samples &&
                 (row->gap ? row->last_sequence >= row->sequence : row->last_sequence == row->sequence);
    if (row->sequence != s->last_sequence + 1 || row->last_sequence > INT64_MAX || !shape)
        return diag_fail(d, ERR_INVALID,
                         LEDGER_FILE ": stream %" PRId64 ": sequence %" PRIu64 "..%" PRIu64 " after %" PRIu64,
                         s->stream_id, row->sequence, row->last_sequence, s->last_sequence);
    return ERR_OK;
}

static enum err insert_row(struct ledger *l, const struct ledger_row *row, const uint8_t chain[HASH_BYTES])
{
    struct db_stmt *s = l->statements[LEDGER_INSERT_BATCH];
    db_bind_int(s, 1, (int64_t)l->now.position + 1);
    db_bind_int(s, 2, row->class);
    db_bind_int(s, 3, row->stream_id);
    db_bind_int(s, 4, (int64_t)row->sequence);
    db_bind_int(s, 5, (int64_t)row->last_sequence);
    db_bind_int(s, 6, ledger_row_kind(row));
    db_bind_int(s, 7, row->key_id);
    db_bind_int(s, 8, l->now.received_us);
    db_bind_int(s, 9, row->samples);
    db_bind_int(s, 10, row->refused);
    db_bind_blob(s, 11, chain, HASH_BYTES);
    if (row->verdict_len)
        db_bind_blob(s, 12, row->verdict, row->verdict_len);
    db_bind_blob(s, 13, row->body ? row->body : "", row->body_len);
    return db_run(s);
}

static void chain_row(const struct ledger *l, const struct ledger_row *row, const struct ledger_stream *s,
                      uint8_t out[HASH_BYTES])
{
    const struct ledger_chain_row c = {
        .position = l->now.position + 1,
        .class = row->class,
        .agent_id = s->agent_id,
        .incarnation = s->incarnation,
        .sequence = row->sequence,
        .last_sequence = row->last_sequence,
        .gap = ledger_row_kind(row),
        .key_id = row->key_id,
        .received_us = l->now.received_us,
        .samples = row->samples,
        .refused = row->refused,
        .body = row->body,
        .body_len = row->body_len,
        .verdict = row->verdict_len ? row->verdict : NULL,
        .verdict_len = row->verdict_len,
    };
    ledger_chain_next(l->now.chains[row->class].hash, &c, out);
}

static void advance_stream(struct ledger_stream_entry *s, const struct ledger_row *row, int64_t received_us)
{
    s->now.last_sequence = row->last_sequence;
    s->now.batches++;
    if (row->gap) {
        s->now.gap += row->samples;
    } else {
        s->now.accepted += row->samples - row->refused;
        s->now.quarantined += row->refused;
    }
    if (s->first_received_us == 0)
        s->first_received_us = received_us;
    s->last_received_us = received_us;
}

enum err ledger_append(struct ledger *l, const struct ledger_row *row, struct wire_receipt *out,
                       struct diag *d)
{
    struct ledger_stream_entry *s = NULL;
    uint8_t chain[HASH_BYTES];
    enum err e = ledger_writable(l, d);
    if (e == ERR_OK)
        e = ledger_entry(l, row->stream_id, &s, d);
    if (e == ERR_OK)
        e = check_row(row, &s->now, d);
    if (e != ERR_OK)
        return e;
    chain_row(l, row, &s->now, chain);
    if ((e = insert_row(l, row, chain)) != ERR_OK)
        return ledger_fail(l, e, "cannot add a row", d);
    l->now.position++;
    ledger_chain_end_advance(&l->now.chains[row->class], l->now.position, chain);
    ledger_touch(l, s);
    advance_stream(s, row, l->now.received_us);
    s->now.receipt.position = l->now.position;
    memcpy(s->now.receipt.chain, chain, WIRE_CHAIN_BYTES);
    *out = s->now.receipt;
    return ERR_OK;
}

enum err ledger_repeat(struct ledger *l, int64_t stream_id, uint64_t sequence, const void *body, size_t len)
{
    struct ledger_stream_entry *entry = NULL;
    struct db_stmt *s = l->statements[LEDGER_FIND_BATCH];
    bool row = false;
    size_t stored_len = 0;
    enum err e = ledger_entry(l, stream_id, &entry, NULL);
    if (e != ERR_OK)
        return e;
    if (sequence == 0 || sequence > entry->now.last_sequence)
        return ERR_INVALID;
    db_bind_int(s, 1, stream_id);
    db_bind_int(s, 2, (int64_t)sequence);
    if ((e = db_step(s, &row)) != ERR_OK)
        return ledger_fail(l, e, "cannot look up a repeat", NULL);
    // Where raw rows were dropped by retention nothing is left to compare with.
    bool kept = row && (uint64_t)db_int(s, 1) >= sequence;
    uint64_t samples = 0;
    if (kept) {
        const void *stored = db_blob(s, 3, &stored_len);
        bool same = (uint64_t)db_int(s, 0) == sequence && stored_len == len &&
                    (len == 0 || memcmp(stored, body, len) == 0);
        samples = (uint64_t)db_int(s, 2);
        e = same ? ERR_OK : ERR_CONFLICT;
    }
    db_reset(s);
    if (e == ERR_OK) {
        ledger_touch(l, entry);
        entry->now.repeats += samples;
    }
    return e;
}

enum err ledger_count(struct ledger *l, const char *counter, int64_t agent_id, uint64_t add)
{
    struct db_stmt *s = l->statements[LEDGER_COUNT];
    if (l->broken != ERR_OK)
        return l->broken;
    db_bind_text(s, 1, counter);
    db_bind_int(s, 2, agent_id);
    db_bind_int(s, 3, (int64_t)add);
    enum err e = db_run(s);
    return e == ERR_OK ? ERR_OK : ledger_fail(l, e, "cannot count", NULL);
}

uint64_t ledger_position(const struct ledger *l)
{
    return l->committed.position;
}

int64_t ledger_received_us(const struct ledger *l)
{
    return l->now.received_us;
}

uint64_t ledger_wal_bytes(const struct ledger *l)
{
    return db_wal_bytes(l->db);
}

enum err ledger_store_head(struct ledger *l, struct diag *d)
{
    struct ledger_head h = {.position = l->committed.position};
    memcpy(h.ledger_id, l->id, LEDGER_ID_BYTES);
    memcpy(h.chains, l->committed.chains, sizeof h.chains);
    enum err e = ledger_head_store(l->state, &h, d);
    if (e == ERR_OK) {
        l->head_missing = false;
        l->head_measurement = h.chains[WIRE_MEASUREMENT].position;
    }
    return e;
}

enum err ledger_checkpoint(struct ledger *l, struct diag *d)
{
    return db_checkpoint(l->db, false, d);
}
