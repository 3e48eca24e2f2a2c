// Used a few times a year: statements are prepared where they are needed, and every call is one transaction.
#include "store/ledger_identity.h"
#include "kpi/series.h"
#include "store/ledger_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INVITE_COLUMNS                                                                                       \
    "invite_id, resident, agent_id, author, made_us, expires_us, used_us, key_id, withdrawn_us"

// ---- one transaction
// --------------------------------------------------------------------------------------------------------

static enum err begin(struct ledger *l, struct diag *d)
{
    return l->in_transaction ? ledger_writable(l, d) : db_begin(l->db, d);
}

// Inside the caller's transaction, what has failed half-way can only be rolled back, by the caller.
static enum err end(struct ledger *l, enum err e, struct diag *d)
{
    if (l->in_transaction) {
        if (e != ERR_OK)
            ledger_note_failure(l, e, "identities", NULL);
        return e;
    }
    if (e == ERR_OK)
        return db_commit(l->db, d);
    db_rollback(l->db);
    return e;
}

static enum err failed(const struct ledger *l, enum err e, const char *what, struct diag *d)
{
    return diag_fail(d, e, LEDGER_FILE ": %s: %s", what, db_error(l->db));
}

// ---- agents
// ------------------------------------------------------------------------------------------------------------------

struct wanted_agent {
    int64_t agent_id;
    bool found;
    char resident[128];
};

static enum err look_for_agent(void *ctx, const struct ledger_agent *a)
{
    struct wanted_agent *w = ctx;
    if (a->agent_id == w->agent_id) {
        w->found = true;
        memcpy(w->resident, a->resident, sizeof w->resident);
    }
    return ERR_OK;
}

static enum err find_agent(struct ledger *l, struct wanted_agent *w, struct diag *d)
{
    enum err e = ledger_agents(l, look_for_agent, w, d);
    if (e == ERR_OK && !w->found)
        e = diag_fail(d, ERR_NOT_FOUND, "there is no agent #%" PRId64 "; esep-collector agents lists them",
                      w->agent_id);
    return e;
}

// ---- invitations
// ------------------------------------------------------------------------------------------------------------

static enum err invite_from(struct db_stmt *s, struct ledger_invite *out)
{
    *out = (struct ledger_invite){.invite_id = db_int(s, 0),
                                  .agent_id = db_int(s, 2),
                                  .made_us = db_int(s, 4),
                                  .expires_us = db_int(s, 5),
                                  .used_us = db_int(s, 6),
                                  .key_id = db_int(s, 7),
                                  .withdrawn_us = db_int(s, 8)};
    return ledger_copy_text(out->resident, sizeof out->resident, db_text(s, 1)) &&
                   ledger_copy_text(out->author, sizeof out->author, db_text(s, 3))
               ? ERR_OK
               : ERR_CORRUPT;
}

static enum err insert_invite(struct ledger *l, const uint8_t hash[HASH_BYTES], struct ledger_invite *i,
                              struct diag *d)
{
    struct db_stmt *s = NULL;
    enum err e = db_prepare(l->db,
                            "INSERT INTO invite(secret_hash, resident, agent_id, author, made_us, expires_us,"
                            " used_us, key_id, withdrawn_us) VALUES(?,?,?,?,?,?,0,0,0)",
                            &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_blob(s, 1, hash, HASH_BYTES);
    db_bind_text(s, 2, i->resident);
    db_bind_int(s, 3, i->agent_id);
    db_bind_text(s, 4, i->author);
    db_bind_int(s, 5, i->made_us);
    db_bind_int(s, 6, i->expires_us);
    e = db_run(s);
    db_finalize(s);
    if (e == ERR_CONFLICT)
        return diag_fail(d, ERR_EXISTS, "this invitation is known already");
    i->invite_id = db_last_id(l->db);
    return e == ERR_OK ? e : failed(l, e, "cannot add an invitation", d);
}

enum err ledger_invite_add(struct ledger *l, const uint8_t hash[HASH_BYTES], struct ledger_invite *i,
                           struct diag *d)
{
    struct series_name name;
    if (series_parse_resident(i->resident, &name) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "'%s' is not park/resident", i->resident);
    if (strcmp(name.resident, SERIES_RESIDENT_ALL) == 0)
        return diag_fail(d, ERR_INVALID, "the resident '" SERIES_RESIDENT_ALL "' is kept for totals");
    i->made_us = clock_wall(l->clock).us;
    i->used_us = i->key_id = i->withdrawn_us = 0;
    struct wanted_agent w = {.agent_id = i->agent_id};
    enum err e = begin(l, d);
    if (e != ERR_OK)
        return e;
    if (i->agent_id != 0 && (e = find_agent(l, &w, d)) == ERR_OK && strcmp(w.resident, i->resident) != 0)
        e = diag_fail(d, ERR_INVALID, "agent #%" PRId64 " is of %s, not of %s", i->agent_id, w.resident,
                      i->resident);
    if (e == ERR_OK)
        e = insert_invite(l, hash, i, d);
    return end(l, e, d);
}

enum err ledger_invites_visit(struct db *db, ledger_invite_visit visit, void *ctx, struct diag *d)
{
    struct db_stmt *s = NULL;
    struct ledger_invite i;
    bool row = false;
    enum err e = db_prepare(db, "SELECT " INVITE_COLUMNS " FROM invite ORDER BY invite_id", &s, d);
    if (e != ERR_OK)
        return e;
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        if ((e = invite_from(s, &i)) != ERR_OK) {
            e = diag_fail(d, e, LEDGER_FILE ": invitation %" PRId64 " is damaged", i.invite_id);
            break;
        }
        if ((e = visit(ctx, &i)) != ERR_OK)
            break;
    }
    db_finalize(s);
    return e;
}

