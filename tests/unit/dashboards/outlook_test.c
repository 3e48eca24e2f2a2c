// Gap, run-rate, forecast, plan by now and lateness, from figures of months in memory.
#include "dashboards/outlook.h"
#include "kpi/period.h"
#include "tests/support/cmocka.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROWS    4
#define MONTHS  48
#define MISSING INT64_MIN

static const struct kpi jobs = {.code = "jobs_total", .kind = KPI_LEVEL, .over_residents = ROLLUP_SUM};
static const struct kpi hired = {.code = "jobs_hq", .kind = KPI_FLOW, .over_residents = ROLLUP_SUM};
static const struct kpi inv = {.code = "inv", .kind = KPI_FLOW, .over_residents = ROLLUP_SUM, .money = true};
#define MEMBER .member = MEMBERSHIP_DEFAULT
static struct resident residents[] = {{.code = "a", MEMBER}, {.code = "b", MEMBER}, {.code = "c", MEMBER}};
static const struct park park = {.code = "p", .currency = "KZT", .resident_count = 3, .residents = residents};

static struct board_row rows[ROWS];
static int64_t months[ROWS][MONTHS]; // from 2023-01 on
static size_t count;

static int32_t day_of(int year, int month, int day)
{
    return civil_to_days((struct civil){year, month, day});
}

static int32_t month_start(int i)
{
    return day_of(2023 + i / 12, i % 12 + 1, 1);
}

static struct figure whole(int64_t v)
{
    struct figure f = figure_missing();
    if (v != MISSING)
        assert_int_equal(figure_from_integer(v, &f), ERR_OK);
    return f;
}

static enum err sum(void *ctx, const struct board_row *row, int32_t from, int32_t to, struct figure *out,
                    struct fact_known *known)
{
    const int64_t *values = months[row - rows];
    int64_t all = 0;
    bool any = false;
    (void)ctx;
    for (int i = 0; i < MONTHS; i++) {
        if (values[i] == MISSING || month_start(i) < from || month_start(i) >= to)
            continue;
        if (!any)
            *known = (struct fact_known){.first_s = (int64_t)month_start(i) * 86400};
        any = true;
        known->known_s += (month_start(i + 1) - month_start(i)) * INT64_C(86400);
        all += values[i];
    }
    *out = any ? whole(all) : figure_missing();
    return ERR_OK;
}

