// http_get against a server of this test's own, which says exactly what it is told to.
#include "net/http.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 20000

// Answers one connection after another with the next of its answers; an empty one keeps silent until the
// client goes.
struct web {
    int fd, port;
    const char *const *answers;
    int count;
    char request[2048];         // the last one
    _Atomic size_t flood_bytes; // sent behind the answer, until the client has enough
    size_t flooded_bytes;
    pthread_t thread;
};

static void read_request(struct web *w, int fd)
{
    size_t len = 0;
    while (len < sizeof(w->request) - 1) {
        ssize_t n = recv(fd, w->request + len, sizeof(w->request) - 1 - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
        w->request[len] = '\0';
        if (strstr(w->request, "\r\n\r\n"))
            break;
    }
}

static void flood(struct web *w, int fd)
{
    static const char spare[65536];
    while (w->flooded_bytes < w->flood_bytes) {
        ssize_t n = send(fd, spare, sizeof(spare), MSG_NOSIGNAL);
        if (n <= 0)
            return;
        w->flooded_bytes += (size_t)n;
    }
}

static void *serve(void *arg)
{
    struct web *w = arg;
    for (int i = 0; i < w->count; i++) {
        int fd = accept(w->fd, NULL, NULL);
        if (fd < 0)
            break;
        char spare[512];
        read_request(w, fd);
        if (w->answers[i][0])
            send(fd, w->answers[i], strlen(w->answers[i]), MSG_NOSIGNAL);
        else
            while (recv(fd, spare, sizeof(spare), 0) > 0)
                ;
        flood(w, fd);
        close(fd);
    }
    return NULL;
}

static void web_open(struct web *w, const char *const *answers, int count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    *w = (struct web){.answers = answers, .count = count};
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(w->fd, (const struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(w->fd, 10), 0);
    assert_int_equal(getsockname(w->fd, (struct sockaddr *)&address, &len), 0);
    w->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&w->thread, NULL, serve, w), 0);
}

static void web_close(struct web *w)
{
    shutdown(w->fd, SHUT_RDWR);
    pthread_join(w->thread, NULL);
    close(w->fd);
}

