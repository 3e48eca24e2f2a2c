// /api/v1/query: the points of one series, as JSON or CSV.

#include "base/clock.h"
#include "dashboards/api/query_spans.h"
#include "dashboards/api/totals.h"
#include "dashboards/params.h"
#include "dashboards/points.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const query_cf_names[] = {"AVERAGE", "MIN", "MAX", "LAST", "SUM", NULL};

// Every other step that a report has is a span of the calendar.
static enum err check_own_period(struct exchange *x, const struct board_row *row)
{
    const char *text = exchange_param(x, "step");
    enum period_kind kind, own = (enum period_kind)row->series.period;
    if (!text || (period_kind_parse(text, &kind) == ERR_OK && kind == own))
        return ERR_OK;
    return exchange_fail_param(
        x, "step",
        "of a report must be day, month, quarter, year or fiscal_year, and not shorter "
        "than its own period (%s)",
        period_kind_name(own));
}

static enum err parse_step(struct exchange *x, const struct board_row *row, struct points_request *q)
{
    const char *text = exchange_param(x, "step");
    int64_t own = row->series.step_s, step = 0;
    if (row->series.class == WIRE_REPORT)
        return check_own_period(x, row);
    if (!text)
        return ERR_OK;
    if (params_parse_step(text, &step) || own == 0 || step % own != 0)
        return exchange_fail_param(
            x, "step",
            "must be day, month, quarter, year, fiscal_year, or seconds, or a span like 15m, 1h, 1d, and a "
            "multiple of the series' own step (%" PRId64 " s)",
            own);
    q->step_s = step == own ? 0 : step;
    return ERR_OK;
}

static enum err parse_request(struct site *s, struct exchange *x, const struct board_row *row,
                              struct points_request *q)
{
    bool report = row->series.class == WIRE_REPORT;
    const char *then = exchange_param(x, "as_of") ? "as_of" : exchange_param(x, "by") ? "by" : NULL;
    if (then)
        return exchange_fail_param(x, then,
                                   "needs a step of the calendar beside it: day, month, quarter, year "
                                   "or fiscal_year; /api/v1/observations has every report as of then");
    const struct zone *z = report || !row->park ? NULL : site_zone(s, row->park);
    int64_t now = site_now_us(s) / US_PER_S, end = report && row->has_latest ? board_latest_end_s(row) : now;
    size_t cf = points_default_cf(row);
    *q = (struct points_request){.zone = z, .from = end - (report ? 2 * 366 : 1) * INT64_C(86400), .to = end};
    if (params_time(x, "from", now, z, &q->from) || params_time(x, "to", now, z, &q->to) ||
        params_choice(x, "cf", query_cf_names, &cf) || parse_step(x, row, q))
        return ERR_INVALID;
    if (q->from >= q->to)
        return exchange_fail_param(x, "from",
                                   "must be before `to` (by default now, or the end of the newest report)");
    q->cf = (enum points_cf)cf;
    return ERR_OK;
}

static bool native(const struct points_request *q)
{
    return !q->step_s;
}

static struct period period_of(const struct board_row *row, int64_t start)
{
    return (struct period){(enum period_kind)row->series.period, (int32_t)start};
}

static void put_head(struct writer *j, const struct board_row *row, const struct points_request *q)
{
    writer_text(j, "series", row->series.name);
    writer_text_or_null(j, "unit", row->series.unit);
    writer_text_or_null(j, "currency", row->measure.currency_code);
    if (q->money->to)
        writer_text(j, "converted_from", row->series.currency);
    writer_text(j, "class", api_class(row->series.class));
    writer_bool(j, "simulated", row->simulated);
    writer_integer(j, "from", q->from);
    writer_integer(j, "to", q->to);
    if (row->series.class == WIRE_REPORT)
        writer_text(j, "step", period_kind_name(period_of(row, 0).kind));
    else
        writer_integer(j, "step", q->step_s ? q->step_s : row->series.step_s);
    writer_bool(j, "exact", native(q));
    writer_text(j, "cf", native(q) ? NULL : query_cf_names[q->cf]);
}

