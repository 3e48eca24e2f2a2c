// The one table of counters, cursors, and moments as people write them.
#include "collector/counters.h"
#include "collector/cursor.h"
#include "collector/when.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_counter_has_a_name_of_its_own_a_unit_and_prose(void **state)
{
    (void)state;
    for (int i = 0; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = collector_counter_info((enum collector_counter)i);
        enum collector_counter found;
        assert_true(strlen(info->name) > 0 && strlen(info->unit) > 0 && strlen(info->prose) > 10);
        assert_int_equal(strspn(info->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(info->name));
        assert_int_equal(collector_counter_find(info->name, &found), ERR_OK);
        assert_int_equal(found, i); // no other has the name
    }
    for (int i = 0; i < GAUGE_COUNT; i++)
        assert_true(strlen(collector_gauge_info((enum collector_gauge)i)->prose) > 10);
    assert_int_equal(collector_counter_find("no_such", &(enum collector_counter){0}), ERR_NOT_FOUND);
}

static void every_reason_has_its_counter(void **state)
{
    (void)state;
    for (int r = WIRE_REASON_MALFORMED; r < WIRE_REASON_COUNT; r++) {
        const struct counter_info *info = collector_counter_info(collector_counter_of((enum wire_reason)r));
        char wanted[64] = "samples_refused_";
        strcat(wanted, wire_reason_name((enum wire_reason)r));
        for (char *p = wanted; *p; p++)
            *p = *p == '-' ? '_' : *p;
        assert_string_equal(info->name, wanted);
        assert_true(info->durable);
    }
}

static void counters_add_and_gauges_are_set(void **state)
{
    struct counters c;
    (void)state;
    collector_counters_init(&c);
    collector_count(&c, COUNTER_COMMITS, 2);
    collector_count(&c, COUNTER_COMMITS, 3);
    collector_count_set(&c, COUNTER_ACCEPTS_FAILED, 9);
    collector_gauge_set(&c, GAUGE_WAL_BYTES, -1);
    assert_int_equal(collector_counted(&c, COUNTER_COMMITS), 5);
    assert_int_equal(collector_counted(&c, COUNTER_ACCEPTS_FAILED), 9);
    assert_int_equal(collector_gauge(&c, GAUGE_WAL_BYTES), -1);
}

// ---- cursors ------------------------------------------------------------------------------------
static void *publish_later(void *ctx)
{
    for (uint64_t i = 1; i <= 100; i++)
        cursor_publish(ctx, i);
    return NULL;
}

static void a_cursor_wakes_who_waits_for_it(void **state)
{
    struct cursor *c;
    pthread_t thread;
    (void)state;
    assert_int_equal(cursor_create(0, &c), ERR_OK);
    assert_false(cursor_wait(c, 1, 0));
    assert_int_equal(pthread_create(&thread, NULL, publish_later, c), 0);
    assert_true(cursor_wait(c, 100, 60000));
    pthread_join(thread, NULL);
    assert_int_equal(cursor_position(c), 100);
    cursor_publish(c, 7);
    assert_int_equal(cursor_position(c), 7);
    cursor_destroy(c);
}

// ---- moments ------------------------------------------------------------------------------------
static void moments_are_read_as_people_write_them(void **state)
{
    static const struct {
        const char *text;
        int64_t begin, end; // -1: refused
    } rows[] = {
        {"now", 1767225600, 1767225600},
        {"-7d", 1767225600 - 7 * 86400, 1767225600 - 7 * 86400},
        {"-90s", 1767225600 - 90, 1767225600 - 90},
        {"2026", 1767225600, 1798761600},
        {"2026-01", 1767225600, 1769904000},
        {"2026-Q1", 1767225600, 1775001600},
        {"2026-01-01", 1767225600, 1767312000},
        {"2026-01-01T00:00:10Z", 1767225610, 1767225610},
        {"1767225600", 1767225600, 1767225600},
        {"2026-02-30T00:00:00Z", -1, -1},
        {"2026-01-01T25:00:00Z", -1, -1},
        {"2026-01-01T00:00:10", -1, -1},
        {"2026-01-01T00:00:10Zx", -1, -1},
        {"yesterday", -1, -1},
        {"-", -1, -1},
        {"", -1, -1},
        {"9999999999999999999", -1, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t begin = -1, end = -1;
        struct wall now = {INT64_C(1767225600) * US_PER_S};
        enum err e = collector_when(rows[i].text, now, false, &begin);
        if ((e == ERR_OK) != (rows[i].begin >= 0) || begin != rows[i].begin)
            fail_msg("'%s': %s, %lld", rows[i].text, err_name(e), (long long)begin);
        (void)!collector_when(rows[i].text, now, true, &end);
        assert_int_equal(end, rows[i].end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_counter_has_a_name_of_its_own_a_unit_and_prose),
        cmocka_unit_test(every_reason_has_its_counter),
        cmocka_unit_test(counters_add_and_gauges_are_set),
        cmocka_unit_test(a_cursor_wakes_who_waits_for_it),
        cmocka_unit_test(moments_are_read_as_people_write_them),
    };
    return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
