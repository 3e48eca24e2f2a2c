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
};

struct found_cell {
    struct wire_rollup_cell cell;
    int64_t time;
    struct figure value;
    uint32_t span_s;
    int64_t received_us;
};

struct found { // of one series
    struct found_point *at;
    size_t count, capacity;
    struct found_cell *cells;
    size_t cell_count, cell_capacity;
};

struct collect {
    struct observations_reader *observations;
    struct reader *reader;
    struct diag *d;
    struct points_wanted wanted;
    int64_t as_of_us; // 0: now
    size_t max;
    struct found *of;        // as wanted.series
    size_t count, settle_at; // points and cells of all
    uint32_t last;           // the series found last
};

static int by_time_ledger(const void *a, const void *b)
{
    const struct found_point *x = a;
    const struct found_point *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool is_rising(const struct found *f)
{
    for (size_t i = 1; i < f->count; i++)
        if (f->at[i].time <= f->at[i - 1].time)
            return false;
    return true;
}

// Of each time the last in ledger order stays.
static void settle(struct found *f)
{
    size_t kept = 0;
    if (is_rising(f)) // nearly always
        return;
    qsort(f->at, f->count, sizeof *f->at, by_time_ledger);
    for (size_t i = 1; i < f->count; i++) {
        if (f->at[i].time != f->at[kept].time)
            kept++;
        f->at[kept] = f->at[i];
    }
    f->count = kept + 1;
}

static enum err settle_all(struct collect *c)
{
    c->count = 0;
    for (size_t i = 0; i < c->wanted.count; i++) {
        settle(&c->of[i]);
        c->count += c->of[i].count + c->of[i].cell_count;
    }
    c->settle_at = 2 * c->count > SETTLE_POINTS ? 2 * c->count : SETTLE_POINTS;
    if (c->settle_at > c->max && c->max > SETTLE_POINTS) // no more memory than that, or little more
        c->settle_at = c->count < c->max / 8 * 7 ? c->max : c->max + c->max / 8;
    return c->count <= c->max
               ? ERR_OK
               : diag_fail(c->d, ERR_TOO_BIG, "more than %zu points: ask for a shorter time", c->max);
}

// ---- raw rows
// ------------------------------------------------------------------------------------------------------

static bool find_series(struct collect *c, int64_t series_id, struct found **out)
{
    const struct points_wanted *w = &c->wanted;
    size_t low = 0, high = w->count;
    // A batch names its series in turn, as a rule.
    uint32_t next = c->last + 1 < w->count ? c->last + 1 : 0;
    if (w->series[next]->series_id == series_id)
        low = high = next;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->series[middle]->series_id < series_id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == w->count || w->series[low]->series_id != series_id)
        return false;
    c->last = (uint32_t)low;
    *out = &c->of[low];
    return true;
}

static enum err take_sample(void *ctx, const struct reader_sample *s)
{
    struct collect *c = ctx;
    struct found *f = NULL;
    if (s->time <= c->wanted.from || s->time > c->wanted.to ||
        (c->as_of_us && s->received_us > c->as_of_us) || !find_series(c, s->series->series_id, &f))
        return ERR_OK;
    // Repeats and corrections of one time may be any number; only the last takes room, and counts towards the
    // limit.
    enum err e = c->count >= c->settle_at ? settle_all(c) : ERR_OK;
    if (e != ERR_OK)
        return e;
    void *at = f->at;
    e = points_reserve(&at, f->count, &f->capacity, sizeof *f->at);
    f->at = at;
    if (e != ERR_OK)
        return e;
    f->at[f->count++] =
        (struct found_point){s->time, reader_own_value(s), s->received_us, s->position, s->index};
    c->count++;
    return ERR_OK;
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
    return e == ERR_OK ? settle_all(c) : e;
}

// ---- roll-ups
// ------------------------------------------------------------------------------------------------------

struct rollups {
    struct collect *c;
    struct found *of;
};

static enum err take_rollup(void *ctx, const struct reader_rollup *r)
{
    const struct rollups *into = ctx;
    struct collect *c = into->c;
    struct found *f = into->of;
    for (size_t i = 0; i < r->rollup->count; i++) {
        const struct wire_rollup_cell *cell = &r->rollup->cells[i];
        int64_t end = rollup_cell_end(r->rollup, cell);
        if (end <= c->wanted.from || end > c->wanted.to)
            continue;
        void *at = f->cells;
        enum err e = points_reserve(&at, f->cell_count, &f->cell_capacity, sizeof *f->cells);
        f->cells = at;
        if (e != ERR_OK)
            return e;
        f->cells[f->cell_count++] = (struct found_cell){*cell, end, rollup_cell_value(r->rollup, cell),
                                                        r->rollup->cell_s, r->received_us};
    }
    return f->cell_count <= c->max ? ERR_OK : settle_all(c);
}

