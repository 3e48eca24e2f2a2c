// Rates are taken over spans for which all who report have figures, so that whoever is a month behind does
// not count as having stopped; and a level's line is drawn for each resident by itself, so that whoever began
// to report does not count as having grown.
#include "dashboards/outlook.h"
#include "kpi/period.h"
#include <string.h>

#define LEVEL_SPAN_DAYS 366 // a year's line needs the figure of a year ago, whatever its month's length
#define SLACK_DAYS      31  // a first figure so much later still covers its span

// ---- how fast it goes

// What was added in the last twelve months, or since the first figure: whole months, so that no report is cut
// off by a leap day.
static void rate_of_sum(const struct fact_source *f, const struct statement *st, const struct fact *fact,
                        struct outlook *o)
{
    int32_t end = fact->common_day, from = fact_months_before(end, RUN_RATE_MONTHS);
    if (end == 0)
        return;
    struct fact span = fact_of_span(f, st, from, end);
    if (fact->from_day > from) // all there is
        from = fact->from_day;
    o->rule = OUTLOOK_SUM;
    o->rate = run_rate_of(span.why == FACT_KNOWN ? span.value : figure_missing(), from, end);
    o->rate_contributors = span.contributors;
}

static struct figure difference(struct figure a, struct figure b)
{
    struct figure out = figure_missing();
    if (a.kind == FIGURE_MISSING || b.kind == FIGURE_MISSING ||
        figure_from_real(figure_to_real(a) - figure_to_real(b), &out) != ERR_OK)
        return figure_missing();
    return out;
}

static int32_t months_of(const struct fact *fact)
{
    return fact->rule == RULE_YEAR ? 12 : fact->rule == RULE_QUARTER ? 3 : fact->rule == RULE_MONTH ? 1 : 0;
}

// The span of the fact and the same a year before; only where the figures go back so far.
static void rate_of_years(const struct fact_source *f, const struct statement *st, const struct fact *fact,
                          struct outlook *o)
{
    int32_t end = fact_months_before(fact->to_day, 12), months = months_of(fact);
    int32_t from = months ? fact_months_before(end, months) : end - 1;
    struct fact before = {.why = FACT_SHORT};
    o->rule = OUTLOOK_YEARS;
    if (fact->rule != RULE_RATE)
        before = fact_of_span(f, st, from, end);
    bool covered = before.why == FACT_KNOWN && (months < 12 || before.from_day <= from + SLACK_DAYS);
    o->rate =
        run_rate_of(covered ? difference(fact->value, before.value) : figure_missing(), end, fact->to_day);
    o->rate.why = covered ? FORECAST_KNOWN : FORECAST_NO_YEAR;
    o->rate_contributors = covered ? before.contributors : 0;
}

struct lines {
    const struct fact_source *f;
    const char *currency;
    struct outlook *o;
    const char *last_resident; // rows are ordered by name
};

static int32_t end_day_of(const struct fact_source *f, const struct board_row *row, const struct latest *at)
{
    struct board_row then = *row;
    then.latest = *at;
    return board_latest_end_day(&then, f->zone);
}

static enum err add_line(void *ctx, const struct board_row *row)
{
    struct lines *l = ctx;
    struct run_rate *all = &l->o->rate;
    struct latest first;
    struct figure from, to;
    int32_t end = end_day_of(l->f, row, &row->latest);
    if (row->latest.value.kind == FIGURE_MISSING ||
        l->f->first(l->f->ctx, row, end - LEVEL_SPAN_DAYS, &first) != ERR_OK ||
        fact_level(l->f, row, l->currency, &first, &from) != ERR_OK ||
        fact_level(l->f, row, l->currency, &row->latest, &to) != ERR_OK)
        return ERR_OK; // it has no line, and is not counted among those that have
    int32_t begin = end_day_of(l->f, row, &first);
    struct run_rate one = run_rate_of(difference(to, from), begin, end);
    if (all->end == 0 || begin < all->from)
        all->from = begin;
    if (end > all->end)
        all->end = end;
    if (!one.known)
        return ERR_OK;
    run_rate_add(all, &one);
    if (!l->last_resident || strcmp(l->last_resident, row->name.resident) != 0)
        l->o->rate_contributors++;
    l->last_resident = row->name.resident;
    return ERR_OK;
}

static void rate_of_lines(const struct fact_source *f, const struct statement *st, struct outlook *o)
{
    struct lines l = {.f = f, .currency = st->currency, .o = o};
    o->rule = OUTLOOK_LINES;
    if (f->first)
        (void)fact_each(f, st, add_line, &l);
}

// ---- when it is due

static void add_reading(const struct statement *st, const struct fact *fact, const char *due, int32_t today,
                        struct outlook *o)
{
    struct period p;
    struct outlook_reading *r = &o->readings[o->reading_count];
    bool unknown = *due == '\0' || period_parse(due, &p) != ERR_OK;
    if (unknown && (st->path.kind != PATH_MILESTONES || o->reading_count > 0))
        return;
    *r = (struct outlook_reading){.due = unknown ? "" : due, .end = unknown ? PATH_NO_END : period_end(p)};
    r->passed = today >= r->end;
    r->planned = path_planned(&st->path, st->value, r->end, o->at, *st->currency != '\0');
    struct statement plan = *st; // what was planned for then is compared like the target itself,
    plan.value = r->planned;     // but that an equal figure keeps to it
    plan.comparator = st->comparator == COMPARE_GT   ? COMPARE_GE
                      : st->comparator == COMPARE_LT ? COMPARE_LE
                                                     : st->comparator;
    r->per_cent = target_attainment(&plan, fact->value, &r->on_plan);
    if (o->forecast.why == FORECAST_KNOWN && o->forecast.day >= r->end)
        r->days_late = o->forecast.day - r->end + 1;
    o->reading_count++;
}

struct outlook outlook_of(const struct fact_source *f, const struct statement *st, const struct fact *fact,
                          int32_t today)
{
    struct outlook o = {.gap = figure_missing(), .gap_per_cent = figure_missing(), .at = fact->to_day};
    if (st->kind != STATEMENT_TARGET || fact->why != FACT_KNOWN)
        return o;
    o.has = true;
    o.gap = target_gap(st, fact->value, &o.gap_per_cent);
    o.gap_is_excess = target_gap_is_excess(st, fact->value);
    if (fact->rule == RULE_LEVEL)
        rate_of_lines(f, st, &o);
    else if (fact->rule == RULE_SINCE_FIRST)
        rate_of_sum(f, st, fact, &o);
    else
        rate_of_years(f, st, fact, &o);
    o.forecast = forecast_make(st, fact->value, fact->to_day, &o.rate);
    add_reading(st, fact, st->due, today, &o);
    add_reading(st, fact, st->due_or, today, &o);
    o.late = o.reading_count > 0 && !fact->reached && st->value.kind != FIGURE_MISSING;
    for (size_t i = 0; i < o.reading_count; i++)
        o.late = o.late && o.readings[i].passed;
    return o;
}
