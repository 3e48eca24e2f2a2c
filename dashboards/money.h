// Money in the currency that a reader asks for (`currency=`): each figure converted once, by its own period's
// rate (kpi/convert.h says which), the rate beside it. What has no rate is missing. Threads: one at a time.
#ifndef ESEP_DASHBOARDS_MONEY_H
#define ESEP_DASHBOARDS_MONEY_H

#include "dashboards/board.h"
#include "dashboards/exchange.h"
#include "dashboards/writer.h"
#include "kpi/convert.h"
#include "store/observations_rates.h"

#define MONEY_ADDRESS 16

struct money {
    const struct currency *to; // NULL: nothing was asked for, figures stay as they are
    struct rate_book *book;    // owned
};
struct money_figure {
    struct figure value;             // in `currency`; missing: not known, or no rate
    const struct currency *currency; // NULL: no money
    bool converted;                  // by `by`
    bool lacking;                    // it is known, but there is no rate, or else it is too_large
    bool too_large;                  // there is one, and no figure holds what it comes to
    struct conversion by;
};

extern const char *const money_codes[]; // that can be asked for; NULL ends them
// The parameter `currency` alone; NULL: not given. On INVALID the exchange holds the 400.
enum err money_choose(struct exchange *x, const struct board_row *row, const struct currency **out) MUST_USE;
// The parameter `currency` of a request about the series; rates as they were known by as_of_us (0: now). On
// INVALID the exchange holds the 400 (another currency than KZT USD UZS RUB KGS; not money) or the failure.
enum err money_open(struct exchange *x, const struct readers *store, const struct board_row *row,
                    int64_t as_of_us, struct money *out) MUST_USE;
void money_close(struct money *m);
// "&currency=USD", "" when nothing was asked for.
void money_address(const struct money *m, char out[MONEY_ADDRESS]);
// The series' row as if it were reported in the currency asked for: for units, scales, decimals.
void money_measure(const struct money *m, struct board_row *row);

// A report's figure of the period that starts on the day, in its own currency ("": the series').
struct money_figure money_report(const struct money *m, const struct board_row *row, const char *currency,
                                 int32_t period_start, struct figure value);
// A measurement's: the day is that of its step's end in the park's zone (its end belongs to the day before at
// midnight).
struct money_figure money_measured(const struct money *m, const struct board_row *row, const struct zone *z,
                                   int64_t time_s, struct figure value);

// "rate": {bank, value, of, days, carried}, or null.
void money_put_rate(struct writer *j, const struct money_figure *f);

#endif
