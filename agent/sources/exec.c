// A program is asked by starting it: argv as configured and no shell between, a clean environment, stdin
// empty, stdout and stderr read as they come, its own process group so that what it started dies with it.
// Many run at once, so nothing here waits: the sampler polls the pipes and a descriptor of the process.
//
// What counts: the complete lines a program printed are figures it has stated, so they are taken also when it
// then fails, is killed by its timeout or prints too much; the failure is a source error beside them. Only an
// unfinished last line of such a run is left out.
#include "agent/harvest.h"
#include "agent/source.h"
#include "agent/sources/exec_lines.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX    (1u << 20)
#define STDERR_KEEP   256
#define KILL_GRACE_US US_PER_S // for a killed process to be gone
#define READS_MAX     64       // of one descriptor before others have their turn
#define REAP_POLL_MS  20       // where the kernel has no pidfd

struct exec {
    struct source base;
    const struct agent_source *config;
    const struct source_env *env;
    struct counters *counters;
    int64_t tick_s;
    pid_t pid;           // 0: none
    int pidfd, out, err; // −1: closed
    struct mono deadline;
    struct buf output;
    char last_error[STDERR_KEEP]; // of stderr: the line being read
    size_t last_error_len;
    bool last_error_ended;
    bool killed, timed_out, too_much;
    int status;        // of waitpid
    char failure[300]; // the run never began
};

// ---- starting

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static char *copy_variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    char *out = NULL;
    if (!value)
        value = otherwise;
    if (!value || asprintf(&out, "%s=%s", name, value) < 0)
        return NULL;
    return out;
}

// PATH, HOME, TZ, LANG and the tick: nothing else of ours is the program's business.
static void make_environment(const struct exec *s, char *env[6])
{
    size_t n = 0;
    env[n++] = copy_variable("PATH", "/usr/local/bin:/usr/bin:/bin");
    if ((env[n] = copy_variable("HOME", NULL)))
        n++;
    if ((env[n] = copy_variable("TZ", NULL)))
        n++;
    env[n++] = strdup("LANG=C.UTF-8");
    if (asprintf(&env[n], "ESEP_TICK=%lld", (long long)s->tick_s) < 0)
        env[n] = NULL;
    env[5] = NULL;
}

static int spawn_with(struct exec *s, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attr, int out,
                      int err)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, out, 1);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, err, 2);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    if (rc == 0)
        rc = posix_spawnattr_setflags(attr,
                                      POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(attr, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(attr, &all);
    if (rc != 0)
        return rc;
    char *env[6] = {NULL};
    make_environment(s, env);
    rc = posix_spawnp(&s->pid, s->config->argv[0], actions, attr, (char *const *)(uintptr_t)s->config->argv,
                      env);
    for (size_t i = 0; i < 6; i++)
        free(env[i]);
    return rc;
}

static int spawn(struct exec *s, int out, int err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        rc = spawn_with(s, &actions, &attr, out, err);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        s->pid = 0;
    return rc;
}

static int open_pipe(int *reading, int *writing)
{
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) != 0)
        return errno;
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    *reading = fd[0];
    *writing = fd[1];
    return 0;
}

static int start(struct exec *s)
{
    int out = -1, err = -1;
    int rc = open_pipe(&s->out, &out);
    if (rc == 0)
        rc = open_pipe(&s->err, &err);
    if (rc == 0)
        rc = spawn(s, out, err);
    close_fd(&out);
    close_fd(&err);
    if (rc == 0)
        s->pidfd = pidfd_open(s->pid, 0);
    return rc;
}

static bool reap(struct exec *s)
{
    if (s->pid == 0)
        return true;
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0)
        return false;
    kill(-s->pid, SIGKILL); // what it left behind, while its number cannot be another's
    if (waitpid(s->pid, &s->status, 0) < 0)
        s->status = 0;
    s->pid = 0;
    close_fd(&s->pidfd);
    return true;
}

static void forget_run(struct exec *s)
{
    close_fd(&s->out);
    close_fd(&s->err);
    buf_deinit(&s->output);
    buf_init(&s->output, OUTPUT_MAX);
    s->last_error_len = 0;
    s->last_error_ended = false;
    s->killed = s->timed_out = s->too_much = false;
    s->status = 0;
    s->failure[0] = '\0';
}

static void exec_begin(struct source *source, int64_t tick_s)
{
    struct exec *s = (struct exec *)source;
    forget_run(s);
    s->tick_s = tick_s;
    s->deadline.us = clock_mono(s->env->clock).us + s->config->timeout_ms * US_PER_MS;
    if (!reap(s)) {
        snprintf(s->failure, sizeof s->failure,
                 "the run before was killed and still has not ended (process %d)", (int)s->pid);
        return;
    }
    int rc = start(s);
    if (rc != 0)
        snprintf(s->failure, sizeof s->failure, "cannot start %.200s: %s", s->config->argv[0], strerror(rc));
}

// ---- while it runs

static int exec_fds(const struct source *source, struct pollfd *out, int max)
{
    const struct exec *s = (const struct exec *)source;
    const int fds[] = {s->out, s->err, s->pidfd};
    int n = 0;
    for (size_t i = 0; i < 3 && n < max; i++)
        if (fds[i] >= 0)
            out[n++] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    return n;
}

