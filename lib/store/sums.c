// A measurement's observation, as far as conversion goes, is its local day: a figure of ten seconds has no
// rate of its own, and what a day comes to must not depend on whether its raw figures are still there or only
// their hours. So days are tallied first, converted once, and every longer span is a sum of days.
#include "store/sums.h"
#include "store/day_totals.h"
#include "store/rollup.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define BLOCK_DAYS     8
#define BLOCK_DAYS_MAX 256
#define CHUNK_DAYS     366
#define BLOCK_POINTS   200000
#define SLACK_S        86400 // what may lie behind the newest row: clocks ahead, and room

struct summing {
    const struct sums_query *q;
    struct span_sum *out;
    size_t at; // of the spans: those before have ended
    struct diag *d;
    // of a measurement: the open day
    bool open;
    int32_t day;
    int64_t day_end_s;
    struct span_sum of_day;
    uint64_t points; // read so far, by those before that share the limit too
};

// ---- conversion
// --------------------------------------------------------------------------------------------------

static bool past_figures(struct figure f)
{
    return fabs(figure_to_real(f)) > (double)FIGURE_INTEGER_MAX;
}

// Missing where there is no rate or no whole minor unit (then `count` of them are lacking), or no figure
// holds it.
static struct figure convert(struct summing *s, struct period p, const char *currency, struct figure value,
                             uint64_t count, struct span_sum *to)
{
    const struct sums_query *q = s->q;
    const struct currency *from = currency_find(currency);
    struct conversion by;
    struct figure out = figure_missing();
    enum err e = ERR_NOT_FOUND;
    if (value.kind == FIGURE_MISSING)
        return value;
    if (from && conversion_of(q->book, q->park_currency, from->code, q->to->code, q->flow, p, &by) == ERR_OK)
        e = conversion_apply(&by, value, from, q->to, &out);
    if (e == ERR_TOO_BIG || (e == ERR_INVALID && past_figures(value)))
        to->too_large += count;
    else if (e != ERR_OK)
        to->lacking += count;
    else
        to->carried += by.carried > 0;
    return out;
}

// ---- reports
// -----------------------------------------------------------------------------------------------------

static struct period period_at(const struct summing *s, int32_t start)
{
    return (struct period){(enum period_kind)s->q->series->period, start};
}

static void add_report(struct summing *s, struct span_sum *to, const struct observation *o)
{
    struct figure value = o->status == WIRE_MISSING ? figure_missing() : o->value;
    bool known = value.kind != FIGURE_MISSING;
    if (s->q->to) {
        value = convert(s, period_at(s, o->period_start), o->currency, value, 1, to);
    } else if (known) {
        value = observation_own_value(o, s->q->series->currency);
        to->foreign += value.kind == FIGURE_MISSING;
    }
    if (known && value.kind == FIGURE_MISSING)
        return;
    tally_add(&to->tally, value);
    to->known += known;
}

static enum err take_report(void *ctx, const struct observation *o)
{
    struct summing *s = ctx;
    int32_t end = period_end(period_at(s, o->period_start));
    while (s->at < s->q->count && s->q->spans[s->at].end <= o->period_start)
        s->at++;
    for (size_t i = s->at; i < s->q->count && s->q->spans[i].first < end; i++) {
        const struct span *span = &s->q->spans[i];
        if (span->first <= o->period_start && end <= span->end)
            add_report(s, &s->out[i], o);
        else if (o->status != WIRE_MISSING)
            s->out[i].split++;
    }
    return ERR_OK;
}

static uint64_t expected_reports(const struct summing *s, const struct span *span)
{
    uint64_t count = 0;
    struct period p = period_containing((enum period_kind)s->q->series->period, span->first);
    if (p.start < span->first)
        p = period_next(p);
    for (; period_end(p) <= span->end; p = period_next(p)) {
        if (s->q->until_s && zone_midnight(s->q->zone, period_end(p)) > s->q->until_s)
            break;
        count++;
        if (period_end(p) > CIVIL_DAY_MAX)
            break;
    }
    return count;
}

