// Central banks' answers on their way into the ledger: judged there and then, by the book of those before, so
// that what is stored says whether it counts. Used by the committer and, when nothing runs, by a command that
// holds the lock.
#ifndef ESEP_COLLECTOR_RATES_H
#define ESEP_COLLECTOR_RATES_H

#include "collector/counters.h"
#include "kpi/rate_book.h"
#include "store/reader.h"
#include "wire/limits.h"

struct rates_request {
    struct rates rates; // with `confirm` only its bank and the day asked for; out: as stored, with its state
    bool confirm;       // a held answer is to be believed
    char author[WIRE_AUTHOR_MAX + 1]; // "rates" is the collector itself
    char who[128];                    // as the audit log names a person; "": the collector
    bool known;                       // out: the same is stored already, nothing was written
    size_t freed;                     // out: held answers before it that it confirmed
};

struct rates_desk;
// Reads what the ledger has through the reader, borrowed with the rest.
enum err rates_desk_create(struct ledger *l, struct reader *r, struct counters *counters,
                           struct rates_desk **out, struct diag *d) MUST_USE;
void rates_desk_destroy(struct rates_desk *s);
// One transaction. NOT_FOUND: nothing is held for that day. Else as ledger_commit.
enum err rates_desk_take(struct rates_desk *s, struct rates_request *r, struct diag *d) MUST_USE;

#endif
