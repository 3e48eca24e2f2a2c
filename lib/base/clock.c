// The clock is a table of two calls so that tests hand in one that moves only when told; nothing else in the
// project asks the system for the time.
#include "base/clock.h"
#include <stdio.h>
#include <time.h>

static int64_t now_us(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t); // can't fail for these two clocks
    return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static struct wall system_wall(void *ctx)
{
    (void)ctx;
    return (struct wall){now_us(CLOCK_REALTIME)};
}

static struct mono system_mono(void *ctx)
{
    (void)ctx;
    return (struct mono){now_us(CLOCK_MONOTONIC)};
}

const struct clock *clock_system(void)
{
    static const struct clock system = {system_wall, system_mono, NULL};
    return &system;
}

struct wall clock_wall(const struct clock *c)
{
    return c->wall(c->ctx);
}

struct mono clock_mono(const struct clock *c)
{
    return c->mono(c->ctx);
}

int64_t mono_diff_ms(struct mono later, struct mono earlier)
{
    return (later.us - earlier.us) / US_PER_MS;
}

static struct wall fake_wall(void *ctx)
{
    struct fake_clock *f = ctx;
    return (struct wall){atomic_load(&f->wall_us)};
}

static struct mono fake_mono(void *ctx)
{
    struct fake_clock *f = ctx;
    return (struct mono){atomic_load(&f->mono_us)};
}

void fake_clock_init(struct fake_clock *f, int64_t wall_us)
{
    atomic_init(&f->wall_us, wall_us);
    // Not zero: code that takes 0 for "never" must not pass its tests by luck.
    atomic_init(&f->mono_us, 1000 * US_PER_S);
    f->clock = (struct clock){fake_wall, fake_mono, f};
}

void fake_clock_advance_us(struct fake_clock *f, int64_t us)
{
    atomic_fetch_add(&f->wall_us, us);
    atomic_fetch_add(&f->mono_us, us);
}

void fake_clock_step_us(struct fake_clock *f, int64_t us)
{
    atomic_fetch_add(&f->wall_us, us);
}

void wall_text(struct wall w, char out[WALL_TEXT])
{
    int64_t seconds = w.us / US_PER_S - (w.us % US_PER_S < 0 ? 1 : 0);
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099) {
        (void)snprintf(out, WALL_TEXT, "invalid");
        return;
    }
    // The modulo tells the compiler what the calendar guarantees: every part fits its digits.
    (void)snprintf(out, WALL_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)(tm.tm_year + 1900) % 10000U,
                   (unsigned)(tm.tm_mon + 1) % 100U, (unsigned)tm.tm_mday % 100U, (unsigned)tm.tm_hour % 100U,
                   (unsigned)tm.tm_min % 100U, (unsigned)tm.tm_sec % 100U);
}
