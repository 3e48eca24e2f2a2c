#include "kpi/fraction.h"
#include "tests/support/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

static struct figure rounded(int128 top, int128 bottom)
{
    return fraction_rounded(fraction_ratio(top, bottom));
}

static void half_is_rounded_to_even(void **state)
{
    (void)state;
    assert_int_equal(rounded(1, 2).integer, 0);
    assert_int_equal(rounded(3, 2).integer, 2);
    assert_int_equal(rounded(5, 2).integer, 2);
    assert_int_equal(rounded(-1, 2).integer, 0);
    assert_int_equal(rounded(-3, 2).integer, -2);
    assert_int_equal(rounded(-5, 2).integer, -2);
    assert_int_equal(rounded(501, 200).integer, 3);
    assert_int_equal(rounded(499, 200).integer, 2);
    assert_int_equal(rounded(-501, -200).integer, 3);
    assert_int_equal(rounded((int128)1 << 70, 1).kind, FIGURE_MISSING);
    assert_int_equal(fraction_rounded(fraction_real(2.5)).integer, 2);
    assert_int_equal(fraction_rounded(fraction_missing()).kind, FIGURE_MISSING);
}

// Where both sides are doubles, the machine's own division rounds correctly: an independent answer.
static void the_nearest_double_is_taken(void **state)
{
    (void)state;
    struct random r = {20260314};
    for (int i = 0; i < 200000; i++) {
        int64_t top = (int64_t)(random_next(&r) >> (11 + random_next(&r) % 50));
        int64_t bottom = (int64_t)(random_next(&r) >> (11 + random_next(&r) % 50));
        if (bottom == 0)
            continue;
        double got = figure_to_real(fraction_figure(fraction_ratio(i % 2 ? top : -top, bottom)));
        double want = (double)(i % 2 ? top : -top) / (double)bottom;
        if (got != want)
            fail_msg("%lld / %lld: %.17g is not %.17g", (long long)top, (long long)bottom, got, want);
    }
    // Halfway between two doubles, and just beside it.
    int128 two = (int128)1 << 54;
    assert_true(figure_to_real(fraction_figure(fraction_ratio(two + 2, 1))) == 0x1p54);
    assert_true(figure_to_real(fraction_figure(fraction_ratio(two + 6, 1))) == 0x1p54 + 8);
    assert_true(figure_to_real(fraction_figure(fraction_ratio((two + 2) * 1000 + 1, 1000))) == 0x1p54 + 4);
    assert_true(figure_to_real(fraction_figure(fraction_ratio(1, (int128)1 << 126))) == 0x1p-126);
}

static void a_real_is_the_decimal_that_it_was_written_as(void **state)
{
    (void)state;
    static const double written[] = {55.9, 0.1, -12.345678901234567, 1e-7, 123456789.25, 2.5e15 + 0.5};
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        struct fraction f = fraction_of((struct figure){.kind = FIGURE_REAL, .real = written[i]});
        struct fraction mean =
            fraction_divide(fraction_multiply(f, fraction_whole(7919)), fraction_whole(7919));
        assert_true(figure_to_real(fraction_figure(mean)) == written[i]);
    }
    struct fraction tenth = fraction_of((struct figure){.kind = FIGURE_REAL, .real = 0.1});
    assert_true(tenth.exact && tenth.top == 1 && tenth.bottom == 10);
    struct fraction far = fraction_of((struct figure){.kind = FIGURE_REAL, .real = 1e-300});
    assert_true(far.known && !far.exact && far.real == 1e-300);
}

static void sums_and_products_keep_lowest_terms(void **state)
{
    (void)state;
    struct fraction sum = fraction_whole(0);
    for (int i = 1; i <= 100; i++)
        sum = fraction_add(sum, fraction_divide(fraction_whole(1), fraction_whole((int128)i * (i + 1))));
    assert_true(sum.exact && sum.top == 100 && sum.bottom == 101);
    struct fraction none = fraction_multiply(fraction_missing(), fraction_whole(0));
    assert_false(none.known); // missing is never zero
    assert_false(fraction_divide(fraction_whole(1), fraction_whole(0)).known);
    assert_true(fraction_subtract(fraction_ratio(1, 3), fraction_ratio(1, 3)).top == 0);
    struct fraction least = fraction_whole(-(((int128)1 << 126) - 1) * 2 - 2);
    assert_true(least.known && !least.exact && least.real == -0x1p127);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_is_rounded_to_even),
        cmocka_unit_test(the_nearest_double_is_taken),
        cmocka_unit_test(a_real_is_the_decimal_that_it_was_written_as),
        cmocka_unit_test(sums_and_products_keep_lowest_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
