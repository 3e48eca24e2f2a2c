// Admitting and revoking keys in the ledger, by the committer or, when nothing runs, by a command that holds
// the lock.
#ifndef ESEP_COLLECTOR_ADMIN_H
#define ESEP_COLLECTOR_ADMIN_H

#include "store/ledger.h"

// resident and public_key in, everything out. Idempotent. INVALID: not park/resident; CONFLICT: the key is
// another resident's; DENIED: it was revoked.
enum err admin_admit(struct ledger *l, struct ledger_agent *agent, struct diag *d) MUST_USE;
enum err admin_revoke(struct ledger *l, int64_t key_id, struct diag *d) MUST_USE; // NOT_FOUND

#endif
