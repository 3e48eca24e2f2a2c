#include "tests/support/source_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TICK INT64_C(1772366400)

struct fixture {
    struct source_bench *bench;
    char path[TEST_PATH];
    const char *argv[2];
    struct agent_series series[2];
    struct agent_source config;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    void *bench = NULL;
    assert_non_null(f);
    assert_int_equal(source_bench_setup(&bench), 0);
    f->bench = bench;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *bench = f->bench;
    int rc = source_bench_teardown(&bench);
    free(f);
    return rc;
}

static struct fixture *counters_of(void **state, enum agent_source_kind kind, int64_t wrap)
{
    struct fixture *f = *state;
    static const char *const names[] = {"made", "kwh"};
    for (size_t i = 0; i < 2; i++) {
        f->series[i] = (struct agent_series){.name = names[i],
                                             .unit = "piece",
                                             .currency = "",
                                             .class = WIRE_MEASUREMENT,
                                             .step_s = 10,
                                             .counter = true,
                                             .wrap = wrap};
        snprintf(f->series[i].declared, sizeof f->series[i].declared, "%s", names[i]);
    }
    f->config = (struct agent_source){.name = "meter",
                                      .kind = kind,
                                      .class = WIRE_MEASUREMENT,
                                      .every_s = 10,
                                      .timeout_ms = 20000,
                                      .argv = f->argv,
                                      .path = f->path,
                                      .separator = ',',
                                      .decimal = '.',
                                      .time_column = "time",
                                      .series_count = 2,
                                      .series = f->series};
    return f;
}

static struct fixture *file(void **state, int64_t wrap, const char *rows)
{
    struct fixture *f = counters_of(state, AGENT_SOURCE_CSV, wrap);
    test_folder_path(&f->bench->folder, "in.csv", f->path);
    FILE *out = fopen(f->path, "w");
    assert_non_null(out);
    fprintf(out, "time,made,kwh\n%s", rows);
    fclose(out);
    source_bench_open(f->bench, &f->config);
    return f;
}

static void add(struct fixture *f, const char *rows)
{
    FILE *out = fopen(f->path, "a");
    assert_non_null(out);
    fputs(rows, out);
    fclose(out);
}

static void expect(struct fixture *f, const char *samples, uint64_t errors, const char *says)
{
    source_bench_expect(f->bench, samples);
    if (f->bench->errors != errors || !strstr(buf_str(&f->bench->messages), says))
        fail_msg("%llu errors: %s", (unsigned long long)f->bench->errors, buf_str(&f->bench->messages));
}

static void a_counter_becomes_what_it_rose_by_from_the_second_reading_on(void **state)
{
    struct fixture *f = file(state, 0, "10,100,5\n20,130,5\n30,130,5.5\n");
    expect(f, "made 20 30\nkwh 20 0\nmade 30 0\nkwh 30 0.5\n", 0, "");
}

static void the_last_reading_outlives_a_restart(void **state)
{
    struct fixture *f = file(state, 0, "10,100,1\n20,130,2\n");
    expect(f, "made 20 30\nkwh 20 1\n", 0, "");
    add(f, "30,137,4\n");
    source_bench_open(f->bench, &f->config);
    expect(f, "made 30 7\nkwh 30 2\n", 0, "");
}

static void steps_without_a_reading_are_in_the_next_one(void **state)
{
    struct fixture *f = file(state, 0, "10,100,1\n20,,1\n60,150,1\n");
    expect(f, "kwh 20 0\nmade 60 50\nkwh 60 0\n", 0, "");
}

static void a_counter_that_began_again_is_named_and_counts_from_nought(void **state)
{
    struct fixture *f = file(state, 0, "10,100,1\n20,7,2\n30,9,3\n");
    expect(f, "made 20 7\nkwh 20 1\nmade 30 2\nkwh 30 1\n", 1, "shows 7 after 100: it began again");
}

static void a_counter_that_ran_over_goes_on(void **state)
{
    struct fixture *f = file(state, 65536, "10,65530,65000.5\n20,4,0.5\n30,3,1\n");
    expect(f, "made 20 10\nkwh 20 536\nmade 30 3\nkwh 30 0.5\n", 1, "shows 3 after 4: it began again");
}

static void decimals_are_what_the_meter_says(void **state)
{
    struct fixture *f = file(state, 0, "10,0,0.1\n20,0,0.3\n30,0,123456.7\n40,0,123456.8\n");
    expect(f, "made 20 0\nkwh 20 0.2\nmade 30 0\nkwh 30 123456.4\nmade 40 0\nkwh 40 0.1\n", 0, "");
}

static void readings_that_are_late_or_negative_give_nothing(void **state)
{
    struct fixture *f = file(state, 0, "10,100,1\n30,130,1\n20,110,1\n40,-5,1\n50,131,1\n");
    expect(f, "made 30 30\nkwh 30 0\nkwh 40 0\nmade 50 1\nkwh 50 0\n", 1, "a counter is never below 0");
    assert_int_equal(f->bench->skipped, 2);
}

