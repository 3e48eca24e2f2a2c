// Figures reported by hand, over the router, with a collector that answers what a test says: who may, what is
// understood, where what is wrong is said.
#include "dashboards/identity.h"
#include "tests/support/rivals.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define API  "/api/v1/observations"
#define HOST "localhost:8080"
#define FORM "/report/twin/alfa/jobs_total"

static char users_folder[STORE_PATH];
static struct users *users;
static struct rivals w;
static char token[ROLE_COUNT][128], rival[128], cookie[200];

static void make_token(const char *scope_of, char authorization[128])
{
    uint8_t secret[USERS_SECRET_BYTES];
    struct scope scope;
    char text[IDENTITY_TOKEN_TEXT];
    assert_int_equal(scope_parse(scope_of, &scope), ERR_OK);
    assert_int_equal(
        users_token_add(users, scope_of, &scope, STORE_EPOCH - 10, STORE_EPOCH + 100000, secret, NULL),
        ERR_OK);
    identity_token_text(secret, text);
    snprintf(authorization, 128, "Bearer %s", text);
}

static int setup(void **state)
{
    (void)state;
    assert_int_equal(crypto_init(), ERR_OK);
    store_temp_folder(users_folder);
    struct diag d = {""};
    uint8_t secret[USERS_SECRET_BYTES];
    char hex[HEX_TEXT(USERS_SECRET_BYTES)];
    struct scope scope;
    if (users_open(users_folder, true, &users, &d) != ERR_OK)
        fail_msg("%s", d.text);
    make_token("resident:twin/alfa", token[ROLE_RESIDENT]);
    make_token("resident:twin/beta", rival);
    make_token("analyst:twin", token[ROLE_ANALYST]);
    make_token("operator:twin", token[ROLE_OPERATOR]);
    make_token("auditor", token[ROLE_AUDITOR]);
    make_token("admin", token[ROLE_ADMIN]);
    assert_int_equal(scope_parse("resident:twin/alfa", &scope), ERR_OK);
    assert_int_equal(users_add(users, "aigul", &scope, "not looked at", STORE_EPOCH, &d), ERR_OK);
    assert_int_equal(users_session_begin(users, "aigul", "not looked at", STORE_EPOCH, secret, &d), ERR_OK);
    crypto_hex(secret, sizeof secret, hex);
    snprintf(cookie, sizeof cookie, "esep-session=%s", hex);
    rivals_open(&w, WITH_ALL, users_folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rivals_close(&w);
    users_close(users);
    store_remove_folder(users_folder);
    return 0;
}

static int ask(const char *method, const char *target, enum exchange_body kind, const char *body,
               const char *authorization, const char *with_cookie)
{
    struct exchange *x = &w.x;
    exchange_deinit(x);
    exchange_init(x);
    w.reported[0] = w.audited[0] = '\0';
    snprintf(x->method, sizeof x->method, "%s", method);
    snprintf(x->target, sizeof x->target, "%s", target);
    snprintf(x->host, sizeof x->host, HOST);
    snprintf(x->address, sizeof x->address, "10.0.0.7");
    snprintf(x->authorization, sizeof x->authorization, "%s", authorization);
    snprintf(x->cookie, sizeof x->cookie, "%s", with_cookie);
    x->body_kind = kind;
    if (body) {
        x->form = calloc(1, EXCHANGE_FORM_MAX + 1);
        assert_non_null(x->form);
        x->form_len = strlen(body);
        assert_true(x->form_len <= EXCHANGE_FORM_MAX);
        memcpy(x->form, body, x->form_len);
    }
    router_answer(w.site, x);
    return x->status;
}

static int post(const char *json, const char *authorization)
{
    return ask("POST", API, EXCHANGE_JSON, json, authorization, "");
}

static bool says(const char *text)
{
    return strstr(buf_str(&w.x.body), text) != NULL;
}

static void answer(const char *text)
{
    snprintf(w.answer, sizeof w.answer, "%s", text);
}

#define STORED                                                                                               \
    "{\"ok\":true,\"position\":77,\"revision\":2,\"repeated\":false,\"unchanged\":false,\"after_closure\":"  \
    "false}"

// ---- by program
static void a_program_reports_with_its_token_what_people_would_write(void **state)
{
    (void)state;
    answer(STORED);
    assert_int_equal(post("{\"series\":\"twin/alfa/inv\",\"period\":\"2026-02\",\"value\":\"1 250 000,50\","
                          "\"reason\":\"late\",\"revise\":true,\"request\":\"r-1\"}",
                          token[ROLE_RESIDENT]),
                     201);
    assert_true(says("\"revision\":2"));
    assert_true(says("\"minor\":125000050"));
    assert_true(says("\"before\":{\"revision\":"));
    assert_false(says("\"position\"")); // it counts what others do
    assert_non_null(strstr(w.reported, "\"value\":\"1250000.50\""));
    assert_non_null(strstr(w.reported, "\"period\":\"2026-02\""));
    assert_non_null(strstr(w.reported, "\"author\":\"resident:twin/alfa\""));
    assert_non_null(strstr(w.reported, "\"who\":\"token:resident:twin/alfa address:10.0.0.7\""));
    assert_non_null(strstr(w.reported, "\"request\":\"r-1\""));
    assert_non_null(strstr(w.reported, "\"revise\":true"));
    assert_non_null(strstr(w.reported, "\"correct_closed\":false"));
    assert_int_equal(
        post("{\"series\":\"twin/alfa/inv\",\"period\":\"2026-02\",\"value\":7}", token[ROLE_ADMIN]), 201);
    assert_true(says("\"position\":77"));
    assert_non_null(strstr(w.reported, "\"correct_closed\":true"));
}

static void a_missing_figure_is_said_to_be_missing(void **state)
{
    (void)state;
    answer(STORED);
    assert_int_equal(
        post("{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-02\",\"value\":null,\"status\":\"M\"}",
             token[ROLE_OPERATOR]),
        201);
    assert_non_null(strstr(w.reported, "\"value\":\"-\""));
    assert_non_null(strstr(w.reported, "\"status\":\"M\""));
    assert_true(says("\"value\":null"));
    assert_int_equal(
        post("{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-02\"}", token[ROLE_OPERATOR]), 400);
    assert_true(says("\"parameter\":\"value\""));
}

static void who_may_not_report_is_told_so_and_is_in_the_audit_log(void **state)
{
    (void)state;
    const char *const may_not[] = {rival, token[ROLE_ANALYST], token[ROLE_AUDITOR]};
    static const char *const bodies[] = {
        "{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-02\",\"value\":\"5\"}",
        "{\"series\":\"twin/nobody/jobs_total\",\"period\":\"2026-02\",\"value\":\"5\"}"};
    answer(STORED);
    for (size_t i = 0; i < sizeof may_not / sizeof *may_not; i++) {
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(post(bodies[k], may_not[i]), 403);
            assert_string_equal(w.reported, "");
            fake_clock_advance_us(&w.store.clock, 2 * US_PER_S);
        }
        assert_int_equal(ask("GET", "/healthz", EXCHANGE_NO_BODY, NULL, may_not[i], ""), 200);
    }
    assert_int_equal(post(bodies[0], rival), 403);
    assert_non_null(strstr(w.audited, "\"event\":\"report\""));
    assert_non_null(strstr(w.audited, "\"outcome\":\"refused\""));
    assert_non_null(strstr(w.audited, "twin/alfa/jobs_total"));
    assert_int_equal(post("{\"series\":\"twin/all/jobs_total\",\"period\":\"2026-02\",\"value\":\"5\"}",
                          token[ROLE_ADMIN]),
                     403);
    assert_int_equal(post(bodies[0], ""), 401);
    assert_int_equal(ask("GET", FORM, EXCHANGE_NO_BODY, NULL, rival, ""), 404);
    assert_int_equal(ask("POST", FORM, EXCHANGE_FORM, "step=store", rival, ""), 404);
    assert_int_equal(ask("GET", FORM, EXCHANGE_NO_BODY, NULL, "", ""), 303); // to log in
}

