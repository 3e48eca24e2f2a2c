// A graph and the table below it ask the same, and so does whoever looks next: at 500 residents that is most
// of a second each time. Figures point into the catalogue, which lives as long as the cache does.
#include "dashboards/computed_kept.h"
#include <stdlib.h>
#include <string.h>

struct kept { // followed by the spans, then the figures
    size_t count;
    const struct currency *currency;
    bool converted, then;
};

static size_t size_of(size_t count)
{
    return sizeof(struct kept) + count * (sizeof(struct span) + sizeof(struct kpi_total));
}

bool computed_kept(struct cache *c, const uint8_t key[16], struct computed *out)
{
    struct kept k;
    struct blob *b = cache_find(c, key);
    if (!b)
        return false;
    memcpy(&k, b->bytes, sizeof k);
    struct computed copy = {.count = k.count,
                            .spans = calloc(k.count + 1, sizeof *copy.spans),
                            .figures = calloc(k.count + 1, sizeof *copy.figures),
                            .currency = k.currency,
                            .converted = k.converted,
                            .then = k.then};
    bool ok = copy.spans && copy.figures;
    if (ok) {
        const char *at = b->bytes + sizeof k;
        memcpy(copy.spans, at, k.count * sizeof *copy.spans);
        memcpy(copy.figures, at + k.count * sizeof *copy.spans, k.count * sizeof *copy.figures);
        *out = copy;
    } else {
        computed_free(&copy);
    }
    blob_release(b);
    return ok;
}

void computed_keep(struct cache *c, const uint8_t key[16], const struct computed *answer)
{
    const struct kept k = {answer->count, answer->currency, answer->converted, answer->then};
    char *bytes = calloc(1, size_of(k.count));
    if (!bytes)
        return;
    memcpy(bytes, &k, sizeof k);
    memcpy(bytes + sizeof k, answer->spans, k.count * sizeof *answer->spans);
    memcpy(bytes + sizeof k + k.count * sizeof *answer->spans, answer->figures,
           k.count * sizeof *answer->figures);
    struct blob *b = blob_create(bytes, size_of(k.count));
    if (b)
        cache_put(c, key, b);
    blob_release(b);
}
