// Written out by hand rather than with strtol and sscanf: those accept blanks, signs and trailing text.

#include "dashboards/params.h"
#include "kpi/period.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_S (INT64_C(253402300799)) // 9999-12-31T23:59:59Z

// Up to 12 digits; *end after them. -1 when there is none or too many.
static int64_t digits(const char *text, const char **end)
{
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 12)
        return -1;
    int64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (text[i] - '0');
    *end = text + n;
    return v;
}

static const struct {
    const char *name;
    int64_t seconds;
} units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}, {"mo", 2592000}, {"y", 31536000}};

static int64_t unit_seconds(const char *name)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].name, name) == 0)
            return units[i].seconds;
    return 0;
}

static enum err parse_relative(const char *text, int64_t now_s, int64_t *out)
{
    const char *unit = "";
    int64_t n = digits(text + 1, &unit), seconds = n < 0 ? 0 : unit_seconds(unit);
    if (seconds == 0 || n > now_s / seconds)
        return ERR_INVALID;
    *out = now_s - n * seconds;
    return ERR_OK;
}

// "hh:mm:ss" and "Z" or "±hh:mm".
static enum err parse_clock(const char *text, int64_t *seconds)
{
    static const char shape[] = "00:00:00";
    for (size_t i = 0; i < 8; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return ERR_INVALID;
    int h = (text[0] - '0') * 10 + text[1] - '0', m = (text[3] - '0') * 10 + text[4] - '0',
        s = (text[6] - '0') * 10 + text[7] - '0';
    const char *zone = text + 8;
    if (*zone == '.') {
        size_t n = strspn(zone + 1, "0123456789");
        if (n == 0)
            return ERR_INVALID;
        zone += 1 + n;
    }
    int sign = *zone == '-' ? 1 : -1, offset = 0;
    if (*zone == '+' || *zone == '-') {
        if (strlen(zone) != 6 || strspn(zone + 1, "0123456789") != 2 || zone[3] != ':' ||
            strspn(zone + 4, "0123456789") != 2)
            return ERR_INVALID;
        int zone_h = (zone[1] - '0') * 10 + zone[2] - '0', zone_m = (zone[4] - '0') * 10 + zone[5] - '0';
        if (zone_h > 23 || zone_m > 59)
            return ERR_INVALID;
        offset = sign * (zone_h * 3600 + zone_m * 60);
    } else if (strcmp(zone, "Z") != 0) {
        return ERR_INVALID;
    }
    if (h > 23 || m > 59 || s > 59)
        return ERR_INVALID;
    *seconds = h * 3600 + m * 60 + s + offset;
    return ERR_OK;
}

static enum err parse_date(const char *text, const struct zone *z, int64_t *out)
{
    char date[11];
    struct period p;
    snprintf(date, sizeof date, "%.10s", text);
    if (strlen(date) != 10 || period_parse(date, &p) || p.kind != PERIOD_DAY)
        return ERR_INVALID;
    int64_t midnight = (int64_t)p.start * 86400, clock;
    if (text[10] == '\0') {
        *out = zone_to_utc(z, midnight);
        return ERR_OK;
    }
    if (text[10] != 'T' || parse_clock(text + 11, &clock))
        return ERR_INVALID;
    *out = midnight + clock;
    return ERR_OK;
}

enum err params_parse_time(const char *text, int64_t now_s, const struct zone *z, int64_t *out)
{
    const char *end = "";
    int64_t v = -1;
    if (strcmp(text, "now") == 0)
        v = now_s;
    else if (*text == '-')
        return parse_relative(text, now_s, out);
    else if (strspn(text, "0123456789") == strlen(text))
        v = digits(text, &end);
    else if (parse_date(text, z, &v))
        return ERR_INVALID;
    if (v < 0 || v > MAX_S)
        return ERR_INVALID;
    *out = v;
    return ERR_OK;
}

enum err params_parse_step(const char *text, int64_t *out)
{
    const char *unit = "";
    int64_t n = digits(text, &unit), seconds = n < 0 ? 0 : *unit == '\0' ? 1 : unit_seconds(unit);
    if (seconds == 0 || seconds > 604800 || n == 0 || n > 366 * INT64_C(86400) / seconds)
        return ERR_INVALID;
    *out = n * seconds;
    return ERR_OK;
}

enum err params_time(struct exchange *x, const char *name, int64_t now_s, const struct zone *z, int64_t *out)
{
    const char *text = exchange_param(x, name);
    if (!text || !params_parse_time(text, now_s, z, out))
        return ERR_OK;
    return exchange_fail_param(
        x, name,
        "must be epoch seconds, a date like 2026-03-14, a moment like 2026-03-14T09:30:00Z, or a "
        "span back from now like -6h, -30d, -12w, -3mo, -1y");
}

enum err params_integer(struct exchange *x, const char *name, int64_t min, int64_t max, int64_t *out)
{
    const char *text = exchange_param(x, name), *end = "";
    if (!text)
        return ERR_OK;
    int64_t v = digits(text, &end);
    if (v < min || v > max || *end)
        return exchange_fail_param(x, name, "must be a whole number from %" PRId64 " to %" PRId64, min, max);
    *out = v;
    return ERR_OK;
}

enum err params_choice(struct exchange *x, const char *name, const char *const *choices, size_t *out)
{
    const char *text = exchange_param(x, name);
    char known[200] = "";
    if (!text)
        return ERR_OK;
    for (size_t i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *out = i;
            return ERR_OK;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", choices[i]);
    }
    return exchange_fail_param(x, name, "must be one of: %s", known);
}
