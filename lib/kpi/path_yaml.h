// The keys of a statement that say how a target is to be reached: path, from, from_value, milestones. Used by
// statement_yaml.c alone.
#ifndef ESEP_KPI_PATH_YAML_H
#define ESEP_KPI_PATH_YAML_H

#include "kpi/place.h"
#include "kpi/target.h"

struct yaml_milestone {
    char *by, *value;
};
struct yaml_path {
    const char *path, *from, *from_value; // NULL where left out
    const struct yaml_milestone *milestones;
    uint32_t count;
};
extern const cyaml_schema_value_t path_yaml_milestone;

// Takes them into s->path, after everything else of s. s->path borrows texts from raw and owns its
// milestones. INVALID at the place: not a target, dates that do not rise or lie behind the due date, values
// that contradict the comparator. NOMEM.
enum err path_yaml_take(const struct place *p, const struct yaml_path *raw, struct statement *s) MUST_USE;

#endif
