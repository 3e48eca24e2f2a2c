// A collector's and an agent's sockets in one process, and waits that end at a deadline instead of sleeping.
#ifndef ESEP_TESTS_PEERS_H
#define ESEP_TESTS_PEERS_H

#include "net/mq.h"
#include "net/zap.h"
#include <stdatomic.h>

#define PEERS_WAIT_MS 20000 // for what must happen; only a failing test waits that long

struct key_pair {
    uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES];
};

struct server { // lets `known` in as the token
    struct key_pair keys, known;
    const char *token;
    atomic_bool open_to_all;
    struct mq *mq;
    struct zap *zap;
    struct mq_socket *router;
};
// Any failure is the test's.
void server_open(struct server *s, const char *token);
void server_close(struct server *s);

struct client {
    struct mq *mq;
    struct mq_socket *dealer;
};
void client_open(struct client *c, const struct server *s, const struct key_pair *keys);
void client_close(struct client *c);

// Polls both sockets (either may be NULL) until done(ctx) or the deadline; what done said last.
bool peers_wait(struct mq_socket *a, struct mq_socket *b, bool (*done)(void *ctx), void *ctx, int timeout_ms);
// Waits for the next message or for the error that is not AGAIN.
enum err peers_receive(struct mq_socket *s, struct mq_socket *other, struct mq_message *out);
// Sends as soon as the socket takes it.
enum err peers_send(struct mq_socket *s, struct mq_socket *other, const void *bytes, size_t len);

#endif
