// A published figure never loses a word on its way to the page: what qualifies it is written out, what is not
// known is said to be unknown.

#include "dashboards/pages/tile.h"
#include "base/clock.h"
#include "dashboards/pages/prospect.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct measure statement_measure(struct page *p, const struct statement *st)
{
    return (struct measure){.unit = catalogue_unit(p->site->catalogue, st->unit),
                            .unit_code = st->unit,
                            .currency = *st->currency ? currency_find(st->currency) : NULL,
                            .currency_code = st->currency};
}

static void put_comparator(struct page *p, const struct statement *st)
{
    static const enum text words[] = {[COMPARE_GE] = T_AT_LEAST,
                                      [COMPARE_GT] = T_MORE_THAN,
                                      [COMPARE_LE] = T_AT_MOST,
                                      [COMPARE_LT] = T_LESS_THAN};
    if (st->about)
        html_put(p->out, "<span class=\"doubt\">%s</span> ", page_text(p, T_ABOUT));
    if (st->comparator != COMPARE_EQ && st->comparator != COMPARE_RANGE)
        html_put(p->out, "<span class=\"doubt\">%s</span> ", page_text(p, words[st->comparator]));
}

static void put_index(struct page *p, const struct statement *st)
{
    char value[SHOW_TEXT], base[SHOW_TEXT], times[SHOW_TEXT];
    struct figure ratio;
    show_number(value, st->value, 0, p->lang);
    show_number(base, st->base, 0, p->lang);
    if (figure_from_real(figure_to_real(st->value) / figure_to_real(st->base), &ratio))
        ratio = figure_missing();
    show_number(times, ratio, 0, p->lang);
    html_put(p->out, "<span title=\"");
    page_fill(p, T_INDEX_OF, value, base, NULL);
    html_put(p->out, "\">");
    page_fill(p, T_TIMES, times, base, value);
    html_put(p->out, "</span>");
}

static enum text per_text(const char *per)
{
    return strcmp(per, "day") == 0       ? T_PER_DAY
           : strcmp(per, "month") == 0   ? T_PER_MONTH
           : strcmp(per, "quarter") == 0 ? T_PER_QUARTER
                                         : T_PER_YEAR;
}

void tile_statement_value(struct page *p, const struct statement *st)
{
    struct measure m = statement_measure(p, st);
    if (st->value.kind == FIGURE_MISSING) {
        html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, T_NOT_PUBLISHED));
        return;
    }
    put_comparator(p, st);
    if (st->base.kind != FIGURE_MISSING) {
        put_index(p, st);
        return;
    }
    page_figure(p, st->value, &m, *st->currency != '\0');
    if (st->value_high.kind != FIGURE_MISSING) {
        buf_text(p->out, " – ");
        page_figure(p, st->value_high, &m, *st->currency != '\0');
    }
    if (*st->per)
        html_put(p->out, " %s", page_text(p, per_text(st->per)));
}

enum text tile_kind(enum statement_kind k)
{
    static const enum text kinds[] = {[STATEMENT_FACT] = T_PUBLISHED,
                                      [STATEMENT_TARGET] = T_TARGET,
                                      [STATEMENT_CAPACITY] = T_CAPACITY,
                                      [STATEMENT_EVENT] = T_EVENT};
    return kinds[k];
}

void tile_statement_when(struct page *p, const struct statement *st)
{
    bool target = st->kind == STATEMENT_TARGET;
    const char *when = target ? st->due : st->at, *words = target ? st->due_text : st->at_text;
    if (target && *when && *st->due_or)
        page_fill(p, T_DUE_OR, when, st->due_or, NULL);
    else if (*when)
        html_put(p->out, "<span class=\"date\">%s%s%s</span>", when, *st->at_end ? " – " : "", st->at_end);
    else if (target)
        html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, T_NO_DUE));
    else if (!*words)
        html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, T_NO_DATE));
    if (*words) {
        html_put(p->out, " <span class=\"quiet\">");
        page_fill(p, T_AS_PUBLISHED, words, NULL, NULL);
        html_put(p->out, "</span>");
    }
}

static void put_doubt(struct page *p, const char *class, enum text t, const char *value)
{
    if (!*value)
        return;
    html_put(p->out, "<li class=\"%s\">", class);
    page_fill(p, t, value, NULL, NULL);
    buf_text(p->out, "</li>");
}

