// Files and cursors that were lost, damaged, restored from a copy, or left behind by a kill or a machine
// crash.
#include "base/fs.h"
#include "store/db.h"
#include "tests/support/rrd_rig.h"
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void later(struct rig *r) // the patrol's turn, and another time of change on the file
{
    fake_clock_advance_us(&r->b->clock, 2 * US_PER_S);
    rig_settle(r);
    fake_clock_advance_us(&r->b->clock, 2 * US_PER_S);
    rig_settle(r);
}

static void damage(const char *path, int how)
{
    struct stat st;
    char zeros[4096] = {0};
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    if (how == 0)
        assert_int_equal(ftruncate(fd, st.st_size / 2), 0);
    else if (how == 1)
        assert_int_equal(ftruncate(fd, 0), 0);
    else if (how == 2)
        assert_int_equal(pwrite(fd, zeros, sizeof zeros, 0), sizeof zeros);
    else // in the figures, where librrd has no check of its own
        assert_int_equal(pwrite(fd, "garbage garbage garbage", 23, st.st_size / 2), 23);
    // whatever the clock's grain: another time than the one that was left
    struct timespec times[2] = {{.tv_sec = st.st_atim.tv_sec}, {.tv_sec = st.st_mtim.tv_sec + 7}};
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static void damaged_files_are_noticed_while_nothing_is_written(void **state)
{
    struct rig *r = *state;
    char path[RRD_PATH_MAX];
    rig_fill(r);
    rig_file(r, 1, path);
    for (int how = 0; how < 4; how++) {
        damage(path, how);
        later(r);
        rig_check_filled(r);
        assert_int_equal(rig_counted(r, COUNTER_RRD_DAMAGED), how + 1);
    }
    assert_int_equal(unlink(path), 0);
    later(r);
    rig_check_filled(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_MISSING), 1);
}

static void damaged_files_are_noticed_when_they_are_written(void **state)
{
    struct rig *r = *state;
    char path[RRD_PATH_MAX];
    rig_fill(r);
    rig_file(r, 1, path);
    for (int how = 0; how < 4; how++) {
        damage(path, how);
        rig_put_one(r, 0, T0 + 100 + how * 10, 50 + how);
        rig_settle(r);
        rig_check_filled(r);
        assert_shows(r, T0 + 100 + how * 10, 50 + how);
    }
    assert_int_equal(unlink(path), 0);
    rig_put_one(r, 0, T0 + 200, 60);
    rig_settle(r);
    rig_check_filled(r);
    assert_shows(r, T0 + 200, 60);
}

static void damage_done_while_stopped_is_noticed(void **state)
{
    struct rig *r = *state;
    char path[RRD_PATH_MAX];
    rig_fill(r);
    rig_file(r, 1, path);
    rig_restart(r, true);
    later(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_DAMAGED), 0);
    assert_int_equal(rrd_writer_stop(r->writer, true, NULL), ERR_OK);
    rrd_writer_close(r->writer);
    damage(path, 3);
    assert_int_equal(rig_open_writer(r), ERR_OK);
    later(r);
    rig_check_filled(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_DAMAGED), 1);
}

struct copy {
    char path[RRD_PATH_MAX], *bytes;
    size_t len;
};

static void fill_and_copy(struct rig *r, struct copy *c)
{
    struct diag d = {0};
    rig_fill(r);
    rig_file(r, 1, c->path);
    assert_int_equal(fs_read_file(c->path, 4u << 20, &c->bytes, &c->len, &d), ERR_OK);
}

static void put_back(struct copy *c)
{
    struct diag d = {0};
    assert_int_equal(fs_replace_file(c->path, c->bytes, c->len, 0640, &d), ERR_OK);
    free(c->bytes);
}

static void an_older_copy_of_a_file_is_noticed_after_a_kill(void **state)
{
    struct rig *r = *state;
    struct copy copy;
    fill_and_copy(r, &copy);
    rig_put_one(r, 0, T0 + 100, 7);
    rig_settle(r);
    fake_clock_advance_us(&r->b->clock, 31 * US_PER_S);
    rig_step(r); // the cursor is stored
    put_back(&copy);
    rig_restart(r, false);
    later(r);
    rig_check_filled(r);
    assert_shows(r, T0 + 100, 7);
}

static void an_older_copy_is_noticed_where_files_times_say_nothing(void **state)
{
    struct rig *r = *state;
    struct copy copy;
    fill_and_copy(r, &copy);
    rig_put_one(r, 0, T0 + 60, 7);
    rig_settle(r);
    r->writer->times_lie = true;
    put_back(&copy);
    rig_put_one(r, 0, T0 + 70, 8);
    rig_settle(r);
    rig_check_filled(r);
    assert_shows(r, T0 + 60, 7);
    assert_shows(r, T0 + 70, 8);
    assert_int_equal(rig_counted(r, COUNTER_RRD_DAMAGED), 1);
}

