// Asked resident by resident: what one may not see is never read, so that it is no part of any count, limit
// or time taken.
#include "dashboards/owed.h"
#include <string.h>

struct listing {
    owed_visit visit;
    void *ctx;
    size_t left;
    struct diag *diag;
};

static enum err pass_on(void *ctx, const struct owed_item *i)
{
    struct listing *l = ctx;
    if (l->left == 0)
        return diag_fail(l->diag, ERR_TOO_BIG, "more reports are owed than can be listed");
    l->left--;
    return l->visit(l->ctx, i);
}

static bool is_asked(const struct readers *store, const struct owed_ask *ask, const char *resident)
{
    return (!ask->resident || strcmp(ask->resident, resident) == 0) &&
           access_may(store->viewer, SIGHT_OBLIGATIONS, ask->park->code, resident);
}

enum err owed_list(struct site *s, const struct readers *store, const struct owed_ask *ask, owed_visit visit,
                   void *ctx, struct diag *d)
{
    const struct park *park = ask->then ? ask->then : ask->park;
    struct listing l = {.visit = visit, .ctx = ctx, .left = ask->max_items, .diag = d};
    int64_t now_us = site_now_us(s);
    struct owed_query q = {.park = park,
                           .zone = site_zone(s, ask->park),
                           .within = ask->within,
                           .as_of_us = ask->as_of_us && ask->as_of_us < now_us ? ask->as_of_us : now_us,
                           .max_items = SIZE_MAX};
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < park->resident_count; i++) {
        q.resident = park->residents[i].code;
        if (is_asked(store, ask, q.resident))
            e = owed_read(store->observations, store->reader, &q, pass_on, &l, d);
    }
    return e;
}

static struct figure per_cent(uint64_t part, uint64_t whole)
{
    struct figure f = figure_missing();
    if (whole == 0 || figure_from_real((double)part * 100 / (double)whole, &f) != ERR_OK)
        return figure_missing();
    return f;
}

struct figure owed_completeness(const struct owed_sum *sum)
{
    return per_cent(sum->done, sum->owed);
}

struct figure owed_punctuality(const struct owed_sum *sum)
{
    return per_cent(sum->in_time, sum->due);
}
