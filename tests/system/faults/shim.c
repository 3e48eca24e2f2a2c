// A disk that fails on request, as an LD_PRELOAD library: it dies before the n-th write, sync, rename,
// truncate, link, unlink or new file below the folders it watches, answers EIO to the n-th sync, or keeps a
// journal of everything not yet synced so that a power cut can be played afterwards (powercut.py).
//
// Why a preload and not a file system: the programs under test run unchanged, every operation of theirs has a
// number that is the same in each run of one thread of work, and nothing needs a privilege.
//
//   SHIM_WATCH=part:part  only paths holding one of these parts are watched (required)
//   SHIM_COUNT=FILE       the numbers of watched operations and of syncs so far, 8 bytes each (mmap)
//   SHIM_CRASH_AT=n       SIGKILL to itself in place of the n-th operation (from 1); a write is done by half
//   SHIM_CRASH_AT_SYNCFS=n  the same in place of the n-th syncfs
//   SHIM_EIO_SYNC_AT=n    the n-th sync answers EIO and syncs nothing; the pages count as clean from then on,
//                         so that every later sync of that file succeeds without writing them
//   SHIM_STOP_AT=n        the n-th sync stops the process (SIGSTOP) before it is done: kill it there
//   SHIM_JOURNAL=DIR      what was written since the last sync, a file an inode; `names`: what happened to
//                         names since their folder's last sync, with what they stood for kept by hard links
//   SHIM_SAVE=FOLDER      what is below it (round-robin files, written by mmap) is copied to JOURNAL/saved
//                         after each syncfs; its files are not in the journal
//   SHIM_CLOCK=FILE       8 bytes: by how many microseconds the wall clock is off
//   SHIM_BOOT=FILE        stands in for the kernel's boot id
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// FAILED and SYNCED say what became of the entries before them, once a sync of the file has failed.
enum operation { OP_WRITE = 1, OP_TRUNCATE, OP_FAILED, OP_SYNCED };

struct entry { // of the journal: header, then old bytes, then new bytes
    uint32_t operation, old_len, new_len, reserved;
    int64_t offset, old_size;
};

struct shim {
    const char *watch, *journal, *save, *boot;
    int64_t crash_at, crash_at_syncfs, eio_sync_at, stop_at;
    _Atomic int64_t *counts, *clock_off_us; // counts: of operations, of syncs
    _Atomic int64_t own_counts[2], kept;
    pthread_mutex_t lock;
};

static struct shim shim = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t number_of(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? strtoll(text, NULL, 10) : 0;
}

// The first 16 bytes of the file that the variable names, shared with whoever else maps it; NULL: none.
static _Atomic int64_t *shared_numbers(const char *name)
{
    const char *path = getenv(name);
    if (path == NULL)
        return NULL;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || syscall(SYS_ftruncate, fd, 16) != 0)
        return NULL;
    void *at = mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    return at != MAP_FAILED ? at : NULL;
}

__attribute__((constructor)) static void shim_start(void)
{
    shim.watch = getenv("SHIM_WATCH");
    shim.journal = getenv("SHIM_JOURNAL");
    shim.save = getenv("SHIM_SAVE");
    shim.boot = getenv("SHIM_BOOT");
    shim.crash_at_syncfs = number_of("SHIM_CRASH_AT_SYNCFS");
    shim.crash_at = number_of("SHIM_CRASH_AT");
    shim.eio_sync_at = number_of("SHIM_EIO_SYNC_AT");
    shim.stop_at = number_of("SHIM_STOP_AT");
    shim.clock_off_us = shared_numbers("SHIM_CLOCK");
    shim.counts = shared_numbers("SHIM_COUNT");
    if (shim.counts == NULL)
        shim.counts = shim.own_counts;
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
    return atomic_fetch_add(&shim.counts[0], 1) + 1 == shim.crash_at;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

// ---- the journal of bytes
// --------------------------------------------------------------------------------------------
static bool journalled(const char *path)
{
    return shim.journal != NULL && !(shim.save != NULL && strncmp(path, shim.save, strlen(shim.save)) == 0);
}

static void journal_path(char out[PATH_MAX], const struct stat *st, const char *suffix)
{
    snprintf(out, PATH_MAX, "%s/%lu%s", shim.journal, (unsigned long)st->st_ino, suffix);
}

static int journal_open(const struct stat *st, const char *suffix, int flags)
{
    char path[PATH_MAX];
    journal_path(path, st, suffix);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_WRONLY, 0600);
}

