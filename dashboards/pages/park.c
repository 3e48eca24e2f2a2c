// One park: key figures, every published figure with its doubts, its residents, its programmes.

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

static void put_statement(struct page *p, const struct fact_source *f, const struct statement *st)
{
    const struct resident *r = *st->resident ? park_resident(f->park, st->resident) : NULL;
    if (r && !access_may(f->viewer, SIGHT_RESIDENT, f->park->code, r->code))
        r = NULL;
    struct fact fact = fact_of_statement(f, st);
    struct outlook outlook = outlook_of(f, st, &fact, prospect_today(p, f->park));
    html_put(p->out, "<tr id=\"s-%s\"><th scope=\"row\">%s", st->id, st->names.text[p->lang]);
    if (r) {
        buf_text(p->out, "<br><a class=\"quiet\"");
        page_href(p, "/parks/%s/%s", f->park->code, r->code);
        buf_text(p->out, ">");
        page_fill(p, T_OF_RESIDENT, r->names.text[p->lang], NULL, NULL);
        buf_text(p->out, "</a>");
    }
    html_put(p->out,
             "</th><td data-label=\"%s\"><span class=\"badge kind-%s\">%s</span></td><td data-label=\"%s\" "
             "class=\"num\">",
             page_text(p, T_COL_KIND), statement_kind_name(st->kind), page_text(p, tile_kind(st->kind)),
             page_text(p, T_COL_VALUE));
    tile_statement_value(p, st);
    html_put(p->out, "</td><td data-label=\"%s\">", page_text(p, T_COL_DUE));
    tile_statement_when(p, st);
    html_put(p->out, "</td><td data-label=\"%s\" class=\"reported\">", page_text(p, T_COL_REPORTED));
    tile_fact(p, st, &fact, &outlook);
    html_put(p->out, "</td><td data-label=\"%s\">", page_text(p, T_COL_DOUBTS));
    tile_statement_doubts(p, f->park, st);
    buf_text(p->out, "</td></tr>");
}

static void put_statements(struct page *p, const struct fact_source *f)
{
    html_put(p->out,
             "<section class=\"panel\" id=\"statements\" data-live=\"statements\"><h2>%s</h2><div "
             "class=\"scroll\">"
             "<table class=\"statements\"><caption>%s</caption><thead><tr><th scope=\"col\">%s</th><th "
             "scope=\"col\">%s</th>"
             "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th "
             "scope=\"col\">%s</th></tr></thead>"
             "<tbody>",
             page_text(p, T_STATEMENTS), page_text(p, T_STATEMENTS_CAPTION), page_text(p, T_COL_FIGURE),
             page_text(p, T_COL_KIND), page_text(p, T_COL_VALUE), page_text(p, T_COL_DUE),
             page_text(p, T_COL_REPORTED), page_text(p, T_COL_DOUBTS));
    for (size_t i = 0; i < f->park->statement_count; i++)
        if (access_may_statement(f->viewer, f->park, &f->park->statements[i]))
            put_statement(p, f, &f->park->statements[i]);
    buf_text(p->out, "</tbody></table></div></section>");
}

// The best series whose line is not flat: at night plants stand still.
static void put_trend(struct page *p, const struct board *b, const char *resident)
{
    const struct board_row *r = NULL;
    char title[SHOW_TEXT];
    for (int tries = 0; tries < 3; tries++) {
        r = people_next(b, resident, r);
        if (!r)
            return;
        if (!tile_trend(p, r, 150, 30, tries == 2))
            continue;
        board_title(title, r, p->lang);
        html_put(p->out, "<span class=\"small\">%s: ", title);
        page_figure(p, r->latest.value, &r->measure, true);
        buf_text(p->out, "</span>");
        return;
    }
}

static void put_resident(struct page *p, const struct park *park, const struct board *b,
                         const struct roster_entry *r, bool past)
{
    struct person person = people_of(b, r->code, p->now_us);
    buf_text(p->out, "<tr><th scope=\"row\"><a");
    page_href(p, "/parks/%s/%s", park->code, r->code);
    html_put(p->out, ">%s</a> ", r->resident ? r->resident->names.text[p->lang] : r->code);
    if (r->resident && r->resident->simulated)
        page_badge_simulated(p);
    if (r->resident)
        member_put_badge(p, park, r->resident);
    html_put(p->out,
             "</th><td data-label=\"%s\">%s</td><td data-label=\"%s\"><span class=\"nowrap\"><span "
             "class=\"dot %s\"></span>%s</span></td>",
             page_text(p, T_COL_MAKES),
             r->resident ? r->resident->about.text[p->lang] : page_text(p, T_UNLISTED),
             page_text(p, T_COL_STATUS), person.reporting ? "on" : "off",
             page_text(p, person.reporting ? T_ON_AIR : T_SILENT));
    html_put(p->out, "<td data-label=\"%s\" class=\"num\">%zu</td><td data-label=\"%s\">",
             page_text(p, T_COL_SERIES), person.series, page_text(p, T_COL_LAST));
    page_ago(p, person.newest_us);
    html_put(p->out, "</td><td data-label=\"%s\">", page_text(p, T_COL_TREND));
    if (!past) // its line is drawn of what is known now
        put_trend(p, b, r->code);
    buf_text(p->out, "</td></tr>");
}

