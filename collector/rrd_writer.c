// Rows are read in ledger order into values per series, then each touched file is visited once, in the order
// of the files. A visit costs nearly the same for one value as for many, so a step gathers all that has come,
// as far as its memory goes, and under load rests for some time before the next; when idle a step is one row.
// The order of the ledger decides what is late and which value wins, never the files.
#include "base/log.h"
#include "collector/rrd_state.h"
#include <stdlib.h>
#include <string.h>

enum {
    COMPLAIN_MS = 5000,
    PATROL_MS = 1000,
    PATROL_FILES = 256,
    PATROL_HEADERS = 4,
    REST_FACTOR = 8,
    REST_ROWS_MAX = 131072,
    REST_VALUES_MAX = RRD_WRITER_BYTES_MAX / 2 / (int)sizeof(struct rrd_value), // room grows by doubling
    RICH_VISIT = 64 // values: more would not make them cheaper
};

// ---- series -------------------------------------------------------------------------------------
enum err rrd_know(struct rrd_writer *w, struct rrd_series *s, struct diag *d)
{
    return s->info ? ERR_OK : reader_series(w->o.reader, s->series_id, &s->info, d);
}

static enum err reserve(struct rrd_list *list, size_t count)
{
    if (count <= list->capacity)
        return ERR_OK;
    size_t more = count < 32 ? 64 : 2 * count;
    struct rrd_series **grown = realloc(list->items, more * sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    list->items = grown;
    list->capacity = more;
    return ERR_OK;
}

enum err rrd_list_add(struct rrd_list *list, struct rrd_series *s)
{
    enum err e = reserve(list, list->count + 1);
    if (e == ERR_OK)
        list->items[list->count++] = s;
    return e;
}

enum err rrd_find(struct rrd_writer *w, int64_t series_id, struct rrd_series **out)
{
    enum err e = reserve(&w->dirty, rrd_table_count(w->table) + 1);
    return e == ERR_OK ? rrd_table_get(w->table, series_id, out) : e;
}

enum err rrd_mark_dirty(struct rrd_writer *w, struct rrd_series *s, uint64_t from, uint64_t needed)
{
    if (!s->dirty) {
        enum err e = rrd_list_add(&w->dirty, s);
        if (e != ERR_OK)
            return e;
        s->dirty = true;
        s->dirty_from = from;
    }
    if (from < s->dirty_from)
        s->dirty_from = from;
    if (needed > s->needed)
        s->needed = needed;
    s->changed = true;
    w->changed = true;
    return ERR_OK;
}

void rrd_complain(struct rrd_writer *w, const struct rrd_series *s, enum err e, const char *text)
{
    struct mono now = clock_mono(w->o.clock);
    if (w->logged_at.us != 0 && mono_diff_ms(now, w->logged_at) < COMPLAIN_MS)
        return;
    w->logged_at = now;
    log_error("rrd_file_error", F_TEXT("series", s->info ? s->info->name : ""),
              F_INT("series_id", s->series_id), F_TEXT("error", err_name(e)), F_TEXT("reason", text));
}

// ---- reading the ledger -------------------------------------------------------------------------
static enum err push(struct rrd_writer *w, struct rrd_series *s, int64_t time, double value)
{
    if (!rrd_time_fits(s->info, time)) {
        collector_count(w->o.counters, COUNTER_RRD_TOO_EARLY, 1);
        return ERR_OK;
    }
    size_t before = s->capacity;
    enum err e = rrd_series_push(s, time, value);
    w->bytes += (s->capacity - before) * sizeof *s->values;
    return e;
}

static enum err push_report(struct rrd_writer *w, struct rrd_series *s, const struct reader_sample *sample)
{
    struct rrd_value values[366];
    size_t count;
    rrd_report_values(s->info, (int32_t)sample->time, reader_own_value(sample), values, &count);
    for (size_t i = 0; i < count; i++) {
        enum err e = push(w, s, values[i].time, values[i].value);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err take_sample(void *ctx, const struct reader_sample *sample)
{
    struct rrd_writer *w = ctx;
    struct rrd_series *s;
    enum err e = rrd_find(w, sample->series->series_id, &s);
    if (e != ERR_OK || sample->position <= s->covered)
        return e;
    s->info = sample->series;
    if (s->dirty) { // the rebuild reads it from the exact points
        s->needed = sample->position;
        return ERR_OK;
    }
    if (s->count == 0 && (e = rrd_list_add(&w->touched, s)) != ERR_OK)
        return e;
    if (sample->series->class == WIRE_REPORT)
        return push_report(w, s, sample);
    return push(w, s, sample->time, figure_to_real(reader_own_value(sample)));
}

static enum err take_row(void *ctx, const struct reader_row *row)
{
    struct rrd_writer *w = ctx;
    struct diag d = {0};
    enum err e = ERR_OK;
    if (w->bytes >= RRD_WRITER_BYTES_MAX)
        return ERR_AGAIN;
    // Roll-ups say nothing new: the file had the figures they are made of, or will be rebuilt from them.
    e = reader_samples(w->o.reader, row, take_sample, w, &d);
    if (e == ERR_CORRUPT) { // verify names it; the files show what can be read
        collector_count(w->o.counters, COUNTER_PROJECTION_SKIPPED, 1);
        log_error("ledger_row_damaged", F_INT("position", row->position), F_TEXT("reason", d.text));
        e = ERR_OK;
    }
    if (e != ERR_OK)
        return e;
    w->position = row->position;
    memcpy(w->chain, row->chain, HASH_BYTES);
    w->changed = true;
    return ERR_OK;
}

static int compare_ids(const void *a, const void *b)
{
    const struct rrd_series *x = *(struct rrd_series *const *)a, *y = *(struct rrd_series *const *)b;
    return x->series_id < y->series_id ? -1 : x->series_id > y->series_id;
}

static enum err land_touched(struct rrd_writer *w)
{
    enum err first = ERR_OK;
    struct mono begun = clock_mono(w->o.clock);
    size_t values = 0;
    if (w->touched.count > 1)
        qsort(w->touched.items, w->touched.count, sizeof *w->touched.items, compare_ids);
    for (size_t i = 0; i < w->touched.count; i++) {
        values += w->touched.items[i]->count;
        enum err e = rrd_land(w, w->touched.items[i]);
        if (first == ERR_OK)
            first = e;
    }
    w->last.rows = (size_t)(w->position + 1 - w->step_from);
    w->last.visits = w->touched.count;
    w->last.values = values;
    w->last.ms = mono_diff_ms(clock_mono(w->o.clock), begun);
    w->touched.count = 0;
    w->bytes = 0;
    return first;
}

// Several short reads, so that the ledger's writer can go on with its file.
static enum err read_rows(struct rrd_writer *w, struct diag *d)
{
    struct mono begun = clock_mono(w->o.clock);
    uint64_t before, last;
    enum err e;
    do {
        before = w->position;
        e = reader_rows(w->o.reader, before, RRD_WRITER_ROWS_MAX, take_row, w, &last, d);
    } while (e == ERR_OK && w->position - before >= RRD_WRITER_ROWS_MAX &&
             mono_diff_ms(clock_mono(w->o.clock), begun) < RRD_WRITER_READ_MS);
    return e == ERR_AGAIN ? ERR_OK : e;
}

static enum err read_and_land(struct rrd_writer *w, struct diag *d)
{
    w->step_from = w->position + 1;
    enum err e = read_rows(w, d);
    enum err landed = land_touched(w);
    return e != ERR_OK ? e : landed;
}

int64_t rrd_writer_rest_ms(const struct rrd_writer *w, uint64_t *enough)
{
    const size_t values = w->last.values;
    if (values >= w->last.visits * RICH_VISIT || values >= REST_VALUES_MAX)
        return 0; // also before the first
    size_t rows = w->last.rows * REST_VALUES_MAX / (values + 1);
    *enough = w->position + (rows < REST_ROWS_MAX ? rows : REST_ROWS_MAX);
    int64_t ms = w->last.ms * REST_FACTOR;
    return ms < RRD_WRITER_REST_MS ? ms : RRD_WRITER_REST_MS;
}

// ---- rebuilding ---------------------------------------------------------------------------------
static void publish(struct rrd_writer *w)
{
    collector_gauge_set(w->o.counters, GAUGE_RRD_DIRTY, (int64_t)w->dirty.count);
    collector_gauge_set(w->o.counters, GAUGE_RRD_POSITION, (int64_t)rrd_writer_landed(w));
    collector_gauge_set(w->o.counters, GAUGE_RRD_STORED_POSITION, (int64_t)w->stored_position);
}

enum err rrd_writer_rebuild(struct rrd_writer *w, const char *name, uint64_t *count, struct diag *d)
{
    size_t before = w->dirty.count;
    enum err e;
    w->mark_from = w->position + 1;
    if (name[0]) {
        const struct ledger_series *info;
        e = reader_series_by_name(w->o.reader, name, &info, d);
        if (e == ERR_OK)
            e = rrd_mark_named(w, info);
        *count = 1;
    } else {
        e = reader_series_list(w->o.reader, "", rrd_mark_named, w, d);
        *count = w->dirty.count;
    }
    publish(w); // before the answer: who asked waits until none is dirty
    return e == ERR_NOT_FOUND && w->dirty.count == before ? diag_fail(d, e, "no series is named '%s'", name)
                                                          : e;
}

// ---- the patrol: damage is found in files that nothing is written to, too -----------------------
static enum err patrol_headers(struct rrd_writer *w)
{
    size_t count = rrd_table_count(w->table);
    for (size_t i = 0; i < count && i < PATROL_HEADERS; i++) {
        struct rrd_series *s = rrd_table_at(w->table, w->header_at++ % count);
        enum err e = s->dirty || !s->info ? ERR_OK : rrd_check_header(w, s);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err patrol(struct rrd_writer *w)
{
    struct mono now = clock_mono(w->o.clock);
    size_t count = rrd_table_count(w->table);
    if (mono_diff_ms(now, w->patrolled_at) < PATROL_MS || w->position < w->replay_to)
        return ERR_OK;
    w->patrolled_at = now;
    w->step_from = w->position + 1;
    for (size_t i = 0; i < count && i < PATROL_FILES; i++) {
        struct diag d = {0};
        struct rrd_series *s = rrd_table_at(w->table, w->patrol_at++ % count);
        enum err e = s->dirty ? ERR_OK : rrd_know(w, s, &d);
        if (e == ERR_OK && !s->dirty)
            e = rrd_check(w, s);
        if (e != ERR_OK && e != ERR_NOT_FOUND)
            return e;
    }
    return patrol_headers(w);
}

// ---- steps --------------------------------------------------------------------------------------
enum err rrd_writer_step(struct rrd_writer *w, size_t *did, struct diag *d)
{
    uint64_t before = w->position;
    size_t rebuilt = 0;
    enum err e = read_and_land(w, d);
    *did = (size_t)(w->position - before);
    if (e == ERR_OK)
        e = rrd_rebuild_due(w, &rebuilt, d);
    *did += rebuilt;
    if (e == ERR_OK && *did == 0)
        e = patrol(w);
    if (e == ERR_OK && w->changed &&
        mono_diff_ms(clock_mono(w->o.clock), w->stored_at) >= RRD_WRITER_STORE_S * 1000)
        e = rrd_store(w, false, d);
    publish(w);
    return e;
}

uint64_t rrd_writer_landed(const struct rrd_writer *w)
{
    uint64_t landed = w->position;
    for (size_t i = 0; i < w->dirty.count; i++) {
        if (w->dirty.items[i]->dirty_from <= landed)
            landed = w->dirty.items[i]->dirty_from ? w->dirty.items[i]->dirty_from - 1 : 0;
    }
    return landed;
}

uint64_t rrd_writer_position(const struct rrd_writer *w)
{
    return w->position;
}

bool rrd_writer_owes(const struct rrd_writer *w, uint64_t position)
{
    return w->position < position;
}

size_t rrd_writer_dirty(const struct rrd_writer *w)
{
    return w->dirty.count;
}

void rrd_writer_hurry(struct rrd_writer *w)
{
    for (size_t i = 0; i < w->dirty.count; i++)
        w->dirty.items[i]->rebuild_after = (struct mono){0};
}

void rrd_writer_use(struct rrd_writer *w, struct observations_reader *observations)
{
    w->o.observations = observations;
}
