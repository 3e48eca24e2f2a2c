// An answer that is JSON but nonsense must still be one line that a monitoring system can take apart. Found
// by the fuzz target check.
#include "dashboards/check/verdict.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct wall now = {INT64_C(1772366400) * US_PER_S};

static struct check_verdict judge(const char *answer)
{
    struct check_options o = {.series = "aztm/mill/jobs_total", .warn_text = "", .critical_text = ""};
    struct check_verdict v;
    check_judge(&o, answer, now, &v);
    return v;
}

static void a_period_cannot_end_the_line_or_begin_performance_data(void **state)
{
    (void)state;
    struct check_verdict v = judge("{\"series\":[{\"class\":\"report\",\"period\":\"month\",\"latest\":"
                                   "{\"value\":1,\"period\":\"a|b\\nc\",\"period_end\":1772323200}}]}");
    assert_int_equal(v.status, CHECK_OK);
    assert_null(strchr(v.line, '\n'));
    assert_ptr_equal(strchr(v.line, '|'), strrchr(v.line, '|'));
}

static void times_beyond_all_years_are_stale_and_not_calculated_with(void **state)
{
    (void)state;
    struct check_verdict v = judge("{\"series\":[{\"class\":\"measurement\",\"step\":9223372036854775807,"
                                   "\"latest\":{\"value\":1,\"time\":-9223372036854775808}}]}");
    assert_true(v.status == CHECK_UNKNOWN || v.status == CHECK_OK);
    v = judge("{\"series\":[{\"class\":\"measurement\",\"step\":10,"
              "\"latest\":{\"value\":1,\"time\":-9223372036854775808}}]}");
    assert_int_equal(v.status, CHECK_UNKNOWN);
}

static void a_total_that_no_figure_holds_is_printed_to_the_last_digit(void **state)
{
    (void)state;
    struct check_verdict v = judge(
        "{\"series\":[{\"currency\":\"KZT\",\"period\":\"month\",\"latest\":{\"value\":180143985094819.79,"
        "\"minor\":18014398509481979,\"period\":\"2026-02\",\"period_end\":1772323200}}]}");
    assert_int_equal(v.status, CHECK_OK);
    assert_non_null(strstr(v.line, "= 180143985094819.79 KZT (2026-02) | jobs_total=180143985094819.79;"));
    v = judge("{\"series\":[{\"unit\":\"piece\",\"period\":\"month\",\"latest\":{\"value\":18014398509481979,"
              "\"period\":\"2026-02\",\"period_end\":1772323200}}]}");
    assert_int_equal(v.status, CHECK_OK);
    assert_non_null(strstr(v.line, "= 18014398509481979 piece (2026-02)"));
    v = judge("{\"series\":[{\"period\":\"month\",\"latest\":{\"value\":18014398509481979000}}]}");
    assert_int_equal(v.status, CHECK_UNKNOWN);
    assert_non_null(strstr(v.line, "more digits than can be judged"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_period_cannot_end_the_line_or_begin_performance_data),
        cmocka_unit_test(times_beyond_all_years_are_stale_and_not_calculated_with),
        cmocka_unit_test(a_total_that_no_figure_holds_is_printed_to_the_last_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
