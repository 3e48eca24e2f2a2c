#include "dashboards/facts.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY INT64_C(20513) // 2026-03-01

static const struct kpi jobs = {.code = "jobs_total", .kind = KPI_LEVEL, .over_residents = ROLLUP_SUM};
static const struct kpi hired = {.code = "jobs_hq", .kind = KPI_FLOW, .over_residents = ROLLUP_SUM};
static const struct kpi inv = {.code = "inv", .kind = KPI_FLOW, .over_residents = ROLLUP_SUM, .money = true};
static const struct kpi units = {
    .code = "out_units", .kind = KPI_FLOW, .over_residents = ROLLUP_SUM, .per_product = true};
static const struct kpi share = {.code = "mkt_share", .kind = KPI_COMPUTED, .over_residents = ROLLUP_RATIO};
#define MEMBER .member = MEMBERSHIP_DEFAULT
static struct resident residents[] = {{.code = "a", MEMBER}, {.code = "b", MEMBER}, {.code = "c", MEMBER}};
static const struct park park = {.code = "p", .currency = "KZT", .resident_count = 3, .residents = residents};

static struct board_row rows[16];
static size_t count;
static int32_t asked_from;
static int unknown_days; // among those that figures lie in

static struct figure whole(int64_t v)
{
    struct figure f;
    assert_int_equal(figure_from_integer(v, &f), ERR_OK);
    return f;
}

// Flows: twice the newest figure, since the asked day or the first of 2026.
static enum err sum(void *ctx, const struct board_row *row, int32_t from, int32_t to, struct figure *out,
                    struct fact_known *known)
{
    (void)to;
    asked_from = from;
    if (ctx)
        return ERR_IO;
    *out = row->latest.value.kind == FIGURE_MISSING ? figure_missing() : whole(2 * row->latest.value.integer);
    known->first_s = (from > DAY - 59 ? from : DAY - 59) * 86400;
    known->known_s = (DAY + 1) * INT64_C(86400) - known->first_s - unknown_days * 86400;
    return ERR_OK;
}

static struct board_row *add(const struct kpi *kpi, const char *resident, const char *dimension,
                             int64_t value, const char *unit)
{
    struct board_row *r = &rows[count++];
    *r = (struct board_row){
        .kpi = kpi, .park = &park, .resident = park_resident(&park, resident), .has_latest = true};
    snprintf(r->name.park, sizeof r->name.park, "p");
    snprintf(r->name.resident, sizeof r->name.resident, "%s", resident);
    snprintf(r->name.kpi, sizeof r->name.kpi, "%s", kpi->code);
    snprintf(r->name.dimension, sizeof r->name.dimension, "%s", dimension);
    snprintf(r->series.unit, sizeof r->series.unit, "%s", unit);
    r->series.class = WIRE_REPORT;
    r->series.period = PERIOD_DAY;
    r->latest = (struct latest){.time = DAY, .value = whole(value), .received_us = 1000};
    return r;
}

static struct statement target(const char *kpi, int64_t value, const char *unit)
{
    return (struct statement){.id = "t",
                              .kind = STATEMENT_TARGET,
                              .kpi = kpi,
                              .dimension = "",
                              .resident = "",
                              .comparator = COMPARE_GE,
                              .value = whole(value),
                              .value_high = figure_missing(),
                              .base = figure_missing(),
                              .unit = unit,
                              .currency = "",
                              .per = "",
                              .scope = "",
                              .part_of = "",
                              .cumulative = true};
}

static struct fact_source source(void *ctx)
{
    static const struct viewer all = {.scope = {.role = ROLE_AUDITOR}};
    return (struct fact_source){
        .park = &park, .viewer = &all, .rows = rows, .count = count, .sum = sum, .ctx = ctx};
}

static struct fact fact_of(const struct statement *st)
{
    struct fact_source s = source(NULL);
    return fact_of_statement(&s, st);
}

static int clear(void **state)
{
    (void)state;
    count = 0;
    memset(rows, 0, sizeof rows);
    return 0;
}

