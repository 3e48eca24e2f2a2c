#include "dashboards/writer.h"
#include "kpi/period.h"
#include "tests/support/site_fixture.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct site_fixture f;

static int setup(void **state)
{
    (void)state;
    site_fixture_open(&f, true, NULL, NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    site_fixture_close(&f);
    return 0;
}

static json_t *get_json(const char *target)
{
    json_error_t error;
    if (site_fixture_get(&f, target) != 200)
        fail_msg("%s: %d %s", target, f.x.status, site_fixture_body(&f));
    json_t *root = json_loads(site_fixture_body(&f), JSON_REJECT_DUPLICATES, &error);
    if (!root)
        fail_msg("%s: %s", target, error.text);
    return root;
}

static void published_figures_come_back_as_they_were_published(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_get(&f, "/api/v1/observations?series=penza/rosstat/kep/indpro_yoy"), 200);
    static const char *const wanted[] = {"{\"period\":\"2013-08\",\"revision\":1,\"value\":92.2,",
                                         "\"period\":\"2013-09\",\"revision\":1,\"value\":57.49999999999999,",
                                         "\"period\":\"2013-10\",\"revision\":2,\"value\":104.3,",
                                         "\"value\":0.1,", "\"value\":101,"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!site_fixture_has(&f, wanted[i]))
            fail_msg("%s is not in %s", wanted[i], site_fixture_body(&f));
}

static void observations_show_what_was_known_at_a_moment_and_every_revision(void **state)
{
    (void)state;
    json_t *now = get_json("/api/v1/observations?series=penza/rosstat/kep/indpro_yoy&period=2013-10");
    json_t *then = get_json(
        "/api/v1/observations?series=penza/rosstat/kep/indpro_yoy&period=2013-10&as_of=2026-03-01T12:30:00Z");
    json_t *all =
        get_json("/api/v1/observations?series=penza/rosstat/kep/indpro_yoy&period=2013-10&revisions=all");
    json_t *before = get_json("/api/v1/observations?series=penza/rosstat/kep/indpro_yoy&as_of=2020-01-01");
    assert_int_equal(json_array_size(json_object_get(now, "observations")), 1);
    assert_float_equal(
        json_real_value(json_object_get(json_array_get(json_object_get(now, "observations"), 0), "value")),
        104.3, 0);
    assert_float_equal(
        json_real_value(json_object_get(json_array_get(json_object_get(then, "observations"), 0), "value")),
        104.1, 0);
    assert_int_equal(json_array_size(json_object_get(all, "observations")), 2);
    assert_int_equal(json_array_size(json_object_get(before, "observations")), 0);
    json_decref(now);
    json_decref(then);
    json_decref(all);
    json_decref(before);
}

static void csv_is_quoted_by_the_rules_and_cannot_start_a_formula(void **state)
{
    (void)state;
    assert_int_equal(
        site_fixture_get(
            &f, "/api/v1/observations?series=penza/rosstat/kep/indpro_yoy&period=2013-10&format=csv"),
        200);
    assert_string_equal(f.x.filename, "penza_rosstat_kep_indpro_yoy.csv");
    assert_true(site_fixture_has(
        &f, "period,value,revision,currency,status,confidential,received,published,reason,author\r\n"));
    assert_true(site_fixture_has(&f, "2013-10,104.3,2,,P,0,2026-03-01T13:00:00Z"));
    struct buf b;
    buf_init(&b, 1000);
    csv_text(&b, "a,\"b\"\r\n");
    buf_text(&b, "|");
    csv_text(&b, "=cmd()");
    buf_text(&b, "|");
    csv_text(&b, "plain");
    assert_string_equal(buf_str(&b), "\"a,\"\"b\"\"\r\n\"|\"'=cmd()\"|plain");
    buf_deinit(&b);
}

