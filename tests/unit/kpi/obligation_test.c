// Who owes what by when: dates against a calendar on paper, and every way in which a rule is refused.
#include "kpi/obligation.h"
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "kpi/park.h"
#include "kpi/zone.h"

#define HEAD                                                                                                 \
    "code: p\nnames: {en: P}\ncity: {en: C}\nabout: {en: A}\ntime_zone: Asia/Almaty\ncurrency: KZT\n"        \
    "calendar: {holidays: [2026-01-01, 2026-01-02, 2026-01-07], working: [2026-01-10]}\n"                    \
    "dimensions:\n  - {code: fridges, names: {en: F}}\n  - {code: ovens, names: {en: O}}\n"                  \
    "residents:\n"                                                                                           \
    "  - {code: alfa, names: {en: A}, about: {en: A}, simulated: true}\n"                                    \
    "  - {code: beta, names: {en: B}, about: {en: B}, simulated: true, joined: 2026-02-10}\n"                \
    "  - {code: gamma, names: {en: C}, about: {en: C}, simulated: true}\n"

static char folder[TEMP_YAML_PATH];
static struct catalogue *catalogue;
static struct zone *almaty;
static struct diag diag;

static int load_catalogue(void **state)
{
    (void)state;
    temp_folder_create(folder);
    return catalogue_load("deploy/catalogue.yaml", &catalogue, &diag) == ERR_OK &&
                   zone_load(NULL, "Asia/Almaty", &almaty, &diag) == ERR_OK
               ? 0
               : -1;
}

static int free_catalogue(void **state)
{
    (void)state;
    zone_free(almaty);
    catalogue_free(catalogue);
    temp_folder_remove(folder);
    return 0;
}

static enum err load(const char *rules, char path[TEMP_YAML_PATH], struct park **out)
{
    char text[4096];
    snprintf(text, sizeof(text), "%sobligations:\n%s", HEAD, rules);
    temp_yaml_write(folder, "park.yaml", text, NULL, NULL, path);
    return park_load(path, catalogue, out, &diag);
}

static struct park *park_of(const char *rules)
{
    struct park *park = NULL;
    char path[TEMP_YAML_PATH];
    if (load(rules, path, &park) != ERR_OK)
        fail_msg("%s", diag.text);
    return park;
}

static struct period period(const char *text)
{
    struct period p;
    assert_int_equal(period_parse(text, &p), ERR_OK);
    return p;
}

static int64_t at(const char *day, int64_t second) // of the day, in UTC
{
    return period(day).start * INT64_C(86400) + second;
}

// ---- dates

static void expect_due(const char *rule, const char *of, const char *due, int64_t due_s)
{
    struct park *park = park_of(rule);
    char text[PERIOD_TEXT];
    struct obligation_owed o = obligation_due(park, almaty, &park->obligations[0], "alfa", period(of));
    assert_true(o.has_due);
    period_text((struct period){PERIOD_DAY, o.due_day}, text);
    assert_string_equal(text, due);
    assert_int_equal(o.due_s, due_s);
    assert_int_equal(o.late_s, due_s);
    park_free(park);
}

static void a_due_day_is_so_many_days_after_the_periods_last_one(void **state)
{
    (void)state;
    const char *monthly = "  - {kpi: inv, residents: [all], period: month, due: {days: 15}, from: 2023-01}\n";
    const char *yearly = "  - {kpi: inv, residents: [all], period: year, due: {days: 90}, from: 2020}\n";
    const char *at_once =
        "  - {kpi: inv, residents: [all], period: quarter, due: {days: 0}, from: 2023-Q1}\n";
    expect_due(monthly, "2024-01", "2024-02-15", at("2024-02-15", 18 * 3600)); // UTC+6: the day ends at 18:00
    expect_due(monthly, "2024-02", "2024-03-15", at("2024-03-15", 19 * 3600)); // UTC+5 since March
    expect_due(monthly, "2025-12", "2026-01-15", at("2026-01-15", 19 * 3600));
    expect_due(yearly, "2023", "2024-03-30", at("2024-03-30", 19 * 3600)); // a leap year's February
    expect_due(yearly, "2024", "2025-03-31", at("2025-03-31", 19 * 3600));
    expect_due(at_once, "2025-Q4", "2025-12-31", at("2025-12-31", 19 * 3600));
}

