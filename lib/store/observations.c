// The writer of the projection. Its cursor is committed with what was read up to it; after any failure the
// transaction and all that was noted in memory are dropped together, and the next advance reads the same rows
// again. A cursor belongs to one ledger and one history of it: when the ledger was replaced or restored from
// an older copy, the row at the cursor is another one (or gone), and everything is read anew.
#include "store/day_totals_internal.h"
#include "store/reader_keep.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err observations_open(const char *state, struct observations **out, struct diag *d)
{
    struct observations *o = calloc(1, sizeof *o);
    if (!o)
        return diag_fail(d, ERR_NOMEM, "observations: %s", err_text(ERR_NOMEM));
    enum err e = observations_schema_open(state, o, d);
    if (e != ERR_OK)
        observations_close(o);
    else
        *out = o;
    return e;
}

void observations_close(struct observations *o)
{
    if (!o)
        return;
    observations_forget(o);
    for (int i = 0; i < OBSERVATIONS_STATEMENTS; i++)
        db_finalize(o->statements[i]);
    db_close(o->db);
    free(o);
}

void observations_watch(struct observations *o, observations_revised revised, void *ctx)
{
    o->revised = revised;
    o->revised_ctx = ctx;
}

uint64_t observations_cursor(const struct observations *o)
{
    return o->cursor;
}

uint64_t observations_repeats(const struct observations *o)
{
    return o->repeats;
}

bool observations_renewed(const struct observations *o)
{
    return o->renewed;
}

// ---- reports
// --------------------------------------------------------------------------------------------------------

struct current {
    uint32_t revision; // 0: none
    bool same;
    char author[WIRE_AUTHOR_MAX + 1];
};

// With by_published the one in force among those that were published by the time that this one was.
static enum err find_current(struct observations *o, const struct observation *n, bool by_published,
                             struct current *out)
{
    struct db_stmt *s = o->statements[by_published ? OBSERVATIONS_PUBLISHED : OBSERVATIONS_CURRENT];
    struct figure value;
    bool row = false;
    db_bind_int(s, 1, n->series_id);
    db_bind_int(s, 2, n->period_start);
    if (by_published)
        db_bind_int(s, 3, n->published_us);
    enum err e = db_step(s, &row);
    if (e == ERR_OK && row) {
        out->revision = (uint32_t)db_int(s, 0);
        if (!figure_column(s, 1, &value))
            e = ERR_CORRUPT;
        out->same = figure_equal(value, n->value) && strcmp(db_text(s, 2), n->currency) == 0 &&
                    db_int(s, 3) == n->status && (db_int(s, 4) != 0) == n->confidential;
        snprintf(out->author, sizeof out->author, "%s", db_text(s, 5));
    }
    db_reset(s);
    return e;
}

static enum err insert(struct observations *o, const struct observation *n, uint32_t index)
{
    struct db_stmt *s = o->statements[OBSERVATIONS_INSERT];
    db_bind_int(s, 1, n->series_id);
    db_bind_int(s, 2, n->period_start);
    db_bind_int(s, 3, n->revision);
    figure_bind(s, 4, n->value);
    db_bind_text(s, 5, n->currency);
    db_bind_int(s, 6, n->status);
    db_bind_int(s, 7, n->confidential);
    db_bind_text(s, 8, n->reason);
    db_bind_text(s, 9, n->author);
    db_bind_int(s, 10, n->received_us);
    db_bind_int(s, 11, n->published_us);
    db_bind_int(s, 12, (int64_t)n->position);
    db_bind_int(s, 13, index);
    db_bind_int(s, 14, n->key_id);
    return db_run(s);
}

static void observation_of(const struct reader_sample *s, struct observation *out)
{
    static const struct wire_note none = {.reason = "", .author = "", .currency = ""};
    const struct wire_note *note = s->note ? s->note : &none;
    *out = (struct observation){
        .series_id = s->series->series_id,
        .period_start = (int32_t)s->time,
        .value = s->value,
        // A value that vanishes is a revision to "missing", whatever the note says.
        .status = s->value.kind == FIGURE_MISSING ? WIRE_MISSING : note->status,
        .confidential = note->confidential,
        .reason = note->reason,
        .author = note->author,
        .received_us = s->received_us,
        .published_us = note->published_us ? note->published_us : s->received_us,
        .position = s->position,
    };
    const char *currency = note->currency[0] ? note->currency : s->series->currency;
    if (!ledger_copy_text(out->currency, sizeof out->currency, currency))
        out->currency[0] = '\0';
}

static void tell(const struct observations *o, const struct ledger_series *series,
                 const struct observation *n, const struct current *before)
{
    const struct observations_change c = {.series = series,
                                          .period_start = n->period_start,
                                          .revision = n->revision,
                                          .author = n->author,
                                          .after = before->author,
                                          .key_id = n->key_id,
                                          .received_us = n->received_us};
    if (o->revised)
        o->revised(o->revised_ctx, &c);
}

