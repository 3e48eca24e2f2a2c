// What happens to a socket's connections.
//
// A monitor's messages are sent by libzmq's I/O thread, which would wait for a reader that never comes: they
// are read with every receive and poll, not only when somebody asks.
//
// A DEALER in libzmq 4.3 gives up for ever when the other side refuses its key or breaks the protocol
// (session_base.cpp: only a lost connection is retried). An agent must get in once it is admitted, so here it
// connects anew.
//
// Anybody may open connections, key or none, and each holds a descriptor until its handshake has failed.
// Without one left libzmq spins in accept(), and aborts the process when a local command knocks
// (ipc_listener.cpp lacks EMFILE). So a ROUTER stops listening while a quarter of them is left; who is
// connected stays, who is not is refused and asks again.
#include "net/mq_internal.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#define WATER_MARK    100000 // events that may wait for a loop that is busy
#define ENDPOINT_TEXT 256
#define PAUSE_MS      1000
#define WATCH_MS      15000 // a lost connection that is not back by then is begun anew

enum err mq_monitor_open(struct mq_monitor *m, struct mq *mq, void *watched, struct diag *d)
{
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                       ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED;
    const int linger_ms = 0, water_mark = WATER_MARK;
    char endpoint[64];
    snprintf(endpoint, sizeof(endpoint), "inproc://monitor-%" PRIuFAST64, atomic_fetch_add(&mq->opened, 1));
    if (zmq_socket_monitor(watched, endpoint, events) != 0)
        return mq_errno(d, errno, "opening", endpoint);
    m->watched = watched;
    m->pair = zmq_socket(mq->context, ZMQ_PAIR);
    if (!m->pair || zmq_setsockopt(m->pair, ZMQ_LINGER, &linger_ms, sizeof(linger_ms)) != 0 ||
        zmq_setsockopt(m->pair, ZMQ_RCVHWM, &water_mark, sizeof(water_mark)) != 0 ||
        zmq_connect(m->pair, endpoint) != 0)
        return mq_errno(d, errno, "connecting", endpoint);
    return ERR_OK;
}

void mq_monitor_close(struct mq_monitor *m)
{
    if (m->watched)
        zmq_socket_monitor(m->watched, NULL, 0); // first: nothing is sent to a reader that has gone
    if (m->pair)
        zmq_close(m->pair);
    *m = (struct mq_monitor){0};
}

// ---- connecting anew

static int due_in_ms(const struct mq_monitor *m)
{
    int64_t left_ms = mono_diff_ms(m->retry_at, clock_mono(clock_system()));
    return left_ms > 0 ? (int)left_ms + 1 : 0;
}

static void retry_after(struct mq_monitor *m, int after_ms)
{
    m->retrying = m->reconnect_to != NULL;
    m->retry_at.us = clock_mono(clock_system()).us + after_ms * US_PER_MS;
}

static void retry_later_and_later(struct mq_monitor *m)
{
    int twice = m->retry_ms > 0 ? 2 * m->retry_ms : MQ_RECONNECT_MS;
    m->retry_ms = twice < MQ_RECONNECT_MAX_MS ? twice : MQ_RECONNECT_MAX_MS;
    retry_after(m, m->retry_ms);
}

static void retry_if_due(struct mq_monitor *m)
{
    if (!m->retrying || due_in_ms(m) > 0)
        return;
    m->retrying = false;
    zmq_disconnect(m->watched, m->reconnect_to); // fails when libzmq has forgotten it already
    if (zmq_connect(m->watched, m->reconnect_to) != 0)
        retry_later_and_later(m);
}

// ---- listening

void mq_monitor_listens(struct mq_monitor *m, const char *endpoint)
{
    struct rlimit r;
    rlim_t limit = getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < INT_MAX ? r.rlim_cur : INT_MAX;
    m->fds_enough = (int)(limit - limit / 4);
    m->listen_on = endpoint;
}

static void listen_later(struct mq_monitor *m)
{
    m->listen_at.us = clock_mono(clock_system()).us + PAUSE_MS * US_PER_MS;
}

