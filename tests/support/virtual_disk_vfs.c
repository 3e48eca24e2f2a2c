// What SQLite sees: each file is the unix VFS's, and on the way to it every operation is counted, may fail,
// and is remembered until it is synced. A handle belongs to a life of its machine: after a kill its
// operations fail.
#include "tests/support/virtual_disk_internal.h"
#include <stdlib.h>
#include <string.h>

struct handle { // an sqlite3_file; the real one follows
    sqlite3_file base;
    struct virtual_disk *disk;
    struct kept_file *file; // NULL: not a machine's
    uint64_t life;
    sqlite3_file real[];
};

// ---- operations
// ---------------------------------------------------------------------------------------------------------

static bool is_over(const struct handle *h)
{
    const struct machine *m = h->file ? &h->disk->machines[h->file->machine] : NULL;
    return m && (m->dead || m->life != h->life);
}

static int do_close(sqlite3_file *file)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods ? h->real->pMethods->xClose(h->real) : SQLITE_OK;
}

static int do_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xRead(h->real, out, len, offset);
}

static int write_through(struct handle *h, const void *bytes, int len, sqlite3_int64 offset)
{
    int rc = h->real->pMethods->xWrite(h->real, bytes, len, offset);
    if (rc == SQLITE_OK && h->file)
        virtual_disk_remember(h->file, offset, bytes, len);
    return rc;
}

static bool no_room_for(struct handle *h, int64_t end)
{
    const struct machine *m = &h->disk->machines[h->file->machine];
    sqlite3_int64 size = 0;
    if (!m->full || m->full_any)
        return m->full;
    return h->real->pMethods->xFileSize(h->real, &size) != SQLITE_OK || end > size;
}

static int do_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    struct handle *h = (struct handle *)file;
    if (is_over(h))
        return SQLITE_IOERR_WRITE;
    if (!h->file)
        return write_through(h, bytes, len, offset);
    switch (virtual_disk_next(h->disk, h->file->machine, false)) {
    case MISHAP_DEATH: // the kernel may have taken it or not
        if (random_below(&h->disk->random, 2) == 0)
            (void)write_through(h, bytes, len, offset);
        return SQLITE_IOERR_WRITE;
    case MISHAP_NO_SPACE:
        return SQLITE_FULL;
    case MISHAP_WRITE_ERROR:
        return SQLITE_IOERR_WRITE;
    default:
        return no_room_for(h, offset + len) ? SQLITE_FULL : write_through(h, bytes, len, offset);
    }
}

static int do_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *h = (struct handle *)file;
    if (is_over(h))
        return SQLITE_IOERR_TRUNCATE;
    if (h->file && virtual_disk_next(h->disk, h->file->machine, false) != MISHAP_NONE)
        return SQLITE_IOERR_TRUNCATE;
    int rc = h->real->pMethods->xTruncate(h->real, size);
    if (rc == SQLITE_OK && h->file)
        virtual_disk_remember(h->file, -1, NULL, size);
    return rc;
}

static int do_sync(sqlite3_file *file, int flags)
{
    struct handle *h = (struct handle *)file;
    (void)flags;
    if (is_over(h))
        return SQLITE_IOERR_FSYNC;
    return !h->file || virtual_disk_sync(h->disk, h->file) ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

// ---- the rest of what SQLite wants of a file: the real one's
// ------------------------------------------------------------

static int do_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xFileSize(h->real, size);
}

static int do_lock(sqlite3_file *file, int level)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xLock(h->real, level);
}

static int do_unlock(sqlite3_file *file, int level)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xUnlock(h->real, level);
}

static int do_check_lock(sqlite3_file *file, int *out)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xCheckReservedLock(h->real, out);
}

static int do_control(sqlite3_file *file, int op, void *arg)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xFileControl(h->real, op, arg);
}

static int do_sector_size(sqlite3_file *file)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xSectorSize(h->real);
}

static int do_characteristics(sqlite3_file *file)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xDeviceCharacteristics(h->real);
}

static int do_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xShmMap(h->real, page, size, extend, out);
}

static int do_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xShmLock(h->real, offset, n, flags);
}

static void do_shm_barrier(sqlite3_file *file)
{
    struct handle *h = (struct handle *)file;
    h->real->pMethods->xShmBarrier(h->real);
}

