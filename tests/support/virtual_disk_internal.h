// What the two halves of the virtual disk share: virtual_disk.c knows what survives, virtual_disk_vfs.c is
// what SQLite sees.
#ifndef ESEP_TESTS_VIRTUAL_DISK_INTERNAL_H
#define ESEP_TESTS_VIRTUAL_DISK_INTERNAL_H

#include "tests/support/random.h"
#include "tests/support/virtual_disk.h"
#include <sqlite3.h>
#include <sys/types.h>

#define VIRTUAL_DISK_PATH 256

struct pending {    // since the last sync
    int64_t offset; // −1: truncated to len
    int64_t len;
    uint8_t *bytes;
    struct pending *next;
};

struct kept_file {
    char path[VIRTUAL_DISK_PATH];
    int machine;
    ino_t inode;
    bool listed; // its folder was synced: the name survives
    uint8_t *platter;
    int64_t size, room;
    struct pending *first, **last;
    struct kept_file *next;
};

struct machine {
    char folder[VIRTUAL_DISK_PATH];
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

int virtual_disk_machine_of(const struct virtual_disk *d, const char *path); // −1: none's
// The file behind a path that is there now, taken as it is when it was not known; NULL: not a machine's, or
// not there.
struct kept_file *virtual_disk_know(struct virtual_disk *d, const char *path);
// Written, but not synced. bytes NULL: truncated to len.
void virtual_disk_remember(struct kept_file *f, int64_t offset, const void *bytes, int64_t len);
// Counts the machine's next operation: what it comes to.
enum virtual_mishap virtual_disk_next(struct virtual_disk *d, int machine, bool sync);
bool virtual_disk_sync(struct virtual_disk *d, struct kept_file *f); // false: failed
bool virtual_disk_is_log(const struct kept_file *f);                 // a -wal

#endif
