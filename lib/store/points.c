// Exact measurements come from the ledger's rows themselves. The projection says in which runs of sequences a
// day's samples lie; what the projection has not read yet is read from each stream's tail, so that a figure
// is seen the moment it is committed. The projection is asked first: whatever it lacks is then surely in a
// tail.
#include "store/observations_internal.h"
#include <stdlib.h>
#include <string.h>

#define SEQUENCES_A_READ 2048 // keeps a read transaction short
#define STREAMS_MAX      100000

struct run {
    int64_t stream_id;
    uint64_t first, last;
};

struct runs {
    struct run *at;
    size_t count, capacity;
};

struct found_point {
    struct point point;
    uint64_t position;
    uint32_t index;
};

struct collect {
    struct reader *reader;
    struct diag *d;
    int64_t series_id, from, to;
    size_t max;
    struct found_point *at;
    size_t count, capacity;
};

// Room for one more of size bytes each.
static enum err reserve(void **at, size_t count, size_t *capacity, size_t size)
{
    if (*at && count < *capacity)
        return ERR_OK;
    size_t wanted = *capacity ? 2 * *capacity : 256;
    void *grown = realloc(*at, wanted * size);
    if (!grown)
        return ERR_NOMEM;
    *at = grown;
    *capacity = wanted;
    return ERR_OK;
}

// ---- where to look
// --------------------------------------------------------------------------------------------------

static enum err add_run(struct runs *r, int64_t stream_id, uint64_t first, uint64_t last)
{
    struct run *before = r->count ? &r->at[r->count - 1] : NULL;
    if (before && before->stream_id == stream_id && first <= before->last + 1) {
        if (last > before->last)
            before->last = last;
        return ERR_OK;
    }
    void *at = r->at;
    enum err e = reserve(&at, r->count, &r->capacity, sizeof *r->at);
    r->at = at;
    if (e == ERR_OK)
        r->at[r->count++] = (struct run){stream_id, first, last};
    return e;
}

static enum err add_spans(struct runs *runs, struct db_stmt *s, int64_t stream_id, int64_t from_day,
                          int64_t to_day)
{
    bool row = false;
    enum err e;
    db_bind_int(s, 1, stream_id);
    db_bind_int(s, 2, from_day);
    db_bind_int(s, 3, to_day);
    while ((e = db_step(s, &row)) == ERR_OK && row)
        if ((e = add_run(runs, stream_id, (uint64_t)db_int(s, 0), (uint64_t)db_int(s, 1))) != ERR_OK)
            break;
    db_reset(s);
    return e;
}

static enum err add_tail(struct runs *runs, struct db_stmt *s, int64_t stream_id)
{
    bool row = false;
    db_bind_int(s, 1, stream_id);
    enum err e = db_step(s, &row);
    uint64_t seen = e == ERR_OK && row ? (uint64_t)db_int(s, 0) : 0;
    db_reset(s);
    return e == ERR_OK ? add_run(runs, stream_id, seen + 1, INT64_MAX) : e;
}

struct stream_ids {
    int64_t *at;
    size_t count, capacity;
};

static enum err find_streams(struct reader *r, int64_t series_id, struct stream_ids *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(
        r->db, "SELECT DISTINCT stream_id FROM declare WHERE series_id=? ORDER BY stream_id", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, series_id);
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        void *at = out->at;
        e = out->count < STREAMS_MAX ? reserve(&at, out->count, &out->capacity, sizeof *out->at)
                                     : ERR_TOO_BIG;
        out->at = at;
        if (e != ERR_OK)
            break;
        out->at[out->count++] = db_int(s, 0);
    }
    if (e != ERR_OK)
        e = reader_fail(r, e, "cannot find the streams of a series", d);
    db_finalize(s);
    return e;
}

static enum err find_runs(struct observations_reader *o, const struct collect *c,
                          const struct stream_ids *streams, struct runs *out, struct diag *d)
{
    struct db_stmt *spans = NULL;
    struct db_stmt *seen = NULL;
    enum err e = observations_reader_begin(o,
                                           "SELECT first_sequence, last_sequence FROM span WHERE stream_id=? "
                                           "AND day BETWEEN ? AND ? ORDER BY first_sequence",
                                           &spans, d);
    if (e != ERR_OK)
        return e;
    e = db_prepare(o->db, "SELECT last_sequence FROM seen WHERE stream_id=?", &seen, d);
    for (size_t i = 0; e == ERR_OK && i < streams->count; i++) {
        e = add_spans(out, spans, streams->at[i], day_of(c->from), day_of(c->to));
        if (e == ERR_OK)
            e = add_tail(out, seen, streams->at[i]);
        if (e != ERR_OK)
            e = diag_fail(d, e, "%s: cannot read: %s", o->path,
                          e == ERR_NOMEM ? err_text(e) : db_error(o->db));
    }
    db_finalize(seen);
    observations_reader_end(o, spans);
    return e;
}

