// The files hold what the page cache holds; `platter` is what survives a power cut. Between two syncs the
// writes are kept in order, so that a cut can lose any sector of any of them: a sector then has the bytes of
// the last write to it that was kept. That is what a disk promises that honours flush and writes sectors
// whole, and no more.
//
// A handle belongs to a life of its machine. After a kill the life is over: the old handles can be closed, as
// SQLite wants to (it checkpoints then), without any effect on the files.
#include "tests/support/virtual_disk.h"
#include "tests/support/random.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 256

struct pending {    // since the last sync
    int64_t offset; // −1: truncated to len
    int64_t len;
    uint8_t *bytes;
    struct pending *next;
};

struct kept_file {
    char path[PATH_BYTES];
    int machine;
    ino_t inode;
    bool listed; // its folder was synced: the name survives
    uint8_t *platter;
    int64_t size, room;
    struct pending *first, **last;
    struct kept_file *next;
};

struct machine {
    char folder[PATH_BYTES];
    bool dead, full, full_any;
    uint64_t life, operations;
    uint32_t countdown; // 0: not armed
    enum virtual_mishap mishap;
};

struct virtual_disk {
    sqlite3_vfs vfs, *real;
    struct random random;
    struct machine machines[VIRTUAL_DISK_MACHINES];
    int machine_count;
    struct kept_file *files;
};

struct handle { // an sqlite3_file; the real one follows
    sqlite3_file base;
    struct virtual_disk *disk;
    struct kept_file *file; // NULL: not a machine's
    uint64_t life;
    sqlite3_file real[];
};

// ---- what the platter holds
// -------------------------------------------------------------------------------------------

static void grow(struct kept_file *f, int64_t size)
{
    if (size > f->room) {
        int64_t room = f->room ? f->room : 16384;
        while (room < size)
            room *= 2;
        f->platter = realloc(f->platter, (size_t)room);
        if (!f->platter)
            abort();
        f->room = room;
    }
    if (size > f->size)
        memset(f->platter + f->size, 0, (size_t)(size - f->size));
    f->size = size > f->size ? size : f->size;
}

static void write_platter(struct kept_file *f, int64_t offset, const uint8_t *bytes, int64_t len)
{
    grow(f, offset + len);
    memcpy(f->platter + offset, bytes, (size_t)len);
}

static void remember(struct kept_file *f, int64_t offset, const void *bytes, int64_t len)
{
    struct pending *p = malloc(sizeof *p + (bytes ? (size_t)len : 0));
    if (!p)
        abort();
    *p = (struct pending){.offset = offset, .len = len, .bytes = bytes ? (uint8_t *)(p + 1) : NULL};
    if (bytes)
        memcpy(p->bytes, bytes, (size_t)len);
    *f->last = p;
    f->last = &p->next;
}

// Each sector of each write by chance: what a disk may have done of its own accord, or a failed sync in part.
static void write_some(struct virtual_disk *d, struct kept_file *f, const struct pending *p,
                       uint64_t keep_of_8)
{
    int64_t at = p->offset, end = p->offset + p->len;
    if (p->offset < 0) {
        if (random_below(&d->random, 8) < keep_of_8 && p->len < f->size)
            f->size = p->len;
        return;
    }
    while (at < end) {
        int64_t next = (at / VIRTUAL_DISK_SECTOR + 1) * VIRTUAL_DISK_SECTOR;
        next = next < end ? next : end;
        if (random_below(&d->random, 8) < keep_of_8)
            write_platter(f, at, p->bytes + (at - p->offset), next - at);
        at = next;
    }
}

static void write_all(struct kept_file *f, const struct pending *p)
{
    if (p->offset >= 0)
        write_platter(f, p->offset, p->bytes, p->len);
    else if (p->len < f->size)
        f->size = p->len;
    else
        grow(f, p->len);
}

// 0: none of it, 8: all, else about so many eighths of the sectors.
static void settle(struct virtual_disk *d, struct kept_file *f, uint64_t keep_of_8)
{
    struct pending *next;
    for (struct pending *p = f->first; p; p = next) {
        next = p->next;
        if (keep_of_8 == 8)
            write_all(f, p);
        else if (keep_of_8 > 0)
            write_some(d, f, p, keep_of_8);
        free(p);
    }
    f->first = NULL;
    f->last = &f->first;
}

// ---- machines and files
// -----------------------------------------------------------------------------------------------

