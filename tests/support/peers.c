// See peers.h.
#include "tests/support/peers.h"
#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(enum err e, const char *what, const struct diag *d)
{
    if (e == ERR_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, err_name(e), d->text);
    abort();
}

static bool let_in(void *ctx, const uint8_t public_key[KEY_BYTES], char token[64])
{
    struct server *s = ctx;
    if (!atomic_load(&s->open_to_all) && memcmp(public_key, s->known.public_key, KEY_BYTES) != 0)
        return false;
    snprintf(token, 64, "%s", s->token);
    return true;
}

void server_open(struct server *s, const char *token)
{
    struct diag d = {""};
    *s = (struct server){.token = token};
    must(crypto_init(), "crypto_init", &d);
    crypto_keypair(s->keys.public_key, s->keys.secret_key);
    crypto_keypair(s->known.public_key, s->known.secret_key);
    must(mq_create(&s->mq, &d), "mq_create", &d);
    must(zap_start(s->mq, let_in, s, &s->zap, &d), "zap_start", &d);
    struct mq_router_options o = {.endpoint = "tcp://127.0.0.1:*", .max_message_bytes = 16384};
    memcpy(o.secret_key, s->keys.secret_key, KEY_BYTES);
    must(mq_router_bind(s->mq, &o, &s->router, &d), "mq_router_bind", &d);
}

void server_close(struct server *s)
{
    mq_close(s->router);
    if (!zap_stop(s->zap))
        abort(); // it hangs
    mq_destroy(s->mq);
}

void client_open(struct client *c, const struct server *s, const struct key_pair *keys)
{
    struct diag d = {""};
    struct mq_dealer_options o = {.endpoint = mq_endpoint(s->router), .max_message_bytes = 16384};
    memcpy(o.server_key, s->keys.public_key, KEY_BYTES);
    memcpy(o.public_key, keys->public_key, KEY_BYTES);
    memcpy(o.secret_key, keys->secret_key, KEY_BYTES);
    must(mq_create(&c->mq, &d), "mq_create", &d);
    must(mq_dealer_connect(c->mq, &o, &c->dealer, &d), "mq_dealer_connect", &d);
}

void client_close(struct client *c)
{
    mq_close(c->dealer);
    mq_destroy(c->mq);
}

bool peers_wait(struct mq_socket *a, struct mq_socket *b, bool (*done)(void *ctx), void *ctx, int timeout_ms)
{
    struct mono start = clock_mono(clock_system());
    bool result;
    while (!(result = done(ctx)) && mono_diff_ms(clock_mono(clock_system()), start) < timeout_ms) {
        struct mq_poll_item items[2];
        int count = 0;
        if (a)
            items[count++] = (struct mq_poll_item){.socket = a};
        if (b)
            items[count++] = (struct mq_poll_item){.socket = b};
        enum err e = mq_poll(items, count, 10);
        if (e != ERR_OK && e != ERR_AGAIN)
            return false;
    }
    return result;
}

struct transfer {
    struct mq_socket *socket;
    struct mq_message *in;
    const void *bytes;
    size_t len;
    enum err result;
};

static bool received(void *ctx)
{
    struct transfer *t = ctx;
    t->result = mq_receive(t->socket, t->in);
    return t->result != ERR_AGAIN;
}

static bool sent(void *ctx)
{
    struct transfer *t = ctx;
    t->result = mq_send(t->socket, NULL, t->bytes, t->len);
    return t->result != ERR_AGAIN;
}

enum err peers_receive(struct mq_socket *s, struct mq_socket *other, struct mq_message *out)
{
    struct transfer t = {.socket = s, .in = out};
    peers_wait(s, other, received, &t, PEERS_WAIT_MS);
    return t.result;
}

enum err peers_send(struct mq_socket *s, struct mq_socket *other, const void *bytes, size_t len)
{
    struct transfer t = {.socket = s, .bytes = bytes, .len = len};
    peers_wait(s, other, sent, &t, PEERS_WAIT_MS);
    return t.result;
}
