// Who is in both totals is listed, and of everybody else why not: a comparison without that is a claim.
#include "dashboards/api/alike.h"
#include "base/clock.h"
#include "dashboards/as_of.h"
#include "dashboards/money.h"

static void put_total(struct writer *j, const char *name, const struct kpi_total *t, const struct currency *c)
{
    writer_object(j, name);
    api_sum(j, t->value, &t->huge, c);
    writer_text(j, "why", t->why == TOTAL_KNOWN ? NULL : total_why_word(t->why));
    writer_integer(j, "contributors", t->contributors);
    writer_integer(j, "missing", t->missing);
    writer_integer(j, "partial", t->partial);
    writer_bool(j, "simulated", t->simulated);
    writer_end_object(j);
}

static void put_totals(struct writer *j, const char *name, const struct alike_totals *t,
                       const struct currency *c)
{
    char change[TALLY_TEXT];
    writer_object(j, name);
    put_total(j, "period", &t->period, c);
    put_total(j, "against", &t->against, c);
    tally_text(&t->change, c ? c->decimals : 0, change);
    writer_decimal(j, "change", change);
    writer_figure(j, "change_per_cent", t->change_per_cent);
    writer_end_object(j);
}

static void put_who(struct writer *j, const struct viewer *v, const struct alike *a)
{
    static const char *const whys[] = {NULL, "joined later", "left",
                                       "merged with one that joined later, or left"};
    writer_array(j, "residents");
    for (size_t i = 0; i < a->park->resident_count; i++)
        if (a->in[i] && access_may(v, SIGHT_RESIDENT, a->park->code, a->park->residents[i].code))
            writer_text(j, NULL, a->park->residents[i].code);
    writer_end_array(j);
    writer_array(j, "left_out");
    for (size_t i = 0; i < a->park->resident_count; i++) {
        int32_t day;
        char text[SHOW_TEXT];
        enum alike_why why = alike_why(a, i, &day);
        if (a->in[i] || !access_may(v, SIGHT_RESIDENT, a->park->code, a->park->residents[i].code))
            continue;
        show_day(text, day);
        writer_object(j, NULL);
        writer_text(j, "resident", a->park->residents[i].code);
        writer_text(j, "why", whys[why]);
        writer_text(j, "day", day == MEMBERSHIP_STILL ? NULL : text);
        writer_end_object(j);
    }
    writer_end_array(j);
}

static void put(struct exchange *x, const struct board_row *row, const struct alike *a)
{
    struct writer j;
    char period[SPAN_TEXT], against[SPAN_TEXT];
    span_text(a->question.period, period);
    span_text(a->question.against, against);
    api_begin(x, &j);
    writer_object(&j, NULL);
    writer_text(&j, "series", row->series.name);
    writer_text_or_null(&j, "unit", row->series.unit);
    writer_text(&j, "currency", a->currency ? a->currency->code : NULL);
    writer_bool(&j, "converted", a->converted);
    writer_text(&j, "period", period);
    writer_text(&j, "against", against);
    writer_text(&j, "profile", a->owned ? "then" : "now");
    put_totals(&j, "like_for_like", &a->alike, a->currency);
    put_totals(&j, "everybody", &a->everybody, a->currency);
    put_who(&j, &x->viewer, a);
    writer_end_object(&j);
    api_end(x, &j);
}

void api_alike(struct site *s, struct exchange *x, const struct readers *store, const struct board_row *row,
               const struct alike_question *q)
{
    struct as_of as_of;
    struct alike a;
    struct diag d = {""};
    const struct currency *currency = NULL;
    if (exchange_param(x, "format") || exchange_param(x, "from") || exchange_param(x, "to") ||
        exchange_param(x, "revisions")) {
        exchange_fail_param(x, "like_for_like", "takes series, period, against, as_of, by and currency only");
        return;
    }
    if (as_of_parse(x, site_now_us(s) / US_PER_S, site_zone(s, row->park), &as_of) ||
        money_choose(x, row, &currency))
        return;
    enum err e = alike_read(s, store, row, q, &as_of, currency, &a, &d);
    if (e) {
        exchange_fail_err(x, e, d.text);
        return;
    }
    put(x, row, &a);
    alike_free(&a);
}
