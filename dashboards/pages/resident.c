// One enterprise: what it can make, and its figures by topic, each with its newest value and graph.

#include "base/clock.h"
#include "dashboards/pages/member.h"
#include "dashboards/pages/owed.h"
#include "dashboards/pages/pages.h"
#include "dashboards/pages/people.h"
#include "dashboards/pages/programme.h"
#include "dashboards/pages/prospect.h"
#include "dashboards/pages/then.h"
#include "dashboards/pages/tile.h"
#include "dashboards/pages/totals.h"
#include <stdio.h>
#include <string.h>

// Reports of a long-finished span (published statistics) are drawn whole; live ones over what a reader looks
// for first.
static void choose_range(struct page *p, const struct board_row *r, struct page_graph *g,
                         char from[SHOW_TEXT])
{
    int32_t first;
    bool old = p->now_us / US_PER_S - board_latest_end_s(r) > 400 * INT64_C(86400);
    bool measured = r->series.class == WIRE_MEASUREMENT;
    g->range_name = page_text(p, measured ? T_RANGE_DAY : old ? T_RANGE_ALL : T_RANGE_YEAR);
    g->from = measured ? "-1d" : "-1y";
    if (!old || observations_first_day(p->store.observations, p->store.reader, &r->series, &first, NULL))
        return;
    show_day(from, first);
    g->from = from;
}

static void put_when(struct page *p, const struct board_row *r)
{
    char when[SHOW_TEXT], rhythm[SHOW_TEXT];
    board_latest_when(when, r, r->park ? site_zone(p->site, r->park) : NULL);
    show_rhythm(rhythm, r->series.step_s, (enum period_kind)r->series.period, p->lang);
    if (r->series.class == WIRE_REPORT)
        page_fill(p, T_FOR_PERIOD, when, NULL, NULL);
    else
        html_put(p->out, "<time>%s</time>", when);
    html_put(p->out, " · %s · ", rhythm);
    page_ago(p, r->latest.received_us);
}

// as_of: "&as_of=…" where the page is one of the past; measurements have no line of then.
static void put_figure(struct page *p, const struct board_row *r, const char *as_of)
{
    char title[SHOW_TEXT];
    board_title(title, r, p->lang);
    html_put(p->out, "<li class=\"figure\" data-live=\"%s\"><h3><a", r->series.name);
    page_href(p, "/series/%s", r->series.name);
    html_put(p->out, ">%s</a></h3><p class=\"fact\">", title);
    if (r->has_latest)
        page_figure(p, r->latest.value, &r->measure, true);
    else
        html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, T_NEVER));
    buf_text(p->out, "</p>");
    if (r->has_latest) {
        struct page_graph g = {.row = r, .width = 440, .height = 130, .lazy = true, .more = as_of};
        char from[SHOW_TEXT];
        choose_range(p, r, &g, from);
        buf_text(p->out, "<p class=\"small\">");
        put_when(p, r);
        buf_text(p->out, "</p>");
        if (*as_of == '\0' || r->series.class == WIRE_REPORT)
            page_graph(p, &g);
    }
    buf_text(p->out, "</li>");
}

// In the catalogue's order, which goes from what matters most; what it does not know comes last.
static size_t place_of(const struct page *p, const struct board_row *r)
{
    size_t n = catalogue_count(p->site->catalogue), i = 0;
    while (i < n && catalogue_at(p->site->catalogue, i) != r->kpi)
        i++;
    return i;
}

static void put_topic(struct page *p, const struct board *b, enum kpi_topic topic, enum text title,
                      const char *as_of)
{
    bool any = false;
    for (size_t place = 0; place <= catalogue_count(p->site->catalogue); place++) {
        for (size_t i = 0; i < b->count; i++) {
            if (board_topic(&b->rows[i]) != topic || place_of(p, &b->rows[i]) != place)
                continue;
            if (!any)
                html_put(p->out, "<section><h2>%s</h2><ul class=\"figures\">", page_text(p, title));
            any = true;
            put_figure(p, &b->rows[i], as_of);
        }
    }
    if (any)
        buf_text(p->out, "</ul></section>");
}

static void put_topics(struct page *p, const struct board *b, const char *as_of)
{
    put_topic(p, b, TOPIC_OUTPUT, T_TOPIC_OUTPUT, as_of);
    put_topic(p, b, TOPIC_JOBS, T_TOPIC_JOBS, as_of);
    put_topic(p, b, TOPIC_INVESTMENT, T_TOPIC_INVESTMENT, as_of);
    put_topic(p, b, TOPIC_PARK, T_TOPIC_PARK, as_of);
    if (b->count == 0)
        html_put(p->out, "<section class=\"panel\"><p>%s</p></section>", page_text(p, T_NO_SERIES));
}

