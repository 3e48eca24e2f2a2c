// What of a report was corrected: period, old and new value, when, why and by whom; newest first.
#ifndef ESEP_DASHBOARDS_PAGES_CORRECTIONS_H
#define ESEP_DASHBOARDS_PAGES_CORRECTIONS_H

#include "dashboards/as_of.h"
#include "dashboards/pages/page.h"

#define CORRECTIONS_SHOWN 50

struct corrections {
    struct correction *at; // owned; newest first
    size_t count;          // kept
    uint64_t total;
    int64_t newest_us; // any revision in the range was received last: when it changes, so does the graph
};

// Periods that begin from ≤ start < to (seconds); with a moment asked for, only what had been received or
// published by then. A store that cannot be read is none found.
void corrections_load(struct page *p, const struct board_row *r, int64_t from, int64_t to,
                      const struct as_of *as_of, struct corrections *out);
void corrections_put(struct page *p, const struct board_row *r, const struct corrections *c);
void corrections_free(struct corrections *c);

#endif
