// Late values within what is not yet written cost nothing: they are sorted in memory. Only what is at or
// before the file's last time makes a series dirty.
#include "collector/rrd_series.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rrd_table {
    struct rrd_series **slot; // open addressing
    size_t slots;
    struct rrd_series **all;
    size_t count, capacity;
};

enum err rrd_table_create(struct rrd_table **out)
{
    struct rrd_table *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    *out = t;
    return ERR_OK;
}

void rrd_table_destroy(struct rrd_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++) {
        free(t->all[i]->values);
        free(t->all[i]);
    }
    free(t->all);
    free(t->slot);
    free(t);
}

static struct rrd_series **slot_of(const struct rrd_table *t, int64_t series_id)
{
    uint64_t h = (uint64_t)series_id * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(h >> 20) & (t->slots - 1);
    while (t->slot[at] && t->slot[at]->series_id != series_id)
        at = (at + 1) & (t->slots - 1);
    return &t->slot[at];
}

static enum err grow(struct rrd_table *t)
{
    size_t capacity = t->capacity ? t->capacity * 2 : 256;
    struct rrd_series **all = realloc(t->all, capacity * sizeof *all);
    if (!all)
        return ERR_NOMEM;
    t->all = all;
    struct rrd_series **slot = calloc(capacity * 2, sizeof *slot);
    if (!slot)
        return ERR_NOMEM;
    free(t->slot);
    t->slot = slot;
    t->slots = capacity * 2;
    t->capacity = capacity;
    for (size_t i = 0; i < t->count; i++)
        *slot_of(t, t->all[i]->series_id) = t->all[i];
    return ERR_OK;
}

enum err rrd_table_get(struct rrd_table *t, int64_t series_id, struct rrd_series **out)
{
    struct rrd_series *s = t->slots ? *slot_of(t, series_id) : NULL;
    if (!s) {
        if (t->count == t->capacity && grow(t) != ERR_OK)
            return ERR_NOMEM;
        s = calloc(1, sizeof *s);
        if (!s)
            return ERR_NOMEM;
        s->series_id = series_id;
        s->newest = RRD_TIME_NONE;
        *slot_of(t, series_id) = s;
        t->all[t->count++] = s;
    }
    *out = s;
    return ERR_OK;
}

size_t rrd_table_count(const struct rrd_table *t)
{
    return t->count;
}

struct rrd_series *rrd_table_at(const struct rrd_table *t, size_t i)
{
    return t->all[i];
}

// ---- values -------------------------------------------------------------------------------------
static size_t first_room(const struct rrd_series *s)
{
    const size_t least = 8, most = 4096;
    return s->usual < least ? least : s->usual > most ? most : s->usual;
}

enum err rrd_series_push(struct rrd_series *s, int64_t time, double value)
{
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : first_room(s);
        struct rrd_value *grown = realloc(s->values, capacity * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        s->values = grown;
        s->capacity = capacity;
    }
    s->values[s->count++] = (struct rrd_value){.time = time, .value = value};
    return ERR_OK;
}

void rrd_series_drop_values(struct rrd_series *s)
{
    free(s->values);
    s->values = NULL;
    s->usual = s->count;
    s->count = s->capacity = 0;
}

static bool is_rising(const struct rrd_series *s)
{
    for (size_t i = 1; i < s->count; i++) {
        if (s->values[i].time <= s->values[i - 1].time)
            return false;
    }
    return true;
}

struct ordered { // a value with its place, for a stable sort
    struct rrd_value v;
    size_t place;
};

static int compare(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->v.time != y->v.time)
        return x->v.time < y->v.time ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static void sort_in_place(struct rrd_series *s)
{
    // Insertion, when there is no memory for the other way: slow, never wrong.
    for (size_t i = 1; i < s->count; i++) {
        struct rrd_value v = s->values[i];
        size_t j = i;
        for (; j > 0 && s->values[j - 1].time > v.time; j--)
            s->values[j] = s->values[j - 1];
        s->values[j] = v;
    }
}

static void sort_stable(struct rrd_series *s)
{
    struct ordered *o = malloc(s->count * sizeof *o);
    if (!o) {
        sort_in_place(s);
        return;
    }
    for (size_t i = 0; i < s->count; i++)
        o[i] = (struct ordered){.v = s->values[i], .place = i};
    qsort(o, s->count, sizeof *o, compare);
    for (size_t i = 0; i < s->count; i++)
        s->values[i] = o[i].v;
    free(o);
}

size_t rrd_series_settle(struct rrd_series *s)
{
    size_t kept = 0, equal = 0;
    if (is_rising(s))
        return 0;
    sort_stable(s);
    for (size_t i = 0; i < s->count; i++) {
        if (kept > 0 && s->values[kept - 1].time == s->values[i].time) {
            equal += rrd_value_same(s->values[kept - 1].value, s->values[i].value) ? 1 : 0;
            s->values[kept - 1] = s->values[i];
        } else {
            s->values[kept++] = s->values[i];
        }
    }
    s->count = kept;
    return equal;
}

bool rrd_value_same(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b;
}

uint32_t rrd_series_step(const struct ledger_series *s)
{
    return s->class == WIRE_REPORT ? 86400 : s->step_s;
}

bool rrd_time_fits(const struct ledger_series *s, int64_t time)
{
    return time - (int64_t)rrd_series_step(s) >= INT64_C(10) * 365 * 86400;
}
