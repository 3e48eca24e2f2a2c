// Only the newest values are read, not the whole range: a page must not decode a month of 10-second figures
// to show a hundred.

#include "dashboards/pages/values.h"
#include "base/clock.h"
#include "dashboards/closings.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_SHOWN  100
#define HOUR_S        3600
#define PERIODS_SHOWN 400
#define SPARE_PERIODS 5000 // revisions read at most

static void put_table_head(struct page *p, const struct board_row *r)
{
    char title[SHOW_TEXT];
    board_title(title, r, p->lang);
    html_put(p->out, "<h2>%s</h2><div class=\"scroll\"><table class=\"exact\"><caption>",
             page_text(p, T_EXACT));
    page_fill(p, T_EXACT_CAPTION, title, NULL, NULL);
    buf_text(p->out, "</caption><thead><tr><th scope=\"col\">");
}

// What it was reported as, and by which rate it became what is shown.
static void put_rate(struct page *p, const struct measure *own, struct figure value,
                     const struct money_figure *f)
{
    char reported[SHOW_TEXT];
    if (!f->converted && !f->lacking)
        return;
    show_exact(reported, value, own, p->lang);
    html_put(p->out, "<div class=\"small\">");
    page_fill(p, T_CONVERTED_FROM, reported, NULL, NULL);
    buf_text(p->out, " · ");
    if (f->converted)
        page_rate(p, &f->by);
    else
        html_put(p->out, "<span class=\"doubt\">%s</span>",
                 page_text(p, f->too_large ? T_TOO_LARGE : T_RATE_LACKING));
    buf_text(p->out, "</div>");
}

static void put_value_cell(struct page *p, const struct measure *own, struct figure value,
                           const struct money_figure *f)
{
    const struct measure converted = {.unit = own->unit,
                                      .unit_code = own->unit_code,
                                      .currency = f->currency,
                                      .currency_code = f->currency ? f->currency->code : ""};
    bool other = f->converted || f->lacking;
    buf_text(p->out, "<td class=\"num\">");
    page_figure(p, other ? f->value : value, other ? &converted : own, false);
    put_rate(p, own, value, f);
    buf_text(p->out, "</td>");
}

static void put_all_link(struct page *p, size_t shown)
{
    char n[16];
    snprintf(n, sizeof n, "%zu", shown);
    html_put(p->out, "<p class=\"small\">");
    page_fill(p, T_SHOWN_OF, n, "CSV, JSON", NULL);
    buf_text(p->out, "</p>");
}

// ---- measurements
// ------------------------------------------------------------------------------------------------------
struct points {
    struct point at[POINTS_SHOWN + 1];
    size_t count;
};

static enum err keep_point(void *ctx, const struct point *point)
{
    struct points *p = ctx;
    if (p->count == POINTS_SHOWN + 1) { // only when times are denser than the step
        memmove(p->at, p->at + 1, POINTS_SHOWN * sizeof *p->at);
        p->count--;
    }
    p->at[p->count++] = *point;
    return ERR_OK;
}

static void put_gap(struct page *p, int64_t from, int64_t to, const struct zone *z)
{
    char a[SHOW_TEXT], b[SHOW_TEXT];
    show_moment(a, from, z);
    show_moment(b, to, z);
    html_put(p->out,
             "<tr class=\"gap\"><th scope=\"row\">%s – %s</th><td class=\"num\"><span "
             "class=\"unknown\">%s</span></td></tr>",
             a, b, page_text(p, T_UNKNOWN));
}

// The last ones of the span; hours where raw figures are gone, the last of which may end after the last
// figure.
static enum err read_last(struct page *p, const struct board_row *r, int64_t from, int64_t to,
                          struct points *out)
{
    enum err e = ERR_OK;
    for (int64_t span = r->series.step_s ? r->series.step_s : 1; !e; span = HOUR_S) {
        int64_t end = span == HOUR_S ? (to + HOUR_S - 1) / HOUR_S * HOUR_S : to;
        int64_t begin = end - POINTS_SHOWN * span > from ? end - POINTS_SHOWN * span : from;
        out->count = 0;
        e = points_read(p->store.observations, p->store.reader, &r->series, begin, end, 4 * POINTS_SHOWN,
                        keep_point, out, NULL);
        if (span >= HOUR_S || (out->count > 0 && !out->at[0].cell))
            break;
    }
    return e;
}

