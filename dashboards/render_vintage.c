// Drawn from a round-robin file like every other graph, so that both look alike; only that this one holds
// what was known then, and lives for one picture. Nothing is asked of the collector's own file: what was
// known can only be told from the revisions.
#include "dashboards/render_vintage.h"
#include "dashboards/render_message.h"
#include "kpi/convert.h"
#include "store/observations_rates.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_S    86400
#define FIRST_S  INT64_C(315532800) // 1980: librrd refuses earlier starts
#define YEAR_MAX 366                // days of the longest period
#define DAYS_MAX 36600              // drawn at most

struct vintage {
    const struct ledger_series *series;
    const struct render_job *job;
    struct rate_book *book; // with a currency
    const struct currency *to;
    struct rrd_value *values;
    size_t count, cap;
};

// Missing, where there is no rate.
static struct figure value_of(const struct vintage *v, const struct observation *o)
{
    const struct currency *from = currency_find(*o->currency ? o->currency : v->series->currency);
    struct period p = {(enum period_kind)v->series->period, o->period_start};
    struct figure own = o->status == WIRE_MISSING ? figure_missing() : o->value, out = figure_missing();
    struct conversion c;
    if (!v->to)
        return observation_own_value(o, v->series->currency);
    if (!from || own.kind == FIGURE_MISSING ||
        conversion_of(v->book, v->job->park_currency, from->code, v->to->code, v->job->flow, p, &c) !=
            ERR_OK ||
        conversion_apply(&c, own, from, v->to, &out) != ERR_OK)
        return figure_missing();
    return out;
}

static enum err add_value(struct vintage *v, int32_t period_start, struct figure value)
{
    size_t count = 0;
    if (v->count + YEAR_MAX > v->cap)
        return ERR_TOO_BIG;
    rrd_report_values(v->series, period_start, value, v->values + v->count, &count);
    for (size_t i = v->count, end = i + count; i < end; i++)
        if (v->values[i].time > FIRST_S + DAY_S)
            v->values[v->count++] = v->values[i];
    return ERR_OK;
}

static enum err add(void *ctx, const struct observation *o)
{
    struct vintage *v = ctx;
    return add_value(v, o->period_start, value_of(v, o));
}

static enum err read_values(const char *state, const struct render_job *job, struct vintage *v,
                            struct diag *d)
{
    struct observations_reader *o = NULL;
    struct observation_query q = {.series_id = job->series_id,
                                  .from = (int32_t)(job->from / DAY_S) - YEAR_MAX,
                                  .to = (int32_t)(job->to / DAY_S) + 1,
                                  .by_published = job->by_published,
                                  .as_of_us = job->as_of_us};
    enum err e = observations_reader_open(state, &o, d);
    if (e == ERR_OK && v->to)
        e = observations_rate_book(o, job->by_published ? 0 : job->as_of_us, &v->book, d);
    if (e == ERR_OK)
        e = observations_query(o, &q, add, v, d);
    observations_reader_close(o);
    return e == ERR_TOO_BIG ? diag_fail(d, e, "more than %d days: ask for a shorter span", DAYS_MAX) : e;
}

static enum err write_file(const struct vintage *v, const struct render_job *job, const char *path,
                           struct diag *d)
{
    int64_t start = v->count > 0 ? v->values[0].time - DAY_S : job->from / DAY_S * DAY_S;
    enum err e = rrd_file_create(path, v->series, start > FIRST_S ? start : FIRST_S, false, d);
    return e == ERR_OK && v->count > 0 ? rrd_file_update(path, v->series, v->values, v->count, d) : e;
}

static enum err make(const char *state, const struct render_job *job, const char *path, struct diag *d)
{
    struct reader *reader = NULL;
    struct vintage v = {
        .job = job, .cap = DAYS_MAX, .to = *job->currency ? currency_find(job->currency) : NULL};
    enum err e = reader_open(state, &reader, d);
    if (e == ERR_OK)
        e = reader_series(reader, job->series_id, &v.series, d);
    if (e == ERR_OK && v.series->class != WIRE_REPORT)
        e = diag_fail(d, ERR_INVALID, "%s is measured: it has no revisions", v.series->name);
    if (e == ERR_OK && !(v.values = malloc(v.cap * sizeof *v.values)))
        e = diag_fail(d, ERR_NOMEM, "out of memory");
    if (e == ERR_OK)
        e = read_values(state, job, &v, d);
    if (e == ERR_OK)
        e = write_file(&v, job, path, d);
    free(v.values);
    rate_book_destroy(v.book);
    reader_close(reader);
    return e;
}

// A total's points: it has no series of its own, only the form of a report's file.
static enum err make_computed(const struct render_job *job, const char *path, struct diag *d)
{
    const struct ledger_series series = {.class = WIRE_REPORT, .period = job->period};
    struct vintage v = {.job = job, .series = &series, .cap = DAYS_MAX};
    if (job->period < PERIOD_DAY || !(v.values = malloc(v.cap * sizeof *v.values)))
        return diag_fail(d, job->period < PERIOD_DAY ? ERR_INVALID : ERR_NOMEM,
                         "no room for a total's points");
    enum err e = ERR_OK;
    for (size_t i = 0; i < job->point_count && e == ERR_OK; i++) {
        struct figure f = figure_missing();
        int32_t day;
        double value;
        render_point_at(job, i, &day, &value);
        if (figure_from_real(value, &f) != ERR_OK)
            f = figure_missing();
        e = period_valid((struct period){(enum period_kind)job->period, day}) ? add_value(&v, day, f)
                                                                              : ERR_INVALID;
    }
    if (e == ERR_TOO_BIG)
        e = diag_fail(d, e, "more than %d days: ask for a shorter span", DAYS_MAX);
    if (e == ERR_OK)
        e = write_file(&v, job, path, d);
    free(v.values);
    return e;
}

enum err render_vintage_file(const char *state, const char *scratch, const struct render_job *job,
                             char out[RRD_PATH_MAX], struct diag *d)
{
    int n = snprintf(out, RRD_PATH_MAX, "%s/esep-vintage-%ld.rrd", scratch, (long)getpid());
    if (n < 0 || n >= RRD_PATH_MAX)
        return diag_fail(d, ERR_TOO_BIG, "%s: path too long", scratch);
    return job->computed ? make_computed(job, out, d) : make(state, job, out, d);
}
