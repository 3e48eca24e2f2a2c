// The world's course: whoever is due first acts, in a fixed order among those due at once; then the mishaps
// end, the sources fall silent, and all that was sampled must find its way.
#include "tests/sim/world.h"
#include "base/log.h"
#include "wire/codec.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CATALOGUE  "deploy/catalogue.yaml"
#define QUIESCE_S  1200
#define EVENTS_MAX 400000
#define SHORT_S    60
#define LONG_S     400

struct sim_stage {
    char folder[64];
    struct virtual_disk *disk;
    struct catalogue *catalogue;
    struct trace trace;
};

// ---- chance
// -------------------------------------------------------------------------------------------------------------------

uint64_t world_random(struct world *w, uint64_t below)
{
    return random_below(&w->random, below);
}

bool world_chance(struct world *w, uint32_t of_1000)
{
    return random_below(&w->random, 1000) < of_1000;
}

int64_t world_between(struct world *w, int64_t low, int64_t high)
{
    return high > low ? low + (int64_t)random_below(&w->random, (uint64_t)(high - low) + 1) : low;
}

void world_fail(struct world *w, enum fate f, const char *fmt, ...)
{
    struct sim_result *r = w->result;
    uint64_t *const count[] = {&r->lost, &r->doubled, &r->unbalanced};
    char text[sizeof r->failure];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (f < FATE_OTHER)
        ++*count[f];
    world_event(w, "FAILED: %s", text);
    if (!r->failure[0])
        memcpy(r->failure, text, sizeof text);
}

// ---- time
// ---------------------------------------------------------------------------------------------------------------------

static void advance(struct world *w, int64_t to_us)
{
    int64_t by = to_us - w->now_us;
    if (by <= 0)
        return;
    w->now_us = to_us;
    fake_clock_advance_us(&w->collector.clock, by);
    for (size_t i = 0; i < w->agent_count; i++)
        fake_clock_advance_us(&w->agents[i].clock, by);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_due_us(const struct world *w)
{
    int64_t due = least(links_due_us(w), least(collector_due_us(w), w->fault_us));
    for (size_t i = 0; i < w->agent_count; i++)
        due = least(due, agent_due_us(&w->agents[i]));
    return due;
}

static void step(struct world *w)
{
    if (w->fault_us <= w->now_us)
        faults_step(w);
    if (links_due_us(w) <= w->now_us)
        links_step(w);
    for (size_t i = 0; i < w->agent_count; i++)
        if (agent_due_us(&w->agents[i]) <= w->now_us)
            agent_step(&w->agents[i]);
    if (collector_due_us(w) <= w->now_us)
        collector_step(w);
}

static bool over(const struct world *w)
{
    return w->result->failure[0] || w->trace->events > EVENTS_MAX;
}

static void run_until(struct world *w, int64_t end_us, bool (*done)(struct world *w))
{
    while (!over(w) && (!done || !done(w))) {
        int64_t due = next_due_us(w);
        if (due > end_us)
            break;
        advance(w, due);
        step(w);
    }
    if (w->trace->events > EVENTS_MAX)
        world_fail(w, FATE_OTHER, "it never ends");
}

static bool is_quiet(struct world *w)
{
    const struct collector *c = &w->collector;
    bool quiet =
        c->running && c->observations && observations_cursor(c->observations) == ledger_position(c->ledger);
    for (size_t i = 0; quiet && i < w->agent_count; i++)
        quiet = agent_is_done(&w->agents[i]);
    return quiet;
}

static void tell_undelivered(struct world *w, const struct agent *a)
{
    static const struct spool_state none = {0};
    const struct spool_state *st = a->running ? spool_peek(a->spool) : &none;
    world_fail(w, FATE_OTHER,
               "%s (%s) has not delivered everything after %d quiet seconds: written %" PRIu64
               ", sendable %" PRIu64 ", acknowledged %" PRIu64 ", spooled %" PRIu64,
               a->name, a->running ? "running" : "down", QUIESCE_S, st->last_written, st->sendable,
               st->last_acknowledged, st->counters.spooled);
}

static void quiesce(struct world *w)
{
    faults_heal(w);
    w->quiet_us = w->now_us;
    run_until(w, w->now_us + QUIESCE_S * US_PER_S, is_quiet);
    for (size_t i = 0; !over(w) && i < w->agent_count; i++)
        if (!agent_is_done(&w->agents[i]))
            tell_undelivered(w, &w->agents[i]);
    if (!over(w) && !is_quiet(w))
        world_fail(w, FATE_OTHER, "the collector has not landed everything after %d quiet seconds",
                   QUIESCE_S);
}

// ---- a seed
// -------------------------------------------------------------------------------------------------------------------

static void make(struct world *w)
{
    w->agent_count = 1 + world_random(w, SIM_AGENTS - 1);
    for (size_t i = 0; i < w->agent_count; i++)
        agent_create(w, (int)i);
    collector_create(w);
    faults_plan(w);
}

static void unmake(struct world *w)
{
    for (size_t i = 0; i < w->agent_count; i++)
        agent_free(&w->agents[i]);
    collector_free(w);
    links_free(w);
}

static void make_folders(struct world *w)
{
    char path[2 * SIM_PATH];
    static const char *const names[] = {"collector", "agent0", "agent1", "agent2", "agent3", "kept",
                                        "copy0",     "copy1",  "copy2",  "copy3",  "copy4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", w->folder, names[i]);
        (void)mkdir(path, 0750);
        empty_folder(path);
    }
}

