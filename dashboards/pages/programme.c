// A programme is text with its stages; where figures are bound to them it is a table as well. What is
// missing, odd or not counted is said beside the number that it touches.

#include "dashboards/pages/programme.h"
#include <inttypes.h>
#include <stdio.h>

static void put_count_text(struct page *p, enum text t, uint64_t n, const char *class)
{
    char text[24];
    if (n == 0)
        return;
    snprintf(text, sizeof text, "%" PRIu64, n);
    html_put(p->out, "<br><span class=\"%s\">", class);
    page_fill(p, t, text, NULL, NULL);
    buf_text(p->out, "</span>");
}

static void put_why(struct page *p, enum step_why why)
{
    static const enum text whys[] = {
        [STEP_KNOWN] = T_UNKNOWN,     [STEP_UNBOUND] = T_WHY_NO_KPI,  [STEP_NONE] = T_UNKNOWN,
        [STEP_HIDDEN] = T_WHY_HIDDEN, [STEP_TOO_BIG] = T_SUMS_FAILED, [STEP_FAILED] = T_WHY_FAILED};
    html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, whys[why]));
}

static void put_share(struct page *p, const char *stage, const struct funnel_step *f)
{
    char share[SHOW_TEXT];
    if (f->odd)
        html_put(p->out, "<br><span class=\"doubt\">%s</span>", page_text(p, T_STEP_ODD));
    if (f->share.kind == FIGURE_MISSING)
        return;
    double shown = figure_to_real(f->share);
    show_per_cent(share, f->share, p->lang);
    html_put(p->out, "<span class=\"progress\"><progress max=\"1000\" value=\"%ld\" aria-label=\"%s: ",
             shown >= 100 ? 1000L : (long)(shown * 10), stage);
    page_fill(p, T_OF_STEP_BEFORE, share, NULL, NULL);
    buf_text(p->out, "\"></progress><span>");
    page_fill(p, T_OF_STEP_BEFORE, share, NULL, NULL);
    buf_text(p->out, "</span></span>");
}

static void put_project_stage(struct page *p, const struct step_count *c)
{
    char done[SHOW_TEXT], of[24], in_work[24];
    show_number(done, c->value, 0, p->lang);
    snprintf(of, sizeof of, "%u", c->of);
    snprintf(in_work, sizeof in_work, "%u", c->in_work);
    page_fill(p, T_STAGE_COMPLETED, done, of, in_work);
}

static void put_contributors(struct page *p, const struct step_count *c)
{
    char n[24], of[24];
    snprintf(n, sizeof n, "%u", c->contributors);
    snprintf(of, sizeof of, "%u", c->of);
    buf_text(p->out, "<br><span class=\"small\">");
    page_fill(p, T_CONTRIBUTORS, n, of, NULL);
    buf_text(p->out, "</span>");
    if (c->simulated) {
        buf_text(p->out, " ");
        page_badge_simulated(p);
    }
}

static void put_cell(struct page *p, const struct programme *g, size_t i, const char *label,
                     const struct step_count *c, const struct funnel_step *f)
{
    const struct kpi *k = catalogue_find(p->site->catalogue, g->steps[i].kpi);
    html_put(p->out, "<td data-label=\"%s\">", label);
    if (c->why != STEP_KNOWN) {
        put_why(p, c->why);
    } else if (g->steps[i].project_stage >= 0) {
        put_project_stage(p, c);
    } else {
        struct measure m = {
            .unit = k ? k->unit : NULL, .unit_code = k ? k->unit->code : "", .currency_code = ""};
        buf_text(p->out, "<span class=\"count\">");
        page_figure(p, c->value, &m, false);
        buf_text(p->out, "</span>");
        put_contributors(p, c);
    }
    put_count_text(p, T_REPORTS_MISSING, c->missing, "doubt");
    put_count_text(p, T_PARTLY_MEMBERS, c->outside, "doubt");
    if (g->kind == PROGRAMME_FUNNEL)
        put_share(p, g->stages[i].text[p->lang], f);
    buf_text(p->out, "</td>");
}

// A register, and what residents have completed, is of now; a flow is of a span too.
static bool has_span(const struct page *p, const struct programme *g)
{
    for (size_t i = 0; g->steps && i < g->stage_count; i++) {
        const struct kpi *k = catalogue_find(p->site->catalogue, g->steps[i].kpi);
        if (k && k->kind == KPI_FLOW)
            return true;
    }
    return false;
}

