// What a formula asks for beside sums: a flow scaled to a year, and the plan for a span. Both are exact
// ratios of days, so that a year's figure is its own yearly figure to the last digit.
#include "store/totals_internal.h"
#include <string.h>

#define DAY_S         86400
#define SHORTEST_S    (20 * 3600)
#define MONTHS        12
#define YEAR_DAYS_MAX 366

static int32_t days_of_year(int32_t day)
{
    struct period year = period_containing(PERIOD_YEAR, day);
    return period_end(year) - year.start;
}

static bool is_year(const struct span *s)
{
    return s->kind == SPAN_YEAR || s->kind == SPAN_FISCAL_YEAR;
}

// ---- scaled to a year

// That the expected periods of a report cover: fewer than the span's where its resident joined within one.
static int64_t reported_days(const struct ledger_series *s, const struct span *span, uint64_t expected)
{
    struct period p = period_containing((enum period_kind)s->period, span->first);
    int64_t days = 0;
    if (p.start < span->first)
        p = period_next(p);
    for (uint64_t i = 0; i < expected; i++, p = period_next(p))
        days += period_end(p) - p.start;
    return days;
}

struct fraction totals_a_year(const struct totals_place *p, const struct ledger_series *s,
                              const struct span *asked, const struct span *span, const struct span_sum *sum,
                              int64_t until_s)
{
    int32_t year = is_year(asked) ? asked->end - asked->first : days_of_year(span->first);
    int64_t days = s->class == WIRE_REPORT ? reported_days(s, span, sum->expected) : span->end - span->first;
    int64_t from_s, to_s;
    span_bounds(*span, p->zone, &from_s, &to_s);
    bool over = until_s == 0 || to_s <= until_s;
    if (sum->known == 0 || sum->expected == 0)
        return fraction_missing();
    if (over && sum->known >= sum->expected)
        return fraction_ratio(year, days);
    // Of measurements whole steps, as they are counted: by the clock it would fall from one to the next.
    int128 covered_s =
        s->class == WIRE_REPORT ? (int128)days * DAY_S : (int128)sum->expected * (s->step_s ? s->step_s : 1);
    // Of what was expected so far `known` is there.
    struct fraction known_s = fraction_multiply(fraction_whole(covered_s),
                                                fraction_ratio((int128)sum->known, (int128)sum->expected));
    if (!known_s.known || known_s.top < known_s.bottom * SHORTEST_S)
        return fraction_missing();
    return fraction_divide(fraction_whole((int128)year * DAY_S), known_s);
}

// ---- planned

static int months_of(enum span_kind k)
{
    static const int months[] = {[SPAN_DAY] = 0,
                                 [SPAN_MONTH] = 1,
                                 [SPAN_QUARTER] = 3,
                                 [SPAN_YEAR] = MONTHS,
                                 [SPAN_FISCAL_YEAR] = MONTHS};
    return months[k];
}

// The span's share of a plan per day, month, quarter or year.
static struct fraction share_of(const struct span *span, enum period_kind per)
{
    static const int months[] = {[PERIOD_MONTH] = 1, [PERIOD_QUARTER] = 3, [PERIOD_YEAR] = MONTHS};
    int32_t days = span->end - span->first;
    if (per == PERIOD_DAY)
        return fraction_whole(days);
    if (months_of(span->kind) > 0)
        return fraction_ratio(months_of(span->kind), months[per]);
    struct period whole = period_containing(per, span->first);
    return fraction_ratio(days, period_end(whole) - whole.start);
}

static bool is_plan(const struct statement *st, const struct kpi *k, const char *resident,
                    const char *dimension)
{
    return st->kind == STATEMENT_TARGET && strcmp(st->kpi, k->code) == 0 &&
           strcmp(st->resident, resident) == 0 && strcmp(st->dimension, dimension) == 0 &&
           statement_counts(st) && st->value.kind != FIGURE_MISSING && st->comparator != COMPARE_RANGE &&
           st->base.kind == FIGURE_MISSING;
}

// Of a target counted since the beginning: what its path adds in the span.
static struct fraction along_path(const struct statement *st, const struct kpi *k, const struct span *span)
{
    struct period due;
    int32_t end = *st->due && period_parse(st->due, &due) == ERR_OK ? period_end(due) : PATH_NO_END;
    struct figure before = path_planned(&st->path, st->value, end, span->first, k->money);
    struct figure after = path_planned(&st->path, st->value, end, span->end, k->money);
    return fraction_subtract(fraction_of(after), fraction_of(before));
}

static struct fraction converted(const struct park *park, const char *from, const struct span *span,
                                 const struct currency *to, const struct rate_book *book, struct fraction f)
{
    enum bank own = bank_of_currency(park->currency), pivot = bank_of_currency("");
    struct conversion c;
    if (strcmp(from, to->code) == 0)
        return f;
    if (!book || !currency_find(from) || currency_find(from)->decimals != to->decimals)
        return fraction_missing();
    enum err e = conversion_by(book, own, from, to->code, span->first, span->end, &c, NULL);
    if (e == ERR_NOT_FOUND && own != pivot)
        e = conversion_by(book, pivot, from, to->code, span->first, span->end, &c, NULL);
    return e == ERR_OK ? fraction_multiply(f, fraction_ratio(c.from, c.to)) : fraction_missing();
}

struct fraction totals_planned(const struct park *park, const struct kpi *k, const char *resident,
                               const char *dimension, const struct span *span, const struct currency *to,
                               const struct rate_book *book)
{
    for (size_t i = 0; i < park->statement_count; i++) {
        const struct statement *st = &park->statements[i];
        struct fraction f = fraction_missing();
        enum period_kind per;
        if (!is_plan(st, k, resident, dimension))
            continue;
        if (period_kind_parse(st->per, &per) == ERR_OK && !st->cumulative)
            f = fraction_multiply(fraction_of(st->value), share_of(span, per));
        else if (st->path.kind != PATH_NONE && k->kind == KPI_FLOW)
            f = along_path(st, k, span);
        if (f.known && k->money && to)
            f = converted(park, st->currency, span, to, book, f);
        if (f.known)
            return f;
    }
    return fraction_missing();
}
