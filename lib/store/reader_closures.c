// A closing is what a row says and when it came: the park is in the document's kind, author and moment are
// the row's.
#include "store/reader_closures.h"
#include "store/ledger_internal.h"
#include <inttypes.h>
#include <string.h>

enum err reader_closure_of(const struct reader_row *row, const struct wire_control *c, bool *is,
                           struct closure *out, struct diag *d)
{
    struct diag why = {0};
    struct closure read;
    const char *park = c->kind + strlen(CLOSURE_KIND);
    *is = strncmp(c->kind, CLOSURE_KIND, strlen(CLOSURE_KIND)) == 0;
    if (!*is)
        return ERR_OK;
    enum err e = series_part_valid(park) ? closure_read(c->document, c->document_len, &read, &why)
                                         : diag_fail(&why, ERR_INVALID, "'%.80s' is no park", park);
    if (e != ERR_OK)
        return diag_fail(d, ERR_CORRUPT, LEDGER_FILE ": the control document at position %" PRIu64 ": %s",
                         row->position, why.text);
    if (!ledger_copy_text(read.park, sizeof read.park, park) ||
        !ledger_copy_text(read.author, sizeof read.author, c->author))
        return diag_fail(d, ERR_CORRUPT, LEDGER_FILE ": the control document at position %" PRIu64,
                         row->position);
    read.received_us = row->received_us;
    read.position = row->position;
    *out = read;
    return ERR_OK;
}

struct reading {
    struct closure_book *book;
    struct diag *d;
};

static enum err take(void *ctx, const struct reader_row *row, const struct wire_control *c)
{
    struct reading *x = ctx;
    struct closure closure;
    bool is = false;
    enum err e = reader_closure_of(row, c, &is, &closure, x->d);
    return e == ERR_OK && is ? closure_book_take(x->book, &closure) : e;
}

enum err reader_closures(struct reader *r, uint64_t *sequence, struct closure_book *b, struct diag *d)
{
    struct reading x = {b, d};
    return reader_controls(r, sequence, take, &x, d);
}
