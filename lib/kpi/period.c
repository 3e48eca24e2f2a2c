// Civil arithmetic by day numbers: a period is (kind, first day), everything else is derived, so there is
// nothing that can disagree with itself. The sums run in 64 bits because a day number may come from the wire
// before period_valid has seen it.
#include "kpi/period.h"
#include <stdio.h>
#include <string.h>

#define DAYS_PER_ERA    INT64_C(146097) // 400 years
#define DAYS_TO_UNIX    INT64_C(719468) // 0000-03-01 to 1970-01-01
#define QUARTER_MONTHS  3
#define MONTHS_PER_YEAR 12
#define YEAR_DIGITS     4
#define TWO_DIGITS      2
#define YEAR_MAX        9999
#define DAYS_LONGEST    31

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int32_t clamp_day(int64_t days)
{
    if (days > INT32_MAX)
        return INT32_MAX;
    return days < INT32_MIN ? INT32_MIN : (int32_t)days;
}

// Hinnant's days_from_civil: years begin in March, so that the leap day is a year's last.
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_UNIX;
}

int32_t civil_to_days(struct civil c)
{
    return clamp_day(days_of(c.year, c.month, c.day));
}

struct civil civil_from_days(int32_t days)
{
    int64_t shifted = days + DAYS_TO_UNIX;
    int64_t era = floor_div(shifted, DAYS_PER_ERA);
    int64_t day_of_era = shifted - era * DAYS_PER_ERA;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    return (struct civil){
        .year = (int32_t)(year_of_era + era * 400 + (month <= 2)),
        .month = (int32_t)month,
        .day = (int32_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };
}

bool civil_valid(struct civil c)
{
    if (c.year < 1 || c.year > YEAR_MAX || c.month < 1 || c.month > MONTHS_PER_YEAR || c.day < 1 ||
        c.day > DAYS_LONGEST)
        return false;
    struct civil back = civil_from_days(civil_to_days(c));
    return back.month == c.month && back.day == c.day;
}

static const char *const kind_names[] = {
    [PERIOD_NONE] = "none",       [PERIOD_DAY] = "day",   [PERIOD_MONTH] = "month",
    [PERIOD_QUARTER] = "quarter", [PERIOD_YEAR] = "year",
};

const char *period_kind_name(enum period_kind k)
{
    return (unsigned)k <= PERIOD_YEAR ? kind_names[k] : "none";
}

enum err period_kind_parse(const char *text, enum period_kind *out)
{
    for (enum period_kind k = PERIOD_DAY; k <= PERIOD_YEAR; k++) {
        if (strcmp(text, kind_names[k]) == 0) {
            *out = k;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

// Exactly `count` digits at *at, which moves past them; -1 otherwise.
static int32_t take_digits(const char **at, int count)
{
    int32_t value = 0;

    for (int i = 0; i < count; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
    }
    *at += count;
    return value;
}

static bool take(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static enum err finish(const char *rest, enum period_kind kind, struct civil first, struct period *out)
{
    if (*rest != '\0' || !civil_valid(first))
        return ERR_INVALID;
    *out = (struct period){.kind = kind, .start = civil_to_days(first)};
    return ERR_OK;
}

enum err period_parse(const char *text, struct period *out)
{
    struct civil first = {.year = take_digits(&text, YEAR_DIGITS), .month = 1, .day = 1};

    if (!take(&text, '-'))
        return finish(text, PERIOD_YEAR, first, out);
    if (take(&text, 'Q')) {
        int32_t quarter = take_digits(&text, 1);
        if (quarter > MONTHS_PER_YEAR / QUARTER_MONTHS)
            return ERR_INVALID;
        first.month = (quarter - 1) * QUARTER_MONTHS + 1; // quarter 0 makes a month that civil_valid refuses
        return finish(text, PERIOD_QUARTER, first, out);
    }
    first.month = take_digits(&text, TWO_DIGITS);
    if (!take(&text, '-'))
        return finish(text, PERIOD_MONTH, first, out);
    first.day = take_digits(&text, TWO_DIGITS);
    return finish(text, PERIOD_DAY, first, out);
}

// Answers have thousands of these: printf takes ten times as long.
static char *put_digits(char *out, unsigned value, int count)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + count;
}

void period_text(struct period p, char out[PERIOD_TEXT])
{
    struct civil c = civil_from_days(p.start);

    if (!period_valid(p)) {
        snprintf(out, PERIOD_TEXT, "invalid");
        return;
    }
    unsigned year = (unsigned)c.year % (YEAR_MAX + 1u), month = (unsigned)c.month % 100u;
    out = put_digits(out, year, YEAR_DIGITS);
    if (p.kind == PERIOD_QUARTER) {
        *out++ = '-';
        *out++ = 'Q';
        out = put_digits(out, (month + 2) / QUARTER_MONTHS, 1);
    } else if (p.kind != PERIOD_YEAR) {
        *out++ = '-';
        out = put_digits(out, month, TWO_DIGITS);
    }
    if (p.kind == PERIOD_DAY) {
        *out++ = '-';
        out = put_digits(out, (unsigned)c.day % 100u, TWO_DIGITS);
    }
    *out = '\0';
}

struct period period_containing(enum period_kind k, int32_t day)
{
    struct civil c = civil_from_days(day);

    if (k == PERIOD_YEAR)
        day = clamp_day(days_of(c.year, 1, 1));
    else if (k == PERIOD_QUARTER)
        day = clamp_day(days_of(c.year, (c.month - 1) / QUARTER_MONTHS * QUARTER_MONTHS + 1, 1));
    else if (k == PERIOD_MONTH)
        day = clamp_day(days_of(c.year, c.month, 1));
    return (struct period){.kind = k, .start = day};
}

bool period_is_start(enum period_kind k, int32_t day)
{
    return period_containing(k, day).start == day;
}

bool period_valid(struct period p)
{
    if ((unsigned)p.kind < PERIOD_DAY || (unsigned)p.kind > PERIOD_YEAR)
        return false;
    return p.start >= CIVIL_DAY_MIN && p.start <= CIVIL_DAY_MAX && period_is_start(p.kind, p.start);
}

int32_t period_end(struct period p)
{
    struct civil c = civil_from_days(p.start);
    int64_t months = p.kind == PERIOD_YEAR ? MONTHS_PER_YEAR : p.kind == PERIOD_QUARTER ? QUARTER_MONTHS : 1;

    if (p.kind != PERIOD_YEAR && p.kind != PERIOD_QUARTER && p.kind != PERIOD_MONTH)
        return clamp_day((int64_t)p.start + (p.kind == PERIOD_DAY));
    int64_t month = c.month - 1 + months;
    return clamp_day(days_of(c.year + month / MONTHS_PER_YEAR, month % MONTHS_PER_YEAR + 1, 1));
}

struct period period_next(struct period p)
{
    return (struct period){.kind = p.kind, .start = period_end(p)};
}

struct period period_previous(struct period p)
{
    return period_containing(p.kind, clamp_day((int64_t)p.start - (p.kind != PERIOD_NONE)));
}
