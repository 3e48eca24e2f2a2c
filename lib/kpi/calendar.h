// A park's calendar: spans of civil days in its own time, its fiscal year, which days are worked. A period
// (period.h) says what a report is of; a span is what figures are added up over.
#ifndef ESEP_KPI_CALENDAR_H
#define ESEP_KPI_CALENDAR_H

#include "kpi/period.h"
#include "kpi/zone.h"
#include <stddef.h>

struct calendar {         // {0}: January, no weekend, no holidays. Immutable
    int fiscal_year_from; // the month it begins in, 1 .. 12; 0 is 1
    bool weekend[7];      // Monday is 0
    size_t holiday_count, working_count;
    int32_t *holidays; // days off, rising
    int32_t *working;  // days of a weekend that are worked instead, rising
    const char *note;  // what is assumed of it, "" or NULL when nothing
};
// Saturday and Sunday off, the year from January: where a park's file says nothing.
extern const struct calendar calendar_default;

enum span_kind { SPAN_DAY, SPAN_MONTH, SPAN_QUARTER, SPAN_YEAR, SPAN_FISCAL_YEAR };
const char *span_kind_name(enum span_kind k);                             // "day" … "fiscal_year"
enum err span_kind_parse(const char *text, enum span_kind *out) MUST_USE; // INVALID

struct span {
    enum span_kind kind;
    int32_t first, end; // civil days first ≤ day < end
};
// The span of that kind that the day lies in. Quarters are of the calendar year. The first and last fiscal
// year of the civil days there are is cut at CIVIL_DAY_MIN and CIVIL_DAY_MAX + 1.
struct span calendar_span(const struct calendar *c, enum span_kind k, int32_t day);
struct span calendar_next(const struct calendar *c, struct span s);
// How many of the kind touch the days from ≤ day < to. Writes at most max of them.
size_t calendar_spans(const struct calendar *c, enum span_kind k, int32_t from, int32_t to, struct span *out,
                      size_t max);
// "2026-03-14" "2026-03" "2026-Q1" "2026"; a fiscal year has the number of the year it ends in: "FY2026" is
// July 2025 to June 2026 where it begins in July.
#define SPAN_TEXT 16
void span_text(struct span s, char out[SPAN_TEXT]);
// The same texts. INVALID.
enum err calendar_span_parse(const struct calendar *c, const char *text, struct span *out) MUST_USE;
// The span's moments in UTC: from its first local midnight to the one after its last day; a figure of a step
// belongs to the span its step ends in, *from_s < time ≤ *to_s. A day may have 23 or 25 hours.
void span_bounds(struct span s, const struct zone *z, int64_t *from_s, int64_t *to_s);

bool calendar_is_working(const struct calendar *c, int32_t day);
uint32_t calendar_working_days(const struct calendar *c, int32_t from, int32_t to); // of from ≤ day < to
// The n-th working day after `day` (n 0: the day itself, or the first working one after it). INVALID: there
// is none within ten years.
enum err calendar_after(const struct calendar *c, int32_t day, uint32_t n, int32_t *out) MUST_USE;

#endif
