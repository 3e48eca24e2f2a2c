// Totals and computed KPIs through the API and on pages.
#include "tests/support/totals_site.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct totals_rig r;
static struct totals_site site;

static int64_t first_us;

static void fill(void)
{
    static const char *const months[] = {"2025-11", "2025-12", "2026-01"};
    for (int i = 0; i < 3; i++) {
        totals_rig_report(&r, "a/jobs_total", "", months[i], 100 + i);
        totals_rig_report(&r, "a/inv", "KZT", months[i], 123456789);
        totals_rig_report(&r, "b/inv", "KZT", months[i], 11);
        totals_rig_report(&r, "a/out_value", "KZT", months[i], 1000000);
        totals_rig_report(&r, "a/out_units/pumps", "", months[i], 10);
        totals_rig_report(&r, "b/out_units/lifts", "", months[i], 20);
        totals_rig_report(&r, "a/prj_stage", "", months[i], i + 2);
        totals_rig_report(&r, "b/prj_stage", "", months[i], 2);
    }
    totals_rig_report(&r, "b/jobs_total", "", "2025-12", 20);
    totals_rig_report(&r, "a/taxes_paid", "KZT", "2026-01", INT64_C(9007199254740990));
    totals_rig_report(&r, "b/taxes_paid", "KZT", "2026-01", INT64_C(9007199254740989));
    totals_rig_report(&r, "a/taxes_paid", "KZT", "2025-12", INT64_C(9007199254740992));
    totals_rig_report(&r, "b/taxes_paid", "KZT", "2025-12", 7);
    first_us = clock_wall(&r.store.clock.clock).us;
    totals_rig_later(&r);
    totals_rig_report(&r, "a/inv", "KZT", "2026-01", 200000000);
    totals_rig_rates(&r, "2026-01-01", "2026-01-31", "USD", "500");
    totals_rig_observe(&r);
}

static int setup(void **state)
{
    (void)state;
    totals_rig_open(&r,
                    "residents:\n  - {code: a, names: {en: Alfa}, about: {en: a}, simulated: true}\n"
                    "  - {code: b, names: {en: Beta}, about: {en: b}, simulated: false, source: s}\n"
                    "calendar: {fiscal_year_from: 7}\n"
                    "dimensions: [{code: pumps, names: {en: Pumps}}, {code: lifts, names: {en: Lifts}}]\n"
                    "statements:\n  - {id: c, kind: capacity, names: {en: C}, kpi: cap_nominal, resident: a, "
                    "dimension: pumps, value: 240, per: year, at: 2025, source: s}\n"
                    "  - {id: d, kind: capacity, names: {en: D}, kpi: cap_nominal, resident: b, dimension: "
                    "lifts, value: unknown, at: 2025, source: s}\n");
    fill();
    totals_site_open(&site, &r);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    totals_site_close(&site);
    totals_rig_close(&r);
    return 0;
}

static int get(const char *target)
{
    return totals_site_get(&site, target);
}

static bool has(const char *text)
{
    return strstr(buf_str(&site.x.body), text) != NULL;
}

static void expect(const char *target, const char *text)
{
    if (get(target) != 200 || !has(text))
        fail_msg("%s: %d: no %s in %s", target, site.x.status, text, buf_str(&site.x.body));
}

static void refused(const char *target, int status, const char *text)
{
    if (get(target) != status || !has(text))
        fail_msg("%s: %d: no %s in %s", target, site.x.status, text, buf_str(&site.x.body));
}

static void a_sum_that_no_figure_holds_has_all_its_digits_everywhere(void **state)
{
    (void)state;
    static const char all[] = "\"value\":180143985094819.79,\"minor\":18014398509481979";
    expect("/api/v1/query?series=works/all/taxes_paid", all);
    expect("/api/v1/query?series=works/all/taxes_paid&format=csv",
           "2026-01,180143985094819.79,KZT,2,0,0,\r\n");
    expect("/api/v1/observations?series=works/all/taxes_paid", all);
    expect("/api/v1/series?series=works/all/taxes_paid", all);
    expect("/api/v1/observations?series=works/all/taxes_paid&like_for_like=1&period=2026-01&against=2025-12",
           all);
    assert_true(has("\"value\":90071992547409.99,\"minor\":9007199254740999"));
    assert_true(has("\"change\":90071992547409.80,"));
    expect("/series/works/all/taxes_paid?lang=en", ">180,143,985,094,819.79");
    assert_true(has("<data value=\"180143985094819.79\""));
    assert_false(has("180,143,985,094,819.8<"));
}

