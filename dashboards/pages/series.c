// One series: its graph over a range, and the exact values behind it, newest first, with every revision of a
// report.

#include "base/clock.h"
#include "dashboards/closings.h"
#include "dashboards/pages/alike.h"
#include "dashboards/pages/annotations.h"
#include "dashboards/pages/corrections.h"
#include "dashboards/pages/pages.h"
#include "dashboards/pages/series_head.h"
#include "dashboards/pages/sums.h"
#include "dashboards/pages/tile.h"
#include "dashboards/pages/totals.h"
#include "dashboards/pages/values.h"
#include "dashboards/params.h"
#include "dashboards/plan.h"
#include "dashboards/points.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const range_codes[] = {"day", "week", "month", "year", "all", NULL};
static const enum text range_names[] = {T_RANGE_DAY, T_RANGE_WEEK, T_RANGE_MONTH, T_RANGE_YEAR, T_RANGE_ALL};
static const int32_t range_days[] = {1, 7, 31, 366, 0};
#define RANGE_ALL 4
#define RANGE_OWN 5

struct range {
    size_t choice; // of range_codes, or RANGE_OWN
    int64_t from, to;
    char name[I18N_MAX];
    char from_text[32], to_text[32]; // for addresses; to_text "": up to now
    struct as_of as_of;
    struct money money;
    char more[AS_OF_ADDRESS + MONEY_ADDRESS]; // what is asked for beside the range, for addresses
    size_t sums;                              // the calendar's span
    struct alike_question alike;
};

// A report's range ends with its newest period, however long ago that was; a measurement's with now.
static int64_t range_end(const struct page *p, const struct board_row *r)
{
    int64_t now = p->now_us / US_PER_S;
    return r->series.class == WIRE_REPORT && r->has_latest && board_latest_end_s(r) < now
               ? board_latest_end_s(r)
               : now;
}

static void set_text(char out[32], int64_t s, bool report)
{
    char day[SHOW_TEXT];
    if (report) {
        show_day(day, (int32_t)(s / 86400));
        snprintf(out, 32, "%.31s", day);
    } else {
        snprintf(out, 32, "%" PRId64, s);
    }
}

static void set_preset(const struct page *p, const struct board_row *r, struct range *g)
{
    bool report = r->series.class == WIRE_REPORT;
    int32_t first = 0;
    g->to = range_end(p, r);
    g->from = g->to - (int64_t)range_days[g->choice] * 86400;
    if (g->choice == RANGE_ALL && r->computed)
        g->from = (int64_t)computed_first_day(p->site, &p->store, r) * 86400;
    else if (g->choice == RANGE_ALL && observations_first_day(p->store.observations, p->store.reader,
                                                              &r->series, &first, NULL) == ERR_OK)
        g->from = (int64_t)first * 86400;
    if (g->from >= g->to)
        g->from = g->to - 86400;
    snprintf(g->name, sizeof g->name, "%s", page_text(p, range_names[g->choice]));
    if (report || g->choice == RANGE_ALL)
        set_text(g->from_text, g->from, report);
    else
        snprintf(g->from_text, sizeof g->from_text, "-%" PRId32 "d", range_days[g->choice]);
    if (report)
        set_text(g->to_text, g->to, true);
}

static enum err set_own(struct page *p, const struct board_row *r, struct range *g)
{
    bool report = r->series.class == WIRE_REPORT;
    const struct zone *z = report || !r->park ? NULL : site_zone(p->site, r->park);
    int64_t now = p->now_us / US_PER_S;
    g->choice = RANGE_OWN;
    g->to = range_end(p, r);
    g->from = g->to - 86400;
    if (params_time(p->x, "from", now, z, &g->from) || params_time(p->x, "to", now, z, &g->to))
        return ERR_INVALID;
    const char *to = exchange_param(p->x, "to");
    if (to && strlen(to) == 10 && to[4] == '-')
        g->to += 86400; // a day asked for is a day shown
    if (g->from >= g->to)
        return exchange_fail_param(p->x, "from", "must be before `to`");
    char from_day[SHOW_TEXT], to_day[SHOW_TEXT];
    show_day(from_day, (int32_t)((g->from + zone_offset(z, g->from)) / 86400));
    show_day(to_day, (int32_t)((g->to - 1 + zone_offset(z, g->to)) / 86400));
    i18n_fill(g->name, p->lang, T_RANGE_OWN, from_day, to_day, NULL);
    set_text(g->from_text, g->from, report);
    set_text(g->to_text, g->to, report);
    return ERR_OK;
}

