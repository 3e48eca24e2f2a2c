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
    live_head_t live;
    rra_ptr_t rows[RRD_ARCHIVES_MAX];
    off_t values_at; // the first archive's first row
};
// Reads and checks it before anything maps the file. l may be NULL: any file of ours. NOT_FOUND, CORRUPT.
enum err rrd_header_check(const char *path, const struct rrd_layout *l, struct rrd_header *out,
                          struct diag *d) MUST_USE;

#endif
