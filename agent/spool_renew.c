// A new incarnation: everything unsent moves into it, re-encoded under new sequences, in one transaction. It
// is begun when the collector knows more than this spool has written (the spool is an old copy, or a
// clone's), and when series numbers were given out that the collector has never accepted and that the
// configuration no longer asks for: without new numbers nothing after them could ever be delivered.
#include "agent/spool_internal.h"
#include "base/crypto.h"
#include "wire/codec.h"
#include <stdlib.h>
#include <string.h>

#define NUMBER_GONE UINT32_MAX

struct mover {
    struct spool *spool;
    struct wire_arena *arena;
    struct buf body;
    struct wire_incarnation incarnation;
    uint64_t next;
    const uint32_t *numbers; // old number → new, NUMBER_GONE: its samples are dropped; NULL: numbers stay
    uint32_t declares;       // of the new incarnation
    struct wire_sample samples[WIRE_SAMPLES_MAX];
    struct wire_note notes[WIRE_NOTES_MAX];
    struct spool_meta meta; // of the new incarnation
};

// ---- one row

// The samples whose series still has a number, and their notes. Returns how many were dropped.
static size_t renumber(struct mover *m, struct wire_batch *b)
{
    size_t kept = 0, notes = 0, note = 0, dropped = 0;
    for (size_t i = 0; i < b->count; i++) {
        uint32_t series = b->samples[i].series;
        uint32_t to = !m->numbers                              ? series
                      : series < m->spool->meta.state.declares ? m->numbers[series]
                                                               : NUMBER_GONE;
        bool noted = note < b->note_count && b->notes[note].index == i;
        const struct wire_note *old = noted ? &b->notes[note++] : NULL;
        if (to == NUMBER_GONE) {
            dropped++;
            continue;
        }
        if (old) {
            m->notes[notes] = *old;
            m->notes[notes++].index = (uint32_t)kept;
        }
        m->samples[kept] = b->samples[i];
        m->samples[kept++].series = to;
    }
    b->samples = m->samples;
    b->count = kept;
    b->notes = m->notes;
    b->note_count = notes;
    b->declares = m->declares;
    return dropped;
}

// Sets row's body, samples and sequence to those of the new incarnation; samples 0: nothing is left of a
// batch.
static enum err encode_moved(struct mover *m, struct spool_stored *row, uint64_t *dropped, struct diag *d)
{
    struct wire_message message;
    *dropped = 0;
    enum err e = wire_decode(m->arena, row->body, row->len, &message, d);
    if (e != ERR_OK || (message.type != WIRE_BATCH && message.type != WIRE_GAP))
        return diag_fail(d, ERR_CORRUPT, "the spool's batch %llu does not decode",
                         (unsigned long long)row->first);
    if (message.type == WIRE_BATCH) {
        *dropped = renumber(m, &message.batch);
        message.batch.incarnation = m->incarnation;
        message.batch.sequence = m->next;
        row->samples = message.batch.count;
    } else {
        message.gap.incarnation = m->incarnation;
        message.gap.first = message.gap.last = m->next;
    }
    row->first = row->last = m->next;
    if (row->samples == 0 && message.type == WIRE_BATCH)
        return ERR_OK;
    buf_reset(&m->body);
    e = wire_encode(&message, &m->body);
    row->body = m->body.data;
    row->len = m->body.len;
    return e == ERR_OK ? ERR_OK : diag_fail(d, e, "a batch cannot be encoded anew: %s", err_text(e));
}

static enum err move_row(struct mover *m, const struct spool_stored *old, struct diag *d)
{
    struct spool_tables *t = &m->spool->tables;
    struct wire_counters *c = &m->meta.state.counters;
    struct spool_stored row = *old;
    uint64_t first = old->first, dropped = 0;
    enum err e = encode_moved(m, &row, &dropped, d);
    spool_row_done(t); // the old body is no longer needed
    if (e == ERR_OK)
        e = spool_rows_delete(t, first, first, d);
    c->sampled += dropped;
    c->refused += dropped;
    if (e != ERR_OK || (row.samples == 0 && row.class != SPOOL_GAP_CLASS))
        return e;
    e = spool_row_insert(t, &row, d);
    if (e != ERR_OK)
        return e;
    m->next++;
    c->sampled += row.samples;
    c->spool_bytes += row.len;
    *(row.class == SPOOL_GAP_CLASS ? &c->gaps : &c->spooled) += row.samples;
    return ERR_OK;
}

