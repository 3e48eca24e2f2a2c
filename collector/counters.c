// The tables behind counters.h. A counter that is not in the list cannot be counted, printed or scraped, so
// none can be forgotten in one of the three.
#include "collector/counters.h"
#include <string.h>

static const struct counter_info counter_table[COUNTER_COUNT] = {
#define X(id, name, unit, prose) [COUNTER_##id] = {name, unit, prose, true},
    COUNTER_DURABLE_LIST(X)
#undef X
#define X(id, name, unit, prose) [COUNTER_##id] = {name, unit, prose, false},
        COUNTER_PROCESS_LIST(X)
#undef X
};

static const struct counter_info gauge_table[GAUGE_COUNT] = {
#define X(id, name, unit, prose) [GAUGE_##id] = {name, unit, prose, false},
    GAUGE_LIST(X)
#undef X
};

void collector_counters_init(struct counters *c)
{
    for (int i = 0; i < COUNTER_COUNT; i++)
        atomic_init(&c->counter[i], 0);
    for (int i = 0; i < GAUGE_COUNT; i++)
        atomic_init(&c->gauge[i], 0);
}

void collector_count(struct counters *c, enum collector_counter id, uint64_t add)
{
    atomic_fetch_add_explicit(&c->counter[id], add, memory_order_relaxed);
}

void collector_count_set(struct counters *c, enum collector_counter id, uint64_t value)
{
    atomic_store_explicit(&c->counter[id], value, memory_order_relaxed);
}

uint64_t collector_counted(const struct counters *c, enum collector_counter id)
{
    return atomic_load_explicit(&c->counter[id], memory_order_relaxed);
}

void collector_gauge_set(struct counters *c, enum collector_gauge id, int64_t value)
{
    atomic_store_explicit(&c->gauge[id], value, memory_order_relaxed);
}

int64_t collector_gauge(const struct counters *c, enum collector_gauge id)
{
    return atomic_load_explicit(&c->gauge[id], memory_order_relaxed);
}

const struct counter_info *collector_counter_info(enum collector_counter id)
{
    return &counter_table[id];
}

const struct counter_info *collector_gauge_info(enum collector_gauge id)
{
    return &gauge_table[id];
}

enum err collector_counter_find(const char *name, enum collector_counter *out)
{
    for (int i = 0; i < COUNTER_COUNT; i++) {
        if (strcmp(counter_table[i].name, name) == 0) {
            *out = (enum collector_counter)i;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

enum collector_counter collector_counter_of(enum wire_reason reason)
{
    if (reason <= WIRE_REASON_NONE || reason >= WIRE_REASON_COUNT)
        return COUNTER_REFUSED_MALFORMED;
    return (enum collector_counter)(COUNTER_REFUSED_MALFORMED + (int)reason - (int)WIRE_REASON_MALFORMED);
}

_Static_assert(COUNTER_REFUSED_BEFORE_EPOCH - COUNTER_REFUSED_MALFORMED ==
                   WIRE_REASON_BEFORE_EPOCH - WIRE_REASON_MALFORMED,
               "one counter for each reason, in the order of the reasons");