static int exec_wait_ms(const struct source *source)
{
    const struct exec *s = (const struct exec *)source;
    int64_t left = mono_diff_ms(s->deadline, clock_mono(s->env->clock)) + 1;
    if (left < 0)
        left = 0;
    if (s->pidfd < 0 && left > REAP_POLL_MS)
        left = REAP_POLL_MS;
    return left > 1000000 ? 1000000 : (int)left;
}

static void note_stderr(struct exec *s, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            s->last_error_ended = true;
            continue;
        }
        if (s->last_error_ended)
            s->last_error_len = 0;
        s->last_error_ended = false;
        if (s->last_error_len + 1 < STDERR_KEEP)
            s->last_error[s->last_error_len++] = bytes[i];
    }
}

// Reads what is there, a bounded part of it at a time; closes the descriptor at its end.
static void drain(struct exec *s, int *fd)
{
    char bytes[4096];
    for (int i = 0; *fd >= 0 && i < READS_MAX; i++) {
        ssize_t n = read(*fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n <= 0) {
            close_fd(fd);
            return;
        }
        if (fd == &s->err)
            note_stderr(s, bytes, (size_t)n);
        else if (!s->too_much && buf_append(&s->output, bytes, (size_t)n) != ERR_OK)
            s->too_much = true;
    }
}

static bool exec_advance(struct source *source)
{
    struct exec *s = (struct exec *)source;
    if (s->pid == 0)
        return true; // could not be started
    if (s->failure[0])
        return true; // an older run still occupies the process
    bool ended = reap(s);
    drain(s, &s->out);
    drain(s, &s->err);
    if (ended) // a pipe holds no more than one such part
        return true;
    struct mono now = clock_mono(s->env->clock);
    bool late = now.us >= s->deadline.us;
    if (s->killed)
        return late; // not even then: the next begin tries again
    if (!late && !s->too_much)
        return false;
    s->timed_out = !s->too_much;
    kill(-s->pid, SIGKILL);
    s->killed = true;
    s->deadline.us = now.us + KILL_GRACE_US;
    return false;
}

static void exec_abandon(struct source *source)
{
    struct exec *s = (struct exec *)source;
    if (s->pid != 0) {
        kill(-s->pid, SIGKILL);
        (void)reap(s);
    }
    forget_run(s);
}

// ---- what it said

static bool failed(const struct exec *s)
{
    return s->timed_out || s->too_much || s->status != 0;
}

static void report_failure(const struct exec *s, struct harvest *h)
{
    const char *name = s->config->name;
    int said = (int)s->last_error_len;
    const char *colon = said ? ": " : "";
    if (s->timed_out)
        harvest_error(h, "source %s: no end within %lld ms: killed%s%.*s", name,
                      (long long)s->config->timeout_ms, colon, said, s->last_error);
    else if (s->too_much)
        harvest_error(h, "source %s: printed more than %u bytes: killed", name, OUTPUT_MAX);
    else if (WIFSIGNALED(s->status))
        harvest_error(h, "source %s: ended by signal %d (%s)%s%.*s", name, WTERMSIG(s->status),
                      strsignal(WTERMSIG(s->status)), colon, said, s->last_error);
    else
        harvest_error(h, "source %s: ended with exit status %d%s%.*s", name, WEXITSTATUS(s->status), colon,
                      said, s->last_error);
}

static enum err exec_take(struct source *source, size_t max_samples, struct harvest *h)
{
    struct exec *s = (struct exec *)source;
    (void)max_samples; // bounded by OUTPUT_MAX
    enum err e = ERR_OK;
    h->more = false;
    if (s->failure[0])
        harvest_error(h, "source %s: %s", s->config->name, s->failure);
    for (size_t i = 0; i < s->output.len; i++)
        if (s->output.data[i] == '\0')
            s->output.data[i] = '?'; // no name and no figure has it: the line is named as wrong
    if (s->output.len > 0)
        e = exec_lines_read(s->config, s->env, s->counters, s->output.data, !failed(s), s->tick_s, h);
    if (failed(s))
        report_failure(s, h);
    forget_run(s);
    return e;
}

static void exec_settled(struct source *source, bool spooled)
{
    // What could not be spooled is gone: the program can't be asked about the past. But a counter's next
    // reading holds it too.
    counters_settled(((struct exec *)source)->counters, spooled);
}

// ---- life

static enum err exec_create(const struct agent_source *config, const struct source_env *env,
                            struct source **out, struct diag *d)
{
    struct exec *s = calloc(1, sizeof *s);
    if (!s)
        return diag_fail(d, ERR_NOMEM, "source %s: out of memory", config->name);
    s->base.ops = &exec_source_ops;
    s->config = config;
    s->env = env;
    s->pidfd = s->out = s->err = -1;
    forget_run(s);
    if (counters_create(config, env, true, &s->counters) != ERR_OK) {
        free(s);
        return diag_fail(d, ERR_NOMEM, "source %s: out of memory", config->name);
    }
    *out = &s->base;
    return ERR_OK;
}

static void exec_destroy(struct source *source)
{
    struct exec *s = (struct exec *)source;
    if (!s)
        return;
    exec_abandon(source);
    close_fd(&s->pidfd);
    buf_deinit(&s->output);
    counters_destroy(s->counters);
    free(s);
}

const struct source_ops exec_source_ops = {
    .create = exec_create,
    .destroy = exec_destroy,
    .begin = exec_begin,
    .fds = exec_fds,
    .wait_ms = exec_wait_ms,
    .advance = exec_advance,
    .take = exec_take,
    .settled = exec_settled,
    .abandon = exec_abandon,
};
