// Series names: park/resident/kpi or park/resident/kpi/dimension, each part [a-z0-9][a-z0-9_.-]{0,62}.
// The resident "all" is kept for totals that the collector computes.
#ifndef ESEP_KPI_SERIES_H
#define ESEP_KPI_SERIES_H

#include "base/err.h"
#include <stdbool.h>

#define SERIES_PART_MAX 63
#define SERIES_NAME_MAX (4 * SERIES_PART_MAX + 3)

struct series_name {
    char park[SERIES_PART_MAX + 1];
    char resident[SERIES_PART_MAX + 1];
    char kpi[SERIES_PART_MAX + 1];
    char dimension[SERIES_PART_MAX + 1]; // "" when absent
};

bool series_part_valid(const char *part);
enum err series_parse(const char *name, struct series_name *out) MUST_USE;                        // three or four parts
enum err series_parse_kpi(const char *kpi_and_dimension, struct series_name *out) MUST_USE;       // fills kpi, dimension
enum err series_parse_resident(const char *park_and_resident, struct series_name *out) MUST_USE;  // fills park, resident
void series_text(const struct series_name *s, char out[SERIES_NAME_MAX + 1]);

#endif
