// Known moments of tzdata: Almaty moved from UTC+6 to UTC+5 on 2024-03-01.
#include "kpi/zone.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kpi/period.h"
#include <string.h>

#define HOUR 3600

static struct zone *load(const char *name)
{
    struct zone *z = NULL;
    struct diag d = {""};
    if (zone_load(NULL, name, &z, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return z;
}

static int32_t day(int year, int month, int day_of_month)
{
    return civil_to_days((struct civil){year, month, day_of_month});
}

static void the_day_before_almaty_changed_has_25_hours(void **state)
{
    (void)state;
    struct zone *z = load("Asia/Almaty");
    int32_t leap = day(2024, 2, 29);
    int64_t begin = zone_midnight(z, leap), end = zone_midnight(z, leap + 1);
    assert_int_equal(begin, (int64_t)leap * 86400 - 6 * HOUR);
    assert_int_equal(end - begin, 25 * HOUR);
    assert_int_equal(zone_midnight(z, leap + 2) - end, 24 * HOUR);
    assert_int_equal(zone_day(z, begin - 1), leap - 1);
    assert_int_equal(zone_day(z, begin), leap);
    assert_int_equal(zone_day(z, end - 1), leap);
    assert_int_equal(zone_day(z, end), leap + 1);
    zone_free(z);
}

static void a_midnight_that_the_clock_skips_is_the_moment_of_the_skip(void **state)
{
    (void)state;
    struct zone *z = load("America/Sao_Paulo"); // 2018-11-04 00:00 became 01:00
    int32_t spring = day(2018, 11, 4);
    assert_int_equal(zone_midnight(z, spring + 1) - zone_midnight(z, spring), 23 * HOUR);
    assert_int_equal(zone_day(z, zone_midnight(z, spring)), spring);
    assert_int_equal(zone_day(z, zone_midnight(z, spring) - 1), spring - 1);
    zone_free(z);
}

static void days_follow_each_other_without_a_hole_in_every_parks_zone(void **state)
{
    (void)state;
    static const char *const names[] = {"Asia/Almaty",   "Asia/Tashkent",     "Asia/Bishkek", "Europe/Moscow",
                                        "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata"};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        struct zone *z = load(names[n]);
        for (int32_t d = day(1990, 1, 1); d < day(2037, 1, 1); d++) {
            int64_t begin = zone_midnight(z, d), end = zone_midnight(z, d + 1);
            if (zone_day(z, begin) != d || zone_day(z, end - 1) != d || end - begin < 22 * HOUR ||
                end - begin > 26 * HOUR)
                fail_msg("%s, day %d: %lld to %lld", names[n], (int)d, (long long)begin, (long long)end);
        }
        zone_free(z);
    }
}

static void a_zone_off_by_half_hours_is_told_from_one_of_whole_hours(void **state)
{
    (void)state;
    struct diag d = {""};
    bool quarters = false;
    assert_int_equal(zone_has_quarters("Asia/Kolkata", 0, &quarters, &d), ERR_OK);
    assert_true(quarters);
    assert_int_equal(zone_has_quarters("Asia/Almaty", 0, &quarters, &d), ERR_OK);
    assert_false(quarters);
    assert_int_equal(zone_has_quarters("Asia/Almaty", INT64_C(-3000000000), &quarters, &d), ERR_OK);
    assert_true(quarters); // its own mean time, until 1924
    assert_int_equal(zone_has_quarters("No/Such", 0, &quarters, &d), ERR_NOT_FOUND);
    assert_int_equal(zone_has_quarters("../passwd", 0, &quarters, &d), ERR_INVALID);
    assert_int_equal(zone_has_quarters("/etc/passwd", 0, &quarters, &d), ERR_INVALID);
}

static void a_zones_version_tells_zones_apart(void **state)
{
    (void)state;
    struct zone *almaty = load("Asia/Almaty"), *again = load("Asia/Almaty"),
                *tashkent = load("Asia/Tashkent");
    char a[ZONE_VERSION], b[ZONE_VERSION], c[ZONE_VERSION];
    zone_version(almaty, a);
    zone_version(again, b);
    zone_version(tashkent, c);
    assert_string_equal(a, b);
    assert_string_equal(zone_name(tashkent), "Asia/Tashkent");
    assert_string_not_equal(strchr(a, ' '), strchr(c, ' '));
    zone_version(NULL, a);
    assert_int_equal(strncmp(a, "UTC ", 4), 0);
    zone_free(almaty);
    zone_free(again);
    zone_free(tashkent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_day_before_almaty_changed_has_25_hours),
        cmocka_unit_test(a_midnight_that_the_clock_skips_is_the_moment_of_the_skip),
        cmocka_unit_test(days_follow_each_other_without_a_hole_in_every_parks_zone),
        cmocka_unit_test(a_zone_off_by_half_hours_is_told_from_one_of_whole_hours),
        cmocka_unit_test(a_zones_version_tells_zones_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
