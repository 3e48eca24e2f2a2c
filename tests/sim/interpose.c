// What a library would take from the system is given here instead: random bytes from the seed, and fsync,
// which the product calls itself beside SQLite, from the virtual disk. The only state of the process that is
// shared, because libsodium and the linker leave no other way.
#include <sodium.h> // before base/crypto.h, which gives one of its names another meaning

#include "tests/sim/world.h"
#include "tests/support/virtual_system.h"

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
    virtual_system_use(d);
    bytes = (struct random){seed ^ UINT64_C(0x5eed)};
    randombytes_set_implementation(&implementation);
}