static void a_level_says_of_how_many_residents_the_figure_is_older(void **state)
{
    (void)state;
    add(&jobs, "a", "", 100, "person");
    add(&jobs, "b", "", 50, "person")->latest.time = DAY - 1;
    struct statement st = target("jobs_total", 300, "person");
    struct fact f = fact_of(&st);
    assert_int_equal(f.value.integer, 150);
    assert_int_equal(f.older, 1);
    rows[1].latest.time = DAY;
    assert_int_equal(fact_of(&st).older, 0);
}

static void a_resident_with_any_older_figure_is_said_to_be_older_once(void **state)
{
    (void)state;
    add(&jobs, "a", "men", 100, "person");
    add(&jobs, "a", "other", 1, "person")->latest.time = DAY - 1;
    add(&jobs, "a", "women", 40, "person")->latest.time = DAY - 400;
    add(&jobs, "b", "men", 50, "person");
    struct statement st = target("jobs_total", 300, "person");
    struct fact f = fact_of(&st);
    assert_int_equal(f.value.integer, 191);
    assert_int_equal(f.contributors, 2);
    assert_int_equal(f.older, 1);
    rows[3].latest.time = DAY - 2;
    assert_int_equal(fact_of(&st).older, 2);
}

static void a_level_is_the_sum_of_each_residents_newest(void **state)
{
    (void)state;
    add(&jobs, "a", "", 100, "person");
    add(&jobs, "b", "", 50, "person")->simulated = true;
    struct statement st = target("jobs_total", 300, "person");
    struct fact f = fact_of(&st);
    assert_int_equal(f.why, FACT_KNOWN);
    assert_int_equal(f.rule, RULE_LEVEL);
    assert_int_equal(f.value.integer, 150);
    assert_int_equal(f.per_cent.integer, 50);
    assert_false(f.reached);
    assert_int_equal(f.contributors, 2);
    assert_int_equal(f.of, 3);
    assert_true(f.simulated);
}

static void a_cumulative_flow_counts_since_the_first_report(void **state)
{
    (void)state;
    add(&hired, "a", "", 100, "person");
    add(&hired, "b", "", 200, "person");
    struct statement st = target("jobs_hq", 600, "person");
    struct fact f = fact_of(&st);
    assert_int_equal(f.value.integer, 600);
    assert_int_equal(f.rule, RULE_SINCE_FIRST);
    assert_int_equal(asked_from, 0);
    assert_true(f.reached);
}

static void less_than_a_year_beside_a_yearly_figure_is_taken_at_its_rate(void **state)
{
    (void)state;
    add(&hired, "a", "", 30, "person");
    struct statement st = target("jobs_hq", 730, "person");
    st.cumulative = false;
    st.per = "year";
    struct fact f = fact_of(&st); // 60 in 60 days
    assert_int_equal(f.rule, RULE_RATE);
    assert_int_equal(f.days, 60);
    assert_int_equal(f.value.integer, 365);
    assert_int_equal(f.per_cent.integer, 50);
}

static void days_without_figures_are_not_days_of_nothing(void **state)
{
    (void)state;
    add(&hired, "a", "", 30, "person");
    struct statement st = target("jobs_hq", 730, "person");
    st.cumulative = false;
    st.per = "year";
    unknown_days = 30;
    struct fact f = fact_of(&st); // 60 in the 30 of 60 days that are known
    assert_int_equal(f.rule, RULE_RATE);
    assert_int_equal(f.days, 30);
    assert_int_equal(f.days_most, 30);
    assert_int_equal(f.value.integer, 730);
    unknown_days = 60;
    assert_int_equal(fact_of(&st).why, FACT_SHORT);
    unknown_days = 0;
}

static void unlike_products_are_never_added(void **state)
{
    (void)state;
    add(&units, "a", "pumps", 10, "piece");
    add(&units, "b", "lifts", 10, "piece");
    struct statement st = target("out_units", 100, "piece");
    assert_int_equal(fact_of(&st).why, FACT_UNLIKE);
    st.dimension = "lifts";
    assert_int_equal(fact_of(&st).value.integer, 20);
}

static void ratios_are_never_added_but_one_may_be_shown(void **state)
{
    (void)state;
    add(&share, "a", "", 10, "percent");
    struct statement st = target("mkt_share", 25, "percent");
    assert_int_equal(fact_of(&st).value.integer, 10);
    add(&share, "b", "", 10, "percent");
    assert_int_equal(fact_of(&st).why, FACT_RATIO);
}

