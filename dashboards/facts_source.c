// The callbacks are thin: what is added is decided in facts.c, what is read by the stores.
#include "dashboards/facts_source.h"
#include "base/clock.h"
#include "dashboards/points.h"
#include "dashboards/totals.h"
#include "kpi/period.h"
#include "kpi/tally.h"
#include "store/sums.h"

#define LONGEST_PERIOD_DAYS 366
#define LOOKED_AT_MAX       100000
#define DAY_S               INT64_C(86400)
#define HOUR_S              3600
#define LIVE_MS             5000   // a sum is kept, of the last two days
#define SETTLED_MS          60000  // of those before
#define TIMES               20     // as long as it took, where that is more
#define FIRST_KEPT_MS       600000 // where a span's figures begin

struct adding {
    const struct board_row *row;
    int32_t to; // of reports
    struct tally tally;
    int64_t first_s, known_s;
};

// Reports are asked for by the day their period starts on; what reaches beyond the span is not of it.
static bool ends_by(const struct board_row *row, const struct observation *o, int32_t to)
{
    return period_end((struct period){(enum period_kind)row->series.period, o->period_start}) <= to;
}

static int64_t period_s(const struct board_row *row, const struct observation *o)
{
    struct period p = {(enum period_kind)row->series.period, o->period_start};
    return (period_end(p) - p.start) * DAY_S;
}

static enum err add_report(void *ctx, const struct observation *o)
{
    struct adding *a = ctx;
    if (!ends_by(a->row, o, a->to))
        return ERR_OK;
    struct figure own = observation_own_value(o, a->row->series.currency);
    if (own.kind == FIGURE_MISSING && o->value.kind != FIGURE_MISSING && o->status != WIRE_MISSING)
        return ERR_CONFLICT; // of another currency
    if (a->tally.count == 0 && own.kind != FIGURE_MISSING)
        a->first_s = (int64_t)o->period_start * DAY_S;
    if (own.kind != FIGURE_MISSING)
        a->known_s += period_s(a->row, o);
    tally_add(&a->tally, own);
    return ERR_OK;
}

static enum err sum_reports(const struct fact_totals *t, int32_t from, int32_t to, struct adding *a)
{
    struct observation_query q = {.series_id = a->row->series.series_id, .from = from, .to = to};
    as_of_apply(&t->as_of, &q);
    return observations_query(t->store->observations, &q, add_report, a, NULL);
}

static enum err note_first(void *ctx, const struct point *p)
{
    struct adding *a = ctx;
    if (p->cell ? p->cell->known == 0 : p->value.kind == FIGURE_MISSING)
        return ERR_OK;
    a->first_s = p->time - p->span_s;
    return ERR_EXISTS; // that is all
}

// By hours, since it mostly is in the first.
static enum err read_first(const struct fact_totals *t, const struct zone *zone, int32_t day,
                           struct adding *a)
{
    int64_t end = zone_midnight(zone, day + 1);
    enum err e = ERR_OK;
    a->first_s = zone_midnight(zone, day);
    for (int64_t at = a->first_s; at < end && e == ERR_OK; at += HOUR_S)
        e = points_read_as_of(t->store->observations, t->store->reader, &a->row->series, at, at + HOUR_S,
                              t->as_of.us, LOOKED_AT_MAX, note_first, a, NULL);
    return e == ERR_EXISTS ? ERR_OK : e;
}

// When in the day, which holds a figure, the first one's step begins. It seldom changes.
static enum err find_first(const struct fact_totals *t, const struct zone *zone, int32_t day,
                           struct adding *a)
{
    struct total_key key = {t->store->edition, a->row->series.series_id, day, day};
    struct mono began = clock_mono(t->site->clock);
    struct total kept = {0};
    bool now = t->as_of.us == 0, found = now && totals_kept(t->site->totals, &key, began, &kept);
    enum err e = found ? ERR_OK : read_first(t, zone, day, a);
    if (found)
        a->first_s = kept.first_s;
    kept.first_s = a->first_s;
    if (e == ERR_OK && !found && now)
        totals_keep(t->site->totals, &key, began, FIRST_KEPT_MS, &kept);
    return e;
}

