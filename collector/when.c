// A number of four digits is a year: nobody asks for the first hour of 1970.
#include "collector/when.h"
#include "base/config.h"
#include "kpi/period.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, SECONDS_DIGITS = 6 };

static bool is_seconds(const char *text)
{
    return strspn(text, "0123456789") == strlen(text) && strlen(text) >= SECONDS_DIGITS && strlen(text) <= 12;
}

// The two digits at text[at], -1 when they are not.
static int two_digits(const char *text, size_t at)
{
    if (!isdigit((unsigned char)text[at]) || !isdigit((unsigned char)text[at + 1]))
        return -1;
    return 10 * (text[at] - '0') + (text[at + 1] - '0');
}

// "2026-03-14T12:00:00Z"
static enum err parse_moment(const char *text, int64_t *out_s)
{
    char day[11];
    struct period p;
    if (strlen(text) != 20 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z')
        return ERR_INVALID;
    memcpy(day, text, 10);
    day[10] = '\0';
    int hour = two_digits(text, 11), minute = two_digits(text, 14), second = two_digits(text, 17);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return ERR_INVALID;
    if (period_parse(day, &p) != ERR_OK || p.kind != PERIOD_DAY)
        return ERR_INVALID;
    *out_s = (int64_t)p.start * DAY_S + hour * 3600 + minute * 60 + second;
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
