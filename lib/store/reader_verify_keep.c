// The part of the audit that knows why rows may be missing, and that the tables beside the collector's own
// rows say what those say. A seal is believed where it is needed, long before its own row is reached; that
// row is then checked like any other, and with it what was believed.
#include "store/reader_keep.h"
#include "store/reader_verify.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- what the tables say
// -------------------------------------------------------------------------------------------

static bool hash_from(struct db_stmt *s, int column, uint8_t out[HASH_BYTES])
{
    size_t len = 0;
    const void *hash = db_blob(s, column, &len);
    if (len == HASH_BYTES)
        memcpy(out, hash, HASH_BYTES);
    return len == HASH_BYTES;
}

// An older version could seal a run over rows that had been sealed before, with a hole where they were.
static bool is_within(const struct verify_run *r, const struct verify_run *outer)
{
    return r->first > outer->first && r->last < outer->last && r->seal < outer->seal;
}

static enum err add_run(struct verify *v, struct db_stmt *s, size_t *capacity)
{
    if (v->run_count == *capacity) {
        size_t wanted = *capacity ? 2 * *capacity : 64;
        void *grown = realloc(v->runs, wanted * sizeof *v->runs);
        if (!grown)
            return ERR_NOMEM;
        v->runs = grown;
        *capacity = wanted;
    }
    struct verify_run *r = &v->runs[v->run_count];
    *r = (struct verify_run){.first = (uint64_t)db_int(s, 0),
                             .last = (uint64_t)db_int(s, 1),
                             .rows = (uint64_t)db_int(s, 2),
                             .left = (uint64_t)db_int(s, 2),
                             .seal = (uint64_t)db_int(s, 5)};
    struct verify_run *outer = v->run_count ? &v->runs[v->run_outer] : NULL;
    r->within = outer && is_within(r, outer);
    if (!hash_from(s, 3, r->before) || !hash_from(s, 4, r->after) ||
        (outer && !r->within && r->first <= outer->last) || r->first == 0 || r->last < r->first ||
        r->seal <= r->last) {
        verify_damage(v, "the sealed run of positions %" PRIu64 "..%" PRIu64 " is damaged", r->first,
                      r->last);
        return ERR_OK;
    }
    if (outer && r->within)
        outer->left += r->rows;
    else
        v->run_outer = v->run_count;
    v->run_count++;
    return ERR_OK;
}

static enum err add_stream(struct verify *v, struct db_stmt *s)
{
    struct verify_stream *t = verify_stream(v, db_int(s, 0));
    if (!t)
        return ERR_CORRUPT;
    uint64_t last = (uint64_t)db_int(s, 1);
    t->sealed_last = last > t->sealed_last ? last : t->sealed_last;
    t->sealed_rows += (uint64_t)db_int(s, 2);
    t->sealed_accepted += (uint64_t)db_int(s, 3);
    t->sealed_quarantined += (uint64_t)db_int(s, 4);
    return ERR_OK;
}

static enum err read_table(struct verify *v, bool runs, struct diag *d)
{
    static const char *const sql[] = {
        "SELECT stream_id, last_sequence, rows, accepted, quarantined FROM sealed_stream",
        "SELECT first, last, rows, before, after, seal FROM sealed_run ORDER BY first"};
    struct db_stmt *s = NULL;
    size_t capacity = 0;
    bool row = false;
    enum err e = db_prepare(v->reader->db, sql[runs], &s, d);
    while (e == ERR_OK && (e = db_step(s, &row)) == ERR_OK && row)
        e = runs ? add_run(v, s, &capacity) : add_stream(v, s);
    db_finalize(s);
    if (e != ERR_CORRUPT)
        return e == ERR_OK ? e : reader_fail(v->reader, e, "cannot read its seals", d);
    verify_damage(v, "table %s cannot be read to its end", runs ? "sealed_run" : "sealed_stream");
    return ERR_OK;
}