static void working_days_step_over_weekends_and_holidays_and_take_worked_saturdays(void **state)
{
    (void)state;
    const char *fourth =
        "  - {kpi: inv, residents: [all], period: month, due: {working_days: 4}, from: 2023-01}\n";
    const char *fifth =
        "  - {kpi: inv, residents: [all], period: month, due: {working_days: 5}, from: 2023-01}\n";
    // 2026: Thu 1 and Fri 2 off, Mon 5 is the first, Tue 6, Wed 7 off, Thu 8, Fri 9, Sat 10 worked
    expect_due(fourth, "2025-12", "2026-01-09", at("2026-01-09", 19 * 3600));
    expect_due(fifth, "2025-12", "2026-01-10", at("2026-01-10", 19 * 3600));
    // Sun 1 March 2026: Mon 2 is the first
    expect_due(fifth, "2026-02", "2026-03-06", at("2026-03-06", 19 * 3600));
}

static void a_day_of_25_hours_ends_25_hours_later(void **state)
{
    (void)state;
    const char *daily = "  - {kpi: inv, residents: [all], period: day, due: {days: 1}, from: 2024-01-01}\n";
    expect_due(daily, "2024-02-27", "2024-02-28", at("2024-02-28", 18 * 3600));
    expect_due(daily, "2024-02-28", "2024-02-29", at("2024-02-29", 19 * 3600));
    expect_due(daily, "2024-02-29", "2024-03-01", at("2024-03-01", 19 * 3600));
}

static void days_of_grace_move_what_is_late_and_not_the_date(void **state)
{
    (void)state;
    struct park *park = park_of(
        "  - {kpi: inv, residents: [all], period: month, due: {days: 15}, grace_days: 3, from: 2026-01}\n");
    struct obligation_owed o = obligation_due(park, almaty, &park->obligations[0], "alfa", period("2026-01"));
    assert_int_equal(o.due_day, period("2026-02-15").start);
    assert_int_equal(o.due_s, at("2026-02-15", 19 * 3600));
    assert_int_equal(o.late_s, at("2026-02-18", 19 * 3600));
    park_free(park);
}

static void without_a_date_there_is_none(void **state)
{
    (void)state;
    struct park *park =
        park_of("  - {kpi: inv, residents: [all], period: month, due: {unknown: true}, from: 2026-01}\n");
    struct obligation_owed o = obligation_due(park, almaty, &park->obligations[0], "alfa", period("2026-01"));
    assert_false(o.has_due);
    assert_int_equal(o.late_s, 0);
    park_free(park);
}

// ---- what is owed

static enum err list(void *ctx, const struct obligation_owed *o)
{
    char *text = ctx, p[PERIOD_TEXT];
    period_text(o->period, p);
    snprintf(text + strlen(text), 1000 - strlen(text), "%s%s:%s", *text ? " " : "", o->resident, p);
    return ERR_OK;
}

static void expect_owed(const struct park *park, const struct obligation_query *q, const char *expected)
{
    char text[1000] = "";
    assert_int_equal(obligation_each(park, almaty, q, list, text), ERR_OK);
    assert_string_equal(text, expected);
}

static void a_report_is_owed_once_its_period_is_over_in_the_parks_zone(void **state)
{
    (void)state;
    struct park *park = park_of("  - {kpi: inv, residents: [alfa], period: day, due: {days: 1}, from: "
                                "2024-02-28, until: 2024-03-01}\n");
    struct obligation_query q = {.now_s = at("2024-02-28", 18 * 3600) - 1};
    expect_owed(park, &q, "");
    q.now_s++;
    expect_owed(park, &q, "alfa:2024-02-28");
    q.now_s = at("2024-02-29", 19 * 3600) - 1; // 25 hours
    expect_owed(park, &q, "alfa:2024-02-28");
    q.now_s++;
    expect_owed(park, &q, "alfa:2024-02-28 alfa:2024-02-29");
    q.now_s = at("2025-01-01", 0);
    expect_owed(park, &q, "alfa:2024-02-28 alfa:2024-02-29 alfa:2024-03-01");
    park_free(park);
}

static void those_owe_who_are_named_or_all_but_the_excepted(void **state)
{
    (void)state;
    struct obligation_query q = {.now_s = at("2026-05-02", 0), .within = period("2026-04")};
    struct park *park = park_of(
        "  - {kpi: inv, residents: [gamma, alfa], period: month, due: {days: 1}, from: 2026-01}\n"
        "  - {kpi: jobs_total, residents: [all], except: [beta], period: month, due: {days: 1}, from: "
        "2026-01}\n"
        "  - {kpi: export_value, residents: [all], period: quarter, due: {days: 1}, from: 2026-Q1}\n");
    expect_owed(park, &q, "alfa:2026-04 gamma:2026-04 alfa:2026-04 gamma:2026-04");
    q.within = period("2026");
    q.resident =
        "beta"; // it came in February: no amount is owed of a quarter that it was not there throughout
    expect_owed(park, &q, "");
    q.resident = "gamma";
    expect_owed(park, &q,
                "gamma:2026-01 gamma:2026-02 gamma:2026-03 gamma:2026-04 gamma:2026-01 gamma:2026-02 "
                "gamma:2026-03 gamma:2026-04 gamma:2026-Q1");
    park_free(park);
}

