// Everything the collector counts, declared once: name, unit, prose. Counters of figures are durable: they
// are committed in the ledger transaction of what they count. The others count since the process started.
// Gauges are the last value. Threads: any (atomics).
#ifndef ESEP_COLLECTOR_COUNTERS_H
#define ESEP_COLLECTOR_COUNTERS_H

#include "base/err.h"
#include "wire/message.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// id, name, unit, prose
#define COUNTER_DURABLE_LIST(X)                                                                              \
    X(BATCHES_STORED, "batches_stored", "batches", "batches committed to the ledger")                        \
    X(SAMPLES_ACCEPTED, "samples_accepted", "samples", "samples stored and accepted")                        \
    X(SAMPLES_QUARANTINED, "samples_quarantined", "samples",                                                 \
      "samples stored with a verdict that refuses them")                                                     \
    X(GAPS_STORED, "gaps_stored", "gaps", "gaps committed to the ledger")                                    \
    X(SAMPLES_GAP, "samples_gap", "samples", "samples that agents gave up before they could be delivered")   \
    X(BATCHES_REPEATED, "batches_repeated", "batches",                                                       \
      "batches and gaps sent again that were stored already")                                                \
    X(BATCHES_OUT_OF_ORDER, "batches_out_of_order", "batches",                                               \
      "batches and gaps dropped: an earlier one is missing")                                                 \
    X(BODIES_CONTRADICTED, "bodies_contradicted", "batches",                                                 \
      "ALARM: a stored sequence sent again with other bytes")                                                \
    X(BATCHES_UNDECLARED, "batches_undeclared", "batches",                                                   \
      "batches dropped until missing declares were sent")                                                    \
    X(SERIES_DECLARED, "series_declared", "declares", "declares accepted")                                   \
    X(DECLARES_REFUSED, "declares_refused", "declares",                                                      \
      "declares the catalogue or an earlier declare contradicts")                                            \
    X(LEDGER_BEHIND, "ledger_behind", "hellos",                                                              \
      "ALARM: an agent was acknowledged more than the ledger holds")                                         \
    X(RECEIPTS_CONTRADICTED, "receipts_contradicted", "hellos",                                              \
      "ALARM: an agent's receipt is not in the chain")                                                       \
    X(AGENTS_BEHIND, "agents_behind", "hellos",                                                              \
      "ALARM: an agent wrote less than is stored: restored or cloned spool")                                 \
    X(LEDGER_HEADS_MISSING, "ledger_heads_missing", "starts",                                                \
      "ALARM: starts that found rows but no ledger.head beside them")                                        \
    X(REFUSED_MALFORMED, "samples_refused_malformed", "samples", "refused: columns or value do not fit")     \
    X(REFUSED_UNKNOWN_SERIES, "samples_refused_unknown_series", "samples",                                   \
      "refused: series number not declared")                                                                 \
    X(REFUSED_WRONG_CLASS, "samples_refused_wrong_class", "samples",                                         \
      "refused: the series is of the other class")                                                           \
    X(REFUSED_NOT_FINITE, "samples_refused_not_finite", "samples", "refused: NaN or infinity")               \
    X(REFUSED_OUT_OF_RANGE, "samples_refused_out_of_range", "samples",                                       \
      "refused: beyond 2^53 or the KPI's bounds")                                                            \
    X(REFUSED_FUTURE, "samples_refused_future", "samples", "refused: ahead of the collector's clock")        \
    X(REFUSED_OFF_STEP, "samples_refused_off_step", "samples",                                               \
      "refused: not on a step or a period's first day")                                                      \
    X(REFUSED_TOO_OLD, "samples_refused_too_old", "samples", "refused: the month has been rolled up")        \
    X(REFUSED_BAD_NOTE, "samples_refused_bad_note", "samples", "refused: the note contradicts the sample")   \
    X(REFUSED_SERIES_TAKEN, "samples_refused_series_taken", "samples",                                       \
      "refused: another agent owns the series")                                                              \
    X(REFUSED_QUOTA, "samples_refused_quota", "samples", "refused: over the resident's limit")               \
    X(REFUSED_PERIOD_CLOSED, "samples_refused_period_closed", "samples", "refused: the period is closed")    \
    X(REFUSED_BEFORE_EPOCH, "samples_refused_before_epoch", "samples", "refused: before 1900")               \
    X(SAMPLES_RELEASED, "samples_released", "samples",                                                       \
      "refused samples that an operator let in: moved from quarantined to accepted")                         \
    X(ROLLUPS_STORED, "rollups_stored", "rows", "months of a series rolled up before their raw figures go")  \
    X(MONTHS_ROLLED, "months_rolled", "months", "months whose roll-ups are complete")                        \
    X(BATCHES_DROPPED, "batches_dropped", "batches", "raw batches dropped by retention, with a seal left")   \
    X(SAMPLES_DROPPED, "samples_dropped", "samples", "samples in the dropped batches")