static void put_moment(struct page *p, const struct point *point, const struct zone *z)
{
    char a[SHOW_TEXT], b[SHOW_TEXT];
    show_moment(b, point->time, z);
    show_moment(a, point->time - point->span_s, z);
    if (point->cell)
        html_put(p->out, "<tr><th scope=\"row\">%s – %s</th>", a, b);
    else
        html_put(p->out, "<tr><th scope=\"row\">%s</th>", b);
}

static void put_points(struct page *p, const struct board_row *r, int64_t from, int64_t to,
                       const struct money *money)
{
    struct points points = {0};
    char zone_head[I18N_MAX];
    const struct zone *z = r->park ? site_zone(p->site, r->park) : NULL;
    int64_t end = r->has_latest && r->latest.time < to ? r->latest.time : to;
    enum err e = read_last(p, r, from, end, &points);
    i18n_fill(zone_head, p->lang, T_COL_TIME, r->park ? r->park->time_zone : "UTC", NULL, NULL);
    put_table_head(p, r);
    html_put(p->out, "%s</th><th scope=\"col\" class=\"num\">%s</th></tr></thead><tbody>", zone_head,
             page_text(p, T_COL_VALUE));
    for (size_t i = points.count; i-- > 0;) {
        const struct point *next = &points.at[i + 1];
        if (i + 1 < points.count && next->time - points.at[i].time > next->span_s)
            put_gap(p, points.at[i].time + points.at[i].span_s, next->time - next->span_s, z);
        put_moment(p, &points.at[i], z);
        const struct money_figure f = money_measured(money, r, z, points.at[i].time, points.at[i].value);
        put_value_cell(p, &r->measure, points.at[i].value, &f);
        buf_text(p->out, "</tr>");
    }
    buf_text(p->out, "</tbody></table></div>");
    if (e || points.count == 0)
        html_put(p->out, "<p>%s</p>", page_text(p, e ? T_WHY_FAILED : T_NO_VALUES));
    else
        put_all_link(p, points.count);
}

// ---- reports
// -----------------------------------------------------------------------------------------------------------
struct kept {
    int32_t period_start;
    uint32_t revision;
    struct figure value;
    enum wire_status status;
    bool confidential;
    int64_t received_us;
    char currency[WIRE_CURRENCY_LEN + 1];
    char reason[WIRE_REASON_MAX + 1], author[WIRE_AUTHOR_MAX + 1];
};

struct revisions {
    struct kept *at;
    size_t count;
};

static enum err keep_revision(void *ctx, const struct observation *o)
{
    struct revisions *r = ctx;
    if (r->count == SPARE_PERIODS)
        return ERR_TOO_BIG;
    struct kept *k = &r->at[r->count++];
    *k = (struct kept){.period_start = o->period_start,
                       .revision = o->revision,
                       .value = o->status == WIRE_MISSING ? figure_missing() : o->value,
                       .status = o->status,
                       .confidential = o->confidential,
                       .received_us = o->received_us};
    snprintf(k->currency, sizeof k->currency, "%s", o->currency);
    snprintf(k->reason, sizeof k->reason, "%s", o->reason ? o->reason : "");
    snprintf(k->author, sizeof k->author, "%s", o->author ? o->author : "");
    return ERR_OK;
}

static void put_note(struct page *p, const struct board_row *r, const struct kept *k)
{
    if (!access_may(&p->x->viewer, SIGHT_INSIDE, r->name.park, r->name.resident))
        return;
    if (*k->reason)
        html_put(p->out, " <q>%s</q>", k->reason);
    if (*k->author)
        html_put(p->out, " – %s", k->author);
}

// An amount may be of another currency than its series.
static struct measure measure_of(const struct board_row *r, const struct kept *k)
{
    struct measure m = r->measure;
    if (*k->currency && strcmp(k->currency, r->series.currency) != 0) {
        m.currency = currency_find(k->currency);
        m.currency_code = k->currency;
    }
    return m;
}

// What a period's figure was before: every earlier revision.
static void put_history(struct page *p, const struct board_row *r, const struct kept *first,
                        const struct kept *last)
{
    char value[SHOW_TEXT], ago[SHOW_TEXT];
    for (const struct kept *k = last; k-- > first;) {
        struct measure m = measure_of(r, k);
        show_exact(value, k->value, &m, p->lang);
        show_moment(ago, k->received_us / US_PER_S, r->park ? site_zone(p->site, r->park) : NULL);
        html_put(p->out, "<div class=\"small\">");
        page_fill(p, T_REVISED_FROM, value, ago, NULL);
        put_note(p, r, k);
        buf_text(p->out, "</div>");
    }
}

