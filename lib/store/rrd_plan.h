// A planned path as a round-robin file for one drawing: librrd draws what is in files, and steps of a day
// would make stairs of a slanted line.
#ifndef ESEP_STORE_RRD_PLAN_H
#define ESEP_STORE_RRD_PLAN_H

#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

struct rrd_plan_point {
    int64_t time;
    double value; // NaN: nothing is planned from here on
};
// Writes a file of one value a pixel over the span: the polyline through the points (rising in time; two of
// one time are a step), unknown before the first, level after the last. Folder and file are the caller's;
// width is in pixels, 10 .. 4000. INVALID: no span; NOT_FOUND: no such folder; IO.
enum err rrd_plan_write(const char *path, const struct rrd_plan_point *points, size_t count, int64_t from,
                        int64_t to, int width, struct diag *d) MUST_USE;

#endif
