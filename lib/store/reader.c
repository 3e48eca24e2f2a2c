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
    [READER_STREAMS] = "SELECT " LEDGER_STREAM_COLUMNS
                       ", resident FROM stream JOIN agent USING(agent_id) ORDER BY stream_id",
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

static enum err open_parts(struct reader *r, struct diag *d)
{
    enum err e = ledger_schema_check(r->db, d);
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
        .gap = db_int(s, 2) != 0,
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

// ---- samples
// --------------------------------------------------------------------------------------------------------

struct verdict {
    bool whole;
    size_t count, next;
    const struct wire_refusal *refusals;
};

static enum err read_verdict(struct reader *r, const struct reader_row *row, struct verdict *out,
                             struct diag *d)
{
    struct wire_message m;
    struct diag why = {0};
    *out = (struct verdict){0};
    if (row->verdict_len == 0)
        return ERR_OK;
    enum err e = wire_decode(r->verdict_arena, row->verdict, row->verdict_len, &m, &why);
    if (e != ERR_OK || m.type != WIRE_REJECT)
        return diag_fail(d, e == ERR_NOMEM ? e : ERR_CORRUPT,
                         LEDGER_FILE ": the verdict at position %" PRIu64 " is damaged: %s", row->position,
                         why.text);
    *out = (struct verdict){.whole = m.reject.whole, .count = m.reject.count, .refusals = m.reject.refusals};
    return ERR_OK;
}

static bool is_refused(struct verdict *v, uint32_t index)
{
    while (v->next < v->count && v->refusals[v->next].index < index)
        v->next++;
    return v->next < v->count && v->refusals[v->next].index == index;
}

static enum err visit_samples(struct reader *r, const struct reader_row *row, const struct wire_batch *b,
                              struct verdict *v, reader_sample_visit visit, void *ctx, struct diag *d)
{
    size_t note = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct wire_sample *w = &b->samples[i];
        struct reader_sample s = {
            .time = w->time, .value = w->value, .received_us = row->received_us, .position = row->position};
        s.index = (uint32_t)i;
        while (note < b->note_count && b->notes[note].index < i)
            note++;
        if (note < b->note_count && b->notes[note].index == i)
            s.note = &b->notes[note];
        // A value that can be no figure is never accepted, whatever the verdict says.
        if (is_refused(v, s.index) || w->refused != WIRE_REASON_NONE)
            continue;
        enum err e = reader_declared(r, row->stream_id, w->series, &s.series, d);
        if (e == ERR_NOT_FOUND)
            e = diag_fail(d, ERR_CORRUPT,
                          LEDGER_FILE ": the row at position %" PRIu64
                                      " accepts a sample of series number %u, "
                                      "which its stream never declared",
                          row->position, w->series);
        if (e != ERR_OK || (e = visit(ctx, &s)) != ERR_OK)
            return e;
    }
    return ERR_OK;
}

struct figure reader_own_value(const struct reader_sample *s)
{
    bool other = s->note && s->note->currency[0] && strcmp(s->note->currency, s->series->currency) != 0;
    return other ? figure_missing() : s->value;
}

enum err reader_samples(struct reader *r, const struct reader_row *row, reader_sample_visit visit, void *ctx,
                        struct diag *d)
{
    struct verdict v;
    struct wire_message m;
    struct diag why = {0};
    if (row->gap || row->class == WIRE_CONTROL)
        return ERR_OK;
    enum err e = read_verdict(r, row, &v, d);
    if (e != ERR_OK || v.whole)
        return e;
    e = wire_decode(r->body_arena, row->body, row->body_len, &m, &why);
    if (e != ERR_OK || m.type != WIRE_BATCH)
        return diag_fail(d, e == ERR_NOMEM ? e : ERR_CORRUPT,
                         LEDGER_FILE ": the body at position %" PRIu64 " is damaged: %s", row->position,
                         why.text);
    return visit_samples(r, row, &m.batch, &v, visit, ctx, d);
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
