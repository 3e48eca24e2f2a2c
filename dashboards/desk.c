// The last word is the collector's: here is only what needs the words of the person (a decimal comma) or the
// eyes of the asker (whether there is such a series for them). What was understood is sent in one plain form.

#include "dashboards/desk.h"
#include "base/clock.h"
#include "dashboards/audit.h"
#include "dashboards/closings.h"
#include "dashboards/params.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MS 9000 // the collector waits for its observations twice

static const char *const field_names[] = {
    [DESK_FINE] = "",         [DESK_SERIES] = "series",       [DESK_PERIOD] = "period",
    [DESK_VALUE] = "value",   [DESK_CURRENCY] = "currency",   [DESK_STATUS] = "status",
    [DESK_REASON] = "reason", [DESK_PUBLISHED] = "published", [DESK_REVISE] = "revise",
    [DESK_OTHER] = ""};

const char *desk_field_name(enum desk_field f)
{
    return (unsigned)f <= DESK_OTHER ? field_names[f] : "";
}

static enum desk_field field_of(const char *name)
{
    for (int f = DESK_SERIES; f < DESK_OTHER; f++)
        if (strcmp(field_names[f], name) == 0)
            return (enum desk_field)f;
    return DESK_OTHER;
}

// ---- which series
// -----------------------------------------------------------------------------------------------------------
static enum err describe_new(struct site *s, const struct series_name *name, const char *series,
                             struct desk_reading *out)
{
    struct board_row *row = &out->row;
    *row = (struct board_row){.name = *name};
    row->series.class = WIRE_REPORT;
    snprintf(row->series.name, sizeof row->series.name, "%s", series);
    board_join(s, row);
    if (!row->resident || !row->kpi || row->kpi->kind == KPI_COMPUTED)
        return ERR_NOT_FOUND;
    const char *unit = row->kpi->unit->code;
    snprintf(row->series.unit, sizeof row->series.unit, "%s", strcmp(unit, "any") == 0 ? "" : unit);
    if (row->kpi->money)
        snprintf(row->series.currency, sizeof row->series.currency, "%s", row->park->currency);
    board_join(s, row);
    out->is_new = true;
    return ERR_OK;
}

enum err desk_find(struct site *s, struct exchange *x, const struct readers *store, const char *series,
                   struct desk_reading *out, struct diag *d)
{
    struct series_name name;
    *out = (struct desk_reading){.field = DESK_FINE};
    if (series_parse(series, &name) != ERR_OK)
        return ERR_NOT_FOUND;
    out->may_closed = access_may_do(&x->viewer, DEED_REPORT_CLOSED, name.park, name.resident);
    if (!access_may_do(&x->viewer, DEED_REPORT, name.park, name.resident))
        return ERR_NOT_FOUND;
    enum err e = store->reader ? board_load_one(s, store, series, &out->row, d) : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        e = describe_new(s, &name, series, out);
    out->measure = out->row.measure;
    return e;
}

void desk_title(char out[SHOW_TEXT], const struct desk_reading *r, const struct viewer *v, enum lang lang)
{
    struct board_row row = r->row;
    if (r->is_new && row.park && *row.name.dimension &&
        !access_may_dimension(v, row.park, row.name.dimension))
        row.park = NULL;
    board_title(out, &row, lang);
}

// ---- what was written
// -------------------------------------------------------------------------------------------------------
static void blame(struct desk_reading *r, enum desk_field field, const char *why)
{
    if (r->field != DESK_FINE)
        return;
    r->field = field;
    r->why = why;
}

static void read_period(struct desk_reading *r, const char *text)
{
    struct period p;
    if (period_parse(text, &p) != ERR_OK)
        blame(r, DESK_PERIOD, "must be a period like 2026-03, 2026-Q1, 2026 or 2026-03-14");
    else if (!r->is_new && r->row.series.period != (uint32_t)p.kind)
        blame(r, DESK_PERIOD, "is not a period of this series: it is reported by another one");
    else
        r->period = p;
    if (r->is_new)
        r->row.series.period = (uint32_t)r->period.kind;
}

static void read_unit(struct site *s, struct desk_reading *r, const char *text)
{
    if (!r->is_new || *r->row.series.unit)
        return;
    const struct kpi_unit *unit = catalogue_unit(s->catalogue, text);
    if (!unit || strcmp(text, "any") == 0) {
        blame(r, DESK_SERIES, "is new and needs its unit, one of the catalogue's");
        return;
    }
    snprintf(r->row.series.unit, sizeof r->row.series.unit, "%s", unit->code);
    board_join(s, &r->row);
    r->measure = r->row.measure;
}

