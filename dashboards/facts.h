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
    FACT_HIDDEN    // computed of figures that the viewer may not see
};
enum fact_rule { RULE_LEVEL, RULE_SINCE_FIRST, RULE_YEAR, RULE_MONTH, RULE_RATE };

struct fact {
    enum fact_why why;
    enum fact_rule rule;
    struct figure value;    // known when why is FACT_KNOWN
    struct figure per_cent; // of the statement's value, missing when it has no single number
    bool reached;
    struct measure measure;    // what value is measured in; borrowed from the board's row
    unsigned contributors, of; // residents
    bool simulated;            // any of them
    int32_t from_day;          // of the first figure summed, for flows
    int32_t days;              // that the figures cover, for RULE_RATE
    int64_t received_us;       // of the newest figure in it
    bool converted;            // figures of other currencies are in it, the newest of them by `by`
    struct conversion by;
};

// Sums a flow; facts know nothing of stores.
typedef enum err (*fact_sum)(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                             struct figure *sum, int64_t *first_s);
// The same, or for a level the newest figure alone, each report converted into the currency by its own
// period's rate; *by: the newest one's. NOT_FOUND: for one of them there is no rate.
typedef enum err (*fact_convert)(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                                 const struct currency *currency, struct figure *sum, int64_t *first_s,
                                 struct conversion *by);
struct fact_source {
    const struct park *park;
    const struct viewer *viewer;
    const struct board_row *rows; // of the park, those that the viewer may see
    size_t count;
    fact_sum sum;
    fact_convert convert; // NULL: figures in other currencies are not comparable
    void *ctx;
};

struct fact fact_of_statement(const struct fact_source *f, const struct statement *st);
// A key figure: the park's sum of a KPI, money in the given currency.
struct fact fact_of_kpi(const struct fact_source *f, const char *kpi, enum fact_rule rule,
                        const char *currency);

// fact_sum through totals.h; ctx is a struct fact_totals.
struct fact_totals {
    struct site *site;
    const struct readers *store;
    struct rate_book *book; // read when first asked for; fact_totals_close
};
void fact_totals_close(struct fact_totals *t);
enum err fact_totals_convert(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                             const struct currency *currency, struct figure *sum, int64_t *first_s,
                             struct conversion *by);
enum err fact_totals_sum(void *ctx, const struct board_row *row, int32_t from, int32_t to, struct figure *sum,
                         int64_t *first_s);

#endif
