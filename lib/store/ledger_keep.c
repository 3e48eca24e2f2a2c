// Rows that the collector writes itself are rows like any other, chained and numbered, so that nothing about
// them has to be believed. They need a stream: four incarnations, named in ASCII, of an agent without a key
// and with an empty resident, which is the collector. What SQL can't read in their bodies is in tables beside
// them, written in the same transaction; verify compares the two.
#include "store/ledger_internal.h"
#include "wire/codec.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct ledger_kept ledger_kept(const struct ledger *l)
{
    return l->now.kept;
}

enum err ledger_kept_read(struct db *db, struct ledger_kept *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(db,
                            "SELECT closed_until_s, rolled_until_s, dropped_until_s FROM seal"
                            " ORDER BY position DESC LIMIT 1",
                            &s, d);
    if (e != ERR_OK)
        return e;
    if ((e = db_step(s, &row)) != ERR_OK)
        e = diag_fail(d, e, LEDGER_FILE ": cannot read its seals: %s", db_error(db));
    else if (row)
        *out = (struct ledger_kept){db_int(s, 0), db_int(s, 1), db_int(s, 2)};
    else
        *out = (struct ledger_kept){0};
    db_finalize(s);
    return e;
}

// ---- rows of our own
// -----------------------------------------------------------------------------------------------

static enum err own_agent(struct ledger *l, int64_t *agent_id)
{
    struct db_stmt *s = l->statements[LEDGER_OWN_AGENT];
    bool row = false;
    enum err e = db_step(s, &row);
    if (e == ERR_OK && row)
        *agent_id = db_int(s, 0);
    db_reset(s);
    if (e != ERR_OK || row)
        return e;
    s = l->statements[LEDGER_INSERT_AGENT];
    db_bind_text(s, 1, "");
    db_bind_int(s, 2, l->now.received_us);
    e = db_run(s);
    *agent_id = db_last_id(l->db);
    return e;
}

static const struct wire_incarnation *incarnation_of(enum ledger_kind kind)
{
    static const struct wire_incarnation own[] = {[LEDGER_ROLLUP] = {"rollup"},
                                                  [LEDGER_SEAL] = {"seal"},
                                                  [LEDGER_RELEASE] = {"release"},
                                                  [LEDGER_CONTROL] = {LEDGER_CONTROL_STREAM}};
    return &own[kind];
}

static enum err append_own(struct ledger *l, enum ledger_kind kind, const struct wire_message *m,
                           struct wire_receipt *out, struct diag *d)
{
    struct ledger_stream stream;
    struct buf body;
    int64_t agent_id = 0;
    buf_init(&body, WIRE_KEPT_MAX_BYTES);
    enum err e = wire_encode(m, &body);
    if (e != ERR_OK)
        e = diag_fail(d, e, "a %s cannot be encoded", wire_type_name(m->type));
    if (e == ERR_OK && (e = own_agent(l, &agent_id)) != ERR_OK)
        e = ledger_fail(l, e, "cannot find its own agent", d);
    if (e == ERR_OK)
        e = ledger_stream_open(l, agent_id, incarnation_of(kind), &stream, d);
    if (e == ERR_OK) {
        const struct ledger_row row = {
            .stream_id = stream.stream_id,
            .class = kind == LEDGER_RELEASE || kind == LEDGER_CONTROL ? WIRE_CONTROL : WIRE_MEASUREMENT,
            .sequence = stream.last_sequence + 1,
            .last_sequence = stream.last_sequence + 1,
            .own = kind,
            .body = body.data,
            .body_len = body.len,
        };
        e = ledger_append(l, &row, out, d);
    }
    buf_deinit(&body);
    return e;
}

// ---- seals
// ---------------------------------------------------------------------------------------------------------

