// The spool's tables as SQLite is told of them, and what is asked of them.
#include "agent/spool_internal.h"
#include <stdio.h>
#include <string.h>

static const char *const tables[] = {
    "meta (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL,"
    " incarnation BLOB NOT NULL, generation INTEGER NOT NULL, declares INTEGER NOT NULL,"
    " first_kept INTEGER NOT NULL, last_written INTEGER NOT NULL, last_acknowledged INTEGER NOT NULL,"
    " sendable INTEGER NOT NULL, receipt_position INTEGER NOT NULL, receipt_chain BLOB NOT NULL,"
    " sampled INTEGER NOT NULL, refused INTEGER NOT NULL, spooled INTEGER NOT NULL,"
    " spool_bytes INTEGER NOT NULL, source_errors INTEGER NOT NULL, acknowledged INTEGER NOT NULL,"
    " gaps INTEGER NOT NULL, tail_bytes INTEGER NOT NULL, forgotten_last INTEGER NOT NULL,"
    " forgotten_samples INTEGER NOT NULL, forgotten_from_s INTEGER NOT NULL,"
    " forgotten_to_s INTEGER NOT NULL, declares_known INTEGER NOT NULL, hash BLOB NOT NULL)",
    "declare (number INTEGER PRIMARY KEY, series TEXT NOT NULL, unit TEXT NOT NULL, currency TEXT NOT NULL,"
    " class INTEGER NOT NULL, step INTEGER NOT NULL, period INTEGER NOT NULL, hash BLOB NOT NULL)",
    // class 0: a gap, from sequence to last; body NULL: acknowledged, and no longer kept
    "batch (sequence INTEGER PRIMARY KEY, last INTEGER NOT NULL, class INTEGER NOT NULL,"
    " reason INTEGER NOT NULL, samples INTEGER NOT NULL, from_s INTEGER NOT NULL, to_s INTEGER NOT NULL,"
    " created_us INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB)",
    "position (source TEXT NOT NULL, key TEXT NOT NULL, hash BLOB NOT NULL, blob BLOB NOT NULL,"
    " PRIMARY KEY (source, key)) WITHOUT ROWID",
};
#define TABLES     (sizeof tables / sizeof *tables)
#define DEFINE_MAX 1024

#define ROW_COLUMNS "sequence, last, class, reason, samples, from_s, to_s, created_us, hash, body"
#define META_COLUMNS                                                                                         \
    "format, incarnation, generation, declares, first_kept, last_written, last_acknowledged, sendable,"      \
    " receipt_position, receipt_chain, sampled, refused, spooled, spool_bytes, source_errors, acknowledged," \
    " gaps, tail_bytes, forgotten_last, forgotten_samples, forgotten_from_s, forgotten_to_s,"                \
    " declares_known, hash"

static const char *const statements[SPOOL_SQL_COUNT] = {
    [SPOOL_SQL_META_READ] = "SELECT " META_COLUMNS " FROM meta WHERE id = 1",
    [SPOOL_SQL_META_WRITE] =
        "INSERT OR REPLACE INTO meta (id, " META_COLUMNS ") VALUES (1, ?1, ?2, ?3, ?4, ?5,"
        " ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)",
    [SPOOL_SQL_ROW_INSERT] =
        "INSERT INTO batch (" ROW_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [SPOOL_SQL_ROW_READ] = "SELECT " ROW_COLUMNS " FROM batch WHERE sequence = ?1",
    [SPOOL_SQL_ROW_NEXT] = "SELECT " ROW_COLUMNS " FROM batch WHERE sequence >= ?1 ORDER BY sequence LIMIT 1",
    [SPOOL_SQL_ROW_STRIP] = "UPDATE batch SET body = NULL, hash = ?2 WHERE sequence = ?1",
    [SPOOL_SQL_ROWS_DELETE] = "DELETE FROM batch WHERE sequence BETWEEN ?1 AND ?2",
    [SPOOL_SQL_DECLARE_INSERT] =
        "INSERT INTO declare (number, series, unit, currency, class, step, period, hash)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [SPOOL_SQL_DECLARE_READ] =
        "SELECT series, unit, currency, class, step, period, hash FROM declare WHERE number = ?1",
    [SPOOL_SQL_DECLARE_FIND] = "SELECT number FROM declare WHERE series = ?1 AND unit = ?2 AND currency = ?3"
                               " AND class = ?4 AND step = ?5 AND period = ?6",
    [SPOOL_SQL_POSITION_PUT] =
        "INSERT OR REPLACE INTO position (source, key, hash, blob) VALUES (?1, ?2, ?3, ?4)",
    [SPOOL_SQL_POSITION_DELETE] = "DELETE FROM position WHERE source = ?1 AND key = ?2",
    [SPOOL_SQL_POSITION_GET] = "SELECT hash, blob FROM position WHERE source = ?1 AND key = ?2",
    [SPOOL_SQL_POSITION_EACH] =
        "SELECT key, hash, blob FROM position WHERE source = ?1 AND key >= ?2 ORDER BY key",
};

