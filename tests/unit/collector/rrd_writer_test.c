// The round-robin files show what the ledger says, whatever came late or was corrected. Files are read back
// through librrd and compared with what was said.
#include "tests/support/rrd_rig.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// ---- plain writing ------------------------------------------------------------------------------
static void measurements_are_in_the_file_exactly(void **state)
{
    struct rig *r = *state;
    for (int i = 0; i < 10; i++)
        rig_put_one(r, 0, T0 + i * 10, 100 + i);
    rig_settle(r);
    for (int i = 0; i < 10; i++)
        assert_shows(r, T0 + i * 10, 100 + i);
    assert_int_equal(rrd_writer_landed(r->writer), ledger_position(r->b->ledger));
    assert_int_equal(rig_counted(r, COUNTER_RRD_VALUES_WRITTEN), 10);
    assert_int_equal(rig_counted(r, COUNTER_RRD_FILE_VISITS), 1); // one visit for ten rows
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 0);
}

static void times_without_a_value_are_unknown(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 0, T0, 1);
    rig_put_one(r, 0, T0 + 50, 2);
    rig_put_missing(r, 0, T0 + 60);
    rig_put_one(r, 0, T0 + 70, 3);
    rig_settle(r);
    assert_shows(r, T0, 1);
    assert_unknown(r, T0 + 10);
    assert_unknown(r, T0 + 40);
    assert_shows(r, T0 + 50, 2);
    assert_unknown(r, T0 + 60);
    assert_shows(r, T0 + 70, 3);
}

static void a_report_fills_the_days_of_its_period(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 1, TODAY - 31, 120); // December 2025
    rig_put_one(r, 1, TODAY, 130);
    rig_settle(r);
    assert_shows_day(r, 2, TODAY - 31, 120);
    assert_shows_day(r, 2, TODAY - 1, 120);
    assert_shows_day(r, 2, TODAY, 130);
    assert_shows_day(r, 2, TODAY + 30, 130);
}

static void a_missing_month_is_unknown(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 1, TODAY - 61, 110); // November, then nothing for December
    rig_put_one(r, 1, TODAY, 130);
    rig_settle(r);
    assert_shows_day(r, 2, TODAY - 32, 110);
    assert_true(isnan(rig_shown(r, 2, 86400, day_end(TODAY - 15))));
    assert_shows_day(r, 2, TODAY, 130);
}

static void a_refused_sample_is_not_shown(void **state)
{
    struct rig *r = *state;
    struct wire_sample s[2] = {bench_sample(0, T0, 1), bench_sample(0, T0 + 1000, 2)};
    rig_put(r, WIRE_MEASUREMENT, s, 2);
    rig_put_one(r, 0, T0 + 10, 3);
    rig_settle(r);
    assert_shows(r, T0 + 10, 3);
    assert_int_equal(rig_counted(r, COUNTER_RRD_VALUES_WRITTEN), 2);
}

static void figures_before_1980_stay_in_the_ledger_only(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 1, -365, 5); // 1969
    rig_put_one(r, 1, TODAY, 130);
    rig_settle(r);
    assert_shows_day(r, 2, TODAY, 130);
    assert_int_equal(rig_counted(r, COUNTER_RRD_TOO_EARLY), 31);
    assert_int_equal(rrd_writer_landed(r->writer), ledger_position(r->b->ledger));
}

// ---- late and corrected -------------------------------------------------------------------------
static void late_within_one_step_costs_no_rebuild(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 0, T0 + 20, 3);
    rig_put_one(r, 0, T0, 1);
    rig_put_one(r, 0, T0 + 10, 2);
    rig_put_one(r, 0, T0 + 10, 7); // and a correction: the last in ledger order wins
    rig_settle(r);
    assert_shows(r, T0, 1);
    assert_shows(r, T0 + 10, 7);
    assert_shows(r, T0 + 20, 3);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 0);
}

static void a_late_value_rebuilds_its_series(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 0, T0, 1);
    rig_put_one(r, 0, T0 + 20, 3);
    rig_settle(r);
    rig_put_one(r, 0, T0 + 10, 2);
    rig_settle(r);
    assert_shows(r, T0, 1);
    assert_shows(r, T0 + 10, 2);
    assert_shows(r, T0 + 20, 3);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 1);
    assert_int_equal(rig_counted(r, COUNTER_RRD_LATE), 1);
    rig_put_one(r, 0, T0 + 30, 4); // and it goes on as before
    rig_settle(r);
    assert_shows(r, T0 + 30, 4);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 1);
}

