// Commands over the local socket: answered, refused, or told at once that nobody is there.
#include "net/control.h"
#include "net/local.h"
#include "net/mq.h"
#include "tests/support/peers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

// A collector's control socket in a thread of its own.
struct control_server {
    char state[64], path[96], endpoint[128];
    const char *answer; // NULL: it hears and says nothing
    size_t answer_len;
    atomic_bool stop, ready;
    atomic_int heard, invalid;
    pthread_t thread;
    struct mq *mq;
    struct mq_socket *socket;
};

static void *serve(void *arg)
{
    struct control_server *c = arg;
    while (!atomic_load(&c->stop)) {
        struct mq_poll_item item = {.socket = c->socket};
        struct mq_message m;
        enum err e = mq_poll(&item, 1, 5);
        if (e == ERR_OK)
            e = mq_receive(c->socket, &m);
        if (e == ERR_INVALID)
            atomic_fetch_add(&c->invalid, 1);
        if (e != ERR_OK)
            continue;
        atomic_fetch_add(&c->heard, 1);
        if (c->answer && mq_send(c->socket, NULL, c->answer, c->answer_len) != ERR_OK)
            abort();
    }
    mq_close(c->socket);
    return NULL;
}

static void state_make(struct control_server *c)
{
    snprintf(c->state, sizeof(c->state), "/tmp/esep-control-XXXXXX");
    assert_non_null(mkdtemp(c->state));
    snprintf(c->path, sizeof(c->path), "%s/control", c->state);
    snprintf(c->endpoint, sizeof(c->endpoint), "ipc://%s", c->path);
}

static void state_remove(struct control_server *c)
{
    unlink(c->path);
    assert_int_equal(rmdir(c->state), 0);
}

static void control_open(struct control_server *c, const char *answer, size_t answer_len)
{
    struct diag d = {""};
    *c = (struct control_server){.answer = answer, .answer_len = answer_len};
    state_make(c);
    assert_int_equal(mq_create(&c->mq, &d), ERR_OK);
    assert_int_equal(mq_reply_bind(c->mq, c->endpoint, &c->socket, &d), ERR_OK);
    assert_int_equal(pthread_create(&c->thread, NULL, serve, c), 0);
}

static void control_stop(struct control_server *c)
{
    atomic_store(&c->stop, true);
    pthread_join(c->thread, NULL);
    mq_destroy(c->mq);
}

static void control_close(struct control_server *c)
{
    control_stop(c);
    state_remove(c);
}

static void call_is_answered(void **state)
{
    (void)state;
    struct control_server c;
    struct diag d = {""};
    control_open(&c, "{\"ok\":true}", 11);
    for (int i = 0; i < 3; i++) {
        char *reply = NULL;
        assert_int_equal(control_call(c.state, "{\"command\":\"status\"}", PEERS_WAIT_MS, &reply, &d),
                         ERR_OK);
        assert_string_equal(reply, "{\"ok\":true}");
        free(reply);
    }
    assert_int_equal(c.heard, 3);
    struct stat st;
    assert_int_equal(stat(c.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    control_close(&c);
}

static void call_takes_an_answer_of_a_megabyte(void **state)
{
    (void)state;
    struct control_server c;
    struct diag d = {""};
    size_t len = 1 << 20;
    char *answer = malloc(len), *reply = NULL;
    assert_non_null(answer);
    memset(answer, ' ', len);
    answer[0] = '{';
    answer[len - 1] = '}';
    control_open(&c, answer, len);
    assert_int_equal(control_call(c.state, "{}", PEERS_WAIT_MS, &reply, &d), ERR_OK);
    assert_int_equal(strlen(reply), len);
    free(reply);
    control_close(&c);
    free(answer);
}

static void call_to_nobody_says_closed_at_once_and_how_to_start(void **state)
{
    (void)state;
    struct control_server c = {.state = ""};
    struct diag d = {""};
    char *reply = NULL;
    state_make(&c);
    assert_int_equal(control_call(c.state, "{}", 600000, &reply, &d), ERR_CLOSED);
    assert_non_null(strstr(d.text, c.state));
    assert_non_null(strstr(d.text, "esep-collector run"));
    assert_null(reply);
    assert_int_equal(control_call("/no/such/folder", "{}", 600000, &reply, &d), ERR_CLOSED);
    state_remove(&c);
}

// The file of a socket whose process was killed.
static void leave_dead_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void call_to_a_dead_socket_says_closed_at_once(void **state)
{
    (void)state;
    struct control_server c = {.state = ""};
    struct diag d = {""};
    char *reply = NULL;
    state_make(&c);
    leave_dead_socket(c.path);
    assert_int_equal(control_call(c.state, "{}", 600000, &reply, &d), ERR_CLOSED);
    state_remove(&c);
}

static void call_that_is_not_answered_ends_at_its_time(void **state)
{
    (void)state;
    struct control_server c;
    struct diag d = {""};
    char *reply = NULL;
    control_open(&c, NULL, 0);
    assert_int_equal(control_call(c.state, "{}", 50, &reply, &d), ERR_TIMEOUT);
    assert_non_null(strstr(d.text, "50 ms"));
    assert_null(reply);
    control_close(&c);
}

static void *stop_when_heard(void *arg)
{
    struct control_server *c = arg;
    while (atomic_load(&c->heard) == 0)
        sched_yield();
    control_stop(c);
    return NULL;
}

static void call_ends_when_the_collector_stops_under_it(void **state)
{
    (void)state;
    struct control_server c;
    struct diag d = {""};
    char *reply = NULL;
    pthread_t stopper;
    control_open(&c, NULL, 0);
    assert_int_equal(pthread_create(&stopper, NULL, stop_when_heard, &c), 0);
    assert_int_equal(control_call(c.state, "{}", 600000, &reply, &d), ERR_CLOSED);
    pthread_join(stopper, NULL);
    state_remove(&c);
}

static void answer_that_is_no_text_is_invalid(void **state)
{
    (void)state;
    struct control_server c;
    struct diag d = {""};
    char *reply = NULL;
    control_open(&c, "a\0b", 3);
    assert_int_equal(control_call(c.state, "{}", PEERS_WAIT_MS, &reply, &d), ERR_INVALID);
    control_close(&c);
    control_open(&c, "", 0);
    assert_int_equal(control_call(c.state, "{}", PEERS_WAIT_MS, &reply, &d), ERR_INVALID);
    control_close(&c);
}

static void request_of_several_frames_is_dropped_and_the_next_is_heard(void **state)
{
    (void)state;
    struct control_server c;
    struct diag d = {""};
    char *reply = NULL, buffer[16];
    int wait_ms = PEERS_WAIT_MS;
    control_open(&c, "{}", 2);
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_REQ);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof(wait_ms)), 0);
    assert_int_equal(zmq_connect(socket, c.endpoint), 0);
    assert_int_equal(zmq_send(socket, "{", 1, ZMQ_SNDMORE), 1);
    assert_int_equal(zmq_send(socket, "}", 1, 0), 1);
    assert_int_equal(zmq_recv(socket, buffer, sizeof(buffer), 0), 0);
    assert_int_equal(control_call(c.state, "{}", PEERS_WAIT_MS, &reply, &d), ERR_OK);
    assert_int_equal(c.invalid, 1);
    free(reply);
    zmq_close(socket);
    zmq_ctx_term(context);
    control_close(&c);
}

