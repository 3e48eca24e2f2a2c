// What the ledger costs beyond writing bytes down for certain: the same rows in the same groups, once through
// ledger.h (SQLite, chain hash, index, watermarks) and once appended to a bare file with one fdatasync a
// group. In turns, so that both meet the same disk; medians.
#include "base/clock.h"
#include "base/crypto.h"
#include "store/ledger.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEAD_BYTES  96 // position, stream, sequence, times, counts and a chain hash, as the ledger's row has
#define ROUNDS_MAX  101
#define STREAMS_MAX 1000
#define BYTES_MAX   16384

static const char usage_text[] =
    "usage: ledger_log --folder FOLDER [--rows N] [--bytes N] [--group N] [--streams N] [--rounds N]\n"
    "Stores N rows (default 20000) of so many bytes (1000), so many a synced group (256), of 20 streams, in "
    "the\n"
    "ledger and in a bare log, in turns (rounds: 3). FOLDER must be there. Prints one JSON object.\n";

struct options {
    const char *folder;
    long rows, bytes, group, streams, rounds;
};

struct spent {
    double wall_s, cpu_s;
};

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct spent since(struct spent at)
{
    return (struct spent){seconds(CLOCK_MONOTONIC) - at.wall_s, seconds(CLOCK_PROCESS_CPUTIME_ID) - at.cpu_s};
}

static struct spent from_now(void)
{
    return since((struct spent){0});
}

// ---- the ledger
static enum err open_streams(struct ledger *l, const struct options *o, struct ledger_stream *streams,
                             struct diag *d)
{
    struct ledger_agent agent;
    int64_t received_us;
    const uint8_t key[KEY_BYTES] = {1};
    enum err e = ledger_agent_add(l, "bench/log", key, &agent, d);
    if (e == ERR_OK)
        e = ledger_begin(l, &received_us, d);
    for (long i = 0; e == ERR_OK && i < o->streams; i++) {
        struct wire_incarnation incarnation = {{1}};
        memcpy(incarnation.bytes + 1, &i, sizeof i);
        e = ledger_stream_open(l, agent.agent_id, &incarnation, &streams[i], d);
    }
    return e == ERR_OK ? ledger_commit(l, d) : e;
}

static enum err store_group(struct ledger *l, const struct options *o, struct ledger_stream *streams,
                            long first, const void *body, struct diag *d)
{
    int64_t received_us;
    enum err e = ledger_begin(l, &received_us, d);
    for (long i = first; e == ERR_OK && i < first + o->group && i < o->rows; i++) {
        struct ledger_stream *s = &streams[i % o->streams];
        const struct ledger_row row = {.stream_id = s->stream_id,
                                       .key_id = 1,
                                       .class = WIRE_MEASUREMENT,
                                       .sequence = s->last_sequence + 1,
                                       .last_sequence = s->last_sequence + 1,
                                       .samples = 1,
                                       .body = body,
                                       .body_len = (size_t)o->bytes};
        e = ledger_append(l, &row, &s->receipt, d);
        s->last_sequence++;
    }
    return e == ERR_OK ? ledger_commit(l, d) : e;
}

static enum err time_ledger(const struct options *o, long round, const void *body, struct spent *out,
                            struct diag *d)
{
    static struct ledger_stream streams[STREAMS_MAX];
    char state[512];
    struct ledger *l = NULL;
    snprintf(state, sizeof state, "%s/ledger-%ld", o->folder, round);
    enum err e = ledger_open(state, clock_system(), &l, d);
    if (e == ERR_OK)
        e = open_streams(l, o, streams, d);
    const struct spent begun = from_now();
    for (long i = 0; e == ERR_OK && i < o->rows; i += o->group)
        e = store_group(l, o, streams, i, body, d);
    *out = since(begun);
    ledger_close(l);
    return e;
}

// ---- the log
static enum err write_all(int fd, const uint8_t *bytes, size_t len, struct diag *d)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, bytes + at, len - at);
        if (n < 0)
            return diag_errno(d, errno, "the log can't be written");
        at += (size_t)n;
    }
    return fdatasync(fd) == 0 ? ERR_OK : diag_errno(d, errno, "the log can't be synced");
}

