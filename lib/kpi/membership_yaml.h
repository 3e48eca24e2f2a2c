// A resident's keys joined, left, merged_into → struct membership. Used by park.c alone.
#ifndef ESEP_KPI_MEMBERSHIP_YAML_H
#define ESEP_KPI_MEMBERSHIP_YAML_H

#include "kpi/membership.h"
#include "kpi/place.h"

struct yaml_merger {
    char *resident, *day;
};

struct yaml_membership {
    char *joined, *left;
    struct yaml_merger *merged_into;
};

extern const cyaml_schema_field_t membership_yaml_merger_fields[];
// The three keys, for the mapping of `type`, whose `member` is a struct yaml_membership.
#define MEMBERSHIP_YAML_DAY 40
#define MEMBERSHIP_YAML_FIELDS(type)                                                                         \
    CYAML_FIELD_STRING_PTR("joined", CYAML_FLAG_OPTIONAL, type, member.joined, 0, MEMBERSHIP_YAML_DAY),      \
        CYAML_FIELD_STRING_PTR("left", CYAML_FLAG_OPTIONAL, type, member.left, 0, MEMBERSHIP_YAML_DAY),      \
        CYAML_FIELD_MAPPING_PTR("merged_into", CYAML_FLAG_OPTIONAL, type, member.merged_into,                \
                                membership_yaml_merger_fields)

// Days and their order. out borrows from raw.
enum err membership_yaml_take(const struct place *p, const struct yaml_membership *raw,
                              struct membership *out) MUST_USE;
// What refers to other residents, when all are there.
enum err membership_yaml_check(const struct park *park, const char *file, struct diag *d) MUST_USE;

#endif
