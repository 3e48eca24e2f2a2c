// The door: where invited agents enrol, and nothing else is spoken. Any CURVE key gets in, so everything is
// bounded: the handshakes in ten seconds, a message's size, the questions a second, those with the committer.
// It runs in a ZeroMQ context of its own, beside the agents' traffic. No socket and no thread inside.
// Threads: one at a time, but for door_decide.
#ifndef ESEP_COLLECTOR_DOOR_H
#define ESEP_COLLECTOR_DOOR_H

#include "base/clock.h"
#include "collector/counters.h"
#include "collector/item.h"

#define DOOR_MESSAGE_MAX_BYTES 512
#define DOOR_HANDSHAKES_MAX    64 // then it must be opened anew, which ends every connection
#define DOOR_FULL_MS           10000
#define DOOR_PENDING_MAX       16 // with the committer
#define DOOR_BURST             40 // questions at once, and
#define DOOR_PER_S             10 // a second

struct door;
struct door_options {
    const struct clock *clock;
    struct counters *counters;
    struct queue *reply_to;      // where the committer sends items back
    char endpoint[ADDRESS_TEXT]; // of the agents, for Enrolled
    enum err (*send)(void *ctx, const struct mq_peer *peer, const void *bytes, size_t len); // never blocks
    void *send_ctx;
};
enum err door_create(const struct door_options *o, struct door **out) MUST_USE;
void door_destroy(struct door *d);
// A zap_decide: ctx is the struct door. Any key gets in until there were too many; the token is the key's
// text.
bool door_decide(void *ctx, const uint8_t public_key[KEY_BYTES], char token[64]);
// True when too many handshakes have been let in: close every connection, open again, call door_opened.
bool door_wants_reopening(const struct door *d);
void door_opened(struct door *d);
// *item: an ITEM_ENROL for the committer, the caller's now; NULL when it was answered or dropped.
enum err door_receive(struct door *d, const struct mq_message *m, struct item **item) MUST_USE;
void door_finish(struct door *d, struct item *item); // back from the committer: answers and frees it

#endif
