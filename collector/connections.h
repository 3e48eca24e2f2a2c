// The connections that have said Hello, by their ROUTER address and by key. Belongs to ingest. No I/O.
#ifndef ESEP_COLLECTOR_CONNECTIONS_H
#define ESEP_COLLECTOR_CONNECTIONS_H

#include "base/clock.h"
#include "collector/item.h"

struct duty;
struct connection {
    struct mq_peer peer;
    int fd;          // the connection's, as of the last message
    uint64_t serial; // never used twice
    struct admitted who;
    struct ingest_bucket *bucket; // of its resident; NULL: no limit
    struct duty *duty;            // what its resident owes; NULL: it did not ask to be told
    uint64_t duty_told;           // version
    bool slowed;                  // it has no credit because the bucket is empty
    bool welcomed;
    bool superseded; // a later Hello with the same key has won
    bool ack_owed;   // the peer's queue was full, or the credit has changed
    struct wire_incarnation incarnation;
    char version[WIRE_VERSION_MAX + 1];
    struct mono heard;
    bool gone;                 // the socket says that the peer has left
    struct mono changes_since; // incarnations the key has begun, counted from here
    uint32_t changes;
    int64_t last_seen_us, clock_skew_ms;
    struct wire_counters counters;
    uint64_t sequence; // of the last acknowledgement
    struct wire_receipt receipt;
    uint64_t credit_bytes;    // as last stated
    uint64_t in_flight_bytes; // of Batch and Gap messages with the committer
    struct connection *next_by_peer, *next_by_key, *next, *previous;
};

struct connections;
enum err connections_create(size_t max, struct connections **out) MUST_USE;
void connections_destroy(struct connections *c);
struct connection *connections_find(struct connections *c, const struct mq_peer *peer); // NULL: none
// The connection that holds the key now (not superseded), NULL: none.
struct connection *connections_of_key(struct connections *c, int64_t key_id);
// A new one, made when there is room; the superseded one that was silent longest makes room. NULL: full or no
// memory.
struct connection *connections_add(struct connections *c, const struct mq_peer *peer,
                                   const struct admitted *who);
void connections_remove(struct connections *c, struct connection *gone);
struct connection *connections_first(struct connections *c); // then ->next
size_t connections_count(const struct connections *c);

// Those that count (not superseded), as the status shows them; the sums are the caller's. NOMEM.
enum err connections_snapshot(struct connections *cs, struct snapshot *out) MUST_USE;

#endif
