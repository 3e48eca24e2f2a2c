// A coarser step is a tally per bucket fed in rising time, so only one bucket is open at any moment and a
// year of 10-second figures needs no memory. Measurements are read in blocks of days, each one short read
// transaction.

#include "dashboards/points.h"
#include "store/rollup.h"
#include <stdlib.h>
#include <string.h>

#define BLOCK_DAYS   8
#define HOUR_S       3600
#define BLOCK_POINTS 200000

struct loading {
    const struct points_request *request;
    const struct board_row *row;
    struct points *out;
    struct tally bucket;
    int64_t bucket_time;
    size_t read;
    bool too_many;
};

static enum err append(struct loading *l, int64_t time, struct figure value, uint32_t known, uint32_t span_s)
{
    static const struct money_figure none;
    struct points *p = l->out;
    if (p->count == POINTS_MAX) {
        l->too_many = true;
        return ERR_TOO_BIG;
    }
    if (p->count == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 512;
        struct points_point *at = realloc(p->at, cap * sizeof *at);
        if (!at)
            return ERR_NOMEM;
        p->at = at;
        p->cap = cap;
    }
    p->at[p->count++] = (struct points_point){time, value, known, span_s, none};
    return ERR_OK;
}

static bool is_report(const struct loading *l)
{
    return l->row->series.class == WIRE_REPORT;
}

static int64_t next_time(const struct loading *l, int64_t time, uint32_t span_s)
{
    if (is_report(l)) {
        enum period_kind k = (enum period_kind)l->row->series.period;
        return period_next((struct period){k, (int32_t)time}).start;
    }
    int64_t step = l->request->step_s ? l->request->step_s : l->row->series.step_s;
    step = span_s ? span_s : step;
    return time + (step > 0 ? step : 1);
}

// Unknowns for the steps between the last point and this one.
static enum err append_filled(struct loading *l, int64_t time, struct figure value, uint32_t known,
                              uint32_t span_s)
{
    enum err e = ERR_OK;
    if (l->out->count > 0)
        for (int64_t t = next_time(l, l->out->at[l->out->count - 1].time, span_s); t < time && !e;
             t = next_time(l, t, span_s))
            e = append(l, t, figure_missing(), 0, span_s);
    return e ? e : append(l, time, value, known, span_s);
}

struct figure points_consolidate(const struct tally *t, enum points_cf cf)
{
    if (t->count == 0)
        return figure_missing();
    switch (cf) {
    case CF_MIN:
        return t->min;
    case CF_MAX:
        return t->max;
    case CF_LAST:
        return t->last;
    case CF_SUM:
        return tally_sum(t);
    case CF_AVERAGE:
    default:
        return tally_average(t);
    }
}

static enum err close_bucket(struct loading *l)
{
    struct tally t = l->bucket;
    l->bucket = (struct tally){0};
    if (t.count + t.missing == 0)
        return ERR_OK;
    return append_filled(l, l->bucket_time, points_consolidate(&t, l->request->cf), (uint32_t)t.count, 0);
}

// The end of the bucket that a measurement belongs to.
static int64_t bucket_of(const struct loading *l, int64_t time)
{
    int64_t step = l->request->step_s;
    return (time + step - 1) / step * step;
}

static enum err open_bucket(struct loading *l, int64_t time)
{
    int64_t bucket = bucket_of(l, time);
    enum err e = bucket != l->bucket_time ? close_bucket(l) : ERR_OK;
    l->bucket_time = bucket;
    return e;
}

static enum err take(struct loading *l, int64_t time, struct figure value)
{
    bool native = !l->request->step_s;
    if (native)
        return append_filled(l, time, value, value.kind != FIGURE_MISSING, 0);
    enum err e = open_bucket(l, time);
    tally_add(&l->bucket, value);
    return e;
}

// Nothing finer is known any more: where the step asked for is, the cell stands there as it is.
static enum err take_cell(struct loading *l, const struct point *p)
{
    struct tally t = {0};
    bool native = !l->request->step_s;
    if (!native && l->request->step_s >= (int64_t)p->span_s && l->request->step_s % p->span_s == 0) {
        enum err e = open_bucket(l, p->time);
        rollup_cell_tally(p->cell, &l->bucket);
        return e;
    }
    enum err e = close_bucket(l);
    rollup_cell_tally(p->cell, &t);
    struct figure value = native ? p->value : points_consolidate(&t, l->request->cf);
    return e ? e : append_filled(l, p->time, value, p->cell->known, p->span_s);
}

