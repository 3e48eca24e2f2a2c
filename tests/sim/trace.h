// What has happened, as lines with the virtual time: all of them hashed, the last ones kept.
#ifndef ESEP_TESTS_SIM_TRACE_H
#define ESEP_TESTS_SIM_TRACE_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

#define TRACE_LINES 80
#define TRACE_WIDTH 200

struct trace {
    uint64_t hash, events;
    bool verbose;
    char lines[TRACE_LINES][TRACE_WIDTH];
};
void trace_begin(struct trace *t, bool verbose);
void trace_event(struct trace *t, int64_t now_us, const char *fmt, ...) PRINTF(3, 4);
void trace_print_last(const struct trace *t);

#endif