static enum err choose_range(struct page *p, const struct board_row *r, struct range *g)
{
    memset(g, 0, sizeof *g);
    if (exchange_param(p->x, "from") || exchange_param(p->x, "to"))
        return exchange_param(p->x, "range")
                   ? exchange_fail_param(p->x, "range", "cannot stand beside from and to")
                   : set_own(p, r, g);
    bool report = r->series.class == WIRE_REPORT;
    g->choice = !report ? 0 : r->series.period == PERIOD_DAY ? 3 : RANGE_ALL;
    if (params_choice(p->x, "range", range_codes, &g->choice))
        return ERR_INVALID;
    set_preset(p, r, g);
    return ERR_OK;
}

static bool offers(const struct board_row *r, size_t range)
{
    if (r->series.class == WIRE_MEASUREMENT)
        return true;
    return range >= (r->series.period == PERIOD_DAY ? 2u : 3u);
}

static void put_ranges(struct page *p, const struct board_row *r, const struct range *g)
{
    char from_day[SHOW_TEXT], to_day[SHOW_TEXT];
    const struct zone *z = r->series.class == WIRE_REPORT || !r->park ? NULL : site_zone(p->site, r->park);
    html_put(p->out, "<nav class=\"ranges\" aria-label=\"%s\"><ul>", page_text(p, T_RANGE));
    for (size_t i = 0; range_codes[i]; i++) {
        if (!offers(r, i))
            continue;
        buf_text(p->out, "<li><a");
        page_href(p, "/series/%s?range=%s", r->series.name, range_codes[i]);
        html_put(p->out, "%s>%s</a></li>", i == g->choice ? " aria-current=\"true\"" : "",
                 page_text(p, range_names[i]));
    }
    show_day(from_day, (int32_t)((g->from + zone_offset(z, g->from)) / 86400));
    show_day(to_day, (int32_t)((g->to - 1 + zone_offset(z, g->to)) / 86400));
    html_put(p->out,
             "</ul><form method=\"get\"><label>%s <input type=\"date\" name=\"from\" value=\"%s\" "
             "required></label>"
             "<label>%s <input type=\"date\" name=\"to\" value=\"%s\" required></label>",
             page_text(p, T_FROM), from_day, page_text(p, T_TO), to_day);
    if (p->lang_asked)
        html_put(p->out, "<input type=\"hidden\" name=\"lang\" value=\"%s\">", lang_code(p->lang));
    html_put(p->out, "<button>%s</button></form></nav>", page_text(p, T_SHOW));
}

static void put_hidden(struct page *p, const char *name, const char *value)
{
    if (value && *value)
        html_put(p->out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name, value);
}

// The rest of what was asked for, carried on by a form that changes one thing.
static void put_kept(struct page *p, const struct range *g, bool as_of, bool currency)
{
    if (g->choice == RANGE_OWN) {
        put_hidden(p, "from", g->from_text);
        put_hidden(p, "to", g->to_text);
    } else {
        put_hidden(p, "range", range_codes[g->choice]);
    }
    if (as_of) {
        put_hidden(p, "as_of", exchange_param(p->x, "as_of"));
        put_hidden(p, "by", exchange_param(p->x, "by"));
    }
    if (currency && g->money.to)
        put_hidden(p, "currency", g->money.to->code);
    if (p->lang_asked)
        put_hidden(p, "lang", lang_code(p->lang));
}

// Which currency money is shown in.
static void put_currency(struct page *p, const struct range *g)
{
    html_put(p->out, "<div class=\"ranges\"><form method=\"get\"><label>%s <select name=\"currency\">",
             page_text(p, T_CURRENCY));
    for (size_t i = 0; money_codes[i]; i++)
        html_put(p->out, "<option%s>%s</option>",
                 g->money.to && strcmp(g->money.to->code, money_codes[i]) == 0 ? " selected" : "",
                 money_codes[i]);
    buf_text(p->out, "</select></label>");
    put_kept(p, g, true, false);
    html_put(p->out, "<button>%s</button></form>", page_text(p, T_SHOW));
    if (g->money.to) {
        buf_text(p->out, "<p><strong>");
        page_fill(p, T_CONVERTED, g->money.to->code, NULL, NULL);
        buf_text(p->out, "</strong></p>");
    }
    buf_text(p->out, "</div>");
}

