// A disk for SQLite that can lose power. Files are real ones (put them on tmpfs, nothing is ever synced for
// real); what a real disk would hold of each is kept beside: bytes that were written and not yet synced are
// only in the "page cache", that is in the file. Each machine is a folder. Threads: one; one disk at a time
// in a process, because SQLite is told of it as its default VFS.
#ifndef ESEP_TESTS_VIRTUAL_DISK_H
#define ESEP_TESTS_VIRTUAL_DISK_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

#define VIRTUAL_DISK_MACHINES 8
#define VIRTUAL_DISK_SECTOR   512

struct virtual_disk;

// What may happen to an operation (a write, truncation, deletion or sync) of a machine.
enum virtual_mishap {
    MISHAP_NONE,
    MISHAP_DEATH,       // the process is killed in it: nothing that its handles do afterwards has an effect
    MISHAP_NO_SPACE,    // SQLITE_FULL
    MISHAP_WRITE_ERROR, // SQLITE_IOERR_WRITE
    MISHAP_SYNC_ERROR,  // the next sync fails, and what it was to write is as lost as chance will have it
};

// Becomes SQLite's default VFS; seed decides fates. NULL when SQLite refuses.
struct virtual_disk *virtual_disk_create(uint64_t seed);
void virtual_disk_destroy(struct virtual_disk *d); // every handle must be closed
// Forgets all machines and files and begins anew with this seed; SQLite's own randomness too follows from it.
void virtual_disk_restart(struct virtual_disk *d, uint64_t seed);

int virtual_disk_add_machine(struct virtual_disk *d, const char *folder); // its number
// The n-th operation from now (1: the next) comes to that; MISHAP_NONE: none will.
void virtual_disk_arm(struct virtual_disk *d, int machine, uint32_t n, enum virtual_mishap what);
// No space for writes that make a file longer, or for any write, until it is called again with false.
void virtual_disk_fill(struct virtual_disk *d, int machine, bool full, bool any_write);
uint64_t virtual_disk_operations(const struct virtual_disk *d, int machine);

void virtual_disk_kill(struct virtual_disk *d, int machine);
bool virtual_disk_is_dead(const struct virtual_disk *d, int machine);
// After every handle of a dead machine was closed. With power_cut the files become what a disk might hold
// now: each unsynced sector is there or not.
void virtual_disk_boot(struct virtual_disk *d, int machine, bool power_cut);
// Files of the folder were put there by other means: they are taken as they are.
void virtual_disk_forget(struct virtual_disk *d, int machine);

// A write and an fsync (of a file or folder) beside SQLite, for who interposes them. 0, or −1 with errno; the
// bytes are still to be written to the file.
int virtual_disk_write(struct virtual_disk *d, const char *path, const void *bytes, size_t len,
                       int64_t offset);
int virtual_disk_fsync(struct virtual_disk *d, const char *path);

#endif
