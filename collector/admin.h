// Admitting and revoking keys in the ledger, by the committer or, when nothing runs, by a command that holds
// the lock.
#ifndef ESEP_COLLECTOR_ADMIN_H
#define ESEP_COLLECTOR_ADMIN_H

#include "store/ledger.h"

// Each with its entry in the audit log, done or refused, under the name of who asks.
// resident and public_key in, everything out. Idempotent. INVALID: not park/resident; CONFLICT: the key is
// another resident's; DENIED: it was revoked.
enum err admin_admit(struct ledger *l, const char *who, struct ledger_agent *agent, struct diag *d) MUST_USE;
enum err admin_revoke(struct ledger *l, const char *who, int64_t key_id,
                      struct diag *d) MUST_USE; // NOT_FOUND

#endif