// Which moment's knowledge is asked for; of reports only.
static void put_as_of(struct page *p, const struct board_row *r, const struct range *g)
{
    char day[SHOW_TEXT], when[SHOW_TEXT];
    const struct zone *z = r->park ? site_zone(p->site, r->park) : NULL;
    int64_t at = (g->as_of.us ? g->as_of.us : p->now_us) / US_PER_S;
    show_day(day, (int32_t)((at + zone_offset(z, at)) / 86400));
    html_put(p->out,
             "<div class=\"ranges\"><form method=\"get\"><label>%s <input type=\"date\" name=\"as_of\" "
             "value=\"%s\" "
             "required></label><select name=\"by\" aria-label=\"%s\"><option value=\"received\">%s</option>"
             "<option value=\"published\"%s>%s</option></select>",
             page_text(p, T_AS_OF), day, page_text(p, T_AS_OF), page_text(p, T_BY_RECEIVED),
             g->as_of.by_published ? " selected" : "", page_text(p, T_BY_PUBLISHED));
    put_kept(p, g, false, true);
    html_put(p->out, "<button>%s</button></form>", page_text(p, T_SHOW));
    if (g->as_of.asked) {
        show_moment(when, at, z);
        buf_text(p->out, "<p><strong>");
        page_fill(p, g->as_of.by_published ? T_AS_PUBLISHED_BY : T_AS_KNOWN_BY, when, NULL, NULL);
        buf_text(p->out, "</strong> · <a");
        page_href(p, "/series/%s", r->series.name);
        html_put(p->out, ">%s</a></p>", page_text(p, T_BACK_TO_NOW));
    }
    buf_text(p->out, "</div>");
}

static void put_download(struct page *p, const char *label, const char *address, const struct board_row *r,
                         const struct range *g, const char *more)
{
    html_put(p->out, "<li><a href=\"%s", address);
    html_put(p->out, "%s%sfrom=%s", r->series.name, more, g->from_text);
    if (*g->to_text)
        html_put(p->out, "&to=%s", g->to_text);
    bool drawn = strncmp(address, "/graph/", 7) == 0;
    if (g->money.to && (!drawn || r->series.class == WIRE_REPORT))
        html_put(p->out, "&currency=%s", g->money.to->code);
    html_put(p->out, "\">%s</a></li>", label);
}

// The finest step at which the API answers for the whole range; 0: no step would do.
static int64_t download_step(const struct board_row *r, const struct range *g)
{
    static const int64_t rounded[] = {60, 300, 900, 3600, 6 * 3600, 86400};
    int64_t own = r->series.step_s, span = g->to - g->from;
    if (r->series.class == WIRE_REPORT || own == 0)
        return own;
    if (span / own > POINTS_READ_MAX - 2)
        return 0;
    if (span / own <= POINTS_MAX - 2) // both ends may add one
        return own;
    for (size_t i = 0; i < sizeof rounded / sizeof *rounded; i++)
        if (rounded[i] % own == 0 && span / rounded[i] <= POINTS_MAX - 2)
            return rounded[i];
    return (span / own / (POINTS_MAX - 2) + 1) * own;
}

// A link always leads to an answer: where the exact points are too many for one, the step is coarser and
// said.
static void put_points_downloads(struct page *p, const struct board_row *r, const struct range *g)
{
    char step[40] = "", label[SHOW_TEXT + 8], rhythm[SHOW_TEXT], more[80];
    int64_t step_s = download_step(r, g);
    bool coarser = step_s != r->series.step_s;
    if (coarser && step_s == 0)
        return;
    if (coarser)
        snprintf(step, sizeof step, "step=%" PRId64 "&", step_s);
    show_rhythm(rhythm, (uint32_t)step_s, PERIOD_NONE, p->lang);
    for (int json = 0; json <= 1; json++) {
        const char *name = json ? "JSON" : "CSV";
        snprintf(label, sizeof label, coarser ? "%s, %s" : "%s", name, rhythm);
        snprintf(more, sizeof more, "%s%s", json ? "&" : "&format=csv&", step);
        put_download(p, label, "/api/v1/query?series=", r, g, more);
    }
}

static void put_report_link(struct page *p, const struct board_row *r)
{
    if (r->series.class != WIRE_REPORT ||
        !access_may_do(&p->x->viewer, DEED_REPORT, r->name.park, r->name.resident))
        return;
    buf_text(p->out, "<p><a class=\"button\"");
    page_href(p, "/report/%s", r->series.name);
    html_put(p->out, ">%s</a></p>", page_text(p, T_REPORT));
}

