// A label, the figure, and how it was made as its title: the rule is always one pointer's move away, the
// doubt (a late due date, another reading) stands beside it.
#include "dashboards/pages/prospect.h"
#include "base/clock.h"
#include "kpi/period.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int32_t prospect_today(const struct page *p, const struct park *park)
{
    return zone_day(site_zone(p->site, park), p->now_us / US_PER_S);
}

static void open_item(struct page *p, enum text label)
{
    html_put(p->out, "<li><span class=\"label\">%s:</span> ", page_text(p, label));
}

static void put_gap(struct page *p, const struct fact *f, const struct outlook *o)
{
    char per_cent[SHOW_TEXT];
    if (o->gap.kind == FIGURE_MISSING)
        return;
    open_item(p, o->gap_is_excess ? T_GAP_EXCESS : T_GAP);
    page_figure(p, o->gap, &f->measure, true);
    if (o->gap_per_cent.kind != FIGURE_MISSING) {
        show_per_cent(per_cent, o->gap_per_cent, p->lang);
        html_put(p->out, " (%s)", per_cent);
    }
    buf_text(p->out, "</li>");
}

// For reading: money in whole minor units, all else to a tenth; the API gives it unrounded.
static struct figure readable(struct figure f, bool money)
{
    struct figure out;
    double v = figure_to_real(f);
    if (f.kind != FIGURE_REAL || figure_from_real(money ? round(v) : round(v * 10) / 10, &out) != ERR_OK)
        return f;
    return out;
}

static void put_rate(struct page *p, const struct fact *f, const struct outlook *o)
{
    static const enum text rules[] = {[OUTLOOK_SUM] = T_RUN_RATE_SUM,
                                      [OUTLOOK_LINES] = T_RUN_RATE_LINES,
                                      [OUTLOOK_YEARS] = T_RUN_RATE_YEARS};
    char from[SHOW_TEXT], to[SHOW_TEXT], days[16], rule[I18N_MAX];
    struct figure a_year = run_rate_per_year(&o->rate);
    if (a_year.kind == FIGURE_MISSING)
        return;
    // of two spans, how far each goes
    show_day(from, o->rate.from - (o->rule == OUTLOOK_YEARS ? 1 : 0));
    show_day(to, o->rate.end - 1);
    snprintf(days, sizeof days, "%" PRId32, o->rate.end - o->rate.from);
    i18n_fill(rule, p->lang, rules[o->rule], from, to, days);
    open_item(p, T_RUN_RATE);
    html_put(p->out, "<span title=\"%s\">", rule);
    page_figure(p, readable(a_year, f->measure.currency != NULL), &f->measure, true);
    buf_text(p->out, "</span></li>");
}

static void put_forecast_day(struct page *p, const struct outlook *o, bool brief)
{
    char day[SHOW_TEXT], month[8], days[16], rule[I18N_MAX];
    show_day(day, o->forecast.day);
    snprintf(month, sizeof month, "%.7s", day); // days would claim more than a straight line can
    snprintf(days, sizeof days, "%" PRId32, o->rate.end - o->rate.from);
    i18n_fill(rule, p->lang, T_FORECAST_RULE, days, NULL, NULL);
    html_put(p->out, "<time datetime=\"%s\" title=\"%s: %s\">%s</time>", day, day, rule, month);
    if (!brief)
        html_put(p->out, " <span class=\"quiet\">(%s)</span>", rule);
    bool too_late = o->reading_count > 0;
    for (size_t i = 0; i < o->reading_count; i++)
        too_late = too_late && o->readings[i].days_late > 0;
    if (too_late)
        html_put(p->out, " <span class=\"doubt\">%s</span>", page_text(p, T_FORECAST_LATE));
}

