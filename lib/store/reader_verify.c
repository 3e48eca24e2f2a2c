// An audit of everything that says what was received: each chain is recomputed row by row, each stream's
// sequence must have no hole, each index must lead to its row, and what is kept beside the rows (watermarks,
// chains' ends, ledger.head) must agree with them. After a damaged row the walk goes on from the hash stored
// there, so that one flipped byte is one range and not the rest of the ledger. Pages SQLite itself cannot
// read are stepped over and named. Rows are read in short transactions; the last one also compares what is
// kept beside them, so a running writer does not disturb it.
#include "store/reader_verify.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_A_TRANSACTION 2000
#define TEXT_MAX           500
#define TRIES              5 // when rows are dropped under the walk

// ---- what is found
// --------------------------------------------------------------------------------------------------

void verify_damage(struct verify *v, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;
    verify_flush(v);
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    v->out.damaged++;
    if (v->visit)
        v->visit(v->ctx, text);
}

static const char *class_name(int64_t class)
{
    static const char *const names[LEDGER_CLASSES] = {"declare", "measurement", "report", "control"};
    return class >= 0 && class < LEDGER_CLASSES ? names[class] : "unknown";
}

static void resident_of(struct verify *v, int64_t agent_id, char out[128])
{
    bool row = false;
    db_bind_int(v->find_agent, 1, agent_id);
    if (db_step(v->find_agent, &row) != ERR_OK || !row ||
        !ledger_copy_text(out, 128, db_text(v->find_agent, 0)))
        memcpy(out, "unknown", sizeof "unknown");
    db_reset(v->find_agent);
}

void verify_flush(struct verify *v)
{
    struct verify_range g = v->range;
    char resident[128], first[WALL_TEXT], last[WALL_TEXT];
    if (!g.why)
        return;
    v->range.why = NULL;
    resident_of(v, g.agent_id, resident);
    wall_text((struct wall){g.first_us}, first);
    wall_text((struct wall){g.last_us}, last);
    verify_damage(v,
                  "%s: positions %" PRIu64 "..%" PRIu64 " (%s), agent %" PRId64 " %s, stream %" PRId64
                  ", sequences %" PRIu64 "..%" PRIu64 ", received %s..%s",
                  g.why, g.first_position, g.last_position, class_name(g.class), g.agent_id, resident,
                  g.stream_id, g.first_sequence, g.last_sequence, first, last);
}

// Neighbouring rows of one stream with one fault are one range.
static void damaged_row(struct verify *v, const struct reader_row *row, const char *why)
{
    struct verify_range *g = &v->range;
    bool joins = g->why == why && g->stream_id == row->stream_id && g->last_position + 1 == row->position;
    if (joins) {
        g->last_position = row->position;
        g->last_sequence = row->last_sequence;
        g->last_us = row->received_us;
        return;
    }
    verify_flush(v);
    *g = (struct verify_range){
        why,           row->class,    row->stream_id,     row->agent_id,    row->position,
        row->position, row->sequence, row->last_sequence, row->received_us, row->received_us};
}

// ---- rows
// -----------------------------------------------------------------------------------------------------------

struct verify_stream *verify_stream(struct verify *v, int64_t stream_id)
{
    struct verify_stream *s = id_table_get(&v->streams, stream_id);
    if (s)
        return s;
    s = calloc(1, sizeof *s);
    if (s && id_table_put(&v->streams, stream_id, s) != ERR_OK) {
        free(s);
        s = NULL;
    }
    return s;
}

static bool check_hash(struct verify *v, const struct reader_row *row, struct db_stmt *s)
{
    struct wire_incarnation incarnation = {{0}};
    struct ledger_chain_row chained;
    uint8_t hash[HASH_BYTES];
    size_t len = 0;
    int c = (int)row->class;
    const void *bytes = db_blob(s, 14, &len);
    if (c < 1 || c >= LEDGER_CLASSES || !row->chain || len != WIRE_INCARNATION_BYTES)
        return false;
    memcpy(incarnation.bytes, bytes, len);
    reader_chain_row(row, &incarnation, &chained);
    ledger_chain_next(v->ends.chains[c].hash, &chained, hash);
    bool same = v->lost_end[c] || memcmp(hash, row->chain, HASH_BYTES) == 0;
    v->lost_end[c] = false;
    ledger_chain_end_advance(&v->ends.chains[c], row->position, row->chain);
    return same;
}

