// Funnels, registers and projects with figures, and membership, on pages and in the API.
#include "dashboards/facts_source.h"
#include "dashboards/points.h"
#include "dashboards/programmes.h"
#include "tests/support/site_fixture.h"
#include "tests/support/temp_yaml.h"
#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kpi/period.h"

// "Now" is 2026-03-01.
static const char profile[] =
    "code: p\nnames: {en: Test park}\ncity: {en: Almaty}\nabout: {en: A park}\ntime_zone: Asia/Almaty\n"
    "currency: KZT\n"
    "dimensions:\n  - {code: hubs, names: {en: Hubs}}\n  - {code: labs, names: {en: Labs}}\n"
    "residents:\n"
    "  - {code: school, names: {en: School}, about: {en: Teaches}, simulated: true}\n"
    "  - {code: late, names: {en: Latecomer}, about: {en: Teaches}, simulated: true, joined: 2026-01-01}\n"
    "  - {code: plant, names: {en: Plant}, about: {en: Makes}, simulated: true}\n"
    "  - {code: gone, names: {en: Leaver}, about: {en: Made}, simulated: true, left: 2026-02-01}\n"
    "  - {code: part, names: {en: Branch}, about: {en: Made}, simulated: true, "
    "merged_into: {resident: plant, day: 2026-01-01}}\n"
    "programmes:\n"
    "  - id: training\n    kind: funnel\n    names: {en: Training}\n"
    "    stages: [{en: Begun}, {en: Finished}, {en: Placed}, {en: Praised}]\n"
    "    steps: [{kpi: trained}, {kpi: graduates}, {kpi: grads_hired}, {}]\n    source: a text\n"
    "  - id: places\n    kind: register\n    names: {en: Places}\n    stages: [{en: Hubs}, {en: Labs}]\n"
    "    steps: [{kpi: facilities, dimension: hubs}, {kpi: facilities, dimension: labs}]\n"
    "    source: a text\n"
    "  - id: works\n    kind: stages\n    names: {en: Works}\n    stages: [{en: Pipes}]\n"
    "    steps: [{project_stage: 3}]\n    overlap: true\n    source: a text\n"
    "  - id: saving\n    kind: register\n    names: {en: Saving}\n    stages: [{en: Electricity}]\n"
    "    steps: [{kpi: energy_kwh}]\n    source: a text\n"
    "  - id: open\n    kind: register\n    names: {en: Open}\n    stages: [{en: Places}]\n"
    "    steps: [{kpi: vacancies}]\n    source: a text\n";

struct series {
    const char *kpi, *unit;
    struct {
        const char *month;
        int64_t value;
    } reports[4];
};
#define UP_TO 4

static const struct series school[] = {
    {"trained", "person", {{"2025-12", 100}, {"2026-01", 60}, {"2026-02", 40}}},
    {"graduates", "person", {{"2025-12", 50}, {"2026-01", 30}}}, // 2026-02 is missing
    {"grads_hired", "person", {{"2025-12", 10}, {"2026-01", 40}, {"2026-02", 1}}},
    {"facilities/hubs", "unit", {{"2025-12", 2}, {"2026-02", 3}}},
    {"vacancies", "unit", {{NULL, 0}}}, // declared, and no figure yet
    {"vacancies/hubs", "unit", {{"2026-02", 3}}},
    {"vacancies/labs", "unit", {{"2026-02", 4}}},
};
static const struct series late[] = {
    {"trained", "person", {{"2025-12", 1000}, {"2026-01", 7}, {"2026-02", 0}}}, // 1000: before it joined
};
static const struct series plant[] = {
    {"prj_stage", "stage", {{"2026-02", 5}}},
    {"prj_stage_done/3", "percent", {{"2026-02", 100}}},
    {"prj_stage_done/5", "percent", {{"2026-02", 40}}},
    {"prj_stage_done/6", "percent", {{"2026-02", 5}}},
};
static const struct series gone[] = {{"prj_stage", "stage", {{"2026-01", 7}}}};

static struct site_fixture f;
static char folder[TEMP_YAML_PATH];

static int32_t first_day(const char *month)
{
    struct period p;
    assert_int_equal(period_parse(month, &p), ERR_OK);
    return p.start;
}

