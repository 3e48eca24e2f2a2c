// The chain hash, as README.md states it for other programs.
#ifndef ESEP_STORE_LEDGER_CHAIN_H
#define ESEP_STORE_LEDGER_CHAIN_H

#include "base/crypto.h"
#include "wire/message.h"
#include <stddef.h>
#include <stdint.h>

#define LEDGER_ID_BYTES 16
#define LEDGER_CLASSES  4 // chains by enum wire_class
#define LEDGER_DECLARES 0 // and the chain of the declares, which say what the numbers in the rows mean
#define LEDGER_AUDIT    4 // the chain of the audit log (audit.h)
#define LEDGER_CHAINS   5

struct ledger_chain_row {
    uint64_t position;
    int64_t class;
    int64_t agent_id;
    struct wire_incarnation incarnation;
    uint64_t sequence, last_sequence;
    int64_t gap, key_id, received_us;
    uint64_t samples, refused;
    const void *body, *verdict; // verdict: NULL and 0 when all was accepted
    size_t body_len, verdict_len;
};

struct ledger_chain_declare {
    uint64_t ordinal; // 1 for the ledger's first declare
    int64_t agent_id;
    struct wire_incarnation incarnation;
    uint32_t number;
    int64_t class;
    uint32_t step_s, period;
    const char *name, *unit, *currency;
};

// What the first row of every class follows.
void ledger_chain_genesis(const uint8_t ledger_id[LEDGER_ID_BYTES], uint8_t out[HASH_BYTES]);
// out may be previous.
void ledger_chain_next(const uint8_t previous[HASH_BYTES], const struct ledger_chain_row *row,
                       uint8_t out[HASH_BYTES]);

void ledger_chain_next_declare(const uint8_t previous[HASH_BYTES], const struct ledger_chain_declare *row,
                               uint8_t out[HASH_BYTES]);

struct ledger_chain_audit {
    uint64_t position; // 1 for the log's first entry
    int64_t received_us, since_us;
    uint64_t outcome, count;
    const char *who, *event, *object, *detail;
};
void ledger_chain_next_audit(const uint8_t previous[HASH_BYTES], const struct ledger_chain_audit *entry,
                             uint8_t out[HASH_BYTES]);

#endif
