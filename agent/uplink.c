// The shell around uplink_core: it moves bytes and time, and decides nothing but when to stop. Requests that
// the queue cannot take are kept in order: an acknowledgement swallows the one before it, so there are never
// more than a few.
#include "agent/uplink.h"
#include "agent/collectors.h"
#include "agent/owed.h"
#include "agent/spool_reader.h"
#include "agent/uplink_core.h"
#include "agent/uplink_log.h"
#include "base/crypto.h"
#include "base/log.h"
#include "net/mq.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECEIVE_MAX   64 // messages before time and the spool have their turn
#define KEPT_MAX      8
#define CONNECTING_MS 100 // how soon a finished handshake is seen
#define KEY_LOOK_MS   500
#define PLACE_MS      10000 // without a handshake: the next place where the collector may be

struct uplink {
    struct uplink_options options;
    pthread_t thread;
    int wake;                 // eventfd
    _Atomic int64_t drain_ms; // −1: not to finish
    _Atomic bool finished;
    // the thread's own
    struct mq *mq;
    struct mq_socket *socket; // NULL while closed
    bool up;
    char key[KEY_TEXT]; // our public key
    uint64_t lost_seen; // disconnections known of the socket
    struct spool_reader *reader;
    struct uplink_core *core;
    struct uplink_link link_told;
    uint64_t generation;     // of the spool as the core knows it
    uint32_t declares_known; // the collector's, at the last Welcome
    struct sampler_request kept[KEPT_MAX];
    size_t kept_count;
    struct mono drain_end, hold_from, key_looked_at;
    struct mono opened;
    size_t place, places; // where the collector is looked for, of how many
    bool move;            // it has announced its next key: go there
    ino_t key_inode;      // of the key file as it was read
    time_t key_time_s;
    enum err result;
};

// ---- requests to the sampler

static bool give(struct uplink *u, const struct sampler_request *r)
{
    struct sampler_request *copy = malloc(sizeof *copy);
    if (!copy)
        return false;
    *copy = *r;
    if (queue_give(u->options.requests, copy) == ERR_OK)
        return true;
    free(copy);
    return false;
}

static void flush_requests(struct uplink *u)
{
    size_t given = 0;
    while (given < u->kept_count && give(u, &u->kept[given]))
        given++;
    memmove(u->kept, u->kept + given, (u->kept_count - given) * sizeof u->kept[0]);
    u->kept_count -= given;
}

static void ask(struct uplink *u, const struct sampler_request *r)
{
    flush_requests(u);
    if (u->kept_count == 0 && give(u, r))
        return;
    struct sampler_request *last = u->kept_count > 0 ? &u->kept[u->kept_count - 1] : NULL;
    if (last && last->type == r->type)
        *last = *r;
    else if (u->kept_count < KEPT_MAX)
        u->kept[u->kept_count++] = *r;
    else // a Hello settles whatever this was
        log_error("uplink_request_dropped", F_INT("type", r->type));
}

static void tell_link(struct uplink *u)
{
    const struct uplink_link *now = uplink_core_link(u->core);
    if (uplink_link_same(now, &u->link_told))
        return;
    u->link_told = *now;
    ask(u, &(struct sampler_request){.type = SAMPLER_LINK, .link = *now});
}

// ---- the core's way out

static enum err io_send(void *ctx, const void *bytes, size_t len)
{
    struct uplink *u = ctx;
    return u->socket ? mq_send(u->socket, NULL, bytes, len) : ERR_CLOSED;
}

static enum err open_socket(struct uplink *u, struct diag *d)
{
    struct collector_place places[COLLECTORS_MAX];
    u->places = collectors_known(u->options.config, places);
    const struct collector_place *at = &places[u->place % u->places];
    struct mq_dealer_options o = {.endpoint = at->endpoint, .max_message_bytes = WIRE_MESSAGE_MAX_BYTES};
    struct stat st = {0};
    if (stat(u->options.key_file, &st) == 0) { // before it is read: a change in between is seen later
        u->key_inode = st.st_ino;
        u->key_time_s = st.st_mtim.tv_sec;
    }
    enum err e = crypto_key_file_load(u->options.key_file, o.secret_key, d);
    if (e == ERR_OK) {
        memcpy(o.server_key, at->key, KEY_BYTES);
        crypto_public_key(o.secret_key, o.public_key);
        crypto_key_text(o.public_key, u->key);
        e = mq_dealer_connect(u->mq, &o, &u->socket, d);
    }
    crypto_wipe(&o, sizeof o);
    u->up = false;
    u->lost_seen = 0;
    u->opened = clock_mono(u->options.clock);
    return e;
}

