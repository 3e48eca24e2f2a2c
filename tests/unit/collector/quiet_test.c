#include "collector/quiet.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_kind_is_said_once_a_second(void **state)
{
    (void)state;
    struct fake_clock c;
    struct quiet q = {0};
    fake_clock_init(&c, 0);
    assert_true(quiet_may_say(&q, &c.clock));
    assert_false(quiet_may_say(&q, &c.clock));
    fake_clock_advance_us(&c, US_PER_S);
    assert_true(quiet_may_say(&q, &c.clock));
}

static void a_burst_ends_and_begins_anew_after_ten_seconds(void **state)
{
    (void)state;
    struct fake_clock c;
    struct quiet_burst q = {0};
    fake_clock_init(&c, 0);
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < QUIET_BURST; i++)
            assert_true(quiet_may_say_some(&q, &c.clock));
        for (int i = 0; i < 1000; i++)
            assert_false(quiet_may_say_some(&q, &c.clock));
        fake_clock_advance_us(&c, 10 * US_PER_S);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kind_is_said_once_a_second),
        cmocka_unit_test(a_burst_ends_and_begins_anew_after_ten_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
