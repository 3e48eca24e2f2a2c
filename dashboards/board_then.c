// What was newest then is looked for from the end: most questions are of last month, and the newest figure of
// a series that has not changed since is the newest of then too.
#include "dashboards/board_then.h"
#include "base/clock.h"
#include "kpi/period.h"
#include <string.h>

#define FAR_AHEAD_S   300    // figures may be so much ahead of the collector's clock
#define LOOKED_AT_MAX 200000 // points at once

struct newest {
    const struct board_row *row;
    struct latest latest;
    bool found;
};

static enum err note_report(void *ctx, const struct observation *o)
{
    struct newest *n = ctx;
    n->found = true;
    n->latest = (struct latest){.series_id = o->series_id,
                                .time = o->period_start,
                                .value = o->status == WIRE_MISSING
                                             ? figure_missing()
                                             : observation_own_value(o, n->row->series.currency),
                                .received_us = o->received_us,
                                .position = o->position};
    return ERR_OK;
}

static enum err newest_report(const struct readers *store, const struct as_of *as_of, struct newest *n,
                              struct diag *d)
{
    struct observation_query q = {
        .series_id = n->row->series.series_id, .from = CIVIL_DAY_MIN, .to = (int32_t)n->row->latest.time + 1};
    as_of_apply(as_of, &q);
    return observations_query(store->observations, &q, note_report, n, d);
}

static enum err note_point(void *ctx, const struct point *p)
{
    struct newest *n = ctx;
    n->found = true;
    n->latest = (struct latest){.series_id = n->row->series.series_id,
                                .time = p->time,
                                .value = p->value,
                                .received_us = p->received_us,
                                .position = p->position};
    return ERR_OK;
}

// An hour, a day, a week, two months before the moment: a series that was silent for longer says nothing of
// it.
static enum err newest_point(const struct readers *store, int64_t as_of_us, struct newest *n, struct diag *d)
{
    static const int64_t spans_s[] = {3600, 86400, 8 * 86400, 61 * 86400};
    const struct ledger_series *s = &n->row->series;
    int64_t to = as_of_us / US_PER_S + FAR_AHEAD_S;
    enum err e = ERR_OK;
    if (n->row->latest.time < to)
        to = n->row->latest.time;
    for (size_t i = 0; i < sizeof spans_s / sizeof *spans_s && !n->found && e == ERR_OK; i++) {
        int64_t from = to - spans_s[i], step = s->step_s > 0 ? s->step_s : 1;
        if (spans_s[i] / step > LOOKED_AT_MAX)
            from = to - step * LOOKED_AT_MAX;
        e = points_read_as_of(store->observations, store->reader, s, from, to, as_of_us, LOOKED_AT_MAX + 1,
                              note_point, n, d);
    }
    return e;
}

static enum err row_then(const struct readers *store, const struct as_of *as_of, struct board_row *row,
                         struct diag *d)
{
    struct newest n = {.row = row};
    bool report = row->series.class == WIRE_REPORT;
    if (!row->has_latest || (!as_of->by_published && row->latest.received_us <= as_of->us))
        return ERR_OK;
    if (!report && as_of->us >= row->latest.received_us)
        return ERR_OK; // a measurement is published when it is received
    enum err e = report ? newest_report(store, as_of, &n, d) : newest_point(store, as_of->us, &n, d);
    row->has_latest = n.found;
    if (n.found)
        row->latest = n.latest;
    return e;
}

// A row's measure speaks of the row's own texts.
static void keep_row(struct board_row *at, const struct board_row *row)
{
    *at = *row;
    at->measure.unit_code = at->series.unit;
    at->measure.currency_code = at->series.currency;
}

enum err board_then(const struct readers *store, const struct as_of *as_of, const struct park *then,
                    struct board *b, struct diag *d)
{
    size_t kept = 0;
    enum err e = ERR_OK;
    if (as_of->us == 0)
        return ERR_OK;
    for (size_t i = 0; i < b->count && e == ERR_OK; i++) {
        struct board_row row = b->rows[i];
        e = row_then(store, as_of, &row, d);
        row.park = then;
        row.resident = park_resident(then, row.name.resident);
        row.simulated = row.resident ? row.resident->simulated : row.simulated;
        if (row.has_latest)
            keep_row(&b->rows[kept++], &row);
    }
    if (e == ERR_OK)
        b->count = kept;
    return e;
}
