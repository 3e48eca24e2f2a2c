// Texts rather than numbers are hashed, so that whatever a person could see differ makes the hash differ.
#include "tests/sim/trace.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void trace_begin(struct trace *t, bool verbose)
{
    memset(t, 0, sizeof *t);
    t->hash = UINT64_C(14695981039346656037);
    t->verbose = verbose;
}

void trace_event(struct trace *t, int64_t now_us, const char *fmt, ...)
{
    char *line = t->lines[t->events++ % TRACE_LINES];
    int n = snprintf(line, TRACE_WIDTH, "%4" PRId64 ".%06" PRId64 " ", now_us / 1000000, now_us % 1000000);
    va_list args;
    va_start(args, fmt);
    vsnprintf(line + n, TRACE_WIDTH - (size_t)n, fmt, args);
    va_end(args);
    for (const char *p = line; *p; p++)
        t->hash = (t->hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
    if (t->verbose)
        fprintf(stderr, "%s\n", line);
}

void trace_print_last(const struct trace *t)
{
    uint64_t first = t->events > TRACE_LINES ? t->events - TRACE_LINES : 0;
    for (uint64_t i = first; i < t->events; i++)
        fprintf(stderr, "  %s\n", t->lines[i % TRACE_LINES]);
}
