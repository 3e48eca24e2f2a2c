// Shared by feed*.c only.
#ifndef ESEP_KPI_FEED_INTERNAL_H
#define ESEP_KPI_FEED_INTERNAL_H

#include "kpi/feed.h"

#define FEED_FIELD_MAX 64

struct feed { // what has been read so far
    const struct bank_info *bank;
    struct rates rates;
    bool dated; // rates.answered is set
};
// One currency's entry. Those that are not ours are counted, whatever else is in them. INVALID: twice, or not
// right.
enum err feed_take(struct feed *f, const char *currency, const char *quant, const char *value, char sign,
                   struct diag *d) MUST_USE;
// "14.03.2026"; INVALID, also when another day was given before.
enum err feed_take_date(struct feed *f, const char *text, struct diag *d) MUST_USE;
enum err feed_xml(struct feed *f, const void *body, size_t len, struct diag *d) MUST_USE;
enum err feed_json(struct feed *f, const void *body, size_t len, struct diag *d) MUST_USE;

#endif
