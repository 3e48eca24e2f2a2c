// At most one log line a second of a kind, whatever a peer does to provoke them; what is not said is counted
// all the same. Threads: one for each struct quiet.
#ifndef ESEP_COLLECTOR_QUIET_H
#define ESEP_COLLECTOR_QUIET_H

#include "base/clock.h"
#include <stdbool.h>

struct quiet { // zero is its beginning
    struct mono said;
    bool ever;
};

static inline bool quiet_may_say(struct quiet *q, const struct clock *clock)
{
    struct mono now = clock_mono(clock);
    if (q->ever && mono_diff_ms(now, q->said) < 1000)
        return false;
    q->ever = true;
    q->said = now;
    return true;
}

#endif
