// What a total is made of stands beside each of its figures: how many residents are in it, how many are
// missing, and where there is no figure, why.
#include "dashboards/api/totals.h"
#include "dashboards/money.h"
#include "dashboards/params.h"
#include <stdio.h>
#include <string.h>

#define TWO_YEARS_DAYS (2 * 366)
#define OPEN_END_S     INT64_C(250000000000)

struct request {
    enum span_kind step;
    int32_t from, to; // civil days
    struct as_of as_of;
    const struct currency *currency;
    bool observations;
};

static enum err parse_step(struct exchange *x, const struct board_row *row, struct request *r)
{
    const char *text = exchange_param(x, "step");
    enum span_kind own = computed_native(row);
    r->step = own;
    if (exchange_param(x, "cf"))
        return exchange_fail_param(x, "cf", "a total is rolled up as its KPI is (%s over time)",
                                   kpi_rollup_name(row->kpi->over_time));
    if (!text)
        return ERR_OK;
    if (span_kind_parse(text, &r->step) != ERR_OK || r->step < own)
        return exchange_fail_param(x, "step",
                                   "of a total must be day, month, quarter, year or fiscal_year, and not "
                                   "shorter than the period its "
                                   "parts are reported for (%s)",
                                   span_kind_name(own));
    return ERR_OK;
}

static enum err parse_period(struct exchange *x, const struct board_row *row, struct request *r)
{
    const char *text = exchange_param(x, "period");
    struct span span;
    if (!text)
        return ERR_OK;
    if (exchange_param(x, "from") || exchange_param(x, "to"))
        return exchange_fail_param(x, "period", "cannot stand beside from and to");
    if (calendar_span_parse(&row->park->calendar, text, &span) != ERR_OK)
        return exchange_fail_param(x, "period",
                                   "must be a period like 2026, FY2026, 2026-Q1, 2026-03 or 2026-03-14");
    if (span.kind < computed_native(row))
        return exchange_fail_param(x, "period", "is shorter than the period its parts are reported for (%s)",
                                   span_kind_name(computed_native(row)));
    r->step = span.kind;
    r->from = span.first;
    r->to = span.end;
    return ERR_OK;
}

static enum err parse_range(struct site *s, struct exchange *x, const struct readers *store,
                            const struct board_row *row, struct request *r)
{
    int64_t now = site_now_us(s) / US_PER_S, end = row->has_latest ? board_latest_end_s(row) : now;
    int64_t to = r->observations ? OPEN_END_S : end, from = end - TWO_YEARS_DAYS * INT64_C(86400);
    if (r->observations)
        from = computed_first_day(s, store, row) * INT64_C(86400);
    if (params_time(x, "from", now, NULL, &from) || params_time(x, "to", now, NULL, &to))
        return ERR_INVALID;
    if (to == OPEN_END_S)
        to = end > from ? end : from + 86400;
    if (from >= to)
        return exchange_fail_param(x, "from",
                                   "must be before `to` (by default now, or the end of the newest report)");
    r->from = (int32_t)(from / 86400);
    r->to = (int32_t)((to + 86399) / 86400);
    return ERR_OK;
}

static enum err parse(struct site *s, struct exchange *x, const struct readers *store,
                      const struct board_row *row, struct request *r)
{
    const struct zone *z = site_zone(s, row->park);
    const char *revisions = exchange_param(x, "revisions");
    if (revisions && strcmp(revisions, "current") != 0)
        return exchange_fail_param(
            x, "revisions",
            "a total has none of its own: ask for what was known by a moment with as_of, "
            "or for the revisions of its residents' series");
    if (parse_step(x, row, r) || parse_range(s, x, store, row, r) || parse_period(x, row, r) ||
        as_of_parse(x, site_now_us(s) / US_PER_S, z, &r->as_of) || money_choose(x, row, &r->currency))
        return ERR_INVALID;
    return ERR_OK;
}

// ---- JSON

static void put_bins(struct writer *j, const struct kpi *k, const struct kpi_total *t)
{
    if (t->why != TOTAL_BINS)
        return;
    int64_t least = k->min.kind == FIGURE_INTEGER ? k->min.integer : 0;
    writer_array(j, "histogram");
    for (int64_t i = 0; i < TOTAL_BINS_MAX; i++) {
        if (t->bins[i] == 0)
            continue;
        writer_object(j, NULL);
        writer_integer(j, "value", least + i);
        writer_integer(j, "residents", t->bins[i]);
        writer_end_object(j);
    }
    writer_end_array(j);
}

