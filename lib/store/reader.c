// Reading beside a running writer, usually from another process. A call is one short read transaction; calls
// made from within a visit join it. What never changes (series, which number of a stream is which series) is
// kept in memory.
#include "base/fs.h"
#include "store/reader_internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 4096

static const char *const SQL[READER_STATEMENTS] = {
    [READER_HEAD] = "SELECT position, received_us FROM batch ORDER BY position DESC LIMIT 1",
    [READER_ROWS] = "SELECT " READER_ROW_COLUMNS " FROM batch LEFT JOIN stream USING(stream_id)"
                    " WHERE position>?1 ORDER BY position LIMIT ?2",
    [READER_STREAM_ROWS] = "SELECT " READER_ROW_COLUMNS " FROM batch LEFT JOIN stream USING(stream_id)"
                           " WHERE stream_id=?1 AND sequence>=?2 AND sequence<=?3 ORDER BY sequence",
    [READER_SERIES] = "SELECT " LEDGER_SERIES_COLUMNS " FROM series WHERE series_id=?",
    [READER_SERIES_BY_NAME] = "SELECT " LEDGER_SERIES_COLUMNS " FROM series WHERE name=?",
    [READER_SERIES_LIST] =
        "SELECT " LEDGER_SERIES_COLUMNS " FROM series WHERE name>=?1 AND name<?1||'~' ORDER BY name",
    [READER_DECLARES] =
        "SELECT number, series_id FROM declare WHERE stream_id=?1 AND number>=?2 ORDER BY number",
    [READER_STREAMS] =
        "SELECT " LEDGER_STREAM_COLUMNS ", resident FROM stream JOIN agent USING(agent_id) WHERE resident<>''"
        " ORDER BY stream_id", // the collector's own are not agents'
    [READER_ROW_AT] =
        "SELECT " READER_ROW_COLUMNS " FROM batch LEFT JOIN stream USING(stream_id) WHERE position=?1",
    [READER_ROW_HEADS] =
        "SELECT position, class, gap, stream_id, received_us, length(body), refused>0 AND EXISTS(SELECT 1"
        " FROM release WHERE release.position=batch.position) FROM batch WHERE position>?1"
        " ORDER BY position LIMIT ?2",
    [READER_REFUSED] = "SELECT " READER_ROW_COLUMNS ", resident FROM batch INDEXED BY batch_refused"
                       " LEFT JOIN stream USING(stream_id) LEFT JOIN agent USING(agent_id)"
                       " WHERE refused>0 AND position>?1 ORDER BY position LIMIT ?2",
    // By its end: an older version could seal a run over others, which began later.
    [READER_RUN_BEFORE] = "SELECT last, after FROM sealed_run WHERE last<?1 ORDER BY last DESC LIMIT 1",
    [READER_CHAIN_BEFORE] = "SELECT chain FROM batch WHERE position>?1 AND position<?2 AND class=1"
                            " ORDER BY position DESC LIMIT 1",
    [READER_RELEASED] = "SELECT idx, released FROM release WHERE position=?1 ORDER BY idx",
    [READER_ROLLUPS] =
        "SELECT month_s, position FROM rollup WHERE series_id=?1 AND month_s>=?2 AND month_s<?3"
        " ORDER BY month_s",
    [READER_KEPT] = "SELECT closed_until_s, rolled_until_s, dropped_until_s FROM seal"
                    " ORDER BY position DESC LIMIT 1",
    [READER_SEALED] = "SELECT first, last, after, seal FROM sealed_run WHERE first<=?1 AND +last>=?1"
                      " ORDER BY first DESC LIMIT 1",
    [READER_AUDIT] = "SELECT " AUDIT_COLUMNS " FROM audit WHERE position>?1 ORDER BY position LIMIT ?2",
    [READER_COUNTERS] = "SELECT name, agent_id, value FROM counter ORDER BY name, agent_id",
};

enum err reader_begin(struct reader *r, struct diag *d)
{
    if (r->depth == 0) {
        enum err e = db_begin(r->db, d);
        if (e != ERR_OK)
            return e;
    }
    r->depth++;
    return ERR_OK;
}

void reader_end(struct reader *r)
{
    // Nothing was written, so a commit and a rollback are the same, and a rollback cannot fail.
    if (--r->depth == 0)
        db_rollback(r->db);
}

