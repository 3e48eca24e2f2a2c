// The calling side: a slot per worker, taken by one thread at a time. What a thread does with a slot it holds
// needs no lock; the lock guards the slots' states and the conversation with the server process. A worker due
// for recycling keeps drawing until its successor has warmed up.

#include "dashboards/render.h"
#include "base/clock.h"
#include "dashboards/render_message.h"
#include "dashboards/render_server.h"
#include "dashboards/scratch.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP_MS  6000 // longest wait for one that is still loading its fonts
#define WAITING_MAX 256

struct worker {
    pid_t pid; // 0: none
    int fd;
    bool warm;
    unsigned drawn;
};

struct slot {
    bool taken;
    struct worker worker, next; // next: the successor, warming up
};

struct render {
    struct render_options options; // scratch is ours
    char scratch[SCRATCH_PATH];
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int server_fd;
    pid_t server;
    unsigned waiting;
    struct slot *slots;
    struct render_stats stats;
};

// With the lock held.
static enum err spawn(struct render *r, struct worker *w)
{
    *w = (struct worker){0};
    return render_server_spawn(r->server_fd, &w->pid, &w->fd);
}

static void dismiss(struct worker *w)
{
    if (w->pid)
        close(w->fd); // it ends by itself
    *w = (struct worker){0};
}

static void kill_worker(struct render *r, struct worker *w)
{
    if (w->pid)
        render_server_kill(r->server_fd, w->pid);
    dismiss(w);
}

static enum err await_warm(struct worker *w, int timeout_ms)
{
    struct buf nothing;
    if (w->warm)
        return ERR_OK;
    buf_init(&nothing, 1);
    enum err e = render_receive(w->fd, &nothing, 0, timeout_ms);
    buf_deinit(&nothing);
    w->warm = e == ERR_OK;
    return e;
}

enum err render_start(const struct render_options *o, struct render **out, struct diag *d)
{
    struct render *r = calloc(1, sizeof *r);
    struct slot *slots = calloc(o->workers, sizeof *slots);
    if (!r || !slots) {
        free(r);
        free(slots);
        return diag_fail(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    }
    r->options = *o;
    r->options.recycle_after = o->recycle_after ? o->recycle_after : 500;
    r->options.timeout_ms = o->timeout_ms ? o->timeout_ms : 5000;
    r->options.busy_ms = o->busy_ms ? o->busy_ms : 3000;
    r->slots = slots;
    r->stats.workers = o->workers;
    r->options.scratch = r->scratch;
    enum err e = scratch_open(o->scratch, r->scratch, d);
    if (!e)
        e = render_server_start(&r->options, &r->server_fd, &r->server, d);
    if (e) {
        scratch_close(r->scratch);
        free(slots);
        free(r);
        return e;
    }
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->freed, &attributes);
    pthread_condattr_destroy(&attributes);
    for (unsigned i = 0; i < o->workers && !e; i++)
        e = spawn(r, &r->slots[i].worker);
    if (e) {
        render_stop(r);
        return diag_fail(d, e, "graph workers could not be started");
    }
    *out = r;
    return ERR_OK;
}

void render_stop(struct render *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < r->options.workers; i++) {
        dismiss(&r->slots[i].worker);
        dismiss(&r->slots[i].next);
    }
    close(r->server_fd);
    while (waitpid(r->server, NULL, 0) < 0 && errno == EINTR)
        ;
    scratch_close(r->scratch);
    pthread_cond_destroy(&r->freed);
    pthread_mutex_destroy(&r->lock);
    free(r->slots);
    free(r);
}

// A free slot, a warm one rather than one that is still warming up; NULL: none.
static struct slot *free_slot(struct render *r)
{
    struct slot *any = NULL;
    for (unsigned i = 0; i < r->options.workers; i++) {
        struct slot *s = &r->slots[i];
        if (!s->taken && (!any || (s->worker.warm && !any->worker.warm)))
            any = s;
    }
    return any;
}

static enum err take_slot(struct render *r, struct slot **out)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += r->options.busy_ms / 1000;
    until.tv_nsec += (r->options.busy_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&r->lock);
    int timed_out = r->waiting >= WAITING_MAX ? ETIMEDOUT : 0;
    r->waiting++;
    struct slot *s = NULL;
    while (!(s = free_slot(r)) && timed_out != ETIMEDOUT)
        timed_out = pthread_cond_timedwait(&r->freed, &r->lock, &until);
    r->waiting--;
    if (s)
        s->taken = true;
    else
        r->stats.busy++;
    pthread_mutex_unlock(&r->lock);
    *out = s;
    return s ? ERR_OK : ERR_AGAIN;
}

