// One series over local days, months, quarters, years or fiscal years of its park, for the API and the pages:
// store/sums.h with the site's zones, calendars and money.
#ifndef ESEP_DASHBOARDS_SPANS_H
#define ESEP_DASHBOARDS_SPANS_H

#include "dashboards/as_of.h"
#include "dashboards/money.h"
#include "dashboards/points.h"
#include "store/sums.h"

#define SPANS_MAX 5000 // in an answer

struct spans_request {
    enum span_kind kind;
    int64_t from, to; // seconds, as points_request's; widened to whole spans
    enum points_cf cf;
    struct as_of as_of;
    const struct money *money; // NULL: as reported
};

struct spans {
    enum span_kind kind;
    enum points_cf cf;
    int fiscal_year_from;    // of the calendar that was used
    const struct zone *zone; // NULL: UTC
    size_t count;
    struct span *at;       // owned, rising
    struct span_sum *sums; // owned, of each
};

// The moment the series' civil day begins: reports are civil, a measurement's day is its park's.
int64_t spans_moment(const struct board_row *row, const struct zone *z, int32_t day);
// The calendar is the one of the profile known by as_of (received), else of now. TOO_BIG: more than SPANS_MAX
// spans, or too many days to add up (diag says how to ask).
enum err spans_load(struct site *s, const struct readers *store, const struct board_row *row,
                    const struct spans_request *q, struct spans *out, struct diag *d) MUST_USE;
void spans_free(struct spans *s);
// What a span comes to by cf; missing: nothing is known, or what was known then is not kept. A sum that no
// figure can hold is rounded here, and is not in spans_text, whose unit is the major one.
struct figure spans_value(const struct spans *s, size_t i);
void spans_text(const struct spans *s, size_t i, int decimals, char out[TALLY_TEXT]);
// Periods or steps of the span that nothing is known of.
uint64_t spans_missing(const struct span_sum *s);

#endif
