#include "tests/support/site_fixture.h"
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

static void put_off(struct exchange *x, const char *target)
{
    exchange_init(x);
    snprintf(x->method, sizeof x->method, "GET");
    snprintf(x->target, sizeof x->target, "%s", target);
    router_answer(f.site, x);
    router_put_off(f.site, x);
    assert_int_equal(x->status, 503);
    assert_true(x->retry_after_s > 0);
    assert_null(x->blob);
    assert_string_equal(x->etag, "");
}

static void what_there_is_no_room_for_is_put_off_in_the_form_that_was_asked(void **state)
{
    (void)state;
    struct exchange x;
    put_off(&x, "/api/v1/series");
    assert_non_null(strstr(buf_str(&x.body), "\"status\":503"));
    exchange_deinit(&x);
    put_off(&x, "/");
    assert_non_null(strstr(buf_str(&x.body), "<html"));
    exchange_deinit(&x);
    assert_int_equal(metrics_value(f.site->metrics, METRIC_ANSWERS_PUT_OFF), 2);
}

static void every_route_of_the_table_is_found_by_its_own_pattern(void **state)
{
    (void)state;
    struct exchange x;
    bool other;
    for (size_t i = 0; i < router_count(); i++) {
        const struct route *r = router_at(i);
        exchange_init(&x);
        snprintf(x.method, sizeof x.method, "%s", r->method);
        size_t n = 0;
        for (const char *c = r->pattern; *c; c++) { // {name} becomes name1
            if (*c == '}')
                x.target[n++] = '1';
            else if (*c != '{')
                x.target[n++] = *c;
        }
        x.target[n] = '\0';
        assert_int_equal(exchange_parse(&x), ERR_OK);
        assert_ptr_equal(router_find(&x, &other), r);
        assert_non_null(r->handle);
        exchange_deinit(&x);
    }
}

static void router_refuses_parts_that_no_series_name_could_have(void **state)
{
    (void)state;
    static const char *const targets[] = {"/parks/",
                                          "/parks/..",
                                          "/parks/AZTM",
                                          "/parks/a%20b",
                                          "/parks/a/b/c",
                                          "/parks/%2e%2e/x",
                                          "/series/a/b",
                                          "/graph/a/b",
                                          "/static/../main.c",
                                          "/static/%2e%2e%2fmain.c",
                                          "//",
                                          "/api/v1/nothing",
                                          "/graph/a/b/c/d/e.png",
                                          "/parks/-x"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (site_fixture_get(&f, targets[i]) != 404)
            fail_msg("%s: %d", targets[i], f.x.status);
}

static void router_answers_head_like_get_and_refuses_other_methods(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_ask(&f, "HEAD", "/", ""), 200);
    assert_int_equal(site_fixture_ask(&f, "POST", "/", ""), 405);
    assert_int_equal(site_fixture_ask(&f, "DELETE", "/api/v1/parks", ""), 405);
    assert_true(site_fixture_has(&f, "\"error\""));
    assert_int_equal(site_fixture_ask(&f, "POST", "/nowhere", ""), 404);
}

static void errors_have_the_form_of_what_was_asked(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_get(&f, "/nowhere"), 404);
    assert_string_equal(f.x.content_type, "text/html; charset=utf-8");
    assert_true(site_fixture_has(&f, "<html lang=\"en\">"));
    assert_int_equal(site_fixture_get(&f, "/api/v1/series?colour=red"), 400);
    assert_string_equal(f.x.content_type, "application/json; charset=utf-8");
    assert_true(site_fixture_has(&f, "\"parameter\":\"colour\""));
    assert_int_equal(site_fixture_get(&f, "/parks/aztm?x=1"), 400);
    assert_true(site_fixture_has(&f, "<code>x</code>"));
}

static void exchange_refuses_what_is_not_plain_text(void **state)
{
    (void)state;
    static const char *const targets[] = {"/%",
                                          "/%0",
                                          "/%zz",
                                          "/a%00b",
                                          "/%c3%28",
                                          "/%ff",
                                          "/%ed%a0%80",
                                          "/a%0ab",
                                          "/?a=%00",
                                          "/?a=%0d%0a",
                                          "/?a=%f8%88%80%80",
                                          "nothing",
                                          "",
                                          "*",
                                          "/?lang=en&lang=ru"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (site_fixture_get(&f, targets[i]) != 400)
            fail_msg("%s: %d", targets[i], f.x.status);
}

static void exchange_takes_long_targets_up_to_its_limit_and_no_further(void **state)
{
    (void)state;
    struct exchange x;
    exchange_init(&x);
    memset(x.target, '&', EXCHANGE_TARGET_MAX);
    memcpy(x.target, "/?", 2);
    x.target[EXCHANGE_TARGET_MAX - 1] = '\0';
    assert_int_equal(exchange_parse(&x), ERR_OK);
    memset(x.target, 'a', EXCHANGE_TARGET_MAX);
    memcpy(x.target, "/?", 2);
    assert_int_equal(exchange_parse(&x), ERR_INVALID);
    assert_int_equal(x.status, 414);
    exchange_deinit(&x);
    exchange_init(&x);
    for (size_t i = 0; i + 2 < EXCHANGE_TARGET_MAX; i += 2)
        memcpy(x.target + i, i == 0 ? "/?" : "a&", 2);
    assert_int_equal(exchange_parse(&x), ERR_INVALID); // given twice
    exchange_deinit(&x);
}

static void static_files_come_from_the_table_with_an_etag(void **state)
{
    (void)state;
    char etag[EXCHANGE_ETAG];
    assert_int_equal(site_fixture_get(&f, "/static/style.css"), 200);
    assert_string_equal(f.x.content_type, "text/css; charset=utf-8");
    snprintf(etag, sizeof etag, "%s", f.x.etag);
    assert_int_equal(site_fixture_ask(&f, "GET", "/static/style.css", etag), 304);
    assert_int_equal(f.x.body.len, 0);
    assert_int_equal(site_fixture_get(&f, "/static/other.css"), 404);
    assert_int_equal(site_fixture_get(&f, "/static/live.js"), 200);
    assert_int_equal(site_fixture_get(&f, "/static/icon.svg"), 200);
}

static void no_page_carries_script_or_style_of_its_own(void **state)
{
    (void)state;
    static const char *const pages[] = {"/",
                                        "/parks/yashnabad",
                                        "/parks/yashnabad/fridge-plant",
                                        "/series/yashnabad/fridge-plant/out_units/fridges",
                                        "/series/penza/rosstat/kep/indpro_yoy",
                                        "/nowhere"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        site_fixture_get(&f, pages[i]);
        assert_false(site_fixture_has(&f, "style=\""));
        assert_false(site_fixture_has(&f, "<style"));
        assert_false(site_fixture_has(&f, "<script>"));
        assert_false(site_fixture_has(&f, "onclick"));
        assert_false(site_fixture_has(&f, "http://"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_of_the_table_is_found_by_its_own_pattern),
        cmocka_unit_test(router_refuses_parts_that_no_series_name_could_have),
        cmocka_unit_test(router_answers_head_like_get_and_refuses_other_methods),
        cmocka_unit_test(errors_have_the_form_of_what_was_asked),
        cmocka_unit_test(what_there_is_no_room_for_is_put_off_in_the_form_that_was_asked),
        cmocka_unit_test(exchange_refuses_what_is_not_plain_text),
        cmocka_unit_test(exchange_takes_long_targets_up_to_its_limit_and_no_further),
        cmocka_unit_test(static_files_come_from_the_table_with_an_etag),
        cmocka_unit_test(no_page_carries_script_or_style_of_its_own),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