static void put_downloads(struct page *p, const struct board_row *r, const struct range *g)
{
    char image[40];
    static const char *const endings[] = {"png", "svg", "pdf"};
    html_put(p->out, "<div class=\"downloads\"><h2>%s</h2><ul>", page_text(p, T_DOWNLOAD));
    put_points_downloads(p, r, g);
    for (size_t i = 0; i < 3; i++) {
        snprintf(image, sizeof image, ".%s?width=1200&height=400&lang=%s&", endings[i], lang_code(p->lang));
        put_download(p, i == 0 ? "PNG" : i == 1 ? "SVG" : "PDF", "/graph/", r, g, image);
    }
    if (r->series.class == WIRE_REPORT && !r->computed)
        html_put(p->out, "<li><a href=\"/api/v1/observations?series=%s&amp;revisions=all\">%s</a></li>",
                 r->series.name, page_text(p, T_COL_REVISION));
    buf_text(p->out, "</ul></div>");
}

static void put_about(struct page *p, const struct board_row *r)
{
    static const enum text kinds[] = {
        [KPI_LEVEL] = T_KIND_LEVEL, [KPI_FLOW] = T_KIND_FLOW, [KPI_COMPUTED] = T_KIND_COMPUTED};
    char unit[SHOW_TEXT], rhythm[SHOW_TEXT];
    show_unit(unit, &r->measure, p->lang);
    show_rhythm(rhythm, r->series.step_s, (enum period_kind)r->series.period, p->lang);
    html_put(
        p->out,
        "<div class=\"about-series\"><h2>%s</h2><dl><div><dt>%s</dt><dd>%s</dd></div><div><dt>%s</dt><dd>%s",
        page_text(p, T_ABOUT_SERIES), page_text(p, T_UNIT), unit, page_text(p, T_RHYTHM), rhythm);
    if (r->kpi)
        html_put(p->out, " · %s", page_text(p, kinds[r->kpi->kind]));
    html_put(p->out, "</dd></div><div><dt>%s</dt><dd><code>%s</code></dd></div>", page_text(p, T_SERIES_NAME),
             r->series.name);
    if (r->resident && *r->resident->source) {
        buf_text(p->out, "<div><dt></dt><dd>");
        page_fill(p, T_SOURCE, r->resident->source, NULL, NULL);
        buf_text(p->out, "</dd></div>");
    }
    buf_text(p->out, "</dl></div>");
}

// Where one can come back to what is shown: the range, and what is asked for beside it.
static void range_address(const struct range *g, char out[200])
{
    if (g->choice == RANGE_OWN)
        snprintf(out, 200, "from=%s&to=%s%s", g->from_text, g->to_text, g->more);
    else
        snprintf(out, 200, "range=%s%s", range_codes[g->choice], g->more);
}

static struct sums_asked sums_of(const struct board_row *r, const struct range *g, const char *address)
{
    return (struct sums_asked){
        .row = r, .from = g->from, .to = g->to, .as_of = &g->as_of, .money = &g->money, .address = address};
}

static void put_sums(struct page *p, const struct board_row *r, const struct range *g)
{
    char address[200];
    range_address(g, address);
    const struct sums_asked asked = sums_of(r, g, address);
    buf_text(p->out, "<section class=\"panel\" data-live=\"sums\">");
    sums_put(p, &asked, g->sums);
    buf_text(p->out, "</section>");
}

static void put_totals(struct page *p, const struct board_row *r, const struct range *g)
{
    char address[200];
    range_address(g, address);
    const struct sums_asked asked = sums_of(r, g, address);
    totals_put(p, &asked, g->sums);
    alike_put(p, r, &g->alike, &g->as_of, g->money.to);
}

static enum err choose_sums(struct page *p, const struct board_row *r, struct range *g)
{
    const struct sums_asked asked = sums_of(r, g, "");
    return r->computed ? totals_choose(p, &asked, &g->sums) : sums_choose(p, &asked, &g->sums);
}

