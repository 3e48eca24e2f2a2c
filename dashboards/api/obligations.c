// What is owed, report by report, and what it comes to: by resident, and by park for those who may see all of
// it. A per cent of nothing is null.

#include "base/clock.h"
#include "dashboards/api/api.h"
#include "dashboards/as_of.h"
#include "dashboards/owed.h"
#include "dashboards/params.h"
#include "dashboards/plan.h"
#include <string.h>

#define ROWS_MAX 50000

static const char *const states[] = {"all", "open", "late", "done", NULL};

struct answer {
    struct site *site;
    struct exchange *x;
    struct writer json;
    struct readers store;
    const struct park *park; // asked for; NULL: all
    const char *resident;
    struct period within;
    struct as_of as_of;
    size_t state; // of states
    bool csv;
    size_t rows;
    const struct park *now; // being listed
    struct owed_sum sum;
};

// ---- rows

static bool is_wanted(const struct answer *a, const struct owed_item *i)
{
    return a->state == 0 || strcmp(states[a->state], owed_state_name(i->state)) == 0;
}

static void put_json(struct answer *a, const struct owed_item *i, const char *period, const char *due)
{
    const struct obligation_owed *o = &i->owed;
    struct writer *j = &a->json;
    writer_object(j, NULL);
    writer_text(j, "park", a->now->code);
    writer_text(j, "resident", o->resident);
    writer_text(j, "kpi", o->rule->kpi->code);
    writer_text_or_null(j, "dimension", o->rule->dimension);
    writer_text(j, "period", period);
    writer_text(j, "state", owed_state_name(i->state));
    writer_bool(j, "answered_missing", i->answered);
    writer_text_or_null(j, "due", due);
    writer_time(j, "late_from", o->has_due ? o->late_s * US_PER_S : 0);
    writer_time(j, "received", i->received_us);
    writer_integer(j, "late_by_s", i->late_us / US_PER_S);
    writer_text_or_null(j, "assumed", o->rule->assumed);
    writer_end_object(j);
}

static void csv_time(struct buf *b, int64_t us)
{
    char text[WALL_TEXT];
    if (us)
        wall_text((struct wall){us}, text);
    buf_printf(b, ",%s", us ? text : "");
}

static void put_csv(struct answer *a, const struct owed_item *i, const char *period, const char *due)
{
    const struct obligation_owed *o = &i->owed;
    struct buf *b = &a->x->body;
    buf_printf(b, "%s,%s,%s,%s,%s,%s,%d,%s", a->now->code, o->resident, o->rule->kpi->code,
               o->rule->dimension, period, owed_state_name(i->state), i->answered, due);
    csv_time(b, o->has_due ? o->late_s * US_PER_S : 0);
    csv_time(b, i->received_us);
    buf_printf(b, ",%lld\r\n", (long long)(i->late_us / US_PER_S));
}

static enum err put(void *ctx, const struct owed_item *i)
{
    struct answer *a = ctx;
    char period[PERIOD_TEXT], due[PERIOD_TEXT] = "";
    if (!is_wanted(a, i))
        return ERR_OK;
    period_text(i->owed.period, period);
    if (i->owed.has_due)
        period_text((struct period){PERIOD_DAY, i->owed.due_day}, due);
    if (a->csv)
        put_csv(a, i, period, due);
    else
        put_json(a, i, period, due);
    return ERR_OK;
}

static enum err add(void *ctx, const struct owed_item *i)
{
    owed_add(ctx, i);
    return ERR_OK;
}

// ---- parks

static struct owed_ask ask_of(const struct answer *a, const struct park *park, const struct park *then)
{
    return (struct owed_ask){.park = park,
                             .then = then,
                             .resident = a->resident,
                             .within = a->within,
                             .as_of_us = a->as_of.us,
                             .max_items = ROWS_MAX};
}

static void put_sum(struct answer *a, const char *resident, const struct owed_sum *sum)
{
    struct writer *j = &a->json;
    writer_object(j, NULL);
    writer_text(j, "park", a->now->code);
    writer_text(j, "resident", resident);
    writer_integer(j, "owed", (int64_t)sum->owed);
    writer_integer(j, "done", (int64_t)sum->done);
    writer_integer(j, "answered_missing", (int64_t)sum->answered);
    writer_integer(j, "late", (int64_t)sum->late);
    writer_integer(j, "due", (int64_t)sum->due);
    writer_integer(j, "in_time", (int64_t)sum->in_time);
    writer_figure(j, "completeness", owed_completeness(sum));
    writer_figure(j, "punctuality", owed_punctuality(sum));
    writer_end_object(j);
}

static enum err list_park(struct answer *a, const struct park *park, const struct park *then, struct diag *d)
{
    const struct owed_ask ask = ask_of(a, park, then);
    a->now = park;
    return owed_list(a->site, &a->store, &ask, put, a, d);
}

