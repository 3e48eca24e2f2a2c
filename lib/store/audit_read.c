// The log is read like the rest of the ledger, in short transactions beside a running writer, and never
// without recomputing its chain: whoever prints it knows whether it is whole.
#include "store/audit.h"
#include "store/reader_internal.h"
#include <inttypes.h>
#include <string.h>

// *e is filled in as far as the row goes; false: a text is not ours or the row has no hash. hash: the row's
// own, recomputed after `previous`.
static bool from_row(struct db_stmt *s, struct audit_entry *e)
{
    *e = (struct audit_entry){.position = (uint64_t)db_int(s, 0),
                              .received_us = db_int(s, 1),
                              .since_us = db_int(s, 2),
                              .outcome = db_int(s, 6) == AUDIT_DONE ? AUDIT_DONE : AUDIT_REFUSED,
                              .count = (uint64_t)db_int(s, 7),
                              .event = AUDIT_EVENTS};
    bool known = audit_event_find(db_text(s, 4), &e->event) == ERR_OK;
    return ledger_copy_text(e->who, sizeof e->who, db_text(s, 3)) &&
           ledger_copy_text(e->object, sizeof e->object, db_text(s, 5)) &&
           ledger_copy_text(e->detail, sizeof e->detail, db_text(s, 8)) && known;
}

bool audit_from_row(struct db_stmt *s, const uint8_t previous[HASH_BYTES], struct audit_entry *e,
                    uint8_t hash[HASH_BYTES])
{
    size_t len = 0;
    bool whole = from_row(s, e);
    const struct ledger_chain_audit chained = {.position = e->position,
                                               .received_us = e->received_us,
                                               .since_us = e->since_us,
                                               .outcome = (uint64_t)db_int(s, 6),
                                               .count = e->count,
                                               .who = db_text(s, 3),
                                               .event = db_text(s, 4),
                                               .object = db_text(s, 5),
                                               .detail = db_text(s, 8)};
    ledger_chain_next_audit(previous, &chained, hash);
    const void *stored = db_blob(s, 9, &len);
    return len == HASH_BYTES && memcmp(stored, hash, HASH_BYTES) == 0 && (whole || e->event == AUDIT_EVENTS);
}

// Takes the row that s stands on and goes on from the hash stored there.
static bool take(struct audit_walk *walk, struct db_stmt *s, struct audit_entry *e)
{
    uint8_t hash[HASH_BYTES];
    size_t len = 0;
    bool whole = audit_from_row(s, walk->chain, e, hash) && e->position == walk->position + 1;
    const void *stored = db_blob(s, 9, &len);
    memcpy(walk->chain, len == HASH_BYTES ? stored : hash, HASH_BYTES);
    walk->position = e->position;
    walk->damaged += whole ? 0 : 1;
    return whole;
}

static enum err begin_walk(struct reader *r, struct audit_walk *walk, struct diag *d)
{
    struct ledger_head kept;
    enum err e = ledger_head_read(r->db, &kept, d);
    if (e == ERR_OK)
        ledger_chain_genesis(kept.ledger_id, walk->chain);
    return e;
}

enum err audit_read(struct reader *r, struct audit_walk *walk, size_t max, audit_visit visit, void *ctx,
                    size_t *count, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_AUDIT];
    struct audit_entry entry;
    bool row = false;
    size_t n = 0;
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    if (walk->position == 0)
        e = begin_walk(r, walk, d);
    db_bind_int(s, 1, (int64_t)walk->position);
    db_bind_int(s, 2, (int64_t)max);
    while (e == ERR_OK && (e = db_step(s, &row)) == ERR_OK && row) {
        bool whole = take(walk, s, &entry);
        n++;
        if ((e = visit(ctx, &entry, whole)) != ERR_OK)
            break;
    }
    if (e != ERR_OK && !row)
        e = reader_fail(r, e, "cannot read the audit log", d);
    db_reset(s);
    reader_end(r);
    *count = n;
    return e;
}

static enum err compare_end(struct reader *r, const struct audit_walk *walk,
                            const struct ledger_head *recorded, bool *ended, struct diag *d)
{
    struct ledger_head kept;
    struct diag why = {0};
    enum err e = ledger_head_read(r->db, &kept, d);
    if (e != ERR_OK)
        return e;
    const struct ledger_chain_end *end = &kept.chains[LEDGER_AUDIT];
    if (end->position != walk->position ||
        (walk->position && memcmp(end->hash, walk->chain, HASH_BYTES) != 0))
        (void)diag_fail(
            d, ERR_OK, "the audit log ends at entry %" PRIu64 ", the ledger says at %" PRIu64 "%s",
            walk->position, end->position, end->position == walk->position ? " with another hash" : "");
    else if (recorded && ledger_head_check(r->db, recorded, &kept, &why) != ERR_OK)
        (void)diag_fail(d, ERR_OK, "%s", why.text);
    else
        *ended = true;
    return ERR_OK;
}

enum err audit_read_end(struct reader *r, const struct audit_walk *walk, bool *ended, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_AUDIT];
    struct ledger_head recorded;
    bool row = false;
    *ended = false;
    // Before the rows: the log may grow meanwhile, never shrink.
    enum err head = ledger_head_load(r->state, &recorded, d);
    if (head == ERR_CORRUPT)
        return ERR_OK; // d names it
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, (int64_t)walk->position);
    db_bind_int(s, 2, 1);
    e = db_step(s, &row);
    db_reset(s);
    if (e == ERR_OK && row)
        e = ERR_AGAIN;
    else if (e == ERR_OK)
        e = compare_end(r, walk, head == ERR_OK ? &recorded : NULL, ended, d);
    reader_end(r);
    return e;
}