static int do_shm_unmap(sqlite3_file *file, int delete)
{
    struct handle *h = (struct handle *)file;
    return h->real->pMethods->xShmUnmap(h->real, is_over(h) ? 0 : delete);
}

static const sqlite3_io_methods methods = {
    // version 2: no memory-mapped reading, which would not pass here
    .iVersion = 2,
    .xClose = do_close,
    .xRead = do_read,
    .xWrite = do_write,
    .xTruncate = do_truncate,
    .xSync = do_sync,
    .xFileSize = do_file_size,
    .xLock = do_lock,
    .xUnlock = do_unlock,
    .xCheckReservedLock = do_check_lock,
    .xFileControl = do_control,
    .xSectorSize = do_sector_size,
    .xDeviceCharacteristics = do_characteristics,
    .xShmMap = do_shm_map,
    .xShmLock = do_shm_lock,
    .xShmBarrier = do_shm_barrier,
    .xShmUnmap = do_shm_unmap,
};

// ---- the VFS
// ------------------------------------------------------------------------------------------------------------

static int do_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct virtual_disk *d = vfs->pAppData;
    struct handle *h = (struct handle *)file;
    int machine = name ? virtual_disk_machine_of(d, name) : -1;
    memset(h, 0, sizeof *h + (size_t)d->real->szOsFile);
    h->disk = d;
    if (machine >= 0 && d->machines[machine].dead)
        return SQLITE_CANTOPEN;
    int rc = d->real->xOpen(d->real, name, h->real, flags, out_flags);
    if (rc != SQLITE_OK)
        return rc;
    h->base.pMethods = &methods;
    if (machine >= 0) {
        h->file = virtual_disk_know(d, name);
        h->life = d->machines[machine].life;
    }
    return SQLITE_OK;
}

static int do_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct virtual_disk *d = vfs->pAppData;
    int machine = virtual_disk_machine_of(d, name);
    if (machine >= 0 && (d->machines[machine].dead || virtual_disk_next(d, machine, false) != MISHAP_NONE))
        return SQLITE_IOERR_DELETE;
    return d->real->xDelete(d->real, name, sync);
}

static int do_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    struct virtual_disk *d = vfs->pAppData;
    return d->real->xAccess(d->real, name, flags, out);
}

static int do_full_path(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
    struct virtual_disk *d = vfs->pAppData;
    return d->real->xFullPathname(d->real, name, len, out);
}

static int do_randomness(sqlite3_vfs *vfs, int len, char *out)
{
    struct virtual_disk *d = vfs->pAppData;
    for (int i = 0; i < len; i++)
        out[i] = (char)random_next(&d->random);
    return len;
}

static int do_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us; // nobody else runs meanwhile
}

static int do_time(sqlite3_vfs *vfs, double *out)
{
    (void)vfs;
    *out = 2461100.0;
    return SQLITE_OK;
}

static int do_last_error(sqlite3_vfs *vfs, int len,
                         char *out) // NOLINT(readability-non-const-parameter): SQLite's type
{
    (void)vfs;
    (void)len;
    (void)out;
    return 0;
}

struct virtual_disk *virtual_disk_create(uint64_t seed)
{
    struct virtual_disk *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->real = sqlite3_vfs_find("unix");
    d->vfs = (sqlite3_vfs){.iVersion = 1,
                           .szOsFile = (int)sizeof(struct handle) + d->real->szOsFile,
                           .mxPathname = VIRTUAL_DISK_PATH,
                           .zName = "virtual-disk",
                           .pAppData = d,
                           .xOpen = do_open,
                           .xDelete = do_delete,
                           .xAccess = do_access,
                           .xFullPathname = do_full_path,
                           .xRandomness = do_randomness,
                           .xSleep = do_sleep,
                           .xCurrentTime = do_time,
                           .xGetLastError = do_last_error};
    if (sqlite3_vfs_register(&d->vfs, 1) != SQLITE_OK) {
        free(d);
        return NULL;
    }
    virtual_disk_restart(d, seed);
    return d;
}

void virtual_disk_destroy(struct virtual_disk *d)
{
    if (!d)
        return;
    virtual_disk_restart(d, 0);
    sqlite3_vfs_unregister(&d->vfs);
    free(d);
}
