#include "kpi/calendar.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kpi/park.h"
#include "tests/support/temp_yaml.h"
#include <stdio.h>
#include <string.h>

static int32_t day(const char *text)
{
    struct period p;
    assert_int_equal(period_parse(text, &p), ERR_OK);
    return p.start;
}

static struct calendar from_month(int month)
{
    struct calendar c = calendar_default;
    c.fiscal_year_from = month;
    return c;
}

static void check_span(const struct calendar *c, enum span_kind k, const char *in, const char *name,
                       const char *first, const char *last)
{
    struct span s = calendar_span(c, k, day(in)), parsed;
    char text[SPAN_TEXT];
    span_text(s, text);
    assert_string_equal(text, name);
    assert_int_equal(s.first, day(first));
    assert_int_equal(s.end, day(last) + 1);
    assert_int_equal(calendar_span_parse(c, name, &parsed), ERR_OK);
    assert_memory_equal(&parsed, &s, sizeof s);
}

static void a_fiscal_year_is_named_by_the_year_it_ends_in(void **state)
{
    (void)state;
    const struct calendar july = from_month(7), january = from_month(1), april = from_month(4), none = {0};
    check_span(&july, SPAN_FISCAL_YEAR, "2025-07-01", "FY2026", "2025-07-01", "2026-06-30");
    check_span(&july, SPAN_FISCAL_YEAR, "2026-06-30", "FY2026", "2025-07-01", "2026-06-30");
    check_span(&july, SPAN_FISCAL_YEAR, "2026-07-01", "FY2027", "2026-07-01", "2027-06-30");
    check_span(&april, SPAN_FISCAL_YEAR, "2024-02-29", "FY2024", "2023-04-01", "2024-03-31");
    check_span(&january, SPAN_FISCAL_YEAR, "2026-07-01", "FY2026", "2026-01-01", "2026-12-31");
    check_span(&none, SPAN_FISCAL_YEAR, "2026-07-01", "FY2026", "2026-01-01", "2026-12-31");
}

