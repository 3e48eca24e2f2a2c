// Civil days and nothing else: moments come in only where a span is laid on a zone. A fiscal year is named by
// the year it ends in, as its accounts are.
#include "kpi/calendar.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_DAYS 3653

static const char *const kind_names[] = {"day", "month", "quarter", "year", "fiscal_year"};
#define KINDS (sizeof kind_names / sizeof kind_names[0])

const struct calendar calendar_default = {
    .fiscal_year_from = 1, .weekend = {[5] = true, [6] = true}, .note = ""};

const char *span_kind_name(enum span_kind k)
{
    return (size_t)k < KINDS ? kind_names[k] : "";
}

enum err span_kind_parse(const char *text, enum span_kind *out)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(text, kind_names[i]) == 0) {
            *out = (enum span_kind)i;
            return ERR_OK;
        }
    return ERR_INVALID;
}

static int first_month(const struct calendar *c)
{
    return c->fiscal_year_from > 1 && c->fiscal_year_from <= 12 ? c->fiscal_year_from : 1;
}

static int32_t year_begins(int year, int month)
{
    if (year < 1)
        return CIVIL_DAY_MIN;
    return year > 9999 ? CIVIL_DAY_MAX + 1 : civil_to_days((struct civil){year, month, 1});
}

static struct span fiscal_year(const struct calendar *c, int32_t day)
{
    struct civil at = civil_from_days(day);
    int from = first_month(c), year = at.month >= from ? at.year : at.year - 1;
    return (struct span){SPAN_FISCAL_YEAR, year_begins(year, from), year_begins(year + 1, from)};
}

struct span calendar_span(const struct calendar *c, enum span_kind k, int32_t day)
{
    static const enum period_kind kinds[] = {PERIOD_DAY, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR};
    if (k == SPAN_FISCAL_YEAR)
        return fiscal_year(c, day);
    struct period p = period_containing(kinds[k], day);
    return (struct span){k, p.start, period_end(p)};
}

struct span calendar_next(const struct calendar *c, struct span s)
{
    return calendar_span(c, s.kind, s.end);
}

size_t calendar_spans(const struct calendar *c, enum span_kind k, int32_t from, int32_t to, struct span *out,
                      size_t max)
{
    size_t count = 0;
    for (int32_t day = from; day < to && day <= CIVIL_DAY_MAX; count++) {
        struct span s = calendar_span(c, k, day);
        if (count < max)
            out[count] = s;
        day = s.end;
    }
    return count;
}

void span_text(struct span s, char out[SPAN_TEXT])
{
    static const enum period_kind kinds[] = {PERIOD_DAY, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR};
    if (s.kind == SPAN_FISCAL_YEAR)
        snprintf(out, SPAN_TEXT, "FY%04d", (int)civil_from_days(s.end - 1).year);
    else
        period_text((struct period){kinds[s.kind], s.first}, out);
}

enum err calendar_span_parse(const struct calendar *c, const char *text, struct span *out)
{
    bool fiscal = strncmp(text, "FY", 2) == 0;
    struct period p;
    enum err e = period_parse(fiscal ? text + 2 : text, &p);
    if (e != ERR_OK || (fiscal && p.kind != PERIOD_YEAR))
        return ERR_INVALID;
    if (!fiscal) {
        *out = (struct span){(enum span_kind)(p.kind - PERIOD_DAY), p.start, period_end(p)};
        return ERR_OK;
    }
    // The year it ends in: from January on that year itself, else the day before its first month.
    *out = fiscal_year(
        c, first_month(c) == 1 ? p.start : year_begins(civil_from_days(p.start).year, first_month(c)) - 1);
    return ERR_OK;
}

void span_bounds(struct span s, const struct zone *z, int64_t *from_s, int64_t *to_s)
{
    *from_s = zone_midnight(z, s.first);
    *to_s = zone_midnight(z, s.end);
}

static int by_day(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static bool listed(const int32_t *days, size_t count, int32_t day)
{
    return count > 0 && bsearch(&day, days, count, sizeof *days, by_day) != NULL;
}

bool calendar_is_working(const struct calendar *c, int32_t day)
{
    int32_t weekday = ((day + 3) % 7 + 7) % 7; // 1970-01-01 was a Thursday
    if (listed(c->holidays, c->holiday_count, day))
        return false;
    return !c->weekend[weekday] || listed(c->working, c->working_count, day);
}

uint32_t calendar_working_days(const struct calendar *c, int32_t from, int32_t to)
{
    uint32_t count = 0;
    for (int32_t day = from; day < to; day++)
        count += calendar_is_working(c, day);
    return count;
}

enum err calendar_after(const struct calendar *c, int32_t day, uint32_t n, int32_t *out)
{
    uint32_t found = 0;
    if (n == 0) {
        day--;
        n = 1;
    }
    for (int32_t at = day + 1; at <= CIVIL_DAY_MAX && at - day <= SEARCH_DAYS; at++) {
        found += calendar_is_working(c, at);
        if (found == n) {
            *out = at;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}
