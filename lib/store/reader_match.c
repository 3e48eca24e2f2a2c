// One row against its hash. The audit does this for all rows in their order; retention asks of each row that
// it is about to drop, because what is gone can't be found damaged any more.
#include "store/ledger_head.h"
#include "store/reader_internal.h"
#include "store/reader_keep.h"
#include <string.h>

void reader_chain_row(const struct reader_row *row, const struct wire_incarnation *incarnation,
                      struct ledger_chain_row *out)
{
    *out = (struct ledger_chain_row){
        .position = row->position,
        .class = row->class,
        .agent_id = row->agent_id,
        .incarnation = *incarnation,
        .sequence = row->sequence,
        .last_sequence = row->last_sequence,
        .gap = row->kind,
        .key_id = row->key_id,
        .received_us = row->received_us,
        .samples = row->samples,
        .refused = row->refused,
        .body = row->body,
        .body_len = row->body_len,
        .verdict = row->verdict,
        .verdict_len = row->verdict_len,
    };
}

static bool hash_from(struct db_stmt *s, int column, uint8_t out[HASH_BYTES])
{
    size_t len = 0;
    const void *hash = db_blob(s, column, &len);
    if (len == HASH_BYTES)
        memcpy(out, hash, HASH_BYTES);
    return len == HASH_BYTES;
}

// Of a measurement's row that is there, else of the sealed run before it, else where chains begin.
static enum err hash_before(struct reader *r, uint64_t position, uint8_t out[HASH_BYTES], bool *known)
{
    struct db_stmt *s = r->statements[READER_RUN_BEFORE];
    struct ledger_head head;
    int64_t sealed = 0;
    bool run = false, row = false;
    db_bind_int(s, 1, (int64_t)position);
    enum err e = db_step(s, &run);
    if (e == ERR_OK && run) {
        sealed = db_int(s, 0);
        *known = hash_from(s, 1, out);
    }
    db_reset(s);
    if (e == ERR_OK && !run && (e = ledger_head_read(r->db, &head, NULL)) == ERR_OK) {
        ledger_chain_genesis(head.ledger_id, out);
        *known = true;
    }
    s = r->statements[READER_CHAIN_BEFORE];
    db_bind_int(s, 1, sealed);
    db_bind_int(s, 2, (int64_t)position);
    if (e == ERR_OK && (e = db_step(s, &row)) == ERR_OK && row)
        *known = hash_from(s, 0, out);
    db_reset(s);
    return e;
}

static bool matches(struct db_stmt *s, const uint8_t before[HASH_BYTES])
{
    struct reader_row row;
    struct ledger_chain_row chained;
    struct wire_incarnation incarnation = {{0}};
    uint8_t hash[HASH_BYTES];
    size_t len = 0;
    reader_row_from(s, &row);
    const void *bytes = db_blob(s, 14, &len);
    if (!row.chain || len != WIRE_INCARNATION_BYTES)
        return false;
    memcpy(incarnation.bytes, bytes, len);
    reader_chain_row(&row, &incarnation, &chained);
    ledger_chain_next(before, &chained, hash);
    return memcmp(hash, row.chain, HASH_BYTES) == 0;
}

enum err reader_row_matches(struct reader *r, uint64_t position, bool *out, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_ROW_AT];
    uint8_t before[HASH_BYTES];
    bool found = false, known = false;
    *out = false;
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    e = hash_before(r, position, before, &known);
    db_bind_int(s, 1, (int64_t)position);
    if (e == ERR_OK && (e = db_step(s, &found)) == ERR_OK && found && known)
        *out = matches(s, before);
    db_reset(s);
    if (e != ERR_OK && e != ERR_CORRUPT)
        e = reader_fail(r, e, "cannot read a row", d);
    reader_end(r);
    return e == ERR_CORRUPT ? ERR_OK : e; // a page that can't be read is no match
}
