#include "tests/bench/load/crowd.h"
#include "base/fs.h"
#include "net/control.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SOCKETS_AT_ONCE = 256, POLL_MS = 5, PAUSE_MS = 50, ANSWER_MS = 20000, ENTER_S = 300 };
#define THREADS_MAX 16
// libzmq has 1,023 sockets a context by default, and an agent has three: its own and two that watch it.
enum { AGENTS_A_CONTEXT = 250, CONTEXTS_MAX = 20 };
enum { QUEUED = 64 }; // messages of an agent in libzmq, so that its thread is not woken for each
enum phase { ENTERING, PRIMING, AT_WILL, AT_RATE, ENDING, RESTING, OVER };

struct share { // one thread's
    struct crowd *crowd;
    pthread_t thread;
    uint32_t first, count;
    struct peer_tools tools;
    struct mq_poll_item items[SOCKETS_AT_ONCE];
    enum err failed;
    struct diag diag;
};

struct crowd {
    struct crowd_options o;
    struct mq *mq[CONTEXTS_MAX];
    struct peer *peers;
    struct share shares[THREADS_MAX];
    uint32_t running;
    _Atomic int phase;
    _Atomic int64_t begun_us; // of the turn
    _Atomic double batches_s; // in it, of each
    uint64_t first;           // batches of each that were made before
};

// ---- coming in
static enum err collector_key(const char *state, uint8_t key[KEY_BYTES], struct diag *d)
{
    char path[512], text[KEY_TEXT + 8] = "";
    snprintf(path, sizeof path, "%s/collector.pub", state);
    FILE *f = fopen(path, "re");
    bool there = f && fgets(text, sizeof text, f);
    if (f)
        fclose(f);
    text[strcspn(text, "\r\n")] = '\0';
    if (!there || crypto_key_parse(text, key) != ERR_OK)
        return diag_fail(d, ERR_NOT_FOUND, "%s: no collector's key", path);
    return ERR_OK;
}

static enum err admit(const struct crowd_options *o, uint32_t number, const uint8_t public_key[KEY_BYTES],
                      struct diag *d)
{
    char request[512], key[KEY_TEXT], *reply = NULL;
    crypto_key_text(public_key, key);
    // Z85 has neither a quotation mark nor a backslash.
    snprintf(request, sizeof request, "{\"command\":\"admit\",\"resident\":\"%s/%s-%u\",\"key\":\"%s\"}",
             o->park, o->name, (unsigned)number, key);
    enum err e = control_call(o->state, request, ANSWER_MS, &reply, d);
    if (e == ERR_OK && !strstr(reply, "\"ok\": true") && !strstr(reply, "\"ok\":true"))
        e = diag_fail(d, ERR_DENIED, "not admitted: %.200s", reply);
    free(reply);
    return e;
}

static enum err enter(struct crowd *c, uint32_t i, const uint8_t server_key[KEY_BYTES], struct diag *d)
{
    struct mq_dealer_options o = {
        .endpoint = c->o.endpoint, .max_message_bytes = WIRE_MESSAGE_MAX_BYTES, .queued = QUEUED};
    struct peer *p = &c->peers[i];
    memcpy(o.server_key, server_key, KEY_BYTES);
    crypto_keypair(o.public_key, o.secret_key);
    p->figures = c->o.figures;
    p->figures.seed = i;
    enum err e = admit(&c->o, i, o.public_key, d);
    return e == ERR_OK ? peer_connect(p, c->mq[i / AGENTS_A_CONTEXT], &o, d) : e;
}

// ---- a thread
static void plan(struct crowd *c, struct peer *p)
{
    const int64_t begun_us = atomic_load(&c->begun_us), now_us = clock_mono(clock_system()).us;
    switch (atomic_load(&c->phase)) {
    case PRIMING:
        p->made = c->first;
        break;
    case AT_WILL:
        p->made = p->sent + 64;
        break;
    case AT_RATE:
        p->made = p->base + (uint64_t)((double)(now_us - begun_us) / 1e6 * atomic_load(&c->batches_s));
        break;
    case ENDING:
        p->made = p->most; // what was never sent was never made
        break;
    default:
        break;
    }
}

