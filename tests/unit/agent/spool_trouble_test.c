#include "agent/spool.h"
#include "base/fs.h"
#include "store/db.h"
#include "tests/support/spool_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void append_many(struct spool_bench *b, size_t batches, uint64_t samples)
{
    for (size_t i = 0; i < batches; i++)
        (void)spool_bench_append(b, samples);
}

static enum err put_position(struct spool_bench *b, const char *key, const char *text)
{
    const struct spool_position p = {.source = "s", .key = key, .bytes = text, .len = strlen(text)};
    const struct spool_change c = {.positions = &p, .position_count = 1};
    return spool_append(b->spool, &c, &b->diag);
}

static void expect_position(struct spool_bench *b, const char *key, const char *text)
{
    char out[64] = "";
    size_t len = 0;
    enum err e = spool_position_get(b->spool, "s", key, out, sizeof out, &len);
    assert_int_equal(e, text ? ERR_OK : ERR_NOT_FOUND);
    if (text) {
        assert_int_equal(len, strlen(text));
        assert_memory_equal(out, text, len);
    }
}

// ---- the collector lost data

static void rewinding_sends_the_tail_again(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 6, 10);
    assert_int_equal(spool_allow(b->spool, true, &b->diag), ERR_OK);
    spool_bench_acknowledge(b, 5);
    uint64_t generation = spool_bench_state(b)->generation;
    assert_int_equal(spool_rewind(b->spool, 2, &b->diag), ERR_OK);
    const struct spool_state *st = spool_bench_state(b);
    assert_int_equal(st->generation, generation + 1);
    assert_int_equal(st->last_acknowledged, 2);
    assert_int_equal(st->receipt.position, 0);
    assert_int_equal(st->sendable, 6);
    assert_int_equal(st->counters.acknowledged, 20);
    assert_int_equal(st->counters.spooled, 40);
    for (uint64_t i = 3; i <= 6; i++)
        assert_int_equal(spool_bench_message(b, i).type, WIRE_BATCH);
    spool_bench_expect_balance(b);
    spool_bench_acknowledge(b, 6);
    assert_int_equal(spool_bench_state(b)->counters.acknowledged, 60);
    assert_int_equal(spool_rewind(b->spool, 6, &b->diag), ERR_INVALID);
}

static void what_the_tail_no_longer_holds_becomes_a_gap(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 4, 10);
    int64_t begin = SPOOL_BENCH_NOW_S;
    spool_bench_acknowledge(b, 4);
    fake_clock_advance_us(&b->clock, SPOOL_TAIL_US + 1);
    append_many(b, 3, 10);
    spool_bench_acknowledge(b, 6); // and the first four are no longer kept
    assert_int_equal(spool_bench_state(b)->first_kept, 5);
    assert_int_equal(spool_rewind(b->spool, 1, &b->diag), ERR_OK);
    struct wire_gap gap = spool_bench_message(b, 2).gap;
    assert_int_equal(gap.last, 4);
    assert_int_equal(gap.samples, 30);
    assert_int_equal(gap.reason, WIRE_GAP_LOST_BY_COLLECTOR);
    assert_int_equal(gap.from_s, begin + 100);
    assert_int_equal(gap.to_s, begin + 390);
    assert_int_equal(spool_bench_message(b, 5).type, WIRE_BATCH);
    const struct spool_state *st = spool_bench_state(b);
    assert_int_equal(st->counters.acknowledged, 10);
    assert_int_equal(st->counters.gaps, 30);
    assert_int_equal(st->counters.spooled, 30);
    spool_bench_expect_balance(b);
    spool_bench_acknowledge(b, 7);
    assert_int_equal(spool_rewind(b->spool, 0, &b->diag), ERR_OK); // and once more, from the start
    assert_int_equal(spool_bench_message(b, 1).gap.samples, 10);
    assert_int_equal(spool_bench_message(b, 2).gap.samples, 30);
    spool_bench_expect_balance(b);
}

