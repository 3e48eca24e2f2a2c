// What a batch costs between the socket and the projections, stage by stage, in one thread and without a
// socket: the CPU of each stage, or, under `valgrind --tool=callgrind --toggle-collect='stage_*'`, its
// instructions, which are the same in every run.
#include "collector/committer.h"
#include "collector/ingest.h"
#include "store/observations.h"
#include "store/reader.h"
#include "tests/bench/load/figures.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage_text[] =
    "usage: stages --state FOLDER [--agents N] [--series N] [--samples N] [--batches N] [--group N] [--rows "
    "N]\n"
    "Takes N batches (default 2000) of so many samples (2500) in from N agents (20) of N series (1000) "
    "each,\n"
    "so many a commit (64), in one thread and without sockets, and reads them into the observations once "
    "there\n"
    "are so many rows (1).\n"
    "FOLDER must be empty or missing. Prints one JSON object: nanoseconds of CPU a sample, stage by stage.\n";

enum { AGENTS_MAX = 5000, OBSERVE_AT_ONCE = 1000000 };

struct options {
    const char *state;
    long agents, series, samples, batches, group, rows;
};

struct sender {
    struct figures figures;
    struct wire_incarnation incarnation;
    struct mq_peer peer;
    char token[ADMISSION_TOKEN];
    uint64_t sequence;
};

struct run {
    struct options o;
    struct catalogue *catalogue;
    struct counters counters;
    struct admission *admission;
    struct ledger *ledger;
    struct reader *committer_reader, *observer_reader;
    struct committer *committer;
    struct ingest *ingest;
    struct observations *observations;
    struct wire_builder *builder;
    struct sender *senders;
    struct mq_message *messages; // of a group
    struct buf bytes;            // of a group's messages
    struct item **items;
    size_t count, rows; // items; rows not yet observed
    uint64_t sent, bytes_sent, answers;
    double receive_s, commit_s, finish_s, observe_s;
};

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum err answer(void *ctx, const struct mq_peer *peer, const void *bytes, size_t len)
{
    struct run *p = ctx;
    (void)peer, (void)bytes, (void)len;
    p->answers++;
    return ERR_OK;
}

// ---- who is there
static enum err admit(struct run *p, uint32_t i, struct diag *d)
{
    struct sender *s = &p->senders[i];
    struct ledger_agent agent;
    char resident[64];
    uint8_t key[KEY_BYTES] = {1};
    memcpy(key + 1, &i, sizeof i);
    snprintf(resident, sizeof resident, "bench/load-%u", (unsigned)i);
    enum err e = ledger_agent_add(p->ledger, resident, key, &agent, d);
    if (e == ERR_OK)
        e = admission_add(p->admission, &agent);
    if (e != ERR_OK || !admission_decide(p->admission, key, s->token))
        return e == ERR_OK ? ERR_INTERNAL : e;
    s->figures = (struct figures){.series = (uint32_t)p->o.series,
                                  .samples = (uint32_t)p->o.samples,
                                  .step_s = 10,
                                  .begin_s = clock_wall(clock_system()).us / US_PER_S / 10 * 10 - 400 * 86400,
                                  .seed = i};
    memcpy(s->incarnation.bytes, &i, sizeof i);
    s->peer.len = 5;
    memcpy(s->peer.id + 1, &i, sizeof i);
    return ERR_OK;
}

static enum err open_all(struct run *p, struct diag *d)
{
    struct committer_options c = {.clock = clock_system(), .counters = &p->counters};
    struct ingest_options i = {.clock = clock_system(),
                               .counters = &p->counters,
                               .budget_bytes = UINT64_C(1) << 30,
                               .max_items = 1 << 20,
                               .max_connections = AGENTS_MAX + 1,
                               .send = answer,
                               .send_ctx = p};
    collector_counters_init(&p->counters);
    buf_init(&p->bytes, (size_t)1 << 30);
    p->senders = calloc((size_t)p->o.agents, sizeof *p->senders);
    p->messages = calloc((size_t)p->o.group, sizeof *p->messages);
    p->items = calloc((size_t)p->o.group, sizeof(struct item *));
    enum err e = p->senders && p->messages && p->items ? ERR_OK : ERR_NOMEM;
    if (e == ERR_OK)
        e = catalogue_load("deploy/catalogue.yaml", &p->catalogue, d);
    if (e == ERR_OK)
        e = ledger_open(p->o.state, clock_system(), &p->ledger, d);
    if (e == ERR_OK)
        e = admission_create(&p->admission);
    for (uint32_t n = 0; e == ERR_OK && n < p->o.agents; n++)
        e = admit(p, n, d);
    if (e == ERR_OK)
        e = reader_open(p->o.state, &p->committer_reader, d);
    if (e == ERR_OK)
        e = reader_open(p->o.state, &p->observer_reader, d);
    if (e == ERR_OK)
        e = observations_open(p->o.state, &p->observations, d);
    c.ledger = p->ledger;
    c.reader = p->committer_reader;
    c.catalogue = p->catalogue;
    c.admission = i.admission = p->admission;
    if (e == ERR_OK)
        e = committer_create(&c, &p->committer, d);
    if (e == ERR_OK)
        e = ingest_create(&i, &p->ingest);
    return e == ERR_OK ? wire_builder_create(&p->builder) : e;
}

