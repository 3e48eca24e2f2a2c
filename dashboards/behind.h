// How far the observations, of which totals, reports and newest figures are made, are behind the ledger.
// Under load that is a second or two and nothing to speak of; while they are made anew it is minutes, and
// what is shown then lacks figures: answers say so.
#ifndef ESEP_DASHBOARDS_BEHIND_H
#define ESEP_DASHBOARDS_BEHIND_H

#include "dashboards/site.h"

#define BEHIND_SAID_S 10 // the oldest row that was not read has waited for so long

// False while no row that was not read has waited for long, or where it can't be told. How many there are is
// not said: it would tell of others' figures. Threads: the store's.
bool behind_is(const struct readers *store, int64_t now_us);

#endif
