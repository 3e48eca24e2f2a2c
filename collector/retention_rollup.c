// A month's points are read a day at a time for as many of an agent's series as memory allows, so that each
// row is decoded once or a few times, not once a series. Nothing can come in for the month any more: what is
// made here is made from the same rows however often it is begun again.
#include "base/log.h"
#include "collector/retention_state.h"
#include "kpi/series.h"
#include "kpi/zone.h"
#include <stdlib.h>

// ---- the work list ------------------------------------------------------------------------------
// Lent for the visit only; the reader's own copy stays as long as the reader.
static enum err add_series(void *ctx, const struct ledger_series *lent)
{
    struct retention *r = ctx;
    const struct ledger_series *s = NULL;
    if (lent->class != WIRE_MEASUREMENT)
        return ERR_OK;
    enum err e = reader_series(r->o.reader, lent->series_id, &s, NULL);
    if (e != ERR_OK)
        return e;
    if (r->series_count == r->series_capacity) {
        size_t capacity = r->series_capacity ? r->series_capacity * 2 : 256;
        const struct ledger_series **grown = realloc(r->series, capacity * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        r->series = grown;
        r->series_capacity = capacity;
    }
    r->series[r->series_count++] = s;
    return ERR_OK;
}

static int by_agent(const void *a, const void *b)
{
    const struct ledger_series *x = *(const struct ledger_series *const *)a;
    const struct ledger_series *y = *(const struct ledger_series *const *)b;
    if (x->agent_id != y->agent_id)
        return x->agent_id < y->agent_id ? -1 : 1;
    return x->series_id < y->series_id ? -1 : x->series_id > y->series_id;
}

static enum err first_month(struct retention *r, int64_t *month_s, struct diag *d)
{
    int64_t day = 0;
    *month_s = r->kept.rolled_until_s;
    if (*month_s)
        return ERR_OK;
    enum err e = observations_span_first_day(r->o.observations, INT32_MIN, &day, d);
    if (e == ERR_OK)
        *month_s = rollup_month_of(day * DAY_S);
    return e;
}

// Everything that was accepted before the month was closed must be where points are looked for.
static enum err is_projected(struct retention *r, bool *projected, struct diag *d)
{
    uint64_t closing, cursor;
    enum err e = reader_closing_position(r->o.reader, r->kept.closed_until_s, &closing, d);
    if (e == ERR_OK)
        e = observations_reader_covered(r->o.observations, r->o.reader, &cursor, d);
    if (e == ERR_OK)
        *projected = cursor >= closing;
    return e;
}

static enum err begin(struct retention *r, bool *ready, struct diag *d)
{
    enum err e = is_projected(r, ready, d);
    if (e != ERR_OK || !*ready || r->listed)
        return e;
    r->series_count = r->series_at = 0;
    e = reader_series_list(r->o.reader, "", add_series, r, d);
    if (e == ERR_OK)
        e = first_month(r, &r->month_s, d);
    if (e != ERR_OK)
        return e;
    if (r->series_count > 1)
        qsort(r->series, r->series_count, sizeof *r->series, by_agent);
    r->listed = true;
    return ERR_OK;
}

// ---- making them --------------------------------------------------------------------------------
static bool needs_quarters(const struct retention *r, const struct ledger_series *s, int64_t month_s)
{
    struct series_name name;
    struct diag d = {0};
    bool quarters = false;
    const struct park *park =
        series_parse(s->name, &name) == ERR_OK ? parks_find(r->o.parks, name.park) : NULL;
    if (park && zone_has_quarters(park->time_zone, month_s, &quarters, &d) != ERR_OK)
        log_warn("time_zone_unknown", F_TEXT("park", park->code), F_TEXT("reason", d.text));
    return quarters;
}

// Of a KPI that the catalogue has forgotten the last is shown; both are stored.
static enum wire_value value_of(const struct retention *r, const struct ledger_series *s)
{
    struct series_name name;
    const struct kpi *kpi =
        series_parse(s->name, &name) == ERR_OK ? catalogue_find(r->o.catalogue, name.kpi) : NULL;
    return kpi && kpi->kind == KPI_FLOW ? WIRE_VALUE_SUM : WIRE_VALUE_LAST;
}

struct making {
    struct retain_job *job;
    const struct ledger_series *series[RETAIN_ROLLUPS_MAX];
    size_t at; // the series that points came for last
};

static enum err add_point(void *ctx, const struct ledger_series *s, const struct point *p)
{
    struct making *m = ctx;
    if (m->series[m->at] != s)
        for (m->at = 0; m->series[m->at] != s; m->at++)
            ;
    // A figure off its step was never accepted; one that an older program let in has no cell.
    enum err e = rollup_maker_add(m->job->rollups[m->at], p);
    return e == ERR_INVALID ? ERR_OK : e;
}

// The next series of one agent that have no roll-up of the month yet.
static enum err choose(struct retention *r, struct making *m, struct diag *d)
{
    int64_t agent_id = 0;
    size_t cells = 0; // of an hour: a transaction of quarters is no longer than one of hours
    enum err e = ERR_OK;
    for (; e == ERR_OK && r->series_at < r->series_count; r->series_at++) {
        const struct ledger_series *s = r->series[r->series_at];
        bool there = false;
        if ((m->job->rollup_count > 0 && s->agent_id != agent_id) ||
            m->job->rollup_count == RETAIN_ROLLUPS_MAX || cells >= RETAIN_ROLLUPS_MAX)
            break;
        e = reader_has_rollup(r->o.reader, s->series_id, r->month_s, &there, d);
        if (e != ERR_OK || there)
            continue;
        agent_id = s->agent_id;
        m->series[m->job->rollup_count] = s;
        uint32_t cell_s = rollup_cell_s(s->step_s, needs_quarters(r, s, r->month_s));
        e = rollup_maker_create(s, r->month_s, cell_s, value_of(r, s),
                                &m->job->rollups[m->job->rollup_count]);
        cells += WIRE_STEP_MAX_S / cell_s;
        m->job->rollup_count += e == ERR_OK ? 1 : 0;
    }
    return e;
}

static enum err read_month(struct retention *r, struct making *m, struct diag *d)
{
    int64_t end_s = rollup_month_next(r->month_s);
    enum err e = ERR_OK;
    for (int64_t at = r->month_s; e == ERR_OK && at < end_s; at += DAY_S)
        e = r->o.stopping(r->o.ctx) ? diag_fail(d, ERR_AGAIN, "stopping")
                                    : points_read_raw(r->o.observations, r->o.reader, m->series,
                                                      m->job->rollup_count, at, at + DAY_S, add_point, m, d);
    return e;
}

static bool has_cells(const struct retain_job *j)
{
    for (size_t i = 0; i < j->rollup_count; i++)
        if (!rollup_maker_empty(j->rollups[i]))
            return true;
    return false;
}

// *made: roll-ups were stored.
static enum err roll_some(struct retention *r, bool *made, struct diag *d)
{
    struct making m = {.job = retain_job_create(RETAIN_ROLLUPS)};
    size_t before = r->series_at;
    enum err e = m.job ? choose(r, &m, d) : diag_fail(d, ERR_NOMEM, "out of memory");
    if (e == ERR_OK && m.job->rollup_count > 0)
        e = read_month(r, &m, d);
    *made = e == ERR_OK && has_cells(m.job);
    if (*made)
        e = r->o.submit(r->o.ctx, m.job, d);
    else
        retain_job_destroy(m.job);
    if (e != ERR_OK)
        r->series_at = before;
    return e;
}

static enum err finish(struct retention *r, struct diag *d)
{
    struct ledger_kept until = r->kept;
    char text[WALL_TEXT];
    until.rolled_until_s = until.closed_until_s;
    enum err e = retention_until(r, &until, d);
    if (e != ERR_OK)
        return e;
    r->listed = false;
    wall_text((struct wall){until.rolled_until_s * US_PER_S}, text);
    log_info("month_rolled_up", F_TEXT("until", text), F_INT("series", r->series_count));
    return ERR_OK;
}

enum err retention_roll(struct retention *r, bool *did, struct diag *d)
{
    bool ready = false, made = false;
    enum err e = begin(r, &ready, d);
    if (e != ERR_OK || !ready)
        return e;
    while ((e = roll_some(r, &made, d)) == ERR_OK && !made) {
        int64_t next_s = rollup_month_next(r->month_s);
        if (r->series_at < r->series_count)
            continue;
        if (next_s >= r->kept.closed_until_s) {
            e = finish(r, d);
            break;
        }
        r->month_s = next_s;
        r->series_at = 0;
    }
    *did = e == ERR_OK;
    return e;
}
