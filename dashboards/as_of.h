// `as_of` and `by` of a request: what was known, or published, by a moment. One reading of them for the API,
// the graphs and the pages.
#ifndef ESEP_DASHBOARDS_AS_OF_H
#define ESEP_DASHBOARDS_AS_OF_H

#include "dashboards/exchange.h"
#include "kpi/zone.h"
#include "store/observations.h"

#define AS_OF_ADDRESS 96

struct as_of {
    bool asked;        // either of them was given
    bool by_published; // else by received
    int64_t us;        // 0: now
};

// A day or period (2026-03-14, 2026-03, 2026-Q1, 2026) means through its end, in the zone; a moment as in
// params_time through the end of its second, unless it has a fraction. On INVALID the exchange holds the 400.
enum err as_of_parse(struct exchange *x, int64_t now_s, const struct zone *z, struct as_of *out) MUST_USE;
// The moment that is asked for, or now; never later than now.
int64_t as_of_moment_us(const struct as_of *a, int64_t now_us);
void as_of_apply(const struct as_of *a, struct observation_query *q);
// "&as_of=…&by=…" for an address of our own; "" when nothing was asked.
void as_of_address(const struct as_of *a, char out[AS_OF_ADDRESS]);

#endif
