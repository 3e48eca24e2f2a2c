// One rule of a park's file (obligations:) → struct obligation. Used by park.c alone.
#ifndef ESEP_KPI_OBLIGATION_YAML_H
#define ESEP_KPI_OBLIGATION_YAML_H

#include "kpi/obligation.h"
#include "kpi/park.h"
#include "kpi/place.h"

struct yaml_obligation_due {
    int32_t *days, *working_days; // NULL where left out
    bool unknown;
};
struct yaml_obligation {
    char *kpi, *dimension, *period, *from, *until, *assumed, *note, *source;
    char **residents, **except;
    uint32_t residents_count, except_count;
    struct yaml_obligation_due due;
    int32_t grace_days;
};
extern const cyaml_schema_value_t obligation_yaml_schema;

// Appends to park->obligations, which has room. The park's residents and dimensions are loaded already. The
// rule borrows from raw.
enum err obligation_yaml_take(struct park *park, const struct catalogue *c, const struct place *p,
                              const struct yaml_obligation *raw) MUST_USE;

#endif