static void spans_of_every_kind_have_the_texts_of_periods(void **state)
{
    (void)state;
    const struct calendar c = calendar_default;
    check_span(&c, SPAN_DAY, "2024-02-29", "2024-02-29", "2024-02-29", "2024-02-29");
    check_span(&c, SPAN_MONTH, "2024-02-29", "2024-02", "2024-02-01", "2024-02-29");
    check_span(&c, SPAN_QUARTER, "2024-02-29", "2024-Q1", "2024-01-01", "2024-03-31");
    check_span(&c, SPAN_YEAR, "2024-02-29", "2024", "2024-01-01", "2024-12-31");
    struct span s;
    static const char *const bad[] = {"", "FY", "FY26", "FY2026-01", "FY0000", "fy2026", "2026 ", "2026-Q5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(calendar_span_parse(&c, bad[i], &s), ERR_INVALID);
}

static void spans_cover_the_days_without_a_hole(void **state)
{
    (void)state;
    struct span s[200];
    const struct calendar july = from_month(7);
    for (int k = SPAN_DAY; k <= SPAN_FISCAL_YEAR; k++) {
        size_t n = calendar_spans(&july, (enum span_kind)k, day("2023-11-15"), day("2024-04-02"), s, 200);
        static const size_t expected[] = {139, 6, 3, 2, 1};
        assert_int_equal(n, expected[k]);
        assert_true(s[0].first <= day("2023-11-15") && s[n - 1].end >= day("2024-04-02"));
        for (size_t i = 1; i < n; i++)
            assert_int_equal(s[i].first, s[i - 1].end);
    }
    assert_int_equal(calendar_spans(&july, SPAN_FISCAL_YEAR, CIVIL_DAY_MAX, CIVIL_DAY_MAX + 1, s, 1), 1);
    assert_int_equal(s[0].end, CIVIL_DAY_MAX + 1);
    assert_int_equal(calendar_spans(&july, SPAN_FISCAL_YEAR, CIVIL_DAY_MIN, CIVIL_DAY_MIN + 1, s, 1), 1);
    assert_int_equal(s[0].first, CIVIL_DAY_MIN);
    assert_int_equal(calendar_spans(&july, SPAN_DAY, 5, 5, s, 1), 0);
}

static void a_month_with_a_change_of_the_clock_is_an_hour_longer(void **state)
{
    (void)state;
    struct zone *z = NULL;
    struct diag d = {""};
    int64_t from, to;
    assert_int_equal(zone_load(NULL, "Asia/Almaty", &z, &d), ERR_OK);
    span_bounds(calendar_span(&calendar_default, SPAN_MONTH, day("2024-02-10")), z, &from, &to);
    assert_int_equal(to - from, (29 * 24 + 1) * 3600);
    span_bounds(calendar_span(&calendar_default, SPAN_YEAR, day("2024-02-10")), z, &from, &to);
    assert_int_equal(to - from, (366 * 24 + 1) * 3600);
    zone_free(z);
}

// ---- a park's file

struct fixture {
    char folder[TEMP_YAML_PATH];
    struct catalogue *catalogue;
};

static const char head[] = "code: p\nnames: {en: P}\ncity: {en: C}\nabout: {en: A}\n" // 1 .. 4
                           "time_zone: Asia/Almaty\ncurrency: KZT\n";                 // 5, 6

static enum err load(struct fixture *f, const char *calendar, char path[TEMP_YAML_PATH], struct park **out,
                     struct diag *d)
{
    char text[2000];
    snprintf(text, sizeof text, "%s%s", head, calendar);
    temp_yaml_write(f->folder, "park.yaml", text, NULL, NULL, path);
    return park_load(path, f->catalogue, out, d);
}

static int setup(void **state)
{
    static struct fixture f;
    struct diag d = {""};
    temp_folder_create(f.folder);
    if (catalogue_load("deploy/catalogue.yaml", &f.catalogue, &d) != ERR_OK)
        fail_msg("%s", d.text);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    catalogue_free(f->catalogue);
    temp_folder_remove(f->folder);
    return 0;
}

static void a_park_says_its_fiscal_year_and_which_days_are_worked(void **state)
{
    char path[TEMP_YAML_PATH];
    struct park *p = NULL;
    struct diag d = {""};
    if (load(
            *state,
            "calendar:\n"
            "  fiscal_year_from: 7\n"
            "  weekend: [sat, sun]\n"
            "  holidays: [2026-01-01, 2026-01-02, 2026-01-07, 2026-03-09]\n" // the 9th: a Monday, for the 8th
            "  working: [2026-01-04]\n"                                      // a Sunday, for the 5th
            "  assumed: days moved as the year before\n",
            path, &p, &d) != ERR_OK)
        fail_msg("%s", d.text);
    const struct calendar *c = &p->calendar;
    int32_t due;
    assert_int_equal(c->fiscal_year_from, 7);
    assert_string_equal(c->note, "days moved as the year before");
    assert_true(calendar_is_working(c, day("2026-01-04")));
    assert_false(calendar_is_working(c, day("2026-01-03")));
    assert_false(calendar_is_working(c, day("2026-03-09")));
    assert_int_equal(calendar_working_days(c, day("2026-01-01"), day("2026-01-12")), 5); // 4 5 6 8 9
    assert_int_equal(calendar_after(c, day("2025-12-31"), 1, &due), ERR_OK);
    assert_int_equal(due, day("2026-01-04"));
    assert_int_equal(calendar_after(c, day("2025-12-31"), 5, &due), ERR_OK);
    assert_int_equal(due, day("2026-01-09"));
    assert_int_equal(calendar_after(c, day("2026-03-07"), 0, &due), ERR_OK);
    assert_int_equal(due, day("2026-03-10"));
    assert_int_equal(calendar_after(c, day("2026-03-10"), 0, &due), ERR_OK);
    assert_int_equal(due, day("2026-03-10"));
    assert_int_equal(calendar_after(c, day("2026-03-10"), 4000, &due), ERR_INVALID);
    park_free(p);
}

static void a_park_that_says_nothing_has_the_usual_week_and_the_calendar_year(void **state)
{
    char path[TEMP_YAML_PATH];
    struct park *p = NULL;
    struct diag d = {""};
    assert_int_equal(load(*state, "", path, &p, &d), ERR_OK);
    assert_int_equal(p->calendar.fiscal_year_from, 1);
    assert_false(calendar_is_working(&p->calendar, day("2026-03-14")));
    assert_true(calendar_is_working(&p->calendar, day("2026-03-13")));
    assert_true(calendar_is_working(&p->calendar, day("1969-12-31"))); // a Wednesday
    park_free(p);
    assert_int_equal(load(*state, "calendar: {weekend: [fri]}\n", path, &p, &d), ERR_OK);
    assert_true(calendar_is_working(&p->calendar, day("2026-03-14")));
    assert_false(calendar_is_working(&p->calendar, day("2026-03-13")));
    park_free(p);
}

static void a_calendars_mistake_is_named_with_its_place(void **state)
{
    static const struct {
        const char *text;
        struct yaml_case says;
    } cases[] = {
        {"calendar: {fiscal_year_from: 13}\n",
         {.place = "7:30: calendar.fiscal_year_from: ", .says = "1 (January) to 12"}},
        {"calendar: {weekend: [sat, Sunday]}\n",
         {.place = "7:27: calendar.weekend[1]: ", .says = "not one of mon"}},
        {"calendar: {weekend: [sat, sat]}\n", {.place = "7:27: calendar.weekend[1]: ", .says = "twice"}},
        {"calendar: {holidays: [2026-02-29]}\n",
         {.place = "7:23: calendar.holidays[0]: ", .says = "not a day"}},
        {"calendar: {holidays: [2026-03]}\n", {.place = "7:23: calendar.holidays[0]: ", .says = "not a day"}},
        {"calendar: {holidays: [2026-03-02, 2026-03-02]}\n",
         {.place = "7:35: calendar.holidays[1]: ", .says = "not later"}},
        {"calendar: {working: [2026-03-13]}\n",
         {.place = "7:22: calendar.working[0]: ", .says = "worked anyway"}},
        {"calendar: {working: [2026-03-14], holidays: [2026-03-14]}\n",
         {.place = "7:22: calendar.working[0]: ", .says = "among the holidays"}},
        {"calendar: {weekend: [mon, tue, wed, thu, fri, sat, sun]}\n",
         {.place = "7:21: calendar.weekend: ", .says = "no day is left"}},
        {"calendar: {assumed: \"\"}\n", {.place = "7:21: calendar.assumed: ", .says = "is empty"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[TEMP_YAML_PATH];
        struct park *p = NULL;
        struct diag d = {""};
        enum err e = load(*state, cases[i].text, path, &p, &d);
        expect_yaml_error(&cases[i].says, path, e, &d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fiscal_year_is_named_by_the_year_it_ends_in),
        cmocka_unit_test(spans_of_every_kind_have_the_texts_of_periods),
        cmocka_unit_test(spans_cover_the_days_without_a_hole),
        cmocka_unit_test(a_month_with_a_change_of_the_clock_is_an_hour_longer),
        cmocka_unit_test(a_park_says_its_fiscal_year_and_which_days_are_worked),
        cmocka_unit_test(a_park_that_says_nothing_has_the_usual_week_and_the_calendar_year),
        cmocka_unit_test(a_calendars_mistake_is_named_with_its_place),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
