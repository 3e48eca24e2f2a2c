// ROUTER and DEALER over real sockets: who gets in, what arrives, and what does not.
#include "tests/support/peers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

static struct server server;

static int setup(void **state)
{
    (void)state;
    server_open(&server, "token-of-acme");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    server_close(&server);
    return 0;
}

static struct mq_events events_of(struct mq_socket *s)
{
    struct mq_events e;
    mq_events(s, &e);
    return e;
}

// ---- who gets in

static void known_key_gets_in_and_its_token_comes_with_each_message(void **state)
{
    (void)state;
    struct client c;
    struct mq_message m;
    client_open(&c, &server, &server.known);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(peers_send(c.dealer, server.router, "hello", 5), ERR_OK);
        assert_int_equal(peers_receive(server.router, c.dealer, &m), ERR_OK);
        assert_string_equal(m.token, "token-of-acme");
        assert_int_equal(m.len, 5);
        assert_memory_equal(m.bytes, "hello", 5);
        assert_true(m.peer.len > 0);
        assert_int_equal(mq_send(server.router, &m.peer, "welcome", 7), ERR_OK);
        assert_int_equal(peers_receive(c.dealer, server.router, &m), ERR_OK);
        assert_memory_equal(m.bytes, "welcome", 7);
        assert_int_equal(m.peer.len, 0);
    }
    assert_int_equal(mq_receive(server.router, &m), ERR_AGAIN);
    assert_true(events_of(c.dealer).up);
    assert_int_equal(events_of(c.dealer).connected, 1);
    assert_int_equal(events_of(server.router).connected, 1);
    client_close(&c);
}

struct refused {
    struct mq_socket *dealer;
    uint64_t before;
};

static bool server_turned_somebody_away(void *ctx)
{
    struct refused *r = ctx;
    struct mq_events e = events_of(server.router);
    bool client_knows = !r->dealer || events_of(r->dealer).handshake_failed > 0;
    return e.handshake_failed > r->before && client_knows;
}

// Nobody came in, nothing was heard.
static void assert_outside(struct mq_socket *dealer)
{
    struct refused r = {.dealer = dealer};
    struct mq_message m;
    assert_true(peers_wait(server.router, dealer, server_turned_somebody_away, &r, PEERS_WAIT_MS));
    assert_int_equal(events_of(server.router).connected, 0);
    assert_int_equal(mq_receive(server.router, &m), ERR_AGAIN);
    if (!dealer)
        return;
    assert_false(events_of(dealer).up);
    assert_int_equal(mq_send(dealer, NULL, "hello", 5), ERR_AGAIN);
}

static void unknown_key_gets_nowhere(void **state)
{
    (void)state;
    struct key_pair stranger;
    struct client c;
    struct zap_counters n;
    crypto_keypair(stranger.public_key, stranger.secret_key);
    client_open(&c, &server, &stranger);
    assert_outside(c.dealer);
    zap_counters(server.zap, &n);
    assert_true(n.refused_key >= 1);
    assert_true(events_of(c.dealer).refused);
    assert_int_equal(n.accepted, 0);
    client_close(&c);
}

static bool turned_away_at_zap(void *ctx)
{
    struct zap_counters n;
    (void)ctx;
    zap_counters(server.zap, &n);
    return n.refused_key > 0;
}

static bool came_in(void *ctx)
{
    struct client *c = ctx;
    return events_of(c->dealer).up;
}

static void key_that_becomes_known_gets_in_without_a_restart(void **state)
{
    (void)state;
    struct key_pair later;
    struct client c;
    crypto_keypair(later.public_key, later.secret_key);
    client_open(&c, &server, &later);
    assert_true(peers_wait(server.router, c.dealer, turned_away_at_zap, NULL, PEERS_WAIT_MS));
    atomic_store(&server.open_to_all, true);
    assert_true(peers_wait(server.router, c.dealer, came_in, &c, PEERS_WAIT_MS));
    assert_false(events_of(c.dealer).refused);
    struct mq_message m;
    assert_int_equal(peers_send(c.dealer, server.router, "hello", 5), ERR_OK);
    assert_int_equal(peers_receive(server.router, c.dealer, &m), ERR_OK);
    client_close(&c);
}

static void client_that_expects_another_server_gets_nowhere(void **state)
{
    (void)state;
    struct client c;
    struct server other = server;
    crypto_keypair(other.keys.public_key, other.keys.secret_key);
    client_open(&c, &other, &server.known);
    assert_outside(NULL);
    assert_false(events_of(c.dealer).up);
    client_close(&c);
}

// ---- clients that are not ours, by plain ZeroMQ

struct plain_client {
    void *context, *socket;
};