static const struct {
    const char *json, *parameter;
    int status;
} wrong[] = {
    {"{\"series\":\"twin/alfa\",\"period\":\"2026-02\",\"value\":\"5\"}", "series", 400},
    {"{\"series\":\"twin/alfa/nokpi\",\"period\":\"2026-02\",\"value\":\"5\"}", "series", 404},
    {"{\"series\":\"twin/alfa/oee\",\"period\":\"2026-02\",\"value\":\"5\"}", "series", 404},
    {"{\"series\":\"twin/ghost/inv_plan\",\"period\":\"2026-02\",\"value\":\"5\"}", "series", 404},
    {"{\"series\":\"twin/alfa/out_units/alfa-goods\",\"period\":\"2026-02\",\"value\":\"5\"}", "series", 400},
    {"{\"series\":\"twin/alfa/jobs_total\",\"value\":\"5\"}", "period", 400},
    {"{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-Q1\",\"value\":\"5\"}", "period", 400},
    {"{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-13\",\"value\":\"5\"}", "period", 400},
    {"{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-02\",\"value\":\"five\"}", "value", 400},
    {"{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-02\",\"value\":\"12,345\"}", "value", 400},
    {"{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-02\",\"value\":\"1000000001\"}", "value", 400},
    {"{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-02\",\"value\":\"-1\"}", "value", 400},
    {"{\"series\":\"twin/alfa/inv\",\"period\":\"2026-02\",\"value\":\"1,2345\"}", "value", 400},
    {"{\"series\":\"twin/alfa/inv\",\"period\":\"2026-02\",\"value\":1.5}", "value", 400},
    {"{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-02\",\"value\":\"5\",\"missing\":true}", "value",
     400},
    {"{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-02\",\"value\":\"5\",\"status\":\"X\"}",
     "status", 400},
    {"{\"series\":\"twin/alfa/jobs_total\",\"period\":\"2026-02\",\"value\":\"5\",\"currency\":\"KZT\"}",
     "currency", 400},
    {"{\"series\":\"twin/alfa/inv\",\"period\":\"2026-02\",\"value\":\"5\",\"currency\":\"XXX\"}", "currency",
     400},
    {"{\"series\":\"twin/alfa/inv\",\"period\":\"2026-02\",\"value\":\"5\",\"published\":\"soon\"}",
     "published", 400},
    {"{\"series\":\"twin/alfa/inv\",\"period\":\"2026-02\",\"value\":\"5\",\"published\":\"2099-01-01\"}",
     "published", 400},
    {"{\"series\":\"twin/alfa/inv\",\"period\":\"2026-02\",\"value\":\"5\",\"sum\":\"5\"}", "sum", 400},
    {"{\"series\":{\"a\":1},\"period\":\"2026-02\",\"value\":\"5\"}", "series", 400},
};

