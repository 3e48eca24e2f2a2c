// Exact measurements come from the ledger's rows themselves, and from roll-ups where retention says that
// those are what counts. How far that is can move while rows are read (and rows can go), so it is looked at
// before and after, and what was read in between is read again.
#include "store/day_totals_internal.h"
#include "store/points_internal.h"
#include "store/reader_keep.h"
#include "store/rollup.h"
#include <stdlib.h>
#include <string.h>

#define SEQUENCES_A_READ 2048 // keeps a read transaction short
#define TRIES            3
#define SETTLE_POINTS    (1 << 18)
#define FIRST_S          (INT64_C(-719162) * DAY_S) // the year 1

struct found_point {
    int64_t time;
    struct figure value;
    int64_t received_us;
    uint64_t position;
    uint32_t index;
    uint32_t series; // of those wanted
};

struct found_cell {
    struct wire_rollup_cell cell;
    int64_t time;
    struct figure value;
    uint32_t span_s;
    int64_t received_us;
};

struct collect {
    struct observations_reader *observations;
    struct reader *reader;
    struct diag *d;
    struct points_wanted wanted;
    int64_t as_of_us; // 0: now
    size_t max;
    struct found_point *at;
    size_t count, capacity, settle_at;
    struct found_cell *cells;
    size_t cell_count, cell_capacity;
};

static int by_series_time_ledger(const void *a, const void *b)
{
    const struct found_point *x = a;
    const struct found_point *y = b;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

// Of each time the last in ledger order stays.
static void settle(struct collect *c)
{
    size_t kept = 0;
    if (c->count == 0)
        return;
    qsort(c->at, c->count, sizeof *c->at, by_series_time_ledger);
    for (size_t i = 1; i < c->count; i++) {
        if (c->at[i].time != c->at[kept].time || c->at[i].series != c->at[kept].series)
            kept++;
        c->at[kept] = c->at[i];
    }
    c->count = kept + 1;
}

static enum err check_count(struct collect *c)
{
    return c->count + c->cell_count <= c->max
               ? ERR_OK
               : diag_fail(c->d, ERR_TOO_BIG, "more than %zu points: ask for a shorter time", c->max);
}

// ---- raw rows
// ------------------------------------------------------------------------------------------------------

static bool find_series(const struct points_wanted *w, int64_t series_id, uint32_t *out)
{
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->series[middle]->series_id < series_id)
            low = middle + 1;
        else
            high = middle;
    }
    *out = (uint32_t)low;
    return low < w->count && w->series[low]->series_id == series_id;
}

static enum err take_sample(void *ctx, const struct reader_sample *s)
{
    struct collect *c = ctx;
    uint32_t series = 0;
    if (s->time <= c->wanted.from || s->time > c->wanted.to ||
        (c->as_of_us && s->received_us > c->as_of_us) ||
        !find_series(&c->wanted, s->series->series_id, &series))
        return ERR_OK;
    // Repeats and corrections of one time may be any number; only the last takes room, and counts towards the
    // limit.
    if (c->count >= c->settle_at) {
        settle(c);
        c->settle_at = 2 * c->count > SETTLE_POINTS ? 2 * c->count : SETTLE_POINTS;
        enum err e = check_count(c);
        if (e != ERR_OK)
            return e;
    }
    void *at = c->at;
    enum err e = points_reserve(&at, c->count, &c->capacity, sizeof *c->at);
    c->at = at;
    if (e == ERR_OK)
        c->at[c->count++] =
            (struct found_point){s->time, reader_own_value(s), s->received_us, s->position, s->index, series};
    return e;
}

static enum err take_row(void *ctx, const struct reader_row *row)
{
    struct collect *c = ctx;
    bool may = row->class == WIRE_MEASUREMENT || row->kind == LEDGER_RELEASE;
    return may ? reader_samples(c->reader, row, take_sample, c, c->d) : ERR_OK;
}

static enum err last_sequence(struct reader *r, int64_t stream_id, uint64_t *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(r->db, "SELECT last_sequence FROM stream WHERE stream_id=?", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, stream_id);
    if ((e = db_step(s, &row)) != ERR_OK)
        e = reader_fail(r, e, "cannot read a stream", d);
    else
        *out = row ? (uint64_t)db_int(s, 0) : 0;
    db_finalize(s);
    return e;
}

static enum err read_run(struct collect *c, const struct points_run *run)
{
    uint64_t end = 0;
    enum err e = last_sequence(c->reader, run->stream_id, &end, c->d);
    if (end > run->last)
        end = run->last;
    for (uint64_t first = run->first; e == ERR_OK && first <= end; first += SEQUENCES_A_READ) {
        uint64_t last = end - first < SEQUENCES_A_READ ? end : first + SEQUENCES_A_READ - 1;
        e = reader_stream_rows(c->reader, run->stream_id, first, last, take_row, c, c->d);
    }
    return e;
}

static enum err collect_raw(struct collect *c)
{
    struct points_runs runs = {0};
    enum err e = c->wanted.from < c->wanted.to
                     ? points_find_runs(c->observations, c->reader, &c->wanted, &runs, c->d)
                     : ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < runs.count; i++)
        e = read_run(c, &runs.at[i]);
    free(runs.at);
    if (e != ERR_OK)
        return e;
    settle(c);
    return check_count(c);
}

// ---- roll-ups
// ------------------------------------------------------------------------------------------------------

