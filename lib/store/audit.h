// The audit log: who changed what, who was refused what. Entries are appended by the collector alone, in the
// ledger's transactions, to a table of the ledger's database with a hash chain of its own whose end is in
// ledger.head; README.md says what that proves. Threads: as the ledger, or as the reader.
#ifndef ESEP_STORE_AUDIT_H
#define ESEP_STORE_AUDIT_H

#include "store/reader.h"

// id, code, prose. What was attempted; whether it was done is the entry's outcome. A code is never given
// another meaning; new ones are added.
#define AUDIT_EVENT_LIST(X)                                                                                  \
    X(START, "start", "the collector began to run; pending counts of a run without a stop are lost")         \
    X(STOP, "stop", "the collector stopped, with everything written")                                        \
    X(KEYGEN, "keygen", "the collector's key pair was made")                                                 \
    X(ROTATE_KEY, "rotate-key", "a key was replaced, the collector's or an agent's")                         \
    X(ADMIT, "admit", "an agent's key was let in by an operator")                                            \
    X(REVOKE, "revoke", "an agent's key was shut out")                                                       \
    X(INVITE, "invite", "an invitation was made or withdrawn")                                               \
    X(ENROL, "enrol", "a newcomer presented an invitation")                                                  \
    X(MOVE_SERIES, "move-series", "a series was given to another agent of its resident")                     \
    X(QUOTA, "quota", "a resident's limits were changed or exceeded")                                        \
    X(REBUILD, "rebuild", "round-robin files were ordered to be made anew")                                  \
    X(RELEASE, "release", "refused samples were let in after all")                                           \
    X(RETENTION, "retention", "raw measurements were rolled up or dropped")                                  \
    X(REPORT, "report", "a person declared a figure")                                                        \
    X(REVISE, "revise", "a person replaced a declared figure")                                               \
    X(CONTROL, "control", "catalogue, targets, calendars, members, rates, closures or rules were changed")   \
    X(USER, "user", "a user of the dashboard was added, changed or removed")                                 \
    X(TOKEN, "token", "a token for scripts was made or withdrawn")                                           \
    X(LOGIN, "login", "somebody gave a name and a password")                                                 \
    X(LOGOUT, "logout", "a session was ended")                                                               \
    X(READ, "read", "a page or figures were asked for without the right to see them")                        \
    X(EXPORT, "export", "figures were taken out of the system")                                              \
    X(HANDSHAKE, "handshake", "somebody knocked at the agents' door without a key that is let in")           \
    X(HELLO, "hello", "an agent's first message")                                                            \
    X(MESSAGE, "message", "an agent's message that can't be its, or not now")                                \
    X(CREDIT, "credit", "an agent sent far beyond the credit it was given")                                  \
    X(CONNECTION, "connection", "a connection with a key that speaks on another one")                        \
    X(DECLARE, "declare", "an agent named a series that it may not have")                                    \
    X(BATCH, "batch", "an agent's batch that contradicts what is stored")                                    \
    X(RECEIPT, "receipt", "an agent's receipt that is not in the ledger")                                    \
    X(REQUEST, "request", "a request on the control socket")

enum audit_event {
#define X(id, code, prose) AUDIT_##id,
    AUDIT_EVENT_LIST(X)
#undef X
        AUDIT_EVENTS
};
const char *audit_event_code(enum audit_event e);
const char *audit_event_prose(enum audit_event e);
enum err audit_event_find(const char *code, enum audit_event *out) MUST_USE; // NOT_FOUND

enum audit_outcome { AUDIT_DONE, AUDIT_REFUSED };

struct audit_entry {
    enum audit_event event;
    enum audit_outcome outcome;
    // "system", "uid:0", "key:12" (key id), "user:NAME", "address:10.0.0.7"; more may follow after a space.
    char who[128];
    char object[256]; // resident, series, user, path; "" for none
    char detail[512];
    uint64_t count;      // how often: entries of one kind may be one line; 0 counts as 1
    int64_t since_us;    // of the first of them; 0: as received_us
    uint64_t position;   // set by audit_append
    int64_t received_us; // set by audit_append
};
// Text of any origin: what is no UTF-8 or a control character becomes '?', what is too long is cut at a
// character.
void audit_entry_set(struct audit_entry *e, enum audit_event event, enum audit_outcome outcome,
                     const char *who, const char *object, const char *fmt, ...) PRINTF(6, 7);
void audit_entry_detail(struct audit_entry *e, const char *detail);

// ---- writing
// Inside a transaction; the entry is there when that commits. Texts are cleaned as above.
enum err audit_append(struct ledger *l, struct audit_entry *e, struct diag *d) MUST_USE;
// A transaction with these entries alone.
enum err audit_store(struct ledger *l, struct audit_entry *entries, size_t count, struct diag *d) MUST_USE;
// One transaction with the change and its entry: neither is there without the other. A change that fails is
// rolled back, and an entry with the outcome refused and d's text is stored instead (not after NOMEM, FULL,
// IO or CORRUPT: then there is neither). change may fill in the entry; it runs inside the transaction.
// Returns what change returned.
typedef enum err (*audit_change)(struct ledger *l, void *ctx, struct audit_entry *e, struct diag *d);
enum err audit_changed(struct ledger *l, struct audit_entry *e, audit_change change, void *ctx,
                       struct diag *d) MUST_USE;
// The last committed entry; 0: none.
uint64_t audit_position(const struct ledger *l);

// ---- reading
// Entries with position > after, in order, borrowed during the visit; *last as in reader_rows. whole: it
// matches its chain hash (after a damaged one the next is compared with the hash stored there).
typedef enum err (*audit_visit)(void *ctx, const struct audit_entry *e, bool whole);
struct audit_walk {
    uint64_t position, damaged; // zero is the beginning
    uint8_t chain[HASH_BYTES];  // set by audit_read from position 0 on
};
// The next entries, at most max. *count: how many there were. A ledger of an older version has none.
enum err audit_read(struct reader *r, struct audit_walk *walk, size_t max, audit_visit visit, void *ctx,
                    size_t *count, struct diag *d) MUST_USE;
// After the last entry: whether the log ends where the ledger and ledger.head say. *ended: yes; else d says
// what is missing. AGAIN: there are new entries, read on.
enum err audit_read_end(struct reader *r, const struct audit_walk *walk, bool *ended,
                        struct diag *d) MUST_USE;

#endif