static void io_transport(void *ctx, enum uplink_transport what)
{
    struct uplink *u = ctx;
    struct diag d = {""};
    if (what == UPLINK_CLOSE) {
        mq_close(u->socket);
        u->socket = NULL;
        u->up = false;
    } else if (open_socket(u, &d) != ERR_OK) {
        log_error("uplink_cannot_open", F_TEXT("reason", d.text));
    }
}

// A batch that is not there although the state said so: perhaps the spool has been renumbered since.
static enum err io_message(void *ctx, uint64_t first, struct spool_message *out, struct diag *d)
{
    struct uplink *u = ctx;
    struct spool_state now;
    enum err e = spool_reader_message(u->reader, first, out, d);
    if (e == ERR_NOT_FOUND && spool_reader_state(u->reader, &now, NULL) == ERR_OK &&
        now.generation != u->generation)
        return ERR_AGAIN;
    return e;
}

static enum err io_declare(void *ctx, uint32_t number, struct wire_declare *out, struct diag *d)
{
    struct uplink *u = ctx;
    return spool_reader_declare(u->reader, number, out, d);
}

static void io_acknowledged(void *ctx, uint64_t sequence, const struct wire_receipt *receipt)
{
    ask(ctx, &(struct sampler_request){.type = SAMPLER_ACKNOWLEDGE,
                                       .sequence = sequence,
                                       .receipt = *receipt,
                                       .generation = ((struct uplink *)ctx)->generation});
}

static void io_allow(void *ctx, bool sending)
{
    struct uplink *u = ctx;
    ask(u, &(struct sampler_request){
               .type = SAMPLER_ALLOW, .sending = sending, .declares_known = u->declares_known});
}

static void io_known(void *ctx, uint32_t declares)
{
    ((struct uplink *)ctx)->declares_known = declares;
}

static void io_next(void *ctx, uint16_t port, const uint8_t key[WIRE_KEY_BYTES])
{
    struct uplink *u = ctx;
    struct diag d = {""};
    bool changed = false;
    char text[KEY_TEXT];
    if (collectors_note_next(u->options.config, port, key, &changed, &d) != ERR_OK)
        log_error("next_key_not_kept", F_TEXT("reason", d.text));
    if (!changed)
        return;
    crypto_key_text(key, text);
    log_info(
        "next_key", F_TEXT("key", text), F_INT("port", port),
        F_TEXT("way_out", "nothing to do: the collector is about to change its key, this agent goes over"));
    u->move = true;
}

// Told again at the next connection, and at the next change: what can't be kept now is no loss.
static void io_owed(void *ctx, const void *bytes, size_t len)
{
    struct uplink *u = ctx;
    struct diag d = {""};
    if (owed_keep(u->options.config->state, bytes, len, &d) != ERR_OK)
        log_warn("obligations_not_kept", F_TEXT("reason", d.text));
}

static void io_rewind(void *ctx, uint64_t last)
{
    ask(ctx, &(struct sampler_request){
                 .type = SAMPLER_REWIND, .sequence = last, .generation = ((struct uplink *)ctx)->generation});
}

static void io_renew(void *ctx)
{
    ask(ctx,
        &(struct sampler_request){.type = SAMPLER_RENEW, .generation = ((struct uplink *)ctx)->generation});
}

static uint32_t io_random(void *ctx, uint32_t below)
{
    uint32_t r = 0;
    (void)ctx;
    crypto_random(&r, sizeof r);
    return r % below;
}

static void io_event(void *ctx, const struct uplink_event *e)
{
    struct uplink *u = ctx;
    uplink_log(u->options.config->endpoint, u->key, e);
    if (e->type == UPLINK_SPOOL_UNREADABLE && e->error == ERR_CORRUPT)
        u->result = ERR_CORRUPT;
}