static void put_statements(struct page *p, const struct park *park, const char *resident,
                           const struct board *b, const struct as_of *as_of)
{
    struct fact_totals ctx = {.site = p->site, .store = &p->store, .as_of = *as_of};
    struct fact_source source = fact_totals_source(&ctx, park, b);
    bool any = false;
    for (size_t i = 0; i < park->statement_count; i++) {
        const struct statement *st = &park->statements[i];
        if (strcmp(st->resident, resident) != 0)
            continue;
        if (!any)
            html_put(p->out, "<section data-live=\"statements\"><h2>%s</h2><ul class=\"tiles wide\">",
                     page_text(p, T_RESIDENT_STATEMENTS));
        any = true;
        struct fact fact = fact_of_statement(&source, st);
        struct outlook outlook = outlook_of(&source, st, &fact, prospect_today(p, park));
        tile_put(p, park, st, &fact, &outlook, false);
    }
    if (any)
        buf_text(p->out, "</ul></section>");
    fact_totals_close(&ctx);
}

static void put_head(struct page *p, const struct park *park, const struct roster_entry *r,
                     const struct board *b)
{
    char href[EXCHANGE_PART_MAX + 8];
    struct person person = people_of(b, r->code, p->now_us);
    const char *name = r->resident ? r->resident->names.text[p->lang] : r->code;
    snprintf(href, sizeof href, "/parks/%s", park->code);
    page_head(p, name, (const struct crumb[]){{href, park->names.text[p->lang]}, {NULL, name}}, 2);
    html_put(p->out, "<div class=\"lead\"><div><h1>%s ", name);
    if (r->resident && r->resident->simulated)
        page_badge_simulated(p);
    html_put(p->out,
             "</h1><p>%s</p></div><p class=\"state\" data-live=\"state\"><span class=\"dot %s\"></span>%s · ",
             r->resident ? r->resident->about.text[p->lang] : page_text(p, T_UNLISTED),
             person.reporting ? "on" : "off", page_text(p, person.reporting ? T_ON_AIR : T_SILENT));
    page_ago(p, person.newest_us);
    buf_text(p->out, "</p></div>");
    if (r->resident && access_may_do(&p->x->viewer, DEED_REPORT, park->code, r->code)) {
        buf_text(p->out, "<p><a class=\"button\"");
        page_href(p, "/report/%s/%s", park->code, r->code);
        html_put(p->out, ">%s</a></p>", page_text(p, T_REPORT));
    }
}

static void put_resident(struct page *p, const struct then *then, const struct roster_entry *r,
                         const struct board *b)
{
    const struct park *park = then->park;
    char path[2 * EXCHANGE_PART_MAX + 16], more[AS_OF_ADDRESS];
    snprintf(path, sizeof path, "/parks/%s/%s", park->code, r->code);
    as_of_address(&then->as_of, more);
    put_head(p, park, r, b);
    then_put(p, then, path);
    if (r->resident && r->resident->simulated)
        html_put(p->out, "<p class=\"notice quietly\">%s</p>", page_text(p, T_SIMULATED_LONG));
    if (r->resident && *r->resident->source) {
        buf_text(p->out, "<p class=\"notice quietly\">");
        page_fill(p, T_REAL_FIGURES, r->resident->source, NULL, NULL);
        buf_text(p->out, "</p>");
    }
    if (r->resident)
        member_put(p, park, r->resident);
    put_statements(p, park, r->code, b, &then->as_of);
    project_put_bars(p, b, r->code);
    put_topics(p, b, more);
    totals_put_list(p, park, r->code, &then->as_of);
    if (!then->as_of.by_published) // when it was received is what counts
        owed_put_resident(p, park, r->code);
    page_foot(p);
}

void page_resident(struct site *s, struct exchange *x)
{
    struct page p;
    struct diag d = {""};
    struct board board = {0};
    struct then then = {0};
    char prefix[2 * EXCHANGE_PART_MAX + 2];
    if (page_begin(s, x, &p))
        return;
    const struct park *park = access_park(&x->viewer, x->parts[0]);
    struct roster_entry r = {x->parts[1], park ? park_resident(park, x->parts[1]) : NULL};
    snprintf(prefix, sizeof prefix, "%s/%s/", x->parts[0], x->parts[1]);
    enum err e = p.has_store ? board_load(s, &p.store, prefix, &board, &d) : ERR_OK;
    if (e)
        exchange_fail_err(x, e, d.text);
    else if (!park || (!r.resident && board.count == 0))
        exchange_fail(x, 404, "there is no resident '%s/%s'", x->parts[0], x->parts[1]);
    else if (then_begin(&p, park, &board, &then) == ERR_OK) {
        r.resident = park_resident(then.park, r.code);
        put_resident(&p, &then, &r, &board);
    }
    then_end(&then);
    board_free(&board);
}
