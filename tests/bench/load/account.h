// Whether what was acknowledged is in the ledger: each row of the load's streams against the same batch made
// again, byte for byte, and no sequence without a row.
#ifndef ESEP_TESTS_BENCH_LOAD_ACCOUNT_H
#define ESEP_TESTS_BENCH_LOAD_ACCOUNT_H

#include "tests/bench/load/crowd.h"

struct account {
    uint64_t rows, samples;
    uint64_t lost;    // batches that were acknowledged and have no row
    uint64_t doubled; // rows of a sequence that had one already
    uint64_t differs; // rows of other bytes, or with refused samples
};
// Reads the ledger after the position, which is where it ended when the load began.
enum err account_take(const char *state, const struct crowd *c, uint32_t agents, uint64_t after,
                      struct account *out, struct diag *d) MUST_USE;
enum err account_position(const char *state, uint64_t *position, struct diag *d) MUST_USE;

#endif