static enum err take_rollup(void *ctx, const struct reader_rollup *r)
{
    struct collect *c = ctx;
    for (size_t i = 0; i < r->rollup->count; i++) {
        const struct wire_rollup_cell *cell = &r->rollup->cells[i];
        int64_t end = rollup_cell_end(r->rollup, cell);
        if (end <= c->wanted.from || end > c->wanted.to)
            continue;
        void *at = c->cells;
        enum err e = points_reserve(&at, c->cell_count, &c->cell_capacity, sizeof *c->cells);
        c->cells = at;
        if (e != ERR_OK)
            return e;
        c->cells[c->cell_count++] = (struct found_cell){*cell, end, rollup_cell_value(r->rollup, cell),
                                                        r->rollup->cell_s, r->received_us};
        if ((e = check_count(c)) != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err collect_once(struct collect *c, int64_t rolled_s)
{
    const int64_t from = c->wanted.from;
    int64_t end = c->wanted.to < rolled_s ? c->wanted.to : rolled_s;
    int64_t begin = from > FIRST_S ? from : FIRST_S;
    enum err e = ERR_OK;
    c->count = c->cell_count = 0;
    c->settle_at = SETTLE_POINTS;
    if (rolled_s && from < rolled_s)
        e = reader_rollups(c->reader, c->wanted.series[0]->series_id, rollup_month_of(begin + 1), end,
                           take_rollup, c, c->d);
    if (e == ERR_OK && rolled_s && from < rolled_s)
        c->wanted.from = rolled_s;
    if (e == ERR_OK)
        e = collect_raw(c);
    c->wanted.from = from;
    return e;
}

static enum err collect(struct collect *c)
{
    for (int i = 0; i < TRIES; i++) {
        struct ledger_kept before, after;
        enum err e = reader_kept(c->reader, &before, c->d);
        if (e == ERR_OK)
            e = collect_once(c, before.rolled_until_s);
        if (e == ERR_OK)
            e = reader_kept(c->reader, &after, c->d);
        if (e != ERR_OK || before.rolled_until_s == after.rolled_until_s)
            return e;
    }
    return diag_fail(c->d, ERR_AGAIN, "old months are being rolled up just now: try again");
}

static void collect_deinit(struct collect *c)
{
    free(c->at);
    free(c->cells);
}

// ---- the calls
// -----------------------------------------------------------------------------------------------------

static enum err check_measured(const struct ledger_series *s, struct diag *d)
{
    return s->class == WIRE_MEASUREMENT ? ERR_OK
                                        : diag_fail(d, ERR_INVALID, "%s is not a measured series", s->name);
}

enum err points_read(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                     int64_t from, int64_t to, size_t max_points, point_visit visit, void *ctx,
                     struct diag *d)
{
    return points_read_as_of(o, r, s, from, to, 0, max_points, visit, ctx, d);
}

enum err points_read_as_of(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                           int64_t from, int64_t to, int64_t as_of_us, size_t max_points, point_visit visit,
                           void *ctx, struct diag *d)
{
    struct collect c = {.observations = o,
                        .reader = r,
                        .d = d,
                        .wanted = {.series = &s, .count = 1, .from = from, .to = to},
                        .as_of_us = as_of_us,
                        .max = max_points};
    enum err e = check_measured(s, d);
    if (e == ERR_OK && from < to)
        e = collect(&c);
    for (size_t i = 0; e == ERR_OK && i < c.cell_count; i++) {
        const struct found_cell *f = &c.cells[i];
        e = visit(ctx, &(struct point){f->time, f->value, &f->cell, f->span_s, 0, f->received_us});
    }
    for (size_t i = 0; e == ERR_OK && i < c.count; i++)
        e = visit(ctx, &(struct point){c.at[i].time, c.at[i].value, NULL, s->step_s, c.at[i].position,
                                       c.at[i].received_us});
    collect_deinit(&c);
    return e;
}

enum err points_read_raw(struct observations_reader *o, struct reader *r,
                         const struct ledger_series *const *series, size_t count, int64_t from, int64_t to,
                         point_of_visit visit, void *ctx, struct diag *d)
{
    struct collect c = {.observations = o,
                        .reader = r,
                        .d = d,
                        .wanted = {.series = series, .count = count, .from = from, .to = to},
                        .settle_at = SETTLE_POINTS,
                        .max = SIZE_MAX};
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < count; i++)
        e = check_measured(series[i], d);
    if (e == ERR_OK)
        e = collect_raw(&c);
    for (size_t i = 0; e == ERR_OK && i < c.count; i++) {
        const struct ledger_series *s = series[c.at[i].series];
        e = visit(ctx, s,
                  &(struct point){c.at[i].time, c.at[i].value, NULL, s->step_s, c.at[i].position,
                                  c.at[i].received_us});
    }
    collect_deinit(&c);
    return e;
}

enum err points_read_tail(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                          point_visit visit, void *ctx, struct diag *d)
{
    const struct points_wanted nowhere = {.series = &s, .count = 1, .from = INT64_MAX, .to = INT64_MAX};
    struct collect c = {.observations = o,
                        .reader = r,
                        .d = d,
                        .wanted = {.series = &s, .count = 1, .from = INT64_MIN, .to = INT64_MAX},
                        .settle_at = SETTLE_POINTS,
                        .max = SIZE_MAX};
    struct points_runs runs = {0};
    enum err e = points_find_runs(o, r, &nowhere, &runs, d);
    for (size_t i = 0; e == ERR_OK && i < runs.count; i++)
        e = read_run(&c, &runs.at[i]);
    for (size_t i = 0; e == ERR_OK && i < c.count; i++)
        e = visit(ctx, &(struct point){.time = c.at[i].time});
    free(runs.at);
    collect_deinit(&c);
    return e;
}
