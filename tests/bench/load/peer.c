#include "tests/bench/load/peer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELLO_AGAIN_MS = 5000, SILENT_MS = 10000, AT_ONCE = 64 };

enum err peer_tools_init(struct peer_tools *t)
{
    *t = (struct peer_tools){0};
    buf_init(&t->message, WIRE_MESSAGE_MAX_BYTES);
    enum err e = wire_builder_create(&t->builder);
    return e == ERR_OK ? wire_arena_create(&t->arena) : e;
}

void peer_tools_deinit(struct peer_tools *t)
{
    wire_builder_destroy(t->builder);
    wire_arena_destroy(t->arena);
    buf_deinit(&t->message);
}

enum err peer_connect(struct peer *p, struct mq *mq, const struct mq_dealer_options *o, struct diag *d)
{
    if (!(p->window = calloc(PEER_WINDOW, sizeof *p->window)))
        return diag_fail(d, ERR_NOMEM, "out of memory");
    crypto_random(p->incarnation.bytes, sizeof p->incarnation.bytes);
    return mq_dealer_connect(mq, o, &p->socket, d);
}

void peer_close(struct peer *p)
{
    mq_close(p->socket);
    free(p->window);
    p->socket = NULL;
    p->window = NULL;
}

// ---- what goes out
static enum err send_message(struct peer *p, struct peer_tools *t, const struct wire_message *m)
{
    buf_reset(&t->message);
    enum err e = wire_encode(m, &t->message);
    return e == ERR_OK ? mq_send(p->socket, NULL, t->message.data, t->message.len) : e;
}

static enum err say_hello(struct peer *p, struct peer_tools *t)
{
    const struct wire_message m = {.type = WIRE_HELLO,
                                   .hello = {.protocol = WIRE_PROTOCOL,
                                             .version = "load",
                                             .clock_us = clock_wall(clock_system()).us,
                                             .incarnation = p->incarnation,
                                             .declares = p->figures.series,
                                             .first_kept = p->most > 0,
                                             .last_written = p->most,
                                             .last_acknowledged = p->receipt.position ? p->acked : 0,
                                             .last_receipt = p->receipt}};
    p->asked = clock_mono(clock_system());
    p->welcomed = false;
    return send_message(p, t, &m);
}

static enum err declare_next(struct peer *p, struct peer_tools *t)
{
    char name[FIGURES_NAME];
    struct wire_message m = {.type = WIRE_DECLARE};
    figures_declare(&p->figures, p->declared, name, &m.declare);
    m.declare.incarnation = p->incarnation;
    enum err e = send_message(p, t, &m);
    p->declared += e == ERR_OK;
    return e;
}

static enum err batch_next(struct peer *p, struct peer_tools *t)
{
    const uint64_t sequence = p->sent + 1;
    buf_reset(&t->message);
    enum err e = figures_batch(&p->figures, t->builder, &p->incarnation, sequence, &t->message);
    if (e == ERR_OK)
        e = mq_send(p->socket, NULL, t->message.data, t->message.len);
    if (e != ERR_OK)
        return e;
    p->window[sequence % PEER_WINDOW] =
        (struct peer_sent){(uint32_t)t->message.len, sequence > p->most ? clock_mono(clock_system()).us : 0};
    p->sent = sequence;
    p->most = sequence > p->most ? sequence : p->most;
    p->in_flight += t->message.len;
    p->bytes += t->message.len;
    return ERR_OK;
}

static bool may_send(const struct peer *p)
{
    return p->welcomed && p->sent < p->made && p->sent - p->acked < PEER_WINDOW && p->credit > 0 &&
           (p->in_flight == 0 || p->in_flight + WIRE_MESSAGE_MAX_BYTES <= p->credit);
}

bool peer_wants_write(const struct peer *p)
{
    return p->blocked;
}

static enum err send_what_may_go(struct peer *p, struct peer_tools *t)
{
    enum err e = ERR_OK;
    for (int i = 0; i < AT_ONCE && e == ERR_OK && p->welcomed; i++) {
        if (p->declared < p->figures.series)
            e = declare_next(p, t);
        else if (may_send(p))
            e = batch_next(p, t);
        else
            break;
    }
    p->blocked = e == ERR_AGAIN;
    return e == ERR_AGAIN || e == ERR_CLOSED ? ERR_OK : e;
}

