// The civil arithmetic is held against a walk through every day of the years 1 to 9999 that knows nothing but
// the lengths of the months and the rule of leap years, and against the C library's gmtime.
#include "kpi/period.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct walker {
    struct civil day;
    int32_t number, month_start, quarter_start, year_start;
};

static int32_t month_length(int32_t year, int32_t month)
{
    static const int32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return lengths[month - 1] + (month == 2 && leap);
}

static void walk(struct walker *w)
{
    w->number++;
    if (++w->day.day <= month_length(w->day.year, w->day.month))
        return;
    w->day.day = 1;
    w->month_start = w->number;
    if (++w->day.month > 12) {
        w->day.month = 1;
        w->day.year++;
        w->year_start = w->number;
    }
    if (w->day.month == 1 || w->day.month == 4 || w->day.month == 7 || w->day.month == 10)
        w->quarter_start = w->number;
}

static struct walker first_day(void)
{
    return (struct walker){{1, 1, 1}, CIVIL_DAY_MIN, CIVIL_DAY_MIN, CIVIL_DAY_MIN, CIVIL_DAY_MIN};
}

static bool same(struct civil a, struct civil b)
{
    return a.year == b.year && a.month == b.month && a.day == b.day;
}

static void civil_days_agree_with_a_walk_through_every_day_of_0001_to_9999(void **state)
{
    (void)state;
    struct walker w = first_day();

    for (; w.day.year <= 9999; walk(&w)) {
        if (civil_to_days(w.day) != w.number || !same(civil_from_days(w.number), w.day) ||
            !civil_valid(w.day))
            fail_msg("%d-%d-%d is day %d", w.day.year, w.day.month, w.day.day, w.number);
    }
    assert_int_equal(w.number, CIVIL_DAY_MAX + 1);
}

static void civil_days_agree_with_gmtime(void **state)
{
    (void)state;
    for (int32_t day = CIVIL_DAY_MIN; day <= CIVIL_DAY_MAX; day += 7) {
        time_t seconds = (time_t)day * 86400;
        struct tm tm;
        struct civil c = civil_from_days(day);
        assert_non_null(gmtime_r(&seconds, &tm));
        if (tm.tm_year + 1900 != c.year || tm.tm_mon + 1 != c.month || tm.tm_mday != c.day)
            fail_msg("day %d is %d-%d-%d", day, c.year, c.month, c.day);
    }
}

static void civil_days_of_known_dates(void **state)
{
    (void)state;
    static const struct {
        struct civil c;
        int32_t days;
    } table[] = {{{1970, 1, 1}, 0},
                 {{1969, 12, 31}, -1},
                 {{2000, 2, 29}, 11016},
                 {{2024, 2, 29}, 19782},
                 {{2024, 3, 1}, 19783},
                 {{1, 1, 1}, CIVIL_DAY_MIN},
                 {{9999, 12, 31}, CIVIL_DAY_MAX}};

    for (size_t i = 0; i < COUNT(table); i++) {
        assert_int_equal(civil_to_days(table[i].c), table[i].days);
        assert_true(same(civil_from_days(table[i].days), table[i].c));
    }
}

static void civil_valid_knows_leap_years_and_the_range(void **state)
{
    (void)state;
    static const struct civil bad[] = {
        {2023, 2, 29}, {1900, 2, 29}, {2100, 2, 29},     {2024, 2, 30},
        {2024, 4, 31}, {2024, 0, 1},  {2024, 13, 1},     {2024, 1, 0},
        {2024, 1, 32}, {0, 12, 31},   {10000, 1, 1},     {-1, 1, 1},
        {2024, -1, 1}, {2024, 1, -1}, {INT32_MAX, 1, 1}, {INT32_MIN, INT32_MIN, INT32_MIN}};
    static const struct civil good[] = {
        {2024, 2, 29}, {2000, 2, 29}, {1, 1, 1}, {9999, 12, 31}, {1600, 2, 29}};

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(civil_valid(bad[i]));
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(civil_valid(good[i]));
}

static void expect_containing(enum period_kind kind, int32_t day, int32_t start)
{
    struct period p = period_containing(kind, day);

    if (p.kind != kind || p.start != start || period_is_start(kind, day) != (day == start))
        fail_msg("%s containing day %d starts at %d, not %d", period_kind_name(kind), day, p.start, start);
}

