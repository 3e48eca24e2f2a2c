// Where the samples of series lie in the ledger: the runs of sequences that the projection knows for the
// days, and what it has not read yet at each stream's end. The projection is asked first: whatever it lacks
// is then surely in a tail.
#include "store/points_internal.h"
#include <stdlib.h>

#define STREAMS_MAX 100000

enum err points_reserve(void **at, size_t count, size_t *capacity, size_t size)
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

static enum err add_run(struct points_runs *r, int64_t stream_id, uint64_t first, uint64_t last)
{
    struct points_run *before = r->count ? &r->at[r->count - 1] : NULL;
    if (before && before->stream_id == stream_id && first <= before->last + 1) {
        if (last > before->last)
            before->last = last;
        return ERR_OK;
    }
    void *at = r->at;
    enum err e = points_reserve(&at, r->count, &r->capacity, sizeof *r->at);
    r->at = at;
    if (e == ERR_OK)
        r->at[r->count++] = (struct points_run){stream_id, first, last};
    return e;
}

static enum err add_spans(struct points_runs *runs, struct db_stmt *s, int64_t stream_id, int64_t from_day,
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

static enum err add_tail(struct points_runs *runs, struct db_stmt *s, int64_t stream_id)
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

static enum err add_id(struct stream_ids *ids, int64_t id)
{
    void *at = ids->at;
    enum err e = ids->count < STREAMS_MAX ? points_reserve(&at, ids->count, &ids->capacity, sizeof *ids->at)
                                          : ERR_TOO_BIG;
    ids->at = at;
    if (e == ERR_OK)
        ids->at[ids->count++] = id;
    return e;
}

static enum err add_streams(struct reader *r, struct db_stmt *s, int64_t series_id, struct stream_ids *out,
                            struct diag *d)
{
    bool row = false;
    enum err e;
    db_bind_int(s, 1, series_id);
    while ((e = db_step(s, &row)) == ERR_OK && row)
        if ((e = add_id(out, db_int(s, 0))) != ERR_OK)
            break;
    db_reset(s);
    return e == ERR_OK ? e : reader_fail(r, e, "cannot find the streams of a series", d);
}

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void sort_unique(struct stream_ids *ids)
{
    size_t kept = 0;
    if (ids->count == 0)
        return;
    qsort(ids->at, ids->count, sizeof *ids->at, by_id);
    for (size_t i = 1; i < ids->count; i++)
        if (ids->at[i] != ids->at[kept])
            ids->at[++kept] = ids->at[i];
    ids->count = kept + 1;
}

// Those that declared one of the series, and the one that releases from quarantine are in.
static enum err find_streams(struct reader *r, const struct points_wanted *w, struct stream_ids *out,
                             struct diag *d)
{
    struct db_stmt *s = NULL;
    int64_t releases = 0;
    enum err e = db_prepare(r->db, "SELECT DISTINCT stream_id FROM declare WHERE series_id=?", &s, d);
    for (size_t i = 0; e == ERR_OK && i < w->count; i++)
        e = add_streams(r, s, w->series[i]->series_id, out, d);
    db_finalize(s);
    if (e == ERR_OK)
        e = reader_release_stream(r, &releases, d);
    if (e == ERR_OK && releases)
        e = add_id(out, releases);
    if (e == ERR_OK)
        sort_unique(out);
    return e;
}

static enum err look(struct observations_reader *o, const struct points_wanted *w,
                     const struct stream_ids *streams, struct points_runs *out, struct diag *d)
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
        e = add_spans(out, spans, streams->at[i], day_of(w->from), day_of(w->to));
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

enum err points_find_runs(struct observations_reader *o, struct reader *r, const struct points_wanted *w,
                          struct points_runs *out, struct diag *d)
{
    struct stream_ids streams = {0};
    enum err e = find_streams(r, w, &streams, d);
    if (e == ERR_OK && streams.count > 0)
        e = look(o, w, &streams, out, d);
    free(streams.at);
    return e;
}
