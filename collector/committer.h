// The rules of sequences and the one ledger transaction for all that has queued up. No thread inside.
// Threads: one at a time; the ledger is its.
#ifndef ESEP_COLLECTOR_COMMITTER_H
#define ESEP_COLLECTOR_COMMITTER_H

#include "base/clock.h"
#include "collector/audit_tally.h"
#include "collector/counters.h"
#include "collector/item.h"
#include "collector/quota.h"
#include "kpi/park.h"

#define COMMITTER_GROUP_MAX 8192 // items in a transaction

struct committer;
struct committer_options {
    struct ledger *ledger; // borrowed, as everything here
    struct reader *reader; // to look up receipts; NULL: agents' receipts are not checked
    const struct catalogue *catalogue;
    const struct clock *clock;
    struct counters *counters;
    struct admission *admission;
    const struct quotas *quotas; // borrowed; NULL: no limits
    struct audit_tally *tally;   // NULL: refusals are not audited
    const struct parks *parks;   // NULL: all days are UTC's
};
// Loads the durable counters' totals when there is a reader.
enum err committer_create(const struct committer_options *o, struct committer **out, struct diag *d) MUST_USE;
void committer_destroy(struct committer *c);

// Commits the items (ITEM_MESSAGE) as one transaction and sets each one's outcome. OK: what the outcomes say
// is on disk. FULL: nothing was stored; keep the items and call again when there is room. AGAIN: the same, in
// a moment; what is closed can't be read just now. IO, CORRUPT: nothing may be acknowledged any more; exit.
// An item that alone makes the ledger fail in another way is refused (UNAVAILABLE) and counted.
enum err committer_run(struct committer *c, struct item **items, size_t count, struct diag *d) MUST_USE;

// What control, the door and retention send: commits, changes the admission, sets result and diag of
// the item. Returns IO and CORRUPT as above, else OK.
enum err committer_admin(struct committer *c, struct item *item) MUST_USE;
// Looks at the clock, and says whether it is so far behind the ledger's last row that nothing is taken in.
bool committer_clock_behind(struct committer *c);
// What the tally holds and is due (or all of it) goes into the audit log. FULL: later.
enum err committer_audit(struct committer *c, bool all, struct diag *d) MUST_USE;

#endif