static void read_currency(struct desk_reading *r, const char *text)
{
    bool money = r->row.series.currency[0] || (r->row.kpi && r->row.kpi->money) ||
                 strcmp(r->row.series.unit, "money") == 0;
    if (!money && *text)
        blame(r, DESK_CURRENCY, "is only of money");
    if (!money)
        return;
    const struct currency *c = currency_find(*text ? text : r->row.series.currency);
    if (!c) {
        blame(r, DESK_CURRENCY, "must be one of KZT, UZS, KGS, RUB, USD, EUR");
        return;
    }
    r->measure.currency = c;
    r->measure.currency_code = c->code;
}

// The bounds as the collector judges by; said here already, in the step that looks at what was written.
static void check_bounds(struct desk_reading *r)
{
    const struct kpi *k = r->row.kpi;
    double v = figure_to_real(r->value);
    if (!k || r->field != DESK_FINE || !(v < figure_to_real(k->min) || v > figure_to_real(k->max)))
        return; // what is missing is a NaN, and not beyond anything
    char min[FIGURE_TEXT], max[FIGURE_TEXT];
    figure_text_scaled(k->min, measure_decimals(&r->measure), min);
    figure_text_scaled(k->max, measure_decimals(&r->measure), max);
    blame(r, DESK_VALUE, NULL);
    snprintf(r->beyond, sizeof r->beyond, "must be %s%s%s%s", *min ? "from " : "", min, *max ? " to " : "",
             max);
}

static void read_value(struct desk_reading *r, const struct desk_entry *w)
{
    bool empty = strspn(w->value, " ") == strlen(w->value);
    r->value = figure_missing();
    if (w->missing || strcmp(w->status, "M") == 0) {
        if (!empty)
            blame(r, DESK_VALUE, "must be empty where the figure is missing");
    } else {
        r->fault = entry_parse(w->value, r->measure.currency, &r->value);
        if (r->fault != ENTRY_FINE)
            blame(r, DESK_VALUE, entry_fault_text(r->fault));
        check_bounds(r);
    }
    figure_text_scaled(r->value, measure_decimals(&r->measure), r->canonical);
    if (r->value.kind == FIGURE_MISSING)
        snprintf(r->canonical, sizeof r->canonical, "-");
}

static void read_rest(struct desk_reading *r, const struct desk_entry *w, int64_t now_s)
{
    int64_t at = 0;
    bool letter = !*w->status || (strlen(w->status) == 1 && strchr("APEM", *w->status));
    if (!letter || (w->missing && *w->status && *w->status != 'M'))
        blame(r, DESK_STATUS,
              "must be A (normal), P (provisional), E (estimated), or M where the figure is missing");
    if (strlen(w->reason) > WIRE_REASON_MAX)
        blame(r, DESK_REASON, "is longer than 255 bytes");
    if (*w->published && (*w->published < '0' || *w->published > '9' ||
                          params_parse_time(w->published, now_s, NULL, &at) != ERR_OK || at <= 0))
        blame(r, DESK_PUBLISHED, "must be a day like 2026-04-10, or a moment like 2026-04-10T09:00:00Z");
    else if (at > now_s + WIRE_FUTURE_MAX_S)
        blame(r, DESK_PUBLISHED, "is in the future");
    if (strlen(w->request) > 64)
        blame(r, DESK_OTHER, "`request` is longer than 64 bytes");
}

// ---- what is known
// ----------------------------------------------------------------------------------------------------------
static enum err take_known(void *ctx, const struct observation *o)
{
    struct desk_known *k = ctx;
    k->known = true;
    k->value = o->status == WIRE_MISSING ? figure_missing() : o->value;
    k->revision = o->revision;
    k->received_us = o->received_us;
    snprintf(k->currency, sizeof k->currency, "%s", o->currency);
    snprintf(k->author, sizeof k->author, "%s", o->author ? o->author : "");
    return ERR_OK;
}

