// Files made again from the ledger, many at a time, against the files that landing made: byte by byte.
#include "base/fs.h"
#include "tests/support/random.h"
#include "tests/support/rrd_rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
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

// What is said to be unknown before anything is known shows nothing; it must not move the file's beginning.
static void unknowns_before_the_first_figure_are_in_neither(void **state)
{
    struct rig *r = *state;
    struct file before[SERIES + FIRST], after[SERIES + FIRST];
    declare(r);
    rig_put_missing(r, FIRST, T0 - 7200); // nothing else is ever said of it
    rig_put_missing(r, FIRST + 1, T0 - 7200);
    rig_settle(r);
    rig_put_one(r, FIRST + 1, T0, 1);
    rig_put_one(r, FIRST + 2, T0, 2);
    rig_put_one(r, 1, TODAY, 130);
    rig_settle(r);
    rig_put_missing(r, FIRST + 1, T0 - 3600);
    rig_put_missing(r, FIRST + 2, T0 - 3600);
    rig_put_missing(r, 1, TODAY - 31);
    rig_settle(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 0);
    read_files(r, before);
    assert_null(before[FIRST].bytes);
    assert_non_null(before[FIRST + 1].bytes);
    rebuild_all(r);
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

static void a_clock_that_is_behind_hides_nothing(void **state)
{
    struct rig *r = *state;
    struct file before[SERIES + FIRST], after[SERIES + FIRST];
    fill(r, 11);
    read_files(r, before);
    fake_clock_step_us(&r->b->clock, -10 * 86400 * US_PER_S);
    rebuild_all(r);
    read_files(r, after);
    compare(before, after);
    forget(before);
}

// ---- room
static struct fake_clock *slow_on; // each look at it takes 100 ms
static struct mono slow_mono(void *ctx)
{
    (void)ctx;
    fake_clock_advance_us(slow_on, 100 * US_PER_MS);
    return clock_mono(&slow_on->clock);
}

static struct wall slow_wall(void *ctx)
{
    (void)ctx;
    return clock_wall(&slow_on->clock);
}

static const struct clock slow = {.mono = slow_mono, .wall = slow_wall};

static void slow_down(struct rig *r)
{
    slow_on = &r->b->clock;
    r->writer->o.clock = &slow;
}

static uint64_t bytes_of_a_file(void)
{
    return rrd_file_bytes(&(struct ledger_series){.class = WIRE_MEASUREMENT, .step_s = 10});
}

static void so_many_files_at_once_as_there_is_room_for(void **state)
{
    struct rig *r = *state;
    uint64_t count;
    struct diag d = {0};
    fill(r, 12);
    slow_down(r); // one group a step
    assert_int_equal(rrd_writer_rebuild(r->writer, "", &count, &d), ERR_OK);
    r->writer->room_bytes = 3 * bytes_of_a_file();
    rig_step(r);
    assert_int_equal(rrd_writer_dirty(r->writer), count - 3);
    r->writer->room_bytes = 1; // one must do
    rig_step(r);
    assert_int_equal(rrd_writer_dirty(r->writer), count - 4);
}

static void on_a_disk_with_room_for_two_new_files_all_are_made(void **state)
{
    struct rig *r = *state;
    struct file before[SERIES + FIRST], after[SERIES + FIRST];
    char folder[600], options[40];
    struct diag d = {0};
    uint64_t count;
    snprintf(folder, sizeof folder, "%s/rrd", r->b->folder.path);
    snprintf(options, sizeof options, "size=%llu",
             (unsigned long long)bytes_of_a_file() * (SERIES + FIRST + 2));
    assert_int_equal(fs_make_dirs(folder, 0750, &d), ERR_OK);
    if (mount("esep-test", folder, "tmpfs", 0, options) != 0)
        skip(); // not root
    fill(r, 13);
    read_files(r, before);
    r->writer->room_bytes = UINT64_MAX;
    assert_int_equal(rrd_writer_rebuild(r->writer, "", &count, &d), ERR_OK);
    for (int i = 0; i < 100 && rrd_writer_dirty(r->writer) > 0; i++) {
        rig_step(r);
        fake_clock_advance_us(&r->b->clock, US_PER_S);
    }
    read_files(r, after);
    assert_int_equal(umount2(folder, MNT_DETACH), 0);
    assert_int_equal(rrd_writer_dirty(r->writer), 0);
    assert_true(rig_counted(r, COUNTER_RRD_ERRORS) > 0);
    compare(before, after);
    forget(before);
}

// ---- turns
static void series_that_are_corrected_all_the_time_do_not_keep_others_waiting(void **state)
{
    struct rig *r = *state;
    struct wire_sample s[SERIES];
    uint64_t covered[SERIES] = {0};
    int rebuilt[SERIES] = {0};
    struct rrd_series *known;
    fill(r, 14);
    slow_down(r);
    for (int turn = 0; turn < 60; turn++) {
        for (uint32_t i = 0; i < SERIES; i++)
            s[i] = bench_sample(FIRST + i, T0 - 86400, 2 + turn);
        rig_put(r, WIRE_MEASUREMENT, s, SERIES);
        rig_observe(r);
        r->writer->group = 4;
        rig_step(r);
        for (int i = 0; i < SERIES; i++) {
            assert_int_equal(rrd_table_get(r->writer->table, FIRST + i + 1, &known), ERR_OK);
            rebuilt[i] += known->covered != covered[i];
            covered[i] = known->covered;
        }
    }
    for (int i = 0; i < SERIES; i++)
        assert_in_range(rebuilt[i], 10, 20); // a quarter of the turns each
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        T(rebuilt_files_are_those_that_landing_made),
        T(unknowns_before_the_first_figure_are_in_neither),
        T(a_group_with_more_points_than_memory_is_halved_and_one_alone_is_read_month_by_month),
        T(what_a_large_rebuild_made_is_not_believed_before_it_is_on_disk),
        T(a_file_that_cannot_be_replaced_does_not_hold_up_the_others),
        T(a_clock_that_is_behind_hides_nothing),
        T(so_many_files_at_once_as_there_is_room_for),
        T(on_a_disk_with_room_for_two_new_files_all_are_made),
        T(series_that_are_corrected_all_the_time_do_not_keep_others_waiting),
    };
    return cmocka_run_group_tests_name("rrd_rebuild", tests, NULL, NULL);
}
