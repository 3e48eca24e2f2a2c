// A count of a park is the sum of its members' counts, each over the days it was a member. They are read anew
// for each page: a funnel has a few dozen monthly reports.

#include "dashboards/programmes.h"
#include "base/clock.h"
#include "dashboards/members.h"
#include "dashboards/points.h"
#include "store/sums.h"
#include <stdlib.h>
#include <string.h>

static int64_t moment_us(const struct programme_source *s)
{
    return as_of_moment_us(&s->as_of, site_now_us(s->site));
}

static int32_t today(const struct programme_source *s)
{
    return zone_day(site_zone(s->site, s->park), moment_us(s) / US_PER_S);
}

// ---- which series

static bool has_whole(const struct board *b, const struct board_row *r)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct series_name *o = &b->rows[i].name;
        if (b->rows[i].has_latest && !*o->dimension && strcmp(o->kpi, r->name.kpi) == 0 &&
            strcmp(o->resident, r->name.resident) == 0)
            return true;
    }
    return false;
}

// A resident that reports a whole and its parts counts once, as the whole; a whole without a figure is none.
static bool is_part(const struct board *b, const struct programme_step *g, const struct board_row *r)
{
    if (!r->kpi || strcmp(r->name.kpi, g->kpi) != 0 || strcmp(r->name.resident, SERIES_RESIDENT_ALL) == 0 ||
        strcmp(r->series.unit, r->kpi->unit->code) != 0)
        return false;
    if (*g->resident && strcmp(r->name.resident, g->resident) != 0)
        return false;
    if (*g->dimension)
        return strcmp(r->name.dimension, g->dimension) == 0;
    return !*r->name.dimension || !has_whole(b, r);
}

// ---- one step

struct counting {
    const struct programme_source *source;
    const struct programme_step *step;
    struct span span;
    uint64_t *points; // measurements' points read so far, for all steps of the answer
    struct tally tally;
    struct step_count out;
    const char *last, *last_known; // residents; rows are ordered by name
};

static enum err sum_row(const struct counting *c, const struct board_row *r, struct days days, bool flow,
                        struct span_sum *sum)
{
    const struct programme_source *s = c->source;
    struct span part = {.kind = c->span.kind, .first = days.from, .end = days.to};
    struct sums_query q = {.series = &r->series,
                           .zone = site_zone(s->site, s->park),
                           .spans = &part,
                           .count = 1,
                           .as_of_us = s->as_of.us,
                           .by_published = s->as_of.by_published,
                           .until_s = moment_us(s) / US_PER_S,
                           .flow = flow,
                           .points_max = s->points_max ? s->points_max : POINTS_READ_MAX,
                           .points_read = c->points};
    return sums_read(s->store->observations, s->store->reader, &q, sum, NULL);
}

// A stock's report counts by its last day: the first day of the period that `from` lies in.
static int32_t first_ending_after(const struct board_row *r, int32_t from, int32_t span_first)
{
    if (r->series.class != WIRE_REPORT)
        return from;
    int32_t start = period_containing((enum period_kind)r->series.period, from).start;
    return start > span_first ? start : span_first;
}

// The newest figure of the span, if the resident belonged to the park at its end (today, if that is sooner).
static enum err newest_of(const struct counting *c, const struct board_row *r, struct figure *value)
{
    int32_t tomorrow = today(c->source) + 1;
    struct days days = {.from = c->span.first, .to = c->span.end < tomorrow ? c->span.end : tomorrow};
    struct span_sum sum = {0};
    if (days.from >= days.to || !membership_clip(members_of(r), KPI_LEVEL, &days))
        return ERR_OK;
    days.to = c->span.end; // a period that is not over yet may have its figure already
    days.from = first_ending_after(r, days.from, c->span.first);
    enum err e = sum_row(c, r, days, false, &sum);
    if (!e && sum.tally.count > 0)
        *value = sum.tally.last;
    return e;
}

static enum err sum_of(struct counting *c, const struct board_row *r, struct figure *value)
{
    struct days days = {.from = c->span.first, .to = c->span.end};
    struct span_sum sum = {0};
    if (membership_over(members_of(r), days) != MEMBER_THROUGHOUT)
        c->out.outside++;
    if (!membership_clip(members_of(r), KPI_FLOW, &days))
        return ERR_OK;
    enum err e = sum_row(c, r, days, true, &sum);
    if (e)
        return e;
    *value = tally_sum(&sum.tally);
    c->out.missing += sum.expected > sum.known ? sum.expected - sum.known : 0;
    return ERR_OK;
}

