// Documents have a stream of their own, so that the few of them are found without passing over millions of
// batches.
#include "store/reader_control.h"
#include "store/reader_internal.h"
#include "store/reader_keep.h"
#include <inttypes.h>
#include <string.h>

#define RATES "rates/"

enum err reader_control_of(struct reader *r, const struct reader_row *row, struct wire_control *out,
                           struct diag *d)
{
    struct wire_message m;
    struct diag why = {0};
    enum err e = wire_decode_kept(r->body_arena, row->body, row->body_len, &m, &why);
    if (e != ERR_OK || m.type != WIRE_CONTROL_MESSAGE || m.control.parts != 1)
        return diag_fail(d, e == ERR_NOMEM ? e : ERR_CORRUPT,
                         LEDGER_FILE ": the control document at position %" PRIu64 " is damaged: %s",
                         row->position, why.text);
    *out = m.control;
    return ERR_OK;
}

static enum err find_stream(struct reader *r, int64_t *stream_id, struct diag *d)
{
    static const struct wire_incarnation own = {LEDGER_CONTROL_STREAM};
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(
        r->db, "SELECT stream_id FROM stream JOIN agent USING(agent_id) WHERE resident='' AND incarnation=?1",
        &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_blob(s, 1, own.bytes, sizeof own.bytes);
    if ((e = db_step(s, &row)) != ERR_OK)
        e = reader_fail(r, e, "cannot look for control documents", d);
    *stream_id = e == ERR_OK && row ? db_int(s, 0) : 0;
    db_finalize(s);
    return e;
}

struct visiting {
    struct reader *reader;
    reader_control_visit visit;
    void *ctx;
    uint64_t *sequence;
    struct diag *d;
};

static enum err visit_row(void *ctx, const struct reader_row *row)
{
    struct visiting *v = ctx;
    struct wire_control c;
    enum err e = reader_control_of(v->reader, row, &c, v->d);
    if (e == ERR_OK)
        e = v->visit(v->ctx, row, &c);
    if (e == ERR_OK)
        *v->sequence = row->last_sequence;
    return e;
}

enum err reader_controls(struct reader *r, uint64_t *sequence, reader_control_visit visit, void *ctx,
                         struct diag *d)
{
    uint64_t reached = *sequence;
    struct visiting v = {r, visit, ctx, &reached, d};
    int64_t stream_id = 0;
    enum err e = find_stream(r, &stream_id, d);
    if (e != ERR_OK || stream_id == 0)
        return e;
    e = reader_stream_rows(r, stream_id, reached + 1, INT64_MAX, visit_row, &v, d);
    *sequence = reached;
    return e;
}

// ---- rates
// -----------------------------------------------------------------------------------------------------------

enum err reader_rates_of(const struct reader_row *row, const struct wire_control *c, bool *is,
                         struct rates *out, struct diag *d)
{
    struct diag why = {0};
    *is = strncmp(c->kind, RATES, strlen(RATES)) == 0;
    if (!*is || rates_read(c->document, c->document_len, out, &why) == ERR_OK)
        return ERR_OK;
    return diag_fail(d, ERR_CORRUPT, LEDGER_FILE ": the control document at position %" PRIu64 ": %s",
                     row->position, why.text);
}

struct reading {
    struct rate_book *book;
    struct diag *d;
};

static enum err take_rates(void *ctx, const struct reader_row *row, const struct wire_control *c)
{
    struct reading *x = ctx;
    struct rates r;
    bool is;
    enum err e = reader_rates_of(row, c, &is, &r, x->d);
    return e == ERR_OK && is ? rate_book_take(x->book, &r) : e;
}

enum err reader_rates(struct reader *r, uint64_t *sequence, struct rate_book *b, struct diag *d)
{
    struct reading x = {b, d};
    return reader_controls(r, sequence, take_rates, &x, d);
}
