// What the control socket may be asked, and what it answers to everything else.
#include "collector/control.h"
#include "store/observations.h"
#include "tests/support/collector_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7" // RFC 32's example of a server key

static const struct malformed {
    const char *text, *says;
} malformed[] = {
    {"", "not JSON"},
    {"status", "not JSON"},
    {"{\"command\":\"status\"", "not JSON"},
    {"{\"command\":\"status\"} x", "not JSON"},
    {"{\"command\":\"status\",\"command\":\"flush\"}", "not JSON"},
    {"[]", "not a JSON object"},
    {"{}", "no \"command\""},
    {"{\"command\":7}", "no \"command\""},
    {"{\"command\":\"reboot\"}", "unknown command 'reboot'"},
    {"{\"command\":\"admit\"}", "\"resident\""},
    {"{\"command\":\"admit\",\"resident\":5,\"key\":\"x\"}", "\"resident\""},
    {"{\"command\":\"admit\",\"resident\":\"penza\",\"key\":\"" KEY "\"}", "not park/resident"},
    {"{\"command\":\"admit\",\"resident\":\"penza/rosstat\",\"key\":\"short\"}", "40 characters"},
    {"{\"command\":\"admit\",\"resident\":\"penza/rosstat\"}", "\"key\""},
    {"{\"command\":\"revoke\"}", "\"key_id\""},
    {"{\"command\":\"revoke\",\"key_id\":\"1\"}", "\"key_id\""},
    {"{\"command\":\"revoke\",\"key_id\":1.5}", "\"key_id\""},
    {"{\"command\":\"rebuild\",\"series\":3}", "\"series\""},
};

static void malformed_requests_are_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        struct control_request r;
        struct diag d = {0};
        enum err e = collector_control_parse(malformed[i].text, strlen(malformed[i].text), &r, &d);
        if (e != ERR_INVALID || !strstr(d.text, malformed[i].says))
            fail_msg("row %zu: %s: %s", i, err_name(e), d.text);
    }
}

static void a_request_that_is_too_long_is_not_read(void **state)
{
    static char text[COLLECTOR_CONTROL_MAX_BYTES + 1];
    struct control_request r;
    struct diag d = {0};
    (void)state;
    memset(text, ' ', sizeof text);
    assert_int_equal(collector_control_parse(text, sizeof text, &r, &d), ERR_INVALID);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    char text[600], name[400];
    struct control_request r;
    struct diag d = {0};
    (void)state;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(text, sizeof text, "{\"command\":\"rebuild\",\"series\":\"%s\"}", name);
    assert_int_equal(collector_control_parse(text, strlen(text), &r, &d), ERR_INVALID);
}

static void requests_are_understood(void **state)
{
    struct control_request r;
    struct diag d = {0};
    char key[KEY_TEXT];
    static const char admit[] = "{\"command\":\"admit\",\"resident\":\"penza/rosstat\",\"key\":\"" KEY "\"}";
    static const char revoke[] = "{\"command\":\"revoke\",\"key_id\":12}";
    static const char rebuild[] = "{\"command\":\"rebuild\"}";
    (void)state;
    assert_int_equal(collector_control_parse(admit, sizeof admit - 1, &r, &d), ERR_OK);
    assert_int_equal(r.command, CONTROL_ADMIT);
    assert_string_equal(r.resident, "penza/rosstat");
    crypto_key_text(r.key, key);
    assert_string_equal(key, KEY);
    assert_int_equal(collector_control_parse(revoke, sizeof revoke - 1, &r, &d), ERR_OK);
    assert_int_equal(r.key_id, 12);
    assert_int_equal(collector_control_parse(rebuild, sizeof rebuild - 1, &r, &d), ERR_OK);
    assert_string_equal(r.series, "");
}

// ---- answers, without the other threads ---------------------------------------------------------
struct rig {
    struct bench *b;
    struct control c;
};

static int setup(void **state)
{
    void *b;
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    *state = r;
    if (bench_setup(&b) != 0)
        return -1;
    r->b = b;
    r->c.reader = r->b->reader;
    r->c.counters = &r->b->counters;
    assert_int_equal(queue_create(8, &r->c.inbox), ERR_OK);
    assert_int_equal(cursor_create(0, &r->c.committed), ERR_OK);
    assert_int_equal(cursor_create(0, &r->c.rrd_landed), ERR_OK);
    assert_int_equal(cursor_create(0, &r->c.observed), ERR_OK);
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    void *b = r->b;
    queue_destroy(r->c.inbox, item_drop);
    cursor_destroy(r->c.committed);
    cursor_destroy(r->c.rrd_landed);
    cursor_destroy(r->c.observed);
    free(r);
    return bench_teardown(&b);
}

static json_t *ask(struct rig *r, const char *request)
{
    char *text = collector_control_handle(&r->c, request, strlen(request));
    assert_non_null(text);
    json_t *o = json_loads(text, 0, NULL);
    assert_true(json_is_object(o));
    free(text);
    return o;
}

