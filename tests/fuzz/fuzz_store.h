// A state folder as a collector leaves it: a ledger of two agents, seven series, reports with revisions,
// quarantine, a gap, and the observations made of it. The same bytes for the same version of the program, but
// for the ledger's id.
#ifndef ESEP_TESTS_FUZZ_STORE_H
#define ESEP_TESTS_FUZZ_STORE_H

#include "store/ledger.h"

#define FUZZ_EPOCH_S  INT64_C(1772366400) // 2026-03-01T12:00:00Z
#define FUZZ_EPOCH_US (FUZZ_EPOCH_S * INT64_C(1000000))

// Makes it in the process's folder under `name`; stopped cleanly, one file a database.
void fuzz_store_make(const char *name);
// The series of it, in the order of their numbers.
#define FUZZ_STORE_SERIES 7
const struct ledger_series *fuzz_store_series(size_t i);

#endif
