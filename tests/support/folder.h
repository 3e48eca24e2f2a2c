// A test's own folder under $TMPDIR, gone with everything in it when the test ends.
#ifndef ESEP_TESTS_FOLDER_H
#define ESEP_TESTS_FOLDER_H

#define TEST_PATH 256

struct test_folder {
    char path[128];
};

// 0, or -1 when there is none to be had: fits cmocka's setup functions.
int test_folder_make(struct test_folder *f);
int test_folder_remove(struct test_folder *f);
// "<folder>/<name>" into out; aborts when it does not fit.
void test_folder_path(const struct test_folder *f, const char *name, char out[TEST_PATH]);

#endif