static void a_collector_that_lost_everything_and_a_tail_that_is_empty(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 4, 10);
    fake_clock_advance_us(&b->clock, SPOOL_TAIL_US + 1);
    spool_bench_acknowledge(b, 4);
    assert_int_equal(spool_bench_state(b)->first_kept, 0);
    assert_int_equal(spool_rewind(b->spool, 0, &b->diag), ERR_OK);
    struct wire_gap gap = spool_bench_message(b, 1).gap;
    assert_int_equal(gap.last, 4);
    assert_int_equal(gap.samples, 40);
    assert_int_equal(spool_bench_state(b)->first_kept, 1);
    spool_bench_expect_balance(b);
    append_many(b, 1, 1);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_false(b->opened.damaged);
}

// ---- the collector knows more

static void a_new_incarnation_takes_what_is_unsent_with_it(void **state)
{
    struct spool_bench *b = *state;
    spool_bench_close(b);
    b->options.max_bytes = 4000;
    spool_bench_open(b);
    spool_bench_declare(b);
    append_many(b, 3, 50);
    assert_int_equal(spool_allow(b->spool, true, &b->diag), ERR_OK);
    spool_bench_acknowledge(b, 2);
    assert_int_equal(spool_allow(b->spool, false, &b->diag), ERR_OK);
    append_many(b, 60, 50); // 3, a gap from 4 on, batches
    assert_int_equal(put_position(b, "k", "here"), ERR_OK);
    struct wire_incarnation before = spool_peek(b->spool)->incarnation;
    uint64_t generation = spool_peek(b->spool)->generation, gaps = spool_peek(b->spool)->counters.gaps;
    uint64_t last_time = (uint64_t)b->time - 10;
    assert_int_equal(spool_renew(b->spool, &b->diag), ERR_OK);
    for (int i = 0; i < 2; i++) {
        const struct spool_state *st = spool_bench_state(b);
        assert_memory_not_equal(&st->incarnation, &before, sizeof before);
        assert_int_equal(st->generation, generation + 1);
        assert_int_equal(st->declares, 1);
        assert_int_equal(st->first_kept, 1);
        assert_int_equal(st->last_acknowledged, 0);
        assert_int_equal(st->sendable, 0);
        assert_int_equal(st->counters.acknowledged, 0);
        assert_int_equal(st->counters.gaps, gaps);
        assert_int_equal(st->counters.sampled, 61 * 50);
        assert_int_equal(spool_bench_message(b, 1).batch.count, 50);
        assert_int_equal(spool_bench_message(b, 2).gap.samples, gaps);
        assert_int_equal(spool_bench_message(b, 2).gap.last, 2);
        struct wire_batch last = spool_bench_message(b, st->last_written).batch;
        assert_int_equal(last.samples[last.count - 1].time, last_time);
        expect_position(b, "k", "here");
        spool_bench_expect_balance(b);
        spool_bench_close(b);
        spool_bench_open(b);
    }
    (void)spool_bench_append(b, 1);
    spool_bench_acknowledge(b, spool_bench_state(b)->last_written);
    spool_bench_expect_balance(b);
}

static void a_new_incarnation_of_an_empty_spool_is_empty(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 3, 1);
    spool_bench_acknowledge(b, 3);
    assert_int_equal(spool_renew(b->spool, &b->diag), ERR_OK);
    assert_int_equal(spool_bench_state(b)->last_written, 0);
    assert_int_equal(spool_bench_state(b)->first_kept, 0);
    assert_int_equal(spool_bench_append(b, 1) > 0, true);
    assert_int_equal(spool_bench_state(b)->last_written, 1);
}

// ---- a configuration corrected

static struct wire_declare series(const char *name, const char *unit)
{
    return (struct wire_declare){
        .series = name, .unit = unit, .currency = "", .class = WIRE_MEASUREMENT, .step_s = 10};
}

static void append_two_series(struct spool_bench *b, uint32_t first, uint32_t second)
{
    const struct spool_state *st = spool_peek(b->spool);
    struct spool_change change = {.sampled = 3};
    const struct wire_note note = {.status = WIRE_MISSING, .reason = "unknown", .author = "", .currency = ""};
    packer_begin(b->packer, &st->incarnation, st->last_written + 1);
    for (int i = 0; i < 3; i++) {
        struct wire_sample s = {.series = i == 1 ? second : first, .time = 10 * i, .value = figure_missing()};
        if (i < 2)
            assert_int_equal(figure_from_integer(i + 5, &s.value), ERR_OK);
        assert_int_equal(packer_add(b->packer, WIRE_MEASUREMENT, &s, i == 2 ? &note : NULL), ERR_OK);
    }
    assert_int_equal(packer_finish(b->packer, &change.rows, &change.row_count), ERR_OK);
    assert_int_equal(spool_append(b->spool, &change, &b->diag), ERR_OK);
}

