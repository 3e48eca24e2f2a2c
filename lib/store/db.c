// One way to open SQLite, so that what it promises about disks is on everywhere and every reply is looked at.
// Two things it does not report: the folder is synced by our own checked fsync (its own ignores EIO), and the
// write-ahead log that a crash left is written over itself and synced before it is read, so that a row which
// was only in the page cache is never taken for a durable one. Checkpoints are run here after a commit, not
// by SQLite's hook, which throws their errors away: a failed sync is remembered and ends all writing, because
// the next sync of that file may falsely succeed.
#include "store/db.h"
#include "base/clock.h"
#include "store/db_files.h"
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_TIMEOUT_MS   5000
#define BUSY_RETRY_MS     10
#define FILE_MODE         0640
#define WAL_PASSIVE_PAGES 4096  // 16 MiB: copy what readers allow
#define WAL_RESTART_PAGES 32768 // 128 MiB: wait for the readers, so that the log cannot grow without end
#define WAL_KEEP_BYTES    "33554432"
#define ERROR_TEXT_MAX    300

struct db {
    sqlite3 *handle;
    char *path;
    char *wal_path;
    bool writer;
    enum err lost; // set once a sync or write failed: no transaction is begun afterwards
    int wal_pages;
    int next_checkpoint_pages;
    struct db_stmt *begin, *commit, *rollback;
    char error[ERROR_TEXT_MAX];
};

struct db_stmt {
    struct db *db;
    sqlite3_stmt *handle;
    int bind_result;
};

// A write that found no room is no damage; a sync that found none has lost what it was to sync.
static enum err map_ioerr(int code, int system_errno)
{
    bool sync = code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
    if (code == SQLITE_IOERR_NOMEM)
        return ERR_NOMEM;
    if (code == SQLITE_IOERR_CORRUPTFS || code == SQLITE_IOERR_DATA)
        return ERR_CORRUPT;
    bool room = system_errno != ENOSPC && system_errno != EDQUOT && code != SQLITE_IOERR_SHMSIZE; // no errno
    return sync || room ? ERR_IO : ERR_FULL;
}

static enum err map_result(int code, int system_errno)
{
    static const struct {
        int code;
        enum err e;
    } map[] = {{SQLITE_NOMEM, ERR_NOMEM},         {SQLITE_FULL, ERR_FULL},       {SQLITE_BUSY, ERR_AGAIN},
               {SQLITE_LOCKED, ERR_AGAIN},        {SQLITE_INTERRUPT, ERR_AGAIN}, {SQLITE_PROTOCOL, ERR_AGAIN},
               {SQLITE_SCHEMA, ERR_AGAIN},        {SQLITE_CORRUPT, ERR_CORRUPT}, {SQLITE_NOTADB, ERR_CORRUPT},
               {SQLITE_CONSTRAINT, ERR_CONFLICT}, {SQLITE_TOOBIG, ERR_TOO_BIG},  {SQLITE_PERM, ERR_DENIED},
               {SQLITE_AUTH, ERR_DENIED},         {SQLITE_READONLY, ERR_DENIED}};
    const int kind = code & 0xff;
    if (kind == SQLITE_OK || kind == SQLITE_ROW || kind == SQLITE_DONE)
        return ERR_OK;
    if (kind == SQLITE_IOERR)
        return map_ioerr(code, system_errno);
    if (kind == SQLITE_CANTOPEN)
        return system_errno == ENOENT ? ERR_NOT_FOUND : system_errno == EACCES ? ERR_DENIED : ERR_IO;
    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        if (map[i].code == kind)
            return map[i].e;
    return ERR_INTERNAL;
}

static enum err note_result(struct db *db, int code)
{
    enum err e = map_result(code, db->handle ? sqlite3_system_errno(db->handle) : 0);
    if (e == ERR_OK)
        return ERR_OK;
    const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);
    snprintf(db->error, sizeof db->error, "%s (%d)", text, code);
    if (e == ERR_IO && db->writer)
        db->lost = ERR_IO;
    return e;
}

