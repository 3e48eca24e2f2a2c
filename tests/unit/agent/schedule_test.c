#include "agent/schedule.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define T0 INT64_C(1772366400) // a multiple of 600

static struct wall at(int64_t s)
{
    return (struct wall){s * US_PER_S};
}

static bool take(struct schedule *s, int64_t now_s, int64_t *tick)
{
    *tick = -1;
    return schedule_take(s, at(now_s), tick);
}

static void ticks_are_multiples_of_every_since_1970(void **state)
{
    (void)state;
    static const struct {
        int64_t every_s, now_s, tick_s, next_s;
    } cases[] = {
        {10, 0, 0, 10},       {10, 9, 0, 10},   {10, 10, 10, 20},  {60, 125, 120, 180},
        {86400, 1, 0, 86400}, {10, -1, -10, 0}, {10, -10, -10, 0}, {7, 20, 14, 21},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct schedule s;
        schedule_init(&s, cases[i].every_s);
        assert_int_equal(schedule_tick(&s, at(cases[i].now_s)), cases[i].tick_s);
        assert_int_equal(schedule_next(&s, at(cases[i].now_s)).us, cases[i].next_s * US_PER_S);
    }
}

static void each_tick_is_taken_once(void **state)
{
    (void)state;
    struct schedule s;
    int64_t tick;
    schedule_init(&s, 10);
    for (int64_t now = T0; now < T0 + 100; now++)
        assert_int_equal(take(&s, now, &tick), now % 10 == 0);
    assert_int_equal(s.missed, 0);
    assert_int_equal(s.count, 1);
}

static void missed_ticks_are_counted_and_not_invented(void **state)
{
    (void)state;
    struct schedule s;
    int64_t tick;
    schedule_init(&s, 10);
    assert_true(take(&s, T0, &tick));
    assert_true(take(&s, T0 + 57, &tick));
    assert_int_equal(tick, T0 + 50);
    assert_int_equal(s.missed, 4);
    assert_false(take(&s, T0 + 58, &tick));
}

static void a_clock_set_back_gives_no_tick_twice(void **state)
{
    (void)state;
    struct schedule s;
    int64_t tick;
    schedule_init(&s, 10);
    for (int64_t now = T0; now <= T0 + 50; now += 10)
        assert_true(take(&s, now, &tick));
    for (int64_t now = T0 + 20; now <= T0 + 59; now++)
        assert_false(take(&s, now, &tick));
    assert_true(take(&s, T0 + 60, &tick));
    assert_int_equal(s.missed, 0);
}

static void a_clock_that_ran_ahead_and_is_set_right_goes_on_at_once(void **state)
{
    (void)state;
    struct schedule s;
    int64_t tick, year = 365 * 86400;
    schedule_init(&s, 10);
    assert_true(take(&s, T0, &tick));
    assert_true(take(&s, T0 + year, &tick));
    assert_true(take(&s, T0 + year + 10, &tick));
    assert_true(take(&s, T0 + 10, &tick));
    assert_true(take(&s, T0 + 20, &tick));
    assert_false(take(&s, T0, &tick));
    assert_false(take(&s, T0 + year + 10, &tick));
    assert_true(take(&s, T0 + year + 20, &tick));
    assert_int_equal(s.count, 2);
}

static void intervals_that_meet_become_one(void **state)
{
    (void)state;
    struct schedule s;
    int64_t tick;
    schedule_init(&s, 10);
    assert_true(take(&s, T0, &tick));
    assert_true(take(&s, T0 + 20, &tick));
    assert_int_equal(s.count, 2);
    assert_true(take(&s, T0 + 10, &tick));
    assert_int_equal(s.count, 1);
    assert_true(take(&s, T0 - 10, &tick));
    assert_int_equal(s.count, 1);
}

static void too_many_intervals_make_the_oldest_two_one(void **state)
{
    (void)state;
    struct schedule s;
    int64_t tick;
    schedule_init(&s, 10);
    for (int64_t i = 0; i < 2 * SCHEDULE_INTERVALS; i++)
        assert_true(take(&s, T0 + i * 100, &tick));
    assert_int_equal(s.count, SCHEDULE_INTERVALS);
    for (int64_t i = 0; i < 2 * SCHEDULE_INTERVALS; i++)
        assert_false(take(&s, T0 + i * 100, &tick));
    assert_false(take(&s, T0 + 50, &tick)); // inside what was joined: safe rather than exact
    assert_true(take(&s, T0 + 1450, &tick));
}

