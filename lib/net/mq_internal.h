// What mq_context.c, mq.c and zap.c share, and nobody else but their tests.
#ifndef ESEP_NET_MQ_INTERNAL_H
#define ESEP_NET_MQ_INTERNAL_H

#include "base/clock.h"
#include "net/mq.h"
#include <stdatomic.h>

struct mq {
    void *context;
    void *zap; // bound from the first handler on, until mq_destroy
    bool zap_lent;
    atomic_bool zap_answering;
    atomic_int open_sockets;
    atomic_uint_fast64_t opened; // numbers the monitors' endpoints
};

// Lends the ZAP socket, bound, to the one handler of the context. EXISTS while it is lent.
enum err mq_zap_lend(struct mq *mq, void **socket, struct diag *d) MUST_USE;
// The handler's thread has ended and touches the socket no more.
void mq_zap_return(struct mq *mq);
// Told by the handler: from now on requests are answered, or no longer.
void mq_zap_answering(struct mq *mq, bool answering);

// The ZAP domain of our ROUTER sockets; a request for any other is refused.
#define MQ_ZAP_DOMAIN "esep"

// zmq_errno → enum err, with "what endpoint: text and advice".
enum err mq_errno(struct diag *d, int errnum, const char *what, const char *endpoint) MUST_USE;

// mq_monitor.c: a socket's connection events, and what follows from them.
#define MQ_RECONNECT_MS     500
#define MQ_RECONNECT_MAX_MS 8000
#define MQ_SILENT_S         8 // longer than a handshake may take
struct mq_monitor {
    void *watched,
        *pair; // libzmq's sockets: the watched one is borrowed, the pair is owned and may be polled
    const char *reconnect_to; // a DEALER's endpoint, borrowed; NULL: never connects anew
    struct mq_events events;
    int retry_ms; // 0, or how long it waited last
    bool retrying;
    struct mono retry_at;
    const char *listen_on; // a ROUTER's endpoint, borrowed, once it listens; NULL: never pauses
    int fds_enough;        // a connection with this descriptor or a higher one is one too many
    // A ROUTER: what was accepted, second by second, for MQ_FAILED_OLD.
    uint64_t accepted, accepted_at[MQ_SILENT_S];
    unsigned second;
    struct mono second_at;
    bool paused;
    struct mono listen_at; // when paused: again then
};
enum err mq_monitor_open(struct mq_monitor *m, struct mq *mq, void *watched, struct diag *d) MUST_USE;
void mq_monitor_close(struct mq_monitor *m); // before the watched socket
// From now on the endpoint (borrowed) is no longer listened on while descriptors run short.
void mq_monitor_listens(struct mq_monitor *m, const char *endpoint);
// Counts what has happened and connects anew when that is due. Cheap; called with every receive and poll.
void mq_monitor_tend(struct mq_monitor *m);
// timeout_ms, or less when something will be due before (negative: no limit).
int mq_monitor_wait_ms(const struct mq_monitor *m, int timeout_ms);

// For tests: every call on the context fails from now on and its threads end, as after a failure inside
// libzmq.
void mq_break(struct mq *mq);
struct zap;
void zap_set_patience(struct zap *z, int64_t ms);

#endif
