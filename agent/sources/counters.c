// The whole increment is the figure of the step at whose end it was read, however many steps lie between two
// readings: sums over time are right, and nothing is made up for the steps nobody looked at.
//
// A counter that began again may have risen before it did so, unseen; that is why it is counted as an error
// of the source and not passed over. Differences of decimals are rounded to nine places: 0.3 − 0.1 is 0.2 on
// the meter.
//
// A time that can't have been yet (a typing error; a clock that ran ahead) must not keep a counter silent
// until it has come. Such a reading is not taken: what rose is in the next one. And where one was taken
// before the clock was set back, its time says nothing about what is early or late, but its value still does.
#include "agent/sources/counters.h"
#include "agent/sources/figures.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 256

struct reading { // no padding: stored as it is, on the machine that reads it
    int64_t time;
    uint64_t kind; // enum figure_kind; FIGURE_MISSING: none yet
    union {
        int64_t integer;
        double real;
    };
};

struct counter {
    bool loaded;
    struct reading last, spooled;
};

struct counters {
    const struct agent_source *config;
    const struct source_env *env;
    bool live;
    struct counter *each; // of the config's series
};

enum err counters_create(const struct agent_source *config, const struct source_env *env, bool live,
                         struct counters **out)
{
    struct counters *c = calloc(1, sizeof *c);
    if (c)
        c->each = calloc(config->series_count ? config->series_count : 1, sizeof *c->each);
    if (!c || !c->each) {
        counters_destroy(c);
        return ERR_NOMEM;
    }
    c->config = config;
    c->env = env;
    c->live = live;
    *out = c;
    return ERR_OK;
}

void counters_destroy(struct counters *c)
{
    if (!c)
        return;
    free(c->each);
    free(c);
}

// ---- the last reading

// With another unit or currency it is another counter.
static void key_of(const struct counters *c, size_t i, char out[KEY_MAX])
{
    const struct agent_series *s = &c->config->series[i];
    snprintf(out, KEY_MAX, "%scounter/%s|%s|%s", c->live ? POSITION_LIVE : "", s->declared, s->unit,
             s->currency);
}

static struct figure figure_of(const struct reading *r)
{
    struct figure f = figure_missing();
    if (r->kind == FIGURE_INTEGER)
        (void)!figure_from_integer(r->integer, &f);
    else if (r->kind == FIGURE_REAL)
        (void)!figure_from_real(r->real, &f);
    return f;
}

static struct reading reading_of(int64_t time, struct figure f)
{
    struct reading r = {.time = time, .kind = f.kind};
    if (f.kind == FIGURE_INTEGER)
        r.integer = f.integer;
    else
        r.real = f.real;
    return r;
}

// One that does not read as a figure is none: the next reading begins anew.
static enum err load(struct counters *c, size_t i)
{
    struct counter *n = &c->each[i];
    char key[KEY_MAX];
    struct reading r;
    size_t len = 0;
    if (n->loaded)
        return ERR_OK;
    key_of(c, i, key);
    enum err e = c->env->get(c->env->ctx, c->config->name, key, &r, sizeof r, &len);
    if (e != ERR_OK && e != ERR_NOT_FOUND && e != ERR_TOO_BIG)
        return e;
    if (e == ERR_OK && len == sizeof r && figure_of(&r).kind != FIGURE_MISSING)
        n->last = n->spooled = r;
    n->loaded = true;
    return ERR_OK;
}

// ---- increments

static bool is_less(struct figure a, struct figure b)
{
    if (a.kind == FIGURE_INTEGER && b.kind == FIGURE_INTEGER)
        return a.integer < b.integer;
    return figure_to_real(a) < figure_to_real(b);
}

// a + more − b
static enum err difference(struct figure a, int64_t more, struct figure b, struct figure *out)
{
    if (a.kind == FIGURE_INTEGER && b.kind == FIGURE_INTEGER)
        return figure_from_integer(a.integer + more - b.integer, out);
    long double d = (long double)figure_to_real(a) + (long double)more - (long double)figure_to_real(b);
    return figure_from_real((double)(d < 9e6L ? roundl(d * 1e9L) / 1e9L : d), out);
}

