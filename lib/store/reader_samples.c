// From a row to its accepted samples. A verdict that is stored is obeyed and nothing is judged again; a
// release is a later word on an earlier row, so its samples are read from that row.
#include "store/reader_internal.h"
#include <inttypes.h>
#include <string.h>

enum err reader_verdict(struct reader *r, const struct reader_row *row, struct reader_verdict *out,
                        struct diag *d)
{
    struct wire_message m;
    struct diag why = {0};
    *out = (struct reader_verdict){0};
    if (row->verdict_len == 0)
        return ERR_OK;
    enum err e = wire_decode(r->verdict_arena, row->verdict, row->verdict_len, &m, &why);
    if (e != ERR_OK || m.type != WIRE_REJECT)
        return diag_fail(d, e == ERR_NOMEM ? e : ERR_CORRUPT,
                         LEDGER_FILE ": the verdict at position %" PRIu64 " is damaged: %s", row->position,
                         why.text);
    *out = (struct reader_verdict){.whole = m.reject.whole,
                                   .whole_reason = m.reject.whole_reason,
                                   .count = m.reject.count,
                                   .refusals = m.reject.refusals};
    return ERR_OK;
}

enum wire_reason reader_refused(struct reader_verdict *v, uint32_t index)
{
    if (v->whole)
        return v->whole_reason;
    while (v->next < v->count && v->refusals[v->next].index < index)
        v->next++;
    return v->next < v->count && v->refusals[v->next].index == index ? v->refusals[v->next].reason
                                                                     : WIRE_REASON_NONE;
}

enum err reader_batch(struct reader *r, const struct reader_row *row, struct wire_batch *out, struct diag *d)
{
    struct wire_message m;
    struct diag why = {0};
    enum err e = wire_decode(r->body_arena, row->body, row->body_len, &m, &why);
    if (e != ERR_OK || m.type != WIRE_BATCH)
        return diag_fail(d, e == ERR_NOMEM ? e : ERR_CORRUPT,
                         LEDGER_FILE ": the body at position %" PRIu64 " is damaged: %s", row->position,
                         why.text);
    *out = m.batch;
    return ERR_OK;
}

static const struct wire_note *note_of(const struct wire_batch *b, size_t *at, size_t index)
{
    while (*at < b->note_count && b->notes[*at].index < index)
        (*at)++;
    return *at < b->note_count && b->notes[*at].index == index ? &b->notes[*at] : NULL;
}

// Which series a sample is of: by the stream's numbers in memory, `known` (NULL: none yet).
static enum err find_series(struct reader *r, const struct reader_row *row, uint32_t number,
                            const struct reader_declares **known, const struct ledger_series **out,
                            struct diag *d)
{
    if (*known && number < (*known)->count) {
        *out = (*known)->series[number];
        return ERR_OK;
    }
    enum err e = reader_declared(r, row->stream_id, number, out, d);
    if (e == ERR_NOT_FOUND)
        e = diag_fail(d, ERR_CORRUPT,
                      LEDGER_FILE ": the row at position %" PRIu64 " accepts a sample of series number %u, "
                                  "which its stream never declared",
                      row->position, number);
    *known = id_table_get(&r->declares, row->stream_id);
    return e;
}

static enum err visit_samples(struct reader *r, const struct reader_row *row, const struct wire_batch *b,
                              struct reader_verdict *v, reader_sample_visit visit, void *ctx, struct diag *d)
{
    const struct reader_declares *known = NULL;
    struct reader_sample s = {.received_us = row->received_us, .position = row->position};
    size_t note = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct wire_sample *w = &b->samples[i];
        s.index = (uint32_t)i;
        // A value that can be no figure is never accepted, whatever the verdict says.
        if (w->refused != WIRE_REASON_NONE ||
            (v->count > 0 && reader_refused(v, s.index) != WIRE_REASON_NONE))
            continue;
        s.time = w->time;
        s.value = w->value;
        s.note = b->note_count > 0 ? note_of(b, &note, i) : NULL;
        enum err e = find_series(r, row, w->series, &known, &s.series, d);
        if (e != ERR_OK || (e = visit(ctx, &s)) != ERR_OK)
            return e;
    }
    return ERR_OK;
}

