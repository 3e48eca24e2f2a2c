// What residents owe (store/owed.h), as far as a viewer may see it: the API and the pages ask here.
#ifndef ESEP_DASHBOARDS_OWED_H
#define ESEP_DASHBOARDS_OWED_H

#include "dashboards/site.h"
#include "store/owed.h"

struct owed_ask {
    const struct park *park; // as it is now
    const struct park *then; // its profile as of then; NULL: the same
    const char *resident;    // NULL: all
    struct period within;    // PERIOD_NONE: all
    int64_t as_of_us;        // 0, or a moment to come: now
    size_t max_items;
};
// By resident (in the profile's order), rule, period. TOO_BIG past max_items; else as owed_read.
enum err owed_list(struct site *s, const struct readers *store, const struct owed_ask *ask, owed_visit visit,
                   void *ctx, struct diag *d) MUST_USE;

// done ÷ owed and in_time ÷ due in per cent, the nearest doubles; missing where there is nothing to divide
// by.
struct figure owed_completeness(const struct owed_sum *sum);
struct figure owed_punctuality(const struct owed_sum *sum);

#endif