static bool adopt(struct spool_bench *b, const struct wire_declare *wanted, size_t count, uint32_t *numbers)
{
    bool renewed = false;
    assert_int_equal(spool_adopt(b->spool, wanted, count, &renewed, &b->diag), ERR_OK);
    assert_int_equal(spool_declare(b->spool, wanted, count, numbers, &b->diag), ERR_OK);
    spool_bench_expect_balance(b);
    return renewed;
}

static void series_the_collector_knows_need_no_new_numbers(void **state)
{
    struct spool_bench *b = *state;
    const struct wire_declare before[] = {series("a", "piece"), series("b", "piece")};
    const struct wire_declare after[] = {series("b", "piece"), series("c", "piece")};
    uint32_t n[2];
    assert_false(adopt(b, before, 2, n));
    spool_note_declares(b->spool, 2);
    assert_false(adopt(b, after, 2, n));
    assert_int_equal(n[0], 1);
    assert_int_equal(n[1], 2);
}

// The only Welcome there was came before anything was declared.
static void series_of_acknowledged_batches_need_no_new_numbers(void **state)
{
    struct spool_bench *b = *state;
    const struct wire_declare before[] = {series("a", "piece"), series("b", "piece")};
    uint32_t n[2];
    assert_false(adopt(b, before, 2, n));
    append_two_series(b, n[0], n[1]);
    assert_int_equal(spool_renew(b->spool, &b->diag), ERR_OK);
    spool_note_declares(b->spool, 0);
    spool_bench_acknowledge(b, 1);
    append_two_series(b, n[0], n[1]);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_false(adopt(b, before, 1, n));
    assert_int_equal(spool_bench_state(b)->counters.refused, 0);
}

static void an_acknowledged_batch_says_nothing_of_series_it_did_not_need(void **state)
{
    struct spool_bench *b = *state;
    const struct wire_declare before[] = {series("a", "piece"), series("b", "piece")};
    uint32_t n[2];
    assert_false(adopt(b, before, 2, n));
    append_two_series(b, n[0], n[0]);
    spool_bench_acknowledge(b, 1);
    append_two_series(b, n[0], n[1]);
    assert_true(adopt(b, before, 1, n));
    assert_int_equal(spool_bench_state(b)->counters.refused, 1);
}

static void series_still_wanted_need_no_new_numbers(void **state)
{
    struct spool_bench *b = *state;
    const struct wire_declare before[] = {series("a", "piece"), series("b", "piece")};
    uint32_t n[2];
    assert_false(adopt(b, before, 2, n));
    assert_false(adopt(b, before, 2, n)); // the collector was never reached
    assert_int_equal(n[1], 1);
}

static void a_corrected_unit_moves_what_is_unsent_under_it(void **state)
{
    struct spool_bench *b = *state;
    const struct wire_declare before[] = {series("a", "peace"), series("b", "piece")};
    const struct wire_declare after[] = {series("a", "piece"), series("b", "piece"), series("a", "piece")};
    uint32_t n[3];
    struct wire_declare back;
    assert_false(adopt(b, before, 2, n));
    append_two_series(b, n[0], n[1]);
    struct wire_incarnation old = spool_peek(b->spool)->incarnation;
    assert_true(adopt(b, after, 3, n)); // one of them from two sources
    assert_int_equal(n[2], n[0]);
    assert_memory_not_equal(&old, &spool_peek(b->spool)->incarnation, sizeof old);
    struct wire_batch batch = spool_bench_message(b, 1).batch;
    assert_int_equal(batch.count, 3);
    assert_int_equal(batch.samples[0].series, n[0]);
    assert_int_equal(batch.samples[1].series, n[1]);
    assert_int_equal(batch.note_count, 1);
    assert_int_equal(batch.notes[0].index, 2);
    assert_int_equal(spool_bench_state(b)->declares, 2);
    assert_int_equal(spool_reader_declare(b->reader, n[0], &back, &b->diag), ERR_OK);
    assert_string_equal(back.unit, "piece");
    assert_false(adopt(b, after, 3, n));
}