// An older program's ledger lacks the tables that came later until the collector has opened it.
static enum err check_tables(struct reader *r, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = ledger_schema_check(r->db, d);
    if (e != ERR_OK)
        return e;
    e = db_prepare(r->db,
                   "SELECT count(*) FROM sqlite_master WHERE name IN ('release', 'batch_refused', 'audit')",
                   &s, d);
    if (e == ERR_OK && (e = db_step(s, &row)) != ERR_OK)
        e = reader_fail(r, e, "cannot read its tables", d);
    else if (e == ERR_OK && db_int(s, 0) != 3)
        e = diag_fail(d, ERR_NOT_FOUND, LEDGER_FILE ": the collector has not made its tables yet");
    db_finalize(s);
    return e;
}

static enum err open_parts(struct reader *r, struct diag *d)
{
    enum err e = check_tables(r, d);
    for (int i = 0; e == ERR_OK && i < READER_STATEMENTS; i++)
        e = db_prepare(r->db, SQL[i], &r->statements[i], d);
    if (e == ERR_OK)
        e = wire_arena_create(&r->body_arena);
    if (e == ERR_OK)
        e = wire_arena_create(&r->verdict_arena);
    return e;
}

enum err reader_open(const char *state, struct reader **out, struct diag *d)
{
    char path[PATH_MAX_BYTES];
    struct reader *r = calloc(1, sizeof *r);
    if (!r || !(r->state = strdup(state))) {
        free(r);
        return diag_fail(d, ERR_NOMEM, "reader: %s", err_text(ERR_NOMEM));
    }
    enum err e = fs_join(path, sizeof path, state, LEDGER_FILE);
    if (e != ERR_OK)
        e = diag_fail(d, e, "%s: path too long", state);
    if (e == ERR_OK)
        e = db_open_reader(path, &r->db, d);
    if (e == ERR_OK)
        e = open_parts(r, d);
    if (e != ERR_OK)
        reader_close(r);
    else
        *out = r;
    return e;
}

static void free_stream(void *item)
{
    struct reader_declares *s = item;
    free(s->series);
    free(s);
}

void reader_close(struct reader *r)
{
    if (!r)
        return;
    for (int i = 0; i < READER_STATEMENTS; i++)
        db_finalize(r->statements[i]);
    id_table_deinit(&r->series, free);
    id_table_deinit(&r->declares, free_stream);
    wire_arena_destroy(r->body_arena);
    wire_arena_destroy(r->verdict_arena);
    db_close(r->db);
    free(r->state);
    free(r);
}

// ---- rows
// -----------------------------------------------------------------------------------------------------------

enum err reader_head(struct reader *r, uint64_t *position, int64_t *received_us, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_HEAD];
    bool row = false;
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return reader_fail(r, e, "cannot read its end", d);
    *position = row ? (uint64_t)db_int(s, 0) : 0;
    *received_us = row ? db_int(s, 1) : 0;
    db_reset(s);
    return ERR_OK;
}

void reader_row_from(struct db_stmt *s, struct reader_row *out)
{
    size_t chain_len = 0;
    *out = (struct reader_row){
        .position = (uint64_t)db_int(s, 0),
        .class = (enum wire_class)db_int(s, 1),
        .kind = (enum ledger_kind)db_int(s, 2),
        .gap = db_int(s, 2) == LEDGER_GAP,
        .stream_id = db_int(s, 3),
        .agent_id = db_int(s, 4),
        .key_id = db_int(s, 5),
        .sequence = (uint64_t)db_int(s, 6),
        .last_sequence = (uint64_t)db_int(s, 7),
        .received_us = db_int(s, 8),
        .samples = (uint32_t)db_int(s, 9),
        .refused = (uint32_t)db_int(s, 10),
    };
    out->chain = db_blob(s, 11, &chain_len);
    if (chain_len != HASH_BYTES)
        out->chain = NULL;
    out->verdict = db_blob(s, 12, &out->verdict_len);
    out->body = db_blob(s, 13, &out->body_len);
}

// Steps s, its parameters bound, to its end or to the first visit that stops. *count: the rows visited.
static enum err visit_rows(struct reader *r, struct db_stmt *s, reader_row_visit visit, void *ctx,
                           uint64_t *last, struct diag *d)
{
    struct reader_row item;
    bool row = false;
    enum err e;
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        reader_row_from(s, &item);
        if (!item.chain) {
            e = diag_fail(d, ERR_CORRUPT, LEDGER_FILE ": the row at position %" PRIu64 " is damaged",
                          item.position);
            break;
        }
        if ((e = visit(ctx, &item)) != ERR_OK)
            break;
        *last = item.position;
    }
    if (e != ERR_OK && !row)
        e = reader_fail(r, e, "cannot read rows", d);
    db_reset(s);
    return e;
}

