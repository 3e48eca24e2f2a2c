// The callbacks are thin: what is added is decided in facts.c, what is read by the stores.
#include "dashboards/facts_source.h"
#include "base/clock.h"
#include "dashboards/points.h"
#include "dashboards/totals.h"
#include "kpi/tally.h"
#include "store/sums.h"

#define LONGEST_PERIOD_DAYS 366
#define LOOKED_AT_MAX       100000
#define DAY_S               INT64_C(86400)

struct adding {
    const struct board_row *row;
    struct tally tally;
    int64_t first_s;
};

static enum err add_report(void *ctx, const struct observation *o)
{
    struct adding *a = ctx;
    struct figure own = observation_own_value(o, a->row->series.currency);
    if (own.kind == FIGURE_MISSING && o->value.kind != FIGURE_MISSING && o->status != WIRE_MISSING)
        return ERR_CONFLICT; // of another currency
    if (a->tally.count == 0 && own.kind != FIGURE_MISSING)
        a->first_s = (int64_t)o->period_start * DAY_S;
    tally_add(&a->tally, own);
    return ERR_OK;
}

static enum err sum_reports(const struct fact_totals *t, int32_t from, int32_t to, struct adding *a)
{
    struct observation_query q = {.series_id = a->row->series.series_id, .from = from, .to = to};
    as_of_apply(&t->as_of, &q);
    return observations_query(t->store->observations, &q, add_report, a, NULL);
}

// Where figures of then are not kept, there is no sum: a part of it would pass for the whole.
static enum err sum_measured_then(struct fact_totals *t, int32_t from, int32_t to, struct adding *a)
{
    const struct ledger_series *s = &a->row->series;
    const struct zone *zone = a->row->park ? site_zone(t->site, a->row->park) : NULL;
    int32_t begins;
    enum err e = observations_first_day(t->store->observations, t->store->reader, s, &begins, NULL);
    if (e != ERR_OK || begins >= to)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    struct span span = {.kind = SPAN_DAY, .first = begins > from ? begins : from, .end = to};
    struct sums_query q = {.series = s,
                           .zone = zone,
                           .spans = &span,
                           .count = 1,
                           .as_of_us = t->as_of.us,
                           .points_max = POINTS_READ_MAX,
                           .points_read = &t->points};
    struct span_sum sum = {0};
    e = sums_read(t->store->observations, t->store->reader, &q, &sum, NULL);
    a->tally = sum.tally;
    a->first_s = zone_midnight(zone, span.first);
    return e == ERR_OK && !span_sum_whole(&sum) ? ERR_CORRUPT : e;
}

// The remembered sums of measurements go up to now.
static bool is_remembered(const struct fact_totals *t, int32_t to)
{
    return t->as_of.us == 0 && !t->as_of.by_published &&
           to >= (int32_t)(site_now_us(t->site) / US_PER_S / DAY_S);
}

enum err fact_totals_sum(void *ctx, const struct board_row *row, int32_t from, int32_t to, struct figure *sum,
                         int64_t *first_s)
{
    struct fact_totals *t = ctx;
    struct adding a = {.row = row};
    struct total total;
    if (row->series.class == WIRE_REPORT || !is_remembered(t, to)) {
        enum err e = row->series.class == WIRE_REPORT ? sum_reports(t, from, to, &a)
                                                      : sum_measured_then(t, from, to, &a);
        *sum = tally_sum(&a.tally);
        *first_s = a.first_s;
        return e;
    }
    enum err e = totals_sum(t->site, t->store, row, from, &total, NULL);
    if (!e) {
        *sum = total.sum;
        *first_s = total.first_s;
    }
    return e;
}

// ---- other currencies
// ------------------------------------------------------------------------------------------------------
struct converting {
    struct money money;
    const struct board_row *row;
    struct tally tally;
    int64_t first_s;
    struct conversion by;
};

static enum err add_converted(void *ctx, const struct observation *o)
{
    struct converting *c = ctx;
    struct figure own = o->status == WIRE_MISSING ? figure_missing() : o->value;
    struct money_figure f = money_report(&c->money, c->row, o->currency, o->period_start, own);
    if (f.lacking)
        return ERR_NOT_FOUND;
    if (c->tally.count == 0 && f.value.kind != FIGURE_MISSING)
        c->first_s = (int64_t)o->period_start * 86400;
    tally_add(&c->tally, f.value);
    if (f.converted)
        c->by = f.by;
    return ERR_OK;
}

enum err fact_totals_convert(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                             const struct currency *currency, struct figure *sum, int64_t *first_s,
                             struct conversion *by)
{
    struct fact_totals *t = ctx;
    struct converting c = {.row = row};
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
    *first_s = c.first_s;
    *by = c.by;
    return ERR_OK;
}

// ---- the first figure of a level
// ---------------------------------------------------------------------------------------------
struct finding {
    const struct board_row *row;
    int32_t day;
    struct latest *out;
};

// Returns AGAIN to stop at the first one.
static enum err found(struct finding *f, int64_t time, struct figure value)
{
    struct board_row then = *f->row;
    then.latest.time = time;
    if (value.kind == FIGURE_MISSING || board_latest_end_s(&then) < (int64_t)f->day * DAY_S)
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

// A measured level begins with its series, or is looked for in the two days from the asked one on.
static enum err first_measured(const struct fact_totals *t, struct finding *f)
{
    int32_t begins = f->day;
    const struct ledger_series *s = &f->row->series;
    enum err e = observations_first_day(t->store->observations, t->store->reader, s, &begins, NULL);
    if (e != ERR_OK)
        return e;
    int64_t from = (int64_t)(begins > f->day ? begins : f->day) * DAY_S;
    return points_read_as_of(t->store->observations, t->store->reader, s, from - 1, from + 2 * DAY_S,
                             t->as_of.us, LOOKED_AT_MAX, find_point, f, NULL);
}

enum err fact_totals_first(void *ctx, const struct board_row *row, int32_t day, struct latest *out)
{
    const struct fact_totals *t = ctx;
    struct finding f = {row, day, out};
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
    return (struct fact_source){.park = park,
                                .today = zone_day(site_zone(ctx->site, park), moment_us / US_PER_S),
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
