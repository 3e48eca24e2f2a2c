// Local time of a park from tzdata, without touching the process's TZ: several zones at once, any thread.
// Covers the transitions listed in the zone's file (Debian's go to 2037); after the last one its rule stays.
#ifndef ESEP_DASHBOARDS_ZONE_H
#define ESEP_DASHBOARDS_ZONE_H

#include "base/err.h"
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

#endif