enum err ledger_invites(struct ledger *l, ledger_invite_visit visit, void *ctx, struct diag *d)
{
    return ledger_invites_visit(l->db, visit, ctx, d);
}

// The one row of the statement with its parameter bound.
static enum err query_invite(struct ledger *l, struct db_stmt *s, struct ledger_invite *out, struct diag *d)
{
    bool row = false;
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return failed(l, e, "cannot look up an invitation", d);
    if (!row)
        return diag_fail(d, ERR_NOT_FOUND, "there is no such invitation");
    e = invite_from(s, out);
    return e == ERR_OK ? e : diag_fail(d, e, LEDGER_FILE ": an invitation is damaged");
}

enum err ledger_invite_find(struct ledger *l, const uint8_t hash[HASH_BYTES], struct ledger_invite *out,
                            struct diag *d)
{
    struct db_stmt *s = NULL;
    enum err e = db_prepare(l->db, "SELECT " INVITE_COLUMNS " FROM invite WHERE secret_hash=?", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_blob(s, 1, hash, HASH_BYTES);
    e = query_invite(l, s, out, d);
    db_finalize(s);
    return e;
}

static enum err load_invite(struct ledger *l, int64_t invite_id, struct ledger_invite *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    enum err e = db_prepare(l->db, "SELECT " INVITE_COLUMNS " FROM invite WHERE invite_id=?", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, invite_id);
    e = query_invite(l, s, out, d);
    db_finalize(s);
    return e;
}

// One statement with two numbers; NOT_FOUND when it changed nothing.
static enum err change(struct ledger *l, const char *sql, int64_t first, int64_t second, int64_t third,
                       struct diag *d)
{
    struct db_stmt *s = NULL;
    enum err e = db_prepare(l->db, sql, &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, first);
    db_bind_int(s, 2, second);
    db_bind_int(s, 3, third);
    e = db_run(s);
    db_finalize(s);
    if (e != ERR_OK)
        return failed(l, e, "cannot change an identity", d);
    return db_changes(l->db) > 0 ? ERR_OK : ERR_NOT_FOUND;
}

enum err ledger_invite_withdraw(struct ledger *l, int64_t invite_id, struct diag *d)
{
    enum err e = begin(l, d);
    if (e != ERR_OK)
        return e;
    e = change(
        l, "UPDATE invite SET withdrawn_us=?2 WHERE invite_id=?1 AND withdrawn_us=0 AND used_us=0 AND ?3=0",
        invite_id, clock_wall(l->clock).us, 0, d);
    if (e == ERR_NOT_FOUND)
        e = diag_fail(d, e, "no invitation %" PRId64 " is open; esep-collector invites lists them",
                      invite_id);
    return end(l, e, d);
}

// ---- keys
// -------------------------------------------------------------------------------------------------------------------

struct wanted_key {
    const uint8_t *key;
    bool found;
    struct ledger_agent agent;
};

static enum err look_for_key(void *ctx, const struct ledger_agent *a)
{
    struct wanted_key *w = ctx;
    if (memcmp(a->public_key, w->key, KEY_BYTES) == 0) {
        w->found = true;
        w->agent = *a;
    }
    return ERR_OK;
}

static enum err insert_agent(struct ledger *l, struct ledger_agent *a, struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_INSERT_AGENT];
    db_bind_text(s, 1, a->resident);
    db_bind_int(s, 2, a->added_us);
    enum err e = db_run(s);
    if (e != ERR_OK)
        return failed(l, e, "cannot add an agent", d);
    a->agent_id = db_last_id(l->db);
    return ERR_OK;
}

