// The agent's durable queue: finished batches in the order of their sequences, together with the positions of
// the sources they were made from. Everything of one call is one transaction, on disk when the call returns
// OK; only then may a batch be sent (a reader sees no earlier state). What was acknowledged stays as a tail
// for a collector that loses data.
//
// Any call may fail with: FULL (no room on the disk: nothing has changed, try later), AGAIN (busy, the same),
// IO (the file must not be written any more: close and exit), CORRUPT (close, open again: the file is then
// set aside). Threads: one. Others read through spool_reader.h.
#ifndef ESEP_AGENT_SPOOL_H
#define ESEP_AGENT_SPOOL_H

#include "agent/source.h"
#include "base/clock.h"
#include "base/err.h"
#include "wire/message.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_FILE       "spool.sqlite"       // in the state folder
#define SPOOL_HEAD_FILE  "spool.head"         // how far it had come
#define SPOOL_TAIL_BYTES (UINT64_C(64) << 20) // of acknowledged batches kept
#define SPOOL_TAIL_US    (INT64_C(7) * 86400 * US_PER_S)

struct spool;

struct spool_options {
    uint64_t max_bytes; // of batches not yet acknowledged
    int64_t max_age_us;
    uint64_t tail_bytes;
    int64_t tail_age_us;
    bool distrust; // a CORRUPT came of the file that is there: it is set aside unread
};

struct spool_state {
    struct wire_incarnation incarnation;
    uint64_t
        generation;    // raised when sequences are renumbered or sent again: a reader begins anew with Hello
    uint32_t declares; // numbers 0 .. declares − 1 are given
    uint64_t first_kept; // lowest sequence whose bytes are there; 0: none
    uint64_t last_written;
    uint64_t last_acknowledged;
    uint64_t sendable;           // up to here batches may be sent, and are never dropped for it
    struct wire_receipt receipt; // of last_acknowledged
    struct wire_counters counters;
};

struct spool_opened { // what opening found
    bool fresh;       // a new spool, with a new incarnation
    bool damaged;     // the one there was has been set aside, under the name
    bool older;       // it lacks what was written to it last: what it has moved into a new incarnation
    bool noted;       // no room to store what was noted as acknowledged: it stays a note (spool_peek_noted)
    char aside[128];
    char reason[300];
};
enum err spool_open(const char *state_folder, const struct spool_options *options, const struct clock *clock,
                    struct spool **out, struct spool_opened *opened, struct diag *d) MUST_USE;
void spool_close(struct spool *s);
const struct spool_state *spool_peek(const struct spool *s); // valid until the next call

// Before the series of a configuration are declared: when numbers were given out that the collector is not
// known to have accepted and that the configuration no longer asks for, everything unsent moves into a new
// incarnation with new numbers (*renewed). Samples of a series that is gone are dropped, counted as refused.
enum err spool_adopt(struct spool *s, const struct wire_declare *wanted, size_t count, bool *renewed,
                     struct diag *d) MUST_USE;
// Numbers below `known` are the collector's too; stored with the next change. So are those that an
// acknowledged batch needed.
void spool_note_declares(struct spool *s, uint32_t known);
// Numbers for series, found or given. An entry differs from another by any of its fields but the incarnation
// (ignored).
enum err spool_declare(struct spool *s, const struct wire_declare *wanted, size_t count, uint32_t *numbers,
                       struct diag *d) MUST_USE;

struct spool_row {     // a finished batch
    uint64_t sequence; // last_written + 1, and so on
    enum wire_class class;
    const void *body;
    size_t len;
    uint64_t samples;
    int64_t from_s, to_s;
};
struct spool_position {
    const char *source, *key;
    const void *bytes;
    size_t len; // 0: forget it
};
struct spool_change {
    const struct spool_row *rows;
    size_t row_count;
    const struct spool_position *positions;
    size_t position_count;
    uint64_t sampled, refused,
        source_errors;     // to add to the counters; sampled includes the rows' and the refused
    uint64_t acknowledged; // as spool_acknowledge, in the same transaction; 0: nothing
    struct wire_receipt receipt;
};
// INVALID: a sequence out of order. Past the quotas the oldest unsent batches become a Gap in the same
// transaction.
enum err spool_append(struct spool *s, const struct spool_change *change, struct diag *d) MUST_USE;

// Sets how far batches may be sent while there is someone to send them to (extended by each later call that
// writes). False: no further.
enum err spool_allow(struct spool *s, bool sending, struct diag *d) MUST_USE;
// Everything up to sequence is on the collector's disk. At or below what is known already: nothing happens.
// INVALID: beyond what was written, or inside a gap.
enum err spool_acknowledge(struct spool *s, uint64_t sequence, const struct wire_receipt *receipt,
                           struct diag *d) MUST_USE;
// The same, noted beside the tables without a sync, which follow with spool_append or spool_acknowledge: a
// reader sees it, and a kill does not lose it; a power cut may. False: it could not be noted.
bool spool_note_acknowledged(struct spool *s, uint64_t sequence, const struct wire_receipt *receipt);
// What is noted so and not in the tables yet; it is to be stored like any acknowledgement. False: nothing.
bool spool_peek_noted(const struct spool *s, uint64_t *sequence, struct wire_receipt *receipt);
// The collector has lost what came after `last`: it is sent again from the tail; what the tail no longer
// holds becomes a Gap. INVALID when `last` is not below what was acknowledged, CONFLICT when it lies inside a
// gap.
enum err spool_rewind(struct spool *s, uint64_t last, struct diag *d) MUST_USE;
// A new incarnation, sequences from 1; what was not acknowledged moves into it.
enum err spool_renew(struct spool *s, struct diag *d) MUST_USE;

// Positions. get: NOT_FOUND, TOO_BIG, CORRUPT. each: in the order of keys.
enum err spool_position_get(struct spool *s, const char *source, const char *key, void *out, size_t cap,
                            size_t *len) MUST_USE;
enum err spool_position_each(struct spool *s, const char *source, const char *prefix, position_visit visit,
                             void *ctx) MUST_USE;

#endif