static int machine_of(const struct virtual_disk *d, const char *path)
{
    for (int i = 0; i < d->machine_count; i++) {
        size_t len = strlen(d->machines[i].folder);
        if (strncmp(path, d->machines[i].folder, len) == 0 && (path[len] == '/' || path[len] == '\0'))
            return i;
    }
    return -1;
}

static struct kept_file *find(struct virtual_disk *d, const char *path)
{
    struct kept_file *f = d->files;
    while (f && strcmp(f->path, path) != 0)
        f = f->next;
    return f;
}

static void free_file(struct kept_file *f)
{
    struct pending *next;
    for (struct pending *p = f->first; p; p = next) {
        next = p->next;
        free(p);
    }
    free(f->platter);
    free(f);
}

static void forget_file(struct virtual_disk *d, struct kept_file *gone)
{
    struct kept_file **at = &d->files;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    free_file(gone);
}

static void read_whole(struct kept_file *f)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        abort();
    f->inode = st.st_ino;
    grow(f, st.st_size);
    if (pread(fd, f->platter, (size_t)st.st_size, 0) != st.st_size)
        abort();
    close(fd);
}

// The file behind a path that is there now; taken as it is when it was not known.
static struct kept_file *know(struct virtual_disk *d, const char *path)
{
    struct stat st;
    struct kept_file *f = find(d, path);
    bool there = stat(path, &st) == 0;
    if (f && there && f->inode == st.st_ino)
        return f;
    if (f)
        f->path[0] = '\0'; // another file has the name now; handles of this one may still be open
    if (!there || machine_of(d, path) < 0)
        return NULL;
    f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->last = &f->first;
    f->machine = machine_of(d, path);
    f->listed = st.st_size > 0; // an empty one has just been made
    snprintf(f->path, sizeof f->path, "%s", path);
    read_whole(f);
    f->next = d->files;
    d->files = f;
    return f;
}

int virtual_disk_add_machine(struct virtual_disk *d, const char *folder)
{
    if (d->machine_count == VIRTUAL_DISK_MACHINES)
        abort();
    struct machine *m = &d->machines[d->machine_count];
    *m = (struct machine){.life = 1};
    snprintf(m->folder, sizeof m->folder, "%s", folder);
    return d->machine_count++;
}

void virtual_disk_arm(struct virtual_disk *d, int machine, uint32_t n, enum virtual_mishap what)
{
    d->machines[machine].countdown = what == MISHAP_NONE ? 0 : n;
    d->machines[machine].mishap = what;
}

void virtual_disk_fill(struct virtual_disk *d, int machine, bool full, bool any_write)
{
    d->machines[machine].full = full;
    d->machines[machine].full_any = full && any_write;
}

uint64_t virtual_disk_operations(const struct virtual_disk *d, int machine)
{
    return d->machines[machine].operations;
}

void virtual_disk_kill(struct virtual_disk *d, int machine)
{
    d->machines[machine].dead = true;
}

bool virtual_disk_is_dead(const struct virtual_disk *d, int machine)
{
    return d->machines[machine].dead;
}

static void put_back(const struct kept_file *f)
{
    int fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0 || pwrite(fd, f->platter, (size_t)f->size, 0) != f->size)
        abort();
    close(fd);
}

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static void cut_power(struct virtual_disk *d, int machine)
{
    char shm[PATH_BYTES + 8];
    struct kept_file *next;
    uint64_t keep = random_below(&d->random, 9); // all of it, nothing, or something between
    for (struct kept_file *f = d->files; f; f = next) {
        next = f->next;
        if (f->machine != machine)
            continue;
        if (!ends_with(f->path, "-wal")) {
            snprintf(shm, sizeof shm, "%s-shm", f->path);
            (void)unlink(shm);
        }
        if (know(d, f->path) != f) // renamed or removed since: no longer this one
            continue;
        settle(d, f, keep);
        if (!f->listed && random_below(&d->random, 2) == 0) {
            (void)unlink(f->path);
            forget_file(d, f);
        } else {
            put_back(f);
        }
    }
}

void virtual_disk_boot(struct virtual_disk *d, int machine, bool power_cut)
{
    struct machine *m = &d->machines[machine];
    if (power_cut)
        cut_power(d, machine);
    m->dead = false;
    m->life++;
    m->countdown = 0;
}

