// The committer's part in who is who: invitations, enrolments, rotations, revocations, whose a series is.
// Each is a transaction of its own; the ledger is changed first, then the admission.
#ifndef ESEP_COLLECTOR_IDENTITY_H
#define ESEP_COLLECTOR_IDENTITY_H

#include "collector/committer_state.h"

// ITEM_ADMIT, ITEM_REVOKE, ITEM_INVITE, ITEM_WITHDRAW, ITEM_MOVE, ITEM_ENROL: sets result and diag of the
// item.
void identity_change(struct committer *c, struct item *item);

// After the group's commit: its Rotate messages are carried out and get their outcomes, and a key that has
// said Hello ends its agent's older one. An error is the ledger's (IO, CORRUPT: exit); what else goes wrong
// is an outcome.
enum err identity_follow(struct committer *c, struct item **items, size_t count, struct diag *d) MUST_USE;

#endif
