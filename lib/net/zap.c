// A thread that answers libzmq's question about each handshake. It trusts nothing in the question but the key
// itself, which CURVE has proven; whatever is odd is refused with a 400. When the thread ends, for whatever
// reason, the socket stays bound (mq_internal.h), so that nobody gets in unasked.
#include "net/zap.h"
#include "base/clock.h"
#include "net/mq_internal.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

// RFC 27: version, request id, domain, address, routing id, mechanism, then the mechanism's credentials.
enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, ROUTING_ID, MECHANISM, CREDENTIALS, FRAMES };
#define FRAME_MAX 255
enum { BEAT_MS = 500, ASKED_ENOUGH = 3, JOIN_MS = 5000 };

struct frame {
    size_t len;
    uint8_t bytes[FRAME_MAX];
};

struct request {
    int count;     // frames that came, also those beyond FRAMES
    bool too_long; // one of them was
    struct frame frames[FRAMES];
};

struct zap {
    struct mq *mq;
    void *socket;
    zap_decide decide;
    void *ctx;
    int stop_fd, ended_fd;
    pthread_t thread;
    atomic_bool alive;
    atomic_uint_fast64_t beats; // of the thread's loop
    uint64_t beats_seen;        // by zap_alive, and since when, asked how often
    struct mono seen_at;
    unsigned asked;
    int64_t patience_ms;
    zap_refused refused;
    void *refused_ctx;
    atomic_uint_fast64_t accepted, refused_key, refused_mechanism, refused_malformed;
};

static bool frame_is(const struct frame *f, const char *text)
{
    return f->len == strlen(text) && memcmp(f->bytes, text, f->len) == 0;
}

// False when the socket is of no use any more.
static bool receive_request(void *socket, struct request *r)
{
    r->count = 0;
    r->too_long = false;
    int more = 1;
    for (size_t more_size = sizeof(more); more; r->count++) {
        struct frame spare;
        struct frame *f = r->count < FRAMES ? &r->frames[r->count] : &spare;
        int len = zmq_recv(socket, f->bytes, sizeof(f->bytes), ZMQ_DONTWAIT);
        if (len < 0 || zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size) != 0)
            return false;
        r->too_long = r->too_long || len > FRAME_MAX;
        f->len = len > FRAME_MAX ? FRAME_MAX : (size_t)len;
    }
    return true;
}

static bool token_valid(const char token[64])
{
    size_t len = strnlen(token, 64);
    if (len == 0 || len == 64)
        return false;
    for (size_t i = 0; i < len; i++)
        if (token[i] < 0x21 || token[i] > 0x7e)
            return false;
    return true;
}

static void tell_refusal(struct zap *z, const struct request *r, enum zap_refusal why)
{
    char address[64] = "";
    const struct frame *f = r->count > ADDRESS ? &r->frames[ADDRESS] : NULL;
    if (!z->refused)
        return;
    if (f && f->len < sizeof(address) && !memchr(f->bytes, 0, f->len))
        memcpy(address, f->bytes, f->len);
    z->refused(z->refused_ctx, why, address, why == ZAP_REFUSED_KEY ? r->frames[CREDENTIALS].bytes : NULL);
}

// True lets the key in. Counts what it decides.
static bool judge(struct zap *z, const struct request *r, char token[64])
{
    const struct frame *f = r->frames;
    if (r->too_long || r->count <= MECHANISM || !frame_is(&f[VERSION], "1.0") ||
        !frame_is(&f[DOMAIN], MQ_ZAP_DOMAIN)) {
        atomic_fetch_add(&z->refused_malformed, 1);
        tell_refusal(z, r, ZAP_REFUSED_MALFORMED);
        return false;
    }
    if (!frame_is(&f[MECHANISM], "CURVE")) {
        atomic_fetch_add(&z->refused_mechanism, 1);
        tell_refusal(z, r, ZAP_REFUSED_MECHANISM);
        return false;
    }
    if (r->count != FRAMES || f[CREDENTIALS].len != KEY_BYTES) {
        atomic_fetch_add(&z->refused_malformed, 1);
        tell_refusal(z, r, ZAP_REFUSED_MALFORMED);
        return false;
    }
    if (!z->decide(z->ctx, f[CREDENTIALS].bytes, token) || !token_valid(token)) {
        atomic_fetch_add(&z->refused_key, 1);
        tell_refusal(z, r, ZAP_REFUSED_KEY);
        return false;
    }
    atomic_fetch_add(&z->accepted, 1);
    return true;
}

static bool send_frame(void *socket, const void *bytes, size_t len, int flags)
{
    return zmq_send(socket, bytes, len, flags | ZMQ_DONTWAIT) >= 0 || errno == EAGAIN;
}

static bool send_reply(void *socket, const struct request *r, bool in, const char *token)
{
    static const struct frame none = {0};
    const struct frame *id = r->count > REQUEST_ID ? &r->frames[REQUEST_ID] : &none;
    const char *code = in ? "200" : "400", *text = in ? "OK" : "not admitted";
    return send_frame(socket, "1.0", 3, ZMQ_SNDMORE) && send_frame(socket, id->bytes, id->len, ZMQ_SNDMORE) &&
           send_frame(socket, code, 3, ZMQ_SNDMORE) && send_frame(socket, text, strlen(text), ZMQ_SNDMORE) &&
           send_frame(socket, token, in ? strlen(token) : 0, ZMQ_SNDMORE) && send_frame(socket, "", 0, 0);
}