static enum err sum_reports(struct summing *s, struct observations_reader *o)
{
    const struct sums_query *q = s->q;
    // The first that can touch a span is the one that holds its first day.
    struct period first = period_containing((enum period_kind)q->series->period, q->spans[0].first);
    struct observation_query wanted = {.series_id = q->series->series_id,
                                       .from = first.start,
                                       .to = q->spans[q->count - 1].end,
                                       .by_published = q->by_published,
                                       .as_of_us = q->as_of_us};
    if (!period_valid(first))
        return diag_fail(s->d, ERR_CORRUPT, "%s has no period", q->series->name);
    for (size_t i = 0; i < q->count; i++)
        s->out[i].expected = expected_reports(s, &q->spans[i]);
    return observations_query(o, &wanted, take_report, s, s->d);
}

// ---- measurements
// ------------------------------------------------------------------------------------------------

static void add_converted(struct summing *s, struct span_sum *to)
{
    struct span_sum *day = &s->of_day;
    struct period p = {PERIOD_DAY, s->day};
    struct figure value = s->q->flow ? tally_sum(&day->tally) : day->tally.last;
    if (day->tally.count == 0)
        value = figure_missing();
    struct figure converted = convert(s, p, s->q->series->currency, value, day->known, to);
    if (value.kind != FIGURE_MISSING && converted.kind == FIGURE_MISSING)
        return;
    tally_add(&to->tally, converted);
    to->known += day->known;
}

static void close_day(struct summing *s)
{
    const struct sums_query *q = s->q;
    if (!s->open)
        return;
    s->open = false;
    while (s->at < q->count && q->spans[s->at].end <= s->day)
        s->at++;
    if (s->at == q->count || q->spans[s->at].first > s->day)
        return;
    struct span_sum *to = &s->out[s->at];
    to->gone += s->of_day.gone;
    if (to->known == 0)
        to->first_day = s->day;
    if (q->to) {
        add_converted(s, to);
        return;
    }
    tally_merge(&to->tally, &s->of_day.tally);
    to->known += s->of_day.known;
}

static void open_day(struct summing *s, int64_t time_s)
{
    if (s->open && time_s <= s->day_end_s)
        return;
    close_day(s);
    s->open = true;
    s->day = zone_day(s->q->zone, time_s - 1);
    s->day_end_s = zone_midnight(s->q->zone, s->day + 1);
    s->of_day = (struct span_sum){0};
}

static enum err take_point(void *ctx, const struct point *p)
{
    struct summing *s = ctx;
    if (++s->points > s->q->points_max && s->q->points_max)
        return diag_fail(s->d, ERR_TOO_BIG,
                         "more than %" PRIu64 " points would have to be added up: ask for a shorter time",
                         s->q->points_max);
    open_day(s, p->time);
    if (p->cell && s->q->as_of_us && p->received_us > s->q->as_of_us) {
        s->of_day.gone += p->cell->known + p->cell->missing;
    } else if (p->cell) {
        rollup_cell_tally(p->cell, &s->of_day.tally);
        s->of_day.known += p->cell->known;
    } else {
        tally_add(&s->of_day.tally, p->value);
        s->of_day.known += p->value.kind != FIGURE_MISSING;
    }
    return ERR_OK;
}

static int64_t steps_until(int64_t time_s, int64_t step_s)
{
    return time_s / step_s - (time_s % step_s < 0);
}

static uint64_t expected_steps(const struct summing *s, const struct span *span)
{
    int64_t from, to, step = s->q->series->step_s ? s->q->series->step_s : 1;
    span_bounds(*span, s->q->zone, &from, &to);
    if (s->q->until_s && s->q->until_s < to)
        to = s->q->until_s;
    return to > from ? (uint64_t)(steps_until(to, step) - steps_until(from, step)) : 0;
}

static enum err sum_block(struct summing *s, struct observations_reader *o, struct reader *r, int32_t first,
                          int32_t end)
{
    const struct sums_query *q = s->q;
    enum err e =
        points_read_as_of(o, r, q->series, zone_midnight(q->zone, first), zone_midnight(q->zone, end),
                          q->as_of_us, BLOCK_POINTS, take_point, s, s->d);
    close_day(s);
    return e;
}

