#include "agent/spool.h"
#include "tests/support/spool_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

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

// ---- life

static void a_new_spool_has_an_incarnation_of_its_own_and_keeps_it(void **state)
{
    struct spool_bench *b = *state;
    struct wire_incarnation first = spool_peek(b->spool)->incarnation;
    static const struct wire_incarnation none;
    assert_true(b->opened.fresh);
    assert_false(b->opened.damaged);
    assert_memory_not_equal(&first, &none, sizeof first);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_false(b->opened.fresh);
    assert_memory_equal(&first, &spool_peek(b->spool)->incarnation, sizeof first);
}

static void what_was_appended_is_there_after_a_restart(void **state)
{
    struct spool_bench *b = *state;
    spool_bench_declare(b);
    size_t bytes = spool_bench_append(b, 3) + spool_bench_append(b, 5);
    assert_int_equal(put_position(b, "k", "here"), ERR_OK);
    for (int i = 0; i < 2; i++) {
        const struct spool_state *st = spool_bench_state(b);
        assert_int_equal(st->declares, 1);
        assert_int_equal(st->first_kept, 1);
        assert_int_equal(st->last_written, 2);
        assert_int_equal(st->counters.sampled, 8);
        assert_int_equal(st->counters.spooled, 8);
        assert_int_equal(st->counters.spool_bytes, bytes);
        assert_int_equal(spool_bench_message(b, 1).batch.count, 3);
        assert_int_equal(spool_bench_message(b, 2).batch.count, 5);
        expect_position(b, "k", "here");
        spool_bench_close(b);
        spool_bench_open(b);
    }
}

static void a_batch_out_of_order_is_refused_and_changes_nothing(void **state)
{
    struct spool_bench *b = *state;
    (void)spool_bench_append(b, 1);
    const struct spool_row row = {
        .sequence = 3, .class = WIRE_MEASUREMENT, .body = "x", .len = 1, .samples = 1};
    const struct spool_position p = {.source = "s", .key = "k", .bytes = "x", .len = 1};
    const struct spool_change c = {
        .rows = &row, .row_count = 1, .positions = &p, .position_count = 1, .sampled = 1, .source_errors = 7};
    assert_int_equal(spool_append(b->spool, &c, &b->diag), ERR_INVALID);
    assert_int_equal(spool_bench_state(b)->last_written, 1);
    assert_int_equal(spool_bench_state(b)->counters.sampled, 1);
    assert_int_equal(spool_bench_state(b)->counters.source_errors, 0);
    expect_position(b, "k", NULL);
}

static void positions_are_put_replaced_listed_and_forgotten(void **state)
{
    struct spool_bench *b = *state;
    char small[2];
    size_t len = 0;
    assert_int_equal(put_position(b, "v/a", "one"), ERR_OK);
    assert_int_equal(put_position(b, "v/b", "two"), ERR_OK);
    assert_int_equal(put_position(b, "w", "three"), ERR_OK);
    assert_int_equal(put_position(b, "v/a", "four"), ERR_OK);
    expect_position(b, "v/a", "four");
    assert_int_equal(spool_position_get(b->spool, "s", "v/a", small, sizeof small, &len), ERR_TOO_BIG);
    assert_int_equal(spool_position_get(b->spool, "other", "v/a", small, sizeof small, &len), ERR_NOT_FOUND);
    assert_int_equal(put_position(b, "v/b", ""), ERR_OK);
    expect_position(b, "v/b", NULL);
}

static enum err count_visit(void *ctx, const char *key, const void *bytes, size_t len)
{
    (void)bytes;
    (void)len;
    char *seen = ctx;
    strcat(strcat(seen, key), " ");
    return ERR_OK;
}

static void positions_of_a_prefix_come_in_order(void **state)
{
    struct spool_bench *b = *state;
    char seen[128] = "";
    static const char *const keys[] = {"v/b", "u", "v/a", "v", "w", "v/c"};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(put_position(b, keys[i], "x"), ERR_OK);
    assert_int_equal(spool_position_each(b->spool, "s", "v/", count_visit, seen), ERR_OK);
    assert_string_equal(seen, "v/a v/b v/c ");
}

