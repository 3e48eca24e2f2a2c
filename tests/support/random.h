// Numbers that look random and are the same for the same seed on every machine (SplitMix64, public domain, S.
// Vigna).
#ifndef ESEP_TESTS_RANDOM_H
#define ESEP_TESTS_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state; // the seed
};
static inline uint64_t random_next(struct random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
static inline uint64_t random_below(struct random *r, uint64_t bound)
{
    return random_next(r) % bound;
}

#endif