static enum err insert_seal(struct ledger *l, uint64_t position, const struct wire_seal *seal)
{
    struct db_stmt *s = l->statements[LEDGER_INSERT_SEAL];
    db_bind_int(s, 1, (int64_t)position);
    db_bind_int(s, 2, seal->closed_until_s);
    db_bind_int(s, 3, seal->rolled_until_s);
    db_bind_int(s, 4, seal->dropped_until_s);
    db_bind_int(s, 5, (int64_t)seal->rows);
    db_bind_int(s, 6, (int64_t)seal->samples);
    enum err e = db_run(s);
    for (size_t i = 0; e == ERR_OK && i < seal->run_count; i++) {
        const struct wire_sealed_run *r = &seal->runs[i];
        s = l->statements[LEDGER_INSERT_RUN];
        db_bind_int(s, 1, (int64_t)r->first);
        db_bind_int(s, 2, (int64_t)r->last);
        db_bind_int(s, 3, (int64_t)r->rows);
        db_bind_blob(s, 4, r->before, HASH_BYTES);
        db_bind_blob(s, 5, r->after, HASH_BYTES);
        db_bind_int(s, 6, (int64_t)position);
        e = db_run(s);
    }
    for (size_t i = 0; e == ERR_OK && i < seal->stream_count; i++) {
        const struct wire_sealed_stream *t = &seal->streams[i];
        s = l->statements[LEDGER_INSERT_SEALED_STREAM];
        db_bind_int(s, 1, (int64_t)t->stream);
        db_bind_int(s, 2, (int64_t)position);
        db_bind_int(s, 3, (int64_t)t->first_sequence);
        db_bind_int(s, 4, (int64_t)t->last_sequence);
        db_bind_int(s, 5, (int64_t)t->rows);
        db_bind_int(s, 6, (int64_t)t->accepted);
        db_bind_int(s, 7, (int64_t)t->quarantined);
        e = db_run(s);
    }
    return e;
}

static enum err append_seal(struct ledger *l, const struct wire_seal *seal, struct diag *d)
{
    const struct wire_message m = {.type = WIRE_SEAL, .seal = *seal};
    struct wire_receipt receipt;
    enum err e = append_own(l, LEDGER_SEAL, &m, &receipt, d);
    if (e == ERR_OK && (e = insert_seal(l, receipt.position, seal)) != ERR_OK)
        return ledger_fail(l, e, "cannot add a seal", d);
    return e;
}

enum err ledger_keep_until(struct ledger *l, const struct ledger_kept *until, struct diag *d)
{
    const struct ledger_kept *now = &l->now.kept;
    enum err e = ledger_writable(l, d);
    if (e != ERR_OK)
        return e;
    if (until->closed_until_s < now->closed_until_s || until->rolled_until_s < now->rolled_until_s ||
        until->dropped_until_s < now->dropped_until_s || until->rolled_until_s > until->closed_until_s ||
        until->dropped_until_s > until->rolled_until_s)
        return diag_fail(d, ERR_INVALID, "retention does not go back");
    const struct wire_seal seal = {.closed_until_s = until->closed_until_s,
                                   .rolled_until_s = until->rolled_until_s,
                                   .dropped_until_s = until->dropped_until_s};
    if ((e = append_seal(l, &seal, d)) == ERR_OK)
        l->now.kept = *until;
    return e;
}

// ---- roll-ups
// ------------------------------------------------------------------------------------------------------

enum err ledger_add_rollup(struct ledger *l, const struct wire_rollup *r, struct diag *d)
{
    const struct wire_message m = {.type = WIRE_ROLLUP, .rollup = *r};
    struct db_stmt *s = l->statements[LEDGER_INSERT_ROLLUP];
    struct wire_receipt receipt;
    const struct ledger_kept *now = &l->now.kept;
    enum err e = ledger_writable(l, d);
    if (e != ERR_OK)
        return e;
    if (r->month_s >= now->closed_until_s || (now->rolled_until_s && r->month_s < now->rolled_until_s))
        return diag_fail(d, ERR_INVALID, "series %" PRIu64 ": its month is not closed, or rolled up already",
                         r->series);
    db_bind_int(s, 1, (int64_t)r->series);
    db_bind_int(s, 2, r->month_s);
    db_bind_int(s, 3, (int64_t)l->now.position + 1);
    if ((e = db_run(s)) == ERR_CONFLICT)
        return diag_fail(d, ERR_EXISTS, "series %" PRIu64 ": the month's roll-up is there already",
                         r->series);
    if (e != ERR_OK)
        return ledger_fail(l, e, "cannot add a roll-up", d);
    e = append_own(l, LEDGER_ROLLUP, &m, &receipt, d);
    // Its place is in the table already.
    return e == ERR_OK ? e : ledger_fail(l, e, "cannot add a roll-up's row", d);
}

// ---- dropping
// ------------------------------------------------------------------------------------------------------