static void money_is_exact_in_major_and_minor_units(void **state)
{
    (void)state;
    json_t *root = get_json("/api/v1/series?series=yashnabad/fridge-plant/inv");
    const json_t *latest = json_object_get(json_array_get(json_object_get(root, "series"), 0), "latest");
    int64_t minor = json_integer_value(json_object_get(latest, "minor"));
    assert_true(minor > 0);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"value\":%lld.%02lld,\"minor\":%lld", (long long)(minor / 100),
             (long long)(minor % 100), (long long)minor);
    if (!site_fixture_has(&f, wanted))
        fail_msg("%s is not in %s", wanted, site_fixture_body(&f));
    json_decref(root);
}

static void an_amount_of_another_currency_is_never_shown_as_the_series_own(void **state)
{
    (void)state;
    static const char name[] = "yashnabad/fridge-plant/inv";
    static const struct {
        const char *address, *more, *wanted;
    } cases[] = {
        {"/api/v1/observations?series=", "&period=2026-02",
         "\"value\":12345.67,\"minor\":1234567,\"currency\":\"USD\""},
        {"/api/v1/query?series=", "&from=2026-02-01&to=2026-03-01", "\"value\":null"},
        {"/api/v1/query?series=", "&from=2026-01-01&to=2026-03-01&step=quarter", "\"known\":1"},
        {"/api/v1/series?series=", "", "\"value\":null"},
        {"/series/", "", "12,345.67\xc2\xa0USD"},
    };
    park_fixture_invest(&f.store, civil_to_days((struct civil){2026, 2, 1}), 1234567, "USD"); // the newest
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char target[200];
        snprintf(target, sizeof target, "%s%s%s", cases[i].address, name, cases[i].more);
        assert_int_equal(site_fixture_get(&f, target), 200);
        if (!site_fixture_has(&f, cases[i].wanted))
            fail_msg("%s: no %s in %s", target, cases[i].wanted, site_fixture_body(&f));
        assert_false(site_fixture_has(&f, "12,345.67\xc2\xa0UZS"));
    }
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void query_gives_every_step_with_unknowns_where_nothing_came(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_get(&f, "/api/v1/query?series=yashnabad/fridge-plant/out_units/"
                                          "fridges&from=1772272800&to=1772366400&format=csv"),
                     200);
    assert_int_equal(count_lines(site_fixture_body(&f)),
                     26 * 360 + 1); // the fixture's hole is filled with empty values
    assert_true(site_fixture_has(&f, "Z,\r\n"));
    assert_true(strncmp(site_fixture_body(&f), "time,value\r\n", 12) == 0);
}

static void query_rolls_up_exactly_and_counts_what_is_known(void **state)
{
    (void)state;
    json_t *exact = get_json(
        "/api/v1/query?series=yashnabad/fridge-plant/out_units/fridges&from=1772359200&to=1772366400");
    json_t *hours = get_json("/api/v1/query?series=yashnabad/fridge-plant/out_units/"
                             "fridges&from=1772359200&to=1772366400&step=1h");
    const json_t *points = json_object_get(exact, "points"), *sums = json_object_get(hours, "points");
    int64_t total = 0, of_hours = 0, known = 0;
    size_t i;
    json_t *p;
    json_array_foreach((json_t *)(uintptr_t)points, i, p) total +=
        json_integer_value(json_object_get(p, "value"));
    json_array_foreach((json_t *)(uintptr_t)sums, i, p)
    {
        of_hours += json_integer_value(json_object_get(p, "value"));
        known += json_integer_value(json_object_get(p, "known"));
    }
    assert_true(total > 0);
    assert_int_equal(total, of_hours);
    assert_int_equal(known, 720);
    assert_int_equal(json_array_size(sums), 2);
    assert_string_equal(json_string_value(json_object_get(hours, "cf")), "SUM");
    json_decref(exact);
    json_decref(hours);
}

