// What a step is bound to is checked here, so that a page never adds what cannot be added: a funnel's steps
// are amounts (a stock has no "since the beginning"), alike in their unit, and summed over residents.
#include "kpi/programme_yaml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kpi/park.h"
#include "kpi/project.h"
#include "kpi/series.h"

#define TEXT_MAX   400
#define STAGES_MAX 100

#define TEXT(type, key)     CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_DEFAULT, struct type, key, 0, TEXT_MAX)
#define OPTIONAL(type, key) CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_OPTIONAL, struct type, key, 0, TEXT_MAX)
#define LIST(key, entry)                                                                                     \
    CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_programme, key,         \
                         &(entry), 0, STAGES_MAX)

static const cyaml_schema_value_t stage_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_names, place_names_fields)};

static const cyaml_schema_field_t step_fields[] = {
    OPTIONAL(yaml_step, kpi),
    OPTIONAL(yaml_step, dimension),
    OPTIONAL(yaml_step, resident),
    CYAML_FIELD_INT_PTR("project_stage", CYAML_FLAG_OPTIONAL, struct yaml_step, project_stage),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t step_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_step, step_fields)};

static const cyaml_schema_field_t programme_fields[] = {
    TEXT(yaml_programme, id),
    TEXT(yaml_programme, kind),
    CYAML_FIELD_MAPPING("names", CYAML_FLAG_DEFAULT, struct yaml_programme, names, place_names_fields),
    LIST(stages, stage_entry),
    LIST(steps, step_entry),
    CYAML_FIELD_BOOL("overlap", CYAML_FLAG_OPTIONAL, struct yaml_programme, overlap),
    OPTIONAL(yaml_programme, assumed),
    OPTIONAL(yaml_programme, note),
    TEXT(yaml_programme, source),
    CYAML_FIELD_END,
};
const cyaml_schema_value_t programme_yaml_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_programme, programme_fields)};

struct taking {
    const struct place *p;
    const struct park *park;
    const struct catalogue *catalogue;
    struct programme *to;
};

static enum err no_memory(const struct place *p)
{
    return diag_fail(p->d, ERR_NOMEM, "%s: out of memory", p->file);
}

static enum err take_stages(const struct taking *t, const struct yaml_programme *raw)
{
    struct programme *to = t->to;

    to->stages = calloc(raw->stages_count + 1u, sizeof(*to->stages));
    if (to->stages == NULL)
        return no_memory(t->p);
    for (uint32_t i = 0; i < raw->stages_count; i++) {
        char key[32];
        snprintf(key, sizeof(key), "stages[%u]", i);
        enum err e = place_names(t->p, key, &raw->stages[i], &to->stages[i]);
        if (e != ERR_OK)
            return e;
        to->stage_count++;
    }
    return ERR_OK;
}

// ---- steps

struct step_place {
    const struct place *p;
    unsigned i;
};

// The error at steps[i].key; `why` may hold one %s for the value.
static enum err wrong(const struct step_place *at, const char *key, const char *why, const char *value)
{
    char path[64], text[300];

    snprintf(path, sizeof(path), "steps[%u]%s%s", at->i, key[0] != '\0' ? "." : "", key);
    snprintf(text, sizeof(text), "\"%.60s\" %s", value, why);
    return place_error(at->p, path, "%s", value[0] != '\0' ? text : why);
}

static enum err check_names(const struct taking *t, const struct step_place *at,
                            const struct programme_step *s)
{
    if (s->dimension[0] != '\0' && park_dimension(t->park, s->dimension) == NULL)
        return wrong(at, "dimension", "is not one of the park's dimensions", s->dimension);
    if (s->resident[0] != '\0' && park_resident(t->park, s->resident) == NULL)
        return wrong(at, "resident", "is no resident of the park", s->resident);
    return ERR_OK;
}

static bool is_unlike_before(const struct taking *t, unsigned step, const struct kpi *k)
{
    for (unsigned i = 0; i < step; i++) {
        const struct kpi *before = catalogue_find(t->catalogue, t->to->steps[i].kpi);
        if (before != NULL && strcmp(before->unit->code, k->unit->code) != 0)
            return true;
    }
    return false;
}

static enum err check_kpi(const struct taking *t, const struct step_place *at, const struct programme_step *s)
{
    const struct kpi *k = catalogue_find(t->catalogue, s->kpi);

