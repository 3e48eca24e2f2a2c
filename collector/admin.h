// Admitting and revoking keys in the ledger, by the committer or, when nothing runs, by a command that holds
// the lock.
#ifndef ESEP_COLLECTOR_ADMIN_H
#define ESEP_COLLECTOR_ADMIN_H

#include "collector/item.h"

// Each with its entry in the audit log, done or refused, under the name of who asks.
// resident and public_key in, everything out. Idempotent. INVALID: not park/resident; CONFLICT: the key is
// another resident's; DENIED: it was revoked.
enum err admin_admit(struct ledger *l, const char *who, struct ledger_agent *agent, struct diag *d) MUST_USE;
enum err admin_revoke(struct ledger *l, const char *who, int64_t key_id,
                      struct diag *d) MUST_USE; // NOT_FOUND

// An invitation, its withdrawal (NOT_FOUND), a series' new owner: as ledger_identity.h has them, with their
// entries.
enum err admin_invite(struct ledger *l, const char *who, const uint8_t secret_hash[HASH_BYTES],
                      struct ledger_invite *i, struct diag *d) MUST_USE;
enum err admin_withdraw(struct ledger *l, const char *who, int64_t invite_id, struct diag *d) MUST_USE;
enum err admin_move(struct ledger *l, const char *who, const char *series, int64_t agent_id, int64_t *from,
                    struct diag *d) MUST_USE;
// e->secret_hash, key and address in; e->refuse says what is wrong for a person at the agent, *agent who it
// is otherwise. *again: the same key had the same answer before. What is turned away without a look at keys
// has no entry yet
// (*noted false): the caller tallies it. An error is the ledger's.
enum err admin_enrol(struct ledger *l, const struct clock *clock, struct enrolment *e,
                     struct ledger_agent *agent, bool *again, bool *noted, struct diag *d) MUST_USE;
// How the audit log calls who knocks: the address and the key.
void admin_name_newcomer(const struct enrolment *e, char who[128]);
// key becomes the next one of who's agent; another that waits for its first use is shut out and put into
// *replaced (0: none). CONFLICT, DENIED: not a free key; FULL: too many in an hour.
enum err admin_rotate(struct ledger *l, const struct clock *clock, const struct admitted *who,
                      const uint8_t key[KEY_BYTES], struct ledger_agent *out, int64_t *replaced,
                      struct diag *d) MUST_USE;

#endif
