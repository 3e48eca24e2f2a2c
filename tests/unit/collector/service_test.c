// The whole collector in one process: its threads, its sockets, its control socket, with a real peer over
// CURVE.
#include "base/fs.h"
#include "collector/service.h"
#include "collector/state.h"
#include "net/control.h"
#include "store/db.h"
#include "store/observations.h"
#include "store/rrd.h"
#include "tests/support/folder.h"
#include "wire/codec.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DEADLINE_MS = 20000 };

enum { PLANS = 6 }; // rows of the first start: the catalogue and five parks

struct rig {
    struct test_folder folder;
    struct collector_config config;
    struct service *service;
    uint8_t server_key[KEY_BYTES], public_key[KEY_BYTES], secret_key[KEY_BYTES];
    struct mq *mq;
    struct mq_socket *socket;
    struct wire_arena *arena;
    struct buf out;
    struct wire_incarnation incarnation;
    int64_t now_s;
};

static void start(struct rig *r)
{
    struct diag d = {0};
    if (service_start(&r->config, clock_system(), &r->service, &d) != ERR_OK)
        fail_msg("%s", d.text);
}

static json_t *control(struct rig *r, const char *request)
{
    char *reply = NULL;
    struct diag d = {0};
    if (control_call(r->folder.path, request, DEADLINE_MS, &reply, &d) != ERR_OK)
        fail_msg("%s", d.text);
    json_t *o = json_loads(reply, 0, NULL);
    free(reply);
    assert_true(json_is_object(o));
    return o;
}

static int64_t control_int(struct rig *r, const char *request, const char *key)
{
    json_t *o = control(r, request);
    int64_t v = json_integer_value(json_object_get(o, key));
    json_decref(o);
    return v;
}

static int64_t admit(struct rig *r)
{
    char key[KEY_TEXT], request[256];
    crypto_key_text(r->public_key, key);
    json_t *o = json_pack("{s:s, s:s, s:s}", "command", "admit", "resident", "penza/rosstat", "key", key);
    char *text = json_dumps(o, JSON_COMPACT);
    snprintf(request, sizeof request, "%s", text);
    free(text);
    json_decref(o);
    int64_t key_id = control_int(r, request, "key_id");
    assert_true(key_id > 0);
    return key_id;
}

static void connect_peer(struct rig *r)
{
    struct diag d = {0};
    struct mq_dealer_options o = {.endpoint = mq_endpoint(r->service->router), .max_message_bytes = 17408};
    memcpy(o.server_key, r->server_key, KEY_BYTES);
    memcpy(o.public_key, r->public_key, KEY_BYTES);
    memcpy(o.secret_key, r->secret_key, KEY_BYTES);
    assert_int_equal(mq_dealer_connect(r->mq, &o, &r->socket, &d), ERR_OK);
}

static int setup(void **state)
{
    struct diag d = {0};
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    *state = r;
    if (crypto_init() != ERR_OK || test_folder_make(&r->folder) != 0)
        return -1;
    r->config = (struct collector_config){.endpoint = "tcp://127.0.0.1:*",
                                          .state = r->folder.path,
                                          .catalogue = "deploy/catalogue.yaml",
                                          .parks = "deploy/parks",
                                          .log_level = LOG_WARN,
                                          .budget_bytes = 8u << 20};
    log_set_level(LOG_WARN);
    assert_int_equal(collector_state_keygen(r->folder.path, r->server_key, &d), ERR_OK);
    crypto_keypair(r->public_key, r->secret_key);
    crypto_random(r->incarnation.bytes, sizeof r->incarnation.bytes);
    assert_int_equal(mq_create(&r->mq, &d), ERR_OK);
    assert_int_equal(wire_arena_create(&r->arena), ERR_OK);
    buf_init(&r->out, WIRE_MESSAGE_MAX_BYTES);
    r->now_s = clock_wall(clock_system()).us / US_PER_S / 10 * 10;
    start(r);
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    mq_close(r->socket);
    if (r->service)
        service_stop(r->service);
    mq_destroy(r->mq);
    wire_arena_destroy(r->arena);
    buf_deinit(&r->out);
    int result = test_folder_remove(&r->folder);
    free(r);
    return result;
}

