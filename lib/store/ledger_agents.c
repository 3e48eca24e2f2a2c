// Agents and their keys. They change rarely and by an operator's hand: each change is a transaction of its
// own, or joins the caller's, as when the audit log says who did it.
#include "kpi/series.h"
#include "store/ledger_internal.h"
#include <inttypes.h>
#include <string.h>

#define AGENT_COLUMNS "agent_id, key_id, resident, public_key, key.added_us, revoked_us"

static enum err refuse_known(struct ledger *l, const uint8_t public_key[KEY_BYTES], struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_FIND_KEY];
    bool row = false;
    db_bind_blob(s, 1, public_key, KEY_BYTES);
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return diag_fail(d, e, LEDGER_FILE ": %s", db_error(l->db));
    if (row)
        e = diag_fail(d, ERR_EXISTS, "this key is known already: it belongs to %s%s", db_text(s, 0),
                      db_int(s, 1) ? " and was revoked; make a new one" : "");
    db_reset(s);
    return e;
}

static enum err insert_agent(struct ledger *l, struct ledger_agent *a)
{
    struct db_stmt *s = l->statements[LEDGER_INSERT_AGENT];
    db_bind_text(s, 1, a->resident);
    db_bind_int(s, 2, a->added_us);
    enum err e = db_run(s);
    if (e != ERR_OK)
        return e;
    a->agent_id = db_last_id(l->db);
    s = l->statements[LEDGER_INSERT_KEY];
    db_bind_int(s, 1, a->agent_id);
    db_bind_blob(s, 2, a->public_key, KEY_BYTES);
    db_bind_int(s, 3, a->added_us);
    e = db_run(s);
    a->key_id = db_last_id(l->db);
    return e;
}

// A transaction of its own, when none is open; then `end` ends it.
static enum err begin(struct ledger *l, struct diag *d)
{
    return l->in_transaction ? ledger_writable(l, d) : db_begin(l->db, d);
}

static enum err end(struct ledger *l, enum err e, const char *what, struct diag *d)
{
    if (l->in_transaction) { // the caller's: what has failed half-way can only be rolled back
        if (e != ERR_OK && e != ERR_NOT_FOUND)
            ledger_note_failure(l, e, what, d);
        return e;
    }
    if (e == ERR_OK)
        return db_commit(l->db, d);
    if (e != ERR_NOT_FOUND)
        (void)diag_fail(d, e, LEDGER_FILE ": %s: %s", what, db_error(l->db));
    db_rollback(l->db);
    return e;
}

enum err ledger_agent_add(struct ledger *l, const char *park_and_resident,
                          const uint8_t public_key[KEY_BYTES], struct ledger_agent *out, struct diag *d)
{
    struct series_name name;
    struct ledger_agent a = {.added_us = clock_wall(l->clock).us};
    enum err e = ERR_OK;
    if (series_parse_resident(park_and_resident, &name) != ERR_OK ||
        !ledger_copy_text(a.resident, sizeof a.resident, park_and_resident))
        return diag_fail(d, ERR_INVALID, "'%.200s' is not park/resident in [a-z0-9][a-z0-9_.-]*",
                         park_and_resident);
    memcpy(a.public_key, public_key, KEY_BYTES);
    if ((e = refuse_known(l, public_key, d)) != ERR_OK || (e = begin(l, d)) != ERR_OK)
        return e;
    e = end(l, insert_agent(l, &a), "cannot add an agent", d);
    if (e == ERR_OK)
        *out = a;
    return e;
}

enum err ledger_agent_revoke(struct ledger *l, int64_t key_id, struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_REVOKE_KEY];
    enum err e = begin(l, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, key_id);
    db_bind_int(s, 2, clock_wall(l->clock).us);
    e = db_run(s);
    if (e == ERR_OK && db_changes(l->db) == 0)
        e = diag_fail(d, ERR_NOT_FOUND, "no key %" PRId64 " that is not revoked already", key_id);
    return end(l, e, "cannot revoke", d);
}

static enum err agent_from_row(struct db_stmt *s, struct ledger_agent *out)
{
    size_t len = 0;
    const void *key = db_blob(s, 3, &len);
    *out = (struct ledger_agent){.agent_id = db_int(s, 0),
                                 .key_id = db_int(s, 1),
                                 .added_us = db_int(s, 4),
                                 .revoked_us = db_int(s, 5)};
    if (len != KEY_BYTES || !ledger_copy_text(out->resident, sizeof out->resident, db_text(s, 2)))
        return ERR_CORRUPT;
    memcpy(out->public_key, key, KEY_BYTES);
    return ERR_OK;
}

enum err ledger_agents_visit(struct db *db, ledger_agent_visit visit, void *ctx, struct diag *d)
{
    struct db_stmt *s = NULL;
    struct ledger_agent a;
    bool row = false;
    enum err e =
        db_prepare(db, "SELECT " AGENT_COLUMNS " FROM key JOIN agent USING(agent_id) ORDER BY key_id", &s, d);
    if (e != ERR_OK)
        return e;
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        if ((e = agent_from_row(s, &a)) != ERR_OK) {
            e = diag_fail(d, e, LEDGER_FILE ": key %" PRId64 " is damaged", a.key_id);
            goto out;
        }
        if ((e = visit(ctx, &a)) != ERR_OK)
            goto out;
    }
    if (e != ERR_OK)
        e = diag_fail(d, e, LEDGER_FILE ": cannot read the agents: %s", db_error(db));
out:
    db_finalize(s);
    return e;
}

enum err ledger_agents(struct ledger *l, ledger_agent_visit visit, void *ctx, struct diag *d)
{
    return ledger_agents_visit(l->db, visit, ctx, d);
}

enum err ledger_incarnation_taken(struct ledger *l, int64_t agent_id, const struct wire_incarnation *i,
                                  bool *taken, struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_OTHERS_STREAM];
    bool row = false;
    db_bind_blob(s, 1, i->bytes, WIRE_INCARNATION_BYTES);
    db_bind_int(s, 2, agent_id);
    enum err e = db_step(s, &row);
    db_reset(s);
    if (e != ERR_OK)
        return ledger_fail(l, e, "cannot look up an incarnation", d);
    *taken = row;
    return ERR_OK;
}