// One resident after the other, and the park's own where all of it may be seen.
static enum err sum_park(struct answer *a, const struct park *park, const struct park *then, struct diag *d)
{
    const struct park *p = then ? then : park;
    struct owed_ask ask = ask_of(a, park, then);
    struct owed_sum all = {0};
    enum err e = ERR_OK;
    a->now = park;
    for (size_t i = 0; e == ERR_OK && i < p->resident_count; i++) {
        const char *code = p->residents[i].code;
        struct owed_sum sum = {0};
        if ((a->resident && strcmp(a->resident, code) != 0) ||
            !access_may(&a->x->viewer, SIGHT_OBLIGATIONS, park->code, code))
            continue;
        ask.resident = code;
        e = owed_list(a->site, &a->store, &ask, add, &sum, d);
        if (e != ERR_OK || sum.owed == 0)
            continue;
        put_sum(a, code, &sum);
        all = (struct owed_sum){all.owed + sum.owed, all.done + sum.done, all.answered + sum.answered,
                                all.late + sum.late, all.due + sum.due,   all.in_time + sum.in_time};
    }
    if (e == ERR_OK && !a->resident && all.owed > 0 &&
        access_may(&a->x->viewer, SIGHT_OBLIGATIONS, park->code, ""))
        put_sum(a, NULL, &all);
    return e;
}

typedef enum err (*of_park)(struct answer *a, const struct park *park, const struct park *then,
                            struct diag *d);

static enum err each_park(struct answer *a, const struct park *then, of_park what, struct diag *d)
{
    enum err e = ERR_OK;
    if (a->park)
        return what(a, a->park, then, d);
    for (size_t i = 0; e == ERR_OK && i < a->site->parks.count; i++) {
        const struct park *p = access_park(&a->x->viewer, a->site->parks.parks[i]->code);
        if (p)
            e = what(a, p, NULL, d);
    }
    return e;
}

// ---- the answer

static void begin(struct answer *a)
{
    struct writer *j = &a->json;
    if (a->csv) {
        api_begin_csv(a->x, "obligations");
        buf_text(&a->x->body,
                 "park,resident,kpi,dimension,period,state,answered_missing,due,late_from,received,"
                 "late_by_s\r\n");
        return;
    }
    api_begin(a->x, j);
    writer_object(j, NULL);
    writer_time(j, "as_of",
                a->as_of.us && a->as_of.us < site_now_us(a->site) ? a->as_of.us : site_now_us(a->site));
    writer_array(j, "obligations");
}

static enum err end(struct answer *a, const struct park *then, struct diag *d)
{
    struct writer *j = &a->json;
    if (a->csv)
        return ERR_OK;
    writer_end_array(j);
    writer_array(j, "summary");
    enum err e = each_park(a, then, sum_park, d);
    writer_end_array(j);
    writer_end_object(j);
    api_end(a->x, j);
    return e;
}

static void answer(struct answer *a)
{
    struct diag d = {""};
    struct park *then = NULL;
    enum err e = a->park ? plan_by(a->site, &a->store, a->park, &a->as_of, &then, &d) : ERR_OK;
    if (e == ERR_NOT_FOUND) {
        exchange_fail(a->x, 404, "%s", d.text);
        return;
    }
    if (e == ERR_OK) {
        begin(a);
        e = each_park(a, then, list_park, &d);
    }
    if (e == ERR_OK)
        e = end(a, then, &d);
    if (e == ERR_TOO_BIG)
        exchange_fail_param(a->x, "period",
                            "more than %d reports are owed: ask for one park, resident or period", ROWS_MAX);
    else if (e != ERR_OK)
        exchange_fail_err(a->x, e, d.text);
    park_free(then);
}

static enum err parse(struct answer *a)
{
    static const char *const formats[] = {"json", "csv", NULL};
    struct exchange *x = a->x;
    const char *park = exchange_param(x, "park"), *period = exchange_param(x, "period");
    size_t format = 0;
    a->park = park ? access_park(&x->viewer, park) : NULL;
    a->resident = exchange_param(x, "resident");
    if (park && !a->park)
        return exchange_fail_param(x, "park", "there is no park '%.100s'; /api/v1/parks lists them", park);
    if (a->resident && !a->park)
        return exchange_fail_param(x, "park", "is needed beside resident");
    if (period && period_parse(period, &a->within) != ERR_OK)
        return exchange_fail_param(x, "period", "must be a period like 2026, 2026-Q1, 2026-03 or 2026-03-14");
    if (params_choice(x, "state", states, &a->state) || params_choice(x, "format", formats, &format) ||
        as_of_parse(x, site_now_us(a->site) / US_PER_S, a->park ? site_zone(a->site, a->park) : NULL,
                    &a->as_of))
        return ERR_INVALID;
    a->csv = format == 1;
    if (a->as_of.asked && !a->park)
        return exchange_fail_param(x, "park", "is missing: what was owed in the past is asked for by park");
    return ERR_OK;
}

void api_obligations(struct site *s, struct exchange *x)
{
    struct answer a = {.site = s, .x = x};
    if (parse(&a) == ERR_OK && api_store(s, x, &a.store) == ERR_OK)
        answer(&a);
}
