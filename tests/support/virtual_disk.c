// The files hold what the page cache holds; `platter` is what survives a power cut. Between two syncs the
// writes are kept in order, so that a cut can lose any sector of any of them: a sector then has the bytes of
// the last write to it that was kept. That is what a disk promises that honours flush and writes sectors
// whole, and no more.
//
// A handle belongs to a life of its machine. After a kill the life is over: the old handles can be closed, as
// SQLite wants to (it checkpoints then), without any effect on the files.
#include "tests/support/virtual_disk_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

void virtual_disk_remember(struct kept_file *f, int64_t offset, const void *bytes, int64_t len)
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

int virtual_disk_machine_of(const struct virtual_disk *d, const char *path)
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
struct kept_file *virtual_disk_know(struct virtual_disk *d, const char *path)
{
    struct stat st;
    struct kept_file *f = find(d, path);
    bool there = stat(path, &st) == 0;
    if (f && there && f->inode == st.st_ino)
        return f;
    if (f)
        f->path[0] = '\0'; // another file has the name now; handles of this one may still be open
    if (!there || virtual_disk_machine_of(d, path) < 0)
        return NULL;
    f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->last = &f->first;
    f->machine = virtual_disk_machine_of(d, path);
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
    if (fd < 0 || write(fd, f->platter, (size_t)f->size) != f->size)
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
    char shm[VIRTUAL_DISK_PATH + 8];
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
        if (virtual_disk_know(d, f->path) != f) // renamed or removed since: no longer this one
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

// Whether the machine's next operation comes to grief.
enum virtual_mishap virtual_disk_next(struct virtual_disk *d, int machine, bool sync)
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

bool virtual_disk_is_log(const struct kept_file *f)
{
    return ends_with(f->path, "-wal");
}

bool virtual_disk_sync(struct virtual_disk *d, struct kept_file *f)
{
    switch (virtual_disk_next(d, f->machine, true)) {
    case MISHAP_DEATH:
        return false;
    case MISHAP_SYNC_ERROR: // the pages count as clean from now on, written or not
        settle(d, f, random_below(&d->random, 9));
        return false;
    default:
        settle(d, f, 8);
        if (virtual_disk_is_log(f)) // SQLite syncs the folder of a new log itself
            f->listed = true;
        return true;
    }
}

int virtual_disk_write(struct virtual_disk *d, const char *path, const void *bytes, size_t len,
                       int64_t offset)
{
    struct kept_file *f = virtual_disk_know(d, path);
    if (!f)
        return 0;
    bool dead = d->machines[f->machine].dead;
    enum virtual_mishap what = dead ? MISHAP_DEATH : virtual_disk_next(d, f->machine, false);
    if (what == MISHAP_NONE) {
        virtual_disk_remember(f, offset, bytes, (int64_t)len);
        return 0;
    }
    errno = what == MISHAP_NO_SPACE ? ENOSPC : EIO;
    return -1;
}

int virtual_disk_fsync(struct virtual_disk *d, const char *path)
{
    int machine = virtual_disk_machine_of(d, path);
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
    struct kept_file *f = virtual_disk_know(d, path);
    if (!f || virtual_disk_sync(d, f))
        return 0;
    errno = EIO;
    return -1;
}

void virtual_disk_restart(struct virtual_disk *d, uint64_t seed)
{
    while (d->files)
        forget_file(d, d->files);
    d->machine_count = 0;
    d->random = (struct random){seed};
    sqlite3_randomness(0, NULL);
}
