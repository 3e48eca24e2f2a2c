// The file is read as texts (config_schema.c); here each text gets its meaning, and each mistake its place
// and the way out. The checked form borrows its strings from the loaded one, which lives as long.
#include "agent/config.h"
#include "agent/config_internal.h"
#include "kpi/series.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPOOL_MAX_BYTES_DEFAULT (UINT64_C(256) << 20)
#define SPOOL_MAX_BYTES_LEAST   (UINT64_C(1) << 20)
#define SPOOL_MAX_AGE_DEFAULT   (INT64_C(30) * 86400 * 1000)
#define EVERY_MAX_MS            (INT64_C(86400) * 1000)
#define TIMEOUT_DEFAULT_MS      INT64_C(5000)
#define ENDPOINT_MAX            255

struct holder { // what agent_config_free gets back
    struct agent_config config;
    struct agent_yaml *yaml;
    char *file;
    struct agent_source *sources;
    struct agent_series *series; // of all sources, in their order
};

const char *agent_source_kind_name(enum agent_source_kind k)
{
    static const char *const names[] = {"csv", "exec", "hand"};
    return names[k];
}

enum err agent_config_bad(const struct place *p, const char *key, const char *fmt, ...)
{
    char text[400], path[128];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    snprintf(path, sizeof path, "%s%s%s", p->path, *p->path && *key ? "." : "", key);
    return config_error(p->d, p->file, path, "%s", text);
}

enum err agent_config_need(const struct place *p, const char *key, const char *value, const char *why)
{
    return value && *value ? ERR_OK : agent_config_bad(p, key, "is missing: %s", why);
}

enum err agent_config_refuse(const struct place *p, const char *key, const void *value, const char *why)
{
    return value ? agent_config_bad(p, key, "does not belong here: %s", why) : ERR_OK;
}

static enum err read_duration(const struct place *p, const char *key, const char *text, int64_t least_ms,
                              int64_t most_ms, const char *want, int64_t *out)
{
    int64_t ms = 0;
    if (config_parse_duration_ms(text, &ms) != ERR_OK || ms < least_ms || ms > most_ms)
        return agent_config_bad(p, key, "'%s' must be %s", text, want);
    *out = ms;
    return ERR_OK;
}

// ---- series

static enum err read_money(const struct place *p, const struct agent_yaml_series *y, struct agent_series *s)
{
    bool money = strcmp(y->unit, "money") == 0;
    s->money = NULL;
    s->currency = "";
    if (!money)
        return agent_config_refuse(p, "currency", y->currency, "only a series with unit: money has one");
    enum err e =
        agent_config_need(p, "currency", y->currency, "money needs its ISO 4217 code, e.g. currency: KZT");
    if (e != ERR_OK)
        return e;
    const struct currency *c = currency_find(y->currency);
    if (!c)
        return agent_config_bad(p, "currency", "'%s' is not known: KZT, UZS, KGS, RUB, USD or EUR",
                                y->currency);
    s->currency = c->code;
    s->money = c;
    return ERR_OK;
}

static enum err read_step(const struct place *p, const struct agent_yaml_series *y, struct agent_series *s)
{
    enum err e = agent_config_refuse(p, "period", y->period, "a measurement has a step, a report a period");
    if (e == ERR_OK)
        e = agent_config_need(p, "step", y->step, "a measurement has one, e.g. step: 10s");
    int64_t ms = WIRE_STEP_MIN_S * 1000;
    if (e == ERR_OK)
        e = read_duration(p, "step", y->step, WIRE_STEP_MIN_S * 1000, WIRE_STEP_MAX_S * 1000,
                          "from 10s to 1h and a divisor of 1h", &ms);
    if (e != ERR_OK)
        return e;
    if (ms % 1000 != 0 || 3600 % (ms / 1000) != 0)
        return agent_config_bad(p, "step", "'%s' must be from 10s to 1h and a divisor of 1h", y->step);
    s->step_s = (uint32_t)(ms / 1000);
    return ERR_OK;
}