struct drop {
    struct ledger *l;
    struct diag *d;
    struct wire_seal seal;
    struct wire_sealed_run runs[WIRE_SEAL_RUNS];
    struct wire_sealed_stream streams[WIRE_SEAL_STREAMS];
    struct ledger_dropped dropped;
    uint8_t hashes[LEDGER_DROP_ROWS][HASH_BYTES];
};

uint64_t ledger_drop_before(const struct ledger *l)
{
    return l->head_measurement ? l->head_measurement : INT64_MAX;
}

// Where the stream is in the list, or belongs.
static struct wire_sealed_stream *place_of(struct drop *p, uint64_t stream)
{
    size_t low = 0, high = p->seal.stream_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->streams[middle].stream < stream)
            low = middle + 1;
        else
            high = middle;
    }
    return &p->streams[low];
}

static struct wire_sealed_stream *stream_of(struct drop *p, uint64_t stream, uint64_t sequence)
{
    struct wire_sealed_stream *end = p->streams + p->seal.stream_count;
    struct wire_sealed_stream *at = place_of(p, stream);
    if (at < end && at->stream == stream)
        return at;
    if (p->seal.stream_count == WIRE_SEAL_STREAMS)
        return NULL;
    memmove(at + 1, at, (size_t)(end - at) * sizeof *at);
    *at = (struct wire_sealed_stream){.stream = stream, .first_sequence = sequence};
    p->seal.stream_count++;
    return at;
}

static enum err take_row(struct drop *p, struct wire_sealed_run *run, struct db_stmt *s)
{
    size_t len = 0;
    uint64_t sequence = (uint64_t)db_int(s, 2);
    uint64_t samples = (uint64_t)db_int(s, 4);
    uint64_t refused = (uint64_t)db_int(s, 5);
    const void *chain = db_blob(s, 6, &len);
    if (db_int(s, 3) != LEDGER_BATCH)
        return diag_fail(p->d, ERR_CONFLICT, "position %" PRId64 " is no batch", db_int(s, 0));
    if (len != HASH_BYTES || refused > samples)
        return diag_fail(p->d, ERR_CORRUPT, LEDGER_FILE ": the row at position %" PRId64 " is damaged",
                         db_int(s, 0));
    // Only here, in the transaction, can it be known: a release may have come since the rows were chosen.
    if (db_int(s, 7) != 0)
        return diag_fail(p->d, ERR_CONFLICT, "position %" PRId64 " has a released sample", db_int(s, 0));
    struct wire_sealed_stream *t =
        p->seal.rows < LEDGER_DROP_ROWS ? stream_of(p, (uint64_t)db_int(s, 1), sequence) : NULL;
    if (!t)
        return diag_fail(p->d, ERR_TOO_BIG, "more rows or streams than one seal takes");
    if (sequence < t->first_sequence)
        t->first_sequence = sequence;
    if (sequence > t->last_sequence)
        t->last_sequence = sequence;
    t->rows++;
    t->accepted += samples - refused;
    t->quarantined += refused;
    p->dropped.accepted += samples - refused;
    p->dropped.quarantined += refused;
    run->last = (uint64_t)db_int(s, 0);
    run->first = run->rows == 0 ? run->last : run->first;
    run->rows++;
    memcpy(run->after, chain, HASH_BYTES);
    memcpy(p->hashes[p->seal.rows++], chain, HASH_BYTES);
    return ERR_OK;
}

static enum err scan_run(struct drop *p, const struct ledger_run *wanted, struct wire_sealed_run *run)
{
    struct db_stmt *s = p->l->statements[LEDGER_SCAN_RUN];
    bool row = false;
    enum err e;
    db_bind_int(s, 1, (int64_t)wanted->first);
    db_bind_int(s, 2, (int64_t)wanted->last);
    while ((e = db_step(s, &row)) == ERR_OK && row)
        if ((e = take_row(p, run, s)) != ERR_OK)
            break;
    if (e != ERR_OK && !row)
        e = ledger_fail(p->l, e, "cannot read the rows to drop", p->d);
    db_reset(s);
    if (e == ERR_OK && run->rows == 0)
        e = diag_fail(p->d, ERR_CONFLICT, "positions %" PRIu64 "..%" PRIu64 " hold no measurements",
                      wanted->first, wanted->last);
    return e;
}

