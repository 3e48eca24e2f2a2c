// A clock that is far behind what the ledger has already seen (a dead battery, a restored machine, a bad time
// server) would have every new figure refused as one of the future. So credit stops, nothing is stored, and
// agents keep their figures, until the clock is right again or an operator says that it is the ledger's last
// rows that were ahead. Belongs to the committer.
#ifndef ESEP_COLLECTOR_CLOCK_GUARD_H
#define ESEP_COLLECTOR_CLOCK_GUARD_H

#include "base/clock.h"
#include "collector/counters.h"
#include "store/ledger.h"
#include "store/reader.h"

#define CLOCK_BEHIND_MAX_S 300
#define CLOCK_KIND         "clock" // of the control document that confirms it

struct clock_guard {
    struct ledger *ledger; // borrowed, as everything here
    const struct clock *clock;
    struct counters *counters;
    int64_t confirmed_last_us; // the ledger's newest row when it was confirmed; 0: never
    int64_t confirmed_at_us;   // the clock then, or the latest it has been since
    int64_t behind_s;          // 0: it is not
};

// The last confirmation, from the ledger; reader NULL: none.
enum err clock_guard_init(struct clock_guard *g, struct reader *r, struct diag *d) MUST_USE;
// Looks at the clock; true while it is behind. Sets the gauge; what changes is logged.
bool clock_guard_look(struct clock_guard *g);

struct clock_confirmation {
    char author[WIRE_AUTHOR_MAX + 1];
    char who[128];    // as the audit log names them
    int64_t behind_s; // out: how far it was
};
// One transaction with its line in the audit log. CONFLICT: the clock is not behind.
enum err clock_guard_confirm(struct clock_guard *g, struct clock_confirmation *r, struct diag *d) MUST_USE;

// The document's text. INVALID when it does not read.
enum err clock_document_read(const void *document, size_t len, int64_t *last_us, int64_t *at_us) MUST_USE;

#endif
