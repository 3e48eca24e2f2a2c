// Shared by points*.c only.
#ifndef ESEP_STORE_POINTS_INTERNAL_H
#define ESEP_STORE_POINTS_INTERNAL_H

#include "store/observations_internal.h"

struct points_wanted {
    const struct ledger_series *const *series; // rising series_id
    size_t count;
    int64_t from, to;
};

struct points_run { // of a stream's sequences
    int64_t stream_id;
    uint64_t first, last;
};
struct points_runs {
    struct points_run *at; // the caller frees it
    size_t count, capacity;
};
enum err points_find_runs(struct observations_reader *o, struct reader *r, const struct points_wanted *w,
                          struct points_runs *out, struct diag *d) MUST_USE;

// Room for one more of size bytes each. NOMEM.
enum err points_reserve(void **at, size_t count, size_t *capacity, size_t size) MUST_USE;

#endif
