// The tables beside the rows say where to look; what counts is in the rows, which verify has compared with
// them.
#include "store/reader_keep.h"
#include "store/reader_internal.h"
#include <inttypes.h>
#include <string.h>

enum err reader_kept(struct reader *r, struct ledger_kept *out, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_KEPT];
    bool row = false;
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return reader_fail(r, e, "cannot read its seals", d);
    *out = (struct ledger_kept){0};
    if (row)
        *out = (struct ledger_kept){db_int(s, 0), db_int(s, 1), db_int(s, 2)};
    db_reset(s);
    return ERR_OK;
}

// The row at a position: *found, and *out until the statement is reset.
static enum err step_row(struct reader *r, uint64_t position, struct reader_row *out, bool *found,
                         struct diag *d)
{
    struct db_stmt *s = r->statements[READER_ROW_AT];
    db_bind_int(s, 1, (int64_t)position);
    enum err e = db_step(s, found);
    if (e != ERR_OK)
        return reader_fail(r, e, "cannot read a row", d);
    if (*found)
        reader_row_from(s, out);
    return ERR_OK;
}

// ---- rows without their bodies
// -----------------------------------------------------------------------------------------

enum err reader_row_heads(struct reader *r, uint64_t after, size_t max_rows, reader_row_head_visit visit,
                          void *ctx, uint64_t *last, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_ROW_HEADS];
    uint64_t reached = after;
    bool row = false;
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, (int64_t)after);
    db_bind_int(s, 2, max_rows > INT32_MAX ? INT32_MAX : (int64_t)max_rows);
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        const struct reader_row_head h = {.position = (uint64_t)db_int(s, 0),
                                          .class = (enum wire_class)db_int(s, 1),
                                          .kind = (enum ledger_kind)db_int(s, 2),
                                          .stream_id = db_int(s, 3),
                                          .received_us = db_int(s, 4),
                                          .body_bytes = (uint64_t)db_int(s, 5),
                                          .released = db_int(s, 6) != 0};
        if ((e = visit(ctx, &h)) != ERR_OK)
            break;
        reached = h.position;
    }
    if (e != ERR_OK && !row)
        e = reader_fail(r, e, "cannot read rows", d);
    db_reset(s);
    reader_end(r);
    *last = reached;
    return e;
}

// The one number that sql, with up to two parameters, finds; absent: where it finds none.
static enum err ask_number(struct reader *r, const char *sql, int64_t a, int64_t b, int64_t absent,
                           int64_t *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(r->db, sql, &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, a);
    db_bind_int(s, 2, b);
    if ((e = db_step(s, &row)) != ERR_OK)
        e = reader_fail(r, e, "cannot read", d);
    else
        *out = row && !db_is_null(s, 0) ? db_int(s, 0) : absent;
    db_finalize(s);
    return e;
}

enum err reader_closing_position(struct reader *r, int64_t closed_until_s, uint64_t *position, struct diag *d)
{
    int64_t found = 0;
    enum err e = ask_number(r, "SELECT min(position) FROM seal WHERE closed_until_s>=?1 AND ?2=0",
                            closed_until_s, 0, 0, &found, d);
    if (e == ERR_OK)
        *position = (uint64_t)found;
    return e;
}

enum err reader_has_rollup(struct reader *r, int64_t series_id, int64_t month_s, bool *out, struct diag *d)
{
    int64_t found = 0;
    enum err e = ask_number(r, "SELECT 1 FROM rollup WHERE series_id=?1 AND month_s=?2", series_id, month_s,
                            0, &found, d);
    if (e == ERR_OK)
        *out = found != 0;
    return e;
}

// ---- roll-ups
// ------------------------------------------------------------------------------------------------------

enum err reader_rollup_of(struct reader *r, const struct reader_row *row, struct wire_rollup *out,
                          struct diag *d)
{
    struct wire_message m;
    struct diag why = {0};
    enum err e = wire_decode_kept(r->body_arena, row->body, row->body_len, &m, &why);
    if (e != ERR_OK || m.type != WIRE_ROLLUP)
        return diag_fail(d, e == ERR_NOMEM ? e : ERR_CORRUPT,
                         LEDGER_FILE ": the roll-up at position %" PRIu64 " is damaged: %s", row->position,
                         why.text);
    *out = m.rollup;
    return ERR_OK;
}

