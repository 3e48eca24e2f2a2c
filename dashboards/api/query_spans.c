// A sum is written from 128 bits, never through a double: a reader that adds the days up in decimals gets the
// year.
#include "dashboards/api/query_spans.h"
#include "base/clock.h"
#include "dashboards/params.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum span_kind own_kind(const struct board_row *row)
{
    return (enum span_kind)(row->series.period - PERIOD_DAY);
}

bool query_spans_asked(struct exchange *x, const struct board_row *row, enum span_kind *kind)
{
    const char *step = exchange_param(x, "step");
    if (!step || span_kind_parse(step, kind) != ERR_OK)
        return false;
    bool then = exchange_param(x, "as_of") || exchange_param(x, "by");
    return row->series.class != WIRE_REPORT || *kind != own_kind(row) || then;
}

static enum err parse(struct site *s, struct exchange *x, const struct board_row *row,
                      struct spans_request *q)
{
    static const int32_t days[] = {31, 366, 2 * 366, 5 * 366, 5 * 366};
    bool report = row->series.class == WIRE_REPORT;
    const struct zone *local = row->park ? site_zone(s, row->park) : NULL, *z = report ? NULL : local;
    int64_t now = site_now_us(s) / US_PER_S, end = report && row->has_latest ? board_latest_end_s(row) : now;
    size_t cf = points_default_cf(row);
    if (report && q->kind < own_kind(row))
        return exchange_fail_param(x, "step", "%s is reported by the %s: it can't be added up by the %s",
                                   row->series.name, span_kind_name(own_kind(row)), span_kind_name(q->kind));
    q->from = end - days[q->kind] * INT64_C(86400);
    q->to = end;
    if (params_time(x, "from", now, z, &q->from) || params_time(x, "to", now, z, &q->to) ||
        params_choice(x, "cf", query_cf_names, &cf) || as_of_parse(x, now, local, &q->as_of))
        return ERR_INVALID;
    if (q->from >= q->to)
        return exchange_fail_param(x, "from",
                                   "must be before `to` (by default now, or the end of the newest report)");
    q->cf = (enum points_cf)cf;
    return ERR_OK;
}

static void put_head(struct writer *j, const struct board_row *row, const struct spans_request *q,
                     const struct spans *s)
{
    writer_text(j, "series", row->series.name);
    writer_text_or_null(j, "unit", row->series.unit);
    writer_text_or_null(j, "currency", row->measure.currency_code);
    if (q->money->to)
        writer_text(j, "converted_from", row->series.currency);
    writer_text(j, "class", api_class(row->series.class));
    writer_bool(j, "simulated", row->simulated);
    writer_integer(j, "from", s->count ? spans_moment(row, s->zone, s->at[0].first) : q->from);
    writer_integer(j, "to", s->count ? spans_moment(row, s->zone, s->at[s->count - 1].end) : q->to);
    writer_text(j, "step", span_kind_name(s->kind));
    writer_text(j, "time_zone", zone_name(s->zone));
    if (s->kind == SPAN_FISCAL_YEAR)
        writer_integer(j, "fiscal_year_from", s->fiscal_year_from);
    writer_bool(j, "exact", s->cf != CF_AVERAGE);
    writer_text(j, "cf", query_cf_names[s->cf]);
}

static void put_value(struct writer *j, const struct spans *s, size_t i, const struct currency *c)
{
    char text[TALLY_TEXT];
    spans_text(s, i, c ? c->decimals : 0, text);
    writer_decimal(j, "value", text);
    if (!c || (s->cf == CF_SUM ? s->sums[i].tally.reals.count > 0 : spans_value(s, i).kind == FIGURE_REAL))
        return;
    spans_text(s, i, 0, text);
    writer_decimal(j, "minor", text);
}

static void put_count(struct writer *j, const char *name, uint64_t n)
{
    if (n > 0)
        writer_integer(j, name, (int64_t)n);
}

static void put_span(struct writer *j, const struct board_row *row, const struct spans *s, size_t i)
{
    const struct span_sum *sum = &s->sums[i];
    char text[SPAN_TEXT], day[SHOW_TEXT];
    writer_object(j, NULL);
    writer_integer(j, "time", spans_moment(row, s->zone, s->at[i].first));
    span_text(s->at[i], text);
    writer_text(j, "period", text);
    show_day(day, s->at[i].first);
    writer_text(j, "first", day);
    show_day(day, s->at[i].end - 1);
    writer_text(j, "last", day);
    put_value(j, s, i, row->measure.currency);
    writer_integer(j, "known", (int64_t)sum->known);
    writer_integer(j, "missing", (int64_t)spans_missing(sum));
    writer_bool(j, "whole", span_sum_whole(sum));
    put_count(j, "rate_lacking", sum->lacking);
    put_count(j, "too_large", sum->too_large);
    put_count(j, "other_currency", sum->foreign);
    put_count(j, "across_edge", sum->split);
    put_count(j, "not_kept", sum->gone);
    put_count(j, "rate_carried", sum->carried);
    writer_end_object(j);
}

static void put_json(struct exchange *x, const struct board_row *row, const struct spans_request *q,
                     const struct spans *s)
{
    struct writer j;
    api_begin(x, &j);
    writer_object(&j, NULL);
    put_head(&j, row, q, s);
    writer_array(&j, "points");
    for (size_t i = 0; i < s->count; i++)
        put_span(&j, row, s, i);
    writer_end_array(&j);
    writer_end_object(&j);
    api_end(x, &j);
}

static void put_csv(struct exchange *x, const struct board_row *row, const struct spans *s)
{
    api_begin_csv(x, row->series.name);
    buf_text(&x->body, "period,first,last,value,known,missing,whole\r\n");
    for (size_t i = 0; i < s->count; i++) {
        char period[SPAN_TEXT], first[SHOW_TEXT], last[SHOW_TEXT], value[TALLY_TEXT];
        span_text(s->at[i], period);
        show_day(first, s->at[i].first);
        show_day(last, s->at[i].end - 1);
        spans_text(s, i, measure_decimals(&row->measure), value);
        buf_printf(&x->body, "%s,%s,%s,%s,%" PRIu64 ",%" PRIu64 ",%s\r\n", period, first, last, value,
                   s->sums[i].known, spans_missing(&s->sums[i]),
                   span_sum_whole(&s->sums[i]) ? "true" : "false");
    }
}

void query_spans(struct site *s, struct exchange *x, const struct readers *store, struct board_row *row,
                 enum span_kind kind, bool csv)
{
    struct spans_request q = {.kind = kind};
    struct spans spans = {0};
    struct money money = {0};
    struct diag d = {""};
    if (parse(s, x, row, &q) || money_open(x, store, row, q.as_of.by_published ? 0 : q.as_of.us, &money))
        return;
    q.money = &money;
    enum err e = spans_load(s, store, row, &q, &spans, &d);
    money_measure(&money, row);
    if (e == ERR_TOO_BIG)
        exchange_fail_param(x, "from", "%s", d.text);
    else if (e)
        exchange_fail_err(x, e, d.text);
    else if (csv)
        put_csv(x, row, &spans);
    else
        put_json(x, row, &q, &spans);
    spans_free(&spans);
    money_close(&money);
}
