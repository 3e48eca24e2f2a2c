// The file is derived from the ledger, so damage or another version is no loss: it is made anew and filled
// again. synchronous=NORMAL: a power cut may take the newest transactions, but a transaction holds its cursor
// with its data, so whatever survives is consistent and the rest is read from the ledger once more.
#include "base/fs.h"
#include "store/day_totals_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_MAX_BYTES 4096

static const char SCHEMA[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE cursor(one INTEGER PRIMARY KEY CHECK(one=1), position INTEGER NOT NULL, chain BLOB NOT "
    "NULL,"
    " ledger_id BLOB NOT NULL, repeats INTEGER NOT NULL) STRICT;"
    "CREATE TABLE observation(series_id INTEGER NOT NULL, period_start INTEGER NOT NULL, revision INTEGER "
    "NOT NULL, value ANY,"
    " currency TEXT NOT NULL, status INTEGER NOT NULL, confidential INTEGER NOT NULL, reason TEXT NOT NULL,"
    " author TEXT NOT NULL, received_us INTEGER NOT NULL, published_us INTEGER NOT NULL, position INTEGER "
    "NOT NULL, key_id INTEGER NOT NULL,"
    " idx INTEGER NOT NULL, PRIMARY KEY(series_id, period_start, revision)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE latest(series_id INTEGER PRIMARY KEY, time INTEGER NOT NULL, value ANY, received_us "
    "INTEGER NOT NULL,"
    " position INTEGER NOT NULL, idx INTEGER NOT NULL) STRICT;"
    "CREATE TABLE span(stream_id INTEGER NOT NULL, day INTEGER NOT NULL, first_sequence INTEGER NOT NULL,"
    " last_sequence INTEGER NOT NULL, PRIMARY KEY(stream_id, day, first_sequence)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE rates(bank INTEGER NOT NULL, asked INTEGER NOT NULL, position INTEGER NOT NULL, "
    "received_us "
    "INTEGER NOT NULL, author TEXT NOT NULL, document BLOB NOT NULL, PRIMARY KEY(bank, asked, position)) "
    "STRICT,"
    " WITHOUT ROWID;" DAY_TOTALS_SCHEMA
    "CREATE TABLE seen(stream_id INTEGER PRIMARY KEY, last_sequence INTEGER NOT NULL) STRICT;"
    "INSERT INTO meta VALUES('schema', '" OBSERVATIONS_SCHEMA "');"
    "INSERT INTO cursor VALUES(1, 0, zeroblob(32), zeroblob(16), 0);";

// Few figures are: to find out whether a series has any is then one look. Tables of before get it as well.
static const char INDEXES[] =
    "CREATE INDEX IF NOT EXISTS observation_confidential ON observation(series_id) WHERE confidential<>0";

static const char *const SQL[OBSERVATIONS_STATEMENTS] = {
    [OBSERVATIONS_CURRENT] = "SELECT revision, value, currency, status, confidential, author FROM observation"
                             " WHERE series_id=? AND period_start=? ORDER BY revision DESC LIMIT 1",
    [OBSERVATIONS_PUBLISHED] =
        "SELECT revision, value, currency, status, confidential, author FROM observation"
        " WHERE series_id=? AND period_start=? AND published_us<=? ORDER BY published_us DESC, revision DESC"
        " LIMIT 1",
    [OBSERVATIONS_INSERT] =
        "INSERT INTO observation(series_id, period_start, revision, value, currency, status, confidential,"
        " reason, author, received_us, published_us, position, idx, key_id)"
        " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [OBSERVATIONS_LOAD_LATEST] =
        "SELECT time, value, received_us, position, idx FROM latest WHERE series_id=?",
    [OBSERVATIONS_SAVE_LATEST] =
        "INSERT OR REPLACE INTO latest(series_id, time, value, received_us, position, idx)"
        " VALUES(?,?,?,?,?,?)",
    [OBSERVATIONS_LOAD_SPAN] = "SELECT first_sequence, last_sequence FROM span WHERE stream_id=? AND day=?"
                               " ORDER BY first_sequence DESC LIMIT 1",
    [OBSERVATIONS_SAVE_SPAN] =
        "INSERT OR REPLACE INTO span(stream_id, day, first_sequence, last_sequence) VALUES(?,?,?,?)",
    [OBSERVATIONS_SAVE_SEEN] = "INSERT OR REPLACE INTO seen(stream_id, last_sequence) VALUES(?,?)",
    [OBSERVATIONS_DROP_SPANS] = "DELETE FROM span WHERE day<?",
    [OBSERVATIONS_INSERT_RATES] =
        "INSERT INTO rates(bank, asked, position, received_us, author, document) VALUES(?,?,?,?,?,?)",
    [OBSERVATIONS_NOTE_WAITING] = "INSERT OR IGNORE INTO day_waiting(series_id, day) VALUES(?,?)",
    [OBSERVATIONS_NOTE_ROLLED] = "INSERT OR IGNORE INTO day_waiting SELECT series_id, day FROM day_total"
                                 " WHERE raw<>0 AND day<=?1",
    [OBSERVATIONS_SAVE_CURSOR] = "UPDATE cursor SET position=?, chain=?, ledger_id=?, repeats=?",
};

static enum err query_text(struct db *db, const char *sql, char *out, size_t size, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(db, sql, &s, d);
    if (e != ERR_OK)
        return e;
    e = db_step(s, &row);
    if (e != ERR_OK)
        e = diag_fail(d, e, OBSERVATIONS_FILE ": %s", db_error(db));
    else if (!row || !ledger_copy_text(out, size, db_text(s, 0)))
        e = ERR_NOT_FOUND;
    db_finalize(s);
    return e;
}

static enum err create(struct db *db, struct diag *d)
{
    enum err e = db_begin(db, d);
    if (e != ERR_OK)
        return e;
    if ((e = db_exec(db, SCHEMA, d)) != ERR_OK) {
        db_rollback(db);
        return e;
    }
    return db_commit(db, d);
}

// CORRUPT also for tables of another version: both are answered by making the file anew.
static enum err ensure(struct db *db, struct diag *d)
{
    char text[16];
    enum err e = query_text(db, "SELECT count(*) FROM sqlite_master", text, sizeof text, d);
    if (e == ERR_OK && strcmp(text, "0") == 0)
        return create(db, d);
    if (e == ERR_OK)
        e = query_text(db, "SELECT count(*) FROM sqlite_master WHERE name='meta'", text, sizeof text, d);
    if (e == ERR_OK && strcmp(text, "1") == 0)
        e = query_text(db, "SELECT value FROM meta WHERE key='schema'", text, sizeof text, d);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && strcmp(text, OBSERVATIONS_SCHEMA) != 0))
        e = diag_fail(d, ERR_CORRUPT, OBSERVATIONS_FILE ": not tables of version " OBSERVATIONS_SCHEMA);
    return e;
}

