// Sums that lose nothing.
#include "base/sum.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static double sum_of(const double *v, size_t count, double *low)
{
    struct sum s = {0};
    for (size_t i = 0; i < count; i++)
        sum_add(&s, v[i]);
    return sum_value_and_rest(&s, low);
}

static void an_empty_sum_is_zero(void **state)
{
    double low = 1;
    (void)state;
    assert_true(sum_of(NULL, 0, &low) == 0 && low == 0);
}

static void what_a_running_total_loses_is_kept(void **state)
{
    const double v[] = {1e16, 1, -1e16, 1};
    double low;
    (void)state;
    assert_true(sum_of(v, 4, &low) == 2 && low == 0);
    const double tenths[] = {.1, .1, .1, .1, .1, .1, .1, .1, .1, .1};
    assert_true(sum_of(tenths, 10, &low) == 1.0 && low != 0);
}

static void the_order_does_not_matter(void **state)
{
    double v[500], low, back_low, back;
    uint64_t seed = 88172645463325252u;
    (void)state;
    for (size_t i = 0; i < 500; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        v[i] = ldexp((double)(seed >> 11), (int)(seed % 60) - 60) * (seed & 1 ? 1 : -1);
    }
    double high = sum_of(v, 500, &low);
    for (size_t i = 0; i < 250; i++) {
        double kept = v[i];
        v[i] = v[499 - i];
        v[499 - i] = kept;
    }
    back = sum_of(v, 500, &back_low);
    assert_true(high == back && low == back_low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_sum_is_zero),
        cmocka_unit_test(what_a_running_total_loses_is_kept),
        cmocka_unit_test(the_order_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
