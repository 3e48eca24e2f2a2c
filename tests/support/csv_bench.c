#include "tests/support/csv_bench.h"
#include "tests/support/cmocka.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int csv_bench_setup(void **state)
{
    struct csv_bench *c = calloc(1, sizeof *c);
    void *bench = NULL;
    assert_non_null(c);
    assert_int_equal(source_bench_setup(&bench), 0);
    c->bench = bench;
    test_folder_path(&c->bench->folder, "in.csv", c->path);
    *state = c;
    return 0;
}

int csv_bench_teardown(void **state)
{
    struct csv_bench *c = *state;
    void *bench = c->bench;
    int rc = source_bench_teardown(&bench);
    free(c);
    return rc;
}

void csv_write(const char *path, const char *mode, const char *bytes, size_t len)
{
    FILE *out = fopen(path, mode);
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

void csv_put(struct csv_bench *c, const char *text)
{
    csv_write(c->path, "w", text, strlen(text));
}

void csv_add(struct csv_bench *c, const char *text)
{
    csv_write(c->path, "a", text, strlen(text));
}

void csv_replace(struct csv_bench *c, const char *text)
{
    char other[TEST_PATH];
    test_folder_path(&c->bench->folder, "new.csv", other);
    csv_write(other, "w", text, strlen(text));
    assert_int_equal(rename(other, c->path), 0);
}

void csv_open(struct csv_bench *c)
{
    source_bench_open(c->bench, &c->config);
}

void csv_expect_errors(struct csv_bench *c, uint64_t errors, const char *text)
{
    if (c->bench->errors != errors || !strstr(buf_str(&c->bench->messages), text))
        fail_msg("%llu errors instead of %llu with '%s': %s", (unsigned long long)c->bench->errors,
                 (unsigned long long)errors, text, buf_str(&c->bench->messages));
}