// ---- where the socket may be

static enum err bind_at(const char *endpoint, struct diag *d)
{
    struct mq *mq;
    struct mq_socket *s = NULL;
    assert_int_equal(mq_create(&mq, d), ERR_OK);
    enum err e = mq_reply_bind(mq, endpoint, &s, d);
    mq_close(s);
    mq_destroy(mq);
    return e;
}

static void dead_socket_is_replaced_and_a_living_one_is_not(void **state)
{
    (void)state;
    struct control_server c = {.state = ""};
    struct diag d = {""};
    state_make(&c);
    leave_dead_socket(c.path);
    assert_int_equal(bind_at(c.endpoint, &d), ERR_OK);
    state_remove(&c);
    control_open(&c, "{}", 2);
    assert_int_equal(bind_at(c.endpoint, &d), ERR_EXISTS);
    assert_non_null(strstr(d.text, "another program"));
    char *reply = NULL;
    assert_int_equal(control_call(c.state, "{}", PEERS_WAIT_MS, &reply, &d), ERR_OK); // it still listens
    free(reply);
    control_close(&c);
}

static void file_in_the_way_is_never_removed(void **state)
{
    (void)state;
    struct control_server c = {.state = ""};
    struct diag d = {""};
    struct stat st;
    char *reply = NULL;
    state_make(&c);
    FILE *f = fopen(c.path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(bind_at(c.endpoint, &d), ERR_EXISTS);
    assert_non_null(strstr(d.text, "not a socket"));
    assert_int_equal(control_call(c.state, "{}", 10, &reply, &d), ERR_EXISTS);
    assert_int_equal(stat(c.path, &st), 0);
    state_remove(&c);
}

static void path_too_long_for_a_socket_is_a_clear_error(void **state)
{
    (void)state;
    char folder[600], endpoint[620];
    struct diag d = {""};
    char *reply = NULL;
    memset(folder, 'x', sizeof(folder));
    folder[0] = '/';
    folder[120] = '\0';
    snprintf(endpoint, sizeof(endpoint), "ipc://%s/control", folder);
    assert_int_equal(bind_at(endpoint, &d), ERR_TOO_BIG);
    assert_non_null(strstr(d.text, "shorter state folder"));
    assert_int_equal(control_call(folder, "{}", 10, &reply, &d), ERR_TOO_BIG);
    folder[120] = 'x';
    folder[599] = '\0';
    assert_int_equal(control_call(folder, "{}", 10, &reply, &d), ERR_TOO_BIG);
    assert_int_equal(bind_at("tcp://127.0.0.1:1", &d), ERR_INVALID);
    assert_int_equal(bind_at("ipc://", &d), ERR_INVALID);
    assert_int_equal(bind_at("ipc:///no/such/folder/control", &d), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_is_answered),
        cmocka_unit_test(call_takes_an_answer_of_a_megabyte),
        cmocka_unit_test(call_to_nobody_says_closed_at_once_and_how_to_start),
        cmocka_unit_test(call_to_a_dead_socket_says_closed_at_once),
        cmocka_unit_test(call_that_is_not_answered_ends_at_its_time),
        cmocka_unit_test(call_ends_when_the_collector_stops_under_it),
        cmocka_unit_test(answer_that_is_no_text_is_invalid),
        cmocka_unit_test(request_of_several_frames_is_dropped_and_the_next_is_heard),
        cmocka_unit_test(dead_socket_is_replaced_and_a_living_one_is_not),
        cmocka_unit_test(file_in_the_way_is_never_removed),
        cmocka_unit_test(path_too_long_for_a_socket_is_a_clear_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
