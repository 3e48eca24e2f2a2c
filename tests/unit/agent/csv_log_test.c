#include "tests/support/csv_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct csv_bench *measurements(void **state)
{
    struct csv_bench *f = *state;
    f->series[0] = (struct agent_series){.name = "kwh",
                                         .declared = "energy",
                                         .unit = "kwh",
                                         .currency = "",
                                         .class = WIRE_MEASUREMENT,
                                         .step_s = 10};
    f->config = (struct agent_source){.name = "meter",
                                      .kind = AGENT_SOURCE_CSV,
                                      .class = WIRE_MEASUREMENT,
                                      .every_s = 5,
                                      .path = f->path,
                                      .separator = ',',
                                      .decimal = '.',
                                      .time_column = "time",
                                      .series_count = 1,
                                      .series = f->series};
    return f;
}

static void expect(struct csv_bench *f, const char *samples)
{
    source_bench_expect(f->bench, samples);
}

static void added_rows_are_read_once_and_a_partial_line_is_waited_for(void **state)
{
    struct csv_bench *f = measurements(state);
    csv_put(f, "time,kwh\n10,1\n20,2\n30,");
    csv_open(f);
    expect(f, "energy 10 1\nenergy 20 2\n");
    expect(f, "");
    csv_add(f, "3");
    expect(f, "");
    csv_add(f, "5\n40,4\n");
    expect(f, "energy 30 35\nenergy 40 4\n");
    csv_open(f);
    expect(f, "");
    csv_add(f, "50,5\n");
    csv_open(f);
    expect(f, "energy 50 5\n");
    assert_int_equal(f->bench->errors, 0);
}

static void a_file_whose_first_rows_could_not_be_spooled_is_begun_anew(void **state)
{
    struct csv_bench *f = measurements(state);
    csv_put(f, "time,kwh\n10,1\n");
    csv_open(f);
    (void)source_bench_take(f->bench, 1000, false);
    expect(f, "energy 10 1\n");
    assert_int_equal(f->bench->errors, 0);
    csv_replace(f, "time,kwh\n10,1\n20,2\n");
    (void)source_bench_take(f->bench, 1000, false);
    expect(f, "energy 20 2\n");
    csv_open(f);
    expect(f, "");
    assert_int_equal(f->bench->errors, 0);
}

static void late_rows_of_a_growing_file_are_taken(void **state)
{
    struct csv_bench *f = measurements(state);
    csv_put(f, "time,kwh\n50,1\n");
    csv_open(f);
    expect(f, "energy 50 1\n");
    csv_add(f, "40,2\n");
    expect(f, "energy 40 2\n");
}