static void what_is_wrong_is_said_of_its_member_and_goes_no_further(void **state)
{
    (void)state;
    answer(STORED);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char wanted[64];
        int status = post(wrong[i].json, token[ROLE_OPERATOR]);
        snprintf(wanted, sizeof wanted, "\"parameter\":\"%s\"", wrong[i].parameter);
        if (status != wrong[i].status || !says(wanted) || w.reported[0])
            fail_msg("row %zu: %d %s%s", i, status, buf_str(&w.x.body), w.reported);
    }
}

static void bodies_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char too_many[] = "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,"
                                   "\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1}";
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "7",
                                      "\"x\"",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\"\\u0007\"}",
                                      "{\"a\\u001f\":\"x\"}",
                                      "{\"series\":[]}",
                                      too_many};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (post(bad[i], token[ROLE_OPERATOR]) != 400)
            fail_msg("row %zu: %d %s", i, w.x.status, buf_str(&w.x.body));
    assert_int_equal(ask("POST", API, EXCHANGE_NO_BODY, "x=1", token[ROLE_OPERATOR], ""), 415);
    assert_int_equal(ask("POST", FORM, EXCHANGE_JSON, "{}", token[ROLE_OPERATOR], ""), 415);
    assert_int_equal(ask("POST", "/login", EXCHANGE_JSON, "{}", "", ""), 415);
}