static enum err collect_cells(struct collect *c, int64_t rolled_s)
{
    int64_t end = c->wanted.to < rolled_s ? c->wanted.to : rolled_s;
    int64_t begin = c->wanted.from > FIRST_S ? c->wanted.from : FIRST_S;
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < c->wanted.count; i++) {
        struct rollups into = {c, &c->of[i]};
        e = reader_rollups(c->reader, c->wanted.series[i]->series_id, rollup_month_of(begin + 1), end,
                           take_rollup, &into, c->d);
        c->count += c->of[i].cell_count;
        if (e == ERR_OK && c->count > c->max)
            e = settle_all(c);
    }
    return e;
}

static enum err collect_once(struct collect *c, int64_t rolled_s)
{
    const int64_t from = c->wanted.from;
    enum err e = ERR_OK;
    c->count = 0;
    c->settle_at = SETTLE_POINTS;
    for (size_t i = 0; i < c->wanted.count; i++)
        c->of[i].count = c->of[i].cell_count = 0;
    if (rolled_s && from < rolled_s) {
        e = collect_cells(c, rolled_s);
        c->wanted.from = rolled_s;
    }
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

// ---- the calls
// -----------------------------------------------------------------------------------------------------

static enum err collect_init(struct collect *c)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < c->wanted.count; i++)
        if (c->wanted.series[i]->class != WIRE_MEASUREMENT)
            e = diag_fail(c->d, ERR_INVALID, "%s is not a measured series", c->wanted.series[i]->name);
    c->settle_at = SETTLE_POINTS;
    if (e == ERR_OK && !(c->of = calloc(c->wanted.count + 1, sizeof *c->of)))
        e = diag_fail(c->d, ERR_NOMEM, "out of memory");
    return e;
}

static void collect_deinit(struct collect *c)
{
    for (size_t i = 0; c->of && i < c->wanted.count; i++) {
        free(c->of[i].at);
        free(c->of[i].cells);
    }
    free(c->of);
}

static enum err visit_found(const struct found *f, const struct ledger_series *s, point_of_visit visit,
                            void *ctx)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < f->cell_count; i++) {
        const struct found_cell *p = &f->cells[i];
        e = visit(ctx, s, &(struct point){p->time, p->value, &p->cell, p->span_s, 0, p->received_us});
    }
    for (size_t i = 0; e == ERR_OK && i < f->count; i++) {
        const struct found_point *p = &f->at[i];
        e = visit(ctx, s, &(struct point){p->time, p->value, NULL, s->step_s, p->position, p->received_us});
    }
    return e;
}

static enum err read_points(struct collect *c, bool raw, point_of_visit visit, void *ctx)
{
    enum err e = collect_init(c);
    if (e == ERR_OK && c->wanted.from < c->wanted.to)
        e = raw ? collect_raw(c) : collect(c);
    for (size_t i = 0; e == ERR_OK && i < c->wanted.count; i++)
        e = visit_found(&c->of[i], c->wanted.series[i], visit, ctx);
    collect_deinit(c);
    return e;
}

struct one {
    point_visit visit;
    void *ctx;
};

static enum err visit_one(void *ctx, const struct ledger_series *s, const struct point *p)
{
    const struct one *one = ctx;
    (void)s;
    return one->visit(one->ctx, p);
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
    struct one one = {visit, ctx};
    return read_points(&c, false, visit_one, &one);
}

enum err points_read_many(struct observations_reader *o, struct reader *r,
                          const struct ledger_series *const *series, size_t count, int64_t from, int64_t to,
                          size_t max_points, point_of_visit visit, void *ctx, struct diag *d)
{
    struct collect c = {.observations = o,
                        .reader = r,
                        .d = d,
                        .wanted = {.series = series, .count = count, .from = from, .to = to},
                        .max = max_points};
    return read_points(&c, false, visit, ctx);
}

enum err points_read_raw(struct observations_reader *o, struct reader *r,
                         const struct ledger_series *const *series, size_t count, int64_t from, int64_t to,
                         point_of_visit visit, void *ctx, struct diag *d)
{
    struct collect c = {.observations = o,
                        .reader = r,
                        .d = d,
                        .wanted = {.series = series, .count = count, .from = from, .to = to},
                        .max = SIZE_MAX};
    return read_points(&c, true, visit, ctx);
}

// In the order of the ledger, repeats of a time included.
enum err points_read_tail(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                          point_visit visit, void *ctx, struct diag *d)
{
    const struct points_wanted nowhere = {.series = &s, .count = 1, .from = INT64_MAX, .to = INT64_MAX};
    struct collect c = {.observations = o,
                        .reader = r,
                        .d = d,
                        .wanted = {.series = &s, .count = 1, .from = INT64_MIN, .to = INT64_MAX},
                        .max = SIZE_MAX};
    struct points_runs runs = {0};
    enum err e = collect_init(&c);
    if (e == ERR_OK)
        e = points_find_runs(o, r, &nowhere, &runs, d);
    for (size_t i = 0; e == ERR_OK && i < runs.count; i++)
        e = read_run(&c, &runs.at[i]);
    for (size_t i = 0; e == ERR_OK && i < c.of[0].count; i++)
        e = visit(ctx, &(struct point){.time = c.of[0].at[i].time});
    free(runs.at);
    collect_deinit(&c);
    return e;
}
