// A disk that fails on request, as an LD_PRELOAD library: dies before the n-th write, sync, rename, truncate
// or unlink of the files it watches, answers EIO to the n-th sync, or keeps a journal of everything not yet
// synced so that a power cut can be played afterwards (powercut.py).
//
// Why a preload and not a file system: the programs under test run unchanged, every operation of theirs has a
// number that is the same in each run of one thread of work, and nothing needs a privilege.
//
//   SHIM_WATCH=part:part     only paths holding one of these parts are watched (required)
//   SHIM_COUNT=FILE          the number of watched operations so far, 8 bytes, kept up to date (mmap)
//   SHIM_CRASH_AT=n          SIGKILL to itself in place of the n-th operation (from 1); a write is done by
//   half before SHIM_EIO_SYNC_AT=n       the n-th sync answers EIO and syncs nothing; every later one of that
//   file succeeds SHIM_STOP_AT=n           the n-th sync stops the process (SIGSTOP) before it is done: kill
//   it there SHIM_JOURNAL=DIR         what was written since the last sync, one file an inode
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum operation { OP_WRITE = 1, OP_TRUNCATE, OP_RENAME, OP_UNLINK };

struct entry { // of the journal: header, then old bytes, then new bytes (paths for a rename)
    uint32_t operation, old_len, new_len, reserved;
    int64_t offset, old_size;
};

struct shim {
    const char *watch, *journal;
    int64_t crash_at, eio_sync_at, stop_at;
    _Atomic int64_t *operations, *clock_off_us;
    _Atomic int64_t own_operations, syncs;
    pthread_mutex_t lock;
};

static struct shim shim = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t number_of(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? strtoll(text, NULL, 10) : 0;
}

// The 8 bytes of the file that the variable names, shared with whoever else maps it; NULL: none.
static _Atomic int64_t *shared_number(const char *name)
{
    const char *path = getenv(name);
    if (path == NULL)
        return NULL;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || syscall(SYS_ftruncate, fd, 8) != 0)
        return NULL;
    void *at = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    return at != MAP_FAILED ? at : NULL;
}

__attribute__((constructor)) static void shim_start(void)
{
    shim.watch = getenv("SHIM_WATCH");
    shim.journal = getenv("SHIM_JOURNAL");
    shim.crash_at = number_of("SHIM_CRASH_AT");
    shim.eio_sync_at = number_of("SHIM_EIO_SYNC_AT");
    shim.stop_at = number_of("SHIM_STOP_AT");
    shim.clock_off_us = shared_number("SHIM_CLOCK");
    shim.operations = shared_number("SHIM_COUNT");
    if (shim.operations == NULL)
        shim.operations = &shim.own_operations;
}

static bool path_watched(const char *path)
{
    if (shim.watch == NULL || path == NULL)
        return false;
    char parts[1024];
    snprintf(parts, sizeof parts, "%s", shim.watch);
    char *rest = parts;
    for (char *part = strtok_r(parts, ":", &rest); part != NULL; part = strtok_r(NULL, ":", &rest))
        if (strstr(path, part) != NULL && strstr(path, "-shm") == NULL)
            return true;
    return false;
}

static bool fd_watched(int fd, char path[PATH_MAX])
{
    if (shim.watch == NULL || fd < 0)
        return false;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, PATH_MAX - 1);
    if (len <= 0)
        return false;
    path[len] = '\0';
    return path_watched(path);
}

static bool now_is_the_crash(void)
{
    return atomic_fetch_add(shim.operations, 1) + 1 == shim.crash_at;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

// ---- the journal
// ----------------------------------------------------------------------------------------------------
static int journal_open(const struct stat *st, int flags)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%lu", shim.journal, (unsigned long)st->st_ino);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CREAT | O_WRONLY, 0600);
}

static void journal_name(const struct stat *st, const char *path)
{
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s/%lu.path", shim.journal, (unsigned long)st->st_ino);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    if (fd < 0)
        return;
    syscall(SYS_write, fd, path, strlen(path));
    syscall(SYS_close, fd);
}

static void journal_entry(int fd, const char *path, const struct entry *e, const void *old, const void *new)
{
    struct stat st;
    if (shim.journal == NULL || fstat(fd, &st) != 0)
        return;
    int out = journal_open(&st, O_APPEND);
    if (out < 0)
        return;
    journal_name(&st, path);
    size_t len = sizeof *e + e->old_len + e->new_len;
    char *bytes = malloc(len);
    if (bytes != NULL) { // one write: a kill leaves whole entries only
        memcpy(bytes, e, sizeof *e);
        if (e->old_len > 0)
            memcpy(bytes + sizeof *e, old, e->old_len);
        if (e->new_len > 0)
            memcpy(bytes + sizeof *e + e->old_len, new, e->new_len);
        syscall(SYS_write, out, bytes, len);
        free(bytes);
    }
    syscall(SYS_close, out);
}

