// A planned path stands in the picture where it was planned, to a pixel, beside data whose place is known.
#include "store/rrd.h"
#include "store/rrd_graph.h"
#include "store/rrd_plan.h"
#include "tests/support/cmocka.h"
#include "tests/support/store_fixture.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH      400
#define POINTS_MAX 2000

struct fixture {
    char folder[STORE_PATH], path[RRD_PATH_MAX], plan[RRD_PATH_MAX];
    struct rrd_graph graph;
    struct buf image;
    struct diag diag;
};
struct point {
    double x, y;
};
struct line {
    size_t count;
    struct point at[POINTS_MAX];
};

// Daily figures: 100, and from the middle of the span on 200; so the picture says itself where 100, 200 and
// the middle are.
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct ledger_series series = store_series("aztm/one/jobs_total", WIRE_REPORT, 86400, 1);
    static struct rrd_value values[400];
    assert_non_null(f);
    series.series_id = 1;
    store_temp_folder(f->folder);
    snprintf(f->plan, sizeof f->plan, "%.200s/plan.rrd", f->folder);
    assert_int_equal(rrd_path(f->folder, 1, f->path), ERR_OK);
    int64_t start = STORE_EPOCH / 86400 * 86400;
    assert_int_equal(rrd_file_create(f->path, &series, start, false, &f->diag), ERR_OK);
    for (int i = 0; i < 400; i++)
        values[i] = (struct rrd_value){start + 86400 * (i + 1), i < 200 ? 100 : 200};
    assert_int_equal(rrd_file_update(f->path, &series, values, 400, &f->diag), ERR_OK);
    buf_init(&f->image, 16u << 20);
    f->graph = (struct rrd_graph){.format = RRD_GRAPH_SVG,
                                  .path = f->path,
                                  .plan = f->plan,
                                  .has_target = true,
                                  .from = start,
                                  .to = start + 400 * INT64_C(86400),
                                  .width = WIDTH,
                                  .height = 200,
                                  .legend = "jobs",
                                  .target_legend = "plan",
                                  .scale = 1,
                                  .from_zero = true,
                                  .time_zone = "UTC"};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buf_deinit(&f->image);
    store_remove_folder(f->folder);
    free(f);
    return 0;
}

// The points of the stroked paths with this style.
static void read_line(const char *svg, const char *style, struct line *out)
{
    out->count = 0;
    for (const char *at = strstr(svg, style); at; at = strstr(at + 1, style)) {
        const char *d = strstr(at, " d=\"");
        const char *end = d ? strchr(d + 4, '"') : NULL;
        for (d += 4; end && d < end; d++) {
            char *next;
            if (*d != 'M' && *d != 'L')
                continue;
            assert_true(out->count < POINTS_MAX);
            struct point *p = &out->at[out->count++];
            p->x = strtod(d + 1, &next);
            p->y = strtod(next, NULL);
        }
    }
    assert_true(out->count > 0);
}

static void draw(struct fixture *f, struct line *data, struct line *plan)
{
    buf_reset(&f->image);
    if (rrd_graph_draw(&f->graph, &f->image, &f->diag) != ERR_OK)
        fail_msg("%s", f->diag.text);
    const char *svg = buf_str(&f->image);
    read_line(svg, "stroke:rgb(14.5", data);
    read_line(svg, "stroke-dasharray:7", plan);
}

// What was planned at a pixel, NAN before and after.
static double planned(const struct fixture *f, const struct rrd_plan_point *p, size_t n, double pixel)
{
    double t = (double)f->graph.from + pixel * (double)(f->graph.to - f->graph.from) / WIDTH;
    size_t i = 0;
    while (i < n && (double)p[i].time <= t)
        i++;
    if (i == 0)
        return NAN;
    if (i == n || isnan(p[i].value))
        return p[i - 1].value;
    return p[i - 1].value +
           (p[i].value - p[i - 1].value) * (t - (double)p[i - 1].time) / (double)(p[i].time - p[i - 1].time);
}

