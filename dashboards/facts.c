// The place where figures of rivals are added, so the refusals come first: each reason not to add is checked
// before any figure is touched, and a reason is an answer, not a failure.

#include "dashboards/facts.h"
#include "dashboards/members.h"
#include "kpi/formula.h"
#include "kpi/tally.h"
#include <math.h>
#include <string.h>

#define SHORTEST_S (20 * 3600) // no rate a year of less

struct question {
    const char *kpi, *dimension, *resident; // "" for any
    const char *unit, *currency;            // "" for any
    enum fact_rule rule;
    bool forgive_unit; // output beside a capacity: pieces beside pieces a year
    bool yearly;       // set beside a figure of a year
};

static bool asked(const struct question *q, const struct board_row *r)
{
    return strcmp(r->name.kpi, q->kpi) == 0 && strcmp(r->name.resident, "all") != 0 &&
           (!*q->resident || strcmp(r->name.resident, q->resident) == 0) &&
           (!*q->dimension || strcmp(r->name.dimension, q->dimension) == 0);
}

// A resident that reports a figure both as a whole and by dimension is counted once, as a whole. One that
// only declares the whole has said nothing by it: its parts are what there is.
static bool has_whole(const struct fact_source *f, const struct board_row *r)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct board_row *o = &f->rows[i];
        if (o->has_latest && !*o->name.dimension && strcmp(o->name.kpi, r->name.kpi) == 0 &&
            strcmp(o->name.resident, r->name.resident) == 0)
            return true;
    }
    return false;
}

static bool reports(const struct fact_source *f, const struct question *q, const struct board_row *r)
{
    return asked(q, r) && r->has_latest && (*q->dimension || !*r->name.dimension || !has_whole(f, r));
}

// Of a sum over the park: whether the resident belonged to it when its figures were made. What is said of one
// enterprise is its own, wherever it belonged.
static bool belongs(const struct fact_source *f, const struct question *q, const struct board_row *r)
{
    int32_t from = CIVIL_DAY_MIN, to = board_latest_end_day(r, f->zone);
    if (*q->resident)
        return true;
    return q->rule == RULE_LEVEL ? members_newest_counts(r, f->zone, f->today) : members_cut(r, &from, &to);
}

static bool counts(const struct fact_source *f, const struct question *q, const struct board_row *r)
{
    return reports(f, q, r) && belongs(f, q, r);
}

static bool measured_alike(const struct question *q, const struct board_row *r)
{
    return q->forgive_unit || !*q->unit || strcmp(q->unit, r->series.unit) == 0;
}

// Why the asked figures may not be added; FACT_KNOWN when they may.
static enum fact_why refuse(const struct fact_source *f, const struct question *q,
                            const struct board_row **first)
{
    const struct board_row *one = NULL, *other = NULL;
    for (size_t i = 0; i < f->count; i++) {
        const struct board_row *r = &f->rows[i];
        if (!counts(f, q, r))
            continue;
        if (!measured_alike(q, r))
            return FACT_UNIT;
        if (one && r->kpi && r->kpi->per_product && strcmp(one->name.dimension, r->name.dimension) != 0)
            return FACT_UNLIKE;
        if (one && r->kpi && r->kpi->over_residents != ROLLUP_SUM && !r->kpi->per_product)
            return FACT_RATIO;
        if (!one)
            one = *first = r;
        if (!other && strcmp(r->series.currency, *q->currency ? q->currency : one->series.currency) != 0)
            other = r;
    }
    if (other)
        *first = other;
    return other ? FACT_CURRENCY : one ? FACT_KNOWN : FACT_NONE;
}

int32_t fact_months_before(int32_t day, int months)
{
    struct civil c = civil_from_days(day);
    int32_t month = c.year * 12 + c.month - 1 - months;
    int32_t first = civil_to_days((struct civil){month / 12, month % 12 + 1, 1});
    int32_t end_of_month = period_end((struct period){PERIOD_MONTH, first});
    return first + c.day - 1 < end_of_month ? first + c.day - 1 : end_of_month - 1;
}

