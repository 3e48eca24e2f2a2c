// The counters that begin anew with the process.
#ifndef ESEP_COLLECTOR_COUNTERS_PROCESS_H
#define ESEP_COLLECTOR_COUNTERS_PROCESS_H

// id, name, unit, prose
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
    X(CLOCK_HELD, "clock_held", "batches", "batches and gaps not taken: the clock is behind; sent again")    \
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
    X(CONNECTIONS_CLOSED, "connections_closed", "connections", "connections closed: their key was revoked")  \
    X(ENROLMENTS, "enrolments", "keys", "keys that an invitation let in")                                    \
    X(ENROLMENTS_REPEATED, "enrolments_repeated", "messages",                                                \
      "the same key asked again with its invitation")                                                        \
    X(ENROLMENTS_REFUSED_UNKNOWN, "enrolments_refused_unknown", "messages",                                  \
      "enrolments refused: no such invitation (forged, or withdrawn)")                                       \
    X(ENROLMENTS_REFUSED_USED, "enrolments_refused_used", "messages",                                        \
      "enrolments refused: another key had used the invitation")                                             \
    X(ENROLMENTS_REFUSED_EXPIRED, "enrolments_refused_expired", "messages",                                  \
      "enrolments refused: the invitation had expired")                                                      \
    X(ENROLMENTS_REFUSED_KEY, "enrolments_refused_key", "messages",                                          \
      "enrolments refused: the key is another agent's, or revoked")                                          \
    X(ENROLMENTS_MALFORMED, "enrolments_malformed", "messages", "at the door: not an enrolment")             \
    X(ENROLMENTS_DROPPED, "enrolments_dropped", "messages", "at the door: too many at a time, not answered") \
    X(DOOR_HANDSHAKES, "door_handshakes", "handshakes", "CURVE handshakes at the door, of any key")          \
    X(DOOR_FULL, "door_full", "handshakes", "handshakes refused at the door: too many in ten seconds")       \
    X(KEYS_ROTATED, "keys_rotated", "keys", "keys that an agent has put beside its own")                     \
    X(KEYS_REVOKED, "keys_revoked", "keys", "keys shut out: by an operator, or by the agent's next one")     \
    X(ROTATIONS_REFUSED, "rotations_refused", "messages", "rotations refused: too many, or a key not free")  \
    X(QUOTA_SLOWED, "quota_slowed", "times", "an agent lost its credit: its resident's samples a second")    \
    X(QUOTA_DROPPED, "quota_dropped", "messages", "batches dropped: far beyond the quota, without credit")   \
    X(REPORTS_OVERTAKEN, "reports_overtaken", "reports",                                                     \
      "a person's figure of a period that an agent's source then replaced")                                  \
    X(COMMITS, "commits", "transactions", "ledger transactions")                                             \
    X(COMMITS_NO_SPACE, "commits_no_space", "transactions", "ledger transactions put off: disk full")        \
    X(COMMIT_ERRORS, "commit_errors", "messages",                                                            \
      "messages that the ledger could not take for an unexpected reason")                                    \
    X(AUDIT_ENTRIES, "audit_entries", "entries", "entries written to the audit log since the start")         \
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
    X(RETENTION_KEPT, "retention_kept_damaged", "rows",                                                      \
      "old rows that do not match their chain hash: not dropped, so that verify can name them")              \
    X(PROJECTION_SKIPPED, "projection_skipped", "batches", "ledger rows a projection could not read")        \
    X(RATES_ASKED, "rates_asked", "questions", "questions put to central banks")                             \
    X(RATES_REFUSED, "rates_refused", "questions",                                                           \
      "questions to central banks that failed or were answered in another form")                             \
    X(RATES_ERRORS, "rates_errors", "steps", "steps of the rates' agent that failed and are tried again")    \
    X(OBSERVER_ERRORS, "observer_errors", "visits", "steps of the observer that failed and are tried again")

#endif