static void money_of_another_currency_is_not_comparable(void **state)
{
    (void)state;
    struct board_row *r = add(&inv, "a", "", 1000, "money");
    snprintf(r->series.currency, sizeof r->series.currency, "KZT");
    struct statement st = target("inv", 500, "money");
    st.currency = "USD";
    struct fact f = fact_of(&st);
    assert_int_equal(f.why, FACT_CURRENCY);
    assert_int_equal(f.value.kind, FIGURE_MISSING);
    st.currency = "KZT";
    assert_int_equal(fact_of(&st).value.integer, 2000);
}

static void what_is_credited_to_others_is_never_credited_to_the_park(void **state)
{
    (void)state;
    add(&hired, "a", "", 100, "person");
    struct statement st = target("jobs_hq", 600, "person");
    st.scope = "the whole exchange";
    struct fact f = fact_of(&st);
    assert_int_equal(f.why, FACT_SCOPE);
    assert_int_equal(f.value.kind, FIGURE_MISSING);
    st.scope = "";
    st.part_of = "other";
    assert_int_equal(fact_of(&st).why, FACT_PART);
    st.part_of = "";
    st.base = whole(100);
    assert_int_equal(fact_of(&st).why, FACT_INDEX);
}

static void nobodys_figure_is_unknown_and_not_zero(void **state)
{
    (void)state;
    struct statement st = target("jobs_hq", 600, "person");
    assert_int_equal(fact_of(&st).why, FACT_NONE);
    add(&hired, "a", "", 1, "person")->latest.value = figure_missing();
    struct fact f = fact_of(&st);
    assert_int_equal(f.why, FACT_NONE);
    assert_int_equal(f.value.kind, FIGURE_MISSING);
    assert_int_equal(f.contributors, 0);
    st.kpi = "";
    assert_int_equal(fact_of(&st).why, FACT_NO_KPI);
}

static void a_resident_that_reports_a_whole_and_its_parts_is_counted_once(void **state)
{
    (void)state;
    add(&jobs, "a", "", 100, "person");
    add(&jobs, "a", "men", 60, "person");
    add(&jobs, "a", "women", 40, "person");
    add(&jobs, "b", "men", 5, "person");
    add(&jobs, "b", "women", 6, "person");
    add(&jobs, "all", "", 111, "person"); // the collector's own total
    struct statement st = target("jobs_total", 300, "person");
    struct fact f = fact_of(&st);
    assert_int_equal(f.value.integer, 111);
    assert_int_equal(f.contributors, 2);
}

static void a_whole_that_is_declared_and_never_reported_leaves_the_parts_to_count(void **state)
{
    (void)state;
    add(&jobs, "a", "", 0, "person")->has_latest = false;
    add(&jobs, "a", "men", 60, "person");
    add(&jobs, "a", "women", 40, "person");
    struct statement st = target("jobs_total", 300, "person");
    struct fact f = fact_of(&st);
    assert_int_equal(f.why, FACT_KNOWN);
    assert_int_equal(f.value.integer, 100);
    assert_int_equal(f.contributors, 1);
}

static void a_sum_that_cannot_be_read_is_no_fact(void **state)
{
    (void)state;
    add(&hired, "a", "", 100, "person");
    struct statement st = target("jobs_hq", 600, "person");
    struct fact_source s = source(&st);
    assert_int_equal(fact_of_statement(&s, &st).why, FACT_FAILED);
}

static void beside_a_capacity_stands_the_output_of_a_year(void **state)
{
    (void)state;
    add(&units, "a", "pumps", 30, "piece");
    struct statement st = target("cap_nominal", 3650, "piece");
    st.kind = STATEMENT_CAPACITY;
    st.comparator = COMPARE_EQ;
    st.dimension = "pumps";
    st.resident = "a";
    st.per = "year";
    st.cumulative = false;
    struct fact f = fact_of(&st);
    assert_int_equal(f.value.integer, 365);
    assert_int_equal(f.per_cent.integer, 10);
    assert_int_equal(f.of, 1);
    st.value = figure_missing(); // an unknown capacity is never 0
    f = fact_of(&st);
    assert_int_equal(f.per_cent.kind, FIGURE_MISSING);
    assert_int_equal(f.value.integer, 365);
}

