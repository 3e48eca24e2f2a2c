// The second half of reader_verify: tables that are derived from the rows, or give their numbers a meaning.
#include "store/audit.h"
#include "store/reader_verify.h"
#include <inttypes.h>
#include <string.h>

typedef void (*check_fn)(struct verify *v, struct db_stmt *s, struct db_stmt *index);

// Every row of sql is given to check, with a second statement for look-ups through an index. A page that
// cannot be read is damage of that table.
static enum err each(struct verify *v, const char *table, const char *sql, const char *index_sql,
                     check_fn check, struct diag *d)
{
    struct db_stmt *s = NULL;
    struct db_stmt *index = NULL;
    bool row = false;
    enum err e = db_prepare(v->reader->db, sql, &s, d);
    if (e == ERR_OK && index_sql)
        e = db_prepare(v->reader->db, index_sql, &index, d);
    while (e == ERR_OK && (e = db_step(s, &row)) == ERR_OK && row)
        check(v, s, index);
    if (e == ERR_CORRUPT) {
        verify_damage(v, "table %s cannot be read to its end: %s", table, db_error(v->reader->db));
        e = ERR_OK;
    } else if (e != ERR_OK) {
        e = reader_fail(v->reader, e, table, d);
    }
    db_finalize(s);
    db_finalize(index);
    return e;
}

static bool leads_to(struct db_stmt *index, int64_t id)
{
    bool row = false;
    bool same = db_step(index, &row) == ERR_OK && row && db_int(index, 0) == id;
    db_reset(index);
    return same;
}

static void check_stream(struct verify *v, struct db_stmt *s, struct db_stmt *index)
{
    struct reader_stream kept;
    int64_t id = db_int(s, 0);
    if (reader_stream_from(s, &kept) != ERR_OK) {
        verify_damage(v, "stream %" PRId64 " is damaged", id);
        return;
    }
    const struct verify_stream none = {0};
    const struct verify_stream *found = id_table_get(&v->streams, id);
    const struct ledger_stream *k = &kept.stream;
    if (!found)
        found = &none;
    uint64_t tail = found->sealed_last > found->last_sequence ? found->sealed_last - found->last_sequence : 0;
    if (k->last_sequence != found->last_sequence + tail)
        verify_damage(v,
                      "stream %" PRId64 " of agent %" PRId64 " %s: its watermark is %" PRIu64
                      ", its rows end at sequence %" PRIu64,
                      id, k->agent_id, kept.resident, k->last_sequence, found->last_sequence + tail);
    if (found->holes + tail != found->sealed_rows)
        verify_damage(v,
                      "stream %" PRId64 " of agent %" PRId64 " %s: %" PRIu64
                      " sequences are missing, its seals speak of %" PRIu64,
                      id, k->agent_id, kept.resident, found->holes + tail, found->sealed_rows);
    if (k->accepted != found->accepted + found->sealed_accepted + found->released ||
        k->quarantined != found->quarantined + found->sealed_quarantined - found->released ||
        k->gap != found->gap || k->batches != found->batches + found->sealed_rows)
        verify_damage(v, "stream %" PRId64 " of agent %" PRId64 " %s: its counts differ from its rows", id,
                      k->agent_id, kept.resident);
    db_bind_int(index, 1, k->agent_id);
    db_bind_blob(index, 2, k->incarnation.bytes, WIRE_INCARNATION_BYTES);
    if (!leads_to(index, id))
        verify_damage(v, "stream %" PRId64 " is not found through its index", id);
}

static bool incarnation_from(struct db_stmt *s, int column, struct wire_incarnation *out)
{
    size_t len = 0;
    const void *bytes = db_blob(s, column, &len);
    if (len != WIRE_INCARNATION_BYTES)
        return false;
    memcpy(out->bytes, bytes, len);
    return true;
}

static void check_declare(struct verify *v, struct db_stmt *s, struct db_stmt *index)
{
    struct ledger_chain_end *end = &v->ends.chains[LEDGER_DECLARES];
    struct ledger_chain_declare c = {
        .ordinal = (uint64_t)db_int(s, 0),
        .agent_id = db_int(s, 2),
        .number = (uint32_t)db_int(s, 4),
        .class = db_int(s, 5),
        .step_s = (uint32_t)db_int(s, 6),
        .period = (uint32_t)db_int(s, 7),
        .name = db_text(s, 8),
        .unit = db_text(s, 9),
        .currency = db_text(s, 10),
    };
    uint8_t hash[HASH_BYTES];
    size_t len = 0;
    const void *stored = db_blob(s, 11, &len);
    db_bind_int(index, 1, db_int(s, 12));
    db_bind_int(index, 2, db_int(s, 1));
    db_bind_int(index, 3, c.number);
    if (!leads_to(index, c.number))
        verify_damage(v, "declare %" PRIu64 " is not found through its index", c.ordinal);
    bool whole = incarnation_from(s, 3, &c.incarnation) && len == HASH_BYTES;
    if (whole)
        ledger_chain_next_declare(end->hash, &c, hash);
    if (!whole || c.ordinal != end->position + 1 || memcmp(hash, stored, HASH_BYTES) != 0)
        verify_damage(v,
                      "declare %" PRIu64 " does not match its chain hash: agent %" PRId64 ", stream %" PRId64
                      ", number %u, %s",
                      c.ordinal, c.agent_id, db_int(s, 1), c.number, c.name);
    if (len == HASH_BYTES)
        ledger_chain_end_advance(end, c.ordinal, stored);
}