static enum err read_period(const struct place *p, const struct agent_yaml_series *y, struct agent_series *s)
{
    enum err e = agent_config_refuse(p, "step", y->step, "a report has a period, a measurement a step");
    if (e == ERR_OK)
        e = agent_config_need(p, "period", y->period, "a report has one: day, month, quarter or year");
    if (e != ERR_OK)
        return e;
    if (period_kind_parse(y->period, &s->period) != ERR_OK || s->period == PERIOD_NONE)
        return agent_config_bad(p, "period", "'%s' must be day, month, quarter or year", y->period);
    return ERR_OK;
}

static enum err read_declared_name(const struct place *p, const struct agent_yaml_series *y,
                                   struct agent_series *s)
{
    static const char want[] = "must be lower-case letters, digits, '_', '.' or '-', at most 63 of them, and "
                               "begin with a letter or digit";
    if (!series_part_valid(y->kpi))
        return agent_config_bad(p, "kpi", "'%s' %s", y->kpi, want);
    if (y->dimension && !series_part_valid(y->dimension))
        return agent_config_bad(p, "dimension", "'%s' %s", y->dimension, want);
    snprintf(s->declared, sizeof s->declared, "%s%s%s", y->kpi, y->dimension ? "/" : "",
             y->dimension ? y->dimension : "");
    return ERR_OK;
}

static enum err read_source_name_of_series(const struct place *p, const struct agent_yaml_series *y,
                                           enum agent_source_kind kind, struct agent_series *s)
{
    bool csv = kind == AGENT_SOURCE_CSV;
    if (kind == AGENT_SOURCE_HAND) {
        s->name = s->declared;
        return agent_config_refuse(p, "column", y->column ? y->column : y->name,
                                   "what is reported by hand is called by kpi and dimension");
    }
    enum err e = csv ? agent_config_refuse(p, "name", y->name, "a csv source's series names its column")
                     : agent_config_refuse(p, "column", y->column,
                                           "an exec source's series has the name the program prints");
    if (e != ERR_OK)
        return e;
    s->name = csv ? y->column : y->name;
    if (csv)
        return agent_config_need(p, "column", s->name, "the header of the column the figures are in");
    e = agent_config_need(p, "name", s->name, "the name the program prints before the value");
    if (e == ERR_OK && strpbrk(s->name, " \t\r\n"))
        e = agent_config_bad(p, "name", "'%s' must not contain blanks", s->name);
    return e;
}

static enum err read_counter(const struct place *p, const struct agent_yaml_series *y, struct agent_series *s)
{
    struct figure wrap;
    if (y->counter && strcmp(y->counter, "true") != 0 && strcmp(y->counter, "false") != 0)
        return agent_config_bad(p, "counter", "'%s' must be true or false", y->counter);
    s->counter = y->counter && strcmp(y->counter, "true") == 0;
    if (s->counter && s->class != WIRE_MEASUREMENT)
        return agent_config_bad(p, "counter", "only a measurement can be read from a counter");
    if (!y->wrap)
        return ERR_OK;
    if (!s->counter)
        return agent_config_bad(p, "wrap", "only a counter has it");
    if (figure_parse(y->wrap, &wrap) != ERR_OK || wrap.kind != FIGURE_INTEGER || wrap.integer < 2)
        return agent_config_bad(
            p, "wrap", "'%s' must be a whole number, e.g. 4294967296 for a counter of 32 bits", y->wrap);
    s->wrap = wrap.integer;
    return ERR_OK;
}

static enum err read_series(const struct place *p, const struct agent_yaml_series *y,
                            const struct agent_source *source, struct agent_series *s)
{
    s->class = source->class;
    s->unit = y->unit;
    if (strlen(y->unit) > WIRE_UNIT_MAX)
        return agent_config_bad(p, "unit", "'%s' is longer than %d bytes", y->unit, WIRE_UNIT_MAX);
    enum err e = read_declared_name(p, y, s);
    if (e == ERR_OK)
        e = read_source_name_of_series(p, y, source->kind, s);
    if (e == ERR_OK)
        e = s->class == WIRE_MEASUREMENT ? read_step(p, y, s) : read_period(p, y, s);
    if (e == ERR_OK)
        e = read_counter(p, y, s);
    if (e == ERR_OK)
        e = read_money(p, y, s);
    return e;
}

