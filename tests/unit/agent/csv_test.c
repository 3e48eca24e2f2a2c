#include "agent/sources/csv_reader.h"
#include "tests/support/source_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define D(year, month) civil_to_days((struct civil){year, month, 1})

struct fixture {
    struct source_bench *bench;
    char path[TEST_PATH];
    struct agent_series series[2];
    struct agent_source config;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    void *bench = NULL;
    if (!f || source_bench_setup(&bench) != 0)
        return -1;
    f->bench = bench;
    test_folder_path(&f->bench->folder, "in.csv", f->path);
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

static struct fixture *reports(void **state)
{
    struct fixture *f = *state;
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

static struct fixture *measurements(void **state)
{
    struct fixture *f = *state;
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

static void write_with(const char *path, const char *mode, const char *text, size_t len)
{
    FILE *out = fopen(path, mode);
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

// In place, as an editor or `>` does. What was read a moment ago has another time of change by then.
static void put(struct fixture *f, const char *text)
{
    write_with(f->path, "w", text, strlen(text));
}

static void add(struct fixture *f, const char *text)
{
    write_with(f->path, "a", text, strlen(text));
}

// Another file under the same name, as rename does.
static void replace(struct fixture *f, const char *text)
{
    char other[TEST_PATH];
    test_folder_path(&f->bench->folder, "new.csv", other);
    write_with(other, "w", text, strlen(text));
    assert_int_equal(rename(other, f->path), 0);
}

static void open_source(struct fixture *f)
{
    source_bench_open(f->bench, &f->config);
}

static void expect(struct fixture *f, const char *samples)
{
    source_bench_expect(f->bench, samples);
}

static void expect_error(struct fixture *f, uint64_t errors, const char *text)
{
    if (f->bench->errors != errors || !strstr(buf_str(&f->bench->messages), text))
        fail_msg("%llu errors instead of %llu with '%s': %s", (unsigned long long)f->bench->errors,
                 (unsigned long long)errors, text, buf_str(&f->bench->messages));
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

// ---- records and fields

static void fields_of_a_record(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        char separator;
        const char *fields; // joined by |
    } good[] = {
        {"a,b,c", ',', "a|b|c"},
        {"", ',', ""},
        {",", ',', "|"},
        {"a;b,c", ';', "a|b,c"},
        {"a\tb", '\t', "a|b"},
        {"\"a,b\",c", ',', "a,b|c"},
        {"\"say \"\"hi\"\"\",x", ',', "say \"hi\"|x"},
        {"\"\",\"\"", ',', "|"},
        {"\"two\nlines\",x", ',', "two\nlines|x"},
        {"5\" pipe,x", ',', "5\" pipe|x"},
        {"a,\"b\"", ',', "a|b"},
        {" a , b ", ',', " a | b "},
    };
    static const struct {
        const char *record;
        const char *says;
    } bad[] = {
        {"a,\"b", "7:3: this quote is not closed"},
        {"\"a\"b,c", "7:4: text after the closing quote"},
        {"ю,\"a\"b", "7:6: text after the closing quote"},
        {"\"x\ny\",\"a\"b", "8:7: text after the closing quote"},
    };
    struct csv_record r;
    struct diag d;
    csv_record_init(&r);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char joined[128] = "";
        const struct csv_raw raw = {.bytes = good[i].record, .len = strlen(good[i].record), .line = 1};
        assert_int_equal(csv_record_read(&r, &raw, good[i].separator, (iconv_t)-1, &d), ERR_OK);
        for (size_t k = 0; k < r.count; k++) {
            strcat(joined, k ? "|" : "");
            strcat(joined, r.fields[k].text);
        }
        assert_string_equal(joined, good[i].fields);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct csv_raw raw = {.bytes = bad[i].record, .len = strlen(bad[i].record), .line = 7};
        assert_int_equal(csv_record_read(&r, &raw, ',', (iconv_t)-1, &d), ERR_INVALID);
        assert_string_equal(d.text, bad[i].says);
    }
    csv_record_deinit(&r);
}

static void a_record_of_too_many_columns_or_with_a_nul_is_refused(void **state)
{
    (void)state;
    char many[CSV_FIELDS_MAX + 2];
    struct csv_record r;
    struct diag d;
    memset(many, ',', sizeof many);
    csv_record_init(&r);
    const struct csv_raw most = {.bytes = many, .len = CSV_FIELDS_MAX - 1, .line = 1};
    assert_int_equal(csv_record_read(&r, &most, ',', (iconv_t)-1, &d), ERR_OK);
    assert_int_equal(r.count, CSV_FIELDS_MAX);
    const struct csv_raw over = {.bytes = many, .len = CSV_FIELDS_MAX, .line = 1};
    assert_int_equal(csv_record_read(&r, &over, ',', (iconv_t)-1, &d), ERR_INVALID);
    const struct csv_raw nul = {.bytes = "a\0b", .len = 3, .line = 1};
    assert_int_equal(csv_record_read(&r, &nul, ',', (iconv_t)-1, &d), ERR_INVALID);
    csv_record_deinit(&r);
}

static void records_end_at_line_ends_outside_quotes_and_know_their_place(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum csv_next next;
        const char *text;
        int64_t offset;
        uint64_t line;
    } want[] = {{CSV_RECORD, "a,b", 0, 1},
                {CSV_RECORD, "\"x\ny\",2", 5, 2},
                {CSV_RECORD, "", 13, 4},
                {CSV_RECORD, "5\" pipe", 14, 5},
                {CSV_PARTIAL, "end", 22, 6}};
    put(f, "a,b\r\n\"x\ny\",2\n\n5\" pipe\nend");
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    struct csv_reader r;
    struct csv_raw raw;
    assert_int_equal(csv_reader_init(&r, fd, ',', 0, 1), ERR_OK);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_int_equal(csv_reader_next(&r, &raw), want[i].next);
        assert_int_equal(raw.len, strlen(want[i].text));
        assert_memory_equal(raw.bytes, want[i].text, raw.len);
        assert_int_equal(raw.offset, want[i].offset);
        assert_int_equal(raw.line, want[i].line);
    }
    assert_int_equal(csv_reader_next(&r, &raw), CSV_PARTIAL);
    csv_reader_deinit(&r);
    close(fd);
}

static void a_record_that_is_too_long_is_passed_over_to_its_line_end(void **state)
{
    struct fixture *f = *state;
    static const size_t lengths[] = {CSV_RECORD_MAX + 1, CSV_RECORD_MAX + 2, CSV_RECORD_MAX + 3,
                                     3 * CSV_RECORD_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *text = malloc(lengths[i] + 16);
        memset(text, 'x', lengths[i]);
        memcpy(text + lengths[i], "\nnext\n", 6);
        write_with(f->path, "w", text, lengths[i] + 6);
        free(text);
        int fd = open(f->path, O_RDONLY | O_CLOEXEC);
        struct csv_reader r;
        struct csv_raw raw;
        assert_int_equal(csv_reader_init(&r, fd, ',', 0, 1), ERR_OK);
        assert_int_equal(csv_reader_next(&r, &raw), CSV_TOO_LONG);
        assert_int_equal(raw.line, 1);
        assert_int_equal(csv_reader_next(&r, &raw), CSV_RECORD);
        assert_int_equal(raw.line, 2);
        assert_memory_equal(raw.bytes, "next", 4);
        assert_int_equal(csv_reader_next(&r, &raw), CSV_END);
        csv_reader_deinit(&r);
        close(fd);
    }
}

static void a_record_of_the_greatest_length_is_read(void **state)
{
    struct fixture *f = *state;
    char *text = malloc(CSV_RECORD_MAX + 1);
    memset(text, 'x', CSV_RECORD_MAX);
    text[CSV_RECORD_MAX] = '\n';
    write_with(f->path, "w", text, CSV_RECORD_MAX + 1);
    free(text);
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    struct csv_reader r;
    struct csv_raw raw;
    assert_int_equal(csv_reader_init(&r, fd, ',', 0, 1), ERR_OK);
    assert_int_equal(csv_reader_next(&r, &raw), CSV_RECORD);
    assert_int_equal(raw.len, CSV_RECORD_MAX);
    csv_reader_deinit(&r);
    close(fd);
}

static void a_quote_that_is_never_closed_costs_its_own_line_only(void **state)
{
    struct fixture *f = measurements(state);
    put(f, "time,kwh\n10,\"1\n20,2\n");
    FILE *out = fopen(f->path, "a");
    for (int i = 3; i < 10000; i++)
        fprintf(out, "%d,%d\n", i * 10, i);
    fclose(out);
    open_source(f);
    source_bench_run(f->bench, 0);
    expect_error(f, 1, "in.csv:2:1: longer than 65536 bytes, or a quote in it is not closed");
    assert_int_equal(f->bench->count, 9998);
}

// ---- reports

static void reports_are_read_with_their_empty_cells_left_out(void **state)
{
    struct fixture *f = reports(state);
    put(f, "month,staff,invested\n2026-01,12,1250.50\n2026-02,,-\n2026-03,14,0.07\n");
    open_source(f);
    expect(f, lines("jobs_total %d 12\ninv %d 125050\njobs_total %d 14\ninv %d 7\n", D(2026, 1), D(2026, 1),
                    D(2026, 3), D(2026, 3)));
    assert_int_equal(f->bench->errors, 0);
    expect(f, "");
}

static void only_what_is_new_or_changed_is_reported(void **state)
{
    struct fixture *f = reports(state);
    put(f, "month,staff,invested\n2026-01,12,1\n2026-02,13,2\n");
    open_source(f);
    source_bench_run(f->bench, 0);
    assert_int_equal(f->bench->count, 4);
    put(f, "month,staff,invested\n2026-01,12,1\n2026-02,15,2\n2026-03,16,3\n");
    expect(f, lines("jobs_total %d 15\njobs_total %d 16\ninv %d 300\n", D(2026, 2), D(2026, 3), D(2026, 3)));
    replace(f, "month,staff,invested\n2026-01,12,1\n2026-02,15,2\n2026-03,16,3\n");
    expect(f, "");
}

static void after_a_restart_nothing_is_reported_again(void **state)
{
    struct fixture *f = reports(state);
    put(f, "month,staff,invested\n2026-01,12,1\n");
    open_source(f);
    source_bench_run(f->bench, 0);
    assert_int_equal(f->bench->count, 2);
    open_source(f);
    expect(f, "");
    replace(f, "month,staff,invested\n2026-01,12,5\n");
    open_source(f);
    expect(f, lines("inv %d 500\n", D(2026, 1)));
}

static void a_value_that_vanished_is_reported_as_missing_once(void **state)
{
    struct fixture *f = reports(state);
    put(f, "month,staff,invested\n2026-01,12,1\n2026-02,13,2\n2026-03,14,3\n");
    open_source(f);
    source_bench_run(f->bench, 0);
    put(f, "month,staff,invested\n2026-01,,1\n2026-03,14,3\n"); // one cell emptied, one row gone
    expect(f, lines("jobs_total %d ? no longer in the source\njobs_total %d ? no longer in the source\n"
                    "inv %d ? no longer in the source\n",
                    D(2026, 1), D(2026, 2), D(2026, 2)));
    replace(f, "month,staff,invested\n2026-01,,1\n2026-03,14,3\n");
    expect(f, "");
    put(f, "month,staff,invested\n2026-01,12,1\n2026-03,14,3\n");
    expect(f, lines("jobs_total %d 12\n", D(2026, 1)));
}

static void rows_outside_the_files_range_are_not_taken_as_vanished(void **state)
{
    struct fixture *f = reports(state);
    put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2,2\n2026-03,3,3\n");
    open_source(f);
    source_bench_run(f->bench, 0);
    put(f, "month,staff,invested\n2026-02,2,2\n");
    expect(f, "");
}

static void nothing_vanishes_while_rows_cannot_be_read(void **state)
{
    struct fixture *f = reports(state);
    put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2,2\n2026-03,3,3\n");
    open_source(f);
    source_bench_run(f->bench, 0);
    put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2\n2026-03,3,3\n");
    expect(f, "");
    expect_error(f, 1, "in.csv:3:1: 2 columns, but the header has 3");
    put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2x,2\n2026-03,3,3\n"); // wrong, so not gone
    expect(f, "");
    expect_error(f, 1, "in.csv:3:9: column \"staff\": '2x' is not a number");
}

static void a_period_that_stands_twice_has_the_last_value(void **state)
{
    struct fixture *f = reports(state);
    put(f, "month,staff,invested\n2026-01,1,1\n2026-01,2,\n");
    open_source(f);
    expect(f, lines("jobs_total %d 2\ninv %d 100\n", D(2026, 1), D(2026, 1)));
    add(f, "2026-01,3,\n");
    expect(f, lines("jobs_total %d 3\n", D(2026, 1)));
}

static void a_last_line_without_its_end_is_waited_for_a_minute(void **state)
{
    struct fixture *f = reports(state);
    put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2,2");
    open_source(f);
    expect(f, lines("jobs_total %d 1\ninv %d 100\n", D(2026, 1), D(2026, 1)));
    fake_clock_advance_us(&f->bench->clock, 59 * US_PER_S);
    expect(f, "");
    add(f, "2"); // it was being written: the wait begins anew
    expect(f, "");
    fake_clock_advance_us(&f->bench->clock, 59 * US_PER_S);
    expect(f, "");
    fake_clock_advance_us(&f->bench->clock, US_PER_S);
    expect(f, lines("jobs_total %d 2\ninv %d 2200\n", D(2026, 2), D(2026, 2)));
    expect(f, "");
}

static void a_last_line_without_its_end_is_waited_for_after_a_restart_too(void **state)
{
    struct fixture *f = reports(state);
    put(f, "month,staff,invested\n2026-02,2,2");
    open_source(f);
    expect(f, "");
    open_source(f);
    expect(f, "");
    fake_clock_advance_us(&f->bench->clock, 60 * US_PER_S);
    expect(f, lines("jobs_total %d 2\ninv %d 200\n", D(2026, 2), D(2026, 2)));
}

static void another_mapping_of_columns_reads_the_file_again(void **state)
{
    struct fixture *f = reports(state);
    f->config.series_count = 1;
    put(f, "month,staff,invested\n2026-01,1,1\n");
    open_source(f);
    expect(f, lines("jobs_total %d 1\n", D(2026, 1)));
    f->config.series_count = 2;
    open_source(f);
    expect(f, lines("inv %d 100\n", D(2026, 1)));
}

static void what_could_not_be_spooled_is_given_again(void **state)
{
    struct fixture *f = reports(state);
    put(f, "month,staff,invested\n2026-01,1,1\n2026-02,2,2\n");
    open_source(f);
    assert_true(source_bench_take(f->bench, 2, true));
    assert_false(source_bench_take(f->bench, 2, false));
    expect(f, lines("jobs_total %d 2\ninv %d 200\n", D(2026, 2), D(2026, 2)));
}

static void spreadsheets_of_the_region_are_read(void **state)
{
    struct fixture *f = reports(state);
    static const char utf8[] = "\xef\xbb\xbf\"month\";\"staff\";\"invested\"\r\n2026-01;\"1 200\";1\xc2\xa0"
                               "250,5\r\n2026-02;н/д;\r\n";
    f->config.separator = ';';
    f->config.decimal = ',';
    put(f, utf8);
    open_source(f);
    expect(f, lines("jobs_total %d 1200\ninv %d 125050\n", D(2026, 1), D(2026, 1)));
    assert_int_equal(f->bench->errors, 0);
}

static void windows_1251_is_read_headers_and_all(void **state)
{
    struct fixture *f = reports(state);
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
    put(f, cp1251);
    open_source(f);
    expect(f, lines("jobs_total %d 1200\ninv %d 500\ninv %d 50\ninv %d 100\n", D(2026, 1), D(2026, 1),
                    D(2026, 2), D(2026, 3)));
    expect_error(f, 1, "in.csv:4:9: column \"персонал\": 'да' is not a number");
}

static void files_that_cannot_be_read_say_why(void **state)
{
    struct fixture *f = reports(state);
    static const struct {
        const char *text;
        size_t len;
        const char *says;
    } cases[] = {
        {"", 0, "in.csv:1:1: no header line yet"},
        {"month,staff,invested", 20, "in.csv:1:1: no header line yet"},
        {"a,b\n1,2\n", 8, "in.csv:1:1: no column \"month\"; there are \"a\", \"b\""},
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
        write_with(f->path, "w", cases[i].text, cases[i].len);
        open_source(f);
        source_bench_run(f->bench, 0);
        if (f->bench->errors == 0 || !strstr(buf_str(&f->bench->messages), cases[i].says))
            fail_msg("case %zu: %s", i, buf_str(&f->bench->messages));
    }
    unlink(f->path);
    source_bench_run(f->bench, 0);
    expect_error(f, 1, "in.csv: No such file or directory");
    f->config.path = f->bench->folder.path;
    open_source(f);
    source_bench_run(f->bench, 0);
    expect_error(f, 1, "is not a regular file");
}

static void a_long_table_is_given_in_portions(void **state)
{
    struct fixture *f = reports(state);
    f->series[0].period = PERIOD_DAY;
    f->config.series_count = 1;
    FILE *out = fopen(f->path, "w");
    fprintf(out, "month,staff\n");
    for (int day = 0; day < 3500; day++) {
        struct civil c = civil_from_days(3500 - day);
        fprintf(out, "%04d-%02d-%02d,%d\n", c.year, c.month, c.day, day);
    }
    fclose(out);
    open_source(f);
    source_bench_run(f->bench, 0);
    assert_int_equal(f->bench->count, 3500);
    assert_int_equal(f->bench->takes, 4);
    assert_memory_equal(buf_str(&f->bench->samples), "jobs_total 1 3499\njobs_total 2 3498\n",
                        36); // oldest first
}

// ---- measurements

static void added_rows_are_read_once_and_a_partial_line_is_waited_for(void **state)
{
    struct fixture *f = measurements(state);
    put(f, "time,kwh\n10,1\n20,2\n30,");
    open_source(f);
    expect(f, "energy 10 1\nenergy 20 2\n");
    expect(f, "");
    add(f, "3");
    expect(f, "");
    add(f, "5\n40,4\n");
    expect(f, "energy 30 35\nenergy 40 4\n");
    open_source(f);
    expect(f, "");
    add(f, "50,5\n");
    open_source(f);
    expect(f, "energy 50 5\n");
    assert_int_equal(f->bench->errors, 0);
}

static void late_rows_of_a_growing_file_are_taken(void **state)
{
    struct fixture *f = measurements(state);
    put(f, "time,kwh\n50,1\n");
    open_source(f);
    expect(f, "energy 50 1\n");
    add(f, "40,2\n");
    expect(f, "energy 40 2\n");
}

static void a_replaced_file_gives_only_rows_newer_than_the_last_one(void **state)
{
    struct fixture *f = measurements(state);
    put(f, "time,kwh\n10,1\n20,2\n");
    open_source(f);
    source_bench_run(f->bench, 0);
    replace(f, "time,kwh\n10,1\n20,2\n30,3\n");
    expect(f, "energy 30 3\n");
    assert_int_equal(f->bench->skipped, 2);
}

static void a_file_cut_and_written_anew_is_noticed(void **state)
{
    struct fixture *f = measurements(state);
    put(f, "time,kwh\n10,1\n20,2\n");
    open_source(f);
    source_bench_run(f->bench, 0);
    put(f, "time,kwh\n30,3\n");
    expect(f, "energy 30 3\n");
    put(f, "time,kwh\n40,41111111\n50,5\n"); // longer than before, another last row
    expect(f, "energy 40 41111111\nenergy 50 5\n");
    put(f, "kwh,time\n6,60\n7,70\n8,80\n9,90\n"); // another header
    expect(f, "energy 60 6\nenergy 70 7\nenergy 80 8\nenergy 90 9\n");
}

static void a_file_replaced_while_the_agent_was_down_is_noticed(void **state)
{
    struct fixture *f = measurements(state);
    put(f, "time,kwh\n10,1\n20,2\n");
    open_source(f);
    source_bench_run(f->bench, 0);
    put(f, "time,kwh\n10,1\n20,9\n30,3\n"); // same file, other row where the last one was read
    open_source(f);
    expect(f, "energy 30 3\n");
    assert_int_equal(f->bench->skipped, 2);
}

static void what_was_added_to_a_rotated_file_is_read_before_the_new_one(void **state)
{
    struct fixture *f = measurements(state);
    char old[TEST_PATH];
    test_folder_path(&f->bench->folder, "in.csv.1", old);
    put(f, "time,kwh\n10,1\n");
    open_source(f);
    source_bench_run(f->bench, 0);
    add(f, "20,2\n30,3\n");
    assert_int_equal(rename(f->path, old), 0);
    put(f, "time,kwh\n40,4\n");
    expect(f, "energy 20 2\nenergy 30 3\n");
    expect(f, "energy 40 4\n");
    assert_int_equal(f->bench->errors, 0);
}

static void bad_rows_are_named_and_cost_only_themselves(void **state)
{
    struct fixture *f = measurements(state);
    put(f, "time,kwh\n10,1\nnoon,2\n20,x\n\n25,3\n30,4,5\n40,nan\n50,5\n");
    open_source(f);
    expect(f, "energy 10 1\nenergy 50 5\n");
    expect_error(f, 5, "in.csv:3:1: column \"time\": 'noon' is not a time");
    expect_error(f, 5, "in.csv:4:4: column \"kwh\": 'x' is not a number");
    expect_error(f, 5, "in.csv:6:4: column \"kwh\": energy: the time is not on a boundary");
    expect_error(f, 5, "in.csv:7:1: 3 columns, but the header has 2");
    expect_error(f, 5, "in.csv:8:4: column \"kwh\": 'nan' is not a number");
}

static void a_history_comes_in_portions_and_lost_ones_again(void **state)
{
    struct fixture *f = measurements(state);
    FILE *out = fopen(f->path, "w");
    fprintf(out, "time,kwh\n");
    for (int i = 1; i <= 120000; i++)
        fprintf(out, "%d,%d\n", i * 10, i);
    fclose(out);
    open_source(f);
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
    struct fixture *f = measurements(state);
    put(f, "time,kwh\n10,\xff\x01\xc3(\n");
    open_source(f);
    expect(f, "");
    expect_error(f, 1, "'\?\?\?(' is not a number");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(fields_of_a_record),
        T(a_record_of_too_many_columns_or_with_a_nul_is_refused),
        T(records_end_at_line_ends_outside_quotes_and_know_their_place),
        T(a_record_that_is_too_long_is_passed_over_to_its_line_end),
        T(a_record_of_the_greatest_length_is_read),
        T(a_quote_that_is_never_closed_costs_its_own_line_only),
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
        T(a_long_table_is_given_in_portions),
        T(added_rows_are_read_once_and_a_partial_line_is_waited_for),
        T(late_rows_of_a_growing_file_are_taken),
        T(a_replaced_file_gives_only_rows_newer_than_the_last_one),
        T(a_file_cut_and_written_anew_is_noticed),
        T(a_file_replaced_while_the_agent_was_down_is_noticed),
        T(what_was_added_to_a_rotated_file_is_read_before_the_new_one),
        T(bad_rows_are_named_and_cost_only_themselves),
        T(a_history_comes_in_portions_and_lost_ones_again),
        T(errors_quote_bad_bytes_as_question_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
