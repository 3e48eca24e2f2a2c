// A person's figure by program: a JSON object or a form, with a token, or with a session and its form's
// token. What the collector refuses is answered as it says it, with the member at fault.

#include "base/clock.h"
#include "dashboards/api/api.h"
#include "dashboards/audit.h"
#include "dashboards/desk.h"
#include <string.h>

static const char *const members[] = {"series",       "period",  "value",  "missing", "currency",
                                      "unit",         "status",  "reason", "revise",  "published",
                                      "confidential", "request", "form",   NULL};

static enum err check_members(struct exchange *x)
{
    for (size_t i = 0; i < x->field_count; i++) {
        size_t k = 0;
        while (members[k] && strcmp(members[k], x->fields[i].name) != 0)
            k++;
        if (!members[k])
            return exchange_fail_param(
                x, x->fields[i].name,
                "is none of series, period, value, missing, currency, unit, status, reason, "
                "revise, published, confidential, request");
    }
    return ERR_OK;
}

static bool flag(const struct exchange *x, const char *name)
{
    const char *text = exchange_field(x, name);
    return *text && strcmp(text, "0") != 0 && strcmp(text, "false") != 0;
}

static struct desk_entry entry_of(const struct exchange *x)
{
    return (struct desk_entry){.series = exchange_field(x, "series"),
                               .period = exchange_field(x, "period"),
                               .value = exchange_field(x, "value"),
                               .currency = exchange_field(x, "currency"),
                               .unit = exchange_field(x, "unit"),
                               .status = exchange_field(x, "status"),
                               .reason = exchange_field(x, "reason"),
                               .published = exchange_field(x, "published"),
                               .request = exchange_field(x, "request"),
                               .missing = flag(x, "missing"),
                               .confidential = flag(x, "confidential"),
                               .revise = flag(x, "revise")};
}

// The same for what is there and what is not.
static enum err check_right(struct site *s, struct exchange *x, const char *series)
{
    struct series_name name;
    if (series_parse(series, &name) != ERR_OK)
        return exchange_fail_param(x, "series", "must be park/resident/kpi or park/resident/kpi/dimension");
    if (access_may_do(&x->viewer, DEED_REPORT, name.park, name.resident))
        return ERR_OK;
    audit_refused(s, x, AUDIT_OF_REPORT, NULL, series, "");
    return exchange_fail(x, 403, "you may not report figures of %s/%s", name.park, name.resident);
}

static enum err fail(struct exchange *x, int status, enum desk_field field, const char *text)
{
    const char *name = desk_field_name(field);
    if (*name)
        exchange_fail_param(x, name, "%s", text);
    else
        exchange_fail(x, status, "%s", text);
    x->status = status;
    if (status == 429 || status == 503)
        x->retry_after_s = 2;
    return ERR_INVALID;
}

static void put_before(struct writer *j, const struct desk_known *k)
{
    const struct currency *c = *k->currency ? currency_find(k->currency) : NULL;
    if (!k->known) {
        writer_null(j, "before");
        return;
    }
    writer_object(j, "before");
    writer_integer(j, "revision", k->revision);
    api_value(j, k->value, c);
    writer_text_or_null(j, "currency", k->currency);
    writer_end_object(j);
}

static void put_answer(struct exchange *x, const struct desk_reading *r, const struct desk_answer *a)
{
    struct writer j;
    char period[PERIOD_TEXT];
    period_text(r->period, period);
    api_begin(x, &j);
    x->status = a->repeated || a->unchanged ? 200 : 201;
    writer_object(&j, NULL);
    writer_text(&j, "series", r->row.series.name);
    writer_text(&j, "period", period);
    if (a->revision >= 0)
        writer_integer(&j, "revision", a->revision);
    else
        writer_null(&j, "revision");
    api_value(&j, r->value, r->measure.currency);
    writer_text_or_null(&j, "currency", r->measure.currency ? r->measure.currency->code : "");
    if (access_may(&x->viewer, SIGHT_SYSTEM, "", "")) // it counts what all parks do
        writer_integer(&j, "position", (int64_t)a->position);
    writer_bool(&j, "repeated", a->repeated);
    writer_bool(&j, "unchanged", a->unchanged);
    writer_bool(&j, "after_closure", a->after_closure);
    put_before(&j, &r->before);
    writer_end_object(&j);
    api_end(x, &j);
}

void api_report(struct site *s, struct exchange *x)
{
    const struct desk_entry w = entry_of(x);
    struct desk_reading r;
    struct desk_answer a;
    struct readers store;
    struct diag d = {""};
    if (check_members(x) || check_right(s, x, w.series) || api_store(s, x, &store))
        return;
    enum err e = desk_read(s, x, &store, &w, &r, &d);
    if (e == ERR_NOT_FOUND)
        (void)fail(x, 404, DESK_SERIES,
                   "there is no such series, and none can be begun: the resident is not in "
                   "its park's profile, or the catalogue has no such KPI");
    else if (e != ERR_OK)
        (void)exchange_fail_err(x, e, d.text);
    else if (r.field != DESK_FINE)
        (void)fail(x, 400, r.field, r.beyond[0] ? r.beyond : r.why);
    else {
        desk_send(s, x, &w, &r, &a);
        if (a.stored)
            put_answer(x, &r, &a);
        else
            (void)fail(x, a.status, a.field, a.text);
    }
}