static enum err fail(struct db *db, enum err e, const char *what, struct diag *d)
{
    if (e == ERR_OK) // a code that is no failure where one was expected
        e = ERR_INTERNAL;
    return diag_fail(d, e, "%s: %s: %s", db->path, what, db->error);
}

const char *db_error(const struct db *db)
{
    return db ? db->error : "not open";
}

// ---- opening ----

static int on_wal_commit(void *ctx, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = ctx;
    (void)handle;
    (void)name;
    db->wal_pages = pages;
    return SQLITE_OK;
}

static enum err allocate(const char *path, bool writer, struct db **out)
{
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return ERR_NOMEM;
    db->writer = writer;
    db->next_checkpoint_pages = WAL_PASSIVE_PAGES;
    db->path = strdup(path);
    if (asprintf(&db->wal_path, "%s-wal", path) < 0)
        db->wal_path = NULL;
    if (!db->path || !db->wal_path) {
        db_close(db);
        return ERR_NOMEM;
    }
    *out = db;
    return ERR_OK;
}

// Nobody asks how much memory SQLite uses, and counting costs a lock at every allocation.
static void stop_counting(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum err open_handle(struct db *db, int flags, struct diag *d)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, stop_counting);
    int rc =
        sqlite3_open_v2(db->path, &db->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc != SQLITE_OK)
        return fail(db, note_result(db, rc), "cannot open", d);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    return ERR_OK;
}

static enum err prepare_transaction(struct db *db, struct diag *d)
{
    enum err e = db_prepare(db, db->writer ? "BEGIN IMMEDIATE" : "BEGIN", &db->begin, d);
    if (e == ERR_OK)
        e = db_prepare(db, "COMMIT", &db->commit, d);
    if (e == ERR_OK)
        e = db_prepare(db, "ROLLBACK", &db->rollback, d);
    return e;
}

// The reply comes before the change is on disk: the end of the statement says whether it was.
static enum err use_wal(struct db *db, struct diag *d)
{
    struct db_stmt *s = NULL;
    char mode[16] = "";
    bool row = false;
    enum err e = db_prepare(db, "PRAGMA journal_mode=WAL", &s, d);
    if (e != ERR_OK)
        return e;
    if ((e = db_step(s, &row)) == ERR_OK && row) {
        snprintf(mode, sizeof mode, "%s", db_text(s, 0));
        e = db_step(s, &row);
    }
    if (e != ERR_OK)
        e = fail(db, e, "cannot switch to a write-ahead log", d);
    else if (strcmp(mode, "wal") != 0)
        e = diag_fail(d, ERR_UNSUPPORTED,
                      "%s: this file system can't hold a write-ahead log (journal mode '%s')", db->path,
                      mode);
    db_finalize(s);
    return e;
}

static enum err configure_writer(struct db *db, struct diag *d)
{
    int keep = 1;
    int rc = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    if (rc != SQLITE_OK)
        return fail(db, note_result(db, rc), "cannot keep the write-ahead log", d);
    enum err e = use_wal(db, d);
    if (e == ERR_OK)
        e = db_exec(db,
                    "PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                    "PRAGMA mmap_size=0; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=0;"
                    "PRAGMA journal_size_limit=" WAL_KEEP_BYTES,
                    d);
    sqlite3_wal_hook(db->handle, on_wal_commit, db);
    return e;
}

enum err db_open_writer(const char *path, struct db **out, struct diag *d)
{
    struct db *db = NULL;
    enum err e = allocate(path, true, &db);
    if (e != ERR_OK)
        return e;
    if ((e = db_file_create(path, FILE_MODE, d)) != ERR_OK ||
        (e = db_file_write_again(db->wal_path, d)) != ERR_OK)
        goto out;
    if ((e = open_handle(db, SQLITE_OPEN_READWRITE, d)) != ERR_OK || (e = configure_writer(db, d)) != ERR_OK)
        goto out;
    if ((e = db_checkpoint(db, true, d)) != ERR_OK)
        goto out;
    if ((e = prepare_transaction(db, d)) != ERR_OK)
        goto out;
    e = db_file_sync_folder(path, d);
out:
    if (e != ERR_OK)
        db_close(db);
    else
        *out = db;
    return e;
}