static void put_forecast(struct page *p, const struct outlook *o, bool brief)
{
    static const enum text whys[] = {
        [FORECAST_NO_VALUE] = T_FORECAST_NO_VALUE, [FORECAST_SHORT] = T_FORECAST_SHORT,
        [FORECAST_NO_YEAR] = T_FORECAST_NO_YEAR,   [FORECAST_STILL] = T_FORECAST_STILL,
        [FORECAST_AWAY] = T_FORECAST_AWAY,         [FORECAST_FAR] = T_FORECAST_FAR};
    enum forecast_why why = o->forecast.why;
    if (why == FORECAST_REACHED || why == FORECAST_NO_TARGET || why == FORECAST_NO_FACT)
        return;
    open_item(p, T_FORECAST);
    if (why == FORECAST_KNOWN)
        put_forecast_day(p, o, brief);
    else
        html_put(p->out, "<span class=\"why\">%s</span>", page_text(p, whys[why]));
    buf_text(p->out, "</li>");
}

static void put_planned(struct page *p, const struct fact *f, const struct outlook *o,
                        const struct outlook_reading *r)
{
    char day[SHOW_TEXT], per_cent[SHOW_TEXT];
    show_day(day, o->at - 1);
    buf_text(p->out, "<span class=\"label\">");
    page_fill(p, T_PLANNED_BY, day, NULL, NULL);
    buf_text(p->out, ":</span> ");
    if (r->planned.kind == FIGURE_MISSING) {
        html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, T_PLANNED_NOTHING));
        return;
    }
    page_figure(p, readable(r->planned, f->measure.currency != NULL), &f->measure, true);
    if (r->per_cent.kind == FIGURE_MISSING)
        return;
    show_per_cent(per_cent, r->per_cent, p->lang);
    html_put(p->out, " · <span class=\"%s\">", r->on_plan ? "on-plan" : "doubt");
    page_fill(p, T_PLANNED_PER_CENT, per_cent, NULL, NULL);
    buf_text(p->out, "</span>");
}

static void put_reading(struct page *p, const struct outlook_reading *r)
{
    char months[16];
    buf_text(p->out, "<span class=\"label\">");
    page_fill(p, T_IF_DUE, r->due, NULL, NULL);
    html_put(p->out, ":</span> %s", page_text(p, r->passed ? T_DUE_PASSED : T_DUE_AHEAD));
    if (r->days_late <= 0)
        return;
    snprintf(months, sizeof months, "%" PRId32, (r->days_late * 12 + 364) / 365);
    buf_text(p->out, ", ");
    page_fill(p, T_MONTHS_AFTER, months, NULL, NULL);
}

// With one reading its plan alone; with two, what each of them means.
static void put_readings(struct page *p, const struct statement *st, const struct fact *f,
                         const struct outlook *o)
{
    bool path = st->path.kind != PATH_NONE, several = o->reading_count > 1;
    for (size_t i = 0; i < o->reading_count && (path || several); i++) {
        buf_text(p->out, "<li>");
        if (several)
            put_reading(p, &o->readings[i]);
        buf_text(p->out, several && path ? " · " : "");
        if (path)
            put_planned(p, f, o, &o->readings[i]);
        buf_text(p->out, "</li>");
    }
}

void prospect_put(struct page *p, const struct statement *st, const struct fact *f, const struct outlook *o,
                  bool brief)
{
    if (!o->has)
        return;
    buf_text(p->out, "<ul class=\"outlook\">");
    put_gap(p, f, o);
    if (!brief)
        put_rate(p, f, o);
    put_forecast(p, o, brief);
    if (!brief)
        put_readings(p, st, f, o);
    if (o->late)
        html_put(p->out, "<li><span class=\"badge late\">%s</span></li>", page_text(p, T_LATE));
    buf_text(p->out, "</ul>");
}

void prospect_path(struct page *p, const struct statement *st, const struct measure *m)
{
    const struct path *path = &st->path;
    char value[SHOW_TEXT], count[16];
    if (path->kind == PATH_NONE)
        return;
    buf_text(p->out, "<li>");
    if (path->kind == PATH_LINEAR) {
        show_exact(value, path->from_value, m, p->lang);
        page_fill(p, T_PATH_LINEAR, path->from, value, NULL);
    } else {
        snprintf(count, sizeof count, "%zu", path->count);
        page_fill(p, T_PATH_MILESTONES, count, path->milestones[0].by, path->milestones[path->count - 1].by);
    }
    if (path->from_assumed)
        html_put(p->out, " <span class=\"doubt\">(%s)</span>", page_text(p, T_PATH_ASSUMED));
    buf_text(p->out, "</li>");
}
