// All sockets of ZeroMQ, with the options that keep a collector alive among thousands of peers it does not
// trust: every queue, message and wait has a bound, and every option is checked (libzmq refuses unknown or
// unsuitable ones quietly).
#include "net/local.h"
#include "net/mq_internal.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <zmq.h>

#define ENVELOPE_BYTES        1024 // what CURVE and framing may add to the largest message
#define CONTROL_MESSAGE_BYTES (4 << 20)
#define CONTROL_SOCKET_MODE   0660
#define ENDPOINT_TEXT         256
#define POLL_ITEMS_MAX        256
// One message a peer. libzmq puts the ZAP handler's User-Id into the same pipe and never counts it as read
// (4.3.4, pipe.cpp), so of two only one is left, and of one none: with 1 nothing would ever be heard.
#define ROUTER_RCVHWM 2
#define DEALER_SNDHWM 4
#define AUTO_ID_BYTES 5 // libzmq's own routing ids: a zero byte and a number

struct mq_socket {
    struct mq *mq;
    int type;
    void *socket;
    struct mq_monitor monitor;
    size_t max_message_bytes;
    zmq_msg_t payload; // what mq_message.bytes points into
    char endpoint[ENDPOINT_TEXT];
};

// ---- options

struct option {
    int name, value;
};

static enum err set_options(void *socket, const struct option *options, size_t count, struct diag *d)
{
    for (size_t i = 0; i < count; i++)
        if (zmq_setsockopt(socket, options[i].name, &options[i].value, sizeof(int)) != 0)
            return diag_fail(d, ERR_UNSUPPORTED, "ZeroMQ option %d = %d: %s", options[i].name,
                             options[i].value, zmq_strerror(errno));
    return ERR_OK;
}

static enum err set_bytes(void *socket, int name, const void *bytes, size_t len, struct diag *d)
{
    if (zmq_setsockopt(socket, name, bytes, len) == 0)
        return ERR_OK;
    return diag_fail(d, ERR_UNSUPPORTED, "ZeroMQ option %d: %s", name, zmq_strerror(errno));
}

#define SET_OPTIONS(socket, list, d) set_options((socket), (list), sizeof(list) / sizeof(*(list)), (d))

static enum err set_max_message(struct mq_socket *s, size_t bytes, struct diag *d)
{
    s->max_message_bytes = bytes;
    int64_t limit = (int64_t)bytes + ENVELOPE_BYTES;
    return set_bytes(s->socket, ZMQ_MAXMSGSIZE, &limit, sizeof(limit), d);
}

// What every connection over a network has: a bounded handshake, and the kernel's own means of finding a
// half-open one within 20 s. Not ZMTP's heartbeats: in libzmq 4.3.4 their timer, or a PING, aborts the
// process when the connection breaks while its input waits for us to read ("Assertion failed: !_io_error").
static enum err set_tcp(struct mq_socket *s, const char *endpoint, size_t max_message_bytes, struct diag *d)
{
    static const struct option list[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_HANDSHAKE_IVL, 5000},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, 5},
        {ZMQ_TCP_KEEPALIVE_INTVL, 5},
        {ZMQ_TCP_KEEPALIVE_CNT, 3},
        {ZMQ_TCP_MAXRT, 20000},
    };
    enum err e = SET_OPTIONS(s->socket, list, d);
    if (e == ERR_OK &&
        strchr(endpoint, '[')) { // only then: a name with both kinds of address is tried once, as IPv6
        const struct option ipv6[] = {{ZMQ_IPV6, 1}};
        e = SET_OPTIONS(s->socket, ipv6, d);
    }
    return e == ERR_OK ? set_max_message(s, max_message_bytes, d) : e;
}

// ---- opening and closing

