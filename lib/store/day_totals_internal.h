// Shared by day_totals*.c and observations*.c only.
#ifndef ESEP_STORE_DAY_TOTALS_INTERNAL_H
#define ESEP_STORE_DAY_TOTALS_INTERNAL_H

#include "kpi/series.h"
#include "store/day_totals.h"
#include "store/observations_internal.h"

#define DAY_TOTALS_SCHEMA                                                                                    \
    "CREATE TABLE day_zone(park TEXT PRIMARY KEY, version TEXT NOT NULL) STRICT, WITHOUT ROWID;"             \
    "CREATE TABLE day_waiting(series_id INTEGER NOT NULL, day INTEGER NOT NULL, PRIMARY KEY(series_id, "     \
    "day)) STRICT, WITHOUT ROWID;"                                                                           \
    "CREATE TABLE day_total(series_id INTEGER NOT NULL, day INTEGER NOT NULL, known INTEGER NOT NULL,"       \
    " missing INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL, reals BLOB, min ANY, max ANY,"  \
    " last ANY, newest_us INTEGER NOT NULL, raw INTEGER NOT NULL, PRIMARY KEY(series_id, day)) STRICT,"      \
    " WITHOUT ROWID;"
#define DAY_TOTALS_FORGET "DELETE FROM day_zone; DELETE FROM day_waiting; DELETE FROM day_total;"

#define PARK_BYTES (SERIES_PART_MAX + 1)
// Which park a series is of.
void day_totals_park(const char *series, char out[PARK_BYTES]);

// A local day of one series as it is added up.
struct day_sum {
    const struct ledger_series *series;
    int32_t day;
    int64_t from_s, to_s; // from < time ≤ to
    struct tally tally;
    int64_t newest_us;
    bool raw; // some figure of it is of no cell
};
// Columns known, missing, high, low, reals, min, max, last, newest_us from `column` on. False: damaged.
bool day_total_column(struct db_stmt *s, int column, struct day_total *out);
void day_total_bind(struct db_stmt *s, int i, const struct day_sum *sum); // those and raw
// Into sums that are rising in (series_id, day): from raw rows, or from cells and what else there is.
enum err day_totals_add_up(struct observations_reader *view, struct reader *r, struct day_sum *sums,
                           size_t count, struct diag *d) MUST_USE;

// UTC days are noted in an advance, a figure at midnight with the day that ends there.
static inline int64_t day_totals_noted(int64_t time_s)
{
    return day_of(time_s - 1);
}
enum err day_totals_note(struct observations *o, int64_t series_id, int64_t day) MUST_USE;
// The days of a month's cells wait again: they are what a rebuild reads.
enum err day_totals_note_rollup(struct observations *o, const struct wire_rollup *r) MUST_USE;
// From now on cells count up to there.
enum err day_totals_note_rolled(struct observations *o, int64_t rolled_until_s) MUST_USE;
// Exact points of the series that the projection has not read yet, in any order.
enum err points_read_tail(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                          point_visit visit, void *ctx, struct diag *d) MUST_USE;

#endif
