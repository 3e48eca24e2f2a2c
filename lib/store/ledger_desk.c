// Reports by hand are few, so their statements are prepared when they are needed. An agent of a resident
// might call its own incarnation what the desk's is called: the desk is the one without a key.
#include "store/ledger_desk.h"
#include "kpi/series.h"
#include "store/ledger_internal.h"
#include <string.h>

static enum err failed(struct ledger *l, enum err e, const char *what, struct diag *d)
{
    return l->in_transaction ? ledger_fail(l, e, what, d)
                             : diag_fail(d, e, LEDGER_FILE ": %s: %s", what, db_error(l->db));
}

// ---- the agent

static enum err find_agent(struct ledger *l, const char *resident, int64_t *agent_id, struct diag *d)
{
    static const struct wire_incarnation own = {LEDGER_DESK_STREAM};
    struct db_stmt *s = NULL;
    bool row = false;
    *agent_id = 0;
    enum err e = db_prepare(l->db,
                            "SELECT agent_id FROM stream JOIN agent USING(agent_id) WHERE incarnation=?1 AND"
                            " resident=?2 AND agent_id NOT IN (SELECT agent_id FROM key) LIMIT 1",
                            &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_blob(s, 1, own.bytes, sizeof own.bytes);
    db_bind_text(s, 2, resident);
    if ((e = db_step(s, &row)) != ERR_OK)
        e = failed(l, e, "cannot look for the desk's agent", d);
    else if (row)
        *agent_id = db_int(s, 0);
    db_finalize(s);
    return e;
}

static enum err make_agent(struct ledger *l, const char *resident, int64_t *agent_id, struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_INSERT_AGENT];
    db_bind_text(s, 1, resident);
    db_bind_int(s, 2, l->now.received_us);
    enum err e = db_run(s);
    if (e != ERR_OK)
        return ledger_fail(l, e, "cannot add the desk's agent", d);
    *agent_id = db_last_id(l->db);
    return ERR_OK;
}

enum err ledger_desk_open(struct ledger *l, const char *resident, struct ledger_stream *out, struct diag *d)
{
    static const struct wire_incarnation own = {LEDGER_DESK_STREAM};
    struct series_name name;
    int64_t agent_id = 0;
    enum err e = ledger_writable(l, d);
    if (e != ERR_OK)
        return e;
    if (series_parse_resident(resident, &name) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "'%.200s' is not park/resident", resident);
    if ((e = find_agent(l, resident, &agent_id, d)) != ERR_OK)
        return e;
    if (agent_id == 0 && (e = make_agent(l, resident, &agent_id, d)) != ERR_OK)
        return e;
    return ledger_stream_open(l, agent_id, &own, out, d);
}

// ---- its series

enum err ledger_desk_series(struct ledger *l, const char *name, struct ledger_series *out, struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_FIND_SERIES];
    bool row = false;
    db_bind_text(s, 1, name);
    enum err e = db_step(s, &row);
    if (e == ERR_OK && row)
        e = ledger_series_from_row(s, out);
    db_reset(s);
    if (e != ERR_OK)
        return failed(l, e, "cannot look up a series", d);
    return row ? ERR_OK : diag_fail(d, ERR_NOT_FOUND, "there is no series %s yet", name);
}

static enum err find_number(struct ledger *l, int64_t stream_id, const char *name, uint32_t *number,
                            bool *found, struct diag *d)
{
    struct db_stmt *s = NULL;
    enum err e = db_prepare(l->db,
                            "SELECT number FROM declare JOIN series USING(series_id) WHERE name=?1 AND"
                            " stream_id=?2",
                            &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_text(s, 1, name);
    db_bind_int(s, 2, stream_id);
    if ((e = db_step(s, found)) != ERR_OK)
        e = failed(l, e, "cannot look up a declare", d);
    else if (*found)
        *number = (uint32_t)db_int(s, 0);
    db_finalize(s);
    return e;
}

enum err ledger_desk_number(struct ledger *l, const struct ledger_stream *desk,
                            const struct ledger_series *wanted, uint32_t *number, struct ledger_series *out,
                            struct diag *d)
{
    bool found = false;
    enum err e = find_number(l, desk->stream_id, wanted->name, number, &found, d);
    if (e != ERR_OK)
        return e;
    if (!found)
        *number = desk->declares;
    return ledger_declare(l, desk->stream_id, *number, wanted, out, d);
}

// ---- its requests

enum err ledger_desk_find(struct ledger *l, struct ledger_desk_request *r, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    size_t len = 0;
    enum err e = db_prepare(l->db, "SELECT content, position FROM desk_request WHERE id=?1", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_blob(s, 1, r->id, HASH_BYTES);
    if ((e = db_step(s, &row)) != ERR_OK) {
        e = failed(l, e, "cannot look up a request", d);
    } else if (!row) {
        e = diag_fail(d, ERR_NOT_FOUND, "no such request");
    } else {
        const void *content = db_blob(s, 0, &len);
        r->position = (uint64_t)db_int(s, 1);
        if (len == HASH_BYTES)
            memcpy(r->content, content, HASH_BYTES);
        else
            e = diag_fail(d, ERR_CORRUPT, LEDGER_FILE ": a request of the desk is damaged");
    }
    db_finalize(s);
    return e;
}

enum err ledger_desk_note(struct ledger *l, const struct ledger_desk_request *r, struct diag *d)
{
    struct db_stmt *s = NULL;
    enum err e = ledger_writable(l, d);
    if (e == ERR_OK)
        e = db_prepare(l->db, "INSERT INTO desk_request(id, content, position) VALUES(?,?,?)", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_blob(s, 1, r->id, HASH_BYTES);
    db_bind_blob(s, 2, r->content, HASH_BYTES);
    db_bind_int(s, 3, (int64_t)r->position);
    e = db_run(s);
    db_finalize(s);
    return e == ERR_OK ? e : ledger_fail(l, e, "cannot note a request", d);
}
