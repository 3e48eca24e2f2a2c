// Trend lines are drawn here from exact points, as SVG inside the page: they take the page's colours in light
// and dark and cost no graph worker.

#include "base/clock.h"
#include "base/crypto.h"
#include "dashboards/pages/tile.h"
#include "kpi/tally.h"
#include "store/rollup.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TREND_POINTS  40
#define TREND_SECONDS 86400
#define TREND_PERIODS 36

struct trend {
    int64_t from, span; // x of a point: (time − from) / span
    struct tally cells[TREND_POINTS];
    struct figure means[TREND_POINTS];
};

static struct tally *cell_at(struct trend *t, int64_t time)
{
    bool inside = time > t->from && time <= t->from + t->span;
    return inside ? &t->cells[(time - t->from - 1) * TREND_POINTS / t->span] : NULL;
}

static enum err add_point(void *ctx, const struct point *p)
{
    struct tally *cell = cell_at(ctx, p->time);
    if (cell && p->cell)
        rollup_cell_tally(p->cell, cell);
    else if (cell)
        tally_add(cell, p->value);
    return ERR_OK;
}

static enum err add_observation(void *ctx, const struct observation *o)
{
    struct tally *cell = cell_at(ctx, o->period_start + 1);
    if (cell)
        tally_add(cell, o->value);
    return ERR_OK;
}

static enum err load(struct page *p, const struct board_row *r, struct trend *t)
{
    if (r->series.class != WIRE_REPORT) {
        int64_t end = r->latest.time, step = r->series.step_s;
        t->span = TREND_SECONDS > TREND_POINTS * step ? TREND_SECONDS : TREND_POINTS * step;
        t->from = end - t->span;
        return points_read(p->store.observations, p->store.reader, &r->series, t->from, end, 20000, add_point,
                           t, NULL);
    }
    static const int32_t days[] = {
        [PERIOD_DAY] = 2, [PERIOD_MONTH] = 31, [PERIOD_QUARTER] = 92, [PERIOD_YEAR] = 366};
    int32_t end = (int32_t)r->latest.time + 1, span = days[r->series.period] * TREND_PERIODS;
    struct observation_query q = {.series_id = r->series.series_id, .from = end - span, .to = end};
    t->span = span;
    t->from = end - span;
    return observations_query(p->store.observations, &q, add_observation, t, NULL);
}

// A day of 10-second figures is not decoded again for each view: the means are kept for ten minutes, a
// quarter of a cell.
static enum err load_means(struct page *p, const struct board_row *r, struct trend *t)
{
    uint8_t key[HASH_BYTES];
    int64_t of[3] = {r->series.series_id,
                     r->series.class == WIRE_REPORT ? (int64_t)r->latest.position : r->latest.time / 600,
                     INT64_C(0x7472656e64)};
    crypto_digest(&(struct hash_part){of, sizeof of}, 1, key);
    struct blob *kept = cache_find(p->site->cache, key);
    if (kept) {
        memcpy(t->means, kept->bytes, sizeof t->means);
        blob_release(kept);
        return ERR_OK;
    }
    enum err e = load(p, r, t);
    for (size_t i = 0; i < TREND_POINTS && !e; i++)
        t->means[i] = tally_average(&t->cells[i]);
    char *bytes = e ? NULL : malloc(sizeof t->means);
    if (!bytes)
        return e;
    memcpy(bytes, t->means, sizeof t->means);
    struct blob *b = blob_create(bytes, sizeof t->means);
    if (b)
        cache_put(p->site->cache, key, b);
    blob_release(b);
    return ERR_OK;
}

// Points "x,y x,y" of the known cells; false when there are fewer than two.
static bool plot(const struct trend *t, int width, int height, char *out, size_t size, struct figure *low,
                 struct figure *high)
{
    struct tally all = {0};
    size_t used = 0, n = 0;
    for (size_t i = 0; i < TREND_POINTS; i++)
        tally_add(&all, t->means[i]);
    if (all.count < 2)
        return false;
    *low = all.min;
    *high = all.max;
    double bottom = figure_to_real(all.min), range = figure_to_real(all.max) - bottom;
    out[0] = '\0';
    for (size_t i = 0; i < TREND_POINTS && used + 32 < size; i++) {
        struct figure f = t->means[i];
        if (f.kind == FIGURE_MISSING)
            continue;
        double y = range > 0 ? (figure_to_real(f) - bottom) / range : 0.5;
        used +=
            (size_t)snprintf(out + used, size - used, "%s%.1f,%.1f", n++ ? " " : "",
                             2 + (double)i * (width - 4) / (TREND_POINTS - 1), height - 3 - y * (height - 6));
    }
    return true;
}

// Of "x,y …" the x.
static void set_x(char out[16], const char *point)
{
    snprintf(out, 16, "%.*s", (int)(strcspn(point, ",") & 15), point);
}

bool tile_trend(struct page *p, const struct board_row *r, int width, int height, bool flat_too)
{
    struct trend t = {0};
    char points[TREND_POINTS * 24], title[SHOW_TEXT], from[SHOW_TEXT], to[SHOW_TEXT];
    struct figure low, high;
    if (!r->has_latest || load_means(p, r, &t) ||
        !plot(&t, width, height, points, sizeof points, &low, &high) ||
        (!flat_too && figure_equal(low, high)))
        return false;
    board_title(title, r, p->lang);
    show_short(from, low, &r->measure, p->lang);
    show_short(to, high, &r->measure, p->lang);
    html_put(p->out,
             "<svg class=\"trend\" role=\"img\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
             "preserveAspectRatio=\"none\"><title>",
             width, height, width, height);
    page_fill(p, T_TREND_ALT, title, from, to);
    char first[16], last[16]; // the ground lies below what is known, no further
    const char *end = strrchr(points, ' ');
    set_x(first, points);
    set_x(last, end ? end + 1 : points);
    html_put(p->out, "</title><polygon points=\"%s,%d %s %s,%d\"/><polyline points=\"%s\"/></svg>", first,
             height, points, last, height, points);
    return true;
}