#define COUNTER_PROCESS_LIST(X)                                                                              \
    X(MESSAGES_RECEIVED, "messages_received", "messages", "messages that arrived from admitted peers")       \
    X(MESSAGES_MALFORMED, "messages_malformed", "messages",                                                  \
      "messages that did not decode or are not an agent's")                                                  \
    X(MESSAGES_MULTIPART, "messages_multipart", "messages", "messages of several frames, dropped whole")     \
    X(MESSAGES_REVOKED, "messages_revoked", "messages", "messages of keys that are revoked or not known")    \
    X(MESSAGES_BEFORE_HELLO, "messages_before_hello", "messages",                                            \
      "messages on a connection not yet welcomed")                                                           \
    X(MESSAGES_WRONG_INCARNATION, "messages_wrong_incarnation", "messages",                                  \
      "messages of another spool than Hello's")                                                              \
    X(CREDIT_EXCEEDED, "credit_exceeded", "messages", "messages dropped: far beyond the credit given")       \
    X(HELLOS, "hellos", "messages", "Hellos taken to the ledger")                                            \
    X(HELLOS_REFUSED, "hellos_refused", "messages",                                                          \
      "Hellos refused: protocol version or too many new incarnations")                                       \
    X(HEARTBEATS, "heartbeats", "messages", "heartbeats received")                                           \
    X(CONNECTIONS_SUPERSEDED, "connections_superseded", "connections",                                       \
      "ALARM: a live connection lost its key to a later Hello")                                              \
    X(CONNECTIONS_EXPIRED, "connections_expired", "connections", "connections forgotten after silence")      \
    X(REPLIES_DROPPED, "replies_dropped", "messages", "replies a full or gone peer did not take")            \
    X(HANDSHAKES_ACCEPTED, "handshakes_accepted", "handshakes", "CURVE handshakes of admitted keys")         \
    X(HANDSHAKES_REFUSED_KEY, "handshakes_refused_key", "handshakes", "handshakes of keys not admitted")     \
    X(HANDSHAKES_REFUSED_MECHANISM, "handshakes_refused_mechanism", "handshakes", "without CURVE")           \
    X(HANDSHAKES_REFUSED_MALFORMED, "handshakes_refused_malformed", "handshakes", "malformed requests")      \
    X(HANDSHAKES_FAILED, "handshakes_failed", "handshakes", "handshakes that failed or timed out")           \
    X(ACCEPTS_PAUSED, "accepts_paused", "times", "not listening for a second: descriptors ran short")        \
    X(ACCEPTS_FAILED, "accepts_failed", "connections", "connections the kernel did not let us accept")       \
    X(COMMITS, "commits", "transactions", "ledger transactions")                                             \
    X(COMMITS_NO_SPACE, "commits_no_space", "transactions", "ledger transactions put off: disk full")        \
    X(COMMIT_ERRORS, "commit_errors", "messages",                                                            \
      "messages that the ledger could not take for an unexpected reason")                                    \
    X(CONTROL_REQUESTS, "control_requests", "requests", "requests on the control socket")                    \
    X(CONTROL_REFUSED, "control_refused", "requests", "control requests that were malformed or failed")      \
    X(RRD_VALUES_WRITTEN, "rrd_values_written", "values", "values written to round-robin files")             \
    X(RRD_FILE_VISITS, "rrd_file_visits", "visits", "visits to round-robin files")                           \
    X(RRD_REPEATS, "rrd_repeats", "values", "late values that the file shows already")                       \
    X(RRD_LATE, "rrd_late", "values", "late or corrected values that made their series be rebuilt")          \
    X(RRD_REBUILDS, "rrd_rebuilds", "files", "round-robin files rebuilt from exact points")                  \
    X(RRD_TOO_EARLY, "rrd_too_early", "values", "values before 1980, which a round-robin file can't hold")   \
    X(RRD_MISSING, "rrd_missing", "files", "round-robin files found missing")                                \
    X(RRD_DAMAGED, "rrd_damaged", "files", "round-robin files found damaged or changed by someone else")     \
    X(RRD_ERRORS, "rrd_errors", "visits", "visits to round-robin files that failed and are tried again")     \
    X(RRD_PATROLLED, "rrd_patrolled", "files", "round-robin files whose headers the patrol has read")        \
    X(RRD_CELLS_FILLED, "rrd_cells_filled", "cells", "hours of roll-ups put into rebuilt round-robin files") \
    X(RETENTION_ERRORS, "retention_errors", "steps",                                                         \
      "steps of the retention that failed and are tried again")                                              \
    X(PROJECTION_SKIPPED, "projection_skipped", "batches", "ledger rows a projection could not read")        \
    X(OBSERVER_ERRORS, "observer_errors", "visits", "steps of the observer that failed and are tried again")