// Where figures of then are not kept, there is no sum: a part of it would pass for the whole.
static enum err sum_measured(struct fact_totals *t, int32_t from, int32_t to, struct adding *a)
{
    const struct ledger_series *s = &a->row->series;
    const struct zone *zone = a->row->park ? site_zone(t->site, a->row->park) : NULL;
    struct span span = {.kind = SPAN_DAY, .first = from, .end = to};
    struct sums_query q = {.series = s,
                           .zone = zone,
                           .spans = &span,
                           .count = 1,
                           .as_of_us = t->as_of.us,
                           .points_max = POINTS_READ_MAX,
                           .points_read = &t->points};
    struct span_sum sum = {0};
    enum err e = sums_read(t->store->observations, t->store->reader, &q, &sum, NULL);
    a->tally = sum.tally;
    a->known_s = (int64_t)sum.known * s->step_s;
    if (e == ERR_OK && !span_sum_whole(&sum))
        return ERR_CORRUPT;
    return e == ERR_OK && sum.known > 0 ? find_first(t, zone, sum.first_day, a) : e;
}

static enum err add_kept(struct fact_totals *t, int32_t from, int32_t to, int64_t for_ms, struct adding *a)
{
    struct total_key key = {t->store->edition, a->row->series.series_id, from, to};
    struct mono began = clock_mono(t->site->clock);
    struct adding part = {.row = a->row};
    struct total total;
    enum err e = ERR_OK;
    if (from >= to)
        return ERR_OK;
    if (!totals_kept(t->site->totals, &key, began, &total)) {
        e = sum_measured(t, from, to, &part);
        struct mono ended = clock_mono(t->site->clock);
        int64_t took_ms = mono_diff_ms(ended, began);
        total = (struct total){part.tally, part.first_s, part.known_s};
        if (e == ERR_OK)
            totals_keep(t->site->totals, &key, ended, took_ms * TIMES > for_ms ? took_ms * TIMES : for_ms,
                        &total);
    }
    if (a->tally.count == 0)
        a->first_s = total.first_s;
    a->known_s += total.known_s;
    tally_merge(&a->tally, &total.tally);
    return e;
}

// The last two days by themselves: what came before them seldom changes.
static enum err sum_kept(struct fact_totals *t, int32_t from, int32_t to, struct adding *a)
{
    const struct zone *zone = a->row->park ? site_zone(t->site, a->row->park) : NULL;
    int32_t live = zone_day(zone, site_now_us(t->site) / US_PER_S) - 1;
    if (live < from)
        live = from;
    if (live > to)
        live = to;
    enum err e = add_kept(t, from, live, SETTLED_MS, a);
    return e == ERR_OK ? add_kept(t, live, to, LIVE_MS, a) : e;
}

enum err fact_totals_sum(void *ctx, const struct board_row *row, int32_t from, int32_t to, struct figure *sum,
                         struct fact_known *known)
{
    struct fact_totals *t = ctx;
    struct adding a = {.row = row, .to = to};
    enum err e = row->series.class == WIRE_REPORT ? sum_reports(t, from, to, &a)
                 : from >= to                     ? ERR_OK
                 : t->as_of.us == 0               ? sum_kept(t, from, to, &a)
                                                  : sum_measured(t, from, to, &a);
    *sum = tally_sum(&a.tally);
    *known = (struct fact_known){a.first_s, a.known_s};
    return e;
}

// ---- other currencies
// ------------------------------------------------------------------------------------------------------
struct converting {
    struct money money;
    const struct board_row *row;
    int32_t to;
    struct tally tally;
    struct fact_known known;
    struct conversion by;
};

static enum err add_converted(void *ctx, const struct observation *o)
{
    struct converting *c = ctx;
    if (!ends_by(c->row, o, c->to))
        return ERR_OK;
    struct figure own = o->status == WIRE_MISSING ? figure_missing() : o->value;
    struct money_figure f = money_report(&c->money, c->row, o->currency, o->period_start, own);
    if (f.lacking)
        return ERR_NOT_FOUND;
    if (c->tally.count == 0 && f.value.kind != FIGURE_MISSING)
        c->known.first_s = (int64_t)o->period_start * DAY_S;
    if (f.value.kind != FIGURE_MISSING)
        c->known.known_s += period_s(c->row, o);
    tally_add(&c->tally, f.value);
    if (f.converted)
        c->by = f.by;
    return ERR_OK;
}