static void journal_forget(int fd)
{
    struct stat st;
    if (shim.journal == NULL || fstat(fd, &st) != 0)
        return;
    int out = journal_open(&st, O_TRUNC);
    if (out >= 0)
        syscall(SYS_close, out);
}

static int64_t size_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (int64_t)st.st_size : 0;
}

static void journal_write(int fd, const char *path, const void *bytes, size_t len, int64_t offset)
{
    if (shim.journal == NULL)
        return;
    char *old = malloc(len + 1);
    if (old == NULL)
        return;
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd); // the descriptor itself may be write-only
    int in = (int)syscall(SYS_openat, AT_FDCWD, self, O_RDONLY, 0);
    long had = in >= 0 ? syscall(SYS_pread64, in, old, len, offset) : 0;
    if (in >= 0)
        syscall(SYS_close, in);
    struct entry e = {OP_WRITE, had > 0 ? (uint32_t)had : 0, (uint32_t)len, 0, offset, size_of(fd)};
    journal_entry(fd, path, &e, old, bytes);
    free(old);
}

static void journal_truncate(int fd, const char *path, int64_t size)
{
    int64_t before = size_of(fd);
    if (shim.journal == NULL)
        return;
    size_t lost = before > size ? (size_t)(before - size) : 0;
    char *old = malloc(lost + 1);
    if (old == NULL)
        return;
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int in = (int)syscall(SYS_openat, AT_FDCWD, self, O_RDONLY, 0);
    long had = in >= 0 && lost > 0 ? syscall(SYS_pread64, in, old, lost, size) : 0;
    if (in >= 0)
        syscall(SYS_close, in);
    struct entry e = {OP_TRUNCATE, had > 0 ? (uint32_t)had : 0, 0, 0, size, before};
    journal_entry(fd, path, &e, old, NULL);
    free(old);
}

// ---- the calls
// ------------------------------------------------------------------------------------------------------
static ssize_t write_at(int fd, const void *bytes, size_t len, int64_t offset, bool positioned)
{
    char path[PATH_MAX];
    if (!fd_watched(fd, path))
        return positioned ? syscall(SYS_pwrite64, fd, bytes, len, offset)
                          : syscall(SYS_write, fd, bytes, len);
    pthread_mutex_lock(&shim.lock);
    int64_t where = positioned ? offset : (int64_t)lseek(fd, 0, SEEK_CUR);
    bool last = now_is_the_crash();
    size_t much = last ? len / 2 : len;
    journal_write(fd, path, bytes, much, where);
    ssize_t done =
        positioned ? syscall(SYS_pwrite64, fd, bytes, much, offset) : syscall(SYS_write, fd, bytes, much);
    if (last)
        die();
    pthread_mutex_unlock(&shim.lock);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return write_at(fd, bytes, len, 0, false);
}
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    return write_at(fd, bytes, len, offset, true);
}
ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t offset)
{
    return write_at(fd, bytes, len, offset, true);
}

static int sync_with(int fd, long call)
{
    char path[PATH_MAX];
    if (!fd_watched(fd, path))
        return (int)syscall(call, fd);
    pthread_mutex_lock(&shim.lock);
    if (now_is_the_crash())
        die();
    int64_t n = atomic_fetch_add(&shim.syncs, 1) + 1;
    int result = -1;
    if (n == shim.stop_at)
        kill(getpid(), SIGSTOP);
    if (n == shim.eio_sync_at) {
        errno = EIO;
    } else {
        result = (int)syscall(call, fd);
        if (result == 0)
            journal_forget(fd);
    }
    pthread_mutex_unlock(&shim.lock);
    return result;
}

int fsync(int fd)
{
    return sync_with(fd, SYS_fsync);
}
int fdatasync(int fd)
{
    return sync_with(fd, SYS_fdatasync);
}

static int truncate_to(int fd, off_t size)
{
    char path[PATH_MAX];
    if (!fd_watched(fd, path))
        return (int)syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&shim.lock);
    if (now_is_the_crash())
        die();
    journal_truncate(fd, path, size);
    int result = (int)syscall(SYS_ftruncate, fd, size);
    pthread_mutex_unlock(&shim.lock);
    return result;
}

int ftruncate(int fd, off_t size)
{
    return truncate_to(fd, size);
}
int ftruncate64(int fd, off_t size)
{
    return truncate_to(fd, size);
}

int rename(const char *from, const char *to)
{
    if ((path_watched(from) || path_watched(to)) && now_is_the_crash())
        die();
    return (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
    if (path_watched(path) && now_is_the_crash())
        die();
    return (int)syscall(SYS_unlink, path);
}

// ---- the wall clock
// -------------------------------------------------------------------------------------------------
int clock_gettime(clockid_t id, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, id, out);
    if (result != 0 || id != CLOCK_REALTIME || shim.clock_off_us == NULL)
        return result;
    int64_t us = out->tv_sec * INT64_C(1000000) + out->tv_nsec / 1000 + atomic_load(shim.clock_off_us);
    out->tv_sec = us / 1000000;
    out->tv_nsec = us % 1000000 * 1000 + out->tv_nsec % 1000;
    return 0;
}