static enum err load_cursor(struct observations *o, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    size_t chain_len = 0;
    size_t id_len = 0;
    enum err e = db_prepare(o->db, "SELECT position, chain, ledger_id, repeats FROM cursor", &s, d);
    if (e != ERR_OK)
        return e;
    if ((e = db_step(s, &row)) == ERR_OK && row) {
        const void *chain = db_blob(s, 1, &chain_len);
        const void *id = db_blob(s, 2, &id_len);
        if (chain_len == HASH_BYTES && id_len == LEDGER_ID_BYTES) {
            o->cursor = (uint64_t)db_int(s, 0);
            o->repeats = (uint64_t)db_int(s, 3);
            memcpy(o->cursor_chain, chain, chain_len);
            memcpy(o->ledger_id, id, id_len);
        }
    }
    if (e == ERR_OK && (!row || chain_len != HASH_BYTES || id_len != LEDGER_ID_BYTES))
        e = diag_fail(d, ERR_CORRUPT, OBSERVATIONS_FILE ": its cursor is damaged");
    db_finalize(s);
    return e;
}

static enum err open_once(const char *path, struct observations *o, struct diag *d)
{
    enum err e = db_open_writer(path, &o->db, d);
    if (e == ERR_OK)
        e = db_exec(o->db, "PRAGMA synchronous=NORMAL", d);
    if (e == ERR_OK)
        e = ensure(o->db, d);
    if (e == ERR_OK)
        e = db_exec(o->db, INDEXES, d);
    if (e == ERR_OK)
        e = load_cursor(o, d);
    for (int i = 0; e == ERR_OK && i < OBSERVATIONS_STATEMENTS; i++)
        e = db_prepare(o->db, SQL[i], &o->statements[i], d);
    return e;
}

static void close_again(struct observations *o)
{
    for (int i = 0; i < OBSERVATIONS_STATEMENTS; i++) {
        db_finalize(o->statements[i]);
        o->statements[i] = NULL;
    }
    db_close(o->db);
    o->db = NULL;
}

static enum err remove_files(const char *path, struct diag *d)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[PATH_MAX_BYTES + 8];
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        if (unlink(name) != 0 && errno != ENOENT)
            return diag_errno(d, errno, "%s: damaged, and cannot be removed", name);
    }
    return ERR_OK;
}

enum err observations_schema_open(const char *state, struct observations *o, struct diag *d)
{
    char path[PATH_MAX_BYTES];
    enum err e = fs_join(path, sizeof path, state, OBSERVATIONS_FILE);
    if (e != ERR_OK)
        return diag_fail(d, e, "%s: path too long", state);
    e = open_once(path, o, d);
    if (e != ERR_CORRUPT)
        return e;
    close_again(o);
    if ((e = remove_files(path, d)) != ERR_OK)
        return e;
    o->cursor = o->repeats = 0;
    o->renewed = true;
    return open_once(path, o, d);
}
