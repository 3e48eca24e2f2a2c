// Numbers go through figure_parse: no hex, no "inf", no blanks, and the point whatever the locale.

#include "dashboards/check/range.h"
#include "base/figure.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static enum err number(const char *from, const char *to, double *out)
{
    char text[64];
    struct figure f;
    if (to - from >= (long)sizeof text)
        return ERR_INVALID;
    snprintf(text, sizeof text, "%.*s", (int)(to - from), from);
    if (figure_parse(text, &f))
        return ERR_INVALID;
    *out = figure_to_real(f);
    return ERR_OK;
}

enum err check_range_parse(const char *text, struct check_range *out)
{
    struct check_range r = {.low = 0, .high = INFINITY, .inside = *text == '@'};
    const char *start = text + r.inside, *end = start + strlen(start), *colon = strchr(start, ':');
    if (!*start)
        return ERR_INVALID;
    if (colon) {
        bool open = colon - start == 1 && *start == '~';
        if (open)
            r.low = -INFINITY;
        else if (number(start, colon, &r.low))
            return ERR_INVALID;
        start = colon + 1;
    }
    if (*start && number(start, end, &r.high))
        return ERR_INVALID;
    if (r.low > r.high)
        return ERR_INVALID;
    *out = r;
    return ERR_OK;
}

bool check_range_alerts(const struct check_range *r, double value)
{
    bool within = value >= r->low && value <= r->high;
    return within == r->inside;
}