// One request, if there is one. False when the handler can't go on.
static bool answer_one(struct zap *z)
{
    struct request r;
    if (!receive_request(z->socket, &r))
        return errno == EAGAIN || errno == EINTR;
    char token[64] = "";
    bool in = judge(z, &r, token);
    return send_reply(z->socket, &r, in, token);
}

static void signal_fd(int eventfd)
{
    const uint64_t one = 1;
    ssize_t written = write(eventfd, &one, sizeof(one)); // can't fail: the counter is at 0
    (void)written;
}

static void *run(void *arg)
{
    struct zap *z = arg;
    zmq_pollitem_t wait[] = {
        {.socket = z->socket, .events = ZMQ_POLLIN},
        {.fd = z->stop_fd, .events = ZMQ_POLLIN},
    };
    for (bool go_on = true; go_on;) {
        int ready = zmq_poll(wait, 2, BEAT_MS);
        atomic_fetch_add(&z->beats, 1);
        if (ready < 0)
            go_on = errno == EINTR;
        else if (wait[1].revents)
            go_on = false;
        else if (wait[0].revents)
            go_on = answer_one(z);
    }
    mq_zap_answering(z->mq, false);
    atomic_store(&z->alive, false);
    signal_fd(z->ended_fd);
    return NULL;
}

// The thread takes no signals: they belong to the program's own loops.
static int start_thread(struct zap *z)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&z->thread, NULL, run, z);
    if (!failed)
        pthread_setname_np(z->thread, "zap");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void free_handler(struct zap *z)
{
    if (z->stop_fd >= 0)
        close(z->stop_fd);
    if (z->ended_fd >= 0)
        close(z->ended_fd);
    free(z);
}

enum err zap_start(struct mq *mq, zap_decide decide, void *ctx, struct zap **out, struct diag *d)
{
    struct zap *z = calloc(1, sizeof(*z));
    if (!z)
        return diag_fail(d, ERR_NOMEM, "no memory for the ZAP handler");
    z->mq = mq;
    z->decide = decide;
    z->ctx = ctx;
    z->patience_ms = ZAP_PATIENCE_MS;
    atomic_init(&z->alive, true);
    atomic_init(&z->beats, 0);
    z->stop_fd = z->ended_fd = -1;
    enum err e = mq_zap_lend(mq, &z->socket, d);
    if (e != ERR_OK)
        goto out;
    z->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    z->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (z->stop_fd < 0 || z->ended_fd < 0)
        e = diag_errno(d, errno, "the ZAP handler's eventfds");
    mq_zap_answering(mq, true); // requests wait in the bound socket until the thread runs
    int failed = e == ERR_OK ? start_thread(z) : 0;
    if (failed)
        e = diag_errno(d, failed, "the ZAP handler's thread");
    if (e != ERR_OK) {
        mq_zap_answering(mq, false);
        mq_zap_return(mq);
    }
out:
    if (e == ERR_OK) {
        *out = z;
    } else {
        free_handler(z);
    }
    return e;
}

// By the monotonic clock: a machine's time may be set forward meanwhile.
static bool has_ended(const struct zap *z)
{
    struct pollfd wait = {.fd = z->ended_fd, .events = POLLIN};
    int ready;
    while ((ready = poll(&wait, 1, JOIN_MS)) < 0 && errno == EINTR)
        ;
    return ready > 0;
}

bool zap_stop(struct zap *z)
{
    if (!z)
        return true;
    signal_fd(z->stop_fd);
    // One that hangs can't be waited for, and what it may still touch can't be freed: the program ends with
    // it.
    if (!has_ended(z))
        return false;
    pthread_join(z->thread, NULL);
    mq_zap_return(z->mq);
    free_handler(z);
    return true;
}

// A process that was stopped and goes on, or a machine that slept, is no handler that hangs: it must have
// been asked about several times.
bool zap_alive(struct zap *z)
{
    struct mono now = clock_mono(clock_system());
    uint64_t beats = atomic_load(&z->beats);
    if (beats != z->beats_seen || z->asked == 0) {
        z->beats_seen = beats;
        z->seen_at = now;
        z->asked = 0;
    }
    z->asked++;
    bool hangs = z->asked > ASKED_ENOUGH && mono_diff_ms(now, z->seen_at) > z->patience_ms;
    if (hangs)
        mq_zap_answering(z->mq, false);
    return atomic_load(&z->alive) && !hangs;
}

void zap_watch(struct zap *z, zap_refused refused, void *ctx)
{
    z->refused_ctx = ctx;
    z->refused = refused;
}

void zap_set_patience(struct zap *z, int64_t ms)
{
    z->patience_ms = ms;
}

void zap_counters(const struct zap *z, struct zap_counters *out)
{
    *out = (struct zap_counters){
        .accepted = atomic_load(&z->accepted),
        .refused_key = atomic_load(&z->refused_key),
        .refused_mechanism = atomic_load(&z->refused_mechanism),
        .refused_malformed = atomic_load(&z->refused_malformed),
    };
}
