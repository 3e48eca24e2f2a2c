// SQLite because one transaction has to hold the batches, the positions of the sources they were made from
// and the counters: then no crash can lose or repeat a row of a source. What is known of the state is kept in
// memory as of the last commit and written whole with each change, so that one page says it all.
//
// Whether a row is acknowledged follows from its sequence and meta.last_acknowledged; marking each row would
// write every page twice.
#include "agent/spool_internal.h"
#include "base/crypto.h"
#include "base/fs.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct spool_state *spool_peek(const struct spool *s)
{
    return &s->meta.state;
}

// ---- a transaction

enum err spool_begin(struct spool *s, struct diag *d)
{
    s->saved = s->meta;
    return db_begin(s->tables.db, d);
}

enum err spool_end(struct spool *s, enum err e, struct diag *d)
{
    spool_row_done(&s->tables);
    if (e == ERR_OK)
        e = spool_meta_write(&s->tables, &s->meta, d);
    if (e == ERR_OK)
        e = db_commit(s->tables.db, d);
    if (e != ERR_OK) {
        db_rollback(s->tables.db);
        s->meta = s->saved;
        return e;
    }
    spool_head_write(s);
    return ERR_OK;
}

// ---- opening

static enum err check_structure(struct db *db, struct diag *d)
{
    struct db_stmt *q = NULL;
    bool row = false;
    enum err e = db_prepare(db, "PRAGMA quick_check(1)", &q, d);
    if (e != ERR_OK)
        return e;
    e = db_step(q, &row);
    if (e == ERR_OK && (!row || strcmp(db_text(q, 0), "ok") != 0))
        e = diag_fail(d, ERR_CORRUPT, "the spool: %s", row ? db_text(q, 0) : "cannot be checked");
    else if (e != ERR_OK)
        e = diag_fail(d, e, "the spool: %s", db_error(db));
    db_finalize(q);
    return e;
}

// Rows and state must fit: the last row is the last written one.
static enum err check_rows(struct spool *s, struct diag *d)
{
    struct db_stmt *q = NULL;
    bool row = false;
    const struct spool_state *st = &s->meta.state;
    enum err e = db_prepare(s->tables.db,
                            "SELECT coalesce(max(last), 0) FROM batch WHERE sequence ="
                            " (SELECT max(sequence) FROM batch)",
                            &q, d);
    if (e != ERR_OK)
        return e;
    e = db_step(q, &row);
    uint64_t last = e == ERR_OK && row ? (uint64_t)db_int(q, 0) : 0;
    db_finalize(q);
    if (e == ERR_OK && last != st->last_written)
        e = ERR_CORRUPT;
    if (e == ERR_OK && (st->last_acknowledged > st->last_written || st->sendable > st->last_written))
        e = ERR_CORRUPT;
    return e == ERR_OK ? ERR_OK : diag_fail(d, e, "the spool's batches and its state do not fit together");
}

static enum err make_fresh(struct spool *s, struct diag *d)
{
    s->meta = (struct spool_meta){.state = {.generation = 1}};
    crypto_random(s->meta.state.incarnation.bytes, WIRE_INCARNATION_BYTES);
    enum err e = db_begin(s->tables.db, d);
    if (e != ERR_OK)
        return e;
    s->saved = s->meta;
    return spool_end(s, ERR_OK, d);
}

static enum err open_file(struct spool *s, const char *path, bool *fresh, struct diag *d)
{
    struct db *db = NULL;
    enum err e = db_open_writer(path, &db, d);
    if (e != ERR_OK)
        return e;
    s->tables.db = db;
    *fresh = false;
    e = check_structure(db, d);
    if (e == ERR_OK)
        e = spool_tables_create(db, d);
    if (e == ERR_OK)
        e = spool_tables_prepare(&s->tables, db, d);
    if (e == ERR_OK) {
        e = spool_meta_read(&s->tables, &s->meta, d);
        *fresh = e == ERR_NOT_FOUND;
        e = *fresh ? make_fresh(s, d) : e;
    }
    if (e == ERR_OK)
        e = check_rows(s, d);
    return e == ERR_INTERNAL ? ERR_CORRUPT : e; // a statement that fails on this file alone
}

static void close_file(struct spool *s)
{
    spool_tables_finalize(&s->tables);
    db_close(s->tables.db);
    s->tables.db = NULL;
}

static enum err tell_of_damage(struct spool *s, struct diag *d)
{
    enum err e = spool_begin(s, d);
    return e == ERR_OK ? spool_end(s, spool_insert_damage(s, d), d) : e;
}