static void put(const char *resident, uint8_t seed, const struct series *series, size_t count)
{
    char name[100];
    snprintf(name, sizeof name, "p/%s", resident);
    struct store_stream t = store_agent(&f.store, name, seed);
    for (size_t i = 0; i < count; i++) {
        struct ledger_series wanted = {.class = WIRE_REPORT, .period = PERIOD_MONTH}, made;
        snprintf(wanted.name, sizeof wanted.name, "p/%s/%s", resident, series[i].kpi);
        snprintf(wanted.unit, sizeof wanted.unit, "%s", series[i].unit);
        store_begin(&f.store);
        assert_int_equal(
            ledger_declare(f.store.ledger, t.stream_id, (uint32_t)i, &wanted, &made, &f.store.diag), ERR_OK);
        store_commit(&f.store);
        for (size_t k = 0; k < UP_TO && series[i].reports[k].month; k++)
            store_one(&f.store, &t, WIRE_REPORT, (uint32_t)i, first_day(series[i].reports[k].month),
                      store_integer(series[i].reports[k].value));
    }
}
#define PUT(resident, seed) put(#resident, seed, resident, sizeof(resident) / sizeof((resident)[0]))

// Two meters that count a unit in each of 24 hours.
static void put_meters(void)
{
    static const char *const names[] = {"p/meter-a/energy_kwh", "p/meter-b/energy_kwh"}, *const agents[] = {
                                                                                             "p/meter-a",
                                                                                             "p/meter-b"};
    for (size_t i = 0; i < 2; i++) {
        struct store_stream t = store_agent(&f.store, agents[i], (uint8_t)(54 + i));
        struct ledger_series wanted = {.class = WIRE_MEASUREMENT, .step_s = 3600, .unit = "kwh"}, made;
        snprintf(wanted.name, sizeof wanted.name, "%s", names[i]);
        store_begin(&f.store);
        assert_int_equal(ledger_declare(f.store.ledger, t.stream_id, 0, &wanted, &made, &f.store.diag),
                         ERR_OK);
        store_commit(&f.store);
        for (int64_t h = 1; h <= 24; h++)
            store_one(&f.store, &t, WIRE_MEASUREMENT, 0, STORE_EPOCH - (24 - h) * 3600, store_integer(1));
    }
}

static int setup(void **state)
{
    char path[TEMP_YAML_PATH];
    (void)state;
    temp_folder_create(folder);
    temp_yaml_write(folder, "p.yaml", profile, NULL, NULL, path);
    site_fixture_open(&f, true, NULL, folder, NULL);
    PUT(school, 50);
    PUT(late, 51);
    PUT(plant, 52);
    PUT(gone, 53);
    put_meters();
    park_fixture_observe(&f.store);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    site_fixture_close(&f);
    temp_folder_remove(folder);
    return 0;
}

static json_t *get(const char *target)
{
    json_error_t error;
    if (site_fixture_get(&f, target) != 200)
        fail_msg("%s: %d %s", target, f.x.status, site_fixture_body(&f));
    json_t *root = json_loads(site_fixture_body(&f), 0, &error);
    if (!root)
        fail_msg("%s: %s", target, error.text);
    return root;
}

static const json_t *step(const json_t *park, size_t programme, size_t i, const char *span)
{
    const json_t *g = json_array_get(json_object_get(park, "programmes"), programme);
    return json_object_get(json_array_get(json_object_get(g, "steps"), i), span);
}

static void expect(const json_t *o, const char *name, int64_t value)
{
    const json_t *v = json_object_get(o, name);
    if (!json_is_number(v) || json_number_value(v) != (double)value)
        fail_msg("%s is not %" PRId64 " in %s", name, value, json_dumps(o, 0));
}

static void expect_null(const json_t *o, const char *name)
{
    if (!json_is_null(json_object_get(o, name)))
        fail_msg("%s is not null in %s", name, json_dumps(o, 0));
}

static void a_funnel_counts_a_period_and_since_the_beginning(void **state)
{
    (void)state;
    json_t *park = get("/api/v1/parks/p?period=2026");
    const json_t *begun = step(park, 0, 0, "within_period"), *ever = step(park, 0, 0, "since_beginning");
    expect(begun, "value", 107); // 60 + 40 + 7 + 0
    expect(begun, "contributors", 2);
    expect(begun, "reports_missing", 0);
    expect_null(begun, "per_cent_of_step_before");
    expect(ever, "value", 207); // and 100; the latecomer's 1,000 of before are not the park's
    expect(ever, "partly_members", 1);
    expect(step(park, 0, 1, "since_beginning"), "value", 80);
    json_decref(park);
}

static void a_share_is_rebuilt_from_the_periods_own_counts(void **state)
{
    (void)state;
    json_t *year = get("/api/v1/parks/p?period=2026"), *before = get("/api/v1/parks/p?period=2025-12");
    expect(step(before, 0, 1, "within_period"), "per_cent_of_step_before", 50);
    const json_t *share = json_object_get(step(year, 0, 1, "within_period"), "per_cent_of_step_before");
    assert_true(json_number_value(share) > 28.03 && json_number_value(share) < 28.04); // 30 of 107
    json_decref(year);
    json_decref(before);
}

