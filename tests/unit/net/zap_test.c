// The door itself: that there is no ROUTER without a handler, that a stopped or dead handler lets nobody in,
// and that nothing malformed gets a yes.
#include "base/clock.h"
#include "net/mq_internal.h"
#include "tests/support/peers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

static bool let_all_in(void *ctx, const uint8_t public_key[KEY_BYTES], char token[64])
{
    (void)public_key;
    snprintf(token, 64, "%s", (const char *)ctx);
    return true;
}

static enum err bind_router(struct mq *mq, struct diag *d)
{
    struct mq_router_options o = {.endpoint = "tcp://127.0.0.1:*", .max_message_bytes = 16384};
    struct mq_socket *s = NULL;
    crypto_random(o.secret_key, KEY_BYTES);
    enum err e = mq_router_bind(mq, &o, &s, d);
    mq_close(s);
    return e;
}

static int setup(void **state)
{
    (void)state;
    return crypto_init() == ERR_OK ? 0 : -1;
}

static void router_is_refused_unless_a_handler_answers(void **state)
{
    (void)state;
    struct mq *mq;
    struct zap *z, *second;
    struct diag d = {""};
    char token[] = "t";
    assert_int_equal(mq_create(&mq, &d), ERR_OK);
    assert_int_equal(bind_router(mq, &d), ERR_DENIED);
    assert_non_null(strstr(d.text, "ZAP"));
    assert_int_equal(zap_start(mq, let_all_in, token, &z, &d), ERR_OK);
    assert_int_equal(zap_start(mq, let_all_in, token, &second, &d), ERR_EXISTS);
    assert_true(zap_alive(z));
    assert_int_equal(bind_router(mq, &d), ERR_OK);
    assert_true(zap_stop(z));
    assert_int_equal(bind_router(mq, &d), ERR_DENIED);
    assert_int_equal(zap_start(mq, let_all_in, token, &z, &d), ERR_OK);
    assert_int_equal(bind_router(mq, &d), ERR_OK);
    assert_true(zap_stop(z));
    mq_destroy(mq);
}

static void dead_handler_is_noticed(void **state)
{
    (void)state;
    struct mq *mq;
    struct zap *z;
    struct diag d = {""};
    char token[] = "t";
    assert_int_equal(mq_create(&mq, &d), ERR_OK);
    assert_int_equal(zap_start(mq, let_all_in, token, &z, &d), ERR_OK);
    mq_break(mq);
    struct mono start = clock_mono(clock_system());
    while (zap_alive(z) && mono_diff_ms(clock_mono(clock_system()), start) < PEERS_WAIT_MS)
        sched_yield();
    assert_false(zap_alive(z));
    assert_int_equal(bind_router(mq, &d), ERR_DENIED);
    assert_true(zap_stop(z));
    mq_destroy(mq);
}

// The client gives up its handshake after a moment; the server sees it go.
static bool somebody_left(void *ctx)
{
    struct mq_events e;
    mq_events(((struct server *)ctx)->router, &e);
    return e.disconnected > 0;
}

static void known_key_gets_nowhere_while_no_handler_runs(void **state)
{
    (void)state;
    struct server s;
    struct mq_events e;
    struct mq_message m;
    int short_ms = 300, linger_ms = 0;
    server_open(&s, "t");
    assert_true(zap_stop(s.zap)); // as if it had died: the ROUTER is still bound
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_DEALER);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms)), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_HANDSHAKE_IVL, &short_ms, sizeof(short_ms)), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, s.keys.public_key, KEY_BYTES), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, s.known.public_key, KEY_BYTES), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, s.known.secret_key, KEY_BYTES), 0);
    assert_int_equal(zmq_connect(socket, mq_endpoint(s.router)), 0);
    assert_int_equal(zmq_send(socket, "hello", 5, 0), 5);
    assert_true(peers_wait(s.router, NULL, somebody_left, &s, PEERS_WAIT_MS));
    mq_events(s.router, &e);
    assert_int_equal(e.connected, 0);
    assert_int_equal(mq_receive(s.router, &m), ERR_AGAIN);
    zmq_close(socket);
    zmq_ctx_term(context);
    mq_close(s.router);
    mq_destroy(s.mq);
}