static void status_carries_agents_cursors_and_every_counter(void **state)
{
    struct rig *r = *state;
    struct wire_sample s = bench_sample(0, BENCH_NOW_S, 5);
    bench_hello(r->b);
    bench_declare(r->b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    bench_batch(r->b, 1, WIRE_MEASUREMENT, &s, 1);
    cursor_publish(r->c.observed, 1);
    json_t *o = ask(r, "{\"command\":\"status\"}");
    assert_true(json_is_true(json_object_get(o, "ok")));
    assert_string_equal(json_string_value(json_object_get(o, "state")), "running");
    assert_int_equal(json_integer_value(json_object_get(o, "position")), 1);
    const json_t *cursors = json_object_get(o, "cursors");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(cursors, "rrd"), "lag")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(cursors, "observations"), "lag")), 0);
    assert_true(json_integer_value(json_object_get(json_object_get(cursors, "rrd"), "age_us")) > 0);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(cursors, "observations"), "age_us")),
                     0);
    const json_t *agent = json_array_get(json_object_get(o, "agents"), 0);
    assert_string_equal(json_string_value(json_object_get(agent, "resident")), "almaty-iz/acme");
    assert_int_equal(json_integer_value(json_object_get(agent, "accepted")), 1);
    assert_int_equal(json_integer_value(json_object_get(agent, "last_sequence")), 1);
    const json_t *counters = json_object_get(o, "counters");
    assert_int_equal(json_object_size(counters), COUNTER_COUNT);
    assert_int_equal(json_integer_value(json_object_get(counters, "samples_accepted")), 1);
    assert_int_equal(json_array_size(json_object_get(o, "metrics")), COUNTER_COUNT + GAUGE_COUNT);
    struct buf text;
    buf_init(&text, 1u << 20);
    collector_status_print(o, &text);
    assert_non_null(strstr(buf_str(&text), "almaty-iz/acme"));
    assert_non_null(strstr(buf_str(&text), "samples_accepted"));
    buf_deinit(&text);
    json_decref(o);
}

static void a_hold_of_the_retention_has_an_end(void **state)
{
    struct rig *r = *state;
    int64_t now_s = clock_wall(clock_system()).us / US_PER_S;
    json_decref(ask(r, "{\"command\":\"hold\",\"seconds\":30}"));
    int64_t until_s = collector_gauge(r->c.counters, GAUGE_RETENTION_HELD_UNTIL_S);
    assert_in_range(until_s, now_s + 30, now_s + 60);
    json_decref(ask(r, "{\"command\":\"hold\",\"seconds\":31}"));
    json_decref(ask(r, "{\"command\":\"hold\",\"seconds\":-1}"));
    json_decref(ask(r, "{\"command\":\"hold\"}"));
    assert_int_equal(collector_gauge(r->c.counters, GAUGE_RETENTION_HELD_UNTIL_S), until_s);
    json_decref(ask(r, "{\"command\":\"hold\",\"seconds\":0}"));
    assert_true(collector_gauge(r->c.counters, GAUGE_RETENTION_HELD_UNTIL_S) < until_s);
}

static void the_state_tells_of_space(void **state)
{
    struct rig *r = *state;
    collector_gauge_set(r->c.counters, GAUGE_SPACE, SPACE_LOW);
    json_t *o = ask(r, "{\"command\":\"status\"}");
    assert_string_equal(json_string_value(json_object_get(o, "state")), "low-space");
    json_decref(o);
    collector_gauge_set(r->c.counters, GAUGE_SPACE, SPACE_NONE);
    o = ask(r, "{\"command\":\"status\"}");
    assert_string_equal(json_string_value(json_object_get(o, "state")), "no-space");
    json_decref(o);
}

static void flush_with_nothing_pending_answers_at_once(void **state)
{
    struct rig *r = *state;
    cursor_publish(r->c.committed, 5);
    cursor_publish(r->c.rrd_landed, 5);
    cursor_publish(r->c.observed, 6);
    json_t *o = ask(r, "{\"command\":\"flush\"}");
    assert_true(json_is_true(json_object_get(o, "flushed")));
    assert_int_equal(json_integer_value(json_object_get(o, "position")), 5);
    json_decref(o);
}

static void flush_does_not_wait_for_a_projection_that_is_far_behind(void **state)
{
    struct rig *r = *state;
    struct mono begun = clock_mono(clock_system());
    cursor_publish(r->c.committed, 5000000);
    json_t *o = ask(r, "{\"command\":\"flush\"}");
    assert_true(json_is_true(json_object_get(o, "ok")));
    assert_true(json_is_false(json_object_get(o, "flushed")));
    assert_true(mono_diff_ms(clock_mono(clock_system()), begun) < COLLECTOR_FLUSH_MS);
    json_decref(o);
}

static void flush_tells_the_writer_how_far_somebody_waits(void **state)
{
    struct rig *r = *state;
    _Atomic uint64_t asked = 0;
    r->c.rrd_asked = &asked;
    cursor_publish(r->c.committed, 5);
    cursor_publish(r->c.observed, 5);
    cursor_publish(r->c.rrd_landed, 5);
    json_decref(ask(r, "{\"command\":\"flush\"}"));
    assert_int_equal(atomic_load(&asked), 0); // nothing waits
    cursor_publish(r->c.committed, 7);
    cursor_publish(r->c.observed, 7);
    json_decref(ask(r, "{\"command\":\"flush\"}"));
    assert_int_equal(atomic_load(&asked), 7);
}

