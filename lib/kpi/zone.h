// Time zones, from tzdata's files. So far one question: whether a zone's clock is whole hours off UTC.
#ifndef ESEP_KPI_ZONE_H
#define ESEP_KPI_ZONE_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

// *quarters: whether the zone was, at some moment from from_s on, off UTC by what is no whole number of hours
// ("Asia/Kolkata"). NOT_FOUND: tzdata does not know it; INVALID: no zone's name; CORRUPT.
enum err zone_has_quarters(const char *name, int64_t from_s, bool *quarters, struct diag *d) MUST_USE;

#endif