// Backwards by more than half of its range is not what a counter that ran over looks like.
static bool ran_over(const struct agent_series *s, struct figure now, struct figure before)
{
    double wrap = (double)s->wrap, last = figure_to_real(before);
    return s->wrap > 0 && last < wrap && figure_to_real(now) + wrap - last < wrap / 2;
}

static enum err increment(const struct agent_series *s, struct figure now, struct figure before,
                          const char *where, struct harvest *h, struct figure *out)
{
    if (!is_less(now, before))
        return difference(now, 0, before, out);
    if (ran_over(s, now, before))
        return difference(now, s->wrap, before, out);
    char had[FIGURE_TEXT], shows[FIGURE_TEXT];
    figure_text(before, had);
    figure_text(now, shows);
    harvest_error(
        h, "%s: %s: the counter shows %s after %s: it began again, what it counted in between is not known",
        where, s->declared, shows, had);
    *out = now;
    return ERR_OK;
}

// Late ones give nothing. Where the reading before lies ahead, one of a file that shows no more may be a row
// that is read again; a program says what is so now.
static bool is_passed_over(const struct counters *c, const struct counter *n,
                           const struct harvest_sample *reading, const char *where, struct harvest *h)
{
    const struct agent_series *s = &c->config->series[reading->series];
    const struct figure had = figure_of(&n->last);
    if (n->last.kind == FIGURE_MISSING || reading->time > n->last.time)
        return false;
    if (figures_is_ahead(c->env->clock, n->last.time)) {
        if (c->live || is_less(had, reading->value))
            return false;
        if (is_less(reading->value, had))
            harvest_error(h, "%s: %s: less than before, at time %lld, which is in the future: passed over",
                          where, s->declared, (long long)n->last.time);
    }
    h->skipped++;
    return true;
}

enum err counters_add(struct counters *c, const struct harvest_sample *reading, const char *where,
                      struct harvest *h)
{
    const struct agent_series *s = &c->config->series[reading->series];
    struct counter *n = &c->each[reading->series];
    struct harvest_sample sample = *reading;
    if (reading->value.kind == FIGURE_MISSING)
        return harvest_add(h, s, reading, where);
    enum err e = load(c, reading->series);
    if (e != ERR_OK)
        return e;
    if (figures_is_ahead(c->env->clock, reading->time)) {
        harvest_error(h, "%s: %s: the time %lld is in the future by this machine's clock: passed over", where,
                      s->declared, (long long)reading->time);
        return ERR_OK;
    }
    if (is_passed_over(c, n, reading, where, h))
        return ERR_OK;
    if (is_less(reading->value, (struct figure){.kind = FIGURE_INTEGER})) {
        harvest_error(h, "%s: %s: a counter is never below 0", where, s->declared);
        return ERR_OK;
    }
    bool first = n->last.kind == FIGURE_MISSING;
    size_t before = h->count;
    if (!first) {
        e = increment(s, reading->value, figure_of(&n->last), where, h, &sample.value);
        if (e == ERR_OK)
            e = harvest_add(h, s, &sample, where);
    }
    if (e == ERR_OK && (first || h->count > before))
        n->last = reading_of(reading->time, reading->value);
    return e;
}

// ---- with the figures

static bool has_changed(const struct counter *n)
{
    const struct reading *a = &n->last, *b = &n->spooled;
    return n->loaded && (a->time != b->time || a->kind != b->kind || a->integer != b->integer);
}

enum err counters_positions(const struct counters *c, struct harvest *h)
{
    char key[KEY_MAX];
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < c->config->series_count; i++) {
        if (!has_changed(&c->each[i]))
            continue;
        key_of(c, i, key);
        e = harvest_position(h, key, &c->each[i].last, sizeof c->each[i].last);
    }
    return e;
}

void counters_settled(struct counters *c, bool spooled)
{
    for (size_t i = 0; i < c->config->series_count; i++) {
        struct counter *n = &c->each[i];
        if (spooled)
            n->spooled = n->last;
        else
            n->last = n->spooled;
    }
}
