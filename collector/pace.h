// How a projection gives way to what is on its way to an acknowledgement: while the committer has more than
// it can do, whoever can wait rests three times as long as a step took. What comes meanwhile is done together
// afterwards, which costs less. Not for longer than it may be behind. Pure. Threads: one at a time.
#ifndef ESEP_COLLECTOR_PACE_H
#define ESEP_COLLECTOR_PACE_H

#include "base/clock.h"
#include <stdbool.h>
#include <stdint.h>

#define PACE_BEHIND_MAX_MS 10000 // beyond it the projection works as hard as everybody

#define PACE_SEEN 32
struct pace { // all zero at first
    struct {
        uint64_t committed;
        struct mono at;
    } seen[PACE_SEEN]; // what was committed when, and the projection has not read yet; a ring
    unsigned first, count;
    struct mono turn; // the last one, pace_turn
};

// After a step that began at `begun` and has read up to cursor. pressed: the committer's queue is not
// emptied by a commit. How long to rest, at most max_ms.
int pace_rest_ms(struct pace *p, struct mono begun, struct mono now, uint64_t cursor, uint64_t committed,
                 bool pressed, int max_ms);

// Whether what is done between two steps has its turn: always when all is read; under a load that never lets
// it come to that, each PACE_TURN_MS, while what is first of the unread came at most PACE_UNREAD_MAX_MS ago.
// What is filled anew has years to read, and no turn.
#define PACE_TURN_MS       10000
#define PACE_UNREAD_MAX_MS (2 * PACE_BEHIND_MAX_MS)
bool pace_turn(struct pace *p, struct mono now, bool all_read, int64_t unread_ms);

#endif
