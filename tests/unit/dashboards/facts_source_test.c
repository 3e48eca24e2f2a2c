// Facts of a park's own figures, from the collector's stores: reports of another currency than their series',
// measurements of days that belong.
#include "dashboards/closings.h"
#include "dashboards/facts_source.h"
#include "dashboards/router.h"
#include "dashboards/site.h"
#include "store/ledger_keep.h"
#include "tests/support/cmocka.h"
#include "tests/support/totals_rig.h"
#include <stdio.h>
#include <string.h>

static struct totals_rig r;
static struct dashboard_config config;
static struct site *site;
static struct exchange x;
static struct readers store;
static struct board board;
static struct fact_totals totals;

static enum err nobody(const char *state, const char *request, int timeout_ms, char **reply, struct diag *d)
{
    (void)state, (void)request, (void)timeout_ms, (void)reply;
    return diag_fail(d, ERR_CLOSED, "no collector");
}

static int setup(void **state)
{
    (void)state;
    totals_rig_open(&r,
                    "residents:\n  - {code: a, names: {en: Alfa}, about: {en: a}, simulated: true}\n"
                    "  - {code: b, names: {en: Beta}, about: {en: b}, simulated: true}\n"
                    "  - {code: c, names: {en: Gamma}, about: {en: c}, simulated: true, left: 2026-03-01}\n"
                    "  - {code: d, names: {en: Delta}, about: {en: d}, simulated: true, joined: 2026-03-01}\n"
                    "dimensions: [{code: pumps, names: {en: Pumps}}]\n");
    return 0;
}

// Once all figures are written.
static struct fact_source open_source(void)
{
    static char catalogue[] = "deploy/catalogue.yaml";
    struct diag d = {""};
    totals_rig_observe(&r);
    config = (struct dashboard_config){.state = r.store.folder, .catalogue = catalogue, .parks = r.parks};
    if (site_open(&config, &r.store.clock.clock, NULL, nobody, &site, &d) != ERR_OK)
        fail_msg("%s", d.text);
    exchange_init(&x);
    snprintf(x.method, sizeof x.method, "GET");
    snprintf(x.target, sizeof x.target, "/healthz");
    router_answer(site, &x);
    if (site_store(site, &x.viewer, &store, &d) != ERR_OK || board_load(site, &store, "works/", &board, &d))
        fail_msg("%s", d.text);
    totals = (struct fact_totals){.site = site, .store = &store};
    return fact_totals_source(&totals, parks_find(&site->parks, "works"), &board);
}

static int teardown(void **state)
{
    (void)state;
    fact_totals_close(&totals);
    board_free(&board);
    exchange_deinit(&x);
    site_close(site);
    site = NULL;
    totals_rig_close(&r);
    return 0;
}

static struct statement target(const char *kpi, const char *currency)
{
    return (struct statement){.id = "t",
                              .kind = STATEMENT_TARGET,
                              .kpi = kpi,
                              .dimension = "",
                              .resident = "",
                              .comparator = COMPARE_GE,
                              .value = store_integer(1000000),
                              .value_high = figure_missing(),
                              .base = figure_missing(),
                              .unit = "",
                              .currency = currency,
                              .per = "",
                              .scope = "",
                              .part_of = "",
                              .cumulative = true};
}

// ---- reports of another currency than their series'

static void report_in_dollars(void)
{
    totals_rig_report(&r, "a/inv", "KZT", "2025-12", 40000);
    totals_rig_foreign(&r, "a/inv", "KZT", "2026-01", 1200, "USD");
    totals_rig_report(&r, "b/inv", "KZT", "2026-01", 7);
}

static void a_report_of_another_currency_is_converted_into_its_series(void **state)
{
    (void)state;
    report_in_dollars();
    totals_rig_rates(&r, "2026-01-01", "2026-01-31", "USD", "500");
    struct fact_source s = open_source();
    struct statement st = target("inv", "KZT");
    struct fact f = fact_of_statement(&s, &st);
    assert_int_equal(f.why, FACT_KNOWN);
    assert_int_equal(f.value.integer, 40000 + 1200 * 500 + 7);
    assert_true(f.converted);
    assert_int_equal(f.by.from / f.by.to, 500);
    assert_int_equal(f.contributors, 2);
    assert_int_equal(fact_of_kpi(&s, "inv", RULE_SINCE_FIRST, "KZT").value.integer, 640007);
    totals.as_of.us = clock_wall(&r.store.clock.clock).us;
    assert_int_equal(fact_of_statement(&s, &st).value.integer, 640007);
}