static void a_total_is_answered_with_what_it_is_made_of(void **state)
{
    (void)state;
    expect("/api/v1/query?series=works/all/jobs_total",
           "\"period\":\"2026-01\",\"value\":102,\"why\":null,\"part\":null,\"contributors\":1,\"missing\":1,"
           "\"partial\":0,\"simulated\":true}");
    expect("/api/v1/query?series=works/all/jobs_total",
           "\"period\":\"2025-12\",\"value\":121,\"why\":null,\"part\":"
           "null,\"contributors\":2,\"missing\":0");
    expect("/api/v1/query?series=works/all/inv&from=2025-01-01&to=2026-03-01&step=fiscal_year",
           "\"period\":\"FY2026\",\"value\":4469136.11,\"minor\":446913611");
    expect("/api/v1/query?series=works/all/inv&format=csv", "2026-01,2000000.11,KZT,2,0,0,\r\n");
}

static void what_was_known_then_is_one_parameter_away(void **state)
{
    char target[200];
    (void)state;
    expect("/api/v1/observations?series=works/all/inv&period=2026-01", "\"value\":2000000.11");
    snprintf(target, sizeof target, "/api/v1/observations?series=works/all/inv&period=2026-01&as_of=%lld",
             (long long)(first_us / US_PER_S));
    expect(target, "\"value\":1234568.00");
    expect("/api/v1/observations?series=works/all/inv&period=2026-01&as_of=2026-01-31",
           "\"value\":null,\"minor\":null,\"why\":\"nobody\"");
    expect("/api/v1/observations?series=works/all/inv&period=2026-01&currency=USD",
           "\"value\":4000.00,\"minor\":400000");
    expect("/api/v1/observations?series=works/all/inv&period=2025-12&currency=USD", "\"why\":\"rate\"");
    expect("/api/v1/observations?series=works/all/inv&period=2025", "\"period\":\"2025\"");
}

static void computed_kpis_say_why_there_is_none(void **state)
{
    (void)state;
    expect("/api/v1/observations?series=works/b/cap_util/lifts&period=2026-01",
           "\"value\":null,\"why\":\"capacity\",\"part\":\"cap_nominal\"");
    expect("/api/v1/observations?series=works/all/cap_util/pumps&period=2026-01",
           "\"value\":49.05913978494624,");
    expect("/api/v1/observations?series=works/all/productivity&period=2026-01",
           "\"value\":98.04,\"minor\":9804,\"why\":null,\"part\":null,\"contributors\":1");
    expect("/api/v1/observations?series=works/all/prj_stage&period=2026-01",
           "\"histogram\":[{\"value\":2,\"residents\":1},{\"value\":4,\"residents\":1}]");
}

static void totals_are_listed_with_the_rest(void **state)
{
    (void)state;
    static const char *const names[] = {"works/all/jobs_total",      "works/all/inv",
                                        "works/all/out_units/pumps", "works/all/prj_stage",
                                        "works/a/cap_util/pumps",    "works/a/productivity"};
    assert_int_equal(get("/api/v1/series?park=works"), 200);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[200];
        snprintf(text, sizeof text, "\"name\":\"%s\",", names[i]);
        if (!has(text))
            fail_msg("%s is not listed", names[i]);
    }
    assert_false(has("works/all/out_units\""));
    assert_false(has("works/b/productivity"));
    expect("/api/v1/series?series=works/all/jobs_total", "\"class\":\"computed\"");
    assert_true(has("\"latest\":{\"period\":\"2026-01\"") && has("\"value\":102"));
    assert_int_equal(get("/api/v1/series?park=works&resident=all"), 200);
    assert_false(has("works/a/"));
}