// ---- sources

// What only a csv source has.
static enum err refuse_csv(const struct place *p, const struct agent_yaml_source *y)
{
    const struct {
        const char *key, *value;
    } settings[] = {
        {"path", y->path},         {"separator", y->separator},     {"decimal", y->decimal},
        {"encoding", y->encoding}, {"time_column", y->time_column}, {"published_column", y->published_column},
        {"whole", y->whole}};
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < sizeof settings / sizeof *settings; i++)
        e = agent_config_refuse(p, settings[i].key, settings[i].value, "only a csv source has it");
    return e;
}

static enum err read_hand(const struct place *p, const struct agent_yaml_source *y,
                          const struct agent_source *s)
{
    enum err e = refuse_csv(p, y);
    if (e == ERR_OK)
        e = agent_config_refuse(p, "command", y->command, "only an exec source has it");
    if (e == ERR_OK)
        e = agent_config_refuse(p, "timeout", y->timeout, "only an exec source has it");
    return e == ERR_OK && s->class != WIRE_REPORT
               ? agent_config_bad(p, "class", "what people report by hand are reports: class: report")
               : e;
}

static enum err read_exec(const struct place *p, const struct agent_yaml_source *y, struct agent_source *s)
{
    if (y->command_count == 0 || !y->command[0][0])
        return agent_config_bad(
            p, "command", "is missing: the program and its arguments, e.g. [\"/usr/bin/prog\", \"--live\"]");
    enum err e = refuse_csv(p, y);
    s->timeout_ms = TIMEOUT_DEFAULT_MS < s->every_s * 1000 ? TIMEOUT_DEFAULT_MS : s->every_s * 1000;
    if (e == ERR_OK && y->timeout)
        e = read_duration(p, "timeout", y->timeout, 100, s->every_s * 1000,
                          "from 100ms to the length of `every`", &s->timeout_ms);
    if (e != ERR_OK)
        return e;
    s->argv = calloc(y->command_count + 1, sizeof *s->argv);
    if (!s->argv)
        return diag_fail(p->d, ERR_NOMEM, "out of memory");
    for (unsigned i = 0; i < y->command_count; i++)
        s->argv[i] = y->command[i];
    return ERR_OK;
}

static enum err read_every(const struct place *p, const struct agent_yaml_source *y, struct agent_source *s)
{
    int64_t ms = 0;
    s->every_s = EVERY_MAX_MS / 1000;
    if (s->kind == AGENT_SOURCE_HAND)
        return agent_config_refuse(p, "every", y->every, "a person is not asked");
    enum err e = agent_config_need(p, "every", y->every, "how often to look, e.g. every: 10s");
    if (e == ERR_OK)
        e = read_duration(p, "every", y->every, 1000, EVERY_MAX_MS, "whole seconds from 1s to 1d", &ms);
    if (e == ERR_OK && ms % 1000 != 0)
        e = agent_config_bad(p, "every", "'%s' must be whole seconds from 1s to 1d", y->every);
    s->every_s = ms / 1000;
    return e;
}

static enum err read_source_head(const struct place *p, const struct agent_yaml_source *y,
                                 struct agent_source *s)
{
    s->name = y->name;
    if (!series_part_valid(y->name))
        return agent_config_bad(
            p, "name", "'%s' must be lower-case letters, digits, '_', '.' or '-', at most 63 of them",
            y->name);
    if (strcmp(y->kind, "csv") == 0)
        s->kind = AGENT_SOURCE_CSV;
    else if (strcmp(y->kind, "exec") == 0)
        s->kind = AGENT_SOURCE_EXEC;
    else if (strcmp(y->kind, "hand") == 0)
        s->kind = AGENT_SOURCE_HAND;
    else
        return agent_config_bad(p, "kind", "'%s' must be csv, exec or hand", y->kind);
    if (strcmp(y->class, "measurement") == 0)
        s->class = WIRE_MEASUREMENT;
    else if (strcmp(y->class, "report") == 0)
        s->class = WIRE_REPORT;
    else
        return agent_config_bad(p, "class", "'%s' must be measurement or report", y->class);
    return read_every(p, y, s);
}

