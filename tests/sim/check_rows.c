// Every row of every spool has its place in the ledger, and every row of the ledger was in a spool.
#include "tests/sim/stored.h"
#include "wire/codec.h"
#include <inttypes.h>
#include <string.h>

struct case_of { // a row of a spool, and who may have what to say about it
    struct world *w;
    struct agent *a;
    const struct told_life *life;
    uint64_t sequence;
    const struct told *told;
    bool current;  // the life its spool has now
    bool promised; // the machine was told that it is on disk
};

static void lost(const struct case_of *c, const char *why)
{
    world_fail(c->w, FATE_LOST, "%s: row %" PRIu64 " of %02x%02x with %u samples %s", c->a->name, c->sequence,
               c->life->incarnation.bytes[0], c->life->incarnation.bytes[1], c->told->samples, why);
}

static enum wire_gap_reason reason_of(struct world *w, const struct stored_row *row)
{
    struct wire_message m;
    struct diag d;
    return wire_decode(w->arena, row->body, row->body_len, &m, &d) == ERR_OK && m.type == WIRE_GAP
               ? m.gap.reason
               : WIRE_GAP_NONE;
}

static void check_row(const struct case_of *c, const struct stored_row *row)
{
    bool forgiven =
        c->w->collector.restored && (!c->current || c->a->off); // nobody is left who could send it again
    if (!row && c->promised && !forgiven)
        lost(c, "was acknowledged and is not in the ledger");
    else if (!row && c->current && !c->a->off)
        lost(c, "is neither in the ledger nor waiting");
    if (!row || forgiven || stored_is(row, c->told))
        return;
    if (!row->gap && c->promised)
        lost(c, "was acknowledged, but another is stored in its place");
    if (row->gap && !c->told->given_up && c->promised &&
        !(c->w->collector.restored && reason_of(c->w, row) == WIRE_GAP_LOST_BY_COLLECTOR))
        lost(c, "is in a gap that its spool never made");
}

static void check_life(struct world *w, struct agent *a, const struct told_life *l, const struct stored *s)
{
    const struct stored_stream *stream = stored_stream_of(s, &l->incarnation);
    for (uint64_t k = 1; k <= l->count; k++) {
        const struct told *t = &l->rows[k - 1];
        const struct case_of c = {.w = w,
                                  .a = a,
                                  .life = l,
                                  .sequence = k,
                                  .told = t,
                                  .current = l == a->lives && !l->former,
                                  .promised = k <= l->acked};
        if (t->body)
            check_row(&c, stored_row_at(stream, k));
    }
}

// ---- from the ledger's side
// -----------------------------------------------------------------------------------------------------

static bool sums_up(const struct told_life *l, const struct stored_row *row)
{
    uint64_t samples = 0;
    if (row->last > l->count)
        return false;
    for (uint64_t k = row->first; k <= row->last; k++) {
        if (!l->rows[k - 1].body)
            return true; // not known exactly
        samples += l->rows[k - 1].samples;
    }
    return samples == row->samples;
}

static bool is_known(struct world *w, const struct stored_stream *stream, const struct stored_row *row)
{
    for (size_t i = 0; i < w->agent_count; i++)
        for (const struct told_life *l = w->agents[i].lives; l; l = l->next) {
            if (memcmp(l->incarnation.bytes, stream->s.incarnation.bytes, WIRE_INCARNATION_BYTES) != 0)
                continue;
            if (row->gap ? sums_up(l, row)
                         : row->first <= l->count && stored_is(row, &l->rows[row->first - 1]))
                return true;
        }
    return false;
}

static void check_stream(struct world *w, const struct stored_stream *s)
{
    uint64_t last = 0, accepted = 0, quarantined = 0, gap = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct stored_row *row = s->rows[i];
        if (row->first != last + 1)
            world_fail(w, row->first <= last ? FATE_DOUBLED : FATE_LOST,
                       "row %" PRIu64 " of agent%d follows %" PRIu64, row->first, s->identity, last);
        if (!is_known(w, s, row))
            world_fail(w, FATE_OTHER,
                       "row %" PRIu64 " to %" PRIu64
                       " of agent%d with %u samples%s is none that its spool had",
                       row->first, row->last, s->identity, row->samples, row->gap ? " given up" : "");
        last = row->last;
        gap += row->gap ? row->samples : 0;
        accepted += row->gap ? 0 : row->samples - row->refused;
        quarantined += row->gap ? 0 : row->refused;
    }
    if (accepted != s->s.accepted || quarantined != s->s.quarantined || gap != s->s.gap ||
        last != s->s.last_sequence)
        world_fail(w, FATE_UNBALANCED, "the watermarks of agent%d are not what its rows say", s->identity);
}

void check_rows(struct world *w, const struct stored *s)
{
    for (size_t i = 0; i < w->agent_count; i++)
        for (const struct told_life *l = w->agents[i].lives; l; l = l->next)
            check_life(w, &w->agents[i], l, s);
    for (size_t i = 0; i < s->stream_count; i++)
        check_stream(w, &s->streams[i]);
}

// ---- the balance
// ------------------------------------------------------------------------------------------------------------------

static void check_agent(struct world *w, const struct agent *a, const struct spool_state *st,
                        const struct stored *s)
{
    const struct stored_stream *stream = stored_stream_of(s, &st->incarnation);
    const struct ledger_stream none = {0}, *l = stream ? &stream->s : &none;
    const struct wire_counters *c = &st->counters;
    w->result->acked += c->acknowledged;
    if (l->last_sequence != st->last_acknowledged)
        world_fail(w, FATE_UNBALANCED, "%s: acknowledged %" PRIu64 ", stored %" PRIu64, a->name,
                   st->last_acknowledged, l->last_sequence);
    if (c->acknowledged != l->accepted + l->quarantined || c->gaps != l->gap)
        world_fail(w, FATE_UNBALANCED,
                   "%s: acknowledged %" PRIu64 " and in gaps %" PRIu64 ", stored %" PRIu64 " + %" PRIu64
                   " and %" PRIu64,
                   a->name, c->acknowledged, c->gaps, l->accepted, l->quarantined, l->gap);
}

void check_balance(struct world *w, const struct stored *s)
{
    for (size_t i = 0; i < w->agent_count; i++) {
        struct agent *a = &w->agents[i];
        struct spool_reader *r = NULL;
        struct spool_state st;
        struct diag d = {""};
        if (a->off)
            continue;
        enum err e = spool_reader_open(a->folder, &r, &d);
        if (e == ERR_OK)
            e = spool_reader_state(r, &st, &d);
        if (e == ERR_OK)
            check_agent(w, a, &st, s);
        else
            world_fail(w, FATE_OTHER, "%s: its spool can't be read: %s", a->name, d.text);
        spool_reader_close(r);
    }
}