static void without_its_rate_there_is_no_part_of_a_sum(void **state)
{
    (void)state;
    report_in_dollars();
    struct fact_source s = open_source();
    struct statement st = target("inv", "KZT");
    struct fact f = fact_of_statement(&s, &st);
    assert_int_equal(f.why, FACT_CURRENCY);
    assert_int_equal(f.value.kind, FIGURE_MISSING);
    assert_false(f.converted);
    st.resident = "b"; // its own are all in tenge
    assert_int_equal(fact_of_statement(&s, &st).value.integer, 7);
}

static void a_level_of_another_currency_is_converted_and_not_left_out(void **state)
{
    (void)state;
    totals_rig_report(&r, "a/wage_avg", "KZT", "2025-12", 40000);
    totals_rig_foreign(&r, "a/wage_avg", "KZT", "2026-01", 1200, "USD");
    totals_rig_rates(&r, "2026-01-31", "2026-01-31", "USD", "510");
    struct fact_source s = open_source();
    struct statement st = target("wage_avg", "KZT");
    struct fact f = fact_of_statement(&s, &st);
    assert_int_equal(f.why, FACT_KNOWN);
    assert_int_equal(f.value.integer, 1200 * 510);
    assert_int_equal(f.contributors, 1);
}

// ---- spans that cut periods

static int32_t first_of(const char *period)
{
    struct period p;
    assert_int_equal(period_parse(period, &p), ERR_OK);
    return p.start;
}

static void a_report_that_reaches_beyond_a_span_is_not_of_it(void **state)
{
    (void)state;
    totals_rig_report(&r, "a/inv", "KZT", "2025-Q3", 20);
    totals_rig_report(&r, "a/inv", "KZT", "2025-Q4", 1000);
    totals_rig_foreign(&r, "b/inv", "KZT", "2025-Q3", 2, "USD");
    totals_rig_foreign(&r, "b/inv", "KZT", "2025-Q4", 100, "USD");
    totals_rig_rates(&r, "2025-07-01", "2025-12-31", "USD", "500");
    struct fact_source s = open_source();
    struct statement st = target("inv", "KZT");
    struct fact f = fact_of_span(&s, &st, first_of("2025-07"), first_of("2025-11"));
    assert_int_equal(f.why, FACT_KNOWN);
    assert_int_equal(f.value.integer, 20 + 2 * 500);
    f = fact_of_span(&s, &st, first_of("2025-07"), first_of("2026-01"));
    assert_int_equal(f.value.integer, 1020 + 102 * 500);
    totals.as_of.us = clock_wall(&r.store.clock.clock).us;
    f = fact_of_span(&s, &st, first_of("2025-10"), first_of("2025-11"));
    assert_int_equal(f.why, FACT_NONE);
}

static void a_level_of_a_quarter_is_converted_from_its_own_report(void **state)
{
    (void)state;
    totals_rig_foreign(&r, "a/wage_avg", "KZT", "2025-Q4", 1200, "USD");
    totals_rig_rates(&r, "2025-10-01", "2025-12-31", "USD", "510");
    struct fact_source s = open_source();
    struct statement st = target("wage_avg", "KZT");
    assert_int_equal(fact_of_statement(&s, &st).value.integer, 1200 * 510);
}

static void what_a_span_cuts_and_what_is_missing_in_it_is_said(void **state)
{
    (void)state;
    totals_rig_report(&r, "a/inv", "KZT", "2025-11", 1);
    totals_rig_report(&r, "a/inv", "KZT", "2025-12", 1);
    totals_rig_report(&r, "a/inv", "KZT", "2026-01", 1);
    totals_rig_report(&r, "b/inv", "KZT", "2025-11", 10);
    totals_rig_missing(&r, "b/inv", "KZT", "2025-12");
    totals_rig_report(&r, "b/inv", "KZT", "2026-01", 10);
    totals_rig_report(&r, "d/inv", "KZT", "2025-Q4", 1000); // its October is before
    struct fact_source s = open_source();
    struct statement st = target("inv", "KZT");
    st.resident = "a";
    st.per = "quarter";
    st.cumulative = false;
    assert_int_equal(fact_of_statement(&s, &st).partial, 0);
    st.resident = "b";
    struct fact f = fact_of_statement(&s, &st);
    assert_int_equal(f.value.integer, 20);
    assert_int_equal(f.partial, 1);
    st.per = "month";
    assert_int_equal(fact_of_statement(&s, &st).partial, 0);
    st.per = "";
    assert_int_equal(fact_of_statement(&s, &st).partial, 1); // since its first one, too
    st.resident = "";
    board.rows[2].resident = board.rows[0].resident; // belongs all along
    f = fact_of_kpi(&s, "inv", RULE_QUARTER, "KZT");
    assert_int_equal(f.value.integer, 23);
    assert_int_equal(f.contributors, 2);
    assert_int_equal(f.partial, 2);
}