// The last seal of dropped rows; 0: none, or not to be read (its rows are compared with the table anyway).
static enum err newest_seal(struct verify *v, uint64_t *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    *out = 0;
    enum err e = db_prepare(v->reader->db, "SELECT max(position) FROM seal WHERE rows>0", &s, d);
    if (e != ERR_OK)
        return e;
    e = db_step(s, &row);
    if (e == ERR_OK && row)
        *out = (uint64_t)db_int(s, 0);
    db_finalize(s);
    return e == ERR_CORRUPT ? ERR_OK : e;
}

enum err verify_keep_open(struct verify *v, struct diag *d)
{
    enum err e = reader_begin(v->reader, d);
    if (e != ERR_OK)
        return e;
    e = newest_seal(v, &v->last_seal, d);
    if (e == ERR_OK)
        e = read_table(v, true, d);
    if (e == ERR_OK)
        e = read_table(v, false, d);
    reader_end(v->reader);
    return e;
}

enum err verify_keep_same(struct verify *v, struct diag *d)
{
    uint64_t newest = 0;
    enum err e = newest_seal(v, &newest, d);
    if (e == ERR_OK && newest > v->last_seal)
        e = diag_fail(d, ERR_AGAIN, "rows of old months are being dropped just now: try again later");
    return e;
}

// ---- where rows are missing
// ----------------------------------------------------------------------------------------

static void leave_run(struct verify *v, const struct verify_run *r)
{
    if (!r->entered || r->left != 0)
        verify_damage(v,
                      "the seal at position %" PRIu64 " speaks of %" PRIu64
                      " dropped rows in positions %" PRIu64 "..%" PRIu64 ", of which %" PRIu64
                      " are not missing",
                      r->seal, r->rows, r->first, r->last, r->left);
}

static void enter_run(struct verify *v, struct verify_run *r)
{
    struct ledger_chain_end *end = &v->ends.chains[WIRE_MEASUREMENT];
    if (r->entered)
        return;
    r->entered = true;
    if (!v->lost_end[WIRE_MEASUREMENT] && memcmp(end->hash, r->before, HASH_BYTES) != 0)
        verify_damage(v,
                      "the seal at position %" PRIu64 " does not continue the chain: positions %" PRIu64
                      "..%" PRIu64,
                      r->seal, r->first, r->last);
    v->lost_end[WIRE_MEASUREMENT] = false;
    ledger_chain_end_advance(end, r->last, r->after);
    end->rows += r->left - 1;
    v->out.sealed_rows += r->left;
}

// The run at v->run_at is the first that ends at or after the position.
static struct verify_run *run_from(struct verify *v, uint64_t position)
{
    for (; v->run_at < v->run_count; v->run_at++) {
        const struct verify_run *r = &v->runs[v->run_at];
        if (!r->within && r->last >= position)
            break;
        if (!r->within)
            leave_run(v, r);
    }
    return v->run_at < v->run_count ? &v->runs[v->run_at] : NULL;
}

void verify_keep_missing(struct verify *v, uint64_t first, uint64_t last)
{
    while (first <= last) {
        struct verify_run *r = run_from(v, first);
        uint64_t end = last;
        if (r && r->first <= first) {
            end = r->last < last ? r->last : last;
            enter_run(v, r);
            uint64_t gone = end - first + 1;
            if (gone > r->left)
                verify_damage(v,
                              "rows missing: %" PRIu64 " in positions %" PRIu64 "..%" PRIu64
                              " more than the seal at position %" PRIu64 " speaks of",
                              gone - r->left, first, end, r->seal);
            r->left -= gone < r->left ? gone : r->left;
        } else {
            if (r && r->first <= last)
                end = r->first - 1;
            verify_damage(v, "rows missing: positions %" PRIu64 "..%" PRIu64, first, end);
        }
        first = end + 1;
    }
}

void verify_keep_skip(struct verify *v, uint64_t last)
{
    while (v->run_at < v->run_count && v->runs[v->run_at].first <= last)
        v->run_at++;
}

// ---- the collector's own rows
// --------------------------------------------------------------------------------------

static void differs(struct verify *v, const struct reader_row *row, const char *table)
{
    verify_damage(v, "the row at position %" PRIu64 " and the table %s differ", row->position, table);
}