#define GAUGE_LIST(X)                                                                                        \
    X(STARTED_US, "started_us", "microseconds", "when the process started, since 1970")                      \
    X(WAL_BYTES, "wal_bytes", "bytes", "size of the ledger's write-ahead log")                               \
    X(FREE_BYTES, "free_bytes", "bytes", "free space where the state is")                                    \
    X(SPACE, "space", "state", "0 enough, 1 low, 2 none: credit is given at 0 only")                         \
    X(HEAD_MISSING, "head_missing", "flag", "ALARM: 1 when this start found rows but no ledger.head")        \
    X(RRD_DIRTY, "rrd_dirty", "series", "series that wait to be rebuilt")                                    \
    X(RRD_POSITION, "rrd_position", "rows", "ledger rows that are in the round-robin files")                 \
    X(RRD_STORED_POSITION, "rrd_stored_position", "rows",                                                    \
      "ledger rows that are in round-robin files on disk")                                                   \
    X(CLOSED_UNTIL_S, "closed_until_s", "seconds", "measurements up to here are refused: 0 none are")        \
    X(ROLLED_UNTIL_S, "rolled_until_s", "seconds", "measurements up to here are roll-ups")                   \
    X(DROPPED_UNTIL_S, "dropped_until_s", "seconds", "raw measurements up to here are gone")

enum collector_counter {
#define X(id, name, unit, prose) COUNTER_##id,
    COUNTER_DURABLE_LIST(X) COUNTER_PROCESS_LIST(X)
#undef X
        COUNTER_COUNT
};
enum collector_gauge {
#define X(id, name, unit, prose) GAUGE_##id,
    GAUGE_LIST(X)
#undef X
        GAUGE_COUNT
};

enum collector_space { SPACE_ENOUGH, SPACE_LOW, SPACE_NONE };

struct counters {
    _Atomic uint64_t counter[COUNTER_COUNT];
    _Atomic int64_t gauge[GAUGE_COUNT];
};
struct counter_info {
    const char *name, *unit, *prose;
    bool durable;
};

void collector_counters_init(struct counters *c);
void collector_count(struct counters *c, enum collector_counter id, uint64_t add);
void collector_count_set(struct counters *c, enum collector_counter id, uint64_t value);
uint64_t collector_counted(const struct counters *c, enum collector_counter id);
void collector_gauge_set(struct counters *c, enum collector_gauge id, int64_t value);
int64_t collector_gauge(const struct counters *c, enum collector_gauge id);
const struct counter_info *collector_counter_info(enum collector_counter id);
const struct counter_info *collector_gauge_info(enum collector_gauge id);
enum err collector_counter_find(const char *name, enum collector_counter *out) MUST_USE; // NOT_FOUND
// The counter of samples refused for a reason.
enum collector_counter collector_counter_of(enum wire_reason reason);

#endif
