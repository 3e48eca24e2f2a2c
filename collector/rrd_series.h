// What the RRD writer knows of each series, and the values that wait to be written. No I/O.
#ifndef ESEP_COLLECTOR_RRD_SERIES_H
#define ESEP_COLLECTOR_RRD_SERIES_H

#include "base/clock.h"
#include "collector/rrd_cursor.h"
#include "store/ledger.h"
#include "store/rrd.h"

struct rrd_series {
    int64_t series_id;
    const struct ledger_series *info; // borrowed from the writer's reader; NULL until first used
    int64_t newest;                   // time of the file's last value, RRD_TIME_NONE: no file yet
    int64_t mtime_ns;                 // of the file after our last write, 0: not looked at yet
    bool looked;                      // newest and mtime_ns are the file's, seen by this process
    bool changed;                     // since the durable cursor was stored
    bool dirty;
    bool stored_dirty;   // the durable cursor says so
    uint64_t dirty_from; // the first ledger row that the file lacks
    uint64_t needed;     // the rebuild must have seen the ledger up to here
    uint64_t covered;    // rows up to here are in the file, through a rebuild
    struct mono rebuild_after;
    struct rrd_value *values; // in ledger order
    size_t count, capacity;
    size_t usual; // how many there were last time
};

struct rrd_table;
enum err rrd_table_create(struct rrd_table **out) MUST_USE;
void rrd_table_destroy(struct rrd_table *t);
// Found or made; NOMEM.
enum err rrd_table_get(struct rrd_table *t, int64_t series_id, struct rrd_series **out) MUST_USE;
size_t rrd_table_count(const struct rrd_table *t);
struct rrd_series *rrd_table_at(const struct rrd_table *t, size_t i);

enum err rrd_series_push(struct rrd_series *s, int64_t time, double value) MUST_USE;
void rrd_series_drop_values(struct rrd_series *s);
// Sorts the values by time and keeps the last in ledger order of each time; returns how many equal ones went.
size_t rrd_series_settle(struct rrd_series *s);
// Equal to the last digit, as what we wrote comes back, or both unknown.
bool rrd_value_same(double a, double b);
// librrd's files begin in 1980 at the earliest: what is before is in the ledger only.
bool rrd_time_fits(const struct ledger_series *s, int64_t time);
uint32_t rrd_series_step(const struct ledger_series *s); // 86,400 for reports

#endif