static void a_replaced_file_gives_only_rows_newer_than_the_last_one(void **state)
{
    struct csv_bench *f = measurements(state);
    csv_put(f, "time,kwh\n10,1\n20,2\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_replace(f, "time,kwh\n10,1\n20,2\n30,3\n");
    expect(f, "energy 30 3\n");
    assert_int_equal(f->bench->skipped, 2);
}

static void a_file_cut_and_written_anew_is_noticed(void **state)
{
    struct csv_bench *f = measurements(state);
    csv_put(f, "time,kwh\n10,1\n20,2\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_put(f, "time,kwh\n30,3\n");
    expect(f, "energy 30 3\n");
    csv_put(f, "time,kwh\n40,41111111\n50,5\n"); // longer than before, another last row
    expect(f, "energy 40 41111111\nenergy 50 5\n");
    csv_put(f, "kwh,time\n6,60\n7,70\n8,80\n9,90\n"); // another header
    expect(f, "energy 60 6\nenergy 70 7\nenergy 80 8\nenergy 90 9\n");
}

static void a_file_replaced_while_the_agent_was_down_is_noticed(void **state)
{
    struct csv_bench *f = measurements(state);
    csv_put(f, "time,kwh\n10,1\n20,2\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_put(f, "time,kwh\n10,1\n20,9\n30,3\n"); // same file, other row where the last one was read
    csv_open(f);
    expect(f, "energy 30 3\n");
    assert_int_equal(f->bench->skipped, 2);
}

static void a_row_of_the_future_does_not_make_those_before_it_repeats(void **state)
{
    struct csv_bench *f = measurements(state);
    csv_put(f, "time,kwh\n2026-03-01T11:00:00Z,1\n2062-03-01T11:00:10Z,2\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_replace(f, "time,kwh\n2026-03-01T11:00:00Z,1\n2026-03-01T11:00:20Z,3\n");
    expect(f, "energy 1772362820 3\n");
    assert_int_equal(f->bench->skipped, 1);
}

static void what_was_read_while_the_clock_was_ahead_is_no_measure_of_what_is_new(void **state)
{
    struct csv_bench *f = measurements(state);
    const int64_t year_us = 365 * 86400 * US_PER_S;
    csv_put(f, "time,kwh\n2027-03-01T11:00:00Z,1\n");
    csv_open(f);
    fake_clock_step_us(&f->bench->clock, year_us);
    expect(f, "energy 1803898800 1\n");
    fake_clock_step_us(&f->bench->clock, -year_us);
    csv_replace(f, "time,kwh\n2026-03-01T11:00:00Z,2\n");
    expect(f, "energy 1772362800 2\n");
    csv_add(f, "2026-03-01T11:00:10Z,3\n");
    expect(f, "energy 1772362810 3\n");
    assert_int_equal(f->bench->skipped, 0);
}

static void rows_passed_over_for_a_time_of_the_future_are_read_after_all(void **state)
{
    struct csv_bench *f = measurements(state);
    const int64_t year_us = 365 * 86400 * US_PER_S;
    csv_put(f, "time,kwh\n2027-03-01T11:00:00Z,1\n");
    csv_open(f);
    fake_clock_step_us(&f->bench->clock, year_us);
    source_bench_run(f->bench, 0);
    csv_replace(f, "time,kwh\n2026-03-01T11:00:00Z,2\n");
    expect(f, "");
    assert_int_equal(f->bench->skipped, 1);
    fake_clock_step_us(&f->bench->clock, -year_us);
    csv_add(f, "2026-03-01T11:00:10Z,3\n");
    expect(f, "energy 1772362810 3\n");
    csv_open(f); // the one that was sent is a repeat to the collector
    expect(f, "energy 1772362800 2\nenergy 1772362810 3\n");
    fake_clock_step_us(&f->bench->clock, year_us);
    csv_replace(f, "time,kwh\n2026-03-01T11:00:10Z,3\n2026-03-01T11:00:20Z,4\n");
    expect(f, "energy 1772362820 4\n");
}

static void what_was_added_to_a_rotated_file_is_read_before_the_new_one(void **state)
{
    struct csv_bench *f = measurements(state);
    char old[TEST_PATH];
    test_folder_path(&f->bench->folder, "in.csv.1", old);
    csv_put(f, "time,kwh\n10,1\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_add(f, "20,2\n30,3\n");
    assert_int_equal(rename(f->path, old), 0);
    csv_put(f, "time,kwh\n40,4\n");
    expect(f, "energy 20 2\nenergy 30 3\n");
    expect(f, "energy 40 4\n");
    assert_int_equal(f->bench->errors, 0);
}

static void bad_rows_are_named_and_cost_only_themselves(void **state)
{
    struct csv_bench *f = measurements(state);
    csv_put(f, "time,kwh\n10,1\nnoon,2\n20,x\n\n25,3\n30,4,5\n40,nan\n50,5\n");
    csv_open(f);
    expect(f, "energy 10 1\nenergy 50 5\n");
    csv_expect_errors(f, 5, "in.csv:3:1: column \"time\": 'noon' is not a time");
    csv_expect_errors(f, 5, "in.csv:4:4: column \"kwh\": 'x' is not a number");
    csv_expect_errors(f, 5, "in.csv:6:4: column \"kwh\": energy: the time is not on a boundary");
    csv_expect_errors(f, 5, "in.csv:7:1: 3 columns, but the header has 2");
    csv_expect_errors(f, 5, "in.csv:8:4: column \"kwh\": 'nan' is not a number");
}

static void a_history_comes_in_portions_and_lost_ones_again(void **state)
{
    struct csv_bench *f = measurements(state);
    FILE *out = fopen(f->path, "w");
    fprintf(out, "time,kwh\n");
    for (int i = 1; i <= 120000; i++)
        fprintf(out, "%d,%d\n", i * 10, i);
    fclose(out);
    csv_open(f);
    assert_true(source_bench_take(f->bench, 1000, true));
    assert_int_equal(f->bench->count, 1000);
    assert_true(source_bench_take(f->bench, 1000, false));
    source_bench_run(f->bench, 0);
    assert_int_equal(f->bench->count, 119000);
    assert_memory_equal(buf_str(&f->bench->samples), "energy 10010 1001\n", 18);
    assert_int_equal(f->bench->skipped + f->bench->errors, 0);
}

static void errors_quote_bad_bytes_as_question_marks(void **state)
{
    struct csv_bench *f = measurements(state);
    csv_put(f, "time,kwh\n10,\xff\x01\xc3(\n");
    csv_open(f);
    expect(f, "");
    csv_expect_errors(f, 1, "'\?\?\?(' is not a number");
}

static void a_quote_that_is_never_closed_costs_its_own_line_only(void **state)
{
    struct csv_bench *f = measurements(state);
    csv_put(f, "time,kwh\n10,\"1\n20,2\n");
    FILE *out = fopen(f->path, "a");
    for (int i = 3; i < 10000; i++)
        fprintf(out, "%d,%d\n", i * 10, i);
    fclose(out);
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_expect_errors(f, 1, "in.csv:2:1: longer than 65536 bytes, or a quote in it is not closed");
    assert_int_equal(f->bench->count, 9998);
}

static void the_rest_of_a_line_that_is_too_long_is_no_row(void **state)
{
    struct csv_bench *f = measurements(state);
    static char junk[100000];
    memset(junk, 'x', sizeof junk - 1);
    csv_put(f, "time,kwh\n10,1\n");
    csv_add(f, junk);
    csv_open(f);
    expect(f, "energy 10 1\n");
    csv_expect_errors(f, 1, "in.csv:3:1: longer than 65536 bytes");
    csv_add(f, junk);
    expect(f, "");
    assert_int_equal(f->bench->errors, 0);
    csv_add(f, "x\n");
    csv_open(f);
    expect(f, "");
    assert_int_equal(f->bench->errors, 0);
    csv_add(f, "20,x\n30,3\n");
    expect(f, "energy 30 3\n");
    csv_expect_errors(f, 1, "in.csv:4:4: column");
}

static void a_line_that_is_too_long_ends_where_a_row_might_be(void **state)
{
    struct csv_bench *f = measurements(state);
    static char junk[65538];
    memset(junk, 'x', sizeof junk - 1);
    csv_put(f, "time,kwh\n");
    csv_add(f, junk);
    csv_open(f);
    expect(f, "");
    csv_add(f, "20,2\n30,3\n");
    expect(f, "energy 30 3\n");
    assert_int_equal(f->bench->errors, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, csv_bench_setup, csv_bench_teardown)
    const struct CMUnitTest tests[] = {
        T(added_rows_are_read_once_and_a_partial_line_is_waited_for),
        T(a_file_whose_first_rows_could_not_be_spooled_is_begun_anew),
        T(late_rows_of_a_growing_file_are_taken),
        T(a_replaced_file_gives_only_rows_newer_than_the_last_one),
        T(a_file_cut_and_written_anew_is_noticed),
        T(a_file_replaced_while_the_agent_was_down_is_noticed),
        T(a_row_of_the_future_does_not_make_those_before_it_repeats),
        T(what_was_read_while_the_clock_was_ahead_is_no_measure_of_what_is_new),
        T(rows_passed_over_for_a_time_of_the_future_are_read_after_all),
        T(what_was_added_to_a_rotated_file_is_read_before_the_new_one),
        T(bad_rows_are_named_and_cost_only_themselves),
        T(a_history_comes_in_portions_and_lost_ones_again),
        T(errors_quote_bad_bytes_as_question_marks),
        T(a_quote_that_is_never_closed_costs_its_own_line_only),
        T(the_rest_of_a_line_that_is_too_long_is_no_row),
        T(a_line_that_is_too_long_ends_where_a_row_might_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
