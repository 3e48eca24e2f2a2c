#include "tests/support/csv_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define D(year, month) civil_to_days((struct civil){year, month, 1})

static struct csv_bench *reports(void **state)
{
    struct csv_bench *f = *state;
    f->series[0] = (struct agent_series){.name = "staff",
                                         .declared = "jobs_total",
                                         .unit = "person",
                                         .currency = "",
                                         .class = WIRE_REPORT,
                                         .period = PERIOD_MONTH};
    f->series[1] = (struct agent_series){.name = "invested",
                                         .declared = "inv",
                                         .unit = "money",
                                         .currency = "KZT",
                                         .money = currency_find("KZT"),
                                         .class = WIRE_REPORT,
                                         .period = PERIOD_MONTH};
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
    return f;
}

static void expect(struct csv_bench *f, const char *samples)
{
    source_bench_expect(f->bench, samples);
}

// "jobs_total <day> 12\n" for months of 2026, to write expectations in.
static const char *lines(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *lines(const char *fmt, ...)
{
    static char text[8][512];
    static size_t next;
    char *out = text[next++ % 8];
    va_list args;
    va_start(args, fmt);
    vsnprintf(out, sizeof text[0], fmt, args);
    va_end(args);
    return out;
}

static void reports_are_read_with_their_empty_cells_left_out(void **state)
{
    struct csv_bench *f = reports(state);
    csv_put(f, "month,staff,invested\n2026-01,12,1250.50\n2026-02,,-\n2026-03,14,0.07\n");
    csv_open(f);
    expect(f, lines("jobs_total %d 12\ninv %d 125050\njobs_total %d 14\ninv %d 7\n", D(2026, 1), D(2026, 1),
                    D(2026, 3), D(2026, 3)));
    assert_int_equal(f->bench->errors, 0);
    expect(f, "");
}

static void only_what_is_new_or_changed_is_reported(void **state)
{
    struct csv_bench *f = reports(state);
    csv_put(f, "month,staff,invested\n2026-01,12,1\n2026-02,13,2\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    assert_int_equal(f->bench->count, 4);
    csv_put(f, "month,staff,invested\n2026-01,12,1\n2026-02,15,2\n2026-03,16,3\n");
    expect(f, lines("jobs_total %d 15\njobs_total %d 16\ninv %d 300\n", D(2026, 2), D(2026, 3), D(2026, 3)));
    csv_replace(f, "month,staff,invested\n2026-01,12,1\n2026-02,15,2\n2026-03,16,3\n");
    expect(f, "");
}

static void after_a_restart_nothing_is_reported_again(void **state)
{
    struct csv_bench *f = reports(state);
    csv_put(f, "month,staff,invested\n2026-01,12,1\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    assert_int_equal(f->bench->count, 2);
    csv_open(f);
    expect(f, "");
    csv_replace(f, "month,staff,invested\n2026-01,12,5\n");
    csv_open(f);
    expect(f, lines("inv %d 500\n", D(2026, 1)));
}

static void a_value_that_vanished_is_reported_as_missing_once(void **state)
{
    struct csv_bench *f = reports(state);
    csv_put(f, "month,staff,invested\n2026-01,12,1\n2026-02,13,2\n2026-03,14,3\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_put(f, "month,staff,invested\n2026-01,,1\n2026-03,14,3\n"); // one cell emptied, one row gone
    expect(f, lines("jobs_total %d ? no longer in the source\njobs_total %d ? no longer in the source\n"
                    "inv %d ? no longer in the source\n",
                    D(2026, 1), D(2026, 2), D(2026, 2)));
    csv_replace(f, "month,staff,invested\n2026-01,,1\n2026-03,14,3\n");
    expect(f, "");
    csv_put(f, "month,staff,invested\n2026-01,12,1\n2026-03,14,3\n");
    expect(f, lines("jobs_total %d 12\n", D(2026, 1)));
}

static void rows_outside_the_files_range_are_not_taken_as_vanished(void **state)
{
    struct csv_bench *f = reports(state);
    csv_put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2,2\n2026-03,3,3\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_put(f, "month,staff,invested\n2026-02,2,2\n");
    expect(f, "");
}

static void nothing_vanishes_while_rows_cannot_be_read(void **state)
{
    struct csv_bench *f = reports(state);
    csv_put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2,2\n2026-03,3,3\n");
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2\n2026-03,3,3\n");
    expect(f, "");
    csv_expect_errors(f, 1, "in.csv:3:1: 2 columns, but the header has 3");
    csv_put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2x,2\n2026-03,3,3\n"); // wrong, so not gone
    expect(f, "");
    csv_expect_errors(f, 1, "in.csv:3:9: column \"staff\": '2x' is not a number");
}

static void a_period_that_stands_twice_has_the_last_value(void **state)
{
    struct csv_bench *f = reports(state);
    csv_put(f, "month,staff,invested\n2026-01,1,1\n2026-01,2,\n");
    csv_open(f);
    expect(f, lines("jobs_total %d 2\ninv %d 100\n", D(2026, 1), D(2026, 1)));
    csv_add(f, "2026-01,3,\n");
    expect(f, lines("jobs_total %d 3\n", D(2026, 1)));
}

static void a_last_line_without_its_end_is_waited_for_a_minute(void **state)
{
    struct csv_bench *f = reports(state);
    csv_put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2,2");
    csv_open(f);
    expect(f, lines("jobs_total %d 1\ninv %d 100\n", D(2026, 1), D(2026, 1)));
    fake_clock_advance_us(&f->bench->clock, 59 * US_PER_S);
    expect(f, "");
    csv_add(f, "2"); // it was being written: the wait begins anew
    expect(f, "");
    fake_clock_advance_us(&f->bench->clock, 59 * US_PER_S);
    expect(f, "");
    fake_clock_advance_us(&f->bench->clock, US_PER_S);
    expect(f, lines("jobs_total %d 2\ninv %d 2200\n", D(2026, 2), D(2026, 2)));
    expect(f, "");
}

static void a_last_line_without_its_end_is_waited_for_after_a_restart_too(void **state)
{
    struct csv_bench *f = reports(state);
    csv_put(f, "month,staff,invested\n2026-02,2,2");
    csv_open(f);
    expect(f, "");
    csv_open(f);
    expect(f, "");
    fake_clock_advance_us(&f->bench->clock, 60 * US_PER_S);
    expect(f, lines("jobs_total %d 2\ninv %d 200\n", D(2026, 2), D(2026, 2)));
}

static void another_mapping_of_columns_reads_the_file_again(void **state)
{
    struct csv_bench *f = reports(state);
    f->config.series_count = 1;
    csv_put(f, "month,staff,invested\n2026-01,1,1\n");
    csv_open(f);
    expect(f, lines("jobs_total %d 1\n", D(2026, 1)));
    f->config.series_count = 2;
    csv_open(f);
    expect(f, lines("inv %d 100\n", D(2026, 1)));
}

static void what_could_not_be_spooled_is_given_again(void **state)
{
    struct csv_bench *f = reports(state);
    csv_put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2,2\n");
    csv_open(f);
    assert_true(source_bench_take(f->bench, 2, true));
    assert_false(source_bench_take(f->bench, 2, false));
    expect(f, lines("jobs_total %d 2\ninv %d 200\n", D(2026, 2), D(2026, 2)));
}

static void spreadsheets_of_the_region_are_read(void **state)
{
    struct csv_bench *f = reports(state);
    static const char utf8[] = "\xef\xbb\xbf\"month\";\"staff\";\"invested\"\r\n2026-01;\"1 200\";1\xc2\xa0"
                               "250,5\r\n2026-02;н/д;\r\n";
    f->config.separator = ';';
    f->config.decimal = ',';
    csv_put(f, utf8);
    csv_open(f);
    expect(f, lines("jobs_total %d 1200\ninv %d 125050\n", D(2026, 1), D(2026, 1)));
    assert_int_equal(f->bench->errors, 0);
}

static void windows_1251_is_read_headers_and_all(void **state)
{
    struct csv_bench *f = reports(state);
    // месяц;персонал;вложено / 2026-01;1<NBSP>200;5 / 2026-02;н/д;0,5
    static const char cp1251[] =
        "\xec\xe5\xf1\xff\xf6;\xef\xe5\xf0\xf1\xee\xed\xe0\xeb;\xe2\xeb\xee\xe6\xe5\xed\xee\n"
        "2026-01;1\xa0"
        "200;5\n2026-02;\xed/\xe4;0,5\n2026-03;\xe4\xe0;1\n";
    f->config.separator = ';';
    f->config.decimal = ',';
    f->config.encoding = "WINDOWS-1251";
    f->config.time_column = "месяц";
    f->series[0].name = "персонал";
    f->series[1].name = "вложено";
    csv_put(f, cp1251);
    csv_open(f);
    expect(f, lines("jobs_total %d 1200\ninv %d 500\ninv %d 50\ninv %d 100\n", D(2026, 1), D(2026, 1),
                    D(2026, 2), D(2026, 3)));
    csv_expect_errors(f, 1, "in.csv:4:9: column \"персонал\": 'да' is not a number");
}

static void files_that_cannot_be_read_say_why(void **state)
{
    struct csv_bench *f = reports(state);
    static const struct {
        const char *text;
        size_t len;
        const char *says;
    } cases[] = {
        {"", 0, "in.csv:1:1: no header line yet"},
        {"month,staff,invested", 20, "in.csv:1:1: no header line yet"},
        {"a,b\n1,2\n", 8, "in.csv:1:1: no column \"month\"; there are \"a\", \"b\""},
        {"\xec\xe5\xf1\xff\xf6,staff\n", 12,
         "in.csv:1:1: no column \"month\": the header is not UTF-8; is it encoding: windows-1251?"},
        {"month,staff,staff\n", 18, "in.csv:1:13: 2 columns are called \"staff\""},
        {"month,staff\n2026-01,2\n", 22, "no column \"invested\"; there are \"month\", \"staff\""},
        {"\xff\xfem\0o\0", 6, "in.csv:1:1: is in UTF-16: save it as UTF-8"},
        {"mo\0nth\n", 7, "in.csv:1:1: holds a NUL byte"},
        {"month,\"staff\n", 13, "in.csv:1:1: no header line yet"},
        {"month,staff,invested\nsoon,2,3\n", 30,
         "in.csv:2:1: column \"month\": jobs_total: 'soon' is not a period: 2026-03-14, 2026-03, 2026-Q1 or "
         "2026"},
        {"month,staff,invested\n2026-01,2,3,4\n", 35, "in.csv:2:1: 4 columns, but the header has 3"},
        {"month,staff,invested\n2026-01,\"2\"x,3\n", 36, "in.csv:2:12: text after the closing quote"},
        {"month,staff,invested\n1899-12,2,3\n", 33, "the period is before 1900"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        csv_write(f->path, "w", cases[i].text, cases[i].len);
        csv_open(f);
        source_bench_run(f->bench, 0);
        if (f->bench->errors == 0 || !strstr(buf_str(&f->bench->messages), cases[i].says))
            fail_msg("case %zu: %s", i, buf_str(&f->bench->messages));
    }
    unlink(f->path);
    source_bench_run(f->bench, 0);
    csv_expect_errors(f, 1, "in.csv: No such file or directory");
    f->config.path = f->bench->folder.path;
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_expect_errors(f, 1, "is not a regular file");
}

static void a_header_without_end_is_told_from_one_being_written(void **state)
{
    struct csv_bench *f = reports(state);
    char *text = malloc(70000);
    memset(text, 'x', 70000);
    memcpy(text, "month,\"", 7);
    text[69999] = '\n';
    csv_write(f->path, "w", text, 70000);
    free(text);
    csv_open(f);
    source_bench_run(f->bench, 0);
    csv_expect_errors(f, 1,
                      "in.csv:1:1: the header is longer than 65536 bytes, or a quote in it is not closed");
}

static void a_long_table_is_given_in_portions(void **state)
{
    struct csv_bench *f = reports(state);
    f->series[0].period = PERIOD_DAY;
    f->config.series_count = 1;
    FILE *out = fopen(f->path, "w");
    fprintf(out, "month,staff\n");
    for (int day = 0; day < 3500; day++) {
        struct civil c = civil_from_days(3500 - day);
        fprintf(out, "%04d-%02d-%02d,%d\n", c.year, c.month, c.day, day);
    }
    fclose(out);
    csv_open(f);
    source_bench_run(f->bench, 0);
    assert_int_equal(f->bench->count, 3500);
    assert_int_equal(f->bench->takes, 4);
    assert_memory_equal(buf_str(&f->bench->samples), "jobs_total 1 3499\njobs_total 2 3498\n",
                        36); // oldest first
}

// A file's times are no finer than the kernel's clock for them, and a page that is mapped changes without
// them.
static void a_table_that_was_written_a_moment_ago_is_read_again_though_it_looks_the_same(void **state)
{
    struct csv_bench *f = reports(state);
    const char text[] = "month,staff,invested\n2026-01,12,1\n";
    struct stat st;
    csv_put(f, text);
    int fd = open(f->path, O_RDWR | O_CLOEXEC);
    char *bytes = mmap(NULL, sizeof text - 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    char *last_digit = strstr(bytes, ",1\n") - 1;
    *last_digit = '3';
    assert_int_equal(fstat(fd, &st), 0);
    fake_clock_step_us(&f->bench->clock, (st.st_ctim.tv_sec + 1 - SOURCE_BENCH_NOW_S) * US_PER_S);
    csv_open(f);
    expect(f, lines("jobs_total %d 13\ninv %d 100\n", D(2026, 1), D(2026, 1)));
    *last_digit = '4';
    csv_open(f);
    expect(f, lines("jobs_total %d 14\n", D(2026, 1)));
    *last_digit = '5';
    fake_clock_step_us(&f->bench->clock, 5 * US_PER_S);
    expect(f, lines("jobs_total %d 15\n", D(2026, 1)));
    expect(f, "");
    assert_int_equal(munmap(bytes, sizeof text - 1), 0);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, csv_bench_setup, csv_bench_teardown)
    const struct CMUnitTest tests[] = {
        T(reports_are_read_with_their_empty_cells_left_out),
        T(only_what_is_new_or_changed_is_reported),
        T(after_a_restart_nothing_is_reported_again),
        T(a_value_that_vanished_is_reported_as_missing_once),
        T(rows_outside_the_files_range_are_not_taken_as_vanished),
        T(nothing_vanishes_while_rows_cannot_be_read),
        T(a_period_that_stands_twice_has_the_last_value),
        T(a_last_line_without_its_end_is_waited_for_a_minute),
        T(a_last_line_without_its_end_is_waited_for_after_a_restart_too),
        T(another_mapping_of_columns_reads_the_file_again),
        T(what_could_not_be_spooled_is_given_again),
        T(spreadsheets_of_the_region_are_read),
        T(windows_1251_is_read_headers_and_all),
        T(files_that_cannot_be_read_say_why),
        T(a_header_without_end_is_told_from_one_being_written),
        T(a_long_table_is_given_in_portions),
        T(a_table_that_was_written_a_moment_ago_is_read_again_though_it_looks_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
