// SQLite checks its own pages only in part, so each row carries a hash over all it says: a byte that changed
// on the disk is found before it is sent, not by the reader of a graph. The hash of a batch covers its
// sequence too, so that a row can't stand in for another.
#include "agent/spool_internal.h"
#include "base/crypto.h"
#include <string.h>

static enum err fail(struct spool_tables *t, enum err e, struct diag *d)
{
    return e == ERR_OK ? ERR_OK : diag_fail(d, e, "the spool: %s", db_error(t->db));
}

// ---- hashes

static void hash_parts(const struct hash_part *parts, size_t count, uint8_t out[SPOOL_HASH_BYTES])
{
    uint8_t whole[HASH_BYTES];
    crypto_digest(parts, count, whole);
    memcpy(out, whole, SPOOL_HASH_BYTES);
}

static bool hash_matches(struct db_stmt *s, int column, const uint8_t hash[SPOOL_HASH_BYTES])
{
    size_t len = 0;
    const void *stored = db_blob(s, column, &len);
    return stored && len == SPOOL_HASH_BYTES && memcmp(stored, hash, len) == 0;
}

static void hash_row(const struct spool_stored *r, uint8_t out[SPOOL_HASH_BYTES])
{
    const int64_t numbers[] = {(int64_t)r->first, (int64_t)r->last,    r->class,
                               r->reason,         (int64_t)r->samples, r->from_s,
                               r->to_s,           r->created_us,       r->body != NULL};
    hash_parts((const struct hash_part[]){{numbers, sizeof numbers}, {r->body, r->body ? r->len : 0}}, 2,
               out);
}

static void hash_position(const char *source, const char *key, const void *bytes, size_t len,
                          uint8_t out[SPOOL_HASH_BYTES])
{
    hash_parts((const struct hash_part[]){{source, strlen(source)}, {key, strlen(key)}, {bytes, len}}, 3,
               out);
}

static void hash_declare(const struct wire_declare *w, uint32_t number, uint8_t out[SPOOL_HASH_BYTES])
{
    const int64_t numbers[] = {number, w->class, w->step_s, w->period};
    hash_parts((const struct hash_part[]){{w->series, strlen(w->series)},
                                          {w->unit, strlen(w->unit)},
                                          {w->currency, strlen(w->currency)},
                                          {numbers, sizeof numbers}},
               4, out);
}

#define META_NUMBERS 21

static void meta_numbers(const struct spool_meta *m, int64_t out[META_NUMBERS])
{
    const struct spool_state *s = &m->state;
    const uint64_t numbers[META_NUMBERS] = {SPOOL_FORMAT,
                                            s->generation,
                                            s->declares,
                                            s->first_kept,
                                            s->last_written,
                                            s->last_acknowledged,
                                            s->sendable,
                                            s->receipt.position,
                                            s->counters.sampled,
                                            s->counters.refused,
                                            s->counters.spooled,
                                            s->counters.spool_bytes,
                                            s->counters.source_errors,
                                            s->counters.acknowledged,
                                            s->counters.gaps,
                                            m->tail_bytes,
                                            m->forgotten_last,
                                            m->forgotten_samples,
                                            (uint64_t)m->forgotten_from_s,
                                            (uint64_t)m->forgotten_to_s,
                                            m->declares_known};
    memcpy(out, numbers, sizeof numbers);
}

static void hash_meta(const struct spool_meta *m, uint8_t out[SPOOL_HASH_BYTES])
{
    int64_t numbers[META_NUMBERS];
    meta_numbers(m, numbers);
    hash_parts((const struct hash_part[]){{m->state.incarnation.bytes, WIRE_INCARNATION_BYTES},
                                          {m->state.receipt.chain, WIRE_CHAIN_BYTES},
                                          {numbers, sizeof numbers}},
               3, out);
}

// ---- meta

static enum err take_blob(struct db_stmt *s, int column, void *out, size_t len)
{
    size_t have = 0;
    const void *bytes = db_blob(s, column, &have);
    if (!bytes || have != len)
        return ERR_CORRUPT;
    memcpy(out, bytes, len);
    return ERR_OK;
}