static void a_rate_a_year_is_of_the_periods_that_are_known(void **state)
{
    (void)state;
    totals_rig_report(&r, "a/inv", "KZT", "2025-10", 31);
    totals_rig_missing(&r, "a/inv", "KZT", "2025-11");
    totals_rig_report(&r, "a/inv", "KZT", "2026-01", 31);
    totals_rig_foreign(&r, "b/inv", "KZT", "2025-12", 1, "USD");
    totals_rig_rates(&r, "2025-10-01", "2026-01-31", "USD", "310");
    struct fact_source s = open_source();
    struct statement st = target("inv", "KZT");
    st.per = "year";
    st.cumulative = false;
    struct fact f = fact_of_statement(&s, &st);
    assert_int_equal(f.rule, RULE_RATE);
    assert_int_equal(f.days, 31);
    assert_int_equal(f.days_most, 62);
    assert_int_equal(f.value.integer, 365 + 10 * 365); // a sold 62 in 62 days, b 310 in 31
}

// ---- measurements of local days

#define TODAY 20513 // the first of March: "now" is at 17 o'clock in Almaty, five hours ahead of UTC

// Of an hour that ends at the local hour of the day.
static void measure(const char *series, int32_t day, int hour, int64_t value)
{
    totals_rig_measure(&r, series, zone_midnight(r.zone, day) + hour * 3600, value);
}

static struct fact pumps(const struct fact_source *s, const char *per)
{
    struct statement st = target("out_units", "");
    st.dimension = "pumps";
    st.per = per;
    st.cumulative = !*per;
    return fact_of_statement(s, &st);
}

static void a_rate_a_year_is_of_the_hours_that_were_measured(void **state)
{
    (void)state;
    for (int hour = 0; hour < 24; hour++)
        measure("a/out_units/pumps", TODAY - 40, hour + 1, 1);
    for (int hour = 0; hour < 24; hour++)
        measure("a/out_units/pumps", TODAY - 3, hour + 1, 1);
    struct fact_source s = open_source();
    struct fact f = pumps(&s, "year");
    assert_int_equal(f.rule, RULE_RATE);
    assert_int_equal(f.days, 2);
    assert_int_equal(f.value.integer, 24 * 365);
}

static void who_left_is_credited_until_the_local_midnight(void **state)
{
    (void)state;
    measure("c/out_units/pumps", TODAY - 1, 23, 1);
    measure("c/out_units/pumps", TODAY, 0, 2); // yesterday's last hour
    measure("c/out_units/pumps", TODAY, 1, 10);
    measure("c/out_units/pumps", TODAY, 6, 100);
    struct fact_source s = open_source();
    assert_int_equal(pumps(&s, "").value.integer, 3);
    totals.as_of.us = clock_wall(&r.store.clock.clock).us;
    assert_int_equal(pumps(&s, "").value.integer, 3);
}

static void who_joined_is_credited_from_the_local_midnight_on(void **state)
{
    (void)state;
    measure("d/out_units/pumps", TODAY, 0, 1);
    measure("d/out_units/pumps", TODAY, 1, 10);
    measure("d/out_units/pumps", TODAY, 6, 100);
    struct fact_source s = open_source();
    struct fact f = pumps(&s, "");
    assert_int_equal(f.value.integer, 110);
    assert_int_equal(f.from_day, TODAY);
    assert_int_equal(f.to_day, f.from_day + 1);
}

static void who_joined_today_has_a_level_before_dawn(void **state)
{
    (void)state;
    measure("d/jobs_total", TODAY, 2, 40);
    struct fact_source s = open_source();
    struct statement st = target("jobs_total", "");
    assert_int_equal(fact_of_statement(&s, &st).value.integer, 40);
    s.today = TODAY - 1;
    assert_int_equal(fact_of_statement(&s, &st).why, FACT_NONE);
}

static void a_day_and_a_month_begin_at_the_local_midnight(void **state)
{
    (void)state;
    measure("a/out_units/pumps", TODAY - 1, 12, 1);
    measure("a/out_units/pumps", TODAY, 0, 10);
    measure("a/out_units/pumps", TODAY, 1, 100);
    measure("a/out_units/pumps", TODAY, 3, 1000); // in UTC it is yesterday
    struct fact_source s = open_source();
    struct fact day = pumps(&s, "day"), month = pumps(&s, "month");
    assert_int_equal(day.rule, RULE_DAY);
    assert_int_equal(day.value.integer, 1100);
    assert_int_equal(month.value.integer, 1111);
    assert_int_equal(day.from_day, month.from_day + 1);
}

