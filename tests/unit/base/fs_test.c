#include "base/fs.h"
#include "tests/support/folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int make_folder(void **state)
{
    static struct test_folder folder;
    *state = &folder;
    return test_folder_make(&folder);
}

static int remove_folder(void **state)
{
    return test_folder_remove(*state);
}

static void assert_holds(const char *path, const char *text)
{
    char *data = NULL;
    size_t len = 0;
    struct diag d = {""};
    assert_int_equal(fs_read_file(path, 1 << 20, &data, &len, &d), ERR_OK);
    assert_int_equal(len, strlen(text));
    assert_string_equal(data, text);
    free(data);
}

static void put(const char *path, const char *text)
{
    struct diag d = {""};
    assert_int_equal(fs_replace_file(path, text, strlen(text), 0640, &d), ERR_OK);
}

static void read_file_takes_exactly_its_maximum(void **state)
{
    char path[TEST_PATH];
    char *data = NULL;
    size_t len = 0;
    struct diag d = {""};
    test_folder_path(*state, "f", path);
    put(path, "12345");
    assert_int_equal(fs_read_file(path, 5, &data, &len, &d), ERR_OK);
    assert_int_equal(len, 5);
    free(data);
    data = NULL;
    assert_int_equal(fs_read_file(path, 4, &data, &len, &d), ERR_TOO_BIG);
    assert_null(data);
    assert_non_null(strstr(d.text, path));
}

static void read_file_of_many_blocks_comes_whole(void **state)
{
    char path[TEST_PATH];
    enum { SIZE = 1000003 };
    char *bytes = malloc(SIZE), *data = NULL;
    size_t len = 0;
    struct diag d = {""};
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 31 + i / 4096);
    test_folder_path(*state, "f", path);
    assert_int_equal(fs_replace_file(path, bytes, SIZE, 0600, &d), ERR_OK);
    assert_int_equal(fs_read_file(path, SIZE, &data, &len, &d), ERR_OK);
    assert_int_equal(len, SIZE);
    assert_memory_equal(data, bytes, SIZE);
    assert_int_equal(data[SIZE], 0);
    free(data);
    free(bytes);
}

static void read_file_that_is_absent_or_a_folder_says_so(void **state)
{
    char path[TEST_PATH];
    char *data = NULL;
    struct diag d = {""};
    test_folder_path(*state, "absent", path);
    assert_int_equal(fs_read_file(path, 10, &data, NULL, &d), ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, path));
    assert_int_equal(fs_read_file(((struct test_folder *)*state)->path, 10, &data, NULL, &d), ERR_IO);
    assert_null(data);
}

static void replace_file_leaves_only_the_new_bytes_and_the_wanted_mode(void **state)
{
    char path[TEST_PATH], fresh[TEST_PATH];
    struct diag d = {""};
    struct stat st;
    test_folder_path(*state, "f", path);
    test_folder_path(*state, "f.new", fresh);
    mode_t mask = umask(077);
    put(path, "a long first text");
    (void)umask(mask);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(fs_replace_file(path, "short", 5, 0600, &d), ERR_OK);
    assert_holds(path, "short");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(access(fresh, F_OK), -1);
    assert_int_equal(fs_replace_file(path, "", 0, 0600, &d), ERR_OK);
    assert_holds(path, "");
}

static void replace_file_takes_over_what_a_crash_left(void **state)
{
    char path[TEST_PATH], fresh[TEST_PATH];
    test_folder_path(*state, "f", path);
    test_folder_path(*state, "f.new", fresh);
    put(path, "old");
    put(fresh, "half of something that was never finished, and longer than what follows");
    put(path, "new");
    assert_holds(path, "new");
    assert_int_equal(access(fresh, F_OK), -1);
}

static void replace_file_follows_no_link_under_the_temporary_name(void **state)
{
    char path[TEST_PATH], fresh[TEST_PATH], victim[TEST_PATH];
    struct diag d = {""};
    test_folder_path(*state, "f", path);
    test_folder_path(*state, "f.new", fresh);
    test_folder_path(*state, "victim", victim);
    put(victim, "untouched");
    assert_int_equal(symlink(victim, fresh), 0);
    assert_int_not_equal(fs_replace_file(path, "x", 1, 0600, &d), ERR_OK);
    assert_holds(victim, "untouched");
}

