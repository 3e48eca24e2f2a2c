// Obligations as the API and the pages show them. "Now" is 2026-03-01 18:00 in Tashkent; what was reported
// was received an hour before.
#include "dashboards/owed.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"
#include "tests/support/site_fixture.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char profile[] =
    "code: yashnabad\nnames: {en: Park}\ncity: {en: Tashkent}\nabout: {en: x}\n"
    "time_zone: Asia/Tashkent\ncurrency: UZS\n"
    "residents:\n"
    "  - {code: fridge-plant, names: {en: Fridges}, about: {en: x}, simulated: true}\n"
    "  - {code: silent, names: {en: Silent}, about: {en: x}, simulated: true}\n"
    "obligations:\n"
    "  - {kpi: inv, residents: [all], period: month, due: {days: 15}, from: 2025-12, assumed: a <guess>}\n"
    "  - {kpi: jobs_hq, residents: [fridge-plant], period: month, due: {days: 10}, from: 2026-01}\n"
    "  - {kpi: export_value, residents: [fridge-plant], period: year, due: {unknown: true}, from: 2025}\n";
static const char other[] =
    "code: elsewhere\nnames: {en: E}\ncity: {en: E}\nabout: {en: E}\ntime_zone: Asia/Almaty\ncurrency: KZT\n"
    "residents:\n  - {code: one, names: {en: One}, about: {en: x}, simulated: true}\n";

struct fixture {
    struct site_fixture site;
    struct test_folder files;
    char parks[TEST_PATH];
};

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    char path[TEST_PATH];
    test_folder_path(&f->files, name, path);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(test_folder_make(&f->files), 0);
    snprintf(f->parks, sizeof f->parks, "%s", f->files.path);
    write_file(f, "yashnabad.yaml", profile);
    write_file(f, "elsewhere.yaml", other);
    site_fixture_open(&f->site, true, NULL, f->parks, NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    site_fixture_close(&f->site);
    test_folder_remove(&f->files);
    free(f);
    return 0;
}

static void expect_csv(struct fixture *f, const char *query, const char *rows)
{
    char target[300], expected[3000];
    snprintf(target, sizeof target, "/api/v1/obligations?format=csv%s", query);
    snprintf(
        expected, sizeof expected,
        "park,resident,kpi,dimension,period,state,answered_missing,due,late_from,received,late_by_s\r\n%s",
        rows);
    assert_int_equal(site_fixture_get(&f->site, target), 200);
    assert_string_equal(site_fixture_body(&f->site), expected);
}

#define DEC                                                                                                  \
    "yashnabad,fridge-plant,inv,,2025-12,done,0,2026-01-15,2026-01-15T19:00:00Z,2026-03-01T12:00:00Z,"       \
    "3862800\r\n"
#define JAN                                                                                                  \
    "yashnabad,fridge-plant,inv,,2026-01,done,0,2026-02-15,2026-02-15T19:00:00Z,2026-03-01T12:00:00Z,"       \
    "1184400\r\n"
#define FEB                                                                                                  \
    "yashnabad,fridge-plant,inv,,2026-02,done,0,2026-03-15,2026-03-15T19:00:00Z,2026-03-01T12:00:00Z,0\r\n"
#define JOBS_JAN "yashnabad,fridge-plant,jobs_hq,,2026-01,late,0,2026-02-10,2026-02-10T19:00:00Z,,1620000\r\n"
#define JOBS_FEB "yashnabad,fridge-plant,jobs_hq,,2026-02,open,0,2026-03-10,2026-03-10T19:00:00Z,,0\r\n"
#define EXPORT   "yashnabad,fridge-plant,export_value,,2025,open,0,,,,0\r\n"

static void every_report_owed_is_listed_with_its_date_and_lateness(void **state)
{
    struct fixture *f = *state;
    expect_csv(f, "&park=yashnabad&resident=fridge-plant", DEC JAN FEB JOBS_JAN JOBS_FEB EXPORT);
    expect_csv(f, "&park=yashnabad&resident=fridge-plant&state=late", JOBS_JAN);
    expect_csv(f, "&park=yashnabad&resident=fridge-plant&state=open", JOBS_FEB EXPORT);
    expect_csv(f, "&park=yashnabad&resident=fridge-plant&state=done", DEC JAN FEB);
    expect_csv(f, "&park=yashnabad&resident=fridge-plant&period=2026-01", JAN JOBS_JAN);
    expect_csv(f, "&park=yashnabad&resident=fridge-plant&period=2025", DEC EXPORT);
    expect_csv(f, "&park=yashnabad&resident=nobody", "");
    expect_csv(f, "&park=elsewhere", "");
}

