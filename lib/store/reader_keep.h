// Reading what retention and quarantine left in the ledger: how far it has come, roll-ups, whether a receipt
// holds, refused samples. As reader.h: any process, one thread a reader, short read transactions.
#ifndef ESEP_STORE_READER_KEEP_H
#define ESEP_STORE_READER_KEEP_H

#include "store/ledger_keep.h"
#include "store/reader.h"

enum err reader_kept(struct reader *r, struct ledger_kept *out, struct diag *d) MUST_USE;

// Rows with position > after, without their bodies: cheap to pass over. *last as in reader_rows.
struct reader_row_head {
    uint64_t position;
    enum wire_class class;
    enum ledger_kind kind;
    int64_t stream_id;
    int64_t received_us;
    uint64_t body_bytes;
    bool released; // a sample of it was let out of quarantine
};
typedef enum err (*reader_row_head_visit)(void *ctx, const struct reader_row_head *h);
enum err reader_row_heads(struct reader *r, uint64_t after, size_t max_rows, reader_row_head_visit visit,
                          void *ctx, uint64_t *last, struct diag *d) MUST_USE;
// Whether the measurement's row there is what its chain hash says. False for one that can't be read, or is
// not there.
enum err reader_row_matches(struct reader *r, uint64_t position, bool *out, struct diag *d) MUST_USE;
// Position of the first seal that closes up to there, 0: none.
enum err reader_closing_position(struct reader *r, int64_t closed_until_s, uint64_t *position,
                                 struct diag *d) MUST_USE;
enum err reader_has_rollup(struct reader *r, int64_t series_id, int64_t month_s, bool *out,
                           struct diag *d) MUST_USE;

// The series' roll-ups of the months that begin in [from_s, to_s), in rising order; borrowed during the
// visit. CORRUPT when one does not decode.
struct reader_rollup {
    uint64_t position;
    int64_t received_us;
    const struct wire_rollup *rollup;
};
typedef enum err (*reader_rollup_visit)(void *ctx, const struct reader_rollup *r);
enum err reader_rollups(struct reader *r, int64_t series_id, int64_t from_s, int64_t to_s,
                        reader_rollup_visit visit, void *ctx, struct diag *d) MUST_USE;
// Of a row of the kind LEDGER_ROLLUP. *out is valid until the reader's next call.
enum err reader_rollup_of(struct reader *r, const struct reader_row *row, struct wire_rollup *out,
                          struct diag *d) MUST_USE;

enum reader_receipt {
    RECEIPT_PRESENT,      // the row is there with that hash, or was the last of a sealed run
    RECEIPT_SEALED,       // the row was dropped after its month was rolled up: its hash can't be compared
    RECEIPT_ABSENT,       // the ledger is shorter
    RECEIPT_CONTRADICTED, // another row is there
};
struct reader_receipt_found {
    enum reader_receipt state;
    uint64_t position;                // the ledger's last row
    uint64_t seal;                    // the seal's position, 0: not sealed
    int64_t agent_id;                 // with the row there
    uint64_t sequence, last_sequence; // as that
    int64_t received_us;
};
enum err reader_find_receipt(struct reader *r, const struct wire_receipt *receipt,
                             struct reader_receipt_found *out, struct diag *d) MUST_USE;

struct reader_quarantined { // a refused sample; borrowed during the visit
    uint64_t position;
    uint32_t index;
    const char *resident;
    int64_t agent_id, key_id, received_us;
    uint64_t sequence;
    enum wire_class class;
    uint32_t number;                    // of the series in its batch
    const struct ledger_series *series; // NULL: never declared
    int64_t time;                       // as in wire_sample
    struct figure value;                // missing where it could be no figure at all
    bool no_figure;                     // that
    enum wire_reason reason;
    const struct wire_note *note; // NULL: none
    uint64_t released;            // the release's position, 0: it is still held
};
typedef enum err (*reader_quarantine_visit)(void *ctx, const struct reader_quarantined *q);
// Refused samples of rows with position > after, at most max_rows rows. *last: the last row visited, after
// when none.
enum err reader_quarantine(struct reader *r, uint64_t after, size_t max_rows, reader_quarantine_visit visit,
                           void *ctx, uint64_t *last, struct diag *d) MUST_USE;

// A release's author and time. NOT_FOUND. Not from within a visit.
struct reader_release {
    char author[WIRE_AUTHOR_MAX + 1];
    int64_t received_us;
};
enum err reader_release_at(struct reader *r, uint64_t position, struct reader_release *out,
                           struct diag *d) MUST_USE;

#endif
