// Which periods are closed, as the ledger says: read once, then only what is new. Threads: any.
#ifndef ESEP_DASHBOARDS_CLOSINGS_H
#define ESEP_DASHBOARDS_CLOSINGS_H

#include "dashboards/as_of.h"
#include "dashboards/board.h"
#include "kpi/closure.h"

struct closings;
enum err closings_create(struct closings **out) MUST_USE;
void closings_destroy(struct closings *c);
// Takes in what the ledger has by now; once a request is enough.
enum err closings_refresh(struct site *s, const struct readers *r, struct diag *d) MUST_USE;
// Whether the row's report that begins on that day is closed, by a moment (0: now) and before a position of
// the ledger (0: any); *out is the closing.
bool closings_find(struct site *s, const struct board_row *row, int32_t day, int64_t as_of_us,
                   uint64_t before, struct closure *out);

// By what a request asked for: what was closed by a received moment; by published nothing is known of it but
// now.
bool closings_of(struct site *s, const struct board_row *row, int32_t day, const struct as_of *as_of,
                 struct closure *out);

#endif