// Replaces a worker that has drawn enough once its successor is warm; asks for the successor before that.
static void recycle(struct render *r, struct slot *s)
{
    if (s->worker.drawn < r->options.recycle_after)
        return;
    if (!s->next.pid && spawn(r, &s->next))
        return; // the old one goes on
    if (await_warm(&s->next, 1) == ERR_CLOSED) {
        dismiss(&s->next);
        return;
    }
    if (!s->next.warm)
        return;
    dismiss(&s->worker);
    s->worker = s->next;
    s->next = (struct worker){0};
    r->stats.recycled++;
}

static void give_slot(struct render *r, struct slot *s, enum err e)
{
    pthread_mutex_lock(&r->lock);
    r->stats.drawn += e == ERR_OK;
    r->stats.failed += e != ERR_OK;
    recycle(r, s);
    s->taken = false;
    pthread_cond_signal(&r->freed);
    pthread_mutex_unlock(&r->lock);
}

// One conversation. The worker's own answer is in *answer; what is returned concerns the worker itself.
static enum err converse(struct render *r, struct worker *w, const struct buf *request, struct buf *image,
                         enum err *answer, struct diag *d)
{
    enum err e = await_warm(w, WARM_UP_MS);
    if (!e)
        e = render_send(w->fd, request->data, request->len, r->options.timeout_ms);
    if (!e)
        e = render_receive(w->fd, image, RENDER_IMAGE_MAX + 1, r->options.timeout_ms);
    if (!e && image->len == 0)
        e = ERR_CLOSED;
    if (e)
        return e;
    *answer = (enum err)image->data[0];
    if (*answer)
        diag_fail(d, *answer, "%.*s", (int)(image->len - 1), image->data + 1);
    w->drawn++;
    return ERR_OK;
}

static void replace(struct render *r, struct slot *s, enum err why)
{
    pthread_mutex_lock(&r->lock);
    r->stats.hung += why == ERR_TIMEOUT;
    r->stats.died += why != ERR_TIMEOUT;
    kill_worker(r, &s->worker);
    if (spawn(r, &s->worker))
        s->worker = (struct worker){0}; // tried again at the next turn
    pthread_mutex_unlock(&r->lock);
}

static enum err draw_in_slot(struct render *r, struct slot *s, const struct buf *request, struct buf *image,
                             struct diag *d)
{
    enum err answer = ERR_OK, e = ERR_CLOSED;
    for (int attempt = 0; attempt < 2; attempt++) {
        buf_reset(image);
        e = s->worker.pid ? converse(r, &s->worker, request, image, &answer, d) : ERR_CLOSED;
        if (!e)
            return answer;
        replace(r, s, e);
    }
    return diag_fail(d, e, "the graph could not be drawn: a worker %s",
                     e == ERR_TIMEOUT ? "took too long" : "died");
}

enum err render_draw(struct render *r, const struct render_job *job, char **bytes, size_t *len,
                     struct diag *d)
{
    struct buf request, image;
    struct slot *s = NULL;
    buf_init(&request, RENDER_REQUEST_MAX);
    buf_init(&image, RENDER_IMAGE_MAX + 1);
    enum err e = render_job_encode(job, &request);
    if (!e)
        e = take_slot(r, &s);
    if (e)
        diag_fail(d, e, "%s", e == ERR_AGAIN ? "all graph workers are busy" : err_text(e));
    if (s) {
        e = draw_in_slot(r, s, &request, &image, d);
        give_slot(r, s, e);
    }
    if (!e) {
        memmove(image.data, image.data + 1,
                image.len); // the answer's first byte is its code; the NUL moves along
        *len = image.len - 1;
        image.len--;
        *bytes = buf_take(&image, NULL);
        e = *bytes ? ERR_OK : ERR_NOMEM;
    }
    buf_deinit(&request);
    buf_deinit(&image);
    return e;
}

bool render_alive(struct render *r)
{
    siginfo_t info = {0};
    // looks without reaping: render_stop does that
    return waitid(P_PID, (id_t)r->server, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

struct render_stats render_stats(struct render *r)
{
    pthread_mutex_lock(&r->lock);
    struct render_stats s = r->stats;
    pthread_mutex_unlock(&r->lock);
    return s;
}

unsigned render_pids(struct render *r, pid_t *pids, unsigned max)
{
    unsigned n = 0;
    pthread_mutex_lock(&r->lock);
    for (unsigned i = 0; i < r->options.workers && n < max; i++)
        if (r->slots[i].worker.pid)
            pids[n++] = r->slots[i].worker.pid;
    pthread_mutex_unlock(&r->lock);
    return n;
}