static void query_refuses_what_it_does_not_understand_and_names_it(void **state)
{
    (void)state;
#define Q "/api/v1/query?series=yashnabad/fridge-plant/out_units/fridges"
    static const struct {
        const char *target, *parameter;
        int status;
    } cases[] = {{"/api/v1/query", "series", 400},
                 {"/api/v1/query?series=x", "series", 400},
                 {"/api/v1/query?series=a/b/c", "series", 404},
                 {Q "&from=yesterday", "from", 400},
                 {Q "&to=2026-02-30", "to", 400},
                 {Q "&from=now&to=-1d", "from", 400},
                 {Q "&step=7", "step", 400},
                 {Q "&step=0", "step", 400},
                 {Q "&cf=MEDIAN", "cf", 400},
                 {Q "&format=xml", "format", 400},
                 {Q "&colour=red", "colour", 400},
                 {Q "&from=1&from=2", "from", 400},
                 {"/api/v1/query?series=yashnabad/fridge-plant/inv&step=1h", "step", 400},
                 {"/api/v1/query?series=yashnabad/fridge-plant/inv&step=day", "step", 400},
                 {"/api/v1/observations?series=yashnabad/fridge-plant/inv&period=2026-13", "period", 400},
                 {"/api/v1/observations?series=yashnabad/fridge-plant/inv&as_of=March", "as_of", 400},
                 {"/api/v1/observations?series=yashnabad/fridge-plant/inv&revisions=all&as_of=2026-01-01",
                  "revisions", 400},
                 {"/api/v1/observations?series=yashnabad/fridge-plant/energy_kwh", "series", 400},
                 {"/api/v1/series?limit=0", "limit", 400},
                 {"/api/v1/series?park=A", "park", 400},
                 {"/api/v1/targets?park=nowhere", "park", 400}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "\"parameter\":\"%s\"", cases[i].parameter);
        int status = site_fixture_get(&f, cases[i].target);
        if (status != cases[i].status || !site_fixture_has(&f, wanted))
            fail_msg("%s: %d %s", cases[i].target, status, site_fixture_body(&f));
    }
}

static void reports_roll_up_by_calendar(void **state)
{
    (void)state;
    json_t *months = get_json("/api/v1/query?series=aztm/rolling-mill/jobs_hq&from=2025-01-01&to=2026-01-01");
    json_t *quarters =
        get_json("/api/v1/query?series=aztm/rolling-mill/jobs_hq&from=2025-01-01&to=2026-01-01&step=quarter");
    json_t *p;
    size_t i;
    int64_t a = 0, b = 0;
    json_array_foreach(json_object_get(months, "points"), i, p) a +=
        json_integer_value(json_object_get(p, "value"));
    json_array_foreach(json_object_get(quarters, "points"), i, p) b +=
        json_integer_value(json_object_get(p, "value"));
    assert_int_equal(json_array_size(json_object_get(months, "points")), 12);
    assert_int_equal(json_array_size(json_object_get(quarters, "points")), 4);
    assert_int_equal(a, b);
    assert_true(site_fixture_has(&f, "\"period\":\"2025-Q1\""));
    json_decref(months);
    json_decref(quarters);
}

static void parks_list_every_published_figure_with_its_doubts(void **state)
{
    (void)state;
    json_t *root = get_json("/api/v1/parks");
    assert_int_equal(json_array_size(json_object_get(root, "parks")), 5);
    json_decref(root);
    static const char *const wanted[] = {"\"comparator\":\">=\",\"about\":false,\"value\":2000",
                                         "\"about\":true,\"value\":100000000.00,\"minor\":10000000000",
                                         "\"due\":null",
                                         "\"due_text\":\"end of the year\"",
                                         "\"assumed\":\"the year",
                                         "\"scope\":\"the nation's manufacturing",
                                         "\"base\":100",
                                         "\"due_or\":\"2021\"",
                                         "\"part_of\":\"raised-2018\"",
                                         "\"why_unknown\":\"credited to others than the park\""};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!site_fixture_has(&f, wanted[i]))
            fail_msg("%s", wanted[i]);
}

static void series_are_listed_in_pages_by_name(void **state)
{
    (void)state;
    json_t *first = get_json("/api/v1/series?resident=fridge-plant&limit=3");
    const char *next = json_string_value(json_object_get(first, "next_after"));
    assert_int_equal(json_array_size(json_object_get(first, "series")), 3);
    assert_non_null(next);
    char target[300];
    snprintf(target, sizeof target, "/api/v1/series?resident=fridge-plant&after=%s", next);
    json_t *rest = get_json(target);
    assert_int_equal(json_array_size(json_object_get(rest, "series")), 2);
    assert_true(json_is_null(json_object_get(rest, "next_after")));
    assert_false(site_fixture_has(&f, ".rrd"));
    json_decref(first);
    json_decref(rest);
}

