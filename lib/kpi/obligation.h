// What a park's residents owe: which report, for which period, by when. The rules stand in the park's profile
// and are immutable; what they come to at a moment is computed, never stored.
#ifndef ESEP_KPI_OBLIGATION_H
#define ESEP_KPI_OBLIGATION_H

#include "base/err.h"
#include "kpi/catalogue.h"
#include "kpi/period.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct park;
struct zone;

enum due_kind {
    DUE_UNKNOWN,     // no date is set: never late
    DUE_DAYS,        // civil days after the period's last day
    DUE_WORKING_DAYS // working days after it, by the park's calendar
};

struct obligation {
    const struct kpi *kpi;
    const char *dimension; // "" for none
    enum period_kind period;
    bool everybody; // all residents but those named; else those named
    size_t resident_count;
    const char *const *residents; // named
    enum due_kind due;
    int32_t due_days;
    int32_t grace_days;  // civil days after the due day in which a report is not late yet
    struct period from;  // the first period owed begins with it …
    struct period until; // … and the last one ends with it; PERIOD_NONE: for good
    const char *assumed; // what whoever wrote the rule assumed, "" when nothing
    const char *note, *source;
};

bool obligation_binds(const struct obligation *o, const char *resident);
// Whether one resident of the park would owe one series for one day by both.
bool obligation_overlaps(const struct park *p, const struct obligation *a, const struct obligation *b);

struct obligation_owed { // one report; owed from the end of its period on
    const struct obligation *rule;
    const char *resident;
    struct period period;
    bool has_due;    // else the rest is 0, and it is never late
    int32_t due_day; // the last civil day, in the park's zone, that is in time
    int64_t due_s;   // the moment at which that day ends
    int64_t late_s;  // from this moment on it is late: the same, and the days of grace
};

// z NULL: UTC.
struct obligation_owed obligation_due(const struct park *p, const struct zone *z, const struct obligation *o,
                                      const char *resident, struct period period);

struct obligation_query {
    const char *resident; // NULL: all
    struct period within; // only periods that lie in this one; PERIOD_NONE: all
    int64_t now_s;        // what has ended by then, by the park's clock
};
typedef enum err (*obligation_visit)(void *ctx, const struct obligation_owed *o);
// By rule, resident (in the profile's order), period. Those periods are owed in which the resident belonged
// to the park so that its figure counts (kpi/membership.h). Anything but OK from visit stops, and is
// returned.
enum err obligation_each(const struct park *p, const struct zone *z, const struct obligation_query *q,
                         obligation_visit visit, void *ctx) MUST_USE;

#endif
