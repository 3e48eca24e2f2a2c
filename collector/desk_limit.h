// How often people may report: a script gone wild must not hold up the park's commits. A bucket for each
// author and one for all. Threads: one.
#ifndef ESEP_COLLECTOR_DESK_LIMIT_H
#define ESEP_COLLECTOR_DESK_LIMIT_H

#include "base/clock.h"
#include <stdbool.h>

#define DESK_AUTHOR_BURST 100 // reports at once, and
#define DESK_AUTHOR_RATE  5   // more of them a second
#define DESK_ALL_BURST    400
#define DESK_ALL_RATE     40
#define DESK_AUTHORS      64 // remembered; the one that was silent longest is forgotten for a new one

struct desk_bucket {
    char author[64];
    int64_t tokens_us; // a token is a second's share: US_PER_S / rate
    struct mono filled;
    bool used;
};
struct desk_limit { // {0} is full buckets
    struct desk_bucket all, of[DESK_AUTHORS];
};
// False: too many at a time.
bool desk_limit_take(struct desk_limit *l, const char *author, struct mono now);

#endif
