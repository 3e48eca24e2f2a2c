// Invitations, an agent's further keys, whose a series is. Each call is a transaction of its own, or part of
// the open one, which must be rolled back when the call fails.
#ifndef ESEP_STORE_LEDGER_IDENTITY_H
#define ESEP_STORE_LEDGER_IDENTITY_H

#include "store/ledger.h"

struct ledger_invite {
    int64_t invite_id;
    char resident[128]; // "park/resident"
    int64_t agent_id;   // the key becomes one of this agent; 0: it makes an agent
    char author[WIRE_AUTHOR_MAX + 1];
    int64_t made_us, expires_us;
    int64_t used_us, key_id; // 0: not yet
    int64_t withdrawn_us;    // 0: not
};

// resident, agent_id, author and expires_us in, the rest out. The secret itself is never stored. EXISTS: the
// hash is known. INVALID: not park/resident.
enum err ledger_invite_add(struct ledger *l, const uint8_t secret_hash[HASH_BYTES], struct ledger_invite *i,
                           struct diag *d) MUST_USE;
enum err ledger_invite_find(struct ledger *l, const uint8_t secret_hash[HASH_BYTES],
                            struct ledger_invite *out,
                            struct diag *d) MUST_USE; // NOT_FOUND
// The key becomes the invitation's agent's (or a new agent's), and the invitation is used, both or none. A
// key that is the resident's already only uses it up. CONFLICT: used, or another resident's (or agent's) key;
// DENIED: a revoked key; NOT_FOUND: no such invitation, or its agent has no key that is valid.
enum err ledger_invite_use(struct ledger *l, int64_t invite_id, const uint8_t public_key[KEY_BYTES],
                           struct ledger_agent *out, struct diag *d) MUST_USE;
enum err ledger_invite_withdraw(struct ledger *l, int64_t invite_id,
                                struct diag *d) MUST_USE; // NOT_FOUND: none open
typedef enum err (*ledger_invite_visit)(void *ctx, const struct ledger_invite *i);
enum err ledger_invites(struct ledger *l, ledger_invite_visit visit, void *ctx, struct diag *d) MUST_USE;

// Another key for an agent. CONFLICT: it is another agent's; DENIED: it was revoked. One it has already is
// found.
enum err ledger_key_add(struct ledger *l, int64_t agent_id, const uint8_t public_key[KEY_BYTES],
                        struct ledger_agent *out, struct diag *d) MUST_USE;

// The series belongs to the agent from now on; call ledger_series_reload when the transaction has ended,
// either way. *from: whose it was. NOT_FOUND: no such series, or no such agent. INVALID: the agent is not of
// the series' resident.
enum err ledger_series_move(struct ledger *l, const char *name, int64_t agent_id, int64_t *from,
                            struct diag *d) MUST_USE;

// Whether the resident may have this series: it is known, or there are fewer than `most`. FULL otherwise.
// Inside a transaction or not.
enum err ledger_series_room(struct ledger *l, const char *resident, const char *name, uint32_t most,
                            struct diag *d) MUST_USE;
void ledger_series_reload(struct ledger *l, const char *name);

#endif