static void series_numbers_are_found_again_and_another_unit_is_another_number(void **state)
{
    struct spool_bench *b = *state;
    struct wire_declare w[3] = {
        {.series = "a", .unit = "piece", .currency = "", .class = WIRE_MEASUREMENT, .step_s = 10},
        {.series = "b", .unit = "money", .currency = "KZT", .class = WIRE_REPORT, .period = PERIOD_MONTH},
        {.series = "a", .unit = "kg", .currency = "", .class = WIRE_MEASUREMENT, .step_s = 10}};
    uint32_t n[3] = {9, 9, 9};
    struct wire_declare back;
    assert_int_equal(spool_declare(b->spool, w, 2, n, &b->diag), ERR_OK);
    assert_int_equal(n[0], 0);
    assert_int_equal(n[1], 1);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_int_equal(spool_declare(b->spool, w, 3, n, &b->diag), ERR_OK);
    assert_int_equal(n[0], 0);
    assert_int_equal(n[1], 1);
    assert_int_equal(n[2], 2);
    assert_int_equal(spool_bench_state(b)->declares, 3);
    assert_int_equal(spool_reader_declare(b->reader, 1, &back, &b->diag), ERR_OK);
    assert_string_equal(back.series, "b");
    assert_string_equal(back.unit, "money");
    assert_string_equal(back.currency, "KZT");
    assert_int_equal(back.class, WIRE_REPORT);
    assert_int_equal(back.period, PERIOD_MONTH);
    assert_int_equal(spool_reader_declare(b->reader, 3, &back, &b->diag), ERR_NOT_FOUND);
}

// ---- acknowledging

static void acknowledged_batches_are_counted_and_stay_as_a_tail(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 5, 10);
    spool_bench_acknowledge(b, 3);
    const struct spool_state *st = spool_bench_state(b);
    assert_int_equal(st->last_acknowledged, 3);
    assert_int_equal(st->receipt.position, 300);
    assert_int_equal(st->counters.acknowledged, 30);
    assert_int_equal(st->counters.spooled, 20);
    assert_int_equal(st->first_kept, 1);
    assert_true(spool_bench_has(b, 1));
    spool_bench_acknowledge(b, 2); // an old answer
    assert_int_equal(spool_bench_state(b)->last_acknowledged, 3);
    assert_int_equal(spool_bench_state(b)->receipt.position, 300);
    assert_int_equal(spool_acknowledge(b->spool, 6, &(struct wire_receipt){0}, &b->diag), ERR_INVALID);
    assert_int_equal(spool_bench_state(b)->last_acknowledged, 3);
    spool_bench_acknowledge(b, 5);
    assert_int_equal(spool_bench_state(b)->counters.spool_bytes, 0);
    spool_bench_expect_balance(b);
}

static void the_tail_is_bounded_by_bytes(void **state)
{
    struct spool_bench *b = *state;
    spool_bench_close(b);
    b->options.tail_bytes = 1000;
    spool_bench_open(b);
    size_t len = 0;
    for (int i = 0; i < 20; i++)
        len = spool_bench_append(b, 30);
    spool_bench_acknowledge(b, 20);
    uint64_t kept = 20 - spool_bench_state(b)->first_kept + 1;
    assert_in_range(kept, 1000 / len - 1, 1000 / len + 1);
    assert_false(spool_bench_has(b, 1));
    assert_true(spool_bench_has(b, 20));
}

static void the_tail_is_bounded_by_age_and_may_end_empty(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 3, 2);
    spool_bench_acknowledge(b, 2);
    fake_clock_advance_us(&b->clock, SPOOL_TAIL_US + 1);
    spool_bench_acknowledge(b, 3);
    assert_int_equal(spool_bench_state(b)->first_kept, 0);
    assert_false(spool_bench_has(b, 3));
    append_many(b, 1, 2);
    assert_int_equal(spool_bench_state(b)->first_kept, 4);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_int_equal(spool_bench_state(b)->last_written, 4);
}

static void an_acknowledgement_may_come_with_a_change(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 2, 1);
    const struct spool_change c = {.acknowledged = 2, .receipt = {.position = 7}};
    assert_int_equal(spool_append(b->spool, &c, &b->diag), ERR_OK);
    assert_int_equal(spool_bench_state(b)->last_acknowledged, 2);
    assert_int_equal(spool_bench_state(b)->receipt.position, 7);
}

