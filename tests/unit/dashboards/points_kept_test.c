// What a reader is told of a month before and after its raw figures were dropped.
#include "dashboards/points.h"
#include "store/reader_keep.h"
#include "tests/support/retain_rig.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAY      INT64_C(86400)
#define JANUARY  BENCH_NOW_S
#define FEBRUARY (JANUARY + 31 * DAY)

static struct points load(struct retain_rig *x, int64_t series_id, int64_t step_s, enum points_cf cf)
{
    const struct readers store = {.reader = x->reader, .observations = x->observed};
    struct points_request q = {.from = JANUARY, .to = FEBRUARY, .step_s = step_s, .cf = cf};
    struct board_row row = {.has_latest = true};
    const struct ledger_series *s;
    struct points p;
    struct diag d = {0};
    assert_int_equal(reader_series(x->reader, series_id, &s, &d), ERR_OK);
    row.series = *s;
    assert_int_equal(observations_latest(x->observed, series_id, &row.latest, &d), ERR_OK);
    if (points_load(&store, &row, &q, &p, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return p;
}

static int fill(void **state)
{
    if (retain_setup(state) != 0)
        return -1;
    struct retain_rig *x = *state;
    for (int day = 0; day < 31; day += 2) {
        retain_put_hour(x, JANUARY + day * DAY + 7200, JANUARY + day * DAY + 7200, 1000 + day);
        retain_put_hour(x, JANUARY + day * DAY + 36000, JANUARY + day * DAY + 36000, 5000 + day);
    }
    rig_settle(x->r);
    return 0;
}

static void drop(struct retain_rig *x)
{
    struct ledger_kept k;
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(reader_kept(x->reader, &k, NULL), ERR_OK);
    assert_int_equal(k.dropped_until_s, FEBRUARY);
}

static void coarser_steps_are_the_same_as_before(void **state)
{
    static const int64_t steps[] = {3600, 7200, 86400};
    struct retain_rig *x = *state;
    struct points before[2][3][5];
    for (int64_t id = 0; id < 2; id++)
        for (int s = 0; s < 3; s++)
            for (int cf = 0; cf < 5; cf++)
                before[id][s][cf] = load(x, id ? 4 : 1, steps[s], (enum points_cf)cf);
    drop(x);
    for (int64_t id = 0; id < 2; id++)
        for (int s = 0; s < 3; s++)
            for (int cf = 0; cf < 5; cf++) {
                struct points *was = &before[id][s][cf],
                              is = load(x, id ? 4 : 1, steps[s], (enum points_cf)cf);
                assert_int_equal(is.count, was->count);
                for (size_t i = 0; i < is.count; i++) {
                    double a = figure_to_real(was->at[i].value), b = figure_to_real(is.at[i].value);
                    assert_int_equal(is.at[i].time, was->at[i].time);
                    assert_int_equal(is.at[i].known, was->at[i].known);
                    assert_int_equal(is.at[i].span_s, 0);
                    assert_true(isnan(a) ? isnan(b) : id == 0 ? a == b : fabs(a - b) <= 1e-12 * fabs(a));
                }
                points_free(was);
                points_free(&is);
            }
}

static void finer_steps_show_the_hours_and_say_so(void **state)
{
    static const int64_t steps[] = {0, 60, 900};
    struct retain_rig *x = *state;
    drop(x);
    for (int s = 0; s < 3; s++) {
        struct points p = load(x, 1, steps[s], CF_SUM);
        size_t known = 0;
        for (size_t i = 0; i < p.count; i++) {
            assert_int_equal(p.at[i].span_s, 3600);
            assert_int_equal(p.at[i].time % 3600, 0);
            assert_true(i == 0 || p.at[i].time == p.at[i - 1].time + 3600);
            known += p.at[i].value.kind != FIGURE_MISSING;
        }
        assert_int_equal(known, 32);
        points_free(&p);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fill, retain_teardown)
    const struct CMUnitTest tests[] = {
        TEST(coarser_steps_are_the_same_as_before),
        TEST(finer_steps_show_the_hours_and_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
