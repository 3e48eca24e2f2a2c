// Moments as a person writes them on the command line.
#ifndef ESEP_COLLECTOR_WHEN_H
#define ESEP_COLLECTOR_WHEN_H

#include "base/clock.h"
#include "base/err.h"
#include <stdbool.h>

// Seconds since 1970: "now", "-7d" (before now), "2026-03-14T12:00:00Z", seconds (6 digits or more), or a
// period's text: its first moment, or with `end` the first moment after it. UTC throughout. INVALID.
enum err collector_when(const char *text, struct wall now, bool end, int64_t *out_s) MUST_USE;

#endif
