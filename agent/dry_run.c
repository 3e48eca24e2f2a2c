// Whoever sets up a mapping of columns wants to see figures with their units, not counters. Long histories
// are cut short on the screen, but read and checked to their end.
#include "agent/dry_run.h"
#include "agent/harvest.h"
#include "agent/schedule.h"
#include "agent/source.h"
#include <poll.h>
#include <stdlib.h>

#define ROWS_SHOWN 200
#define PORTION    8192
#define SOURCE_FDS 8

struct printer {
    FILE *out;
    const struct agent_source *source;
    uint64_t rows, errors, skipped;
};

static enum err no_position(void *ctx, const char *source, const char *key, void *out, size_t cap,
                            size_t *len)
{
    (void)ctx, (void)source, (void)key, (void)out, (void)cap;
    *len = 0;
    return ERR_NOT_FOUND;
}

static enum err no_positions(void *ctx, const char *source, const char *prefix, position_visit visit,
                             void *visit_ctx)
{
    (void)ctx, (void)source, (void)prefix, (void)visit, (void)visit_ctx;
    return ERR_OK;
}

static void time_text(const struct agent_series *s, int64_t time, char out[WALL_TEXT])
{
    if (s->class == WIRE_MEASUREMENT)
        wall_text((struct wall){time * US_PER_S}, out);
    else
        period_text((struct period){s->period, (int32_t)time}, out);
}

static void print_sample(struct printer *p, const struct harvest_sample *sample)
{
    const struct agent_series *s = &p->source->series[sample->series];
    char when[WALL_TEXT], value[FIGURE_TEXT];
    if (p->rows++ >= ROWS_SHOWN)
        return;
    time_text(s, sample->time, when);
    if (s->money)
        money_text(sample->value, s->money, value);
    else
        figure_text(sample->value, value);
    fprintf(p->out, "%-16s %-32s %-20s %20s %-8s %s\n", p->source->name, s->declared, when,
            sample->value.kind == FIGURE_MISSING ? "unknown" : value, s->money ? s->currency : s->unit,
            sample->reason ? sample->reason : "");
}

static void print_harvest(struct printer *p, const struct harvest *h)
{
    for (size_t i = 0; i < h->count; i++)
        print_sample(p, &h->samples[i]);
    if (h->messages.len > 0)
        fprintf(p->out, "%s", buf_str(&h->messages));
    p->errors += h->errors;
    p->skipped += h->skipped;
}

static void wait_until_ended(struct source *s)
{
    while (!s->ops->advance(s)) {
        struct pollfd fds[SOURCE_FDS];
        int n = s->ops->fds(s, fds, SOURCE_FDS);
        (void)poll(fds, (nfds_t)n, s->ops->wait_ms(s));
    }
}

static enum err take_all(struct source *s, struct printer *p)
{
    struct harvest h;
    enum err e = ERR_OK;
    bool more = true;
    while (e == ERR_OK && more) {
        harvest_init(&h);
        e = s->ops->take(s, PORTION, &h);
        print_harvest(p, &h);
        more = h.more;
        harvest_deinit(&h);
        s->ops->settled(s, true);
    }
    return e;
}

static enum err try_source(const struct agent_source *config, const struct source_env *env, FILE *out,
                           uint64_t *errors, struct diag *d)
{
    struct source *s = NULL;
    struct schedule schedule;
    struct printer p = {.out = out, .source = config};
    enum err e = source_ops_of(config->kind)->create(config, env, &s, d);
    if (e != ERR_OK)
        return e;
    schedule_init(&schedule, config->every_s);
    s->ops->begin(s, schedule_tick(&schedule, clock_wall(env->clock)));
    wait_until_ended(s);
    e = take_all(s, &p);
    s->ops->destroy(s);
    if (e != ERR_OK)
        return diag_fail(d, e, "source %s: %s", config->name, err_text(e));
    if (p.rows > ROWS_SHOWN)
        fprintf(out, "… and %llu more\n", (unsigned long long)(p.rows - ROWS_SHOWN));
    for (size_t i = 0; i < config->series_count; i++)
        if (config->series[i].counter)
            fprintf(out, "source %s: %s is a counter: its figures begin with the second reading\n",
                    config->name, config->series[i].declared);
    fprintf(out, "source %s: %llu samples, %llu errors\n", config->name, (unsigned long long)p.rows,
            (unsigned long long)p.errors);
    *errors += p.errors;
    return ERR_OK;
}

enum err dry_run_print(const struct agent_config *config, FILE *out, uint64_t *errors, struct diag *d)
{
    const struct source_env env = {.clock = clock_system(), .get = no_position, .each = no_positions};
    enum err e = ERR_OK;
    *errors = 0;
    fprintf(out, "%-16s %-32s %-20s %20s %-8s %s\n", "source", "series", "time", "value", "unit", "note");
    for (size_t i = 0; e == ERR_OK && i < config->source_count; i++)
        e = try_source(&config->sources[i], &env, out, errors, d);
    return e;
}