static enum err move_rows(struct mover *m, struct diag *d)
{
    struct spool_state *st = &m->spool->meta.state;
    enum err e = spool_rows_delete(&m->spool->tables, 0, st->last_acknowledged, d);
    uint64_t at = st->last_acknowledged + 1;
    while (e == ERR_OK && at <= st->last_written) {
        struct spool_stored row;
        e = spool_row_read(&m->spool->tables, at, &row, d);
        if (e == ERR_NOT_FOUND)
            e = diag_fail(d, ERR_CORRUPT, "the spool lacks batch %llu", (unsigned long long)at);
        if (e != ERR_OK)
            break;
        at = row.last + 1;
        e = move_row(m, &row, d);
    }
    return e;
}

// Inside a transaction.
static enum err move_all(struct spool *s, const uint32_t *numbers, uint32_t declares, struct diag *d)
{
    struct mover *m = calloc(1, sizeof *m);
    enum err e = m ? wire_arena_create(&m->arena) : ERR_NOMEM;
    if (e != ERR_OK) {
        free(m);
        return diag_fail(d, e, "out of memory");
    }
    m->spool = s;
    m->next = 1;
    m->numbers = numbers;
    m->declares = declares;
    buf_init(&m->body, WIRE_MESSAGE_MAX_BYTES);
    crypto_random(m->incarnation.bytes, WIRE_INCARNATION_BYTES);
    m->meta.state = (struct spool_state){
        .incarnation = m->incarnation, .generation = s->meta.state.generation + 1, .declares = declares};
    e = move_rows(m, d);
    if (e == ERR_OK) {
        m->meta.state.last_written = m->next - 1;
        m->meta.state.first_kept = m->next > 1;
        s->meta = m->meta;
    }
    buf_deinit(&m->body);
    wire_arena_destroy(m->arena);
    free(m);
    return e;
}

enum err spool_renew(struct spool *s, struct diag *d)
{
    enum err e = spool_begin(s, d);
    return e == ERR_OK ? spool_end(s, move_all(s, NULL, s->meta.state.declares, d), d) : e;
}

enum err spool_renew_damaged(struct spool *s, struct diag *d)
{
    enum err e = spool_begin(s, d);
    if (e != ERR_OK)
        return e;
    e = move_all(s, NULL, s->meta.state.declares, d);
    if (e == ERR_OK)
        e = db_exec(s->tables.db, "DELETE FROM position WHERE key GLOB '" POSITION_LIVE "*'", d);
    return spool_end(s, e == ERR_OK ? spool_insert_damage(s, d) : e, d);
}

// ---- what the collector has accepted

// A Declare is not answered, and Welcome tells only at the next connection; but a batch is not stored before
// every number that it needs was accepted. So its acknowledgement is the proof, for those numbers only.
void spool_note_accepted(struct spool *s, const struct spool_stored *row)
{
    struct wire_arena *arena = NULL;
    struct wire_message message;
    struct diag d;
    if (s->meta.declares_known >= s->meta.state.declares || row->class == SPOOL_GAP_CLASS || !row->body)
        return;
    if (wire_arena_create(&arena) != ERR_OK)
        return; // the next one says it too
    if (wire_decode(arena, row->body, row->len, &message, &d) == ERR_OK && message.type == WIRE_BATCH)
        spool_note_declares(s, message.batch.declares);
    wire_arena_destroy(arena);
}

// ---- adopting a configuration

struct adoption {
    struct wire_declare *wanted; // each series once; texts are the caller's
    size_t wanted_count;
    struct wire_declare *kept; // old series that stay, owned with their texts
    size_t kept_count;
    uint32_t *numbers; // old → new
    bool needed;
};

static bool same_series(const struct wire_declare *a, const struct wire_declare *b)
{
    return strcmp(a->series, b->series) == 0 && strcmp(a->unit, b->unit) == 0 &&
           strcmp(a->currency, b->currency) == 0 && a->class == b->class && a->step_s == b->step_s &&
           a->period == b->period;
}

