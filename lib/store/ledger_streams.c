// Streams, series and declares, kept in memory beside their rows: a batch is judged without a query. What a
// transaction changed is on a list, so that a commit writes each stream once however many rows it got, and a
// rollback puts back exactly what was there. Ids are never reused (AUTOINCREMENT would reuse one that was
// rolled back, so what was made in a rolled back transaction is taken out of the tables by its id).
#include "kpi/series.h"
#include "store/ledger_internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool ledger_copy_text(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len >= size)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

// ---- streams
// --------------------------------------------------------------------------------------------------------

enum err ledger_stream_from_row(struct db_stmt *s, struct ledger_stream *out)
{
    size_t incarnation_len = 0;
    size_t chain_len = 0;
    const void *incarnation = db_blob(s, 2, &incarnation_len);
    const void *chain = db_blob(s, 6, &chain_len);
    if (incarnation_len != WIRE_INCARNATION_BYTES || chain_len != WIRE_CHAIN_BYTES)
        return ERR_CORRUPT;
    *out = (struct ledger_stream){
        .stream_id = db_int(s, 0),
        .agent_id = db_int(s, 1),
        .last_sequence = (uint64_t)db_int(s, 3),
        .declares = (uint32_t)db_int(s, 4),
        .receipt.position = (uint64_t)db_int(s, 5),
        .accepted = (uint64_t)db_int(s, 7),
        .quarantined = (uint64_t)db_int(s, 8),
        .gap = (uint64_t)db_int(s, 9),
        .repeats = (uint64_t)db_int(s, 10),
        .batches = (uint64_t)db_int(s, 11),
    };
    memcpy(out->incarnation.bytes, incarnation, WIRE_INCARNATION_BYTES);
    memcpy(out->receipt.chain, chain, WIRE_CHAIN_BYTES);
    return out->declares <= WIRE_SERIES_NUMBERS ? ERR_OK : ERR_CORRUPT;
}

static void free_entry(void *item)
{
    struct ledger_stream_entry *s = item;
    free(s->declared);
    free(s);
}

static enum err load_entry(struct ledger *l, int64_t stream_id, struct ledger_stream_entry *out)
{
    struct db_stmt *s = l->statements[LEDGER_LOAD_STREAM];
    bool row = false;
    db_bind_int(s, 1, stream_id);
    enum err e = db_step(s, &row);
    if (e == ERR_OK)
        e = row ? ledger_stream_from_row(s, &out->now) : ERR_NOT_FOUND;
    if (e == ERR_OK) {
        out->first_received_us = out->committed_first_us = db_int(s, 13);
        out->last_received_us = out->committed_last_us = db_int(s, 14);
        out->committed = out->now;
    }
    db_reset(s);
    return e;
}

enum err ledger_entry(struct ledger *l, int64_t stream_id, struct ledger_stream_entry **out, struct diag *d)
{
    struct ledger_stream_entry *found = id_table_get(&l->streams, stream_id);
    if (found) {
        *out = found;
        return ERR_OK;
    }
    struct ledger_stream_entry *made = calloc(1, sizeof *made);
    if (!made)
        return ledger_fail(l, ERR_NOMEM, "streams", d);
    enum err e = load_entry(l, stream_id, made);
    if (e == ERR_OK)
        e = id_table_put(&l->streams, stream_id, made);
    if (e != ERR_OK) {
        free_entry(made);
        return e == ERR_NOT_FOUND ? diag_fail(d, e, "no stream %" PRId64, stream_id)
                                  : ledger_fail(l, e, "cannot read a stream", d);
    }
    *out = made;
    return ERR_OK;
}

void ledger_touch(struct ledger *l, struct ledger_stream_entry *s)
{
    if (s->dirty)
        return;
    s->dirty = true;
    s->next_dirty = l->dirty;
    l->dirty = s;
}