static void a_series_that_was_never_accepted_and_is_gone_takes_its_samples_with_it(void **state)
{
    struct spool_bench *b = *state;
    const struct wire_declare before[] = {series("good", "piece"), series("bad", "piece")};
    const struct wire_declare other[] = {series("known", "piece")};
    uint32_t n[3];
    assert_false(adopt(b, other, 1, n));
    spool_note_declares(b->spool, 1);
    assert_false(adopt(b, before, 2, n));
    append_two_series(b, 0, n[0]);       // known, good
    append_two_series(b, n[1], n[1]);    // bad alone
    append_two_series(b, n[1], n[0]);    // bad, good, bad
    assert_true(adopt(b, before, 1, n)); // without the bad one
    assert_int_equal(n[0], 0);
    const struct spool_state *st = spool_bench_state(b);
    assert_int_equal(st->declares, 2); // good, and known, which the collector has accepted
    assert_int_equal(st->last_written, 2);
    assert_int_equal(st->counters.refused, 5);
    assert_int_equal(st->counters.spooled, 4);
    struct wire_batch batch = spool_bench_message(b, 1).batch;
    assert_int_equal(batch.count, 3);
    assert_int_equal(batch.samples[0].series, 1);
    assert_int_equal(batch.samples[1].series, 0);
    batch = spool_bench_message(b, 2).batch;
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.samples[0].value.integer, 6);
    assert_int_equal(batch.note_count, 0);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_false(b->opened.damaged);
    spool_bench_acknowledge(b, 2);
    spool_bench_expect_balance(b);
}

// ---- damage

static void overwrite(const char *path, int64_t offset, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, offset), (ssize_t)len);
    close(fd);
}

static void expect_set_aside(struct spool_bench *b, const struct wire_incarnation *before)
{
    char path[TEST_PATH];
    assert_true(b->opened.damaged);
    assert_true(strlen(b->opened.reason) > 0);
    assert_memory_equal(b->opened.aside, SPOOL_FILE ".damaged-", strlen(SPOOL_FILE ".damaged-"));
    test_folder_path(&b->folder, b->opened.aside, path);
    assert_int_equal(access(path, F_OK), 0);
    assert_memory_not_equal(&spool_peek(b->spool)->incarnation, before, sizeof *before);
    assert_int_equal(spool_bench_message(b, 1).gap.reason, WIRE_GAP_SPOOL_DAMAGED);
    assert_int_equal(spool_bench_state(b)->last_written, 1);
    spool_bench_expect_balance(b);
    (void)spool_bench_append(b, 3);
    spool_bench_acknowledge(b, 2);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_false(b->opened.damaged);
}

static void a_file_that_is_no_database_is_set_aside(void **state)
{
    struct spool_bench *b = *state;
    struct wire_incarnation before = spool_peek(b->spool)->incarnation;
    char path[TEST_PATH];
    append_many(b, 3, 10);
    spool_bench_close(b);
    spool_bench_path(b, "", path);
    overwrite(path, 0, "garbage garbage garbage garbage", 31);
    spool_bench_open(b);
    expect_set_aside(b, &before);
}

static void a_file_that_is_distrusted_is_set_aside_unread(void **state)
{
    struct spool_bench *b = *state;
    struct wire_incarnation before = spool_peek(b->spool)->incarnation;
    append_many(b, 3, 10);
    spool_bench_close(b);
    b->options.distrust = true;
    spool_bench_open(b);
    b->options.distrust = false;
    expect_set_aside(b, &before);
}

static void a_truncated_file_is_set_aside(void **state)
{
    struct spool_bench *b = *state;
    struct wire_incarnation before = spool_peek(b->spool)->incarnation;
    char path[TEST_PATH];
    append_many(b, 300, 10);
    spool_bench_close(b);
    spool_bench_path(b, "", path);
    assert_int_equal(truncate(path, 3 * 4096), 0);
    spool_bench_open(b);
    expect_set_aside(b, &before);
}

