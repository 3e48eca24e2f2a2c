// A condition variable beside the number, on the monotonic clock: a stepped wall clock must not make a
// projection sleep.
#include "collector/cursor.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct cursor {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t position;
    uint64_t wakes;
};

enum err cursor_create(uint64_t position, struct cursor **out)
{
    struct cursor *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->moved, &attr);
    pthread_condattr_destroy(&attr);
    c->position = position;
    *out = c;
    return ERR_OK;
}

void cursor_destroy(struct cursor *c)
{
    if (!c)
        return;
    pthread_cond_destroy(&c->moved);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void cursor_publish(struct cursor *c, uint64_t position)
{
    pthread_mutex_lock(&c->lock);
    if (c->position != position) {
        c->position = position;
        pthread_cond_broadcast(&c->moved);
    }
    pthread_mutex_unlock(&c->lock);
}

uint64_t cursor_position(struct cursor *c)
{
    pthread_mutex_lock(&c->lock);
    uint64_t position = c->position;
    pthread_mutex_unlock(&c->lock);
    return position;
}

static struct timespec deadline_after(int timeout_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

bool cursor_wait(struct cursor *c, uint64_t reached, int timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&c->lock);
    uint64_t wakes = c->wakes;
    while (c->position < reached && c->wakes == wakes) {
        if (pthread_cond_timedwait(&c->moved, &c->lock, &deadline) != 0)
            break;
    }
    bool there = c->position >= reached;
    pthread_mutex_unlock(&c->lock);
    return there;
}

void cursor_wake(struct cursor *c)
{
    pthread_mutex_lock(&c->lock);
    c->wakes++;
    pthread_cond_broadcast(&c->moved);
    pthread_mutex_unlock(&c->lock);
}
