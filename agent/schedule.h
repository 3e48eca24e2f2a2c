// When a source runs: at multiples of `every` since 1970, so that every agent's ticks of one step fall
// together and a restart changes nothing. A tick is done once, also when the clock is set back over it: the
// ticks done are remembered as a few intervals, stored with the source's position. Missed ticks are counted
// and never invented.
#ifndef ESEP_AGENT_SCHEDULE_H
#define ESEP_AGENT_SCHEDULE_H

#include "base/clock.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_INTERVALS 8
#define SCHEDULE_BYTES_MAX (1 + SCHEDULE_INTERVALS * 16)

struct schedule {
    int64_t every_s;
    uint64_t missed; // since the start of the program
    uint8_t count;
    struct {
        int64_t first_s, last_s; // ticks done, both ends included
    } done[SCHEDULE_INTERVALS];  // rising
    int64_t newest_s;            // the tick taken last in this run of the program; INT64_MIN: none
};

void schedule_init(struct schedule *s, int64_t every_s);
// The multiple of `every` at or before now.
int64_t schedule_tick(const struct schedule *s, struct wall now);
// True when the current tick is not done yet; it is then marked as done and the ticks missed since the one
// before are counted. False too while the clock stands on ticks that are done.
bool schedule_take(struct schedule *s, struct wall now, int64_t *tick_s);
// The next multiple of `every` after now.
struct wall schedule_next(const struct schedule *s, struct wall now);

// For the position: at most SCHEDULE_BYTES_MAX bytes. INVALID (schedule untouched) for bytes that are none.
size_t schedule_encode(const struct schedule *s, uint8_t out[SCHEDULE_BYTES_MAX]);
enum err schedule_decode(struct schedule *s, const void *bytes, size_t len) MUST_USE;

#endif
