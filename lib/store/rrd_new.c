// A new file is written beside and renamed: a reader finds none or a whole one. It is written page by page:
// what a kernel takes in one large piece it keeps as large pieces, and each later visit, which changes some
// bytes in each of a few pages, then pays for all of a piece (tried on ext4 of Linux 6.18: 46 µs a visit of a
// hundred values instead of 17).
#include "store/rrd_new.h"
#include "base/fs.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_S       86400
#define FIRST_START (10 * 365 * DAY_S) // librrd takes no earlier first update than 1980
#define FILE_MODE   0640
#define FOLDER_MODE 02750
#define PAGE        4096

enum err rrd_new_header(const struct ledger_series *s, int64_t start, struct rrd_header *out, struct diag *d)
{
    struct rrd_layout l;
    enum err e = rrd_layout_of(s, &l, d);
    if (e != ERR_OK)
        return e;
    if (start < FIRST_START || start % l.step_s != 0)
        return diag_fail(d, ERR_INVALID,
                         "%s: a round-robin file cannot start at %" PRId64 " (on its step, from 1980 on)",
                         s->name, start);
    rrd_header_make(&l, start, (uint64_t)s->series_id, out);
    return ERR_OK;
}

uint64_t rrd_file_bytes(const struct ledger_series *s)
{
    struct rrd_header h;
    struct rrd_layout l;
    if (rrd_layout_of(s, &l, NULL) != ERR_OK)
        return 0;
    rrd_header_make(&l, FIRST_START, 0, &h);
    return (uint64_t)rrd_header_file_bytes(&h);
}

enum err rrd_new_folder(const char *path, struct diag *d)
{
    char folder[RRD_PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return ERR_OK;
    if ((size_t)(slash - path) >= sizeof folder)
        return diag_fail(d, ERR_TOO_BIG, "%s: path too long", path);
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    return access(folder, F_OK) == 0 ? ERR_OK : fs_make_dirs(folder, FOLDER_MODE & 0777, d);
}

static enum err open_new(const char *path, int *fd, struct diag *d)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (*fd < 0)
        return diag_errno(d, errno, "%s: cannot create", path);
    if (fchmod(*fd, FILE_MODE) == 0) // whatever the mask
        return ERR_OK;
    enum err e = diag_errno(d, errno, "%s: cannot set mode 0640", path);
    close(*fd);
    return e;
}

// Either all bytes, or a first page of them and then the second page again and again.
static bool write_all(int fd, const unsigned char *bytes, size_t count, bool again)
{
    for (size_t done = 0; done < count; done += PAGE) {
        size_t n = count - done < PAGE ? count - done : PAGE;
        size_t from = again && done > 0 ? PAGE : done;
        errno = 0;
        if (write(fd, bytes + from, n) != (ssize_t)n)
            return false;
    }
    return true;
}

static enum err write_file(const char *path, const unsigned char *bytes, size_t count, bool again, bool sync,
                           struct diag *d)
{
    int fd = -1;
    enum err e = open_new(path, &fd, d);
    if (e != ERR_OK)
        return e;
    if (!write_all(fd, bytes, count, again))
        e = diag_errno(d, errno ? errno : ENOSPC, "%s: cannot create", path);
    else if (sync && fsync(fd) != 0)
        e = diag_fail(d, ERR_IO, "%s: cannot sync: %s", path, strerror(errno));
    if (close(fd) != 0 && e == ERR_OK)
        e = diag_errno(d, errno, "%s: cannot close", path);
    if (e != ERR_OK)
        (void)unlink(path);
    return e;
}

enum err rrd_new_write(const char *path, const void *bytes, size_t count, struct diag *d)
{
    return write_file(path, bytes, count, false, false, d);
}

static enum err write_empty(const char *path, const struct rrd_header *h, bool sync, struct diag *d)
{
    const rrd_value_t unknown = rrd_set_to_DNAN();
    unsigned char pages[2 * PAGE];
    static_assert(RRD_HEADER_BYTES <= PAGE, "the header fits into the first page");
    rrd_header_pack(h, pages);
    for (size_t at = (size_t)h->values_at; at < sizeof pages; at += sizeof unknown)
        memcpy(pages + at, &unknown, sizeof unknown);
    return write_file(path, pages, (size_t)rrd_header_file_bytes(h), true, sync, d);
}

static enum err sync_folder(const char *path, struct diag *d)
{
    char folder[RRD_PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    return fs_sync_dir(folder, d);
}

enum err rrd_file_create(const char *path, const struct ledger_series *s, int64_t start, bool sync,
                         struct diag *d)
{
    struct rrd_header h;
    char beside[RRD_PATH_MAX + 8];
    enum err e = rrd_new_header(s, start, &h, d);
    if (e != ERR_OK)
        return e;
    if (snprintf(beside, sizeof beside, "%s.made", path) >= (int)sizeof beside)
        return diag_fail(d, ERR_TOO_BIG, "%s: path too long", path);
    if ((e = rrd_new_folder(path, d)) != ERR_OK || (e = write_empty(beside, &h, sync, d)) != ERR_OK)
        return e;
    if (rename(beside, path) != 0) {
        e = diag_errno(d, errno, "%s: cannot create", path);
        (void)unlink(beside);
        return e;
    }
    return sync ? sync_folder(path, d) : ERR_OK;
}
