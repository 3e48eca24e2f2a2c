// Drawn from a round-robin file like every other graph, so that both look alike; only that this one holds
// what was known then, and lives for one picture. Nothing is asked of the collector's own file: what was
// known can only be told from the revisions.
#include "dashboards/render_vintage.h"
#include "store/observations.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_S    86400
#define FIRST_S  INT64_C(315532800) // 1980: librrd refuses earlier starts
#define YEAR_MAX 366                // days of the longest period
#define DAYS_MAX 36600              // drawn at most

struct vintage {
    const struct ledger_series *series;
    struct rrd_value *values;
    size_t count, cap;
};

static enum err add(void *ctx, const struct observation *o)
{
    struct vintage *v = ctx;
    size_t count = 0;
    if (v->count + YEAR_MAX > v->cap)
        return ERR_TOO_BIG;
    rrd_report_values(v->series, o->period_start, observation_own_value(o, v->series->currency),
                      v->values + v->count, &count);
    for (size_t i = v->count, end = i + count; i < end; i++)
        if (v->values[i].time > FIRST_S + DAY_S)
            v->values[v->count++] = v->values[i];
    return ERR_OK;
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
    struct vintage v = {.cap = DAYS_MAX};
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
    reader_close(reader);
    return e;
}

enum err render_vintage_file(const char *state, const char *scratch, const struct render_job *job,
                             char out[RRD_PATH_MAX], struct diag *d)
{
    int n = snprintf(out, RRD_PATH_MAX, "%s/esep-vintage-%ld.rrd", scratch, (long)getpid());
    if (n < 0 || n >= RRD_PATH_MAX)
        return diag_fail(d, ERR_TOO_BIG, "%s: path too long", scratch);
    return make(state, job, out, d);
}