static void close_all(struct run *p)
{
    wire_builder_destroy(p->builder);
    ingest_destroy(p->ingest);
    committer_destroy(p->committer);
    observations_close(p->observations);
    reader_close(p->observer_reader);
    reader_close(p->committer_reader);
    admission_destroy(p->admission);
    ledger_close(p->ledger);
    catalogue_free(p->catalogue);
    buf_deinit(&p->bytes);
    free(p->senders);
    free(p->messages);
    free(p->items);
}

// ---- the stages
static enum err receive(struct run *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct item *item = NULL;
        enum err e = ingest_receive(p->ingest, &p->messages[i], &item);
        if (e != ERR_OK)
            return e;
        if (item)
            p->items[p->count++] = item;
    }
    return ERR_OK;
}

static void finish(struct run *p)
{
    for (size_t i = 0; i < p->count; i++)
        ingest_finish(p->ingest, p->items[i]);
    p->count = 0;
}

static enum err observe(struct run *p, struct diag *d)
{
    size_t rows = 0;
    return observations_advance(p->observations, p->observer_reader, OBSERVE_AT_ONCE, &rows, d);
}

// What is measured goes through these, so that a profiler can tell it from the preparations.
#define STAGE __attribute__((noinline)) static
STAGE enum err stage_receive(struct run *p, size_t count)
{
    return receive(p, count);
}

STAGE enum err stage_commit(struct run *p, struct diag *d)
{
    return committer_run(p->committer, p->items, p->count, d);
}

STAGE void stage_finish(struct run *p)
{
    finish(p);
}

STAGE enum err stage_observe(struct run *p, struct diag *d)
{
    return observe(p, d);
}

static enum err prepare(struct run *p, size_t count, struct diag *d)
{
    enum err e = receive(p, count);
    if (e == ERR_OK)
        e = committer_run(p->committer, p->items, p->count, d);
    finish(p);
    return e == ERR_OK ? observe(p, d) : e;
}

// The group's messages through all of them.
static enum err measure(struct run *p, size_t count, struct diag *d)
{
    const double at = cpu_s();
    enum err e = stage_receive(p, count);
    const double received = cpu_s();
    if (e == ERR_OK)
        e = stage_commit(p, d);
    const double committed = cpu_s();
    stage_finish(p);
    const double finished = cpu_s();
    p->rows += count;
    const bool due = p->rows >= (size_t)p->o.rows;
    if (e == ERR_OK && due)
        e = stage_observe(p, d);
    if (due)
        p->rows = 0;
    p->receive_s += received - at;
    p->commit_s += committed - received;
    p->finish_s += finished - committed;
    p->observe_s += cpu_s() - finished;
    return e;
}

static void add_message(struct run *p, const struct sender *s, size_t at, size_t begin)
{
    struct mq_message *m = &p->messages[at];
    *m = (struct mq_message){.peer = s->peer, .len = p->bytes.len - begin, .fd = -1};
    memcpy(m->token, s->token, sizeof s->token);
    m->bytes = (void *)begin; // NOLINT: an offset until the buffer stops moving
}

static enum err send(struct run *p, size_t count, bool measured, struct diag *d)
{
    for (size_t i = 0; i < count; i++)
        p->messages[i].bytes = p->bytes.data + (uintptr_t)p->messages[i].bytes;
    p->bytes_sent += p->bytes.len;
    enum err e = measured ? measure(p, count, d) : prepare(p, count, d);
    buf_reset(&p->bytes);
    return e;
}

static enum err say(struct run *p, const struct sender *s, const struct wire_message *m, struct diag *d)
{
    enum err e = wire_encode(m, &p->bytes);
    add_message(p, s, 0, 0);
    return e == ERR_OK ? send(p, 1, false, d) : e;
}