    if (k == NULL)
        return wrong(at, "kpi", "is no KPI of the catalogue", s->kpi);
    if (k->money || k->over_residents != ROLLUP_SUM || k->per_product)
        return wrong(at, "kpi", "is no count that can be added over residents", s->kpi);
    if (t->to->kind == PROGRAMME_FUNNEL && k->kind != KPI_FLOW)
        return wrong(at, "kpi", "is a stock: a funnel's steps are amounts (kind: flow)", s->kpi);
    if (t->to->kind == PROGRAMME_FUNNEL && is_unlike_before(t, at->i, k))
        return wrong(at, "kpi", "counts another unit than the steps before", s->kpi);
    return check_names(t, at, s);
}

static enum err take_project_stage(const struct taking *t, const struct step_place *at,
                                   const struct yaml_step *raw, struct programme_step *out)
{
    if (t->to->kind != PROGRAMME_STAGES)
        return wrong(at, "project_stage", "belongs to a programme of kind stages", "");
    if (raw->kpi != NULL || raw->dimension != NULL || raw->resident != NULL)
        return wrong(at, "project_stage", "says by itself what is counted: leave the other keys out", "");
    if (*raw->project_stage < 0 || *raw->project_stage >= PROJECT_STAGES)
        return wrong(at, "project_stage", "must be a stage from 0 (idea) to 8 (full capacity)", "");
    out->project_stage = (int)*raw->project_stage;
    return ERR_OK;
}

static enum err take_step(const struct taking *t, const struct step_place *at, const struct yaml_step *raw)
{
    struct programme_step s = {.kpi = text_or_none(raw->kpi),
                               .dimension = text_or_none(raw->dimension),
                               .resident = text_or_none(raw->resident),
                               .project_stage = -1};
    enum err e = ERR_OK;

    if (raw->project_stage != NULL)
        e = take_project_stage(t, at, raw, &s);
    else if (raw->kpi != NULL)
        e = check_kpi(t, at, &s);
    else if (raw->dimension != NULL || raw->resident != NULL)
        e = wrong(at, "", "needs its kpi, or nothing: {} says that no figure is collected", "");
    if (e == ERR_OK)
        t->to->steps[at->i] = s;
    return e;
}

static enum err take_steps(const struct taking *t, const struct yaml_programme *raw)
{
    enum err e = ERR_OK;

    if (raw->steps == NULL)
        return ERR_OK;
    if (raw->steps_count != raw->stages_count)
        return place_error(t->p, "steps", "must be as many as stages (%u), not %u", raw->stages_count,
                           raw->steps_count);
    t->to->steps = calloc(raw->steps_count + 1u, sizeof(*t->to->steps));
    if (t->to->steps == NULL)
        return no_memory(t->p);
    for (uint32_t i = 0; i < raw->steps_count && e == ERR_OK; i++) {
        struct step_place at = {.p = t->p, .i = i};
        e = take_step(t, &at, &raw->steps[i]);
    }
    return e;
}

static enum err take_kind(const struct place *p, const char *text, enum programme_kind *out)
{
    const char *words[PROGRAMME_REGISTER + 1];
    unsigned chosen = 0;

    for (unsigned k = 0; k <= PROGRAMME_REGISTER; k++)
        words[k] = programme_kind_name((enum programme_kind)k);
    enum err e = place_choose(p, "kind", text, words, PROGRAMME_REGISTER + 1, &chosen);
    if (e == ERR_OK)
        *out = (enum programme_kind)chosen;
    return e;
}

static enum err take_texts(const struct place *p, const struct yaml_programme *raw, struct programme *out)
{
    enum err e = place_code(p, "id", raw->id);

    if (e == ERR_OK)
        e = take_kind(p, raw->kind, &out->kind);
    if (e == ERR_OK)
        e = place_names(p, "names", &raw->names, &out->names);
    if (e == ERR_OK)
        e = place_text(p, "assumed", raw->assumed);
    if (e == ERR_OK)
        e = place_text(p, "note", raw->note);
    if (e == ERR_OK)
        e = place_text(p, "source", raw->source);
    return e;
}

enum err programme_yaml_take(const struct place *p, const struct yaml_programme *raw, const struct park *park,
                             const struct catalogue *c, struct programme *out)
{
    struct taking t = {.p = p, .park = park, .catalogue = c, .to = out};

    *out = (struct programme){.id = raw->id,
                              .overlap = raw->overlap,
                              .assumed = text_or_none(raw->assumed),
                              .note = text_or_none(raw->note),
                              .source = raw->source};
    enum err e = take_texts(p, raw, out);
    if (e == ERR_OK)
        e = take_stages(&t, raw);
    return e == ERR_OK ? take_steps(&t, raw) : e;
}

void programme_free(struct programme *g)
{
    free(g->stages);
    free(g->steps);
}