static void send_message(struct rig *r, const struct wire_message *m)
{
    struct mono begun = clock_mono(clock_system());
    buf_reset(&r->out);
    assert_int_equal(wire_encode(m, &r->out), ERR_OK);
    for (;;) {
        enum err e = mq_send(r->socket, NULL, r->out.data, r->out.len);
        if (e == ERR_OK)
            return;
        assert_int_equal(e, ERR_AGAIN);
        assert_true(mono_diff_ms(clock_mono(clock_system()), begun) < DEADLINE_MS);
        struct mq_poll_item item = {.socket = r->socket, .want_write = true};
        (void)!mq_poll(&item, 1, 50);
    }
}

// The next message of that type; others (an acknowledgement that only says credit) are passed over.
static struct wire_message receive(struct rig *r, enum wire_type type)
{
    struct mono begun = clock_mono(clock_system());
    struct mq_message m;
    struct wire_message w;
    struct diag d = {0};
    for (;;) {
        enum err e = mq_receive(r->socket, &m);
        if (e == ERR_OK) {
            if (wire_decode(r->arena, m.bytes, m.len, &w, &d) != ERR_OK)
                fail_msg("%s", d.text);
            if (w.type == type)
                return w;
            continue;
        }
        if (mono_diff_ms(clock_mono(clock_system()), begun) > DEADLINE_MS)
            fail_msg("no %s in time", wire_type_name(type));
        struct mq_poll_item item = {.socket = r->socket};
        (void)!mq_poll(&item, 1, 50);
    }
}

static struct wire_message hello(struct rig *r)
{
    struct wire_message m = {.type = WIRE_HELLO,
                             .hello = {.protocol = WIRE_PROTOCOL,
                                       .version = "0.1.0",
                                       .clock_us = clock_wall(clock_system()).us,
                                       .incarnation = r->incarnation,
                                       .last_written = UINT64_C(1) << 40}};
    send_message(r, &m);
    return receive(r, WIRE_WELCOME);
}

static void declare(struct rig *r, const char *series)
{
    struct wire_message m = {.type = WIRE_DECLARE,
                             .declare = {.incarnation = r->incarnation,
                                         .number = 0,
                                         .series = series,
                                         .unit = "piece",
                                         .currency = "",
                                         .class = WIRE_MEASUREMENT,
                                         .step_s = 10}};
    send_message(r, &m);
}

static void send_batch(struct rig *r, uint64_t sequence)
{
    struct wire_sample s = {.series = 0, .time = r->now_s - 1000 + (int64_t)sequence * 10};
    assert_int_equal(figure_from_integer((int64_t)sequence, &s.value), ERR_OK);
    struct wire_message m = {.type = WIRE_BATCH,
                             .batch = {.incarnation = r->incarnation,
                                       .sequence = sequence,
                                       .class = WIRE_MEASUREMENT,
                                       .declares = 1,
                                       .count = 1,
                                       .samples = &s}};
    send_message(r, &m);
}

static void wait_for_ack(struct rig *r, uint64_t sequence)
{
    while (receive(r, WIRE_ACK).ack.sequence < sequence)
        ;
}

static void figures_arrive_are_acknowledged_and_land(void **state)
{
    struct rig *r = *state;
    char path[RRD_PATH_MAX];
    (void)admit(r);
    connect_peer(r);
    assert_string_equal(hello(r).welcome.resident, "penza/rosstat");
    declare(r, "out_units/tables");
    for (uint64_t i = 1; i <= 50; i++)
        send_batch(r, i);
    wait_for_ack(r, 50);
    json_t *o = control(r, "{\"command\":\"flush\"}");
    assert_true(json_is_true(json_object_get(o, "flushed")));
    assert_int_equal(json_integer_value(json_object_get(o, "position")), PLANS + 50);
    json_decref(o);
    o = control(r, "{\"command\":\"status\"}");
    const json_t *agent = json_array_get(json_object_get(o, "agents"), 0);
    assert_true(json_is_true(json_object_get(agent, "connected")));
    assert_int_equal(json_integer_value(json_object_get(agent, "accepted")), 50);
    assert_string_equal(json_string_value(json_object_get(agent, "version")), "0.1.0");
    json_decref(o);
    assert_int_equal(rrd_path(r->folder.path, 1, path), ERR_OK);
    int64_t last;
    struct ledger_series s = {.class = WIRE_MEASUREMENT, .step_s = 10};
    assert_int_equal(rrd_file_last(path, &s, &last, NULL), ERR_OK);
    assert_int_equal(last, r->now_s - 1000 + 500);
}

