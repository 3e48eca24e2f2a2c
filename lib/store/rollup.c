// Integers are summed as integers, reals without a loss and rounded once; a cell that has both is summed as
// reals, of which every integer here is one. All six numbers are kept whatever the KPI is: its average,
// minimum and maximum are what the round-robin file shows, and its kind may be corrected later.
#include "store/rollup.h"
#include "base/sum.h"
#include "kpi/period.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S     86400
#define QUARTER_S 900
#define HOUR_S    3600

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t rollup_month_of(int64_t time_s)
{
    struct civil day = civil_from_days((int32_t)floor_div(time_s - 1, DAY_S));
    day.day = 1;
    return (int64_t)civil_to_days(day) * DAY_S;
}

int64_t rollup_month_next(int64_t month_s)
{
    const struct period month = {PERIOD_MONTH, (int32_t)floor_div(month_s, DAY_S)};
    return (int64_t)period_end(month) * DAY_S;
}

uint32_t rollup_cell_s(uint32_t step_s, bool quarters)
{
    if (!quarters)
        return HOUR_S;
    if (QUARTER_S % step_s == 0)
        return QUARTER_S;
    return step_s > QUARTER_S ? step_s : HOUR_S;
}

struct rollup_maker {
    struct wire_rollup rollup;
    struct wire_rollup_cell *cells;
    size_t max;
    int64_t end_s; // of the month
    int64_t newest;
    struct sum reals; // of the last cell
};

enum err rollup_maker_create(const struct ledger_series *s, int64_t month_s, uint32_t cell_s,
                             enum wire_value value, struct rollup_maker **out)
{
    struct rollup_maker *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    m->end_s = rollup_month_next(month_s);
    m->newest = month_s;
    m->max = (size_t)((m->end_s - month_s) / cell_s);
    m->cells = calloc(m->max, sizeof *m->cells);
    if (!m->cells) {
        rollup_maker_destroy(m);
        return ERR_NOMEM;
    }
    m->rollup = (struct wire_rollup){.series = (uint64_t)s->series_id,
                                     .month_s = month_s,
                                     .step_s = s->step_s,
                                     .cell_s = cell_s,
                                     .value = value,
                                     .cells = m->cells};
    *out = m;
    return ERR_OK;
}

void rollup_maker_destroy(struct rollup_maker *m)
{
    if (!m)
        return;
    free(m->cells);
    free(m);
}

static void close_cell(struct rollup_maker *m, struct wire_rollup_cell *c)
{
    if (c->sum.real && m->reals.count > 0)
        c->sum.high = sum_value_and_rest(&m->reals, &c->sum.low);
    m->reals.count = 0;
}

static void close_last(struct rollup_maker *m)
{
    if (m->rollup.count > 0)
        close_cell(m, &m->cells[m->rollup.count - 1]);
}

static struct wire_rollup_cell *cell_of(struct rollup_maker *m, int64_t time)
{
    int64_t cell_s = m->rollup.cell_s;
    uint32_t number = (uint32_t)((time - m->rollup.month_s + cell_s - 1) / cell_s);
    if (m->rollup.count > 0 && m->cells[m->rollup.count - 1].number == number)
        return &m->cells[m->rollup.count - 1];
    close_last(m);
    struct wire_rollup_cell *c = &m->cells[m->rollup.count++];
    *c = (struct wire_rollup_cell){.number = number};
    return c;
}

static void add_known(struct rollup_maker *m, struct wire_rollup_cell *c, struct figure value)
{
    double v = figure_to_real(value);
    sum_add(&m->reals, v);
    if (value.kind == FIGURE_INTEGER && !c->sum.real)
        c->sum.whole += value.integer;
    else
        c->sum = (struct wire_cell_sum){.real = true};
    if (c->known == 0 || v < figure_to_real(c->min))
        c->min = value;
    if (c->known == 0 || v > figure_to_real(c->max))
        c->max = value;
    c->last = value;
    c->known++;
}

enum err rollup_maker_add(struct rollup_maker *m, const struct point *p)
{
    if (p->time <= m->newest || p->time > m->end_s || p->time % (int64_t)m->rollup.step_s != 0)
        return ERR_INVALID;
    struct wire_rollup_cell *c = cell_of(m, p->time);
    m->newest = p->time;
    m->rollup.last_s = p->time;
    m->rollup.last_unknown = p->value.kind == FIGURE_MISSING;
    m->rollup.last_position = p->position;
    m->rollup.last_received_us = p->received_us;
    if (p->value.kind == FIGURE_MISSING)
        c->missing++;
    else
        add_known(m, c, p->value);
    return ERR_OK;
}

bool rollup_maker_empty(const struct rollup_maker *m)
{
    return m->rollup.count == 0;
}

void rollup_maker_finish(struct rollup_maker *m, struct wire_rollup *out)
{
    close_last(m);
    *out = m->rollup;
}

static struct figure nearest(double v)
{
    struct figure f;
    return figure_from_real(v, &f) == ERR_OK ? f : figure_missing();
}

struct figure rollup_cell_value(const struct wire_rollup *r, const struct wire_rollup_cell *c)
{
    struct figure f;
    if (c->known == 0)
        return figure_missing();
    if (r->value != WIRE_VALUE_SUM)
        return c->last;
    if (!c->sum.real && figure_from_integer(c->sum.whole, &f) == ERR_OK)
        return f;
    return nearest(rollup_cell_sum(c));
}

double rollup_cell_sum(const struct wire_rollup_cell *c)
{
    if (c->known == 0)
        return NAN;
    return c->sum.real ? c->sum.high : (double)c->sum.whole;
}

void rollup_cell_tally(const struct wire_rollup_cell *c, struct tally *t)
{
    struct tally cell = {
        .count = c->known, .missing = c->missing, .min = c->min, .max = c->max, .last = c->last};
    if (c->known > 0 && c->sum.real) {
        sum_add(&cell.reals, c->sum.high);
        sum_add(&cell.reals, c->sum.low);
    } else if (c->known > 0) {
        cell.whole = c->sum.whole;
    }
    tally_merge(t, &cell);
}