static bool check_sequence(struct verify *v, const struct reader_row *row)
{
    struct verify_stream *s = verify_stream(v, row->stream_id);
    if (!s)
        return false;
    uint64_t hole = row->sequence > s->last_sequence ? row->sequence - s->last_sequence - 1 : UINT64_MAX;
    bool follows = hole <= s->sealed_rows - s->holes && row->last_sequence >= row->sequence;
    s->holes += follows ? hole : 0;
    s->last_sequence = row->last_sequence;
    s->batches++;
    if (row->gap) {
        s->gap += row->samples;
    } else {
        s->accepted += row->samples - (uint64_t)row->refused;
        s->quarantined += row->refused;
    }
    return follows;
}

// What the writer looks repeats up by, and readers a stream's rows.
static bool check_index(struct verify *v, const struct reader_row *row)
{
    bool found = false;
    db_bind_int(v->find_sequence, 1, row->stream_id);
    db_bind_int(v->find_sequence, 2, (int64_t)row->sequence);
    bool same = db_step(v->find_sequence, &found) == ERR_OK && found &&
                (uint64_t)db_int(v->find_sequence, 0) == row->position;
    db_reset(v->find_sequence);
    return same;
}

// CORRUPT: damaged pages hand out rows in another order than asked for, which could go on without an end.
static enum err check_row(struct verify *v, struct db_stmt *s)
{
    struct reader_row row;
    reader_row_from(s, &row);
    if (row.position <= v->ends.position || row.position > INT64_MAX)
        return ERR_CORRUPT;
    if (row.position != v->ends.position + 1 && !v->skipped)
        verify_keep_missing(v, v->ends.position + 1, row.position - 1);
    v->skipped = false;
    v->ends.position = row.position;
    v->out.rows++;
    bool hash = check_hash(v, &row, s);
    bool sequence = check_sequence(v, &row);
    if (!hash)
        damaged_row(v, &row, "does not match its chain hash");
    else if (!sequence)
        damaged_row(v, &row, "does not follow its stream's sequence");
    else if (!check_index(v, &row))
        damaged_row(v, &row, "is not found through its index");
    if (row.kind >= LEDGER_ROLLUP)
        verify_keep_row(v, &row);
    return ERR_OK;
}

// ---- pages that cannot be read
// --------------------------------------------------------------------------------------

static bool readable_after(struct verify *v, uint64_t after)
{
    struct db_stmt *s = v->reader->statements[READER_ROWS];
    bool row = false;
    db_bind_int(s, 1, (int64_t)after);
    db_bind_int(s, 2, 1);
    enum err e = db_step(s, &row);
    db_reset(s);
    return e == ERR_OK;
}

// The first position after which rows can be read again: doubling, then halving.
static uint64_t first_readable(struct verify *v)
{
    uint64_t from = v->ends.position;
    uint64_t step = 1;
    while (from + step < v->kept.position && !readable_after(v, from + step))
        step *= 2;
    uint64_t low = step / 2;
    uint64_t high = step;
    while (low + 1 < high) {
        uint64_t middle = low + (high - low) / 2;
        if (readable_after(v, from + middle))
            high = middle;
        else
            low = middle;
    }
    return from + high;
}

static void skip_unreadable(struct verify *v)
{
    uint64_t next = first_readable(v);
    if (next > v->kept.position)
        next = v->kept.position;
    verify_damage(v, "cannot be read (damaged pages): positions %" PRIu64 "..%" PRIu64, v->ends.position + 1,
                  next);
    v->ends.position = next;
    v->skipped = true;
    verify_keep_skip(v, next);
    for (int c = 1; c < LEDGER_CLASSES; c++)
        v->lost_end[c] = true;
}

