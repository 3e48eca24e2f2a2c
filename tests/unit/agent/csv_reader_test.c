#include "agent/sources/csv_reader.h"
#include "tests/support/folder.h"
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

struct fixture {
    struct test_folder folder;
    char path[TEST_PATH];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(test_folder_make(&f->folder), 0);
    test_folder_path(&f->folder, "in.csv", f->path);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    int rc = test_folder_remove(&f->folder);
    free(f);
    return rc;
}

static void write_with(const char *path, const char *mode, const char *text, size_t len)
{
    FILE *out = fopen(path, mode);
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static void put(struct fixture *f, const char *text)
{
    write_with(f->path, "w", text, strlen(text));
}

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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(fields_of_a_record),
        T(a_record_of_too_many_columns_or_with_a_nul_is_refused),
        T(records_end_at_line_ends_outside_quotes_and_know_their_place),
        T(a_record_that_is_too_long_is_passed_over_to_its_line_end),
        T(a_record_of_the_greatest_length_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
