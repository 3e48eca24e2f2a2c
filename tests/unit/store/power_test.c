// A database on a disk that loses power: what was committed is there, and what was read after a start stays.
#include "store/db.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"
#include "tests/support/virtual_system.h"
#include <stdlib.h>
#include <string.h>

#define SEEDS 300

struct fixture {
    struct test_folder folder;
    struct virtual_disk *disk;
    int machine;
    char path[TEST_PATH];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    f->disk = virtual_disk_create(1);
    if (!f->disk) {
        free(f);
        return -1;
    }
    virtual_system_use(f->disk);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    virtual_system_use(NULL);
    virtual_disk_destroy(f->disk);
    free(f);
    return 0;
}

static void begin(struct fixture *f, uint64_t seed)
{
    virtual_disk_restart(f->disk, seed);
    assert_int_equal(test_folder_make(&f->folder), 0);
    f->machine = virtual_disk_add_machine(f->disk, f->folder.path);
    test_folder_path(&f->folder, "a.sqlite", f->path);
}

static enum err insert(struct db *db, int rows)
{
    struct diag d;
    enum err e = db_begin(db, &d);
    for (int i = 0; e == ERR_OK && i < rows; i++)
        e = db_exec(db, "INSERT INTO t (text) VALUES (hex(randomblob(700)))", &d);
    if (e == ERR_OK)
        e = db_commit(db, &d);
    else
        db_rollback(db);
    return e;
}

static struct db *open_db(struct fixture *f)
{
    struct db *db = NULL;
    struct diag d = {""};
    if (db_open_writer(f->path, &db, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(db_exec(db, "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, text)", &d), ERR_OK);
    return db;
}

static int64_t count(struct db *db)
{
    struct db_stmt *s = NULL;
    struct diag d;
    bool row;
    assert_int_equal(db_prepare(db, "SELECT count(*) FROM t WHERE length(text) = 1400", &s, &d), ERR_OK);
    assert_int_equal(db_step(s, &row), ERR_OK);
    int64_t n = db_int(s, 0);
    db_finalize(s);
    assert_int_equal(db_prepare(db, "PRAGMA integrity_check", &s, &d), ERR_OK);
    assert_int_equal(db_step(s, &row), ERR_OK);
    assert_string_equal(db_text(s, 0), "ok");
    db_finalize(s);
    return n;
}

static void what_was_committed_survives_a_power_cut_at_any_operation(void **state)
{
    struct fixture *f = *state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        int64_t committed = 0;
        begin(f, seed);
        struct db *db = open_db(f);
        virtual_disk_arm(f->disk, f->machine, 1 + (uint32_t)(seed % 40), MISHAP_DEATH);
        for (int i = 0; i < 8 && insert(db, 3) == ERR_OK; i++)
            committed += 3;
        virtual_disk_kill(f->disk, f->machine);
        db_close(db);
        virtual_disk_boot(f->disk, f->machine, true);
        db = open_db(f);
        int64_t found = count(db);
        db_close(db);
        assert_true(found == committed || found == committed + 3);
        assert_int_equal(test_folder_remove(&f->folder), 0);
    }
}

// The kernel calls the pages of a failed sync clean: the row is read back after a restart, acknowledged
// perhaps, and the disk never had it.
static void a_row_that_is_there_after_a_failed_sync_and_a_restart_survives_a_power_cut(void **state)
{
    struct fixture *f = *state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(f, seed);
        struct db *db = open_db(f);
        for (int i = 0; i < 3; i++)
            assert_int_equal(insert(db, 2), ERR_OK);
        virtual_disk_arm(f->disk, f->machine, 1, MISHAP_SYNC_ERROR);
        assert_int_equal(insert(db, 2), ERR_IO);
        db_close(db);
        db = open_db(f);
        int64_t found = count(db);
        virtual_disk_kill(f->disk, f->machine);
        db_close(db);
        virtual_disk_boot(f->disk, f->machine, true);
        db = open_db(f);
        assert_int_equal(count(db), found);
        db_close(db);
        assert_int_equal(test_folder_remove(&f->folder), 0);
    }
}

// The disk itself: without a sync nothing is promised.
static void without_a_sync_a_power_cut_loses_rows(void **state)
{
    struct fixture *f = *state;
    int lost = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct diag d;
        begin(f, seed);
        struct db *db = open_db(f);
        assert_int_equal(db_exec(db, "PRAGMA synchronous=OFF", &d), ERR_OK);
        assert_int_equal(insert(db, 3), ERR_OK);
        virtual_disk_kill(f->disk, f->machine);
        db_close(db);
        virtual_disk_boot(f->disk, f->machine, true);
        db = open_db(f);
        lost += count(db) != 3;
        db_close(db);
        assert_int_equal(test_folder_remove(&f->folder), 0);
    }
    assert_in_range(lost, 10, 39);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_was_committed_survives_a_power_cut_at_any_operation),
        T(a_row_that_is_there_after_a_failed_sync_and_a_restart_survives_a_power_cut),
        T(without_a_sync_a_power_cut_loses_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
