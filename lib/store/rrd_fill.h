// Puts consolidated values into a new round-robin file's past, where the raw values they stand for are gone.
// librrd has no way to: it takes values of the file's own step alone, so the rows of the hour and day
// archives are written in place, as librrd would have written them from the raw values.
#ifndef ESEP_STORE_RRD_FILL_H
#define ESEP_STORE_RRD_FILL_H

#include "store/rrd.h"

struct rrd_fill_cell {
    int64_t end;       // seconds: a multiple of its length, which divides the hour
    uint32_t length_s; // a multiple of the series' step
    uint32_t known;    // steps with a value; 0: nothing below
    double sum, min, max;
};

struct rrd_fill;
// A measurement's file as rrd_file_create has left it, whose start is a whole day. INVALID, CORRUPT, IO.
enum err rrd_fill_open(const char *path, const struct ledger_series *s, struct rrd_fill **out,
                       struct diag *d) MUST_USE;
// In rising time, none after the file's start. Cells that are left out are unknown. AGAIN: it is after the
// start.
enum err rrd_fill_add(struct rrd_fill *f, const struct rrd_fill_cell *c, struct diag *d) MUST_USE;
// Writes what is left and frees it; syncs nothing. With d NULL it only frees.
enum err rrd_fill_close(struct rrd_fill *f, struct diag *d);

#endif