static enum err visit_rollup(struct reader *r, uint64_t position, reader_rollup_visit visit, void *ctx,
                             struct diag *d)
{
    struct reader_row row;
    struct wire_rollup rollup;
    bool found = false;
    enum err e = step_row(r, position, &row, &found, d);
    if (e == ERR_OK && !found)
        e = diag_fail(d, ERR_CORRUPT, LEDGER_FILE ": the roll-up at position %" PRIu64 " is missing",
                      position);
    if (e == ERR_OK)
        e = reader_rollup_of(r, &row, &rollup, d);
    if (e == ERR_OK)
        e = visit(ctx, &(struct reader_rollup){row.position, row.received_us, &rollup});
    db_reset(r->statements[READER_ROW_AT]);
    return e;
}

enum err reader_rollups(struct reader *r, int64_t series_id, int64_t from_s, int64_t to_s,
                        reader_rollup_visit visit, void *ctx, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_ROLLUPS];
    bool row = false;
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, series_id);
    db_bind_int(s, 2, from_s);
    db_bind_int(s, 3, to_s);
    while ((e = db_step(s, &row)) == ERR_OK && row)
        if ((e = visit_rollup(r, (uint64_t)db_int(s, 1), visit, ctx, d)) != ERR_OK)
            break;
    if (e != ERR_OK && !row)
        e = reader_fail(r, e, "cannot read roll-ups", d);
    db_reset(s);
    reader_end(r);
    return e;
}

// ---- receipts
// ------------------------------------------------------------------------------------------------------

static enum err look_in_seals(struct reader *r, const struct wire_receipt *receipt,
                              struct reader_receipt_found *out, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_SEALED];
    bool row = false;
    size_t len = 0;
    db_bind_int(s, 1, (int64_t)receipt->position);
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return reader_fail(r, e, "cannot read the sealed runs", d);
    out->state = RECEIPT_CONTRADICTED; // a hole in the positions that no seal explains
    if (row) {
        const void *after = db_blob(s, 2, &len);
        bool last = (uint64_t)db_int(s, 1) == receipt->position && len == HASH_BYTES;
        out->seal = (uint64_t)db_int(s, 3);
        out->state = !last                                            ? RECEIPT_SEALED
                     : memcmp(after, receipt->chain, HASH_BYTES) == 0 ? RECEIPT_PRESENT
                                                                      : RECEIPT_CONTRADICTED;
    }
    db_reset(s);
    return ERR_OK;
}

static enum err find_receipt(struct reader *r, const struct wire_receipt *receipt,
                             struct reader_receipt_found *out, struct diag *d)
{
    struct reader_row row;
    bool found = false;
    int64_t received_us = 0;
    enum err e = reader_head(r, &out->position, &received_us, d);
    if (e == ERR_OK && (receipt->position == 0 || receipt->position > out->position)) {
        out->state = RECEIPT_ABSENT;
        return ERR_OK;
    }
    if (e == ERR_OK)
        e = step_row(r, receipt->position, &row, &found, d);
    if (e != ERR_OK)
        return e;
    if (found) {
        bool same = row.chain && memcmp(row.chain, receipt->chain, HASH_BYTES) == 0;
        out->state = same ? RECEIPT_PRESENT : RECEIPT_CONTRADICTED;
        out->agent_id = row.agent_id;
        out->sequence = row.sequence;
        out->last_sequence = row.last_sequence;
        out->received_us = row.received_us;
    }
    db_reset(r->statements[READER_ROW_AT]);
    return found ? ERR_OK : look_in_seals(r, receipt, out, d);
}

enum err reader_find_receipt(struct reader *r, const struct wire_receipt *receipt,
                             struct reader_receipt_found *out, struct diag *d)
{
    struct reader_receipt_found found = {0};
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    e = find_receipt(r, receipt, &found, d);
    reader_end(r);
    if (e == ERR_OK)
        *out = found;
    return e;
}

// ---- quarantine
// ----------------------------------------------------------------------------------------------------

struct held {
    struct reader *reader;
    const struct reader_row *row;
    const char *resident;
    struct reader_verdict verdict;
    struct wire_batch batch;
    struct db_stmt *released; // at the first release not passed yet
    bool more;
    struct diag *d;
};

