// The two answers to a collector that knows less, or more, than the agent thought. Both renumber or resend in
// one transaction, so that a crash in between leaves the state before, and the next Hello asks for the same
// again.
#include "agent/spool_internal.h"

struct lost {
    struct wire_gap gap;
    uint64_t batch_samples; // of those that had been counted as acknowledged
};

static void widen(struct wire_gap *g, int64_t from_s, int64_t to_s)
{
    bool first = g->from_s == 0 && g->to_s == 0;
    if (first || from_s < g->from_s)
        g->from_s = from_s;
    if (first || to_s > g->to_s)
        g->to_s = to_s;
}

// Sequences so old that only their sum is known: exact when all of them are lost, else in proportion.
static uint64_t forgotten_part(const struct spool_meta *m, uint64_t first)
{
    uint64_t count = m->forgotten_last - first + 1;
    if (first == 1)
        return m->forgotten_samples;
    return (uint64_t)((long double)m->forgotten_samples * (long double)count /
                      (long double)m->forgotten_last);
}

// Adds what is known of first .. last, whose bodies are gone. CONFLICT: first lies inside a gap.
static enum err sum_lost(struct spool *s, uint64_t first, uint64_t last, struct lost *out, struct diag *d)
{
    const struct spool_meta *m = &s->meta;
    out->gap.first = first;
    out->gap.last = last;
    uint64_t at = first;
    if (first <= m->forgotten_last) {
        out->gap.samples += forgotten_part(m, first);
        out->batch_samples += forgotten_part(m, first);
        widen(&out->gap, m->forgotten_from_s, m->forgotten_to_s);
        at = m->forgotten_last + 1;
    }
    while (at <= last) {
        struct spool_stored row;
        enum err e = spool_row_read(&s->tables, at, &row, d);
        if (e == ERR_NOT_FOUND)
            return diag_fail(d, ERR_CONFLICT, "%llu lies inside a gap", (unsigned long long)at);
        if (e != ERR_OK)
            return e;
        out->gap.samples += row.samples;
        out->batch_samples += row.class == SPOOL_GAP_CLASS ? 0 : row.samples;
        widen(&out->gap, row.from_s, row.to_s);
        at = row.last + 1;
    }
    return ERR_OK;
}

static enum err replace_lost(struct spool *s, uint64_t first, uint64_t last, struct diag *d)
{
    struct spool_meta *m = &s->meta;
    struct lost lost = {.gap = {.incarnation = m->state.incarnation, .reason = WIRE_GAP_LOST_BY_COLLECTOR}};
    enum err e = sum_lost(s, first, last, &lost, d);
    spool_row_done(&s->tables);
    if (e == ERR_OK)
        e = spool_rows_delete(&s->tables, first, last, d);
    if (e != ERR_OK)
        return e;
    m->state.counters.acknowledged -= lost.batch_samples;
    m->state.counters.gaps += lost.batch_samples;
    if (first <= m->forgotten_last) {
        m->forgotten_samples -= forgotten_part(m, first);
        m->forgotten_last = first - 1;
    }
    m->state.first_kept = first;
    return spool_insert_gap(s, &lost.gap, d);
}

// Rows from `at` on up to what was acknowledged count as unsent again.
static enum err unacknowledge(struct spool *s, uint64_t at, struct diag *d)
{
    struct spool_meta *m = &s->meta;
    while (at <= m->state.last_acknowledged) {
        struct spool_stored row;
        enum err e = spool_row_read(&s->tables, at, &row, d);
        if (e != ERR_OK)
            return e == ERR_NOT_FOUND
                       ? diag_fail(d, ERR_CONFLICT, "%llu lies inside a gap", (unsigned long long)at)
                       : e;
        if (row.class != SPOOL_GAP_CLASS) {
            m->state.counters.acknowledged -= row.samples;
            m->state.counters.spooled += row.samples;
        }
        m->state.counters.spool_bytes += row.len;
        m->tail_bytes -= row.len;
        at = row.last + 1;
    }
    return ERR_OK;
}

static enum err apply_rewind(struct spool *s, uint64_t last, struct diag *d)
{
    struct spool_state *st = &s->meta.state;
    uint64_t kept = st->first_kept != 0 && st->first_kept <= st->last_acknowledged
                        ? st->first_kept
                        : st->last_acknowledged + 1;
    enum err e = unacknowledge(s, kept > last ? kept : last + 1, d);
    if (e == ERR_OK && kept > last + 1)
        e = replace_lost(s, last + 1, kept - 1, d);
    if (e != ERR_OK)
        return e;
    if (st->sendable < st->last_acknowledged)
        st->sendable = st->last_acknowledged;
    st->last_acknowledged = last;
    st->receipt = (struct wire_receipt){0};
    st->generation++;
    return ERR_OK;
}

enum err spool_rewind(struct spool *s, uint64_t last, struct diag *d)
{
    if (last >= s->meta.state.last_acknowledged)
        return diag_fail(d, ERR_INVALID, "%llu is not below what was acknowledged", (unsigned long long)last);
    enum err e = spool_begin(s, d);
    return e == ERR_OK ? spool_end(s, apply_rewind(s, last, d), d) : e;
}