static void plain_open(struct plain_client *p)
{
    int linger_ms = 0;
    p->context = zmq_ctx_new();
    p->socket = zmq_socket(p->context, ZMQ_DEALER);
    assert_int_equal(zmq_setsockopt(p->socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms)), 0);
}

static void plain_be_known(struct plain_client *p)
{
    assert_int_equal(zmq_setsockopt(p->socket, ZMQ_CURVE_SERVERKEY, server.keys.public_key, KEY_BYTES), 0);
    assert_int_equal(zmq_setsockopt(p->socket, ZMQ_CURVE_PUBLICKEY, server.known.public_key, KEY_BYTES), 0);
    assert_int_equal(zmq_setsockopt(p->socket, ZMQ_CURVE_SECRETKEY, server.known.secret_key, KEY_BYTES), 0);
}

static void plain_connect(struct plain_client *p)
{
    assert_int_equal(zmq_connect(p->socket, mq_endpoint(server.router)), 0);
}

static void plain_close(struct plain_client *p)
{
    zmq_close(p->socket);
    zmq_ctx_term(p->context);
}

static void client_without_encryption_gets_nowhere(void **state)
{
    (void)state;
    struct plain_client p;
    plain_open(&p);
    plain_connect(&p);
    assert_int_equal(zmq_send(p.socket, "hello", 5, 0), 5);
    assert_outside(NULL);
    plain_close(&p);
}

static void client_with_a_password_gets_nowhere(void **state)
{
    (void)state;
    struct plain_client p;
    plain_open(&p);
    assert_int_equal(zmq_setsockopt(p.socket, ZMQ_PLAIN_USERNAME, "admin", 5), 0);
    assert_int_equal(zmq_setsockopt(p.socket, ZMQ_PLAIN_PASSWORD, "admin", 5), 0);
    plain_connect(&p);
    assert_int_equal(zmq_send(p.socket, "hello", 5, 0), 5);
    assert_outside(NULL);
    plain_close(&p);
}

static void message_of_several_frames_is_dropped_whole_and_the_next_is_heard(void **state)
{
    (void)state;
    struct plain_client p;
    struct mq_message m;
    plain_open(&p);
    plain_be_known(&p);
    plain_connect(&p);
    for (int frames = 2; frames < 5; frames++)
        for (int i = 0; i < frames; i++)
            assert_int_equal(zmq_send(p.socket, "part", 4, i + 1 < frames ? ZMQ_SNDMORE : 0), 4);
    assert_int_equal(zmq_send(p.socket, "whole", 5, 0), 5);
    for (int i = 0; i < 3; i++)
        assert_int_equal(peers_receive(server.router, NULL, &m), ERR_INVALID);
    assert_int_equal(peers_receive(server.router, NULL, &m), ERR_OK);
    assert_memory_equal(m.bytes, "whole", 5);
    plain_close(&p);
}

static void peer_that_chose_its_routing_id_is_not_heard(void **state)
{
    (void)state;
    struct plain_client p;
    struct mq_message m;
    plain_open(&p);
    plain_be_known(&p);
    assert_int_equal(zmq_setsockopt(p.socket, ZMQ_ROUTING_ID, "boss", 4), 0);
    plain_connect(&p);
    assert_int_equal(zmq_send(p.socket, "hello", 5, 0), 5);
    assert_int_equal(peers_receive(server.router, NULL, &m), ERR_INVALID);
    assert_int_equal(mq_receive(server.router, &m), ERR_AGAIN);
    plain_close(&p);
}

static bool server_lost_somebody(void *ctx)
{
    (void)ctx;
    return events_of(server.router).disconnected > 0;
}

struct caller {
    void *socket;
    struct mq_message heard;
};

// What is sent into a connection that is about to break is lost, so it is said again until it is heard.
static bool heard_again(void *ctx)
{
    struct caller *c = ctx;
    zmq_send(c->socket, "again", 5, ZMQ_DONTWAIT);
    return mq_receive(server.router, &c->heard) == ERR_OK;
}

static void message_larger_than_the_limit_closes_the_connection(void **state)
{
    (void)state;
    static const char large[17 * 1024 + 1];
    struct plain_client p;
    struct mq_message m;
    plain_open(&p);
    plain_be_known(&p);
    plain_connect(&p);
    assert_int_equal(zmq_send(p.socket, "hello", 5, 0), 5);
    assert_int_equal(peers_receive(server.router, NULL, &m), ERR_OK);
    assert_int_equal(zmq_send(p.socket, large, sizeof(large), 0), sizeof(large));
    assert_true(peers_wait(server.router, NULL, server_lost_somebody, NULL, PEERS_WAIT_MS));
    assert_int_equal(mq_receive(server.router, &m), ERR_AGAIN);
    struct caller c = {.socket = p.socket}; // it may come back and behave
    assert_true(peers_wait(server.router, NULL, heard_again, &c, PEERS_WAIT_MS));
    assert_memory_equal(c.heard.bytes, "again", 5);
    plain_close(&p);
}