static enum err open_with(const char *path, bool writer, const char *pragmas, struct db **out, struct diag *d)
{
    struct db *db = NULL;
    enum err e = allocate(path, writer, &db);
    if (e == ERR_OK &&
        (e = open_handle(db, writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, d)) == ERR_OK &&
        (e = db_exec(db, pragmas, d)) == ERR_OK)
        e = prepare_transaction(db, d);
    if (e != ERR_OK)
        db_close(db);
    else
        *out = db;
    return e;
}

enum err db_open_private(const char *path, struct db **out, struct diag *d)
{
    static const char pragmas[] = "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA; PRAGMA mmap_size=0;"
                                  "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                                  "PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON";
    enum err e = db_file_create(path, 0600, d);
    return e == ERR_OK ? open_with(path, true, pragmas, out, d) : e;
}

enum err db_open_reader(const char *path, struct db **out, struct diag *d)
{
    static const char pragmas[] =
        "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
        "PRAGMA mmap_size=0";
    enum err e = db_file_readable(path, d);
    return e == ERR_OK ? open_with(path, false, pragmas, out, d) : e;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    // Closing checkpoints too, which must not sync again what failed to.
    if (db->lost != ERR_OK)
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    db_finalize(db->begin);
    db_finalize(db->commit);
    db_finalize(db->rollback);
    sqlite3_close_v2(db->handle);
    free(db->path);
    free(db->wal_path);
    free(db);
}

// ---- transactions ----

enum err db_exec(struct db *db, const char *sql, struct diag *d)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERR_OK : fail(db, note_result(db, rc), "statement failed", d);
}

static enum err refuse_lost(struct db *db, struct diag *d)
{
    return fail(db, db->lost, "not written or synced again after an input/output error", d);
}

enum err db_begin(struct db *db, struct diag *d)
{
    if (db->lost != ERR_OK)
        return refuse_lost(db, d);
    enum err e = db_run(db->begin);
    return e == ERR_OK ? ERR_OK : fail(db, e, "cannot begin a transaction", d);
}

// The commit stands whatever happens here; a failed sync shows at the next db_begin.
static void checkpoint_if_grown(struct db *db)
{
    if (db->wal_pages < db->next_checkpoint_pages)
        return;
    int mode = db->wal_pages < WAL_RESTART_PAGES ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART;
    int rc = sqlite3_wal_checkpoint_v2(db->handle, "main", mode, NULL, NULL);
    (void)note_result(db, rc);
    db->next_checkpoint_pages = db->wal_pages + WAL_PASSIVE_PAGES;
}

enum err db_commit(struct db *db, struct diag *d)
{
    enum err e = db->lost != ERR_OK ? db->lost : db_run(db->commit);
    if (e != ERR_OK) {
        (void)fail(db, e, "cannot commit", d);
        db_rollback(db);
        return e;
    }
    if (db->writer) {
        // After the log was begun anew its page count is small again, and so is the next mark.
        if (db->wal_pages < WAL_PASSIVE_PAGES)
            db->next_checkpoint_pages = WAL_PASSIVE_PAGES;
        checkpoint_if_grown(db);
    }
    return ERR_OK;
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle)) {
        char kept[ERROR_TEXT_MAX];
        memcpy(kept, db->error, sizeof kept);
        if (db_run(db->rollback) == ERR_OK)
            memcpy(db->error, kept, sizeof kept);
    }
}

// SQLite does not wait where another process holds the checkpoint lock, as a reader does that opens the file
// after a crash and recovers the log: one who looks at that moment must not keep the writer from starting.
static int checkpoint_waiting(struct db *db)
{
    struct mono begun = clock_mono(clock_system());
    for (;;) {
        int rc = sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        if ((rc & 0xff) != SQLITE_BUSY || mono_diff_ms(clock_mono(clock_system()), begun) >= BUSY_TIMEOUT_MS)
            return rc;
        sqlite3_sleep(BUSY_RETRY_MS);
    }
}

