// The growth of those that were there all along stands beside that of everybody, and who is left out is named
// with the reason.

#include "dashboards/pages/alike.h"
#include "dashboards/pages/totals.h"
#include <string.h>

static void put_kept(struct page *p, const char *name)
{
    const char *value = exchange_param(p->x, name);
    if (value)
        html_put(p->out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name, value);
}

static void put_input(struct page *p, const char *name, enum text label)
{
    const char *value = exchange_param(p->x, name);
    html_put(p->out,
             "<label>%s <input name=\"%s\" value=\"%s\" size=\"9\" maxlength=\"10\" required></label> ",
             page_text(p, label), name, value ? value : "");
}

static void put_form(struct page *p)
{
    html_put(p->out,
             "<p class=\"small\">%s</p><form class=\"inline\" method=\"get\" action=\"#alike\"><input "
             "type=\"hidden\" name=\"like_for_like\" value=\"1\">",
             page_text(p, T_ALIKE_TEXT));
    put_input(p, "period", T_ALIKE_PERIOD);
    put_input(p, "against", T_ALIKE_AGAINST);
    put_kept(p, "as_of");
    put_kept(p, "by");
    put_kept(p, "currency");
    put_kept(p, "lang");
    html_put(p->out, "<button class=\"button\">%s</button></form>", page_text(p, T_SHOW));
}

static void put_figure(struct page *p, const struct board_row *r, const struct kpi_total *t,
                       const struct currency *c)
{
    const struct measure m = {.unit = r->measure.unit,
                              .unit_code = r->measure.unit_code,
                              .currency = c,
                              .currency_code = c ? c->code : ""};
    buf_text(p->out, "<td class=\"num\">");
    page_sum(p, t->value, &t->huge, &m, false);
    buf_text(p->out, "<div class=\"small\">");
    totals_put_made_of(p, t);
    buf_text(p->out, "</div></td>");
}

static void put_row(struct page *p, const struct board_row *r, enum text name, const struct alike_totals *t,
                    const struct currency *c)
{
    char change[SHOW_TEXT];
    show_per_cent(change, t->change_per_cent, p->lang);
    html_put(p->out, "<tr><th scope=\"row\">%s</th>", page_text(p, name));
    put_figure(p, r, &t->against, c);
    put_figure(p, r, &t->period, c);
    html_put(p->out, "<td class=\"num\">%s</td></tr>", change);
}

static void put_left_out(struct page *p, const struct alike *a)
{
    static const enum text whys[] = {T_UNKNOWN, T_MEMBER_SINCE, T_MEMBER_LEFT, T_ALIKE_MERGED};
    buf_text(p->out, "<ul class=\"doubts\">");
    for (size_t i = 0; i < a->park->resident_count; i++) {
        const struct resident *r = &a->park->residents[i];
        char day[SHOW_TEXT];
        int32_t when;
        enum alike_why why = alike_why(a, i, &when);
        if (a->in[i] || !access_may(&p->x->viewer, SIGHT_RESIDENT, a->park->code, r->code))
            continue;
        show_day(day, when);
        html_put(p->out, "<li>%s: ", r->names.text[p->lang]);
        page_fill(p, when == MEMBERSHIP_STILL ? T_ALIKE_MERGED_INTO : whys[why], day, NULL, NULL);
        buf_text(p->out, "</li>");
    }
    buf_text(p->out, "</ul>");
}

static void put_answer(struct page *p, const struct board_row *r, const struct alike *a)
{
    char period[SPAN_TEXT], against[SPAN_TEXT];
    span_text(a->question.period, period);
    span_text(a->question.against, against);
    html_put(p->out,
             "<div class=\"scroll\"><table class=\"exact\"><caption>%s</caption><thead><tr><th "
             "scope=\"col\">%s</th><th scope=\"col\" class=\"num\">%s</th><th scope=\"col\" "
             "class=\"num\">%s</th><th scope=\"col\" class=\"num\">%s</th></tr></thead><tbody>",
             page_text(p, T_ALIKE), page_text(p, T_TOTAL_MADE_OF), against, period,
             page_text(p, T_ALIKE_CHANGE));
    put_row(p, r, T_ALIKE_SAME, &a->alike, a->currency);
    put_row(p, r, T_ALIKE_EVERYBODY, &a->everybody, a->currency);
    buf_text(p->out, "</tbody></table></div>");
    put_left_out(p, a);
}

void alike_put(struct page *p, const struct board_row *row, const struct alike_question *q,
               const struct as_of *as_of, const struct currency *currency)
{
    struct alike a;
    if (!row->computed || strcmp(row->name.resident, SERIES_RESIDENT_ALL) != 0)
        return;
    html_put(p->out, "<h2 id=\"alike\">%s</h2>", page_text(p, T_ALIKE));
    put_form(p);
    if (!q->asked)
        return;
    if (alike_read(p->site, &p->store, row, q, as_of, currency, &a, NULL)) {
        html_put(p->out, "<p>%s</p>", page_text(p, T_WHY_FAILED));
        return;
    }
    put_answer(p, row, &a);
    alike_free(&a);
}
