// One thread asks, the others that come meanwhile wait for its answer. A collector that hangs must not make
// every page slow: after a time-out nobody asks for five seconds.

#include "dashboards/flush.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define EVERY_MS     500
#define RETRY_MS     5000
#define CALL_MS      2200
#define KNOWN_FOR_MS 2000
#define OBSERVED_MS  250
#define LOOK_MS      1

struct flush {
    const char *state;
    const struct clock *clock;
    flush_call call;
    pthread_mutex_t lock;
    pthread_cond_t done;
    pthread_mutex_t
        talking; // held during a conversation: libzmq's dependencies start and stop with its contexts
    bool asking, ever, running;
    struct mono asked; // when the last one began
    int pause_ms;      // before the next
    bool watching, ever_watched;
    struct mono watched; // when the last watch for the observations began
    int watch_pause_ms;
};

enum err flush_create(const char *state, const struct clock *clock, flush_call call, struct flush **out)
{
    struct flush *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->state = state;
    f->clock = clock;
    f->call = call;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->done, NULL);
    pthread_mutex_init(&f->talking, NULL);
    *out = f;
    return ERR_OK;
}

void flush_destroy(struct flush *f)
{
    if (!f)
        return;
    pthread_mutex_destroy(&f->talking);
    pthread_cond_destroy(&f->done);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

enum err flush_ask(struct flush *f, const char *request, int timeout_ms, char **reply, struct diag *d)
{
    pthread_mutex_lock(&f->talking);
    enum err e = f->call(f->state, request, timeout_ms, reply, d);
    pthread_mutex_unlock(&f->talking);
    return e;
}

static bool due(const struct flush *f, int every_ms)
{
    int pause_ms = f->pause_ms > every_ms ? f->pause_ms : every_ms;
    return !f->ever || mono_diff_ms(clock_mono(f->clock), f->asked) >= pause_ms;
}

// With the lock held, which is let go during the call.
static void ask(struct flush *f)
{
    f->asking = f->ever = true;
    f->asked = clock_mono(f->clock);
    pthread_mutex_unlock(&f->lock);
    char *reply = NULL;
    enum err e = flush_ask(f, "{\"command\":\"flush\"}", CALL_MS, &reply, NULL);
    free(reply);
    pthread_mutex_lock(&f->lock);
    f->running = e == ERR_OK;
    f->pause_ms = e == ERR_TIMEOUT ? RETRY_MS : 0;
    f->asking = false;
    pthread_cond_broadcast(&f->done);
}

static bool flush_every(struct flush *f, int every_ms)
{
    pthread_mutex_lock(&f->lock);
    if (f->asking)
        while (f->asking)
            pthread_cond_wait(&f->done, &f->lock);
    else if (due(f, every_ms))
        ask(f);
    bool running = f->running;
    pthread_mutex_unlock(&f->lock);
    return running;
}

void flush_now(struct flush *f)
{
    (void)flush_every(f, EVERY_MS);
}

bool flush_collector_runs(struct flush *f)
{
    return flush_every(f, KNOWN_FOR_MS);
}

// ---- observations

static bool begin_watch(struct flush *f)
{
    struct mono now = clock_mono(f->clock);
    pthread_mutex_lock(&f->lock);
    bool mine = !f->watching && (!f->ever_watched || mono_diff_ms(now, f->watched) >= f->watch_pause_ms);
    if (mine) {
        f->watching = f->ever_watched = true;
        f->watched = now;
    }
    pthread_mutex_unlock(&f->lock);
    return mine;
}

static void end_watch(struct flush *f, bool there)
{
    pthread_mutex_lock(&f->lock);
    f->watching = false;
    f->watch_pause_ms = there ? EVERY_MS : RETRY_MS;
    pthread_mutex_unlock(&f->lock);
}

void flush_observed(struct flush *f, bool (*caught_up)(void *ctx), void *ctx)
{
    const struct timespec moment = {.tv_nsec = LOOK_MS * US_PER_MS * 1000};
    if (!begin_watch(f))
        return;
    bool there = caught_up(ctx);
    for (int looks = 1; !there && looks < OBSERVED_MS / LOOK_MS; looks++) {
        if (mono_diff_ms(clock_mono(f->clock), f->watched) >= OBSERVED_MS)
            break;
        nanosleep(&moment, NULL);
        there = caught_up(ctx);
    }
    end_watch(f, there);
}
