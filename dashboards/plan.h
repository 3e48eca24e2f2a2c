// A park's profile (plans, members) as it was known by a moment, from the ledger.
#ifndef ESEP_DASHBOARDS_PLAN_H
#define ESEP_DASHBOARDS_PLAN_H

#include "dashboards/as_of.h"
#include "dashboards/board.h"
#include "dashboards/site.h"

struct plans; // which of the ledger's documents is whose; one a site. Threads: any
enum err plans_create(struct plans **out) MUST_USE;
void plans_destroy(struct plans *p);

// *out is the caller's to park_free; what may be shown of it is what the profile of now allows. With nothing
// asked for, or what was published, *out is NULL: the profile of now counts. NOT_FOUND: none was recorded by
// then; CORRUPT: it does not fit the catalogue of now, or is damaged.
enum err plan_by(struct site *s, const struct readers *r, const struct park *now, const struct as_of *as_of,
                 struct park **out, struct diag *d) MUST_USE;

// The row with the park as it was known then (none where none was recorded), for what is planned of it;
// *owned as above. An error as above, but for NOT_FOUND.
enum err plan_row(struct site *s, const struct readers *r, const struct board_row *row,
                  const struct as_of *as_of, struct board_row *out, struct park **owned,
                  struct diag *d) MUST_USE;

#endif