void virtual_disk_forget(struct virtual_disk *d, int machine)
{
    struct kept_file *next;
    for (struct kept_file *f = d->files; f; f = next) {
        next = f->next;
        if (f->machine == machine)
            forget_file(d, f);
    }
}

// ---- operations
// ---------------------------------------------------------------------------------------------------------

// Whether the machine's next operation comes to grief.
static enum virtual_mishap next_mishap(struct virtual_disk *d, int machine, bool sync)
{
    struct machine *m = &d->machines[machine];
    m->operations++;
    if (m->countdown == 0 || (m->mishap == MISHAP_SYNC_ERROR && !sync) ||
        ((m->mishap == MISHAP_WRITE_ERROR || m->mishap == MISHAP_NO_SPACE) && sync))
        return MISHAP_NONE;
    if (--m->countdown > 0)
        return MISHAP_NONE;
    if (m->mishap == MISHAP_DEATH)
        m->dead = true;
    return m->mishap;
}

static bool is_over(const struct handle *h)
{
    const struct machine *m = h->file ? &h->disk->machines[h->file->machine] : NULL;
    return m && (m->dead || m->life != h->life);
}

static int sync_file(struct virtual_disk *d, struct kept_file *f)
{
    switch (next_mishap(d, f->machine, true)) {
    case MISHAP_DEATH:
        return SQLITE_IOERR_FSYNC;
    case MISHAP_SYNC_ERROR: // the pages count as clean from now on, written or not
        settle(d, f, random_below(&d->random, 9));
        return SQLITE_IOERR_FSYNC;
    default:
        settle(d, f, 8);
        if (ends_with(f->path, "-wal")) // SQLite syncs the folder of a new log itself
            f->listed = true;
        return SQLITE_OK;
    }
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
        remember(h->file, offset, bytes, len);
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
    switch (next_mishap(h->disk, h->file->machine, false)) {
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
    if (h->file && next_mishap(h->disk, h->file->machine, false) != MISHAP_NONE)
        return SQLITE_IOERR_TRUNCATE;
    int rc = h->real->pMethods->xTruncate(h->real, size);
    if (rc == SQLITE_OK && h->file)
        remember(h->file, -1, NULL, size);
    return rc;
}

static int do_sync(sqlite3_file *file, int flags)
{
    struct handle *h = (struct handle *)file;
    (void)flags;
    if (is_over(h))
        return SQLITE_IOERR_FSYNC;
    return h->file ? sync_file(h->disk, h->file) : SQLITE_OK;
}

int virtual_disk_fsync(struct virtual_disk *d, const char *path)
{
    int machine = machine_of(d, path);
    struct stat st;
    if (machine < 0)
        return 0;
    if (d->machines[machine].dead) {
        errno = EIO;
        return -1;
    }
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        for (struct kept_file *f = d->files; f; f = f->next)
            f->listed = f->listed || f->machine == machine;
        return 0;
    }
    struct kept_file *f = know(d, path);
    if (!f || sync_file(d, f) == SQLITE_OK)
        return 0;
    errno = EIO;
    return -1;
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
    int machine = name ? machine_of(d, name) : -1;
    memset(h, 0, sizeof *h + (size_t)d->real->szOsFile);
    h->disk = d;
    if (machine >= 0 && d->machines[machine].dead)
        return SQLITE_CANTOPEN;
    int rc = d->real->xOpen(d->real, name, h->real, flags, out_flags);
    if (rc != SQLITE_OK)
        return rc;
    h->base.pMethods = &methods;
    if (machine >= 0) {
        h->file = know(d, name);
        h->life = d->machines[machine].life;
    }
    return SQLITE_OK;
}

static int do_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct virtual_disk *d = vfs->pAppData;
    int machine = machine_of(d, name);
    if (machine >= 0 && (d->machines[machine].dead || next_mishap(d, machine, false) != MISHAP_NONE))
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

static int do_last_error(sqlite3_vfs *vfs, int len, char *out)
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
                           .mxPathname = PATH_BYTES,
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

void virtual_disk_restart(struct virtual_disk *d, uint64_t seed)
{
    while (d->files)
        forget_file(d, d->files);
    d->machine_count = 0;
    d->random = (struct random){seed};
    sqlite3_randomness(0, NULL);
}

void virtual_disk_destroy(struct virtual_disk *d)
{
    if (!d)
        return;
    virtual_disk_restart(d, 0);
    sqlite3_vfs_unregister(&d->vfs);
    free(d);
}
