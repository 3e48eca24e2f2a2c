// A source on its own: a clock that moves when told, positions in memory, and what each run brought as text.
#ifndef ESEP_TESTS_SOURCE_BENCH_H
#define ESEP_TESTS_SOURCE_BENCH_H

#include "agent/harvest.h"
#include "agent/source.h"
#include "base/buf.h"
#include "tests/support/folder.h"

#define SOURCE_BENCH_NOW_S INT64_C(1772366400) // 2026-03-01T12:00:00Z
#define SOURCE_BENCH_KEYS  4096

struct source_bench {
    struct test_folder folder;
    struct fake_clock clock;
    bool real_time; // programs run by the real clock
    struct source_env env;
    struct source *source; // NULL until opened
    const struct agent_source *config;
    struct {
        char *key;
        void *bytes;
        size_t len;
    } positions[SOURCE_BENCH_KEYS];
    size_t position_count;
    // of the last run
    struct buf samples; // "declared time value[ reason][ @published]\n" each
    struct buf messages;
    size_t count, takes;
    uint64_t errors, skipped;
};

int source_bench_setup(void **state); // *state is the struct source_bench
int source_bench_teardown(void **state);

// Opens the source (closing the one before: a restart, positions kept).
void source_bench_open(struct source_bench *b, const struct agent_source *config);
// begin, advance until ended, take until there is no more, each spooled.
void source_bench_run(struct source_bench *b, int64_t tick_s);
// One take of at most max, spooled or lost. True: there is more.
bool source_bench_take(struct source_bench *b, size_t max, bool spooled);
// Runs at the bench's time and compares.
void source_bench_expect(struct source_bench *b, const char *samples);

#endif