struct slow {
    atomic_bool asked, go_on;
};

static bool hang(void *ctx, const uint8_t public_key[KEY_BYTES], char token[64])
{
    struct slow *slow = ctx;
    (void)public_key;
    atomic_store(&slow->asked, true);
    while (!atomic_load(&slow->go_on))
        sched_yield();
    snprintf(token, 64, "late");
    return true;
}

static bool is_noticed(void *zap)
{
    return !zap_alive(zap);
}

static void handler_that_hangs_is_noticed_and_lets_nobody_in(void **state)
{
    (void)state;
    struct server s;
    struct client c;
    struct slow slow = {false, false};
    struct mq_events e;
    struct mq_message m;
    server_open(&s, "t");
    assert_true(zap_stop(s.zap));
    assert_int_equal(zap_start(s.mq, hang, &slow, &s.zap, NULL), ERR_OK);
    zap_set_patience(s.zap, 1500); // longer than the loop's own pause
    client_open(&c, &s, &s.known);
    assert_true(peers_wait(s.router, c.dealer, is_noticed, s.zap, PEERS_WAIT_MS));
    assert_true(atomic_load(&slow.asked));
    mq_events(s.router, &e);
    assert_int_equal(e.connected, 0);
    assert_int_equal(mq_receive(s.router, &m), ERR_AGAIN);
    assert_int_equal(bind_router(s.mq, NULL), ERR_DENIED);
    atomic_store(&slow.go_on, true);
    client_close(&c);
    server_close(&s);
}

static void handler_that_has_nothing_to_do_is_alive(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, "t");
    zap_set_patience(s.zap, 1500);
    assert_false(peers_wait(s.router, NULL, is_noticed, s.zap, 3000));
    server_close(&s);
}

// ---- requests by hand, over the same inproc endpoint that libzmq asks at

struct asker {
    struct mq *mq;
    struct zap *zap;
    void *socket;
    char token[100];
};

static void asker_open(struct asker *a, const char *token)
{
    struct diag d = {""};
    snprintf(a->token, sizeof(a->token), "%s", token);
    assert_int_equal(mq_create(&a->mq, &d), ERR_OK);
    assert_int_equal(zap_start(a->mq, let_all_in, a->token, &a->zap, &d), ERR_OK);
    a->socket = zmq_socket(a->mq->context, ZMQ_REQ);
    int wait_ms = PEERS_WAIT_MS;
    assert_int_equal(zmq_setsockopt(a->socket, ZMQ_RCVTIMEO, &wait_ms, sizeof(wait_ms)), 0);
    assert_int_equal(zmq_connect(a->socket, "inproc://zeromq.zap.01"), 0);
}

static void asker_close(struct asker *a)
{
    zmq_close(a->socket);
    assert_true(zap_stop(a->zap));
    mq_destroy(a->mq);
}

struct part {
    const void *bytes;
    size_t len;
};
#define TEXT(t)                                                                                              \
    {                                                                                                        \
        (t), sizeof(t) - 1                                                                                   \
    }
#define MAX_PARTS 12

// The status of the reply, and its user id.
static int ask(struct asker *a, const struct part *parts, size_t count, char user[64])
{
    char frames[6][64] = {""};
    for (size_t i = 0; i < count; i++)
        assert_true(zmq_send(a->socket, parts[i].bytes, parts[i].len, i + 1 < count ? ZMQ_SNDMORE : 0) >= 0);
    for (int i = 0, more = 1; more; i++) {
        size_t size = sizeof(more);
        assert_true(i < 6);
        int len = zmq_recv(a->socket, frames[i], sizeof(frames[i]) - 1, 0);
        assert_true(len >= 0 && len < 64);
        frames[i][len] = '\0';
        assert_int_equal(zmq_getsockopt(a->socket, ZMQ_RCVMORE, &more, &size), 0);
        assert_true(more || i == 5);
    }
    assert_string_equal(frames[0], "1.0");
    assert_string_equal(frames[5], "");
    memcpy(user, frames[4], 64);
    return (frames[2][0] - '0') * 100 + (frames[2][1] - '0') * 10 + frames[2][2] - '0';
}

