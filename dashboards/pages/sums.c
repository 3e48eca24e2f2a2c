// A reader adds days up by hand to see whether they make the month: every figure here has all its digits, and
// what is not in it stands beside it.
#include "dashboards/pages/sums.h"
#include "dashboards/params.h"
#include "dashboards/spans.h"
#include <inttypes.h>
#include <stdio.h>

#define SHOWN 60
#define DAY_S INT64_C(86400)

static const char *const codes[] = {"day", "month", "quarter", "year", "fiscal_year", NULL};
static const enum text names[] = {T_BY_DAY, T_BY_MONTH, T_BY_QUARTER, T_BY_YEAR, T_BY_FISCAL_YEAR};

static size_t shortest(const struct board_row *r)
{
    return r->series.class == WIRE_REPORT ? (size_t)(r->series.period - PERIOD_DAY) : SPAN_DAY;
}

static bool offers(const struct board_row *r, size_t kind)
{
    bool fiscal = r->park && r->park->calendar.fiscal_year_from > 1;
    return kind >= shortest(r) && (kind != SPAN_FISCAL_YEAR || fiscal);
}

enum err sums_choose(struct page *p, const struct sums_asked *a, size_t *kind)
{
    int64_t days = (a->to - a->from) / DAY_S;
    size_t suits = days <= 62 ? SPAN_DAY : days <= 3 * 366 ? SPAN_MONTH : SPAN_YEAR;
    size_t least = shortest(a->row);
    if (a->row->series.class == WIRE_REPORT && least < SPAN_YEAR)
        least++; // the exact values stand beside it already
    *kind = suits > least ? suits : least;
    if (params_choice(p->x, "sums", codes, kind))
        return ERR_INVALID;
    if (*kind < shortest(a->row))
        return exchange_fail_param(p->x, "sums", "must not be shorter than the series' own period (%s)",
                                   codes[shortest(a->row)]);
    return ERR_OK;
}

static void put_kinds(struct page *p, const struct sums_asked *a, size_t kind)
{
    html_put(p->out, "<nav class=\"ranges\" aria-label=\"%s\"><ul>", page_text(p, T_SUMS));
    for (size_t i = 0; codes[i]; i++) {
        if (!offers(a->row, i))
            continue;
        buf_text(p->out, "<li><a");
        page_href(p, "/series/%s?%s&amp;sums=%s#sums", a->row->series.name, a->address, codes[i]);
        html_put(p->out, "%s>%s</a></li>", i == kind ? " aria-current=\"true\"" : "", page_text(p, names[i]));
    }
    buf_text(p->out, "</ul></nav>");
}

static void put_head(struct page *p, const struct sums_asked *a, const struct spans *s)
{
    char title[SHOW_TEXT], month[16];
    enum text what = s->cf == CF_SUM ? T_SUMS_SUM : s->cf == CF_LAST ? T_SUMS_LAST : T_SUMS_AVERAGE;
    board_title(title, a->row, p->lang);
    if (s->kind == SPAN_FISCAL_YEAR) {
        snprintf(month, sizeof month, "%d", s->fiscal_year_from);
        buf_text(p->out, "<p class=\"small\">");
        page_fill(p, T_SUMS_FISCAL, month, NULL, NULL);
        buf_text(p->out, "</p>");
    }
    buf_text(p->out, "<div class=\"scroll\"><table class=\"exact\"><caption>");
    page_fill(p, T_SUMS_CAPTION, title, zone_name(s->zone), NULL);
    html_put(p->out,
             "</caption><thead><tr><th scope=\"col\">%s</th><th scope=\"col\" class=\"num\">%s</th>"
             "<th scope=\"col\" class=\"num\">%s</th></tr></thead><tbody>",
             page_text(p, T_COL_PERIOD), page_text(p, what), page_text(p, T_SUMS_KNOWN));
}

static void put_doubt(struct page *p, enum text t, uint64_t count)
{
    char n[24];
    if (count == 0)
        return;
    snprintf(n, sizeof n, "%" PRIu64, count);
    buf_text(p->out, "<div class=\"small doubt\">");
    page_fill(p, t, n, NULL, NULL);
    buf_text(p->out, "</div>");
}