// The same figures under a corrected unit or currency: what is unsent of them is sent under that.
static bool is_corrected(const struct wire_declare *a, const struct wire_declare *b)
{
    return strcmp(a->series, b->series) == 0 && (a->currency[0] != '\0') == (b->currency[0] != '\0') &&
           a->class == b->class && a->step_s == b->step_s && a->period == b->period;
}

static uint32_t find_wanted(const struct adoption *a, const struct wire_declare *w,
                            bool (*fits)(const struct wire_declare *, const struct wire_declare *))
{
    for (size_t i = 0; i < a->wanted_count; i++)
        if (fits(w, &a->wanted[i]))
            return (uint32_t)i;
    return NUMBER_GONE;
}

// Two sources may give one series.
static void want_each_once(struct adoption *a, const struct wire_declare *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (find_wanted(a, &wanted[i], same_series) == NUMBER_GONE)
            a->wanted[a->wanted_count++] = wanted[i];
}

static enum err keep_old(struct adoption *a, const struct wire_declare *w, uint32_t *number)
{
    struct wire_declare *k = &a->kept[a->kept_count];
    *k = *w;
    k->series = strdup(w->series);
    k->unit = strdup(w->unit);
    k->currency = strdup(w->currency);
    *number = (uint32_t)(a->wanted_count + a->kept_count++);
    return k->series && k->unit && k->currency ? ERR_OK : ERR_NOMEM;
}

// Where each old number goes: to the same series, to the corrected one, to itself if the collector knows it,
// or nowhere.
static enum err plan(struct spool *s, struct adoption *a, struct diag *d)
{
    struct buf texts;
    enum err e = ERR_OK;
    uint32_t declares = s->meta.state.declares;
    buf_init(&texts, 1024);
    for (uint32_t n = 0; e == ERR_OK && n < declares; n++) {
        struct wire_declare w;
        e = spool_declare_read(&s->tables, n, &w, &texts, d);
        if (e != ERR_OK)
            break;
        a->numbers[n] = find_wanted(a, &w, same_series);
        if (a->numbers[n] != NUMBER_GONE)
            continue;
        if (n < s->meta.declares_known) {
            e = keep_old(a, &w, &a->numbers[n]);
        } else {
            a->numbers[n] = find_wanted(a, &w, is_corrected);
            a->needed = true;
        }
    }
    buf_deinit(&texts);
    return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

static enum err renumber_all(struct spool *s, const struct adoption *a, struct diag *d)
{
    uint32_t declares = (uint32_t)(a->wanted_count + a->kept_count);
    if (declares > WIRE_SERIES_NUMBERS)
        return diag_fail(d, ERR_FULL, "more than %d series", WIRE_SERIES_NUMBERS);
    enum err e = move_all(s, a->numbers, declares, d);
    if (e == ERR_OK)
        e = db_exec(s->tables.db, "DELETE FROM declare", d);
    for (uint32_t n = 0; e == ERR_OK && n < declares; n++)
        e = spool_declare_insert(&s->tables,
                                 n < a->wanted_count ? &a->wanted[n] : &a->kept[n - a->wanted_count], n, d);
    return e;
}

enum err spool_adopt(struct spool *s, const struct wire_declare *wanted, size_t count, bool *renewed,
                     struct diag *d)
{
    uint32_t declares = s->meta.state.declares;
    struct adoption a = {0};
    *renewed = false;
    if (declares <= s->meta.declares_known)
        return ERR_OK;
    a.wanted = calloc(count ? count : 1, sizeof *a.wanted);
    a.numbers = calloc(declares, sizeof *a.numbers);
    a.kept = calloc(declares, sizeof *a.kept);
    enum err e = a.wanted && a.numbers && a.kept ? ERR_OK : diag_fail(d, ERR_NOMEM, "out of memory");
    if (e == ERR_OK) {
        want_each_once(&a, wanted, count);
        e = plan(s, &a, d);
    }
    if (e == ERR_OK && a.needed) {
        e = spool_begin(s, d);
        if (e == ERR_OK)
            e = spool_end(s, renumber_all(s, &a, d), d);
        *renewed = e == ERR_OK;
    }
    for (size_t i = 0; i < a.kept_count; i++) {
        free((char *)(uintptr_t)a.kept[i].series);
        free((char *)(uintptr_t)a.kept[i].unit);
        free((char *)(uintptr_t)a.kept[i].currency);
    }
    free(a.kept);
    free(a.numbers);
    free(a.wanted);
    return e;
}