static void a_reading_of_the_future_is_named_and_its_rise_is_in_the_next_one(void **state)
{
    struct fixture *f = file(state, 0, "10,100,1\n20,110,1\n2803898800,120,1\n30,130,1\n");
    expect(f, "made 20 10\nkwh 20 0\nmade 30 20\nkwh 30 0\n", 2,
           "made: the time 2803898800 is in the future by this machine's clock");
    add(f, "40,131,1\n");
    source_bench_open(f->bench, &f->config);
    expect(f, "made 40 1\nkwh 40 0\n", 0, "");
    assert_int_equal(f->bench->skipped, 0);
}

// Read while the clock was a year ahead; then the clock is right, and rows are read again.
static void what_a_file_says_after_the_clock_was_ahead_is_neither_lost_nor_counted_twice(void **state)
{
    const int64_t year_us = 365 * 86400 * US_PER_S;
    struct fixture *f = file(state, 0, "1803898800,100,1\n");
    fake_clock_step_us(&f->bench->clock, year_us);
    expect(f, "", 0, "");
    fake_clock_step_us(&f->bench->clock, -year_us);
    add(f, "10,90,1\n20,100,1\n30,130,2\n40,131,2\n20,100,1\n");
    expect(f, "made 30 30\nkwh 30 1\nmade 40 1\nkwh 40 0\n", 1,
           "made: less than before, at time 1803898800, which is in the future");
    assert_int_equal(f->bench->skipped, 6);
}

static void what_could_not_be_spooled_is_read_again_from_a_file(void **state)
{
    struct fixture *f = file(state, 0, "10,100,1\n20,130,1\n");
    (void)source_bench_take(f->bench, 1000, false);
    expect(f, "made 20 30\nkwh 20 0\n", 0, "");
}

static void program_says(struct fixture *f, int total)
{
    FILE *out = fopen(f->path, "w");
    assert_non_null(out);
    fprintf(out, "#!/bin/sh\necho made %d\n", total);
    fclose(out);
    assert_int_equal(chmod(f->path, 0755), 0);
}

static void what_could_not_be_spooled_of_a_program_is_in_its_next_reading(void **state)
{
    struct fixture *f = counters_of(state, AGENT_SOURCE_EXEC, 0);
    test_folder_path(&f->bench->folder, "prog.sh", f->path);
    f->argv[0] = f->path;
    program_says(f, 100);
    source_bench_open(f->bench, &f->config);
    source_bench_run(f->bench, TICK);
    assert_string_equal(buf_str(&f->bench->samples), "");
    program_says(f, 130);
    f->bench->source->ops->begin(f->bench->source, TICK + 10);
    while (!f->bench->source->ops->advance(f->bench->source))
        ;
    (void)source_bench_take(f->bench, 1000, false);
    program_says(f, 131);
    source_bench_run(f->bench, TICK + 20);
    assert_string_equal(buf_str(&f->bench->samples), "made 1772366420 31\n");
}

static void a_program_s_counter_goes_on_after_the_clock_was_ahead(void **state)
{
    struct fixture *f = counters_of(state, AGENT_SOURCE_EXEC, 0);
    const int64_t year_s = 365 * 86400;
    test_folder_path(&f->bench->folder, "prog.sh", f->path);
    f->argv[0] = f->path;
    program_says(f, 100);
    source_bench_open(f->bench, &f->config);
    source_bench_run(f->bench, TICK);
    program_says(f, 110);
    fake_clock_step_us(&f->bench->clock, year_s * US_PER_S);
    source_bench_run(f->bench, TICK + year_s);
    assert_string_equal(buf_str(&f->bench->samples), "made 1803902400 10\n");
    fake_clock_step_us(&f->bench->clock, -year_s * US_PER_S);
    source_bench_open(f->bench, &f->config);
    program_says(f, 120);
    source_bench_run(f->bench, TICK + 20);
    assert_string_equal(buf_str(&f->bench->samples), "made 1772366420 10\n");
    program_says(f, 7);
    source_bench_run(f->bench, TICK + 30);
    assert_string_equal(buf_str(&f->bench->samples), "made 1772366430 7\n");
    assert_int_equal(f->bench->skipped, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_counter_becomes_what_it_rose_by_from_the_second_reading_on),
        T(the_last_reading_outlives_a_restart),
        T(steps_without_a_reading_are_in_the_next_one),
        T(a_counter_that_began_again_is_named_and_counts_from_nought),
        T(a_counter_that_ran_over_goes_on),
        T(decimals_are_what_the_meter_says),
        T(readings_that_are_late_or_negative_give_nothing),
        T(a_reading_of_the_future_is_named_and_its_rise_is_in_the_next_one),
        T(what_a_file_says_after_the_clock_was_ahead_is_neither_lost_nor_counted_twice),
        T(what_could_not_be_spooled_is_read_again_from_a_file),
        T(what_could_not_be_spooled_of_a_program_is_in_its_next_reading),
        T(a_program_s_counter_goes_on_after_the_clock_was_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