enum err desk_look_up(struct site *s, const struct readers *store, struct desk_reading *r, struct diag *d)
{
    enum err e = store->reader ? closings_refresh(s, store, d) : ERR_OK;
    const struct observation_query q = {
        .series_id = r->row.series.series_id, .from = r->period.start, .to = r->period.start + 1};
    if (e != ERR_OK || r->period.kind == PERIOD_NONE)
        return e;
    r->before.closed = closings_find(s, &r->row, r->period.start, 0, 0, &r->before.closure);
    return r->is_new ? ERR_OK : observations_query(store->observations, &q, take_known, &r->before, d);
}

enum err desk_read(struct site *s, struct exchange *x, const struct readers *store,
                   const struct desk_entry *w, struct desk_reading *out, struct diag *d)
{
    enum err e = desk_find(s, x, store, w->series, out, d);
    if (e != ERR_OK)
        return e;
    if (out->row.series.class != WIRE_REPORT)
        blame(out, DESK_SERIES, "is measured by machines: it has no reports");
    read_period(out, w->period);
    read_unit(s, out, w->unit);
    read_currency(out, w->currency);
    read_value(out, w);
    read_rest(out, w, site_now_us(s) / US_PER_S);
    return desk_look_up(s, store, out, d);
}

// ---- the collector
// ----------------------------------------------------------------------------------------------------------
static json_t *request_of(struct site *s, const struct exchange *x, const struct desk_entry *w,
                          const struct desk_reading *r)
{
    char period[PERIOD_TEXT], who[REFUSALS_WHO], author[WIRE_AUTHOR_MAX + 1], published[WALL_TEXT] = "";
    int64_t at = 0;
    period_text(r->period, period);
    audit_who(who, x, NULL);
    snprintf(author, sizeof author, "%.63s", x->viewer.name);
    if (*w->published && params_parse_time(w->published, site_now_us(s) / US_PER_S, NULL, &at) == ERR_OK)
        wall_text((struct wall){at * US_PER_S}, published);
    const char *status = r->value.kind == FIGURE_MISSING ? "M" : *w->status ? w->status : "A";
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b}", "command",
                     "report", "series", r->row.series.name, "period", period, "value", r->canonical, "unit",
                     r->row.series.unit, "currency", r->measure.currency ? r->measure.currency->code : "",
                     "status", status, "reason", w->reason, "published", published, "request", w->request,
                     "author", author, "who", who, "confidential", w->confidential, "revise", w->revise,
                     "correct_closed", r->may_closed);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static int status_of(const char *code)
{
    static const struct {
        const char *code;
        int status;
    } statuses[] = {{"invalid", 400}, {"denied", 403}, {"conflict", 409}, {"timeout", 429}};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (strcmp(statuses[i].code, code) == 0)
            return statuses[i].status;
    return 503;
}

static void take_answer(const json_t *o, struct desk_answer *out)
{
    const json_t *revision = json_object_get(o, "revision");
    out->stored = json_is_true(json_object_get(o, "ok"));
    out->position = (uint64_t)json_integer_value(json_object_get(o, "position"));
    out->revision = json_is_integer(revision) ? json_integer_value(revision) : -1;
    out->repeated = json_is_true(json_object_get(o, "repeated"));
    out->unchanged = json_is_true(json_object_get(o, "unchanged"));
    out->after_closure = json_is_true(json_object_get(o, "after_closure"));
    if (out->stored)
        return;
    out->status = status_of(text_of(o, "code"));
    out->field = field_of(text_of(o, "field"));
    snprintf(out->text, sizeof out->text, "%s", text_of(o, "error"));
}

void desk_send(struct site *s, const struct exchange *x, const struct desk_entry *w,
               const struct desk_reading *reading, struct desk_answer *out)
{
    char *reply = NULL;
    json_t *o = request_of(s, x, w, reading);
    char *request = o ? json_dumps(o, JSON_COMPACT) : NULL;
    enum err e = request ? flush_ask(s->flush, request, CALL_MS, &reply, NULL) : ERR_NOMEM;
    json_t *answer = e == ERR_OK ? json_loads(reply, 0, NULL) : NULL;
    *out = (struct desk_answer){.revision = -1, .status = 503, .field = DESK_OTHER};
    snprintf(out->text, sizeof out->text,
             e == ERR_CLOSED
                 ? "the collector is not running: nothing was stored"
                 : "the collector did not answer in time; send the same again, it is stored once");
    if (json_is_object(answer))
        take_answer(answer, out);
    metrics_add(s->metrics, out->stored ? METRIC_REPORTS_DONE : METRIC_REPORTS_REFUSED, 1);
    json_decref(answer);
    json_decref(o);
    free(request);
    free(reply);
}
