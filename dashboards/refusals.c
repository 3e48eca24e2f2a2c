// A place whose refusals were told is free for the next who; one that still waits is never taken away.
#include "dashboards/refusals.h"
#include "base/clock.h"
#include <stdio.h>
#include <string.h>

static bool same(const struct refusal *a, const struct refusal *b)
{
    return *a->whose && a->kind == b->kind && a->known == b->known && strcmp(a->whose, b->whose) == 0 &&
           strcmp(a->detail, b->detail) == 0;
}

static struct refusal *place_of(struct refusals *all, const struct refusal *r)
{
    struct refusal *at = all->at + (r->known ? REFUSALS_EACH : 0), *oldest = NULL;
    for (size_t i = 0; i < REFUSALS_EACH; i++)
        if (same(&at[i], r))
            return &at[i];
    for (size_t i = 0; i < REFUSALS_EACH; i++)
        if (at[i].count == 0 && (!oldest || at[i].seen_us < oldest->seen_us))
            oldest = &at[i];
    return oldest;
}

void refusals_count(struct refusals *all, const struct refusal *r, int64_t now_us)
{
    struct refusal *at = place_of(all, r);
    if (!at) {
        at = &all->several[(unsigned)r->kind % REFUSALS_KINDS];
        at->kind = r->kind;
        snprintf(at->who, sizeof at->who, "address:several");
        snprintf(at->object, sizeof at->object, "(several)");
    } else if (same(at, r)) {
        memcpy(at->who, r->who, sizeof at->who); // the newest
        memcpy(at->object, r->object, sizeof at->object);
    } else {
        *at = *r;
        at->count = 0;
        at->told_us = INT64_MIN;
    }
    at->seen_us = now_us;
    at->count++;
    all->waiting++;
}

static bool due(const struct refusal *r, int64_t now_us, bool end)
{
    return r->count > 0 && (end || r->told_us == INT64_MIN || now_us - r->told_us >= US_PER_S);
}

// Who has waited longest; those who are known before strangers.
static void prefer(struct refusal **best, struct refusal *r, int64_t now_us, bool end)
{
    if (due(r, now_us, end) && (!*best || (r->known && !(*best)->known) ||
                                (r->known == (*best)->known && r->told_us < (*best)->told_us)))
        *best = r;
}

bool refusals_take(struct refusals *all, int64_t now_us, bool end, struct refusal *out)
{
    struct refusal *best = NULL;
    if (now_us - all->second_us >= US_PER_S) {
        all->second_us = now_us;
        all->told = 0;
    }
    if (all->waiting == 0 || (!end && all->told >= REFUSALS_PER_S))
        return false;
    for (size_t i = 0; i < 2 * REFUSALS_EACH; i++)
        prefer(&best, &all->at[i], now_us, end);
    for (size_t i = 0; i < REFUSALS_KINDS; i++)
        prefer(&best, &all->several[i], now_us, end);
    if (!best)
        return false;
    *out = *best;
    all->told++;
    all->waiting -= best->count;
    best->count = 0;
    best->told_us = now_us;
    return true;
}
