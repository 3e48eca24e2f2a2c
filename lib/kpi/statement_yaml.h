// One published figure as a park's file writes it → struct statement. Used by park.c alone.
#ifndef ESEP_KPI_STATEMENT_YAML_H
#define ESEP_KPI_STATEMENT_YAML_H

#include "kpi/path_yaml.h"
#include "kpi/place.h"
#include "kpi/target.h"

struct yaml_statement {
    char *id, *kind, *kpi, *dimension, *resident, *value, *base, *unit, *currency, *per;
    char *at, *at_end, *at_text, *due, *due_or, *due_text, *assumed, *scope, *part_of, *note, *source;
    char *path, *from, *from_value;
    struct yaml_milestone *milestones;
    uint32_t milestones_count;
    bool cumulative;
    struct yaml_names names;
};
extern const cyaml_schema_value_t statement_yaml_schema;

// Checks everything but what refers to the rest of the park (resident, dimension, part_of). out borrows from
// raw and c, and owns its path (path_deinit).
enum err statement_yaml_take(const struct place *p, const struct yaml_statement *raw,
                             const struct catalogue *c, struct statement *out) MUST_USE;

#endif
