// What a library would take from the system is given here instead: random bytes from the seed, and fsync,
// which the product calls itself beside SQLite, from the virtual disk. The only state of the process that is
// shared, because libsodium and the linker leave no other way.
#include <sodium.h> // before base/crypto.h, which gives one of its names another meaning

#include "tests/sim/world.h"
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct virtual_disk *disk;
static struct random bytes;

static const char *name(void)
{
    return "simulation";
}

static uint32_t next(void)
{
    return (uint32_t)random_next(&bytes);
}

static void fill(void *const out, const size_t len)
{
    uint8_t *at = out;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)random_next(&bytes);
}

void interpose_use(struct virtual_disk *d, uint64_t seed)
{
    static struct randombytes_implementation implementation = {
        .implementation_name = name, .random = next, .buf = fill};
    disk = d;
    bytes = (struct random){seed ^ UINT64_C(0x5eed)};
    randombytes_set_implementation(&implementation);
}

int fsync(int fd);
int fsync(int fd)
{
    char link[64], path[SIM_PATH];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = disk ? readlink(link, path, sizeof path - 1) : -1;
    if (n < 0)
        return (int)syscall(SYS_fsync, fd);
    path[n] = '\0';
    return virtual_disk_fsync(disk, path);
}