// ---- what may be sent

static void nothing_is_sendable_until_there_is_someone_to_send_to(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 3, 1);
    assert_int_equal(spool_bench_state(b)->sendable, 0);
    assert_int_equal(spool_allow(b->spool, true, &b->diag), ERR_OK);
    assert_int_equal(spool_bench_state(b)->sendable, 3);
    append_many(b, 1, 1);
    assert_int_equal(spool_bench_state(b)->sendable, 4);
    assert_int_equal(spool_allow(b->spool, false, &b->diag), ERR_OK);
    append_many(b, 1, 1);
    assert_int_equal(spool_bench_state(b)->sendable, 4);
    spool_bench_close(b);
    spool_bench_open(b);
    assert_int_equal(spool_bench_state(b)->sendable, 4);
}

static void what_is_sendable_is_a_window_that_acknowledgements_move(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 600, 1);
    assert_int_equal(spool_allow(b->spool, true, &b->diag), ERR_OK);
    assert_int_equal(spool_bench_state(b)->sendable, 256);
    spool_bench_acknowledge(b, 100);
    assert_int_equal(spool_bench_state(b)->sendable, 356);
    spool_bench_acknowledge(b, 356);
    assert_int_equal(spool_bench_state(b)->sendable, 600);
}

// ---- quotas

static void past_the_byte_quota_the_oldest_become_one_exact_gap(void **state)
{
    struct spool_bench *b = *state;
    spool_bench_close(b);
    b->options.max_bytes = 4000;
    spool_bench_open(b);
    int64_t begin = b->time;
    while (spool_bench_state(b)->counters.gaps == 0)
        (void)spool_bench_append(b, 50);
    append_many(b, 20, 50);
    const struct spool_state *st = spool_bench_state(b);
    struct wire_gap gap = spool_bench_message(b, 1).gap;
    assert_int_equal(gap.first, 1);
    assert_int_equal(gap.reason, WIRE_GAP_QUOTA_BYTES);
    assert_int_equal(gap.samples, gap.last * 50);
    assert_int_equal(gap.from_s, begin);
    assert_int_equal(gap.to_s, begin + (int64_t)(gap.last * 50 - 1) * 10);
    assert_int_equal(st->counters.gaps, gap.samples);
    assert_true(st->counters.spool_bytes <= 4000);
    assert_true(spool_bench_has(b, gap.last + 1)); // and not one more than needed
    assert_int_equal(spool_bench_message(b, gap.last + 1).batch.count, 50);
    assert_false(spool_bench_has(b, 2));
    spool_bench_expect_balance(b);
    spool_bench_acknowledge(b, gap.last);
    assert_int_equal(spool_bench_state(b)->counters.acknowledged, 0);
    spool_bench_acknowledge(b, spool_bench_state(b)->last_written);
    spool_bench_expect_balance(b);
}

static void what_may_have_been_sent_is_never_dropped(void **state)
{
    struct spool_bench *b = *state;
    spool_bench_close(b);
    b->options.max_bytes = 4000;
    spool_bench_open(b);
    append_many(b, 3, 50);
    assert_int_equal(spool_allow(b->spool, true, &b->diag), ERR_OK);
    uint64_t sent = spool_bench_state(b)->sendable;
    assert_true(sent >= 3);
    assert_int_equal(spool_allow(b->spool, false, &b->diag), ERR_OK);
    append_many(b, 60, 50);
    for (uint64_t i = 1; i <= sent; i++)
        assert_int_equal(spool_bench_message(b, i).type, WIRE_BATCH);
    struct wire_gap gap = spool_bench_message(b, sent + 1).gap;
    assert_int_equal(gap.first, sent + 1);
    assert_int_equal(gap.samples, (gap.last - gap.first + 1) * 50);
    // the gap is sent in its turn; later drops make another one after it
    assert_int_equal(spool_allow(b->spool, true, &b->diag), ERR_OK);
    assert_int_equal(spool_allow(b->spool, false, &b->diag), ERR_OK);
    uint64_t sent_now = spool_bench_state(b)->sendable;
    append_many(b, 60, 50);
    assert_int_equal(spool_bench_message(b, sent + 1).gap.last, gap.last);
    assert_int_equal(spool_bench_message(b, sent_now + 1).type, WIRE_GAP);
    spool_bench_expect_balance(b);
}

