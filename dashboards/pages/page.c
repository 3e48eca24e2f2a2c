// The frame. Pages work without scripts; live.js only fetches the page again and swaps the parts marked
// data-live.

#include "dashboards/pages/page.h"
#include "base/clock.h"
#include "dashboards/behind.h"
#include "dashboards/graph.h"
#include "dashboards/identity.h"
#include "dashboards/pages/pages.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NARROW_GRAPH 460 // on small tablets
#define HAND_GRAPH   270 // in a hand: drawn as wide as it is shown, so that labels keep their size
#define HAND_HEIGHT  190

const char *page_text(const struct page *p, enum text t)
{
    return i18n_text(p->lang, t);
}

void page_fill(struct page *p, enum text t, const char *a, const char *b, const char *c)
{
    char filled[I18N_MAX];
    i18n_fill(filled, p->lang, t, a, b, c);
    html_text(p->out, filled);
}

void page_lang(struct page *p, char separator)
{
    if (p->lang_asked)
        html_put(p->out, "%slang=%s", separator == '?' ? "?" : "&", lang_code(p->lang));
}

void page_href(struct page *p, const char *path, ...)
{
    struct buf address;
    va_list args;
    va_start(args, path);
    buf_init(&address, 4096);
    html_vput(&address, path, args);
    va_end(args);
    const char *text = buf_str(&address), *anchor = strchr(text, '#');
    while (anchor && anchor > text && anchor[-1] == '&') // of an escape, &#39;
        anchor = strchr(anchor + 1, '#');
    size_t len = anchor ? (size_t)(anchor - text) : strlen(text);
    buf_text(p->out, " href=\"");
    buf_append(p->out, text, len);
    page_lang(p, memchr(text, '?', len) ? '&' : '?');
    html_put(p->out, "%s\"", anchor ? anchor : "");
    buf_deinit(&address);
}

static enum err choose_language(struct page *p)
{
    const char *asked = exchange_param(p->x, "lang");
    p->lang = i18n_accept(p->x->accept_language);
    p->lang_asked = asked != NULL;
    p->x->vary_language = true;
    if (asked && lang_parse(asked, &p->lang))
        return exchange_fail_param(p->x, "lang", "must be one of: en, ru, kk, uz, ky");
    return ERR_OK;
}

enum err page_begin(struct site *s, struct exchange *x, struct page *out)
{
    struct page p = {.site = s, .x = x, .out = &x->body};
    struct diag d = {""};
    if (choose_language(&p))
        return ERR_INVALID;
    flush_now(s->flush);
    enum err e = site_store(s, &x->viewer, &p.store, &d);
    if (e && e != ERR_NOT_FOUND) {
        exchange_fail_err(x, e, d.text);
        return exchange_fail(x, 503, "the collector's files cannot be read just now");
    }
    p.has_store = e == ERR_OK;
    p.store.viewer = &x->viewer;
    p.collector_runs = flush_collector_runs(s->flush);
    p.now_us = site_now_us(s);
    x->behind = p.has_store && behind_is(&p.store, p.now_us);
    *out = p;
    return ERR_OK;
}

enum err page_begin_plain(struct site *s, struct exchange *x, struct page *out)
{
    struct page p = {.site = s, .x = x, .out = &x->body, .now_us = site_now_us(s)};
    p.has_store = p.collector_runs = true; // nothing is said of either
    p.plain = true;
    enum err e = choose_language(&p);
    if (!e)
        *out = p;
    return e;
}