static void a_correction_wins_and_a_repeat_is_counted(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 0, T0, 1);
    rig_put_one(r, 0, T0 + 10, 2);
    rig_settle(r);
    rig_put_one(r, 0, T0 + 10, 2);
    rig_put_one(r, 0, T0, 1);
    rig_settle(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REPEATS), 2);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 0);
    rig_put_one(r, 0, T0 + 10, 9);
    rig_settle(r);
    assert_shows(r, T0 + 10, 9);
    rig_put_missing(r, 0, T0); // a value that is taken back
    rig_settle(r);
    assert_unknown(r, T0);
    assert_shows(r, T0 + 10, 9);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 2);
}

static void put_real(struct rig *r, int64_t time, double value)
{
    struct wire_sample s = bench_sample(0, time, 0);
    assert_int_equal(figure_from_real(value, &s.value), ERR_OK);
    rig_put(r, WIRE_MEASUREMENT, &s, 1);
    rig_settle(r);
}

static void a_correction_in_the_last_digit_is_no_repeat(void **state)
{
    struct rig *r = *state;
    put_real(r, T0, 0.1 + 0.2);
    put_real(r, T0, 0.3);
    assert_shows(r, T0, 0.3);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REPEATS), 0);
    put_real(r, T0, 0.3);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REPEATS), 1);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 1);
}

static void many_late_values_at_once_are_one_rebuild(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 0, T0 + 280, 1);
    rig_settle(r);
    for (int i = 0; i < 20; i++)
        rig_put_one(r, 0, T0 + i * 10, i);
    rig_settle(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 1);
    for (int i = 0; i < 20; i++)
        assert_shows(r, T0 + i * 10, i);
    assert_shows(r, T0 + 280, 1);
}

static void a_series_is_rebuilt_at_most_once_a_second(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 0, T0 + 280, 1);
    rig_settle(r);
    rig_put_one(r, 0, T0, 1);
    rig_observe(r);
    rig_step(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 1);
    rig_put_one(r, 0, T0 + 10, 2);
    rig_observe(r);
    rig_step(r);
    rig_put_one(r, 0, T0 + 20, 3);
    rig_observe(r);
    rig_step(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 1);
    assert_true(rrd_writer_landed(r->writer) < rrd_writer_position(r->writer));
    fake_clock_advance_us(&r->b->clock, US_PER_S);
    rig_step(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 2);
    assert_shows(r, T0 + 10, 2);
    assert_shows(r, T0 + 20, 3);
    assert_int_equal(rrd_writer_landed(r->writer), rrd_writer_position(r->writer));
}

static void a_rebuild_waits_for_the_observer(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 1, TODAY, 130);
    rig_settle(r);
    rig_put_one(r, 1, TODAY - 31, 120);
    rig_step(r);
    assert_int_equal(rrd_writer_dirty(r->writer), 1);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 0);
    rig_settle(r);
    assert_shows_day(r, 2, TODAY - 31, 120);
    assert_shows_day(r, 2, TODAY, 130);
}

// One that can never be rebuilt would keep the writer from resting for ever.
static void nobody_is_hurried_for_by_series_that_wait_to_be_rebuilt(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 1, TODAY, 130);
    rig_settle(r);
    rig_put_one(r, 1, TODAY - 31, 120);
    uint64_t asked = ledger_position(r->b->ledger);
    assert_true(rrd_writer_owes(r->writer, asked));
    rig_step(r); // the observer has not seen it
    assert_true(rrd_writer_landed(r->writer) < asked);
    assert_false(rrd_writer_owes(r->writer, asked));
}

static void a_revised_report_is_shown_as_revised(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 1, TODAY - 31, 120);
    rig_put_one(r, 1, TODAY, 130);
    rig_settle(r);
    rig_put_one(r, 1, TODAY - 31, 125);
    rig_settle(r);
    assert_shows_day(r, 2, TODAY - 31, 125);
    assert_shows_day(r, 2, TODAY - 1, 125);
    assert_shows_day(r, 2, TODAY, 130);
    rig_put_one(r, 1, TODAY - 31, 125);
    rig_settle(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 1);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REPEATS), 31);
}

