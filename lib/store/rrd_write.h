// Values into a round-robin file's archives, as librrd's update would put them there: every byte the same for
// whole numbers, and reals exactly as they are (librrd's come back up to 1 ulp off).
#ifndef ESEP_STORE_RRD_WRITE_H
#define ESEP_STORE_RRD_WRITE_H

#include "store/rrd_header.h"

struct rrd_target {       // where rows go
    int fd;               // a file open for writing, or
    unsigned char *image; // all of it in memory; NULL: there is none
    const char *path;     // for what is said when it fails
};
// Rising times on the step, later than h's last update; NaN: unknown. What lies between two times is unknown.
// Rows are written, h is changed; whoever calls writes h after them. FULL, IO: rows may be half written.
enum err rrd_write_values(struct rrd_header *h, const struct rrd_target *t, const struct rrd_value *values,
                          size_t count, struct diag *d) MUST_USE;
// Each time is on the step and later than the one before, the first later than last; nothing is infinite.
// CONFLICT: the first is not; INVALID.
enum err rrd_write_check(const char *path, uint32_t step_s, int64_t last, const struct rrd_value *values,
                         size_t count, struct diag *d) MUST_USE;
enum err rrd_write_at(const struct rrd_target *t, const void *bytes, size_t count, off_t at,
                      struct diag *d) MUST_USE;

#endif