static void largest_message_arrives_whole(void **state)
{
    (void)state;
    char bytes[16384], none[1];
    struct client c;
    struct mq_message m;
    memset(bytes, 'x', sizeof(bytes));
    client_open(&c, &server, &server.known);
    assert_int_equal(peers_send(c.dealer, server.router, bytes, sizeof(bytes)), ERR_OK);
    assert_int_equal(peers_receive(server.router, c.dealer, &m), ERR_OK);
    assert_int_equal(m.len, sizeof(bytes));
    assert_memory_equal(m.bytes, bytes, sizeof(bytes));
    assert_int_equal(mq_send(c.dealer, NULL, bytes, sizeof(bytes) + 1), ERR_TOO_BIG);
    assert_int_equal(peers_send(c.dealer, server.router, none, 0), ERR_OK);
    assert_int_equal(peers_receive(server.router, c.dealer, &m), ERR_OK);
    assert_int_equal(m.len, 0);
    client_close(&c);
}

// ---- more connections than descriptors

struct crowd {
    struct server server;
    struct rlimit before;
    int fds[200];
    size_t count;
};

static bool one_more_is_too_many(void *ctx)
{
    struct crowd *c = ctx;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)strtol(strrchr(mq_endpoint(c->server.router), ':') + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && c->count < 200)
        c->fds[c->count++] = fd;
    return connect(fd, (struct sockaddr *)&to, sizeof to) != 0 &&
           events_of(c->server.router).accept_paused > 0;
}

static void a_crowd_without_keys_does_not_take_the_last_descriptor(void **state)
{
    (void)state;
    static struct crowd c; // `server` of the other tests has found the limit as it was
    struct mq_message m;
    struct client known;
    int free_fd = dup(0);
    close(free_fd);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &c.before), 0);
    struct rlimit few = {.rlim_cur = (rlim_t)free_fd + 160, .rlim_max = c.before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    server_open(&c.server, "token-of-acme");
    assert_true(peers_wait(c.server.router, NULL, one_more_is_too_many, &c, PEERS_WAIT_MS));
    int left = dup(0); // for everybody else in the process
    assert_true(left >= 0 && left < (int)few.rlim_cur);
    close(left);
    while (c.count > 0)
        close(c.fds[--c.count]);
    client_open(&known, &c.server, &c.server.known); // they have gone: it listens again
    assert_int_equal(peers_send(known.dealer, c.server.router, "hello", 5), ERR_OK);
    assert_int_equal(peers_receive(c.server.router, known.dealer, &m), ERR_OK);
    client_close(&known);
    server_close(&c.server);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &c.before), 0);
}

// ---- sending

static void send_to_a_peer_that_has_gone_says_closed(void **state)
{
    (void)state;
    struct client c;
    struct mq_message m;
    const struct mq_peer nobody = {.id = {0, 1, 2, 3, 4}, .len = 5};
    client_open(&c, &server, &server.known);
    assert_int_equal(peers_send(c.dealer, server.router, "hello", 5), ERR_OK);
    assert_int_equal(peers_receive(server.router, c.dealer, &m), ERR_OK);
    struct mq_peer peer = m.peer;
    client_close(&c);
    assert_true(peers_wait(server.router, NULL, server_lost_somebody, NULL, PEERS_WAIT_MS));
    enum err e = ERR_OK;
    for (int i = 0; i < 1000 && e == ERR_OK; i++) { // the pipe goes a moment after the event
        struct mq_poll_item item = {.socket = server.router};
        assert_int_equal(mq_poll(&item, 1, 10), ERR_OK);
        e = mq_send(server.router, &peer, "ack", 3);
    }
    assert_int_equal(e, ERR_CLOSED);
    assert_int_equal(mq_send(server.router, &nobody, "ack", 3), ERR_CLOSED);
    assert_int_equal(mq_send(server.router, NULL, "ack", 3), ERR_INTERNAL);
}

