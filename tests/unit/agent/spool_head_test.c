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

// ---- what was acknowledged and has not come to the tables

static const struct wire_receipt receipt_of_two = {.position = 77, .chain = {1, 2, 3}};

static struct spool_state as_read(struct spool_bench *b)
{
    struct spool_state seen;
    assert_int_equal(spool_reader_state(b->reader, &seen, &b->diag), ERR_OK);
    return seen;
}

static void what_was_noted_as_acknowledged_is_seen_at_once_and_known_after_a_kill(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 3, 10);
    uint64_t bytes = spool_peek(b->spool)->counters.spool_bytes;
    assert_true(spool_note_acknowledged(b->spool, 2, &receipt_of_two));
    for (int i = 0; i < 2; i++) { // added up, and as known
        struct spool_state seen = as_read(b);
        assert_int_equal(seen.last_acknowledged, 2);
        assert_memory_equal(&seen.receipt, &receipt_of_two, sizeof seen.receipt);
        assert_int_equal(seen.counters.acknowledged, 20);
        assert_int_equal(seen.counters.spooled, 10);
        assert_true(seen.counters.spool_bytes > 0 && seen.counters.spool_bytes < bytes);
    }
    assert_int_equal(spool_peek(b->spool)->last_acknowledged, 0);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_false(b->opened.older);
    assert_int_equal(spool_peek(b->spool)->last_acknowledged, 2);
    assert_memory_equal(&spool_peek(b->spool)->receipt, &receipt_of_two, sizeof receipt_of_two);
    assert_int_equal(spool_bench_state(b)->counters.spooled, 10);
    spool_bench_expect_balance(b);
}

static void a_note_of_acknowledgements_counts_only_for_the_spool_it_was_made_of(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 3, 10);
    assert_true(spool_note_acknowledged(b->spool, 2, &receipt_of_two));
    assert_int_equal(spool_renew(b->spool, &b->diag), ERR_OK); // as if it had not been heard of
    assert_int_equal(as_read(b).last_acknowledged, 0);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_int_equal(spool_bench_state(b)->last_acknowledged, 0);
    assert_int_equal(spool_bench_state(b)->last_written, 3);
    assert_true(spool_note_acknowledged(b->spool, 9, &receipt_of_two)); // more than was ever written
    assert_int_equal(as_read(b).last_acknowledged, 0);
    spool_bench_close(b);
    spool_bench_open(b);
    append_many(b, 9, 1); // and is not taken for these
    assert_int_equal(as_read(b).last_acknowledged, 0);
    spool_bench_acknowledge(b, 4);
    assert_true(spool_note_acknowledged(b->spool, 3, &receipt_of_two)); // less than the tables know
    assert_int_equal(as_read(b).last_acknowledged, 4);
    assert_int_equal(spool_rewind(b->spool, 1, &b->diag), ERR_OK);
    assert_int_equal(as_read(b).last_acknowledged, 1);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_int_equal(spool_bench_state(b)->last_acknowledged, 1);
    spool_bench_expect_balance(b);
}

static void a_note_of_acknowledgements_that_is_torn_or_gone_says_nothing(void **state)
{
    struct spool_bench *b = *state;
    char path[TEST_PATH], *bytes = NULL;
    size_t len = 0;
    test_folder_path(&b->folder, SPOOL_HEAD_FILE, path);
    append_many(b, 3, 10);
    assert_true(spool_note_acknowledged(b->spool, 2, &receipt_of_two));
    spool_bench_close(b);
    assert_int_equal(fs_read_file(path, 4096, &bytes, &len, &b->diag), ERR_OK);
    bytes[520] ^= 1;
    assert_int_equal(fs_replace_file(path, bytes, len, 0640, &b->diag), ERR_OK);
    spool_bench_open(b);
    assert_int_equal(spool_bench_state(b)->last_acknowledged, 0);
    assert_true(spool_note_acknowledged(b->spool, 2, &receipt_of_two));
    spool_bench_close(b);
    assert_int_equal(truncate(path, 590), 0);
    spool_bench_open(b);
    assert_false(b->opened.older);
    assert_int_equal(spool_bench_state(b)->last_acknowledged, 0);
    free(bytes);
}

static void a_note_that_ends_inside_a_gap_is_not_believed(void **state)
{
    struct spool_bench *b = *state;
    b->options.max_bytes = 4096;
    spool_bench_close(b);
    spool_bench_open(b);
    append_many(b, 60, 100);
    assert_true(spool_peek(b->spool)->counters.gaps > 0);
    assert_true(spool_note_acknowledged(b->spool, 2, &receipt_of_two));
    assert_int_equal(as_read(b).last_acknowledged, 0);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_int_equal(spool_bench_state(b)->last_acknowledged, 0);
    spool_bench_expect_balance(b);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, spool_bench_setup, spool_bench_teardown)
    const struct CMUnitTest tests[] = {
        T(a_spool_that_is_older_than_it_was_goes_on_as_a_new_incarnation_and_says_so),
        T(a_spool_that_is_gone_is_told_of),
        T(a_note_of_the_past_that_lags_or_is_torn_or_missing_is_no_alarm),
        T(what_was_noted_as_acknowledged_is_seen_at_once_and_known_after_a_kill),
        T(a_note_of_acknowledgements_counts_only_for_the_spool_it_was_made_of),
        T(a_note_of_acknowledgements_that_is_torn_or_gone_says_nothing),
        T(a_note_that_ends_inside_a_gap_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
