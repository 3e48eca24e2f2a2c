// Shared by rrd*.c only: how the files are laid out, and their headers as librrd writes them.
#ifndef ESEP_STORE_RRD_HEADER_H
#define ESEP_STORE_RRD_HEADER_H

#define RRD_EXPORT_DEPRECATED
#include "store/rrd.h"
#include <rrd.h>
#include <sys/types.h>

#define RRD_ARCHIVES_MAX 8

struct rrd_archive {
    const char *cf;
    uint32_t steps; // of the file, a row
    uint32_t rows;
};

struct rrd_layout {
    uint32_t step_s;
    size_t count;
    struct rrd_archive archives[RRD_ARCHIVES_MAX];
};
// INVALID: such a series has no file.
enum err rrd_layout_of(const struct ledger_series *s, struct rrd_layout *l, struct diag *d) MUST_USE;

struct rrd_header {
    stat_head_t stat;
    ds_def_t source;
    rra_def_t archives[RRD_ARCHIVES_MAX];
    live_head_t live; // what a visit changes begins here
    pdp_prep_t step;  // the one that is under way; on a step's boundary nothing is
    cdp_prep_t sums[RRD_ARCHIVES_MAX];
    rra_ptr_t rows[RRD_ARCHIVES_MAX];
    off_t live_at;   // in the file
    off_t values_at; // the first archive's first row
    int64_t mtime_ns;
};
#define RRD_HEADER_BYTES                                                                                     \
    (sizeof(stat_head_t) + sizeof(ds_def_t) + sizeof(live_head_t) + sizeof(pdp_prep_t) +                     \
     RRD_ARCHIVES_MAX * (sizeof(rra_def_t) + sizeof(cdp_prep_t) + sizeof(rra_ptr_t)))

// As librrd makes a new file of this layout. Where in the rings the first rows go follows from `spread`: the
// files of many series should not all come to a new page at the same moment.
void rrd_header_make(const struct rrd_layout *l, int64_t start, uint64_t spread, struct rrd_header *out);
// Its bytes in the file: values_at of them.
void rrd_header_pack(const struct rrd_header *h, unsigned char out[RRD_HEADER_BYTES]);
off_t rrd_header_file_bytes(const struct rrd_header *h);
struct stat;
int64_t rrd_mtime_ns(const struct stat *st);
// Reads and checks it before anything maps the file or writes into it. l may be NULL: any file of ours.
// NOT_FOUND, CORRUPT.
enum err rrd_header_check(const char *path, const struct rrd_layout *l, struct rrd_header *out,
                          struct diag *d) MUST_USE;
enum err rrd_header_read(int fd, const char *path, const struct rrd_layout *l, struct rrd_header *out,
                         struct diag *d) MUST_USE;

#endif
