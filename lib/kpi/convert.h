// An amount of one currency as one of another, by a bank's rates. Each observation is converted once, by its
// own period's rate: a flow by the average of the days' rates over the period (of one day: that day's), a
// level by those of the period's last day. Between two foreign currencies: the quotient of their two
// averages, by the same bank.
#ifndef ESEP_KPI_CONVERT_H
#define ESEP_KPI_CONVERT_H

#include "kpi/money.h"
#include "kpi/period.h"
#include "kpi/rate_book.h"

struct conversion { // what a number was converted by: shown beside it
    bool same;      // one currency: nothing was converted, and no bank asked
    enum bank bank;
    int64_t from, to;  // sums over the days of the rates per unit; the rate is from / to
    uint32_t days;     // that were averaged
    uint32_t carried;  // of those, with rates of a day before
    int32_t rated;     // the day that the last day's rates are of
    char of[4], in[4]; // what the amount was of, and became: "USD", "KZT"
};

// For days first ≤ day < end, at most 366. NOT_FOUND: the bank has no rate of one of them for a day
// (*lacking, when not NULL). INVALID: no or too many days.
enum err conversion_by(const struct rate_book *b, enum bank bank, const char *from, const char *to,
                       int32_t first, int32_t end, struct conversion *out, int32_t *lacking) MUST_USE;
// The rule for a park's figures: the bank of the park's currency; where that one does not have both for each
// day, the pivot, for all of them. NOT_FOUND: neither has.
enum err conversion_of(const struct rate_book *b, const char *park_currency, const char *from, const char *to,
                       bool flow, struct period p, struct conversion *out) MUST_USE;
// Minor units into minor units, rounded half to even. Missing stays missing. INVALID: no whole number of
// minor units; TOO_BIG: past MONEY_MINOR_MAX.
enum err conversion_apply(const struct conversion *c, struct figure minor, const struct currency *from,
                          const struct currency *to, struct figure *out) MUST_USE;
// What one unit costs, rounded half to even to 10 digits behind the point, without zeros at the end.
void conversion_text(const struct conversion *c, char out[RATE_TEXT]);
// "1 USD = 511.68 KZT" whichever way it was applied: what one unit of the dearer of the two costs, rounded as
// above.
#define CONVERSION_PAIR_TEXT (RATE_TEXT + 16)
void conversion_pair_text(const struct conversion *c, char out[CONVERSION_PAIR_TEXT]);

#endif