static enum err take_meta(struct db_stmt *q, struct spool_meta *m)
{
    struct spool_state *s = &m->state;
    enum err e = take_blob(q, 1, s->incarnation.bytes, WIRE_INCARNATION_BYTES);
    if (e == ERR_OK)
        e = take_blob(q, 9, s->receipt.chain, WIRE_CHAIN_BYTES);
    uint64_t *const numbers[] = {&s->generation,
                                 NULL,
                                 &s->first_kept,
                                 &s->last_written,
                                 &s->last_acknowledged,
                                 &s->sendable,
                                 &s->receipt.position,
                                 NULL,
                                 &s->counters.sampled,
                                 &s->counters.refused,
                                 &s->counters.spooled,
                                 &s->counters.spool_bytes,
                                 &s->counters.source_errors,
                                 &s->counters.acknowledged,
                                 &s->counters.gaps,
                                 &m->tail_bytes,
                                 &m->forgotten_last,
                                 &m->forgotten_samples};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i])
            *numbers[i] = (uint64_t)db_int(q, (int)i + 2);
    s->declares = (uint32_t)db_int(q, 3);
    m->forgotten_from_s = db_int(q, 20);
    m->forgotten_to_s = db_int(q, 21);
    m->declares_known = (uint32_t)db_int(q, 22);
    uint8_t hash[SPOOL_HASH_BYTES];
    hash_meta(m, hash);
    bool good = e == ERR_OK && db_int(q, 0) == SPOOL_FORMAT && hash_matches(q, 23, hash);
    return good ? ERR_OK : ERR_CORRUPT;
}

enum err spool_meta_read(struct spool_tables *t, struct spool_meta *out, struct diag *d)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_META_READ];
    struct spool_meta m = {0};
    bool row = false;
    enum err e = db_step(q, &row);
    if (e != ERR_OK)
        return fail(t, e, d);
    if (!row)
        e = diag_fail(d, ERR_NOT_FOUND, "the spool has no state");
    else if ((e = take_meta(q, &m)) != ERR_OK)
        e = diag_fail(d, e, "the spool's state does not match its hash");
    db_reset(q);
    if (e == ERR_OK)
        *out = m;
    return e;
}

enum err spool_meta_write(struct spool_tables *t, const struct spool_meta *m, struct diag *d)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_META_WRITE];
    int64_t n[META_NUMBERS];
    uint8_t hash[SPOOL_HASH_BYTES];
    meta_numbers(m, n);
    hash_meta(m, hash);
    db_bind_int(q, 1, n[0]);
    db_bind_blob(q, 2, m->state.incarnation.bytes, WIRE_INCARNATION_BYTES);
    for (int i = 1; i < 8; i++) // generation .. receipt_position
        db_bind_int(q, i + 2, n[i]);
    db_bind_blob(q, 10, m->state.receipt.chain, WIRE_CHAIN_BYTES);
    for (int i = 8; i < META_NUMBERS; i++)
        db_bind_int(q, i + 3, n[i]);
    db_bind_blob(q, 24, hash, sizeof hash);
    return fail(t, db_run(q), d);
}

// ---- batches

enum err spool_row_insert(struct spool_tables *t, const struct spool_stored *r, struct diag *d)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_ROW_INSERT];
    uint8_t hash[SPOOL_HASH_BYTES];
    hash_row(r, hash);
    const int64_t numbers[] = {(int64_t)r->first,   (int64_t)r->last, r->class, r->reason,
                               (int64_t)r->samples, r->from_s,        r->to_s,  r->created_us};
    for (int i = 0; i < 8; i++)
        db_bind_int(q, i + 1, numbers[i]);
    db_bind_blob(q, 9, hash, sizeof hash);
    db_bind_blob(q, 10, r->body, r->len);
    return fail(t, db_run(q), d);
}

enum err spool_row_strip(struct spool_tables *t, const struct spool_stored *row, struct diag *d)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_ROW_STRIP];
    struct spool_stored bare = *row;
    uint8_t hash[SPOOL_HASH_BYTES];
    bare.body = NULL;
    hash_row(&bare, hash);
    db_bind_int(q, 1, (int64_t)row->first);
    db_bind_blob(q, 2, hash, sizeof hash);
    return fail(t, db_run(q), d);
}

