// Until the collector keeps local-day totals, sums of measurements are made here from the exact points. One
// entry per (series, first day) holds the tally of the settled days; only the live tail is read again.

#include "dashboards/totals.h"
#include "store/rollup.h"
#include <pthread.h>
#include <stdlib.h>

#define BLOCK_DAYS   16
#define BLOCK_POINTS 200000
#define LIVE_DAYS    2
#define LIVE_US      (5 * US_PER_S)
#define SETTLED_US   (600 * US_PER_S)
#define ENTRIES_MAX  4096

struct part {
    struct tally tally;
    int64_t first_s;
    int64_t at_us; // when it was read; 0: never
};

struct entry {
    int64_t series_id;
    int32_t from;
    int32_t settled_to; // the settled part ends before this day
    struct part settled, live;
};

struct totals {
    pthread_mutex_t lock;
    size_t count;
    struct entry *entries; // few hundred; searched in order
};

enum err totals_create(struct totals **out)
{
    struct totals *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    pthread_mutex_init(&t->lock, NULL);
    *out = t;
    return ERR_OK;
}

void totals_destroy(struct totals *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t->entries);
    free(t);
}

static void part_add(struct part *p, struct figure value, int64_t begins_s)
{
    if (p->tally.count == 0 && value.kind != FIGURE_MISSING)
        p->first_s = begins_s;
    tally_add(&p->tally, value);
}

static enum err add_point(void *ctx, const struct point *p)
{
    struct part *part = ctx;
    if (!p->cell) {
        part_add(part, p->value, p->time - p->span_s);
        return ERR_OK;
    }
    if (part->tally.count == 0 && p->cell->known > 0)
        part->first_s = p->time - p->span_s;
    rollup_cell_tally(p->cell, &part->tally);
    return ERR_OK;
}

// Points of the days [from, to).
static enum err read_days(const struct readers *store, const struct board_row *row, int32_t from, int32_t to,
                          struct part *p, struct diag *d)
{
    enum err e = ERR_OK;
    for (int32_t day = from; day < to && !e; day += BLOCK_DAYS) {
        int32_t end = day + BLOCK_DAYS < to ? day + BLOCK_DAYS : to;
        e = points_read(store->observations, store->reader, &row->series, (int64_t)day * 86400,
                        (int64_t)end * 86400, BLOCK_POINTS, add_point, p, d);
    }
    return e;
}

// A copy of the entry, or a fresh one.
static struct entry look_up(struct totals *t, int64_t series_id, int32_t from)
{
    struct entry found = {.series_id = series_id, .from = from};
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->count; i++)
        if (t->entries[i].series_id == series_id && t->entries[i].from == from)
            found = t->entries[i];
    pthread_mutex_unlock(&t->lock);
    return found;
}

static void remember(struct totals *t, const struct entry *e)
{
    pthread_mutex_lock(&t->lock);
    size_t i = 0;
    while (i < t->count && (t->entries[i].series_id != e->series_id || t->entries[i].from != e->from))
        i++;
    if (!t->entries)
        t->entries = calloc(ENTRIES_MAX, sizeof *t->entries);
    if (i == t->count && i == ENTRIES_MAX)
        i = (size_t)e->series_id % ENTRIES_MAX; // full: one is forgotten
    if (t->entries) {
        t->entries[i] = *e;
        t->count = i < t->count ? t->count : i + 1;
    }
    pthread_mutex_unlock(&t->lock);
}

// Brings both parts up to date; the days after `to` are never in them, since `to` is never before today here.
static enum err refresh(struct site *s, const struct readers *store, const struct board_row *row,
                        struct entry *entry, struct diag *d)
{
    int64_t now_us = site_now_us(s);
    int32_t today = (int32_t)(now_us / US_PER_S / 86400), live_from = today - LIVE_DAYS + 1;
    if (live_from < entry->from)
        live_from = entry->from;
    enum err e = ERR_OK;
    if (!entry->settled.at_us || entry->settled_to != live_from ||
        now_us - entry->settled.at_us > SETTLED_US) {
        struct part p = {.at_us = now_us};
        e = read_days(store, row, entry->from, live_from, &p, d);
        entry->settled = p;
        entry->settled_to = live_from;
        entry->live.at_us = 0;
    }
    if (!e && (!entry->live.at_us || now_us - entry->live.at_us > LIVE_US)) {
        struct part p = {.at_us = now_us};
        e = read_days(store, row, live_from, today + 2, &p, d);
        entry->live = p;
    }
    return e;
}

enum err totals_sum(struct site *s, const struct readers *store, const struct board_row *row, int32_t from,
                    struct total *out, struct diag *d)
{
    struct entry entry = look_up(s->totals, row->series.series_id, from);
    enum err e = refresh(s, store, row, &entry, d);
    if (e)
        return e;
    remember(s->totals, &entry);
    struct tally all = {0};
    tally_add(&all, tally_sum(&entry.settled.tally));
    tally_add(&all, tally_sum(&entry.live.tally));
    out->sum = tally_sum(&all);
    out->first_s = entry.settled.tally.count ? entry.settled.first_s : entry.live.first_s;
    return ERR_OK;
}