// Whether sql, with up to three numbers, finds a row.
static bool finds(struct verify *v, const char *sql, int64_t a, int64_t b, int64_t c)
{
    struct db_stmt *s = NULL;
    bool row = false;
    if (db_prepare(v->reader->db, sql, &s, NULL) != ERR_OK)
        return false;
    db_bind_int(s, 1, a);
    db_bind_int(s, 2, b);
    db_bind_int(s, 3, c);
    bool found = db_step(s, &row) == ERR_OK && row;
    db_finalize(s);
    return found;
}

static const struct verify_run *find_run(const struct verify *v, uint64_t first)
{
    size_t low = 0, high = v->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v->runs[middle].first < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < v->run_count && v->runs[low].first == first ? &v->runs[low] : NULL;
}

static void check_run(struct verify *v, const struct reader_row *row, const struct wire_sealed_run *said)
{
    const struct verify_run *r = find_run(v, said->first);
    if (!r || r->last != said->last || r->rows != said->rows || r->seal != row->position ||
        memcmp(r->before, said->before, HASH_BYTES) != 0 || memcmp(r->after, said->after, HASH_BYTES) != 0)
        differs(v, row, "sealed_run");
}

static bool sealed_stream_same(struct verify *v, const struct reader_row *row,
                               const struct wire_sealed_stream *said)
{
    struct db_stmt *s = NULL;
    bool found = false;
    if (db_prepare(v->reader->db,
                   "SELECT first_sequence, last_sequence, rows, accepted, quarantined FROM sealed_stream"
                   " WHERE stream_id=?1 AND seal=?2",
                   &s, NULL) != ERR_OK)
        return false;
    db_bind_int(s, 1, (int64_t)said->stream);
    db_bind_int(s, 2, (int64_t)row->position);
    bool same = db_step(s, &found) == ERR_OK && found && (uint64_t)db_int(s, 0) == said->first_sequence &&
                (uint64_t)db_int(s, 1) == said->last_sequence && (uint64_t)db_int(s, 2) == said->rows &&
                (uint64_t)db_int(s, 3) == said->accepted && (uint64_t)db_int(s, 4) == said->quarantined;
    db_finalize(s);
    return same;
}

static void check_seal(struct verify *v, const struct reader_row *row, const struct wire_seal *said)
{
    struct db_stmt *s = NULL;
    bool found = false;
    v->out.seals++;
    for (size_t i = 0; i < said->run_count; i++)
        check_run(v, row, &said->runs[i]);
    for (size_t i = 0; i < said->stream_count; i++)
        if (!sealed_stream_same(v, row, &said->streams[i]))
            differs(v, row, "sealed_stream");
    v->said_runs += said->run_count;
    v->said_streams += said->stream_count;
    if (db_prepare(v->reader->db,
                   "SELECT closed_until_s, rolled_until_s, dropped_until_s, rows, samples FROM seal"
                   " WHERE position=?1",
                   &s, NULL) != ERR_OK)
        return;
    db_bind_int(s, 1, (int64_t)row->position);
    if (db_step(s, &found) != ERR_OK || !found || db_int(s, 0) != said->closed_until_s ||
        db_int(s, 1) != said->rolled_until_s || db_int(s, 2) != said->dropped_until_s ||
        (uint64_t)db_int(s, 3) != said->rows || (uint64_t)db_int(s, 4) != said->samples)
        differs(v, row, "seal");
    db_finalize(s);
}

// The row it speaks of may have been dropped since; while it is there it must have refused these.
static bool refused_there(struct verify *v, const struct wire_release *said)
{
    struct db_stmt *s = v->reader->statements[READER_ROW_AT];
    struct reader_verdict verdict;
    struct reader_row from;
    bool found = false;
    bool right = true;
    db_bind_int(s, 1, (int64_t)said->position);
    if (db_step(s, &found) == ERR_OK && found) {
        reader_row_from(s, &from);
        right = from.stream_id == (int64_t)said->stream &&
                reader_verdict(v->reader, &from, &verdict, NULL) == ERR_OK;
        for (size_t i = 0; right && i < said->count; i++)
            right = said->indexes[i] < from.samples &&
                    reader_refused(&verdict, said->indexes[i]) != WIRE_REASON_NONE;
    }
    db_reset(s);
    return right;
}

