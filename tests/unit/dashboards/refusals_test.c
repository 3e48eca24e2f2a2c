#include "base/clock.h"
#include "dashboards/refusals.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct refusals all;

static struct refusal of(bool known, const char *whose)
{
    struct refusal r = {.known = known};
    snprintf(r.whose, sizeof r.whose, "%s", whose);
    snprintf(r.who, sizeof r.who, "%s:%s", known ? "user" : "address", whose);
    snprintf(r.object, sizeof r.object, "/of/%s", whose);
    return r;
}

static void count(bool known, const char *whose, int64_t now_us)
{
    const struct refusal r = of(known, whose);
    refusals_count(&all, &r, now_us);
}

static int setup(void **state)
{
    (void)state;
    memset(&all, 0, sizeof all);
    return 0;
}

static void each_has_its_own_entry_whoever_else_is_refused(void **state)
{
    (void)state;
    struct refusal r;
    count(false, "10.0.0.1", US_PER_S);
    assert_true(refusals_take(&all, US_PER_S, false, &r));
    assert_string_equal(r.who, "address:10.0.0.1");
    for (int i = 0; i < 30; i++)
        count(true, "bek", US_PER_S + 1);
    assert_true(refusals_take(&all, US_PER_S + 1, false, &r));
    assert_string_equal(r.who, "user:bek");
    assert_int_equal(r.count, 30);
    assert_false(refusals_take(&all, US_PER_S + 1, false, &r));
}

static void a_burst_is_one_entry_a_second_with_its_number_and_newest_object(void **state)
{
    (void)state;
    struct refusal r;
    struct refusal newest = of(true, "bek");
    count(true, "bek", 0);
    assert_true(refusals_take(&all, 0, false, &r));
    count(true, "bek", 1);
    snprintf(newest.object, sizeof newest.object, "/newest");
    refusals_count(&all, &newest, 2);
    assert_false(refusals_take(&all, US_PER_S - 1, false, &r));
    assert_true(refusals_take(&all, US_PER_S, false, &r));
    assert_int_equal(r.count, 2);
    assert_string_equal(r.object, "/newest");
}

static void strangers_take_no_place_from_who_is_known_and_none_is_lost(void **state)
{
    (void)state;
    struct refusal r;
    char address[32];
    uint64_t told = 0, several = 0;
    for (int i = 0; i < 500; i++) {
        snprintf(address, sizeof address, "10.0.%d.%d", i / 250, i % 250);
        count(false, address, 5);
    }
    count(true, "bek", 6);
    assert_true(refusals_take(&all, 6, false, &r));
    assert_string_equal(r.who, "user:bek");
    unsigned at_once = 1;
    while (refusals_take(&all, 6, false, &r)) {
        at_once++;
        told += r.count;
    }
    assert_int_equal(at_once, REFUSALS_PER_S);
    while (refusals_take(&all, 6, true, &r)) {
        told += r.count;
        several += strcmp(r.who, "address:several") == 0 ? r.count : 0;
    }
    assert_int_equal(told, 500);
    assert_int_equal(several, 500 - REFUSALS_EACH);
    assert_int_equal(all.waiting, 0);
}

static void what_was_told_makes_room(void **state)
{
    (void)state;
    struct refusal r;
    char address[32];
    for (int i = 0; i < 4 * REFUSALS_EACH; i++) {
        snprintf(address, sizeof address, "10.0.0.%d", i);
        count(false, address, i * US_PER_S);
        assert_true(refusals_take(&all, i * US_PER_S, false, &r));
        assert_string_equal(r.whose, address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_has_its_own_entry_whoever_else_is_refused, setup),
        cmocka_unit_test_setup(a_burst_is_one_entry_a_second_with_its_number_and_newest_object, setup),
        cmocka_unit_test_setup(strangers_take_no_place_from_who_is_known_and_none_is_lost, setup),
        cmocka_unit_test_setup(what_was_told_makes_room, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