static enum err introduce(struct run *p, const struct sender *s, struct diag *d)
{
    struct wire_message m = {.type = WIRE_HELLO,
                             .hello = {.protocol = WIRE_PROTOCOL,
                                       .version = "stages",
                                       .clock_us = clock_wall(clock_system()).us,
                                       .incarnation = s->incarnation,
                                       .declares = s->figures.series}};
    enum err e = say(p, s, &m, d);
    for (uint32_t n = 0; e == ERR_OK && n < s->figures.series; n++) {
        char name[FIGURES_NAME];
        m = (struct wire_message){.type = WIRE_DECLARE};
        figures_declare(&s->figures, n, name, &m.declare);
        m.declare.incarnation = s->incarnation;
        size_t begin = p->bytes.len;
        e = wire_encode(&m, &p->bytes);
        add_message(p, s, n % (size_t)p->o.group, begin);
        if (e == ERR_OK && ((n + 1) % p->o.group == 0 || n + 1 == s->figures.series))
            e = send(p, n % (size_t)p->o.group + 1, false, d);
    }
    return e;
}

static enum err send_batches(struct run *p, long batches, bool measured, struct diag *d)
{
    enum err e = ERR_OK;
    for (long made = 0; e == ERR_OK && made < batches;) {
        size_t count = 0;
        for (; e == ERR_OK && made < batches && count < (size_t)p->o.group; made++, count++) {
            struct sender *s = &p->senders[made % p->o.agents];
            size_t begin = p->bytes.len;
            e = figures_batch(&s->figures, p->builder, &s->incarnation, ++s->sequence, &p->bytes);
            add_message(p, s, count, begin);
        }
        if (e == ERR_OK)
            e = send(p, count, measured, d);
        p->sent += count;
    }
    return e;
}

static enum err run_all(struct run *p, struct diag *d)
{
    enum err e = open_all(p, d);
    for (long i = 0; e == ERR_OK && i < p->o.agents; i++)
        e = introduce(p, &p->senders[i], d);
    // Each series' first figure looks it up.
    const long first = (p->o.series + p->o.samples - 1) / p->o.samples * p->o.agents;
    if (e == ERR_OK)
        e = send_batches(p, first, false, d);
    return e == ERR_OK ? send_batches(p, p->o.batches, true, d) : e;
}

static bool take_option(struct options *o, int option)
{
    long *const number[] = {['a'] = &o->agents,  ['n'] = &o->series, ['b'] = &o->samples,
                            ['B'] = &o->batches, ['g'] = &o->group,  ['r'] = &o->rows};
    if (option == 's') {
        o->state = optarg;
        return true;
    }
    if (option >= (int)(sizeof number / sizeof *number) || !number[option])
        return false;
    *number[option] = strtol(optarg, NULL, 10);
    return *number[option] > 0;
}

int main(int argc, char **argv)
{
    static const struct option list[] = {
        {"state", required_argument, NULL, 's'},   {"agents", required_argument, NULL, 'a'},
        {"series", required_argument, NULL, 'n'},  {"samples", required_argument, NULL, 'b'},
        {"batches", required_argument, NULL, 'B'}, {"group", required_argument, NULL, 'g'},
        {"rows", required_argument, NULL, 'r'},    {NULL, 0, NULL, 0}};
    struct run p = {
        .o = {.agents = 20, .series = 1000, .samples = 2500, .batches = 2000, .group = 64, .rows = 1}};
    struct diag d = {""};
    bool good = true;
    for (int option; good && (option = getopt_long(argc, argv, "", list, NULL)) != -1;)
        good = take_option(&p.o, option);
    if (!good || !p.o.state || optind < argc || p.o.agents > AGENTS_MAX) {
        fputs(usage_text, stderr);
        return 2;
    }
    enum err e = crypto_init();
    if (e == ERR_OK)
        e = run_all(&p, &d);
    const double samples = (double)p.o.batches * (double)p.o.samples;
    const uint64_t stored = collector_counted(&p.counters, COUNTER_SAMPLES_ACCEPTED);
    if (e == ERR_OK && stored != p.sent * (uint64_t)p.o.samples)
        e = diag_fail(&d, ERR_INTERNAL, "%" PRIu64 " samples of %" PRIu64 " batches were stored", stored,
                      p.sent);
    close_all(&p);
    if (e != ERR_OK) {
        fprintf(stderr, "stages: %s: %s\n", err_name(e), d.text);
        return 1;
    }
    printf("{\"samples\": %.0f, \"batches\": %ld, \"bytes\": %" PRIu64 ", \"receive_ns\": %.2f, "
           "\"commit_ns\": %.2f, \"finish_ns\": %.2f, \"observe_ns\": %.2f}\n",
           samples, p.o.batches, p.bytes_sent, p.receive_s / samples * 1e9, p.commit_s / samples * 1e9,
           p.finish_s / samples * 1e9, p.observe_s / samples * 1e9);
    return 0;
}