static void who_came_in_the_middle_owes_stocks_of_that_period_and_amounts_from_the_next(void **state)
{
    (void)state;
    struct obligation_query q = {.now_s = at("2026-05-02", 0), .resident = "beta"};
    struct park *park =
        park_of("  - {kpi: inv, residents: [all], period: month, due: {days: 1}, from: 2026-01}\n"
                "  - {kpi: jobs_total, residents: [all], period: month, due: {days: 1}, from: 2026-01}\n");
    expect_owed(park, &q, "beta:2026-03 beta:2026-04 beta:2026-02 beta:2026-03 beta:2026-04");
    park_free(park);
}

static enum err stop_at_once(void *ctx, const struct obligation_owed *o)
{
    (void)o;
    ++*(int *)ctx;
    return ERR_FULL;
}

static void a_visit_that_fails_ends_the_walk(void **state)
{
    (void)state;
    int visits = 0;
    const struct obligation_query q = {.now_s = at("2026-05-02", 0)};
    struct park *park =
        park_of("  - {kpi: inv, residents: [all], period: day, due: {days: 1}, from: 2000-01-01}\n");
    assert_int_equal(obligation_each(park, almaty, &q, stop_at_once, &visits), ERR_FULL);
    assert_int_equal(visits, 1);
    park_free(park);
}

static void the_last_day_there_is_ends_the_walk_too(void **state)
{
    (void)state;
    char text[1000] = "";
    const struct obligation_query q = {
        .now_s = INT64_C(300000000000), .within = period("9999-12"), .resident = "alfa"};
    struct park *park =
        park_of("  - {kpi: inv, residents: [all], period: month, due: {days: 3660}, from: 9999-11}\n");
    assert_int_equal(obligation_each(park, almaty, &q, list, text), ERR_OK);
    park_free(park);
}

// ---- refused

