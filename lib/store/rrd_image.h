// A new round-robin file made in memory and written at once: what a rebuild makes.
#ifndef ESEP_STORE_RRD_IMAGE_H
#define ESEP_STORE_RRD_IMAGE_H

#include "store/rrd.h"

struct rrd_image; // may be used for one file after the other; keeps the memory of the largest (1.3 MB)
enum err rrd_image_create(struct rrd_image **out) MUST_USE;
void rrd_image_destroy(struct rrd_image *i);

// As rrd_file_create, rrd_file_update and rrd_file_last of the file that it will be.
enum err rrd_image_begin(struct rrd_image *i, const struct ledger_series *s, int64_t start,
                         struct diag *d) MUST_USE;
enum err rrd_image_add(struct rrd_image *i, const struct rrd_value *values, size_t count,
                       struct diag *d) MUST_USE;
int64_t rrd_image_last(const struct rrd_image *i);
// Writes it where nothing else is, or over what is there; not synced. FULL, IO.
enum err rrd_image_write(struct rrd_image *i, const char *path, struct diag *d) MUST_USE;

// ---- the past
// Puts consolidated values into a past where the raw values they stand for are gone: the rows of the hour and
// day archives are written as librrd would have written them from the raw values.
struct rrd_image_cell {
    int64_t end;       // seconds: a multiple of its length, which divides the hour
    uint32_t length_s; // a multiple of the series' step
    uint32_t known;    // steps with a value; 0: nothing below
    double sum, min, max;
};
// A measurement's, before anything was added, whose start is a whole day. In rising time, none after the
// start. Cells that are left out are unknown. AGAIN: it is after the start. INVALID.
enum err rrd_image_fill(struct rrd_image *i, const struct rrd_image_cell *c, struct diag *d) MUST_USE;

#endif
