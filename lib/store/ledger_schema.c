// The tables any SQLite can read; README.md says what each column means. Whatever a checker needs to
// recompute the chain is in columns, nothing only in a blob.

#include "store/ledger_internal.h"
#include <stdio.h>
#include <string.h>

static const char SCHEMA[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE agent(agent_id INTEGER PRIMARY KEY AUTOINCREMENT, resident TEXT NOT NULL, added_us INTEGER "
    "NOT NULL) STRICT;"
    "CREATE TABLE key(key_id INTEGER PRIMARY KEY AUTOINCREMENT, agent_id INTEGER NOT NULL REFERENCES "
    "agent(agent_id),"
    " public_key BLOB NOT NULL UNIQUE, added_us INTEGER NOT NULL, revoked_us INTEGER NOT NULL) STRICT;"
    "CREATE TABLE stream(stream_id INTEGER PRIMARY KEY AUTOINCREMENT, agent_id INTEGER NOT NULL REFERENCES "
    "agent(agent_id),"
    " incarnation BLOB NOT NULL, last_sequence INTEGER NOT NULL, declares INTEGER NOT NULL, last_position "
    "INTEGER NOT NULL,"
    " last_chain BLOB NOT NULL, accepted INTEGER NOT NULL, quarantined INTEGER NOT NULL, gap INTEGER NOT "
    "NULL,"
    " repeats INTEGER NOT NULL, batches INTEGER NOT NULL, first_received_us INTEGER NOT NULL,"
    " last_received_us INTEGER NOT NULL, UNIQUE(agent_id, incarnation)) STRICT;"
    "CREATE TABLE series(series_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, unit TEXT "
    "NOT NULL,"
    " currency TEXT NOT NULL, class INTEGER NOT NULL, step_s INTEGER NOT NULL, period INTEGER NOT NULL,"
    " agent_id INTEGER NOT NULL REFERENCES agent(agent_id)) STRICT;"
    "CREATE TABLE declare(stream_id INTEGER NOT NULL REFERENCES stream(stream_id), number INTEGER NOT NULL,"
    " series_id INTEGER NOT NULL REFERENCES series(series_id), ordinal INTEGER NOT NULL, chain BLOB NOT NULL,"
    " PRIMARY KEY(stream_id, number)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX declare_series ON declare(series_id);"
    "CREATE TABLE batch(position INTEGER PRIMARY KEY, class INTEGER NOT NULL, stream_id INTEGER NOT NULL,"
    " sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL, gap INTEGER NOT NULL, key_id INTEGER NOT "
    "NULL,"
    " received_us INTEGER NOT NULL, samples INTEGER NOT NULL, refused INTEGER NOT NULL, chain BLOB NOT NULL,"
    " verdict BLOB, body BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX batch_sequence ON batch(stream_id, sequence);"
    "CREATE TABLE chain(class INTEGER PRIMARY KEY, position INTEGER NOT NULL, rows INTEGER NOT NULL, hash "
    "BLOB NOT NULL,"
    " previous BLOB NOT NULL) STRICT;"
    "CREATE TABLE counter(name TEXT NOT NULL, agent_id INTEGER NOT NULL, value INTEGER NOT NULL,"
    " PRIMARY KEY(name, agent_id)) STRICT, WITHOUT ROWID;";

// Came later than the rest, so a ledger may lack them. Beside the rows of the same meaning, for plain SQL.
static const char KEEP_SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS rollup(series_id INTEGER NOT NULL REFERENCES series(series_id), month_s "
    "INTEGER NOT NULL,"
    " position INTEGER NOT NULL, PRIMARY KEY(series_id, month_s)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS seal(position INTEGER PRIMARY KEY, closed_until_s INTEGER NOT NULL,"
    " rolled_until_s INTEGER NOT NULL, dropped_until_s INTEGER NOT NULL, rows INTEGER NOT NULL,"
    " samples INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS sealed_run(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, rows INTEGER "
    "NOT NULL,"
    " before BLOB NOT NULL, after BLOB NOT NULL, seal INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS sealed_stream(stream_id INTEGER NOT NULL, seal INTEGER NOT NULL,"
    " first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL, rows INTEGER NOT NULL,"
    " accepted INTEGER NOT NULL, quarantined INTEGER NOT NULL, PRIMARY KEY(stream_id, seal)) STRICT, WITHOUT "
    "ROWID;"
    "CREATE TABLE IF NOT EXISTS release(position INTEGER NOT NULL, idx INTEGER NOT NULL, stream_id INTEGER "
    "NOT NULL,"
    " released INTEGER NOT NULL, PRIMARY KEY(position, idx)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS invite(invite_id INTEGER PRIMARY KEY AUTOINCREMENT, secret_hash BLOB NOT "
    "NULL UNIQUE,"
    " resident TEXT NOT NULL, agent_id INTEGER NOT NULL, author TEXT NOT NULL, made_us INTEGER NOT NULL,"
    " expires_us INTEGER NOT NULL, used_us INTEGER NOT NULL, key_id INTEGER NOT NULL, withdrawn_us INTEGER "
    "NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS desk_request(id BLOB PRIMARY KEY, content BLOB NOT NULL, position INTEGER "
    "NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS batch_refused ON batch(position) WHERE refused>0;"
    "CREATE INDEX IF NOT EXISTS sealed_run_last ON sealed_run(last);"
    "CREATE INDEX IF NOT EXISTS stream_incarnation ON stream(incarnation);"
    // The log takes entries at its end only; that it was so is what the chain proves, the triggers stop a
    // slip.
    "CREATE TABLE IF NOT EXISTS audit(position INTEGER PRIMARY KEY, received_us INTEGER NOT NULL,"
    " since_us INTEGER NOT NULL, who TEXT NOT NULL, event TEXT NOT NULL, object TEXT NOT NULL,"
    " outcome INTEGER NOT NULL, count INTEGER NOT NULL, detail TEXT NOT NULL, chain BLOB NOT NULL) STRICT;"
    "CREATE TRIGGER IF NOT EXISTS audit_kept BEFORE DELETE ON audit BEGIN"
    " SELECT RAISE(ABORT, 'entries of the audit log are never removed'); END;"
    "CREATE TRIGGER IF NOT EXISTS audit_unchanged BEFORE UPDATE ON audit BEGIN"
    " SELECT RAISE(ABORT, 'entries of the audit log are never changed'); END;"
    "CREATE TRIGGER IF NOT EXISTS audit_appended BEFORE INSERT ON audit"
    " WHEN NEW.position <> (SELECT coalesce(max(position), 0) + 1 FROM audit) BEGIN"
    " SELECT RAISE(ABORT, 'the audit log grows at its end only'); END;";

const char *const ledger_sql[LEDGER_STATEMENTS] = {
    [LEDGER_INSERT_BATCH] =
        "INSERT INTO batch(position, class, stream_id, sequence, last_sequence, gap, key_id, received_us,"
        " samples, refused, chain, verdict, body) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [LEDGER_FIND_BATCH] =
        "SELECT sequence, last_sequence, samples, body FROM batch WHERE stream_id=?1 AND sequence<=?2"
        " ORDER BY sequence DESC LIMIT 1",
    [LEDGER_SAVE_CHAIN] =
        "INSERT OR REPLACE INTO chain(class, position, rows, hash, previous) VALUES(?,?,?,?,?)",
    [LEDGER_COUNT] = "INSERT INTO counter(name, agent_id, value) VALUES(?,?,?)"
                     " ON CONFLICT(name, agent_id) DO UPDATE SET value=value+excluded.value",
    [LEDGER_FIND_STREAM] = "SELECT stream_id FROM stream WHERE agent_id=? AND incarnation=?",
    [LEDGER_LOAD_STREAM] = "SELECT " LEDGER_STREAM_COLUMNS " FROM stream WHERE stream_id=?",
    [LEDGER_INSERT_STREAM] =
        "INSERT INTO stream(agent_id, incarnation, last_sequence, declares, last_position, last_chain,"
        " accepted, quarantined, gap, repeats, batches, first_received_us, last_received_us)"
        " VALUES(?,?,0,0,0,zeroblob(32),0,0,0,0,0,0,0)",
    [LEDGER_SAVE_STREAM] =
        "UPDATE stream SET last_sequence=?2, declares=?3, last_position=?4, last_chain=?5, accepted=?6,"
        " quarantined=?7, gap=?8, repeats=?9, batches=?10, first_received_us=?11, last_received_us=?12"
        " WHERE stream_id=?1",
    [LEDGER_FIND_SERIES] = "SELECT " LEDGER_SERIES_COLUMNS " FROM series WHERE name=?",
    [LEDGER_LOAD_SERIES] = "SELECT " LEDGER_SERIES_COLUMNS " FROM series WHERE series_id=?",
    [LEDGER_INSERT_SERIES] =
        "INSERT INTO series(name, unit, currency, class, step_s, period, agent_id) VALUES(?,?,?,?,?,?,?)",
    [LEDGER_LOAD_DECLARE] = "SELECT series_id FROM declare WHERE stream_id=? AND number=?",
    [LEDGER_INSERT_DECLARE] =
        "INSERT INTO declare(stream_id, number, series_id, ordinal, chain) VALUES(?,?,?,?,?)",
    [LEDGER_INSERT_AGENT] = "INSERT INTO agent(resident, added_us) VALUES(?,?)",
    [LEDGER_INSERT_KEY] = "INSERT INTO key(agent_id, public_key, added_us, revoked_us) VALUES(?,?,?,0)",
    [LEDGER_FIND_KEY] = "SELECT resident, revoked_us FROM key JOIN agent USING(agent_id) WHERE public_key=?",
    [LEDGER_REVOKE_KEY] = "UPDATE key SET revoked_us=?2 WHERE key_id=?1 AND revoked_us=0",
    [LEDGER_OWN_AGENT] = "SELECT agent_id FROM agent WHERE resident='' LIMIT 1",
    [LEDGER_SCAN_RUN] = "SELECT position, stream_id, sequence, gap, samples, refused, chain, refused>0 AND"
                        " EXISTS(SELECT 1 FROM release WHERE release.position=batch.position) FROM batch"
                        " WHERE position BETWEEN ?1 AND ?2 AND class=1 ORDER BY position",
    [LEDGER_DELETE_RUN] = "DELETE FROM batch WHERE position BETWEEN ?1 AND ?2 AND class=1",
    [LEDGER_RUN_WITHIN] = "SELECT first, last FROM sealed_run WHERE first BETWEEN ?1 AND ?2 LIMIT 1",
    [LEDGER_RUN_BEFORE] = "SELECT last, after FROM sealed_run WHERE last<?1 ORDER BY last DESC LIMIT 1",
    [LEDGER_CHAIN_BEFORE] = "SELECT chain FROM batch WHERE position>?1 AND position<?2 AND class=1"
                            " ORDER BY position DESC LIMIT 1",
    [LEDGER_INSERT_ROLLUP] = "INSERT INTO rollup(series_id, month_s, position) VALUES(?,?,?)",
    [LEDGER_INSERT_SEAL] = "INSERT INTO seal(position, closed_until_s, rolled_until_s, dropped_until_s, rows,"
                           " samples) VALUES(?,?,?,?,?,?)",
    [LEDGER_INSERT_RUN] =
        "INSERT INTO sealed_run(first, last, rows, before, after, seal) VALUES(?,?,?,?,?,?)",
    [LEDGER_INSERT_SEALED_STREAM] =
        "INSERT INTO sealed_stream(stream_id, seal, first_sequence, last_sequence, rows, accepted,"
        " quarantined) VALUES(?,?,?,?,?,?,?)",
    [LEDGER_INSERT_RELEASE] = "INSERT INTO release(position, idx, stream_id, released) VALUES(?,?,?,?)",
    [LEDGER_REFUSED_OF] = "SELECT stream_id, refused, (SELECT count(*) FROM release"
                          " WHERE position=batch.position) FROM batch WHERE position=?1 AND gap=0",
    [LEDGER_OTHERS_STREAM] = "SELECT 1 FROM stream JOIN agent USING(agent_id) WHERE incarnation=?1 AND"
                             " (declares>0 OR batches>0) AND"
                             " resident<>(SELECT resident FROM agent WHERE agent_id=?2) LIMIT 1",
    [LEDGER_INSERT_AUDIT] = "INSERT INTO audit(position, received_us, since_us, who, event, object, outcome,"
                            " count, detail, chain) VALUES(?,?,?,?,?,?,?,?,?,?)",
};

static enum err read_version(struct db *db, char out[16], struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    out[0] = '\0';
    enum err e = db_prepare(db, "SELECT (SELECT count(*) FROM sqlite_master WHERE name='meta')", &s, d);
    if (e == ERR_OK && (e = db_step(s, &row)) == ERR_OK)
        row = db_int(s, 0) > 0;
    db_finalize(s);
    if (e != ERR_OK || !row)
        return e;
    s = NULL;
    e = db_prepare(db, "SELECT value FROM meta WHERE key='schema'", &s, d);
    if (e == ERR_OK && (e = db_step(s, &row)) == ERR_OK)
        ledger_copy_text(out, 16, row ? db_text(s, 0) : "none");
    db_finalize(s);
    return e;
}

enum err ledger_schema_check(struct db *db, struct diag *d)
{
    char version[16];
    enum err e = read_version(db, version, d);
    if (e != ERR_OK)
        return diag_fail(d, e, LEDGER_FILE ": cannot read its tables: %s", db_error(db));
    if (version[0] == '\0')
        return diag_fail(d, ERR_NOT_FOUND, LEDGER_FILE ": the collector has not made its tables yet");
    if (strcmp(version, LEDGER_SCHEMA) != 0)
        return diag_fail(d, ERR_UNSUPPORTED,
                         LEDGER_FILE " has tables of version '%s', this program knows " LEDGER_SCHEMA,
                         version);
    return ERR_OK;
}

static enum err create(struct db *db, struct diag *d)
{
    uint8_t id[LEDGER_ID_BYTES];
    char hex[HEX_TEXT(LEDGER_ID_BYTES)];
    char meta[256];
    crypto_random(id, sizeof id);
    crypto_hex(id, sizeof id, hex);
    snprintf(meta, sizeof meta,
             "INSERT INTO meta(key, value) VALUES('schema', '" LEDGER_SCHEMA "'), ('ledger_id', '%s')", hex);
    enum err e = db_begin(db, d);
    if (e != ERR_OK)
        return e;
    if ((e = db_exec(db, SCHEMA, d)) != ERR_OK || (e = db_exec(db, meta, d)) != ERR_OK) {
        db_rollback(db);
        return e;
    }
    return db_commit(db, d);
}

enum err ledger_schema_ensure(struct db *db, struct diag *d)
{
    enum err e = ledger_schema_check(db, d);
    if (e == ERR_NOT_FOUND)
        e = create(db, d);
    return e == ERR_OK ? db_exec(db, KEEP_SCHEMA, d) : e;
}