static void a_rule_that_leaves_something_open_is_refused_at_its_place(void **state)
{
    (void)state;
    static const char good[] =
        "  - {kpi: inv, residents: [all], period: month, due: {days: 15}, from: 2026-01, until: 2026-12}\n";
    static const struct yaml_case cases[] = {
        {"kpi: inv", "kpi: invx", "16:11: obligations[0].kpi: ", "no KPI \"invx\""},
        {"kpi: inv", "kpi: oee", "16:11: obligations[0].kpi: ", "computed"},
        {"kpi: inv", "kpi: out_units", "16:5: obligations[0]: ", "name the dimension"},
        {"kpi: inv", "kpi: out_units, dimension: cars", "16:33: obligations[0].dimension: ", "cars"},
        {"kpi: inv", "kpi: inv, note: \"\"", "16:22: obligations[0].note: ", "empty"},
        {"[all]", "[delta]", "16:28: obligations[0].residents[0]: ", "no resident \"delta\""},
        {"[all]", "[alfa, beta, alfa]", "16:40: obligations[0].residents[2]: ", "twice"},
        {"[all]", "[]", "16:27: obligations[0].residents: ", "at least 1"},
        {"[all]", "[alfa, all]", "16:34: obligations[0].residents[1]: ", "no resident \"all\""},
        {"[all]", "[alfa], except: [beta]", "16:43: obligations[0].except: ", "only [all]"},
        {"[all]", "[all], except: [delta]", "16:43: obligations[0].except[0]: ", "no resident"},
        {"month", "week", "16:42: obligations[0].period: ", "day | month | quarter | year"},
        {"{days: 15}", "{}", "16:54: obligations[0].due: ", "one of"},
        {"{days: 15}", "{days: 15, working_days: 3}", "16:54: obligations[0].due: ", "one of"},
        {"{days: 15}", "{days: 15, unknown: true}", "16:54: obligations[0].due: ", "one of"},
        {"{days: 15}", "{unknown: false}", "16:54: obligations[0].due: ", "one of"},
        {"{days: 15}", "{days: -1}", "16:61: obligations[0].due.days: ", "0 to 3660"},
        {"{days: 15}", "{days: 3661}", "16:61: obligations[0].due.days: ", "0 to 3660"},
        {"{days: 15}", "{working_days: 0}", "16:69: obligations[0].due.working_days: ", "1 to 1000"},
        {"{days: 15}", "{days: 15}, grace_days: 367", "16:78: obligations[0].grace_days: ", "0 to 366"},
        {"{days: 15}", "{unknown: true}, grace_days: 3", "16:83: obligations[0].grace_days: ", "no date"},
        {"{days: 15}", "unknown", "16:54: obligations[0].due: ", "mapping"},
        {"from: 2026-01,", "from: soon,", "16:72: obligations[0].from: ", "not like"},
        {"from: 2026-01,", "from: 2026-01-15,", "16:72: obligations[0].from: ", "no month begins"},
        {"until: 2026-12", "until: 2026-12-15", "16:88: obligations[0].until: ", "no month ends"},
        {"until: 2026-12", "until: 2025-12", "16:88: obligations[0].until: ", "before"},
        {", from: 2026-01", "", "16:5: obligations[0].from: ", "missing"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[4096], path[TEMP_YAML_PATH];
        struct park *park = NULL;
        snprintf(text, sizeof(text), "%sobligations:\n%s", HEAD, good);
        temp_yaml_write(folder, "park.yaml", text, cases[i].from, cases[i].to, path);
        enum err e = park_load(path, catalogue, &park, &diag);
        expect_yaml_error(&cases[i], path, e, &diag);
    }
}

static void nobody_owes_one_thing_twice(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool refused;
    } pairs[] = {
        {"kpi: inv, residents: [all], from: 2026-01", "kpi: inv, residents: [all], from: 2026-01", true},
        {"kpi: inv, residents: [all], from: 2026-01", "kpi: inv, residents: [beta], from: 2027-01", true},
        {"kpi: inv, residents: [all], from: 2026-01, until: 2026-12",
         "kpi: inv, residents: [all], from: 2027-01", false},
        {"kpi: inv, residents: [all], from: 2026-01, until: 2027-01",
         "kpi: inv, residents: [all], from: 2027-01", true},
        {"kpi: inv, residents: [alfa], from: 2026-01", "kpi: inv, residents: [beta, gamma], from: 2026-01",
         false},
        {"kpi: inv, residents: [all], except: [beta], from: 2026-01",
         "kpi: inv, residents: [beta], from: 2026-01", false},
        {"kpi: inv, residents: [all], from: 2026-01", "kpi: jobs_total, residents: [all], from: 2026-01",
         false},
        {"kpi: out_units, dimension: ovens, residents: [all], from: 2026-01",
         "kpi: out_units, dimension: fridges, residents: [all], from: 2026-01", false},
        {"kpi: out_units, dimension: ovens, residents: [all], from: 2026-01",
         "kpi: out_units, dimension: ovens, residents: [gamma], from: 2026-01", true},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char rules[1000], path[TEMP_YAML_PATH];
        struct park *park = NULL;
        snprintf(rules, sizeof(rules),
                 "  - {%s, period: month, due: {days: 15}}\n  - {%s, period: month, due: {days: 10}}\n",
                 pairs[i].a, pairs[i].b);
        enum err e = load(rules, path, &park);
        assert_int_equal(e, pairs[i].refused ? ERR_INVALID : ERR_OK);
        if (pairs[i].refused)
            assert_non_null(strstr(diag.text, ":17:5: obligations[1]: "));
        park_free(park);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_due_day_is_so_many_days_after_the_periods_last_one),
        cmocka_unit_test(working_days_step_over_weekends_and_holidays_and_take_worked_saturdays),
        cmocka_unit_test(a_day_of_25_hours_ends_25_hours_later),
        cmocka_unit_test(days_of_grace_move_what_is_late_and_not_the_date),
        cmocka_unit_test(without_a_date_there_is_none),
        cmocka_unit_test(a_report_is_owed_once_its_period_is_over_in_the_parks_zone),
        cmocka_unit_test(those_owe_who_are_named_or_all_but_the_excepted),
        cmocka_unit_test(who_came_in_the_middle_owes_stocks_of_that_period_and_amounts_from_the_next),
        cmocka_unit_test(a_visit_that_fails_ends_the_walk),
        cmocka_unit_test(the_last_day_there_is_ends_the_walk_too),
        cmocka_unit_test(a_rule_that_leaves_something_open_is_refused_at_its_place),
        cmocka_unit_test(nobody_owes_one_thing_twice),
    };
    return cmocka_run_group_tests(tests, load_catalogue, free_catalogue);
}
