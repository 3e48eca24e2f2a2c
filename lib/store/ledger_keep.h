// What the collector itself writes into the ledger: how far retention has come, roll-ups, seals in place of
// dropped rows, releases from quarantine. esep.proto says what each means, README.md how they are stored and
// balanced. Everything but the two questions happens inside a transaction (ledger_begin … ledger_commit).
#ifndef ESEP_STORE_LEDGER_KEEP_H
#define ESEP_STORE_LEDGER_KEEP_H

#include "store/ledger.h"

#define LEDGER_DROP_ROWS 1024 // rows in one call of ledger_drop, so that a transaction stays short

// Ends of months (00:00 UTC of the next one's first day), 0: not yet. dropped ≤ rolled ≤ closed.
struct ledger_kept {
    int64_t closed_until_s;  // a measurement up to here is refused
    int64_t rolled_until_s;  // up to here roll-ups are what counts
    int64_t dropped_until_s; // rows with nothing newer are gone
};
struct ledger_kept ledger_kept(const struct ledger *l); // as of this transaction
// A seal that says how far. INVALID: one would go back, or their order.
enum err ledger_keep_until(struct ledger *l, const struct ledger_kept *until, struct diag *d) MUST_USE;

// EXISTS: the series' month is there already. INVALID: the month is not closed, or rolled up already.
enum err ledger_add_rollup(struct ledger *l, const struct wire_rollup *r, struct diag *d) MUST_USE;

// Positions from here on can't be dropped yet: ledger.head speaks of that row.
uint64_t ledger_drop_before(const struct ledger *l);
struct ledger_run { // all measurement batches from first to last: every one is dropped
    uint64_t first, last;
};
struct ledger_dropped {
    uint64_t rows, accepted, quarantined; // samples
};
// Takes the rows out and puts one seal in. Rising runs; at most WIRE_SEAL_RUNS runs, LEDGER_DROP_ROWS rows,
// WIRE_SEAL_STREAMS streams (TOO_BIG). CONFLICT: a run has a row that is no batch or that a sample was
// released from, none at all, or goes over rows that are sealed already; AGAIN: beyond ledger_drop_before.
// That a row holds nothing newer than rolled_until_s is the caller's business.
enum err ledger_drop(struct ledger *l, const struct ledger_run *runs, size_t count,
                     struct ledger_dropped *out, struct diag *d) MUST_USE;

// Lets refused samples of a stored row in: moves them from the stream's quarantined to its accepted. EXISTS:
// one of them is released already. NOT_FOUND: no such row. INVALID: more than it refused. That each is
// refused by the row's verdict, and can be accepted at all, is the caller's business.
enum err ledger_add_release(struct ledger *l, uint64_t position, const uint32_t *indexes, size_t count,
                            const char *author, const char *reason, struct wire_receipt *out,
                            struct diag *d) MUST_USE;

// A document that decides what figures mean ("rates/kz"), whole in one row of at most WIRE_KEPT_MAX_BYTES.
// They are all of the stream with this incarnation, in the order in which they came.
#define LEDGER_CONTROL_STREAM "control"
enum err ledger_add_control(struct ledger *l, const char *kind, const void *document, size_t len,
                            const char *author, struct wire_receipt *out, struct diag *d) MUST_USE;

#endif
