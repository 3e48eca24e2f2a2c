// Closed periods. A closing says of a span of civil days in a park, for one KPI or all, that its reports are
// settled: from then on a figure of a period within it is a correction, which needs a reason and somebody who
// may. Of several words about a period the last one that covers it counts. Immutable words, no clock.
#ifndef ESEP_KPI_CLOSURE_H
#define ESEP_KPI_CLOSURE_H

#include "base/buf.h"
#include "base/err.h"
#include "kpi/period.h"
#include "kpi/series.h"
#include <stddef.h>

#define CLOSURE_REASON_MAX   255
#define CLOSURE_AUTHOR_MAX   63
#define CLOSURE_DOCUMENT_MAX 600
#define CLOSURE_KIND         "closure/" // of control documents: "closure/almaty-iz"

struct closure {
    char park[SERIES_PART_MAX + 1];
    char kpi[SERIES_PART_MAX + 1]; // "": all
    struct period period;
    bool reopens; // else it closes
    char reason[CLOSURE_REASON_MAX + 1];
    // of the ledger's row
    char author[CLOSURE_AUTHOR_MAX + 1];
    int64_t received_us;
    uint64_t position;
};

// The document, which names neither park nor author: text, one "name value" a line.
enum err closure_write(const struct closure *c, struct buf *out) MUST_USE;
// Fills in what the document says. INVALID.
enum err closure_read(const void *document, size_t len, struct closure *out, struct diag *d) MUST_USE;

struct closure_book;
enum err closure_book_create(struct closure_book **out) MUST_USE;
void closure_book_destroy(struct closure_book *b);
// In the ledger's order; copied. FULL beyond CLOSURES_MAX.
#define CLOSURES_MAX 100000
enum err closure_book_take(struct closure_book *b, const struct closure *c) MUST_USE;
size_t closure_book_count(const struct closure_book *b);
const struct closure *closure_book_at(const struct closure_book *b, size_t i);

struct closure_question {
    const char *park, *kpi;
    struct period period;
    int64_t as_of_us; // only words received by then; 0: all
    uint64_t before;  // only words before this position of the ledger; 0: all
};
// The closing that holds for the period, borrowed from the book; NULL: it is open.
const struct closure *closure_book_find(const struct closure_book *b, const struct closure_question *q);
// The same of a series and the first day of one of its reports; no report is closed in a NULL book.
const struct closure *closure_of(const struct closure_book *b, const char *series, enum period_kind kind,
                                 int64_t day, int64_t as_of_us, uint64_t before);

#endif