// Who is logged in, and the way out; or the way in.
static void put_viewer(struct page *p)
{
    const struct viewer *v = &p->x->viewer;
    if (!p->site->users)
        return;
    if (v->kind != VIEWER_SESSION && p->plain)
        return;
    if (v->kind != VIEWER_SESSION) {
        buf_text(p->out, "<nav class=\"who\"><a class=\"button\"");
        page_href(p, "/login");
        html_put(p->out, ">%s</a></nav>", page_text(p, T_LOGIN));
        return;
    }
    static const enum text roles[ROLE_COUNT] = {
        [ROLE_PUBLIC] = T_UNKNOWN,         [ROLE_RESIDENT] = T_ROLE_RESIDENT, [ROLE_ANALYST] = T_ROLE_ANALYST,
        [ROLE_OPERATOR] = T_ROLE_OPERATOR, [ROLE_AUDITOR] = T_ROLE_AUDITOR,   [ROLE_ADMIN] = T_ROLE_ADMIN};
    char token[HEX_TEXT(HASH_BYTES)];
    identity_form_token(p->site, p->x, token);
    html_put(p->out,
             "<form class=\"who\" method=\"post\" action=\"/logout\"><span><b>%s</b> <span "
             "class=\"quiet\">%s%s%s%s%s</span></span><input type=\"hidden\" name=\"form\" "
             "value=\"%s\"><button class=\"button\">%s</button></form>",
             v->name, page_text(p, roles[v->scope.role]), *v->scope.park ? " · " : "", v->scope.park,
             *v->scope.resident ? "/" : "", v->scope.resident, token, page_text(p, T_LOGOUT));
    crypto_wipe(token, sizeof token);
}

// The switcher's links: this page with its other parameters, in another language.
static void put_languages(struct page *p)
{
    html_put(p->out, "<nav class=\"langs\" aria-label=\"%s\"><ul>", page_text(p, T_LANGUAGE));
    for (int l = 0; l < LANG_COUNT; l++) {
        const char *code = lang_code((enum lang)l);
        html_put(p->out, "<li><a href=\"");
        html_url(p->out, p->x->path);
        buf_text(p->out, "?");
        for (size_t i = 0; i < p->x->param_count; i++) {
            if (strcmp(p->x->params[i].name, "lang") == 0)
                continue;
            html_url(p->out, p->x->params[i].name);
            buf_text(p->out, "=");
            html_url(p->out, p->x->params[i].value);
            buf_text(p->out, "&amp;");
        }
        html_put(p->out, "lang=%s\" hreflang=\"%s\" lang=\"%s\" title=\"%s\"%s>%s</a></li>", code, code, code,
                 i18n_language((enum lang)l), (enum lang)l == p->lang ? " aria-current=true" : "", code);
    }
    buf_text(p->out, "</ul></nav>");
}

static void put_crumbs(struct page *p, const struct crumb *crumbs, size_t count)
{
    html_put(p->out, "<nav class=\"crumbs\" aria-label=\"%s\"><ol><li><a", page_text(p, T_WHERE));
    page_href(p, "/");
    html_put(p->out, ">%s</a></li>", page_text(p, T_PARKS));
    for (size_t i = 0; i < count; i++) {
        if (crumbs[i].href) {
            buf_text(p->out, "<li><a");
            page_href(p, "%s", crumbs[i].href);
            html_put(p->out, ">%s</a></li>", crumbs[i].text);
        } else {
            html_put(p->out, "<li><span aria-current=\"page\">%s</span></li>", crumbs[i].text);
        }
    }
    buf_text(p->out, "</ol></nav>");
}

static void put_notice(struct page *p, enum text title, enum text text)
{
    html_put(p->out, "<div class=\"notice\" role=\"status\"><strong>%s.</strong> %s</div>",
             page_text(p, title), page_text(p, text));
}

