// Series whose owner has no valid key any more, and who sent them first in this group of messages: that
// agent's figures are let in at once and any other's are not; who owns the series is changed behind the
// transaction (identity_follow).
#ifndef ESEP_COLLECTOR_CLAIMS_H
#define ESEP_COLLECTOR_CLAIMS_H

#include "store/id_table.h"
#include "store/ledger.h"

struct claim {
    const struct ledger_series *series; // the ledger's
    int64_t agent_id;
    struct claim *next;
};

struct claims { // all zero: none
    struct id_table by_series;
    struct claim *first, *last; // in the order in which they came
};

// *granted: the series is this agent's from now on, false where another one was first. NOMEM.
enum err claims_take(struct claims *c, const struct ledger_series *series, int64_t agent_id,
                     bool *granted) MUST_USE;
void claims_clear(struct claims *c);

#endif
