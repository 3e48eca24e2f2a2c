// A number of four digits is a year: nobody asks for the first hour of 1970.
#include "collector/when.h"
#include "base/config.h"
#include "kpi/period.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, SECONDS_DIGITS = 6 };

static bool is_seconds(const char *text)
{
    return strspn(text, "0123456789") == strlen(text) && strlen(text) >= SECONDS_DIGITS && strlen(text) <= 12;
}

static enum err parse_moment(const char *text, int64_t *out_s)
{
    struct civil c;
    int hour, minute, second, n = 0;
    char zone;
    if (strlen(text) != 20 || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%c%n", &c.year, &c.month, &c.day, &hour,
                                     &minute, &second, &zone, &n) != 7)
        return ERR_INVALID;
    if (n != 20 || zone != 'Z' || c.month < 1 || c.month > 12 || c.day < 1 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 59 || c.year < 1)
        return ERR_INVALID;
    int32_t days = civil_to_days(c);
    struct civil back = civil_from_days(days);
    if (back.day != c.day || back.month != c.month) // the 30th of February
        return ERR_INVALID;
    *out_s = (int64_t)days * DAY_S + hour * 3600 + minute * 60 + second;
    return ERR_OK;
}

enum err collector_when(const char *text, struct wall now, bool end, int64_t *out_s)
{
    struct period p;
    int64_t ms;
    if (strcmp(text, "now") == 0) {
        *out_s = now.us / US_PER_S;
        return ERR_OK;
    }
    if (text[0] == '-') {
        enum err e = config_parse_duration_ms(text + 1, &ms);
        if (e == ERR_OK)
            *out_s = now.us / US_PER_S - ms / 1000;
        return e;
    }
    if (is_seconds(text)) {
        *out_s = strtoll(text, NULL, 10);
        return ERR_OK;
    }
    if (period_parse(text, &p) == ERR_OK) {
        *out_s = (int64_t)(end ? period_end(p) : p.start) * DAY_S;
        return ERR_OK;
    }
    return parse_moment(text, out_s);
}
