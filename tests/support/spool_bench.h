// A spool in a folder of its own under a clock that moves when told, with batches made as the sampler makes
// them.
#ifndef ESEP_TESTS_SPOOL_BENCH_H
#define ESEP_TESTS_SPOOL_BENCH_H

#include "agent/packer.h"
#include "agent/spool.h"
#include "agent/spool_reader.h"
#include "tests/support/folder.h"
#include "wire/codec.h"

#define SPOOL_BENCH_NOW_S INT64_C(1772366400)

struct spool_bench {
    struct test_folder folder;
    struct fake_clock clock;
    struct spool_options options;
    struct spool *spool;
    struct spool_opened opened;
    struct spool_reader *reader; // opened with the spool
    struct packer *packer;
    struct wire_arena *arena;
    int64_t time; // of the next sample
    struct diag diag;
};

int spool_bench_setup(void **state); // *state is the struct spool_bench; the spool is open
int spool_bench_teardown(void **state);
void spool_bench_close(struct spool_bench *b);
void spool_bench_open(struct spool_bench *b);
void spool_bench_path(const struct spool_bench *b, const char *suffix, char out[TEST_PATH]); // "-wal"

// Declares series 0: a measurement.
void spool_bench_declare(struct spool_bench *b);
// One batch of that many samples of series 0, 10 s apart. Returns its length.
size_t spool_bench_append(struct spool_bench *b, uint64_t samples);
enum err spool_bench_try_append(struct spool_bench *b, uint64_t samples, size_t *len);
void spool_bench_acknowledge(struct spool_bench *b, uint64_t sequence);

const struct spool_state *
spool_bench_state(const struct spool_bench *b); // as the reader sees it, compared with the spool's
// The message that begins with the sequence, decoded; valid until the next call.
struct wire_message spool_bench_message(struct spool_bench *b, uint64_t first);
bool spool_bench_has(struct spool_bench *b, uint64_t first);
// sampled = acknowledged + spooled + gaps + refused
void spool_bench_expect_balance(const struct spool_bench *b);

#endif
