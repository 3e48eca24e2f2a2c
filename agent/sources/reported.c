// One small row a value rather than one blob a source: a changed figure rewrites one page, not the history.
#include "agent/sources/reported.h"
#include <stdio.h>
#include <string.h>

void reported_key(const struct agent_series *s, int32_t day, char out[REPORTED_KEY_MAX])
{
    snprintf(out, REPORTED_KEY_MAX, REPORTED_PREFIX "%s|%s|%s|%s/%d", s->declared, s->unit, s->currency,
             period_kind_name(s->period), day);
}

size_t reported_encode(struct figure value, uint8_t out[REPORTED_BYTES_MAX])
{
    out[0] = (uint8_t)value.kind;
    if (value.kind == FIGURE_MISSING)
        return 1;
    if (value.kind == FIGURE_INTEGER)
        memcpy(out + 1, &value.integer, 8);
    else
        memcpy(out + 1, &value.real, 8);
    return REPORTED_BYTES_MAX;
}

enum err reported_decode(const void *bytes, size_t len, struct figure *out)
{
    const uint8_t *in = bytes;
    int64_t integer;
    double real;
    if (len == 1 && in[0] == FIGURE_MISSING) {
        *out = figure_missing();
        return ERR_OK;
    }
    if (len != REPORTED_BYTES_MAX)
        return ERR_CORRUPT;
    memcpy(&integer, in + 1, 8);
    memcpy(&real, in + 1, 8);
    enum err e = ERR_CORRUPT;
    if (in[0] == FIGURE_INTEGER)
        e = figure_from_integer(integer, out);
    else if (in[0] == FIGURE_REAL)
        e = figure_from_real(real, out);
    return e == ERR_OK ? ERR_OK : ERR_CORRUPT;
}

enum err reported_add(const struct agent_series *s, const struct harvest_sample *sample, const char *where,
                      struct harvest *h)
{
    size_t before = h->count;
    enum err e = harvest_add(h, s, sample, where);
    if (e != ERR_OK || h->count == before)
        return e;
    char key[REPORTED_KEY_MAX];
    uint8_t bytes[REPORTED_BYTES_MAX];
    reported_key(s, (int32_t)sample->time, key);
    return harvest_position(h, key, bytes, reported_encode(sample->value, bytes));
}

enum err reported_add_changed(const struct source_env *env, const char *source, const struct agent_series *s,
                              const struct harvest_sample *sample, const char *where, struct harvest *h)
{
    char key[REPORTED_KEY_MAX];
    uint8_t bytes[REPORTED_BYTES_MAX];
    size_t len = 0;
    struct figure known;
    reported_key(s, (int32_t)sample->time, key);
    enum err e = env->get(env->ctx, source, key, bytes, sizeof bytes, &len);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    if (e == ERR_OK && reported_decode(bytes, len, &known) == ERR_OK && figure_equal(known, sample->value)) {
        h->skipped++;
        return ERR_OK;
    }
    return reported_add(s, sample, where, h);
}