static void periods_of_every_day_agree_with_the_walk(void **state)
{
    (void)state;
    for (struct walker w = first_day(); w.day.year <= 9999; walk(&w)) {
        expect_containing(PERIOD_DAY, w.number, w.number);
        expect_containing(PERIOD_MONTH, w.number, w.month_start);
        expect_containing(PERIOD_QUARTER, w.number, w.quarter_start);
        expect_containing(PERIOD_YEAR, w.number, w.year_start);
    }
}

// One period ends where the next begins, and going back returns.
static void expect_neighbours(enum period_kind kind, int32_t start, int32_t next)
{
    struct period p = {.kind = kind, .start = start};
    struct period after = {.kind = kind, .start = next};

    if (period_end(p) != next || period_next(p).start != next || period_previous(after).start != start ||
        !period_valid(p))
        fail_msg("%s %d does not run to %d", period_kind_name(kind), start, next);
}

static void periods_follow_each_other_without_gap_over_the_whole_range(void **state)
{
    (void)state;
    struct walker before = first_day();
    struct walker w = before;

    for (walk(&w); w.day.year <= 9999; walk(&w)) {
        expect_neighbours(PERIOD_DAY, before.number, w.number);
        if (w.month_start != before.month_start)
            expect_neighbours(PERIOD_MONTH, before.month_start, w.month_start);
        if (w.quarter_start != before.quarter_start)
            expect_neighbours(PERIOD_QUARTER, before.quarter_start, w.quarter_start);
        if (w.year_start != before.year_start)
            expect_neighbours(PERIOD_YEAR, before.year_start, w.year_start);
        before = w;
    }
}

static void period_text_reads_back(void **state)
{
    (void)state;
    for (struct walker w = first_day(); w.day.year <= 9999; walk(&w)) {
        for (enum period_kind kind = PERIOD_DAY; kind <= PERIOD_YEAR; kind++) {
            char text[PERIOD_TEXT];
            struct period back;
            if (!period_is_start(kind, w.number) || (kind == PERIOD_DAY && w.number % 11 != 0))
                continue;
            period_text((struct period){kind, w.number}, text);
            if (period_parse(text, &back) != ERR_OK || back.kind != kind || back.start != w.number)
                fail_msg("%s does not read back", text);
        }
    }
}

static void period_parses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum period_kind kind;
        struct civil first;
    } table[] = {
        {"2026", PERIOD_YEAR, {2026, 1, 1}},        {"0001", PERIOD_YEAR, {1, 1, 1}},
        {"9999", PERIOD_YEAR, {9999, 1, 1}},        {"2026-Q1", PERIOD_QUARTER, {2026, 1, 1}},
        {"2026-Q2", PERIOD_QUARTER, {2026, 4, 1}},  {"2026-Q3", PERIOD_QUARTER, {2026, 7, 1}},
        {"2026-Q4", PERIOD_QUARTER, {2026, 10, 1}}, {"2026-03", PERIOD_MONTH, {2026, 3, 1}},
        {"2026-12", PERIOD_MONTH, {2026, 12, 1}},   {"2026-03-14", PERIOD_DAY, {2026, 3, 14}},
        {"2024-02-29", PERIOD_DAY, {2024, 2, 29}},  {"9999-12-31", PERIOD_DAY, {9999, 12, 31}},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct period p;
        char text[PERIOD_TEXT];
        assert_int_equal(period_parse(table[i].text, &p), ERR_OK);
        assert_int_equal(p.kind, table[i].kind);
        assert_int_equal(p.start, civil_to_days(table[i].first));
        period_text(p, text);
        assert_string_equal(text, table[i].text);
    }
}