static enum err insert_key(struct ledger *l, struct ledger_agent *a, struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_INSERT_KEY];
    db_bind_int(s, 1, a->agent_id);
    db_bind_blob(s, 2, a->public_key, KEY_BYTES);
    db_bind_int(s, 3, a->added_us);
    enum err e = db_run(s);
    if (e != ERR_OK)
        return failed(l, e, "cannot add a key", d);
    a->key_id = db_last_id(l->db);
    return ERR_OK;
}

// a: resident and, for a key of an agent that is there, agent_id; the rest comes out. A key that is known
// already is taken as it is when it is the same resident's (and agent's).
static enum err find_or_add_key(struct ledger *l, const uint8_t key[KEY_BYTES], struct ledger_agent *a,
                                struct diag *d)
{
    struct wanted_key w = {.key = key};
    enum err e = ledger_agents(l, look_for_key, &w, d);
    if (e != ERR_OK)
        return e;
    if (!w.found) {
        a->added_us = clock_wall(l->clock).us;
        a->revoked_us = 0;
        memcpy(a->public_key, key, KEY_BYTES);
        if (a->agent_id == 0 && (e = insert_agent(l, a, d)) != ERR_OK)
            return e;
        return insert_key(l, a, d);
    }
    if (w.agent.revoked_us != 0)
        return diag_fail(d, ERR_DENIED, "this key was revoked (key id %" PRId64 "), for good: make a new one",
                         w.agent.key_id);
    if (strcmp(w.agent.resident, a->resident) != 0 || (a->agent_id != 0 && a->agent_id != w.agent.agent_id))
        return diag_fail(d, ERR_CONFLICT, "this key is another agent's already: make a new one");
    *a = w.agent;
    return ERR_OK;
}

struct valid_key {
    int64_t agent_id;
    bool found;
};

static enum err look_for_valid(void *ctx, const struct ledger_agent *a)
{
    struct valid_key *v = ctx;
    v->found = v->found || (a->agent_id == v->agent_id && a->revoked_us == 0);
    return ERR_OK;
}

// Whoever revoked an agent's last key has shut that agent out: an invitation that is still open for it lets
// nobody in as that agent again.
static enum err check_agent(struct ledger *l, int64_t agent_id, struct diag *d)
{
    struct valid_key v = {.agent_id = agent_id};
    enum err e = agent_id ? ledger_agents(l, look_for_valid, &v, d) : ERR_OK;
    if (e == ERR_OK && agent_id && !v.found)
        e = diag_fail(d, ERR_NOT_FOUND, "this invitation is for agent #%" PRId64 ", which has been shut out",
                      agent_id);
    return e;
}

enum err ledger_invite_use(struct ledger *l, int64_t invite_id, const uint8_t key[KEY_BYTES],
                           struct ledger_agent *out, struct diag *d)
{
    struct ledger_invite i;
    enum err e = begin(l, d);
    if (e != ERR_OK)
        return e;
    e = load_invite(l, invite_id, &i, d);
    if (e == ERR_OK && (i.used_us != 0 || i.withdrawn_us != 0))
        e = diag_fail(d, ERR_CONFLICT, "the invitation is not open any more");
    if (e == ERR_OK)
        e = check_agent(l, i.agent_id, d);
    struct ledger_agent a = {.agent_id = i.agent_id};
    if (e == ERR_OK) {
        memcpy(a.resident, i.resident, sizeof a.resident);
        e = find_or_add_key(l, key, &a, d);
    }
    if (e == ERR_OK)
        e = change(l, "UPDATE invite SET used_us=?2, key_id=?3 WHERE invite_id=?1", invite_id,
                   clock_wall(l->clock).us, a.key_id, d);
    e = end(l, e, d);
    if (e == ERR_OK)
        *out = a;
    return e;
}