static enum err open_socket(struct mq *mq, int type, struct mq_socket **out, struct diag *d)
{
    struct mq_socket *s = calloc(1, sizeof(*s));
    if (!s)
        return diag_fail(d, ERR_NOMEM, "no memory for a socket");
    s->mq = mq;
    s->type = type;
    zmq_msg_init(&s->payload);
    atomic_fetch_add(&mq->open_sockets, 1);
    s->socket = zmq_socket(mq->context, type);
    enum err e = s->socket ? mq_monitor_open(&s->monitor, mq, s->socket, d)
                           : mq_errno(d, errno, "opening", "a socket");
    if (e != ERR_OK) {
        mq_close(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

void mq_close(struct mq_socket *s)
{
    if (!s)
        return;
    mq_monitor_close(&s->monitor);
    if (s->socket)
        zmq_close(s->socket);
    zmq_msg_close(&s->payload);
    atomic_fetch_sub(&s->mq->open_sockets, 1);
    free(s);
}

// libzmq takes a port of any size and cuts it to 16 bits.
static enum err check_tcp(const char *endpoint, bool bind, struct diag *d)
{
    const char *colon = strrchr(endpoint, ':');
    bool any = colon && bind && strcmp(colon, ":*") == 0;
    char *end = NULL;
    unsigned long port = colon && isdigit((unsigned char)colon[1]) ? strtoul(colon + 1, &end, 10) : ULONG_MAX;
    bool number = port <= UINT16_MAX && *end == '\0' && (bind || port > 0);
    if (strncmp(endpoint, "tcp://", 6) == 0 && colon > endpoint + 6 && (any || number))
        return ERR_OK;
    return diag_fail(d, ERR_INVALID, "endpoint %s: write it as tcp://address:port with a port up to 65535",
                     endpoint);
}

// Binds (or connects) and remembers where; on failure the socket is closed.
static enum err attach(struct mq_socket *s, const char *endpoint, bool bind, struct mq_socket **out,
                       struct diag *d)
{
    enum err e = ERR_OK;
    size_t size = sizeof(s->endpoint);
    if (strlen(endpoint) >= sizeof(s->endpoint))
        e = diag_fail(d, ERR_TOO_BIG, "endpoint of %zu characters: the limit is %d", strlen(endpoint),
                      ENDPOINT_TEXT - 1);
    else if ((bind ? zmq_bind(s->socket, endpoint) : zmq_connect(s->socket, endpoint)) != 0)
        e = mq_errno(d, errno, bind ? "listening on" : "connecting to", endpoint);
    else if (zmq_getsockopt(s->socket, ZMQ_LAST_ENDPOINT, s->endpoint, &size) != 0)
        e = mq_errno(d, errno, "asking for the address of", endpoint);
    if (e == ERR_OK)
        *out = s;
    else
        mq_close(s);
    return e;
}

static enum err fail_open(struct mq_socket *s, enum err e)
{
    mq_close(s);
    return e;
}

enum err mq_router_bind(struct mq *mq, const struct mq_router_options *o, struct mq_socket **out,
                        struct diag *d)
{
    if (!atomic_load(&mq->zap_answering))
        return diag_fail(
            d, ERR_DENIED,
            "listening on %s: refused, because no ZAP handler answers and every key would get in",
            o->endpoint);
    struct mq_socket *s;
    enum err e = check_tcp(o->endpoint, true, d);
    if (e == ERR_OK)
        e = open_socket(mq, ZMQ_ROUTER, &s, d);
    if (e != ERR_OK)
        return e;
    const struct option list[] = {
        {ZMQ_RCVHWM, ROUTER_RCVHWM}, // the only bound on what a hostile peer makes us hold
        {ZMQ_SNDHWM, 8},             // acknowledgements; a lost one is asked for again
        {ZMQ_ROUTER_MANDATORY, 1},   // else what can't be sent is dropped in silence
        {ZMQ_BACKLOG, 4096}, // a park's agents that come back at once; the kernel's somaxconn bounds it
        {ZMQ_CURVE_SERVER, 1},
    };
    e = set_tcp(s, o->endpoint, o->max_message_bytes, d);
    if (e == ERR_OK)
        e = SET_OPTIONS(s->socket, list, d);
    if (e == ERR_OK)
        e = set_bytes(s->socket, ZMQ_CURVE_SECRETKEY, o->secret_key, KEY_BYTES, d);
    if (e == ERR_OK)
        e = set_bytes(s->socket, ZMQ_ZAP_DOMAIN, MQ_ZAP_DOMAIN, strlen(MQ_ZAP_DOMAIN), d);
    if (e != ERR_OK)
        return fail_open(s, e);
    if ((e = attach(s, o->endpoint, true, out, d)) == ERR_OK)
        mq_monitor_listens(&s->monitor, s->endpoint);
    return e;
}

enum err mq_dealer_connect(struct mq *mq, const struct mq_dealer_options *o, struct mq_socket **out,
                           struct diag *d)
{
    struct mq_socket *s;
    enum err e = check_tcp(o->endpoint, false, d);
    if (e == ERR_OK)
        e = open_socket(mq, ZMQ_DEALER, &s, d);
    if (e != ERR_OK)
        return e;
    s->monitor.reconnect_to = s->endpoint;
    const struct option list[] = {
        {ZMQ_IMMEDIATE, 1}, // nothing is queued for a collector that is not there
        {ZMQ_SNDHWM, o->queued > 0 ? o->queued : DEALER_SNDHWM},
        {ZMQ_RCVHWM, 16},
        {ZMQ_RECONNECT_IVL, MQ_RECONNECT_MS},
        {ZMQ_RECONNECT_IVL_MAX, MQ_RECONNECT_MAX_MS},
        {ZMQ_CONNECT_TIMEOUT, 5000},
        {ZMQ_HANDSHAKE_IVL, 15000}, // it counts from when the kernel let us in, and thousands may wait there
    };
    e = set_tcp(s, o->endpoint, o->max_message_bytes, d);
    if (e == ERR_OK)
        e = SET_OPTIONS(s->socket, list, d);
    if (e == ERR_OK)
        e = set_bytes(s->socket, ZMQ_CURVE_SERVERKEY, o->server_key, KEY_BYTES, d);
    if (e == ERR_OK)
        e = set_bytes(s->socket, ZMQ_CURVE_PUBLICKEY, o->public_key, KEY_BYTES, d);
    if (e == ERR_OK)
        e = set_bytes(s->socket, ZMQ_CURVE_SECRETKEY, o->secret_key, KEY_BYTES, d);
    return e == ERR_OK ? attach(s, o->endpoint, false, out, d) : fail_open(s, e);
}

// ---- local sockets for commands

// libzmq removes whatever is at the path before it binds: see to it that this is a dead socket's file or
// nothing.
static enum err make_way(const struct sockaddr_un *address, struct diag *d)
{
    enum err e = local_probe(address, d);
    if (e == ERR_OK)
        return diag_fail(d, ERR_EXISTS, "%s: another program listens there", address->sun_path);
    return e == ERR_NOT_FOUND || e == ERR_CLOSED ? ERR_OK : e;
}

enum err mq_reply_bind(struct mq *mq, const char *endpoint, struct mq_socket **out, struct diag *d)
{
    struct sockaddr_un address;
    struct mq_socket *s;
    enum err e = local_address(endpoint, &address, d);
    if (e == ERR_OK)
        e = make_way(&address, d);
    if (e == ERR_OK)
        e = open_socket(mq, ZMQ_REP, &s, d);
    if (e != ERR_OK)
        return e;
    static const struct option list[] = {
        {ZMQ_LINGER, 0}, {ZMQ_RCVHWM, 16}, {ZMQ_SNDHWM, 16}, {ZMQ_HANDSHAKE_IVL, 5000}};
    e = SET_OPTIONS(s->socket, list, d);
    if (e == ERR_OK)
        e = set_max_message(s, CONTROL_MESSAGE_BYTES, d);
    if (e != ERR_OK)
        return fail_open(s, e);
    struct mq_socket *bound;
    e = attach(s, endpoint, true, &bound, d);
    if (e != ERR_OK)
        return e;
    if (chmod(address.sun_path, CONTROL_SOCKET_MODE) != 0)
        return fail_open(bound, diag_errno(d, errno, "permissions of %s", address.sun_path));
    *out = bound;
    return ERR_OK;
}

enum err mq_request_connect(struct mq *mq, const char *endpoint, struct mq_socket **out, struct diag *d)
{
    struct sockaddr_un address;
    struct mq_socket *s;
    enum err e = local_address(endpoint, &address, d);
    if (e == ERR_OK)
        e = open_socket(mq, ZMQ_REQ, &s, d);
    if (e != ERR_OK)
        return e;
    static const struct option list[] = {{ZMQ_LINGER, 0}, {ZMQ_IMMEDIATE, 1}, {ZMQ_HANDSHAKE_IVL, 5000}};
    e = SET_OPTIONS(s->socket, list, d);
    if (e == ERR_OK)
        e = set_max_message(s, CONTROL_MESSAGE_BYTES, d);
    return e == ERR_OK ? attach(s, endpoint, false, out, d) : fail_open(s, e);
}

const char *mq_endpoint(const struct mq_socket *s)
{
    return s->endpoint;
}

// ---- messages

// The next frame into s->payload; *more: the message goes on.
static enum err receive_frame(struct mq_socket *s, bool *more)
{
    zmq_msg_close(&s->payload);
    zmq_msg_init(&s->payload);
    if (zmq_msg_recv(&s->payload, s->socket, ZMQ_DONTWAIT) < 0)
        return errno == EAGAIN || errno == EINTR ? ERR_AGAIN : errno == ETERM ? ERR_CLOSED : ERR_INTERNAL;
    *more = zmq_msg_more(&s->payload);
    return ERR_OK;
}

// A peer that chose its routing id itself is not heard: two with one id would shut each other out.
static bool take_peer(struct mq_socket *s, struct mq_peer *out)
{
    const uint8_t *id = zmq_msg_data(&s->payload);
    size_t len = zmq_msg_size(&s->payload);
    if (len != AUTO_ID_BYTES || id[0] != 0)
        return false;
    memcpy(out->id, id, len);
    out->len = (uint8_t)len;
    return true;
}

static void take_sender(struct mq_socket *s, struct mq_message *out)
{
    const char *token = zmq_msg_gets(&s->payload, "User-Id"); // of the payload: on the id frame it gets lost
    if (token && strlen(token) < sizeof(out->token))
        memcpy(out->token, token, strlen(token) + 1);
    const char *address = zmq_msg_gets(&s->payload, "Peer-Address"); // libzmq's word before the peer's
    if (address)
        snprintf(out->address, sizeof(out->address), "%s", address);
    out->fd = s->type == ZMQ_ROUTER ? zmq_msg_get(&s->payload, ZMQ_SRCFD) : -1;
}

// Reads away the rest of a message that isn't ours. A REP socket must answer all the same before it hears
// another.
static enum err drop_message(struct mq_socket *s, bool more, struct mq_message *out)
{
    enum err e = ERR_OK;
    while (more && e == ERR_OK)
        e = receive_frame(s, &more);
    if (e == ERR_OK)
        take_sender(s, out);
    if (s->type == ZMQ_REP)
        zmq_send(s->socket, "", 0, ZMQ_DONTWAIT);
    return e == ERR_CLOSED ? e : ERR_INVALID;
}

enum err mq_receive(struct mq_socket *s, struct mq_message *out)
{
    mq_monitor_tend(&s->monitor);
    struct mq_message m = {.fd = -1};
    bool more = false;
    enum err e = receive_frame(s, &more);
    if (e != ERR_OK)
        return e;
    *out = m;
    if (s->type == ZMQ_ROUTER) {
        if (!take_peer(s, &m.peer) || !more)
            return drop_message(s, more, out);
        e = receive_frame(s, &more);
        if (e != ERR_OK)
            return e == ERR_AGAIN ? ERR_INVALID : e;
    }
    if (more || zmq_msg_size(&s->payload) > s->max_message_bytes + ENVELOPE_BYTES) {
        out->peer = m.peer;
        return drop_message(s, more, out);
    }
    take_sender(s, &m);
    m.bytes = zmq_msg_data(&s->payload);
    m.len = zmq_msg_size(&s->payload);
    *out = m;
    return ERR_OK;
}

static enum err send_errno(void)
{
    switch (errno) {
    case EAGAIN:
    case EINTR:
        return ERR_AGAIN;
    case EHOSTUNREACH:
    case ETERM:
        return ERR_CLOSED;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_INTERNAL; // EFSM: a reply that nobody asked for
    }
}

enum err mq_send(struct mq_socket *s, const struct mq_peer *peer, const void *bytes, size_t len)
{
    if (len > s->max_message_bytes)
        return ERR_TOO_BIG;
    if ((s->type == ZMQ_ROUTER) != (peer && peer->len > 0))
        return ERR_INTERNAL;
    if (s->type == ZMQ_ROUTER && zmq_send(s->socket, peer->id, peer->len, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
        return send_errno();
    return zmq_send(s->socket, bytes, len, ZMQ_DONTWAIT) < 0 ? send_errno() : ERR_OK;
}

// libzmq 4.3.4 has no call for it. Only sockets can be shut down, so a descriptor that has become a file is
// safe.
void mq_shut(int fd)
{
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
}

// ---- waiting

enum err mq_poll(struct mq_poll_item *items, int count, int timeout_ms)
{
    zmq_pollitem_t wait[2 * POLL_ITEMS_MAX];
    int waiting = 0;
    if (count < 0 || count > POLL_ITEMS_MAX)
        return ERR_INTERNAL;
    for (int i = 0; i < count; i++) {
        struct mq_socket *s = items[i].socket;
        short events = s && items[i].want_write ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN;
        wait[waiting++] =
            (zmq_pollitem_t){.socket = s ? s->socket : NULL, .fd = s ? 0 : items[i].fd, .events = events};
    }
    for (int i = 0; i < count; i++) {
        if (!items[i].socket)
            continue;
        timeout_ms = mq_monitor_wait_ms(&items[i].socket->monitor, timeout_ms);
        wait[waiting++] = (zmq_pollitem_t){.socket = items[i].socket->monitor.pair, .events = ZMQ_POLLIN};
    }
    int ready = zmq_poll(wait, waiting, timeout_ms);
    if (ready < 0)
        return errno == EINTR ? ERR_AGAIN : errno == ETERM ? ERR_CLOSED : ERR_INTERNAL;
    for (int i = 0; i < count; i++) {
        items[i].readable = wait[i].revents & (ZMQ_POLLIN | ZMQ_POLLERR);
        items[i].writable = wait[i].revents & ZMQ_POLLOUT;
        if (items[i].socket)
            mq_monitor_tend(&items[i].socket->monitor);
    }
    return ERR_OK;
}

// ---- connection events

void mq_events(struct mq_socket *s, struct mq_events *out)
{
    mq_monitor_tend(&s->monitor);
    *out = s->monitor.events;
}
