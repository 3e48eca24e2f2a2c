// When a projection rests, for how long, and that it never falls behind for it without end.
#include "collector/pace.h"
#include "tests/support/cmocka.h"

static struct mono at_ms(int64_t ms)
{
    return (struct mono){ms * US_PER_MS};
}

// A step from begun to now that has read everything committed by its beginning.
static int rest_after(struct pace *p, int64_t begun_ms, int64_t now_ms, bool pressed)
{
    return pace_rest_ms(p, at_ms(begun_ms), at_ms(now_ms), 100, 100, pressed, 500);
}

static void a_projection_does_not_rest_while_the_committer_keeps_up(void **state)
{
    (void)state;
    struct pace p = {0};
    assert_int_equal(rest_after(&p, 1000, 1100, false), 0);
}

static void under_pressure_it_rests_three_times_as_long_as_its_step_and_half_a_second_at_most(void **state)
{
    (void)state;
    struct pace p = {0};
    assert_int_equal(rest_after(&p, 1000, 1000, true), 0);
    assert_int_equal(rest_after(&p, 1000, 1007, true), 21);
    assert_int_equal(rest_after(&p, 1000, 9000, true), 500);
}

// 1,000 rows a second are committed and it reads half of them: after as long again as it may be behind, it
// is.
static void who_falls_behind_for_ten_seconds_rests_no_more_until_it_has_caught_up(void **state)
{
    (void)state;
    struct pace p = {0};
    int64_t ms = 100, rested_ms = 0;
    for (; pace_rest_ms(&p, at_ms(ms), at_ms(ms + 10), (uint64_t)ms / 2, (uint64_t)ms, true, 500) > 0;
         ms += 100)
        rested_ms = ms;
    assert_in_range(rested_ms, 2 * PACE_BEHIND_MAX_MS - 2000, 2 * PACE_BEHIND_MAX_MS + 2000);
    for (int i = 0; i < 200; i++, ms += 100) // however long, and however much comes
        assert_int_equal(
            pace_rest_ms(&p, at_ms(ms), at_ms(ms + 10), (uint64_t)rested_ms / 2, (uint64_t)ms, true, 500), 0);
    assert_int_equal(pace_rest_ms(&p, at_ms(ms), at_ms(ms + 10), (uint64_t)ms, (uint64_t)ms, true, 500), 30);
}

static void what_waits_for_the_end_has_its_turn_under_a_load_that_never_lets_it_come(void **state)
{
    (void)state;
    struct pace p = {0};
    int64_t ms = PACE_TURN_MS;
    assert_true(pace_turn(&p, at_ms(ms), true, 0));
    assert_true(pace_turn(&p, at_ms(ms + 1), true, 0));
    assert_false(pace_turn(&p, at_ms(ms + PACE_TURN_MS), false, 300));
    assert_true(pace_turn(&p, at_ms(ms + PACE_TURN_MS + 1), false, 300));
    assert_false(pace_turn(&p, at_ms(ms + PACE_TURN_MS + 2), false, 300));
    assert_true(pace_turn(&p, at_ms(ms + 2 * PACE_TURN_MS + 1), false, PACE_BEHIND_MAX_MS));
}

static void what_is_filled_anew_has_no_turn_before_it_is_nearly_done(void **state)
{
    (void)state;
    struct pace p = {0};
    for (int64_t ms = 0; ms < 100 * PACE_TURN_MS; ms += 1000) {
        assert_false(pace_turn(&p, at_ms(ms), false, INT64_C(1000) * 86400 * 365));
        assert_false(pace_turn(&p, at_ms(ms), false, PACE_UNREAD_MAX_MS + 1));
        assert_false(pace_turn(&p, at_ms(ms), false, -INT64_C(1000) * 86400)); // by a clock that is behind
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_projection_does_not_rest_while_the_committer_keeps_up),
        cmocka_unit_test(under_pressure_it_rests_three_times_as_long_as_its_step_and_half_a_second_at_most),
        cmocka_unit_test(who_falls_behind_for_ten_seconds_rests_no_more_until_it_has_caught_up),
        cmocka_unit_test(what_waits_for_the_end_has_its_turn_under_a_load_that_never_lets_it_come),
        cmocka_unit_test(what_is_filled_anew_has_no_turn_before_it_is_nearly_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