static enum err count_row(struct counting *c, const struct board_row *r)
{
    struct figure value = figure_missing();
    enum err e = r->kpi->kind == KPI_FLOW ? sum_of(c, r, &value) : newest_of(c, r, &value);
    if (e)
        return e;
    c->out.of += !c->last || strcmp(c->last, r->name.resident) != 0;
    c->last = r->name.resident;
    if (value.kind == FIGURE_MISSING)
        return ERR_OK;
    tally_add(&c->tally, value);
    c->out.contributors += !c->last_known || strcmp(c->last_known, r->name.resident) != 0;
    c->last_known = r->name.resident;
    c->out.simulated |= r->simulated;
    return ERR_OK;
}

static struct step_count count_project_stage(const struct programme_source *s, int stage)
{
    struct project_counts counts;
    struct step_count out = {.why = STEP_NONE};
    if (!programmes_projects(s, &counts, &out.simulated))
        return out;
    out.of = counts.known + counts.unknown;
    out.contributors = out.of;
    out.in_work = counts.in_work[stage];
    if (figure_from_integer(counts.done[stage], &out.value) == ERR_OK)
        out.why = STEP_KNOWN;
    return out;
}

static bool may_see(const struct programme_source *s, const struct programme_step *g)
{
    return access_may(s->viewer, *g->resident ? SIGHT_RESIDENT : SIGHT_SUMS, s->park->code, g->resident);
}

static struct step_count count_step(const struct programme_source *s, const struct programme_step *g,
                                    struct span span, uint64_t *points)
{
    struct counting c = {.source = s, .step = g, .span = span, .out = {.why = STEP_NONE}};
    enum err e = ERR_OK;
    c.points = points;
    if (!*g->kpi && g->project_stage < 0)
        return (struct step_count){.why = STEP_UNBOUND};
    if (!may_see(s, g))
        return (struct step_count){.why = STEP_HIDDEN};
    if (g->project_stage >= 0)
        return count_project_stage(s, g->project_stage);
    for (size_t i = 0; i < s->board->count && e == ERR_OK; i++)
        if (is_part(s->board, g, &s->board->rows[i]))
            e = count_row(&c, &s->board->rows[i]);
    if (e)
        return (struct step_count){.why = e == ERR_TOO_BIG ? STEP_TOO_BIG : STEP_FAILED};
    c.out.value = tally_sum(&c.tally);
    if (c.out.value.kind != FIGURE_MISSING)
        c.out.why = STEP_KNOWN;
    return c.out;
}

// ---- a programme

// Of any step: the days that figures have been reported for. False: for none.
static bool reported_days(const struct programme_source *s, const struct programme *g, struct days *out)
{
    struct days found = {.from = CIVIL_DAY_MAX, .to = CIVIL_DAY_MIN};
    for (size_t k = 0; g->steps && k < g->stage_count; k++) {
        for (size_t i = 0; i < s->board->count; i++) {
            const struct board_row *r = &s->board->rows[i];
            int32_t first;
            if (!*g->steps[k].kpi || !r->has_latest || !is_part(s->board, &g->steps[k], r) ||
                observations_first_local_day(s->store->observations, s->store->reader, &r->series,
                                             site_zone(s->site, s->park), &first, NULL))
                continue;
            int32_t end = board_latest_end_day(r, site_zone(s->site, s->park));
            found.from = first < found.from ? first : found.from;
            found.to = end > found.to ? end : found.to;
        }
    }
    *out = found;
    return found.from < found.to;
}

static struct span newest_year(const struct programme_source *s)
{
    int32_t newest = CIVIL_DAY_MIN;
    for (size_t i = 0; s->store->reader && i < s->park->programme_count; i++) {
        struct days days;
        if (reported_days(s, &s->park->programmes[i], &days) && days.to - 1 > newest)
            newest = days.to - 1;
    }
    return calendar_span(&s->park->calendar, SPAN_YEAR, newest == CIVIL_DAY_MIN ? today(s) : newest);
}

