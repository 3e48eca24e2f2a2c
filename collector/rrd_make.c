// What a series' file shows, made anew in memory from exact points and written beside the old one. Where raw
// figures are gone the hour's and day's lines are filled from roll-ups.
#include "collector/rrd_make.h"
#include "store/rollup.h"
#include "store/rrd_image.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 8192, REPORT_VALUES = 366, DAY_S = 86400, WINDOW_S = 31 * DAY_S };
#define FROM_S (INT64_C(10) * 365 * DAY_S) // 1980: earlier ones do not fit into a file

struct making {
    const struct rrd_make *m;
    struct rrd_made *made; // the one that is being made
    struct rrd_image *image;
    struct rrd_value *values; // CHUNK
    size_t count;
    bool valued; // some are in the image
    struct diag *d;
};

static const struct ledger_series *info(const struct making *k)
{
    return k->made->series->info;
}

static enum err begin(struct making *k, int64_t start)
{
    enum err e = k->made->begun ? ERR_OK : rrd_image_begin(k->image, info(k), start, k->d);
    k->made->begun = k->made->begun || e == ERR_OK;
    return e;
}

// The file begins where raw figures do, and its past is filled.
static enum err add_cell(struct making *k, const struct point *p)
{
    const struct rrd_image_cell cell = {.end = p->time,
                                        .length_s = p->span_s,
                                        .known = p->cell->known,
                                        .sum = rollup_cell_sum(p->cell),
                                        .min = figure_to_real(p->cell->min),
                                        .max = figure_to_real(p->cell->max)};
    if (p->time > k->m->rolled_s || k->valued || k->count > 0) // retention went on meanwhile
        return ERR_AGAIN;
    enum err e = begin(k, k->m->rolled_s);
    k->made->cells++;
    return e == ERR_OK ? rrd_image_fill(k->image, &cell, k->d) : e;
}

static enum err flush(struct making *k)
{
    if (k->count == 0)
        return ERR_OK;
    enum err e = begin(k, k->values[0].time - (int64_t)rrd_series_step(info(k)));
    if (e == ERR_OK)
        e = rrd_image_add(k->image, k->values, k->count, k->d);
    k->valued = k->valued || e == ERR_OK;
    k->count = 0;
    return e;
}

// The one that was being made is complete: its file is written.
static enum err finish(struct making *k)
{
    char path[RRD_PATH_MAX + 8];
    struct rrd_made *made = k->made;
    enum err e = made ? flush(k) : ERR_OK;
    if (e == ERR_OK && made && made->begun) {
        rrd_make_beside(made, path);
        e = rrd_image_write(k->image, path, k->d);
        made->last = rrd_image_last(k->image);
        made->written = e == ERR_OK;
    }
    k->made = NULL;
    k->valued = false;
    return e;
}

static enum err start(struct making *k, struct rrd_made *made)
{
    enum err e = finish(k);
    k->made = made;
    return e;
}

// A file begins with what is known: landing does the same, so both come to the same bytes.
static void add_value(struct making *k, struct rrd_value v)
{
    if (rrd_time_fits(info(k), v.time) && (k->made->begun || k->count > 0 || !isnan(v.value)))
        k->values[k->count++] = v;
}

// ---- measurements
static enum err add_point(struct making *k, const struct point *p)
{
    if (p->cell)
        return rrd_time_fits(info(k), p->time) ? add_cell(k, p) : ERR_OK;
    add_value(k, (struct rrd_value){.time = p->time, .value = figure_to_real(p->value)});
    return k->count == CHUNK ? flush(k) : ERR_OK;
}

// Those without a point are passed over: they were never begun.
static enum err add_point_of(void *ctx, const struct ledger_series *s, const struct point *p)
{
    struct making *k = ctx;
    enum err e = ERR_OK;
    struct rrd_made *made = k->made ? k->made : k->m->made;
    while (made->series->info != s)
        made++;
    if (made != k->made)
        e = start(k, made);
    return e == ERR_OK ? add_point(k, p) : e;
}

static enum err make_measured(struct making *k)
{
    const struct rrd_make *m = k->m;
    const struct ledger_series **series = malloc(m->count * sizeof(*series));
    if (!series)
        return diag_fail(k->d, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < m->count; i++)
        series[i] = m->made[i].series->info;
    enum err e = points_read_many(m->observations, m->reader, series, m->count, FROM_S, m->to_s,
                                  m->points_max, add_point_of, k, k->d);
    // So long a history that it should not be in memory at once: month by month.
    for (int64_t from = FROM_S; m->count == 1 && (e == ERR_TOO_BIG || from > FROM_S) && from < m->to_s;
         from += WINDOW_S) {
        int64_t end = from + WINDOW_S < m->to_s ? from + WINDOW_S : m->to_s;
        e = points_read_many(m->observations, m->reader, series, 1, from, end, SIZE_MAX, add_point_of, k,
                             k->d);
        if (e != ERR_OK)
            break;
    }
    free(series);
    return e;
}

// ---- reports
static enum err add_observation(void *ctx, const struct observation *o)
{
    struct making *k = ctx;
    size_t count;
    struct figure value = observation_own_value(o, info(k)->currency);
    rrd_report_values(info(k), o->period_start, value, k->values + k->count, &count);
    for (size_t i = k->count, end = i + count; i < end; i++)
        add_value(k, k->values[i]);
    return k->count + REPORT_VALUES > CHUNK ? flush(k) : ERR_OK;
}

static enum err make_reports(struct making *k)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < k->m->count; i++) {
        struct observation_query q = {
            .series_id = k->m->made[i].series->series_id, .from = INT32_MIN, .to = INT32_MAX};
        e = start(k, &k->m->made[i]);
        if (e == ERR_OK)
            e = observations_query(k->m->observations, &q, add_observation, k, k->d);
    }
    return e;
}

void rrd_make_beside(const struct rrd_made *made, char path[RRD_PATH_MAX + 8])
{
    snprintf(path, RRD_PATH_MAX + 8, "%s.new", made->path);
}

enum err rrd_make(const struct rrd_make *m, struct diag *d)
{
    struct making k = {.m = m, .d = d, .values = malloc((CHUNK + REPORT_VALUES) * sizeof *k.values)};
    enum err e = k.values ? rrd_image_create(&k.image) : ERR_NOMEM;
    for (size_t i = 0; i < m->count; i++) {
        m->made[i].begun = m->made[i].written = false;
        m->made[i].cells = 0;
    }
    if (e != ERR_OK)
        e = diag_fail(d, e, "out of memory");
    else if (m->made[0].series->info->class == WIRE_REPORT)
        e = make_reports(&k);
    else
        e = make_measured(&k);
    if (e == ERR_OK)
        e = finish(&k);
    rrd_image_destroy(k.image);
    free(k.values);
    return e;
}
