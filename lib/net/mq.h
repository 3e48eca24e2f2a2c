// All ZeroMQ. One context a process; a socket belongs to one thread. Options follow the limits of
// libzmq 4.3.4 as noted in lib/net/README.md (message size, water marks, keepalive, handshake time, linger).
#ifndef ESEP_NET_MQ_H
#define ESEP_NET_MQ_H

#include "base/crypto.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mq; // a context
struct mq_socket;

// UNSUPPORTED when libzmq was built without CURVE.
enum err mq_create(struct mq **out, struct diag *d) MUST_USE;
// Waits for nothing: every socket must be closed before.
void mq_destroy(struct mq *mq);
void mq_close(struct mq_socket *s);

// The collector's side. Refuses (DENIED) unless a ZAP handler answers on this context: without one CURVE lets
// all in.
struct mq_router_options {
    const char *endpoint; // "tcp://127.0.0.1:5670"; port 0 or "*": any free one, see mq_endpoint
    uint8_t secret_key[KEY_BYTES];
    size_t max_message_bytes;
};
enum err mq_router_bind(struct mq *mq, const struct mq_router_options *o, struct mq_socket **out,
                        struct diag *d) MUST_USE;

// The agent's side. Connecting is asynchronous and retried for ever (0.5 s to 8 s).
struct mq_dealer_options {
    const char *endpoint;
    uint8_t server_key[KEY_BYTES];
    uint8_t public_key[KEY_BYTES];
    uint8_t secret_key[KEY_BYTES];
    size_t max_message_bytes;
    int queued; // messages that wait to be sent; 0: four
};
enum err mq_dealer_connect(struct mq *mq, const struct mq_dealer_options *o, struct mq_socket **out,
                           struct diag *d) MUST_USE;

// A local request socket pair for commands (ipc://…/control): REP serves, REQ asks.
enum err mq_reply_bind(struct mq *mq, const char *endpoint, struct mq_socket **out, struct diag *d) MUST_USE;
enum err mq_request_connect(struct mq *mq, const char *endpoint, struct mq_socket **out,
                            struct diag *d) MUST_USE;

// The endpoint really bound, e.g. "tcp://127.0.0.1:40213".
const char *mq_endpoint(const struct mq_socket *s);

struct mq_peer { // a ROUTER's address of a peer
    uint8_t id[16];
    uint8_t len; // 0: not a ROUTER's
};

struct mq_message {
    struct mq_peer peer;
    char token[64]; // what the ZAP handler said of the peer (its User-Id), read from the payload frame; "" if
                    // none
    char address[64]; // of the connection, as libzmq states it: a host, or "localhost:uid:gid:pid" of a local
                      // one
    int fd;           // of the connection it came by, for mq_shut; -1: not known
    void *bytes;      // borrowed, until the next receive on this socket
    size_t len;
};
// AGAIN when nothing waits. INVALID: not a single-frame message, or of a peer that chose its routing id (len
// 0); dropped whole; of *out only who sent it is set: count it.
enum err mq_receive(struct mq_socket *s, struct mq_message *out) MUST_USE;
// Never blocks: AGAIN when the peer's queue is full, CLOSED when the peer has gone. peer is NULL but for a
// ROUTER.
enum err mq_send(struct mq_socket *s, const struct mq_peer *peer, const void *bytes, size_t len) MUST_USE;

// Shuts the connection that a message came by; the peer's socket connects anew and is asked for its key
// again. The descriptor may be another connection's by now, which then has to connect anew as well, and loses
// nothing by it.
void mq_shut(int fd);

struct mq_poll_item {
    struct mq_socket *socket; // or NULL and fd
    int fd;
    bool want_write;         // socket only
    bool readable, writable; // results
};
// ERR_OK also when nothing happened within timeout_ms; AGAIN when interrupted by a signal.
enum err mq_poll(struct mq_poll_item *items, int count, int timeout_ms) MUST_USE;

enum mq_failure {         // of a handshake
    MQ_FAILED_MECHANISM,  // NULL, PLAIN, GSSAPI
    MQ_FAILED_KEY,        // another server's key, or a key that the peer does not hold
    MQ_FAILED_PROTOCOL,   // malformed, or out of order
    MQ_FAILED_UNFINISHED, // hung up, or too slow
    // ZMTP 1.0 and 2.0: libzmq hangs up without an event. Never too many; all of them once nobody has knocked
    // for some seconds.
    MQ_FAILED_OLD,
    MQ_FAILURES
};

// Connection events since the last call, from the socket's monitor (opened with the socket).
struct mq_events {
    uint64_t connected, disconnected, handshake_failed, accept_failed;
    // A ROUTER: of handshake_failed those that its ZAP handler knows nothing of; and MQ_FAILED_OLD.
    uint64_t failed_by[MQ_FAILURES];
    uint64_t accept_paused; // a ROUTER: it stopped listening, because descriptors ran short; listens again by
                            // itself
    bool up;                // a DEALER: handshake done and not lost since
    bool refused; // a DEALER: the last answer was that this key is not admitted; asked again after 0.5 s to 8
                  // s
};
void mq_events(struct mq_socket *s, struct mq_events *out); // totals since the socket was opened

#endif
