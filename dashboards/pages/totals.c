// A total without what it is made of is a claim; so each stands with how many residents are in it and how
// many are missing, and where there is none, with the reason.
#include "dashboards/pages/totals.h"
#include "dashboards/params.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHOWN      120
#define SHOWN_LIST 80
#define DAY_S      INT64_C(86400)

static const char *const codes[] = {"day", "month", "quarter", "year", "fiscal_year", NULL};
static const enum text names[] = {T_BY_DAY, T_BY_MONTH, T_BY_QUARTER, T_BY_YEAR, T_BY_FISCAL_YEAR};

static const enum text whys[TOTAL_WHY_COUNT] = {
    [TOTAL_KNOWN] = T_UNKNOWN,     [TOTAL_NOBODY] = T_WHY_NONE,         [TOTAL_MISSING] = T_TOTAL_MISSING,
    [TOTAL_UNLIKE] = T_WHY_UNLIKE, [TOTAL_NO_TOTAL] = T_WHY_RATIO,      [TOTAL_UNITS] = T_WHY_UNIT,
    [TOTAL_RATE] = T_RATE_LACKING, [TOTAL_CAPACITY] = T_TOTAL_CAPACITY, [TOTAL_TARGET] = T_TOTAL_TARGET,
    [TOTAL_SHORT] = T_WHY_SHORT,   [TOTAL_ZERO] = T_TOTAL_ZERO,         [TOTAL_RANGE] = T_TOO_LARGE,
    [TOTAL_BINS] = T_TOTAL_BINS};

enum err totals_choose(struct page *p, const struct sums_asked *a, size_t *kind)
{
    *kind = computed_native(a->row);
    if (params_choice(p->x, "sums", codes, kind))
        return ERR_INVALID;
    if (*kind < computed_native(a->row))
        return exchange_fail_param(p->x, "sums",
                                   "must not be shorter than the period its parts are reported for (%s)",
                                   codes[computed_native(a->row)]);
    return ERR_OK;
}

void totals_put_rule(struct page *p, const struct kpi *k)
{
    const struct kpi *weight = catalogue_find(p->site->catalogue, k->weight);
    if (k->kind == KPI_COMPUTED)
        page_fill(p, T_TOTAL_FORMULA, k->formula, NULL, NULL);
    else if (weight)
        page_fill(p, T_TOTAL_WEIGHTED, weight->names.text[p->lang], NULL, NULL);
    else
        html_put(p->out, "%s",
                 page_text(p, k->over_residents == ROLLUP_HISTOGRAM ? T_TOTAL_BINS : T_TOTAL_SUM));
}

// ---- one figure

static void put_bins(struct page *p, const struct kpi *k, const struct kpi_total *t)
{
    int64_t least = k->min.kind == FIGURE_INTEGER ? k->min.integer : 0;
    buf_text(p->out, "<ul class=\"bins\">");
    for (int64_t i = 0; i < TOTAL_BINS_MAX; i++)
        if (t->bins[i] > 0)
            buf_printf(p->out, "<li>%" PRId64 ": <strong>%" PRIu32 "</strong></li>", least + i, t->bins[i]);
    buf_text(p->out, "</ul>");
}

static void put_value(struct page *p, const struct board_row *r, const struct kpi_total *t,
                      const struct currency *c, bool brief)
{
    const struct measure m = {.unit = r->measure.unit,
                              .unit_code = r->measure.unit_code,
                              .currency = c,
                              .currency_code = c ? c->code : ""};
    if (t->why == TOTAL_BINS) {
        put_bins(p, r->kpi, t);
        return;
    }
    page_sum(p, t->value, &t->huge, &m, brief);
    if (t->why == TOTAL_KNOWN)
        return;
    html_put(p->out, "<div class=\"small doubt\">%s", page_text(p, whys[t->why]));
    if (t->part)
        html_put(p->out, ": %s", t->part->names.text[p->lang]);
    buf_text(p->out, "</div>");
}