void tile_statement_doubts(struct page *p, const struct park *park, const struct statement *st)
{
    const struct statement *whole = *st->part_of ? park_statement(park, st->part_of) : NULL;
    if (whole && !access_may_statement(&p->x->viewer, park, whole))
        whole = NULL;
    buf_text(p->out, "<ul class=\"doubts\">");
    put_doubt(p, "doubt", T_ASSUMED, st->assumed);
    put_doubt(p, "doubt", T_SCOPE, st->scope);
    put_doubt(p, "doubt", T_PART_OF, whole ? whole->names.text[p->lang] : "");
    if (st->cumulative)
        html_put(p->out, "<li>%s</li>", page_text(p, T_CUMULATIVE));
    struct measure m = statement_measure(p, st);
    prospect_path(p, st, &m);
    if (*st->note)
        html_put(p->out, "<li lang=\"en\">%s</li>", st->note);
    put_doubt(p, "quiet", T_SOURCE, st->source);
    buf_text(p->out, "</ul>");
}

// ---- facts
// -----------------------------------------------------------------------------------------------------------
// "Output value in the country, …"
static void name_parts(const struct page *p, const struct fact *f, char out[SHOW_TEXT])
{
    size_t n = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < f->part_count && n < SHOW_TEXT; i++)
        n +=
            (size_t)snprintf(out + n, SHOW_TEXT - n, "%s%s", i ? ", " : "", f->parts[i]->names.text[p->lang]);
}

static void put_why(struct page *p, const struct fact *f)
{
    static const enum text whys[] = {
        [FACT_NO_KPI] = T_WHY_NO_KPI, [FACT_NONE] = T_WHY_NONE,     [FACT_CURRENCY] = T_WHY_CURRENCY,
        [FACT_UNIT] = T_WHY_UNIT,     [FACT_UNLIKE] = T_WHY_UNLIKE, [FACT_RATIO] = T_WHY_RATIO,
        [FACT_SCOPE] = T_WHY_SCOPE,   [FACT_PART] = T_WHY_PART,     [FACT_INDEX] = T_WHY_INDEX,
        [FACT_SHORT] = T_WHY_SHORT,   [FACT_FAILED] = T_WHY_FAILED, [FACT_HIDDEN] = T_WHY_HIDDEN,
        [FACT_PARTS] = T_WHY_PARTS};
    char parts[SHOW_TEXT];
    name_parts(p, f, parts);
    html_put(p->out, "<span class=\"why\">");
    page_fill(p, whys[f->why], f->why == FACT_PARTS ? parts : f->measure.currency_code, NULL, NULL);
    buf_text(p->out, "</span>");
}

// "60", or of series that are known for unlike times "30–304".
static void days_text(const struct fact *f, char out[32])
{
    int n = snprintf(out, 32, "%" PRId32, f->days);
    if (f->days_most > f->days)
        snprintf(out + n, 32 - (size_t)n, "–%" PRId32, f->days_most);
}

static void rule_text(struct page *p, const struct fact *f, char out[I18N_MAX])
{
    static const enum text rules[] = {[RULE_LEVEL] = T_RULE_LEVEL, [RULE_SINCE_FIRST] = T_RULE_SINCE_FIRST,
                                      [RULE_YEAR] = T_RULE_YEAR,   [RULE_MONTH] = T_RULE_MONTH,
                                      [RULE_RATE] = T_RULE_RATE,   [RULE_QUARTER] = T_RULE_QUARTER,
                                      [RULE_DAY] = T_RULE_DAY};
    char day[SHOW_TEXT], days[32];
    show_day(day, f->from_day);
    days_text(f, days);
    i18n_fill(out, p->lang, rules[f->rule], day, days, NULL);
}

// What was published as a fact is no target to be reached.
static bool has_progress(const struct statement *st, const struct fact *f)
{
    return f->why == FACT_KNOWN && f->per_cent.kind != FIGURE_MISSING &&
           (st->kind == STATEMENT_TARGET || st->kind == STATEMENT_CAPACITY);
}

static void put_progress(struct page *p, const struct statement *st, const struct fact *f)
{
    char per_cent[SHOW_TEXT];
    show_per_cent(per_cent, f->per_cent, p->lang);
    double shown = figure_to_real(f->per_cent);
    // one decimal is more than a bar can show; beyond the target it is full
    long tenths = shown >= 100 ? 1000 : shown <= 0 ? 0 : (long)(shown * 10);
    html_put(p->out, "<div class=\"progress%s\"><progress max=\"1000\" value=\"%ld\" aria-label=\"",
             f->reached ? " reached" : "", tenths);
    page_fill(p, T_PROGRESS, st->names.text[p->lang], per_cent, NULL);
    html_put(p->out, "\"></progress><span>");
    page_fill(p, st->kind == STATEMENT_CAPACITY ? T_PER_CENT_OF_CAPACITY : T_PER_CENT_OF_TARGET, per_cent,
              NULL, NULL);
    if (f->reached && st->kind == STATEMENT_TARGET)
        html_put(p->out, " · %s", page_text(p, T_REACHED));
    buf_text(p->out, "</span></div>");
}

