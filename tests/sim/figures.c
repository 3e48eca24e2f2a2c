// Sources that are made up. Their kinds keep the two habits that matter to delivery: a program is asked once
// for a tick and has forgotten it when it is asked again, so what the spool could not take is gone; a file
// says the same whenever it is read, so the position that is stored with the batch decides what is read next.
//
// This file also takes the place of agent/source.c, which knows the real kinds.
#include "kpi/period.h"
#include "tests/sim/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POSITION_KEY "rows"
#define ROWS_A_TAKE  12
#define LATE_S       36000
#define FIRST_YEAR   1990

// ---- what the figures are
// -----------------------------------------------------------------------------------------------

static uint64_t mix(uint64_t a, uint64_t b)
{
    struct random r = {a * UINT64_C(0x9e3779b97f4a7c15) + b};
    return random_next(&r);
}

// Versions of one figure always differ: a missing or real one is of version 0, and an integer says its
// version.
static struct figure value_of(uint64_t h, uint32_t version)
{
    struct figure f = figure_missing();
    enum err e = ERR_OK;
    if (version == 0 && h % 16 == 0)
        return f;
    if (version == 0 && h % 16 < 3)
        e = figure_from_real((double)(h >> 12) / 4096.5, &f);
    else if (h % 16 == 3)
        e = figure_from_integer(FIGURE_INTEGER_MAX - 1 - (int64_t)(2 * (h >> 56)) + version, &f);
    else if (h % 16 == 4)
        e = figure_from_integer(-1 - (int64_t)(h >> 40) * 2 - version, &f); // below the catalogue's least
    else
        e = figure_from_integer((int64_t)(h >> 40) * 2 + version, &f);
    return e == ERR_OK ? f : figure_missing();
}

struct harvest_sample sim_figure(const struct sim_feed *f, uint32_t series, int64_t time, uint32_t version)
{
    uint64_t h = mix(
        mix((uint64_t)f->agent->identity * 64 + (uint64_t)f->number * 8 + series, (uint64_t)time), version);
    struct harvest_sample s = {.series = series, .time = time, .value = value_of(h, version)};
    if (s.value.kind == FIGURE_MISSING)
        s.reason = "no reading";
    return s;
}

static int64_t own_time(const struct sim_feed *f, uint64_t row)
{
    if (f->config.class == WIRE_REPORT)
        return civil_to_days((struct civil){
            .year = FIRST_YEAR + (int32_t)(row / 12), .month = (int32_t)(row % 12) + 1, .day = 1});
    int64_t base = SIM_START_S - 7200;
    return row % 11 == 5 ? base - LATE_S - 10 * (int64_t)row : base + 10 * (int64_t)row;
}

struct sim_row sim_file_row(const struct sim_feed *f, uint64_t row)
{
    if (row % 7 == 3) // a correction of the row before the last
        return (struct sim_row){.time = own_time(f, row - 2), .version = 1};
    return (struct sim_row){.time = own_time(f, row), .version = 0};
}

const struct sim_feed *sim_feed_of(const struct agent *a, const char *declared, uint32_t *series)
{
    for (size_t i = 0; i < a->feed_count; i++)
        for (uint32_t k = 0; k < a->feeds[i].config.series_count; k++)
            if (strcmp(a->feeds[i].series[k].declared, declared) == 0) {
                *series = k;
                return &a->feeds[i];
            }
    return NULL;
}

// ---- feeds
// --------------------------------------------------------------------------------------------------------------

static void make_series(struct sim_feed *f, uint32_t k)
{
    struct agent_series *s = &f->series[k];
    bool report = f->config.class == WIRE_REPORT;
    *s = (struct agent_series){
        .name = f->name, .unit = report ? "person" : "piece", .currency = "", .class = f->config.class};
    snprintf(s->declared, sizeof s->declared, "%s/%c%d%u", report ? "jobs_total" : "out_units", f->name[0],
             f->number, k);
    s->step_s = report ? 0 : 10;
    s->period = report ? PERIOD_MONTH : PERIOD_NONE;
}

static void make_feed(struct world *w, struct agent *a, int number, enum agent_source_kind kind,
                      enum wire_class class)
{
    static const int64_t every[] = {10, 10, 20, 30};
    struct sim_feed *f = &a->feeds[a->feed_count];
    f->agent = a;
    f->number = number;
    snprintf(f->name, sizeof f->name, "%c%d",
             kind == AGENT_SOURCE_EXEC ? 'e'
             : class == WIRE_REPORT    ? 'r'
                                       : 'f',
             number);
    f->config = (struct agent_source){
        .name = f->name, .kind = kind, .class = class, .every_s = every[world_random(w, 4)]};
    f->config.series_count = 1 + world_random(w, SIM_SERIES);
    f->config.series = f->series;
    f->row_every_ms = world_between(w, 400, class == WIRE_REPORT ? 9000 : 4000);
    for (uint32_t k = 0; k < f->config.series_count; k++)
        make_series(f, k);
    a->feed_count++;
}

