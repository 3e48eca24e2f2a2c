// Civil dates and the calendar periods of reports. No time zones here: a period is a run of civil days.
#ifndef ESEP_KPI_PERIOD_H
#define ESEP_KPI_PERIOD_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct civil {
    int32_t year;  // 1 .. 9999
    int32_t month; // 1 .. 12
    int32_t day;   // 1 .. 31
};

bool civil_valid(struct civil c); // a day of the years 0001 .. 9999 that exists
// 0001-01-01 and 9999-12-31.
#define CIVIL_DAY_MIN (-719162)
#define CIVIL_DAY_MAX 2932896
// Days since 1970-01-01, proleptic Gregorian (algorithm: Howard Hinnant, "chrono-Compatible Low-Level Date
// Algorithms").
int32_t civil_to_days(struct civil c);
struct civil civil_from_days(int32_t days);

enum period_kind {
    PERIOD_NONE,
    PERIOD_DAY,
    PERIOD_MONTH,
    PERIOD_QUARTER,
    PERIOD_YEAR
};                                                // esep.proto's numbers
const char *period_kind_name(enum period_kind k); // "day" …; "none"
// "day" "month" "quarter" "year"; INVALID for anything else ("none" too).
enum err period_kind_parse(const char *text, enum period_kind *out) MUST_USE;

struct period {
    enum period_kind kind;
    int32_t start; // civil day number of the first day
};

// A known kind, its first day, wholly within the years 0001 .. 9999. What comes from the wire must pass it.
bool period_valid(struct period p);
// "2026-03-14" "2026-03" "2026-Q1" "2026", nothing before or after. INVALID.
enum err period_parse(const char *text, struct period *out) MUST_USE;
// The same text back; "invalid" for what period_valid refuses.
#define PERIOD_TEXT 16
void period_text(struct period p, char out[PERIOD_TEXT]);
// The period of that kind that contains the day.
struct period period_containing(enum period_kind k, int32_t day);
bool period_is_start(enum period_kind k, int32_t day);
int32_t period_end(struct period p); // first day after it
struct period period_next(struct period p);
struct period period_previous(struct period p);

#endif