static enum err check_source_unique(const struct holder *h, const struct place *p, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(h->sources[i].name, h->sources[index].name) == 0)
            return agent_config_bad(p, "name",
                                    "'%s' is already the name of sources[%zu]: each source has its own",
                                    h->sources[i].name, i);
    return ERR_OK;
}

// Measurements of one series may come from several sources that agree on it (a file with the past, a program
// with the present): each has its own times. Reports may not: what a source has reported is kept by source.
// One name (column) of a source feeds one series.
static enum err check_series_unique(const struct holder *h, const struct place *p,
                                    const struct agent_source *of, const struct agent_series *s)
{
    for (const struct agent_series *other = h->series; other < s; other++) {
        bool same = strcmp(other->declared, s->declared) == 0, within = other >= of->series;
        if (same && (within || s->class == WIRE_REPORT || other->class == WIRE_REPORT))
            return agent_config_bad(
                p, "kpi", "the series %s is already given by another entry: one series has one source",
                s->declared);
        if (same && (strcmp(other->unit, s->unit) != 0 || strcmp(other->currency, s->currency) != 0 ||
                     other->step_s != s->step_s))
            return agent_config_bad(
                p, "kpi", "the series %s is given by another source with another unit or step", s->declared);
        if (within && strcmp(other->name, s->name) == 0)
            return agent_config_bad(p, of->kind == AGENT_SOURCE_CSV ? "column" : "name",
                                    "'%s' is already used for the series %s", s->name, other->declared);
    }
    return ERR_OK;
}

static enum err read_source(struct holder *h, struct place *p, size_t index, struct agent_series *series)
{
    const struct agent_yaml_source *y = &h->yaml->sources[index];
    struct agent_source *s = &h->sources[index];
    s->series = series;
    s->series_count = y->series_count;
    snprintf(p->path, sizeof p->path, "sources[%zu]", index);
    enum err e = read_source_head(p, y, s);
    if (e == ERR_OK)
        e = check_source_unique(h, p, index);
    if (e == ERR_OK)
        e = s->kind == AGENT_SOURCE_CSV    ? agent_config_read_csv(p, y, s)
            : s->kind == AGENT_SOURCE_EXEC ? read_exec(p, y, s)
                                           : read_hand(p, y, s);
    for (size_t i = 0; e == ERR_OK && i < y->series_count; i++) {
        snprintf(p->path, sizeof p->path, "sources[%zu].series[%zu]", index, i);
        e = read_series(p, &y->series[i], s, &series[i]);
        if (e == ERR_OK)
            e = check_series_unique(h, p, s, &series[i]);
    }
    return e;
}

static enum err read_sources(struct holder *h, struct place *p)
{
    size_t total = 0;
    for (size_t i = 0; i < h->yaml->sources_count; i++)
        total += h->yaml->sources[i].series_count;
    if (total == 0 || total > AGENT_SERIES_MAX)
        return agent_config_bad(p, "sources",
                                "%zu series in all must be 1 to %d: for more, run a second agent", total,
                                AGENT_SERIES_MAX);
    h->sources = calloc(h->yaml->sources_count, sizeof *h->sources);
    h->series = calloc(total, sizeof *h->series);
    if (!h->sources || !h->series)
        return diag_fail(p->d, ERR_NOMEM, "out of memory");
    size_t done = 0;
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < h->yaml->sources_count; i++) {
        e = read_source(h, p, i, h->series + done);
        done += h->yaml->sources[i].series_count;
    }
    h->config.sources = h->sources;
    h->config.source_count = h->yaml->sources_count;
    h->config.series_count = total;
    return e;
}