static void period_refuses_and_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",           " ",           "2",           "26",         "202",
        "20266",      "2026 ",       " 2026",       "2026-",      "2026-1",
        "2026-00",    "2026-13",     "2026-3",      "2026-003",   "2026-Q",
        "2026-Q0",    "2026-Q5",     "2026-Q9",     "2026-Q10",   "2026-q1",
        "2026Q1",     "2026-Q1-01",  "2026-Q-1",    "2026-03-",   "2026-03-1",
        "2026-03-00", "2026-03-32",  "2023-02-29",  "2026-02-30", "2026-04-31",
        "1900-02-29", "2026-03-14T", "2026-03-14 ", "2026/03/14", "2026.03",
        "14.03.2026", "03-2026",     "20260314",    "-2026",      "+2026",
        "0000",       "0000-01",     "0000-Q1",     "0000-12-31", "10000",
        "10000-01",   "2026-+1",     "2026--1",     "2026-0x",    "2026-1a",
        "x2026",      "2026-03-1x",  "unknown",     "year",       "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6",
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct period p = {.kind = PERIOD_DAY, .start = 4711};
        if (period_parse(table[i], &p) != ERR_INVALID || p.kind != PERIOD_DAY || p.start != 4711)
            fail_msg("\"%s\" was taken", table[i]);
    }
}

static void period_valid_refuses_what_the_wire_must_not_bring(void **state)
{
    (void)state;
    int32_t start = civil_to_days((struct civil){2026, 1, 1});
    const struct period bad[] = {
        {PERIOD_NONE, start},
        {(enum period_kind)5, start},
        {(enum period_kind) - 1, start},
        {PERIOD_MONTH, start + 1},
        {PERIOD_QUARTER, start + 31},
        {PERIOD_YEAR, start + 31},
        {PERIOD_DAY, CIVIL_DAY_MIN - 1},
        {PERIOD_DAY, CIVIL_DAY_MAX + 1},
        {PERIOD_DAY, INT32_MIN},
        {PERIOD_YEAR, INT32_MAX},
        {PERIOD_YEAR, CIVIL_DAY_MAX + 1},
        {PERIOD_MONTH, INT32_MIN},
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        char text[PERIOD_TEXT];
        assert_false(period_valid(bad[i]));
        period_text(bad[i], text);
        assert_string_equal(text, "invalid");
    }
    assert_true(period_valid((struct period){PERIOD_YEAR, start}));
    assert_true(period_valid((struct period){PERIOD_DAY, start + 1}));
}

static void periods_at_the_ends_of_32_bits_do_not_overflow(void **state)
{
    (void)state;
    static const int32_t days[] = {INT32_MIN, INT32_MIN + 1, INT32_MAX - 1, INT32_MAX};

    for (size_t i = 0; i < COUNT(days); i++) {
        for (enum period_kind kind = PERIOD_NONE; kind <= PERIOD_YEAR; kind++) {
            struct period p = period_containing(kind, days[i]);
            assert_true(period_end(p) >= p.start || days[i] < 0);
            assert_true(period_next(p).kind == kind);
            assert_true(period_previous(p).start <= p.start);
        }
    }
}

static void period_kinds_have_names_that_parse(void **state)
{
    (void)state;
    enum period_kind kind = PERIOD_NONE;

    for (enum period_kind k = PERIOD_DAY; k <= PERIOD_YEAR; k++) {
        assert_int_equal(period_kind_parse(period_kind_name(k), &kind), ERR_OK);
        assert_int_equal(kind, k);
    }
    assert_string_equal(period_kind_name(PERIOD_NONE), "none");
    assert_string_equal(period_kind_name((enum period_kind)77), "none");
    assert_int_equal(period_kind_parse("none", &kind), ERR_INVALID);
    assert_int_equal(period_kind_parse("", &kind), ERR_INVALID);
    assert_int_equal(period_kind_parse("Year", &kind), ERR_INVALID);
    assert_int_equal(period_kind_parse("years", &kind), ERR_INVALID);
    assert_int_equal(kind, PERIOD_YEAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(civil_days_agree_with_a_walk_through_every_day_of_0001_to_9999),
        cmocka_unit_test(civil_days_agree_with_gmtime),
        cmocka_unit_test(civil_days_of_known_dates),
        cmocka_unit_test(civil_valid_knows_leap_years_and_the_range),
        cmocka_unit_test(periods_of_every_day_agree_with_the_walk),
        cmocka_unit_test(periods_follow_each_other_without_gap_over_the_whole_range),
        cmocka_unit_test(period_text_reads_back),
        cmocka_unit_test(period_parses),
        cmocka_unit_test(period_refuses_and_leaves_the_output_alone),
        cmocka_unit_test(period_valid_refuses_what_the_wire_must_not_bring),
        cmocka_unit_test(periods_at_the_ends_of_32_bits_do_not_overflow),
        cmocka_unit_test(period_kinds_have_names_that_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