enum err ledger_key_add(struct ledger *l, int64_t agent_id, const uint8_t key[KEY_BYTES],
                        struct ledger_agent *out, struct diag *d)
{
    struct wanted_agent w = {.agent_id = agent_id};
    struct ledger_agent a = {.agent_id = agent_id};
    enum err e = begin(l, d);
    if (e != ERR_OK)
        return e;
    e = find_agent(l, &w, d);
    if (e == ERR_OK) {
        memcpy(a.resident, w.resident, sizeof a.resident);
        e = find_or_add_key(l, key, &a, d);
    }
    e = end(l, e, d);
    if (e == ERR_OK)
        *out = a;
    return e;
}

// ---- series
// -----------------------------------------------------------------------------------------------------------------

static enum err find_series(struct ledger *l, const char *name, int64_t *series_id, int64_t *owner,
                            struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(l->db, "SELECT series_id, agent_id FROM series WHERE name=?", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_text(s, 1, name);
    if ((e = db_step(s, &row)) != ERR_OK) {
        e = failed(l, e, "cannot look up a series", d);
    } else if (row) {
        *series_id = db_int(s, 0);
        *owner = db_int(s, 1);
    } else {
        e = diag_fail(d, ERR_NOT_FOUND, "no agent has declared a series %s yet", name);
    }
    db_finalize(s);
    return e;
}

static enum err check_move(struct ledger *l, const char *name, int64_t agent_id, struct diag *d)
{
    struct wanted_agent w = {.agent_id = agent_id};
    enum err e = find_agent(l, &w, d);
    size_t len = strlen(w.resident);
    if (e == ERR_OK && (strncmp(name, w.resident, len) != 0 || name[len] != '/'))
        e = diag_fail(d, ERR_INVALID, "agent #%" PRId64 " is of %s: it can't own %s", agent_id, w.resident,
                      name);
    return e;
}

enum err ledger_series_move(struct ledger *l, const char *name, int64_t agent_id, int64_t *from,
                            struct diag *d)
{
    int64_t series_id = 0;
    enum err e = begin(l, d);
    if (e != ERR_OK)
        return e;
    e = find_series(l, name, &series_id, from, d);
    if (e == ERR_OK)
        e = check_move(l, name, agent_id, d);
    if (e == ERR_OK)
        e = change(l, "UPDATE series SET agent_id=?2 WHERE series_id=?1 AND ?3=0", series_id, agent_id, 0, d);
    e = end(l, e, d);
    return e;
}

void ledger_series_reload(struct ledger *l, const char *name)
{
    int64_t series_id = 0, owner = 0;
    if (find_series(l, name, &series_id, &owner, NULL) != ERR_OK)
        return;
    struct ledger_series_entry *cached = id_table_get(&l->series, series_id);
    if (cached)
        cached->series.agent_id = owner;
}

enum err ledger_series_room(struct ledger *l, const char *resident, const char *name, uint32_t most,
                            struct diag *d)
{
    struct db_stmt *s = NULL;
    char low[160], high[160]; // all names that begin with resident/: '0' follows '/'
    bool row = false;
    int64_t known = 0, count = 0;
    snprintf(low, sizeof low, "%s/", resident);
    snprintf(high, sizeof high, "%s0", resident);
    enum err e = db_prepare(l->db,
                            "SELECT EXISTS(SELECT 1 FROM series WHERE name=?1), (SELECT count(*) FROM"
                            " (SELECT 1 FROM series WHERE name>?2 AND name<?3 LIMIT ?4))",
                            &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_text(s, 1, name);
    db_bind_text(s, 2, low);
    db_bind_text(s, 3, high);
    db_bind_int(s, 4, most);
    if ((e = db_step(s, &row)) != ERR_OK) {
        e = failed(l, e, "cannot count the series", d);
    } else if (row) {
        known = db_int(s, 0);
        count = db_int(s, 1);
    }
    db_finalize(s);
    if (e == ERR_OK && !known && count >= most)
        e = diag_fail(d, ERR_FULL, "%s has its %" PRIu32 " series: the park's operator can raise the limit",
                      resident, most);
    return e;
}