void page_head(struct page *p, const char *title, const struct crumb *crumbs, size_t count)
{
    html_put(p->out,
             "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>%s · %s</title>"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
             "<meta name=\"color-scheme\" content=\"light dark\">"
             "<link rel=\"icon\" href=\"/static/icon.svg\" type=\"image/svg+xml\">"
             "<link rel=\"stylesheet\" href=\"/static/style.css\">"
             "<script src=\"/static/live.js\" defer></script></head>",
             lang_code(p->lang), title, page_text(p, T_SITE));
    html_put(p->out, "<body data-on=\"%s\" data-off=\"%s\"><a class=\"skip\" href=\"#content\">%s</a>",
             page_text(p, T_LIVE_ON), page_text(p, T_LIVE_OFF), page_text(p, T_SKIP));
    buf_text(p->out, "<header class=\"top\"><div class=\"wrap\"><a class=\"brand\"");
    page_href(p, "/");
    html_put(
        p->out,
        "><img src=\"/static/icon.svg\" alt=\"\" width=\"30\" height=\"30\"><span class=\"name\">%s</span>"
        "<span class=\"tagline\">%s</span></a>",
        page_text(p, T_SITE), page_text(p, T_TAGLINE));
    put_languages(p);
    put_viewer(p);
    buf_text(p->out, "</div></header><div class=\"wrap\">");
    if (count)
        put_crumbs(p, crumbs, count);
    buf_text(p->out, "<main id=\"content\" tabindex=\"-1\">");
    if (p->x->status >= 400)
        return;
    if (p->plain)
        return;
    buf_text(p->out, "<div data-live=\"notice\">");
    if (!p->has_store)
        put_notice(p, T_EMPTY_TITLE, T_EMPTY_TEXT);
    else if (!p->collector_runs)
        put_notice(p, T_DOWN_TITLE, T_DOWN_TEXT);
    if (p->x->behind)
        put_notice(p, T_BEHIND_TITLE, T_BEHIND_TEXT);
    buf_text(p->out, "</div>");
}

void page_foot(struct page *p)
{
    char at[SHOW_TEXT];
    show_moment(at, p->now_us / US_PER_S, NULL);
    snprintf(at + strlen(at), sizeof at - strlen(at), " UTC");
    html_put(p->out, "</main></div><footer class=\"bottom\"><div class=\"wrap\"><p%s>",
             p->x->status >= 400 || p->plain ? "" : " data-live=at");
    page_fill(p, T_FOOT_AT, at, NULL, NULL);
    html_put(p->out, "</p><ul><li><a href=\"/api/v1/parks\">%s</a></li><li><a href=\"/healthz\">%s</a></li>",
             page_text(p, T_FOOT_API), page_text(p, T_FOOT_HEALTH));
    if (p->x->viewer.scope.role != ROLE_PUBLIC)
        html_put(p->out, "<li><a href=\"/metrics\">%s</a></li><li>Esep %s</li>", page_text(p, T_FOOT_METRICS),
                 ESEP_VERSION);
    buf_text(p->out, "</ul></div></footer></body></html>\n");
    if (p->x->status == 0)
        p->x->status = 200;
    p->x->content_type = "text/html; charset=utf-8";
}

void page_ago(struct page *p, int64_t us)
{
    char ago[SHOW_TEXT], exact[WALL_TEXT];
    if (us == 0) {
        html_put(p->out, "<span class=\"quiet\">%s</span>", page_text(p, T_NEVER));
        return;
    }
    wall_text((struct wall){us}, exact);
    show_ago(ago, us, p->now_us, p->lang);
    html_put(p->out, "<time datetime=\"%s\" title=\"%s\">%s</time>", exact, exact, ago);
}

void page_figure(struct page *p, struct figure f, const struct measure *m, bool brief)
{
    char value[FIGURE_TEXT], shown[SHOW_TEXT], exact[SHOW_TEXT], unit[SHOW_TEXT];
    if (f.kind == FIGURE_MISSING) {
        html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, T_UNKNOWN));
        return;
    }
    figure_text_scaled(f, measure_decimals(m), value);
    show_exact(exact, f, m, p->lang);
    show_unit(unit, m, p->lang);
    if (brief)
        show_short(shown, f, m, p->lang);
    else
        show_number(shown, f, measure_decimals(m), p->lang);
    html_put(p->out, "<data value=\"%s\" title=\"%s\">%s</data>", value, exact, shown);
    if (strcmp(unit, "%") == 0)
        html_put(p->out, "%s%%", p->lang == LANG_EN || p->lang == LANG_UZ ? "" : "\xc2\xa0");
    else if (*unit)
        html_put(p->out, " <span class=\"unit\">%s</span>", unit);
}

