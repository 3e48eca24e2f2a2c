// fsync and pwrite as the product calls them beside SQLite, on a virtual disk. A test program that calls this
// has them interposed.
#ifndef ESEP_TESTS_VIRTUAL_SYSTEM_H
#define ESEP_TESTS_VIRTUAL_SYSTEM_H

#include "tests/support/virtual_disk.h"

void virtual_system_use(struct virtual_disk *d); // NULL: the real ones

#endif