static void put_residents(struct page *p, const struct park *park, const struct board *b,
                          const struct roster *r, bool past)
{
    if (r->count == 0)
        return;
    html_put(
        p->out,
        "<section class=\"panel\" id=\"residents\" data-live=\"residents\"><h2>%s</h2><div class=\"scroll\">"
        "<table class=\"residents\"><caption>%s</caption><thead><tr><th scope=\"col\">%s</th><th "
        "scope=\"col\">%s</th>"
        "<th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th "
        "scope=\"col\">%s</th></tr></thead>"
        "<tbody>",
        page_text(p, T_RESIDENTS), page_text(p, T_RESIDENTS_CAPTION), page_text(p, T_COL_RESIDENT),
        page_text(p, T_COL_MAKES), page_text(p, T_COL_STATUS), page_text(p, T_COL_SERIES),
        page_text(p, T_COL_LAST), page_text(p, T_COL_TREND));
    for (size_t i = 0; i < r->count; i++)
        put_resident(p, park, b, &r->at[i], past);
    buf_text(p->out, "</tbody></table></div></section>");
}

static void put_head(struct page *p, const struct park *park, const struct board *b, const struct roster *r,
                     int32_t today)
{
    struct people people;
    people_count(r, b, p->now_us, today, &people);
    page_head(p, park->names.text[p->lang], &(struct crumb){NULL, park->names.text[p->lang]}, 1);
    html_put(
        p->out,
        "<div class=\"lead\"><div><h1>%s</h1><p>%s · %s</p></div><p class=\"state\" data-live=\"state\">",
        park->names.text[p->lang], park->city.text[p->lang], park->about.text[p->lang]);
    people_put_state(p, &people);
    buf_text(p->out, people.of ? " · " : "");
    page_fill(p, T_TIME_ZONE, park->time_zone, NULL, NULL);
    buf_text(p->out, "</p></div>");
}

static void put_park(struct page *p, const struct then *then, const struct board *b, const struct roster *r)
{
    struct fact_totals ctx = {.site = p->site, .store = &p->store, .as_of = then->as_of};
    const struct park *park = then->park;
    struct programme_source programmes = {.site = p->site,
                                          .store = &p->store,
                                          .viewer = &p->x->viewer,
                                          .park = park,
                                          .board = b,
                                          .as_of = then->as_of};
    char path[EXCHANGE_PART_MAX + 8];
    struct fact_source source = fact_totals_source(&ctx, park, b);
    snprintf(path, sizeof path, "/parks/%s", park->code);
    put_head(p, park, b, r, source.today);
    then_put(p, then, path);
    if (b->count && access_may(&p->x->viewer, SIGHT_SUMS, park->code, "")) {
        html_put(p->out, "<section data-live=\"keys\"><h2>%s</h2><ul class=\"tiles wide\">",
                 page_text(p, T_KEY_FIGURES));
        people_put_keys(p, &source, 8, false);
        buf_text(p->out, "</ul></section>");
    }
    put_statements(p, &source);
    totals_put_list(p, park, SERIES_RESIDENT_ALL, &then->as_of);
    put_residents(p, park, b, r, then->as_of.asked);
    if (!then->as_of.by_published) // when it was received is what counts
        owed_put_park(p, park);
    project_put_histogram(p, &programmes);
    programme_put_all(p, &programmes, programmes_period(&programmes, exchange_param(p->x, "period")));
    page_foot(p);
    fact_totals_close(&ctx);
}

void page_park(struct site *s, struct exchange *x)
{
    struct page p;
    struct diag d = {""};
    struct board board = {0};
    struct roster roster = {0};
    char prefix[EXCHANGE_PART_MAX + 1];
    if (page_begin(s, x, &p))
        return;
    const struct park *park = access_park(&x->viewer, x->parts[0]);
    if (!park) {
        exchange_fail(x, 404, "there is no park '%s'", x->parts[0]);
        return;
    }
    if (programmes_check_period(park, x))
        return;
    snprintf(prefix, sizeof prefix, "%s/", park->code);
    struct then then = {.park = park};
    enum err e = p.has_store ? board_load(s, &p.store, prefix, &board, &d) : ERR_OK;
    bool answered = !e && then_begin(&p, park, &board, &then) != ERR_OK;
    if (!e && !answered)
        e = roster_make(&x->viewer, then.park, &board, &roster);
    if (e)
        exchange_fail_err(x, e, d.text);
    else if (!answered)
        put_park(&p, &then, &board, &roster);
    roster_free(&roster);
    then_end(&then);
    board_free(&board);
}