static double number(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static void expect_sum(const json_t *o, const char *resident, const int counts[6])
{
    static const char *const keys[] = {"owed", "done", "answered_missing", "late", "due", "in_time"};
    const char *who = json_string_value(json_object_get(o, "resident"));
    assert_string_equal(who ? who : "-", resident);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(json_integer_value(json_object_get(o, keys[i])), counts[i]);
}

static void completeness_and_punctuality_are_counted_by_resident_and_by_park(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(site_fixture_get(&f->site, "/api/v1/obligations?park=yashnabad"), 200);
    json_t *all = json_loads(site_fixture_body(&f->site), 0, NULL);
    const json_t *sums = json_object_get(all, "summary");
    assert_int_equal(json_array_size(json_object_get(all, "obligations")), 9);
    assert_int_equal(json_array_size(sums), 3);
    expect_sum(json_array_get(sums, 0), "fridge-plant", (const int[6]){6, 3, 0, 1, 3, 0});
    expect_sum(json_array_get(sums, 1), "silent", (const int[6]){3, 0, 0, 2, 2, 0});
    expect_sum(json_array_get(sums, 2), "-", (const int[6]){9, 3, 0, 3, 5, 0});
    assert_true(number(json_array_get(sums, 0), "completeness") == 50);
    assert_true(number(json_array_get(sums, 0), "punctuality") == 0);
    assert_true(number(json_array_get(sums, 2), "completeness") == 100.0 / 3);
    json_decref(all);
    // nothing of a period is due yet: no per cent, rather than 0 or 100
    assert_int_equal(
        site_fixture_get(&f->site, "/api/v1/obligations?park=yashnabad&resident=silent&period=2026-02"), 200);
    assert_true(site_fixture_has(&f->site, "\"completeness\":0,\"punctuality\":null"));
}

static void without_a_park_all_parks_are_listed(void **state)
{
    struct fixture *f = *state;
    expect_csv(f, "&state=late",
               JOBS_JAN "yashnabad,silent,inv,,2025-12,late,0,2026-01-15,2026-01-15T19:00:00Z,,3866400\r\n"
                        "yashnabad,silent,inv,,2026-01,late,0,2026-02-15,2026-02-15T19:00:00Z,,1188000\r\n");
}

static void questions_that_make_no_sense_name_what_is_wrong(void **state)
{
    static const struct {
        const char *query;
        int status;
        const char *says;
    } cases[] = {
        {"?park=nowhere", 400, "there is no park"},     {"?resident=silent", 400, "park"},
        {"?park=yashnabad&period=soon", 400, "period"}, {"?park=yashnabad&state=maybe", 400, "state"},
        {"?as_of=2026-02", 400, "asked for by park"},   {"?park=yashnabad&as_of=2026-02", 404, "no profile"},
        {"?park=yashnabad&nonsense=1", 400, "nonsense"}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char target[200];
        snprintf(target, sizeof target, "/api/v1/obligations%s", cases[i].query);
        assert_int_equal(site_fixture_get(&f->site, target), cases[i].status);
        if (!site_fixture_has(&f->site, cases[i].says))
            fail_msg("%s: %s", target, site_fixture_body(&f->site));
    }
}

static void the_parks_page_counts_by_resident_and_names_what_was_assumed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(site_fixture_get(&f->site, "/parks/yashnabad"), 200);
    assert_true(site_fixture_has(&f->site, "<h2>Reports owed</h2>"));
    assert_true(site_fixture_has(&f->site,
                                 "<th scope=\"row\">Whole park</th><td data-label=\"Owed\" class=\"num\">9"));
    assert_true(site_fixture_has(&f->site, "/parks/yashnabad/silent#obligations"));
    assert_true(site_fixture_has(&f->site, "assumed: a &lt;guess&gt;"));
    assert_int_equal(site_fixture_get(&f->site, "/parks/elsewhere"), 200);
    assert_false(site_fixture_has(&f->site, "Reports owed"));
}

static void the_residents_page_lists_the_most_urgent_first(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(site_fixture_get(&f->site, "/parks/yashnabad/fridge-plant"), 200);
    const char *section = strstr(site_fixture_body(&f->site), "id=\"obligations\"");
    assert_non_null(section);
    const char *late = strstr(section, "badge owed-late"), *open = strstr(section, "badge owed-open"),
               *done = strstr(section, "badge owed-done");
    assert_true(late && open && done && late < open && open < done);
    assert_non_null(strstr(section, "<span class=\"unknown\">no date is set</span>"));
    assert_non_null(strstr(section, "18 d"));
    assert_non_null(strstr(section, "<span class=\"unknown\">nothing yet</span>"));
    assert_int_equal(site_fixture_get(&f->site, "/parks/yashnabad/silent?lang=kk"), 200);
    assert_true(site_fixture_has(&f->site, "Тапсырылуы тиіс есептер"));
}

static void a_scraper_gets_the_counts_by_park(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(site_fixture_get(&f->site, "/metrics"), 200);
    assert_true(site_fixture_has(&f->site, "\nesep_reports_owed{park=\"yashnabad\"} 9\n"));
    assert_true(site_fixture_has(&f->site, "\nesep_reports_done{park=\"yashnabad\"} 3\n"));
    assert_true(site_fixture_has(&f->site, "\nesep_reports_late{park=\"yashnabad\"} 3\n"));
    assert_false(site_fixture_has(&f->site, "{park=\"elsewhere\"}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_report_owed_is_listed_with_its_date_and_lateness),
        cmocka_unit_test(completeness_and_punctuality_are_counted_by_resident_and_by_park),
        cmocka_unit_test(without_a_park_all_parks_are_listed),
        cmocka_unit_test(questions_that_make_no_sense_name_what_is_wrong),
        cmocka_unit_test(a_scraper_gets_the_counts_by_park),
        cmocka_unit_test(the_parks_page_counts_by_resident_and_names_what_was_assumed),
        cmocka_unit_test(the_residents_page_lists_the_most_urgent_first),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
