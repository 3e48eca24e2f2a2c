// Each value is that of its pixel's middle, which is the mean of a straight line over the pixel.
#include "store/rrd_plan.h"
#include "store/rrd_new.h"
#include "store/rrd_write.h"
#include <math.h>
#include <stdlib.h>

#define FIRST_S INT64_C(315532800) // 1980: librrd takes no earlier updates

// Of two points at one time the later one counts from there on.
static double at(const struct rrd_plan_point *points, size_t count, double time)
{
    size_t i = 0;
    while (i < count && (double)points[i].time <= time)
        i++;
    if (i == 0)
        return NAN;
    const struct rrd_plan_point *a = &points[i - 1], *b = &points[i];
    if (i == count || isnan(a->value) || isnan(b->value))
        return a->value;
    return a->value + (b->value - a->value) * (time - (double)a->time) / (double)(b->time - a->time);
}

static enum err make(const char *path, const struct rrd_plan_point *points, size_t count, int64_t start,
                     uint32_t step_s, uint32_t rows, struct diag *d)
{
    const struct rrd_layout layout = {.step_s = step_s, .count = 1, .archives = {{"AVERAGE", 1, rows}}};
    struct rrd_header h;
    rrd_header_make(&layout, start, 0, &h);
    const size_t bytes = (size_t)rrd_header_file_bytes(&h);
    struct rrd_target target = {.fd = -1, .image = malloc(bytes), .path = path};
    struct rrd_value *values = malloc(rows * sizeof *values);
    enum err e = target.image && values ? ERR_OK : diag_fail(d, ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; e == ERR_OK && i < rows; i++) {
        int64_t end = start + (int64_t)(i + 1) * step_s;
        values[i] = (struct rrd_value){end, at(points, count, (double)end - step_s / 2.0)};
    }
    if (e == ERR_OK)
        e = rrd_write_values(&h, &target, values, rows, d);
    if (e == ERR_OK) {
        rrd_header_pack(&h, target.image);
        e = rrd_new_write(path, target.image, bytes, d);
    }
    free(target.image);
    free(values);
    return e;
}

enum err rrd_plan_write(const char *path, const struct rrd_plan_point *points, size_t count, int64_t from,
                        int64_t to, int width, struct diag *d)
{
    if (from < 0 || from >= to || width < 10 || width > 4000 || count == 0)
        return diag_fail(d, ERR_INVALID, "%s: a plan needs a span and points", path);
    int64_t step = (to - from) / width;
    if (step < 1)
        step = 1;
    int64_t start = from / step * step - step;
    if (start < FIRST_S)
        start = FIRST_S / step * step + step;
    int64_t rows = to > start ? (to - start) / step + 2 : 2;
    return make(path, points, count, start, (uint32_t)step, (uint32_t)rows, d);
}
