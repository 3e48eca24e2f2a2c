#include "dashboards/params.h"
#include "kpi/zone.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1772366400) // 2026-03-01T12:00:00Z

static void params_parse_time_takes_what_people_write(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t wanted;
    } good[] = {{"0", 0},
                {"1772366400", NOW},
                {"now", NOW},
                {"-10s", NOW - 10},
                {"-5m", NOW - 300},
                {"-6h", NOW - 21600},
                {"-30d", NOW - 2592000},
                {"-2w", NOW - 1209600},
                {"-3mo", NOW - 7776000},
                {"-1y", NOW - 31536000},
                {"2026-03-01", NOW - 43200},
                {"2026-03-01T12:00:00Z", NOW},
                {"2026-03-01T17:00:00+05:00", NOW},
                {"2026-03-01T07:30:00-04:30", NOW},
                {"2026-03-01T12:00:00.123Z", NOW},
                {"2024-02-29", 1709164800}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t v = -1;
        if (params_parse_time(good[i].text, NOW, NULL, &v) || v != good[i].wanted)
            fail_msg("%s: %lld", good[i].text, (long long)v);
    }
}

static void params_parse_time_refuses_everything_else(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "+1",
                                      "1.5",
                                      "0x10",
                                      "1e3",
                                      "-",
                                      "-d",
                                      "-1",
                                      "-1x",
                                      "-1D",
                                      "--1d",
                                      "-1d ",
                                      "-9999999999999d",
                                      "9999999999999",
                                      "2026-3-1",
                                      "2026-02-30",
                                      "2026-13-01",
                                      "2026-03",
                                      "2026-03-01T",
                                      "2026-03-01T12:00",
                                      "2026-03-01T12:00:00",
                                      "2026-03-01T24:00:00Z",
                                      "2026-03-01T12:60:00Z",
                                      "2026-03-01 12:00:00Z",
                                      "2026-03-01T12:00:00+25:00",
                                      "2026-03-01T12:00:00+0500",
                                      "2026-03-01T12:00:00.Z",
                                      "1969-12-31",
                                      "Now",
                                      "yesterday",
                                      "-60y"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t v = 42;
        if (!params_parse_time(bad[i], NOW, NULL, &v) || v != 42)
            fail_msg("'%s' was taken as %lld", bad[i], (long long)v);
    }
}

static void params_parse_step_takes_seconds_and_spans(void **state)
{
    (void)state;
    int64_t v = 0;
    assert_int_equal(params_parse_step("3600", &v), ERR_OK);
    assert_int_equal(v, 3600);
    assert_int_equal(params_parse_step("15m", &v), ERR_OK);
    assert_int_equal(v, 900);
    assert_int_equal(params_parse_step("1d", &v), ERR_OK);
    assert_int_equal(v, 86400);
    static const char *const bad[] = {"",   "0",    "0h", "-1h",  "1mo",
                                      "1y", "400d", "h",  "1.5h", "999999999999w"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!params_parse_step(bad[i], &v))
            fail_msg("'%s' was taken", bad[i]);
}

static void a_date_is_midnight_of_the_zone_on_both_sides_of_its_change(void **state)
{
    (void)state;
    struct zone *z = NULL;
    int64_t before, after;
    assert_int_equal(zone_load(NULL, "Asia/Almaty", &z, NULL), ERR_OK);
    assert_int_equal(params_parse_time("2024-02-29", NOW, z, &before), ERR_OK);
    assert_int_equal(params_parse_time("2024-03-01", NOW, z, &after), ERR_OK);
    assert_int_equal(after - before, 25 * 3600); // that day had 25 hours
    assert_int_equal(zone_offset(z, before), 6 * 3600);
    assert_int_equal(zone_offset(z, after + 3600), 5 * 3600);
    zone_free(z);
}

static void zones_are_refused_unless_they_are_names_of_tzdata(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "/etc/passwd", "../../../etc/passwd", "Asia/Nowhere", "Asia/Almaty ", "tzdata.zi"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct zone *z = NULL;
        if (!zone_load(NULL, bad[i], &z, NULL)) {
            zone_free(z);
            fail_msg("'%s' was loaded", bad[i]);
        }
    }
}

static void zone_to_utc_survives_a_skipped_hour(void **state)
{
    (void)state;
    struct zone *z = NULL;
    assert_int_equal(zone_load(NULL, "Europe/Berlin", &z, NULL), ERR_OK);
    int64_t utc = zone_to_utc(z, 1774749600 + 1800); // 02:30 local
    assert_int_equal(utc, 1774746000);               // the moment of the change, 01:00 UTC
    assert_int_equal(zone_to_utc(z, 1774742400), 1774742400 - 3600);
    zone_free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(params_parse_time_takes_what_people_write),
        cmocka_unit_test(params_parse_time_refuses_everything_else),
        cmocka_unit_test(params_parse_step_takes_seconds_and_spans),
        cmocka_unit_test(a_date_is_midnight_of_the_zone_on_both_sides_of_its_change),
        cmocka_unit_test(zones_are_refused_unless_they_are_names_of_tzdata),
        cmocka_unit_test(zone_to_utc_survives_a_skipped_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