static void a_tick_between_the_two_that_become_one_leaves_the_intervals_in_order(void **state)
{
    (void)state;
    struct schedule s, back;
    int64_t tick;
    uint8_t bytes[SCHEDULE_BYTES_MAX];
    schedule_init(&s, 10);
    for (int64_t i = 0; i < SCHEDULE_INTERVALS; i++)
        assert_true(take(&s, T0 + i * 100, &tick));
    assert_true(take(&s, T0 + 50, &tick)); // all places are taken
    assert_false(take(&s, T0 + 50, &tick));
    assert_int_equal(s.count, SCHEDULE_INTERVALS - 1);
    size_t len = schedule_encode(&s, bytes);
    assert_int_equal(schedule_decode(&back, bytes, len), ERR_OK);
}

static void stored_and_read_back_it_knows_what_is_done_and_counts_what_was_missed(void **state)
{
    (void)state;
    struct schedule s, back;
    int64_t tick;
    uint8_t bytes[SCHEDULE_BYTES_MAX];
    schedule_init(&s, 10);
    assert_true(take(&s, T0, &tick));
    assert_true(take(&s, T0 + 10, &tick));
    size_t len = schedule_encode(&s, bytes);
    schedule_init(&back, 10);
    assert_int_equal(schedule_decode(&back, bytes, len), ERR_OK);
    assert_false(take(&back, T0 + 10, &tick));
    assert_true(take(&back, T0 + 60, &tick));
    assert_int_equal(back.missed, 4);
}

static void another_every_keeps_the_intervals_in_order(void **state)
{
    (void)state;
    struct schedule s, back;
    int64_t tick;
    uint8_t bytes[SCHEDULE_BYTES_MAX];
    schedule_init(&s, 10);
    for (int64_t now = T0; now <= T0 + 50; now += 10)
        assert_true(take(&s, now, &tick));
    size_t len = schedule_encode(&s, bytes);
    schedule_init(&back, 60);
    assert_int_equal(schedule_decode(&back, bytes, len), ERR_OK);
    assert_true(take(&back, T0 + 60, &tick));
    assert_true(take(&back, T0 + 120, &tick));
    assert_int_equal(back.count, 1);
    len = schedule_encode(&back, bytes);
    assert_int_equal(schedule_decode(&back, bytes, len), ERR_OK);
}

static void bytes_that_are_no_schedule_are_refused(void **state)
{
    (void)state;
    struct schedule s;
    int64_t tick;
    uint8_t bytes[SCHEDULE_BYTES_MAX] = {0};
    schedule_init(&s, 10);
    assert_int_equal(schedule_decode(&s, bytes, 0), ERR_INVALID);
    bytes[0] = SCHEDULE_INTERVALS + 1;
    assert_int_equal(schedule_decode(&s, bytes, sizeof bytes), ERR_INVALID);
    bytes[0] = 1;
    assert_int_equal(schedule_decode(&s, bytes, 16), ERR_INVALID);
    bytes[1] = 9; // first after last
    assert_int_equal(schedule_decode(&s, bytes, 17), ERR_INVALID);
    bytes[8] = bytes[16] = 0x80; // longer ago than any clock can stand
    bytes[9] = 9;
    assert_int_equal(schedule_decode(&s, bytes, 17), ERR_INVALID);
    assert_true(take(&s, T0, &tick));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_multiples_of_every_since_1970),
        cmocka_unit_test(each_tick_is_taken_once),
        cmocka_unit_test(missed_ticks_are_counted_and_not_invented),
        cmocka_unit_test(a_clock_set_back_gives_no_tick_twice),
        cmocka_unit_test(a_clock_that_ran_ahead_and_is_set_right_goes_on_at_once),
        cmocka_unit_test(intervals_that_meet_become_one),
        cmocka_unit_test(too_many_intervals_make_the_oldest_two_one),
        cmocka_unit_test(a_tick_between_the_two_that_become_one_leaves_the_intervals_in_order),
        cmocka_unit_test(stored_and_read_back_it_knows_what_is_done_and_counts_what_was_missed),
        cmocka_unit_test(another_every_keeps_the_intervals_in_order),
        cmocka_unit_test(bytes_that_are_no_schedule_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