// ---- the loop

static void read_spool(struct uplink *u)
{
    struct spool_state state;
    struct diag d = {""};
    enum err e = spool_reader_state(u->reader, &state, &d);
    if (e == ERR_OK) {
        u->generation = state.generation;
        uplink_core_spool(u->core, &state);
    } else if (e == ERR_CORRUPT)
        io_event(u, &(struct uplink_event){.type = UPLINK_SPOOL_UNREADABLE, .error = e, .text = d.text});
}

static void look_at_connection(struct uplink *u)
{
    struct mq_events ev;
    if (!u->socket)
        return;
    mq_events(u->socket, &ev);
    bool lost = u->up && (!ev.up || ev.disconnected != u->lost_seen);
    u->lost_seen = ev.disconnected;
    if (lost) {
        u->up = false;
        uplink_core_disconnected(u->core); // closes the socket
    } else if (ev.up && !u->up) {
        u->up = true;
        uplink_core_connected(u->core);
    } else if (ev.refused && !ev.up) {
        uplink_core_denied(u->core);
    }
}

static void reopen(struct uplink *u)
{
    struct diag d = {""};
    mq_close(u->socket);
    u->socket = NULL;
    if (open_socket(u, &d) != ERR_OK)
        log_error("uplink_cannot_open", F_TEXT("reason", d.text));
}

// `rotate` puts another key in the place of the one that was read: both are valid until the new one says
// Hello.
static void look_at_key(struct uplink *u)
{
    struct mono now = clock_mono(u->options.clock);
    struct stat st;
    if (!u->socket || mono_diff_ms(now, u->key_looked_at) < KEY_LOOK_MS)
        return;
    u->key_looked_at = now;
    if (stat(u->options.key_file, &st) != 0 ||
        (st.st_ino == u->key_inode && st.st_mtim.tv_sec == u->key_time_s))
        return;
    log_info("key_changed", F_TEXT("key_file", u->options.key_file));
    uplink_core_exchanged(u->core);
    reopen(u);
}

// Where the collector has announced another key, or moved to it, it is looked for in turn.
static void look_at_place(struct uplink *u)
{
    if (u->socket && u->move) {
        u->move = false;
        u->place = 0;
        uplink_core_exchanged(u->core);
        reopen(u);
    } else if (u->socket && !u->up && u->places > 1 &&
               mono_diff_ms(clock_mono(u->options.clock), u->opened) >= PLACE_MS) {
        u->place = (u->place + 1) % u->places;
        reopen(u);
    }
}

static void receive(struct uplink *u)
{
    struct mq_message m;
    for (int i = 0; i < RECEIVE_MAX && u->socket; i++) {
        enum err e = mq_receive(u->socket, &m);
        if (e == ERR_OK)
            uplink_core_message(u->core, m.bytes, m.len);
        else if (e != ERR_INVALID)
            return;
    }
}

static void wait_for_something(struct uplink *u)
{
    uint64_t count;
    struct mq_poll_item items[2] = {{.fd = u->wake}, {.socket = u->socket, .fd = -1}};
    int ms = uplink_core_wait_ms(u->core);
    if (u->socket && !u->up && ms > CONNECTING_MS)
        ms = CONNECTING_MS;
    if ((atomic_load(&u->drain_ms) >= 0 || u->kept_count > 0) && ms > CONNECTING_MS)
        ms = CONNECTING_MS;
    items[1].want_write = u->socket && u->up && uplink_core_wants_to_send(u->core);
    if (mq_poll(items, u->socket ? 2 : 1, ms) != ERR_OK)
        return;
    if (items[0].readable && read(u->wake, &count, sizeof count) < 0)
        return;
}

// Half of the time to finish is for sending what there is, the rest for the answers.
static bool is_over(struct uplink *u)
{
    int64_t ms = atomic_load(&u->drain_ms);
    struct mono now = clock_mono(u->options.clock);
    if (u->result != ERR_OK)
        return true;
    if (ms < 0)
        return false;
    if (u->drain_end.us == 0) {
        u->drain_end.us = now.us + ms * US_PER_MS;
        u->hold_from.us = now.us + ms * US_PER_MS / 2;
    }
    if (now.us >= u->drain_end.us || !uplink_core_link(u->core)->connected)
        return true;
    if (now.us >= u->hold_from.us) {
        uplink_core_hold(u->core, true);
        return uplink_core_idle(u->core);
    }
    return uplink_core_done(u->core);
}

