// The shell around the sampler: this thread waits for ticks, programs, the uplink's requests and signals, and
// nothing else. A spool that turns out to be damaged ends the round, not the agent: the next round sets the
// file aside and goes on.
#include "agent/run.h"
#include "agent/report_socket.h"
#include "agent/sampler.h"
#include "agent/uplink.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/queue.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_MAX   256
#define PROGRAMS_MS    2000 // for programs that run when the agent is told to stop
#define DRAIN_MS       3000
#define POLL_MAX       (2 + REPORT_SOCKET_FDS + 3 * AGENT_SOURCES_MAX)
#define DAMAGED_ROUNDS 3
#define LOCK_TRIES     20 // `status` holds the lock for a moment

struct round { // from opening the spool to closing it
    const struct agent_config *config;
    const char *key_file;
    int signals;
    struct report_socket *reports; // NULL: it could not be opened
    struct queue *requests;
    struct spool *spool;
    struct sampler *sampler;
    struct uplink *uplink;
    struct pollfd *poll;
    bool distrust; // the round before found the spool damaged
    bool stopping;
};

static void wake_uplink(void *ctx)
{
    struct round *r = ctx;
    if (r->uplink)
        uplink_wake(r->uplink);
}

// ---- a round

static enum err open_spool(struct round *r, struct diag *d)
{
    const struct spool_options o = {.max_bytes = r->config->spool_max_bytes,
                                    .max_age_us = r->config->spool_max_age_us,
                                    .tail_bytes = SPOOL_TAIL_BYTES,
                                    .tail_age_us = SPOOL_TAIL_US,
                                    .distrust = r->distrust};
    struct spool_opened opened;
    enum err e = spool_open(r->config->state, &o, clock_system(), &r->spool, &opened, d);
    if (e == ERR_OK && opened.damaged)
        log_error(
            "spool_damaged", F_TEXT("reason", opened.reason), F_TEXT("set_aside_as", opened.aside),
            F_TEXT("way_out",
                   "nothing to do: a new spool and incarnation are begun; what was unsent in it is lost"));
    if (e == ERR_OK && opened.older)
        log_error("spool_older", F_TEXT("reason", opened.reason),
                  F_TEXT("way_out",
                         "nothing to do: files are read again from where it ends, a new incarnation "
                         "is begun; what programs had said since is lost. Look after the disk"));
    if (e == ERR_OK && opened.noted)
        log_warn(
            "acknowledgement_not_stored", F_TEXT("reason", opened.reason),
            F_TEXT("way_out", "make room on the disk: it is kept beside the spool until it can be stored"));
    return e;
}

static enum err open_round(struct round *r, struct diag *d)
{
    enum err e = open_spool(r, d);
    if (e != ERR_OK)
        return e;
    const struct sampler_options so = {
        .config = r->config, .clock = clock_system(), .spool = r->spool, .changed = wake_uplink, .ctx = r};
    e = sampler_create(&so, &r->sampler, d);
    if (e != ERR_OK)
        return e;
    if (queue_create(REQUESTS_MAX, &r->requests) != ERR_OK || !(r->poll = calloc(POLL_MAX, sizeof *r->poll)))
        return diag_fail(d, ERR_NOMEM, "out of memory");
    const struct uplink_options uo = {
        .config = r->config, .clock = clock_system(), .key_file = r->key_file, .requests = r->requests};
    return uplink_start(&uo, &r->uplink, d);
}

static enum err close_round(struct round *r, enum err e, struct diag *d)
{
    enum err found = uplink_stop(r->uplink);
    if (e == ERR_OK && found != ERR_OK)
        e = diag_fail(d, found, "the spool cannot be read: %s", err_text(found));
    r->uplink = NULL;
    sampler_destroy(r->sampler);
    queue_destroy(r->requests, free);
    spool_close(r->spool);
    free(r->poll);
    r->sampler = NULL;
    r->requests = NULL;
    r->spool = NULL;
    r->poll = NULL;
    return e;
}

static enum err take_requests(struct round *r, struct diag *d)
{
    void *item = NULL;
    enum err e = ERR_OK;
    while (e == ERR_OK && queue_take(r->requests, 0, &item) == ERR_OK) {
        e = sampler_request(r->sampler, item, d);
        free(item);
    }
    return e;
}

