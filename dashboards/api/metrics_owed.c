// What residents owe, park by park, as far as the asker may see it. A park with more than can be looked
// through at each scrape is left out rather than counted in part.

#include "dashboards/api/api.h"
#include "dashboards/owed.h"
#include <inttypes.h>
#include <stdlib.h>

#define ITEMS_MAX 20000

static enum err add(void *ctx, const struct owed_item *i)
{
    owed_add(ctx, i);
    return ERR_OK;
}

// NULL: nothing can be said.
static struct owed_sum *sums_of(struct site *s, const struct readers *store)
{
    struct owed_sum *sums = calloc(s->parks.count + 1, sizeof *sums);
    for (size_t i = 0; sums && i < s->parks.count; i++) {
        const struct owed_ask ask = {.park = s->parks.parks[i], .max_items = ITEMS_MAX};
        struct diag d = {""};
        if (owed_list(s, store, &ask, add, &sums[i], &d) != ERR_OK)
            sums[i] = (struct owed_sum){0};
    }
    return sums;
}

static void put(struct site *s, struct buf *b, const struct owed_sum *sums, const char *name,
                const char *prose, uint64_t (*value)(const struct owed_sum *))
{
    buf_printf(b, "# HELP esep_reports_%s %s\n# TYPE esep_reports_%s gauge\n", name, prose, name);
    for (size_t i = 0; i < s->parks.count; i++)
        if (sums[i].owed > 0)
            buf_printf(b, "esep_reports_%s{park=\"%s\"} %" PRIu64 "\n", name, s->parks.parks[i]->code,
                       value(&sums[i]));
}

static uint64_t owed_of(const struct owed_sum *s)
{
    return s->owed;
}

static uint64_t done_of(const struct owed_sum *s)
{
    return s->done;
}

static uint64_t late_of(const struct owed_sum *s)
{
    return s->late;
}

void api_metrics_owed(struct site *s, struct exchange *x)
{
    struct readers store;
    if (site_store(s, &x->viewer, &store, NULL) != ERR_OK)
        return;
    struct owed_sum *sums = sums_of(s, &store);
    if (!sums)
        return;
    put(s, &x->body, sums, "owed", "Reports that residents owe: their period is over", owed_of);
    put(s, &x->body, sums, "done", "Of these, with a figure", done_of);
    put(s, &x->body, sums, "late", "Of these, without a figure after their due date", late_of);
    free(sums);
}