static void run(struct uplink *u)
{
    struct diag d = {""};
    if (open_socket(u, &d) != ERR_OK)
        log_error("uplink_cannot_open", F_TEXT("reason", d.text));
    while (!is_over(u)) {
        wait_for_something(u);
        look_at_connection(u);
        look_at_key(u);
        look_at_place(u);
        read_spool(u);
        receive(u);
        uplink_core_tick(u->core);
        tell_link(u);
        flush_requests(u);
    }
    mq_close(u->socket);
    u->socket = NULL;
}

static void *thread_main(void *arg)
{
    struct uplink *u = arg;
    run(u);
    atomic_store(&u->finished, true);
    // The sampler's loop waits on the queue: an empty wish makes it look.
    ask(u, &(struct sampler_request){.type = SAMPLER_LINK, .link = u->link_told});
    return NULL;
}

// ---- life

static void destroy(struct uplink *u)
{
    uplink_core_destroy(u->core);
    spool_reader_close(u->reader);
    mq_destroy(u->mq);
    if (u->wake >= 0)
        close(u->wake);
    free(u);
}

static enum err prepare(struct uplink *u, struct diag *d)
{
    uint8_t probe[KEY_BYTES];
    const struct uplink_io io = {.ctx = u,
                                 .send = io_send,
                                 .transport = io_transport,
                                 .message = io_message,
                                 .declare = io_declare,
                                 .acknowledged = io_acknowledged,
                                 .allow = io_allow,
                                 .known = io_known,
                                 .next = io_next,
                                 .owed = io_owed,
                                 .rewind = io_rewind,
                                 .renew = io_renew,
                                 .random = io_random,
                                 .event = io_event};
    enum err e = crypto_key_file_load(u->options.key_file, probe, d);
    crypto_wipe(probe, sizeof probe);
    if (e == ERR_NOT_FOUND)
        return diag_fail(
            d, e,
            "%s: no key yet: run `esep-agent keygen` and have what it prints admitted by the park's operator",
            u->options.key_file);
    if (e != ERR_OK)
        return e;
    if (u->wake < 0)
        return diag_fail(d, ERR_FULL, "no descriptor left for the uplink");
    e = mq_create(&u->mq, d);
    if (e == ERR_OK)
        e = spool_reader_open(u->options.config->state, &u->reader, d);
    if (e == ERR_OK && uplink_core_create(u->options.clock, &io, ESEP_VERSION, &u->core) != ERR_OK)
        e = diag_fail(d, ERR_NOMEM, "out of memory");
    return e;
}

enum err uplink_start(const struct uplink_options *o, struct uplink **out, struct diag *d)
{
    struct uplink *u = calloc(1, sizeof *u);
    if (!u)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    u->options = *o;
    u->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    atomic_init(&u->drain_ms, -1);
    atomic_init(&u->finished, false);
    enum err e = prepare(u, d);
    if (e == ERR_OK) {
        read_spool(u);
        int rc = pthread_create(&u->thread, NULL, thread_main, u);
        if (rc != 0)
            e = diag_errno(d, rc, "cannot start the uplink");
    }
    if (e == ERR_OK)
        *out = u;
    else
        destroy(u);
    return e;
}

void uplink_wake(struct uplink *u)
{
    uint64_t one = 1;
    if (write(u->wake, &one, sizeof one) < 0)
        return; // it is awake already
}

void uplink_finish(struct uplink *u, int64_t drain_ms)
{
    int64_t not_yet = -1;
    if (atomic_compare_exchange_strong(&u->drain_ms, &not_yet, drain_ms))
        uplink_wake(u);
}

bool uplink_finished(struct uplink *u)
{
    return atomic_load(&u->finished);
}

enum err uplink_stop(struct uplink *u)
{
    if (!u)
        return ERR_OK;
    uplink_finish(u, 0);
    pthread_join(u->thread, NULL);
    enum err e = u->result;
    destroy(u);
    return e;
}
