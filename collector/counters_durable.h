// The counters that are committed in the ledger transaction of what they count: they survive every restart.
#ifndef ESEP_COLLECTOR_COUNTERS_DURABLE_H
#define ESEP_COLLECTOR_COUNTERS_DURABLE_H

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
    X(SAMPLES_DROPPED, "samples_dropped", "samples", "samples in the dropped batches")                       \
    X(DESK_REPORTS, "desk_reports", "reports", "figures that people reported here, corrections included")    \
    X(RATES_STORED, "rates_stored", "answers", "central banks' answers committed to the ledger")             \
    X(RATES_HELD_BACK, "rates_held_back", "answers",                                                         \
      "ALARM: answers with a rate that changed by more than a fifth, not used until confirmed")

#endif
