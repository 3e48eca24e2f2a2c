// Shared by rrd*.c only: making files.
#ifndef ESEP_STORE_RRD_NEW_H
#define ESEP_STORE_RRD_NEW_H

#include "store/rrd_header.h"

// INVALID: such a series has no file, or none that starts there.
enum err rrd_new_header(const struct ledger_series *s, int64_t start, struct rrd_header *out,
                        struct diag *d) MUST_USE;
// Mode 0640; what is there is overwritten. FULL, IO.
enum err rrd_new_write(const char *path, const void *bytes, size_t count, struct diag *d) MUST_USE;
// Makes the folder that path is in, where it is missing.
enum err rrd_new_folder(const char *path, struct diag *d) MUST_USE;

#endif