static void metrics_are_prometheus_text_with_help_and_type(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_get(&f, "/metrics"), 200);
    assert_true(site_fixture_has(&f, "# TYPE esep_collector_up gauge\nesep_collector_up 0\n"));
    assert_true(site_fixture_has(&f, "esep_ledger_readable 1\n"));
    assert_true(site_fixture_has(&f, "# TYPE esep_dashboard_requests_ok_total counter\n"));
}

static void health_is_good_while_the_ledger_can_be_read(void **state)
{
    (void)state;
    json_t *root = get_json("/healthz");
    assert_string_equal(json_string_value(json_object_get(root, "status")), "ok");
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "collector"), "state")),
                        "not running");
    json_decref(root);
}

static void before_any_collector_ran_pages_are_kind_and_the_api_says_so(void **state)
{
    (void)state;
    struct site_fixture empty;
    site_fixture_open(&empty, false, NULL, NULL, NULL);
    assert_int_equal(site_fixture_get(&empty, "/"), 200);
    assert_true(site_fixture_has(&empty, "No figures have arrived yet"));
    assert_true(site_fixture_has(&empty, "New highly qualified jobs"));
    assert_int_equal(site_fixture_get(&empty, "/parks/aztm"), 200);
    assert_int_equal(site_fixture_get(&empty, "/parks/aztm/rolling-mill"), 200);
    assert_int_equal(site_fixture_get(&empty, "/series/aztm/rolling-mill/jobs_total"), 404);
    assert_int_equal(site_fixture_get(&empty, "/api/v1/parks"), 200);
    assert_int_equal(site_fixture_get(&empty, "/api/v1/series"), 503);
    assert_int_equal(site_fixture_get(&empty, "/healthz"), 503);
    assert_int_equal(site_fixture_get(&empty, "/metrics"), 200);
    site_fixture_close(&empty);
}

static void a_ledger_that_appears_later_is_found(void **state)
{
    (void)state;
    struct site_fixture late;
    struct store other;
    site_fixture_open(&late, false, NULL, NULL, NULL);
    assert_int_equal(site_fixture_get(&late, "/healthz"), 503);
    store_create(&other);
    park_fixture_fill(&other, 1);
    assert_int_equal(rename(other.folder, late.store.folder), 0);
    assert_int_equal(site_fixture_get(&late, "/healthz"), 200);
    assert_int_equal(site_fixture_get(&late, "/parks/yashnabad/fridge-plant"), 200);
    assert_true(site_fixture_has(&late, "/graph/yashnabad/fridge-plant/out_units/fridges.svg"));
    assert_int_equal(rename(late.store.folder, other.folder), 0);
    site_fixture_close(&late);
    store_destroy(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_figures_come_back_as_they_were_published),
        cmocka_unit_test(observations_show_what_was_known_at_a_moment_and_every_revision),
        cmocka_unit_test(csv_is_quoted_by_the_rules_and_cannot_start_a_formula),
        cmocka_unit_test(money_is_exact_in_major_and_minor_units),
        cmocka_unit_test(query_gives_every_step_with_unknowns_where_nothing_came),
        cmocka_unit_test(query_rolls_up_exactly_and_counts_what_is_known),
        cmocka_unit_test(query_refuses_what_it_does_not_understand_and_names_it),
        cmocka_unit_test(reports_roll_up_by_calendar),
        cmocka_unit_test(parks_list_every_published_figure_with_its_doubts),
        cmocka_unit_test(series_are_listed_in_pages_by_name),
        cmocka_unit_test(metrics_are_prometheus_text_with_help_and_type),
        cmocka_unit_test(health_is_good_while_the_ledger_can_be_read),
        cmocka_unit_test(before_any_collector_ran_pages_are_kind_and_the_api_says_so),
        cmocka_unit_test(a_ledger_that_appears_later_is_found),
        cmocka_unit_test(an_amount_of_another_currency_is_never_shown_as_the_series_own),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
