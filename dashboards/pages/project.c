// A project's stages overlap, so one number of progress would hide what is going on: each stage has its own
// bar, and what nobody reported is said to be unknown.

#include "dashboards/pages/programme.h"
#include <stdio.h>

static void put_number(struct page *p, enum text column, unsigned n)
{
    html_put(p->out, "<td data-label=\"%s\" class=\"num\">%u</td>", page_text(p, column), n);
}

static void put_stage(struct page *p, const struct project_counts *c, int stage)
{
    unsigned all = c->known + c->unknown;
    html_put(p->out,
             "<tr><th scope=\"row\">%d · %s</th><td data-label=\"%s\"><span class=\"bar\"><progress "
             "max=\"%u\" value=\"%u\" aria-label=\"%s: %u / %u\"></progress><span>%u</span></span></td>",
             stage, show_project_stage(stage, p->lang), page_text(p, T_COL_AT_STAGE), all, c->at[stage],
             show_project_stage(stage, p->lang), c->at[stage], all, c->at[stage]);
    put_number(p, T_COL_IN_WORK, c->in_work[stage]);
    put_number(p, T_COL_COMPLETED, c->done[stage]);
    buf_text(p->out, "</tr>");
}

void project_put_histogram(struct page *p, const struct programme_source *s)
{
    struct project_counts c;
    bool simulated;
    char unknown[24];
    if (!programmes_projects(s, &c, &simulated))
        return;
    html_put(p->out,
             "<section class=\"panel\" id=\"projects\" data-live=\"projects\"><h2>%s</h2><div "
             "class=\"scroll\"><table class=\"projects\"><caption>%s ",
             page_text(p, T_PROJECTS), page_text(p, T_PROJECTS_CAPTION));
    if (simulated)
        page_badge_simulated(p);
    html_put(p->out,
             "</caption><thead><tr><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th "
             "scope=\"col\">%s</th><th scope=\"col\">%s</th></tr></thead><tbody>",
             page_text(p, T_COL_STAGE), page_text(p, T_COL_AT_STAGE), page_text(p, T_COL_IN_WORK),
             page_text(p, T_COL_COMPLETED));
    for (int i = 0; i < PROJECT_STAGES; i++)
        put_stage(p, &c, i);
    buf_text(p->out, "</tbody></table></div>");
    if (c.unknown > 0) {
        snprintf(unknown, sizeof unknown, "%u", c.unknown);
        buf_text(p->out, "<p class=\"small doubt\">");
        page_fill(p, T_STAGE_NOT_REPORTED, unknown, NULL, NULL);
        buf_text(p->out, "</p>");
    }
    buf_text(p->out, "</section>");
}

static void put_bar(struct page *p, int stage, struct figure done)
{
    const char *name = show_project_stage(stage, p->lang);
    char per_cent[SHOW_TEXT];
    html_put(p->out, "<li><span>%d · %s</span>", stage, name);
    if (done.kind == FIGURE_MISSING) {
        html_put(p->out, "<span class=\"unknown\">%s</span></li>", page_text(p, T_UNKNOWN));
        return;
    }
    show_per_cent(per_cent, done, p->lang);
    double shown = figure_to_real(done);
    html_put(p->out, "<progress max=\"1000\" value=\"%ld\" aria-label=\"",
             shown >= 100 ? 1000L : (long)(shown * 10));
    page_fill(p, T_PROJECT_STAGE_DONE, name, per_cent, NULL);
    html_put(p->out, "\"></progress><span class=\"num\">%s</span></li>", per_cent);
}

void project_put_bars(struct page *p, const struct board *b, const char *resident)
{
    struct project project;
    char number[16];
    if (!programmes_project(b, resident, &project))
        return;
    int at = project_stage_of(&project);
    html_put(p->out, "<section class=\"panel\" id=\"project\" data-live=\"project\"><h2>%s</h2><p>",
             page_text(p, T_PROJECT));
    snprintf(number, sizeof number, "%d", at);
    if (at >= 0)
        page_fill(p, T_PROJECT_AT, number, show_project_stage(at, p->lang), NULL);
    else
        html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, T_UNKNOWN));
    html_put(p->out, "</p><ul class=\"bars\" aria-label=\"%s\">", page_text(p, T_STAGES));
    for (int i = 0; i < PROJECT_STAGES; i++)
        put_bar(p, i, project.done[i]);
    html_put(p->out, "</ul><p class=\"small\">%s</p></section>", page_text(p, T_OVERLAP));
}
