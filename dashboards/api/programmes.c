// A park's programmes and projects with their figures. Reasons are words, so that a script can tell "nobody
// reported" from "not for you"; null is never zero.

#include "dashboards/api/programmes.h"
#include <stdio.h>

static const char *const whys[] = {[STEP_KNOWN] = NULL,
                                   [STEP_UNBOUND] = "no figure is collected for it",
                                   [STEP_NONE] = "no resident has reported it",
                                   [STEP_HIDDEN] = "shown to the park's own analysts only",
                                   [STEP_TOO_BIG] = "too many measurements to add up: ask for a shorter time",
                                   [STEP_FAILED] = "could not be read"};

static void put_count(struct writer *j, const char *name, const struct step_count *c,
                      const struct funnel_step *f, const struct programme *g, size_t i)
{
    writer_object(j, name);
    writer_figure(j, "value", c->why == STEP_KNOWN ? c->value : figure_missing());
    writer_text(j, "why_unknown", whys[c->why]);
    if (g->kind == PROGRAMME_FUNNEL) {
        writer_figure(j, "per_cent_of_step_before", f->share);
        writer_bool(j, "more_than_step_before", f->odd);
    }
    if (c->why == STEP_KNOWN) {
        writer_integer(j, "contributors", c->contributors);
        writer_integer(j, "of_residents", c->of);
        writer_bool(j, "simulated", c->simulated);
    }
    if (c->why == STEP_KNOWN && g->steps[i].project_stage >= 0)
        writer_integer(j, "in_work", c->in_work);
    if (c->why == STEP_KNOWN || c->why == STEP_NONE) {
        writer_integer(j, "reports_missing", (int64_t)c->missing);
        writer_integer(j, "partly_members", (int64_t)c->outside);
    }
    writer_end_object(j);
}

// A step of one resident whom this viewer may not know looks like one of nobody in particular: its product
// would name it all the same.
static void put_step(struct writer *j, const struct programme_source *s, const struct programme *g, size_t i,
                     const struct programme_counts *c)
{
    const struct programme_step *step = &g->steps[i];
    bool named = *step->resident && access_may(s->viewer, SIGHT_RESIDENT, s->park->code, step->resident);
    bool hidden = *step->resident && !named;
    writer_object(j, NULL);
    writer_text_or_null(j, "kpi", step->kpi);
    writer_text_or_null(j, "dimension", hidden ? "" : step->dimension);
    writer_text_or_null(j, "resident", named ? step->resident : "");
    if (step->project_stage >= 0)
        writer_integer(j, "project_stage", step->project_stage);
    if (i < c->count) {
        put_count(j, "since_beginning", &c->ever[i], &c->ever_funnel[i], g, i);
        put_count(j, "within_period", &c->within[i], &c->within_funnel[i], g, i);
    }
    writer_end_object(j);
}

static void put_steps(struct writer *j, const struct programme_source *s, const struct programme *g,
                      struct span within)
{
    struct programme_counts counts = {0};
    char span[SPAN_TEXT];
    bool counted = s->store->reader && programmes_count(s, g, within, &counts) == ERR_OK;
    if (counted) {
        span_text(within, span);
        writer_text(j, "period", span);
    }
    writer_array(j, "steps");
    for (size_t i = 0; g->steps && i < g->stage_count; i++)
        put_step(j, s, g, i, &counts);
    writer_end_array(j);
    programmes_counts_free(&counts);
}

void api_put_programmes(struct writer *j, const struct programme_source *s, const struct span *within)
{
    writer_array(j, "programmes");
    for (size_t i = 0; i < s->park->programme_count; i++) {
        const struct programme *g = &s->park->programmes[i];
        writer_object(j, NULL);
        writer_text(j, "id", g->id);
        writer_text(j, "kind", programme_kind_name(g->kind));
        api_names(j, "names", &g->names);
        writer_array(j, "stages");
        for (size_t k = 0; k < g->stage_count; k++)
            api_names(j, NULL, &g->stages[k]);
        writer_end_array(j);
        put_steps(j, s, g, *within);
        writer_bool(j, "overlap", g->overlap);
        writer_text_or_null(j, "assumed", g->assumed);
        writer_text_or_null(j, "note", g->note);
        writer_text_or_null(j, "source", g->source);
        writer_end_object(j);
    }
    writer_end_array(j);
}

void api_put_projects(struct writer *j, const struct programme_source *s)
{
    struct project_counts c;
    bool simulated;
    if (!programmes_projects(s, &c, &simulated))
        return;
    writer_object(j, "projects");
    writer_integer(j, "residents", c.known + c.unknown);
    writer_integer(j, "stage_not_reported", c.unknown);
    writer_bool(j, "simulated", simulated);
    writer_array(j, "stages");
    for (int i = 0; i < PROJECT_STAGES; i++) {
        writer_object(j, NULL);
        writer_integer(j, "stage", i);
        writer_integer(j, "at", c.at[i]);
        writer_integer(j, "in_work", c.in_work[i]);
        writer_integer(j, "completed", c.done[i]);
        writer_end_object(j);
    }
    writer_end_array(j);
    writer_end_object(j);
}

static void put_day(struct writer *j, const char *name, int32_t day, int32_t none)
{
    char text[SHOW_TEXT];
    show_day(text, day == none ? 0 : day);
    writer_text(j, name, day == none ? NULL : text);
}

void api_put_member(struct writer *j, const struct viewer *v, const struct park *park,
                    const struct resident *r)
{
    const struct membership *m = &r->member;
    bool named = *m->merged_into && access_may(v, SIGHT_RESIDENT, park->code, m->merged_into);
    put_day(j, "joined", m->joined, MEMBERSHIP_ALWAYS);
    put_day(j, "left", m->left, MEMBERSHIP_STILL);
    writer_text_or_null(j, "merged_into", named ? m->merged_into : "");
}
