// Nobody is known here, so nothing is believed but the key that CURVE has proven and the secret that only the
// invited one can have: 128 random bits, looked up by their hash, so that neither guessing nor timing helps.
#include "collector/door.h"
#include "base/log.h"
#include "collector/quiet.h"
#include "wire/codec.h"
#include "wire/invite.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct door {
    struct door_options o;
    struct wire_arena *arena;
    struct buf reply;
    size_t pending;
    int64_t tokens_milli; // questions that may come now, in thousandths
    struct mono filled;
    struct mono opened;
    _Atomic unsigned handshakes; // since it was opened
    struct quiet odd;
};

enum err door_create(const struct door_options *o, struct door **out)
{
    struct door *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    d->o = *o;
    d->tokens_milli = DOOR_BURST * 1000;
    d->filled = d->opened = clock_mono(o->clock);
    atomic_init(&d->handshakes, 0);
    buf_init(&d->reply, WIRE_MESSAGE_MAX_BYTES);
    enum err e = wire_arena_create(&d->arena);
    if (e == ERR_OK)
        *out = d;
    else
        door_destroy(d);
    return e;
}

void door_destroy(struct door *d)
{
    if (!d)
        return;
    wire_arena_destroy(d->arena);
    buf_deinit(&d->reply);
    free(d);
}

// ---- who gets in --------------------------------------------------------------------------------
bool door_decide(void *ctx, const uint8_t public_key[KEY_BYTES], char token[64])
{
    struct door *d = ctx;
    if (atomic_fetch_add(&d->handshakes, 1) >= DOOR_HANDSHAKES_MAX) {
        collector_count(d->o.counters, COUNTER_DOOR_FULL, 1);
        return false;
    }
    collector_count(d->o.counters, COUNTER_DOOR_HANDSHAKES, 1);
    crypto_key_text(public_key, token);
    return true;
}

bool door_wants_reopening(const struct door *d)
{
    return atomic_load(&d->handshakes) >= DOOR_HANDSHAKES_MAX &&
           mono_diff_ms(clock_mono(d->o.clock), d->opened) >= DOOR_FULL_MS;
}

void door_opened(struct door *d)
{
    d->opened = clock_mono(d->o.clock);
    atomic_store(&d->handshakes, 0);
}

// ---- answers ------------------------------------------------------------------------------------
static void send_message(struct door *d, const struct mq_peer *peer, const struct wire_message *m)
{
    buf_reset(&d->reply);
    if (wire_encode(m, &d->reply) != ERR_OK ||
        d->o.send(d->o.send_ctx, peer, d->reply.data, d->reply.len) != ERR_OK)
        collector_count(d->o.counters, COUNTER_REPLIES_DROPPED, 1);
}

static void refuse(struct door *d, const struct mq_peer *peer, enum wire_refuse_reason reason,
                   const char *text)
{
    char bounded[WIRE_REASON_MAX + 1] = "";
    memcpy(bounded, text, strnlen(text, WIRE_REASON_MAX)); // ASCII, all of it ours
    const struct wire_message m = {.type = WIRE_REFUSE, .refuse = {.reason = reason, .text = bounded}};
    send_message(d, peer, &m);
}

static void malformed(struct door *d, const struct mq_message *m, const char *text)
{
    collector_count(d->o.counters, COUNTER_ENROLMENTS_MALFORMED, 1);
    if (quiet_may_say(&d->odd, d->o.clock))
        log_warn("door_malformed", F_INT("bytes", m->len), F_TEXT("reason", text));
    refuse(d, &m->peer, WIRE_REFUSE_BAD_MESSAGE, "only Enrol is understood here");
}

// ---- questions ----------------------------------------------------------------------------------
static bool take_token(struct door *d)
{
    struct mono now = clock_mono(d->o.clock);
    d->tokens_milli += mono_diff_ms(now, d->filled) * DOOR_PER_S;
    d->filled = now;
    if (d->tokens_milli > DOOR_BURST * 1000)
        d->tokens_milli = DOOR_BURST * 1000;
    if (d->tokens_milli < 1000)
        return false;
    d->tokens_milli -= 1000;
    return true;
}

static enum err hand_over(struct door *d, const struct mq_message *m, const uint8_t secret[WIRE_SECRET_BYTES],
                          struct item **item)
{
    struct item *made = item_create(ITEM_ENROL, d->o.reply_to);
    if (!made)
        return ERR_NOMEM;
    struct enrolment *e = &made->admin->enrolment;
    e->peer = m->peer;
    memcpy(e->address, m->address, sizeof e->address);
    invite_hash(secret, e->secret_hash);
    if (crypto_key_parse(m->token, e->key) !=
        ERR_OK) { // not from door_decide: a bug, and nobody gets in by it
        item_destroy(made);
        return ERR_INTERNAL;
    }
    d->pending++;
    *item = made;
    return ERR_OK;
}

enum err door_receive(struct door *d, const struct mq_message *m, struct item **item)
{
    struct wire_message w;
    struct diag why = {""};
    *item = NULL;
    if (!take_token(d) || d->pending >= DOOR_PENDING_MAX) {
        collector_count(d->o.counters, COUNTER_ENROLMENTS_DROPPED, 1);
        return ERR_OK;
    }
    enum err e = m->len > DOOR_MESSAGE_MAX_BYTES ? diag_fail(&why, ERR_TOO_BIG, "too long")
                                                 : wire_decode(d->arena, m->bytes, m->len, &w, &why);
    if (e == ERR_NOMEM)
        return e;
    if (e != ERR_OK || w.type != WIRE_ENROL) {
        malformed(d, m, e == ERR_OK ? wire_type_name(w.type) : why.text);
        return ERR_OK;
    }
    if (w.enrol.protocol != WIRE_PROTOCOL) {
        collector_count(d->o.counters, COUNTER_ENROLMENTS_MALFORMED, 1);
        refuse(d, &m->peer, WIRE_REFUSE_BAD_PROTOCOL, "this collector speaks protocol 1");
        return ERR_OK;
    }
    e = hand_over(d, m, w.enrol.secret, item);
    crypto_wipe(w.enrol.secret, sizeof w.enrol.secret);
    crypto_wipe(m->bytes, m->len);
    return e;
}

void door_finish(struct door *d, struct item *item)
{
    const struct item_admin *a = item->admin;
    const struct enrolment *e = &a->enrolment;
    d->pending--;
    if (a->result != ERR_OK) {
        refuse(d, &e->peer, WIRE_REFUSE_UNAVAILABLE, "the collector can't store this now: try later");
    } else if (e->refuse != WIRE_REFUSE_NONE) {
        refuse(d, &e->peer, e->refuse, a->diag.text);
    } else {
        const struct wire_message m = {.type = WIRE_ENROLLED,
                                       .enrolled = {.resident = a->agent.resident,
                                                    .endpoint = d->o.endpoint,
                                                    .clock_us = clock_wall(d->o.clock).us}};
        send_message(d, &e->peer, &m);
    }
    item_destroy(item);
}