// ---- what comes back
static void acknowledged(struct peer *p, struct peer_tools *t, uint64_t sequence)
{
    const int64_t now_us = clock_mono(clock_system()).us;
    for (; p->acked < sequence && p->acked < p->sent; p->acked++) {
        const struct peer_sent *s = &p->window[(p->acked + 1) % PEER_WINDOW];
        p->in_flight -= s->bytes;
        if (s->at_us)
            delays_add(&t->delays, now_us - s->at_us);
    }
    if (sequence > p->acked) // its acknowledgement was lost, and what came after the Hello says it
        p->acked = p->sent = sequence;
    p->heard.us = now_us;
}

static void take_welcome(struct peer *p, struct peer_tools *t, const struct wire_welcome *w)
{
    acknowledged(p, t, w->last_sequence);
    p->sent = w->last_sequence; // the rest is made and sent again
    p->in_flight = 0;
    p->welcomed = true;
    p->declared = w->declares_known;
    p->credit = w->credit_bytes;
}

static void take_message(struct peer *p, struct peer_tools *t, const struct wire_message *m)
{
    switch (m->type) {
    case WIRE_WELCOME:
        take_welcome(p, t, &m->welcome);
        break;
    case WIRE_ACK:
        if (!p->welcomed)
            break; // of before the Hello: the Welcome says it too
        acknowledged(p, t, m->ack.sequence);
        p->credit = m->ack.credit_bytes;
        p->receipt = m->ack.receipt;
        break;
    case WIRE_NEED_DECLARE:
        p->declared = m->need_declare_from < p->declared ? m->need_declare_from : p->declared;
        break;
    case WIRE_REJECT:
        p->refused += m->reject.whole ? p->figures.samples : m->reject.count;
        snprintf(p->trouble, sizeof p->trouble, "samples refused: %s",
                 wire_reason_text(m->reject.whole ? m->reject.whole_reason : m->reject.refusals[0].reason));
        break;
    case WIRE_REFUSE:
        p->welcomed = false; // Hello again when it is due
        if (m->refuse.reason == WIRE_REFUSE_HELLO_FIRST)
            break; // it has waited so long between two turns that it was forgotten
        p->refused++;
        snprintf(p->trouble, sizeof p->trouble, "%.100s", m->refuse.text);
        break;
    default:
        break;
    }
}

static enum err take_all(struct peer *p, struct peer_tools *t, struct diag *d)
{
    struct mq_message in;
    enum err e = ERR_OK;
    while ((e = mq_receive(p->socket, &in)) == ERR_OK) {
        struct wire_message m;
        if (wire_decode(t->arena, in.bytes, in.len, &m, d) != ERR_OK)
            return diag_fail(d, ERR_CORRUPT, "the collector's message does not decode");
        take_message(p, t, &m);
    }
    return e == ERR_AGAIN || e == ERR_INVALID ? ERR_OK : e;
}

enum err peer_step(struct peer *p, struct peer_tools *t, struct diag *d)
{
    enum err e = take_all(p, t, d);
    if (e != ERR_OK)
        return e;
    struct mq_events events;
    mq_events(p->socket, &events);
    const struct mono now = clock_mono(clock_system());
    const bool again = events.up && !p->up,
               late = !p->welcomed && mono_diff_ms(now, p->asked) > HELLO_AGAIN_MS,
               silent = p->welcomed && p->in_flight > 0 && mono_diff_ms(now, p->heard) > SILENT_MS &&
                        mono_diff_ms(now, p->asked) > SILENT_MS;
    p->up = events.up;
    if (!p->up)
        return ERR_OK;
    if (again || late || silent) {
        e = say_hello(p, t);
        if (e == ERR_AGAIN)
            p->up = false; // again, then
        return e == ERR_AGAIN || e == ERR_CLOSED ? ERR_OK : e;
    }
    return send_what_may_go(p, t);
}