// Where the span begins that ends with the newest figure.
static int32_t span_start(const struct fact_source *f, const struct question *q, int32_t *end)
{
    static const int months[] = {[RULE_YEAR] = 12, [RULE_QUARTER] = 3, [RULE_MONTH] = 1, [RULE_DAY] = 0};
    int32_t newest = 0;
    for (size_t i = 0; i < f->count; i++)
        if (counts(f, q, &f->rows[i]) && board_latest_end_day(&f->rows[i], f->zone) > newest)
            newest = board_latest_end_day(&f->rows[i], f->zone);
    *end = newest + 1;
    if (q->rule == RULE_SINCE_FIRST || q->rule == RULE_LEVEL)
        return 0;
    return q->rule == RULE_DAY ? newest - 1 : fact_months_before(newest, months[q->rule]);
}

struct summing {
    struct tally tally;
    const char *last_resident; // rows are ordered by name, so a resident's stand together
    bool said_older;           // of that resident
    const char *last_partial;
    int64_t first_s, end_s;    // what the figures lie in
    int64_t least_s, most_s;   // how long figures are known of, of the series with the least and the most
    double a_year;             // each series' figures at its own rate
    int32_t first_day;         // that first_s lies in
    int32_t newest;            // first day after the newest figure of all
    int32_t common;            // the same of whoever is furthest behind, but for a year
    const struct currency *to; // of the sum; NULL: it is no money
};

// What is stored of a report in another currency than its series' is no figure of the series: a newest one
// like that looks as if it were missing.
static bool may_be_foreign(const struct fact_source *f, const struct board_row *r)
{
    return f->convert && r->series.class == WIRE_REPORT && *r->series.currency &&
           r->latest.value.kind == FIGURE_MISSING;
}

static enum err convert_row(const struct fact_source *f, const struct board_row *r, struct days days,
                            const struct currency *into, struct figure *value, struct fact_known *known,
                            struct fact *out)
{
    struct conversion by = {0};
    enum err e = ERR_NOT_FOUND;
    if (f->convert && into)
        e = f->convert(f->ctx, r, days.from, days.to, into, value, known, &by);
    if (e == ERR_OK && value->kind != FIGURE_MISSING && by.to > 0) {
        if (!out->converted || by.rated > out->by.rated)
            out->by = by;
        out->converted = true;
    }
    return e;
}

// A flow's sum over the days, a level's newest figure.
static enum err value_of(const struct fact_source *f, const struct question *q, const struct board_row *r,
                         struct days days, const struct currency *into, struct figure *value,
                         struct fact_known *known, struct fact *out)
{
    bool other = into && strcmp(into->code, r->series.currency) != 0;
    struct days newest = {.from = (int32_t)r->latest.time, .to = board_latest_end_day(r, f->zone)};
    *value = r->latest.value;
    if (q->rule == RULE_LEVEL)
        return other || may_be_foreign(f, r) ? convert_row(f, r, newest, into, value, known, out) : ERR_OK;
    enum err e = other ? ERR_CONFLICT : f->sum(f->ctx, r, days.from, days.to, value, known);
    return e == ERR_CONFLICT ? convert_row(f, r, days, into, value, known, out) : e;
}

// Unknown time is not nothing: a series goes on at the rate of what is known of it. One of less than a day
// counts as a day's, so that whoever has just begun is no multiple of itself.
static void add_known(struct summing *s, const struct fact_source *f, const struct board_row *r,
                      struct figure value, const struct fact_known *known)
{
    int64_t at_least_s = known->known_s < SHORTEST_S ? SHORTEST_S : known->known_s;
    s->a_year += figure_to_real(value) * (365.0 * 86400.0 / (double)at_least_s);
    if (s->most_s == 0 || known->known_s < s->least_s)
        s->least_s = known->known_s;
    if (known->known_s > s->most_s)
        s->most_s = known->known_s;
    if (s->first_s == 0 || known->first_s < s->first_s) {
        s->first_s = known->first_s;
        s->first_day = zone_day(r->series.class == WIRE_REPORT ? NULL : f->zone, known->first_s);
    }
}

// Whether some of the span, up to the newest figure of all, is not in the row's sum: its figures are missing,
// or a report reaches across the start. A day at either end of measurements is not whole anyway.
static bool is_partial(const struct fact_source *f, const struct board_row *r, struct days days,
                       const struct fact_known *known)
{
    int32_t end = days.to;
    if (board_latest_end_day(r, f->zone) <= days.from)
        return false; // silent since before: it is none of those that contribute
    if (r->series.class == WIRE_REPORT)
        end = period_containing((enum period_kind)r->series.period, days.to).start;
    else
        end -= 2;
    return known->known_s < (int64_t)(end - days.from) * 86400;
}

