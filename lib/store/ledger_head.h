// ledger.head: where each chain ended about a second ago, in a file of its own, so that a ledger that is
// valid but shorter (a damaged write-ahead log, an old copy) is noticed. Text; README.md states the form.
#ifndef ESEP_STORE_LEDGER_HEAD_H
#define ESEP_STORE_LEDGER_HEAD_H

#include "store/db.h"
#include "store/ledger_chain.h"

struct ledger_chain_end {
    uint64_t position, rows; // of the chain's last row; 0: none. Of the declares' chain: both their count
    uint8_t hash[HASH_BYTES];
    uint8_t previous[HASH_BYTES]; // the hash before the last row; not in the file
};

struct ledger_head {
    uint8_t ledger_id[LEDGER_ID_BYTES];
    uint64_t position;
    struct ledger_chain_end chains[LEDGER_CHAINS];
};

void ledger_chain_end_advance(struct ledger_chain_end *end, uint64_t position,
                              const uint8_t hash[HASH_BYTES]);

enum err ledger_head_store(const char *state, const struct ledger_head *h, struct diag *d) MUST_USE;
// NOT_FOUND; CORRUPT when it is not such a file.
enum err ledger_head_load(const char *state, struct ledger_head *out, struct diag *d) MUST_USE;
// Whether the ledger in db still holds what the head recorded. CORRUPT: shorter or different; d names both
// sides.
enum err ledger_head_check(struct db *db, const struct ledger_head *recorded, const struct ledger_head *found,
                           struct diag *d) MUST_USE;
// The chains' ends as the database states them.
enum err ledger_head_read(struct db *db, struct ledger_head *out, struct diag *d) MUST_USE;

#endif