static enum err get(const struct web *w, size_t max_bytes, int timeout_ms, struct http_reply *out,
                    struct diag *d)
{
    char url[100];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/api?x=1", w->port);
    return http_get(url, max_bytes, timeout_ms, out, d);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n"

static void get_gives_body_and_status_whatever_it_is(void **state)
{
    (void)state;
    const char *const answers[] = {
        OK_HEAD "Content-Length: 5\r\n\r\nhello", OK_HEAD "\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone",
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"};
    const struct {
        long status;
        const char *body;
    } expected[] = {{200, "hello"}, {200, ""}, {404, "none"}, {200, "abcde"}};
    struct web w;
    struct diag d = {""};
    web_open(&w, answers, 4);
    for (int i = 0; i < 4; i++) {
        struct http_reply r;
        assert_int_equal(get(&w, 100, WAIT_MS, &r, &d), ERR_OK);
        assert_int_equal(r.status, expected[i].status);
        assert_string_equal(r.body, expected[i].body);
        assert_int_equal(r.len, strlen(expected[i].body));
        http_reply_deinit(&r);
        assert_null(r.body);
    }
    assert_non_null(strstr(w.request, "GET /api?x=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(w.request, "User-Agent: esep/"));
    web_close(&w);
}

static void get_stops_at_the_limit_of_the_body(void **state)
{
    (void)state;
    const char *const answers[] = {OK_HEAD "Content-Length: 11\r\n\r\n12345678901", OK_HEAD "\r\n12345678901",
                                   OK_HEAD "\r\n1234567890"};
    struct web w;
    struct http_reply r = {.status = 77};
    struct diag d = {""};
    web_open(&w, answers, 3);
    assert_int_equal(get(&w, 10, WAIT_MS, &r, &d), ERR_TOO_BIG);
    assert_non_null(strstr(d.text, "limit"));
    assert_int_equal(get(&w, 10, WAIT_MS, &r, &d), ERR_TOO_BIG);
    assert_int_equal(r.status, 77);
    assert_int_equal(get(&w, 10, WAIT_MS, &r, &d), ERR_OK);
    http_reply_deinit(&r);
    web_close(&w);
}

static void get_ends_at_its_time(void **state)
{
    (void)state;
    const char *const answers[] = {""};
    struct web w;
    struct http_reply r;
    struct diag d = {""};
    web_open(&w, answers, 1);
    assert_int_equal(get(&w, 10, 100, &r, &d), ERR_TIMEOUT);
    web_close(&w);
}

static void get_from_nobody_says_closed(void **state)
{
    (void)state;
    struct web w;
    struct http_reply r;
    struct diag d = {""};
    web_open(&w, NULL, 0);
    web_close(&w);
    assert_int_equal(get(&w, 10, WAIT_MS, &r, &d), ERR_CLOSED);
    assert_non_null(strstr(d.text, "http://127.0.0.1:"));
}

#define FOUND "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: "

static void get_speaks_http_only(void **state)
{
    (void)state;
    struct http_reply r;
    struct diag d = {""};
    assert_int_equal(http_get("file:///etc/passwd", 10000, WAIT_MS, &r, &d), ERR_INVALID);
    assert_int_equal(http_get("ftp://127.0.0.1/x", 10000, WAIT_MS, &r, &d), ERR_INVALID);
    assert_int_equal(http_get("http://", 10000, WAIT_MS, &r, &d), ERR_INVALID);
}

static void get_is_led_on_within_the_place_only(void **state)
{
    (void)state;
    static const char *const elsewhere[] = {"file:///etc/passwd",  "http://localhost:%d/",
                                            "http://127.0.0.1/",   "http://127.0.0.2:%d/",
                                            "ftp://127.0.0.1:%d/", "//example.org/"};
    struct http_reply r;
    struct diag d = {""};
    struct web w;
    const char *const answers[] = {FOUND "/there\r\n\r\n", OK_HEAD "Content-Length: 2\r\n\r\nok"};
    web_open(&w, answers, 2);
    assert_int_equal(get(&w, 10, WAIT_MS, &r, &d), ERR_OK);
    assert_string_equal(r.body, "ok");
    assert_non_null(strstr(w.request, "GET /there HTTP/1.1\r\n"));
    http_reply_deinit(&r);
    web_close(&w);
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        char format[200], answer[200];
        const char *const one[] = {answer};
        snprintf(format, sizeof(format), FOUND "%s\r\n\r\n", elsewhere[i]);
        snprintf(answer, sizeof(answer), "%s", format);
        web_open(&w, one, 1); // answers when it is asked, by when its port is in the answer
        char *port = strstr(format, "%d");
        if (port)
            snprintf(answer, sizeof(answer), "%.*s%d%s", (int)(port - format), format, w.port, port + 2);
        assert_int_equal(get(&w, 10000, WAIT_MS, &r, &d), ERR_DENIED);
        assert_non_null(strstr(d.text, "not followed"));
        web_close(&w);
    }
}

static void get_is_led_on_five_times_at_most(void **state)
{
    (void)state;
    const char *const answers[] = {FOUND "/1\r\n\r\n", FOUND "/2\r\n\r\n", FOUND "/3\r\n\r\n",
                                   FOUND "/4\r\n\r\n", FOUND "/5\r\n\r\n", FOUND "/6\r\n\r\n"};
    struct http_reply r;
    struct diag d = {""};
    struct web w;
    web_open(&w, answers, 6);
    assert_int_equal(get(&w, 10, WAIT_MS, &r, &d), ERR_INVALID);
    assert_non_null(strstr(d.text, "more than 5 times"));
    web_close(&w);
}

static void get_of_fifty_megabytes_is_given_up_at_the_limit(void **state)
{
    (void)state;
    const char *const answers[] = {OK_HEAD "\r\n"};
    struct http_reply r;
    struct diag d = {""};
    struct web w;
    web_open(&w, answers, 1);
    w.flood_bytes = 50u << 20;
    assert_int_equal(get(&w, 1u << 20, WAIT_MS, &r, &d), ERR_TOO_BIG);
    web_close(&w);
    assert_true(w.flooded_bytes < 50u << 20);
}

static void get_from_this_machine_asks_no_proxy(void **state)
{
    (void)state;
    const char *const answers[] = {OK_HEAD "Content-Length: 2\r\n\r\nok"};
    struct web w;
    struct http_reply r;
    struct diag d = {""};
    web_open(&w, answers, 1);
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(get(&w, 10, WAIT_MS, &r, &d), ERR_OK);
    assert_string_equal(r.body, "ok");
    http_reply_deinit(&r);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    web_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_gives_body_and_status_whatever_it_is),
        cmocka_unit_test(get_stops_at_the_limit_of_the_body),
        cmocka_unit_test(get_ends_at_its_time),
        cmocka_unit_test(get_from_nobody_says_closed),
        cmocka_unit_test(get_speaks_http_only),
        cmocka_unit_test(get_is_led_on_within_the_place_only),
        cmocka_unit_test(get_is_led_on_five_times_at_most),
        cmocka_unit_test(get_of_fifty_megabytes_is_given_up_at_the_limit),
        cmocka_unit_test(get_from_this_machine_asks_no_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