// Each byte of the file in turn would take long; some hundreds of places do.
static void no_flipped_bit_is_ever_sent(void **state)
{
    struct spool_bench *b = *state;
    char path[TEST_PATH], *good = NULL;
    size_t len = 0;
    uint64_t found = 0;
    spool_bench_declare(b);
    append_many(b, 20, 100);
    spool_bench_close(b);
    spool_bench_path(b, "", path);
    assert_int_equal(fs_read_file(path, 1 << 24, &good, &len, &b->diag), ERR_OK);
    for (size_t at = 100; at < len; at += len / 400 | 1) {
        char other = (char)(good[at] ^ (1 << (at % 8)));
        overwrite(path, (int64_t)at, &other, 1);
        spool_bench_open(b);
        struct spool_state st;
        found += b->opened.damaged;
        if (!b->opened.damaged && spool_reader_state(b->reader, &st, &b->diag) == ERR_OK) {
            for (uint64_t i = 1; i <= 20; i++) {
                struct spool_message m;
                enum err e = spool_reader_message(b->reader, i, &m, &b->diag);
                found += e == ERR_CORRUPT;
                if (e == ERR_OK) { // then it is as it was written
                    struct wire_message w = spool_bench_message(b, i);
                    assert_int_equal(w.batch.count, 100);
                    for (size_t k = 0; k < 100; k++) {
                        int64_t time = SPOOL_BENCH_NOW_S + (int64_t)((i - 1) * 100 + k) * 10;
                        assert_int_equal(w.batch.samples[k].time, time);
                        assert_int_equal(w.batch.samples[k].value.integer, time % 1000003);
                    }
                }
            }
        }
        spool_bench_close(b);
        char wal[TEST_PATH];
        spool_bench_path(b, "-wal", wal);
        unlink(wal);
        spool_bench_path(b, "-shm", wal);
        unlink(wal);
        test_folder_path(&b->folder, SPOOL_HEAD_FILE, wal);
        unlink(wal); // of the flipped one
        assert_int_equal(fs_replace_file(path, good, len, 0640, &b->diag), ERR_OK);
    }
    free(good);
    assert_true(found > 50);
    spool_bench_open(b);
    assert_false(b->opened.damaged);
}

static void a_spool_of_another_format_is_left_alone(void **state)
{
    struct spool_bench *b = *state;
    char path[TEST_PATH];
    struct db *db = NULL;
    spool_bench_path(b, "", path);
    spool_bench_close(b);
    assert_int_equal(db_open_writer(path, &db, &b->diag), ERR_OK);
    assert_int_equal(db_exec(db, "UPDATE meta SET format = 2; PRAGMA user_version = 2", &b->diag), ERR_OK);
    db_close(db);
    struct spool *spool = NULL;
    assert_int_equal(spool_open(b->folder.path, &b->options, &b->clock.clock, &spool, &b->opened, &b->diag),
                     ERR_UNSUPPORTED);
    assert_null(spool);
    assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, spool_bench_setup, spool_bench_teardown)
    const struct CMUnitTest tests[] = {
        T(rewinding_sends_the_tail_again),
        T(what_the_tail_no_longer_holds_becomes_a_gap),
        T(a_collector_that_lost_everything_and_a_tail_that_is_empty),
        T(a_new_incarnation_takes_what_is_unsent_with_it),
        T(a_new_incarnation_of_an_empty_spool_is_empty),
        T(series_the_collector_knows_need_no_new_numbers),
        T(series_of_acknowledged_batches_need_no_new_numbers),
        T(an_acknowledged_batch_says_nothing_of_series_it_did_not_need),
        T(series_still_wanted_need_no_new_numbers),
        T(a_corrected_unit_moves_what_is_unsent_under_it),
        T(a_series_that_was_never_accepted_and_is_gone_takes_its_samples_with_it),
        T(a_file_that_is_no_database_is_set_aside),
        T(a_file_that_is_distrusted_is_set_aside_unread),
        T(a_truncated_file_is_set_aside),
        T(no_flipped_bit_is_ever_sent),
        T(a_spool_of_another_format_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