static void journal_entry(const struct stat *st, const struct entry *e, const void *old, const void *new)
{
    int out = journal_open(st, "", O_CREAT | O_APPEND);
    if (out < 0)
        return;
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

static void journal_mark(const struct stat *st, enum operation what)
{
    journal_entry(st, &(struct entry){.operation = what}, NULL, NULL);
}

// A sync has succeeded: what was pending is on disk. After one that failed the whole story is kept, since
// what that one was to write stays off the disk until it is written again.
static void journal_synced(int fd)
{
    struct stat st;
    if (shim.journal == NULL || fstat(fd, &st) != 0)
        return;
    int failed = journal_open(&st, ".failed", 0);
    int out = failed < 0 ? journal_open(&st, "", O_TRUNC) : -1;
    if (failed >= 0)
        journal_mark(&st, OP_SYNCED);
    if (failed >= 0)
        syscall(SYS_close, failed);
    if (out >= 0)
        syscall(SYS_close, out);
}

static void journal_sync_failed(int fd)
{
    struct stat st;
    if (shim.journal == NULL || fstat(fd, &st) != 0)
        return;
    journal_mark(&st, OP_FAILED);
    int out = journal_open(&st, ".failed", O_CREAT);
    if (out >= 0)
        syscall(SYS_close, out);
}

// A new file may have the inode of one that is gone.
static void journal_anew(int fd)
{
    static const char *const suffixes[] = {"", ".failed"};
    char path[PATH_MAX];
    struct stat st;
    for (int i = 0; fstat(fd, &st) == 0 && i < 2; i++) {
        journal_path(path, &st, suffixes[i]);
        syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    }
}

static void journal_write(int fd, const char *path, const void *bytes, size_t len, int64_t offset)
{
    struct stat st;
    if (!journalled(path) || fstat(fd, &st) != 0)
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
    struct entry e = {OP_WRITE, had > 0 ? (uint32_t)had : 0, (uint32_t)len, 0, offset, st.st_size};
    journal_entry(&st, &e, old, bytes);
    free(old);
}

static void journal_truncate(int fd, const char *path, int64_t size)
{
    struct stat st;
    if (!journalled(path) || fstat(fd, &st) != 0)
        return;
    size_t lost = st.st_size > size ? (size_t)(st.st_size - size) : 0;
    char *old = malloc(lost + 1);
    if (old == NULL)
        return;
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int in = (int)syscall(SYS_openat, AT_FDCWD, self, O_RDONLY, 0);
    long had = in >= 0 && lost > 0 ? syscall(SYS_pread64, in, old, lost, size) : 0;
    if (in >= 0)
        syscall(SYS_close, in);
    struct entry e = {OP_TRUNCATE, had > 0 ? (uint32_t)had : 0, 0, 0, size, st.st_size};
    journal_entry(&st, &e, old, NULL);
    free(old);
}

// ---- the journal of names: a line each, kind TAB what is kept under TAB path TAB second path
// --------------------------------------------------------------------------------------------
static void name_line(const char *kind, const char *kept, const char *path, const char *to)
{
    char line[2 * PATH_MAX + 64], log[PATH_MAX];
    if (!journalled(path))
        return;
    int len = snprintf(line, sizeof line, "%s\t%s\t%s\t%s\n", kind, kept, path, to);
    snprintf(log, sizeof log, "%s/names", shim.journal);
    int out = (int)syscall(SYS_openat, AT_FDCWD, log, O_CREAT | O_WRONLY | O_APPEND, 0600);
    if (out < 0)
        return;
    syscall(SYS_write, out, line, (size_t)len);
    syscall(SYS_close, out);
}

// What the name stands for now stays there under the name that is returned: "" when it stands for nothing.
static const char *name_keep(const char *path, char kept[64])
{
    char target[PATH_MAX];
    kept[0] = '\0';
    if (!journalled(path))
        return kept;
    snprintf(kept, 64, "kept-%d-%lld", (int)getpid(), (long long)atomic_fetch_add(&shim.kept, 1));
    snprintf(target, sizeof target, "%s/%s", shim.journal, kept);
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, target, 0) != 0)
        kept[0] = '\0';
    return kept;
}