static void put_series(struct page *p, const struct board_row *r, const struct range *g)
{
    bool report = r->series.class == WIRE_REPORT;
    struct corrections corrections;
    struct board_row planned;
    struct park *owned = NULL;
    struct diag d = {""};
    if (report && closings_refresh(p->site, &p->store, &d) != ERR_OK) {
        exchange_fail(p->x, 503, "the collector's files cannot be read just now");
        return;
    }
    corrections_load(p, r, g->from, g->to, &g->as_of, &corrections);
    struct board_row drawn = *r; // measurements are drawn in their own currency only
    if (report)
        money_measure(&g->money, &drawn);
    if (plan_row(p->site, &p->store, &drawn, &g->as_of, &planned, &owned, &d) != ERR_OK) {
        exchange_fail(p->x, 500, "%s", d.text);
        corrections_free(&corrections);
        return;
    }
    struct page_graph graph = {.row = &drawn,
                               .range_name = g->name,
                               .from = g->from_text,
                               .to = *g->to_text ? g->to_text : NULL,
                               .width = 1000,
                               .height = 300,
                               .planned = &planned,
                               .more = report ? g->more : NULL,
                               .newest_us = corrections.newest_us};
    series_head_put(p, r, g->more[0] == '\0');
    buf_text(p->out, "<section class=\"panel\">");
    put_ranges(p, r, g);
    if (report)
        put_as_of(p, r, g);
    if (r->measure.currency)
        put_currency(p, g);
    buf_text(p->out, "<div data-live=\"graph\">");
    annotations_put_graph(p, &graph, g->from, g->to);
    buf_text(p->out, "</div></section>");
    if (!report) // whose exact values are no more than the last few minutes
        put_sums(p, r, g);
    buf_text(p->out, "<div class=\"columns\">");
    buf_text(p->out, "<section class=\"panel values\" data-live=\"values\">");
    if (r->computed)
        put_totals(p, r, g);
    else
        values_put(p, r, g->from, g->to, &g->as_of, &g->money);
    buf_text(p->out, "</section><aside class=\"panel\">");
    put_report_link(p, r);
    put_downloads(p, r, g);
    put_about(p, r);
    buf_text(p->out, "</aside></div>");
    if (report && !r->computed) {
        put_sums(p, r, g);
        buf_text(p->out, "<section class=\"panel\" data-live=\"corrections\">");
        corrections_put(p, r, &corrections);
        buf_text(p->out, "</section>");
    }
    corrections_free(&corrections);
    park_free(owned);
    page_foot(p);
}

static enum err choose_as_of(struct page *p, const struct board_row *r, struct range *g)
{
    const struct zone *z = r->park ? site_zone(p->site, r->park) : NULL;
    enum err e = as_of_parse(p->x, p->now_us / US_PER_S, z, &g->as_of);
    if (e == ERR_OK && g->as_of.asked && r->series.class != WIRE_REPORT)
        return exchange_fail_param(p->x, exchange_param(p->x, "as_of") ? "as_of" : "by",
                                   "%s is measured: only reports have revisions", r->series.name);
    if (e == ERR_OK)
        e = money_open(p->x, &p->store, r, g->as_of.by_published ? 0 : g->as_of.us, &g->money);
    char as_of[AS_OF_ADDRESS], money[MONEY_ADDRESS];
    as_of_address(&g->as_of, as_of);
    money_address(&g->money, money);
    snprintf(g->more, sizeof g->more, "%s%s", as_of, money);
    return e;
}

void page_series(struct site *s, struct exchange *x)
{
    struct page p;
    struct diag d = {""};
    struct board_row row;
    struct range range = {0};
    char name[4 * EXCHANGE_PART_MAX];
    if (page_begin(s, x, &p))
        return;
    snprintf(name, sizeof name, "%s/%s/%s%s%s", x->parts[0], x->parts[1], x->parts[2],
             x->part_count == 4 ? "/" : "", x->part_count == 4 ? x->parts[3] : "");
    enum err e = p.has_store ? board_load_one(s, &p.store, name, &row, &d) : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND && p.has_store)
        e = computed_load_one(s, &p.store, name, &row, &d);
    if (e == ERR_NOT_FOUND)
        exchange_fail(x, 404, "there is no series '%s' (yet)", name);
    else if (e)
        exchange_fail_err(x, e, d.text);
    else if (!choose_range(&p, &row, &range) && !choose_as_of(&p, &row, &range) &&
             !choose_sums(&p, &row, &range) && !alike_parse(x, &row, &range.alike))
        put_series(&p, &row, &range);
    if (e == ERR_OK)
        money_close(&range.money);
}
