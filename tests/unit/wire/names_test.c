#include "wire/names.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void wire_names_are_there_for_every_number_and_for_no_number(void **state)
{
    (void)state;
    for (int r = 0; r < WIRE_REASON_COUNT; r++) {
        assert_string_not_equal(wire_reason_name((enum wire_reason)r), "unknown");
        assert_string_not_equal(wire_reason_text((enum wire_reason)r), "unknown");
    }
    for (int r = 0; r < WIRE_REFUSE_COUNT; r++)
        assert_string_not_equal(wire_refuse_reason_name((enum wire_refuse_reason)r), "unknown");
    for (int r = WIRE_GAP_NONE; r <= WIRE_GAP_LOST_BY_COLLECTOR; r++)
        assert_string_not_equal(wire_gap_reason_name((enum wire_gap_reason)r), "unknown");
    for (int t = WIRE_BATCH; t <= WIRE_OBLIGATIONS; t++)
        assert_string_not_equal(wire_type_name((enum wire_type)t), "unknown");
    assert_string_equal(wire_reason_name((enum wire_reason)99), "unknown");
    assert_string_equal(wire_reason_text((enum wire_reason) - 1), "unknown");
    assert_string_equal(wire_type_name((enum wire_type)0), "unknown");
    assert_string_equal(wire_gap_reason_name((enum wire_gap_reason)5), "unknown");
    assert_string_equal(wire_refuse_reason_name(WIRE_REFUSE_COUNT), "unknown");
}

static void wire_names_are_what_scripts_know(void **state)
{
    (void)state;
    assert_string_equal(wire_reason_name(WIRE_REASON_FUTURE), "future");
    assert_string_equal(wire_reason_name(WIRE_REASON_OFF_STEP), "off-step");
    assert_string_equal(wire_gap_reason_name(WIRE_GAP_LOST_BY_COLLECTOR), "lost-by-collector");
    assert_string_equal(wire_refuse_reason_name(WIRE_REFUSE_OTHER_BODY), "other-body");
    assert_string_equal(wire_type_name(WIRE_NEED_DECLARE), "need-declare");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_names_are_there_for_every_number_and_for_no_number),
        cmocka_unit_test(wire_names_are_what_scripts_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
