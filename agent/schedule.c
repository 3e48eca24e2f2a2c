// Intervals rather than the last tick alone: after a clock that ran ahead has been set right, the last tick
// lies in the future and a source would be silent until then, or would repeat ticks. With intervals the true
// time's own ticks are simply not done yet. When there are too many, the two oldest become one: ticks between
// them count as done.
#include "agent/schedule.h"
#include <string.h>

void schedule_init(struct schedule *s, int64_t every_s)
{
    *s = (struct schedule){.every_s = every_s, .newest_s = INT64_MIN};
}

int64_t schedule_tick(const struct schedule *s, struct wall now)
{
    int64_t now_s = now.us / US_PER_S;
    if (now.us % US_PER_S < 0)
        now_s--;
    int64_t rest = now_s % s->every_s;
    return now_s - (rest < 0 ? rest + s->every_s : rest);
}

struct wall schedule_next(const struct schedule *s, struct wall now)
{
    return (struct wall){(schedule_tick(s, now) + s->every_s) * US_PER_S};
}

static void remove_at(struct schedule *s, size_t i)
{
    memmove(&s->done[i], &s->done[i + 1], (size_t)(s->count - i - 1) * sizeof s->done[0]);
    s->count--;
}

static void make_room(struct schedule *s)
{
    if (s->count < SCHEDULE_INTERVALS)
        return;
    s->done[1].first_s = s->done[0].first_s;
    remove_at(s, 0);
}

// The first interval that lies wholly after the tick.
static size_t find_after(const struct schedule *s, int64_t tick)
{
    size_t i = 0;
    while (i < s->count && s->done[i].first_s <= tick)
        i++;
    return i;
}

static bool is_done(const struct schedule *s, int64_t tick)
{
    for (size_t i = 0; i < s->count; i++)
        if (tick >= s->done[i].first_s && tick <= s->done[i].last_s)
            return true;
    return false;
}

// Neighbours nearer than `every` (which may have changed since) leave no tick between them: they join.
static void mark(struct schedule *s, int64_t tick)
{
    size_t after = find_after(s, tick);
    bool joins_before = after > 0 && tick - s->done[after - 1].last_s <= s->every_s;
    bool joins_after = after < s->count && s->done[after].first_s - tick <= s->every_s;
    if (joins_before && joins_after) {
        s->done[after - 1].last_s = s->done[after].last_s;
        remove_at(s, after);
    } else if (joins_before) {
        s->done[after - 1].last_s = tick;
    } else if (joins_after) {
        s->done[after].first_s = tick;
    } else {
        make_room(s);
        if (is_done(s, tick)) // it lay between the two that became one
            return;
        after = find_after(s, tick);
        memmove(&s->done[after + 1], &s->done[after], (size_t)(s->count - after) * sizeof s->done[0]);
        s->done[after].first_s = s->done[after].last_s = tick;
        s->count++;
    }
}

static void count_missed(struct schedule *s, int64_t tick)
{
    int64_t before = s->newest_s;
    if (before == INT64_MIN) { // a new run of the program: what lies before this tick's interval was missed
        for (size_t i = 0; i < s->count; i++)
            if (s->done[i].last_s < tick)
                before = s->done[i].last_s;
    }
    if (before != INT64_MIN && tick > before)
        s->missed += (uint64_t)((tick - before) / s->every_s - 1);
    s->newest_s = tick;
}

bool schedule_take(struct schedule *s, struct wall now, int64_t *tick_s)
{
    int64_t tick = schedule_tick(s, now);
    if (is_done(s, tick))
        return false;
    count_missed(s, tick);
    mark(s, tick);
    *tick_s = tick;
    return true;
}

static void put(uint8_t *out, int64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)v >> (8 * i));
}

static int64_t take(const uint8_t *in)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v |= (uint64_t)in[i] << (8 * i);
    return (int64_t)v;
}

size_t schedule_encode(const struct schedule *s, uint8_t out[SCHEDULE_BYTES_MAX])
{
    out[0] = s->count;
    for (size_t i = 0; i < s->count; i++) {
        put(out + 1 + 16 * i, s->done[i].first_s);
        put(out + 9 + 16 * i, s->done[i].last_s);
    }
    return 1 + 16u * s->count;
}

// Beyond it no clock can have stood.
static bool is_moment(int64_t s)
{
    return s <= INT64_MAX / US_PER_S && s >= INT64_MIN / US_PER_S;
}

// `every` may have changed since: only the bounds matter.
enum err schedule_decode(struct schedule *s, const void *bytes, size_t len)
{
    const uint8_t *in = bytes;
    struct schedule read = *s;
    if (len < 1 || in[0] > SCHEDULE_INTERVALS || len != 1 + 16u * in[0])
        return ERR_INVALID;
    read.count = in[0];
    for (size_t i = 0; i < read.count; i++) {
        read.done[i].first_s = take(in + 1 + 16 * i);
        read.done[i].last_s = take(in + 9 + 16 * i);
        if (!is_moment(read.done[i].first_s) || !is_moment(read.done[i].last_s) ||
            read.done[i].first_s > read.done[i].last_s ||
            (i > 0 && read.done[i].first_s <= read.done[i - 1].last_s))
            return ERR_INVALID;
    }
    *s = read;
    return ERR_OK;
}
