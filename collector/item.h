// What travels between the collector's threads. An item is owned by whoever holds it; a message's item goes
// from ingest to the committer and comes back with its outcome, so as many can be on the way as ingest has
// let out, and no more.
#ifndef ESEP_COLLECTOR_ITEM_H
#define ESEP_COLLECTOR_ITEM_H

#include "base/queue.h"
#include "collector/address.h"
#include "collector/admission.h"
#include "collector/clock_guard.h"
#include "collector/desk.h"
#include "collector/rates.h"
#include "collector/retain.h"
#include "collector/snapshot.h"
#include "net/mq.h"
#include "store/audit.h"
#include "store/ledger_identity.h"
#include "wire/message.h"

#define COLLECTOR_MAX_SERIES 10000 // numbers of one incarnation

enum item_kind {
    ITEM_MESSAGE,  // ingest → committer → ingest
    ITEM_ADMIT,    // control → committer → control
    ITEM_REVOKE,   // control → committer → control
    ITEM_RELEASE,  // control → committer → control
    ITEM_INVITE,   // control → committer → control
    ITEM_WITHDRAW, // control → committer → control
    ITEM_MOVE,     // control → committer → control
    ITEM_DOOR,     // control → door → control: open it
    ITEM_ENROL,    // door → committer → door
    ITEM_RETAIN,   // retention → committer → retention
    ITEM_RATES,    // control or rates → committer → back
    ITEM_REPORT,   // control → committer → control
    ITEM_CLOSE,    // control → committer → control
    ITEM_CLOCK,    // control → committer → control
    ITEM_AUDIT,    // control → committer → control
    ITEM_SNAPSHOT, // control → ingest → control
    ITEM_REBUILD,  // control → observer → control, then control → rrd writer → control
};

enum outcome_kind {
    OUTCOME_NONE,
    OUTCOME_WELCOME,      // sequence, receipt, declares_known
    OUTCOME_ACK,          // sequence, receipt, repeat; reject when samples were refused
    OUTCOME_QUIET,        // a later item of the same group acknowledges this one too; reject as above
    OUTCOME_NEED_DECLARE, // declares_known
    OUTCOME_DECLARED,     // nothing to say
    OUTCOME_REFUSE,       // refuse, text
    OUTCOME_ROTATED,      // key
};

struct outcome {
    enum outcome_kind kind;
    bool durable; // the transaction that made it has been committed
    enum wire_refuse_reason refuse;
    char *text; // owned, NULL: none
    uint64_t sequence, repeat;
    struct wire_receipt receipt;
    uint32_t declares_known;
    uint32_t foreign; // samples refused: of a series number that is not this agent's
    uint8_t key[KEY_BYTES];
    void *reject; // owned: an encoded Reject
    size_t reject_len;
};

struct item_message {
    struct mq_peer peer;
    uint64_t connection; // the connection's serial number: a reply to an older one is not sent
    struct admitted who;
    enum wire_type type;
    bool over_quota; // a batch that is stored as refused
    struct outcome outcome;
    void *bytes; // behind the item, in one allocation
    size_t len;
};

struct release_request { // of refused samples of one row
    uint64_t position;
    int64_t index; // RELEASE_ALL: all that can be
    char author[WIRE_AUTHOR_MAX + 1];
    char reason[WIRE_REASON_MAX + 1]; // required where the period is closed
    char who[128];                    // as the audit log names it; "": the author
    uint64_t released, already, held; // out; held: can't be let in
};
#define RELEASE_ALL (-1)

struct enrolment { // what came to the door, and its answer
    struct mq_peer peer;
    char address[64];
    uint8_t secret_hash[HASH_BYTES], key[KEY_BYTES];
    enum wire_refuse_reason refuse; // NONE: enrolled, as item_admin.agent; diag has the words otherwise
};

struct item_admin {
    struct ledger_agent agent; // ITEM_ADMIT: resident and key in, everything out; ITEM_REVOKE: key_id in
    char series[256];          // ITEM_REBUILD: "" for all
    uint64_t count;            // ITEM_REBUILD: how many will be rebuilt
    struct release_request release;
    char who[128];                   // who asks, for the audit log
    struct audit_entry audit;        // ITEM_AUDIT; its position out
    struct ledger_invite invite;     // ITEM_INVITE: in and out; ITEM_WITHDRAW: invite_id
    uint8_t secret_hash[HASH_BYTES]; // ITEM_INVITE
    struct enrolment enrolment;      // ITEM_ENROL
    char door[ADDRESS_TEXT];         // ITEM_DOOR: host:port for invitations
    uint8_t collector_key[KEY_BYTES];
    int64_t from;                           // ITEM_MOVE: series and agent.agent_id in, from: whose it was
    struct retain_job *job;                 // ITEM_RETAIN; owned
    struct rates_request rates;             // ITEM_RATES
    struct desk_report report;              // ITEM_REPORT
    struct closing_request closing;         // ITEM_CLOSE
    struct clock_confirmation confirmation; // ITEM_CLOCK
    enum err result;
    struct diag diag;
};

struct item {
    enum item_kind kind;
    struct queue *reply_to; // where an item that control sent goes back
    union {                 // admin and snapshot live behind the item: messages are many and stay small
        struct item_message message;
        struct item_admin *admin;
        struct snapshot *snapshot;
    };
};

// NULL: out of memory. bytes are copied.
struct item *item_message_create(const void *bytes, size_t len);
struct item *item_create(enum item_kind kind, struct queue *reply_to);
void item_destroy(struct item *item);
void item_drop(void *item); // item_destroy, as a queue wants it
// What the item holds in memory, for the byte budget.
size_t item_bytes(const struct item *item);
// Forgets an outcome that a rolled back transaction made.
void outcome_reset(struct outcome *o);

#endif
