// Rates as readers want them: the ledger's documents by bank and day, with when each was received, so that
// what was known at a moment can be asked for. A document is six lines; reading five years of them takes
// milliseconds.
#include "store/observations_rates.h"
#include "kpi/rate_book.h"
#include "store/observations_internal.h"
#include "store/reader_control.h"
#include <stdlib.h>
#include <string.h>

enum err observations_take_control(struct observations *o, struct reader *r, const struct reader_row *row,
                                   struct diag *d)
{
    struct db_stmt *s = o->statements[OBSERVATIONS_INSERT_RATES];
    struct wire_control c;
    struct rates rates;
    bool is = false;
    enum err e = reader_control_of(r, row, &c, d);
    if (e == ERR_OK)
        e = reader_rates_of(row, &c, &is, &rates, d);
    if (e != ERR_OK || !is)
        return e;
    db_bind_int(s, 1, rates.bank);
    db_bind_int(s, 2, rates.asked);
    db_bind_int(s, 3, (int64_t)row->position);
    db_bind_int(s, 4, row->received_us);
    db_bind_text(s, 5, c.author);
    db_bind_blob(s, 6, c.document, c.document_len);
    e = db_run(s);
    return e == ERR_OK ? e : observations_fail(o, e, "cannot write rates", d);
}

static enum err visit_all(struct observations_reader *o, struct db_stmt *s, rates_visit visit, void *ctx,
                          struct diag *d)
{
    struct observed_rates r;
    bool row = false;
    enum err e;
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        size_t len = 0;
        const char *document = db_blob(s, 0, &len);
        if (rates_read(len ? document : "", len, &r.rates, d) != ERR_OK)
            return diag_fail(d, ERR_CORRUPT, "%s: rates are damaged: run `esep-collector rebuild`", o->path);
        r.position = (uint64_t)db_int(s, 1);
        r.received_us = db_int(s, 2);
        r.author = db_text(s, 3);
        if ((e = visit(ctx, &r)) != ERR_OK)
            return e;
    }
    return e == ERR_OK ? e : diag_fail(d, e, "%s: cannot read: %s", o->path, db_error(o->db));
}

enum err observations_rates(struct observations_reader *o, int64_t as_of_us, rates_visit visit, void *ctx,
                            struct diag *d)
{
    struct db_stmt *s = NULL;
    enum err e = observations_reader_begin(
        o,
        "SELECT document, position, received_us, author FROM rates WHERE received_us<=?1"
        " ORDER BY bank, asked, position",
        &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, as_of_us == 0 ? INT64_MAX : as_of_us);
    e = visit_all(o, s, visit, ctx, d);
    observations_reader_end(o, s);
    return e;
}

static enum err take(void *ctx, const struct observed_rates *r)
{
    return rate_book_take(ctx, &r->rates);
}

enum err observations_rate_book(struct observations_reader *o, int64_t as_of_us, struct rate_book **out,
                                struct diag *d)
{
    struct rate_book *b = NULL;
    enum err e = rate_book_create(&b);
    if (e == ERR_OK)
        e = observations_rates(o, as_of_us, take, b, d);
    if (e == ERR_NOMEM)
        (void)diag_fail(d, e, "rates: %s", err_text(e));
    if (e == ERR_OK)
        *out = b;
    else
        rate_book_destroy(b);
    return e;
}

enum err observations_rates_position(struct observations_reader *o, uint64_t *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = observations_reader_begin(o, "SELECT max(position) FROM rates", &s, d);
    if (e != ERR_OK)
        return e;
    if ((e = db_step(s, &row)) != ERR_OK)
        e = diag_fail(d, e, "%s: cannot read: %s", o->path, db_error(o->db));
    else
        *out = row ? (uint64_t)db_int(s, 0) : 0;
    observations_reader_end(o, s);
    return e;
}
