// The catalogue and the parks' profiles (plans, members, calendars) in the ledger: what was planned by a
// moment can be asked for ever after, whatever becomes of the files.
#ifndef ESEP_COLLECTOR_PLANS_H
#define ESEP_COLLECTOR_PLANS_H

#include "kpi/park.h"
#include "store/ledger.h"
#include "store/reader.h"

#define PLANS_CATALOGUE "catalogue"
#define PLANS_PARK      "park/" // and the park's code

// Adds each file that differs from what the ledger has of it last, in one transaction of its own. *added: how
// many. TOO_BIG: a file does not fit into a row (diag names it; the others are added). FULL, IO as the
// ledger.
enum err plans_record(struct ledger *l, struct reader *r, const char *catalogue_path,
                      const struct parks *parks, size_t *added, struct diag *d) MUST_USE;

#endif