static enum err time_log(const struct options *o, long round, const void *body, struct spent *out,
                         struct diag *d)
{
    char path[512];
    const size_t row = HEAD_BYTES + (size_t)o->bytes;
    uint8_t *group = calloc((size_t)o->group, row);
    snprintf(path, sizeof path, "%s/log-%ld", o->folder, round);
    int fd = group ? open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;
    enum err e = fd >= 0 ? ERR_OK : diag_errno(d, errno, "%s can't be made", path);
    const struct spent begun = from_now();
    for (long i = 0; e == ERR_OK && i < o->rows; i += o->group) {
        const long count = o->rows - i < o->group ? o->rows - i : o->group;
        for (long n = 0; n < count; n++) {
            const long position = i + n;
            memcpy(group + (size_t)n * row, &position, sizeof position);
            memcpy(group + (size_t)n * row + HEAD_BYTES, body, (size_t)o->bytes);
        }
        e = write_all(fd, group, (size_t)count * row, d);
    }
    *out = since(begun);
    if (fd >= 0)
        (void)close(fd);
    free(group);
    return e;
}

// ---- in turns
static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, long count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static enum err run(const struct options *o, struct diag *d)
{
    double ledger_s[ROUNDS_MAX], log_s[ROUNDS_MAX], ledger_cpu[ROUNDS_MAX], log_cpu[ROUNDS_MAX];
    uint8_t body[BYTES_MAX];
    enum err e = ERR_OK;
    crypto_random(body, sizeof body);
    for (long i = 0; e == ERR_OK && i < o->rounds; i++) {
        struct spent ledger = {0}, bare = {0};
        e = time_ledger(o, i, body, &ledger, d);
        if (e == ERR_OK)
            e = time_log(o, i, body, &bare, d);
        ledger_s[i] = ledger.wall_s;
        log_s[i] = bare.wall_s;
        ledger_cpu[i] = ledger.cpu_s;
        log_cpu[i] = bare.cpu_s;
    }
    if (e != ERR_OK)
        return e;
    const double rows = (double)o->rows, a = median(ledger_s, o->rounds), b = median(log_s, o->rounds);
    printf("{\"rows\": %ld, \"bytes\": %ld, \"group\": %ld, \"ledger_rows_s\": %.0f, \"log_rows_s\": %.0f, "
           "\"log_to_ledger\": %.2f, \"ledger_cpu_us\": %.2f, \"log_cpu_us\": %.2f}\n",
           o->rows, o->bytes, o->group, rows / a, rows / b, a / b, median(ledger_cpu, o->rounds) / rows * 1e6,
           median(log_cpu, o->rounds) / rows * 1e6);
    return ERR_OK;
}

static bool take_option(struct options *o, int option)
{
    long *const number[] = {
        ['n'] = &o->rows, ['b'] = &o->bytes, ['g'] = &o->group, ['s'] = &o->streams, ['r'] = &o->rounds};
    if (option == 'f') {
        o->folder = optarg;
        return true;
    }
    if (option >= (int)(sizeof number / sizeof *number) || !number[option])
        return false;
    *number[option] = strtol(optarg, NULL, 10);
    return *number[option] > 0;
}

int main(int argc, char **argv)
{
    static const struct option list[] = {{"folder", required_argument, NULL, 'f'},
                                         {"rows", required_argument, NULL, 'n'},
                                         {"bytes", required_argument, NULL, 'b'},
                                         {"group", required_argument, NULL, 'g'},
                                         {"streams", required_argument, NULL, 's'},
                                         {"rounds", required_argument, NULL, 'r'},
                                         {NULL, 0, NULL, 0}};
    struct options o = {.rows = 20000, .bytes = 1000, .group = 256, .streams = 20, .rounds = 3};
    struct diag d = {""};
    bool good = true;
    for (int option; good && (option = getopt_long(argc, argv, "", list, NULL)) != -1;)
        good = take_option(&o, option);
    if (!good || !o.folder || optind < argc || o.bytes > BYTES_MAX || o.streams > STREAMS_MAX ||
        o.rounds > ROUNDS_MAX || o.group > 100000) {
        fputs(usage_text, stderr);
        return 2;
    }
    enum err e = crypto_init();
    if (e == ERR_OK)
        e = run(&o, &d);
    if (e != ERR_OK)
        fprintf(stderr, "ledger_log: %s: %s\n", err_name(e), d.text);
    return e == ERR_OK ? 0 : 1;
}