void totals_put_made_of(struct page *p, const struct kpi_total *t)
{
    char of[16], all[16], missing[16], partial[16];
    snprintf(of, sizeof of, "%" PRIu32, t->contributors);
    snprintf(all, sizeof all, "%" PRIu32, t->contributors + t->missing);
    snprintf(missing, sizeof missing, "%" PRIu32, t->missing);
    snprintf(partial, sizeof partial, "%" PRIu32, t->partial);
    page_fill(p, t->missing ? T_TOTAL_OF_MISSING : T_TOTAL_OF, of, all, missing);
    if (t->partial) {
        buf_text(p->out, "<div class=\"small\">");
        page_fill(p, T_TOTAL_PARTIAL, partial, NULL, NULL);
        buf_text(p->out, "</div>");
    }
}

void totals_put_behind(struct page *p, const struct board_row *r)
{
    const struct as_of now = {0};
    struct computed c = {0};
    char of[16], all[16], missing[16];
    if (computed_newest(p->site, &p->store, r, &now, &c, NULL) == ERR_OK && c.count > 0) {
        const struct kpi_total *t = &c.figures[0];
        snprintf(of, sizeof of, "%" PRIu32, t->contributors);
        snprintf(all, sizeof all, "%" PRIu32, t->contributors + t->missing);
        snprintf(missing, sizeof missing, "%" PRIu32, t->missing);
        html_put(p->out, "<p class=\"small\"><span class=\"%s\">", t->missing ? "doubt" : "");
        page_fill(p, t->missing ? T_TOTAL_BEHIND_MISSING : T_TOTAL_BEHIND, of, all, missing);
        buf_text(p->out, "</span></p>");
    }
    computed_free(&c);
}

// Whose rates, and by which rule: lib/kpi/convert.h.
static void put_conversion(struct page *p, const struct sums_asked *a, const struct computed *c)
{
    enum bank own = bank_of_currency(a->row->park->currency), pivot = bank_of_currency("");
    if (!c->converted || !c->currency)
        return;
    buf_text(p->out, "<p class=\"small doubt\">");
    page_fill(p, own == pivot ? T_TOTAL_CONVERTED : T_TOTAL_CONVERTED_OR, c->currency->code,
              page_bank(p, own), page_bank(p, pivot));
    buf_text(p->out, "</p>");
}

// ---- by the calendar

static void put_kinds(struct page *p, const struct sums_asked *a, size_t kind)
{
    bool fiscal = a->row->park->calendar.fiscal_year_from > 1;
    html_put(p->out, "<nav class=\"ranges\" aria-label=\"%s\"><ul>", page_text(p, T_SUMS));
    for (size_t i = computed_native(a->row); codes[i]; i++) {
        if (i == SPAN_FISCAL_YEAR && !fiscal)
            continue;
        buf_text(p->out, "<li><a");
        page_href(p, "/series/%s?%s&amp;sums=%s#sums", a->row->series.name, a->address, codes[i]);
        html_put(p->out, "%s>%s</a></li>", i == kind ? " aria-current=\"true\"" : "", page_text(p, names[i]));
    }
    buf_text(p->out, "</ul></nav>");
}

static void put_table(struct page *p, const struct sums_asked *a, const struct computed *c)
{
    char title[SHOW_TEXT], span[SPAN_TEXT];
    size_t first = 0;
    board_title(title, a->row, p->lang);
    html_put(p->out,
             "<div class=\"scroll\"><table class=\"exact\"><caption>%s</caption><thead><tr><th "
             "scope=\"col\">%s</th><th scope=\"col\" class=\"num\">%s</th><th "
             "scope=\"col\">%s</th></tr></thead><tbody>",
             title, page_text(p, T_COL_PERIOD), page_text(p, T_COL_VALUE), page_text(p, T_TOTAL_MADE_OF));
    while (first < c->count && c->figures[first].why == TOTAL_NOBODY)
        first++; // before anybody began
    if (c->count - first > SHOWN)
        first = c->count - SHOWN;
    for (size_t i = c->count; i-- > first;) {
        span_text(c->spans[i], span);
        html_put(p->out, "<tr><th scope=\"row\">%s</th><td class=\"num\">", span);
        put_value(p, a->row, &c->figures[i], c->currency, false);
        buf_text(p->out, "</td><td>");
        totals_put_made_of(p, &c->figures[i]);
        buf_text(p->out, "</td></tr>");
    }
    buf_text(p->out, "</tbody></table></div>");
    if (first == c->count)
        html_put(p->out, "<p>%s</p>", page_text(p, T_NO_VALUES));
}