static void put_figures(struct page *p, const struct programme *g, const struct programme_counts *c,
                        struct span within)
{
    char span[SPAN_TEXT], day[SHOW_TEXT], label[I18N_MAX], first[I18N_MAX];
    bool spans = has_span(p, g);
    span_text(within, span);
    show_day(day, c->from_day);
    i18n_fill(label, p->lang, T_WITHIN, span, NULL, NULL);
    i18n_fill(first, p->lang, spans ? T_SINCE_BEGINNING : T_NEWEST, day, NULL, NULL);
    html_put(p->out,
             "<div class=\"scroll\"><table class=\"steps\"><caption>%s</caption><thead><tr><th "
             "scope=\"col\">%s</th><th scope=\"col\">%s</th>",
             g->names.text[p->lang], page_text(p, g->kind == PROGRAMME_REGISTER ? T_ENTRY : T_STEP), first);
    if (spans)
        html_put(p->out, "<th scope=\"col\">%s</th>", label);
    buf_text(p->out, "</tr></thead><tbody>");
    for (size_t i = 0; i < c->count; i++) {
        html_put(p->out, "<tr><th scope=\"row\">%s</th>", g->stages[i].text[p->lang]);
        put_cell(p, g, i, first, &c->ever[i], &c->ever_funnel[i]);
        if (spans)
            put_cell(p, g, i, label, &c->within[i], &c->within_funnel[i]);
        buf_text(p->out, "</tr>");
    }
    buf_text(p->out, "</tbody></table></div>");
}

static void put_stages(struct page *p, const struct programme *g, enum step_why why)
{
    const char *list = g->kind == PROGRAMME_REGISTER ? "ul" : "ol";
    html_put(p->out, "<%s class=\"stages\" aria-label=\"%s\">", list, page_text(p, T_STAGES));
    for (size_t i = 0; i < g->stage_count; i++)
        html_put(p->out, "<li>%s</li>", g->stages[i].text[p->lang]);
    html_put(p->out, "</%s>", list);
    if (why != STEP_KNOWN)
        put_why(p, why);
}

static void put_doubts(struct page *p, const struct programme *g)
{
    buf_text(p->out, "<ul class=\"doubts\">");
    if (*g->assumed) {
        buf_text(p->out, "<li class=\"doubt\">");
        page_fill(p, T_ASSUMED, g->assumed, NULL, NULL);
        buf_text(p->out, "</li>");
    }
    if (*g->note)
        html_put(p->out, "<li lang=\"en\">%s</li>", g->note);
    buf_text(p->out, "<li class=\"quiet\">");
    page_fill(p, T_SOURCE, g->source, NULL, NULL);
    buf_text(p->out, "</li></ul>");
}

// Nobody who may see no step gets a table of refusals.
static bool any_to_show(const struct programme_counts *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->ever[i].why != STEP_HIDDEN && c->ever[i].why != STEP_UNBOUND)
            return true;
    return false;
}

static void put_programme(struct page *p, const struct programme_source *s, const struct programme *g,
                          struct span within)
{
    static const enum text kinds[] = {[PROGRAMME_FUNNEL] = T_PROGRAMME_FUNNEL,
                                      [PROGRAMME_STAGES] = T_PROGRAMME_STAGES,
                                      [PROGRAMME_REGISTER] = T_PROGRAMME_REGISTER};
    struct programme_counts counts = {0};
    html_put(p->out, "<li class=\"programme is-%s\" id=\"p-%s\"><h3>%s</h3><p class=\"small\">%s%s%s</p>",
             programme_kind_name(g->kind), g->id, g->names.text[p->lang], page_text(p, kinds[g->kind]),
             g->overlap ? " · " : "", g->overlap ? page_text(p, T_OVERLAP) : "");
    if (s->store->reader && programmes_count(s, g, within, &counts) != ERR_OK)
        counts.count = 0;
    if (any_to_show(&counts))
        put_figures(p, g, &counts, within);
    else
        put_stages(p, g, counts.count > 0 ? counts.ever[0].why : STEP_KNOWN);
    programmes_counts_free(&counts);
    put_doubts(p, g);
    buf_text(p->out, "</li>");
}

static void put_kept(struct page *p, const char *name)
{
    const char *value = exchange_param(p->x, name);
    if (value)
        html_put(p->out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name, value);
}

static void put_chooser(struct page *p, const struct programme_source *s, struct span within)
{
    char span[SPAN_TEXT];
    bool any = false;
    for (size_t i = 0; i < s->park->programme_count; i++)
        any |= has_span(p, &s->park->programmes[i]);
    if (!any || !access_may(s->viewer, SIGHT_SUMS, s->park->code, ""))
        return;
    span_text(within, span);
    html_put(p->out,
             "<form class=\"inline\" method=\"get\" action=\"#programmes\"><label>%s <input name=\"period\" "
             "value=\"%s\" size=\"9\" maxlength=\"10\"></label>",
             page_text(p, T_SHOW_PERIOD), span);
    put_kept(p, "as_of");
    put_kept(p, "by");
    put_kept(p, "lang");
    html_put(p->out, " <button class=\"button\">%s</button></form>", page_text(p, T_SHOW));
}

void programme_put_all(struct page *p, const struct programme_source *s, struct span within)
{
    if (s->park->programme_count == 0)
        return;
    html_put(p->out, "<section class=\"panel\" id=\"programmes\" data-live=\"programmes\"><h2>%s</h2>",
             page_text(p, T_PROGRAMMES));
    if (s->store->reader)
        put_chooser(p, s, within);
    buf_text(p->out, "<ul class=\"programmes\">");
    for (size_t i = 0; i < s->park->programme_count; i++)
        put_programme(p, s, &s->park->programmes[i], within);
    buf_text(p->out, "</ul></section>");
}