static void what_the_collector_refuses_is_answered_as_it_says_it(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int status;
    } rows[] = {{"invalid", 400}, {"denied", 403}, {"conflict", 409},
                {"timeout", 429}, {"again", 503},  {"io", 503}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"ok\":false,\"error\":\"made up\",\"code\":\"%s\",\"field\":\"reason\"}", rows[i].code);
        answer(text);
        assert_int_equal(post("{\"series\":\"twin/alfa/inv\",\"period\":\"2026-02\",\"value\":\"5\"}",
                              token[ROLE_RESIDENT]),
                         rows[i].status);
        assert_true(says("made up"));
        assert_true(says("\"parameter\":\"reason\""));
    }
}

static void a_session_must_send_its_forms_token_along(void **state)
{
    (void)state;
    static const char json[] = "{\"series\":\"twin/alfa/inv\",\"period\":\"2026-02\",\"value\":\"5\"}";
    answer(STORED);
    assert_int_equal(ask("POST", API, EXCHANGE_JSON, json, "", cookie), 403);
    assert_string_equal(w.reported, "");
    assert_int_equal(ask("POST", FORM, EXCHANGE_FORM, "step=store&period=2026-02&value=5", "", cookie), 403);
    assert_string_equal(w.reported, "");
}

// ---- by hand
static void form_token(char out[HEX_TEXT(HASH_BYTES)])
{
    assert_int_equal(ask("GET", FORM, EXCHANGE_NO_BODY, NULL, "", cookie), 200);
    const char *at = strstr(buf_str(&w.x.body), "name=\"request\"");
    assert_non_null(at);
    while (strncmp(at, "name=\"form\" value=\"", 19) != 0)
        at--;
    snprintf(out, HEX_TEXT(HASH_BYTES), "%s", at + 19);
}

static int send_form(const char *fields)
{
    char body[1000], form[HEX_TEXT(HASH_BYTES)];
    form_token(form);
    snprintf(body, sizeof body, "%s&form=%s", fields, form);
    return ask("POST", FORM, EXCHANGE_FORM, body, "", cookie);
}

static void the_form_has_a_label_and_a_hint_for_every_field(void **state)
{
    (void)state;
    static const char *const fields[] = {"period", "value", "status", "reason", "published"};
    assert_int_equal(ask("GET", FORM, EXCHANGE_NO_BODY, NULL, "", cookie), 200);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        char label[60];
        snprintf(label, sizeof label, "<label for=\"%s\"", fields[i]);
        assert_true(says(label));
    }
    assert_true(says("aria-describedby=\"value-hint\""));
    assert_false(says("<style") || says("<script>"));
    assert_int_equal(ask("GET", "/report/twin/alfa", EXCHANGE_NO_BODY, NULL, "", cookie), 200);
    assert_true(says("href=\"" FORM "\""));
    assert_int_equal(
        ask("GET", "/report/twin/alfa?kpi=inv_plan&dimension=x", EXCHANGE_NO_BODY, NULL, "", cookie), 303);
    assert_string_equal(w.x.location, "/report/twin/alfa/inv_plan/x");
    assert_int_equal(ask("GET", "/parks/twin/alfa", EXCHANGE_NO_BODY, NULL, "", cookie), 200);
    assert_true(says("href=\"/report/twin/alfa\""));
    assert_int_equal(ask("GET", "/parks/twin/alfa", EXCHANGE_NO_BODY, NULL, token[ROLE_ANALYST], ""), 200);
    assert_false(says("/report/"));
}

