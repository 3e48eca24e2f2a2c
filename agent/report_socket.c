// SOCK_SEQPACKET keeps requests whole, so there is nothing to assemble and a client can only be silent: four
// may be at a time, for five seconds each. Who may connect is who may write to the socket's file: the agent's
// user and group. An answer is one letter, '+' or the number of an error as a letter from 'a' on, and text.
#include "agent/report_socket.h"
#include "base/clock.h"
#include "net/local.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLIENTS   (REPORT_SOCKET_FDS - 1)
#define SILENT_MS 5000

struct report_socket {
    int fd;
    struct sockaddr_un address;
    struct {
        int fd; // −1: free
        struct mono since;
    } clients[CLIENTS];
};

static enum err address_of(const char *state, struct sockaddr_un *out, struct diag *d)
{
    char endpoint[4200];
    snprintf(endpoint, sizeof endpoint, "ipc://%s/" REPORT_SOCKET_FILE, state);
    return local_address(endpoint, out, d);
}

static enum err listen_on(struct report_socket *s, struct diag *d)
{
    struct stat st;
    const char *path = s->address.sun_path;
    if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        return diag_fail(d, ERR_EXISTS, "%s is in the way: it is not a socket; move it", path);
    (void)unlink(path);
    s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return diag_errno(d, errno, "opening a local socket");
    if (bind(s->fd, (const struct sockaddr *)&s->address, sizeof s->address) != 0 || chmod(path, 0660) != 0 ||
        listen(s->fd, CLIENTS) != 0)
        return diag_errno(d, errno, "%s", path);
    return ERR_OK;
}

enum err report_socket_open(const char *state, struct report_socket **out, struct diag *d)
{
    struct report_socket *s = calloc(1, sizeof *s);
    if (!s)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    s->fd = -1;
    for (int i = 0; i < CLIENTS; i++)
        s->clients[i].fd = -1;
    enum err e = address_of(state, &s->address, d);
    if (e == ERR_OK)
        e = listen_on(s, d);
    if (e == ERR_OK) {
        *out = s;
        return ERR_OK;
    }
    if (s->fd >= 0)
        close(s->fd);
    free(s);
    return e;
}

static void drop(struct report_socket *s, int i)
{
    if (s->clients[i].fd >= 0)
        close(s->clients[i].fd);
    s->clients[i].fd = -1;
}

void report_socket_close(struct report_socket *s)
{
    if (!s)
        return;
    (void)unlink(s->address.sun_path);
    for (int i = 0; i < CLIENTS; i++)
        drop(s, i);
    close(s->fd);
    free(s);
}

int report_socket_fds(const struct report_socket *s, struct pollfd *out, int max)
{
    int n = 0;
    if (!s)
        return 0;
    bool room = false;
    for (int i = 0; i < CLIENTS; i++) {
        room = room || s->clients[i].fd < 0;
        if (s->clients[i].fd >= 0 && n < max)
            out[n++] = (struct pollfd){.fd = s->clients[i].fd, .events = POLLIN};
    }
    if (room && n < max)
        out[n++] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    return n;
}

static void accept_clients(struct report_socket *s)
{
    for (int i = 0; i < CLIENTS; i++) {
        if (s->clients[i].fd >= 0)
            continue;
        s->clients[i].fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (s->clients[i].fd < 0)
            return;
        s->clients[i].since = clock_mono(clock_system());
    }
}

