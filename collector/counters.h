// Everything the collector counts, declared once in the three lists it includes: name, unit, prose. Threads:
// any (atomics).
#ifndef ESEP_COLLECTOR_COUNTERS_H
#define ESEP_COLLECTOR_COUNTERS_H

#include "base/err.h"
#include "collector/counters_durable.h"
#include "collector/counters_gauges.h"
#include "collector/counters_process.h"
#include "wire/message.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum collector_counter {
#define X(id, name, unit, prose) COUNTER_##id,
    COUNTER_DURABLE_LIST(X) COUNTER_PROCESS_LIST(X)
#undef X
        COUNTER_COUNT
};
enum collector_gauge {
#define X(id, name, unit, prose) GAUGE_##id,
    GAUGE_LIST(X)
#undef X
        GAUGE_COUNT
};

enum collector_space { SPACE_ENOUGH, SPACE_LOW, SPACE_NONE };

struct counters {
    _Atomic uint64_t counter[COUNTER_COUNT];
    _Atomic int64_t gauge[GAUGE_COUNT];
};
struct counter_info {
    const char *name, *unit, *prose;
    bool durable;
};

void collector_counters_init(struct counters *c);
void collector_count(struct counters *c, enum collector_counter id, uint64_t add);
void collector_count_set(struct counters *c, enum collector_counter id, uint64_t value);
uint64_t collector_counted(const struct counters *c, enum collector_counter id);
void collector_gauge_set(struct counters *c, enum collector_gauge id, int64_t value);
int64_t collector_gauge(const struct counters *c, enum collector_gauge id);
const struct counter_info *collector_counter_info(enum collector_counter id);
const struct counter_info *collector_gauge_info(enum collector_gauge id);
enum err collector_counter_find(const char *name, enum collector_counter *out) MUST_USE; // NOT_FOUND
// The counter of samples refused for a reason.
enum collector_counter collector_counter_of(enum wire_reason reason);

#endif
