// A program may print a great many lines, so names are looked for from where the last one was found (programs
// print in one order) and repeats by a table of places, not by walking the list.
#include "agent/sources/exec_lines.h"
#include "agent/sources/figures.h"
#include "agent/sources/reported.h"
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place { // a series and time that has its figure
    int64_t time;
    uint32_t series;
    bool used;
};

struct reader {
    const struct agent_source *source;
    const struct source_env *env;
    struct counters *counters;
    int64_t tick_s;
    struct harvest *h;
    unsigned line;
    size_t next_series;   // where the next name probably is
    struct place *places; // open addressing
    size_t place_count;   // a power of two
};

static const struct agent_series *find_series(struct reader *r, const char *name, uint32_t *index)
{
    for (size_t k = 0; k < r->source->series_count; k++) {
        size_t i = (r->next_series + k) % r->source->series_count;
        if (strcmp(r->source->series[i].name, name) == 0) {
            r->next_series = i + 1;
            *index = (uint32_t)i;
            return &r->source->series[i];
        }
    }
    return NULL;
}

PRINTF(2, 3) static void complain(struct reader *r, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    harvest_error(r->h, "source %s: line %u: %s", r->source->name, r->line, text);
}

// True when there is a figure for that series and time already; remembers it otherwise.
static bool seen_before(struct reader *r, uint32_t series, int64_t time)
{
    uint64_t hash = ((uint64_t)time * UINT64_C(0x9e3779b97f4a7c15)) ^ (series * UINT64_C(0xc2b2ae3d27d4eb4f));
    for (size_t i = (size_t)(hash >> 20);; i++) {
        struct place *p = &r->places[i & (r->place_count - 1)];
        if (p->used && p->series == series && p->time == time)
            return true;
        if (!p->used) {
            *p = (struct place){.time = time, .series = series, .used = true};
            return false;
        }
    }
}

static enum err add(struct reader *r, const struct agent_series *s, const struct harvest_sample *sample)
{
    char where[128];
    snprintf(where, sizeof where, "source %s: line %u", r->source->name, r->line);
    if (seen_before(r, sample->series, sample->time)) {
        complain(r, "a second figure of %s for one time: the first stands", s->name);
        return ERR_OK;
    }
    if (s->class == WIRE_REPORT)
        return reported_add_changed(r->env, r->source->name, s, sample, where, r->h);
    if (s->counter)
        return counters_add(r->counters, sample, where, r->h);
    return harvest_add(r->h, s, sample, where);
}

// time NULL: none was given.
static bool read_time(struct reader *r, const struct agent_series *s, const char *time, int64_t *out)
{
    struct diag d = {""};
    if (time) {
        if (figures_time(time, s, out, &d) == ERR_OK)
            return true;
        complain(r, "%s: %s", s->name, d.text);
        return false;
    }
    if (s->class == WIRE_REPORT) {
        complain(r, "%s: a report needs its period after the value, e.g. 2026-03", s->name);
        return false;
    }
    if (r->source->every_s != (int64_t)s->step_s) {
        complain(r, "%s: without a time the source's every (%lld s) must be the series' step (%u s)", s->name,
                 (long long)r->source->every_s, s->step_s);
        return false;
    }
    *out = r->tick_s;
    return true;
}

static enum err take_figure(struct reader *r, const char *name, const char *value, const char *time)
{
    struct diag d = {""};
    struct harvest_sample sample = {.value = figure_missing()};
    const struct agent_series *s = find_series(r, name, &sample.series);
    if (!s) {
        complain(r, "'%.63s' is not the name of one of its series in the configuration", name);
        return ERR_OK;
    }
    bool nothing = false;
    if (strcmp(value, "U") == 0)
        sample.reason = "unknown at the source";
    else if (figures_value(value, '.', s, &sample.value, &nothing, &d) != ERR_OK || nothing) {
        complain(r, "%s: %s", s->name, nothing ? "the value is empty: print U where it is unknown" : d.text);
        return ERR_OK;
    }
    if (!read_time(r, s, time, &sample.time))
        return ERR_OK;
    return add(r, s, &sample);
}

