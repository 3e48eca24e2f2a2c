// At most one log line a second of a kind (or some), whatever a peer does to provoke them; what is not said
// is counted all the same. Threads: one for each struct quiet.
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

// So many lines in ten seconds: for what is worth a line each time, but not thousands when all agents come
// back at once or one of them does nothing but that.
#define QUIET_BURST 200
struct quiet_burst { // zero is its beginning
    struct mono since;
    unsigned said;
};

static inline bool quiet_may_say_some(struct quiet_burst *q, const struct clock *clock)
{
    struct mono now = clock_mono(clock);
    if (q->said == 0 || mono_diff_ms(now, q->since) >= 10000)
        *q = (struct quiet_burst){.since = now};
    return q->said++ < QUIET_BURST;
}

#endif
