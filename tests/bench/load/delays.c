#include "tests/bench/load/delays.h"

static unsigned bucket_of(uint64_t us)
{
    unsigned shift = 0;
    while (us >> shift >= 32)
        shift++;
    unsigned at = shift * 16 + (unsigned)(us >> shift);
    return at < DELAYS_BUCKETS ? at : DELAYS_BUCKETS - 1;
}

static uint64_t edge_of(unsigned bucket)
{
    unsigned shift = bucket < 32 ? 0 : bucket / 16 - 1;
    return ((uint64_t)(bucket - shift * 16) + 1) << shift;
}

void delays_add(struct delays *d, int64_t us)
{
    uint64_t took = us > 0 ? (uint64_t)us : 0;
    d->count++;
    d->in[bucket_of(took)]++;
    if (took > d->most_us)
        d->most_us = took;
}

void delays_merge(struct delays *d, const struct delays *other)
{
    d->count += other->count;
    d->most_us = other->most_us > d->most_us ? other->most_us : d->most_us;
    for (unsigned i = 0; i < DELAYS_BUCKETS; i++)
        d->in[i] += other->in[i];
}

uint64_t delays_us(const struct delays *d, unsigned per_mille)
{
    uint64_t wanted = (d->count * per_mille + 999) / 1000, seen = 0;
    for (unsigned i = 0; i < DELAYS_BUCKETS && wanted > 0; i++)
        if ((seen += d->in[i]) >= wanted)
            return edge_of(i) < d->most_us ? edge_of(i) : d->most_us;
    return 0;
}
