// The one way SQLite is opened, seen from outside: modes, results, readers of another user, before and after
// the writer.
#include "base/crypto.h"
#include "base/fs.h"
#include "store/db.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct files {
    char folder[STORE_PATH];
    char path[STORE_PATH];
    struct db *db;
    struct diag diag;
};

static int setup(void **state)
{
    struct files *f = calloc(1, sizeof *f);
    store_temp_folder(f->folder);
    assert_int_equal(fs_join(f->path, sizeof f->path, f->folder, "x.sqlite"), ERR_OK);
    assert_int_equal(db_open_writer(f->path, &f->db, &f->diag), ERR_OK);
    assert_int_equal(db_exec(f->db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b)", &f->diag), ERR_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct files *f = *state;
    db_close(f->db);
    store_remove_folder(f->folder);
    free(f);
    return 0;
}

static int64_t one_int(struct db *db, const char *sql)
{
    struct db_stmt *s = NULL;
    bool row = false;
    assert_int_equal(db_prepare(db, sql, &s, NULL), ERR_OK);
    assert_int_equal(db_step(s, &row), ERR_OK);
    assert_true(row);
    int64_t v = db_int(s, 0);
    db_finalize(s);
    return v;
}

static void writer_and_reader_have_the_safe_settings(void **state)
{
    struct files *f = *state;
    struct db *reader = NULL;
    struct db_stmt *s = NULL;
    bool row = false;
    assert_int_equal(db_prepare(f->db, "PRAGMA journal_mode", &s, NULL), ERR_OK);
    assert_int_equal(db_step(s, &row), ERR_OK);
    assert_string_equal(db_text(s, 0), "wal");
    db_finalize(s);
    assert_int_equal(one_int(f->db, "PRAGMA synchronous"), 2);
    assert_int_equal(one_int(f->db, "PRAGMA trusted_schema"), 0);
    assert_int_equal(one_int(f->db, "PRAGMA cell_size_check"), 1);
    assert_int_equal(one_int(f->db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(one_int(f->db, "PRAGMA wal_autocheckpoint"), 0);
    assert_int_equal(db_open_reader(f->path, &reader, &f->diag), ERR_OK);
    assert_int_equal(one_int(reader, "PRAGMA query_only"), 1);
    assert_int_not_equal(db_exec(reader, "INSERT INTO t(b) VALUES(1)", &f->diag), ERR_OK);
    db_close(reader);
}

static void values_of_each_kind_come_back_as_they_were(void **state)
{
    struct files *f = *state;
    struct db_stmt *s = NULL;
    bool row = false;
    size_t len = 0;
    assert_int_equal(db_prepare(f->db, "SELECT ?1, ?2, ?3, ?4, ?5, ?6", &s, &f->diag), ERR_OK);
    db_bind_int(s, 1, INT64_MIN);
    db_bind_real(s, 2, 0.1);
    db_bind_text(s, 3, "ә ғ қ");
    db_bind_blob(s, 4, "a\0b", 3);
    db_bind_null(s, 5);
    db_bind_text(s, 6, NULL);
    assert_int_equal(db_step(s, &row), ERR_OK);
    assert_true(row);
    assert_true(db_is_integer(s, 0));
    assert_true(db_int(s, 0) == INT64_MIN);
    assert_true(db_real(s, 1) == 0.1);
    assert_false(db_is_integer(s, 1));
    assert_string_equal(db_text(s, 2), "ә ғ қ");
    assert_memory_equal(db_blob(s, 3, &len), "a\0b", 3);
    assert_int_equal(len, 3);
    assert_true(db_is_null(s, 4));
    assert_true(db_is_null(s, 5));
    assert_string_equal(db_text(s, 5), "");
    assert_null(db_blob(s, 5, &len));
    assert_int_equal(len, 0);
    assert_int_equal(db_step(s, &row), ERR_OK);
    assert_false(row);
    db_finalize(s);
}

static void a_bind_out_of_range_fails_the_step_once(void **state)
{
    struct files *f = *state;
    struct db_stmt *s = NULL;
    bool row = true;
    assert_int_equal(db_prepare(f->db, "SELECT ?1", &s, &f->diag), ERR_OK);
    db_bind_int(s, 2, 1);
    assert_int_equal(db_step(s, &row), ERR_INTERNAL);
    assert_false(row);
    db_bind_int(s, 1, 1);
    assert_int_equal(db_step(s, &row), ERR_OK);
    assert_true(row);
    db_finalize(s);
}

static void a_constraint_is_a_conflict_and_leaves_the_transaction_open(void **state)
{
    struct files *f = *state;
    assert_int_equal(db_begin(f->db, &f->diag), ERR_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t VALUES(1, 1)", &f->diag), ERR_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t VALUES(1, 2)", &f->diag), ERR_CONFLICT);
    assert_non_null(strstr(f->diag.text, f->path));
    assert_int_equal(db_commit(f->db, &f->diag), ERR_OK);
    assert_int_equal(one_int(f->db, "SELECT b FROM t"), 1);
}

static void a_second_begin_and_bad_sql_are_our_own_bugs(void **state)
{
    struct files *f = *state;
    struct db_stmt *s = NULL;
    assert_int_equal(db_begin(f->db, &f->diag), ERR_OK);
    assert_int_equal(db_begin(f->db, &f->diag), ERR_INTERNAL);
    db_rollback(f->db);
    db_rollback(f->db); // nothing to do
    assert_int_equal(db_prepare(f->db, "SELEKT", &s, &f->diag), ERR_INTERNAL);
    assert_null(s);
}

static void a_second_writer_waits_and_is_told_to_try_again(void **state)
{
    struct files *f = *state;
    struct db *other = NULL;
    assert_int_equal(db_open_writer(f->path, &other, &f->diag), ERR_OK);
    assert_int_equal(db_exec(other, "PRAGMA busy_timeout=1", &f->diag), ERR_OK);
    assert_int_equal(db_begin(f->db, &f->diag), ERR_OK);
    assert_int_equal(db_begin(other, &f->diag), ERR_AGAIN);
    db_rollback(f->db);
    assert_int_equal(db_begin(other, &f->diag), ERR_OK);
    db_rollback(other);
    db_close(other);
}

static void a_reader_sees_only_what_is_committed(void **state)
{
    struct files *f = *state;
    struct db *reader = NULL;
    assert_int_equal(db_open_reader(f->path, &reader, &f->diag), ERR_OK);
    assert_int_equal(db_begin(f->db, &f->diag), ERR_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO t VALUES(1, 1)", &f->diag), ERR_OK);
    assert_int_equal(one_int(reader, "SELECT count(*) FROM t"), 0);
    assert_int_equal(db_commit(f->db, &f->diag), ERR_OK);
    assert_int_equal(one_int(reader, "SELECT count(*) FROM t"), 1);
    db_close(reader);
}

static void a_reader_of_a_missing_or_empty_file_is_told_so(void **state)
{
    struct files *f = *state;
    struct db *reader = NULL;
    char path[STORE_PATH];
    assert_int_equal(fs_join(path, sizeof path, f->folder, "none.sqlite"), ERR_OK);
    assert_int_equal(db_open_reader(path, &reader, &f->diag), ERR_NOT_FOUND);
    assert_int_equal(fs_replace_file(path, "", 0, 0640, &f->diag), ERR_OK);
    assert_int_equal(db_open_reader(path, &reader, &f->diag), ERR_NOT_FOUND);
    assert_null(reader);
}

static void junk_and_truncated_files_are_corrupt(void **state)
{
    struct files *f = *state;
    struct db *db = NULL;
    char path[STORE_PATH];
    char junk[4096];
    memset(junk, 0x5a, sizeof junk);
    assert_int_equal(fs_join(path, sizeof path, f->folder, "junk.sqlite"), ERR_OK);
    assert_int_equal(fs_replace_file(path, junk, sizeof junk, 0640, &f->diag), ERR_OK);
    assert_int_equal(db_open_writer(path, &db, &f->diag), ERR_CORRUPT);
    assert_null(db);
}

static void a_folder_that_is_missing_is_said(void **state)
{
    struct files *f = *state;
    struct db *db = NULL;
    char path[STORE_PATH];
    assert_int_equal(fs_join(path, sizeof path, f->folder, "none/x.sqlite"), ERR_OK);
    assert_int_equal(db_open_writer(path, &db, &f->diag), ERR_NOT_FOUND);
    assert_non_null(strstr(f->diag.text, path));
}

static void a_failed_commit_rolls_back(void **state)
{
    struct files *f = *state;
    assert_int_equal(
        db_exec(f->db, "CREATE TABLE u(a REFERENCES t(a) DEFERRABLE INITIALLY DEFERRED)", &f->diag), ERR_OK);
    assert_int_equal(db_begin(f->db, &f->diag), ERR_OK);
    assert_int_equal(db_exec(f->db, "INSERT INTO u VALUES(5)", &f->diag), ERR_OK);
    assert_int_equal(db_commit(f->db, &f->diag), ERR_CONFLICT);
    assert_int_equal(db_begin(f->db, &f->diag), ERR_OK); // no transaction was left open
    assert_int_equal(db_commit(f->db, &f->diag), ERR_OK);
    assert_int_equal(one_int(f->db, "SELECT count(*) FROM u"), 0);
}

static void the_log_is_checkpointed_by_itself_and_stays_bounded(void **state)
{
    struct files *f = *state;
    for (int i = 0; i < 60; i++)
        assert_int_equal(db_exec(f->db, "INSERT INTO t(b) VALUES(zeroblob(1000000))", &f->diag), ERR_OK);
    assert_true(db_wal_bytes(f->db) > 40u << 20); // outside db_commit nothing is checkpointed
    for (int i = 0; i < 60; i++) {
        assert_int_equal(db_begin(f->db, &f->diag), ERR_OK);
        assert_int_equal(db_exec(f->db, "INSERT INTO t(b) VALUES(zeroblob(1000000))", &f->diag), ERR_OK);
        assert_int_equal(db_commit(f->db, &f->diag), ERR_OK);
    }
    assert_true(db_wal_bytes(f->db) < 40u << 20);
    assert_int_equal(db_checkpoint(f->db, true, &f->diag), ERR_OK);
    assert_int_equal(db_wal_bytes(f->db), 0);
}

// What a reader holds that recovers the log after a crash: SQLite's lock on checkpoints, byte 121 of the
// -shm.
static pid_t hold_checkpoint_lock(const struct files *f, int hold_ms)
{
    char path[STORE_PATH + 8];
    int ready[2];
    char byte = 0;
    snprintf(path, sizeof path, "%s-shm", f->path);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 121, .l_len = 1};
        int fd = open(path, O_RDWR);
        byte = fcntl(fd, F_SETLK, &lock) == 0;
        if (write(ready[1], &byte, 1) != 1)
            _exit(1);
        usleep((useconds_t)hold_ms * 1000);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void a_reader_that_recovers_the_log_keeps_no_writer_from_starting(void **state)
{
    struct files *f = *state;
    int status = 1;
    assert_int_equal(db_exec(f->db, "INSERT INTO t(b) VALUES(1)", &f->diag), ERR_OK);
    pid_t child = hold_checkpoint_lock(f, 100);
    assert_int_equal(db_checkpoint(f->db, true, &f->diag), ERR_OK);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(db_wal_bytes(f->db), 0);
}

// SQLite says IOERR_SHMSIZE, and no errno with it.
static void no_room_for_the_logs_index_is_a_full_disk(void **state)
{
    struct files *f = *state;
    char path[STORE_PATH + 8];
    struct rlimit before, small;
    snprintf(path, sizeof path, "%s-shm", f->path);
    db_close(f->db);
    f->db = NULL;
    assert_true(unlink(path) == 0 || errno == ENOENT);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 16384; // the index begins with 32 KiB
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum err e = db_open_writer(f->path, &f->db, &f->diag);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(e, ERR_FULL);
    assert_int_equal(db_open_writer(f->path, &f->db, &f->diag), ERR_OK);
    assert_int_equal(one_int(f->db, "SELECT count(*) FROM t"), 0);
}

static void a_copy_is_whole_and_readable(void **state)
{
    struct files *f = *state;
    struct db *copy = NULL;
    struct stat st;
    char path[STORE_PATH];
    assert_int_equal(db_exec(f->db, "INSERT INTO t VALUES(1, 'x'), (7, 'y')", &f->diag), ERR_OK);
    assert_int_equal(fs_join(path, sizeof path, f->folder, "copy.sqlite"), ERR_OK);
    assert_int_equal(db_copy_into(f->db, path, &f->diag), ERR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_not_equal(db_copy_into(f->db, path, &f->diag), ERR_OK); // never over another file
    assert_int_equal(db_open_writer(path, &copy, &f->diag), ERR_OK);
    assert_int_equal(one_int(copy, "SELECT sum(a) FROM t"), 8);
    db_close(copy);
}

// ---- syncs that fail
// ------------------------------------------------------------------------------------------------

static int fail_sync; // which sync of a file from now on; 0: none
static bool sync_failed;

static int sync_or_fail(int fd, long call)
{
    struct stat st;
    if (fail_sync > 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && --fail_sync == 0) {
        sync_failed = true;
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

// In the place of the C library's, for SQLite as for us.
int fsync(int fd)
{
    return sync_or_fail(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_or_fail(fd, SYS_fdatasync);
}

static enum err write_in_transaction(struct db *db, const char *sql, struct diag *d)
{
    enum err e = db_begin(db, d);
    if (e == ERR_OK && (e = db_exec(db, sql, d)) == ERR_OK)
        return db_commit(db, d);
    db_rollback(db);
    return e;
}

// What a collector does from its first start on; the first error.
static enum err first_steps(const char *path, struct db **db, struct diag *d)
{
    enum err e = db_open_writer(path, db, d);
    if (e == ERR_OK)
        e = write_in_transaction(*db, "CREATE TABLE t(a)", d);
    if (e == ERR_OK)
        e = write_in_transaction(*db, "INSERT INTO t VALUES(1)", d);
    if (e == ERR_OK)
        e = db_checkpoint(*db, true, d);
    if (e == ERR_OK)
        e = write_in_transaction(*db, "INSERT INTO t VALUES(2)", d);
    return e;
}

static void each_failed_sync_is_reported_and_nothing_is_begun_after_it(void **state)
{
    struct files *f = *state;
    int n = 1;
    for (sync_failed = true; sync_failed; n++) {
        struct db *db = NULL;
        char name[40];
        char path[STORE_PATH];
        snprintf(name, sizeof name, "sync-%d.sqlite", n);
        assert_int_equal(fs_join(path, sizeof path, f->folder, name), ERR_OK);
        sync_failed = false;
        fail_sync = n;
        enum err e = first_steps(path, &db, &f->diag);
        fail_sync = 0;
        if (e != (sync_failed ? ERR_IO : ERR_OK))
            fail_msg("sync %d failed and the result was %s", n, err_name(e));
        if (sync_failed && db) {
            assert_int_equal(db_begin(db, &f->diag), ERR_IO);
            assert_int_equal(db_checkpoint(db, true, &f->diag), ERR_IO);
        }
        db_close(db);
    }
    assert_true(n > 8);
}

// ---- another user
// ---------------------------------------------------------------------------------------------------

#define OTHER_USER  65534
#define OTHER_GROUP 54321

// 0: the reader saw the number of rows; else why not.
static int read_as_other(const char *path, int64_t rows)
{
    const gid_t group = OTHER_GROUP;
    if (setgroups(1, &group) != 0 || setgid(OTHER_USER) != 0 || setuid(OTHER_USER) != 0)
        return 100;
    struct db *db = NULL;
    struct db_stmt *s = NULL;
    struct diag d = {0};
    bool row = false;
    enum err e = db_open_reader(path, &db, &d);
    if (e == ERR_OK)
        e = db_begin(db, &d);
    if (e == ERR_OK)
        e = db_prepare(db, "SELECT count(*) FROM t", &s, &d);
    if (e == ERR_OK)
        e = db_step(s, &row);
    if (e == ERR_OK && db_int(s, 0) != rows)
        e = ERR_INTERNAL;
    if (e != ERR_OK)
        fprintf(stderr, "as another user: %s: %s\n", err_name(e), d.text);
    return (int)e;
}

static void expect_other_reads(const struct files *f, int64_t rows)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(read_as_other(f->path, rows));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void another_user_of_the_group_reads_during_and_after_the_writer(void **state)
{
    struct files *f = *state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(f->folder, 0, OTHER_GROUP), 0);
    assert_int_equal(chmod(f->folder, 02750), 0);
    assert_int_equal(fs_join(f->path, sizeof f->path, f->folder, "group.sqlite"), ERR_OK);
    db_close(f->db);
    f->db = NULL;
    assert_int_equal(db_open_writer(f->path, &f->db, &f->diag), ERR_OK);
    assert_int_equal(db_exec(f->db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)", &f->diag), ERR_OK);
    expect_other_reads(f, 1); // while it runs
    assert_int_equal(db_checkpoint(f->db, true, &f->diag), ERR_OK);
    expect_other_reads(f, 1); // right after the log was emptied
    assert_int_equal(db_exec(f->db, "INSERT INTO t VALUES(2)", &f->diag), ERR_OK);
    expect_other_reads(f, 2);
    db_close(f->db);
    f->db = NULL;
    expect_other_reads(f, 2); // after a clean stop
    pid_t child = fork();
    if (child == 0) { // and after a kill
        struct db *db = NULL;
        struct diag d;
        if (db_open_writer(f->path, &db, &d) != ERR_OK ||
            db_exec(db, "INSERT INTO t VALUES(3)", &d) != ERR_OK)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    expect_other_reads(f, 3);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(writer_and_reader_have_the_safe_settings),
        T(values_of_each_kind_come_back_as_they_were),
        T(a_bind_out_of_range_fails_the_step_once),
        T(a_constraint_is_a_conflict_and_leaves_the_transaction_open),
        T(a_second_begin_and_bad_sql_are_our_own_bugs),
        T(a_second_writer_waits_and_is_told_to_try_again),
        T(a_reader_sees_only_what_is_committed),
        T(a_reader_of_a_missing_or_empty_file_is_told_so),
        T(junk_and_truncated_files_are_corrupt),
        T(a_folder_that_is_missing_is_said),
        T(a_failed_commit_rolls_back),
        T(the_log_is_checkpointed_by_itself_and_stays_bounded),
        T(a_reader_that_recovers_the_log_keeps_no_writer_from_starting),
        T(no_room_for_the_logs_index_is_a_full_disk),
        T(a_copy_is_whole_and_readable),
        T(each_failed_sync_is_reported_and_nothing_is_begun_after_it),
        T(another_user_of_the_group_reads_during_and_after_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
