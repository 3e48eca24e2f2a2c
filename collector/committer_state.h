// What the parts of the committer share: committer.c runs the transaction, sequence.c knows the rules of the
// protocol.
#ifndef ESEP_COLLECTOR_COMMITTER_STATE_H
#define ESEP_COLLECTOR_COMMITTER_STATE_H

#include "collector/claims.h"
#include "collector/clock_guard.h"
#include "collector/committer.h"
#include "collector/desk.h"
#include "collector/quiet.h"
#include "collector/streams.h"
#include "wire/codec.h"

struct committer {
    struct committer_options o;
    struct streams *streams;
    struct wire_arena *arena;
    struct buf verdict;
    struct wire_refusal *refusals; // WIRE_SAMPLES_MAX
    const struct kpi **kpi_of;     // by series id; NULL: not asked yet or not in the catalogue
    size_t kpi_count;
    struct rates_desk *rates; // NULL without a reader
    struct desk *desk;        // as that
    struct clock_guard guard;
    struct claims claims; // of this group
    struct quiet alarms, declares, gaps, enrolments;
};

// One message of a group, decoded, inside the transaction: judges it by the stream's state, stores what is to
// be stored, sets items[at]'s outcome. A refusal is an outcome; an error is one of the ledger.
enum err sequence_hello(struct committer *c, struct stream *s, struct item_message *m,
                        const struct wire_hello *h, struct diag *d) MUST_USE;
enum err sequence_declare(struct committer *c, struct stream *s, struct item_message *m,
                          const struct wire_declare *declare) MUST_USE;
enum err sequence_batch(struct committer *c, struct stream *s, struct item **items, size_t at,
                        const struct wire_batch *b, struct diag *d) MUST_USE;
enum err sequence_gap(struct committer *c, struct stream *s, struct item **items, size_t at,
                      const struct wire_gap *g, struct diag *d) MUST_USE;

void outcome_refuse(struct item_message *m, enum wire_refuse_reason reason, const char *text);

#endif
