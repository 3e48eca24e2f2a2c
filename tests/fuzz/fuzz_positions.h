// A source's stored positions in memory, as the spool would keep them.
#ifndef ESEP_TESTS_FUZZ_POSITIONS_H
#define ESEP_TESTS_FUZZ_POSITIONS_H

#include "agent/source.h"

struct fuzz_positions;
struct fuzz_positions *fuzz_positions_create(void);
void fuzz_positions_destroy(struct fuzz_positions *p);
// An env over it; clock and p are borrowed.
struct source_env fuzz_positions_env(struct fuzz_positions *p, const struct clock *clock);
void fuzz_positions_put(struct fuzz_positions *p, const char *key, const void *bytes, size_t len);
// What a harvest brought, as one spool transaction would store it.
void fuzz_positions_apply(struct fuzz_positions *p, const struct harvest *h);
// Bytes of what is stored overwritten: `at` counts over all values, in the order of their keys.
void fuzz_positions_damage(struct fuzz_positions *p, size_t at, uint8_t byte);

#endif
