#include "kpi/tally.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct figure whole(int64_t v)
{
    struct figure f;
    assert_int_equal(figure_from_integer(v, &f), ERR_OK);
    return f;
}

static struct figure real(double v)
{
    struct figure f;
    assert_int_equal(figure_from_real(v, &f), ERR_OK);
    return f;
}

static const char *text(const struct tally *t, int decimals)
{
    static char out[TALLY_TEXT];
    tally_text(t, decimals, out);
    return out;
}

static void whole_numbers_keep_their_last_digit_past_what_a_double_holds(void **state)
{
    (void)state;
    struct tally t = {0};
    for (int i = 0; i < 100000; i++)
        tally_add(&t, whole(FIGURE_INTEGER_MAX - 1));
    tally_add(&t, whole(7));
    assert_string_equal(text(&t, 0), "900719925474099100007");
    assert_string_equal(text(&t, 2), "9007199254740991000.07");
}

static void small_sums_are_written_with_all_their_decimals(void **state)
{
    (void)state;
    struct tally t = {0};
    assert_string_equal(text(&t, 2), "");
    tally_add(&t, figure_missing());
    assert_string_equal(text(&t, 2), "");
    tally_add(&t, whole(0));
    assert_string_equal(text(&t, 0), "0");
    assert_string_equal(text(&t, 2), "0.00");
    tally_add(&t, whole(-5));
    assert_string_equal(text(&t, 2), "-0.05");
    assert_string_equal(text(&t, 0), "-5");
    tally_add(&t, whole(1255));
    assert_string_equal(text(&t, 2), "12.50");
    assert_int_equal(t.missing, 1);
}

static void reals_and_whole_numbers_together_are_rounded_once(void **state)
{
    (void)state;
    struct tally t = {0};
    tally_add(&t, whole(FIGURE_INTEGER_MAX));
    tally_add(&t, whole(FIGURE_INTEGER_MAX));
    for (int i = 0; i < 10; i++)
        tally_add(&t, real(0.1)); // ten of the double next to 0.1 come to a little more than 1
    assert_int_equal(tally_sum(&t).kind, FIGURE_REAL);
    assert_true(figure_to_real(tally_sum(&t)) == 18014398509481984.0);
    tally_add(&t, whole(-FIGURE_INTEGER_MAX));
    tally_add(&t, whole(-FIGURE_INTEGER_MAX));
    assert_true(figure_equal(tally_sum(&t), whole(1)));
}

static void a_sum_does_not_depend_on_the_sums_in_between(void **state)
{
    (void)state;
    struct tally all = {0}, months = {0}, month = {0};
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 3000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        struct figure f =
            seed % 3 ? real((double)(int64_t)(seed >> 20) / 1000.0) : whole((int64_t)(seed >> 12));
        tally_add(&all, f);
        tally_add(&month, f);
        if (i % 31 == 30) {
            tally_merge(&months, &month);
            month = (struct tally){0};
        }
    }
    tally_merge(&months, &month);
    assert_true(figure_equal(tally_sum(&all), tally_sum(&months)));
    assert_int_equal(all.count, months.count);
    assert_true(figure_equal(all.min, months.min));
    assert_true(figure_equal(all.max, months.max));
    assert_true(figure_equal(all.last, months.last));
}

static void what_is_missing_is_counted_and_is_no_zero(void **state)
{
    (void)state;
    struct tally t = {0}, none = {.missing = 2};
    tally_merge(&t, &none);
    assert_int_equal(tally_sum(&t).kind, FIGURE_MISSING);
    assert_int_equal(tally_average(&t).kind, FIGURE_MISSING);
    tally_add(&t, whole(-4));
    tally_merge(&t, &none);
    assert_true(figure_equal(t.min, whole(-4)));
    assert_true(figure_equal(t.last, whole(-4)));
    assert_int_equal(t.missing, 4);
    tally_add(&t, whole(1));
    assert_true(figure_equal(tally_average(&t), real(-1.5)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_keep_their_last_digit_past_what_a_double_holds),
        cmocka_unit_test(small_sums_are_written_with_all_their_decimals),
        cmocka_unit_test(reals_and_whole_numbers_together_are_rounded_once),
        cmocka_unit_test(a_sum_does_not_depend_on_the_sums_in_between),
        cmocka_unit_test(what_is_missing_is_counted_and_is_no_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
