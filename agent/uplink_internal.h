// What uplink_core.c (states and sending) and uplink_receive.c (what comes in) share.
#ifndef ESEP_AGENT_UPLINK_INTERNAL_H
#define ESEP_AGENT_UPLINK_INTERNAL_H

#include "agent/uplink_core.h"
#include "base/buf.h"
#include "wire/codec.h"

#define UPLINK_WINDOW            256
#define UPLINK_HELLO_US          (5 * US_PER_S)
#define UPLINK_ACK_US            (10 * US_PER_S)
#define UPLINK_REFUSED_US        (30 * US_PER_S)
#define UPLINK_HEARTBEAT_US      (30 * US_PER_S)
#define UPLINK_STARVED_US        (60 * US_PER_S) // no credit and no word: perhaps the Ack that gave it was lost
#define UPLINK_RETRY_US          (US_PER_S / 5)  // a full socket
#define UPLINK_NO_ANSWER_US      (10 * US_PER_S) // without a handshake: told
#define UPLINK_REOPEN_MAX_MS     15000
#define UPLINK_REFUSED_SPREAD_MS 10000

enum uplink_state {
    UPLINK_DOWN,     // no connection yet; told at `until`
    UPLINK_CLOSED,   // lost; opened again at `until`
    UPLINK_GREETING, // Hello said; again at `until`
    UPLINK_PROBING,  // asking of each message whether what the collector has under its sequence is ours
    UPLINK_READY,
    UPLINK_WAITING,    // for the spool to be rewound or renewed
    UPLINK_TURNED_AWAY // refused; Hello at `until`
};

struct uplink_sent { // a message on the way
    uint64_t first, last;
    uint32_t len;
};

struct uplink_core {
    const struct clock *clock;
    struct uplink_io io;
    const char *version;
    struct wire_arena *arena;
    struct buf out;
    struct spool_state spool;
    bool spool_known, up, hold, blocked;
    bool absence_told; // that nobody answers, or that our key is not known
    enum uplink_state state;
    struct mono until, hello_said, ack_due, heartbeat_due, heard;
    // since the last Welcome
    uint64_t acknowledged;
    struct wire_receipt receipt; // of acknowledged
    uint64_t next;               // first sequence not on the way
    uint64_t reached;            // last sequence of this spool sent on this connection
    uint32_t declares_sent;
    uint64_t probe; // last sequence to ask about
    bool renew_after_probe;
    struct uplink_sent sent[UPLINK_WINDOW]; // ring
    size_t sent_first, sent_count;
    uint64_t sent_bytes;
    struct uplink_link link;
};

void uplink_say_hello(struct uplink_core *c);
void uplink_wait(struct uplink_core *c, enum uplink_state state, int64_t us);
void uplink_pump(struct uplink_core *c); // sends what may be sent
void uplink_lost(struct uplink_core *c);
void uplink_get_ready(struct uplink_core *c);
void uplink_tell(struct uplink_core *c, const struct uplink_event *e);
void uplink_forget_sent(struct uplink_core *c); // goes back to the first one not acknowledged
struct mono uplink_after(const struct uplink_core *c, int64_t us);

#endif