// Stands in for the stores: as if 500 of any currency were one of the other; NOT_FOUND where the figure
// is 13.
static enum err convert(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                        const struct currency *currency, struct figure *total, struct fact_known *known,
                        struct conversion *by)
{
    (void)ctx;
    (void)currency;
    assert_true(to > from);
    if (row->latest.value.integer == 13)
        return ERR_NOT_FOUND;
    *total = whole(row->latest.value.integer / 500);
    *known = (struct fact_known){0};
    *by = (struct conversion){.bank = BANK_KZ, .from = 1, .to = 500, .days = 31, .rated = 20513};
    return ERR_OK;
}

static struct fact converted_fact(const struct statement *st)
{
    struct fact_source s = source(NULL);
    s.convert = convert;
    return fact_of_statement(&s, st);
}

static void other_currencies_are_added_when_each_has_its_rate_and_else_not_at_all(void **state)
{
    (void)state;
    struct board_row *a = add(&inv, "a", "", 5000, "money");
    snprintf(a->series.currency, sizeof a->series.currency, "KZT");
    struct board_row *b = add(&inv, "b", "", 100, "money");
    snprintf(b->series.currency, sizeof b->series.currency, "USD");
    struct statement st = target("inv", 105, "money");
    st.currency = "USD";
    struct fact f = fact_of(&st);
    assert_int_equal(f.why, FACT_CURRENCY);
    f = converted_fact(&st);
    assert_int_equal(f.why, FACT_KNOWN);
    assert_true(f.converted);
    assert_string_equal(f.measure.currency_code, "USD");
    assert_int_equal(f.value.integer, 210); // twice a hundred, and ten
    assert_int_equal(f.per_cent.integer, 200);
    assert_int_equal(f.contributors, 2);
    assert_int_equal(f.by.days, 31);
    a->latest.value = whole(13);
    f = converted_fact(&st);
    assert_int_equal(f.why, FACT_CURRENCY);
    assert_false(f.converted);
    assert_int_equal(f.value.kind, FIGURE_MISSING);
}

// Like convert, each row by the rate of its newest figure's day.
static enum err convert_by_day(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                               const struct currency *currency, struct figure *total,
                               struct fact_known *known, struct conversion *by)
{
    enum err e = convert(ctx, row, from, to, currency, total, known, by);
    by->rated = (int32_t)row->latest.time;
    return e;
}

static void the_rate_that_is_said_is_the_newest_whosever_it_is(void **state)
{
    (void)state;
    add(&inv, "a", "", 5000, "money")->latest.time = DAY - 30;
    add(&inv, "b", "", 5000, "money");
    add(&inv, "c", "", 5000, "money")->latest.time = DAY - 60;
    for (size_t i = 0; i < count; i++)
        snprintf(rows[i].series.currency, sizeof rows[i].series.currency, "KZT");
    struct statement st = target("inv", 105, "money");
    st.currency = "USD";
    struct fact_source s = source(NULL);
    s.convert = convert_by_day;
    struct fact f = fact_of_statement(&s, &st);
    assert_true(f.converted);
    assert_int_equal(f.value.integer, 30);
    assert_int_equal(f.by.rated, DAY);
}

// ---- membership

static void set_member(int32_t joined, int32_t left)
{
    residents[1].member = (struct membership){.joined = joined, .left = left, .merged_into = ""};
}

static int belong_again(void **state)
{
    (void)state;
    residents[1].member = (struct membership)MEMBERSHIP_DEFAULT;
    return 0;
}

static void a_level_of_one_that_left_is_not_the_parks_any_more(void **state)
{
    (void)state;
    struct statement st = target("jobs_total", 100, "person");
    add(&jobs, "a", "", 30, "person");
    add(&jobs, "b", "", 40, "person");
    set_member(MEMBERSHIP_ALWAYS, DAY + 1);
    struct fact_source s = source(NULL);
    s.today = DAY;
    struct fact before = fact_of_statement(&s, &st);
    s.today = DAY + 1; // it left: its newest figure is of a day on which it belonged, but it is gone
    struct fact after = fact_of_statement(&s, &st);
    assert_int_equal(before.value.integer, 70);
    assert_int_equal(before.outside, 0);
    assert_int_equal(before.of, 3);
    assert_int_equal(after.value.integer, 30);
    assert_int_equal(after.outside, 1);
    assert_int_equal(after.of, 2);
}

