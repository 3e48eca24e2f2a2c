// Asks a web server for the same few addresses: so many a second, whether the answers come or not (a delay
// counts from when the request was due, so that a slow answer is not excused by the ones it held up), or as
// many as are answered. Connections are kept; one thread, epoll, no body is looked at: it costs little beside
// the server.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define HEAD_MAX        8192
#define DELAYS_MAX      4000000
#define REQUEST_MAX     2560

static const char usage_text[] =
    "usage: ask --port N --path PATH [--header LINE] [--rate N] [--seconds N] [--connections N]\n"
    "GETs http://127.0.0.1:N/PATH so many times a second (0: as often as it is answered); {n} in the path "
    "becomes\n"
    "the request's number. Prints one JSON object.\n";

struct options {
    long port, connections;
    double rate, seconds;
    const char *path, *header;
};

struct connection {
    int fd;
    bool busy;
    double due;
    char head[HEAD_MAX];
    size_t have;
    long body_left; // -1: the head is not complete
    int status;
};

static struct {
    struct options o;
    int epoll;
    struct connection connections[CONNECTIONS_MAX];
    float *delays;
    size_t answered, asked, failed, status[6];
    uint64_t bytes;
} all;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool open_one(struct connection *c)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)all.o.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    const int on = 1;
    if (c->fd > 0)
        close(c->fd);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->busy = false;
    return c->fd > 0 && connect(c->fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
           setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
           epoll_ctl(all.epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
}

static bool ask(struct connection *c, double due)
{
    char path[REQUEST_MAX / 2], request[REQUEST_MAX];
    const char *mark = strstr(all.o.path, "{n}");
    if (mark)
        snprintf(path, sizeof path, "%.*s%zu%s", (int)(mark - all.o.path), all.o.path, all.asked, mark + 3);
    else
        snprintf(path, sizeof path, "%s", all.o.path);
    int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost:%ld\r\n%s%s\r\n", path,
                       all.o.port, all.o.header ? all.o.header : "", all.o.header ? "\r\n" : "");
    all.asked++;
    c->busy = true;
    c->due = due;
    c->have = 0;
    c->body_left = -1;
    return send(c->fd, request, (size_t)len, MSG_NOSIGNAL) == len;
}

static void finish(struct connection *c, double now)
{
    c->busy = false;
    all.status[c->status / 100 < 6 ? c->status / 100 : 0]++;
    if (all.answered < DELAYS_MAX)
        all.delays[all.answered++] = (float)(now - c->due);
}

static bool take_head(struct connection *c)
{
    c->head[c->have] = '\0';
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end)
        return c->have < HEAD_MAX - 1;
    *end = '\0';
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    if (strncmp(c->head, "HTTP/1.", 7) != 0)
        return false;
    c->status = (int)strtol(c->head + 8, NULL, 10);
    if (!length && c->status != 304)
        return false;
    c->body_left = c->status == 304 ? 0 : strtol(length + 17, NULL, 10);
    c->body_left -= (long)(c->have - (size_t)(end + 4 - c->head));
    return true;
}