enum err fact_totals_convert(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                             const struct currency *currency, struct figure *sum, struct fact_known *known,
                             struct conversion *by)
{
    struct fact_totals *t = ctx;
    struct converting c = {.row = row, .to = to};
    struct observation_query q = {.series_id = row->series.series_id, .from = from, .to = to};
    if (row->series.class != WIRE_REPORT || !row->measure.currency)
        return ERR_NOT_FOUND;
    as_of_apply(&t->as_of, &q);
    int64_t rates_us = t->as_of.by_published ? 0 : t->as_of.us;
    enum err e = t->book ? ERR_OK : observations_rate_book(t->store->observations, rates_us, &t->book, NULL);
    c.money = (struct money){currency, t->book};
    if (e == ERR_OK)
        e = observations_query(t->store->observations, &q, add_converted, &c, NULL);
    if (e != ERR_OK)
        return e;
    *sum = tally_sum(&c.tally);
    *known = c.known;
    *by = c.by;
    return ERR_OK;
}

// ---- the first figure of a level
// ---------------------------------------------------------------------------------------------
struct finding {
    const struct board_row *row;
    const struct zone *zone;
    int32_t day;
    struct latest *out;
};

// Returns AGAIN to stop at the first one.
static enum err found(struct finding *f, int64_t time, struct figure value)
{
    struct board_row then = *f->row;
    then.latest.time = time;
    if (value.kind == FIGURE_MISSING || board_latest_end_day(&then, f->zone) < f->day)
        return ERR_OK;
    *f->out = (struct latest){.series_id = f->row->series.series_id, .time = time, .value = value};
    return ERR_AGAIN;
}

static enum err find_report(void *ctx, const struct observation *o)
{
    struct finding *f = ctx;
    struct figure own = observation_own_value(o, f->row->series.currency);
    return found(f, o->period_start, o->status == WIRE_MISSING ? figure_missing() : own);
}

static enum err find_point(void *ctx, const struct point *p)
{
    return found(ctx, p->time, p->value);
}

// A measured level begins with its series, or is looked for in the two days from the asked one on. A day of
// UTC touches three.
static enum err first_measured(const struct fact_totals *t, struct finding *f)
{
    int32_t begins = f->day;
    const struct ledger_series *s = &f->row->series;
    enum err e = observations_first_day(t->store->observations, t->store->reader, s, &begins, NULL);
    if (e != ERR_OK)
        return e;
    int64_t from = zone_midnight(f->zone, begins - 1 > f->day ? begins - 1 : f->day);
    return points_read_as_of(t->store->observations, t->store->reader, s, from - 1, from + 3 * DAY_S,
                             t->as_of.us, LOOKED_AT_MAX, find_point, f, NULL);
}

enum err fact_totals_first(void *ctx, const struct board_row *row, int32_t day, struct latest *out)
{
    const struct fact_totals *t = ctx;
    struct finding f = {row, row->park ? site_zone(t->site, row->park) : NULL, day, out};
    struct observation_query q = {.series_id = row->series.series_id,
                                  .from = day - LONGEST_PERIOD_DAYS,
                                  .to = (int32_t)row->latest.time + 1};
    as_of_apply(&t->as_of, &q);
    enum err e = row->series.class == WIRE_REPORT
                     ? observations_query(t->store->observations, &q, find_report, &f, NULL)
                     : first_measured(t, &f);
    return e == ERR_AGAIN ? ERR_OK : e == ERR_OK ? ERR_NOT_FOUND : e;
}

struct fact_source fact_totals_source(struct fact_totals *ctx, const struct park *park, const struct board *b)
{
    int64_t moment_us = as_of_moment_us(&ctx->as_of, site_now_us(ctx->site));
    const struct zone *zone = site_zone(ctx->site, park);
    return (struct fact_source){.park = park,
                                .zone = zone,
                                .today = zone_day(zone, moment_us / US_PER_S),
                                .catalogue = ctx->site->catalogue,
                                .viewer = ctx->store->viewer,
                                .rows = b->rows,
                                .count = b->count,
                                .sum = fact_totals_sum,
                                .convert = fact_totals_convert,
                                .first = fact_totals_first,
                                .ctx = ctx};
}

void fact_totals_close(struct fact_totals *t)
{
    rate_book_destroy(t->book);
    t->book = NULL;
}