static void send_to_a_peer_that_does_not_read_says_again_and_never_waits(void **state)
{
    (void)state;
    static const char bytes[16384];
    struct client c;
    struct mq_message m;
    client_open(&c, &server, &server.known);
    assert_int_equal(peers_send(c.dealer, server.router, "hello", 5), ERR_OK);
    assert_int_equal(peers_receive(server.router, c.dealer, &m), ERR_OK);
    struct mq_peer peer = m.peer;
    enum err e = ERR_OK;
    int again = 0;
    for (int i = 0; i < 200000 && again < 1000; i++) {
        e = mq_send(server.router, &peer, bytes, sizeof(bytes));
        assert_true(e == ERR_OK || e == ERR_AGAIN);
        again = e == ERR_AGAIN ? again + 1 : 0;
    }
    assert_int_equal(e, ERR_AGAIN);
    assert_int_equal(peers_receive(c.dealer, server.router, &m), ERR_OK); // whole messages only
    assert_int_equal(m.len, sizeof(bytes));
    client_close(&c);
}

static void dealer_without_a_server_queues_nothing(void **state)
{
    (void)state;
    struct client c;
    struct mq_message m;
    struct server nowhere;
    server_open(&nowhere, "x");
    client_open(&c, &nowhere, &nowhere.known);
    server_close(&nowhere);
    struct mq_poll_item item = {.socket = c.dealer, .want_write = true};
    for (int i = 0; i < 20 && !item.writable; i++) // it may have come in before the server went
        assert_int_equal(mq_poll(&item, 1, 5), ERR_OK);
    if (!events_of(c.dealer).up)
        assert_int_equal(mq_send(c.dealer, NULL, "hello", 5), ERR_AGAIN);
    assert_int_equal(mq_receive(c.dealer, &m), ERR_AGAIN);
    client_close(&c);
}

// ---- addresses and options

static enum err bind_at(const char *endpoint, struct diag *d)
{
    struct mq_router_options o = {.endpoint = endpoint, .max_message_bytes = 16384};
    struct mq_socket *s = NULL;
    memcpy(o.secret_key, server.keys.secret_key, KEY_BYTES);
    enum err e = mq_router_bind(server.mq, &o, &s, d);
    mq_close(s);
    return e;
}

static void address_in_use_or_wrong_is_a_clear_error(void **state)
{
    (void)state;
    struct diag d = {""};
    assert_int_equal(bind_at(mq_endpoint(server.router), &d), ERR_EXISTS);
    assert_non_null(strstr(d.text, mq_endpoint(server.router)));
    assert_non_null(strstr(d.text, "another program"));
    assert_int_equal(bind_at("nonsense", &d), ERR_INVALID);
    assert_int_equal(bind_at("tcp://127.0.0.1:99999", &d), ERR_INVALID);
    assert_int_equal(bind_at("tcp://192.0.2.1:5670", &d), ERR_NOT_FOUND);
    assert_int_equal(bind_at("tcp://127.0.0.1:0", &d), ERR_OK);
    assert_int_equal(bind_at("tcp://[::1]:*", &d), ERR_OK);
}

static void fd_in_the_poll_set_wakes_it(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct mq_poll_item items[] = {{.socket = server.router}, {.fd = fds[0]}};
    assert_int_equal(mq_poll(items, 2, 0), ERR_OK);
    assert_false(items[1].readable);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(mq_poll(items, 2, PEERS_WAIT_MS), ERR_OK);
    assert_true(items[1].readable);
    assert_false(items[0].readable);
    close(fds[0]);
    close(fds[1]);
}

static void two_contexts_have_two_doors(void **state)
{
    (void)state;
    struct server other;
    struct client c, d;
    struct mq_message m;
    server_open(&other, "token-of-other");
    client_open(&c, &other, &other.known);
    assert_int_equal(peers_send(c.dealer, other.router, "hello", 5), ERR_OK);
    assert_int_equal(peers_receive(other.router, c.dealer, &m), ERR_OK);
    assert_string_equal(m.token, "token-of-other");
    client_open(&d, &server, &other.known); // known there, not here
    assert_outside(d.dealer);
    client_close(&d);
    client_close(&c);
    server_close(&other);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(known_key_gets_in_and_its_token_comes_with_each_message),
        T(unknown_key_gets_nowhere),
        T(key_that_becomes_known_gets_in_without_a_restart),
        T(client_that_expects_another_server_gets_nowhere),
        T(client_without_encryption_gets_nowhere),
        T(client_with_a_password_gets_nowhere),
        T(message_of_several_frames_is_dropped_whole_and_the_next_is_heard),
        T(peer_that_chose_its_routing_id_is_not_heard),
        T(message_larger_than_the_limit_closes_the_connection),
        T(largest_message_arrives_whole),
        T(a_crowd_without_keys_does_not_take_the_last_descriptor),
        T(send_to_a_peer_that_has_gone_says_closed),
        T(send_to_a_peer_that_does_not_read_says_again_and_never_waits),
        T(dealer_without_a_server_queues_nothing),
        T(address_in_use_or_wrong_is_a_clear_error),
        T(fd_in_the_poll_set_wakes_it),
        T(two_contexts_have_two_doors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