enum err reader_rows(struct reader *r, uint64_t after, size_t max_rows, reader_row_visit visit, void *ctx,
                     uint64_t *last, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_ROWS];
    uint64_t reached = after;
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, (int64_t)after);
    db_bind_int(s, 2, max_rows > INT32_MAX ? INT32_MAX : (int64_t)max_rows);
    e = visit_rows(r, s, visit, ctx, &reached, d);
    reader_end(r);
    *last = reached;
    return e;
}

enum err reader_stream_rows(struct reader *r, int64_t stream_id, uint64_t first, uint64_t last,
                            reader_row_visit visit, void *ctx, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_STREAM_ROWS];
    uint64_t reached = 0;
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, stream_id);
    db_bind_int(s, 2, first > INT64_MAX ? INT64_MAX : (int64_t)first);
    db_bind_int(s, 3, last > INT64_MAX ? INT64_MAX : (int64_t)last);
    e = visit_rows(r, s, visit, ctx, &reached, d);
    reader_end(r);
    return e;
}

// ---- series
// ---------------------------------------------------------------------------------------------------------

static enum err cache_series(struct reader *r, const struct ledger_series *series,
                             const struct ledger_series **out)
{
    struct ledger_series *kept = id_table_get(&r->series, series->series_id);
    if (!kept) {
        kept = malloc(sizeof *kept);
        if (!kept)
            return ERR_NOMEM;
        *kept = *series;
        enum err e = id_table_put(&r->series, series->series_id, kept);
        if (e != ERR_OK) {
            free(kept);
            return e;
        }
    }
    *out = kept;
    return ERR_OK;
}

static enum err query_series(struct reader *r, struct db_stmt *s, const struct ledger_series **out,
                             struct diag *d)
{
    struct ledger_series series;
    bool row = false;
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return reader_fail(r, e, "cannot read a series", d);
    e = row ? ledger_series_from_row(s, &series) : ERR_NOT_FOUND;
    db_reset(s);
    if (e == ERR_OK)
        e = cache_series(r, &series, out);
    return e == ERR_CORRUPT ? diag_fail(d, e, LEDGER_FILE ": a series is damaged") : e;
}

enum err reader_series(struct reader *r, int64_t series_id, const struct ledger_series **out, struct diag *d)
{
    const struct ledger_series *known = id_table_get(&r->series, series_id);
    if (known) {
        *out = known;
        return ERR_OK;
    }
    db_bind_int(r->statements[READER_SERIES], 1, series_id);
    enum err e = query_series(r, r->statements[READER_SERIES], out, d);
    return e == ERR_NOT_FOUND ? diag_fail(d, e, "no series number %" PRId64, series_id) : e;
}

enum err reader_series_by_name(struct reader *r, const char *name, const struct ledger_series **out,
                               struct diag *d)
{
    db_bind_text(r->statements[READER_SERIES_BY_NAME], 1, name);
    enum err e = query_series(r, r->statements[READER_SERIES_BY_NAME], out, d);
    return e == ERR_NOT_FOUND ? diag_fail(d, e, "no series %.270s", name) : e;
}

enum err reader_series_list(struct reader *r, const char *prefix, reader_series_visit visit, void *ctx,
                            struct diag *d)
{
    struct db_stmt *s = r->statements[READER_SERIES_LIST];
    struct ledger_series series;
    bool row = false;
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    db_bind_text(s, 1, prefix);
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        if ((e = ledger_series_from_row(s, &series)) != ERR_OK) {
            e = diag_fail(d, e, LEDGER_FILE ": series number %" PRId64 " is damaged", db_int(s, 0));
            break;
        }
        if ((e = visit(ctx, &series)) != ERR_OK)
            break;
    }
    if (e != ERR_OK && !row)
        e = reader_fail(r, e, "cannot read the series", d);
    db_reset(s);
    reader_end(r);
    return e;
}

// ---- declares
// -------------------------------------------------------------------------------------------------------

