// How long things took: a histogram in microseconds, within 1/16 of the value, from 1 µs to 17 minutes.
#ifndef ESEP_TESTS_BENCH_LOAD_DELAYS_H
#define ESEP_TESTS_BENCH_LOAD_DELAYS_H

#include <stdint.h>

#define DELAYS_BUCKETS (16 * 31)
struct delays { // {0} is empty
    uint64_t count, most_us, in[DELAYS_BUCKETS];
};
void delays_add(struct delays *d, int64_t us);
void delays_merge(struct delays *d, const struct delays *other);
// The upper edge of the bucket that so many of a thousand lie within; 0 when empty.
uint64_t delays_us(const struct delays *d, unsigned per_mille);

#endif
