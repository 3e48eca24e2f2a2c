// What is derived from the ledger says what the ledger says: every point of every measured series, every
// revision of every report.
#include "tests/sim/stored.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct expected {
    int64_t time;
    struct figure value;
    size_t order;
};
struct series_check {
    struct world *w;
    const struct sim_feed *feed;
    uint32_t series;
    struct expected *at;
    size_t count, room, next;
};

static void take_sample(void *ctx, const struct stored_sample *s)
{
    struct series_check *c = ctx;
    if (s->feed != c->feed || s->series != c->series || s->refused != WIRE_REASON_NONE)
        return;
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 256;
        c->at = realloc(c->at, c->room * sizeof *c->at);
        if (!c->at)
            abort();
    }
    c->at[c->count] = (struct expected){.time = s->time, .value = s->value, .order = c->count};
    c->count++;
}

static int by_time(const void *a, const void *b)
{
    const struct expected *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

// The last of each time stays; of a report every one that differs from the one before.
static void settle(struct series_check *c, bool revisions)
{
    size_t kept = 0;
    if (c->count > 1)
        qsort(c->at, c->count, sizeof *c->at, by_time);
    for (size_t i = 0; i < c->count; i++) {
        bool same_time = kept > 0 && c->at[kept - 1].time == c->at[i].time;
        if (same_time && revisions && figure_equal(c->at[kept - 1].value, c->at[i].value))
            continue;
        if (same_time && !revisions)
            kept--;
        c->at[kept++] = c->at[i];
    }
    c->count = kept;
}

static void compare(struct series_check *c, int64_t time, struct figure value)
{
    const struct expected *e = c->next < c->count ? &c->at[c->next++] : NULL;
    if (!e || e->time != time || !figure_equal(e->value, value))
        world_fail(c->w, FATE_OTHER,
                   "%s%u: the projection has a figure at %" PRId64 " that the ledger has not", c->feed->name,
                   c->series, time);
}

static enum err see_point(void *ctx, const struct point *p)
{
    compare(ctx, p->time, p->value);
    return ERR_OK;
}

static enum err see_observation(void *ctx, const struct observation *o)
{
    compare(ctx, o->period_start, o->value);
    return ERR_OK;
}

static void check_series(struct series_check *c, const struct ledger_series *s, struct observations_reader *o,
                         struct reader *r)
{
    struct diag d = {""};
    const struct observation_query all = {
        .series_id = s->series_id, .from = INT32_MIN / 2, .to = INT32_MAX / 2, .all_revisions = true};
    bool report = s->class == WIRE_REPORT;
    settle(c, report);
    enum err e = report ? observations_query(o, &all, see_observation, c, &d)
                        : points_read(o, r, s, INT64_C(0), INT64_C(4000000000), 1000000, see_point, c, &d);
    if (e != ERR_OK)
        world_fail(c->w, FATE_OTHER, "%s can't be read: %s", s->name, d.text);
    else if (c->next != c->count)
        world_fail(c->w, FATE_LOST, "%s: the projection has %zu of %zu figures", s->name, c->next, c->count);
}

static void check_one(struct world *w, const struct stored *s, struct agent *a, const struct sim_feed *feed,
                      uint32_t k, struct observations_reader *o, struct reader *r)
{
    struct series_check c = {.w = w, .feed = feed, .series = k};
    const struct ledger_series *series = NULL;
    char name[256];
    struct diag d = {""};
    for (size_t i = 0; i < s->count; i++) {
        const struct stored_stream *stream = stored_stream_by_id(s, s->rows[i].stream_id);
        if (!s->rows[i].gap && stream->identity == a->identity)
            stored_samples(w, a, s->rows[i].body, s->rows[i].body_len, &s->rows[i], take_sample, &c);
    }
    snprintf(name, sizeof name, "park/res%d/%s", a->identity, feed->series[k].declared);
    enum err e = reader_series_by_name(r, name, &series, &d);
    if (e == ERR_OK)
        check_series(&c, series, o, r);
    else if (e != ERR_NOT_FOUND || c.count > 0)
        world_fail(w, FATE_OTHER, "%s is not in the ledger: %s", name, d.text);
    free(c.at);
}

void check_projections(struct world *w, const struct stored *s, struct reader *r)
{
    struct observations_reader *o = NULL;
    struct diag d = {""};
    enum err e = observations_reader_open(w->collector.folder, &o, &d);
    if (e != ERR_OK)
        world_fail(w, FATE_OTHER, "the observations can't be read: %s", d.text);
    for (size_t i = 0; e == ERR_OK && i < w->agent_count; i++) {
        struct agent *a = &w->agents[i];
        for (size_t f = 0; a->identity == a->index && f < a->feed_count; f++)
            for (uint32_t k = 0; k < a->feeds[f].config.series_count; k++)
                check_one(w, s, a, &a->feeds[f], k, o, r);
    }
    observations_reader_close(o);
}
