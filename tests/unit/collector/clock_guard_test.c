// A clock that is behind what the ledger has seen: nothing is taken in, nothing is lost, nothing is received
// earlier than what came before.
#include "collector/clock_guard.h"
#include "store/audit.h"
#include "tests/support/collector_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum err confirm(struct bench *b)
{
    struct item *item = item_create(ITEM_CLOCK, NULL);
    assert_non_null(item);
    snprintf(item->admin->confirmation.author, sizeof item->admin->confirmation.author, "bek");
    snprintf(item->admin->confirmation.who, sizeof item->admin->confirmation.who, "uid:0");
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    enum err e = item->admin->result;
    item_destroy(item);
    return e;
}

// A figure of the clock's own present; returns whether it was stored.
static bool send_now(struct bench *b, uint64_t sequence)
{
    uint64_t before = ledger_position(b->ledger);
    int64_t now_s = b->clock.wall_us / US_PER_S;
    struct wire_sample s = bench_sample(0, now_s - now_s % 10, 5);
    bench_clear(b);
    bench_batch(b, sequence, WIRE_MEASUREMENT, &s, 1);
    assert_int_equal(bench_reply(b, 0, WIRE_ACK).ack.sequence,
                     ledger_position(b->ledger) > before ? sequence : sequence - 1);
    return ledger_position(b->ledger) > before;
}

static void begin(struct bench *b)
{
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    assert_true(send_now(b, 1));
}

static void a_clock_a_little_behind_is_no_matter(void **state)
{
    struct bench *b = *state;
    begin(b);
    fake_clock_step_us(&b->clock, -CLOCK_BEHIND_MAX_S * US_PER_S);
    assert_true(send_now(b, 2));
    assert_int_equal(collector_gauge(&b->counters, GAUGE_CLOCK_BEHIND_S), 0);
}

static void a_clock_far_behind_holds_what_comes_until_it_is_right_again(void **state)
{
    struct bench *b = *state;
    begin(b);
    fake_clock_step_us(&b->clock, -3600 * US_PER_S);
    assert_false(send_now(b, 2));
    assert_int_equal(collector_gauge(&b->counters, GAUGE_CLOCK_BEHIND_S), 3600);
    assert_int_equal(bench_counted(b, COUNTER_CLOCK_HELD), 1);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_QUARANTINED), 0);
    fake_clock_step_us(&b->clock, 3600 * US_PER_S);
    assert_true(send_now(b, 2));
    assert_int_equal(collector_gauge(&b->counters, GAUGE_CLOCK_BEHIND_S), 0);
    assert_int_equal(confirm(b), ERR_CONFLICT);
}

static void a_clock_that_was_ahead_for_a_moment_without_a_row_is_no_matter(void **state)
{
    struct bench *b = *state;
    struct audit_entry entry;
    begin(b);
    fake_clock_step_us(&b->clock, 86400 * US_PER_S);
    bench_hello(b);
    audit_entry_set(&entry, AUDIT_CONTROL, AUDIT_REFUSED, "uid:0", "", "%s", "");
    assert_int_equal(audit_store(b->ledger, &entry, 1, NULL), ERR_OK);
    fake_clock_step_us(&b->clock, -86400 * US_PER_S);
    assert_true(send_now(b, 2));
    assert_int_equal(collector_gauge(&b->counters, GAUGE_CLOCK_BEHIND_S), 0);
}

static void an_operator_may_confirm_the_clock_and_received_never_goes_back(void **state)
{
    struct bench *b = *state;
    begin(b);
    int64_t last_us = ledger_received_us(b->ledger);
    fake_clock_step_us(&b->clock, -86400 * US_PER_S);
    assert_false(send_now(b, 2));
    assert_int_equal(confirm(b), ERR_OK);
    assert_true(send_now(b, 2));
    assert_int_equal(ledger_received_us(b->ledger), last_us);
    fake_clock_advance_us(&b->clock, 3600 * US_PER_S);
    assert_true(send_now(b, 3));
    assert_int_equal(ledger_received_us(b->ledger), last_us);
    bench_restart(b); // the confirmation is the ledger's
    bench_hello(b);
    assert_true(send_now(b, 4));
    fake_clock_advance_us(&b->clock, 2 * 86400 * US_PER_S);
    assert_true(send_now(b, 5));
    assert_true(ledger_received_us(b->ledger) > last_us);
    fake_clock_step_us(&b->clock, -3600 * US_PER_S); // it has passed the row: that is the measure again
    assert_false(send_now(b, 6));
}

static void a_second_step_back_after_a_confirmation_is_noticed(void **state)
{
    struct bench *b = *state;
    begin(b);
    fake_clock_step_us(&b->clock, -86400 * US_PER_S);
    assert_false(send_now(b, 2));
    assert_int_equal(confirm(b), ERR_OK);
    fake_clock_advance_us(&b->clock, 1000 * US_PER_S);
    assert_true(send_now(b, 2));
    fake_clock_step_us(&b->clock, -600 * US_PER_S);
    assert_false(send_now(b, 3));
    assert_int_equal(collector_gauge(&b->counters, GAUGE_CLOCK_BEHIND_S), 600);
}

static void reports_and_closings_wait_for_the_clock_too(void **state)
{
    struct bench *b = *state;
    static const enum item_kind kinds[] = {ITEM_REPORT, ITEM_CLOSE};
    begin(b);
    fake_clock_step_us(&b->clock, -3600 * US_PER_S);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct item *item = item_create(kinds[i], NULL);
        assert_non_null(item);
        assert_int_equal(committer_admin(b->committer, item), ERR_OK);
        assert_int_equal(item->admin->result, ERR_AGAIN);
        assert_non_null(strstr(item->admin->diag.text, "clock --confirm"));
        item_destroy(item);
    }
}

static void what_is_no_confirmation_confirms_nothing(void **state)
{
    static const char *const bad[] = {"",
                                      "clock 1\n",
                                      "clock 1\nconfirmed_us 5\n",
                                      "clock 1\nconfirmed_us 5\nlast_received_us 6\nx",
                                      "clock 1\nconfirmed_us 0\nlast_received_us 6\n",
                                      "clock 1\nconfirmed_us -5\nlast_received_us 6\n"};
    static const char good[] = "clock 1\nconfirmed_us 5\nlast_received_us 6\n";
    int64_t last_us = 0, at_us = 0;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (clock_document_read(bad[i], strlen(bad[i]), &last_us, &at_us) != ERR_INVALID)
            fail_msg("row %zu was read", i);
    assert_int_equal(clock_document_read(good, strlen(good), &last_us, &at_us), ERR_OK);
    assert_int_equal(at_us, 5);
    assert_int_equal(last_us, 6);
}

int main(void)
{
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        WITH_BENCH(a_clock_a_little_behind_is_no_matter),
        WITH_BENCH(a_clock_far_behind_holds_what_comes_until_it_is_right_again),
        WITH_BENCH(a_clock_that_was_ahead_for_a_moment_without_a_row_is_no_matter),
        WITH_BENCH(an_operator_may_confirm_the_clock_and_received_never_goes_back),
        WITH_BENCH(a_second_step_back_after_a_confirmation_is_noticed),
        WITH_BENCH(reports_and_closings_wait_for_the_clock_too),
        cmocka_unit_test(what_is_no_confirmation_confirms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