// Each drawn point is the planned one within a pixel either way; the ends too.
static void check(struct fixture *f, const struct rrd_plan_point *p, size_t n, int64_t from, int64_t to)
{
    static struct line data, plan;
    if (rrd_plan_write(f->plan, p, n, f->graph.from, f->graph.to, WIDTH, &f->diag) != ERR_OK)
        fail_msg("%s", f->diag.text);
    draw(f, &data, &plan);
    double low = data.at[0].y, high = data.at[data.count - 1].y, middle = 0, pixel_s;
    for (size_t i = 1; i < data.count; i++)
        if (data.at[i].y != data.at[i - 1].y)
            middle = data.at[i].x;
    double left = middle - WIDTH / 2.0, per_unit = (low - high) / 100;
    pixel_s = (double)(f->graph.to - f->graph.from) / WIDTH;
    for (size_t i = 0; i < plan.count; i++) {
        bool near = false;
        for (int k = -20; k <= 20 && !near; k++) {
            double dx = k * 0.05;
            double y = low - (planned(f, p, n, plan.at[i].x - left + dx) - 100) * per_unit;
            near = fabs(y - plan.at[i].y) <= 1;
        }
        if (!near)
            fail_msg("at pixel %.1f the plan is drawn %.1f off", plan.at[i].x - left,
                     plan.at[i].y - (low - (planned(f, p, n, plan.at[i].x - left) - 100) * per_unit));
    }
    assert_true(fabs(plan.at[0].x - left - (double)(from - f->graph.from) / pixel_s) <= 1.01);
    assert_true(fabs(plan.at[plan.count - 1].x - left - (double)(to - f->graph.from) / pixel_s) <= 1.01);
    assert_true(per_unit > 0.3 && middle > 0);
}

static void a_linear_path_is_a_slanted_line_to_a_pixel(void **state)
{
    struct fixture *f = *state;
    int64_t t = f->graph.from, day = 86400;
    const struct rrd_plan_point p[] = {{t + 60 * day, 40}, {t + 310 * day, 260}};
    check(f, p, 2, t + 60 * day, f->graph.to);
}

static void a_part_of_it_is_slanted_too(void **state)
{
    struct fixture *f = *state;
    int64_t t = f->graph.from, day = 86400;
    const struct rrd_plan_point p[] = {{t - 900 * day, 10}, {t + 900 * day, 300}};
    check(f, p, 2, t, f->graph.to);
    f->graph.from = t + 193 * day; // two weeks: many pixels a day
    f->graph.to = t + 207 * day;
    const struct rrd_plan_point steep[] = {{t + 195 * day, 10}, {t + 205 * day, 300}};
    check(f, steep, 2, t + 195 * day, f->graph.to);
}

static void milestones_are_steps_and_an_end_is_an_end(void **state)
{
    struct fixture *f = *state;
    int64_t t = f->graph.from, day = 86400;
    const struct rrd_plan_point p[] = {{t + 50 * day, 50},
                                       {t + 150 * day, 50},
                                       {t + 150 * day, 120},
                                       {t + 300 * day, 120},
                                       {t + 300 * day, NAN}};
    check(f, p, 5, t + 50 * day, t + 300 * day);
}

static void a_plan_without_a_span_or_points_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct rrd_plan_point p = {0, 1};
    assert_int_equal(rrd_plan_write(f->plan, &p, 1, 0, STORE_EPOCH, 100, &f->diag), ERR_OK); // from 1970 on
    assert_int_equal(rrd_plan_write(f->plan, &p, 1, 0, 100, 100, &f->diag), ERR_OK);
    assert_int_equal(rrd_plan_write(f->plan, &p, 0, 0, 100, 100, &f->diag), ERR_INVALID);
    assert_int_equal(rrd_plan_write(f->plan, &p, 1, 100, 100, 100, &f->diag), ERR_INVALID);
    assert_int_equal(rrd_plan_write(f->plan, &p, 1, 0, 100, 5, &f->diag), ERR_INVALID);
    assert_int_equal(
        rrd_plan_write("/nowhere/at/all.rrd", &p, 1, STORE_EPOCH, STORE_EPOCH + 100, 100, &f->diag),
        ERR_NOT_FOUND);
}

// As in rrd_graph_test.c.
const char *__asan_default_options(void);      // NOLINT
const char *__lsan_default_suppressions(void); // NOLINT
const char *__asan_default_options(void)       // NOLINT: the sanitizer's name
{
    return "fast_unwind_on_malloc=0";
}
const char *__lsan_default_suppressions(void) // NOLINT
{
    return "leak:librrd.so\nleak:libfontconfig.so\nleak:libpango\nleak:libcairo\n";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_linear_path_is_a_slanted_line_to_a_pixel, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_of_it_is_slanted_too, setup, teardown),
        cmocka_unit_test_setup_teardown(milestones_are_steps_and_an_end_is_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plan_without_a_span_or_points_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
