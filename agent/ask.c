// A command that asks once and ends: no state beyond the question. What it asks is idempotent, so a lost
// answer costs a second question and nothing else.
#include "agent/ask.h"
#include "agent/uplink_core.h"
#include "base/clock.h"
#include "net/mq.h"
#include "wire/codec.h"
#include <stdlib.h>
#include <string.h>

enum { AGAIN_MS = 1000, POLL_MS = 100 };

struct ask {
    struct mq *mq;
    struct mq_socket *socket;
    struct wire_arena *arena;
    struct buf out;
    char endpoint[WIRE_ENDPOINT_MAX + 1];
    bool later; // it was reached, and said so
};

enum err ask_open(const struct ask_options *o, struct ask **out, struct diag *d)
{
    struct mq_dealer_options m = {.endpoint = o->endpoint, .max_message_bytes = WIRE_MESSAGE_MAX_BYTES};
    struct ask *a = calloc(1, sizeof *a);
    if (!a)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    buf_init(&a->out, WIRE_MESSAGE_MAX_BYTES);
    strncpy(a->endpoint, o->endpoint, sizeof a->endpoint - 1);
    enum err e = crypto_key_file_load(o->key_file, m.secret_key, d);
    if (e == ERR_OK && wire_arena_create(&a->arena) != ERR_OK)
        e = diag_fail(d, ERR_NOMEM, "out of memory");
    if (e == ERR_OK)
        e = mq_create(&a->mq, d);
    if (e == ERR_OK) {
        memcpy(m.server_key, o->server_key, KEY_BYTES);
        crypto_public_key(m.secret_key, m.public_key);
        e = mq_dealer_connect(a->mq, &m, &a->socket, d);
    }
    crypto_wipe(&m, sizeof m);
    if (e == ERR_OK)
        *out = a;
    else
        ask_close(a);
    return e;
}

void ask_close(struct ask *a)
{
    if (!a)
        return;
    mq_close(a->socket);
    mq_destroy(a->mq);
    wire_arena_destroy(a->arena);
    if (a->out.data)
        crypto_wipe(a->out.data, a->out.cap);
    buf_deinit(&a->out);
    free(a);
}

static enum err encode(struct ask *a, const struct wire_message *m, struct diag *d)
{
    buf_reset(&a->out);
    enum err e = wire_encode(m, &a->out);
    return e == ERR_OK ? e : diag_fail(d, ERR_INTERNAL, "the message can't be encoded: %s", err_name(e));
}

// ERR_AGAIN: nothing (of interest) has come.
static enum err take(struct ask *a, enum wire_type wanted, struct wire_message *answer, struct diag *d)
{
    struct mq_message m;
    struct diag odd;
    for (;;) {
        enum err e = mq_receive(a->socket, &m);
        if (e == ERR_INVALID)
            continue;
        if (e != ERR_OK)
            return ERR_AGAIN;
        if (wire_decode(a->arena, m.bytes, m.len, answer, &odd) != ERR_OK)
            continue;
        if (answer->type == wanted)
            return ERR_OK;
        if (answer->type != WIRE_REFUSE)
            continue;
        if (answer->refuse.reason == WIRE_REFUSE_UNAVAILABLE)
            a->later = true;
        else
            return diag_fail(d, ERR_DENIED, "refused (%s): %s; %s",
                             wire_refuse_reason_name(answer->refuse.reason), answer->refuse.text,
                             uplink_refuse_advice(answer->refuse.reason));
    }
}

static enum err give_up(struct ask *a, struct diag *d)
{
    struct mq_events e;
    mq_events(a->socket, &e);
    if (a->later)
        return diag_fail(d, ERR_TIMEOUT, "%s: the collector is busy or has no space: try again in a minute",
                         a->endpoint);
    if (e.refused && !e.up)
        return diag_fail(d, ERR_TIMEOUT, "%s: the collector does not let this key in", a->endpoint);
    if (e.up)
        return diag_fail(d, ERR_TIMEOUT, "%s: reached, but it gives no answer: try again in a minute",
                         a->endpoint);
    return diag_fail(
        d, ERR_TIMEOUT,
        "%s: nobody answers there with the expected key: is the collector running, and is the way "
        "there open (firewall, name, port)?",
        a->endpoint);
}

static void wait_a_little(struct ask *a)
{
    struct mq_poll_item item = {.socket = a->socket};
    (void)!mq_poll(&item, 1, POLL_MS);
}

static bool is_up(struct ask *a)
{
    struct mq_events e;
    mq_events(a->socket, &e);
    return e.up;
}

enum err ask_for(struct ask *a, const struct wire_message *question, enum wire_type wanted, int timeout_ms,
                 struct wire_message *answer, struct diag *d)
{
    const struct clock *clock = clock_system();
    struct mono begun = clock_mono(clock), asked = {0};
    enum err e = encode(a, question, d);
    while (e == ERR_OK) {
        struct mono now = clock_mono(clock);
        bool due = asked.us == 0 || mono_diff_ms(now, asked) >= AGAIN_MS;
        if (is_up(a) && due && mq_send(a->socket, NULL, a->out.data, a->out.len) == ERR_OK)
            asked = now;
        wait_a_little(a);
        e = take(a, wanted, answer, d);
        if (e != ERR_AGAIN)
            break;
        e = mono_diff_ms(now, begun) >= timeout_ms ? give_up(a, d) : ERR_OK;
    }
    if (a->out.data)
        crypto_wipe(a->out.data, a->out.len);
    return e;
}

enum err ask_tell(struct ask *a, const struct wire_message *m, struct diag *d)
{
    enum err e = encode(a, m, d);
    if (e == ERR_OK && mq_send(a->socket, NULL, a->out.data, a->out.len) != ERR_OK)
        e = diag_fail(d, ERR_TIMEOUT, "%s: the connection is gone", a->endpoint);
    return e;
}
