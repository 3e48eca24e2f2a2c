// The two spans are read in one question, so both are by the same members, rates and moment.

#include "dashboards/alike.h"
#include "dashboards/plan.h"
#include <stdlib.h>
#include <string.h>

// ---- what is asked

static enum err parse_span(struct exchange *x, const struct board_row *row, const char *name,
                           struct span *out)
{
    const char *text = exchange_param(x, name);
    if (!text)
        return exchange_fail_param(x, name, "is needed with like_for_like: two periods are compared");
    if (calendar_span_parse(&row->park->calendar, text, out) != ERR_OK)
        return exchange_fail_param(x, name,
                                   "must be a period like 2026, FY2026, 2026-Q1, 2026-03 or 2026-03-14");
    if (out->kind < computed_native(row))
        return exchange_fail_param(x, name, "is shorter than the period its parts are reported for (%s)",
                                   span_kind_name(computed_native(row)));
    return ERR_OK;
}

enum err alike_parse(struct exchange *x, const struct board_row *row, struct alike_question *out)
{
    struct alike_question q = {.asked = exchange_param(x, "like_for_like") != NULL};
    *out = q;
    if (!q.asked)
        return exchange_param(x, "against") ? exchange_fail_param(x, "against", "needs like_for_like=1")
                                            : ERR_OK;
    if (strcmp(exchange_param(x, "like_for_like"), "1") != 0)
        return exchange_fail_param(x, "like_for_like", "is 1, or left out");
    if (!row->computed || !row->park || strcmp(row->name.resident, SERIES_RESIDENT_ALL) != 0)
        return exchange_fail_param(x, "like_for_like", "is of a park's total: PARK/all/KPI");
    if (parse_span(x, row, "period", &q.period) || parse_span(x, row, "against", &q.against))
        return ERR_INVALID;
    if (q.period.kind != q.against.kind)
        return exchange_fail_param(x, "against", "must be as long as period: a %s",
                                   span_kind_name(q.period.kind));
    if (q.period.first < q.against.end && q.against.first < q.period.end)
        return exchange_fail_param(x, "against", "must be another period");
    *out = q;
    return ERR_OK;
}

// ---- what it comes to

static bool is_whole(const struct kpi_total *t, int128 *out)
{
    *out = t->huge.is ? t->huge.whole : t->value.integer;
    return t->huge.is || t->value.kind == FIGURE_INTEGER;
}

static void compare(struct alike_totals *t)
{
    struct figure now = t->period.value, before = t->against.value;
    int128 n, b;
    t->change = (struct tally){0};
    t->change_per_cent = figure_missing();
    if (now.kind == FIGURE_MISSING || before.kind == FIGURE_MISSING)
        return;
    double difference = figure_to_real(now) - figure_to_real(before);
    struct figure change = figure_missing();
    if (is_whole(&t->period, &n) && is_whole(&t->against, &b)) {
        t->change = (struct tally){.count = 1, .whole = n - b};
        difference = (double)(n - b);
    } else if (figure_from_real(difference, &change) == ERR_OK) {
        tally_add(&t->change, change);
    }
    if (figure_to_real(before) <= 0 ||
        figure_from_real(difference * 100 / figure_to_real(before), &t->change_per_cent))
        t->change_per_cent = figure_missing();
}

static enum err read_both(const struct totals_place *place, struct totals_question *q, bool swapped,
                          struct alike_totals *out, struct totals_said *said, struct diag *d)
{
    struct kpi_total figures[2];
    memset(figures, 0, sizeof figures);
    enum err e = totals_read(place, q, figures, said, d);
    if (e)
        return e;
    out->against = figures[swapped ? 1 : 0];
    out->period = figures[swapped ? 0 : 1];
    compare(out);
    return ERR_OK;
}

static enum err read_all(const struct totals_place *place, const struct board_row *row,
                         const struct as_of *as_of, const struct currency *currency, struct alike *a,
                         struct diag *d)
{
    const struct alike_question *asked = &a->question;
    bool swapped = asked->period.first < asked->against.first;
    const struct span spans[2] = {swapped ? asked->period : asked->against,
                                  swapped ? asked->against : asked->period};
    struct totals_said said = {0};
    struct totals_question q = {.kpi = row->kpi,
                                .resident = "",
                                .dimension = row->name.dimension,
                                .spans = spans,
                                .count = 2,
                                .as_of_us = as_of->us,
                                .by_published = as_of->by_published,
                                .to = currency};
    enum err e = read_both(place, &q, swapped, &a->everybody, &said, d);
    a->currency = row->kpi->money ? said.currency : NULL;
    a->converted = said.converted;
    q.to = a->currency; // the same for both sets, whoever is in them
    q.alike = a->in;
    return e ? e : read_both(place, &q, swapped, &a->alike, &said, d);
}

enum err alike_read(struct site *s, const struct readers *store, const struct board_row *row,
                    const struct alike_question *q, const struct as_of *as_of,
                    const struct currency *currency, struct alike *out, struct diag *d)
{
    struct alike a = {.question = *q, .park = row->park};
    enum err e = plan_by(s, store, row->park, as_of, &a.owned, d);
    if (e != ERR_OK && e != ERR_NOT_FOUND) // where none was recorded by then, that of now counts
        return e;
    if (a.owned)
        a.park = a.owned;
    struct totals_place place = computed_place(s, store, row->park);
    place.park = a.park;
    a.in = calloc(a.park->resident_count + 1, sizeof *a.in);
    if (a.in)
        membership_alike(a.park, (struct days){q->period.first, q->period.end},
                         (struct days){q->against.first, q->against.end}, a.in);
    e = a.in ? read_all(&place, row, as_of, currency, &a, d) : diag_fail(d, ERR_NOMEM, "out of memory");
    if (e)
        alike_free(&a);
    else
        *out = a;
    return e;
}

void alike_free(struct alike *a)
{
    free(a->in);
    park_free(a->owned);
    *a = (struct alike){0};
}

enum alike_why alike_why(const struct alike *a, size_t resident, int32_t *day)
{
    const struct membership *m = &a->park->residents[resident].member;
    const struct span *p = &a->question.period, *o = &a->question.against;
    int32_t from = p->first < o->first ? p->first : o->first, to = p->end > o->end ? p->end : o->end;
    *day = m->joined > from ? m->joined : m->left;
    if (a->in[resident])
        return ALIKE_IN;
    if (m->joined > from)
        return ALIKE_JOINED;
    if (m->left >= to) // it stayed: the other one's day is not its own
        *day = MEMBERSHIP_STILL;
    return m->left < to && !*m->merged_into ? ALIKE_LEFT : ALIKE_MERGED;
}