static void take_signal(struct round *r)
{
    struct signalfd_siginfo info;
    if (read(r->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (!r->stopping) {
        log_info("stopping", F_INT("signal", info.ssi_signo));
        sampler_stop(r->sampler, PROGRAMS_MS);
    }
    r->stopping = true;
}

static void wait_for_something(struct round *r)
{
    struct pollfd *p = r->poll;
    int ms = sampler_wait_ms(r->sampler);
    p[0] = (struct pollfd){.fd = r->signals, .events = POLLIN};
    p[1] = (struct pollfd){.fd = queue_fd(r->requests), .events = POLLIN};
    int n = 2 + report_socket_fds(r->reports, p + 2, REPORT_SOCKET_FDS);
    n += sampler_fds(r->sampler, p + n, POLL_MAX - n);
    if (poll(p, (nfds_t)n, ms) > 0 && p[0].revents)
        take_signal(r);
}

static enum err run_until_stopped(struct round *r, struct diag *d)
{
    enum err e = ERR_OK;
    while (e == ERR_OK && !uplink_finished(r->uplink)) {
        e = sampler_step(r->sampler, d);
        if (sampler_stopped(r->sampler))
            uplink_finish(r->uplink, DRAIN_MS);
        if (e == ERR_OK) {
            wait_for_something(r);
            e = take_requests(r, d);
            if (e == ERR_OK)
                e = report_socket_serve(r->reports, r->sampler, d);
        }
    }
    if (e == ERR_OK)
        e = take_requests(r, d);
    return e == ERR_OK ? sampler_settle(r->sampler, d) : e;
}

static enum err run_round(struct round *r, struct diag *d)
{
    enum err e = open_round(r, d);
    if (e == ERR_OK) {
        log_info("running", F_TEXT("version", ESEP_VERSION), F_TEXT("collector", r->config->endpoint),
                 F_INT("sources", r->config->source_count), F_INT("series", r->config->series_count),
                 F_INT("spooled", spool_peek(r->spool)->counters.spooled));
        e = run_until_stopped(r, d);
    }
    return close_round(r, e, d);
}

// ---- the whole

static enum err block_signals(int *fd, struct diag *d)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || (*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return diag_errno(d, errno, "cannot watch for signals");
    return ERR_OK;
}

static enum err take_lock(const char *path, int *fd, struct diag *d)
{
    const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
    enum err e = fs_lock(path, fd, d);
    for (int i = 0; e == ERR_EXISTS && i < LOCK_TRIES; i++) {
        nanosleep(&moment, NULL);
        e = fs_lock(path, fd, d);
    }
    return e == ERR_EXISTS ? diag_fail(d, e, "another esep-agent runs on this state folder (%s)", path) : e;
}

static enum err run_rounds(struct round *r, struct diag *d)
{
    enum err e = run_round(r, d);
    for (int i = 1; e == ERR_CORRUPT && i < DAMAGED_ROUNDS && !r->stopping; i++) {
        log_error("spool_unusable", F_TEXT("reason", d->text),
                  F_TEXT("way_out", "nothing to do: it is set aside"));
        r->distrust = true;
        e = run_round(r, d);
    }
    return e;
}

// Without it everything but `esep-agent report` goes on.
static void open_reports(struct round *r)
{
    struct diag d = {""};
    if (report_socket_open(r->config->state, &r->reports, &d) != ERR_OK)
        log_warn("no_reports_by_hand", F_TEXT("reason", d.text));
}

enum err agent_run(const struct agent_config *config, struct diag *d)
{
    char key_file[PATH_MAX], lock_file[PATH_MAX];
    int lock = -1;
    struct round r = {.config = config, .key_file = key_file, .signals = -1};
    if (fs_join(key_file, sizeof key_file, config->state, AGENT_KEY_FILE) != ERR_OK ||
        fs_join(lock_file, sizeof lock_file, config->state, AGENT_LOCK_FILE) != ERR_OK)
        return diag_fail(d, ERR_TOO_BIG, "%s: the path is too long", config->state);
    enum err e = fs_make_dirs(config->state, 0750, d);
    if (e == ERR_OK)
        e = take_lock(lock_file, &lock, d);
    if (e != ERR_OK)
        return e;
    open_reports(&r);
    e = block_signals(&r.signals, d);
    if (e == ERR_OK)
        e = run_rounds(&r, d);
    report_socket_close(r.reports);
    if (r.signals >= 0)
        close(r.signals);
    fs_unlock(lock);
    return e;
}
