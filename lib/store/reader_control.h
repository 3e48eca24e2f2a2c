// Reading the control documents of the ledger: what decides figures, in the order in which it came. As
// reader.h.
#ifndef ESEP_STORE_READER_CONTROL_H
#define ESEP_STORE_READER_CONTROL_H

#include "kpi/rate_book.h"
#include "store/reader.h"

// Of a row of the kind LEDGER_CONTROL. *out is valid until the reader's next call.
enum err reader_control_of(struct reader *r, const struct reader_row *row, struct wire_control *out,
                           struct diag *d) MUST_USE;
typedef enum err (*reader_control_visit)(void *ctx, const struct reader_row *row,
                                         const struct wire_control *c);
// The documents after the sequence (0: all), which moves to the last one visited.
enum err reader_controls(struct reader *r, uint64_t *sequence, reader_control_visit visit, void *ctx,
                         struct diag *d) MUST_USE;

// Documents "rates/<bank>". *is: whether it is one. CORRUPT when it is one that does not read.
enum err reader_rates_of(const struct reader_row *row, const struct wire_control *c, bool *is,
                         struct rates *out, struct diag *d) MUST_USE;
// Takes into the book what the ledger has after the sequence, which moves.
enum err reader_rates(struct reader *r, uint64_t *sequence, struct rate_book *b, struct diag *d) MUST_USE;

#endif