enum err programmes_check_period(const struct park *park, struct exchange *x)
{
    const char *text = exchange_param(x, "period");
    struct span span;
    if (text && calendar_span_parse(&park->calendar, text, &span))
        return exchange_fail_param(x, "period", "must be like 2026, 2026-Q1, 2026-03 or FY2026, not '%.40s'",
                                   text);
    return ERR_OK;
}

struct span programmes_period(const struct programme_source *s, const char *text)
{
    struct span out;
    return text && calendar_span_parse(&s->park->calendar, text, &out) == ERR_OK ? out : newest_year(s);
}

static struct funnel_step *fill_funnel(const struct step_count *counts, size_t count)
{
    struct figure *values = calloc(count + 1, sizeof *values);
    struct funnel_step *out = calloc(count + 1, sizeof *out);
    for (size_t i = 0; values && out && i < count; i++)
        values[i] = counts[i].why == STEP_KNOWN ? counts[i].value : figure_missing();
    if (values && out)
        funnel_fill(values, count, out);
    free(values);
    return out;
}

enum err programmes_count(const struct programme_source *s, const struct programme *g, struct span within,
                          struct programme_counts *out)
{
    struct programme_counts c = {.count = g->steps ? g->stage_count : 0};
    struct days all;
    uint64_t points = 0;
    c.ever = calloc(c.count + 1, sizeof *c.ever);
    c.within = calloc(c.count + 1, sizeof *c.within);
    bool any = c.ever && c.within && reported_days(s, g, &all);
    struct span ever = {
        .kind = SPAN_DAY, .first = any ? all.from : within.first, .end = any ? all.to : within.end};
    c.from_day = ever.first;
    for (size_t i = 0; c.ever && c.within && i < c.count; i++) // first, so that asking for less helps
        c.within[i] = count_step(s, &g->steps[i], within, &points);
    for (size_t i = 0; c.ever && c.within && i < c.count; i++)
        c.ever[i] = count_step(s, &g->steps[i], ever, &points);
    if (c.ever && c.within) {
        c.ever_funnel = fill_funnel(c.ever, c.count);
        c.within_funnel = fill_funnel(c.within, c.count);
    }
    if (!c.ever_funnel || !c.within_funnel) {
        programmes_counts_free(&c);
        return ERR_NOMEM;
    }
    *out = c;
    return ERR_OK;
}

void programmes_counts_free(struct programme_counts *c)
{
    free(c->ever);
    free(c->within);
    free(c->ever_funnel);
    free(c->within_funnel);
    *c = (struct programme_counts){0};
}

// ---- projects

static bool take_project(const struct board_row *r, struct project *to)
{
    int stage = project_stage_parse(r->name.dimension);
    if (!r->has_latest || r->latest.value.kind == FIGURE_MISSING)
        return false;
    if (strcmp(r->name.kpi, PROJECT_KPI) == 0 && !*r->name.dimension)
        to->stage = r->latest.value;
    else if (strcmp(r->name.kpi, PROJECT_KPI_DONE) == 0 && stage >= 0)
        to->done[stage] = r->latest.value;
    else
        return false;
    return true;
}

bool programmes_project(const struct board *b, const char *resident, struct project *out)
{
    struct project p = {0};
    bool any = false;
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->rows[i].name.resident, resident) == 0)
            any |= take_project(&b->rows[i], &p);
    if (any)
        *out = p;
    return any;
}

bool programmes_projects(const struct programme_source *s, struct project_counts *out, bool *simulated)
{
    const struct board *b = s->board;
    struct project_counts counts = {0};
    bool any_simulated = false;
    if (!access_may(s->viewer, SIGHT_SUMS, s->park->code, ""))
        return false;
    for (size_t i = 0; i < b->count; i++) {
        const struct board_row *r = &b->rows[i];
        struct project p;
        if ((i > 0 && strcmp(r->name.resident, b->rows[i - 1].name.resident) == 0) ||
            strcmp(r->name.resident, SERIES_RESIDENT_ALL) == 0 || !membership_on(members_of(r), today(s)) ||
            !programmes_project(b, r->name.resident, &p))
            continue;
        project_count(&counts, &p);
        any_simulated |= r->simulated;
    }
    *out = counts;
    *simulated = any_simulated;
    return counts.known + counts.unknown > 0;
}
