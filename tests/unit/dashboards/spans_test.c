// Steps of the calendar through the API and on the series page: the days make the month, the month the year.
#include "dashboards/board.h"
#include "dashboards/spans.h"
#include "kpi/period.h"
#include "tests/support/cmocka.h"
#include "tests/support/site_fixture.h"
#include "tests/support/temp_yaml.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INV    "yashnabad/fridge-plant/inv"               // UZS, monthly, a flow
#define PIECES "yashnabad/fridge-plant/out_units/fridges" // every 10 s
#define JOBS   "yashnabad/fridge-plant/jobs_total"        // daily, a level
#define QUERY  "/api/v1/query?series="

static struct site_fixture f;
static char folder[TEMP_YAML_PATH];

// The delivered park, with a fiscal year from July.
static void make_parks(void)
{
    char path[TEMP_YAML_PATH], *text = calloc(1, 1 << 20);
    FILE *in = fopen("deploy/parks/yashnabad.yaml", "r");
    assert_non_null(in);
    assert_true(fread(text, 1, (1 << 20) - 1, in) > 0);
    fclose(in);
    temp_folder_create(folder);
    temp_yaml_write(folder, "yashnabad.yaml", text, "\ncurrency: UZS\n",
                    "\ncurrency: UZS\ncalendar: {fiscal_year_from: 7}\n", path);
    free(text);
}

