// Central banks' rates in the observations: every answer that the ledger holds, also those that a later one
// of the same day replaced. As observations.h's readers.
#ifndef ESEP_STORE_OBSERVATIONS_RATES_H
#define ESEP_STORE_OBSERVATIONS_RATES_H

#include "kpi/rate_book.h"
#include "store/observations.h"

struct observed_rates { // borrowed during the visit
    struct rates rates;
    uint64_t position;
    int64_t received_us;
    const char *author;
};
typedef enum err (*rates_visit)(void *ctx, const struct observed_rates *r);
// Received by as_of_us (0: now), by bank, day asked for, position.
enum err observations_rates(struct observations_reader *o, int64_t as_of_us, rates_visit visit, void *ctx,
                            struct diag *d) MUST_USE;
// The same as a book; the caller destroys it.
enum err observations_rate_book(struct observations_reader *o, int64_t as_of_us, struct rate_book **out,
                                struct diag *d) MUST_USE;
// Of the newest answer, 0: none. While it is the same, a book of now is too.
enum err observations_rates_position(struct observations_reader *o, uint64_t *out, struct diag *d) MUST_USE;

#endif