static enum err open_or_replace(struct spool *s, const char *path, struct spool_opened *opened,
                                struct diag *d)
{
    struct diag why = {"damage was found while it was used"};
    enum err e = s->options.distrust ? ERR_CORRUPT : open_file(s, path, &opened->fresh, &why);
    if (e != ERR_CORRUPT)
        return e == ERR_OK ? ERR_OK : diag_fail(d, e, "%s", why.text);
    close_file(s);
    e = spool_set_aside(path, s->clock, opened->aside, sizeof opened->aside, d);
    if (e != ERR_OK)
        return e;
    opened->damaged = true;
    snprintf(opened->reason, sizeof opened->reason, "%.290s", why.text);
    e = open_file(s, path, &opened->fresh, d);
    return e == ERR_OK ? tell_of_damage(s, d) : e;
}

// What was acknowledged before a kill, and had not come to the tables. A note that fits no batch's end is not
// of this spool after all; either way none is left to be believed later. On a full disk it stays a note: it
// is no reason not to start, for figures in files and a collector that takes the backlog do not need the
// room.
static enum err take_noted(struct spool *s, struct spool_opened *opened, struct diag *d)
{
    const struct spool_state *st = &s->meta.state;
    uint64_t sequence;
    struct wire_receipt receipt;
    enum err e = ERR_OK;
    if (spool_head_noted(s->head, st, &sequence, &receipt))
        e = spool_acknowledge(s, sequence, &receipt, d);
    if (e == ERR_FULL || e == ERR_AGAIN) {
        opened->noted = true;
        snprintf(opened->reason, sizeof opened->reason, "%.290s", d ? d->text : err_text(e));
        return ERR_OK;
    }
    if (e != ERR_OK && e != ERR_INVALID)
        return e;
    receipt = st->receipt;
    (void)spool_note_acknowledged(s, st->last_acknowledged, &receipt);
    return ERR_OK;
}

// Only now may the note be written: until it is compared it says what had been there.
static enum err compare_with_head(struct spool *s, const char *state_folder, struct spool_opened *opened,
                                  struct diag *d)
{
    enum err e = spool_head_open(s, state_folder, d);
    if (e != ERR_OK)
        return e;
    opened->older =
        !opened->damaged && spool_head_is_ahead(s, opened->fresh, opened->reason, sizeof opened->reason);
    if (opened->older)
        return spool_renew_damaged(s, d);
    spool_head_write(s);
    return take_noted(s, opened, d);
}

enum err spool_open(const char *state_folder, const struct spool_options *options, const struct clock *clock,
                    struct spool **out, struct spool_opened *opened, struct diag *d)
{
    char path[PATH_MAX];
    *opened = (struct spool_opened){0};
    enum err e = fs_join(path, sizeof path, state_folder, SPOOL_FILE);
    if (e != ERR_OK)
        return diag_fail(d, e, "%s: the path is too long", state_folder);
    struct spool *s = calloc(1, sizeof *s);
    if (!s)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    s->options = *options;
    s->clock = clock;
    s->opened_wall = clock_wall(clock);
    s->opened_mono = clock_mono(clock);
    s->head = -1;
    e = open_or_replace(s, path, opened, d);
    if (e == ERR_OK)
        e = compare_with_head(s, state_folder, opened, d);
    if (e == ERR_OK)
        *out = s;
    else
        spool_close(s);
    return e;
}

void spool_close(struct spool *s)
{
    if (!s)
        return;
    close_file(s);
    spool_head_close(s);
    free(s);
}

// ---- declares

static bool are_declared(struct spool *s, const struct wire_declare *wanted, size_t count, uint32_t *numbers)
{
    for (size_t i = 0; i < count; i++)
        if (spool_declare_find(&s->tables, &wanted[i], &numbers[i]) != ERR_OK)
            return false;
    return true;
}

enum err spool_declare(struct spool *s, const struct wire_declare *wanted, size_t count, uint32_t *numbers,
                       struct diag *d)
{
    if (are_declared(s, wanted, count, numbers)) // as at most starts: nothing to write, no room needed
        return ERR_OK;
    enum err e = spool_begin(s, d);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; e == ERR_OK && i < count; i++) {
        e = spool_declare_find(&s->tables, &wanted[i], &numbers[i]);
        if (e != ERR_NOT_FOUND)
            continue;
        if (s->meta.state.declares >= WIRE_SERIES_NUMBERS) {
            e = diag_fail(d, ERR_FULL, "%d series numbers have been given out: remove %s to begin anew",
                          WIRE_SERIES_NUMBERS, SPOOL_FILE);
            break;
        }
        numbers[i] = s->meta.state.declares++;
        e = spool_declare_insert(&s->tables, &wanted[i], numbers[i], d);
    }
    return spool_end(s, e, d);
}

// ---- acknowledge

static void count_acknowledged(struct spool *s, const struct spool_stored *row)
{
    struct spool_meta *m = &s->meta;
    spool_count_acknowledged(&m->state.counters, row);
    spool_note_accepted(s, row);
    m->tail_bytes += row->len;
    m->state.last_acknowledged = row->last;
}

