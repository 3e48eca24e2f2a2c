// Closures of periods as the ledger has them. As reader.h.
#ifndef ESEP_STORE_READER_CLOSURES_H
#define ESEP_STORE_READER_CLOSURES_H

#include "kpi/closure.h"
#include "store/reader_control.h"

// Documents "closure/<park>". *is: whether it is one. CORRUPT when it is one that does not read.
enum err reader_closure_of(const struct reader_row *row, const struct wire_control *c, bool *is,
                           struct closure *out, struct diag *d) MUST_USE;
// Takes into the book what the ledger has after the sequence, which moves.
enum err reader_closures(struct reader *r, uint64_t *sequence, struct closure_book *b,
                         struct diag *d) MUST_USE;

#endif