static void count_partial(const struct fact_source *f, const struct question *q, const struct board_row *r,
                          struct days days, const struct fact_known *known, struct summing *s,
                          struct fact *out)
{
    if (q->rule == RULE_LEVEL || (q->rule == RULE_SINCE_FIRST && known->known_s == 0))
        return;
    if (q->rule == RULE_SINCE_FIRST)
        days.from = zone_day(r->series.class == WIRE_REPORT ? NULL : f->zone, known->first_s);
    if (days.to > s->newest)
        days.to = s->newest;
    if (!is_partial(f, r, days, known) || (s->last_partial && strcmp(s->last_partial, r->name.resident) == 0))
        return;
    out->partial++;
    s->last_partial = r->name.resident;
}

// Its figures of the time when it belonged are in a sum; among those of today it is not.
static bool is_former(const struct fact_source *f, const struct question *q, const struct board_row *r)
{
    return !*q->resident && !membership_on(members_of(r), f->today);
}

static enum err add_row(const struct fact_source *f, const struct question *q, const struct board_row *r,
                        int32_t from, int32_t to, struct summing *s, struct fact *out)
{
    struct figure value = figure_missing();
    struct fact_known known = {0};
    if (!*q->resident && q->rule != RULE_LEVEL && !members_cut(r, &from, &to))
        return ERR_OK;
    enum err e = value_of(f, q, r, (struct days){.from = from, .to = to}, s->to, &value, &known, out);
    if (e)
        return e;
    if (value.kind == FIGURE_MISSING)
        known = (struct fact_known){0};
    count_partial(f, q, r, (struct days){.from = from, .to = to}, &known, s, out);
    if (value.kind == FIGURE_MISSING)
        return ERR_OK;
    tally_add(&s->tally, value);
    add_known(s, f, r, value, &known);
    int32_t end = board_latest_end_day(r, f->zone);
    if (end > s->newest - 365 && (s->common == 0 || end < s->common))
        s->common = end;
    if (board_latest_end_s(r) > s->end_s)
        s->end_s = board_latest_end_s(r);
    if (!s->last_resident || strcmp(s->last_resident, r->name.resident) != 0) {
        out->contributors++;
        out->of += is_former(f, q, r);
        s->said_older = false;
    }
    if (q->rule == RULE_LEVEL && end < s->newest && !s->said_older) {
        out->older++;
        s->said_older = true;
    }
    s->last_resident = r->name.resident;
    out->simulated |= r->simulated;
    if (r->latest.received_us > out->received_us)
        out->received_us = r->latest.received_us;
    return ERR_OK;
}

// Less than a year of figures beside a figure of a year: what they come to at that rate.
static void take_for_a_year(const struct summing *s, struct fact *out)
{
    int64_t covered_s = s->end_s - s->first_s;
    out->days = (int32_t)(s->least_s / 86400);
    out->days_most = (int32_t)(s->most_s / 86400);
    if (out->why != FACT_KNOWN || out->rule != RULE_YEAR || covered_s >= 360 * INT64_C(86400))
        return;
    out->rule = RULE_RATE;
    out->partial = 0; // what is missing goes on at the rate of the rest
    double rate = out->value.kind == FIGURE_INTEGER ? round(s->a_year) : s->a_year;
    if (s->most_s < SHORTEST_S || figure_from_real(rate, &out->value)) {
        out->why = FACT_SHORT;
        out->value = figure_missing();
    }
}

// Those of today. Rows are ordered by name. Residents that send figures and are not in the profile are
// residents too.
static unsigned residents(const struct fact_source *f)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->park->resident_count; i++)
        n += membership_on(&f->park->residents[i].member, f->today);
    for (size_t i = 0; i < f->count; i++) {
        const struct series_name *name = &f->rows[i].name;
        n += !f->rows[i].resident && strcmp(name->resident, SERIES_RESIDENT_ALL) != 0 &&
             (i == 0 || strcmp(name->resident, f->rows[i - 1].name.resident) != 0);
    }
    return n;
}