enum err spool_rows_delete(struct spool_tables *t, uint64_t first, uint64_t last, struct diag *d)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_ROWS_DELETE];
    db_bind_int(q, 1, (int64_t)first);
    db_bind_int(q, 2, (int64_t)last);
    return fail(t, db_run(q), d);
}

static enum err take_row(struct spool_tables *t, struct db_stmt *q, struct spool_stored *out, struct diag *d)
{
    bool row = false;
    uint8_t hash[SPOOL_HASH_BYTES];
    struct spool_stored r;
    enum err e = db_step(q, &row);
    if (e != ERR_OK)
        return fail(t, e, d);
    if (!row) {
        db_reset(q);
        return diag_fail(d, ERR_NOT_FOUND, "the spool has no such batch");
    }
    r = (struct spool_stored){.first = (uint64_t)db_int(q, 0),
                              .last = (uint64_t)db_int(q, 1),
                              .class = (int)db_int(q, 2),
                              .reason = (int)db_int(q, 3),
                              .samples = (uint64_t)db_int(q, 4),
                              .from_s = db_int(q, 5),
                              .to_s = db_int(q, 6),
                              .created_us = db_int(q, 7)};
    if (!db_is_null(q, 9))
        r.body = db_blob(q, 9, &r.len);
    hash_row(&r, hash);
    if (!hash_matches(q, 8, hash)) {
        db_reset(q);
        return diag_fail(d, ERR_CORRUPT, "the spool's batch %llu does not match its hash",
                         (unsigned long long)r.first);
    }
    *out = r;
    return ERR_OK;
}

enum err spool_row_read(struct spool_tables *t, uint64_t first, struct spool_stored *out, struct diag *d)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_ROW_READ];
    db_reset(q);
    db_bind_int(q, 1, (int64_t)first);
    return take_row(t, q, out, d);
}

enum err spool_row_from(struct spool_tables *t, uint64_t sequence, struct spool_stored *out, struct diag *d)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_ROW_NEXT];
    db_reset(q);
    db_bind_int(q, 1, (int64_t)sequence);
    return take_row(t, q, out, d);
}

void spool_row_done(struct spool_tables *t)
{
    db_reset(t->sql[SPOOL_SQL_ROW_READ]);
    db_reset(t->sql[SPOOL_SQL_ROW_NEXT]);
}

// ---- declares

enum err spool_declare_insert(struct spool_tables *t, const struct wire_declare *w, uint32_t number,
                              struct diag *d)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_DECLARE_INSERT];
    uint8_t hash[SPOOL_HASH_BYTES];
    hash_declare(w, number, hash);
    db_bind_int(q, 1, number);
    db_bind_text(q, 2, w->series);
    db_bind_text(q, 3, w->unit);
    db_bind_text(q, 4, w->currency);
    db_bind_int(q, 5, w->class);
    db_bind_int(q, 6, w->step_s);
    db_bind_int(q, 7, w->period);
    db_bind_blob(q, 8, hash, sizeof hash);
    return fail(t, db_run(q), d);
}

enum err spool_declare_find(struct spool_tables *t, const struct wire_declare *w, uint32_t *number)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_DECLARE_FIND];
    bool row = false;
    db_bind_text(q, 1, w->series);
    db_bind_text(q, 2, w->unit);
    db_bind_text(q, 3, w->currency);
    db_bind_int(q, 4, w->class);
    db_bind_int(q, 5, w->step_s);
    db_bind_int(q, 6, w->period);
    enum err e = db_step(q, &row);
    if (e == ERR_OK && row)
        *number = (uint32_t)db_int(q, 0);
    db_reset(q);
    return e != ERR_OK ? e : row ? ERR_OK : ERR_NOT_FOUND;
}