static void put_total(struct writer *j, const struct board_row *row, const struct computed *c, size_t i)
{
    char text[SPAN_TEXT];
    const struct kpi_total *t = &c->figures[i];
    span_text(c->spans[i], text);
    writer_object(j, NULL);
    writer_integer(j, "time", (int64_t)c->spans[i].first * 86400);
    writer_text(j, "period", text);
    api_sum(j, t->value, &t->huge, c->currency);
    writer_text(j, "why", t->why == TOTAL_KNOWN ? NULL : total_why_word(t->why));
    writer_text(j, "part", t->part ? t->part->code : NULL);
    writer_integer(j, "contributors", t->contributors);
    writer_integer(j, "missing", t->missing);
    writer_integer(j, "partial", t->partial);
    writer_bool(j, "simulated", t->simulated);
    put_bins(j, row->kpi, t);
    writer_end_object(j);
}

static void put_json(struct exchange *x, const struct board_row *row, const struct request *r,
                     const struct computed *c)
{
    struct writer j;
    api_begin(x, &j);
    writer_object(&j, NULL);
    writer_text(&j, "series", row->series.name);
    writer_text_or_null(&j, "unit", row->series.unit);
    writer_text(&j, "currency", c->currency ? c->currency->code : NULL);
    writer_bool(&j, "converted", c->converted);
    writer_text(&j, "class", "computed");
    writer_text(&j, "rule",
                *row->kpi->formula ? row->kpi->formula : kpi_rollup_name(row->kpi->over_residents));
    writer_bool(&j, "simulated", row->simulated);
    writer_integer(&j, "from", (int64_t)r->from * 86400);
    writer_integer(&j, "to", (int64_t)r->to * 86400);
    writer_text(&j, r->observations ? "period" : "step", span_kind_name(r->step));
    writer_text(&j, "profile", c->then ? "then" : "now");
    writer_array(&j, r->observations ? "observations" : "points");
    for (size_t i = 0; i < c->count; i++)
        put_total(&j, row, c, i);
    writer_end_array(&j);
    writer_end_object(&j);
    api_end(x, &j);
}

// ---- CSV

static void put_csv(struct exchange *x, const struct board_row *row, const struct computed *c)
{
    struct buf *b = &x->body;
    api_begin_csv(x, row->series.name);
    buf_text(b, "period,value,currency,contributors,missing,partial,why\r\n");
    for (size_t i = 0; i < c->count; i++) {
        const struct kpi_total *t = &c->figures[i];
        char text[SPAN_TEXT], value[TALLY_TEXT];
        span_text(c->spans[i], text);
        huge_text(&t->huge, t->value, c->currency ? c->currency->decimals : 0, value);
        buf_printf(b, "%s,%s,%s,%u,%u,%u,%s\r\n", text, value, c->currency ? c->currency->code : "",
                   t->contributors, t->missing, t->partial,
                   t->why == TOTAL_KNOWN ? "" : total_why_word(t->why));
    }
}

static void answer(struct site *s, struct exchange *x, const struct readers *store,
                   const struct board_row *row, bool csv, struct request *r)
{
    struct computed c = {0};
    struct diag d = {""};
    if (parse(s, x, store, row, r))
        return;
    enum err e = computed_read(s, store, row, r->step, r->from, r->to, &r->as_of, r->currency, &c, &d);
    if (e == ERR_TOO_BIG)
        exchange_fail_param(x, "from", "%s", d.text);
    else if (e)
        exchange_fail_err(x, e, d.text);
    else if (csv)
        put_csv(x, row, &c);
    else
        put_json(x, row, r, &c);
    computed_free(&c);
}

void api_totals_query(struct site *s, struct exchange *x, const struct readers *store,
                      const struct board_row *row, bool csv)
{
    struct request r = {.observations = false};
    answer(s, x, store, row, csv, &r);
}

void api_totals_observations(struct site *s, struct exchange *x, const struct readers *store,
                             const struct board_row *row, bool csv)
{
    struct request r = {.observations = true};
    answer(s, x, store, row, csv, &r);
}