static void what_was_understood_is_shown_before_it_is_stored(void **state)
{
    (void)state;
    answer(STORED);
    assert_int_equal(send_form("step=check&period=2025-10&value=1+250,5&status=P"), 200);
    assert_true(says("<strong>1,250.5\xc2\xa0people</strong>"));
    assert_true(says("no figure of this period"));
    assert_true(says("name=\"step\" value=\"store\""));
    assert_string_equal(w.reported, "");
    assert_int_equal(send_form("step=store&period=2025-10&value=1+250,5&status=P&seen=0"), 303);
    assert_string_equal(w.x.location, FORM "?period=2025-10&stored=2");
    assert_non_null(strstr(w.reported, "\"value\":\"1250.5\""));
    assert_non_null(strstr(w.reported, "\"author\":\"aigul\""));
    assert_non_null(strstr(w.reported, "\"revise\":false"));
}

static void what_is_wrong_stands_beside_its_field_with_all_that_was_written(void **state)
{
    (void)state;
    assert_int_equal(send_form("step=check&period=2025-10&value=12,345&reason=%D0%B0%3C%3E"), 400);
    assert_true(says("id=\"value-wrong\""));
    assert_null(
        strstr(strstr(buf_str(&w.x.body), "<!DOCTYPE") + 1, "<!DOCTYPE")); // and no error page behind it
    assert_true(says("aria-describedby=\"value-wrong value-hint\" aria-invalid=\"true\" autofocus"));
    assert_true(says("value=\"12,345\""));
    assert_true(says("\xd0\xb0&lt;&gt;"));
    assert_int_equal(send_form("step=check&period=2025-10&value=1000000001"), 400);
    assert_true(says("id=\"value-wrong\">Too large to be right: at most 1,000,000 is accepted"));
    assert_int_equal(send_form("step=check&period=2025-10&value=-1"), 400);
    assert_true(says("Too small to be right: at least 0 is accepted"));
    assert_int_equal(send_form("step=check&period=2026-02&value=5"),
                     400); // there is a figure: why another one?
    assert_true(says("id=\"reason-wrong\""));
    assert_int_equal(send_form("step=check&period=2026-02&value=5&reason=why"), 200);
    assert_true(says("revision 1"));
    answer("{\"ok\":false,\"error\":\"of the collector\",\"code\":\"invalid\",\"field\":\"period\"}");
    assert_int_equal(send_form("step=store&period=2025-10&value=5&seen=0"), 400);
    assert_true(says("id=\"period-wrong\">The collector says: of the collector"));
}

static void a_figure_that_came_meanwhile_is_looked_at_again(void **state)
{
    (void)state;
    answer("{\"ok\":false,\"error\":\"already\",\"code\":\"conflict\",\"field\":\"revise\"}");
    assert_int_equal(send_form("step=store&period=2026-02&value=5&reason=why&seen=0"), 200);
    assert_true(says("Meanwhile"));
    assert_true(says("name=\"step\" value=\"store\""));
    assert_non_null(strstr(w.reported, "\"revise\":false"));
    answer(STORED);
    assert_int_equal(send_form("step=store&period=2026-02&value=5&reason=why&seen=1"), 303);
    assert_non_null(strstr(w.reported, "\"revise\":true"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_reports_with_its_token_what_people_would_write),
        cmocka_unit_test(a_missing_figure_is_said_to_be_missing),
        cmocka_unit_test(who_may_not_report_is_told_so_and_is_in_the_audit_log),
        cmocka_unit_test(what_is_wrong_is_said_of_its_member_and_goes_no_further),
        cmocka_unit_test(bodies_that_are_none_are_refused),
        cmocka_unit_test(what_the_collector_refuses_is_answered_as_it_says_it),
        cmocka_unit_test(a_session_must_send_its_forms_token_along),
        cmocka_unit_test(the_form_has_a_label_and_a_hint_for_every_field),
        cmocka_unit_test(what_was_understood_is_shown_before_it_is_stored),
        cmocka_unit_test(what_is_wrong_stands_beside_its_field_with_all_that_was_written),
        cmocka_unit_test(a_figure_that_came_meanwhile_is_looked_at_again),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
