// What tables of reports say beyond their figures: when they were published, that they are whole, which
// release comes after which.
#include "agent/sources/csv_release.h"
#include "tests/support/cmocka.h"
#include "tests/support/csv_bench.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define D(year, month)  civil_to_days((struct civil){year, month, 1})
#define AT(year, month) ((long long)D(year, month) * 86400)
#define GONE            "? no longer in the source"

static int setup(void **state)
{
    assert_int_equal(csv_bench_setup(state), 0);
    struct csv_bench *f = *state;
    f->series[0] = (struct agent_series){.name = "a", .declared = "kep/a", .unit = "x", .currency = ""};
    f->series[1] = (struct agent_series){.name = "b", .declared = "kep/b", .unit = "x", .currency = ""};
    for (int i = 0; i < 2; i++) {
        f->series[i].class = WIRE_REPORT;
        f->series[i].period = PERIOD_MONTH;
    }
    f->config = (struct agent_source){.name = "monthly",
                                      .kind = AGENT_SOURCE_CSV,
                                      .class = WIRE_REPORT,
                                      .every_s = 5,
                                      .path = f->path,
                                      .separator = ',',
                                      .decimal = '.',
                                      .time_column = "month",
                                      .series_count = 2,
                                      .series = f->series};
    return 0;
}

static void write_file(struct csv_bench *f, const char *name, const char *text)
{
    char path[TEST_PATH], beside[TEST_PATH];
    test_folder_path(&f->bench->folder, name, path);
    test_folder_path(&f->bench->folder, "beside", beside);
    csv_write(beside, "w", text, strlen(text));
    assert_int_equal(rename(beside, path), 0);
}

