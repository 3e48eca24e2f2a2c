// What a spool says after each of its transactions is written down here: what was in it once must reach the
// ledger byte for byte, or be in a gap.
#include "tests/sim/world.h"
#include "wire/codec.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct told_life *told_life(struct agent *a, const struct wire_incarnation *i)
{
    struct told_life *l = a->lives;
    while (l && (l->former || memcmp(l->incarnation.bytes, i->bytes, sizeof i->bytes) != 0))
        l = l->next;
    return l;
}

static struct told_life *life_now(struct agent *a)
{
    const struct wire_incarnation *i = &spool_peek(a->spool)->incarnation;
    struct told_life *l = told_life(a, i);
    if (l)
        return l;
    if (a->lives && !a->lives->former && !a->may_renew)
        world_fail(a->world, FATE_LOST, "%s: a new incarnation without a reason", a->name);
    l = calloc(1, sizeof *l);
    if (!l)
        abort();
    l->incarnation = *i;
    l->next = a->lives;
    a->lives = l;
    world_event(a->world, "%s has incarnation %02x%02x", a->name, i->bytes[0], i->bytes[1]);
    return l;
}

static struct told *row_of(struct told_life *l, uint64_t sequence)
{
    while (l->room < sequence) {
        l->room = l->room ? 2 * l->room : 64;
        l->rows = realloc(l->rows, l->room * sizeof *l->rows);
        if (!l->rows)
            abort();
    }
    while (l->count < sequence)
        l->rows[l->count++] = (struct told){0};
    return &l->rows[sequence - 1];
}

static void write_down(struct agent *a, struct told_life *l, const struct spool_message *m)
{
    struct world *w = a->world;
    struct wire_message w_m;
    struct diag d = {""};
    if (wire_decode(w->arena, m->bytes, m->len, &w_m, &d) != ERR_OK) {
        world_fail(w, FATE_OTHER, "%s: row %" PRIu64 " does not decode: %s", a->name, m->first, d.text);
        return;
    }
    (void)row_of(l, m->last); // makes room for all of them: a later one would move the first
    struct told *t = row_of(l, m->first);
    t->gap = w_m.type == WIRE_GAP;
    t->samples = (uint32_t)(t->gap ? w_m.gap.samples : w_m.batch.count);
    t->len = (uint32_t)m->len;
    t->body = malloc(m->len);
    if (!t->body)
        abort();
    memcpy(t->body, m->bytes, m->len);
    l->samples += t->gap ? 0 : t->samples;
}

// Rows that have become a gap. A gap that has moved here keeps its one sequence and is a row like others.
static void look_at_gaps(struct agent *a, struct told_life *l)
{
    const struct spool_state *st = spool_peek(a->spool);
    struct spool_message m;
    struct diag d = {""};
    for (uint64_t at = st->first_kept ? st->first_kept : 1; at <= st->last_written; at++) {
        if (spool_reader_message(a->reader, at, &m, &d) != ERR_OK || !m.gap)
            continue;
        for (uint64_t s = m.first; s <= m.last; s++) {
            struct told *t = row_of(l, s);
            t->given_up = t->given_up || !t->gap || m.first != m.last;
        }
        at = m.last;
    }
}

void told_record(struct agent *a)
{
    const struct spool_state *st = spool_peek(a->spool);
    struct told_life *l = life_now(a);
    struct spool_message m;
    struct diag d = {""};
    if (st->last_written < l->count)
        world_fail(a->world, FATE_LOST, "%s: the spool ends at %" PRIu64 ", it had %zu", a->name,
                   st->last_written, l->count);
    for (uint64_t at = l->count + 1; at <= st->last_written; at = l->count + 1) {
        enum err e = spool_reader_message(a->reader, at, &m, &d);
        if (e == ERR_OK)
            write_down(a, l, &m);
        else if (e == ERR_NOT_FOUND)
            (void)row_of(l, at);
        else
            break;
    }
    if (st->counters.gaps != l->gaps)
        look_at_gaps(a, l);
    l->gaps = st->counters.gaps;
    l->acked = st->last_acknowledged > l->acked ? st->last_acknowledged : l->acked;
    l->remembered = st->last_acknowledged;
}

static bool same(const struct told *t, const struct spool_message *m)
{
    return t->len == m->len && memcmp(t->body, m->bytes, m->len) == 0;
}

void told_again(struct agent *a)
{
    const struct spool_state *st = spool_peek(a->spool);
    struct told_life *l = life_now(a);
    struct spool_message m;
    struct diag d = {""};
    uint64_t had = l->samples, end = l->count;
    if (st->counters.gaps != l->gaps) // made in the transaction that it died in
        look_at_gaps(a, l);
    for (uint64_t at = st->last_acknowledged + 1; at <= end; at++) {
        const struct told *t = row_of(l, at);
        if (t->given_up || !t->body)
            continue;
        if (spool_reader_message(a->reader, at, &m, &d) != ERR_OK)
            world_fail(a->world, FATE_LOST, "%s: row %" PRIu64 " is gone from the spool: %s", a->name, at,
                       d.text);
        else if (!m.gap && !same(t, &m))
            world_fail(a->world, FATE_LOST, "%s: row %" PRIu64 " of the spool has changed", a->name, at);
    }
    uint64_t gaps = l->gaps;
    told_record(a);
    uint64_t found = l->samples - had;
    bool whole = found == a->certain || found == a->certain + a->in_doubt;
    if (!whole && !a->may_renew && gaps == l->gaps)
        world_fail(a->world, FATE_LOST,
                   "%s: %" PRIu64 " samples of %" PRIu64 " and perhaps %" PRIu64 " are in the spool", a->name,
                   found, a->certain, a->in_doubt);
    a->found += found > a->certain ? found - a->certain : 0;
    a->in_doubt = a->certain = 0;
}

void told_replaced(struct agent *a)
{
    for (struct told_life *l = a->lives; l; l = l->next)
        l->former = true;
}

void told_free(struct agent *a)
{
    struct told_life *next;
    for (struct told_life *l = a->lives; l; l = next) {
        next = l->next;
        for (size_t i = 0; i < l->count; i++)
            free(l->rows[i].body);
        free(l->rows);
        free(l);
    }
    a->lives = NULL;
}
