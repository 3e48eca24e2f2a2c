// The first page: what the parks promised and what their residents report, a card a park.

#include "base/clock.h"
#include "dashboards/pages/pages.h"
#include "dashboards/pages/people.h"
#include "dashboards/pages/prospect.h"
#include "dashboards/pages/tile.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TILES_MAX  4 // of published figures
#define TILES_ALL  6
#define LINE_TRIES 5

struct card {
    const struct park *park;
    struct board board; // of the park
    struct roster roster;
    struct people people;
    size_t statements; // that may be seen
};

static void put_total(struct page *p, const char *value, enum text label)
{
    html_put(p->out, "<div><dt>%s</dt><dd>%s</dd></div>", page_text(p, label), value);
}

static void put_totals(struct page *p, const struct card *cards, size_t count)
{
    size_t reporting = 0, residents = 0, series = 0;
    int64_t newest_us = 0;
    char text[64];
    for (size_t i = 0; i < count; i++) {
        reporting += cards[i].people.reporting;
        residents += cards[i].people.of;
        series += cards[i].board.count;
        if (cards[i].people.newest_us > newest_us)
            newest_us = cards[i].people.newest_us;
    }
    html_put(p->out, "<dl class=\"totals\" data-live=\"totals\">");
    snprintf(text, sizeof text, "%zu", count);
    put_total(p, text, T_TOTAL_PARKS);
    if (residents > 0) {
        snprintf(text, sizeof text, "%zu / %zu", reporting, residents);
        put_total(p, text, T_TOTAL_RESIDENTS);
        snprintf(text, sizeof text, "%zu", series);
        put_total(p, text, T_TOTAL_SERIES);
        html_put(p->out, "<div><dt>%s</dt><dd>", page_text(p, T_TOTAL_NEWEST));
        page_ago(p, newest_us);
        buf_text(p->out, "</dd></div>");
    }
    buf_text(p->out, "</dl>");
}

// Targets and capacities first that have a fact, then those without, then what was published of the park
// itself.
static size_t choose_tiles(const struct viewer *v, const struct park *park, const struct fact *facts,
                           size_t considered, size_t chosen[TILES_MAX])
{
    size_t n = 0;
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < considered && n < (pass < 2 ? TILES_MAX : 1); i++) {
            const struct statement *st = &park->statements[i];
            if (!access_may_statement(v, park, st))
                continue;
            bool planned = st->kind == STATEMENT_TARGET || st->kind == STATEMENT_CAPACITY;
            bool own = st->kind == STATEMENT_FACT && statement_counts(st);
            if (pass < 2 ? planned && (facts[i].why == FACT_KNOWN) == (pass == 0) : own)
                chosen[n++] = i;
        }
    return n;
}

static void put_tiles(struct page *p, const struct card *c)
{
    struct fact_totals ctx = {.site = p->site, .store = &p->store};
    struct fact_source source = fact_totals_source(&ctx, c->park, &c->board);
    struct fact facts[64] = {0};
    size_t chosen[TILES_MAX];
    size_t considered = c->park->statement_count < 64 ? c->park->statement_count : 64;
    for (size_t i = 0; i < considered; i++)
        facts[i] = fact_of_statement(&source, &c->park->statements[i]);
    size_t n = choose_tiles(&p->x->viewer, c->park, facts, considered, chosen);
    buf_text(p->out, "<ul class=\"tiles\">");
    for (size_t i = 0; i < n; i++) {
        const struct statement *st = &c->park->statements[chosen[i]];
        struct outlook outlook = outlook_of(&source, st, &facts[chosen[i]], prospect_today(p, c->park));
        tile_put(p, c->park, st, &facts[chosen[i]], &outlook, true);
    }
    people_put_keys(p, &source, TILES_ALL - n, true);
    buf_text(p->out, "</ul>");
    fact_totals_close(&ctx);
}

// How well a series' line stands for the park: fresh output before anything else.
static int rank(const struct page *p, const struct board_row *r)
{
    return (board_is_fresh(r, p->now_us) ? 20 : 0) + 2 * people_rank(r) +
           (r->series.class == WIRE_MEASUREMENT);
}