static void expect(struct csv_bench *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void expect(struct csv_bench *f, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    source_bench_expect(f->bench, text);
}

static void expect_error(struct csv_bench *f, const char *text)
{
    if (f->bench->errors == 0 || !strstr(buf_str(&f->bench->messages), text))
        fail_msg("no '%s' in %s", text, buf_str(&f->bench->messages));
}

// ---- published_column

static void a_figure_carries_when_its_row_was_published(void **state)
{
    struct csv_bench *f = *state;
    f->config.published_column = "out";
    write_file(f, "in.csv",
               "month,a,b,out\n2025-10,1,2,2025-11-20\n2025-11,3,4,2025-12\n2025-12,5,,\n"
               "2026-01,6,7,2026-02-01T00:00:07Z\n");
    csv_open(f);
    expect(f,
           "kep/a %d 1 @%lld\nkep/b %d 2 @%lld\nkep/a %d 3 @%lld\nkep/b %d 4 @%lld\nkep/a %d 5\n"
           "kep/a %d 6 @%lld\nkep/b %d 7 @%lld\n",
           D(2025, 10), AT(2025, 11) + 19 * 86400, D(2025, 10), AT(2025, 11) + 19 * 86400, D(2025, 11),
           AT(2025, 12), D(2025, 11), AT(2025, 12), D(2025, 12), D(2026, 1), AT(2026, 2) + 7, D(2026, 1),
           AT(2026, 2) + 7);
}

static void what_vanished_was_published_with_its_row_or_else_with_the_newest(void **state)
{
    struct csv_bench *f = *state;
    f->config.published_column = "out";
    write_file(f, "in.csv", "month,a,b,out\n2025-10,1,1,2025-11\n2025-11,2,2,2025-12\n2025-12,3,3,2026-01\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    write_file(f, "in.csv", "month,a,b,out\n2025-10,,1,2026-02\n2025-12,3,4,2026-03\n");
    expect(f, "kep/a %d " GONE " @%lld\nkep/a %d " GONE " @%lld\nkep/b %d " GONE " @%lld\nkep/b %d 4 @%lld\n",
           D(2025, 10), AT(2026, 2), D(2025, 11), AT(2026, 3), D(2025, 11), AT(2026, 3), D(2025, 12),
           AT(2026, 3));
}

static void a_row_whose_date_of_publishing_cannot_be_read_is_named_and_left_out(void **state)
{
    struct csv_bench *f = *state;
    f->config.published_column = "out";
    write_file(f, "in.csv", "month,a,b,out\n2025-10,1,2,soon\n2025-11,3,4,2025-12\n");
    csv_open(f);
    expect(f, "kep/a %d 3 @%lld\nkep/b %d 4 @%lld\n", D(2025, 11), AT(2025, 12), D(2025, 11), AT(2025, 12));
    expect_error(f, "in.csv:2:13: column \"out\": 'soon' is not when it was published");
    f->config.published_column = "when";
    csv_open(f);
    expect(f, "%s", "");
    expect_error(f, "no column \"when\"");
}

// ---- whole

static void of_a_whole_table_everything_that_is_not_in_it_is_gone(void **state)
{
    struct csv_bench *f = *state;
    f->config.whole = true;
    write_file(f, "in.csv", "month,a,b\n2025-10,1,1\n2025-11,2,2\n2025-12,3,3\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    write_file(f, "in.csv", "month,b\n2025-11,2\n");
    expect(f,
           "kep/a %d " GONE "\nkep/b %d " GONE "\nkep/a %d " GONE "\nkep/a %d " GONE "\nkep/b %d " GONE "\n",
           D(2025, 10), D(2025, 10), D(2025, 11), D(2025, 12), D(2025, 12));
    expect_error(f, "no column \"a\"");
    write_file(f, "in.csv", "month,a,b\n2025-10,1,\n2025-11,,2\n");
    expect(f, "kep/a %d 1\n", D(2025, 10));
}

static void a_whole_table_without_rows_or_with_bad_ones_takes_nothing_away(void **state)
{
    struct csv_bench *f = *state;
    f->config.whole = true;
    write_file(f, "in.csv", "month,a,b\n2025-10,1,1\n2025-11,2,2\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    write_file(f, "in.csv", "month,a,b\n");
    expect(f, "%s", "");
    write_file(f, "in.csv", "month,a,b\n2025-10,1,1,1\n2025-10,5,1\n");
    expect(f, "kep/a %d 5\n", D(2025, 10));
    write_file(f, "in.csv", "month,a,b,b\n2025-10,5,1,1\n");
    expect(f, "kep/a %d " GONE "\n", D(2025, 11)); // nobody knows what b is
}

static void a_whole_table_that_was_written_a_moment_ago_is_waited_for(void **state)
{
    struct csv_bench *f = *state;
    const struct timespec written[2] = {{.tv_sec = SOURCE_BENCH_NOW_S - 1},
                                        {.tv_sec = SOURCE_BENCH_NOW_S - 1}};
    f->config.whole = true;
    write_file(f, "in.csv", "month,a,b\n2025-10,1,1\n");
    assert_int_equal(utimensat(AT_FDCWD, f->path, written, 0), 0);
    csv_open(f);
    expect(f, "%s", "");
    fake_clock_advance_us(&f->bench->clock, US_PER_S);
    expect(f, "kep/a %d 1\nkep/b %d 1\n", D(2025, 10), D(2025, 10));
}

// ---- releases

static void releases(struct csv_bench *f)
{
    test_folder_path(&f->bench->folder, "kep-{release}.csv", f->path);
    f->config.releases = true;
    f->config.whole = true;
}

static void releases_are_read_one_after_the_other_with_their_periods_as_published(void **state)
{
    struct csv_bench *f = *state;
    releases(f);
    write_file(f, "kep-2025-12.csv", "month,a,b\n2025-10,1,9\n2025-11,3,4\n");
    write_file(f, "kep-2025-11.csv", "month,a,b\n2025-10,1,2\n");
    write_file(f, "kep-2026-Q1.csv", "month,a,b\n2025-10,,9\n2025-11,3,4\n");
    write_file(f, "kep-old.csv", "month,a,b\n2025-10,7,7\n");
    write_file(f, "kep-2026-01.bak", "month,a,b\n2025-10,7,7\n");
    csv_open(f);
    expect(f,
           "kep/a %d 1 @%lld\nkep/b %d 2 @%lld\nkep/b %d 9 @%lld\nkep/a %d 3 @%lld\nkep/b %d 4 @%lld\n"
           "kep/a %d " GONE " @%lld\n",
           D(2025, 10), AT(2025, 11), D(2025, 10), AT(2025, 11), D(2025, 10), AT(2025, 12), D(2025, 11),
           AT(2025, 12), D(2025, 11), AT(2025, 12), D(2025, 10), AT(2026, 1));
    assert_int_equal(f->bench->errors, 0);
}

static void the_newest_release_is_read_again_when_it_changes_and_older_ones_are_not(void **state)
{
    struct csv_bench *f = *state;
    releases(f);
    write_file(f, "kep-2025-11.csv", "month,a,b\n2025-10,1,2\n");
    write_file(f, "kep-2025-12.csv", "month,a,b\n2025-10,1,2\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    write_file(f, "kep-2025-11.csv", "month,a,b\n2025-10,5,5\n");
    expect(f, "%s", "");
    csv_open(f); // the same after a restart
    expect(f, "%s", "");
    write_file(f, "kep-2025-12.csv", "month,a,b\n2025-10,1,3\n");
    expect(f, "kep/b %d 3 @%lld\n", D(2025, 10), AT(2025, 12));
    assert_int_equal(f->bench->errors, 0);
    write_file(f, "kep-2025-10.csv", "month,a,b\n2025-10,5,5\n");
    expect(f, "%s", "");
    expect_error(f, "a release older than 2025-12, the one read last, was added: it is not read");
    write_file(f, "kep-2026-01.csv", "month,a,b\n2025-10,1,4\n");
    expect(f, "kep/b %d 4 @%lld\n", D(2025, 10), AT(2026, 1));
    expect(f, "%s", "");
    assert_int_equal(f->bench->errors, 0); // it has been said
}

static void a_release_that_cannot_be_read_holds_up_those_after_it(void **state)
{
    struct csv_bench *f = *state;
    releases(f);
    write_file(f, "kep-2025-11.csv", "period,a,b\n2025-10,1,2\n");
    write_file(f, "kep-2025-12.csv", "month,a,b\n2025-10,1,3\n");
    csv_open(f);
    expect(f, "%s", "");
    expect_error(f, "kep-2025-11.csv:1:1: no column \"month\"");
    write_file(f, "kep-2025-11.csv", "month,a,b\n2025-10,1,2\n");
    expect(f, "kep/a %d 1 @%lld\nkep/b %d 2 @%lld\nkep/b %d 3 @%lld\n", D(2025, 10), AT(2025, 11),
           D(2025, 10), AT(2025, 11), D(2025, 10), AT(2025, 12));
}

static void a_release_given_in_portions_is_gone_on_with(void **state)
{
    struct csv_bench *f = *state;
    releases(f);
    write_file(f, "kep-2025-11.csv", "month,a,b\n2025-10,1,2\n2025-11,3,4\n");
    write_file(f, "kep-2025-12.csv", "month,a,b\n2025-10,1,2\n2025-11,3,5\n");
    csv_open(f);
    assert_true(source_bench_take(f->bench, 3, true));
    csv_open(f); // a crash in between
    expect(f, "kep/b %d 4 @%lld\nkep/b %d 5 @%lld\n", D(2025, 11), AT(2025, 11), D(2025, 11), AT(2025, 12));
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct csv_bench *f = *state;
    releases(f);
    snprintf(f->path, sizeof f->path, "/nonexistent/{release}.csv");
    csv_open(f);
    expect(f, "%s", "");
    expect_error(f, "/nonexistent: No such file or directory");
}

static void a_stored_release_comes_back_and_a_damaged_one_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "2025-11", "2025-11 ", "2025-13 1", "2025-11 x", "2025-11 0"};
    const struct csv_release r = {.period = {PERIOD_MONTH, D(2025, 11)}, .older = 12};
    struct csv_release back = {0};
    char text[CSV_RELEASE_BYTES];
    assert_int_equal(csv_release_decode(text, csv_release_encode(&r, text), &back), ERR_OK);
    assert_int_equal(back.period.start, r.period.start);
    assert_int_equal(back.older, 12);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(csv_release_decode(bad[i], strlen(bad[i]), &back), ERR_CORRUPT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, csv_bench_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_figure_carries_when_its_row_was_published),
        T(what_vanished_was_published_with_its_row_or_else_with_the_newest),
        T(a_row_whose_date_of_publishing_cannot_be_read_is_named_and_left_out),
        T(of_a_whole_table_everything_that_is_not_in_it_is_gone),
        T(a_whole_table_without_rows_or_with_bad_ones_takes_nothing_away),
        T(a_whole_table_that_was_written_a_moment_ago_is_waited_for),
        T(releases_are_read_one_after_the_other_with_their_periods_as_published),
        T(the_newest_release_is_read_again_when_it_changes_and_older_ones_are_not),
        T(a_release_that_cannot_be_read_holds_up_those_after_it),
        T(a_release_given_in_portions_is_gone_on_with),
        T(a_folder_that_is_not_there_is_named),
        cmocka_unit_test(a_stored_release_comes_back_and_a_damaged_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