static void asking_for_a_rebuild_makes_the_files_again(void **state)
{
    struct rig *r = *state;
    uint64_t count;
    struct diag d = {0};
    rig_fill(r);
    rig_put_one(r, 1, TODAY, 130);
    rig_settle(r);
    assert_int_equal(rrd_writer_rebuild(r->writer, "almaty-iz/acme/out_units/lifts", &count, &d), ERR_OK);
    assert_int_equal(count, 1);
    rig_settle(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 1);
    assert_int_equal(rrd_writer_rebuild(r->writer, "", &count, &d), ERR_OK);
    assert_int_equal(count, 4);
    assert_int_equal(rig_gauge(r, GAUGE_RRD_DIRTY), 4); // who asked looks at it, and not after the next step
    rig_settle(r);
    assert_int_equal(rig_gauge(r, GAUGE_RRD_DIRTY), 0);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 5);
    rig_check_filled(r);
    assert_shows_day(r, 2, TODAY, 130);
    assert_int_equal(rrd_writer_rebuild(r->writer, "no/such/thing", &count, &d), ERR_NOT_FOUND);
}

// ---- starts -------------------------------------------------------------------------------------
static void after_a_clean_stop_it_goes_on(void **state)
{
    struct rig *r = *state;
    rig_fill(r);
    rig_restart(r, true);
    rig_put_one(r, 0, T0 + 60, 7);
    rig_settle(r);
    rig_check_filled(r);
    assert_shows(r, T0 + 60, 7);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 0);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REPEATS), 0);
}

static void after_a_kill_the_files_are_ahead_of_the_cursor_and_nothing_is_lost(void **state)
{
    struct rig *r = *state;
    rig_fill(r); // lands, and the cursor is not stored
    rig_restart(r, false);
    assert_int_equal(rrd_writer_position(r->writer), 0);
    rig_put_one(r, 0, T0 + 60, 7);
    rig_settle(r);
    rig_check_filled(r);
    assert_shows(r, T0 + 60, 7);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 0);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REPEATS), 6);
}

static void after_a_kill_a_correction_in_between_still_wins(void **state)
{
    struct rig *r = *state;
    rig_put_one(r, 0, T0, 1);
    rig_put_one(r, 0, T0 + 10, 2);
    rig_settle(r);
    rig_put_one(r, 0, T0, 8); // read, and killed before the file was rebuilt
    rig_step(r);
    assert_int_equal(rrd_writer_dirty(r->writer), 1);
    rig_restart(r, false);
    rig_put_one(r, 0, T0 + 20, 3);
    rig_settle(r);
    assert_shows(r, T0, 8);
    assert_shows(r, T0 + 10, 2);
    assert_shows(r, T0 + 20, 3);
    rig_restart(
        r,
        false); // and once more, now that the file has the correction and the ledger's first row has not
    rig_settle(r);
    assert_shows(r, T0, 8);
    assert_shows(r, T0 + 10, 2);
}

static void the_file_that_was_being_written_when_killed_is_rebuilt(void **state)
{
    struct rig *r = *state;
    rig_fill(r);
    rrd_cursor_mark(r->writer->cursor, 1);
    rig_restart(r, false);
    rig_settle(r);
    rig_check_filled(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 1);
}

static void dirty_series_are_remembered_over_a_stop(void **state)
{
    struct rig *r = *state;
    rig_fill(r);
    rig_put_one(r, 0, T0, 77);
    rig_step(r); // the observer has not seen it: can't be rebuilt yet
    assert_int_equal(rrd_writer_dirty(r->writer), 1);
    rig_restart(r, true);
    assert_int_equal(rrd_writer_dirty(r->writer), 1);
    rig_settle(r);
    assert_shows(r, T0, 77);
    assert_shows(r, T0 + 50, 6);
}

static void forge_boot(struct rig *r)
{
    char path[TEST_PATH];
    struct db *db;
    struct diag d = {0};
    test_folder_path(&r->b->folder, RRD_CURSOR_FILE, path);
    assert_int_equal(db_open_writer(path, &db, &d), ERR_OK);
    assert_int_equal(db_exec(db, "UPDATE meta SET boot_id = 'another boot'", &d), ERR_OK);
    db_close(db);
}

static void after_a_machine_crash_what_was_written_since_the_cursor_is_rebuilt(void **state)
{
    struct rig *r = *state;
    char path[RRD_PATH_MAX];
    rig_put_one(r, 3, T0, 1);
    rig_fill(r);
    fake_clock_advance_us(&r->b->clock, 31 * US_PER_S);
    rig_step(r); // stored
    rig_put_one(r, 0, T0 + 60, 7);
    rig_settle(r);
    rrd_writer_close(r->writer);
    r->writer = NULL;
    forge_boot(r);
    rig_file(r, 1, path);
    damage(path, 3); // what the disk made of it
    assert_int_equal(rig_open_writer(r), ERR_OK);
    assert_int_equal(rrd_writer_dirty(r->writer), 1); // not the other series
    rig_settle(r);
    rig_check_filled(r);
    assert_shows(r, T0 + 60, 7);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 1);
}