static bool put_line_of(struct page *p, const struct board_row *r)
{
    char title[SHOW_TEXT];
    size_t before = p->out->len;
    buf_text(p->out, "<a class=\"line\"");
    page_href(p, "/series/%s", r->series.name);
    buf_text(p->out, ">");
    if (!tile_trend(p, r, 480, 48, false)) {
        p->out->len = before;
        return false;
    }
    board_title(title, r, p->lang);
    html_put(p->out, "<span><b>%s</b> %s · ", title, page_resident_name(p, r));
    page_figure(p, r->latest.value, &r->measure, true);
    buf_text(p->out, "</span></a>");
    return true;
}

// The best series whose line is not flat: at night plants stand still.
static void put_line(struct page *p, const struct board *b)
{
    int below = INT32_MAX;
    for (int tries = 0; p->has_store && tries < LINE_TRIES; tries++) {
        const struct board_row *best = NULL;
        for (size_t i = 0; i < b->count; i++) {
            const struct board_row *r = &b->rows[i];
            int of = rank(p, r);
            if (r->has_latest && of < below && (!best || of > rank(p, best)))
                best = r;
        }
        if (!best || put_line_of(p, best))
            return;
        below = rank(p, best);
    }
}

static void put_card(struct page *p, const struct card *c)
{
    const struct park *park = c->park;
    char n[24];
    html_put(p->out, "<article class=\"card\" data-live=\"park-%s\"><header><h2><a", park->code);
    page_href(p, "/parks/%s", park->code);
    html_put(p->out, ">%s</a></h2><p class=\"city\">%s</p></header><p class=\"about\">%s</p>",
             park->names.text[p->lang], park->city.text[p->lang], park->about.text[p->lang]);
    buf_text(p->out, "<p class=\"state\">");
    people_put_state(p, &c->people);
    buf_text(p->out, "</p>");
    put_tiles(p, c);
    put_line(p, &c->board);
    buf_text(p->out, "<p class=\"more\"><a");
    page_href(p, "/parks/%s#statements", park->code);
    buf_text(p->out, ">");
    snprintf(n, sizeof n, "%zu", c->statements);
    page_fill(p, T_MORE_STATEMENTS, n, NULL, NULL);
    buf_text(p->out, "</a></p></article>");
}

static enum err load_card(struct page *p, const struct park *park, struct card *c, struct diag *d)
{
    char prefix[SERIES_PART_MAX + 2];
    const struct viewer *v = &p->x->viewer;
    *c = (struct card){.park = park};
    snprintf(prefix, sizeof prefix, "%s/", park->code);
    enum err e = p->has_store ? board_load(p->site, &p->store, prefix, &c->board, d) : ERR_OK;
    if (!e)
        e = roster_make(v, park, &c->board, &c->roster);
    if (e)
        return e;
    people_count(&c->roster, &c->board, p->now_us, prospect_today(p, park), &c->people);
    for (size_t i = 0; i < park->statement_count; i++)
        c->statements += access_may_statement(v, park, &park->statements[i]);
    return ERR_OK;
}

// Those that may be seen; *count also says how many are to be freed when it fails.
static enum err load_cards(struct page *p, struct card *cards, size_t *count, struct diag *d)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < p->site->parks.count && !e; i++) {
        const struct park *park = access_park(&p->x->viewer, p->site->parks.parks[i]->code);
        if (park)
            e = load_card(p, park, &cards[(*count)++], d);
    }
    return e;
}

static void put_overview(struct page *p, const struct card *cards, size_t count)
{
    page_head(p, page_text(p, T_OVERVIEW), NULL, 0);
    html_put(p->out, "<div class=\"lead\"><div><h1>%s</h1><p>%s</p></div>", page_text(p, T_OVERVIEW),
             page_text(p, T_OVERVIEW_LEAD));
    put_totals(p, cards, count);
    buf_text(p->out, "</div><div class=\"cards\">");
    for (size_t i = 0; i < count; i++)
        put_card(p, &cards[i]);
    buf_text(p->out, "</div>");
    page_foot(p);
}

void page_overview(struct site *s, struct exchange *x)
{
    struct page p;
    struct diag d = {""};
    if (page_begin(s, x, &p))
        return;
    size_t count = 0;
    struct card *cards = calloc(s->parks.count + 1, sizeof *cards);
    enum err e = cards ? load_cards(&p, cards, &count, &d) : ERR_NOMEM;
    if (e)
        exchange_fail_err(x, e, d.text);
    else
        put_overview(&p, cards, count);
    for (size_t i = 0; i < count; i++) {
        roster_free(&cards[i].roster);
        board_free(&cards[i].board);
    }
    free(cards);
}