static void put_value(struct page *p, const struct measure *m, const struct spans *s, size_t i)
{
    char exact[TALLY_TEXT], shown[SHOW_TEXT];
    spans_text(s, i, measure_decimals(m), exact);
    if (*exact == '\0') {
        html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, T_UNKNOWN));
        return;
    }
    show_decimal(shown, exact, m, p->lang);
    html_put(p->out, "<data value=\"%s\">%s</data>", exact, shown);
}

static void put_row(struct page *p, const struct measure *m, const struct spans *s, size_t i)
{
    char period[SPAN_TEXT], first[SHOW_TEXT], last[SHOW_TEXT];
    const struct span_sum *sum = &s->sums[i];
    span_text(s->at[i], period);
    html_put(p->out, "<tr><th scope=\"row\">%s", period);
    if (s->kind == SPAN_FISCAL_YEAR) {
        show_day(first, s->at[i].first);
        show_day(last, s->at[i].end - 1);
        html_put(p->out, "<div class=\"small\">%s – %s</div>", first, last);
    }
    buf_text(p->out, "</th><td class=\"num\">");
    put_value(p, m, s, i);
    put_doubt(p, T_SUMS_RATE_LACKING, sum->lacking);
    put_doubt(p, T_SUMS_TOO_LARGE, sum->too_large);
    put_doubt(p, T_SUMS_OTHER, sum->foreign);
    put_doubt(p, T_SUMS_ACROSS, sum->split);
    put_doubt(p, T_SUMS_NOT_KEPT, sum->gone);
    buf_printf(p->out, "</td><td class=\"num\">%" PRIu64 ", %" PRIu64 "</td></tr>", sum->known,
               spans_missing(sum));
}

// Spans at the range's beginning that nothing was expected in yet would only be noise.
static void put_rows(struct page *p, const struct sums_asked *a, const struct spans *s)
{
    struct board_row shown = *a->row;
    size_t first = 0;
    money_measure(a->money, &shown);
    while (first < s->count && s->sums[first].known == 0 && span_sum_whole(&s->sums[first]))
        first++;
    if (s->count - first > SHOWN)
        first = s->count - SHOWN;
    for (size_t i = s->count; i-- > first;)
        put_row(p, &shown.measure, s, i);
    buf_text(p->out, "</tbody></table></div>");
    if (first == s->count)
        html_put(p->out, "<p>%s</p>", page_text(p, T_NO_VALUES));
}

static void put_downloads(struct page *p, const struct sums_asked *a, const struct spans *s, size_t kind)
{
    char first[SHOW_TEXT], end[SHOW_TEXT], more[AS_OF_ADDRESS], money[MONEY_ADDRESS];
    if (s->count == 0)
        return;
    show_day(first, s->at[0].first);
    show_day(end, s->at[s->count - 1].end);
    as_of_address(a->as_of, more);
    money_address(a->money, money);
    buf_text(p->out, "<p class=\"small\">");
    for (int csv = 1; csv >= 0; csv--) {
        html_put(p->out, "<a href=\"/api/v1/query?series=%s&amp;step=%s&amp;from=%s", a->row->series.name,
                 codes[kind], first);
        html_put(p->out, "&amp;to=%s%s%s%s\">%s</a> ", end, more, money, csv ? "&format=csv" : "",
                 csv ? "CSV" : "JSON");
    }
    buf_text(p->out, "</p>");
}

void sums_put(struct page *p, const struct sums_asked *a, size_t kind)
{
    const struct spans_request q = {.kind = (enum span_kind)kind,
                                    .from = a->from,
                                    .to = a->to,
                                    .cf = points_default_cf(a->row),
                                    .as_of = *a->as_of,
                                    .money = a->money};
    struct spans spans = {0};
    enum err e = spans_load(p->site, &p->store, a->row, &q, &spans, NULL);
    html_put(p->out, "<h2 id=\"sums\">%s</h2>", page_text(p, T_SUMS));
    put_kinds(p, a, kind);
    if (e != ERR_OK) {
        html_put(p->out, "<p>%s</p>", page_text(p, e == ERR_TOO_BIG ? T_SUMS_FAILED : T_WHY_FAILED));
        return;
    }
    put_head(p, a, &spans);
    put_rows(p, a, &spans);
    put_downloads(p, a, &spans, kind);
    spans_free(&spans);
}
