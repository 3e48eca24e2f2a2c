// The ledger: the truth. One SQLite file, one row a batch or gap, hash-chained per class. This is the
// writer's side; there is one writer, one thread. Everything between ledger_begin and ledger_commit is one
// transaction: rows, declares, watermarks, counters. After ledger_commit returned OK the rows are on disk and
// may be acknowledged. FULL: ledger_rollback, stop giving credit, try again when there is room. IO: stop
// acknowledging and exit.
#ifndef ESEP_STORE_LEDGER_H
#define ESEP_STORE_LEDGER_H

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "wire/message.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_FILE "ledger.sqlite" // in the state folder
#define LEDGER_HEAD                                                                                          \
    "ledger.head" // position and hash per class, replaced each second: a valid but shorter chain shows

struct ledger;

// Creates or opens <state>/ledger.sqlite; re-syncs what a crash may have left in the page cache only,
// compares the chains' ends with ledger.head. CORRUPT: the chain is shorter than the head says, or its last
// row does not match (diag names it).
enum err ledger_open(const char *state, const struct clock *clock, struct ledger **out,
                     struct diag *d) MUST_USE;
void ledger_close(struct ledger *l);
// At open the ledger had rows but there was no ledger.head, so that a shorter chain would not have been seen:
// an alarm for the operator to look at (a restored backup, or somebody removed it). False again once
// ledger_store_head has written one.
bool ledger_head_missing(const struct ledger *l);

// ---- agents and keys
// ------------------------------------------------------------------------------------------------
struct ledger_agent {
    int64_t agent_id;
    int64_t key_id;
    char resident[128]; // "park/resident"
    uint8_t public_key[KEY_BYTES];
    int64_t added_us, revoked_us; // 0: not revoked
};
// Joins the open transaction, else commits by itself. EXISTS: the key is known already. A resident may have
// several agents, each with its key.
enum err ledger_agent_add(struct ledger *l, const char *park_and_resident,
                          const uint8_t public_key[KEY_BYTES], struct ledger_agent *out,
                          struct diag *d) MUST_USE;
// As above. NOT_FOUND.
enum err ledger_agent_revoke(struct ledger *l, int64_t key_id, struct diag *d) MUST_USE;
typedef enum err (*ledger_agent_visit)(void *ctx, const struct ledger_agent *a);
enum err ledger_agents(struct ledger *l, ledger_agent_visit visit, void *ctx, struct diag *d) MUST_USE;

// ---- streams: an agent's incarnation
// --------------------------------------------------------------------------------
struct ledger_stream {
    int64_t stream_id;
    int64_t agent_id;
    struct wire_incarnation incarnation;
    uint64_t last_sequence;                                // highest contiguous sequence stored
    uint32_t declares;                                     // numbers known: 0 .. declares − 1
    struct wire_receipt receipt;                           // of last_sequence
    uint64_t accepted, quarantined, gap, repeats, batches; // samples, but for batches (rows)
};
// Finds or makes it; outside a transaction it is only found (NOT_FOUND). The struct is a copy of the state as
// of this transaction.
enum err ledger_stream_open(struct ledger *l, int64_t agent_id, const struct wire_incarnation *i,
                            struct ledger_stream *out, struct diag *d) MUST_USE;

// Whether an agent of another resident has a stream with the same incarnation, which is random: a spool that
// was copied, or a forgery.
enum err ledger_incarnation_taken(struct ledger *l, int64_t agent_id, const struct wire_incarnation *i,
                                  bool *taken, struct diag *d) MUST_USE;

// ---- series
// ---------------------------------------------------------------------------------------------------------
struct ledger_series { // first what each sample is judged by: one line of the processor's cache
    int64_t series_id;
    int64_t agent_id; // the owner
    enum wire_class class;
    uint32_t step_s, period;
    char currency[WIRE_CURRENCY_LEN + 1], unit[WIRE_UNIT_MAX + 1];
    char name[256]; // park/resident/kpi[/dimension]
};
// Declares number → series for the stream. The name is the full one. Idempotent. CONFLICT: the number is
// another series, or the series is known with another unit, class, step or period, or currency (diag says
// which); INVALID: a hole in the numbers. Whose the series is, is for the caller to look at: out->agent_id.
enum err ledger_declare(struct ledger *l, int64_t stream_id, uint32_t number,
                        const struct ledger_series *wanted, struct ledger_series *out,
                        struct diag *d) MUST_USE;
// Cached; *out is borrowed until the ledger closes. NOT_FOUND.
enum err ledger_declared(struct ledger *l, int64_t stream_id, uint32_t number,
                         const struct ledger_series **out) MUST_USE;
// A stream's series by number as far as they are in memory, so that a sample costs no look-up; NULL: ask
// ledger_declared. Borrowed until the next call about the stream.
struct ledger_declares {
    const struct ledger_series *const *at;
    size_t count;
};
struct ledger_declares ledger_declares(const struct ledger *l, int64_t stream_id);

// ---- rows
// -----------------------------------------------------------------------------------------------------------
enum ledger_kind { // of a row; the table's column `gap`
    LEDGER_BATCH,
    LEDGER_GAP,
    LEDGER_ROLLUP, // this and what follows: written by the collector itself (ledger_keep.h)
    LEDGER_SEAL,
    LEDGER_RELEASE,
    LEDGER_CONTROL
};
struct ledger_row {
    int64_t stream_id;
    int64_t key_id;
    enum wire_class class;  // of a gap: measurement
    uint64_t sequence;      // must be the stream's last_sequence + 1
    uint64_t last_sequence; // of a gap: its last; of a batch: the same as sequence
    bool gap;
    enum ledger_kind own; // for ledger_keep.c
    uint32_t samples;     // in the batch, or that the gap stands for
    uint32_t refused;     // of those, refused by the verdict
    const void *body;     // the message as it came
    size_t body_len;
    const void *verdict; // an encoded Reject, NULL when all was accepted
    size_t verdict_len;
};
// The moment this transaction's rows are received: the clock's, never less than the row before.
enum err ledger_begin(struct ledger *l, int64_t *received_us, struct diag *d) MUST_USE;
enum err ledger_append(struct ledger *l, const struct ledger_row *row, struct wire_receipt *out,
                       struct diag *d) MUST_USE;
// For a sequence at or below the watermark: OK the stored body is the same (its samples are counted as
// repeats with the next commit), CONFLICT it differs. INVALID above the watermark.
enum err ledger_repeat(struct ledger *l, int64_t stream_id, uint64_t sequence, const void *body,
                       size_t len) MUST_USE;
// Adds to a durable counter; agent_id 0: the collector's own. Outside a transaction it commits by itself.
enum err ledger_count(struct ledger *l, const char *counter, int64_t agent_id, uint64_t add) MUST_USE;
// After a failure everything since ledger_begin is rolled back already.
enum err ledger_commit(struct ledger *l, struct diag *d) MUST_USE;
void ledger_rollback(struct ledger *l);

uint64_t ledger_position(const struct ledger *l);   // of the last committed row
int64_t ledger_received_us(const struct ledger *l); // the newest row's, or this transaction's; 0: no row yet
uint64_t ledger_wal_bytes(const struct ledger *l);
// Durably replaces ledger.head; call about once a second and at the end.
enum err ledger_store_head(struct ledger *l, struct diag *d) MUST_USE;
// PASSIVE checkpoint; the writer calls it when the WAL has grown.
enum err ledger_checkpoint(struct ledger *l, struct diag *d) MUST_USE;

#endif