void page_sum(struct page *p, struct figure f, const struct huge *h, const struct measure *m, bool brief)
{
    char value[TALLY_TEXT], shown[SHOW_TEXT], exact[SHOW_TEXT];
    if (!h->is) {
        page_figure(p, f, m, brief);
        return;
    }
    huge_text(h, f, measure_decimals(m), value);
    show_decimal(exact, value, m, p->lang);
    show_short(shown, f, m, p->lang);
    html_put(p->out, "<data value=\"%s\" title=\"%s\">%s</data>", value, exact, brief ? shown : exact);
    if (brief) {
        show_unit(shown, m, p->lang);
        html_put(p->out, " <span class=\"unit\">%s</span>", shown);
    }
}

const char *page_bank(const struct page *p, enum bank bank)
{
    static const enum text banks[] = {
        [BANK_KZ] = T_BANK_KZ, [BANK_UZ] = T_BANK_UZ, [BANK_RU] = T_BANK_RU, [BANK_KG] = T_BANK_KG};
    return page_text(p, banks[bank]);
}

void page_rate(struct page *p, const struct conversion *c)
{
    char rate[SHOW_TEXT], day[SHOW_TEXT], days[16];
    show_rate(rate, c, p->lang);
    show_day(day, c->rated);
    snprintf(days, sizeof days, "%u", c->days);
    if (c->days > 1)
        page_fill(p, T_RATE_AVERAGE, rate, days, day);
    else
        page_fill(p, T_RATE_DAY, rate, day, NULL);
    html_put(p->out, " · %s", page_bank(p, c->bank));
    if (c->carried > 0) {
        snprintf(days, sizeof days, "%u", c->carried);
        html_put(p->out, " · <span class=\"doubt\">");
        page_fill(p, T_RATE_CARRIED, days, NULL, NULL);
        buf_text(p->out, "</span>");
    }
}

void page_badge_simulated(struct page *p)
{
    html_put(p->out, "<span class=\"badge simulated\" title=\"%s\">%s</span>", page_text(p, T_SIMULATED_LONG),
             page_text(p, T_SIMULATED));
}

const char *page_resident_name(const struct page *p, const struct board_row *r)
{
    return board_owner(r, p->lang);
}

static void put_graph_address(struct page *p, const struct page_graph *g, const char *theme, int width)
{
    int height = width == HAND_GRAPH && g->height > HAND_HEIGHT ? HAND_HEIGHT : g->height;
    html_put(p->out, "/graph/%s.svg?bare=1&amp;width=%d&amp;height=%d&amp;lang=%s", g->row->series.name,
             width, height, lang_code(p->lang));
    if (g->from)
        html_put(p->out, "&amp;from=%s", g->from);
    if (g->to)
        html_put(p->out, "&amp;to=%s", g->to);
    if (g->more)
        html_put(p->out, "%s", g->more);
    // a new figure is a new address: browsers keep an image they have already shown on this page
    html_put(
        p->out, "&amp;theme=%s&amp;v=%lu", theme,
        (unsigned long)((g->newest_us ? g->newest_us : g->row->latest.received_us) / 10000 % 1000000000000));
}

static void put_source(struct page *p, const struct page_graph *g, const char *media, const char *theme,
                       int width)
{
    html_put(p->out, "<source media=\"%s\" srcset=\"", media);
    put_graph_address(p, g, theme, width);
    buf_text(p->out, "\">");
}