static void put_json(struct exchange *x, const struct board_row *row, const struct points_request *q,
                     const struct points *p)
{
    struct writer j;
    char text[PERIOD_TEXT];
    bool report = row->series.class == WIRE_REPORT;
    api_begin(x, &j);
    writer_object(&j, NULL);
    put_head(&j, row, q);
    writer_array(&j, "points");
    for (size_t i = 0; i < p->count; i++) {
        writer_object(&j, NULL);
        writer_integer(&j, "time", report ? p->at[i].time * 86400 : p->at[i].time);
        if (report) {
            period_text(period_of(row, p->at[i].time), text);
            writer_text(&j, "period", text);
        }
        api_value(&j, p->at[i].value, row->measure.currency);
        if (!native(q))
            writer_integer(&j, "known", p->at[i].known);
        else if (q->money->to)
            money_put_rate(&j, &p->at[i].by);
        if (p->at[i].span_s)
            writer_integer(&j, "span_s", p->at[i].span_s);
        writer_end_object(&j);
    }
    writer_end_array(&j);
    writer_end_object(&j);
    api_end(x, &j);
}

static uint32_t step_of(const struct board_row *row, const struct points_request *q)
{
    return q->step_s ? (uint32_t)q->step_s : row->series.step_s;
}

static bool has_spans(const struct points *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->at[i].span_s)
            return true;
    return false;
}

static void put_csv(struct exchange *x, const struct board_row *row, const struct points_request *q,
                    const struct points *p)
{
    bool report = row->series.class == WIRE_REPORT, spans = has_spans(p);
    api_begin_csv(x, row->series.name);
    buf_printf(&x->body, "%s,value%s%s\r\n", report ? "period" : "time", native(q) ? "" : ",known",
               spans ? ",span_s" : "");
    for (size_t i = 0; i < p->count; i++) {
        char when[WALL_TEXT > PERIOD_TEXT ? WALL_TEXT : PERIOD_TEXT], value[FIGURE_TEXT];
        if (report)
            period_text(period_of(row, p->at[i].time), when);
        else
            wall_text((struct wall){p->at[i].time * US_PER_S}, when);
        figure_text_scaled(p->at[i].value, measure_decimals(&row->measure), value);
        buf_printf(&x->body, "%s,%s", when, value);
        if (!native(q))
            buf_printf(&x->body, ",%" PRIu32, p->at[i].known);
        if (spans)
            buf_printf(&x->body, ",%" PRIu32, p->at[i].span_s ? p->at[i].span_s : step_of(row, q));
        buf_text(&x->body, "\r\n");
    }
}

void api_query(struct site *s, struct exchange *x)
{
    static const char *const formats[] = {"json", "csv", NULL};
    struct readers store;
    struct board_row row;
    struct points_request q;
    struct points points = {0};
    struct diag d = {""};
    size_t format = 0;
    struct money money = {0};
    enum span_kind kind;
    if (params_choice(x, "format", formats, &format) || api_one_series(s, x, &store, &row))
        return;
    if (row.computed) {
        api_totals_query(s, x, &store, &row, format == 1);
        return;
    }
    if (query_spans_asked(x, &row, &kind)) {
        query_spans(s, x, &store, &row, kind, format == 1);
        return;
    }
    if (parse_request(s, x, &row, &q) || money_open(x, &store, &row, 0, &money))
        return;
    q.money = &money;
    enum err e = points_load(&store, &row, &q, &points, &d);
    money_measure(&money, &row);
    if (e == ERR_TOO_BIG)
        exchange_fail_param(x, "from", "%s", d.text);
    else if (e)
        exchange_fail_err(x, e, d.text);
    else if (format == 1)
        put_csv(x, &row, &q, &points);
    else
        put_json(x, &row, &q, &points);
    points_free(&points);
    money_close(&money);
}
