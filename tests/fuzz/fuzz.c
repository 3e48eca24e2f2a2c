// See fuzz.h. Files are written anew for each input with as few calls as possible: the run's speed is theirs.
#include "tests/fuzz/fuzz.h"
#include "tests/support/folder.h"
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

void fuzz_take(struct fuzz_input *in, void *out, size_t len)
{
    size_t part = len < in->left ? len : in->left;
    memset(out, 0, len);
    if (part > 0)
        memcpy(out, in->at, part);
    in->at += part;
    in->left -= part;
}

uint8_t fuzz_u8(struct fuzz_input *in)
{
    uint8_t v = 0;
    fuzz_take(in, &v, sizeof v);
    return v;
}

uint16_t fuzz_u16(struct fuzz_input *in)
{
    uint16_t v = 0;
    fuzz_take(in, &v, sizeof v);
    return v;
}

uint32_t fuzz_u32(struct fuzz_input *in)
{
    uint32_t v = 0;
    fuzz_take(in, &v, sizeof v);
    return v;
}

uint64_t fuzz_u64(struct fuzz_input *in)
{
    uint64_t v = 0;
    fuzz_take(in, &v, sizeof v);
    return v;
}

int64_t fuzz_number(struct fuzz_input *in, int64_t near)
{
    static const int64_t extremes[] = {
        0,          1,         -1,           INT32_MAX,        INT32_MIN,
        UINT32_MAX, INT64_MAX, INT64_MIN,    INT64_C(1) << 53, -(INT64_C(1) << 53),
        UINT16_MAX, 86400,     253402300799, -62135596800,     INT64_MAX / 1000000,
        3600};
    uint8_t how = fuzz_u8(in);
    switch (how & 3) {
    case 0:
        return (int64_t)((uint64_t)near + (uint64_t)(int8_t)fuzz_u8(in));
    case 1:
        return how >> 2;
    case 2:
        return extremes[(how >> 2) % (sizeof extremes / sizeof *extremes)];
    default:
        return (int64_t)fuzz_u64(in);
    }
}

double fuzz_real(struct fuzz_input *in)
{
    double v = 0;
    if (fuzz_u8(in) & 1)
        return (double)fuzz_number(in, 100) / 8;
    fuzz_take(in, &v, sizeof v);
    return v;
}

const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t *len)
{
    const uint8_t *at = in->at;
    if (*len > in->left)
        *len = in->left;
    in->at += *len;
    in->left -= *len;
    return at;
}

char *fuzz_string(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len + 1);
    FUZZ_CHECK(text);
    if (len > 0)
        memcpy(text, bytes, len);
    text[len] = '\0';
    return text;
}

char *fuzz_text(struct fuzz_input *in, size_t max)
{
    size_t len = max < UINT8_MAX ? fuzz_u8(in) : fuzz_u16(in);
    const uint8_t *at = fuzz_bytes(in, &len);
    return fuzz_string(at, len < max ? len : max);
}

// ---- files

static struct test_folder folder;

static void remove_folder(void)
{
    test_folder_remove(&folder);
}

const char *fuzz_folder(void)
{
    if (!folder.path[0]) {
        FUZZ_CHECK(test_folder_make(&folder) == 0);
        FUZZ_CHECK(atexit(remove_folder) == 0);
    }
    return folder.path;
}

void fuzz_path(const char *name, char out[FUZZ_PATH])
{
    int len = snprintf(out, FUZZ_PATH, "%s/%s", fuzz_folder(), name);
    FUZZ_CHECK(len > 0 && len < FUZZ_PATH);
}

void fuzz_write(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, bytes, len) == (ssize_t)len);
    FUZZ_CHECK(close(fd) == 0);
}

void fuzz_copy(const char *from, const char *to)
{
    static uint8_t bytes[4u << 20];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    FUZZ_CHECK(in >= 0);
    ssize_t len = read(in, bytes, sizeof bytes);
    FUZZ_CHECK(len >= 0 && len < (ssize_t)sizeof bytes);
    FUZZ_CHECK(close(in) == 0);
    fuzz_write(to, bytes, (size_t)len);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

void fuzz_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