static void put_residents_in_doubt(struct page *p, enum text text, unsigned count)
{
    char n[16];
    if (count == 0)
        return;
    snprintf(n, sizeof n, "%u", count);
    html_put(p->out, "<p class=\"small doubt\">");
    page_fill(p, text, n, NULL, NULL);
    buf_text(p->out, "</p>");
}

static void put_contributors(struct page *p, const struct fact *f)
{
    char n[16], of[16], days[32];
    snprintf(n, sizeof n, "%u", f->contributors);
    snprintf(of, sizeof of, "%u", f->of);
    html_put(p->out, "<p class=\"small\">");
    if (f->rule == RULE_RATE) {
        days_text(f, days);
        page_fill(p, T_RATE, days, NULL, NULL);
        buf_text(p->out, " · ");
    }
    if (f->of > 1) {
        page_fill(p, T_CONTRIBUTORS, n, of, NULL);
        buf_text(p->out, " · ");
    }
    page_ago(p, f->received_us);
    if (f->simulated) {
        buf_text(p->out, " ");
        page_badge_simulated(p);
    }
    buf_text(p->out, "</p>");
    put_residents_in_doubt(p, T_OLDER, f->older);
    put_residents_in_doubt(p, T_PARTLY_COVERED, f->partial);
    put_residents_in_doubt(p, T_PARTLY_MEMBERS, f->outside);
    if (f->converted) {
        html_put(p->out, "<p class=\"small\"><span class=\"doubt\">");
        page_fill(p, T_CONVERTED, f->measure.currency_code, NULL, NULL);
        buf_text(p->out, "</span> · ");
        page_rate(p, &f->by);
        buf_text(p->out, "</p>");
    }
}

static void put_fact_value(struct page *p, const struct fact *f)
{
    char rule[I18N_MAX];
    rule_text(p, f, rule);
    html_put(p->out, "<span class=\"value\" title=\"%s\">", rule);
    page_figure(p, f->value, &f->measure, true);
    buf_text(p->out, "</span>");
}

void tile_fact(struct page *p, const struct statement *st, const struct fact *f, const struct outlook *o)
{
    if (f->why != FACT_KNOWN) {
        put_why(p, f);
        return;
    }
    put_fact_value(p, f);
    if (has_progress(st, f))
        put_progress(p, st, f);
    prospect_put(p, st, f, o, false);
    put_contributors(p, f);
}

void tile_put(struct page *p, const struct park *park, const struct statement *st, const struct fact *f,
              const struct outlook *o, bool brief)
{
    buf_text(p->out, "<li class=\"tile\"><h3><a");
    page_href(p, "/parks/%s#s-%s", park->code, st->id);
    html_put(p->out, ">%s</a></h3><p class=\"fact\">", st->names.text[p->lang]);
    if (f->why == FACT_KNOWN)
        put_fact_value(p, f);
    else
        put_why(p, f);
    html_put(p->out, "</p><p class=\"target\"><span class=\"label\">%s</span> ",
             page_text(p, tile_kind(st->kind)));
    tile_statement_value(p, st);
    buf_text(p->out, "</p>");
    if (has_progress(st, f))
        put_progress(p, st, f);
    prospect_put(p, st, f, o, brief);
    html_put(p->out, "<p class=\"small\">");
    tile_statement_when(p, st);
    if (*st->assumed)
        html_put(p->out, " <span class=\"doubt\" title=\"%s\">%s</span>", st->assumed,
                 page_text(p, T_ASSUMED_WORD));
    buf_text(p->out, "</p>");
    if (f->why == FACT_KNOWN)
        put_contributors(p, f);
    buf_text(p->out, "</li>");
}

void tile_put_key(struct page *p, const char *title, const struct fact *f)
{
    html_put(p->out, "<li class=\"tile key\"><h3>%s</h3><p class=\"fact\">", title);
    if (f->why == FACT_KNOWN)
        put_fact_value(p, f);
    else
        put_why(p, f);
    buf_text(p->out, "</p>");
    if (f->why == FACT_KNOWN)
        put_contributors(p, f);
    buf_text(p->out, "</li>");
}
