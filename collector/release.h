// Letting refused samples in after all, as a new ledger row.
#ifndef ESEP_COLLECTOR_RELEASE_H
#define ESEP_COLLECTOR_RELEASE_H

#include "collector/committer.h"

// One transaction: the row, the stream's and the durable counters. What is released already is passed over.
// NOT_FOUND: nothing was refused there (or its month was dropped); DENIED: this one can't be accepted at all,
// the diag says why; INVALID: the author is no text. The committer needs its reader.
enum err committer_release(struct committer *c, struct release_request *r, struct diag *d) MUST_USE;

#endif
