// Round-robin files through librrd (its only user, with rrd_graph.h). One file a series,
// <folder>/<xx>/<series_id>.rrd, data source "v", GAUGE. Measurements: step of the series, times on step
// boundaries. Reports: civil days as UTC midnights, step 86,400, one value per civil day of the period.
// Threads: one writer thread in the collector; readers only in single-threaded processes.
#ifndef ESEP_STORE_RRD_H
#define ESEP_STORE_RRD_H

#include "base/err.h"
#include "base/figure.h"
#include "store/ledger.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RRD_FOLDER   "rrd" // in the state folder
#define RRD_PATH_MAX 512

// Path of a series' file under the state folder. TOO_BIG.
enum err rrd_path(const char *state, int64_t series_id, char out[RRD_PATH_MAX]) MUST_USE;

struct rrd_value {
    int64_t time; // seconds: end of the step
    double value; // NaN: unknown
};

// A new file (replacing any), start on the step and not before 1980, whose first value may be at start + step
// or later; synced if `sync`.
enum err rrd_file_create(const char *path, const struct ledger_series *s, int64_t start, bool sync,
                         struct diag *d) MUST_USE;
// Bytes that a file of such a series has; 0: it has none.
uint64_t rrd_file_bytes(const struct ledger_series *s);
// Values in rising time, all later than the file's last; gaps between them are written as explicit unknowns.
// AGAIN: locked. CORRUPT: not a round-robin file of this series, or damaged: rebuild it. CONFLICT: not later
// than the file's last.
enum err rrd_file_update(const char *path, const struct ledger_series *s, const struct rrd_value *values,
                         size_t count, struct diag *d) MUST_USE;
// The same by a writer that remembers how it left the file, out: how it leaves it now. DENIED: it was changed
// at another time; CORRUPT also: it does not end where it was left. Then nothing was written.
struct rrd_left {
    int64_t last;     // its last value's time, or its start
    int64_t mtime_ns; // 0: whenever
};
enum err rrd_file_visit(const char *path, const struct ledger_series *s, const struct rrd_value *values,
                        size_t count, struct rrd_left *left, struct diag *d) MUST_USE;
// Time of the last update. NOT_FOUND, CORRUPT.
enum err rrd_file_last(const char *path, const struct ledger_series *s, int64_t *last,
                       struct diag *d) MUST_USE;
// Turns a report into its days' values: at most 366, *count of them.
void rrd_report_values(const struct ledger_series *s, int32_t period_start, struct figure value,
                       struct rrd_value out[366], size_t *count);

// Whether it is a whole file of ours, before anything maps it. NOT_FOUND, CORRUPT.
enum err rrd_file_check(const char *path, struct diag *d) MUST_USE;

typedef enum err (*rrd_visit)(void *ctx, int64_t time, double value); // NaN for unknown
// rrd_fetch_r, times from < t ≤ to: cf "AVERAGE" "MIN" "MAX" "LAST"; *step in: wanted, out: the archive's.
enum err rrd_file_fetch(const char *path, const char *cf, int64_t from, int64_t to, uint32_t *step,
                        rrd_visit visit, void *ctx, struct diag *d) MUST_USE;

#endif
