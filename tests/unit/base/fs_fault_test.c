// Every system call that fs.c makes on its way to a durable file fails once, is cut short once, or is the
// last thing the process does. The calls below take the place of the C library's for everything linked into
// this program.
#include "base/fs.h"
#include "tests/support/folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum action { PASS, FAIL, INTERRUPT, SHORT_WRITE, DIE };

static struct {
    bool armed;
    enum action action;
    int at;    // the call, from 1, that the action strikes
    int error; // for FAIL
    int calls; // made so far
    const char *last;
} plan;

// Whether this call is the one; a call that dies does so before it has any effect.
static bool strikes(const char *name)
{
    if (!plan.armed || ++plan.calls != plan.at)
        return false;
    plan.last = name;
    if (plan.action == DIE)
        _exit(9);
    if (plan.action == INTERRUPT)
        errno = EINTR;
    else
        errno = plan.error;
    return plan.action != PASS;
}

static bool strikes_with_error(const char *name)
{
    return strikes(name) && (plan.action == FAIL || plan.action == INTERRUPT);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (strikes("write")) {
        if (plan.action != SHORT_WRITE)
            return -1;
        len = len > 1 ? len / 2 : len;
    }
    return syscall(SYS_write, fd, bytes, len);
}

int fsync(int fd)
{
    return strikes_with_error("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t len)
{
    return strikes_with_error("ftruncate") ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int rename(const char *from, const char *to)
{
    return strikes_with_error("rename") ? -1 : (int)syscall(SYS_rename, from, to);
}

int link(const char *from, const char *to)
{
    return strikes_with_error("link") ? -1 : (int)syscall(SYS_link, from, to);
}

int unlink(const char *path)
{
    return strikes_with_error("unlink") ? -1 : (int)syscall(SYS_unlink, path);
}

static void arm(enum action action, int at, int error)
{
    plan.action = action;
    plan.at = at;
    plan.error = error;
    plan.calls = 0;
    plan.last = "nothing";
    plan.armed = true;
}

static int make_folder(void **state)
{
    static struct test_folder folder;
    *state = &folder;
    return test_folder_make(&folder);
}

static int remove_folder(void **state)
{
    plan.armed = false;
    return test_folder_remove(*state);
}

static const char old_text[] = "the old text";
static const char new_text[] = "the new text, which is a little longer";

static bool holds(const char *path, const char *text)
{
    char *data = NULL;
    bool same = fs_read_file(path, 1000, &data, NULL, NULL) == ERR_OK && strcmp(data, text) == 0;
    free(data);
    return same;
}

static enum err replace(const char *path, struct diag *d)
{
    return fs_replace_file(path, new_text, strlen(new_text), 0600, d);
}

static void put_old(const char *path)
{
    plan.armed = false;
    assert_int_equal(fs_replace_file(path, old_text, strlen(old_text), 0600, NULL), ERR_OK);
}

static int calls_of_a_replace(const char *path)
{
    put_old(path);
    arm(PASS, 0, 0);
    assert_int_equal(replace(path, NULL), ERR_OK);
    plan.armed = false;
    assert_true(plan.calls >= 5); // truncate, write, sync, rename, sync of the folder
    return plan.calls;
}

static void replace_file_reports_an_error_at_every_step_and_the_next_one_works(void **state)
{
    static const struct {
        int errnum;
        enum err e;
    } errors[] = {{EIO, ERR_IO}, {ENOSPC, ERR_FULL}, {EDQUOT, ERR_FULL}};
    char path[TEST_PATH], fresh[TEST_PATH];
    test_folder_path(*state, "f", path);
    test_folder_path(*state, "f.new", fresh);
    int calls = calls_of_a_replace(path);
    for (size_t k = 0; k < sizeof errors / sizeof errors[0]; k++) {
        for (int at = 1; at <= calls; at++) {
            struct diag d = {""};
            put_old(path);
            arm(FAIL, at, errors[k].errnum);
            enum err e = replace(path, &d);
            plan.armed = false;
            assert_int_equal(e, errors[k].e);
            assert_non_null(strstr(d.text, strerror(errors[k].errnum)));
            // only the last step, the folder's sync, comes after the new name
            assert_true(holds(path, at == calls ? new_text : old_text));
            assert_int_equal(replace(path, NULL), ERR_OK);
            assert_true(holds(path, new_text));
            assert_int_equal(access(fresh, F_OK), -1);
        }
    }
}

static void replace_file_goes_on_after_a_signal_or_a_short_write(void **state)
{
    char path[TEST_PATH];
    test_folder_path(*state, "f", path);
    int calls = calls_of_a_replace(path);
    for (int at = 1; at <= calls; at++) {
        put_old(path);
        arm(SHORT_WRITE, at, 0);
        assert_int_equal(replace(path, NULL), ERR_OK);
        plan.armed = false;
        assert_true(holds(path, new_text));
        put_old(path);
        arm(INTERRUPT, at, 0);
        enum err e = replace(path, NULL);
        plan.armed = false;
        bool restarted = strcmp(plan.last, "write") == 0 || strcmp(plan.last, "fsync") == 0;
        if (restarted) {
            assert_int_equal(e, ERR_OK);
            assert_true(holds(path, new_text));
        } else { // the others are never interrupted on Linux; whatever happens must not be silent
            assert_true(e == ERR_OK ? holds(path, new_text) : holds(path, old_text));
        }
    }
}

static void replace_file_when_killed_at_any_step_leaves_the_old_or_the_new(void **state)
{
    char path[TEST_PATH], fresh[TEST_PATH];
    test_folder_path(*state, "f", path);
    test_folder_path(*state, "f.new", fresh);
    int calls = calls_of_a_replace(path);
    for (int at = 1; at <= calls; at++) {
        int status = 0;
        put_old(path);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            arm(DIE, at, 0);
            _exit(replace(path, NULL) == ERR_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 9);
        assert_true(holds(path, old_text) || holds(path, new_text));
        assert_int_equal(replace(path, NULL), ERR_OK);
        assert_true(holds(path, new_text));
        assert_int_equal(access(fresh, F_OK), -1);
    }
}

static void create_file_reports_an_error_at_every_step(void **state)
{
    char path[TEST_PATH];
    test_folder_path(*state, "f", path);
    arm(PASS, 0, 0);
    assert_int_equal(fs_create_file(path, "x", 1, 0600, NULL), ERR_OK);
    plan.armed = false;
    int calls = plan.calls;
    for (int at = 1; at <= calls; at++) {
        assert_int_equal(unlink(path), 0);
        arm(FAIL, at, EIO);
        enum err e = fs_create_file(path, "x", 1, 0600, NULL);
        plan.armed = false;
        assert_int_equal(e, ERR_IO);
        e = fs_create_file(path, "x", 1, 0600, NULL);
        assert_true(e == ERR_OK || e == ERR_EXISTS);
        assert_true(holds(path, "x"));
    }
}

// Killed between link and unlink it leaves the finished file under two names, one of which the next call
// writes to.
static void create_file_when_killed_at_any_step_never_spoils_what_it_created(void **state)
{
    char path[TEST_PATH];
    test_folder_path(*state, "f", path);
    arm(PASS, 0, 0);
    assert_int_equal(fs_create_file(path, "first", 5, 0600, NULL), ERR_OK);
    int calls = plan.calls;
    for (int at = 1; at <= calls; at++) {
        int status = 0;
        plan.armed = false;
        (void)unlink(path);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            arm(DIE, at, 0);
            _exit(fs_create_file(path, "first", 5, 0600, NULL) == ERR_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(WEXITSTATUS(status), 9);
        bool created = access(path, F_OK) == 0;
        assert_int_equal(fs_create_file(path, "second", 6, 0600, NULL), created ? ERR_EXISTS : ERR_OK);
        assert_true(holds(path, created ? "first" : "second"));
    }
}

static void write_that_makes_no_progress_is_an_error_and_no_loop(void **state)
{
    char path[TEST_PATH];
    test_folder_path(*state, "f", path);
    put_old(path);
    arm(FAIL, 2, 0); // write returns -1 with no reason at all
    assert_int_not_equal(replace(path, NULL), ERR_OK);
    plan.armed = false;
    assert_string_equal(plan.last, "write");
    assert_true(holds(path, old_text));
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(replace_file_reports_an_error_at_every_step_and_the_next_one_works),
        in_folder(replace_file_goes_on_after_a_signal_or_a_short_write),
        in_folder(replace_file_when_killed_at_any_step_leaves_the_old_or_the_new),
        in_folder(create_file_reports_an_error_at_every_step),
        in_folder(create_file_when_killed_at_any_step_never_spoils_what_it_created),
        in_folder(write_that_makes_no_progress_is_an_error_and_no_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