static void what_cannot_be_asked_of_a_total_is_refused_by_name(void **state)
{
    (void)state;
    refused("/api/v1/observations?series=works/all/inv&revisions=all", 400, "as_of");
    refused("/api/v1/query?series=works/all/inv&cf=MAX", 400, "\"parameter\":\"cf\"");
    refused("/api/v1/query?series=works/all/inv&step=day", 400, "not shorter than the period");
    refused("/api/v1/query?series=works/all/jobs_total&currency=USD", 400, "is no money");
    refused("/api/v1/query?series=works/all/nokpi", 404, "there is no series");
    refused("/api/v1/query?series=works/all/out_units", 404, "there is no series");
    refused("/api/v1/query?series=works/all/oee", 404, "there is no series");
    refused("/api/v1/query?series=nopark/all/inv", 404, "there is no series");
    refused("/api/v1/observations?series=works/all/inv&period=2026-01-05", 400, "shorter than the period");
    refused("/api/v1/query?series=works/all/inv&from=1970-01-01&to=9000-01-01", 400, "spans");
}

static void pages_show_totals_with_how_many_are_missing(void **state)
{
    (void)state;
    expect("/parks/works", "id=\"totals\"");
    assert_true(has("/series/works/all/jobs_total"));
    assert_true(has("1 of 2, 1 missing"));
    expect("/parks/works?lang=kk", "Резиденттер бойынша жиынтық");
    expect("/parks/works/a", "/series/works/a/productivity");
    expect("/parks/works/b", "the capacity is not known");
    expect("/series/works/all/jobs_total", "1 of 2, 1 missing");
    expect("/series/works/all/jobs_total", "residents: 1 of 2, 1 missing");
    expect("/series/works/all/inv?sums=quarter&lang=ru", "2026-Q1");
    expect("/series/works/all/inv?currency=USD&as_of=2026-03-01", "4,000.00");
    expect("/series/works/all/inv?currency=USD&as_of=2026-03-01", "then added. Rates: ");
    expect("/series/works/all/prj_stage", "class=\"bins\"");
    expect("/series/works/all/productivity", "Computed: out_value / jobs_total");
    refused("/series/works/all/inv?sums=day", 400, "must not be shorter");
    assert_int_equal(get("/series/works/all/oee"), 404);
}

static void the_same_question_is_computed_once_until_a_figure_comes(void **state)
{
    (void)state;
    static const char target[] = "/api/v1/observations?series=works/all/inv&period=2026-01";
    expect(target, "\"value\":2000000.11");
    uint64_t hits = cache_stats(site.site->cache).hits;
    expect(target, "\"value\":2000000.11");
    assert_true(cache_stats(site.site->cache).hits > hits);
    totals_rig_report(&r, "b/inv", "KZT", "2026-01", 12);
    totals_rig_observe(&r);
    expect(target, "\"value\":2000000.12");
}

static void what_was_computed_while_the_observations_were_behind_is_not_kept_for_later(void **state)
{
    (void)state;
    static const char target[] = "/api/v1/observations?series=works/all/inv&period=2026-01";
    totals_rig_report(&r, "b/inv", "KZT", "2026-01", 13);
    expect(target, "\"value\":2000000.12");
    totals_rig_observe(&r);
    expect(target, "\"value\":2000000.13");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_that_no_figure_holds_has_all_its_digits_everywhere),
        cmocka_unit_test(a_total_is_answered_with_what_it_is_made_of),
        cmocka_unit_test(what_was_known_then_is_one_parameter_away),
        cmocka_unit_test(computed_kpis_say_why_there_is_none),
        cmocka_unit_test(totals_are_listed_with_the_rest),
        cmocka_unit_test(what_cannot_be_asked_of_a_total_is_refused_by_name),
        cmocka_unit_test(pages_show_totals_with_how_many_are_missing),
        cmocka_unit_test(the_same_question_is_computed_once_until_a_figure_comes),
        cmocka_unit_test(what_was_computed_while_the_observations_were_behind_is_not_kept_for_later),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
