// Each value is that of its pixel's middle, which is the mean of a straight line over the pixel.
#include "store/rrd_plan.h"
#include "store/rrd_number.h"
#include <inttypes.h>
#include <math.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX 64
#define A_CALL   256
#define FIRST_S  INT64_C(315532800) // 1980: librrd refuses earlier starts

static enum err failed(const char *path, struct diag *d)
{
    enum err e = diag_fail(d, ERR_IO, "%s: %s", path, rrd_get_error());
    rrd_clear_error();
    return e;
}

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

static enum err create(const char *path, int64_t start, uint32_t step_s, int64_t rows, struct diag *d)
{
    char ds[TEXT_MAX], rra[TEXT_MAX];
    const char *argv[] = {ds, rra};
    snprintf(ds, sizeof ds, "DS:v:GAUGE:%u:U:U", step_s);
    snprintf(rra, sizeof rra, "RRA:AVERAGE:0.5:1:%" PRId64, rows);
    rrd_clear_error();
    return rrd_create_r2(path, step_s, (time_t)start, 0, NULL, NULL, 2, argv) == 0 ? ERR_OK : failed(path, d);
}

static enum err fill(const char *path, const struct rrd_plan_point *points, size_t count, int64_t start,
                     uint32_t step_s, int64_t rows, struct diag *d)
{
    char text[A_CALL][TEXT_MAX], number[RRD_NUMBER_TEXT];
    const char *argv[A_CALL];
    int n = 0;
    for (int64_t row = 1; row <= rows; row++) {
        int64_t end = start + row * step_s;
        double value = at(points, count, (double)end - step_s / 2.0);
        if (isnan(value))
            snprintf(number, sizeof number, "U");
        else
            rrd_number_text(value, step_s, number);
        snprintf(text[n], sizeof text[n], "%" PRId64 ":%s", end, number);
        argv[n] = text[n];
        if (++n < A_CALL && row < rows)
            continue;
        rrd_clear_error();
        if (rrd_updatex_r(path, NULL, 0, n, argv) != 0)
            return failed(path, d);
        n = 0;
    }
    return ERR_OK;
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
    enum err e = create(path, start, (uint32_t)step, rows, d);
    return e == ERR_OK ? fill(path, points, count, start, (uint32_t)step, rows, d) : e;
}
