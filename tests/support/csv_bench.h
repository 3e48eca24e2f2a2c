// A CSV source on its own: the bench of any source and the file it reads.
#ifndef ESEP_TESTS_CSV_BENCH_H
#define ESEP_TESTS_CSV_BENCH_H

#include "tests/support/source_bench.h"

struct csv_bench {
    struct source_bench *bench;
    char path[TEST_PATH]; // in.csv, not made yet
    struct agent_series series[2];
    struct agent_source config; // the test's
};

int csv_bench_setup(void **state); // *state is the struct csv_bench
int csv_bench_teardown(void **state);

void csv_write(const char *path, const char *mode, const char *bytes, size_t len);
void csv_put(struct csv_bench *c, const char *text);
void csv_add(struct csv_bench *c, const char *text);
// Another file under the same name, as rename does.
void csv_replace(struct csv_bench *c, const char *text);
void csv_open(struct csv_bench *c);
void csv_expect_errors(struct csv_bench *c, uint64_t errors, const char *text);

#endif