void sim_feeds_make(struct world *w, struct agent *a)
{
    uint64_t which = 1 + world_random(w, 7);
    if (which & 1)
        make_feed(w, a, 0, AGENT_SOURCE_EXEC, WIRE_MEASUREMENT);
    if (which & 2)
        make_feed(w, a, 1, AGENT_SOURCE_CSV, WIRE_MEASUREMENT);
    if (which & 4)
        make_feed(w, a, 2, AGENT_SOURCE_CSV, WIRE_REPORT);
}

// ---- the source as the sampler sees it
// ------------------------------------------------------------------------------------

struct made_up {
    struct source source;
    const struct sim_feed *feed;
    uint64_t next, given; // rows of a file: read before; with what is being taken
    int64_t tick_s;
    uint64_t pending; // samples taken and not settled
};

static enum err do_create(const struct agent_source *config, const struct source_env *env,
                          struct source **out, struct diag *d)
{
    struct made_up *m = calloc(1, sizeof *m);
    size_t len = 0;
    if (!m)
        return ERR_NOMEM;
    m->feed = (const struct sim_feed *)(const void *)config->path;
    m->source.ops = source_ops_of(config->kind);
    enum err e = env->get(env->ctx, config->name, POSITION_KEY, &m->next, sizeof m->next, &len);
    if (e != ERR_OK && e != ERR_NOT_FOUND) {
        free(m);
        return diag_fail(d, e, "the position can't be read");
    }
    m->given = m->next;
    *out = &m->source;
    return ERR_OK;
}

static void do_destroy(struct source *s)
{
    free(s);
}

static void do_begin(struct source *s, int64_t tick_s)
{
    ((struct made_up *)s)->tick_s = tick_s;
}

static int do_fds(const struct source *s, struct pollfd *out, int max)
{
    (void)s;
    (void)out;
    (void)max;
    return 0;
}

static int do_wait_ms(const struct source *s)
{
    (void)s;
    return -1;
}

static bool do_advance(struct source *s)
{
    (void)s;
    return true;
}

static enum err add_row(struct made_up *m, struct sim_row row, struct harvest *h)
{
    enum err e = ERR_OK;
    for (uint32_t k = 0; e == ERR_OK && k < m->feed->config.series_count; k++) {
        struct harvest_sample s = sim_figure(m->feed, k, row.time, row.version);
        e = harvest_add(h, &m->feed->series[k], &s, m->feed->name);
    }
    return e;
}

static uint64_t rows_there(const struct sim_feed *f)
{
    const struct world *w = f->agent->world;
    int64_t until = w->now_us < w->quiet_us ? w->now_us : w->quiet_us;
    return (uint64_t)(until / US_PER_MS / f->row_every_ms) + 1;
}

static enum err take_rows(struct made_up *m, struct harvest *h)
{
    uint64_t there = rows_there(m->feed);
    enum err e = ERR_OK;
    m->given = m->next;
    while (e == ERR_OK && m->given < there && m->given < m->next + ROWS_A_TAKE)
        e = add_row(m, sim_file_row(m->feed, m->given++), h);
    h->more = m->given < there;
    if (e == ERR_OK && m->given > m->next)
        e = harvest_position(h, POSITION_KEY, &m->given, sizeof m->given);
    return e;
}

static enum err do_take(struct source *s, size_t max_samples, struct harvest *h)
{
    struct made_up *m = (struct made_up *)s;
    const struct world *w = m->feed->agent->world;
    size_t before = h->count;
    (void)max_samples;
    enum err e = ERR_OK;
    if (m->feed->config.kind == AGENT_SOURCE_CSV)
        e = take_rows(m, h);
    else if (w->now_us < w->quiet_us)
        e = add_row(m, (struct sim_row){.time = m->tick_s}, h);
    m->pending = h->count - before;
    m->feed->agent->taken += m->pending;
    return e;
}

static void do_settled(struct source *s, bool spooled)
{
    struct made_up *m = (struct made_up *)s;
    struct agent *a = m->feed->agent;
    a->taken -= m->pending;
    if (spooled) {
        a->settled += m->pending;
        m->next = m->given;
    } else {
        a->unsettled += m->pending;
        if (m->feed->config.kind == AGENT_SOURCE_EXEC)
            a->unsettled_once += m->pending;
    }
    m->pending = 0;
}

static void do_abandon(struct source *s)
{
    (void)s;
}

static const struct source_ops made_up_ops = {.create = do_create,
                                              .destroy = do_destroy,
                                              .begin = do_begin,
                                              .fds = do_fds,
                                              .wait_ms = do_wait_ms,
                                              .advance = do_advance,
                                              .take = do_take,
                                              .settled = do_settled,
                                              .abandon = do_abandon};

const struct source_ops *source_ops_of(enum agent_source_kind kind)
{
    (void)kind;
    return &made_up_ops;
}