static void a_revoked_agent_is_cut_off_under_way(void **state)
{
    struct rig *r = *state;
    char request[64];
    int64_t key_id = admit(r);
    connect_peer(r);
    (void)hello(r);
    declare(r, "out_units/tables");
    send_batch(r, 1);
    wait_for_ack(r, 1);
    snprintf(request, sizeof request, "{\"command\":\"revoke\",\"key_id\":%lld}", (long long)key_id);
    json_decref(control(r, request));
    send_batch(r, 2);
    assert_int_equal(receive(r, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_REVOKED);
}

static void everything_can_be_rebuilt_while_it_runs(void **state)
{
    struct rig *r = *state;
    (void)admit(r);
    connect_peer(r);
    (void)hello(r);
    declare(r, "out_units/tables");
    send_batch(r, 1);
    wait_for_ack(r, 1);
    assert_int_equal(control_int(r, "{\"command\":\"rebuild\"}", "series"), 1);
    struct mono begun = clock_mono(clock_system());
    while (control_int(r, "{\"command\":\"status\"}", "rrd_dirty") > 0)
        assert_true(mono_diff_ms(clock_mono(clock_system()), begun) < DEADLINE_MS);
    json_t *o = control(r, "{\"command\":\"flush\"}");
    assert_true(json_is_true(json_object_get(o, "flushed")));
    json_decref(o);
}

static int64_t observed(struct rig *r)
{
    json_t *o = control(r, "{\"command\":\"status\"}");
    const json_t *cursor = json_object_get(json_object_get(o, "cursors"), "observations");
    int64_t position = json_integer_value(json_object_get(cursor, "position"));
    json_decref(o);
    return position;
}

static void wait_until_observed(struct rig *r, int64_t position)
{
    struct mono begun = clock_mono(clock_system());
    while (observed(r) < position)
        assert_true(mono_diff_ms(clock_mono(clock_system()), begun) < DEADLINE_MS);
}

// Somebody else writes into the file, so the rebuild is stopped where the observations are about to be empty.
static void a_rebuild_takes_back_the_observations_position_before_it_empties_them(void **state)
{
    struct rig *r = *state;
    char path[512];
    struct db *db;
    struct diag d = {0};
    wait_until_observed(r, PLANS);
    assert_int_equal(fs_join(path, sizeof path, r->folder.path, OBSERVATIONS_FILE), ERR_OK);
    assert_int_equal(db_open_writer(path, &db, &d), ERR_OK);
    assert_int_equal(db_begin(db, &d), ERR_OK);
    json_decref(control(r, "{\"command\":\"rebuild\"}"));
    assert_int_equal(observed(r), 0);
    db_rollback(db);
    db_close(db);
    wait_until_observed(r, PLANS);
}

static void a_stop_loses_nothing_and_a_start_goes_on(void **state)
{
    struct rig *r = *state;
    (void)admit(r);
    connect_peer(r);
    (void)hello(r);
    declare(r, "out_units/tables");
    for (uint64_t i = 1; i <= 20; i++)
        send_batch(r, i);
    wait_for_ack(r, 20);
    mq_close(r->socket);
    r->socket = NULL;
    service_stop(r->service);
    start(r);
    connect_peer(r);
    assert_int_equal(hello(r).welcome.last_sequence, 20);
    json_decref(control(r, "{\"command\":\"flush\"}")); // the projections have found their place
    json_t *o = control(r, "{\"command\":\"status\"}");
    assert_int_equal(json_integer_value(json_object_get(o, "position")), PLANS + 20);
    const json_t *rrd = json_object_get(json_object_get(o, "cursors"), "rrd");
    assert_int_equal(json_integer_value(json_object_get(rrd, "lag")), 0);
    const json_t *counters = json_object_get(o, "counters");
    assert_int_equal(json_integer_value(json_object_get(counters, "samples_accepted")), 20);
    assert_int_equal(json_integer_value(json_object_get(counters, "rrd_rebuilds")), 0);
    json_decref(o);
}

static void restart_without_head(struct rig *r)
{
    char path[512];
    service_stop(r->service);
    assert_int_equal(fs_join(path, sizeof path, r->folder.path, LEDGER_HEAD), ERR_OK);
    assert_int_equal(remove(path), 0);
    start(r);
}

static void assert_head_alarm(struct rig *r, bool now, int64_t starts)
{
    int64_t counted;
    struct mono begun = clock_mono(clock_system());
    do { // what was counted before this start is read by the committer's thread
        json_t *o = control(r, "{\"command\":\"status\"}");
        counted = json_integer_value(json_object_get(json_object_get(o, "counters"), "ledger_heads_missing"));
        if (!now) // a missing one is stored again within the second: seen or not, the counter has it
            assert_false(json_is_true(json_object_get(o, "head_missing")));
        json_decref(o);
    } while (counted != starts && mono_diff_ms(clock_mono(clock_system()), begun) < DEADLINE_MS);
    assert_int_equal(counted, starts);
}

static void a_start_without_the_ledgers_head_is_an_alarm(void **state)
{
    struct rig *r = *state;
    restart_without_head(r); // no row yet, but the audit log has entries
    assert_head_alarm(r, true, 1);
    (void)admit(r);
    connect_peer(r);
    (void)hello(r);
    declare(r, "out_units/tables");
    send_batch(r, 1);
    wait_for_ack(r, 1);
    mq_close(r->socket);
    r->socket = NULL;
    restart_without_head(r);
    assert_head_alarm(r, true, 2);
    service_stop(r->service);
    start(r);
    assert_head_alarm(r, false, 2); // counted for ever, said once
}

static void a_second_collector_says_who_holds_the_lock(void **state)
{
    struct rig *r = *state;
    struct service *second;
    struct diag d = {0};
    assert_int_equal(service_start(&r->config, clock_system(), &second, &d), ERR_EXISTS);
    assert_non_null(strstr(d.text, r->folder.path));
}

static void an_endpoint_in_use_is_a_clear_error(void **state)
{
    struct rig *r = *state;
    struct test_folder other;
    struct service *second;
    struct diag d = {0};
    uint8_t key[KEY_BYTES];
    assert_int_equal(test_folder_make(&other), 0);
    assert_int_equal(collector_state_keygen(other.path, key, &d), ERR_OK);
    struct collector_config c = r->config;
    char endpoint[128];
    snprintf(endpoint, sizeof endpoint, "%s", mq_endpoint(r->service->router));
    c.endpoint = endpoint;
    c.state = other.path;
    assert_int_not_equal(service_start(&c, clock_system(), &second, &d), ERR_OK);
    assert_non_null(strstr(d.text, endpoint));
    assert_int_equal(test_folder_remove(&other), 0);
}

static void without_a_key_it_says_how_to_make_one(void **state)
{
    struct rig *r = *state;
    struct test_folder other;
    struct service *second;
    struct diag d = {0};
    assert_int_equal(test_folder_make(&other), 0);
    struct collector_config c = r->config;
    c.state = other.path;
    assert_int_equal(service_start(&c, clock_system(), &second, &d), ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, "keygen"));
    assert_int_equal(test_folder_remove(&other), 0);
}