// Residents whose figures of days outside the park are left out.
static unsigned outside(const struct fact_source *f, const struct question *q, int32_t from, int32_t to)
{
    unsigned n = 0;
    const char *last = "";
    for (size_t i = 0; i < f->count && !*q->resident; i++) {
        const struct board_row *r = &f->rows[i];
        if (!reports(f, q, r) || strcmp(last, r->name.resident) == 0)
            continue;
        struct days all = {.from = from > 0 ? from : 0, .to = to};
        bool whole = q->rule == RULE_LEVEL ? belongs(f, q, r)
                                           : membership_over(members_of(r), all) == MEMBER_THROUGHOUT;
        n += !whole;
        last = r->name.resident;
    }
    return n;
}

static bool may_see(const struct fact_source *f, const char *resident)
{
    return access_may(f->viewer, *resident ? SIGHT_RESIDENT : SIGHT_SUMS, f->park->code, resident);
}

static bool anybody_reports(const struct fact_source *f, const struct question *q)
{
    for (size_t i = 0; i < f->count; i++)
        if (counts(f, q, &f->rows[i]))
            return true;
    return false;
}

// What a computed KPI is made of and nobody reports.
static void name_missing_parts(const struct fact_source *f, const struct question *q, struct fact *out)
{
    const struct kpi *k = f->catalogue ? catalogue_find(f->catalogue, q->kpi) : NULL;
    for (size_t i = 0; k && k->computing && i < formula_part_count(k->computing); i++) {
        const struct kpi *part = catalogue_find(f->catalogue, formula_part_at(k->computing, i)->kpi);
        struct question asks = {.dimension = "", .resident = q->resident, .kpi = part ? part->code : ""};
        bool named = false; // it may stand in the formula in two roles
        for (unsigned n = 0; n < out->part_count; n++)
            named |= out->parts[n] == part;
        if (part && !named && out->part_count < FACT_PARTS_MAX && !anybody_reports(f, &asks))
            out->parts[out->part_count++] = part;
    }
    if (out->part_count > 0)
        out->why = FACT_PARTS;
}

// Over the days given; to 0: over those that the question asks for.
static struct fact answer(const struct fact_source *f, const struct question *q, int32_t from, int32_t to)
{
    const struct board_row *first = NULL;
    if (!may_see(f, q->resident))
        return (struct fact){.why = FACT_HIDDEN, .rule = q->rule};
    struct fact out = {.rule = q->rule, .of = *q->resident ? 1 : residents(f)};
    out.why = refuse(f, q, &first);
    if (first)
        out.measure = first->measure;
    struct summing s = {0};
    if (out.why == FACT_KNOWN)
        s.to = currency_find(first->series.currency);
    if (out.why == FACT_CURRENCY && f->convert && first && (s.to = currency_find(q->currency)))
        out.why = FACT_KNOWN;
    if (out.why == FACT_NONE)
        name_missing_parts(f, q, &out);
    if (out.why != FACT_KNOWN)
        return out;
    int32_t end, start = span_start(f, q, &end);
    s.newest = end - 1;
    if (to == 0) {
        from = start;
        to = end;
    }
    for (size_t i = 0; i < f->count && out.why == FACT_KNOWN; i++) {
        enum err e = counts(f, q, &f->rows[i]) ? add_row(f, q, &f->rows[i], from, to, &s, &out) : ERR_OK;
        if (e)
            out.why = e == ERR_NOT_FOUND ? FACT_CURRENCY : FACT_FAILED;
    }
    out.outside = outside(f, q, from, to);
    if (out.why == FACT_CURRENCY) { // some of them have no rate: none is shown
        out.converted = false;
        return out;
    }
    if (s.to) {
        out.measure.currency = s.to;
        out.measure.currency_code = s.to->code;
    }
    out.value = tally_sum(&s.tally);
    out.from_day = s.first_day;
    out.to_day = s.newest;
    out.common_day = s.common;
    if (out.why == FACT_KNOWN && out.value.kind == FIGURE_MISSING)
        out.why = FACT_NONE;
    if (q->yearly)
        take_for_a_year(&s, &out);
    return out;
}

