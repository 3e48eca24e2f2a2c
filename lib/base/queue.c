// A ring of pointers under one mutex. A lock-free queue would gain nothing: what waits here is a batch whose
// handling costs thousands of times the lock. The eventfd is written only when the queue turns from empty to
// not empty (or is closed) and read only when it turns back, both under the mutex, so its state always equals
// the queue's.
#include "base/queue.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t arrived; // an item came, or the queue was closed; on the monotonic clock
    int fd;
    bool closed;
    size_t head;
    size_t count;
    size_t max;
    void *items[];
};

static bool init_sync(struct queue *q)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr))
        return false;
    bool ok = !pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) && !pthread_cond_init(&q->arrived, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (ok && pthread_mutex_init(&q->lock, NULL)) {
        (void)pthread_cond_destroy(&q->arrived);
        ok = false;
    }
    return ok;
}

enum err queue_create(size_t max_items, struct queue **out)
{
    if (max_items == 0)
        return ERR_INVALID;
    if (max_items > (SIZE_MAX - sizeof(struct queue)) / sizeof(void *))
        return ERR_TOO_BIG;
    struct queue *q = calloc(1, sizeof *q + max_items * sizeof(void *));
    if (!q)
        return ERR_NOMEM;
    q->max = max_items;
    q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (q->fd < 0) {
        enum err e = err_from_errno(errno);
        free(q);
        return e;
    }
    if (!init_sync(q)) {
        (void)close(q->fd);
        free(q);
        return ERR_NOMEM;
    }
    *out = q;
    return ERR_OK;
}

static void *pop(struct queue *q)
{
    void *item = q->items[q->head];
    q->head = (q->head + 1) % q->max;
    q->count--;
    return item;
}

void queue_destroy(struct queue *q, void (*drop)(void *item))
{
    if (!q)
        return;
    while (q->count > 0) {
        void *item = pop(q);
        if (drop)
            drop(item);
    }
    (void)close(q->fd);
    (void)pthread_cond_destroy(&q->arrived);
    (void)pthread_mutex_destroy(&q->lock);
    free(q);
}

// Both are non-blocking on a counter that is 0 or 1: neither can fail.
static void set_readable(struct queue *q)
{
    uint64_t one = 1;
    ssize_t n = write(q->fd, &one, sizeof one);
    (void)n;
}

static void clear_readable(struct queue *q)
{
    uint64_t value;
    ssize_t n = read(q->fd, &value, sizeof value);
    (void)n;
}

enum err queue_give(struct queue *q, void *item)
{
    enum err e = ERR_OK;
    (void)pthread_mutex_lock(&q->lock);
    if (q->closed) {
        e = ERR_CLOSED;
    } else if (q->count == q->max) {
        e = ERR_FULL;
    } else {
        q->items[(q->head + q->count) % q->max] = item;
        if (q->count++ == 0)
            set_readable(q);
        (void)pthread_cond_signal(&q->arrived);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return e;
}

static struct timespec deadline_after(int timeout_ms)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

// With the lock held: until something is there, or the queue is closed, or the time is up.
static void wait_for_item(struct queue *q, int timeout_ms)
{
    if (timeout_ms == 0)
        return;
    struct timespec deadline = timeout_ms > 0 ? deadline_after(timeout_ms) : (struct timespec){0};
    while (q->count == 0 && !q->closed) {
        if (timeout_ms < 0)
            (void)pthread_cond_wait(&q->arrived, &q->lock);
        else if (pthread_cond_timedwait(&q->arrived, &q->lock, &deadline) == ETIMEDOUT)
            return;
    }
}

enum err queue_take(struct queue *q, int timeout_ms, void **out)
{
    enum err e = ERR_OK;
    (void)pthread_mutex_lock(&q->lock);
    wait_for_item(q, timeout_ms);
    if (q->count > 0) {
        *out = pop(q);
        if (q->count == 0 && !q->closed)
            clear_readable(q);
    } else {
        e = q->closed ? ERR_CLOSED : ERR_AGAIN;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return e;
}

void queue_close(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    if (!q->closed && q->count == 0)
        set_readable(q);
    q->closed = true;
    (void)pthread_cond_broadcast(&q->arrived);
    (void)pthread_mutex_unlock(&q->lock);
}

size_t queue_depth(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    size_t depth = q->count;
    (void)pthread_mutex_unlock(&q->lock);
    return depth;
}

int queue_fd(struct queue *q)
{
    return q->fd;
}