static void replace_file_without_its_folder_fails_and_names_it(void **state)
{
    char path[TEST_PATH];
    struct diag d = {""};
    test_folder_path(*state, "absent/f", path);
    assert_int_equal(fs_replace_file(path, "x", 1, 0600, &d), ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, path));
    assert_int_equal(fs_replace_file("", "x", 1, 0600, &d), ERR_TOO_BIG);
}

static void replace_file_of_a_bare_name_works_in_the_current_folder(void **state)
{
    char here[PATH_MAX];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(((struct test_folder *)*state)->path), 0);
    put("bare", "text");
    assert_holds("bare", "text");
    assert_int_equal(chdir(here), 0);
}

enum { WRITERS = 4, ROUNDS = 50 };

static void *replace_often(void *arg)
{
    static char texts[WRITERS][5000];
    static _Atomic int next;
    char *text = texts[next++];
    memset(text, 'a' + (int)(text - texts[0]) / 5000, 4000 + 200 * (size_t)((text - texts[0]) / 5000));
    for (int i = 0; i < ROUNDS; i++)
        if (fs_replace_file(arg, text, strlen(text), 0600, NULL))
            return arg;
    return NULL;
}

static void replace_file_by_several_writers_never_mixes_them(void **state)
{
    char path[TEST_PATH];
    pthread_t threads[WRITERS];
    test_folder_path(*state, "f", path);
    put(path, "bbbb");
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, replace_often, path), 0);
    for (int i = 0; i < 500; i++) {
        char *data = NULL;
        size_t len = 0;
        assert_int_equal(fs_read_file(path, 10000, &data, &len, NULL), ERR_OK);
        assert_int_equal(strspn(data, (char[]){data[0], '\0'}), len);
        assert_true(len == 4 || len == 4000 + 200 * (size_t)(data[0] - 'a'));
        free(data);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

static void create_file_refuses_a_name_that_is_taken(void **state)
{
    char path[TEST_PATH], fresh[TEST_PATH];
    struct diag d = {""};
    test_folder_path(*state, "f", path);
    test_folder_path(*state, "f.new", fresh);
    assert_int_equal(fs_create_file(path, "first", 5, 0600, &d), ERR_OK);
    assert_int_equal(fs_create_file(path, "second", 6, 0600, &d), ERR_EXISTS);
    assert_holds(path, "first");
    assert_int_equal(access(fresh, F_OK), -1);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_nlink, 1);
}

