// A page of the past is the same page: only what it is made from is of then. So nothing on it says "now"; its
// moment is the one asked for.
#include "dashboards/pages/then.h"
#include "base/clock.h"
#include "dashboards/board_then.h"
#include "dashboards/plan.h"

enum err then_begin(struct page *p, const struct park *now, struct board *b, struct then *out)
{
    struct diag d = {""};
    *out = (struct then){.park = now};
    enum err e = as_of_parse(p->x, p->now_us / US_PER_S, site_zone(p->site, now), &out->as_of);
    if (e != ERR_OK || !out->as_of.asked)
        return e;
    e = p->has_store ? plan_by(p->site, &p->store, now, &out->as_of, &out->owned, &d)
                     : diag_fail(&d, ERR_NOT_FOUND, "no collector has written anything yet");
    if (out->owned)
        out->park = out->owned;
    if (e == ERR_OK)
        e = board_then(&p->store, &out->as_of, out->park, b, &d);
    if (e == ERR_NOT_FOUND)
        exchange_fail(p->x, 404, "%s", d.text);
    else if (e != ERR_OK)
        exchange_fail_err(p->x, e, d.text);
    p->now_us = as_of_moment_us(&out->as_of, p->now_us);
    return e == ERR_OK ? e : ERR_INVALID;
}

void then_end(struct then *t)
{
    park_free(t->owned);
    t->owned = NULL;
}

void then_put(struct page *p, const struct then *t, const char *path)
{
    char day[SHOW_TEXT], when[SHOW_TEXT];
    const struct zone *z = site_zone(p->site, t->park);
    bool published = t->as_of.by_published;
    show_day(day, zone_day(z, p->now_us / US_PER_S));
    html_put(p->out,
             "<div class=\"ranges\"><form method=\"get\"><label>%s <input type=\"date\" name=\"as_of\" "
             "value=\"%s\" required></label><select name=\"by\" aria-label=\"%s\">"
             "<option value=\"received\">%s</option><option value=\"published\"%s>%s</option></select>",
             page_text(p, T_AS_OF), day, page_text(p, T_AS_OF), page_text(p, T_BY_RECEIVED),
             published ? " selected" : "", page_text(p, T_BY_PUBLISHED));
    if (p->lang_asked)
        html_put(p->out, "<input type=\"hidden\" name=\"lang\" value=\"%s\">", lang_code(p->lang));
    html_put(p->out, "<button>%s</button></form>", page_text(p, T_SHOW));
    if (t->as_of.asked) {
        show_moment(when, p->now_us / US_PER_S, z);
        buf_text(p->out, "<p><strong>");
        page_fill(p, published ? T_AS_PUBLISHED_BY : T_AS_KNOWN_BY, when, NULL, NULL);
        buf_text(p->out, "</strong> · <a");
        page_href(p, "%s", path);
        html_put(p->out, ">%s</a></p>", page_text(p, T_BACK_TO_NOW));
    }
    buf_text(p->out, "</div>");
}