static void check_series(struct verify *v, struct db_stmt *s, struct db_stmt *index)
{
    const char *name = db_text(s, 1);
    const char *resident = db_text(s, 2);
    size_t len = strlen(resident);
    if (len == 0 || strncmp(name, resident, len) != 0 || name[len] != '/')
        verify_damage(v, "series %" PRId64 " '%s' is not under its agent's resident '%s'", db_int(s, 0), name,
                      resident);
    db_bind_text(index, 1, name);
    if (!leads_to(index, db_int(s, 0)))
        verify_damage(v, "series %" PRId64 " '%s' is not found through its index", db_int(s, 0), name);
}

static void check_key(struct verify *v, struct db_stmt *s, struct db_stmt *index)
{
    size_t len = 0;
    const void *key = db_blob(s, 1, &len);
    db_bind_blob(index, 1, key, len);
    if (len != KEY_BYTES || db_is_null(s, 2) || !leads_to(index, db_int(s, 0)))
        verify_damage(v, "key %" PRId64 " is damaged", db_int(s, 0));
}

static void check_counter(struct verify *v, struct db_stmt *s, struct db_stmt *index)
{
    (void)index;
    if (db_int(s, 2) < 0)
        verify_damage(v, "counter %s of agent %" PRId64 " is damaged", db_text(s, 0), db_int(s, 1));
}

static void check_audit(struct verify *v, struct db_stmt *s, struct db_stmt *index)
{
    struct ledger_chain_end *end = &v->ends.chains[LEDGER_AUDIT];
    struct audit_entry entry;
    uint8_t hash[HASH_BYTES];
    size_t len = 0;
    (void)index;
    bool whole = audit_from_row(s, end->hash, &entry, hash);
    if (entry.position != end->position + 1)
        verify_damage(v, "audit log: entries %" PRIu64 "..%" PRIu64 " are missing", end->position + 1,
                      entry.position - 1);
    else if (!whole)
        verify_damage(v, "audit log: entry %" PRIu64 " does not match its chain hash", entry.position);
    const void *stored = db_blob(s, 9, &len);
    ledger_chain_end_advance(end, entry.position, len == HASH_BYTES ? stored : hash);
}

static void check_ends(struct verify *v)
{
    for (int c = 0; c < LEDGER_CHAINS; c++) {
        const struct ledger_chain_end *kept = &v->kept.chains[c];
        const struct ledger_chain_end *found = &v->ends.chains[c];
        if (kept->position != found->position || kept->rows != found->rows ||
            memcmp(kept->hash, found->hash, HASH_BYTES) != 0)
            verify_damage(v,
                          "chain %d ends at position %" PRIu64 " after %" PRIu64
                          " rows, recorded are position %" PRIu64 " and %" PRIu64 " rows",
                          c, found->position, found->rows, kept->position, kept->rows);
    }
}

enum err verify_tables(struct verify *v, struct diag *d)
{
    struct diag why = {0};
    enum err e = each(
        v, "stream", "SELECT " LEDGER_STREAM_COLUMNS ", resident FROM stream LEFT JOIN agent USING(agent_id)",
        "SELECT stream_id FROM stream WHERE agent_id=? AND incarnation=?", check_stream, d);
    if (e == ERR_OK)
        e = each(v, "declare",
                 "SELECT ordinal, stream_id, stream.agent_id, incarnation, number, class, step_s, period, "
                 "name, unit, currency,"
                 " chain, declare.series_id FROM declare NOT INDEXED LEFT JOIN stream USING(stream_id) LEFT "
                 "JOIN series USING(series_id) "
                 "ORDER BY ordinal",
                 "SELECT number FROM declare INDEXED BY declare_series WHERE series_id=? AND stream_id=? AND "
                 "number=?",
                 check_declare, d);
    if (e == ERR_OK)
        e = each(v, "series",
                 "SELECT series_id, name, resident FROM series NOT INDEXED LEFT JOIN agent USING(agent_id)",
                 "SELECT series_id FROM series WHERE name=?", check_series, d);
    if (e == ERR_OK)
        e = each(v, "key",
                 "SELECT key_id, public_key, resident FROM key NOT INDEXED LEFT JOIN agent USING(agent_id)",
                 "SELECT key_id FROM key WHERE public_key=?", check_key, d);
    if (e == ERR_OK)
        e = each(v, "counter", "SELECT name, agent_id, value FROM counter", NULL, check_counter, d);
    if (e == ERR_OK)
        e = each(v, "audit", "SELECT " AUDIT_COLUMNS " FROM audit ORDER BY position", NULL, check_audit, d);
    if (e != ERR_OK)
        return e;
    check_ends(v);
    if (v->has_recorded && ledger_head_check(v->reader->db, &v->recorded, &v->kept, &why) != ERR_OK)
        verify_damage(v, "%s", why.text);
    return ERR_OK;
}