static void a_figure_that_came_meanwhile_is_added_after_some_seconds(void **state)
{
    (void)state;
    measure("a/out_units/pumps", TODAY - 3, 12, 1);
    measure("a/out_units/pumps", TODAY, 12, 20);
    struct fact_source s = open_source();
    assert_int_equal(pumps(&s, "").value.integer, 21);
    measure("a/out_units/pumps", TODAY - 3, 10, 300); // late
    measure("a/out_units/pumps", TODAY, 10, 4000);
    totals_rig_observe(&r);
    fake_clock_advance_us(&r.store.clock, 4 * US_PER_S);
    assert_int_equal(pumps(&s, "").value.integer, 21);
    fake_clock_advance_us(&r.store.clock, 2 * US_PER_S);
    assert_int_equal(pumps(&s, "").value.integer, 4021);
    fake_clock_advance_us(&r.store.clock, 60 * US_PER_S);
    assert_int_equal(pumps(&s, "").value.integer, 4321);
}

static void sums_of_a_ledger_that_was_replaced_are_not_those_of_the_new_one(void **state)
{
    (void)state;
    char backup[STORE_PATH];
    store_temp_folder(backup);
    measure("a/out_units/pumps", TODAY, 12, 20);
    struct fact_source s = open_source();
    store_copy(&r.store, backup);
    measure("a/out_units/pumps", TODAY, 10, 4000);
    totals_rig_observe(&r);
    assert_int_equal(pumps(&s, "").value.integer, 4020);
    store_restore(&r.store, backup);
    assert_int_equal(site_store(site, &x.viewer, &store, NULL), ERR_OK);
    assert_int_equal(pumps(&s, "").value.integer, 20);
    store_remove_folder(backup);
}

static bool is_closed(const char *period)
{
    struct period p;
    struct closure found;
    const struct as_of now = {0};
    assert_int_equal(period_parse(period, &p), ERR_OK);
    assert_int_equal(site_store(site, &x.viewer, &store, NULL), ERR_OK);
    assert_int_equal(closings_refresh(site, &store, NULL), ERR_OK);
    return closings_of(site, &board.rows[0], p.start, &now, &found);
}

static void close_period(struct ledger *l, const char *period)
{
    struct closure c = {.reason = "audited"};
    struct wire_receipt receipt;
    struct buf text;
    int64_t now_us;
    assert_int_equal(period_parse(period, &c.period), ERR_OK);
    buf_init(&text, CLOSURE_DOCUMENT_MAX);
    assert_int_equal(closure_write(&c, &text), ERR_OK);
    assert_int_equal(ledger_begin(l, &now_us, NULL), ERR_OK);
    assert_int_equal(ledger_add_control(l, CLOSURE_KIND "works", text.data, text.len, "bek", &receipt, NULL),
                     ERR_OK);
    assert_int_equal(ledger_commit(l, NULL), ERR_OK);
    buf_deinit(&text);
}

static void closings_of_a_ledger_that_was_replaced_are_not_those_of_the_new_one(void **state)
{
    (void)state;
    char backup[STORE_PATH];
    store_temp_folder(backup);
    totals_rig_report(&r, "a/inv", "KZT", "2026-01", 7);
    (void)open_source();
    store_copy(&r.store, backup);
    close_period(r.store.ledger, "2026-01");
    assert_true(is_closed("2026-01"));
    store_restore(&r.store, backup);
    store_reopen(&r.store);
    close_period(r.store.ledger, "2025-12");
    assert_true(is_closed("2025-12"));
    assert_false(is_closed("2026-01"));
    store_remove_folder(backup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_report_of_another_currency_is_converted_into_its_series, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_its_rate_there_is_no_part_of_a_sum, setup, teardown),
        cmocka_unit_test_setup_teardown(a_level_of_another_currency_is_converted_and_not_left_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_report_that_reaches_beyond_a_span_is_not_of_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_level_of_a_quarter_is_converted_from_its_own_report, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_a_span_cuts_and_what_is_missing_in_it_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rate_a_year_is_of_the_periods_that_are_known, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rate_a_year_is_of_the_hours_that_were_measured, setup, teardown),
        cmocka_unit_test_setup_teardown(who_left_is_credited_until_the_local_midnight, setup, teardown),
        cmocka_unit_test_setup_teardown(who_joined_is_credited_from_the_local_midnight_on, setup, teardown),
        cmocka_unit_test_setup_teardown(who_joined_today_has_a_level_before_dawn, setup, teardown),
        cmocka_unit_test_setup_teardown(a_day_and_a_month_begin_at_the_local_midnight, setup, teardown),
        cmocka_unit_test_setup_teardown(a_figure_that_came_meanwhile_is_added_after_some_seconds, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(sums_of_a_ledger_that_was_replaced_are_not_those_of_the_new_one,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(closings_of_a_ledger_that_was_replaced_are_not_those_of_the_new_one,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