void totals_put(struct page *p, const struct sums_asked *a, size_t kind)
{
    struct computed c = {0};
    int32_t from = (int32_t)(a->from / DAY_S), to = (int32_t)((a->to + DAY_S - 1) / DAY_S);
    enum err e = computed_read(p->site, &p->store, a->row, (enum span_kind)kind, from, to, a->as_of,
                               a->money->to, &c, NULL);
    html_put(p->out, "<h2 id=\"sums\">%s</h2><p class=\"small\">", page_text(p, T_SUMS));
    totals_put_rule(p, a->row->kpi);
    buf_text(p->out, "</p>");
    put_kinds(p, a, kind);
    if (e != ERR_OK)
        html_put(p->out, "<p>%s</p>", page_text(p, e == ERR_TOO_BIG ? T_SUMS_FAILED : T_WHY_FAILED));
    else {
        put_conversion(p, a, &c);
        put_table(p, a, &c);
    }
    computed_free(&c);
}

// ---- the list

static void put_entry(struct page *p, const struct board_row *r, const struct as_of *as_of)
{
    char title[SHOW_TEXT], span[SPAN_TEXT], then[AS_OF_ADDRESS];
    struct computed c = {0};
    board_title(title, r, p->lang);
    as_of_address(as_of, then);
    if (computed_newest(p->site, &p->store, r, as_of, &c, NULL) != ERR_OK || c.count == 0) {
        computed_free(&c);
        return;
    }
    span_text(c.spans[0], span);
    buf_text(p->out, "<tr><th scope=\"row\"><a");
    page_href(p, "/series/%s%s%s", r->series.name, *then ? "?" : "", *then ? then + 1 : "");
    html_put(p->out, ">%s</a> ", title);
    if (c.figures[0].simulated)
        page_badge_simulated(p);
    buf_text(p->out, "<div class=\"small\">");
    totals_put_rule(p, r->kpi);
    html_put(p->out, "</div></th><td data-label=\"%s\" class=\"num\">", page_text(p, T_COL_VALUE));
    put_value(p, r, &c.figures[0], c.currency, true);
    html_put(p->out,
             "</td><td data-label=\"%s\"><span class=\"nowrap\">%s</span></td><td "
             "data-label=\"%s\">",
             page_text(p, T_COL_PERIOD), span, page_text(p, T_TOTAL_MADE_OF));
    totals_put_made_of(p, &c.figures[0]);
    buf_text(p->out, "</td></tr>");
    computed_free(&c);
}

void totals_put_list(struct page *p, const struct park *park, const char *resident, const struct as_of *as_of)
{
    struct board b = {0};
    const struct park *now =
        parks_find(&p->site->parks, park->code); // what it was by then is found out there
    bool all = strcmp(resident, SERIES_RESIDENT_ALL) == 0;
    if (!p->has_store || !now || computed_load(p->site, &p->store, now, resident, &b, NULL) != ERR_OK ||
        b.count == 0) {
        board_free(&b);
        return;
    }
    html_put(
        p->out,
        "<section class=\"panel\" id=\"totals\" data-live=\"totals\"><h2>%s</h2><div class=\"scroll\"><table "
        "class=\"residents\"><caption>%s</caption><thead><tr><th scope=\"col\">%s</th><th scope=\"col\" "
        "class=\"num\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th></tr></thead><tbody>",
        page_text(p, all ? T_TOTALS : T_TOTALS_OF_RESIDENT), page_text(p, T_TOTALS_CAPTION),
        page_text(p, T_COL_FIGURE), page_text(p, T_COL_VALUE), page_text(p, T_COL_PERIOD),
        page_text(p, T_TOTAL_MADE_OF));
    for (size_t i = 0; i < b.count && i < SHOWN_LIST; i++)
        put_entry(p, &b.rows[i], as_of);
    buf_text(p->out, "</tbody></table></div></section>");
    board_free(&b);
}