// SQLite keeps the definitions as text: a byte changed in one would change what the file means.
static enum err check_tables(struct db *db, struct diag *d)
{
    struct db_stmt *q = NULL;
    size_t known = 0, count = 0;
    bool row = true;
    enum err e = db_prepare(db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL", &q, d);
    if (e != ERR_OK)
        return e;
    while ((e = db_step(q, &row)) == ERR_OK && row) {
        count++;
        for (size_t i = 0; i < TABLES; i++) {
            char define[DEFINE_MAX];
            snprintf(define, sizeof define, "CREATE TABLE %s", tables[i]);
            known += strcmp(db_text(q, 0), define) == 0;
        }
    }
    db_finalize(q);
    if (e == ERR_OK && (known != TABLES || count != TABLES))
        return diag_fail(d, ERR_CORRUPT, "the spool's tables are not as they were made");
    return e == ERR_OK ? ERR_OK : diag_fail(d, e, "the spool: %s", db_error(db));
}

static enum err read_number(struct db *db, const char *sql, int64_t *out, struct diag *d)
{
    struct db_stmt *q = NULL;
    bool row = false;
    enum err e = db_prepare(db, sql, &q, d);
    if (e != ERR_OK)
        return e;
    e = db_step(q, &row);
    if (e == ERR_OK)
        *out = row ? db_int(q, 0) : 0;
    else
        e = diag_fail(d, e, "the spool: %s", db_error(db));
    db_finalize(q);
    return e;
}

// The format stands in two places, so that a changed byte is not taken for a newer program's work.
static enum err check_format(struct db *db, bool *stated, struct diag *d)
{
    int64_t version = 0, format = 0;
    enum err e = read_number(db, "PRAGMA user_version", &version, d);
    *stated = version != 0;
    if (e != ERR_OK || version == 0 || version == SPOOL_FORMAT)
        return e;
    e = read_number(db, "SELECT format FROM meta", &format, d);
    if (e == ERR_OK && format == version)
        return diag_fail(d, ERR_UNSUPPORTED, "the spool is of format %lld, this program reads %d",
                         (long long)version, SPOOL_FORMAT);
    return diag_fail(d, ERR_CORRUPT, "the spool's format is not as it was written");
}

enum err spool_tables_create(struct db *db, struct diag *d)
{
    bool stated = false;
    enum err e = check_format(db, &stated, d);
    for (size_t i = 0; e == ERR_OK && i < TABLES; i++) {
        char define[DEFINE_MAX];
        snprintf(define, sizeof define, "CREATE TABLE IF NOT EXISTS %s", tables[i]);
        e = db_exec(db, define, d);
    }
    if (e == ERR_OK && !stated) // it writes even what is there, and a full disk is no reason not to open
        e = db_exec(db, "PRAGMA user_version=" SPOOL_FORMAT_TEXT, d);
    return e == ERR_OK ? check_tables(db, d) : e;
}

enum err spool_tables_prepare(struct spool_tables *t, struct db *db, struct diag *d)
{
    *t = (struct spool_tables){.db = db};
    // Pages are read once and in order: a small cache does as well, and an agent should not be noticed.
    enum err e = db_exec(db, "PRAGMA cache_size=-128", d);
    for (size_t i = 0; e == ERR_OK && i < SPOOL_SQL_COUNT; i++)
        e = db_prepare(db, statements[i], &t->sql[i], d);
    if (e != ERR_OK)
        spool_tables_finalize(t);
    return e;
}

void spool_tables_finalize(struct spool_tables *t)
{
    for (size_t i = 0; i < SPOOL_SQL_COUNT; i++) {
        db_finalize(t->sql[i]);
        t->sql[i] = NULL;
    }
}