static void put_closed(struct page *p, const struct board_row *r, int32_t day, const struct as_of *as_of)
{
    struct closure closing;
    char since[SHOW_TEXT];
    if (!closings_of(p->site, r, day, as_of, &closing))
        return;
    show_moment(since, closing.received_us / US_PER_S, r->park ? site_zone(p->site, r->park) : NULL);
    // a closing is of the whole park
    bool why = access_may(&p->x->viewer, SIGHT_SUMS, r->name.park, "");
    if (why)
        html_put(p->out, "<div class=\"small closed\" title=\"%s\">", closing.reason);
    else
        buf_text(p->out, "<div class=\"small closed\">");
    page_fill(p, T_CLOSED_SINCE, since, NULL, NULL);
    buf_text(p->out, "</div>");
}

static void put_period(struct page *p, const struct board_row *r, const struct kept *first,
                       const struct kept *last, const struct as_of *as_of, const struct money *money)
{
    static const enum text statuses[] = {[WIRE_NORMAL] = T_STATUS_NORMAL,
                                         [WIRE_PROVISIONAL] = T_STATUS_PROVISIONAL,
                                         [WIRE_ESTIMATED] = T_STATUS_ESTIMATED,
                                         [WIRE_MISSING] = T_STATUS_MISSING};
    char period[PERIOD_TEXT];
    period_text((struct period){(enum period_kind)r->series.period, last->period_start}, period);
    html_put(p->out, "<tr><th scope=\"row\">%s</th>", period);
    struct measure m = measure_of(r, last);
    const struct money_figure f = money_report(money, r, last->currency, last->period_start, last->value);
    put_value_cell(p, &m, last->value, &f);
    html_put(p->out, "<td>%s%s%s", page_text(p, statuses[last->status]), last->confidential ? " · " : "",
             last->confidential ? page_text(p, T_CONFIDENTIAL) : "");
    put_note(p, r, last);
    put_closed(p, r, last->period_start, as_of);
    html_put(p->out, "</td><td class=\"num\">%u</td><td>", last->revision);
    page_ago(p, last->received_us);
    put_history(p, r, first, last);
    buf_text(p->out, "</td></tr>");
}

static void put_periods(struct page *p, const struct board_row *r, const struct revisions *all,
                        const struct as_of *as_of, const struct money *money)
{
    size_t shown = 0;
    put_table_head(p, r);
    html_put(p->out,
             "%s</th><th scope=\"col\" class=\"num\">%s</th><th scope=\"col\">%s</th><th scope=\"col\" "
             "class=\"num\">%s</th>"
             "<th scope=\"col\">%s</th></tr></thead><tbody>",
             page_text(p, T_COL_PERIOD), page_text(p, T_COL_VALUE), page_text(p, T_COL_STATUS),
             page_text(p, T_COL_REVISION), page_text(p, T_COL_RECEIVED));
    for (size_t end = all->count; end > 0 && shown < PERIODS_SHOWN; shown++) {
        size_t begin = end - 1;
        while (begin > 0 && all->at[begin - 1].period_start == all->at[end - 1].period_start)
            begin--;
        put_period(p, r, &all->at[begin], &all->at[end - 1], as_of, money);
        end = begin;
    }
    buf_text(p->out, "</tbody></table></div>");
    if (shown == 0)
        html_put(p->out, "<p>%s</p>", page_text(p, T_NO_VALUES));
    else
        put_all_link(p, shown);
}

static void put_reports(struct page *p, const struct board_row *r, int64_t from, int64_t to,
                        const struct as_of *as_of, const struct money *money)
{
    struct revisions all = {.at = calloc(SPARE_PERIODS, sizeof *all.at)};
    struct observation_query q = {.series_id = r->series.series_id,
                                  .from = (int32_t)(from / 86400),
                                  .to = (int32_t)((to + 86399) / 86400),
                                  .all_revisions = !as_of->asked};
    as_of_apply(as_of, &q);
    enum err e =
        all.at ? observations_query(p->store.observations, &q, keep_revision, &all, NULL) : ERR_NOMEM;
    if (e == ERR_TOO_BIG)
        html_put(p->out, "<p>%s</p>", page_text(p, T_TOO_MANY));
    else if (e)
        html_put(p->out, "<p>%s</p>", page_text(p, T_WHY_FAILED));
    else
        put_periods(p, r, &all, as_of, money);
    free(all.at);
}

void values_put(struct page *p, const struct board_row *r, int64_t from, int64_t to,
                const struct as_of *as_of, const struct money *money)
{
    if (r->series.class == WIRE_REPORT)
        put_reports(p, r, from, to, as_of, money);
    else
        put_points(p, r, from, to, money);
}