static enum err append_declare(struct reader *r, struct reader_declares *s, int64_t number, int64_t series_id,
                               struct diag *d)
{
    const struct ledger_series *series = NULL;
    if (number != (int64_t)s->count || number >= WIRE_SERIES_NUMBERS)
        return diag_fail(d, ERR_CORRUPT, LEDGER_FILE ": declare %" PRId64 " follows %zu", number, s->count);
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 16;
        const struct ledger_series **at = realloc(s->series, capacity * sizeof(*at));
        if (!at)
            return reader_fail(r, ERR_NOMEM, "declares", d);
        s->series = at;
        s->capacity = capacity;
    }
    enum err e = reader_series(r, series_id, &series, d);
    if (e == ERR_OK)
        s->series[s->count++] = series;
    return e;
}

static enum err load_more(struct reader *r, int64_t stream_id, struct reader_declares *s, struct diag *d)
{
    struct db_stmt *q = r->statements[READER_DECLARES];
    bool row = false;
    enum err e;
    db_bind_int(q, 1, stream_id);
    db_bind_int(q, 2, (int64_t)s->count);
    while ((e = db_step(q, &row)) == ERR_OK && row)
        if ((e = append_declare(r, s, db_int(q, 0), db_int(q, 1), d)) != ERR_OK)
            break;
    if (e != ERR_OK && !row)
        e = reader_fail(r, e, "cannot read declares", d);
    db_reset(q);
    return e;
}

enum err reader_declared(struct reader *r, int64_t stream_id, uint32_t number,
                         const struct ledger_series **out, struct diag *d)
{
    struct reader_declares *s = id_table_get(&r->declares, stream_id);
    if (!s) {
        if (!(s = calloc(1, sizeof *s)))
            return reader_fail(r, ERR_NOMEM, "declares", d);
        enum err e = id_table_put(&r->declares, stream_id, s);
        if (e != ERR_OK) {
            free(s);
            return diag_fail(d, e, LEDGER_FILE ": stream %" PRId64 ": %s", stream_id, err_text(e));
        }
    }
    if (number >= s->count) {
        enum err e = load_more(r, stream_id, s, d);
        if (e != ERR_OK)
            return e;
    }
    if (number >= s->count)
        return diag_fail(d, ERR_NOT_FOUND, "stream %" PRId64 " has no declare %u", stream_id, number);
    *out = s->series[number];
    return ERR_OK;
}

// ---- streams, counters, agents
// --------------------------------------------------------------------------------------

enum err reader_stream_from(struct db_stmt *s, struct reader_stream *out)
{
    enum err e = ledger_stream_from_row(s, &out->stream);
    if (e != ERR_OK || !ledger_copy_text(out->resident, sizeof out->resident, db_text(s, 15)))
        return ERR_CORRUPT;
    out->first_received_us = db_int(s, 13);
    out->last_received_us = db_int(s, 14);
    return ERR_OK;
}

enum err reader_streams(struct reader *r, reader_stream_visit visit, void *ctx, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_STREAMS];
    struct reader_stream stream;
    bool row = false;
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        if ((e = reader_stream_from(s, &stream)) != ERR_OK) {
            e = diag_fail(d, e, LEDGER_FILE ": stream %" PRId64 " is damaged", db_int(s, 0));
            break;
        }
        if ((e = visit(ctx, &stream)) != ERR_OK)
            break;
    }
    if (e != ERR_OK && !row)
        e = reader_fail(r, e, "cannot read the streams", d);
    db_reset(s);
    reader_end(r);
    return e;
}

enum err reader_counters(struct reader *r, reader_counter_visit visit, void *ctx, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_COUNTERS];
    bool row = false;
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    while ((e = db_step(s, &row)) == ERR_OK && row)
        if ((e = visit(ctx, db_text(s, 0), db_int(s, 1), (uint64_t)db_int(s, 2))) != ERR_OK)
            break;
    if (e != ERR_OK && !row)
        e = reader_fail(r, e, "cannot read the counters", d);
    db_reset(s);
    reader_end(r);
    return e;
}

enum err reader_agents(struct reader *r, ledger_agent_visit visit, void *ctx, struct diag *d)
{
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    e = ledger_agents_visit(r->db, visit, ctx, d);
    reader_end(r);
    return e;
}

enum err reader_invites(struct reader *r, ledger_invite_visit visit, void *ctx, struct diag *d)
{
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    e = ledger_invites_visit(r->db, visit, ctx, d);
    reader_end(r);
    return e;
}
