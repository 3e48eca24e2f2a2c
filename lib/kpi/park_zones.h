// The zones of all parks, by code. Immutable; any thread.
#ifndef ESEP_KPI_PARK_ZONES_H
#define ESEP_KPI_PARK_ZONES_H

#include "kpi/park.h"
#include "kpi/zone.h"

struct park_zones;
enum err park_zones_load(const struct parks *p, struct park_zones **out, struct diag *d) MUST_USE;
void park_zones_free(struct park_zones *z);
// NULL, which is UTC, for a park without a profile. zones: a struct park_zones.
const struct zone *park_zones_of(void *zones, const char *park);

#endif
