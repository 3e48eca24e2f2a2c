// Forking a process that has threads is asking for trouble, so this process never has any: it was forked when
// the dashboard had one, draws nothing itself (Pango starts threads of its own), and only forks, passes
// sockets and reaps. Workers ignore the terminal's signals; they end when their socket closes, and die with
// this process, which ends with the dashboard.

#include "dashboards/render_server.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN_MAX 64

struct order {
    enum { ORDER_SPAWN = 1, ORDER_KILL } kind;
    pid_t pid;
};

struct server {
    const struct render_options *options;
    int fd;
    pid_t children[CHILDREN_MAX];
    size_t count;
};

static void reap(struct server *s)
{
    for (size_t i = 0; i < s->count;)
        if (waitpid(s->children[i], NULL, WNOHANG) != 0)
            s->children[i] = s->children[--s->count];
        else
            i++;
}

static void kill_child(struct server *s, pid_t pid)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->children[i] == pid)
            kill(pid, SIGKILL);
}

static void ignore_terminal(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    sigset_t none;
    sigemptyset(&none);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static pid_t fork_worker(struct server *s, int pair[2])
{
    pid_t server = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != server)
        _exit(1);
    close(s->fd);
    close(pair[0]);
    _exit(render_worker_run(s->options, pair[1]));
}

// Answers with the worker's pid and the caller's end of its socket; pid -1 when it cannot be had.
static void answer(int fd, pid_t pid, int worker_fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec bytes = {&pid, sizeof pid};
    struct msghdr m = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (pid > 0) {
        m.msg_control = &control;
        m.msg_controllen = sizeof control.room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &worker_fd, sizeof worker_fd);
    }
    if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
        return; // the dashboard has gone: the next poll says so
}

static void spawn(struct server *s)
{
    int pair[2];
    pid_t pid = -1;
    if (s->count == CHILDREN_MAX || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        answer(s->fd, pid, -1);
        return;
    }
    pid = fork_worker(s, pair);
    close(pair[1]);
    if (pid > 0)
        s->children[s->count++] = pid;
    answer(s->fd, pid, pair[0]);
    close(pair[0]);
}

static int serve(struct server *s)
{
    for (;;) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        int n = poll(&p, 1, 1000);
        reap(s);
        if (n < 0 && errno != EINTR)
            return 1;
        if (n <= 0)
            continue;
        struct order o;
        ssize_t len = recv(s->fd, &o, sizeof o, MSG_DONTWAIT);
        if (len == 0)
            return 0; // the dashboard has ended
        if (len == (ssize_t)sizeof o && o.kind == ORDER_SPAWN)
            spawn(s);
        else if (len == (ssize_t)sizeof o && o.kind == ORDER_KILL)
            kill_child(s, o.pid);
    }
}

static int server_main(const struct render_options *o, int fd)
{
    struct server s = {.options = o, .fd = fd};
    ignore_terminal();
    int status = serve(&s);
    for (size_t i = 0; i < s.count; i++)
        kill(s.children[i], SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    return status;
}

enum err render_server_start(const struct render_options *o, int *fd, pid_t *pid, struct diag *d)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return diag_errno(d, errno, "graph server: socketpair");
    pid_t child = fork();
    if (child < 0) {
        int failed = errno;
        close(pair[0]);
        close(pair[1]);
        return diag_errno(d, failed, "graph server: fork");
    }
    if (child == 0) {
        close(pair[0]);
        _exit(server_main(o, pair[1]));
    }
    close(pair[1]);
    *fd = pair[0];
    *pid = child;
    return ERR_OK;
}

enum err render_server_spawn(int fd, pid_t *pid, int *worker_fd)
{
    struct order o;
    memset(&o, 0, sizeof o);
    o.kind = ORDER_SPAWN;
    if (send(fd, &o, sizeof o, MSG_NOSIGNAL) != (ssize_t)sizeof o)
        return ERR_CLOSED;
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    pid_t child = -1;
    struct iovec bytes = {&child, sizeof child};
    struct msghdr m = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
    ssize_t n;
    do
        n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *c = n == (ssize_t)sizeof child ? CMSG_FIRSTHDR(&m) : NULL;
    if (!c || child <= 0 || c->cmsg_type != SCM_RIGHTS)
        return ERR_CLOSED;
    memcpy(worker_fd, CMSG_DATA(c), sizeof *worker_fd);
    *pid = child;
    return ERR_OK;
}

void render_server_kill(int fd, pid_t pid)
{
    struct order o;
    memset(&o, 0, sizeof o);
    o.kind = ORDER_KILL;
    o.pid = pid;
    if (send(fd, &o, sizeof o, MSG_NOSIGNAL) < 0)
        return; // a server that has gone has taken its workers with it
}