static void check_release(struct verify *v, const struct reader_row *row, const struct wire_release *said)
{
    struct verify_stream *t = verify_stream(v, (int64_t)said->stream);
    v->out.releases++;
    v->said_released += said->count;
    if (t)
        t->released += said->count;
    for (size_t i = 0; i < said->count; i++)
        if (!finds(v, "SELECT 1 FROM release WHERE position=?1 AND idx=?2 AND released=?3",
                   (int64_t)said->position, said->indexes[i], (int64_t)row->position))
            differs(v, row, "release");
    if (!refused_there(v, said))
        verify_damage(v, "the release at position %" PRIu64 " speaks of samples that were not refused",
                      row->position);
}

static void check_control(struct verify *v, const struct reader_row *row, const struct wire_control *said)
{
    const struct hash_part whole = {said->document, said->document_len};
    uint8_t hash[HASH_BYTES];
    crypto_digest(&whole, 1, hash);
    if (said->parts == 1 && memcmp(hash, said->hash, HASH_BYTES) != 0)
        verify_damage(v, "the control document at position %" PRIu64 " is not what its hash says",
                      row->position);
}

void verify_keep_row(struct verify *v, const struct reader_row *row)
{
    static const enum wire_type types[] = {[LEDGER_ROLLUP] = WIRE_ROLLUP,
                                           [LEDGER_SEAL] = WIRE_SEAL,
                                           [LEDGER_RELEASE] = WIRE_RELEASE,
                                           [LEDGER_CONTROL] = WIRE_CONTROL_MESSAGE};
    struct wire_message m;
    bool known = row->kind <= LEDGER_CONTROL;
    if (!known || wire_decode_kept(v->reader->body_arena, row->body, row->body_len, &m, NULL) != ERR_OK ||
        m.type != types[row->kind]) {
        verify_damage(v, "the row at position %" PRIu64 " does not say what its kind demands", row->position);
        return;
    }
    if (row->kind == LEDGER_SEAL) {
        check_seal(v, row, &m.seal);
    } else if (row->kind == LEDGER_RELEASE) {
        check_release(v, row, &m.release);
    } else if (row->kind == LEDGER_CONTROL) {
        check_control(v, row, &m.control);
    } else {
        v->out.rollups++;
        if (!finds(v, "SELECT 1 FROM rollup WHERE series_id=?1 AND month_s=?2 AND position=?3",
                   (int64_t)m.rollup.series, m.rollup.month_s, (int64_t)row->position))
            differs(v, row, "rollup");
    }
}

// ---- the end
// -------------------------------------------------------------------------------------------------------

static void check_count(struct verify *v, const char *table, const char *sql, uint64_t said)
{
    struct db_stmt *s = NULL;
    bool row = false;
    if (db_prepare(v->reader->db, sql, &s, NULL) != ERR_OK)
        return;
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        verify_damage(v, "table %s cannot be read to its end: %s", table, db_error(v->reader->db));
    else if ((uint64_t)db_int(s, 0) != said)
        verify_damage(v, "table %s has %" PRId64 " rows, the ledger's rows say %" PRIu64, table, db_int(s, 0),
                      said);
    db_finalize(s);
}

void verify_keep_close(struct verify *v)
{
    (void)run_from(v, UINT64_MAX);
    check_count(v, "rollup", "SELECT count(*) FROM rollup", v->out.rollups);
    check_count(v, "seal", "SELECT count(*) FROM seal", v->out.seals);
    check_count(v, "sealed_run", "SELECT count(*) FROM sealed_run", v->said_runs);
    check_count(v, "sealed_stream", "SELECT count(*) FROM sealed_stream", v->said_streams);
    check_count(v, "release", "SELECT count(*) FROM release", v->said_released);
}
