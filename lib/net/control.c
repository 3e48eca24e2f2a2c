// One question, one answer, one deadline. A ZeroMQ socket would wait for a collector that isn't there, so the
// socket file is tried first, and a connection lost on the way ends the wait at once.
#include "net/control.h"
#include "base/clock.h"
#include "net/local.h"
#include "net/mq.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDPOINT_TEXT 512

static enum err not_running(const char *state, struct diag *d)
{
    return diag_fail(d, ERR_CLOSED, "no collector is running on %s: start it with `esep-collector run`",
                     state);
}

static enum err probe(const char *state, const char *endpoint, struct diag *d)
{
    struct sockaddr_un address;
    enum err e = local_address(endpoint, &address, d);
    if (e == ERR_OK)
        e = local_probe(&address, d);
    if (e == ERR_DENIED)
        return diag_fail(d, e, "%s: this user may not speak to the collector: join the group of that file",
                         address.sun_path);
    return e == ERR_NOT_FOUND || e == ERR_CLOSED ? not_running(state, d) : e;
}

static enum err take_reply(const struct mq_message *m, char **reply, struct diag *d)
{
    if (m->len == 0 || memchr(m->bytes, 0, m->len))
        return diag_fail(d, ERR_INVALID, "the collector's answer is not JSON text");
    char *text = malloc(m->len + 1);
    if (!text)
        return diag_fail(d, ERR_NOMEM, "no memory for the collector's answer of %zu bytes", m->len);
    memcpy(text, m->bytes, m->len);
    text[m->len] = '\0';
    *reply = text;
    return ERR_OK;
}

// Sends once the connection is up, then waits for the answer.
static enum err ask(struct mq_socket *s, const char *request, int timeout_ms, struct mq_message *answer,
                    struct diag *d)
{
    const struct clock *clock = clock_system();
    struct mono start = clock_mono(clock);
    bool sent = false;
    for (;;) {
        struct mq_events events;
        enum err e = sent ? mq_receive(s, answer) : mq_send(s, NULL, request, strlen(request));
        if (sent && e == ERR_OK)
            return ERR_OK;
        if (e != ERR_OK && e != ERR_AGAIN)
            return diag_fail(d, e, "asking the collector: %s", err_text(e));
        sent = sent || e == ERR_OK;
        mq_events(s, &events);
        if (events.disconnected > 0)
            return diag_fail(d, ERR_CLOSED, "the collector stopped before it answered");
        int64_t left_ms = timeout_ms - mono_diff_ms(clock_mono(clock), start);
        if (left_ms <= 0)
            return diag_fail(d, ERR_TIMEOUT, "the collector did not answer within %d ms", timeout_ms);
        struct mq_poll_item item = {.socket = s, .want_write = !sent};
        e = mq_poll(&item, 1, (int)left_ms);
        if (e != ERR_OK && e != ERR_AGAIN)
            return diag_fail(d, e, "waiting for the collector: %s", err_text(e));
    }
}

enum err control_call(const char *state, const char *request, int timeout_ms, char **reply, struct diag *d)
{
    char endpoint[ENDPOINT_TEXT];
    int len = snprintf(endpoint, sizeof(endpoint), "ipc://%s/control", state);
    if (len < 0 || (size_t)len >= sizeof(endpoint))
        return diag_fail(d, ERR_TOO_BIG,
                         "the state folder's path is too long for a socket: choose a shorter one");
    enum err e = probe(state, endpoint, d);
    if (e != ERR_OK)
        return e;
    struct mq *mq = NULL;
    struct mq_socket *s = NULL;
    struct mq_message answer;
    e = mq_create(&mq, d);
    if (e == ERR_OK)
        e = mq_request_connect(mq, endpoint, &s, d);
    if (e == ERR_OK)
        e = ask(s, request, timeout_ms, &answer, d);
    if (e == ERR_OK)
        e = take_reply(&answer, reply, d);
    mq_close(s);
    mq_destroy(mq);
    return e;
}
