// One programme as a park's file writes it → struct programme. Used by park.c alone.
#ifndef ESEP_KPI_PROGRAMME_YAML_H
#define ESEP_KPI_PROGRAMME_YAML_H

#include "kpi/place.h"
#include "kpi/programme.h"

struct yaml_step {
    char *kpi, *dimension, *resident;
    int64_t *project_stage;
};

struct yaml_programme {
    char *id, *kind, *assumed, *note, *source;
    struct yaml_names names;
    struct yaml_names *stages;
    struct yaml_step *steps;
    uint32_t stages_count, steps_count;
    bool overlap;
};
extern const cyaml_schema_value_t programme_yaml_schema;

struct park;
// park: its residents and dimensions are there already. out borrows from raw, and owns its lists also when
// this fails: programme_free.
enum err programme_yaml_take(const struct place *p, const struct yaml_programme *raw, const struct park *park,
                             const struct catalogue *c, struct programme *out) MUST_USE;
void programme_free(struct programme *g);

#endif
