// A flood of refusals is a few lines, and not one refusal is missing from their counts.
#include "collector/audit_tally.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

struct bench {
    struct fake_clock clock;
    struct audit_tally *tally;
    struct audit_entry out[AUDIT_TALLY_TAKE_MAX];
};

static void begin(struct bench *b)
{
    fake_clock_init(&b->clock, INT64_C(1772366400) * US_PER_S);
    assert_int_equal(audit_tally_create(&b->clock.clock, &b->tally), ERR_OK);
}

static void note(struct bench *b, const char *who, const char *object)
{
    audit_tally_note(b->tally, AUDIT_DECLARE, AUDIT_REFUSED, who, object, 1, "why");
}

// What is due, as lines and as a sum of their counts.
static uint64_t take(struct bench *b, bool all, size_t *lines)
{
    uint64_t sum = 0;
    size_t n;
    *lines = 0;
    while ((n = audit_tally_take(b->tally, all, b->out)) > 0) {
        for (size_t i = 0; i < n; i++)
            sum += b->out[i].count;
        *lines += n;
        audit_tally_taken(b->tally, true);
    }
    return sum;
}

static void the_first_refusal_is_a_line_within_a_second(void **state)
{
    struct bench b;
    size_t lines;
    (void)state;
    begin(&b);
    note(&b, "key:1", "park/a/b");
    assert_int_equal(take(&b, false, &lines), 0);
    fake_clock_advance_us(&b.clock, AUDIT_TALLY_FIRST_S * US_PER_S);
    assert_int_equal(take(&b, false, &lines), 1);
    assert_int_equal(lines, 1);
    assert_string_equal(b.out[0].who, "key:1");
    assert_string_equal(b.out[0].object, "park/a/b");
    assert_string_equal(b.out[0].detail, "why");
    audit_tally_destroy(b.tally);
}

static void what_repeats_within_a_minute_is_one_line_with_its_count(void **state)
{
    struct bench b;
    size_t lines;
    (void)state;
    begin(&b);
    uint64_t counted = 0, all_lines = 0;
    for (int second = 0; second < 180; second++) {
        for (int i = 0; i < 1000; i++)
            note(&b, "key:1", "x");
        fake_clock_advance_us(&b.clock, US_PER_S);
        counted += take(&b, false, &lines);
        all_lines += lines;
    }
    counted += take(&b, true, &lines);
    all_lines += lines;
    assert_int_equal(counted, 180000);
    assert_in_range(all_lines, 3, 5);
    audit_tally_destroy(b.tally);
}

static void names_made_up_by_the_million_are_bounded_and_counted(void **state)
{
    struct bench b;
    size_t lines;
    char who[40], object[40];
    (void)state;
    begin(&b);
    for (int i = 0; i < 20000; i++) {
        snprintf(who, sizeof who, "address:10.0.%d.%d", i / 256, i % 256);
        snprintf(object, sizeof object, "name%d", i);
        note(&b, who, object);
    }
    assert_int_equal(take(&b, true, &lines), 20000);
    assert_in_range(lines, 2, AUDIT_TALLY_OF_EVENT + 1);
    audit_tally_destroy(b.tally);
}

static void one_who_with_many_objects_leaves_room_for_the_others(void **state)
{
    struct bench b;
    size_t lines;
    char object[40];
    (void)state;
    begin(&b);
    for (int i = 0; i < 5000; i++) {
        snprintf(object, sizeof object, "name%d", i);
        note(&b, "key:1", object);
    }
    note(&b, "key:2", "mine");
    assert_int_equal(take(&b, true, &lines), 5001);
    assert_int_equal(lines, AUDIT_TALLY_OF_WHO + 2);
    bool found = false;
    for (size_t i = 0; i < lines; i++)
        found = found || (strcmp(b.out[i].who, "key:2") == 0 && strcmp(b.out[i].object, "mine") == 0);
    assert_true(found);
    audit_tally_destroy(b.tally);
}

static void what_could_not_be_stored_is_due_again(void **state)
{
    struct bench b;
    size_t lines;
    (void)state;
    begin(&b);
    note(&b, "key:1", "x");
    fake_clock_advance_us(&b.clock, 2 * US_PER_S);
    assert_int_equal(audit_tally_take(b.tally, false, b.out), 1);
    note(&b, "key:1", "x"); // meanwhile
    audit_tally_taken(b.tally, false);
    assert_int_equal(take(&b, false, &lines), 2);
    assert_int_equal(lines, 1);
    audit_tally_destroy(b.tally);
}

static void what_comes_while_a_line_is_stored_is_not_lost(void **state)
{
    struct bench b;
    size_t lines;
    (void)state;
    begin(&b);
    note(&b, "key:1", "x");
    assert_int_equal(audit_tally_take(b.tally, true, b.out), 1);
    note(&b, "key:1", "x");
    audit_tally_taken(b.tally, true);
    assert_int_equal(take(&b, true, &lines), 1);
    audit_tally_destroy(b.tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_refusal_is_a_line_within_a_second),
        cmocka_unit_test(what_repeats_within_a_minute_is_one_line_with_its_count),
        cmocka_unit_test(names_made_up_by_the_million_are_bounded_and_counted),
        cmocka_unit_test(one_who_with_many_objects_leaves_room_for_the_others),
        cmocka_unit_test(what_could_not_be_stored_is_due_again),
        cmocka_unit_test(what_comes_while_a_line_is_stored_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