static void save_after_syncfs(void)
{
    char to[PATH_MAX];
    char *const argv[] = {"/bin/sh",
                          "-c",
                          "rm -rf \"$1\" && cp -a \"$0\" \"$1.new\" && mv \"$1.new\" \"$1\"",
                          (char *)(uintptr_t)shim.save,
                          to,
                          NULL};
    char *const clean[] = {"PATH=/usr/bin:/bin", NULL};
    pid_t child;
    if (shim.save == NULL || shim.journal == NULL)
        return;
    snprintf(to, sizeof to, "%s/saved", shim.journal);
    if (posix_spawn(&child, "/bin/sh", NULL, NULL, argv, clean) == 0)
        waitpid(child, NULL, 0);
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
    int64_t n = atomic_fetch_add(&shim.counts[1], 1) + 1;
    int result = -1;
    if (n == shim.stop_at)
        kill(getpid(), SIGSTOP);
    struct stat st;
    bool folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    if (n == shim.eio_sync_at) {
        if (!folder)
            journal_sync_failed(fd);
        errno = EIO;
    } else {
        result = (int)syscall(call, fd);
        if (result == 0 && folder)
            name_line("sync", "", path, "");
        else if (result == 0)
            journal_synced(fd);
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

int syncfs(int fd)
{
    char path[PATH_MAX];
    bool watched = fd_watched(fd, path);
    if (watched && (now_is_the_crash() || --shim.crash_at_syncfs == 0))
        die();
    int result = (int)syscall(SYS_syncfs, fd);
    if (!watched)
        return result;
    pthread_mutex_lock(&shim.lock);
    if (result == 0)
        save_after_syncfs();
    pthread_mutex_unlock(&shim.lock);
    return result;
}

// ---- names
static void begin_of_name(void)
{
    pthread_mutex_lock(&shim.lock);
    if (now_is_the_crash())
        die();
}

static int end_of_name(int result)
{
    int kept = errno;
    pthread_mutex_unlock(&shim.lock);
    errno = kept;
    return result;
}

int rename(const char *from, const char *to)
{
    char kept[64];
    if (!path_watched(from) && !path_watched(to))
        return (int)syscall(SYS_rename, from, to);
    begin_of_name();
    name_keep(to, kept);
    int result = (int)syscall(SYS_rename, from, to);
    if (result == 0)
        name_line("rename", kept, from, to);
    return end_of_name(result);
}

int unlink(const char *path)
{
    char kept[64];
    if (!path_watched(path))
        return (int)syscall(SYS_unlink, path);
    begin_of_name();
    name_keep(path, kept);
    int result = (int)syscall(SYS_unlink, path);
    if (result == 0)
        name_line("unlink", kept, path, "");
    return end_of_name(result);
}

int link(const char *from, const char *to)
{
    if (!path_watched(to))
        return (int)syscall(SYS_link, from, to);
    begin_of_name();
    int result = (int)syscall(SYS_link, from, to);
    if (result == 0)
        name_line("create", "", to, "");
    return end_of_name(result);
}

static int open_new(const char *path, int flags, mode_t mode)
{
    begin_of_name();
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0) {
        journal_anew(fd);
        name_line("create", "", path, "");
    }
    return end_of_name(fd);
}

static int open_with(const char *path, int flags, mode_t mode)
{
    if (shim.boot != NULL && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0)
        path = shim.boot;
    bool new =
        (flags & O_CREAT) != 0 && path_watched(path) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    return new ? open_new(path, flags, mode) : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static mode_t mode_of(int flags, va_list more)
{
    return (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_with(path, flags, mode);
}
int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return open_with(path, flags | O_LARGEFILE, mode);
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