static enum fact_rule rule_of_per(const char *per)
{
    return strcmp(per, "year") == 0      ? RULE_YEAR
           : strcmp(per, "quarter") == 0 ? RULE_QUARTER
           : strcmp(per, "month") == 0   ? RULE_MONTH
           : strcmp(per, "day") == 0     ? RULE_DAY
                                         : RULE_SINCE_FIRST;
}

static enum fact_rule rule_of(const struct fact_source *f, const struct statement *st)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct kpi *k = f->rows[i].kpi;
        if (k && strcmp(k->code, st->kpi) == 0 && k->kind != KPI_FLOW)
            return RULE_LEVEL;
    }
    return st->cumulative ? RULE_SINCE_FIRST : rule_of_per(st->per);
}

// Reasons that lie in the statement itself.
static enum fact_why refuse_statement(const struct statement *st)
{
    if (*st->scope)
        return FACT_SCOPE;
    if (!*st->kpi)
        return FACT_NO_KPI;
    if (*st->part_of)
        return FACT_PART;
    return st->base.kind != FIGURE_MISSING ? FACT_INDEX : FACT_KNOWN;
}

// Beside a capacity stands what was made of it, where that is reported.
static struct question question_of(const struct fact_source *f, const struct statement *st)
{
    struct question q = {.kpi = st->kpi,
                         .dimension = st->dimension,
                         .resident = st->resident,
                         .unit = st->unit,
                         .currency = st->currency,
                         .rule = rule_of(f, st)};
    q.yearly = q.rule == RULE_YEAR;
    struct question output = q;
    output.kpi = "out_units";
    output.rule = *st->per ? rule_of_per(st->per) : RULE_YEAR;
    output.forgive_unit = true;
    output.yearly = output.rule == RULE_YEAR;
    return st->kind == STATEMENT_CAPACITY && anybody_reports(f, &output) ? output : q;
}

static enum fact_why refuse_asking(const struct fact_source *f, const struct statement *st)
{
    enum fact_why why = refuse_statement(st);
    return why == FACT_KNOWN && !may_see(f, st->resident) ? FACT_HIDDEN : why;
}

struct fact fact_of_statement(const struct fact_source *f, const struct statement *st)
{
    struct fact out = {.why = refuse_asking(f, st)};
    if (out.why != FACT_KNOWN)
        return out;
    struct question q = question_of(f, st);
    out = answer(f, &q, 0, 0);
    if (out.why == FACT_KNOWN)
        out.per_cent = target_attainment(st, out.value, &out.reached);
    return out;
}

struct fact fact_of_span(const struct fact_source *f, const struct statement *st, int32_t from, int32_t to)
{
    struct fact out = {.why = refuse_asking(f, st)};
    if (out.why != FACT_KNOWN)
        return out;
    struct question q = question_of(f, st);
    q.rule = RULE_SINCE_FIRST;
    q.yearly = false;
    return answer(f, &q, from, to);
}

enum err fact_each(const struct fact_source *f, const struct statement *st, fact_visit visit, void *ctx)
{
    enum err e = refuse_asking(f, st) == FACT_KNOWN ? ERR_OK : ERR_INVALID;
    struct question q = question_of(f, st);
    for (size_t i = 0; i < f->count && e == ERR_OK; i++)
        if (counts(f, &q, &f->rows[i]))
            e = visit(ctx, &f->rows[i]);
    return e;
}

enum err fact_level(const struct fact_source *f, const struct board_row *row, const char *currency,
                    const struct latest *level, struct figure *out)
{
    struct conversion by;
    struct fact_known known;
    struct board_row then = *row;
    then.latest = *level;
    if (*currency == '\0' || strcmp(currency, row->series.currency) == 0) {
        *out = level->value;
        return ERR_OK;
    }
    return f->convert ? f->convert(f->ctx, row, (int32_t)level->time, board_latest_end_day(&then, f->zone),
                                   currency_find(currency), out, &known, &by)
                      : ERR_NOT_FOUND;
}

struct fact fact_of_kpi(const struct fact_source *f, const char *kpi, enum fact_rule rule,
                        const char *currency)
{
    struct question q = {
        .kpi = kpi, .dimension = "", .resident = "", .unit = "", .currency = currency, .rule = rule};
    return answer(f, &q, 0, 0);
}