struct figure reader_own_value(const struct reader_sample *s)
{
    bool other = s->note && s->note->currency[0] && strcmp(s->note->currency, s->series->currency) != 0;
    return other ? figure_missing() : s->value;
}

// ---- releases
// ------------------------------------------------------------------------------------------------------

// Why it was let in, and by whom, is what is to be seen of it; what its agent said stays in its row.
static void note_release(const struct wire_release *release, const struct wire_note *from,
                         struct wire_note *out)
{
    *out = from ? *from : (struct wire_note){.currency = ""};
    out->reason = release->reason;
    out->author = release->author;
}

static enum err visit_indexes(struct reader *r, const struct reader_row *row, const struct reader_row *from,
                              const struct wire_release *release, reader_sample_visit visit, void *ctx,
                              struct diag *d)
{
    struct wire_batch b;
    struct wire_note explained;
    size_t note = 0;
    enum err e = reader_batch(r, from, &b, d);
    for (size_t i = 0; e == ERR_OK && i < release->count; i++) {
        uint32_t index = release->indexes[i];
        if (index >= b.count || b.samples[index].refused != WIRE_REASON_NONE)
            continue;
        struct reader_sample s = {.time = b.samples[index].time,
                                  .value = b.samples[index].value,
                                  .received_us = row->received_us,
                                  .position = row->position,
                                  .note = note_of(&b, &note, index),
                                  .index = index};
        if (*release->reason) {
            note_release(release, s.note, &explained);
            s.note = &explained;
        }
        e = reader_declared(r, from->stream_id, b.samples[index].series, &s.series, d);
        if (e == ERR_OK)
            e = visit(ctx, &s);
        else if (e == ERR_NOT_FOUND)
            e = ERR_OK;
    }
    return e;
}

static enum err visit_release(struct reader *r, const struct reader_row *row, reader_sample_visit visit,
                              void *ctx, struct diag *d)
{
    struct db_stmt *s = r->statements[READER_ROW_AT];
    struct reader_row from;
    struct wire_message m;
    bool found = false;
    // The verdict's arena: the body's is for the batch it speaks of.
    enum err e = wire_decode(r->verdict_arena, row->body, row->body_len, &m, NULL);
    if (e != ERR_OK || m.type != WIRE_RELEASE)
        return diag_fail(d, e == ERR_NOMEM ? e : ERR_CORRUPT,
                         LEDGER_FILE ": the release at position %" PRIu64 " is damaged", row->position);
    db_bind_int(s, 1, (int64_t)m.release.position);
    if ((e = db_step(s, &found)) != ERR_OK)
        return reader_fail(r, e, "cannot read a released row", d);
    if (found) { // else it was dropped, and its month's roll-up has what was released before that
        reader_row_from(s, &from);
        e = visit_indexes(r, row, &from, &m.release, visit, ctx, d);
    }
    db_reset(s);
    return e;
}

enum err reader_release_stream(struct reader *r, int64_t *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = ERR_OK;
    if (r->release_stream == 0) {
        e = db_prepare(r->db,
                       "SELECT batch.stream_id FROM release JOIN batch ON batch.position=release.released"
                       " LIMIT 1",
                       &s, d);
        if (e == ERR_OK && (e = db_step(s, &row)) != ERR_OK)
            e = reader_fail(r, e, "cannot look for releases", d);
        else if (e == ERR_OK && row)
            r->release_stream = db_int(s, 0);
        db_finalize(s);
    }
    *out = r->release_stream;
    return e;
}

enum err reader_samples(struct reader *r, const struct reader_row *row, reader_sample_visit visit, void *ctx,
                        struct diag *d)
{
    struct reader_verdict v;
    struct wire_batch b;
    if (row->kind == LEDGER_RELEASE)
        return visit_release(r, row, visit, ctx, d);
    if (row->kind != LEDGER_BATCH || row->class == WIRE_CONTROL)
        return ERR_OK;
    enum err e = reader_verdict(r, row, &v, d);
    if (e != ERR_OK || v.whole)
        return e;
    e = reader_batch(r, row, &b, d);
    return e == ERR_OK ? visit_samples(r, row, &b, &v, visit, ctx, d) : e;
}