// A repeat says nothing new to either question: releases may come out of order, and the one in force when
// this one was published need not be the one that came last.
static enum err take_report(struct observations *o, const struct reader_sample *s, int64_t key_id)
{
    struct observation n;
    struct current current = {0}, published = {0};
    observation_of(s, &n);
    n.key_id = key_id;
    enum err e = find_current(o, &n, false, &current);
    if (e == ERR_OK && current.same)
        e = find_current(o, &n, true, &published);
    if (e == ERR_OK && current.same && published.same) {
        o->repeats++;
    } else if (e == ERR_OK) {
        n.revision = current.revision + 1;
        e = insert(o, &n, s->index);
        tell(o, s->series, &n, &current);
    }
    return e == ERR_OK ? observations_note_latest(o, s) : e;
}

// ---- rows
// -----------------------------------------------------------------------------------------------------------

struct advance {
    struct observations *o;
    struct reader *reader;
    struct diag *d;
    const struct reader_row *row;
    size_t rows;
    int64_t time, day; // of the sample before, so that most samples cost no look-up
    bool has_day;
};

static enum err note_day(struct advance *a, int64_t time)
{
    const int64_t day = day_of(time);
    const bool noted = a->has_day && day == a->day;
    a->time = time;
    a->day = day;
    a->has_day = true;
    return noted ? ERR_OK : observations_note_day(a->o, a->row->stream_id, a->row->sequence, day);
}

static enum err take_sample(void *ctx, const struct reader_sample *s)
{
    struct advance *a = ctx;
    enum err e;
    if (s->series->class == WIRE_REPORT) {
        e = take_report(a->o, s, a->row->key_id);
    } else {
        e = observations_note_latest(a->o, s);
        if (e == ERR_OK && (!a->has_day || s->time != a->time))
            e = note_day(a, s->time);
    }
    return e == ERR_OK ? ERR_OK : observations_fail(a->o, e, "cannot write", a->d);
}

