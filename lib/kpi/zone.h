// Local time of a park from tzdata, without touching the process's TZ: several zones at once, any thread.
// Covers the transitions listed in the zone's file (Debian's go to 2037); after the last one its rule stays.
#ifndef ESEP_KPI_ZONE_H
#define ESEP_KPI_ZONE_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct zone; // immutable

// Name as in tzdata ("Asia/Almaty"); folder NULL: /usr/share/zoneinfo. NOT_FOUND, INVALID, CORRUPT.
enum err zone_load(const char *folder, const char *name, struct zone **out, struct diag *d) MUST_USE;
void zone_free(struct zone *z);
// Seconds east of UTC at that moment; 0 for NULL.
int32_t zone_offset(const struct zone *z, int64_t utc_s);
// The moment local midnight (or the given local second of the epoch's count) happens; of two, the first;
// where the clock skips it, the moment of the skip.
int64_t zone_to_utc(const struct zone *z, int64_t local_s);
// As it was loaded; "UTC" for NULL.
const char *zone_name(const struct zone *z);
// The civil day that it is there at that moment; the first moment of a civil day. From the one midnight to
// the next there may be 23 or 25 hours.
int32_t zone_day(const struct zone *z, int64_t utc_s);
int64_t zone_midnight(const struct zone *z, int32_t day);
// The name and a hash of all transitions: another text where tzdata changed its mind about the zone.
#define ZONE_VERSION 88
void zone_version(const struct zone *z, char out[ZONE_VERSION]);
// *quarters: whether the zone was, at some moment from from_s on, off UTC by what is no whole number of hours
// ("Asia/Kolkata"). As zone_load.
enum err zone_has_quarters(const char *name, int64_t from_s, bool *quarters, struct diag *d) MUST_USE;

#endif
