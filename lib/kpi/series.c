// Names are parsed into fixed parts once and never pasted together elsewhere: whoever holds a struct
// series_name holds valid parts, so that a slash or a dot-dot from outside can't become a path or another
// resident's name.
#include "kpi/series.h"
#include <stddef.h>
#include <string.h>

#define PARTS_MAX 4

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool part_valid(const char *part, size_t len)
{
    if (len == 0 || len > SERIES_PART_MAX || !is_alnum(part[0]))
        return false;
    for (size_t i = 1; i < len; i++) {
        char c = part[i];
        if (!is_alnum(c) && c != '_' && c != '.' && c != '-')
            return false;
    }
    return true;
}

bool series_part_valid(const char *part)
{
    return part_valid(part, strnlen(part, SERIES_PART_MAX + 1));
}

struct parts {
    size_t count;
    char text[PARTS_MAX][SERIES_PART_MAX + 1];
};

// At most `most` valid parts; false for anything else.
static bool split(const char *name, size_t least, size_t most, struct parts *out)
{
    *out = (struct parts){0};
    for (;;) {
        size_t len = strcspn(name, "/");
        if (out->count == most || !part_valid(name, len))
            return false;
        memcpy(out->text[out->count++], name, len);
        if (name[len] == '\0')
            return out->count >= least;
        name += len + 1;
    }
}

static void put(char to[SERIES_PART_MAX + 1], const char from[SERIES_PART_MAX + 1])
{
    memcpy(to, from, SERIES_PART_MAX + 1);
}

enum err series_parse(const char *name, struct series_name *out)
{
    struct parts p;

    if (!split(name, 3, PARTS_MAX, &p))
        return ERR_INVALID;
    put(out->park, p.text[0]);
    put(out->resident, p.text[1]);
    put(out->kpi, p.text[2]);
    put(out->dimension, p.text[3]);
    return ERR_OK;
}

enum err series_parse_kpi(const char *kpi_and_dimension, struct series_name *out)
{
    struct parts p;

    if (!split(kpi_and_dimension, 1, 2, &p))
        return ERR_INVALID;
    put(out->kpi, p.text[0]);
    put(out->dimension, p.text[1]);
    return ERR_OK;
}

enum err series_parse_resident(const char *park_and_resident, struct series_name *out)
{
    struct parts p;

    if (!split(park_and_resident, 2, 2, &p))
        return ERR_INVALID;
    put(out->park, p.text[0]);
    put(out->resident, p.text[1]);
    return ERR_OK;
}

void series_text(const struct series_name *s, char out[SERIES_NAME_MAX + 1])
{
    const char *const parts[PARTS_MAX] = {s->park, s->resident, s->kpi, s->dimension};
    size_t at = 0;

    for (size_t i = 0; i < PARTS_MAX; i++) {
        size_t len = strnlen(parts[i], SERIES_PART_MAX);
        if (len == 0)
            continue;
        if (at > 0)
            out[at++] = '/';
        memcpy(out + at, parts[i], len);
        at += len;
    }
    out[at] = '\0';
}