// ---- collecting
// -----------------------------------------------------------------------------------------------------

static int by_time_then_ledger(const void *a, const void *b)
{
    const struct found_point *x = a;
    const struct found_point *y = b;
    if (x->point.time != y->point.time)
        return x->point.time < y->point.time ? -1 : 1;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

// Of each time the last in ledger order stays.
static void settle(struct collect *c)
{
    size_t kept = 0;
    if (c->count == 0)
        return;
    qsort(c->at, c->count, sizeof *c->at, by_time_then_ledger);
    for (size_t i = 1; i < c->count; i++) {
        if (c->at[i].point.time != c->at[kept].point.time)
            kept++;
        c->at[kept] = c->at[i];
    }
    c->count = kept + 1;
}

static enum err check_count(struct collect *c)
{
    return c->count <= c->max
               ? ERR_OK
               : diag_fail(c->d, ERR_TOO_BIG, "more than %zu points: ask for a shorter time", c->max);
}

static enum err take_sample(void *ctx, const struct reader_sample *s)
{
    struct collect *c = ctx;
    if (s->series->series_id != c->series_id || s->time <= c->from || s->time > c->to)
        return ERR_OK;
    // Repeats and corrections of one time may be many; only their last counts towards the limit.
    if (c->count / 2 > c->max) {
        settle(c);
        enum err e = check_count(c);
        if (e != ERR_OK)
            return e;
    }
    void *at = c->at;
    enum err e = reserve(&at, c->count, &c->capacity, sizeof *c->at);
    c->at = at;
    if (e == ERR_OK)
        c->at[c->count++] = (struct found_point){{s->time, reader_own_value(s)}, s->position, s->index};
    return e;
}

static enum err take_row(void *ctx, const struct reader_row *row)
{
    struct collect *c = ctx;
    return row->class == WIRE_MEASUREMENT ? reader_samples(c->reader, row, take_sample, c, c->d) : ERR_OK;
}

static enum err last_sequence(struct reader *r, int64_t stream_id, uint64_t *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(r->db, "SELECT last_sequence FROM stream WHERE stream_id=?", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, stream_id);
    if ((e = db_step(s, &row)) != ERR_OK)
        e = reader_fail(r, e, "cannot read a stream", d);
    else
        *out = row ? (uint64_t)db_int(s, 0) : 0;
    db_finalize(s);
    return e;
}

static enum err read_run(struct collect *c, const struct run *run)
{
    uint64_t end = 0;
    enum err e = last_sequence(c->reader, run->stream_id, &end, c->d);
    if (end > run->last)
        end = run->last;
    for (uint64_t first = run->first; e == ERR_OK && first <= end; first += SEQUENCES_A_READ) {
        uint64_t last = end - first < SEQUENCES_A_READ ? end : first + SEQUENCES_A_READ - 1;
        e = reader_stream_rows(c->reader, run->stream_id, first, last, take_row, c, c->d);
    }
    return e;
}

enum err points_read(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                     int64_t from, int64_t to, size_t max_points, point_visit visit, void *ctx,
                     struct diag *d)
{
    struct collect c = {
        .reader = r, .d = d, .series_id = s->series_id, .from = from, .to = to, .max = max_points};
    struct stream_ids streams = {0};
    struct runs runs = {0};
    if (s->class != WIRE_MEASUREMENT)
        return diag_fail(d, ERR_INVALID, "%s is not a measured series", s->name);
    enum err e = from < to ? find_streams(r, s->series_id, &streams, d) : ERR_OK;
    if (e == ERR_OK && streams.count > 0)
        e = find_runs(o, &c, &streams, &runs, d);
    for (size_t i = 0; e == ERR_OK && i < runs.count; i++)
        e = read_run(&c, &runs.at[i]);
    if (e == ERR_OK) {
        settle(&c);
        e = check_count(&c);
    }
    for (size_t i = 0; e == ERR_OK && i < c.count; i++)
        e = visit(ctx, &c.at[i].point);
    free(streams.at);
    free(runs.at);
    free(c.at);
    return e;
}