static enum err turn(struct share *s, uint32_t first, uint32_t count)
{
    struct crowd *c = s->crowd;
    bool busy = false;
    enum err e = ERR_OK;
    for (uint32_t i = 0; i < count && e == ERR_OK; i++) {
        struct peer *p = &c->peers[s->first + first + i];
        plan(c, p);
        e = peer_step(p, &s->tools, &s->diag);
        s->items[i] = (struct mq_poll_item){.socket = p->socket, .fd = -1, .want_write = peer_wants_write(p)};
        busy = busy || (!p->blocked && p->welcomed && p->sent < p->made && p->in_flight < p->credit / 2);
    }
    if (e != ERR_OK || s->count > SOCKETS_AT_ONCE) // each has been asked for what it has
        return e;
    e = mq_poll(s->items, (int)count, busy ? 0 : POLL_MS);
    return e == ERR_AGAIN ? ERR_OK : e;
}

static void *run(void *share)
{
    struct share *s = share;
    s->failed = peer_tools_init(&s->tools);
    while (s->failed == ERR_OK && atomic_load(&s->crowd->phase) != OVER) {
        for (uint32_t at = 0; at < s->count && s->failed == ERR_OK; at += SOCKETS_AT_ONCE)
            s->failed = turn(s, at, s->count - at < SOCKETS_AT_ONCE ? s->count - at : SOCKETS_AT_ONCE);
        // Too many to wait for at once: a round looks at everybody, so let many have something to say by
        // then.
        if (s->count > SOCKETS_AT_ONCE)
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
    return NULL;
}

// ---- all of them
static bool all_in(const struct crowd *c)
{
    for (uint32_t i = 0; i < c->o.agents; i++)
        if (!c->peers[i].welcomed || c->peers[i].declared < c->peers[i].figures.series)
            return false;
    return true;
}

static bool all_acknowledged(const struct crowd *c)
{
    for (uint32_t i = 0; i < c->o.agents; i++)
        if (c->peers[i].acked < c->peers[i].made)
            return false;
    return true;
}

static const struct share *failed_share(const struct crowd *c)
{
    for (uint32_t i = 0; i < c->running; i++)
        if (c->shares[i].failed != ERR_OK)
            return &c->shares[i];
    return NULL;
}

// Polls: who waits here is the one thread without work.
static bool wait_until(const struct crowd *c, bool (*done)(const struct crowd *c), double seconds)
{
    const int64_t until_us = clock_mono(clock_system()).us + (int64_t)(seconds * 1e6);
    while (!done(c)) {
        if (failed_share(c) || clock_mono(clock_system()).us > until_us)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return true;
}

static enum err start(struct crowd *c, struct diag *d)
{
    const uint32_t threads = c->o.threads;
    for (uint32_t i = 0, at = 0; i < threads; i++) {
        struct share *s = &c->shares[i];
        *s = (struct share){.crowd = c, .first = at, .count = (c->o.agents - at) / (threads - i)};
        at += s->count;
        int failed = pthread_create(&s->thread, NULL, run, s);
        if (failed)
            return diag_errno(d, failed, "a thread can't be started");
        c->running++;
    }
    return ERR_OK;
}

enum err crowd_open(const struct crowd_options *o, struct crowd **out, struct diag *d)
{
    uint8_t server_key[KEY_BYTES];
    struct crowd *c = calloc(1, sizeof *c);
    if (!c)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    c->o = *o;
    c->o.threads = o->threads > THREADS_MAX ? THREADS_MAX : o->threads > o->agents ? o->agents : o->threads;
    c->peers = calloc(o->agents, sizeof *c->peers);
    enum err e = c->peers ? collector_key(o->state, server_key, d) : diag_fail(d, ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; i * AGENTS_A_CONTEXT < o->agents && e == ERR_OK; i++)
        e = mq_create(&c->mq[i], d);
    for (uint32_t i = 0; i < o->agents && e == ERR_OK; i++)
        e = enter(c, i, server_key, d);
    if (e == ERR_OK)
        e = start(c, d);
    if (e == ERR_OK && !wait_until(c, all_in, ENTER_S)) {
        const struct share *s = failed_share(c);
        e = s ? diag_fail(d, s->failed, "%s", s->diag.text)
              : diag_fail(d, ERR_TIMEOUT, "not everybody was welcomed in %d s: %s", ENTER_S,
                          c->peers[0].trouble);
    }
    if (e != ERR_OK) {
        crowd_close(c);
        return e;
    }
    *out = c;
    return ERR_OK;
}

static double seconds_between(int64_t from_us, int64_t to_us)
{
    return (double)(to_us - from_us) / 1e6;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add_up(const struct crowd *c, struct crowd_result *r)
{
    for (uint32_t i = 0; i < c->o.agents; i++) {
        const struct peer *p = &c->peers[i];
        const uint64_t batches = p->acked > c->first ? p->acked - c->first : 0;
        r->batches += batches;
        r->samples += batches * p->figures.samples;
        r->first_samples += c->first * p->figures.samples;
        r->bytes += p->bytes;
        r->refused += p->refused;
        r->unacknowledged += p->made - p->acked;
        if (p->trouble[0] && !r->trouble[0])
            memcpy(r->trouble, p->trouble, sizeof r->trouble);
    }
    for (uint32_t i = 0; i < c->running; i++)
        delays_merge(&r->delays, &c->shares[i].tools.delays);
}

static void stop(struct crowd *c)
{
    atomic_store(&c->phase, OVER);
    for (uint32_t i = 0; i < c->running; i++)
        pthread_join(c->shares[i].thread, NULL);
}

static bool all_primed(const struct crowd *c)
{
    for (uint32_t i = 0; i < c->o.agents; i++)
        if (c->peers[i].acked < c->first)
            return false;
    return true;
}

static enum err prime(struct crowd *c, struct diag *d)
{
    c->first = (c->o.figures.series + c->o.figures.samples - 1) / c->o.figures.samples;
    atomic_store(&c->phase, PRIMING);
    if (!wait_until(c, all_primed, ENTER_S))
        return diag_fail(d, ERR_TIMEOUT, "the first figures were not all acknowledged in %d s", ENTER_S);
    return ERR_OK;
}

static void take_turn(struct crowd *c, const struct crowd_turn *t, struct crowd_result *r)
{
    const double cpu_s = cpu_seconds();
    const int64_t begun_us = clock_mono(clock_system()).us, until_us = begun_us + (int64_t)(t->seconds * 1e6);
    for (uint32_t i = 0; i < c->o.agents; i++) // nobody makes any now
        c->peers[i].base = c->peers[i].made;
    atomic_store(&c->begun_us, begun_us);
    atomic_store(&c->batches_s, t->rate / c->o.agents / c->o.figures.samples);
    atomic_store(&c->phase, t->rate > 0 ? AT_RATE : AT_WILL);
    while (!failed_share(c) && clock_mono(clock_system()).us < until_us)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    const int64_t made_us = clock_mono(clock_system()).us;
    atomic_store(&c->phase, t->rate > 0 ? RESTING : ENDING);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); // what is being planned is being made
    (void)wait_until(c, all_acknowledged, c->o.patience_s);
    const int64_t ended_us = clock_mono(clock_system()).us;
    atomic_store(&c->phase, RESTING);
    const double drain_s = seconds_between(made_us, ended_us);
    r->cpu_seconds += cpu_seconds() - cpu_s;
    r->seconds += seconds_between(begun_us, ended_us);
    r->drain_seconds = drain_s > r->drain_seconds ? drain_s : r->drain_seconds;
}

enum err crowd_run(struct crowd *c, struct crowd_result *out, struct diag *d)
{
    struct crowd_turn t = c->o.turn;
    struct crowd_result r = {0};
    uint32_t done = 0;
    enum err e = c->o.next ? prime(c, d) : ERR_OK;
    if (e != ERR_OK)
        return e;
    while (!failed_share(c) && (c->o.next ? c->o.next(done, &t) : done == 0)) {
        take_turn(c, &t, &r);
        done++;
    }
    stop(c);
    add_up(c, &r);
    const struct share *s = failed_share(c);
    if (s)
        return diag_fail(d, s->failed, "%s", s->diag.text);
    if (done == 0)
        return diag_fail(d, ERR_CLOSED, "nobody said when to begin");
    *out = r;
    return ERR_OK;
}

const struct peer *crowd_peer(const struct crowd *c, uint32_t i)
{
    return &c->peers[i];
}

void crowd_close(struct crowd *c)
{
    if (!c)
        return;
    if (atomic_load(&c->phase) != OVER)
        stop(c);
    for (uint32_t i = 0; i < c->running; i++)
        peer_tools_deinit(&c->shares[i].tools);
    for (uint32_t i = 0; c->peers && i < c->o.agents; i++)
        peer_close(&c->peers[i]);
    for (uint32_t i = 0; i < CONTEXTS_MAX; i++)
        mq_destroy(c->mq[i]);
    free(c->peers);
    free(c);
}