static void a_missing_report_is_said_and_never_zero(void **state)
{
    (void)state;
    json_t *park = get("/api/v1/parks/p?period=2026-02");
    const json_t *finished = step(park, 0, 1, "within_period");
    expect_null(finished, "value");
    expect(finished, "reports_missing", 1);
    expect_null(finished, "per_cent_of_step_before");
    expect_null(step(park, 0, 2, "within_period"), "per_cent_of_step_before"); // of an unknown number
    expect(step(park, 0, 2, "within_period"), "value", 1);
    expect_null(step(park, 0, 3, "within_period"), "value");
    json_decref(park);
    site_fixture_get(&f, "/parks/p?period=2026-02&lang=en");
    assert_true(site_fixture_has(&f, "reports missing: 1"));
    assert_true(site_fixture_has(&f, "no figure is collected for this"));
}

static void a_step_larger_than_the_one_before_is_shown_and_marked(void **state)
{
    (void)state;
    json_t *park = get("/api/v1/parks/p?period=2026-01");
    assert_true(json_is_true(json_object_get(step(park, 0, 2, "within_period"), "more_than_step_before")));
    expect(step(park, 0, 2, "within_period"), "value", 40);
    json_decref(park);
    site_fixture_get(&f, "/parks/p?period=2026-01&lang=en");
    assert_true(site_fixture_has(&f, "more than at the step before"));
    assert_true(site_fixture_has(&f, ">40</data>"));
}

static void a_register_has_its_newest_count_and_that_of_a_period(void **state)
{
    (void)state;
    json_t *park = get("/api/v1/parks/p?period=2025");
    expect(step(park, 1, 0, "since_beginning"), "value", 3);
    expect(step(park, 1, 0, "within_period"), "value", 2);
    expect_null(step(park, 1, 1, "since_beginning"), "value"); // unknown, not none
    json_decref(park);
}

static void a_whole_without_a_figure_leaves_its_parts_counted(void **state)
{
    (void)state;
    json_t *park = get("/api/v1/parks/p?period=2026");
    expect(step(park, 4, 0, "since_beginning"), "value", 7);
    expect(step(park, 4, 0, "within_period"), "value", 7);
    expect(step(park, 4, 0, "within_period"), "contributors", 1);
    json_decref(park);
}

static void a_period_that_is_none_is_refused_by_name(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_get(&f, "/api/v1/parks/p?period=soon"), 400);
    assert_true(site_fixture_has(&f, "\"parameter\":\"period\""));
    assert_int_equal(site_fixture_get(&f, "/parks/p?period=2026-13"), 400);
}

static void count_with_limit(struct programme_source *s, uint64_t points_max, enum step_why why,
                             int64_t value)
{
    struct programme_counts counts;
    struct span within = programmes_period(s, "2026");
    s->points_max = points_max;
    assert_int_equal(programmes_count(s, &s->park->programmes[3], within, &counts), ERR_OK);
    assert_int_equal(counts.within[0].why, why);
    if (why == STEP_KNOWN)
        assert_int_equal(counts.within[0].value.integer, value);
    programmes_counts_free(&counts);
}

static void measurements_are_read_up_to_a_limit_for_all_residents_together(void **state)
{
    (void)state;
    struct readers readers;
    struct board board;
    assert_int_equal(site_fixture_get(&f, "/healthz"), 200);
    assert_int_equal(site_store(f.site, &f.x.viewer, &readers, NULL), ERR_OK);
    assert_int_equal(board_load(f.site, &readers, "p/", &board, NULL), ERR_OK);
    struct programme_source s = {.site = f.site,
                                 .store = &readers,
                                 .viewer = &f.x.viewer,
                                 .park = parks_find(&f.site->parks, "p"),
                                 .board = &board};
    count_with_limit(&s, 48, STEP_KNOWN, 48);
    count_with_limit(&s, 47, STEP_TOO_BIG, 0);
    board_free(&board);
}