static const uint8_t key[KEY_BYTES] = {1, 2, 3};
static const uint8_t long_frame[300];

#define GOOD                                                                                                 \
    {                                                                                                        \
        TEXT("1.0"), TEXT("1"), TEXT("esep"), TEXT("127.0.0.1"), TEXT(""), TEXT("CURVE"),                    \
        {                                                                                                    \
            key, KEY_BYTES                                                                                   \
        }                                                                                                    \
    }

static void well_formed_request_gets_its_token(void **state)
{
    (void)state;
    struct asker a;
    char user[64];
    const struct part good[] = GOOD;
    asker_open(&a, "123456789012345678901234567890123456789012345678901234567890123");
    assert_int_equal(ask(&a, good, 7, user), 200);
    assert_int_equal(strlen(user), 63);
    asker_close(&a);
}

static void malformed_requests_get_a_400_and_the_handler_goes_on(void **state)
{
    (void)state;
    struct asker a;
    char user[64];
    struct zap_counters n;
    asker_open(&a, "t");
    const struct part good[] = GOOD;
    const struct {
        size_t frame;
        struct part instead;
    } wrong[] = {{0, TEXT("1.1")},      {0, TEXT("")},      {2, TEXT("other")},     {2, TEXT("")},
                 {5, TEXT("NULL")},     {5, TEXT("PLAIN")}, {5, TEXT("curve")},     {6, {key, 31}},
                 {6, {long_frame, 33}}, {6, TEXT("")},      {3, {long_frame, 300}}, {4, {long_frame, 300}},
                 {6, {long_frame, 300}}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct part parts[7];
        memcpy(parts, good, sizeof(good));
        parts[wrong[i].frame] = wrong[i].instead;
        assert_int_equal(ask(&a, parts, 7, user), 400);
        assert_string_equal(user, "");
    }
    for (size_t count = 1; count < 7; count++)
        assert_int_equal(ask(&a, good, count, user), 400);
    struct part many[MAX_PARTS];
    for (size_t i = 0; i < MAX_PARTS; i++)
        many[i] = good[i % 7];
    assert_int_equal(ask(&a, many, 8, user), 400);
    assert_int_equal(ask(&a, many, MAX_PARTS, user), 400);
    assert_int_equal(ask(&a, good, 7, user), 200);
    assert_true(zap_alive(a.zap));
    zap_counters(a.zap, &n);
    assert_int_equal(n.accepted, 1);
    assert_int_equal(n.refused_mechanism, 3);
    assert_int_equal(n.refused_key, 0);
    assert_int_equal(n.refused_malformed, 10 + 6 + 2);
    asker_close(&a);
}

static void token_that_cannot_be_a_user_id_lets_nobody_in(void **state)
{
    (void)state;
    const char *tokens[] = {"", "two words", "line\n", "\xd0\xb0"};
    for (size_t i = 0; i < 4; i++) {
        struct asker a;
        char user[64];
        struct zap_counters n;
        const struct part good[] = GOOD;
        asker_open(&a, tokens[i]);
        assert_int_equal(ask(&a, good, 7, user), 400);
        assert_string_equal(user, "");
        zap_counters(a.zap, &n);
        assert_int_equal(n.refused_key, 1);
        asker_close(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(router_is_refused_unless_a_handler_answers),
        cmocka_unit_test(dead_handler_is_noticed),
        cmocka_unit_test(known_key_gets_nowhere_while_no_handler_runs),
        cmocka_unit_test(handler_that_hangs_is_noticed_and_lets_nobody_in),
        cmocka_unit_test(handler_that_has_nothing_to_do_is_alive),
        cmocka_unit_test(well_formed_request_gets_its_token),
        cmocka_unit_test(malformed_requests_get_a_400_and_the_handler_goes_on),
        cmocka_unit_test(token_that_cannot_be_a_user_id_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
