// The streams that one ledger transaction has touched: their state as of the transaction and what it has
// counted for each. Belongs to the committer. No I/O but the ledger's.
#ifndef ESEP_COLLECTOR_STREAMS_H
#define ESEP_COLLECTOR_STREAMS_H

#include "collector/counters.h"
#include "store/ledger.h"

struct stream {
    struct ledger_stream state;
    uint64_t counted[COUNTER_COUNT];
    size_t last_ack; // index + 1 of the group's item whose outcome acknowledges the stream, 0: none
    uint64_t generation;
};

struct streams;
enum err streams_create(size_t max, struct streams **out) MUST_USE;
void streams_destroy(struct streams *s);
void streams_begin(struct streams *s); // forgets all
// Opens it in the ledger at its first use in the transaction. FULL when more than max are asked for.
enum err streams_open(struct streams *s, struct ledger *l, int64_t agent_id, const struct wire_incarnation *i,
                      struct stream **out, struct diag *d) MUST_USE;
// Writes the durable counts into the ledger, inside its transaction.
enum err streams_store_counts(struct streams *s, struct ledger *l) MUST_USE;
// Adds the counts to the totals, after the commit.
void streams_publish_counts(const struct streams *s, struct counters *c);

#endif