static enum err make_stream(struct ledger *l, int64_t agent_id, const struct wire_incarnation *i, int64_t *id,
                            struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_INSERT_STREAM];
    if (!l->in_transaction)
        return diag_fail(d, ERR_NOT_FOUND, "agent %" PRId64 " has no such incarnation yet", agent_id);
    enum err e = ledger_writable(l, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, agent_id);
    db_bind_blob(s, 2, i->bytes, WIRE_INCARNATION_BYTES);
    e = db_run(s);
    if (e == ERR_CONFLICT)
        return diag_fail(d, ERR_NOT_FOUND, "no agent %" PRId64, agent_id);
    if (e != ERR_OK)
        return ledger_fail(l, e, "cannot add a stream", d);
    *id = db_last_id(l->db);
    return ERR_OK;
}

enum err ledger_stream_open(struct ledger *l, int64_t agent_id, const struct wire_incarnation *i,
                            struct ledger_stream *out, struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_FIND_STREAM];
    struct ledger_stream_entry *entry = NULL;
    bool row = false;
    int64_t id = 0;
    db_bind_int(s, 1, agent_id);
    db_bind_blob(s, 2, i->bytes, WIRE_INCARNATION_BYTES);
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return ledger_fail(l, e, "cannot look up a stream", d);
    if (row)
        id = db_int(s, 0);
    db_reset(s);
    if (!row && (e = make_stream(l, agent_id, i, &id, d)) != ERR_OK)
        return e;
    if ((e = ledger_entry(l, id, &entry, d)) != ERR_OK)
        return e;
    if (!row) {
        ledger_touch(l, entry);
        entry->made = true;
    }
    *out = entry->now;
    return ERR_OK;
}

static enum err save_entry(struct ledger *l, const struct ledger_stream_entry *s)
{
    struct db_stmt *q = l->statements[LEDGER_SAVE_STREAM];
    db_bind_int(q, 1, s->now.stream_id);
    db_bind_int(q, 2, (int64_t)s->now.last_sequence);
    db_bind_int(q, 3, s->now.declares);
    db_bind_int(q, 4, (int64_t)s->now.receipt.position);
    db_bind_blob(q, 5, s->now.receipt.chain, WIRE_CHAIN_BYTES);
    db_bind_int(q, 6, (int64_t)s->now.accepted);
    db_bind_int(q, 7, (int64_t)s->now.quarantined);
    db_bind_int(q, 8, (int64_t)s->now.gap);
    db_bind_int(q, 9, (int64_t)s->now.repeats);
    db_bind_int(q, 10, (int64_t)s->now.batches);
    db_bind_int(q, 11, s->first_received_us);
    db_bind_int(q, 12, s->last_received_us);
    return db_run(q);
}

enum err ledger_streams_save(struct ledger *l, struct diag *d)
{
    for (const struct ledger_stream_entry *s = l->dirty; s; s = s->next_dirty) {
        enum err e = save_entry(l, s);
        if (e != ERR_OK)
            return ledger_fail(l, e, "cannot write a stream's watermark", d);
    }
    return ERR_OK;
}

void ledger_streams_committed(struct ledger *l)
{
    for (struct ledger_stream_entry *s = l->dirty; s; s = s->next_dirty) {
        s->committed = s->now;
        s->committed_first_us = s->first_received_us;
        s->committed_last_us = s->last_received_us;
        s->dirty = s->made = false;
    }
    l->dirty = NULL;
    for (struct ledger_series_entry *next; l->made; l->made = next) {
        next = l->made->next;
        l->made->next = NULL;
    }
}

static void undo_entry(struct ledger *l, struct ledger_stream_entry *s)
{
    if (s->made) {
        l->streams.at[s->now.stream_id] = NULL;
        free_entry(s);
        return;
    }
    for (size_t n = s->committed.declares; n < s->declared_count; n++)
        s->declared[n] = NULL;
    s->now = s->committed;
    s->first_received_us = s->committed_first_us;
    s->last_received_us = s->committed_last_us;
    s->dirty = false;
}