enum err spool_declare_read(struct spool_tables *t, uint32_t number, struct wire_declare *out,
                            struct buf *texts, struct diag *d)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_DECLARE_READ];
    bool row = false;
    db_bind_int(q, 1, number);
    enum err e = db_step(q, &row);
    if (e != ERR_OK)
        return fail(t, e, d);
    buf_reset(texts);
    size_t at[3] = {0};
    for (int i = 0; row && i < 3; i++) {
        at[i] = texts->len;
        e = e == ERR_OK ? buf_append(texts, db_text(q, i), strlen(db_text(q, i)) + 1) : e;
    }
    if (!row)
        e = diag_fail(d, ERR_NOT_FOUND, "the spool has no series number %u", number);
    if (e == ERR_OK) {
        const char *text = texts->data;
        struct wire_declare w = {.number = number,
                                 .series = text + at[0],
                                 .unit = text + at[1],
                                 .currency = text + at[2],
                                 .class = (enum wire_class)db_int(q, 3),
                                 .step_s = (uint32_t)db_int(q, 4),
                                 .period = (uint32_t)db_int(q, 5)};
        uint8_t hash[SPOOL_HASH_BYTES];
        hash_declare(&w, number, hash);
        if (hash_matches(q, 6, hash))
            *out = w;
        else
            e = diag_fail(d, ERR_CORRUPT, "the spool's series %u does not match its hash", number);
    }
    db_reset(q);
    return e;
}

void spool_count_acknowledged(struct wire_counters *c, const struct spool_stored *row)
{
    if (row->class != SPOOL_GAP_CLASS) {
        c->acknowledged += row->samples;
        c->spooled -= row->samples;
    }
    c->spool_bytes -= row->len;
}

// ---- positions

enum err spool_position_put(struct spool_tables *t, const struct spool_position *p, struct diag *d)
{
    struct db_stmt *q = t->sql[p->len ? SPOOL_SQL_POSITION_PUT : SPOOL_SQL_POSITION_DELETE];
    uint8_t hash[SPOOL_HASH_BYTES];
    db_bind_text(q, 1, p->source);
    db_bind_text(q, 2, p->key);
    if (p->len > 0) {
        hash_position(p->source, p->key, p->bytes, p->len, hash);
        db_bind_blob(q, 3, hash, sizeof hash);
        db_bind_blob(q, 4, p->bytes, p->len);
    }
    return fail(t, db_run(q), d);
}

enum err spool_tables_position_get(struct spool_tables *t, const char *source, const char *key, void *out,
                                   size_t cap, size_t *len)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_POSITION_GET];
    uint8_t hash[SPOOL_HASH_BYTES];
    bool row = false;
    db_bind_text(q, 1, source);
    db_bind_text(q, 2, key);
    enum err e = db_step(q, &row);
    if (e == ERR_OK && !row)
        e = ERR_NOT_FOUND;
    if (e == ERR_OK) {
        size_t have = 0;
        const void *bytes = db_blob(q, 1, &have);
        hash_position(source, key, bytes, have, hash);
        if (!hash_matches(q, 0, hash))
            e = ERR_CORRUPT;
        else if (have > cap)
            e = ERR_TOO_BIG;
        if (e == ERR_OK) {
            memcpy(out, bytes, have);
            *len = have;
        }
    }
    db_reset(q);
    return e;
}

enum err spool_tables_position_each(struct spool_tables *t, const char *source, const char *prefix,
                                    position_visit visit, void *ctx)
{
    struct db_stmt *q = t->sql[SPOOL_SQL_POSITION_EACH];
    bool row = true;
    enum err e = ERR_OK;
    db_bind_text(q, 1, source);
    db_bind_text(q, 2, prefix);
    while (e == ERR_OK && (e = db_step(q, &row)) == ERR_OK && row) {
        size_t len = 0;
        uint8_t hash[SPOOL_HASH_BYTES];
        const char *key = db_text(q, 0);
        if (strncmp(key, prefix, strlen(prefix)) != 0)
            break;
        const void *bytes = db_blob(q, 2, &len);
        hash_position(source, key, bytes, len, hash);
        e = hash_matches(q, 1, hash) ? visit(ctx, key, bytes, len) : ERR_CORRUPT;
    }
    db_reset(q);
    return e;
}
