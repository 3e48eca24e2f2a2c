// What arrives from agents: who sent it (by the connection's token alone), whether its connection may send it
// now, and what must go to the committer. Also what goes back: Welcome, Ack, Reject, Refuse, NeedDeclare,
// with credit from one byte budget over all agents. No socket and no thread inside: messages come in by a
// call, go out through `send`. Threads: one at a time.
#ifndef ESEP_COLLECTOR_INGEST_H
#define ESEP_COLLECTOR_INGEST_H

#include "base/clock.h"
#include "collector/audit_tally.h"
#include "collector/counters.h"
#include "collector/item.h"
#include "collector/quota.h"

#define INGEST_CREDIT_MAX_BYTES (1u << 20)
#define INGEST_SILENCE_S                                                                                     \
    90 // after so long without a word a connection is forgotten (heartbeats come each 30 s)
#define INGEST_CHANGES_MAX   10 // new incarnations of a key in a minute
#define INGEST_ROTATIONS_MAX 5  // in a second, of all agents

// The collector's key that is to come, and the port where it is served already. A peer that came by it has an
// address one byte longer than libzmq's: INGEST_NEXT_LEN.
struct ingest_next {
    uint16_t port; // 0: none
    uint8_t key[KEY_BYTES];
};
#define INGEST_NEXT_LEN 6

struct duties;
struct ingest;
struct ingest_options {
    const struct clock *clock;
    struct admission *admission;
    struct counters *counters;
    struct audit_tally *tally; // NULL: refusals are not audited
    uint64_t budget_bytes;
    size_t max_items; // with the committer at a time
    size_t max_connections;
    // Never blocks: AGAIN when the peer's queue is full, CLOSED when the peer has gone.
    enum err (*send)(void *ctx, const struct mq_peer *peer, const void *bytes, size_t len);
    void (*shut)(void *ctx, int fd); // closes a connection whose key was revoked; NULL: nobody can
    void *send_ctx;
    struct duties *duties;       // borrowed; NULL: nobody is told what is owed
    const struct quotas *quotas; // borrowed; NULL: no limits
    struct ingest_next next;
};
enum err ingest_create(const struct ingest_options *o, struct ingest **out) MUST_USE;
void ingest_destroy(struct ingest *in);

// False: receive nothing more until items came back (the memory given to received messages is used up).
bool ingest_has_room(const struct ingest *in);
// One message. *item: for the committer, the caller's now; NULL when it was answered at once. NOMEM: dropped,
// counted.
enum err ingest_receive(struct ingest *in, const struct mq_message *m, struct item **item) MUST_USE;
// What mq_receive dropped: counted, and said of whom it came.
void ingest_dropped(struct ingest *in, const struct mq_message *m);
// An item of ingest_receive back from the committer with its outcome: answers and frees it.
void ingest_finish(struct ingest *in, struct item *item);
// An item that could not be handed over: forgotten as if it had never come (the agent sends it again), freed.
void ingest_abandon(struct ingest *in, struct item *item);
// At least once a second: forgets silent connections, sends owed acknowledgements. paused: no credit for
// anybody.
void ingest_tick(struct ingest *in, bool paused);
// The live connections; NOMEM.
enum err ingest_snapshot(const struct ingest *in, struct snapshot *out) MUST_USE;

#endif