void ledger_streams_rolled_back(struct ledger *l)
{
    for (struct ledger_stream_entry *s = l->dirty, *next; s; s = next) {
        next = s->next_dirty;
        undo_entry(l, s);
    }
    l->dirty = NULL;
    for (struct ledger_series_entry *s = l->made, *next; s; s = next) {
        next = s->next;
        l->series.at[s->series.series_id] = NULL;
        s->next = l->undone;
        l->undone = s;
    }
    l->made = NULL;
}

void ledger_streams_deinit(struct ledger *l)
{
    ledger_streams_rolled_back(l);
    id_table_deinit(&l->streams, free_entry);
    id_table_deinit(&l->series, free);
    for (struct ledger_series_entry *next; l->undone; l->undone = next) {
        next = l->undone->next;
        free(l->undone);
    }
}

// ---- series
// ---------------------------------------------------------------------------------------------------------

enum err ledger_series_from_row(struct db_stmt *s, struct ledger_series *out)
{
    int64_t class = db_int(s, 4);
    struct ledger_series series = {
        .series_id = db_int(s, 0),
        .class = (enum wire_class) class,
        .step_s = (uint32_t)db_int(s, 5),
        .period = (uint32_t)db_int(s, 6),
        .agent_id = db_int(s, 7),
    };
    if (!ledger_copy_text(series.name, sizeof series.name, db_text(s, 1)) ||
        !ledger_copy_text(series.unit, sizeof series.unit, db_text(s, 2)) ||
        !ledger_copy_text(series.currency, sizeof series.currency, db_text(s, 3)) ||
        class < WIRE_MEASUREMENT || class > WIRE_CONTROL)
        return ERR_CORRUPT;
    *out = series;
    return ERR_OK;
}

// Takes the one the cache has, or puts this one in.
static enum err cache_series(struct ledger *l, const struct ledger_series *series,
                             struct ledger_series_entry **out)
{
    struct ledger_series_entry *entry = id_table_get(&l->series, series->series_id);
    if (!entry) {
        entry = calloc(1, sizeof *entry);
        if (!entry)
            return ERR_NOMEM;
        entry->series = *series;
        enum err e = id_table_put(&l->series, series->series_id, entry);
        if (e != ERR_OK) {
            free(entry);
            return e;
        }
    }
    *out = entry;
    return ERR_OK;
}

// The one row that s, with its parameters bound, finds.
static enum err query_series(struct ledger *l, struct db_stmt *s, struct ledger_series_entry **out)
{
    struct ledger_series series;
    bool row = false;
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return e;
    e = row ? ledger_series_from_row(s, &series) : ERR_NOT_FOUND;
    db_reset(s);
    return e == ERR_OK ? cache_series(l, &series, out) : e;
}

static enum err make_series(struct ledger *l, const struct ledger_series *wanted, int64_t agent_id,
                            struct ledger_series_entry **out)
{
    struct db_stmt *s = l->statements[LEDGER_INSERT_SERIES];
    struct ledger_series series = *wanted;
    series.agent_id = agent_id;
    db_bind_text(s, 1, series.name);
    db_bind_text(s, 2, series.unit);
    db_bind_text(s, 3, series.currency);
    db_bind_int(s, 4, series.class);
    db_bind_int(s, 5, series.step_s);
    db_bind_int(s, 6, series.period);
    db_bind_int(s, 7, agent_id);
    enum err e = db_run(s);
    if (e != ERR_OK)
        return e;
    series.series_id = db_last_id(l->db);
    e = cache_series(l, &series, out);
    if (e == ERR_OK) {
        (*out)->next = l->made;
        l->made = *out;
    }
    return e;
}

// ---- declares
// -------------------------------------------------------------------------------------------------------

