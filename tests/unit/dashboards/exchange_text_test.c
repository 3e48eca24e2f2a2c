// A refusal may quote the request: what it says is UTF-8 whatever came in, so that every form of it can be
// read. Found by the fuzz target dashboard_request.
#include "dashboards/exchange.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void bytes_that_are_no_text_become_question_marks(void **state)
{
    struct exchange x;
    (void)state;
    exchange_init(&x);
    assert_int_equal(exchange_fail(&x, 405, "%s is not allowed", "G\xbb\xab\xe2\x82T"), ERR_INVALID);
    assert_string_equal(x.problem, "G????T is not allowed");
    assert_int_equal(exchange_fail(&x, 400, "құн €"), ERR_INVALID);
    assert_string_equal(x.problem, "құн €");
    exchange_deinit(&x);
}

static void a_parameter_is_not_cut_inside_a_letter(void **state)
{
    struct exchange x;
    (void)state;
    exchange_init(&x);
    assert_int_equal(exchange_fail_param(&x, "aқққққққққққққққққққққ", "is wrong"), ERR_INVALID);
    assert_true(strlen(x.problem_param) == sizeof x.problem_param - 1);
    assert_string_equal(x.problem_param, "aққққққққққққққ"
                                         "қ");
    assert_int_equal(exchange_fail_param(&x, "aaқққққққққққққққққққ", "is wrong"), ERR_INVALID);
    assert_string_equal(x.problem_param, "aaққққққққққққққ?");
    exchange_deinit(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_no_text_become_question_marks),
        cmocka_unit_test(a_parameter_is_not_cut_inside_a_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