// ---- the rest

static enum err read_log_level(const struct place *p, const char *text, enum log_level *out)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    *out = LOG_INFO;
    if (!text)
        return ERR_OK;
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum log_level)i;
            return ERR_OK;
        }
    return agent_config_bad(p, "log_level", "'%s' must be debug, info, warn or error", text);
}

static enum err read_spool(const struct place *p, const struct agent_yaml_spool *y, struct agent_config *c)
{
    int64_t age_ms = SPOOL_MAX_AGE_DEFAULT;
    c->spool_max_bytes = SPOOL_MAX_BYTES_DEFAULT;
    if (y->max_bytes && (config_parse_bytes(y->max_bytes, &c->spool_max_bytes) != ERR_OK ||
                         c->spool_max_bytes < SPOOL_MAX_BYTES_LEAST || c->spool_max_bytes > INT64_MAX / 4))
        return agent_config_bad(p, "spool.max_bytes", "'%s' must be a size of at least 1MiB", y->max_bytes);
    if (y->max_age) {
        enum err e = read_duration(p, "spool.max_age", y->max_age, 60000, INT64_C(36500) * 86400 * 1000,
                                   "a time from 1m to 36500d, e.g. 30d", &age_ms);
        if (e != ERR_OK)
            return e;
    }
    c->spool_max_age_us = age_ms * 1000;
    return ERR_OK;
}

static enum err read_collector(const struct place *p, const struct agent_yaml_collector *y,
                               struct agent_config *c)
{
    if (strncmp(y->endpoint, "tcp://", 6) != 0 || !strchr(y->endpoint + 6, ':') ||
        strlen(y->endpoint) > ENDPOINT_MAX)
        return agent_config_bad(p, "collector.endpoint", "'%s' must be tcp://HOST:PORT", y->endpoint);
    if (crypto_key_parse(y->key, c->collector_key) != ERR_OK)
        return agent_config_bad(
            p, "collector.key",
            "must be the collector's public key, 40 characters as `esep-collector keygen` prints them");
    c->endpoint = y->endpoint;
    return ERR_OK;
}

static enum err read_all(struct holder *h, struct diag *d)
{
    struct agent_config *c = &h->config;
    struct place p = {.file = h->file, .path = "", .d = d};
    c->file = h->file;
    c->state = h->yaml->state;
    enum err e = read_collector(&p, &h->yaml->collector, c);
    if (e == ERR_OK)
        e = read_log_level(&p, h->yaml->log_level, &c->log_level);
    if (e == ERR_OK)
        e = read_spool(&p, &h->yaml->spool, c);
    if (e == ERR_OK)
        e = read_sources(h, &p);
    return e;
}

enum err agent_config_load(const char *path, struct agent_config **out, struct diag *d)
{
    void *yaml = NULL;
    enum err e = config_load(path, &agent_yaml_schema, &yaml, d);
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "%s: there is no such file; write it, or name another with --config FILE",
                         path);
    if (e != ERR_OK)
        return e;
    struct holder *h = calloc(1, sizeof *h);
    if (!h) {
        config_free(&agent_yaml_schema, yaml);
        return diag_fail(d, ERR_NOMEM, "out of memory");
    }
    h->yaml = yaml;
    h->file = strdup(path);
    e = h->file ? read_all(h, d) : diag_fail(d, ERR_NOMEM, "out of memory");
    if (e == ERR_OK)
        *out = &h->config;
    else
        agent_config_free(&h->config);
    return e;
}

void agent_config_free(struct agent_config *c)
{
    if (!c)
        return;
    struct holder *h = (struct holder *)c; // its first member
    for (size_t i = 0; h->sources && i < h->yaml->sources_count; i++)
        free(h->sources[i].argv);
    free(h->sources);
    free(h->series);
    free(h->file);
    config_free(&agent_yaml_schema, h->yaml);
    free(h);
}