static void pause_listening(struct mq_monitor *m)
{
    if (!m->listen_on || m->paused || zmq_unbind(m->watched, m->listen_on) != 0)
        return;
    m->paused = true;
    m->events.accept_paused++;
    listen_later(m);
}

// The lowest free descriptor tells how many are taken.
static bool fds_are_short(const struct mq_monitor *m)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd < 0 || fd >= m->fds_enough;
}

static void listen_if_due(struct mq_monitor *m)
{
    if (!m->paused || mono_diff_ms(m->listen_at, clock_mono(clock_system())) > 0)
        return;
    if (!fds_are_short(m) && zmq_bind(m->watched, m->listen_on) == 0)
        m->paused = false;
    else
        listen_later(m);
}

// ---- events

static enum mq_failure failure_of(int32_t protocol_error)
{
    switch (protocol_error) {
    case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
        return MQ_FAILED_MECHANISM;
    case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC:
    case ZMQ_PROTOCOL_ERROR_ZMTP_KEY_EXCHANGE:
        return MQ_FAILED_KEY;
    default:
        return MQ_FAILED_PROTOCOL;
    }
}

static void count_event(struct mq_monitor *m, uint16_t event, int32_t value)
{
    switch (event) {
    case ZMQ_EVENT_ACCEPTED:
        m->accepted++;
        if (value >= m->fds_enough)
            pause_listening(m);
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        m->events.connected++;
        m->events.up = true;
        m->events.refused = false;
        m->retrying = false;
        m->retry_ms = 0;
        break;
    case ZMQ_EVENT_DISCONNECTED:
        m->events.disconnected++;
        m->events.up = false;
        if (!m->retrying)
            retry_after(m, WATCH_MS);
        break;
    case ZMQ_EVENT_ACCEPT_FAILED:
        m->events.accept_failed++;
        pause_listening(m);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        m->events.refused = m->reconnect_to != NULL;
        m->events.handshake_failed++;
        retry_later_and_later(m);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        m->events.handshake_failed++;
        m->events.failed_by[failure_of(value)]++;
        retry_later_and_later(m);
        break;
    default:
        m->events.handshake_failed++;
        m->events.failed_by[MQ_FAILED_UNFINISHED]++;
        break;
    }
}

// ZMTP 1.0 and 2.0 are hung up on without an event that says so (zmtp_engine.cpp), and no event of a
// handshake says whose it is. But each one ends within MQ_SILENT_S: of those accepted before, whatever
// neither succeeded nor failed since then has ended in silence.
static void count_silent(struct mq_monitor *m)
{
    struct mono now = clock_mono(clock_system());
    if (!m->listen_on || mono_diff_ms(now, m->second_at) < 1000)
        return;
    m->second_at = now;
    m->second = (m->second + 1) % MQ_SILENT_S;
    uint64_t before = m->accepted_at[m->second], ended = m->events.connected + m->events.handshake_failed;
    m->accepted_at[m->second] = m->accepted;
    if (before > ended && before - ended > m->events.failed_by[MQ_FAILED_OLD])
        m->events.failed_by[MQ_FAILED_OLD] = before - ended;
}

// As zmq_socket_monitor's manual says: a frame of event (16 bits) and value (32 bits), then a frame with the
// endpoint.
void mq_monitor_tend(struct mq_monitor *m)
{
    uint8_t frame[6];
    char endpoint[ENDPOINT_TEXT];
    while (zmq_recv(m->pair, frame, sizeof(frame), ZMQ_DONTWAIT) == (int)sizeof(frame)) {
        uint16_t event;
        int32_t value; // of ACCEPTED: the descriptor
        memcpy(&event, frame, sizeof(event));
        memcpy(&value, frame + sizeof(event), sizeof(value));
        zmq_recv(m->pair, endpoint, sizeof(endpoint), ZMQ_DONTWAIT);
        count_event(m, event, value);
    }
    count_silent(m);
    retry_if_due(m);
    listen_if_due(m);
}

int mq_monitor_wait_ms(const struct mq_monitor *m, int timeout_ms)
{
    int due_ms = m->retrying ? due_in_ms(m) : m->paused ? PAUSE_MS : timeout_ms;
    return timeout_ms < 0 || due_ms < timeout_ms ? due_ms : timeout_ms;
}
