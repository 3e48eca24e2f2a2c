// What the parts of ingest share: ingest.c takes in, ingest_reply.c answers, ingest_revoked.c shuts out.
#ifndef ESEP_COLLECTOR_INGEST_STATE_H
#define ESEP_COLLECTOR_INGEST_STATE_H

#include "collector/connections.h"
#include "collector/ingest.h"
#include "collector/quiet.h"
#include "wire/codec.h"

#define INGEST_SHUT_MAX 1024 // connections to be closed at the next tick

struct ingest {
    struct ingest_options o;
    struct connections *connections;
    struct wire_arena *arena;
    struct buf reply;
    uint64_t bytes_out, items_out; // with the committer
    size_t welcomed;               // as of the last tick, for the shares of the budget
    bool paused, speaks;
    struct admitted speaker;       // who is being answered, while `speaks`
    struct ingest_bucket *buckets; // of residents, ingest_quota.c
    struct mono rotations_since;
    unsigned rotations;
    uint64_t duties_told; // version of all, as of the last tick
    uint64_t removals;    // of keys, as of the last tick
    int shut[INGEST_SHUT_MAX];
    size_t shut_count;
    struct quiet malformed, superseded;
    struct quiet_burst connected, gone;
};

// ---- ingest_reply.c: all of them count what a full or gone peer did not take
uint64_t ingest_credit(const struct ingest *in);
// refuse: also into the audit log, under who speaks; note_refusal: that alone.
enum err ingest_refuse(struct ingest *in, const struct mq_peer *peer, enum wire_refuse_reason reason,
                       const char *text);
void ingest_note_refusal(struct ingest *in, enum wire_refuse_reason reason, const char *text);
enum err ingest_send_refusal(struct ingest *in, const struct mq_peer *peer, enum wire_refuse_reason reason,
                             const char *text);
void ingest_send_ack(struct ingest *in, struct connection *c, uint64_t repeat);
void ingest_answer(struct ingest *in, struct connection *c, const struct outcome *o);
// To a Rotate, which has no Hello before it.
void ingest_answer_rotate(struct ingest *in, const struct mq_peer *peer, const struct outcome *o);

// ---- ingest_quota.c
struct ingest_bucket *ingest_bucket_of(struct ingest *in,
                                       const char *resident); // NULL: no limit (or no memory)
void ingest_buckets_free(struct ingest *in);
enum ingest_share { INGEST_WITHIN, INGEST_REFUSE, INGEST_DROP };
enum ingest_share ingest_quota_take(struct ingest *in, struct connection *c, size_t samples);
uint64_t ingest_quota_credit(struct ingest *in, struct connection *c, uint64_t credit); // no more than this
bool ingest_quota_may_go_on(struct ingest *in,
                            struct connection *c); // it was slowed, and there is room again

// ---- ingest_owed.c
void ingest_note_owed(struct ingest *in, struct connection *c, bool wanted); // at a Hello
void ingest_tell_owed(struct ingest *in, struct connection *c);              // where it is news
void ingest_tell_all_owed(struct ingest *in);                                // at each tick

// ---- ingest_revoked.c
// A message with a token that is nobody's (any more): refused, and its connection closed at the next tick, so
// that the refusal is on its way before.
void ingest_revoked(struct ingest *in, const struct mq_message *m);
// At each tick: closes what was to be closed, then looks for connections whose key has been taken out since.
void ingest_shut_out(struct ingest *in);

#endif
