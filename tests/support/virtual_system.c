// The linker leaves no other way than a disk for the whole process.
#include "tests/support/virtual_system.h"
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_BYTES 256

static struct virtual_disk *disk;

void virtual_system_use(struct virtual_disk *d)
{
    disk = d;
}

static bool find_path(int fd, char path[PATH_BYTES])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = disk ? readlink(link, path, PATH_BYTES - 1) : -1;
    if (n < 0)
        return false;
    path[n] = '\0';
    return true;
}

int fsync(int fd)
{
    char path[PATH_BYTES];
    return find_path(fd, path) ? virtual_disk_fsync(disk, path) : (int)syscall(SYS_fsync, fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    char path[PATH_BYTES];
    if (find_path(fd, path) && virtual_disk_write(disk, path, bytes, len, offset) != 0)
        return -1;
    return syscall(SYS_pwrite64, fd, bytes, len, offset);
}
