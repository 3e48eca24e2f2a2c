// What the ledger's neighbours (ledger.head, keys, cursors) rely on after a power cut: bytes are synced
// before a name points at them, and the name is synced before success is reported. Each step is one plain
// system call whose failure is final: after a failed fsync the file is given up, never synced again.
//
// The new bytes go into "<path>.new", a fixed name, so that a crash leaves at most one file and the next
// replace takes it over. Two writers of one path wait for each other on its flock; the loser finds that its
// file has been renamed away (or unlinked) and starts over.
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FIRST_READ 8192

static int open_retry(const char *path, int flags, mode_t mode)
{
    int fd;
    do {
        fd = open(path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

// ---- reading
// -------------------------------------------------------------------------------------------------------

static enum err read_all(int fd, size_t max_bytes, char **data, size_t *len)
{
    size_t cap = 0;
    for (;;) {
        if (*len + 1 >= cap) {
            cap = cap ? cap * 2 : FIRST_READ;
            char *more = realloc(*data, cap);
            if (!more)
                return ERR_NOMEM;
            *data = more;
        }
        ssize_t n = read(fd, *data + *len, cap - *len - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR_IO;
        *len += (size_t)n;
        if (*len > max_bytes)
            return ERR_TOO_BIG;
        if (n == 0)
            break;
    }
    (*data)[*len] = '\0';
    return ERR_OK;
}

enum err fs_read_file(const char *path, size_t max_bytes, char **out, size_t *len, struct diag *d)
{
    char *data = NULL;
    size_t size = 0;
    int fd = open_retry(path, O_RDONLY, 0);
    if (fd < 0)
        return diag_errno(d, errno, "%s", path);
    enum err e = read_all(fd, max_bytes, &data, &size);
    if (e == ERR_IO)
        e = diag_errno(d, errno, "%s: read", path);
    else if (e == ERR_TOO_BIG)
        e = diag_fail(d, e, "%s: larger than %zu bytes, the most that is read here", path, max_bytes);
    else if (e)
        e = diag_fail(d, e, "%s: %s", path, err_text(e));
    (void)close(fd);
    if (e) {
        free(data);
        return e;
    }
    *out = data;
    if (len)
        *len = size;
    return ERR_OK;
}

// ---- replacing
// -----------------------------------------------------------------------------------------------------

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0) { // no progress and no reason: never spin
            errno = EIO;
            return -1;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

static int fsync_retry(int fd)
{
    int r;
    do {
        r = fsync(fd);
    } while (r < 0 && errno == EINTR);
    return r;
}

enum claim { CLAIM_OURS, CLAIM_AGAIN, CLAIM_FAILED };

// Whether the file just opened and locked is still what its name means, and nothing else is: one that has
// been renamed or unlinked meanwhile belongs to somebody else, and one with a second name (a create that was
// killed between link and unlink) is the finished file itself, which must not be written to.
static enum claim claim(int fd, const char *path)
{
    struct stat opened, named;
    if (fstat(fd, &opened) < 0)
        return CLAIM_FAILED;
    if (lstat(path, &named) < 0)
        return errno == ENOENT ? CLAIM_AGAIN : CLAIM_FAILED;
    if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino)
        return CLAIM_AGAIN;
    if (opened.st_nlink > 1)
        return unlink(path) < 0 ? CLAIM_FAILED : CLAIM_AGAIN;
    return CLAIM_OURS;
}

static int flock_retry(int fd, int operation)
{
    int r;
    do {
        r = flock(fd, operation);
    } while (r < 0 && errno == EINTR);
    return r;
}

// "<path>.new", empty and locked by us. A link or a device under that name is not followed.
static int open_new_file(const char *path, mode_t mode)
{
    for (;;) {
        int fd = open_retry(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode & S_IRWXU);
        if (fd < 0)
            return -1;
        enum claim c = flock_retry(fd, LOCK_EX) < 0 ? CLAIM_FAILED : claim(fd, path);
        if (c == CLAIM_OURS && ftruncate(fd, 0) == 0 && fchmod(fd, mode) == 0)
            return fd;
        int failed = errno;
        (void)close(fd);
        if (c != CLAIM_AGAIN) {
            errno = failed;
            return -1;
        }
    }
}

static enum err parent_of(const char *path, char out[PATH_MAX], struct diag *d)
{
    size_t len = strlen(path);
    if (len == 0 || len >= PATH_MAX - sizeof ".new")
        return diag_fail(d, ERR_TOO_BIG, "%.200s: a path of 1 to %d bytes is wanted", path, PATH_MAX - 6);
    const char *slash = strrchr(path, '/');
    size_t keep = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
    (void)snprintf(out, PATH_MAX, "%.*s", keep ? (int)keep : 1, keep ? path : ".");
    return ERR_OK;
}

static int rename_over(const char *from, const char *to)
{
    return rename(from, to);
}

// Unlike rename, link refuses a name that is taken.
static int link_if_absent(const char *from, const char *to)
{
    if (link(from, to) < 0)
        return -1;
    return unlink(from);
}

static enum err put_file(const char *path, const void *bytes, size_t len, mode_t mode,
                         int (*enter)(const char *from, const char *to), struct diag *d)
{
    char parent[PATH_MAX], fresh[PATH_MAX];
    enum err e = parent_of(path, parent, d);
    if (e)
        return e;
    (void)snprintf(fresh, sizeof fresh, "%.*s.new", PATH_MAX - 6, path);
    int fd = open_new_file(fresh, mode);
    if (fd < 0)
        return diag_errno(d, errno, "%s: create", fresh);
    if (write_all(fd, bytes, len) < 0)
        e = diag_errno(d, errno, "%s: write", fresh);
    else if (fsync_retry(fd) < 0)
        e = diag_errno(d, errno, "%s: sync", fresh);
    else if (enter(fresh, path) < 0)
        e = diag_errno(d, errno, "%s: put into place", path);
    if (e)
        (void)unlink(fresh); // still ours: the lock is held
    (void)close(fd);
    return e ? e : fs_sync_dir(parent, d);
}

enum err fs_replace_file(const char *path, const void *bytes, size_t len, mode_t mode, struct diag *d)
{
    return put_file(path, bytes, len, mode, rename_over, d);
}

enum err fs_create_file(const char *path, const void *bytes, size_t len, mode_t mode, struct diag *d)
{
    return put_file(path, bytes, len, mode, link_if_absent, d);
}

// ---- folders
// -------------------------------------------------------------------------------------------------------

enum err fs_sync_dir(const char *path, struct diag *d)
{
    int fd = open_retry(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return diag_errno(d, errno, "%s: open the folder", path);
    enum err e = fsync_retry(fd) < 0 ? diag_errno(d, errno, "%s: sync the folder", path) : ERR_OK;
    (void)close(fd);
    return e;
}

static enum err make_dir(const char *path, mode_t mode, struct diag *d)
{
    char parent[PATH_MAX];
    struct stat st;
    enum err e = parent_of(path, parent, d);
    if (e)
        return e;
    if (mkdir(path, mode & 0777) < 0) {
        if (errno != EEXIST)
            return diag_errno(d, errno, "%s: make the folder", path);
        if (stat(path, &st) < 0)
            return diag_errno(d, errno, "%s", path);
        return S_ISDIR(st.st_mode) ? ERR_OK : diag_fail(d, ERR_EXISTS, "%s: there, but not a folder", path);
    }
    // mkdir obeys the umask and knows no set-group bit, and readers in other processes count on both.
    if (chmod(path, mode) < 0)
        return diag_errno(d, errno, "%s: set the mode", path);
    return fs_sync_dir(parent, d);
}

enum err fs_make_dirs(const char *path, mode_t mode, struct diag *d)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof part)
        return diag_fail(d, ERR_TOO_BIG, "%.200s: a path of 1 to %d bytes is wanted", path, PATH_MAX - 1);
    for (size_t i = 1; i <= len; i++) {
        if ((path[i] != '/' && path[i] != '\0') || path[i - 1] == '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        enum err e = make_dir(part, mode, d);
        if (e)
            return e;
    }
    return ERR_OK;
}

enum err fs_sync_filesystem(const char *path, struct diag *d)
{
    int fd = open_retry(path, O_RDONLY, 0);
    if (fd < 0)
        return diag_errno(d, errno, "%s", path);
    enum err e = syncfs(fd) < 0 ? diag_errno(d, errno, "%s: sync its file system", path) : ERR_OK;
    (void)close(fd);
    return e;
}

// ---- locks
// ---------------------------------------------------------------------------------------------------------

static enum err held_by(int fd, const char *path, struct diag *d)
{
    char pid[16] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    size_t digits = n > 0 ? strspn(pid, "0123456789") : 0;
    if (digits == 0)
        return diag_fail(d, ERR_EXISTS, "%s: locked by another process", path);
    return diag_fail(d, ERR_EXISTS, "%s: locked by process %.*s, which is still running", path, (int)digits,
                     pid);
}

static enum err write_pid(int fd, const char *path, struct diag *d)
{
    char pid[16];
    int len = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) < 0 || write_all(fd, pid, (size_t)len) < 0)
        return diag_errno(d, errno, "%s: write", path);
    return ERR_OK;
}

// flock and not fcntl: it belongs to the open file, so no other close in this process can drop it, and a
// second open in the same process is refused too.
enum err fs_lock(const char *path, int *fd_out, struct diag *d)
{
    int fd = open_retry(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    if (fd < 0)
        return diag_errno(d, errno, "%s", path);
    enum err e = ERR_OK;
    if (flock_retry(fd, LOCK_EX | LOCK_NB) < 0)
        e = errno == EWOULDBLOCK ? held_by(fd, path, d) : diag_errno(d, errno, "%s: lock", path);
    else
        e = write_pid(fd, path, d);
    if (e) {
        (void)close(fd);
        return e;
    }
    *fd_out = fd;
    return ERR_OK;
}

// The file stays: unlinking it would let two processes lock two files of one name.
void fs_unlock(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

// ---- the machine
// ---------------------------------------------------------------------------------------------------

enum err fs_free_bytes(const char *path, uint64_t *out, struct diag *d)
{
    struct statvfs st;
    int r;
    do {
        r = statvfs(path, &st);
    } while (r < 0 && errno == EINTR);
    if (r < 0)
        return diag_errno(d, errno, "%s: free space", path);
    *out = (uint64_t)st.f_bavail * (uint64_t)st.f_frsize;
    return ERR_OK;
}

enum err fs_boot_id(char out[37], struct diag *d)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    char *text = NULL;
    size_t len = 0;
    enum err e = fs_read_file(path, 64, &text, &len, d);
    if (!text)
        return e;
    if (strcspn(text, "\n") == 36)
        (void)snprintf(out, 37, "%.36s", text);
    else
        e = diag_fail(d, ERR_CORRUPT, "%s: not 36 characters", path);
    free(text);
    return e;
}

enum err fs_join(char *out, size_t out_size, const char *dir, const char *name)
{
    size_t dir_len = strlen(dir), name_len = strlen(name);
    if (dir_len >= out_size || name_len >= out_size - dir_len || out_size - dir_len - name_len < 2)
        return ERR_TOO_BIG;
    memcpy(out, dir, dir_len);
    out[dir_len] = '/';
    memcpy(out + dir_len + 1, name, name_len + 1);
    return ERR_OK;
}
