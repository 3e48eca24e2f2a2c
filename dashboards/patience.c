// Connections are shut down, not closed: the library closes them when it notices, and tells. Until it has
// told, under the lock, the descriptor is this connection's and no other's.
#include "dashboards/patience.h"
#include "base/queue.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LOOK_MS = 1000 };
enum phase { FREE, ASKING, MAKING, READING };

struct patience_place {
    enum phase phase;
    int fd;
    bool shut;
    struct mono since;
    size_t bytes; // of the answer
    char address[64];
};

struct patience {
    const struct clock *clock;
    struct metrics *metrics;
    pthread_mutex_t lock;
    struct queue *stop; // nothing ever lies in it: closed, it ends the thread
    pthread_t thread;
    bool watched;
    size_t count;
    struct patience_place places[];
};

enum err patience_create(size_t places, const struct clock *clock, struct metrics *metrics,
                         struct patience **out)
{
    struct patience *p = calloc(1, sizeof *p + places * sizeof p->places[0]);
    if (!p)
        return ERR_NOMEM;
    enum err e = queue_create(1, &p->stop);
    if (e != ERR_OK) {
        free(p);
        return e;
    }
    p->clock = clock;
    p->metrics = metrics;
    p->count = places;
    pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return ERR_OK;
}

void patience_destroy(struct patience *p)
{
    if (!p)
        return;
    queue_close(p->stop);
    if (p->watched)
        pthread_join(p->thread, NULL);
    queue_destroy(p->stop, NULL);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

// ---- a connection's way
static void enter(struct patience *p, struct patience_place *at, enum phase phase)
{
    at->phase = phase;
    at->since = clock_mono(p->clock);
    at->bytes = 0;
}

struct patience_place *patience_begin(struct patience *p, int fd)
{
    struct patience_place *at = NULL;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; !at && i < p->count; i++)
        if (p->places[i].phase == FREE)
            at = &p->places[i];
    if (at) {
        at->fd = fd;
        at->shut = false;
        enter(p, at, ASKING);
    }
    pthread_mutex_unlock(&p->lock);
    return at;
}

static void move(struct patience *p, struct patience_place *at, enum phase phase)
{
    if (!at)
        return;
    pthread_mutex_lock(&p->lock);
    enter(p, at, phase);
    pthread_mutex_unlock(&p->lock);
}

void patience_asked(struct patience *p, struct patience_place *at)
{
    move(p, at, MAKING);
}

void patience_done(struct patience *p, struct patience_place *at)
{
    move(p, at, ASKING);
}

void patience_end(struct patience *p, struct patience_place *at)
{
    move(p, at, FREE);
}

static bool has_room(const struct patience *p, const char *address, size_t len)
{
    size_t all = len, of_address = len;
    for (size_t i = 0; i < p->count; i++) {
        const struct patience_place *at = &p->places[i];
        all += at->bytes;
        if (at->bytes > 0 && strcmp(at->address, address) == 0)
            of_address += at->bytes;
    }
    return all <= PATIENCE_BYTES && of_address <= PATIENCE_BYTES / PATIENCE_SHARE;
}

bool patience_answered(struct patience *p, struct patience_place *at, const char *address, size_t len)
{
    if (!at)
        return len <= PATIENCE_SMALL;
    pthread_mutex_lock(&p->lock);
    bool taken = len <= PATIENCE_SMALL || has_room(p, address, len);
    if (taken) {
        enter(p, at, READING);
        at->bytes = len;
        snprintf(at->address, sizeof at->address, "%s", address);
    }
    pthread_mutex_unlock(&p->lock);
    return taken;
}

// ---- looking
static bool is_over(const struct patience_place *at, struct mono now)
{
    const int64_t ms = mono_diff_ms(now, at->since);
    if (at->phase == ASKING)
        return ms > PATIENCE_ASK_S * 1000;
    return at->phase == READING &&
           ms > (PATIENCE_READ_S + (int64_t)(at->bytes / PATIENCE_READ_BYTES_S)) * 1000;
}

size_t patience_look(struct patience *p)
{
    const struct mono now = clock_mono(p->clock);
    size_t ended = 0;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->count; i++) {
        struct patience_place *at = &p->places[i];
        if (at->shut || !is_over(at, now))
            continue;
        at->shut = true;
        (void)shutdown(at->fd, SHUT_RDWR); // fails only where the client was faster
        ended++;
    }
    pthread_mutex_unlock(&p->lock);
    metrics_add(p->metrics, METRIC_CONNECTIONS_ENDED, ended);
    return ended;
}

static void *watch(void *patience)
{
    struct patience *p = patience;
    void *none;
    while (queue_take(p->stop, LOOK_MS, &none) == ERR_AGAIN)
        (void)patience_look(p);
    return NULL;
}

enum err patience_watch(struct patience *p, struct diag *d)
{
    if (pthread_create(&p->thread, NULL, watch, p) != 0)
        return diag_fail(d, ERR_IO, "no thread could be started");
    p->watched = true;
    return ERR_OK;
}
