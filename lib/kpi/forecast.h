// When a target is reached if it goes on like this, and how much is lacking. Pure: the caller brings the
// figure, in the target's unit and currency, and how fast it goes.
#ifndef ESEP_KPI_FORECAST_H
#define ESEP_KPI_FORECAST_H

#include "kpi/target.h"

#define RUN_RATE_MONTHS   12    // a run-rate is of the last so many, or of what there is of them
#define RUN_RATE_YEAR     365   // days that it is scaled to
#define RUN_RATE_MIN_DAYS 90    // with less there is none
#define FORECAST_MAX_DAYS 36525 // a hundred years: beyond that no date is named

enum forecast_why {
    FORECAST_KNOWN,
    FORECAST_NO_TARGET, // a fact, capacity or event: nothing is to be reached
    FORECAST_NO_VALUE,  // how much was planned is not known
    FORECAST_NO_FACT,   // how much there is is not known, or not comparable
    FORECAST_REACHED,
    FORECAST_SHORT,   // too little to tell how fast it goes
    FORECAST_NO_YEAR, // of a figure per year, month …: none of the same span a year before
    FORECAST_STILL,   // it does not move
    FORECAST_AWAY,    // it goes away from the target
    FORECAST_FAR      // not within FORECAST_MAX_DAYS
};
const char *forecast_why_text(enum forecast_why w); // for programs: "already reached" …; "" when known

struct run_rate {
    bool known;
    enum forecast_why why; // while it is not known
    double per_day;        // 0 while it is not known
    double per_year;   // of RUN_RATE_YEAR days, each gain scaled by itself: a whole year's is the gain itself
    int32_t from, end; // the span it was taken over: civil days, from ≤ day < end; known or not
};
// gained in the span: a flow's sum, or a level's newest figure less its first. Not known when gained is
// missing or the span shorter than RUN_RATE_MIN_DAYS.
struct run_rate run_rate_of(struct figure gained, int32_t from, int32_t end);
// One more line beside those in `all`, whose span stays as it is. Nothing where it is not known.
void run_rate_add(struct run_rate *all, const struct run_rate *one);
// What it comes to in a year of 365 days; missing when it is not known.
struct figure run_rate_per_year(const struct run_rate *r);
// FORECAST_KNOWN, or why there is none; FORECAST_SHORT where nothing else was said.
enum forecast_why run_rate_why(const struct run_rate *r);

struct forecast {
    enum forecast_why why;
    int32_t day; // at whose end the target is reached, when why is FORECAST_KNOWN
};
// `actual` holds at the moment when the day `end` begins; from there it goes on in a straight line at r's
// pace. The day found is the first at whose end the comparator holds, to a millionth of a day; "about" does
// not loosen it. Towards a limit (<= <) and to a range from above it goes downwards.
struct forecast forecast_make(const struct statement *t, struct figure actual, int32_t end,
                              const struct run_rate *r);

// How much is lacking to what was published, never negative: value - actual, of a limit actual - value, of a
// range to its nearer end. Missing when it is reached, not a target or not comparable. *per_cent (may be
// NULL): of the published number; missing where that is not above 0.
struct figure target_gap(const struct statement *t, struct figure actual, struct figure *per_cent);
// The gap is what the figure is too much by: it is above a limit or a range.
bool target_gap_is_excess(const struct statement *t, struct figure actual);

#endif
