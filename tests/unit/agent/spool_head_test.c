#include "agent/spool.h"
#include "base/fs.h"
#include "tests/support/spool_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void append_many(struct spool_bench *b, size_t batches, uint64_t samples)
{
    for (size_t i = 0; i < batches; i++)
        (void)spool_bench_append(b, samples);
}

// As if the log had been damaged: SQLite then shows the state of before.
static void restore_older_file(struct spool_bench *b, const char *bytes, size_t len)
{
    char path[TEST_PATH];
    spool_bench_path(b, "-wal", path);
    unlink(path);
    spool_bench_path(b, "-shm", path);
    unlink(path);
    spool_bench_path(b, "", path);
    if (bytes)
        assert_int_equal(fs_replace_file(path, bytes, len, 0640, &b->diag), ERR_OK);
    else
        unlink(path);
}

static void a_spool_that_is_older_than_it_was_goes_on_as_a_new_incarnation_and_says_so(void **state)
{
    struct spool_bench *b = *state;
    char path[TEST_PATH], *before = NULL;
    size_t len = 0;
    spool_bench_declare(b);
    append_many(b, 3, 10);
    const struct spool_position positions[] = {{"s", "live/counter", "1", 1}, {"s", "log", "2", 1}};
    assert_int_equal(
        spool_append(b->spool, &(struct spool_change){.positions = positions, .position_count = 2}, &b->diag),
        ERR_OK);
    spool_bench_close(b);
    spool_bench_path(b, "", path);
    assert_int_equal(fs_read_file(path, 1 << 24, &before, &len, &b->diag), ERR_OK);
    spool_bench_open(b);
    assert_false(b->opened.older);
    append_many(b, 2, 7);
    struct wire_incarnation had = spool_peek(b->spool)->incarnation;
    spool_bench_close(b);
    restore_older_file(b, before, len);
    free(before);
    spool_bench_open(b);
    assert_true(b->opened.older);
    assert_false(b->opened.damaged);
    assert_non_null(strstr(b->opened.reason, "ends at batch 3"));
    assert_memory_not_equal(&spool_peek(b->spool)->incarnation, &had, sizeof had);
    char value[8];
    assert_int_equal(spool_position_get(b->spool, "s", "live/counter", value, sizeof value, &len),
                     ERR_NOT_FOUND);
    assert_int_equal(spool_position_get(b->spool, "s", "log", value, sizeof value, &len), ERR_OK);
    assert_int_equal(spool_bench_state(b)->last_written, 4);
    assert_int_equal(spool_bench_message(b, 3).batch.count, 10);
    assert_int_equal(spool_bench_message(b, 4).gap.reason, WIRE_GAP_SPOOL_DAMAGED);
    spool_bench_expect_balance(b);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_false(b->opened.older);
}

static void a_spool_that_is_gone_is_told_of(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 3, 10);
    spool_bench_close(b);
    restore_older_file(b, NULL, 0);
    spool_bench_open(b);
    assert_true(b->opened.older);
    assert_int_equal(spool_bench_message(b, 1).gap.reason, WIRE_GAP_SPOOL_DAMAGED);
    spool_bench_expect_balance(b);
}

static void a_note_of_the_past_that_lags_or_is_torn_or_missing_is_no_alarm(void **state)
{
    struct spool_bench *b = *state;
    char path[TEST_PATH], *before = NULL;
    size_t len = 0;
    test_folder_path(&b->folder, SPOOL_HEAD_FILE, path);
    append_many(b, 3, 10);
    assert_int_equal(fs_read_file(path, 4096, &before, &len, &b->diag), ERR_OK);
    append_many(b, 3, 10);
    spool_bench_close(b);
    assert_int_equal(fs_replace_file(path, before, len, 0640, &b->diag), ERR_OK);
    spool_bench_open(b);
    assert_false(b->opened.older);
    spool_bench_close(b);
    before[9] ^= 1;
    assert_int_equal(fs_replace_file(path, before, len, 0640, &b->diag), ERR_OK);
    spool_bench_open(b);
    assert_false(b->opened.older);
    spool_bench_close(b);
    unlink(path);
    spool_bench_open(b);
    assert_false(b->opened.older);
    assert_int_equal(spool_bench_state(b)->last_written, 6);
    free(before);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, spool_bench_setup, spool_bench_teardown)
    const struct CMUnitTest tests[] = {
        T(a_spool_that_is_older_than_it_was_goes_on_as_a_new_incarnation_and_says_so),
        T(a_spool_that_is_gone_is_told_of),
        T(a_note_of_the_past_that_lags_or_is_torn_or_missing_is_no_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
