// What the residents' figures say about a park's published target: one number, or the reason why there is
// none. Rules (also in README.md and on every tile): a level is the sum over residents of the newest figure;
// a flow is the sum over residents over the span the target speaks of (a year: the 12 months up to the newest
// figure, or, where there are fewer, what they come to at that rate a year; none stated, or counted since the
// beginning: since the first report). Unlike products, ratios and different currencies are never added. A
// figure the source credits to others than the park is never credited to the park. Missing is never zero. A
// sum over a park is for those who may see all of it; nobody gets the part of it that they may see.
#ifndef ESEP_DASHBOARDS_FACTS_H
#define ESEP_DASHBOARDS_FACTS_H

#include "dashboards/board.h"
#include "dashboards/money.h"

enum fact_why {
    FACT_KNOWN,
    FACT_NO_KPI,   // nothing is collected for it
    FACT_NONE,     // nobody has reported it
    FACT_CURRENCY, // reported in another currency
    FACT_UNIT,     // reported in another unit
    FACT_UNLIKE,   // would add unlike products
    FACT_RATIO,    // would add ratios
    FACT_SCOPE,    // credited to others
    FACT_PART,     // contained in another figure
    FACT_INDEX,    // a ratio whose base is unknown
    FACT_SHORT,    // too short a span to speak of a year
    FACT_FAILED,   // could not be read
    FACT_HIDDEN,   // computed of figures that the viewer may not see
    FACT_PARTS     // computed of other KPIs, some of which nobody reports
};
enum fact_rule { RULE_LEVEL, RULE_SINCE_FIRST, RULE_YEAR, RULE_MONTH, RULE_RATE, RULE_QUARTER, RULE_DAY };
#define FACT_PARTS_MAX 4

struct fact {
    enum fact_why why;
    enum fact_rule rule;
    struct figure value;    // known when why is FACT_KNOWN
    struct figure per_cent; // of the statement's value, missing when it has no single number
    bool reached;
    struct measure measure;    // what value is measured in; borrowed from the board's row
    unsigned contributors, of; // residents: of those of today and who of before contributed
    unsigned older;            // of a level: residents whose newest figure is of an earlier day than others'
    unsigned partial;          // of a flow: residents whose figures do not cover all of the span
    unsigned outside;          // residents whose figures of days outside the park are left out
    bool simulated;            // any of them
    int32_t from_day;          // of the first figure summed, for flows
    int32_t days, days_most;   // for RULE_RATE: that figures are known of, of the series with the fewest and
                               // the most
    int32_t to_day;            // first day after the newest figure
    int32_t common_day;        // up to here all have figures, but for those silent for a year before to_day
    unsigned part_count;       // of a computed KPI: parts that nobody reports, borrowed from the catalogue
    const struct kpi *parts[FACT_PARTS_MAX];
    int64_t received_us; // of the newest figure in it
    bool converted;      // figures of other currencies are in it, the newest of them by `by`
    struct conversion by;
};

struct fact_known {  // what stands behind a sum; meaningful when something is known
    int64_t first_s; // where the first figure's step or period begins
    int64_t known_s; // that the known steps or periods last
};
// Sums a flow over from ≤ day < to, of reports those whose whole period lies there; facts know nothing of
// stores. CONFLICT: a report is of another currency than its series', so
// that a sum needs rates.
typedef enum err (*fact_sum)(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                             struct figure *sum, struct fact_known *known);
// The same, or for a level the newest figure alone, each report converted into the currency by its own
// period's rate; *by: the newest one's. NOT_FOUND: for one of them there is no rate.
typedef enum err (*fact_convert)(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                                 const struct currency *currency, struct figure *sum,
                                 struct fact_known *known, struct conversion *by);
// The first known figure of a level that ends on the day or later. NOT_FOUND: there is none.
typedef enum err (*fact_first)(void *ctx, const struct board_row *row, int32_t day, struct latest *out);
struct fact_source {
    const struct park *park;
    const struct catalogue *catalogue; // NULL: what a computed KPI lacks is not said
    const struct viewer *viewer;
    const struct board_row *rows; // of the park, those that the viewer may see
    size_t count;
    fact_sum sum;
    fact_convert convert; // NULL: figures in other currencies are not comparable
    fact_first first;     // NULL: nothing is said of how a level changes
    void *ctx;
    const struct zone *zone; // the park's, whose days measurements are of; NULL: UTC
    int32_t today;           // there: who belongs to the park, for levels
};

struct fact fact_of_statement(const struct fact_source *f, const struct statement *st);
// The same figures of a flow in other days, from ≤ day < to; rule and per cent are left out. *from_day: of
// the first one.
struct fact fact_of_span(const struct fact_source *f, const struct statement *st, int32_t from, int32_t to);
// The series whose figures stand behind the statement's, one after the other, until visit fails.
typedef enum err (*fact_visit)(void *ctx, const struct board_row *row);
enum err fact_each(const struct fact_source *f, const struct statement *st, fact_visit visit, void *ctx);
// A row's level, in the currency of the statement ("": its own).
enum err fact_level(const struct fact_source *f, const struct board_row *row, const char *currency,
                    const struct latest *level, struct figure *out) MUST_USE;
// The same day of the month so many months before, or that month's last.
int32_t fact_months_before(int32_t day, int months);
// A key figure: the park's sum of a KPI, money in the given currency.
struct fact fact_of_kpi(const struct fact_source *f, const char *kpi, enum fact_rule rule,
                        const char *currency);

#endif
