#include "base/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void wall_text_knows_the_calendar(void **state)
{
    (void)state;
    static const struct {
        int64_t s;
        const char *text;
    } table[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {1709164800, "2024-02-29T00:00:00Z"},
        {1772366400, "2026-03-01T12:00:00Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {-62167219200, "0000-01-01T00:00:00Z"},
        {253402300800, "invalid"},
        {-62167219201, "invalid"},
        {INT64_MAX / US_PER_S, "invalid"},
        {INT64_MIN / US_PER_S, "invalid"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[WALL_TEXT];
        wall_text((struct wall){table[i].s * US_PER_S}, text);
        assert_string_equal(text, table[i].text);
    }
}

static void wall_text_rounds_down_before_1970_too(void **state)
{
    (void)state;
    char text[WALL_TEXT];
    wall_text((struct wall){-1}, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    wall_text((struct wall){999999}, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
}

static void fake_clock_moves_only_when_told(void **state)
{
    (void)state;
    struct fake_clock f;
    fake_clock_init(&f, 5000);
    struct mono start = clock_mono(&f.clock);
    assert_int_equal(clock_wall(&f.clock).us, 5000);
    assert_int_equal(clock_mono(&f.clock).us, start.us);
    fake_clock_advance_us(&f, 2500 * US_PER_MS);
    assert_int_equal(clock_wall(&f.clock).us, 5000 + 2500000);
    assert_int_equal(mono_diff_ms(clock_mono(&f.clock), start), 2500);
}

static void fake_clock_step_leaves_the_monotonic_clock_alone(void **state)
{
    (void)state;
    struct fake_clock f;
    fake_clock_init(&f, 0);
    struct mono start = clock_mono(&f.clock);
    fake_clock_step_us(&f, -3600 * US_PER_S);
    assert_int_equal(clock_wall(&f.clock).us, -3600 * US_PER_S);
    assert_int_equal(clock_mono(&f.clock).us, start.us);
}

static void system_clock_goes_forward_and_is_of_this_century(void **state)
{
    (void)state;
    const struct clock *c = clock_system();
    struct mono a = clock_mono(c), b = clock_mono(c);
    assert_true(b.us >= a.us);
    assert_true(clock_wall(c).us > INT64_C(1700000000) * US_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_text_knows_the_calendar),
        cmocka_unit_test(wall_text_rounds_down_before_1970_too),
        cmocka_unit_test(fake_clock_moves_only_when_told),
        cmocka_unit_test(fake_clock_step_leaves_the_monotonic_clock_alone),
        cmocka_unit_test(system_clock_goes_forward_and_is_of_this_century),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