static enum err check_same(const struct ledger_series *known, const struct ledger_series *wanted,
                           struct diag *d)
{
    if (strcmp(known->unit, wanted->unit) != 0)
        return diag_fail(d, ERR_CONFLICT, "%s is known with the unit '%s', not '%s'", known->name,
                         known->unit, wanted->unit);
    if (strcmp(known->currency, wanted->currency) != 0)
        return diag_fail(d, ERR_CONFLICT, "%s is known with the currency '%s', not '%s'", known->name,
                         known->currency, wanted->currency);
    if (known->class != wanted->class)
        return diag_fail(d, ERR_CONFLICT, "%s is known as class %d, not %d", known->name, (int)known->class,
                         (int)wanted->class);
    if (known->step_s != wanted->step_s || known->period != wanted->period)
        return diag_fail(d, ERR_CONFLICT, "%s is known with step %u s and period %u, not %u s and %u",
                         known->name, known->step_s, known->period, wanted->step_s, wanted->period);
    return ERR_OK;
}

static enum err remember_declared(struct ledger_stream_entry *s, uint32_t number,
                                  const struct ledger_series *series)
{
    if (number >= s->declared_count) {
        size_t count = s->declared_count ? s->declared_count : 16;
        while (count <= number)
            count *= 2;
        const struct ledger_series **at = realloc(s->declared, count * sizeof(*at));
        if (!at)
            return ERR_NOMEM;
        memset(at + s->declared_count, 0, (count - s->declared_count) * sizeof(*at));
        s->declared = at;
        s->declared_count = count;
    }
    s->declared[number] = series;
    return ERR_OK;
}

