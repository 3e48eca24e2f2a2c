// An event is a note beside figures, never one of them: who is credited with it is said here too.

#include "dashboards/pages/annotations.h"
#include "dashboards/pages/tile.h"

#define DAY_S INT64_C(86400)

static bool is_within(const struct statement *st, int64_t from_s, int64_t to_s)
{
    struct period first, last;
    if (st->kind != STATEMENT_EVENT || period_parse(st->at, &first) != ERR_OK)
        return false;
    if (period_parse(st->at_end, &last) != ERR_OK)
        last = first;
    return first.start * DAY_S < to_s && period_end(last) * DAY_S > from_s;
}

static void put_event(struct page *p, const struct park *park, const struct statement *st)
{
    buf_text(p->out, "<li>");
    tile_statement_when(p, st);
    buf_text(p->out, " · <a");
    page_href(p, "/parks/%s#s-%s", park->code, st->id);
    html_put(p->out, ">%s</a>: ", st->names.text[p->lang]);
    tile_statement_value(p, st);
    if (*st->scope) {
        buf_text(p->out, " <span class=\"doubt\">");
        page_fill(p, T_SCOPE, st->scope, NULL, NULL);
        buf_text(p->out, "</span>");
    }
    buf_text(p->out, "</li>");
}

void annotations_put_graph(struct page *p, const struct page_graph *g, int64_t from_s, int64_t to_s)
{
    const struct park *park = (g->planned ? g->planned : g->row)->park;
    bool any = false;
    page_graph(p, g);
    for (size_t i = 0; park && i < park->statement_count; i++) {
        const struct statement *st = &park->statements[i];
        if (!is_within(st, from_s, to_s) || !access_may_statement(&p->x->viewer, park, st))
            continue;
        if (!any)
            html_put(p->out, "<h2 class=\"small\" id=\"events\">%s</h2><ul class=\"annotations\">",
                     page_text(p, T_EVENTS));
        any = true;
        put_event(p, park, st);
    }
    if (any)
        buf_text(p->out, "</ul>");
}