enum err db_checkpoint(struct db *db, bool truncate, struct diag *d)
{
    if (db->lost != ERR_OK)
        return refuse_lost(db, d);
    int rc = truncate ? checkpoint_waiting(db)
                      : sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc == SQLITE_BUSY && !truncate)
        return ERR_OK;
    if (rc != SQLITE_OK)
        return fail(db, note_result(db, rc), "cannot checkpoint", d);
    if (truncate)
        db->next_checkpoint_pages = WAL_PASSIVE_PAGES;
    return ERR_OK;
}

uint64_t db_wal_bytes(const struct db *db)
{
    struct stat st;
    return stat(db->wal_path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t db_last_id(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

// ---- statements ----

enum err db_prepare(struct db *db, const char *sql, struct db_stmt **out, struct diag *d)
{
    struct db_stmt *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->db = db;
    int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->handle, NULL);
    if (rc != SQLITE_OK) {
        free(s);
        return fail(db, note_result(db, rc), sql, d);
    }
    *out = s;
    return ERR_OK;
}

void db_finalize(struct db_stmt *s)
{
    if (!s)
        return;
    sqlite3_finalize(s->handle);
    free(s);
}

static void bound(struct db_stmt *s, int rc)
{
    if (rc != SQLITE_OK && s->bind_result == SQLITE_OK)
        s->bind_result = rc;
}

void db_bind_int(struct db_stmt *s, int i, int64_t v)
{
    bound(s, sqlite3_bind_int64(s->handle, i, v));
}

void db_bind_real(struct db_stmt *s, int i, double v)
{
    bound(s, sqlite3_bind_double(s->handle, i, v));
}

void db_bind_text(struct db_stmt *s, int i, const char *v)
{
    bound(s, sqlite3_bind_text(s->handle, i, v, -1, SQLITE_STATIC));
}

void db_bind_blob(struct db_stmt *s, int i, const void *v, size_t len)
{
    bound(s, sqlite3_bind_blob64(s->handle, i, v, len, SQLITE_STATIC));
}

void db_bind_null(struct db_stmt *s, int i)
{
    bound(s, sqlite3_bind_null(s->handle, i));
}

enum err db_step(struct db_stmt *s, bool *row)
{
    *row = false;
    if (s->db->lost != ERR_OK && !sqlite3_stmt_readonly(s->handle))
        return s->db->lost;
    int rc = s->bind_result != SQLITE_OK ? s->bind_result : sqlite3_step(s->handle);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
        *row = rc == SQLITE_ROW;
        return ERR_OK;
    }
    enum err e = note_result(s->db, rc);
    db_reset(s);
    return e;
}

enum err db_run(struct db_stmt *s)
{
    bool row = false;
    enum err e = db_step(s, &row);
    db_reset(s);
    return e == ERR_OK && row ? ERR_INTERNAL : e;
}

void db_reset(struct db_stmt *s)
{
    sqlite3_reset(s->handle);
    sqlite3_clear_bindings(s->handle);
    s->bind_result = SQLITE_OK;
}

int64_t db_int(struct db_stmt *s, int column)
{
    return sqlite3_column_int64(s->handle, column);
}

double db_real(struct db_stmt *s, int column)
{
    return sqlite3_column_double(s->handle, column);
}

const char *db_text(struct db_stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s->handle, column);
    return text ? (const char *)text : "";
}

const void *db_blob(struct db_stmt *s, int column, size_t *len)
{
    const void *blob = sqlite3_column_blob(s->handle, column);
    *len = blob ? (size_t)sqlite3_column_bytes(s->handle, column) : 0;
    return blob;
}

bool db_is_null(struct db_stmt *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}

bool db_is_integer(struct db_stmt *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_INTEGER;
}
