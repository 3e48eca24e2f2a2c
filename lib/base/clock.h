// Time. Wall and monotonic time are different types and the clock is injected, so a test of a month takes no
// time. Threads: a struct clock is immutable; the system clock may be shared; a fake clock is atomic.
#ifndef ESEP_BASE_CLOCK_H
#define ESEP_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct wall { // since 1970-01-01T00:00:00Z
    int64_t us;
};
struct mono { // since an arbitrary moment
    int64_t us;
};

struct clock {
    struct wall (*wall)(void *ctx);
    struct mono (*mono)(void *ctx);
    void *ctx;
};

const struct clock *clock_system(void);
struct wall clock_wall(const struct clock *c);
struct mono clock_mono(const struct clock *c);
int64_t mono_diff_ms(struct mono later, struct mono earlier);

// A clock that moves only when told.
struct fake_clock {
    _Atomic int64_t wall_us;
    _Atomic int64_t mono_us;
    struct clock clock; // hand out &fake.clock
};
void fake_clock_init(struct fake_clock *f, int64_t wall_us);
void fake_clock_advance_us(struct fake_clock *f, int64_t us); // both clocks
void fake_clock_step_us(struct fake_clock *f, int64_t us);    // the wall clock alone is set forward or back

#define US_PER_S  INT64_C(1000000)
#define US_PER_MS INT64_C(1000)

// "2026-03-01T12:00:00Z" (20 characters and NUL); years 0000 to 9999, else "invalid".
#define WALL_TEXT 21
void wall_text(struct wall w, char out[WALL_TEXT]);

#endif