// The image has no legend here: what its dashed line is, and that flows are drawn by the hour, is said in
// words.
static void put_line_words(struct page *p, const struct board_row *r)
{
    const struct statement *st;
    double at;
    bool pro_rata;
    struct figure f;
    char number[SHOW_TEXT], unit[SHOW_TEXT], name[I18N_MAX], value[2 * SHOW_TEXT + 2];
    struct rrd_plan_point path[PATH_POINTS_MAX];
    if (graph_path(r, &st, path, &pro_rata) > 0) {
        html_put(p->out, "<p class=\"small goal\">");
        page_fill(p, T_LINE_PATH, st->names.text[p->lang], NULL, NULL);
        buf_text(p->out, "</p>");
        return;
    }
    if (!graph_target(r, &st, &at, &pro_rata) || figure_from_real(at, &f))
        return;
    struct measure plain = {0}; // the number is in drawn units already
    show_short(number, f, &plain, p->lang);
    graph_unit(unit, r, p->lang);
    snprintf(value, sizeof value, "%s %s", number, unit);
    i18n_fill(name, p->lang, T_PRO_RATA, st->names.text[p->lang], NULL, NULL);
    html_put(p->out, "<p class=\"small goal\">");
    page_fill(p, T_LINE_AT, pro_rata ? name : st->names.text[p->lang], value, NULL);
    buf_text(p->out, "</p>");
}

void page_graph(struct page *p, const struct page_graph *g)
{
    char title[SHOW_TEXT], newest[SHOW_TEXT], when[SHOW_TEXT], alt[I18N_MAX];
    const struct zone *z = g->row->park ? site_zone(p->site, g->row->park) : NULL;
    board_title(title, g->row, p->lang);
    show_exact(newest, g->row->latest.value, &g->row->measure, p->lang);
    board_latest_when(when, g->row, z);
    bool known = g->row->has_latest && g->row->latest.value.kind != FIGURE_MISSING;
    i18n_fill4(alt, p->lang, known ? T_GRAPH_ALT : T_GRAPH_ALT_EMPTY,
               (const char *const[4]){title, g->range_name, newest, when});
    buf_text(p->out, "<picture class=\"graph\">");
    put_source(p, g, "(max-width: 480px) and (prefers-color-scheme: dark)", "dark", HAND_GRAPH);
    put_source(p, g, "(max-width: 480px)", "light", HAND_GRAPH);
    if (g->width > NARROW_GRAPH) {
        put_source(p, g, "(max-width: 720px) and (prefers-color-scheme: dark)", "dark", NARROW_GRAPH);
        put_source(p, g, "(max-width: 720px)", "light", NARROW_GRAPH);
    }
    put_source(p, g, "(prefers-color-scheme: dark)", "dark", g->width);
    buf_text(p->out, "<img src=\"");
    put_graph_address(p, g, "light", g->width);
    html_put(p->out, "\" alt=\"%s\"%s></picture>", alt, g->lazy ? " loading=\"lazy\"" : "");
    put_line_words(p, g->planned ? g->planned : g->row);
}

void page_error(struct site *s, struct exchange *x)
{
    struct page p = {.site = s, .x = x, .out = &x->body, .now_us = site_now_us(s)};
    char code[16];
    enum text title = x->status == 403   ? T_ERROR_403
                      : x->status == 404 ? T_ERROR_404
                      : x->status == 405 ? T_ERROR_405
                      : x->status == 503 ? T_ERROR_503
                      : x->status >= 500 ? T_ERROR_500
                                         : T_ERROR_400;
    int status = x->status;
    if (choose_language(&p))
        p.lang_asked = false, x->status = status;
    snprintf(code, sizeof code, "%d", status);
    page_head(&p, page_text(&p, title), &(struct crumb){NULL, code}, 1);
    html_put(p.out, "<section class=\"panel error\"><p class=\"code\">%s</p><h1>%s</h1><p lang=\"en\">", code,
             page_text(&p, title));
    if (*x->problem_param)
        html_put(p.out, "<code>%s</code> ", x->problem_param);
    html_put(p.out, "%s</p><p><a class=\"button\"", x->problem);
    page_href(&p, "/");
    html_put(p.out, ">%s</a></p></section>", page_text(&p, T_ERROR_BACK));
    page_foot(&p);
}