static void who_left_and_contributes_is_one_of_those_it_is_said_to_be_of(void **state)
{
    (void)state;
    struct statement st = target("jobs_hq", 100, "person");
    add(&hired, "a", "", 10, "person");
    add(&hired, "b", "", 40, "person");
    set_member(MEMBERSHIP_ALWAYS, DAY + 1);
    struct fact_source s = source(NULL);
    s.today = DAY + 1;
    struct fact fact = fact_of_statement(&s, &st);
    assert_int_equal(fact.contributors, 2);
    assert_int_equal(fact.of, 3); // a and c are there today
    count = 1;
    s.count = 1;
    fact = fact_of_statement(&s, &st);
    assert_int_equal(fact.contributors, 1);
    assert_int_equal(fact.of, 2);
}

static void a_flow_counts_the_days_that_belong_only(void **state)
{
    (void)state;
    struct statement st = target("jobs_hq", 100, "person");
    add(&hired, "b", "", 40, "person");
    set_member(DAY - 10, MEMBERSHIP_STILL);
    struct fact_source s = source(NULL);
    s.today = DAY;
    struct fact fact = fact_of_statement(&s, &st);
    assert_int_equal(asked_from, DAY - 10);
    assert_int_equal(fact.why, FACT_KNOWN);
    assert_int_equal(fact.outside, 1);
    set_member(DAY + 1, MEMBERSHIP_STILL); // all it reported was before
    assert_int_equal(fact_of_statement(&s, &st).why, FACT_NONE);
    st.resident = "b"; // what is said of the enterprise itself is its own
    assert_int_equal(fact_of_statement(&s, &st).why, FACT_KNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_level_says_of_how_many_residents_the_figure_is_older, clear),
        cmocka_unit_test_setup(a_resident_with_any_older_figure_is_said_to_be_older_once, clear),
        cmocka_unit_test_setup(a_level_is_the_sum_of_each_residents_newest, clear),
        cmocka_unit_test_setup(a_cumulative_flow_counts_since_the_first_report, clear),
        cmocka_unit_test_setup(less_than_a_year_beside_a_yearly_figure_is_taken_at_its_rate, clear),
        cmocka_unit_test_setup(days_without_figures_are_not_days_of_nothing, clear),
        cmocka_unit_test_setup(unlike_products_are_never_added, clear),
        cmocka_unit_test_setup(ratios_are_never_added_but_one_may_be_shown, clear),
        cmocka_unit_test_setup(money_of_another_currency_is_not_comparable, clear),
        cmocka_unit_test_setup(other_currencies_are_added_when_each_has_its_rate_and_else_not_at_all, clear),
        cmocka_unit_test_setup(the_rate_that_is_said_is_the_newest_whosever_it_is, clear),
        cmocka_unit_test_setup(what_is_credited_to_others_is_never_credited_to_the_park, clear),
        cmocka_unit_test_setup(nobodys_figure_is_unknown_and_not_zero, clear),
        cmocka_unit_test_setup(a_resident_that_reports_a_whole_and_its_parts_is_counted_once, clear),
        cmocka_unit_test_setup(a_whole_that_is_declared_and_never_reported_leaves_the_parts_to_count, clear),
        cmocka_unit_test_setup(a_sum_that_cannot_be_read_is_no_fact, clear),
        cmocka_unit_test_setup(beside_a_capacity_stands_the_output_of_a_year, clear),
        cmocka_unit_test_setup_teardown(a_level_of_one_that_left_is_not_the_parks_any_more, clear,
                                        belong_again),
        cmocka_unit_test_setup_teardown(who_left_and_contributes_is_one_of_those_it_is_said_to_be_of, clear,
                                        belong_again),
        cmocka_unit_test_setup_teardown(a_flow_counts_the_days_that_belong_only, clear, belong_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