static enum err apply_acknowledge(struct spool *s, uint64_t sequence, const struct wire_receipt *receipt,
                                  struct diag *d)
{
    struct spool_state *st = &s->meta.state;
    enum err e = ERR_OK;
    if (sequence > st->last_written)
        return diag_fail(d, ERR_INVALID, "%llu was never written", (unsigned long long)sequence);
    while (e == ERR_OK && st->last_acknowledged < sequence) {
        struct spool_stored row;
        e = spool_row_read(&s->tables, st->last_acknowledged + 1, &row, d);
        if (e == ERR_OK && row.last > sequence)
            return diag_fail(d, ERR_INVALID, "%llu lies inside a gap", (unsigned long long)sequence);
        if (e == ERR_OK)
            count_acknowledged(s, &row);
    }
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, ERR_CORRUPT, "the spool lacks batch %llu",
                         (unsigned long long)st->last_acknowledged + 1);
    st->receipt = *receipt;
    if (st->sendable < st->last_acknowledged)
        st->sendable = st->last_acknowledged;
    if (e == ERR_OK)
        e = spool_trim_tail(s, d);
    return e == ERR_OK ? spool_extend_sendable(s, d) : e;
}

enum err spool_acknowledge(struct spool *s, uint64_t sequence, const struct wire_receipt *receipt,
                           struct diag *d)
{
    const struct spool_state *st = &s->meta.state;
    if (sequence <= st->last_acknowledged)
        return ERR_OK;
    enum err e = spool_begin(s, d);
    return e == ERR_OK ? spool_end(s, apply_acknowledge(s, sequence, receipt, d), d) : e;
}

// ---- append

static enum err insert_row(struct spool *s, const struct spool_row *row, struct diag *d)
{
    struct spool_state *st = &s->meta.state;
    if (row->sequence != st->last_written + 1)
        return diag_fail(d, ERR_INVALID, "batch %llu does not follow %llu", (unsigned long long)row->sequence,
                         (unsigned long long)st->last_written);
    const struct spool_stored stored = {.first = row->sequence,
                                        .last = row->sequence,
                                        .class = (int)row->class,
                                        .samples = row->samples,
                                        .from_s = row->from_s,
                                        .to_s = row->to_s,
                                        .created_us = clock_wall(s->clock).us,
                                        .body = row->body,
                                        .len = row->len};
    enum err e = spool_row_insert(&s->tables, &stored, d);
    if (e != ERR_OK)
        return e;
    st->last_written = row->sequence;
    if (st->first_kept == 0)
        st->first_kept = row->sequence;
    st->counters.spooled += row->samples;
    st->counters.spool_bytes += row->len;
    return ERR_OK;
}

static enum err apply_change(struct spool *s, const struct spool_change *c, struct diag *d)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < c->row_count; i++)
        e = insert_row(s, &c->rows[i], d);
    for (size_t i = 0; e == ERR_OK && i < c->position_count; i++)
        e = spool_position_put(&s->tables, &c->positions[i], d);
    if (e == ERR_OK && c->acknowledged > s->meta.state.last_acknowledged)
        e = apply_acknowledge(s, c->acknowledged, &c->receipt, d);
    s->meta.state.counters.sampled += c->sampled;
    s->meta.state.counters.refused += c->refused;
    s->meta.state.counters.source_errors += c->source_errors;
    if (e == ERR_OK)
        e = spool_apply_quota(s, d);
    return e == ERR_OK ? spool_extend_sendable(s, d) : e;
}

enum err spool_append(struct spool *s, const struct spool_change *change, struct diag *d)
{
    enum err e = spool_begin(s, d);
    return e == ERR_OK ? spool_end(s, apply_change(s, change, d), d) : e;
}

bool spool_peek_noted(const struct spool *s, uint64_t *sequence, struct wire_receipt *receipt)
{
    return spool_head_noted(s->head, &s->meta.state, sequence, receipt);
}

void spool_note_declares(struct spool *s, uint32_t known)
{
    if (known > s->meta.declares_known && known <= s->meta.state.declares)
        s->meta.declares_known = known;
}

enum err spool_allow(struct spool *s, bool sending, struct diag *d)
{
    s->sending = sending;
    if (!sending || s->meta.state.sendable >= s->meta.state.last_written)
        return ERR_OK;
    enum err e = spool_begin(s, d);
    return e == ERR_OK ? spool_end(s, spool_extend_sendable(s, d), d) : e;
}

// ---- positions

enum err spool_position_get(struct spool *s, const char *source, const char *key, void *out, size_t cap,
                            size_t *len)
{
    return spool_tables_position_get(&s->tables, source, key, out, cap, len);
}

enum err spool_position_each(struct spool *s, const char *source, const char *prefix, position_visit visit,
                             void *ctx)
{
    return spool_tables_position_each(&s->tables, source, prefix, visit, ctx);
}