// A seal over an earlier one would speak of rows that it does not know.
static enum err check_unsealed(struct drop *p, const struct wire_sealed_run *run)
{
    struct db_stmt *s = p->l->statements[LEDGER_RUN_WITHIN];
    bool row = false;
    db_bind_int(s, 1, (int64_t)run->first);
    db_bind_int(s, 2, (int64_t)run->last);
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        e = ledger_fail(p->l, e, "cannot look up sealed runs", p->d);
    else if (row)
        e = diag_fail(p->d, ERR_CONFLICT,
                      "positions %" PRIu64 "..%" PRIu64 " hold positions %" PRId64 "..%" PRId64
                      ", which are sealed already",
                      run->first, run->last, db_int(s, 0), db_int(s, 1));
    db_reset(s);
    return e;
}

static enum err copy_hash(struct drop *p, struct db_stmt *s, int column, uint8_t out[HASH_BYTES])
{
    size_t len = 0;
    const void *hash = db_blob(s, column, &len);
    if (len != HASH_BYTES)
        return diag_fail(p->d, ERR_CORRUPT, LEDGER_FILE ": a chain hash before the dropped rows is damaged");
    memcpy(out, hash, HASH_BYTES);
    return ERR_OK;
}

// The chain's hash before the run: of a row that is there, else of the run that was sealed before it.
static enum err hash_before(struct drop *p, struct wire_sealed_run *run)
{
    struct db_stmt *s = p->l->statements[LEDGER_RUN_BEFORE];
    uint64_t sealed = 0;
    bool row = false;
    ledger_chain_genesis(p->l->id, run->before);
    db_bind_int(s, 1, (int64_t)run->first);
    enum err e = db_step(s, &row);
    if (e == ERR_OK && row) {
        sealed = (uint64_t)db_int(s, 0);
        e = copy_hash(p, s, 1, run->before);
    }
    db_reset(s);
    if (e != ERR_OK)
        return e;
    s = p->l->statements[LEDGER_CHAIN_BEFORE];
    db_bind_int(s, 1, (int64_t)sealed);
    db_bind_int(s, 2, (int64_t)run->first);
    e = db_step(s, &row);
    if (e == ERR_OK && row)
        e = copy_hash(p, s, 0, run->before);
    db_reset(s);
    return e;
}

static enum err delete_run(struct drop *p, const struct wire_sealed_run *run)
{
    struct db_stmt *s = p->l->statements[LEDGER_DELETE_RUN];
    db_bind_int(s, 1, (int64_t)run->first);
    db_bind_int(s, 2, (int64_t)run->last);
    enum err e = db_run(s);
    if (e == ERR_OK && (uint64_t)db_changes(p->l->db) != run->rows)
        e = ERR_INTERNAL;
    return e == ERR_OK ? e : ledger_fail(p->l, e, "cannot drop rows", p->d);
}

static enum err seal_runs(struct drop *p)
{
    const struct ledger_kept *kept = &p->l->now.kept;
    const struct hash_part hashes = {p->hashes, p->seal.rows * HASH_BYTES};
    crypto_digest(&hashes, 1, p->seal.digest);
    p->seal.runs = p->runs;
    p->seal.streams = p->streams;
    p->seal.closed_until_s = kept->closed_until_s;
    p->seal.rolled_until_s = kept->rolled_until_s;
    p->seal.dropped_until_s = kept->dropped_until_s;
    p->seal.samples = p->dropped.accepted + p->dropped.quarantined;
    return append_seal(p->l, &p->seal, p->d);
}

static enum err check_runs(const struct ledger *l, const struct ledger_run *runs, size_t count,
                           struct diag *d)
{
    if (count == 0 || count > WIRE_SEAL_RUNS)
        return diag_fail(d, ERR_TOO_BIG, "%zu runs for one seal", count);
    for (size_t i = 0; i < count; i++) {
        if (runs[i].last < runs[i].first || (i > 0 && runs[i].first <= runs[i - 1].last))
            return diag_fail(d, ERR_INVALID, "runs to drop do not rise");
        if (runs[i].last >= ledger_drop_before(l))
            return diag_fail(d, ERR_AGAIN, LEDGER_HEAD " still speaks of position %" PRIu64, runs[i].last);
    }
    return ERR_OK;
}