static void facts_of_then_read_measurements_up_to_a_limit_for_all_of_them(void **state)
{
    (void)state;
    struct readers readers;
    struct board_row row;
    struct figure sum = figure_missing();
    struct fact_known known;
    int32_t from = first_day("2026-02"), to = first_day("2026-04");
    assert_int_equal(site_fixture_get(&f, "/healthz"), 200);
    assert_int_equal(site_store(f.site, &f.x.viewer, &readers, NULL), ERR_OK);
    assert_int_equal(board_load_one(f.site, &readers, "p/meter-a/energy_kwh", &row, NULL), ERR_OK);
    struct fact_totals totals = {.site = f.site,
                                 .store = &readers,
                                 .as_of = {.us = site_now_us(f.site)},
                                 .points = POINTS_READ_MAX - 24};
    assert_int_equal(fact_totals_sum(&totals, &row, from, to, &sum, &known), ERR_OK);
    assert_int_equal(sum.integer, 24);
    assert_int_equal(fact_totals_sum(&totals, &row, from, to, &sum, &known), ERR_TOO_BIG);
    fact_totals_close(&totals);
}

static void the_histogram_counts_members_of_today_and_overlapping_stages(void **state)
{
    (void)state;
    json_t *park = get("/api/v1/parks/p");
    const json_t *projects = json_object_get(park, "projects"), *stages = json_object_get(projects, "stages");
    expect(projects, "residents", 1); // who left is not in it
    expect(json_array_get(stages, 5), "at", 1);
    expect(json_array_get(stages, 7), "at", 0);
    expect(json_array_get(stages, 5), "in_work", 1);
    expect(json_array_get(stages, 6), "in_work", 1);
    expect(json_array_get(stages, 3), "completed", 1);
    expect(step(park, 2, 0, "since_beginning"), "value", 1);
    json_decref(park);
    site_fixture_get(&f, "/parks/p?lang=en");
    assert_true(site_fixture_has(&f, "id=\"projects\""));
    assert_true(site_fixture_has(&f, "completed by 1 of 1 residents, in work at 0"));
}

static void a_projects_page_has_a_bar_for_each_stage_and_says_what_is_unknown(void **state)
{
    (void)state;
    site_fixture_get(&f, "/parks/p/plant?lang=en");
    assert_true(site_fixture_has(&f, "At stage 5 of 8: Commissioning"));
    assert_true(site_fixture_has(&f, "aria-label=\"Commissioning: 40% done\""));
    assert_true(site_fixture_has(&f, "aria-label=\"Finishing and landscaping: 5% done\""));
    assert_true(site_fixture_has(&f, "<span>4 · Construction</span><span class=\"unknown\">unknown</span>"));
    site_fixture_get(&f, "/parks/p/school?lang=en");
    assert_false(site_fixture_has(&f, "id=\"project\""));
}

static void membership_stands_on_the_residents_page_and_in_the_api(void **state)
{
    (void)state;
    site_fixture_get(&f, "/parks/p/late?lang=en");
    assert_true(site_fixture_has(&f, "in the park since 2026-01-01"));
    assert_true(site_fixture_has(&f, "the park’s totals do not count them"));
    site_fixture_get(&f, "/parks/p/gone?lang=en");
    assert_true(site_fixture_has(&f, "left the park on 2026-02-01"));
    site_fixture_get(&f, "/parks/p/part?lang=en");
    assert_true(site_fixture_has(&f, "merged into Plant on 2026-01-01"));
    site_fixture_get(&f, "/parks/p/plant?lang=en");
    assert_false(site_fixture_has(&f, "id=\"membership\""));
    site_fixture_get(&f, "/parks/p?lang=en");
    assert_true(site_fixture_has(&f, "not in the park today"));
    site_fixture_get(&f, "/api/v1/residents?park=p");
    assert_true(site_fixture_has(&f, "\"joined\":\"2026-01-01\",\"left\":null,\"merged_into\":null"));
    assert_true(site_fixture_has(&f, "\"left\":\"2026-01-01\",\"merged_into\":\"plant\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_funnel_counts_a_period_and_since_the_beginning),
        cmocka_unit_test(a_share_is_rebuilt_from_the_periods_own_counts),
        cmocka_unit_test(a_missing_report_is_said_and_never_zero),
        cmocka_unit_test(a_step_larger_than_the_one_before_is_shown_and_marked),
        cmocka_unit_test(a_register_has_its_newest_count_and_that_of_a_period),
        cmocka_unit_test(a_whole_without_a_figure_leaves_its_parts_counted),
        cmocka_unit_test(a_period_that_is_none_is_refused_by_name),
        cmocka_unit_test(measurements_are_read_up_to_a_limit_for_all_residents_together),
        cmocka_unit_test(facts_of_then_read_measurements_up_to_a_limit_for_all_of_them),
        cmocka_unit_test(the_histogram_counts_members_of_today_and_overlapping_stages),
        cmocka_unit_test(a_projects_page_has_a_bar_for_each_stage_and_says_what_is_unknown),
        cmocka_unit_test(membership_stands_on_the_residents_page_and_in_the_api),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