static enum err first(void *ctx, const struct board_row *row, int32_t day, struct latest *out)
{
    (void)ctx;
    for (int i = 0; i < MONTHS; i++) {
        if (months[row - rows][i] == MISSING || month_start(i + 1) < day)
            continue;
        *out = (struct latest){.time = month_start(i), .value = whole(months[row - rows][i])};
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

// 500 of any currency are one of the other, in figures and in sums.
static enum err convert(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                        const struct currency *currency, struct figure *out, struct fact_known *known,
                        struct conversion *by)
{
    (void)currency;
    *by = (struct conversion){.bank = BANK_KZ, .from = 1, .to = 500, .days = 31};
    enum err e = sum(ctx, row, from, to, out, known);
    if (out->kind != FIGURE_MISSING)
        *out = whole(out->integer / 500);
    return e;
}

// Months i .. i+n-1 with value, and so on by `step` more each.
static struct board_row *add(const struct kpi *kpi, const char *resident, int i, int n, int64_t value,
                             int64_t step)
{
    struct board_row *r = &rows[count];
    for (int k = 0; k < n; k++)
        months[count][i + k] = value + k * step;
    *r = (struct board_row){
        .kpi = kpi, .park = &park, .resident = park_resident(&park, resident), .has_latest = true};
    snprintf(r->name.park, sizeof r->name.park, "p");
    snprintf(r->name.resident, sizeof r->name.resident, "%s", resident);
    snprintf(r->name.kpi, sizeof r->name.kpi, "%s", kpi->code);
    snprintf(r->series.unit, sizeof r->series.unit, "%s", kpi->money ? "money" : "person");
    r->series.class = WIRE_REPORT;
    r->series.period = PERIOD_MONTH;
    r->latest = (struct latest){.time = month_start(i + n - 1), .value = whole(value + (n - 1) * step)};
    count++;
    return r;
}

static int clear(void **state)
{
    (void)state;
    count = 0;
    memset(rows, 0, sizeof rows);
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < MONTHS; k++)
            months[i][k] = MISSING;
    return 0;
}

static struct statement target(const struct kpi *kpi, const char *value, const char *due)
{
    struct statement s = {.id = "t",
                          .kind = STATEMENT_TARGET,
                          .kpi = kpi->code,
                          .dimension = "",
                          .resident = "",
                          .base = figure_missing(),
                          .unit = kpi->money ? "money" : "person",
                          .currency = "",
                          .per = "",
                          .due = due,
                          .due_or = "",
                          .scope = "",
                          .part_of = "",
                          .cumulative = kpi->kind == KPI_FLOW};
    assert_int_equal(statement_parse_value(value, 0, &s), ERR_OK);
    return s;
}

static struct outlook ask(const struct statement *st, struct fact *fact)
{
    static const struct viewer all = {.scope = {.role = ROLE_AUDITOR}};
    const struct fact_source s = {.park = &park,
                                  .viewer = &all,
                                  .rows = rows,
                                  .count = count,
                                  .sum = sum,
                                  .convert = convert,
                                  .first = first};
    struct fact own;
    fact = fact ? fact : &own;
    *fact = fact_of_statement(&s, st);
    return outlook_of(&s, st, fact, day_of(2026, 11, 22));
}

static void a_flow_goes_on_at_what_was_added_in_the_last_365_days(void **state)
{
    (void)state;
    add(&hired, "a", 0, 34, 100, 0); // 2023-01 … 2025-10
    add(&hired, "b", 22, 12, 50, 0); // 2024-11 on
    struct statement st = target(&hired, ">= 4900", "2026");
    struct fact f;
    struct outlook o = ask(&st, &f);
    assert_int_equal(f.value.integer, 4000);
    assert_int_equal(o.gap.integer, 900);
    assert_true(o.rate.known);
    assert_int_equal(o.rate.from, day_of(2024, 11, 1));
    assert_int_equal(o.rate.end, day_of(2025, 11, 1));
    assert_int_equal(run_rate_per_year(&o.rate).integer, 1800);
    assert_int_equal(o.rate_contributors, 2);
    assert_int_equal(o.rule, OUTLOOK_SUM);
    assert_int_equal(o.forecast.why, FORECAST_KNOWN); // half a year: 182.5 days, so the 183rd
    assert_int_equal(o.forecast.day, day_of(2025, 11, 1) + 182);
    assert_false(o.late);
    assert_int_equal(o.reading_count, 1);
    assert_int_equal(o.readings[0].days_late, 0);
}

static void who_is_behind_by_a_month_has_not_stopped(void **state)
{
    (void)state;
    add(&hired, "a", 0, 34, 100, 0); // up to 2025-10
    add(&hired, "b", 0, 33, 100, 0); // up to 2025-09
    add(&hired, "c", 0, 6, 1000, 0); // silent since 2023-06: not waited for
    struct statement st = target(&hired, "100000", "unknown");
    st.due = "";
    struct outlook o = ask(&st, NULL);
    assert_int_equal(o.rate.end, day_of(2025, 10, 1));
    assert_int_equal(run_rate_per_year(&o.rate).integer, 2400);
    assert_int_equal(o.at, day_of(2025, 11, 1));
    assert_int_equal(o.rate_contributors, 2);
}

static void fewer_figures_make_a_rate_of_what_there_is_but_ninety_days_at_least(void **state)
{
    (void)state;
    add(&hired, "a", 31, 3, 73, 0); // 2025-08 … 2025-10: 92 days
    struct statement st = target(&hired, "1000", "");
    struct outlook o = ask(&st, NULL);
    assert_true(o.rate.known);
    assert_int_equal(o.rate.from, day_of(2025, 8, 1));
    assert_true(fabs(o.rate.per_day - (219.0 / 92)) < 1e-12);
    clear(NULL);
    add(&hired, "a", 32, 2, 73, 0);
    o = ask(&st, NULL);
    assert_false(o.rate.known);
    assert_int_equal(o.forecast.why, FORECAST_SHORT);
    assert_int_equal(o.gap.integer, 854);
}

static void a_level_goes_on_along_each_residents_own_line(void **state)
{
    (void)state;
    add(&jobs, "a", 0, 34, 100, 2);  // 2 a month: 24 in the last year (365 days)
    add(&jobs, "b", 33, 1, 5000, 0); // began to report in the last month: that is no growth
    add(&jobs, "c", 29, 5, 60, -1);  // 2025-06 … 2025-10: 4 less in 123 days
    struct statement st = target(&jobs, ">= 6000", "");
    struct fact f;
    struct outlook o = ask(&st, &f);
    assert_int_equal(f.value.integer, 166 + 5000 + 56);
    assert_int_equal(o.rule, OUTLOOK_LINES);
    assert_true(fabs(o.rate.per_day - (24.0 / 365 - 4.0 / 123)) < 1e-12);
    assert_int_equal(o.rate_contributors, 2);
    assert_int_equal(o.forecast.why, FORECAST_KNOWN);
    add(&jobs, "c", 34, 0, 0, 0);
    count--;
    months[0][33] = 100; // and now it shrinks
    rows[0].latest.value = whole(100);
    assert_int_equal(ask(&st, NULL).forecast.why, FORECAST_AWAY);
}

static void a_figure_per_year_goes_on_from_year_to_year(void **state)
{
    (void)state;
    add(&hired, "a", 10, 24, 100, 0); // 2023-11 … 2025-10
    for (int i = 22; i < 34; i++)
        months[0][i] = 110;
    rows[0].latest.value = whole(110);
    struct statement st = target(&hired, "1440", "");
    st.cumulative = false;
    st.per = "year";
    struct fact f;
    struct outlook o = ask(&st, &f);
    assert_int_equal(f.rule, RULE_YEAR);
    assert_int_equal(f.value.integer, 1320);
    assert_int_equal(o.rule, OUTLOOK_YEARS);
    assert_int_equal(run_rate_per_year(&o.rate).integer, 120);
    assert_int_equal(o.forecast.day, day_of(2026, 11, 1) - 1);
    months[0][10] = months[0][11] = MISSING; // the year before is not whole
    o = ask(&st, NULL);
    assert_int_equal(o.forecast.why, FORECAST_NO_YEAR);
    assert_int_equal(run_rate_why(&o.rate), FORECAST_NO_YEAR);
    st.per = "quarter";
    o = ask(&st, &f);
    assert_int_equal(f.rule, RULE_QUARTER);
    assert_int_equal(f.value.integer, 330);
    assert_int_equal(run_rate_per_year(&o.rate).integer, 30);
}

static void what_was_planned_by_the_newest_figure_stands_beside_it_for_both_readings(void **state)
{
    (void)state;
    add(&hired, "a", 24, 12, 10, 0); // 2025
    struct statement st = target(&hired, ">= 730", "2026");
    st.due_or = "2025";
    st.path = (struct path){
        .kind = PATH_LINEAR, .from = "2025", .from_day = day_of(2025, 1, 1), .from_value = whole(0)};
    struct outlook o = ask(&st, NULL);
    assert_int_equal(o.reading_count, 2);
    assert_string_equal(o.readings[0].due, "2026");
    assert_int_equal(o.readings[0].planned.integer, 365);
    assert_true(fabs(figure_to_real(o.readings[0].per_cent) - (12000.0 / 365)) < 1e-9);
    assert_false(o.readings[0].on_plan);
    assert_false(o.readings[0].passed);
    assert_string_equal(o.readings[1].due, "2025");
    assert_int_equal(o.readings[1].planned.integer, 730);
    assert_true(o.readings[1].passed);
    assert_int_equal(o.readings[1].days_late, o.forecast.day - day_of(2025, 12, 31));
    assert_true(o.readings[1].days_late > o.readings[0].days_late && o.readings[0].days_late > 0);
    assert_false(o.late); // by the other reading it is not
    st.due = "2025";
    assert_true(ask(&st, NULL).late);
    st.value = whole(100);
    assert_false(ask(&st, NULL).late); // reached
}

static void no_due_date_is_never_late_and_an_unknown_value_neither(void **state)
{
    (void)state;
    add(&hired, "a", 24, 12, 10, 0);
    struct statement st = target(&hired, ">= 2000", "");
    assert_false(ask(&st, NULL).late);
    struct milestone stones[] = {{"2025-06", day_of(2025, 7, 1), whole(500)}};
    st.path = (struct path){.kind = PATH_MILESTONES, .count = 1, .milestones = stones};
    struct outlook o = ask(&st, NULL);
    assert_int_equal(o.reading_count, 1);
    assert_int_equal(o.readings[0].planned.integer, 500);
    assert_int_equal(o.readings[0].per_cent.integer, 24);
    assert_false(o.readings[0].on_plan || o.readings[0].passed || o.late);
    st = target(&hired, "unknown", "2025");
    o = ask(&st, NULL);
    assert_true(o.has);
    assert_false(o.late);
    assert_int_equal(o.forecast.why, FORECAST_NO_VALUE);
    assert_int_equal(o.gap.kind, FIGURE_MISSING);
}

static void there_is_no_outlook_without_a_fact_or_for_what_is_no_target(void **state)
{
    (void)state;
    struct statement st = target(&hired, ">= 2000", "2020");
    assert_false(ask(&st, NULL).has); // nobody reports: not late, unknown
    assert_false(ask(&st, NULL).late);
    add(&hired, "a", 24, 12, 10, 0);
    st.scope = "the whole country";
    assert_false(ask(&st, NULL).has);
    st.scope = "";
    st.kind = STATEMENT_CAPACITY;
    assert_false(ask(&st, NULL).has);
}

static void a_plan_in_another_currency_is_judged_in_its_own(void **state)
{
    (void)state;
    struct board_row *r = add(&inv, "a", 22, 12, 365000, 0); // 2024-11 … 2025-10
    snprintf(r->series.currency, sizeof r->series.currency, "KZT");
    struct statement st = target(&inv, "17520", "2022");
    st.currency = "USD";
    struct fact f;
    struct outlook o = ask(&st, &f);
    assert_true(f.converted);
    assert_int_equal(f.value.integer, 8760);
    assert_int_equal(o.gap.integer, 8760);
    assert_int_equal(run_rate_per_year(&o.rate).integer, 8760);
    assert_int_equal(o.forecast.day, day_of(2026, 11, 1) - 1);
    assert_true(o.late);
}

static void a_residents_own_target_is_judged_like_the_parks(void **state)
{
    (void)state;
    add(&hired, "a", 22, 12, 100, 0);
    add(&hired, "b", 22, 12, 900, 0);
    struct statement st = target(&hired, "2400", "");
    st.resident = "a";
    struct fact f;
    struct outlook o = ask(&st, &f);
    assert_int_equal(f.value.integer, 1200);
    assert_int_equal(run_rate_per_year(&o.rate).integer, 1200);
    assert_int_equal(o.forecast.day, day_of(2026, 11, 1) - 1);
}

static void a_leap_day_cuts_no_month_off(void **state)
{
    (void)state;
    add(&hired, "a", 0, 18, 100, 0); // 2023-01 … 2024-06: its last year has 366 days
    struct statement st = target(&hired, "10000", "");
    struct outlook o = ask(&st, NULL);
    assert_int_equal(o.rate.end - o.rate.from, 366);
    assert_true(fabs(o.rate.per_day - 1200.0 / 366) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_flow_goes_on_at_what_was_added_in_the_last_365_days, clear),
        cmocka_unit_test_setup(who_is_behind_by_a_month_has_not_stopped, clear),
        cmocka_unit_test_setup(a_leap_day_cuts_no_month_off, clear),
        cmocka_unit_test_setup(fewer_figures_make_a_rate_of_what_there_is_but_ninety_days_at_least, clear),
        cmocka_unit_test_setup(a_level_goes_on_along_each_residents_own_line, clear),
        cmocka_unit_test_setup(a_figure_per_year_goes_on_from_year_to_year, clear),
        cmocka_unit_test_setup(what_was_planned_by_the_newest_figure_stands_beside_it_for_both_readings,
                               clear),
        cmocka_unit_test_setup(no_due_date_is_never_late_and_an_unknown_value_neither, clear),
        cmocka_unit_test_setup(there_is_no_outlook_without_a_fact_or_for_what_is_no_target, clear),
        cmocka_unit_test_setup(a_plan_in_another_currency_is_judged_in_its_own, clear),
        cmocka_unit_test_setup(a_residents_own_target_is_judged_like_the_parks, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
