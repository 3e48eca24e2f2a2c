// Every sum over a calendar that anybody is shown is made here, so that the API, a page and a script that
// adds the days up agree to the last digit.
#include "dashboards/spans.h"
#include "dashboards/plan.h"
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

static bool is_report(const struct board_row *row)
{
    return row->series.class == WIRE_REPORT;
}

int64_t spans_moment(const struct board_row *row, const struct zone *z, int32_t day)
{
    return is_report(row) ? (int64_t)day * DAY_S : zone_midnight(z, day);
}

// How the calendar was by then: spans are the park's, and a profile can change.
static enum err choose_calendar(struct site *s, const struct readers *store, const struct board_row *row,
                                const struct spans_request *q, struct calendar *out, struct park **owned,
                                struct diag *d)
{
    *out = row->park ? row->park->calendar : calendar_default;
    if (!row->park)
        return ERR_OK;
    enum err e = plan_by(s, store, row->park, &q->as_of, owned, d);
    if (e == ERR_OK && *owned)
        *out = (*owned)->calendar;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err lay_out(const struct board_row *row, const struct spans_request *q, const struct calendar *c,
                        struct spans *out, struct diag *d)
{
    bool report = is_report(row);
    int32_t from = report ? (int32_t)(q->from / DAY_S) : zone_day(out->zone, q->from);
    int32_t to = report ? (int32_t)((q->to + DAY_S - 1) / DAY_S) : zone_day(out->zone, q->to - 1) + 1;
    out->at = calloc(SPANS_MAX, sizeof *out->at);
    if (!out->at)
        return ERR_NOMEM;
    out->count = calendar_spans(c, q->kind, from, to, out->at, SPANS_MAX);
    if (out->count > SPANS_MAX)
        return diag_fail(d, ERR_TOO_BIG, "the answer would have more than %d spans: ask for a shorter time",
                         SPANS_MAX);
    out->sums = calloc(out->count + 1, sizeof *out->sums);
    return out->sums ? ERR_OK : ERR_NOMEM;
}

static int64_t until(struct site *s, const struct as_of *as_of)
{
    int64_t now_us = site_now_us(s);
    return (as_of->us && as_of->us < now_us ? as_of->us : now_us) / US_PER_S;
}

enum err spans_load(struct site *s, const struct readers *store, const struct board_row *row,
                    const struct spans_request *q, struct spans *out, struct diag *d)
{
    struct calendar c;
    struct park *owned = NULL;
    struct spans spans = {.kind = q->kind, .cf = q->cf, .zone = row->park ? site_zone(s, row->park) : NULL};
    enum err e = choose_calendar(s, store, row, q, &c, &owned, d);
    if (e == ERR_OK) {
        spans.fiscal_year_from = c.fiscal_year_from;
        e = lay_out(row, q, &c, &spans, d);
    }
    const struct sums_query sums = {.series = &row->series,
                                    .zone = spans.zone,
                                    .spans = spans.at,
                                    .count = spans.count,
                                    .as_of_us = q->as_of.us,
                                    .by_published = q->as_of.by_published,
                                    .until_s = until(s, &q->as_of),
                                    .to = q->money ? q->money->to : NULL,
                                    .book = q->money ? q->money->book : NULL,
                                    .park_currency = row->park ? row->park->currency : "",
                                    .flow = board_is_flow(row),
                                    .points_max = POINTS_READ_MAX};
    if (e == ERR_OK)
        e = sums_read(store->observations, store->reader, &sums, spans.sums, d);
    park_free(owned);
    if (e != ERR_OK)
        spans_free(&spans);
    else
        *out = spans;
    return e;
}

void spans_free(struct spans *s)
{
    free(s->at);
    free(s->sums);
    *s = (struct spans){0};
}

struct figure spans_value(const struct spans *s, size_t i)
{
    const struct span_sum *sum = &s->sums[i];
    return sum->gone > 0 ? figure_missing() : points_consolidate(&sum->tally, s->cf);
}

void spans_text(const struct spans *s, size_t i, int decimals, char out[TALLY_TEXT])
{
    if (s->cf == CF_SUM && s->sums[i].gone == 0)
        tally_text(&s->sums[i].tally, decimals, out);
    else
        figure_text_scaled(spans_value(s, i), decimals, out);
}

uint64_t spans_missing(const struct span_sum *s)
{
    uint64_t found = s->known + s->lacking + s->too_large + s->foreign + s->gone;
    return s->expected > found ? s->expected - found : 0;
}