static void after_another_boot_and_a_clean_stop_nothing_is_rebuilt(void **state)
{
    struct rig *r = *state;
    rig_fill(r);
    assert_int_equal(rrd_writer_stop(r->writer, true, NULL), ERR_OK);
    rrd_writer_close(r->writer);
    r->writer = NULL;
    forge_boot(r);
    assert_int_equal(rig_open_writer(r), ERR_OK);
    rig_settle(r);
    rig_check_filled(r);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS), 0);
}

static void without_its_cursor_everything_is_rebuilt(void **state)
{
    struct rig *r = *state;
    char path[TEST_PATH];
    rig_fill(r);
    rig_put_one(r, 1, TODAY, 130);
    rig_settle(r);
    rrd_writer_close(r->writer);
    r->writer = NULL;
    test_folder_path(&r->b->folder, RRD_CURSOR_FILE, path);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    fputs("this is not a database, whatever its name says", f);
    fclose(f);
    assert_int_equal(rig_open_writer(r), ERR_OK);
    assert_int_equal(rrd_writer_dirty(r->writer), 4);
    rig_settle(r);
    rig_check_filled(r);
    assert_shows_day(r, 2, TODAY, 130);
    assert_int_equal(rrd_writer_landed(r->writer), ledger_position(r->b->ledger));
}

static void a_cursor_of_another_ledger_is_not_believed(void **state)
{
    struct rig *r = *state;
    char path[TEST_PATH];
    struct db *db;
    struct diag d = {0};
    rig_fill(r);
    assert_int_equal(rrd_writer_stop(r->writer, true, NULL), ERR_OK);
    rrd_writer_close(r->writer);
    r->writer = NULL;
    test_folder_path(&r->b->folder, RRD_CURSOR_FILE, path);
    assert_int_equal(db_open_writer(path, &db, &d), ERR_OK);
    assert_int_equal(db_exec(db, "UPDATE meta SET chain = zeroblob(32)", &d), ERR_OK);
    db_close(db);
    assert_int_equal(rig_open_writer(r), ERR_OK);
    assert_int_equal(rrd_writer_dirty(r->writer), 4);
    rig_settle(r);
    rig_check_filled(r);
}

static void files_and_cursor_deleted_are_made_again(void **state)
{
    struct rig *r = *state;
    static const char *const cursor[] = {"rrd.sqlite", "rrd.sqlite-wal", "rrd.sqlite-shm", "rrd.writing"};
    char path[RRD_PATH_MAX];
    rig_fill(r);
    rig_put_one(r, 1, TODAY, 130);
    rig_settle(r);
    rrd_writer_close(r->writer);
    r->writer = NULL;
    for (int64_t id = 1; id <= 2; id++) { // each alone in its folder
        rig_file(r, id, path);
        assert_int_equal(unlink(path), 0);
        *strrchr(path, '/') = '\0';
        assert_int_equal(rmdir(path), 0);
    }
    for (size_t i = 0; i < sizeof cursor / sizeof *cursor; i++) {
        test_folder_path(&r->b->folder, cursor[i], path);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rig_open_writer(r), ERR_OK);
    rig_settle(r);
    rig_check_filled(r);
    assert_shows_day(r, 2, TODAY, 130);
    assert_int_equal(rig_counted(r, COUNTER_RRD_REBUILDS),
                     0); // read from the start, as if it were the first time
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        T(damaged_files_are_noticed_while_nothing_is_written),
        T(damaged_files_are_noticed_when_they_are_written),
        T(damage_done_while_stopped_is_noticed),
        T(an_older_copy_of_a_file_is_noticed_after_a_kill),
        T(an_older_copy_is_noticed_where_files_times_say_nothing),
        T(asking_for_a_rebuild_makes_the_files_again),
        T(after_a_clean_stop_it_goes_on),
        T(after_a_kill_the_files_are_ahead_of_the_cursor_and_nothing_is_lost),
        T(after_a_kill_a_correction_in_between_still_wins),
        T(the_file_that_was_being_written_when_killed_is_rebuilt),
        T(dirty_series_are_remembered_over_a_stop),
        T(after_a_machine_crash_what_was_written_since_the_cursor_is_rebuilt),
        T(after_another_boot_and_a_clean_stop_nothing_is_rebuilt),
        T(without_its_cursor_everything_is_rebuilt),
        T(a_cursor_of_another_ledger_is_not_believed),
        T(files_and_cursor_deleted_are_made_again),
    };
    return cmocka_run_group_tests_name("rrd_recover", tests, NULL, NULL);
}
