// Raw rows hold every series of an agent, so the series that wait for one day are read together; where months
// are rolled up, a series is read by itself, and a run of its days at once.
#include "store/day_totals_internal.h"
#include "store/reader_keep.h"
#include "store/rollup.h"
#include <stdlib.h>

#define POINTS_AT_ONCE 400000
#define RUN_DAYS       40

struct adding {
    struct day_sum *sums; // rising (series_id, day)
    size_t count, at;
};

static void add(struct day_sum *sum, const struct point *p)
{
    if (p->cell) {
        rollup_cell_tally(p->cell, &sum->tally);
    } else {
        tally_add(&sum->tally, p->value);
        sum->raw = true;
    }
    if (p->received_us > sum->newest_us)
        sum->newest_us = p->received_us;
}

// Points come by series, then time, as the sums do.
static enum err take(void *ctx, const struct ledger_series *s, const struct point *p)
{
    struct adding *a = ctx;
    while (a->at < a->count &&
           (a->sums[a->at].series->series_id < s->series_id ||
            (a->sums[a->at].series->series_id == s->series_id && a->sums[a->at].to_s < p->time)))
        a->at++;
    if (a->at < a->count && a->sums[a->at].series->series_id == s->series_id &&
        a->sums[a->at].from_s < p->time)
        add(&a->sums[a->at], p);
    return ERR_OK;
}

struct adding_one {
    struct adding a;
    const struct ledger_series *series;
};

static enum err take_one(void *ctx, const struct point *p)
{
    struct adding_one *one = ctx;
    return take(&one->a, one->series, p);
}

// ---- raw: series of one agent, days that follow each other
// ----------------------------------------------------------------------

static bool same_kind(const struct day_sum *a, const struct day_sum *b)
{
    return a->series->agent_id == b->series->agent_id && a->from_s == b->from_s && a->to_s == b->to_s;
}

static size_t points_of(const struct day_sum *s)
{
    return (size_t)((s->to_s - s->from_s) / (s->series->step_s ? s->series->step_s : 1)) + 1;
}

static enum err add_group(struct observations_reader *view, struct reader *r, struct day_sum **group,
                          size_t count, struct diag *d)
{
    const struct ledger_series **series = calloc(count, sizeof *series);
    struct day_sum *sums = calloc(count, sizeof *sums);
    struct adding a = {.sums = sums, .count = count};
    enum err e = series && sums ? ERR_OK : ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < count; i++) {
        series[i] = group[i]->series;
        sums[i] = *group[i];
    }
    if (e == ERR_OK)
        e = points_read_raw(view, r, series, count, sums[0].from_s, sums[0].to_s, take, &a, d);
    for (size_t i = 0; e == ERR_OK && i < count; i++)
        *group[i] = sums[i];
    free(sums);
    free(series);
    return e;
}

static int by_agent_day_series(const void *a, const void *b)
{
    const struct day_sum *x = *(struct day_sum *const *)a;
    const struct day_sum *y = *(struct day_sum *const *)b;
    if (x->series->agent_id != y->series->agent_id)
        return x->series->agent_id < y->series->agent_id ? -1 : 1;
    if (x->from_s != y->from_s)
        return x->from_s < y->from_s ? -1 : 1;
    if (x->to_s != y->to_s)
        return x->to_s < y->to_s ? -1 : 1;
    return x->series->series_id < y->series->series_id ? -1 : x->series->series_id > y->series->series_id;
}

static enum err add_raw(struct observations_reader *view, struct reader *r, struct day_sum **all,
                        size_t count, struct diag *d)
{
    enum err e = ERR_OK;
    qsort(all, count, sizeof *all, by_agent_day_series);
    for (size_t i = 0, next; i < count && e == ERR_OK; i = next) {
        size_t points = points_of(all[i]);
        for (next = i + 1; next < count && same_kind(all[i], all[next]); next++)
            if ((points += points_of(all[next])) > POINTS_AT_ONCE)
                break;
        e = add_group(view, r, &all[i], next - i, d);
    }
    return e;
}

// ---- what cells are needed for
// -------------------------------------------------------------------------------------------

static enum err add_kept(struct observations_reader *view, struct reader *r, struct day_sum *sums,
                         size_t count, struct diag *d)
{
    enum err e = ERR_OK;
    for (size_t i = 0, next; i < count && e == ERR_OK; i = next) {
        for (next = i + 1; next < count && next - i < RUN_DAYS && sums[next].series == sums[i].series &&
                           sums[next].from_s == sums[next - 1].to_s;)
            next++;
        struct adding_one one = {.a = {.sums = &sums[i], .count = next - i}, .series = sums[i].series};
        e = points_read(view, r, sums[i].series, sums[i].from_s, sums[next - 1].to_s, SIZE_MAX, take_one,
                        &one, d);
    }
    return e;
}

enum err day_totals_add_up(struct observations_reader *view, struct reader *r, struct day_sum *sums,
                           size_t count, struct diag *d)
{
    struct ledger_kept kept;
    struct day_sum **raw = calloc(count + 1, sizeof *raw);
    size_t raws = 0;
    enum err e = raw ? reader_kept(r, &kept, d) : ERR_NOMEM;
    for (size_t i = 0, next; i < count && e == ERR_OK; i = next) {
        bool rolled = sums[i].from_s < kept.rolled_until_s;
        for (next = i; next < count && (sums[next].from_s < kept.rolled_until_s) == rolled; next++)
            if (!rolled)
                raw[raws++] = &sums[next];
        if (rolled)
            e = add_kept(view, r, &sums[i], next - i, d);
    }
    if (e == ERR_OK)
        e = add_raw(view, r, raw, raws, d);
    free(raw);
    return e;
}
