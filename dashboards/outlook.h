// What a target's fact means for its plan: the gap, how fast it goes, when it is reached at that rate, what
// was planned by now, and whether it is late. Every number is made by a rule that is named beside it
// (lib/kpi/README.md); where there is none, there is a reason. A target without a due date is never late; one
// whose due date has two readings is answered for both and late when the later one has passed.
#ifndef ESEP_DASHBOARDS_OUTLOOK_H
#define ESEP_DASHBOARDS_OUTLOOK_H

#include "dashboards/facts.h"
#include "kpi/forecast.h"

enum outlook_rule {
    OUTLOOK_SUM,   // a flow: what was added in the span, by its days
    OUTLOOK_LINES, // a level: each resident's straight line from its first to its newest figure in 366 days,
                   // added
    OUTLOOK_YEARS  // a flow per year, quarter, month or day: the span beside the same span a year before
};

struct outlook_reading {    // one reading of when it is due
    const char *due;        // period text
    int32_t end;            // first day after it
    bool passed;            // today is not before end
    struct figure planned;  // by `at`; missing: nothing was planned for then
    struct figure per_cent; // of planned, missing for limits
    bool on_plan;           // the comparator holds against planned
    int32_t days_late;      // how far the forecast lies behind it; 0: it does not, or there is none
};

struct outlook {
    bool has;                        // a target with a fact; all else is empty otherwise
    struct figure gap, gap_per_cent; // missing once reached
    bool gap_is_excess;              // it is above a limit or a range: nothing is lacking
    enum outlook_rule rule;
    struct run_rate rate;
    unsigned rate_contributors; // residents that it was made from
    struct forecast forecast;
    int32_t at; // the newest figure's end: against the plan of then
    size_t reading_count;
    struct outlook_reading readings[2];
    bool late; // not reached, and due by every reading
};

// today: the park's civil day, or that of the moment whose knowledge is asked for.
struct outlook outlook_of(const struct fact_source *f, const struct statement *st, const struct fact *fact,
                          int32_t today);

#endif