// ---- one line

static enum err read_words(struct reader *r, char *line)
{
    char *rest = NULL, *words[4] = {NULL};
    size_t count = 0;
    for (char *w = strtok_r(line, " \t", &rest); w && count < 4; w = strtok_r(NULL, " \t", &rest))
        words[count++] = w;
    if (count < 2 || count > 3) {
        complain(r, "must be `name value [time]`, but has %s",
                 count < 2 ? "one word" : "more than three words");
        return ERR_OK;
    }
    return take_figure(r, words[0], words[1], words[2]);
}

// A JSON number or text → decimal text, so that money is read the same way from both forms.
static bool json_text(const json_t *v, char out[64])
{
    struct figure f;
    if (json_is_null(v))
        snprintf(out, 64, "U");
    else if (json_is_integer(v))
        snprintf(out, 64, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v) && figure_from_real(json_real_value(v), &f) == ERR_OK)
        figure_text(f, out);
    else if (json_is_string(v) && json_string_length(v) < 64)
        snprintf(out, 64, "%s", json_string_value(v));
    else
        return false;
    return true;
}

static bool only_known_keys(struct reader *r, json_t *object)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value) if (strcmp(key, "name") != 0 && strcmp(key, "value") != 0 &&
                                                strcmp(key, "time") != 0)
    {
        complain(r, "the key \"%.40s\" is not one of name, value, time", key);
        return false;
    }
    return true;
}

static enum err read_object(struct reader *r, json_t *object)
{
    char value[64], time[64];
    const json_t *name = json_object_get(object, "name"), *v = json_object_get(object, "value");
    const json_t *t = json_object_get(object, "time");
    if (!only_known_keys(r, object))
        return ERR_OK;
    if (!json_is_string(name) || !v || !json_text(v, value)) {
        complain(r, "must be {\"name\": text, \"value\": number or null, \"time\": …}");
        return ERR_OK;
    }
    if (t && (json_is_null(t) || !json_text(t, time))) {
        complain(r, "\"time\" must be a number or a text");
        return ERR_OK;
    }
    return take_figure(r, json_string_value(name), value, t ? time : NULL);
}

static enum err read_json(struct reader *r, const char *line)
{
    json_error_t error;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    if (!object) {
        complain(r, "column %d: %s", error.column, error.text);
        return ERR_OK;
    }
    enum err e = read_object(r, object);
    json_decref(object);
    return e;
}

static enum err read_line(struct reader *r, char *line, size_t len)
{
    if (len > 0 && line[len - 1] == '\r')
        line[--len] = '\0';
    size_t blank = strspn(line, " \t");
    if (line[blank] == '\0')
        return ERR_OK;
    if (len > EXEC_LINE_MAX) {
        complain(r, "longer than %d bytes", EXEC_LINE_MAX);
        return ERR_OK;
    }
    return line[blank] == '{' ? read_json(r, line) : read_words(r, line);
}

// Room for twice as many figures as there can be.
static enum err make_places(struct reader *r, const char *text)
{
    size_t lines = 1;
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    r->place_count = 16;
    while (r->place_count < 2 * lines)
        r->place_count *= 2;
    r->places = calloc(r->place_count, sizeof *r->places);
    return r->places ? ERR_OK : ERR_NOMEM;
}

enum err exec_lines_read(const struct agent_source *source, const struct source_env *env,
                         struct counters *counters, char *text, bool complete, int64_t tick_s,
                         struct harvest *h)
{
    struct reader r = {.source = source, .env = env, .counters = counters, .tick_s = tick_s, .h = h};
    enum err e = make_places(&r, text);
    while (e == ERR_OK && *text) {
        char *end = strchr(text, '\n');
        if (!end && !complete)
            break;
        size_t len = end ? (size_t)(end - text) : strlen(text);
        text[len] = '\0';
        r.line++;
        e = read_line(&r, text, len);
        text += len + (end ? 1 : 0);
    }
    free(r.places);
    return e == ERR_OK ? counters_positions(counters, h) : e;
}
