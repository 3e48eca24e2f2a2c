// One user's files have no more than half of the places, so that nobody keeps another from theirs.
#include "dashboards/exports.h"
#include "base/clock.h"
#include <string.h>

static struct export *place_of(struct exports *all, const struct export *e)
{
    struct export *oldest = NULL;
    size_t waiting = 0;
    for (size_t i = 0; i < EXPORTS_KEPT; i++) {
        struct export *at = &all->at[i];
        bool theirs = strcmp(at->whose, e->whose) == 0;
        if (theirs && strcmp(at->object, e->object) == 0)
            return at;
        waiting += theirs && at->count > 0;
        if (at->count == 0 && (!oldest || at->seen_us < oldest->seen_us))
            oldest = at;
    }
    return waiting < EXPORTS_OF_ONE ? oldest : NULL;
}

bool exports_count(struct exports *all, const struct export *e, int64_t now_us)
{
    struct export *at = place_of(all, e);
    if (!at)
        return false;
    bool same = *at->whose && strcmp(at->whose, e->whose) == 0 && strcmp(at->object, e->object) == 0;
    uint64_t count = at->count;
    int64_t told_us = same ? at->told_us : INT64_MIN;
    *at = *e;
    at->count = count + 1;
    at->told_us = told_us;
    at->seen_us = now_us;
    return true;
}

static bool due(const struct export *e, int64_t now_us, bool end)
{
    return e->count > 0 && (end || e->told_us == INT64_MIN || now_us - e->told_us >= US_PER_S);
}

bool exports_take(struct exports *all, int64_t now_us, bool end, struct export *out)
{
    struct export *best = NULL;
    if (now_us - all->second_us >= US_PER_S) {
        all->second_us = now_us;
        all->told = 0;
    }
    if (!end && all->told >= EXPORTS_PER_S)
        return false;
    for (size_t i = 0; i < EXPORTS_KEPT; i++)
        if (due(&all->at[i], now_us, end) && (!best || all->at[i].told_us < best->told_us))
            best = &all->at[i];
    if (!best)
        return false;
    *out = *best;
    all->told++;
    best->count = 0;
    best->told_us = now_us;
    return true;
}