// Blocks grow where there is nothing: a machine may have been off for years.
static enum err sum_points(struct summing *s, struct observations_reader *o, struct reader *r, int32_t first,
                           int32_t end)
{
    enum err e = ERR_OK;
    for (int32_t day = first, block = BLOCK_DAYS, next; day < end && e == ERR_OK; day = next) {
        uint64_t before = s->points;
        next = end - day < block ? end : day + block;
        e = sum_block(s, o, r, day, next);
        if (e == ERR_TOO_BIG && s->points == before && block > BLOCK_DAYS) {
            e = ERR_OK;
            next = day;
        }
        block = next > day && s->points == before && block < BLOCK_DAYS_MAX ? 2 * block : BLOCK_DAYS;
    }
    return e;
}

// Days that the observer has added up already, and what was in them by then.
struct kept_days {
    const struct sums_query *q;
    struct day_total at[CHUNK_DAYS];
    size_t count;
};

static enum err keep_day(void *ctx, const struct day_total *t)
{
    struct kept_days *k = ctx;
    if (!k->q->as_of_us || t->newest_us <= k->q->as_of_us)
        k->at[k->count++] = *t;
    return ERR_OK;
}

static void take_total(struct summing *s, const struct day_total *t)
{
    s->day = t->day;
    s->open = true;
    s->of_day = (struct span_sum){.tally = t->tally, .known = t->tally.count};
    close_day(s);
}

static enum err sum_days(struct summing *s, struct observations_reader *o, struct reader *r, int32_t first,
                         int32_t end)
{
    struct kept_days *kept = malloc(sizeof *kept);
    enum err e = kept ? ERR_OK : ERR_NOMEM;
    for (int32_t day = first, chunk_end; day < end && e == ERR_OK; day = chunk_end) {
        chunk_end = end - day < CHUNK_DAYS ? end : day + CHUNK_DAYS;
        kept->q = s->q;
        kept->count = 0;
        if (!s->q->no_totals)
            e = day_totals_read(o, r, s->q->series, s->q->zone, day, chunk_end, keep_day, kept, s->d);
        for (size_t i = 0; i < kept->count && e == ERR_OK; i++) {
            e = sum_points(s, o, r, day, kept->at[i].day);
            take_total(s, &kept->at[i]);
            day = kept->at[i].day + 1;
        }
        if (e == ERR_OK)
            e = sum_points(s, o, r, day, chunk_end);
    }
    free(kept);
    return e;
}

// Days before its first figure and after the newest row, of all or of then, hold nothing.
static enum err sum_measured(struct summing *s, struct observations_reader *o, struct reader *r)
{
    const struct sums_query *q = s->q;
    uint64_t position;
    int64_t newest_us;
    int32_t begins;
    for (size_t i = 0; i < q->count; i++)
        s->out[i].expected = expected_steps(s, &q->spans[i]);
    enum err e = observations_first_day(o, r, q->series, &begins, s->d);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e == ERR_OK)
        e = reader_head(r, &position, &newest_us, s->d);
    if (e != ERR_OK)
        return e;
    if (q->as_of_us && q->as_of_us < newest_us)
        newest_us = q->as_of_us; // nothing later was known: the rest would be read to be thrown away
    int32_t last = zone_day(q->zone, newest_us / US_PER_S + SLACK_S);
    for (size_t i = 0, next; i < q->count && e == ERR_OK; i = next) {
        for (next = i + 1; next < q->count && q->spans[next].first == q->spans[next - 1].end;)
            next++;
        int32_t first = q->spans[i].first, end = q->spans[next - 1].end;
        e = sum_days(s, o, r, first > begins - 1 ? first : begins - 1, end < last + 1 ? end : last + 1);
    }
    return e;
}

enum err sums_read(struct observations_reader *o, struct reader *r, const struct sums_query *q,
                   struct span_sum *out, struct diag *d)
{
    struct summing s = {.q = q, .out = out, .d = d, .points = q->points_read ? *q->points_read : 0};
    for (size_t i = 0; i < q->count; i++) {
        if (q->spans[i].first >= q->spans[i].end || (i > 0 && q->spans[i].first < q->spans[i - 1].end))
            return diag_fail(d, ERR_INVALID, "spans must rise and not overlap");
        out[i] = (struct span_sum){0};
    }
    if (q->count == 0)
        return ERR_OK;
    enum err e = q->series->class == WIRE_REPORT ? sum_reports(&s, o) : sum_measured(&s, o, r);
    if (q->points_read)
        *q->points_read = s.points;
    return e;
}
