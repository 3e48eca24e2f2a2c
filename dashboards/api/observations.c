// Reports as they are or were known: the value of each period, or all its revisions.

#include "base/clock.h"
#include "dashboards/api/alike.h"
#include "dashboards/api/api.h"
#include "dashboards/api/collector.h"
#include "dashboards/api/totals.h"
#include "dashboards/as_of.h"
#include "dashboards/closings.h"
#include "dashboards/money.h"
#include "dashboards/params.h"
#include <stdio.h>
#include <string.h>

#define ROWS_MAX 100000

struct answer {
    struct site *site;
    struct exchange *x;
    struct writer json;
    const struct board_row *row;
    struct money money;
    struct as_of as_of;
    bool csv, inside; // inside: authors and reasons are for this viewer
    size_t rows;
};

static const char *const letters[] = {
    [WIRE_NORMAL] = "A", [WIRE_PROVISIONAL] = "P", [WIRE_ESTIMATED] = "E", [WIRE_MISSING] = "M"};

// What was reported, beside what it comes to in the currency asked for.
static void put_original(struct writer *j, const struct money_figure *m, struct figure value,
                         const struct currency *c)
{
    writer_object(j, "original");
    api_value(j, value, c);
    writer_text(j, "currency", c ? c->code : NULL);
    writer_end_object(j);
    money_put_rate(j, m);
    writer_bool(j, "rate_lacking", m->lacking && !m->too_large);
    writer_bool(j, "too_large", m->too_large);
}

// Since when the period is closed, and whether this revision came after a closing.
static void put_closing(struct answer *a, const struct observation *o)
{
    struct closure now, then;
    bool closed = closings_of(a->site, a->row, o->period_start, &a->as_of, &now);
    writer_time(&a->json, "closed_since", closed ? now.received_us : 0);
    writer_bool(&a->json, "after_closure",
                closings_find(a->site, a->row, o->period_start, 0, o->position, &then));
}

static void put_json(struct answer *a, const struct observation *o, const char *period, struct figure value,
                     const struct currency *c)
{
    struct writer *j = &a->json;
    struct money_figure m = money_report(&a->money, a->row, o->currency, o->period_start, value);
    writer_object(j, NULL);
    writer_text(j, "period", period);
    writer_integer(j, "revision", o->revision);
    api_value(j, m.value, m.currency);
    writer_text_or_null(j, "currency", a->money.to ? a->money.to->code : o->currency);
    if (a->money.to)
        put_original(j, &m, value, c);
    writer_text(j, "status", letters[o->status]);
    writer_bool(j, "confidential", o->confidential);
    writer_text_or_null(j, "reason", a->inside ? o->reason : "");
    writer_text_or_null(j, "author", a->inside ? o->author : "");
    if (api_may_agent_ids(&a->x->viewer))
        writer_integer(j, "key_id", o->key_id);
    writer_time(j, "received", o->received_us);
    writer_time(j, "published", o->published_us);
    put_closing(a, o);
    writer_end_object(j);
}

static void csv_time(struct buf *b, int64_t us)
{
    char text[WALL_TEXT];
    if (us)
        wall_text((struct wall){us}, text);
    buf_printf(b, ",%s", us ? text : "");
}

static void csv_money(struct buf *b, const struct money_figure *m, struct figure value,
                      const struct currency *c)
{
    char original[FIGURE_TEXT], rate[RATE_TEXT], day[PERIOD_TEXT];
    figure_text_scaled(value, c ? c->decimals : 0, original);
    buf_printf(b, ",%s,%s", original, c ? c->code : "");
    if (!m->converted) {
        buf_text(b, ",,,,,");
        return;
    }
    conversion_text(&m->by, rate);
    period_text((struct period){PERIOD_DAY, m->by.rated}, day);
    buf_printf(b, ",%s,%s,%s,%u,%u", bank_info(m->by.bank)->code, rate, day, m->by.days, m->by.carried);
}

static void put_csv(struct answer *a, const struct observation *o, const char *period, struct figure value,
                    const struct currency *c)
{
    struct buf *b = &a->x->body;
    char text[FIGURE_TEXT];
    struct money_figure m = money_report(&a->money, a->row, o->currency, o->period_start, value);
    figure_text_scaled(m.value, m.currency ? m.currency->decimals : 0, text);
    buf_printf(b, "%s,%s,%u,%s,%s,%d", period, text, o->revision,
               a->money.to ? a->money.to->code : o->currency, letters[o->status], o->confidential);
    csv_time(b, o->received_us);
    csv_time(b, o->published_us);
    buf_text(b, ",");
    csv_text(b, a->inside && o->reason ? o->reason : "");
    buf_text(b, ",");
    csv_text(b, a->inside && o->author ? o->author : "");
    if (a->money.to)
        csv_money(b, &m, value, c);
    buf_text(b, "\r\n");
}

static enum err put(void *ctx, const struct observation *o)
{
    struct answer *a = ctx;
    char period[PERIOD_TEXT];
    if (a->rows++ == ROWS_MAX)
        return ERR_TOO_BIG;
    const struct currency *c = *o->currency ? currency_find(o->currency) : a->row->measure.currency;
    struct figure value = o->status == WIRE_MISSING ? figure_missing() : o->value;
    period_text((struct period){(enum period_kind)a->row->series.period, o->period_start}, period);
    if (a->csv)
        put_csv(a, o, period, value, c);
    else
        put_json(a, o, period, value, c);
    return ERR_OK;
}

