// Kept apart from db.c because nothing here needs SQLite itself. SQLite gives the -wal and -shm the mode of
// the database, so creating that with 0640 is what makes all three readable by the group.
#include "store/db_files.h"
#include "base/fs.h"
#include "store/db.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err db_file_create(const char *path, mode_t mode, struct diag *d)
{
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode);
    if (fd < 0)
        return errno == EEXIST ? ERR_OK : diag_errno(d, errno, "%s: cannot create", path);
    // The umask may have taken the group's bit.
    enum err e = fchmod(fd, mode) == 0
                     ? ERR_OK
                     : diag_errno(d, errno, "%s: cannot set mode %04o", path, (unsigned)mode);
    close(fd);
    return e;
}

enum err db_file_sync(const char *path, struct diag *d)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_OK : diag_errno(d, errno, "%s: cannot open", path);
    enum err e = fsync(fd) == 0 ? ERR_OK : diag_fail(d, ERR_IO, "%s: cannot sync: %s", path, strerror(errno));
    close(fd);
    return e;
}

static enum err write_over(int fd, const char *path, struct diag *d)
{
    char bytes[1 << 14];
    off_t at = 0;
    for (;;) {
        ssize_t n = pread(fd, bytes, sizeof bytes, at);
        if (n == 0)
            return ERR_OK;
        if (n < 0)
            return diag_fail(d, ERR_IO, "%s: cannot read: %s", path, strerror(errno));
        ssize_t written = pwrite(fd, bytes, (size_t)n, at);
        if (written < 0)
            return diag_errno(d, errno, "%s: cannot write", path);
        at += written;
    }
}

enum err db_file_write_again(const char *path, struct diag *d)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_OK : diag_errno(d, errno, "%s: cannot open", path);
    enum err e = write_over(fd, path, d);
    if (e == ERR_OK && fsync(fd) != 0)
        e = diag_fail(d, ERR_IO, "%s: cannot sync: %s", path, strerror(errno));
    close(fd);
    return e;
}

enum err db_file_sync_folder(const char *path, struct diag *d)
{
    char *copy = strdup(path);
    if (!copy)
        return ERR_NOMEM;
    char *slash = strrchr(copy, '/');
    if (slash == copy)
        slash++;
    if (slash)
        *slash = '\0';
    enum err e = fs_sync_dir(slash ? copy : ".", d);
    free(copy);
    return e;
}

enum err db_file_readable(const char *path, struct diag *d)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return diag_errno(d, errno, "%s", path);
    if (st.st_size == 0)
        return diag_fail(d, ERR_NOT_FOUND, "%s: its writer has not filled it yet", path);
    if (access(path, R_OK) != 0)
        return diag_fail(d, ERR_DENIED, "%s: not readable: this user must be in the file's group", path);
    return ERR_OK;
}

enum err db_copy_into(struct db *db, const char *path, struct diag *d)
{
    struct db_stmt *s = NULL;
    // VACUUM INTO accepts an empty file, which then has the right mode from the start.
    enum err e = db_file_create(path, 0640, d);
    if (e == ERR_OK)
        e = db_prepare(db, "VACUUM INTO ?1", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_text(s, 1, path);
    e = db_run(s);
    if (e != ERR_OK)
        e = diag_fail(d, e, "%s: cannot be copied to: %s", path, db_error(db));
    db_finalize(s);
    if (e == ERR_OK)
        e = db_file_sync(path, d);
    return e == ERR_OK ? db_file_sync_folder(path, d) : e;
}
