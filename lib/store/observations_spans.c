// The whole table is read: this is asked a few times a month.
#include "store/observations_spans.h"
#include "store/observations_internal.h"

static enum err failed(struct observations_reader *o, enum err e, struct diag *d)
{
    return diag_fail(d, e, "%s: cannot read: %s", o->path, db_error(o->db));
}

static enum err ask_day(struct observations_reader *o, const char *sql, int64_t from_day, int64_t *day,
                        struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = observations_reader_begin(o, sql, &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, from_day);
    if ((e = db_step(s, &row)) != ERR_OK)
        e = failed(o, e, d);
    else if (!row || db_is_null(s, 0))
        e = ERR_NOT_FOUND;
    else
        *day = db_int(s, 0);
    observations_reader_end(o, s);
    return e;
}

enum err observations_span_first_day(struct observations_reader *o, int64_t from_day, int64_t *day,
                                     struct diag *d)
{
    return ask_day(o, "SELECT min(day) FROM span WHERE day>=?", from_day, day, d);
}

enum err observations_span_last_day(struct observations_reader *o, int64_t *day, struct diag *d)
{
    return ask_day(o, "SELECT max(day) FROM span WHERE day>=?", INT32_MIN, day, d);
}

struct joined {
    int64_t stream_id; // 0: none yet
    uint64_t first, last;
};

static enum err join(struct joined *j, struct db_stmt *s, observations_span_visit visit, void *ctx)
{
    const struct joined next = {db_int(s, 0), (uint64_t)db_int(s, 1), (uint64_t)db_int(s, 2)};
    if (j->stream_id == next.stream_id && next.first <= j->last + 1) {
        j->last = next.last > j->last ? next.last : j->last;
        return ERR_OK;
    }
    enum err e = j->stream_id ? visit(ctx, j->stream_id, j->first, j->last) : ERR_OK;
    *j = next;
    return e;
}

enum err observations_spans_before(struct observations_reader *o, int64_t day, observations_span_visit visit,
                                   void *ctx, struct diag *d)
{
    struct db_stmt *s = NULL;
    struct joined j = {0};
    bool row = false;
    enum err e = observations_reader_begin(o,
                                           "SELECT stream_id, first_sequence, last_sequence FROM span"
                                           " WHERE day<? ORDER BY stream_id, first_sequence",
                                           &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, day);
    while ((e = db_step(s, &row)) == ERR_OK && row)
        if ((e = join(&j, s, visit, ctx)) != ERR_OK)
            break;
    if (e != ERR_OK && !row)
        e = failed(o, e, d);
    observations_reader_end(o, s);
    if (e == ERR_OK && j.stream_id)
        e = visit(ctx, j.stream_id, j.first, j.last);
    return e;
}
