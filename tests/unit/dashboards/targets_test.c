// Targets as the API and the pages show them: the same forecast in both, a reason where there is none.
#include "tests/support/cmocka.h"
#include "tests/support/site_fixture.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct site_fixture f;
static json_t *answer;

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

static int forget(void **state)
{
    (void)state;
    json_decref(answer);
    answer = NULL;
    return 0;
}

// The entry of that id among the API's targets, or a park's statements. Valid until the next call.
static json_t *entry(const char *address, const char *list, const char *id)
{
    json_error_t why;
    size_t i;
    json_t *one;
    if (site_fixture_get(&f, address) != 200)
        fail_msg("%s: %d %s", address, f.x.status, site_fixture_body(&f));
    json_decref(answer);
    answer = json_loads(site_fixture_body(&f), 0, &why);
    json_array_foreach(json_object_get(answer, list), i,
                       one) if (strcmp(json_string_value(json_object_get(one, "id")), id) == 0) return one;
    fail_msg("%s has no %s", address, id);
    return NULL;
}

static const char *text_at(json_t *from, const char *object, const char *key)
{
    return json_string_value(json_object_get(json_object_get(from, object), key));
}

static double number_at(json_t *from, const char *object, const char *key)
{
    return json_number_value(json_object_get(json_object_get(from, object), key));
}

static time_t moment(const char *day)
{
    struct tm tm = {0};
    assert_non_null(strptime(day, "%Y-%m-%d", &tm));
    return timegm(&tm);
}

static void a_target_has_its_gap_rate_and_forecast_with_their_rules(void **state)
{
    (void)state;
    json_t *t = entry("/api/v1/targets?park=aztm", "targets", "jobs-hq");
    json_t *o = json_object_get(t, "outlook");
    double actual = number_at(t, "fact", "value"), a_year = number_at(o, "run_rate_per_year", "value");
    assert_true(actual > 0 && a_year > 0);
    assert_true(number_at(o, "gap", "value") == 2000 - actual);
    assert_true(fabs(number_at(o, "gap", "per_cent") - (2000 - actual) / 20) < 1e-9);
    assert_int_equal(number_at(o, "run_rate_per_year", "days"), 365);
    assert_non_null(strstr(text_at(o, "run_rate_per_year", "rule"), "12 months"));
    assert_non_null(strstr(text_at(o, "forecast", "rule"), "straight line"));
    // ceil, unless it is whole to a millionth
    double days = ceil((2000 - actual) / (a_year / 365) - 1e-6);
    assert_true(moment(text_at(o, "forecast", "date")) ==
                moment(text_at(t, "fact", "to")) + (time_t)(days * 86400));
    assert_true(json_is_false(json_object_get(o, "late"))); // no due date
    assert_int_equal(json_array_size(json_object_get(o, "readings")), 0);
    assert_true(json_is_null(json_object_get(t, "path")));
}

static void the_page_shows_the_forecast_that_the_api_gives(void **state)
{
    (void)state;
    static const char *const codes[] = {"en", "ru", "kk", "uz", "ky"};
    char wanted[200], day[16], month[40], address[60];
    json_t *t = entry("/api/v1/targets?park=aztm", "targets", "jobs-hq");
    snprintf(day, sizeof day, "%s", text_at(json_object_get(t, "outlook"), "forecast", "date"));
    snprintf(wanted, sizeof wanted, "<time datetime=\"%s\" title=\"%s: ", day, day);
    snprintf(month, sizeof month, "\">%.7s</time> ", day);
    for (size_t i = 0; i < 5; i++) {
        snprintf(address, sizeof address, "/parks/aztm?lang=%s", codes[i]);
        assert_int_equal(site_fixture_get(&f, address), 200);
        if (!site_fixture_has(&f, wanted) || !site_fixture_has(&f, month))
            fail_msg("%s has no %s", address, wanted);
    }
}

static void what_is_credited_to_the_nation_has_neither_a_fact_nor_an_outlook(void **state)
{
    (void)state;
    json_t *t = entry("/api/v1/targets?park=aztm", "targets", "private-investment");
    assert_string_equal(text_at(t, "fact", "why_unknown"), "credited to others than the park");
    assert_null(json_object_get(t, "outlook"));
}

static void orders_of_the_exchange_are_never_credited_to_the_cluster(void **state)
{
    (void)state;
    json_t *t = entry("/api/v1/parks/penza", "statements", "exchange-orders");
    assert_true(json_is_null(json_object_get(json_object_get(t, "fact"), "value")));
    assert_string_equal(text_at(t, "fact", "why_unknown"), "credited to others than the park");
    assert_int_equal(site_fixture_get(&f, "/parks/penza?lang=en"), 200);
    const char *row = strstr(site_fixture_body(&f), "id=\"s-exchange-orders\"");
    assert_non_null(row);
    const char *end = strstr(row, "</tr>"), *refused = strstr(row, "credited to others than the park");
    assert_true(refused && refused < end);
}

static void a_market_share_is_shown_as_published_and_says_which_figures_lack(void **state)
{
    (void)state;
    json_t *t = entry("/api/v1/parks/penza", "statements", "share");
    json_t *fact = json_object_get(t, "fact"), *lacking = json_object_get(fact, "not_reported");
    bool national = false;
    assert_int_equal(json_integer_value(json_object_get(t, "value")), 25);
    assert_true(json_is_null(json_object_get(fact, "value")));
    assert_string_equal(text_at(t, "fact", "why_unknown"), "computed from figures that nobody reports");
    for (size_t i = 0; i < json_array_size(lacking); i++)
        national |= strcmp(json_string_value(json_array_get(lacking, i)), "nat_out_value") == 0;
    assert_true(national);
    assert_int_equal(site_fixture_get(&f, "/parks/penza?lang=en"), 200);
    assert_true(site_fixture_has(&f, "nobody reports: "));
    assert_true(site_fixture_has(&f, "nat_out_value")); // the published figure's own doubt
}

static void nothing_was_published_before_anything_was_received(void **state)
{
    (void)state;
    json_t *t = entry("/api/v1/targets?park=aztm&by=published&as_of=2020", "targets", "jobs-hq");
    assert_true(json_is_null(json_object_get(json_object_get(t, "fact"), "value")));
    assert_null(json_object_get(t, "outlook"));
    assert_int_equal(site_fixture_get(&f, "/parks/aztm?by=published&as_of=2020&lang=en"), 200);
    assert_true(site_fixture_has(&f, "as published by 2020-12-31"));
    assert_false(site_fixture_has(&f, "class=\"outlook\""));
    assert_int_equal(site_fixture_get(&f, "/parks/aztm?as_of=2020"), 404); // no profile was recorded by then
    assert_int_equal(site_fixture_get(&f, "/parks/aztm?as_of=soon"), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_target_has_its_gap_rate_and_forecast_with_their_rules, forget),
        cmocka_unit_test_teardown(the_page_shows_the_forecast_that_the_api_gives, forget),
        cmocka_unit_test_teardown(what_is_credited_to_the_nation_has_neither_a_fact_nor_an_outlook, forget),
        cmocka_unit_test_teardown(orders_of_the_exchange_are_never_credited_to_the_cluster, forget),
        cmocka_unit_test_teardown(a_market_share_is_shown_as_published_and_says_which_figures_lack, forget),
        cmocka_unit_test_teardown(nothing_was_published_before_anything_was_received, forget),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
