// Atomic adds and nothing else: a counter never makes a request wait.

#include "dashboards/metrics.h"
#include <stdatomic.h>
#include <stdlib.h>

struct metrics {
    _Atomic uint64_t values[METRIC_COUNT];
};

static const struct {
    const char *name, *text;
} declared[METRIC_COUNT] = {
#define X(id, name, text) {name, text},
    METRICS_LIST(X)
#undef X
};

enum err metrics_create(struct metrics **out)
{
    struct metrics *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    *out = m;
    return ERR_OK;
}

void metrics_destroy(struct metrics *m)
{
    free(m);
}

void metrics_add(struct metrics *m, enum metric id, uint64_t by)
{
    atomic_fetch_add_explicit(&m->values[id], by, memory_order_relaxed);
}

uint64_t metrics_value(const struct metrics *m, enum metric id)
{
    return atomic_load_explicit(&m->values[id], memory_order_relaxed);
}

const char *metrics_name(enum metric id)
{
    return declared[id].name;
}

const char *metrics_prose(enum metric id)
{
    return declared[id].text;
}
