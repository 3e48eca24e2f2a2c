// Query parameters as values. Strict: what is not entirely understood is a 400 that names the parameter and
// what it takes.
#ifndef ESEP_DASHBOARDS_PARAMS_H
#define ESEP_DASHBOARDS_PARAMS_H

#include "dashboards/exchange.h"
#include "kpi/zone.h"
#include <stddef.h>
#include <stdint.h>

// Epoch seconds; YYYY-MM-DD (midnight in the zone, NULL: UTC); RFC 3339 (2026-03-14T09:30:00Z, offsets
// allowed); "now"; or -<n><unit> back from now: s, m (minutes), h, d, w, mo (30 days), y (365 days). Years
// 1970 to 9999. INVALID.
enum err params_parse_time(const char *text, int64_t now_s, const struct zone *z, int64_t *out) MUST_USE;
// "3600", "10s", "15m", "1h", "7d", "2w" → seconds, 1 to 366 days. INVALID.
enum err params_parse_step(const char *text, int64_t *out) MUST_USE;

// Each leaves *out untouched when the parameter is absent; on INVALID the exchange holds the 400.
enum err params_time(struct exchange *x, const char *name, int64_t now_s, const struct zone *z,
                     int64_t *out) MUST_USE;
enum err params_integer(struct exchange *x, const char *name, int64_t min, int64_t max,
                        int64_t *out) MUST_USE;
// *out: index in the NULL-terminated list.
enum err params_choice(struct exchange *x, const char *name, const char *const *choices,
                       size_t *out) MUST_USE;

#endif
