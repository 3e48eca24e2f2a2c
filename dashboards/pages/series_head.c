#include "dashboards/pages/series_head.h"
#include "dashboards/pages/totals.h"
#include <stdio.h>
#include <string.h>

// What is newest now, in the series' own currency.
static void put_newest(struct page *p, const struct board_row *r)
{
    char when[SHOW_TEXT];
    html_put(p->out, "<div class=\"newest\" data-live=\"newest\"><span class=\"label\">%s</span> ",
             page_text(p, T_NEWEST));
    if (r->has_latest) {
        board_latest_when(when, r, r->park ? site_zone(p->site, r->park) : NULL);
        page_sum(p, r->latest.value, &r->huge, &r->measure, false);
        html_put(p->out, "<p class=\"small\">%s · ", when);
        page_ago(p, r->latest.received_us);
        buf_text(p->out, "</p>");
        if (r->computed && strcmp(r->name.resident, SERIES_RESIDENT_ALL) == 0)
            totals_put_behind(p, r);
    } else {
        html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, T_NEVER));
    }
    buf_text(p->out, "</div>");
}

void series_head_put(struct page *p, const struct board_row *r, bool of_now)
{
    char title[SHOW_TEXT], park[EXCHANGE_PART_MAX + 8], resident[2 * EXCHANGE_PART_MAX + 8];
    board_title(title, r, p->lang);
    snprintf(park, sizeof park, "/parks/%s", r->name.park);
    snprintf(resident, sizeof resident, "/parks/%s/%s", r->name.park, r->name.resident);
    struct crumb crumbs[] = {{park, r->park ? r->park->names.text[p->lang] : r->name.park},
                             {resident, page_resident_name(p, r)},
                             {NULL, title}};
    bool total = strcmp(r->name.resident, SERIES_RESIDENT_ALL) == 0; // nobody's page is between
    if (total)
        crumbs[1] = crumbs[2];
    page_head(p, title, crumbs, total ? 2 : 3);
    html_put(p->out, "<div class=\"lead\"><div><h1>%s ", title);
    if (r->simulated)
        page_badge_simulated(p);
    html_put(p->out, "</h1><p>%s</p></div>", page_resident_name(p, r));
    if (of_now)
        put_newest(p, r);
    buf_text(p->out, "</div>");
}
