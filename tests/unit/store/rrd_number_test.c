// The texts given to librrd, judged by librrd's own parser and by the multiplication that follows it.
#include "store/rrd_number.h"
#include "tests/support/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double rrd_strtod(const char *text, char **end); // exported by librrd, declared in none of its public headers

static const uint32_t steps[] = {10, 60, 300, 3600, 86400};
#define STEPS (sizeof steps / sizeof steps[0])

static int64_t ulps_off(double value, uint32_t step_s)
{
    char text[RRD_NUMBER_TEXT];
    int64_t x, y;
    rrd_number_text(value, step_s, text);
    assert_null(strpbrk(text, ".,"));
    double stored = rrd_strtod(text, NULL) * step_s / step_s;
    memcpy(&x, &value, sizeof x);
    memcpy(&y, &stored, sizeof y);
    return llabs(x - y);
}

static void whole_numbers_are_exact_up_to_the_bound_of_the_step(void **state)
{
    (void)state;
    static const int64_t odd[] = {5, 15, 75, 225, 675};
    struct random random = {1};
    for (size_t s = 0; s < STEPS; s++)
        for (int i = 0; i < 20000; i++) {
            int64_t bound = (INT64_C(1) << 53) / odd[s] - 1;
            int64_t most = bound >> random_below(&random, 40);
            int64_t v = i == 0 ? bound : (int64_t)random_below(&random, (uint64_t)most + 1);
            assert_int_equal(ulps_off((double)v, steps[s]), 0);
            if (v != 0)
                assert_int_equal(ulps_off(-(double)v, steps[s]), 0);
        }
}

static void decimals_as_people_write_them_are_within_one_ulp(void **state)
{
    (void)state;
    struct random random = {2};
    for (int i = 0; i < 200000; i++) {
        char text[40];
        int decimals = 1 + (int)random_below(&random, 6);
        uint64_t whole = random_below(&random, UINT64_C(1) << random_below(&random, 27));
        snprintf(text, sizeof text, "%llu.%0*llu", (unsigned long long)whole, decimals,
                 (unsigned long long)random_below(&random, (uint64_t)llround(pow(10, decimals))));
        double v = strtod(text, NULL);
        int64_t off = ulps_off(v, steps[i % (int)STEPS]);
        if (off > 1)
            fail_msg("%s at step %u is %lld off", text, steps[i % (int)STEPS], (long long)off);
    }
}

static void any_other_value_is_within_two_ulps_and_nearly_all_within_one(void **state)
{
    (void)state;
    struct random random = {3};
    int two = 0;
    for (int i = 0; i < 100000; i++) {
        double v = ldexp((double)(random_next(&random) >> 11), (int)random_below(&random, 60) - 60);
        int64_t off = ulps_off(v, steps[i % (int)STEPS]);
        assert_true(off <= 2);
        two += off == 2;
    }
    assert_true(two < 1500);
}

static void the_ends_of_the_range_are_near(void **state)
{
    (void)state;
    static const double values[] = {DBL_MIN, 1e-300, 1e-30, 0.1, 1e17 + 16, 1e22, 1e23, 1e300};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (size_t s = 0; s < STEPS; s++) {
            char text[RRD_NUMBER_TEXT];
            rrd_number_text(values[i], steps[s], text);
            assert_true(fabs(rrd_strtod(text, NULL) / values[i] - 1) < 1e-14);
        }
    char text[RRD_NUMBER_TEXT];
    rrd_number_text(5e-324, 10, text);
    assert_true(rrd_strtod(text, NULL) < 1e-320);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_exact_up_to_the_bound_of_the_step),
        cmocka_unit_test(decimals_as_people_write_them_are_within_one_ulp),
        cmocka_unit_test(any_other_value_is_within_two_ulps_and_nearly_all_within_one),
        cmocka_unit_test(the_ends_of_the_range_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