enum err ledger_drop(struct ledger *l, const struct ledger_run *runs, size_t count,
                     struct ledger_dropped *out, struct diag *d)
{
    enum err e = ledger_writable(l, d);
    if (e != ERR_OK || (e = check_runs(l, runs, count, d)) != ERR_OK)
        return e;
    struct drop *p = calloc(1, sizeof *p);
    if (!p)
        return diag_fail(d, ERR_NOMEM, "dropping: %s", err_text(ERR_NOMEM));
    p->l = l;
    p->d = d;
    for (size_t i = 0; e == ERR_OK && i < count; i++)
        e = scan_run(p, &runs[i], &p->runs[i]);
    for (size_t i = 0; e == ERR_OK && i < count; i++)
        if ((e = check_unsealed(p, &p->runs[i])) == ERR_OK)
            e = hash_before(p, &p->runs[i]);
    p->seal.run_count = count;
    for (size_t i = 0; e == ERR_OK && i < count; i++)
        e = delete_run(p, &p->runs[i]);
    if (e == ERR_OK)
        e = seal_runs(p);
    if (e == ERR_OK) {
        *out = p->dropped;
        out->rows = p->seal.rows;
    }
    free(p);
    return e;
}

// ---- releases
// ------------------------------------------------------------------------------------------------------

static enum err find_row(struct ledger *l, uint64_t position, int64_t *stream_id, uint64_t *refused,
                         struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_REFUSED_OF];
    bool row = false;
    db_bind_int(s, 1, (int64_t)position);
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return ledger_fail(l, e, "cannot look up a refused row", d);
    if (row) {
        *stream_id = db_int(s, 0);
        *refused = (uint64_t)(db_int(s, 1) - db_int(s, 2));
    } else {
        e = diag_fail(d, ERR_NOT_FOUND, "no batch at position %" PRIu64 " (its month may have been dropped)",
                      position);
    }
    db_reset(s);
    return e;
}

static enum err insert_release(struct ledger *l, const struct wire_release *r, uint64_t released,
                               struct diag *d)
{
    struct db_stmt *s = l->statements[LEDGER_INSERT_RELEASE];
    for (size_t i = 0; i < r->count; i++) {
        db_bind_int(s, 1, (int64_t)r->position);
        db_bind_int(s, 2, r->indexes[i]);
        db_bind_int(s, 3, (int64_t)r->stream);
        db_bind_int(s, 4, (int64_t)released);
        enum err e = db_run(s);
        if (e == ERR_CONFLICT)
            return ledger_fail(l, ERR_EXISTS, "a sample is released already", d);
        if (e != ERR_OK)
            return ledger_fail(l, e, "cannot add a release", d);
    }
    return ERR_OK;
}

enum err ledger_add_release(struct ledger *l, uint64_t position, const uint32_t *indexes, size_t count,
                            const char *author, const char *reason, struct wire_receipt *out, struct diag *d)
{
    struct wire_message m = {
        .type = WIRE_RELEASE,
        .release = {
            .position = position, .author = author, .reason = reason, .count = count, .indexes = indexes}};
    struct ledger_stream_entry *s = NULL;
    int64_t stream_id = 0;
    uint64_t refused = 0;
    enum err e = ledger_writable(l, d);
    if (e != ERR_OK || (e = find_row(l, position, &stream_id, &refused, d)) != ERR_OK)
        return e;
    if (count > refused)
        return diag_fail(d, ERR_INVALID, "position %" PRIu64 " has %" PRIu64 " refused samples left",
                         position, refused);
    m.release.stream = (uint64_t)stream_id;
    if ((e = append_own(l, LEDGER_RELEASE, &m, out, d)) != ERR_OK ||
        (e = insert_release(l, &m.release, out->position, d)) != ERR_OK ||
        (e = ledger_entry(l, stream_id, &s, d)) != ERR_OK)
        return e;
    ledger_touch(l, s);
    s->now.accepted += count;
    s->now.quarantined -= count;
    return ERR_OK;
}

// ---- control documents
// ----------------------------------------------------------------------------------------------

enum err ledger_add_control(struct ledger *l, const char *kind, const void *document, size_t len,
                            const char *author, struct wire_receipt *out, struct diag *d)
{
    struct wire_message m = {
        .type = WIRE_CONTROL_MESSAGE,
        .control = {.kind = kind, .document = document, .document_len = len, .author = author, .parts = 1}};
    const struct hash_part whole = {document, len};
    enum err e = ledger_writable(l, d);
    if (e != ERR_OK)
        return e;
    crypto_digest(&whole, 1, m.control.hash);
    return append_own(l, LEDGER_CONTROL, &m, out, d);
}
