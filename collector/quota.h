// What a resident may send: how many series it may have, how many samples a second. From the configuration,
// immutable.
#ifndef ESEP_COLLECTOR_QUOTA_H
#define ESEP_COLLECTOR_QUOTA_H

#include <stddef.h>
#include <stdint.h>

struct quota { // 0: no limit
    uint32_t series, samples_per_s;
};

struct quota_of {
    char resident[128];
    struct quota quota;
};

struct quotas {
    struct quota usual;
    size_t count;
    struct quota_of *of; // residents with limits of their own
};

struct quota quota_find(const struct quotas *q, const char *resident); // q NULL: no limits

#endif
