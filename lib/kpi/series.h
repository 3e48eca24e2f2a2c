// Series names: park/resident/kpi or park/resident/kpi/dimension, each part [a-z0-9][a-z0-9_.-]{0,62}.
// The resident "all" is kept for totals that the collector computes.
#ifndef ESEP_KPI_SERIES_H
#define ESEP_KPI_SERIES_H

#include "base/err.h"
#include <stdbool.h>

#define SERIES_PART_MAX     63
#define SERIES_RESIDENT_ALL "all" // no enterprise may have it: park_load refuses it
#define SERIES_NAME_MAX     (4 * SERIES_PART_MAX + 3)

struct series_name {
    char park[SERIES_PART_MAX + 1];
    char resident[SERIES_PART_MAX + 1];
    char kpi[SERIES_PART_MAX + 1];
    char dimension[SERIES_PART_MAX + 1]; // "" when absent
};

bool series_part_valid(const char *part);
// Three or four parts. INVALID, out untouched.
enum err series_parse(const char *name, struct series_name *out) MUST_USE;
// "kpi" or "kpi/dimension": sets kpi and dimension, leaves park and resident as they are, so that a key's
// resident and a declared series make the full name. INVALID, out untouched.
enum err series_parse_kpi(const char *kpi_and_dimension, struct series_name *out) MUST_USE;
// "park/resident": sets park and resident, leaves kpi and dimension as they are. INVALID, out untouched.
enum err series_parse_resident(const char *park_and_resident, struct series_name *out) MUST_USE;
// The parts that are not "", joined by "/".
void series_text(const struct series_name *s, char out[SERIES_NAME_MAX + 1]);

#endif