void sim_run(struct sim_stage *stage, uint64_t seed, bool verbose, struct sim_result *out)
{
    struct world *w = calloc(1, sizeof *w);
    *out = (struct sim_result){0};
    if (!w || wire_arena_create(&w->arena) != ERR_OK)
        abort();
    virtual_disk_restart(stage->disk, seed);
    interpose_use(stage->disk, seed);
    trace_begin(&stage->trace, verbose);
    log_set_level(verbose ? LOG_INFO : (enum log_level)(LOG_ERROR + 1));
    w->stage = stage;
    w->disk = stage->disk;
    w->catalogue = stage->catalogue;
    w->trace = &stage->trace;
    w->random = (struct random){seed};
    w->result = out;
    w->quiet_us = SIM_NEVER;
    snprintf(w->folder, sizeof w->folder, "%s", stage->folder);
    make_folders(w);
    make(w);
    run_until(w, world_between(w, SHORT_S, LONG_S) * US_PER_S, NULL);
    if (!over(w))
        quiesce(w);
    if (!over(w))
        check_all(w);
    unmake(w);
    interpose_use(NULL, 0);
    wire_arena_destroy(w->arena);
    free(w);
    out->trace = stage->trace.hash;
    out->events = stage->trace.events;
}

// ---- the stage
// ----------------------------------------------------------------------------------------------------------------

// Delivery is simulated with the widest figures there are; tests/unit/collector/verdict_test.c judges bounds.
static void widen(const struct catalogue *c)
{
    for (size_t i = 0; i < catalogue_count(c); i++)
        ((struct kpi *)catalogue_at(c, i))->max = figure_missing();
}

struct sim_stage *sim_stage_create(const char *folder)
{
    struct diag d = {""};
    struct sim_stage *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    snprintf(s->folder, sizeof s->folder, "%s", folder);
    interpose_use(NULL, 0);
    if (mkdir(folder, 0750) != 0)
        fprintf(stderr, "sim: %s can't be made\n", folder);
    else if (crypto_init() != ERR_OK || !(s->disk = virtual_disk_create(1)))
        fprintf(stderr, "sim: no disk\n");
    else if (catalogue_load(CATALOGUE, &s->catalogue, &d) != ERR_OK)
        fprintf(stderr, "sim: %s (it runs from the repository's root)\n", d.text);
    else {
        widen(s->catalogue);
        return s;
    }
    sim_stage_destroy(s);
    return NULL;
}

void sim_stage_destroy(struct sim_stage *s)
{
    char path[2 * SIM_PATH];
    static const char *const names[] = {"collector", "agent0", "agent1", "agent2", "agent3", "kept",
                                        "copy0",     "copy1",  "copy2",  "copy3",  "copy4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", s->folder, names[i]);
        empty_folder(path);
        (void)rmdir(path);
    }
    (void)rmdir(s->folder);
    virtual_disk_destroy(s->disk);
    catalogue_free(s->catalogue);
    free(s);
}

void sim_print_last(const struct sim_stage *stage)
{
    trace_print_last(&stage->trace);
}