static enum err load_declared(struct ledger *l, struct ledger_stream_entry *stream, uint32_t number)
{
    struct ledger_series_entry *entry = NULL;
    struct db_stmt *s = l->statements[LEDGER_LOAD_DECLARE];
    bool row = false;
    db_bind_int(s, 1, stream->now.stream_id);
    db_bind_int(s, 2, number);
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return e;
    int64_t series_id = row ? db_int(s, 0) : 0;
    db_reset(s);
    if (!row)
        return ERR_CORRUPT; // its number is below the stream's count
    db_bind_int(l->statements[LEDGER_LOAD_SERIES], 1, series_id);
    e = query_series(l, l->statements[LEDGER_LOAD_SERIES], &entry);
    if (e == ERR_OK)
        e = remember_declared(stream, number, &entry->series);
    return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

static enum err declared(struct ledger *l, struct ledger_stream_entry *s, uint32_t number,
                         const struct ledger_series **out)
{
    if (number >= s->now.declares)
        return ERR_NOT_FOUND;
    if (number >= s->declared_count || !s->declared[number]) {
        enum err e = load_declared(l, s, number);
        if (e != ERR_OK)
            return e;
    }
    *out = s->declared[number];
    return ERR_OK;
}

enum err ledger_declared(struct ledger *l, int64_t stream_id, uint32_t number,
                         const struct ledger_series **out)
{
    struct ledger_stream_entry *s = NULL;
    enum err e = ledger_entry(l, stream_id, &s, NULL);
    return e == ERR_OK ? declared(l, s, number, out) : e;
}

struct ledger_declares ledger_declares(const struct ledger *l, int64_t stream_id)
{
    const struct ledger_stream_entry *s = id_table_get(&l->streams, stream_id);
    if (!s)
        return (struct ledger_declares){0};
    return (struct ledger_declares){s->declared, s->declared_count < s->now.declares ? s->declared_count
                                                                                     : s->now.declares};
}

static enum err declare_again(struct ledger *l, struct ledger_stream_entry *s, uint32_t number,
                              const struct ledger_series *wanted, struct ledger_series *out, struct diag *d)
{
    const struct ledger_series *known = NULL;
    enum err e = declared(l, s, number, &known);
    if (e != ERR_OK)
        return ledger_fail(l, e, "cannot read a declare", d);
    if (strcmp(known->name, wanted->name) != 0)
        return diag_fail(d, ERR_CONFLICT, "number %u is %s, not %s", number, known->name, wanted->name);
    if ((e = check_same(known, wanted, d)) == ERR_OK)
        *out = *known;
    return e;
}

static void chain_declare(const struct ledger_chain_end *end, const struct ledger_stream_entry *s,
                          const struct ledger_series *series, uint8_t out[HASH_BYTES])
{
    const struct ledger_chain_declare c = {
        .ordinal = end->position + 1,
        .agent_id = s->now.agent_id,
        .incarnation = s->now.incarnation,
        .number = s->now.declares,
        .class = series->class,
        .step_s = series->step_s,
        .period = series->period,
        .name = series->name,
        .unit = series->unit,
        .currency = series->currency,
    };
    ledger_chain_next_declare(end->hash, &c, out);
}

static enum err declare_new(struct ledger *l, struct ledger_stream_entry *s,
                            const struct ledger_series_entry *entry)
{
    struct db_stmt *q = l->statements[LEDGER_INSERT_DECLARE];
    struct ledger_chain_end *end = &l->now.chains[LEDGER_DECLARES];
    uint32_t number = s->now.declares;
    uint8_t chain[HASH_BYTES];
    chain_declare(end, s, &entry->series, chain);
    db_bind_int(q, 1, s->now.stream_id);
    db_bind_int(q, 2, number);
    db_bind_int(q, 3, entry->series.series_id);
    db_bind_int(q, 4, (int64_t)end->position + 1);
    db_bind_blob(q, 5, chain, HASH_BYTES);
    enum err e = db_run(q);
    if (e == ERR_OK)
        e = remember_declared(s, number, &entry->series);
    if (e != ERR_OK)
        return e;
    ledger_chain_end_advance(end, end->position + 1, chain);
    ledger_touch(l, s);
    s->now.declares++;
    return ERR_OK;
}

static enum err find_or_make(struct ledger *l, const struct ledger_series *wanted, int64_t agent_id,
                             struct ledger_series_entry **out, struct diag *d)
{
    db_bind_text(l->statements[LEDGER_FIND_SERIES], 1, wanted->name);
    enum err e = query_series(l, l->statements[LEDGER_FIND_SERIES], out);
    if (e == ERR_NOT_FOUND)
        e = make_series(l, wanted, agent_id, out);
    if (e != ERR_OK)
        return ledger_fail(l, e, "cannot add a series", d);
    const struct ledger_series *known = &(*out)->series;
    return check_same(known, wanted, d);
}

enum err ledger_declare(struct ledger *l, int64_t stream_id, uint32_t number,
                        const struct ledger_series *wanted, struct ledger_series *out, struct diag *d)
{
    struct ledger_stream_entry *s = NULL;
    struct ledger_series_entry *entry = NULL;
    struct series_name name;
    enum err e = ledger_writable(l, d);
    if (e != ERR_OK || (e = ledger_entry(l, stream_id, &s, d)) != ERR_OK)
        return e;
    if (series_parse(wanted->name, &name) != ERR_OK || wanted->class < WIRE_MEASUREMENT ||
        wanted->class > WIRE_CONTROL)
        return diag_fail(d, ERR_INVALID, "'%s' class %d is not a series", wanted->name, (int)wanted->class);
    if (number < s->now.declares)
        return declare_again(l, s, number, wanted, out, d);
    if (number > s->now.declares || number >= WIRE_SERIES_NUMBERS)
        return diag_fail(d, ERR_INVALID, "number %u for %s: the next one is %u of at most %d", number,
                         wanted->name, s->now.declares, WIRE_SERIES_NUMBERS);
    if ((e = find_or_make(l, wanted, s->now.agent_id, &entry, d)) != ERR_OK)
        return e;
    if ((e = declare_new(l, s, entry)) != ERR_OK)
        return ledger_fail(l, e, "cannot add a declare", d);
    *out = entry->series;
    return ERR_OK;
}
