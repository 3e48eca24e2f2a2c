// What desk.c (reports) and desk_closing.c share.
#ifndef ESEP_COLLECTOR_DESK_STATE_H
#define ESEP_COLLECTOR_DESK_STATE_H

#include "collector/desk.h"
#include "store/audit.h"

struct desk {
    struct desk_options o;
    struct closure_book *closures;
    uint64_t sequence; // of the control documents that are in the book
    bool behind;       // the ledger has a closing that the book lacks
};

// What is known of the period was looked up before the transaction: AGAIN when a figure of it came since.
enum err desk_check_seen(struct desk *s, const struct desk_report *r, struct diag *d) MUST_USE;
// audit_changed, counted.
enum err desk_audited(struct desk *s, struct audit_entry *entry, audit_change change, void *ctx,
                      struct diag *d) MUST_USE;

#endif