static int setup(void **state)
{
    (void)state;
    make_parks();
    site_fixture_open(&f, true, NULL, folder, NULL);
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

static const json_t *point(const json_t *root, size_t i)
{
    const json_t *o = json_array_get(json_object_get(root, "points"), i);
    assert_non_null(o);
    return o;
}

static size_t count(const json_t *root)
{
    return json_array_size(json_object_get(root, "points"));
}

static int64_t integer(const json_t *o, const char *name)
{
    if (!json_is_integer(json_object_get(o, name)))
        fail_msg("%s: %s is no integer", site_fixture_body(&f), name);
    return json_integer_value(json_object_get(o, name));
}

static const char *text(const json_t *o, const char *name)
{
    const char *t = json_string_value(json_object_get(o, name));
    assert_non_null(t);
    return t;
}

static int64_t sum_of(const char *target, const char *name, size_t wanted)
{
    json_t *root = get(target);
    int64_t sum = 0;
    if (wanted)
        assert_int_equal(count(root), wanted);
    for (size_t i = 0; i < count(root); i++)
        if (!json_is_null(json_object_get(point(root, i), name)))
            sum += integer(point(root, i), name);
    json_decref(root);
    return sum;
}

static void measured_days_are_local_and_make_the_month(void **state)
{
    (void)state;
    // Figures end at 2026-03-01T12:00Z, which is 17:00 there, and go back 26 hours: to 15:00 of the day
    // before.
    json_t *days = get(QUERY PIECES "&step=day&from=2026-02-27&to=2026-03-02");
    assert_int_equal(count(days), 3);
    assert_string_equal(text(days, "time_zone"), "Asia/Tashkent");
    assert_string_equal(text(days, "step"), "day");
    assert_string_equal(text(days, "cf"), "SUM");
    const json_t *first = point(days, 1);
    assert_string_equal(text(first, "period"), "2026-02-28");
    assert_int_equal(integer(first, "time"),
                     (int64_t)civil_to_days((struct civil){2026, 2, 27}) * 86400 + 19 * 3600);
    assert_true(json_is_null(json_object_get(point(days, 0), "value")));
    assert_int_equal(integer(point(days, 0), "known"), 0);
    assert_int_equal(integer(point(days, 0), "missing"), 8640);
    assert_int_equal(integer(first, "known") + integer(first, "missing"), 8640);
    int64_t now = f.store.clock.wall_us / US_PER_S; // what is still to come is not missing
    assert_int_equal(integer(point(days, 2), "known") + integer(point(days, 2), "missing"),
                     (now - integer(point(days, 2), "time")) / 10);
    assert_int_equal(integer(first, "known") + integer(point(days, 2), "known"), 26 * 360 - 59);
    int64_t hours = sum_of(QUERY PIECES "&step=1h&from=2026-02-27&to=2026-03-02", "value", 0);
    assert_int_equal(sum_of(QUERY PIECES "&step=day&from=2026-02-27&to=2026-03-02", "value", 3), hours);
    assert_int_equal(sum_of(QUERY PIECES "&step=month&from=2026-02-27&to=2026-03-02", "value", 2), hours);
    assert_int_equal(sum_of(QUERY PIECES "&step=year&from=2026-02-27&to=2026-03-02", "value", 1), hours);
    assert_int_equal(sum_of(QUERY PIECES "&step=fiscal_year&from=2026-02-27&to=2026-03-02", "value", 1),
                     hours);
    json_decref(days);
}

static void a_fiscal_year_says_which_days_it_has(void **state)
{
    (void)state;
    json_t *root = get(QUERY INV "&step=fiscal_year&from=2024-07-01&to=2026-01-01");
    assert_int_equal(count(root), 2);
    assert_int_equal(integer(root, "fiscal_year_from"), 7);
    assert_string_equal(text(point(root, 0), "period"), "FY2025");
    assert_string_equal(text(point(root, 0), "first"), "2024-07-01");
    assert_string_equal(text(point(root, 0), "last"), "2025-06-30");
    assert_int_equal(integer(point(root, 0), "known"), 12);
    assert_int_equal(integer(point(root, 0), "missing"), 0);
    assert_string_equal(text(point(root, 1), "period"), "FY2026");
    assert_int_equal(integer(point(root, 1), "known"), 8);
    assert_int_equal(integer(point(root, 1), "missing"), 0); // the others have not ended yet
    int64_t years = integer(point(root, 0), "minor");
    json_decref(root);
    assert_int_equal(sum_of(QUERY INV "&from=2024-07-01&to=2025-07-01", "minor", 12), years);
    assert_int_equal(sum_of(QUERY INV "&step=quarter&from=2024-07-01&to=2025-07-01", "minor", 4), years);
}

static void levels_are_the_last_of_reports_and_can_be_asked_otherwise(void **state)
{
    (void)state;
    json_t *last = get(QUERY JOBS "&step=month&from=2026-02-01&to=2026-03-01");
    json_t *max = get(QUERY JOBS "&step=month&cf=MAX&from=2026-02-01&to=2026-03-01");
    json_t *native = get(QUERY JOBS "&from=2026-02-01&to=2026-03-01");
    int64_t largest = 0;
    for (size_t i = 0; i < count(native); i++)
        if (integer(point(native, i), "value") > largest)
            largest = integer(point(native, i), "value");
    assert_string_equal(text(last, "cf"), "LAST");
    assert_int_equal(integer(point(last, 0), "value"), integer(point(native, count(native) - 1), "value"));
    assert_int_equal(integer(point(max, 0), "value"), largest);
    json_decref(last);
    json_decref(max);
    json_decref(native);
}

static void a_sum_no_double_holds_has_all_its_digits(void **state)
{
    (void)state;
    static const int64_t most = INT64_C(9000000000000000) - 1;
    for (int month = 1; month <= 12; month++)
        park_fixture_invest(&f.store, civil_to_days((struct civil){2023, month, 1}), most, "UZS");
    json_t *root = get(QUERY INV "&step=year&from=2023-01-01&to=2024-01-01");
    assert_true(site_fixture_has(&f, "\"value\":1079999999999999.88,"));
    assert_true(site_fixture_has(&f, "\"minor\":107999999999999988,"));
    json_decref(root);
    assert_int_equal(site_fixture_get(&f, QUERY INV "&step=year&from=2023-01-01&to=2024-01-01&format=csv"),
                     200);
    assert_string_equal(site_fixture_body(&f),
                        "period,first,last,value,known,missing,whole\r\n"
                        "2023,2023-01-01,2023-12-31,1079999999999999.88,12,0,true\r\n");
    assert_int_equal(site_fixture_get(&f, "/series/" INV "?range=all&sums=year"), 200);
    assert_true(site_fixture_has(&f, "1,079,999,999,999,999.88\xc2\xa0UZS"));
}

static void what_was_known_then_and_is_in_another_currency_is_said(void **state)
{
    (void)state;
    char then[300], moment[WALL_TEXT];
    wall_text(clock_wall(&f.store.clock.clock), moment);
    fake_clock_advance_us(&f.store.clock, 3600 * US_PER_S);
    park_fixture_invest(&f.store, civil_to_days((struct civil){2022, 5, 1}), 77, "USD");
    park_fixture_invest(&f.store, civil_to_days((struct civil){2022, 6, 1}), 1000, "UZS");
    json_t *now = get(QUERY INV "&step=quarter&from=2022-04-01&to=2022-07-01");
    assert_int_equal(integer(point(now, 0), "minor"), 1000);
    assert_int_equal(integer(point(now, 0), "known"), 1);
    assert_int_equal(integer(point(now, 0), "other_currency"), 1);
    assert_int_equal(integer(point(now, 0), "missing"), 1);
    assert_true(json_is_false(json_object_get(point(now, 0), "whole")));
    json_decref(now);
    snprintf(then, sizeof then, QUERY INV "&step=quarter&from=2022-04-01&to=2022-07-01&as_of=%s", moment);
    now = get(then);
    assert_true(json_is_null(json_object_get(point(now, 0), "value")));
    assert_int_equal(integer(point(now, 0), "missing"), 3);
    json_decref(now);
    snprintf(then, sizeof then, QUERY INV "&step=month&from=2022-06-01&to=2022-07-01&as_of=%s", moment);
    now = get(then); // its own period: also a step of the calendar when asked as of then
    assert_true(json_is_null(json_object_get(point(now, 0), "value")));
    json_decref(now);
}

static void what_cannot_be_added_up_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *target, *says;
    } bad[] = {
        {QUERY INV "&step=day", "is reported by the month"},
        {QUERY INV "&step=week", "fiscal_year"},
        {QUERY PIECES "&step=week", "fiscal_year"},
        {QUERY PIECES "&step=1h&as_of=2026-02-01", "needs a step of the calendar"},
        {QUERY INV "&by=published", "needs a step of the calendar"},
        {QUERY PIECES "&step=day&from=1971-01-01", "more than 5000 spans"},
        {QUERY PIECES "&step=month&from=2026-03-01&to=2026-02-01", "before"},
        {"/series/" INV "?sums=day", "shorter than the series"},
        {"/series/" INV "?sums=week", "sums"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (site_fixture_get(&f, bad[i].target) != 400 || !site_fixture_has(&f, bad[i].says))
            fail_msg("%s: %d %s", bad[i].target, f.x.status, site_fixture_body(&f));
}

static void the_page_has_the_table_in_every_language(void **state)
{
    (void)state;
    static const char *const langs[] = {"en", "ru", "kk", "uz", "ky"};
    for (size_t i = 0; i < 5; i++) {
        char target[200];
        snprintf(target, sizeof target, "/series/" INV "?range=all&sums=fiscal_year&lang=%s", langs[i]);
        assert_int_equal(site_fixture_get(&f, target), 200);
        assert_true(site_fixture_has(&f, "FY2025<div class=\"small\">2024-07-01 – 2025-06-30</div>"));
        assert_true(site_fixture_has(&f, "Asia/Tashkent"));
        assert_true(site_fixture_has(&f, "12, 0</td>"));
    }
    assert_int_equal(site_fixture_get(&f, "/series/" PIECES "?range=week"), 200);
    assert_true(site_fixture_has(&f, "By the calendar"));
    assert_true(site_fixture_has(&f, "range=week&amp;sums=month"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measured_days_are_local_and_make_the_month),
        cmocka_unit_test(a_fiscal_year_says_which_days_it_has),
        cmocka_unit_test(levels_are_the_last_of_reports_and_can_be_asked_otherwise),
        cmocka_unit_test(a_sum_no_double_holds_has_all_its_digits),
        cmocka_unit_test(what_was_known_then_and_is_in_another_currency_is_said),
        cmocka_unit_test(what_cannot_be_added_up_is_refused_by_name),
        cmocka_unit_test(the_page_has_the_table_in_every_language),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