// A client that does not take its answer has lost nothing but the answer.
static void answer(int fd, enum err e, const char *text)
{
    char reply[REPORT_ANSWER_MAX + 1];
    int n = snprintf(reply, sizeof reply, "%c%s", e == ERR_OK ? '+' : 'a' + (int)e, text);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof reply ? (size_t)n : sizeof reply - 1;
    (void)!send(fd, reply, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static enum err serve_request(int fd, const char *request, size_t len, struct sampler *sampler,
                              struct diag *d)
{
    char said[REPORT_ANSWER_MAX] = "";
    struct report_request r;
    struct diag why = {""};
    void *holder = NULL;
    enum err e = report_decode(request, len, &r, &holder, &why);
    if (e == ERR_OK) {
        e = sampler_report(sampler, &r, said, &why);
        report_forget(holder);
    }
    answer(fd, e, e == ERR_OK ? said : why.text);
    return e == ERR_IO || e == ERR_CORRUPT ? diag_fail(d, e, "%s", why.text) : ERR_OK;
}

static enum err serve_client(struct report_socket *s, int i, struct sampler *sampler, struct diag *d)
{
    char request[REPORT_REQUEST_MAX + 1];
    ssize_t n = recv(s->clients[i].fd, request, sizeof request, MSG_DONTWAIT);
    bool waits = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (waits && mono_diff_ms(clock_mono(clock_system()), s->clients[i].since) < SILENT_MS)
        return ERR_OK;
    enum err e = ERR_OK;
    if (n > 0 && n <= REPORT_REQUEST_MAX)
        e = serve_request(s->clients[i].fd, request, (size_t)n, sampler, d);
    else if (n > REPORT_REQUEST_MAX)
        answer(s->clients[i].fd, ERR_TOO_BIG, "the report's texts are too long");
    drop(s, i);
    return e;
}

enum err report_socket_serve(struct report_socket *s, struct sampler *sampler, struct diag *d)
{
    enum err e = ERR_OK;
    if (!s)
        return ERR_OK;
    accept_clients(s);
    for (int i = 0; e == ERR_OK && i < CLIENTS; i++)
        if (s->clients[i].fd >= 0)
            e = serve_client(s, i, sampler, d);
    return e;
}

// ---- the other side

static enum err connect_to(const char *state, int *fd, struct diag *d)
{
    struct sockaddr_un address;
    enum err e = address_of(state, &address, d);
    if (e != ERR_OK)
        return e;
    *fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return diag_errno(d, errno, "opening a local socket");
    if (connect(*fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return ERR_OK;
    if (errno == EACCES || errno == EPERM)
        return diag_fail(d, ERR_DENIED, "%s: this user may not speak to the running agent: use its user",
                         address.sun_path);
    return diag_fail(d, ERR_CLOSED, "%s: the agent that holds this folder does not answer: %s",
                     address.sun_path, strerror(errno));
}

static enum err take_answer(const char *reply, size_t len, char said[REPORT_ANSWER_MAX], struct diag *d)
{
    snprintf(said, REPORT_ANSWER_MAX, "%.*s", (int)(len - 1), reply + 1);
    if (reply[0] == '+')
        return ERR_OK;
    enum err e = reply[0] > 'a' ? (enum err)(reply[0] - 'a') : ERR_INTERNAL;
    return diag_fail(d, e, "%s", said);
}

static enum err exchange(int fd, const char *request, int timeout_ms, char said[REPORT_ANSWER_MAX],
                         struct diag *d)
{
    static const char unknown[] = "whether the figure was taken is not known; report it again: a second one "
                                  "is refused";
    char reply[REPORT_ANSWER_MAX + 1];
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        return diag_fail(d, ERR_CLOSED, "the agent went away");
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready = poll(&p, 1, timeout_ms);
    if (ready <= 0)
        return diag_fail(d, ERR_TIMEOUT, "the running agent did not answer within %d s: %s",
                         timeout_ms / 1000, unknown);
    ssize_t n = recv(fd, reply, sizeof reply - 1, 0);
    if (n <= 0)
        return diag_fail(d, ERR_IO, "the agent ended before it answered: %s", unknown);
    reply[n] = '\0';
    return take_answer(reply, (size_t)n, said, d);
}

enum err report_socket_ask(const char *state, const char *request, int timeout_ms,
                           char said[REPORT_ANSWER_MAX], struct diag *d)
{
    int fd = -1;
    enum err e = connect_to(state, &fd, d);
    if (e == ERR_OK)
        e = exchange(fd, request, timeout_ms, said, d);
    if (fd >= 0)
        close(fd);
    return e;
}