static void flush_waits_only_once_for_a_projection_that_stands_still(void **state)
{
    struct rig *r = *state;
    cursor_publish(r->c.committed, 5);
    cursor_publish(r->c.observed, 5);
    cursor_publish(r->c.rrd_landed, 3);
    json_decref(ask(r, "{\"command\":\"flush\"}"));
    struct mono begun = clock_mono(clock_system());
    json_t *o = ask(r, "{\"command\":\"flush\"}");
    assert_true(mono_diff_ms(clock_mono(clock_system()), begun) < COLLECTOR_FLUSH_MS / 2);
    assert_true(json_is_false(json_object_get(o, "flushed")));
    json_decref(o);
    cursor_publish(r->c.rrd_landed, 5);
    o = ask(r, "{\"command\":\"flush\"}");
    assert_true(json_is_true(json_object_get(o, "flushed")));
    json_decref(o);
}

static void what_nobody_takes_is_answered_with_an_error(void **state)
{
    struct rig *r = *state;
    json_t *o = ask(r, "{\"command\":\"rebuild\",\"series\":\"a/b/c\"}");
    assert_true(json_is_false(json_object_get(o, "ok")));
    assert_non_null(json_string_value(json_object_get(o, "error")));
    json_decref(o);
    o = ask(r, "nonsense");
    assert_true(json_is_false(json_object_get(o, "ok")));
    json_decref(o);
    assert_int_equal(collector_counted(r->c.counters, COUNTER_CONTROL_REFUSED), 2);
}

// ---- reports
static void observe(struct bench *b, struct observations **o)
{
    size_t rows = 1;
    struct diag d = {0};
    assert_int_equal(observations_open(b->folder.path, o, &d), ERR_OK);
    while (rows > 0)
        assert_int_equal(observations_advance(*o, b->reader, 100, &rows, &d), ERR_OK);
}

// The figure of that month is in the ledger; that it is not in the file says nothing.
static void a_report_waits_for_observations_that_were_reset_since_they_said_their_position(void **state)
{
    struct rig *r = *state;
    struct wire_sample s = bench_sample(0, 20454 - 31, 120); // December 2025
    struct observations *o;
    struct diag d = {0};
    void *left = NULL;
    bench_hello(r->b);
    bench_declare(r->b, 0, "jobs_total", "person", WIRE_REPORT);
    bench_batch(r->b, 1, WIRE_REPORT, &s, 1);
    observe(r->b, &o);
    r->c.state = r->b->folder.path;
    cursor_publish(r->c.committed, ledger_position(r->b->ledger));
    cursor_publish(r->c.observed, ledger_position(r->b->ledger));
    assert_int_equal(queue_create(8, &r->c.to_committer), ERR_OK);
    assert_int_equal(observations_reset(o, &d), ERR_OK);
    json_t *reply = ask(r, "{\"command\":\"report\",\"series\":\"almaty-iz/acme/jobs_total\","
                           "\"period\":\"2025-12\",\"value\":\"130\",\"author\":\"aigul\"}");
    assert_string_equal(json_string_value(json_object_get(reply, "code")), "again");
    assert_int_equal(queue_take(r->c.to_committer, 0, &left), ERR_AGAIN); // nothing was sent to be stored
    json_decref(reply);
    queue_destroy(r->c.to_committer, item_drop);
    observations_close(o);
}

static void an_error_that_quotes_what_is_not_utf8_is_still_json(void **state)
{
    // jansson quotes the text it stopped at; a name is cut inside its 14th letter of three bytes
    static const char *const requests[] = {"{\"c\\u00\xd0\x90\x92\xa3\":1}", "{\"command\":\"\xff\"}",
                                           "{\"command\":\"€€€€€€€€€€€€€€€€\"}"};
    struct rig *r = *state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        json_t *o = ask(r, requests[i]);
        assert_true(json_is_false(json_object_get(o, "ok")));
        assert_true(json_string_length(json_object_get(o, "error")) > 0);
        json_decref(o);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_requests_are_refused_with_a_reason),
        cmocka_unit_test(a_request_that_is_too_long_is_not_read),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
        cmocka_unit_test(requests_are_understood),
        T(status_carries_agents_cursors_and_every_counter),
        T(a_hold_of_the_retention_has_an_end),
        T(the_state_tells_of_space),
        T(flush_with_nothing_pending_answers_at_once),
        T(flush_does_not_wait_for_a_projection_that_is_far_behind),
        T(flush_tells_the_writer_how_far_somebody_waits),
        T(flush_waits_only_once_for_a_projection_that_stands_still),
        T(what_nobody_takes_is_answered_with_an_error),
        T(a_report_waits_for_observations_that_were_reset_since_they_said_their_position),
        T(an_error_that_quotes_what_is_not_utf8_is_still_json),
    };
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
