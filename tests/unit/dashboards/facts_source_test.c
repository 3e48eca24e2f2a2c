// Facts of a park's own figures, from the collector's stores: reports of another currency than their series',
// measurements of days that belong.
#include "dashboards/facts_source.h"
#include "dashboards/router.h"
#include "dashboards/site.h"
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
    totals_rig_open(&r, "residents:\n  - {code: a, names: {en: Alfa}, about: {en: a}, simulated: true}\n"
                        "  - {code: b, names: {en: Beta}, about: {en: b}, simulated: true}\n");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_report_of_another_currency_is_converted_into_its_series, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_its_rate_there_is_no_part_of_a_sum, setup, teardown),
        cmocka_unit_test_setup_teardown(a_level_of_another_currency_is_converted_and_not_left_out, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
