// Error texts may quote what stood in a file or was printed by a program: they are made valid, printable
// UTF-8 here, once, before they reach a log, a terminal or a JSON text.
#include "agent/harvest.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX  480
#define SECONDS_1900 INT64_C(-2208988800)
#define DAYS_1900    (-25567)

void harvest_init(struct harvest *h)
{
    *h = (struct harvest){0};
    buf_init(&h->messages, HARVEST_MESSAGES_MAX);
}

void harvest_deinit(struct harvest *h)
{
    harvest_reset(h);
}

void harvest_reset(struct harvest *h)
{
    for (size_t i = 0; i < h->position_count; i++)
        free(h->positions[i].key);
    free(h->positions);
    free(h->samples);
    buf_deinit(&h->messages);
    harvest_init(h);
}

// Doubles *items when it is full.
static enum err grow(void **items, size_t count, size_t *cap, size_t item_bytes)
{
    if (count < *cap)
        return ERR_OK;
    size_t wanted = *cap ? *cap * 2 : 16;
    void *more = realloc(*items, wanted * item_bytes);
    if (!more)
        return ERR_NOMEM;
    *items = more;
    *cap = wanted;
    return ERR_OK;
}

static enum err append(struct harvest *h, const struct harvest_sample *sample)
{
    void *items = h->samples;
    enum err e = grow(&items, h->count, &h->cap, sizeof *h->samples);
    h->samples = items;
    if (e == ERR_OK)
        h->samples[h->count++] = *sample;
    return e;
}

// Why the collector would refuse it; NULL: it would not.
static const char *fault_of(const struct agent_series *s, const struct harvest_sample *sample)
{
    if (s->class == WIRE_MEASUREMENT) {
        if (sample->time < SECONDS_1900)
            return "the time is before 1900";
        if (sample->time % (int64_t)s->step_s != 0)
            return "the time is not on a boundary of the series' step";
        return NULL;
    }
    if (sample->time < DAYS_1900)
        return "the period is before 1900";
    if (sample->time > CIVIL_DAY_MAX || !period_is_start(s->period, (int32_t)sample->time))
        return "the time is not the first day of a period";
    return NULL;
}

enum err harvest_add(struct harvest *h, const struct agent_series *s, const struct harvest_sample *sample,
                     const char *where)
{
    const char *fault = fault_of(s, sample);
    if (!fault)
        return append(h, sample);
    harvest_error(h, "%s: %s: %s (time %lld, step %u s)", where, s->declared, fault, (long long)sample->time,
                  s->step_s);
    return ERR_OK;
}

enum err harvest_position(struct harvest *h, const char *key, const void *bytes, size_t len)
{
    void *items = h->positions;
    enum err e = grow(&items, h->position_count, &h->position_cap, sizeof *h->positions);
    h->positions = items;
    if (e != ERR_OK)
        return e;
    size_t key_len = strlen(key) + 1;
    char *copy = malloc(key_len + len);
    if (!copy)
        return ERR_NOMEM;
    memcpy(copy, key, key_len);
    if (len > 0)
        memcpy(copy + key_len, bytes, len);
    h->positions[h->position_count++] =
        (struct harvest_position){.key = copy, .bytes = (uint8_t *)copy + key_len, .len = len};
    return ERR_OK;
}

// Length of the well-formed UTF-8 character at p (1 to 4), 0 when there is none.
static size_t utf8_length(const unsigned char *p)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t len;
    } forms[] = {{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
                 {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                 {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    if (*p >= 0x20 && *p < 0x7f)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (*p < forms[i].first_low || *p > forms[i].first_high)
            continue;
        if (p[1] < forms[i].second_low || p[1] > forms[i].second_high)
            return 0;
        for (size_t k = 2; k < forms[i].len; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

bool harvest_is_utf8(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t n = *p < 0x80 ? 1 : utf8_length(p);
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

static void make_printable(char *text)
{
    unsigned char *in = (unsigned char *)text, *out = in;
    while (*in) {
        size_t n = utf8_length(in);
        if (n == 0) {
            *out++ = '?';
            in++;
        } else {
            memmove(out, in, n);
            out += n;
            in += n;
        }
    }
    *out = '\0';
}

void harvest_error(struct harvest *h, const char *fmt, ...)
{
    char text[MESSAGE_MAX];
    h->errors++;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    make_printable(text);
    if (h->messages.len + strlen(text) + 1 <= HARVEST_MESSAGES_MAX)
        (void)buf_printf(&h->messages, "%s\n", text);
}

void harvest_first_error(const struct harvest *h, char *out, size_t out_size)
{
    const char *all = buf_str(&h->messages);
    size_t len = strcspn(all, "\n");
    snprintf(out, out_size, "%.*s", (int)len, all);
}