static void past_the_age_quota_old_batches_become_a_gap_of_that_reason(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 4, 3);
    fake_clock_advance_us(&b->clock, b->options.max_age_us / 2);
    append_many(b, 4, 3);
    fake_clock_advance_us(&b->clock, b->options.max_age_us / 2 + 1);
    append_many(b, 1, 3);
    struct wire_gap gap = spool_bench_message(b, 1).gap;
    assert_int_equal(gap.last, 4);
    assert_int_equal(gap.samples, 12);
    assert_int_equal(gap.reason, WIRE_GAP_QUOTA_AGE);
    assert_true(spool_bench_has(b, 5));
    fake_clock_advance_us(&b->clock, b->options.max_age_us);
    append_many(b, 1, 3);
    assert_int_equal(spool_bench_message(b, 1).gap.last, 8); // grown: one gap
    spool_bench_expect_balance(b);
}

static void a_clock_that_jumps_ahead_while_running_makes_nothing_old(void **state)
{
    struct spool_bench *b = *state;
    append_many(b, 4, 3);
    fake_clock_step_us(&b->clock, 10 * b->options.max_age_us);
    append_many(b, 1, 3);
    assert_int_equal(spool_bench_state(b)->counters.gaps, 0);
    fake_clock_step_us(&b->clock, -20 * b->options.max_age_us);
    append_many(b, 1, 3);
    assert_int_equal(spool_bench_state(b)->counters.gaps, 0);
}

static void gaps_of_both_reasons_stand_beside_each_other(void **state)
{
    struct spool_bench *b = *state;
    spool_bench_close(b);
    b->options.max_bytes = 4000;
    spool_bench_open(b);
    append_many(b, 2, 50);
    fake_clock_advance_us(&b->clock, b->options.max_age_us + 1);
    append_many(b, 60, 50);
    struct wire_gap age = spool_bench_message(b, 1).gap;
    assert_int_equal(age.reason, WIRE_GAP_QUOTA_AGE);
    assert_int_equal(age.last, 2);
    struct wire_gap bytes = spool_bench_message(b, 3).gap;
    assert_int_equal(bytes.reason, WIRE_GAP_QUOTA_BYTES);
    assert_true(spool_bench_state(b)->counters.spool_bytes <= 4000);
    fake_clock_advance_us(&b->clock, b->options.max_age_us + 1);
    append_many(b, 60, 50);
    assert_true(spool_bench_state(b)->counters.spool_bytes <= 4000);
    spool_bench_expect_balance(b);
}

static void a_reader_without_a_spool_says_so(void **state)
{
    struct spool_bench *b = *state;
    struct spool_reader *r = NULL;
    assert_int_equal(spool_reader_open("/nonexistent", &r, &b->diag), ERR_NOT_FOUND);
    assert_null(r);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, spool_bench_setup, spool_bench_teardown)
    const struct CMUnitTest tests[] = {
        T(a_new_spool_has_an_incarnation_of_its_own_and_keeps_it),
        T(what_was_appended_is_there_after_a_restart),
        T(a_batch_out_of_order_is_refused_and_changes_nothing),
        T(positions_are_put_replaced_listed_and_forgotten),
        T(positions_of_a_prefix_come_in_order),
        T(series_numbers_are_found_again_and_another_unit_is_another_number),
        T(acknowledged_batches_are_counted_and_stay_as_a_tail),
        T(the_tail_is_bounded_by_bytes),
        T(the_tail_is_bounded_by_age_and_may_end_empty),
        T(an_acknowledgement_may_come_with_a_change),
        T(nothing_is_sendable_until_there_is_someone_to_send_to),
        T(what_is_sendable_is_a_window_that_acknowledgements_move),
        T(past_the_byte_quota_the_oldest_become_one_exact_gap),
        T(what_may_have_been_sent_is_never_dropped),
        T(past_the_age_quota_old_batches_become_a_gap_of_that_reason),
        T(a_clock_that_jumps_ahead_while_running_makes_nothing_old),
        T(gaps_of_both_reasons_stand_beside_each_other),
        T(a_reader_without_a_spool_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
