// Files made again from the ledger, many at a time, against the files that landing made: byte by byte.
#include "base/fs.h"
#include "tests/support/random.h"
#include "tests/support/rrd_rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SERIES = 16, FIRST = 4, SAMPLES = 40 }; // numbers FIRST.. are measurements of this test

struct file {
    char *bytes;
    size_t len;
};

static void declare(struct rig *r)
{
    for (uint32_t i = 0; i < SERIES; i++) {
        char name[40];
        snprintf(name, sizeof name, "out_units/line%u", i);
        bench_declare(r->b, FIRST + i, name, "piece", WIRE_MEASUREMENT);
    }
}

static void put_round(struct rig *r, struct random *random, int64_t *from)
{
    struct wire_sample s[SAMPLES];
    size_t n = 0;
    for (uint32_t i = 0; i < SERIES; i++) {
        if (random_below(random, 5) == 0) // silent for once
            continue;
        for (n = 0; n < 1 + (size_t)i * 2 && n < SAMPLES; n++) {
            s[n] = bench_sample(FIRST + i, *from + (int64_t)n * 10, (int64_t)random_below(random, 100000));
            if (random_below(random, 9) == 0)
                s[n].value = figure_missing();
        }
        rig_put(r, WIRE_MEASUREMENT, s, n);
    }
    *from += SAMPLES * 10 + (int64_t)random_below(random, 4) * 3600;
    rig_settle(r);
}

static void fill(struct rig *r, uint64_t seed)
{
    struct random random = {seed};
    int64_t from = T0 - INT64_C(86400);
    declare(r);
    for (int i = 0; i < 6; i++)
        put_round(r, &random, &from);
    rig_put_one(r, 1, TODAY - 31, 120);
    rig_put_one(r, 2, TODAY - 31, 5000);
    rig_settle(r);
}

static void read_files(struct rig *r, struct file files[SERIES + FIRST])
{
    char path[RRD_PATH_MAX];
    struct diag d = {0};
    for (int64_t i = 0; i < SERIES + FIRST; i++) {
        rig_file(r, i + 1, path);
        files[i] = (struct file){0};
        if (access(path, F_OK) == 0)
            assert_int_equal(fs_read_file(path, 4u << 20, &files[i].bytes, &files[i].len, &d), ERR_OK);
    }
}

static void compare(const struct file before[SERIES + FIRST], struct file after[SERIES + FIRST])
{
    for (int i = 0; i < SERIES + FIRST; i++) {
        assert_int_equal(before[i].len, after[i].len);
        if (before[i].len && memcmp(before[i].bytes, after[i].bytes, after[i].len) != 0)
            fail_msg("the file of series %d differs", i + 1);
        free(after[i].bytes);
    }
}

static void forget(struct file files[SERIES + FIRST])
{
    for (int i = 0; i < SERIES + FIRST; i++)
        free(files[i].bytes);
}

static void rebuild_all(struct rig *r)
{
    uint64_t count = 0;
    struct diag d = {0};
    assert_int_equal(rrd_writer_rebuild(r->writer, "", &count, &d), ERR_OK);
    assert_int_equal(count, SERIES + FIRST);
    for (int i = 0; i < 100 && rrd_writer_dirty(r->writer) > 0; i++)
        rig_step(r);
    assert_int_equal(rrd_writer_dirty(r->writer), 0);
}

static void rebuilt_files_are_those_that_landing_made(void **state)
{
    struct rig *r = *state;
    struct file before[SERIES + FIRST], after[SERIES + FIRST];
    fill(r, 7);
    read_files(r, before);
    assert_non_null(before[1].bytes);
    assert_non_null(before[FIRST].bytes);
    rebuild_all(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), SERIES + FIRST);
    read_files(r, after);
    compare(before, after);
    forget(before);
}

static void a_group_with_more_points_than_memory_is_halved_and_one_alone_is_read_month_by_month(void **state)
{
    struct rig *r = *state;
    struct file before[SERIES + FIRST], after[SERIES + FIRST];
    static const size_t most[] = {1, 20, 150, 100000};
    fill(r, 8);
    read_files(r, before);
    for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
        r->writer->points_max = most[i];
        r->writer->group = 0;
        rebuild_all(r);
        read_files(r, after);
        compare(before, after);
    }
    assert_int_equal(rig_counted(r, COUNTER_RRD_ERRORS), 0);
    forget(before);
}

// Files of a large rebuild are not synced one by one: until everything was, the cursor says that they are to
// be made again.
static void what_a_large_rebuild_made_is_not_believed_before_it_is_on_disk(void **state)
{
    struct rig *r = *state;
    struct file before[SERIES + FIRST], after[SERIES + FIRST];
    fill(r, 9);
    read_files(r, before);
    rebuild_all(r);
    rig_restart(r, false);
    assert_int_equal(rrd_writer_dirty(r->writer), SERIES + FIRST);
    rig_settle(r);
    fake_clock_advance_us(&r->b->clock, 31 * US_PER_S);
    rig_step(r); // synced, and the cursor stored
    rig_restart(r, false);
    assert_int_equal(rrd_writer_dirty(r->writer), 0);
    read_files(r, after);
    compare(before, after);
    forget(before);
}

static void a_file_that_cannot_be_replaced_does_not_hold_up_the_others(void **state)
{
    struct rig *r = *state;
    struct file before[SERIES + FIRST], after[SERIES + FIRST];
    char path[RRD_PATH_MAX], beside[RRD_PATH_MAX + 8];
    uint64_t count = 0;
    struct diag d = {0};
    fill(r, 10);
    read_files(r, before);
    rig_file(r, FIRST + 3, path);
    snprintf(beside, sizeof beside, "%s.new", path);
    assert_int_equal(fs_make_dirs(beside, 0750, &d), ERR_OK); // where its new file should be written
    assert_int_equal(rrd_writer_rebuild(r->writer, "", &count, &d), ERR_OK);
    rig_step(r);
    rig_step(r);
    assert_int_equal(rrd_writer_dirty(r->writer), 1);
    assert_true(rig_counted(r, COUNTER_RRD_ERRORS) > 0);
    assert_int_equal(rmdir(beside), 0);
    fake_clock_advance_us(&r->b->clock, 6 * US_PER_S);
    rig_step(r);
    assert_int_equal(rrd_writer_dirty(r->writer), 0);
    read_files(r, after);
    compare(before, after);
    forget(before);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        T(rebuilt_files_are_those_that_landing_made),
        T(a_group_with_more_points_than_memory_is_halved_and_one_alone_is_read_month_by_month),
        T(what_a_large_rebuild_made_is_not_believed_before_it_is_on_disk),
        T(a_file_that_cannot_be_replaced_does_not_hold_up_the_others),
    };
    return cmocka_run_group_tests_name("rrd_rebuild", tests, NULL, NULL);
}