// ---- the walk
// -------------------------------------------------------------------------------------------------------

static enum err walk_some(struct verify *v, bool *done, struct diag *d)
{
    struct db_stmt *s = v->reader->statements[READER_ROWS];
    bool row = false;
    int count = 0;
    enum err e = reader_begin(v->reader, d);
    if (e != ERR_OK)
        return e;
    if ((e = ledger_head_read(v->reader->db, &v->kept, d)) != ERR_OK ||
        (e = verify_keep_same(v, d)) != ERR_OK)
        goto out;
    db_bind_int(s, 1, (int64_t)v->ends.position);
    db_bind_int(s, 2, ROWS_A_TRANSACTION);
    while ((e = db_step(s, &row)) == ERR_OK && row && (e = check_row(v, s)) == ERR_OK)
        count++;
    db_reset(s);
    if (e == ERR_CORRUPT && v->ends.position < v->kept.position) {
        skip_unreadable(v);
        e = ERR_OK;
    } else if (e != ERR_OK) {
        e = reader_fail(v->reader, e, "cannot verify", d);
    } else if (count < ROWS_A_TRANSACTION) {
        *done = true;
        verify_keep_close(v);
        e = verify_tables(v, d);
    }
out:
    reader_end(v->reader);
    return e;
}

static enum err prepare(struct verify *v, struct diag *d)
{
    enum err e = db_prepare(v->reader->db, "SELECT resident FROM agent WHERE agent_id=?", &v->find_agent, d);
    if (e == ERR_OK)
        e = db_prepare(
            v->reader->db,
            "SELECT position FROM batch INDEXED BY batch_sequence WHERE stream_id=? AND sequence=?",
            &v->find_sequence, d);
    if (e == ERR_OK)
        e = ledger_head_read(v->reader->db, &v->kept, d);
    for (int c = 0; c < LEDGER_CHAINS; c++)
        ledger_chain_genesis(v->kept.ledger_id, v->ends.chains[c].hash);
    return e;
}

static void deinit(struct verify *v)
{
    db_finalize(v->find_agent);
    db_finalize(v->find_sequence);
    id_table_deinit(&v->streams, free);
    free(v->runs);
}

static void report(struct verify *v, struct reader_verified *out)
{
    verify_flush(v);
    for (int c = 0; c < LEDGER_CHAINS; c++) {
        v->out.class[c].rows = v->ends.chains[c].rows;
        v->out.class[c].position = v->ends.chains[c].position;
        memcpy(v->out.class[c].head, v->ends.chains[c].hash, HASH_BYTES);
    }
    *out = v->out;
}

static enum err walk(struct verify *v, struct reader_verified *out, struct diag *d)
{
    bool done = false;
    // Before the rows: the ledger may grow meanwhile, never shrink.
    enum err recorded = ledger_head_load(v->reader->state, &v->recorded, d);
    v->has_recorded = recorded == ERR_OK;
    if (recorded == ERR_CORRUPT)
        verify_damage(v, "%s", d ? d->text : LEDGER_HEAD " is damaged");
    enum err e = prepare(v, d);
    if (e == ERR_OK)
        e = verify_keep_open(v, d);
    while (e == ERR_OK && !done) {
        e = walk_some(v, &done, d);
        if (v->progress)
            v->progress(v->ctx, v->ends.position, v->kept.position);
    }
    if (e == ERR_OK)
        report(v, out);
    return e;
}

enum err reader_verify_watched(struct reader *r, reader_damage_visit visit, reader_progress progress,
                               void *ctx, struct reader_verified *out, struct diag *d)
{
    enum err e = ERR_AGAIN;
    for (int i = 0; i < TRIES && e == ERR_AGAIN; i++) {
        struct verify v = {.reader = r, .visit = visit, .progress = progress, .ctx = ctx};
        e = walk(&v, out, d);
        deinit(&v);
    }
    return e;
}

enum err reader_verify(struct reader *r, reader_damage_visit visit, void *ctx, struct reader_verified *out,
                       struct diag *d)
{
    return reader_verify_watched(r, visit, NULL, ctx, out, d);
}