static bool receive(struct connection *c)
{
    static char rest[1 << 16];
    const bool head = c->body_left < 0;
    ssize_t n = head ? recv(c->fd, c->head + c->have, HEAD_MAX - 1 - c->have, MSG_DONTWAIT)
                     : recv(c->fd, rest, sizeof rest, MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    all.bytes += (uint64_t)n;
    if (!c->busy)
        return false;
    if (head) {
        c->have += (size_t)n;
        if (!take_head(c))
            return false;
    } else
        c->body_left -= n;
    if (c->body_left == 0)
        finish(c, now_s());
    return true;
}

static bool again(struct connection *c)
{
    all.failed++;
    return open_one(c);
}

// Hands what is due to idle connections; how long may be slept until the next is due.
static int give_out(double begun, double now, double until)
{
    for (long i = 0; i < all.o.connections && now < until; i++) {
        struct connection *c = &all.connections[i];
        const double due = all.o.rate > 0 ? begun + (double)all.asked / all.o.rate : now;
        if (due > now)
            return (int)((due - now) * 1e3);
        if (!c->busy && !ask(c, due) && !again(c))
            exit(1);
    }
    return 100;
}

static bool any_busy(void)
{
    for (long i = 0; i < all.o.connections; i++)
        if (all.connections[i].busy)
            return true;
    return false;
}

static double run(void)
{
    struct epoll_event events[CONNECTIONS_MAX];
    const double begun = now_s(), until = begun + all.o.seconds;
    double now = begun;
    while (now < until || (any_busy() && now < until + 10)) {
        const int wait_ms = give_out(begun, now, until);
        const int n = epoll_wait(all.epoll, events, CONNECTIONS_MAX, wait_ms);
        for (int i = 0; i < n; i++)
            if (!receive(events[i].data.ptr) && !again(events[i].data.ptr))
                exit(1);
        now = now_s();
    }
    return now - begun;
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static double at(double share)
{
    return all.answered ? (double)all.delays[(size_t)((double)(all.answered - 1) * share)] * 1e3 : 0;
}

static bool number(double least, double most, double *out)
{
    char *end;
    *out = strtod(optarg, &end);
    if (end != optarg && !*end && *out >= least && *out <= most)
        return true;
    fprintf(stderr, "ask: '%s' is not a number from %g to %g\n", optarg, least, most);
    return false;
}

static bool take(struct options *o, int option)
{
    double v = 0;
    switch (option) {
    case 'p':
        return number(1, 65535, &v) && (o->port = (long)v);
    case 'P':
        return strlen(optarg) < REQUEST_MAX / 2 - 32 && (o->path = optarg);
    case 'H':
        return strlen(optarg) < REQUEST_MAX / 4 && (o->header = optarg);
    case 'r':
        return number(0, 1e6, &o->rate);
    case 's':
        return number(0.1, 3600, &o->seconds);
    case 'c':
        return number(1, CONNECTIONS_MAX, &v) && (o->connections = (long)v);
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"port", 1, NULL, 'p'},    {"path", 1, NULL, 'P'},
                                                 {"header", 1, NULL, 'H'},  {"rate", 1, NULL, 'r'},
                                                 {"seconds", 1, NULL, 's'}, {"connections", 1, NULL, 'c'},
                                                 {"help", 0, NULL, 'h'},    {NULL, 0, NULL, 0}};
    all.o = (struct options){.connections = 8, .seconds = 5};
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == 'h')
            return fputs(usage_text, stdout) < 0;
        if (!take(&all.o, option))
            return 2;
    }
    if (optind < argc || !all.o.port || !all.o.path) {
        fputs(usage_text, stderr);
        return 2;
    }
    all.epoll = epoll_create1(EPOLL_CLOEXEC);
    all.delays = malloc(DELAYS_MAX * sizeof *all.delays);
    for (long i = 0; i < all.o.connections; i++)
        if (!all.delays || !open_one(&all.connections[i])) {
            fprintf(stderr, "ask: port %ld: %s\n", all.o.port, strerror(errno));
            return 1;
        }
    const double took = run();
    qsort(all.delays, all.answered, sizeof *all.delays, compare);
    printf("{\"asked\": %zu, \"answered\": %zu, \"failed\": %zu, \"ok\": %zu, \"not_modified\": %zu, "
           "\"errors\": %zu, "
           "\"bytes\": %" PRIu64
           ", \"seconds\": %.3f, \"answers_s\": %.0f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
           "\"most_ms\": %.3f}\n",
           all.asked, all.answered, all.failed, all.status[2], all.status[3], all.status[4] + all.status[5],
           all.bytes, took, (double)all.answered / took, at(0.5), at(0.99), at(1));
    return 0;
}