static void too_little_free_space_stops_credit_before_the_disk_is_full(void **state)
{
    struct rig *r = *state;
    (void)admit(r);
    service_stop(r->service);
    r->config.min_free_bytes = UINT64_C(1) << 50;
    start(r);
    connect_peer(r);
    struct mono begun = clock_mono(clock_system());
    json_t *o = control(r, "{\"command\":\"status\"}");
    while (strcmp(json_string_value(json_object_get(o, "state")), "low-space") != 0) {
        assert_true(mono_diff_ms(clock_mono(clock_system()), begun) < DEADLINE_MS);
        json_decref(o);
        o = control(r, "{\"command\":\"status\"}");
    }
    json_decref(o);
    struct wire_message w = hello(r);
    while (w.type == WIRE_WELCOME && w.welcome.credit_bytes > 0) // until ingest's next look
        w = hello(r);
    assert_int_equal(w.welcome.credit_bytes, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(figures_arrive_are_acknowledged_and_land),
        T(a_revoked_agent_is_cut_off_under_way),
        T(everything_can_be_rebuilt_while_it_runs),
        T(a_rebuild_takes_back_the_observations_position_before_it_empties_them),
        T(a_stop_loses_nothing_and_a_start_goes_on),
        T(a_start_without_the_ledgers_head_is_an_alarm),
        T(a_second_collector_says_who_holds_the_lock),
        T(an_endpoint_in_use_is_a_clear_error),
        T(without_a_key_it_says_how_to_make_one),
        T(too_little_free_space_stops_credit_before_the_disk_is_full),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