static enum err take_money(struct loading *l, int64_t time, const struct money_figure *f)
{
    bool native = !l->request->step_s;
    enum err e = take(l, time, f->value);
    if (e == ERR_OK && native)
        l->out->at[l->out->count - 1].by = *f;
    return e;
}

static bool converts(const struct loading *l)
{
    return l->request->money && l->request->money->to;
}

// A cell is converted as what is left of its figures: the hour's sum, or its last figure.
static enum err take_converted(struct loading *l, const struct point *p)
{
    const struct money_figure f =
        money_measured(l->request->money, l->row, l->request->zone, p->time, p->value);
    if (!p->cell || l->request->step_s >= (int64_t)p->span_s)
        return take_money(l, p->time, &f);
    enum err e = close_bucket(l);
    if (e == ERR_OK)
        e = append_filled(l, p->time, f.value, p->cell->known, p->span_s);
    if (e == ERR_OK)
        l->out->at[l->out->count - 1].by = f;
    return e;
}

static enum err take_point(void *ctx, const struct point *p)
{
    struct loading *l = ctx;
    if (l->read++ == POINTS_READ_MAX) {
        l->too_many = true;
        return ERR_TOO_BIG;
    }
    if (converts(l))
        return take_converted(l, p);
    return p->cell ? take_cell(l, p) : take(l, p->time, p->value);
}

static enum err take_observation(void *ctx, const struct observation *o)
{
    struct loading *l = ctx;
    if (!converts(l))
        return take(l, o->period_start, observation_own_value(o, l->row->series.currency));
    struct figure own = o->status == WIRE_MISSING ? figure_missing() : o->value;
    struct money_figure f = money_report(l->request->money, l->row, o->currency, o->period_start, own);
    return take_money(l, o->period_start, &f);
}

static enum err load_measured(struct loading *l, const struct readers *store, struct points_request *q,
                              struct diag *d)
{
    if (q->step_s) {
        q->from = q->from / q->step_s * q->step_s;
        q->to = (q->to + q->step_s - 1) / q->step_s * q->step_s;
    }
    int32_t first;
    int64_t begin = q->from;
    enum err e = observations_first_day(store->observations, store->reader, &l->row->series, &first, d);
    if (e)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    if (begin < ((int64_t)first - 1) * 86400)
        begin = ((int64_t)first - 1) * 86400;
    int64_t end = q->to; // nothing is later than the newest figure, or the hour it is rolled up in
    if (l->row->has_latest && l->row->latest.time < end - HOUR_S)
        end = (l->row->latest.time + HOUR_S - 1) / HOUR_S * HOUR_S;
    for (int64_t at = begin; at < end && !e; at += BLOCK_DAYS * INT64_C(86400)) {
        int64_t to = at + BLOCK_DAYS * INT64_C(86400) < end ? at + BLOCK_DAYS * INT64_C(86400) : end;
        e = points_read(store->observations, store->reader, &l->row->series, at, to, BLOCK_POINTS, take_point,
                        l, d);
    }
    return e;
}

static enum err load_reported(struct loading *l, const struct readers *store, struct points_request *q,
                              struct diag *d)
{
    int32_t from = (int32_t)(q->from / 86400), to = (int32_t)((q->to + 86399) / 86400);
    struct observation_query query = {.series_id = l->row->series.series_id, .from = from, .to = to};
    return observations_query(store->observations, &query, take_observation, l, d);
}

enum err points_load(const struct readers *store, const struct board_row *row, struct points_request *request,
                     struct points *out, struct diag *d)
{
    struct points points = {0};
    struct loading l = {.request = request, .row = row, .out = &points, .bucket_time = INT64_MIN};
    enum err e = row->series.class == WIRE_REPORT ? load_reported(&l, store, request, d)
                                                  : load_measured(&l, store, request, d);
    if (!e)
        e = close_bucket(&l);
    if (l.too_many)
        e = diag_fail(d, ERR_TOO_BIG,
                      points.count >= POINTS_MAX
                          ? "the answer would have more than %d points: ask for a shorter span (from, to) or "
                            "a coarser step (step=1h)"
                          : "more than %d points would have to be rolled up: ask for a shorter span",
                      points.count >= POINTS_MAX ? POINTS_MAX : POINTS_READ_MAX);
    if (e)
        points_free(&points);
    else
        *out = points;
    return e;
}

void points_free(struct points *p)
{
    free(p->at);
    *p = (struct points){0};
}

enum points_cf points_default_cf(const struct board_row *row)
{
    if (board_is_flow(row))
        return CF_SUM;
    return row->series.class == WIRE_REPORT ? CF_LAST : CF_AVERAGE;
}