static enum err next_release(struct held *h)
{
    enum err e = db_step(h->released, &h->more);
    return e == ERR_OK ? e : reader_fail(h->reader, e, "cannot read the releases", h->d);
}

static enum err released_by(struct held *h, uint32_t index, uint64_t *out)
{
    enum err e = ERR_OK;
    while (e == ERR_OK && h->more && db_int(h->released, 0) < index)
        e = next_release(h);
    *out = e == ERR_OK && h->more && db_int(h->released, 0) == index ? (uint64_t)db_int(h->released, 1) : 0;
    return e;
}

static enum err visit_held(struct held *h, reader_quarantine_visit visit, void *ctx)
{
    const struct reader_row *row = h->row;
    size_t note = 0;
    for (uint32_t i = 0; i < h->batch.count; i++) {
        const struct wire_sample *w = &h->batch.samples[i];
        struct reader_quarantined q = {.position = row->position,
                                       .index = i,
                                       .resident = h->resident,
                                       .agent_id = row->agent_id,
                                       .key_id = row->key_id,
                                       .received_us = row->received_us,
                                       .sequence = row->sequence,
                                       .class = row->class,
                                       .number = w->series,
                                       .time = w->time,
                                       .value = w->value,
                                       .no_figure = w->refused != WIRE_REASON_NONE,
                                       .reason = reader_refused(&h->verdict, i)};
        while (note < h->batch.note_count && h->batch.notes[note].index < i)
            note++;
        if (note < h->batch.note_count && h->batch.notes[note].index == i)
            q.note = &h->batch.notes[note];
        if (q.reason == WIRE_REASON_NONE)
            continue;
        enum err e = reader_declared(h->reader, row->stream_id, w->series, &q.series, h->d);
        if (e == ERR_OK || e == ERR_NOT_FOUND)
            e = released_by(h, i, &q.released);
        if (e == ERR_OK)
            e = visit(ctx, &q);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err visit_refused_row(struct reader *r, const struct reader_row *row, const char *resident,
                                  reader_quarantine_visit visit, void *ctx, struct diag *d)
{
    struct held h = {
        .reader = r, .row = row, .resident = resident, .released = r->statements[READER_RELEASED], .d = d};
    enum err e = reader_verdict(r, row, &h.verdict, d);
    if (e == ERR_OK)
        e = reader_batch(r, row, &h.batch, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(h.released, 1, (int64_t)row->position);
    e = next_release(&h);
    if (e == ERR_OK)
        e = visit_held(&h, visit, ctx);
    db_reset(h.released);
    return e;
}

enum err reader_quarantine(struct reader *r, uint64_t after, size_t max_rows, reader_quarantine_visit visit,
                           void *ctx, uint64_t *last, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_REFUSED];
    struct reader_row item;
    uint64_t reached = after;
    bool row = false;
    enum err e = reader_begin(r, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, (int64_t)after);
    db_bind_int(s, 2, max_rows > INT32_MAX ? INT32_MAX : (int64_t)max_rows);
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        reader_row_from(s, &item);
        if ((e = visit_refused_row(r, &item, db_text(s, 15), visit, ctx, d)) != ERR_OK)
            break;
        reached = item.position;
    }
    if (e != ERR_OK && !row)
        e = reader_fail(r, e, "cannot read the quarantine", d);
    db_reset(s);
    reader_end(r);
    *last = reached;
    return e;
}

enum err reader_release_at(struct reader *r, uint64_t position, struct reader_release *out, struct diag *d)
{
    struct reader_row row;
    struct wire_message m;
    bool found = false;
    enum err e = step_row(r, position, &row, &found, d);
    if (e != ERR_OK)
        return e;
    if (found)
        e = wire_decode(r->verdict_arena, row.body, row.body_len, &m, d);
    if (!found || e != ERR_OK || m.type != WIRE_RELEASE)
        e = diag_fail(d, ERR_NOT_FOUND, "no release at position %" PRIu64, position);
    if (e == ERR_OK) {
        out->received_us = row.received_us;
        if (!ledger_copy_text(out->author, sizeof out->author, m.release.author))
            out->author[0] = '\0';
    }
    db_reset(r->statements[READER_ROW_AT]);
    return e;
}
