// The gauges: the last value of what goes up and down.
#ifndef ESEP_COLLECTOR_COUNTERS_GAUGES_H
#define ESEP_COLLECTOR_COUNTERS_GAUGES_H

// id, name, unit, prose
#define GAUGE_LIST(X)                                                                                        \
    X(STARTED_US, "started_us", "microseconds", "when the process started, since 1970")                      \
    X(WAL_BYTES, "wal_bytes", "bytes", "size of the ledger's write-ahead log")                               \
    X(PRESSED, "pressed", "flag", "1 while more arrives than a commit takes along: projections rest")        \
    X(FREE_BYTES, "free_bytes", "bytes", "free space where the state is")                                    \
    X(SPACE, "space", "state", "0 enough, 1 low, 2 none: credit is given at 0 only")                         \
    X(HEAD_MISSING, "head_missing", "flag", "ALARM: 1 when this start found rows but no ledger.head")        \
    X(RRD_DIRTY, "rrd_dirty", "series", "series that wait to be rebuilt")                                    \
    X(RRD_POSITION, "rrd_position", "rows", "ledger rows that are in the round-robin files")                 \
    X(RRD_STORED_POSITION, "rrd_stored_position", "rows",                                                    \
      "ledger rows that are in round-robin files on disk")                                                   \
    X(CLOSED_UNTIL_S, "closed_until_s", "seconds", "measurements up to here are refused: 0 none are")        \
    X(ROLLED_UNTIL_S, "rolled_until_s", "seconds", "measurements up to here are roll-ups")                   \
    X(DROPPED_UNTIL_S, "dropped_until_s", "seconds", "raw measurements up to here are gone")                 \
    X(RETENTION_HELD_UNTIL_S, "retention_held_until_s", "seconds",                                           \
      "retention waits until then, for a verify that reads what it would drop")                              \
    X(CLOCK_BEHIND_S, "clock_behind_s", "seconds",                                                           \
      "ALARM: how far the clock is behind the ledger's last row: credit is given at 0 only")                 \
    X(RATES_HELD, "rates_held", "days", "ALARM: days whose rates are held back until confirmed")

#endif