// After a rebuild the last figure of a series may be in a roll-up alone.
static enum err take_rollup(struct advance *a, const struct reader_row *row)
{
    struct wire_rollup r;
    struct reader_sample s = {.value = figure_missing()};
    enum err e = reader_rollup_of(a->reader, row, &r, a->d);
    if (e != ERR_OK || r.count == 0)
        return e;
    if ((e = reader_series(a->reader, (int64_t)r.series, &s.series, a->d)) != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    if (!r.last_unknown)
        s.value = r.cells[r.count - 1].last;
    s.time = r.last_s;
    s.position = r.last_position;
    s.received_us = r.last_received_us;
    e = observations_note_older(a->o, &s);
    if (e == ERR_OK)
        e = day_totals_note_rollup(a->o, &r);
    return e == ERR_OK ? e : observations_fail(a->o, e, "cannot write", a->d);
}

// Where figures of dropped rows lay is of no use any more.
static enum err take_seal(struct advance *a, const struct reader_row *row)
{
    struct db_stmt *s = a->o->statements[OBSERVATIONS_DROP_SPANS];
    struct wire_message m;
    enum err e = wire_decode_kept(a->reader->body_arena, row->body, row->body_len, &m, a->d);
    if (e != ERR_OK || m.type != WIRE_SEAL)
        return diag_fail(a->d, e == ERR_NOMEM ? e : ERR_CORRUPT,
                         LEDGER_FILE ": the seal at position %" PRIu64 " is damaged", row->position);
    if ((e = day_totals_note_rolled(a->o, m.seal.rolled_until_s)) != ERR_OK)
        return observations_fail(a->o, e, "cannot write", a->d);
    if (m.seal.dropped_until_s == 0 || m.seal.run_count > 0)
        return ERR_OK;
    db_bind_int(s, 1, day_of(m.seal.dropped_until_s));
    e = db_run(s);
    return e == ERR_OK ? e : observations_fail(a->o, e, "cannot write", a->d);
}

static enum err take_row(void *ctx, const struct reader_row *row)
{
    struct advance *a = ctx;
    enum err e;
    a->row = row;
    a->has_day = false;
    if (row->kind == LEDGER_ROLLUP)
        e = take_rollup(a, row);
    else if (row->kind == LEDGER_SEAL)
        e = take_seal(a, row);
    else if (row->kind == LEDGER_CONTROL)
        e = observations_take_control(a->o, a->reader, row, a->d);
    else
        e = reader_samples(a->reader, row, take_sample, a, a->d);
    if (e != ERR_OK)
        return e;
    if ((e = observations_note_seen(a->o, row->stream_id, row->last_sequence)) != ERR_OK)
        return observations_fail(a->o, e, "cannot write", a->d);
    memcpy(a->o->cursor_chain, row->chain, HASH_BYTES);
    a->o->cursor = row->position;
    a->rows++;
    return ERR_OK;
}

// ---- advancing
// ------------------------------------------------------------------------------------------------------

static enum err save_cursor(struct observations *o)
{
    struct db_stmt *s = o->statements[OBSERVATIONS_SAVE_CURSOR];
    db_bind_int(s, 1, (int64_t)o->cursor);
    db_bind_blob(s, 2, o->cursor_chain, HASH_BYTES);
    db_bind_blob(s, 3, o->ledger_id, LEDGER_ID_BYTES);
    db_bind_int(s, 4, (int64_t)o->repeats);
    return db_run(s);
}

// Whether this is still the ledger that the cursor was made on.
static enum err check_ledger(struct observations *o, struct reader *r, struct diag *d)
{
    struct ledger_head head;
    struct wire_receipt cursor = {.position = o->cursor};
    struct reader_receipt_found found;
    enum err e = ledger_head_read(r->db, &head, d);
    if (e != ERR_OK)
        return e;
    bool other = memcmp(head.ledger_id, o->ledger_id, LEDGER_ID_BYTES) != 0 || head.position < o->cursor;
    if (!other && o->cursor > 0) {
        memcpy(cursor.chain, o->cursor_chain, HASH_BYTES);
        if ((e = reader_find_receipt(r, &cursor, &found, d)) != ERR_OK)
            return e;
        other = found.state != RECEIPT_PRESENT && found.state != RECEIPT_SEALED;
    }
    if (other && o->cursor > 0 && (e = observations_reset(o, d)) != ERR_OK)
        return e;
    memcpy(o->ledger_id, head.ledger_id, LEDGER_ID_BYTES);
    o->checked = true;
    return ERR_OK;
}

static enum err advance(struct observations *o, struct reader *r, size_t max_rows, struct advance *a,
                        struct diag *d)
{
    uint64_t last = 0;
    enum err e = db_begin(o->db, d);
    if (e != ERR_OK)
        return e;
    e = reader_rows(r, o->cursor, max_rows, take_row, a, &last, d);
    if (e == ERR_OK && (e = observations_write_noted(o)) != ERR_OK)
        e = observations_fail(o, e, "cannot write", d);
    if (e == ERR_OK && (e = save_cursor(o)) != ERR_OK)
        e = observations_fail(o, e, "cannot write the cursor", d);
    if (e == ERR_OK)
        return db_commit(o->db, d);
    db_rollback(o->db);
    return e;
}

enum err observations_advance(struct observations *o, struct reader *r, size_t max_rows, size_t *rows,
                              struct diag *d)
{
    struct advance a = {.o = o, .reader = r, .d = d};
    uint64_t position = 0;
    int64_t received_us = 0;
    enum err e = o->checked ? ERR_OK : check_ledger(o, r, d);
    if (e == ERR_OK)
        e = reader_head(r, &position, &received_us, d);
    if (e != ERR_OK)
        return e;
    if (position < o->cursor) { // the ledger was replaced while we ran
        o->checked = false;
        return diag_fail(d, ERR_AGAIN, "the ledger ends before the observations' cursor: checking again");
    }
    *rows = 0;
    if (position == o->cursor)
        return ERR_OK;
    const uint64_t cursor = o->cursor;
    const uint64_t repeats = o->repeats;
    const int64_t rolled_until_s = o->rolled_until_s;
    uint8_t chain[HASH_BYTES];
    memcpy(chain, o->cursor_chain, HASH_BYTES);
    e = advance(o, r, max_rows, &a, d);
    if (e != ERR_OK) {
        o->cursor = cursor;
        o->repeats = repeats;
        o->rolled_until_s = rolled_until_s;
        memcpy(o->cursor_chain, chain, HASH_BYTES);
        observations_forget(o);
        return e;
    }
    *rows = a.rows;
    return ERR_OK;
}

enum err observations_reset(struct observations *o, struct diag *d)
{
    enum err e = db_begin(o->db, d);
    if (e != ERR_OK)
        return e;
    e = db_exec(o->db,
                "DELETE FROM observation; DELETE FROM latest; DELETE FROM span; DELETE FROM seen; DELETE "
                "FROM rates;" DAY_TOTALS_FORGET "UPDATE cursor SET position=0, chain=zeroblob(32), repeats=0",
                d);
    if (e != ERR_OK) {
        db_rollback(o->db);
        return e;
    }
    if ((e = db_commit(o->db, d)) != ERR_OK)
        return e;
    observations_forget(o);
    o->cursor = o->repeats = 0;
    o->rolled_until_s = 0;
    memset(o->cursor_chain, 0, HASH_BYTES);
    return ERR_OK;
}