static void make_dirs_makes_what_is_missing_with_the_mode(void **state)
{
    char path[TEST_PATH], middle[TEST_PATH], with_slashes[TEST_PATH];
    struct diag d = {""};
    struct stat st;
    test_folder_path(*state, "a/b/c", path);
    test_folder_path(*state, "a/b", middle);
    test_folder_path(*state, "x//y/", with_slashes);
    assert_int_equal(fs_make_dirs(path, 02750, &d), ERR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 02750);
    assert_int_equal(chmod(middle, 0700), 0);
    assert_int_equal(fs_make_dirs(path, 02750, &d), ERR_OK); // what is there stays as it is
    assert_int_equal(stat(middle, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(fs_make_dirs(with_slashes, 0750, &d), ERR_OK);
    assert_int_equal(access(with_slashes, F_OK), 0);
}

static void make_dirs_through_a_file_fails_and_names_it(void **state)
{
    char file[TEST_PATH], path[TEST_PATH];
    struct diag d = {""};
    test_folder_path(*state, "file", file);
    test_folder_path(*state, "file/sub", path);
    put(file, "x");
    assert_int_equal(fs_make_dirs(file, 0750, &d), ERR_EXISTS);
    assert_non_null(strstr(d.text, "not a folder"));
    assert_int_not_equal(fs_make_dirs(path, 0750, &d), ERR_OK);
    assert_int_equal(fs_make_dirs("", 0750, &d), ERR_TOO_BIG);
}

static void lock_held_twice_is_refused_with_the_holders_pid(void **state)
{
    char path[TEST_PATH], pid[32];
    struct diag d = {""};
    int first = -1, second = -1;
    test_folder_path(*state, "lock", path);
    assert_int_equal(fs_lock(path, &first, &d), ERR_OK);
    assert_int_equal(fs_lock(path, &second, &d), ERR_EXISTS);
    assert_int_equal(second, -1);
    (void)snprintf(pid, sizeof pid, "process %d,", (int)getpid());
    assert_non_null(strstr(d.text, pid));
    fs_unlock(first);
    assert_int_equal(fs_lock(path, &second, &d), ERR_OK);
    fs_unlock(second);
    fs_unlock(-1);
}

static void lock_of_a_process_that_died_is_free(void **state)
{
    char path[TEST_PATH];
    struct diag d = {""};
    int fd = -1, status = 0;
    test_folder_path(*state, "lock", path);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(fs_lock(path, &fd, NULL) == ERR_OK ? 7 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_int_equal(fs_lock(path, &fd, &d), ERR_OK);
    fs_unlock(fd);
}

static void sync_and_free_space_work_on_a_folder_and_name_what_is_absent(void **state)
{
    const struct test_folder *folder = *state;
    char absent[TEST_PATH];
    uint64_t bytes = 0;
    struct diag d = {""};
    test_folder_path(folder, "absent", absent);
    assert_int_equal(fs_sync_dir(folder->path, &d), ERR_OK);
    assert_int_equal(fs_sync_filesystem(folder->path, &d), ERR_OK);
    assert_int_equal(fs_free_bytes(folder->path, &bytes, &d), ERR_OK);
    assert_true(bytes > 0);
    assert_int_equal(fs_sync_dir(absent, &d), ERR_NOT_FOUND);
    assert_int_equal(fs_sync_filesystem(absent, &d), ERR_NOT_FOUND);
    assert_int_equal(fs_free_bytes(absent, &bytes, &d), ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, absent));
}

static void boot_id_is_36_characters_and_stays(void **state)
{
    (void)state;
    char first[37], second[37];
    struct diag d = {""};
    assert_int_equal(fs_boot_id(first, &d), ERR_OK);
    assert_int_equal(fs_boot_id(second, &d), ERR_OK);
    assert_int_equal(strlen(first), 36);
    assert_string_equal(first, second);
}

static void join_fits_exactly_or_is_refused(void **state)
{
    (void)state;
    char out[8] = "left";
    assert_int_equal(fs_join(out, sizeof out, "abc", "def"), ERR_OK);
    assert_string_equal(out, "abc/def");
    assert_int_equal(fs_join(out, sizeof out, "abc", "defg"), ERR_TOO_BIG);
    assert_int_equal(fs_join(out, sizeof out, "abcdefghijk", ""), ERR_TOO_BIG);
    assert_int_equal(fs_join(out, 0, "", ""), ERR_TOO_BIG);
    assert_string_equal(out, "abc/def");
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(read_file_takes_exactly_its_maximum),
        in_folder(read_file_of_many_blocks_comes_whole),
        in_folder(read_file_that_is_absent_or_a_folder_says_so),
        in_folder(replace_file_leaves_only_the_new_bytes_and_the_wanted_mode),
        in_folder(replace_file_takes_over_what_a_crash_left),
        in_folder(replace_file_follows_no_link_under_the_temporary_name),
        in_folder(replace_file_without_its_folder_fails_and_names_it),
        in_folder(replace_file_of_a_bare_name_works_in_the_current_folder),
        in_folder(replace_file_by_several_writers_never_mixes_them),
        in_folder(create_file_refuses_a_name_that_is_taken),
        in_folder(make_dirs_makes_what_is_missing_with_the_mode),
        in_folder(make_dirs_through_a_file_fails_and_names_it),
        in_folder(lock_held_twice_is_refused_with_the_holders_pid),
        in_folder(lock_of_a_process_that_died_is_free),
        in_folder(sync_and_free_space_work_on_a_folder_and_name_what_is_absent),
        cmocka_unit_test(boot_id_is_36_characters_and_stays),
        cmocka_unit_test(join_fits_exactly_or_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