static void an_amount_in_another_currency_is_not_drawn_as_if_it_were_its_own(void **state)
{
    struct rig *r = *state;
    struct wire_note note = {.currency = "USD", .reason = "", .author = ""};
    struct wire_sample s = bench_sample(2, TODAY - 31, 5000);
    bench_build(r->b, ++r->sequence, WIRE_REPORT, &s, &note, 1);
    bench_receive(r->b, &r->b->peer, r->b->token, r->b->out.data, r->b->out.len);
    rig_put_one(r, 2, TODAY, 7000);
    rig_settle(r);
    assert_true(isnan(rig_shown(r, 3, 86400, day_end(TODAY - 31))));
    assert_shows_day(r, 3, TODAY, 7000);
    rig_put_one(r, 2, TODAY, 7001); // rebuilt, the same
    rig_settle(r);
    assert_true(isnan(rig_shown(r, 3, 86400, day_end(TODAY - 31))));
    assert_shows_day(r, 3, TODAY, 7001);
}

// A correction whose series can't be marked for want of memory would be missing for good.
static void what_may_become_dirty_has_room_there_before_it_is_read(void **state)
{
    struct rig *r = *state;
    char name[40];
    for (uint32_t i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "out_units/line%u", i);
        bench_declare(r->b, 4 + i, name, "piece", WIRE_MEASUREMENT);
        bench_clear(r->b);
        rig_put_one(r, 4 + i, T0, 1);
        rig_step(r);
        assert_int_equal(rrd_table_count(r->writer->table), 1 + i);
        assert_true(r->writer->dirty.capacity >= 1 + i);
    }
    assert_int_equal(rrd_writer_dirty(r->writer), 0);
    rig_restart(r, true);
    assert_true(r->writer->dirty.capacity >= 100);
}

// ---- resting -------------------------------------------------------------------------------------
static int64_t rest_after(struct rig *r, int64_t ms, size_t visits, size_t values, uint64_t *enough)
{
    r->writer->last.ms = ms;
    r->writer->last.visits = visits;
    r->writer->last.values = values;
    r->writer->last.rows = 1000;
    return rrd_writer_rest_ms(r->writer, enough);
}

static void steps_of_poor_visits_are_followed_by_a_rest(void **state)
{
    struct rig *r = *state;
    uint64_t enough = 0;
    assert_int_equal(rrd_writer_rest_ms(r->writer, &enough), 0);          // nothing was done yet
    assert_int_equal(rest_after(r, 5, 10000, 10000, &enough), 40);        // however short
    assert_int_equal(rest_after(r, 300, 10000, 10000 * 100, &enough), 0); // rich
    assert_int_equal(rest_after(r, 300, 100000, 5000000, &enough), 0);    // no room for more
    assert_int_equal(rest_after(r, 100, 10000, 20000, &enough), 800);
    assert_true(enough > r->writer->position + 1000); // what fills half of the memory ends it
    assert_true(enough <= r->writer->position + UINT64_C(1000) * 4194304 / 20000);
    assert_int_equal(rest_after(r, 1249, 10000, 20000, &enough), 9992);
    assert_int_equal(rest_after(r, 5000, 10000, 20000, &enough), RRD_WRITER_REST_MS);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        T(measurements_are_in_the_file_exactly),
        T(times_without_a_value_are_unknown),
        T(a_report_fills_the_days_of_its_period),
        T(a_missing_month_is_unknown),
        T(a_refused_sample_is_not_shown),
        T(figures_before_1980_stay_in_the_ledger_only),
        T(late_within_one_step_costs_no_rebuild),
        T(a_late_value_rebuilds_its_series),
        T(a_correction_wins_and_a_repeat_is_counted),
        T(a_correction_in_the_last_digit_is_no_repeat),
        T(many_late_values_at_once_are_one_rebuild),
        T(a_series_is_rebuilt_at_most_once_a_second),
        T(a_rebuild_waits_for_the_observer),
        T(nobody_is_hurried_for_by_series_that_wait_to_be_rebuilt),
        T(a_revised_report_is_shown_as_revised),
        T(an_amount_in_another_currency_is_not_drawn_as_if_it_were_its_own),
        T(what_may_become_dirty_has_room_there_before_it_is_read),
        T(steps_of_poor_visits_are_followed_by_a_rest),
    };
    return cmocka_run_group_tests_name("rrd_writer", tests, NULL, NULL);
}
