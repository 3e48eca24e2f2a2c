// People ask for "what we knew in March", and mean all of March; programs ask for a moment they have seen as
// `received` in an answer, which is cut to the second. Both must find what they mean, so the end of what was
// named is what counts.
#include "dashboards/as_of.h"
#include "base/clock.h"
#include "dashboards/params.h"
#include "kpi/period.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// Microseconds after the decimal point of "…T09:30:00.25Z", what is finer being cut off; without one the end
// of the second.
static int64_t fraction_us(const char *text)
{
    const char *clock = strchr(text, 'T'), *dot = clock ? strchr(clock, '.') : NULL;
    int64_t us = 0, unit = US_PER_S / 10;
    if (!dot)
        return US_PER_S - 1;
    for (const char *c = dot + 1; *c >= '0' && *c <= '9'; c++, unit /= 10)
        us += (*c - '0') * unit;
    return us;
}

static enum err parse_moment(struct exchange *x, const char *text, int64_t now_s, const struct zone *z,
                             int64_t *us)
{
    struct period p;
    int64_t s = 0;
    // A number of four digits is a year, of more digits seconds.
    if (period_parse(text, &p) == ERR_OK && p.start >= 0) {
        *us = zone_to_utc(z, (int64_t)period_end(p) * 86400) * US_PER_S - 1;
        return ERR_OK;
    }
    enum err e = params_time(x, "as_of", now_s, z, &s);
    *us = s * US_PER_S + fraction_us(text);
    return e;
}

enum err as_of_parse(struct exchange *x, int64_t now_s, const struct zone *z, struct as_of *out)
{
    static const char *const bys[] = {"received", "published", NULL};
    const char *text = exchange_param(x, "as_of");
    size_t by = 0;
    *out = (struct as_of){.asked = text || exchange_param(x, "by")};
    enum err e = params_choice(x, "by", bys, &by);
    out->by_published = by == 1;
    return e == ERR_OK && text ? parse_moment(x, text, now_s, z, &out->us) : e;
}

int64_t as_of_moment_us(const struct as_of *a, int64_t now_us)
{
    return a->us > 0 && a->us < now_us ? a->us : now_us;
}

void as_of_apply(const struct as_of *a, struct observation_query *q)
{
    q->by_published = a->by_published;
    q->as_of_us = a->us;
}

void as_of_address(const struct as_of *a, char out[AS_OF_ADDRESS])
{
    char text[WALL_TEXT];
    out[0] = '\0';
    if (!a->asked)
        return;
    if (a->us == 0) {
        snprintf(out, AS_OF_ADDRESS, "&by=%s", a->by_published ? "published" : "received");
        return;
    }
    wall_text((struct wall){a->us}, text);
    text[strcspn(text, "Z")] = '\0';
    snprintf(out, AS_OF_ADDRESS, "&as_of=%s.%06dZ&by=%s", text, (int)(a->us % US_PER_S),
             a->by_published ? "published" : "received");
}
