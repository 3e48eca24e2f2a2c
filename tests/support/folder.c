// Each test gets a fresh folder, so that none sees what another left and they run side by side.
#include "tests/support/folder.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int test_folder_make(struct test_folder *f)
{
    const char *base = getenv("TMPDIR");
    int len = snprintf(f->path, sizeof f->path, "%s/esep-test.XXXXXX", base && *base ? base : "/tmp");
    if (len < 0 || (size_t)len >= sizeof f->path)
        return -1;
    return mkdtemp(f->path) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

int test_folder_remove(struct test_folder *f)
{
    return nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void test_folder_path(const struct test_folder *f, const char *name, char out[TEST_PATH])
{
    int len = snprintf(out, TEST_PATH, "%s/%s", f->path, name);
    if (len < 0 || len >= TEST_PATH)
        abort();
}