static enum err parse_period(struct exchange *x, const struct board_row *row, struct observation_query *q)
{
    const char *text = exchange_param(x, "period");
    struct period p;
    if (!text)
        return ERR_OK;
    if (exchange_param(x, "from") || exchange_param(x, "to"))
        return exchange_fail_param(x, "period", "cannot stand beside from and to");
    if (period_parse(text, &p))
        return exchange_fail_param(x, "period", "must be a period like 2026, 2026-Q1, 2026-03 or 2026-03-14");
    if (p.kind < (enum period_kind)row->series.period)
        return exchange_fail_param(x, "period", "is shorter than a period of this series (%s)",
                                   period_kind_name((enum period_kind)row->series.period));
    q->from = p.start;
    q->to = period_end(p);
    return ERR_OK;
}

// Rates are those known at the moment asked for; by what was published, those of now: a day's rate is out on
// that day.
static int64_t rates_as_of(const struct observation_query *q)
{
    return q->by_published ? 0 : q->as_of_us;
}

static enum err parse_query(struct site *s, struct exchange *x, const struct board_row *row,
                            struct observation_query *q)
{
    static const char *const whiches[] = {"current", "all", NULL};
    size_t which = 0;
    int64_t now = site_now_us(s) / US_PER_S, from = 0, to = INT64_C(250000000000);
    struct as_of as_of;
    const struct zone *z = row->park ? site_zone(s, row->park) : NULL;
    if (params_choice(x, "revisions", whiches, &which) || params_time(x, "from", now, NULL, &from) ||
        params_time(x, "to", now, NULL, &to) || as_of_parse(x, now, z, &as_of))
        return ERR_INVALID;
    if (from >= to)
        return exchange_fail_param(x, "from", "must be before `to`");
    if (which == 1 && as_of.us)
        return exchange_fail_param(x, "revisions",
                                   "all of them have no as_of: each carries the moments it was received and "
                                   "published");
    *q = (struct observation_query){.series_id = row->series.series_id,
                                    .from = (int32_t)(from / 86400),
                                    .to = (int32_t)((to + 86399) / 86400),
                                    .all_revisions = which == 1};
    as_of_apply(&as_of, q);
    if (!exchange_param(x, "from"))
        q->from = CIVIL_DAY_MIN;
    return parse_period(x, row, q);
}

static void begin(struct answer *a)
{
    struct writer *j = &a->json;
    if (a->csv) {
        api_begin_csv(a->x, a->row->series.name);
        buf_text(&a->x->body,
                 "period,value,revision,currency,status,confidential,received,published,reason,author");
        buf_text(&a->x->body, a->money.to
                                  ? ",original_value,original_currency,rate_bank,rate,rate_of,rate_days,"
                                    "rate_carried\r\n"
                                  : "\r\n");
        return;
    }
    api_begin(a->x, j);
    writer_object(j, NULL);
    writer_text(j, "series", a->row->series.name);
    writer_text_or_null(j, "unit", a->row->series.unit);
    writer_text_or_null(j, "currency", a->row->series.currency);
    writer_text(j, "period", period_kind_name((enum period_kind)a->row->series.period));
    writer_bool(j, "simulated", a->row->simulated);
    writer_array(j, "observations");
}

void api_observations(struct site *s, struct exchange *x)
{
    static const char *const formats[] = {"json", "csv", NULL};
    struct readers store;
    struct board_row row;
    struct observation_query q = {0};
    struct diag d = {""};
    size_t format = 0;
    if (params_choice(x, "format", formats, &format) || api_one_series(s, x, &store, &row))
        return;
    struct alike_question alike;
    if (alike_parse(x, &row, &alike))
        return;
    if (alike.asked) {
        api_alike(s, x, &store, &row, &alike);
        return;
    }
    if (row.computed) {
        api_totals_observations(s, x, &store, &row, format == 1);
        return;
    }
    if (row.series.class != WIRE_REPORT) {
        exchange_fail_param(x, "series", "%s is measured, not reported: ask /api/v1/query", row.series.name);
        return;
    }
    if (parse_query(s, x, &row, &q))
        return;
    struct answer a = {.site = s, .x = x, .row = &row, .csv = format == 1};
    a.inside = access_may(&x->viewer, SIGHT_INSIDE, row.name.park, row.name.resident);
    if (as_of_parse(x, site_now_us(s) / US_PER_S, row.park ? site_zone(s, row.park) : NULL, &a.as_of))
        return;
    if (closings_refresh(s, &store, &d) != ERR_OK) {
        exchange_fail_err(x, ERR_AGAIN, d.text);
        return;
    }
    if (money_open(x, &store, &row, rates_as_of(&q), &a.money))
        return;
    begin(&a);
    enum err e = observations_query(store.observations, &q, put, &a, &d);
    if (e == ERR_TOO_BIG)
        exchange_fail_param(x, "from", "more than %d rows: ask for a shorter span", ROWS_MAX);
    else if (e)
        exchange_fail_err(x, e, d.text);
    else if (!a.csv) {
        writer_end_array(&a.json);
        writer_end_object(&a.json);
        api_end(x, &a.json);
    }
    money_close(&a.money);
}
