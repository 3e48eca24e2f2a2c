// The agent's side of esep.proto as a pure state machine: events in, messages and requests out through the
// functions of struct uplink_io. No socket, thread, file or sleep in here; time comes from the clock it is
// given. Threads: one at a time. No function of uplink_io may call back into the core.
#ifndef ESEP_AGENT_UPLINK_CORE_H
#define ESEP_AGENT_UPLINK_CORE_H

#include "agent/spool_reader.h"
#include "base/clock.h"
#include "base/err.h"
#include "wire/message.h"
#include <stdbool.h>
#include <stdint.h>

enum uplink_event_type {
    UPLINK_CONNECTED,        // welcomed: text is the resident
    UPLINK_NO_ANSWER,        // nobody has answered for a while; told once until somebody does
    UPLINK_KEY_UNKNOWN,      // the collector does not let our key in; told once until it does
    UPLINK_LOST,             // the connection is gone; number: milliseconds until it is opened again
    UPLINK_SILENT,           // no answer to batches in time: Hello again
    UPLINK_COLLECTOR_BEHIND, // number: its last sequence
    UPLINK_COLLECTOR_AHEAD,
    UPLINK_OTHER_BODY,       // a sequence is stored there with other bytes: spool restored or machine cloned
    UPLINK_REFUSED,          // refuse; text: the collector's words
    UPLINK_REJECTED,         // reason, sequence, number of samples; text: which
    UPLINK_BAD_MESSAGE,      // text
    UPLINK_SPOOL_UNREADABLE, // error; text
};
struct uplink_event {
    enum uplink_event_type type;
    enum wire_refuse_reason refuse;
    enum wire_reason reason;
    enum err error;
    uint64_t sequence, number;
    const char *text; // never NULL; borrowed
};

enum uplink_transport { UPLINK_CLOSE, UPLINK_OPEN };

struct uplink_io {
    void *ctx;
    // AGAIN: not now; the core asks again at its next event or tick. Other errors count as a lost connection.
    enum err (*send)(void *ctx, const void *bytes, size_t len);
    // CLOSE when the connection was lost; OPEN after a uniform 0 to 15 s, so that a collector that returns is
    // not met by all its agents at once.
    void (*transport)(void *ctx, enum uplink_transport what);
    // What is in the spool: as struct spool_reader gives it.
    enum err (*message)(void *ctx, uint64_t first, struct spool_message *out, struct diag *d);
    enum err (*declare)(void *ctx, uint32_t number, struct wire_declare *out, struct diag *d);
    // Requests to the spool's owner, in this order; what they change comes back by uplink_core_spool.
    void (*acknowledged)(void *ctx, uint64_t sequence, const struct wire_receipt *receipt);
    void (*allow)(void *ctx, bool sending);
    void (*known)(void *ctx,
                  uint32_t declares); // at each Welcome: numbers the collector has; NULL: of no interest
    void (*next)(void *ctx, uint16_t port,
                 const uint8_t key[WIRE_KEY_BYTES]); // the collector's next key; NULL: of no interest
    void (*owed)(void *ctx, const void *bytes,
                 size_t len); // what the resident owes, as it came; NULL: the collector isn't asked
    void (*rewind)(void *ctx, uint64_t last);
    void (*renew)(void *ctx);
    uint32_t (*random)(void *ctx, uint32_t below);
    void (*event)(void *ctx, const struct uplink_event *e);
};

enum uplink_contact {
    UPLINK_CONTACT_NONE,   // nobody answers
    UPLINK_CONTACT_DENIED, // our key is not known there
    UPLINK_CONTACT_UP      // the handshake is done
};
struct uplink_link { // for status
    bool connected;  // welcomed, and not lost or refused since
    enum uplink_contact contact;
    char resident[128]; // "" until it is known
    int64_t skew_ms;    // the collector's clock minus ours at the last Welcome
    uint64_t credit_bytes;
    uint64_t rejected;                          // samples
    char rejected_sample[WIRE_SERIES_MAX + 40]; // the newest: "jobs_total of 2026-03"; "" where none was
    enum wire_reason rejected_reason;           // of that one
    enum wire_refuse_reason refused;            // the last, since the last Welcome
    char refused_text[256];
};

struct uplink_core;

// clock and io are borrowed (io copied). version: the program's.
enum err uplink_core_create(const struct clock *clock, const struct uplink_io *io, const char *version,
                            struct uplink_core **out) MUST_USE;
void uplink_core_destroy(struct uplink_core *c);

void uplink_core_spool(struct uplink_core *c,
                       const struct spool_state *state); // at the start and after each change
void uplink_core_connected(struct uplink_core *c);       // the handshake is done
void uplink_core_denied(struct uplink_core *c);          // the collector does not know our key
void uplink_core_disconnected(struct uplink_core *c);    // it was, and is lost
// The connection was exchanged for another one (a new key), which is not up yet: nothing is lost by it.
void uplink_core_exchanged(struct uplink_core *c);
void uplink_core_message(struct uplink_core *c, const void *bytes, size_t len);
void uplink_core_tick(struct uplink_core *c); // at least when uplink_core_wait_ms has passed; also when
                                              // sending is possible again
int uplink_core_wait_ms(const struct uplink_core *c);
// Nothing more is sent but what is on the way is waited for (false: as usual again).
void uplink_core_hold(struct uplink_core *c, bool hold);

bool uplink_core_wants_to_send(const struct uplink_core *c); // the last send said AGAIN
bool uplink_core_idle(const struct uplink_core *c);          // nothing on the way
bool uplink_core_done(
    const struct uplink_core *c); // nothing on the way and all that is in the spool acknowledged
const struct uplink_link *uplink_core_link(const struct uplink_core *c);

bool uplink_link_same(const struct uplink_link *a, const struct uplink_link *b);

// What an administrator can do about a refusal.
const char *uplink_refuse_advice(enum wire_refuse_reason r);

#endif
