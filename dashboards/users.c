// One connection for the whole process behind a lock: a look-up takes some twenty microseconds, and a session
// that was ended by a command must be over with the next request, so nothing of the file is kept in memory.
// That a session was used is written at most once a minute.

#include "dashboards/users.h"
#include "base/fs.h"
#include "store/db.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "users.sqlite"
#define TOUCH_S   60

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS user(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, scope TEXT NOT NULL,"
    " password TEXT NOT NULL, created_s INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS session(hash BLOB PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user(id)"
    " ON DELETE CASCADE, created_s INTEGER NOT NULL, used_s INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS session_user ON session(user_id);"
    "CREATE TABLE IF NOT EXISTS token(name TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, scope TEXT NOT NULL,"
    " created_s INTEGER NOT NULL, expires_s INTEGER NOT NULL) WITHOUT ROWID";

#define STATEMENTS(X)                                                                                        \
    X(COUNT, "SELECT count(*) FROM user")                                                                    \
    X(ADD, "INSERT INTO user(name, scope, password, created_s) VALUES (?1, ?2, ?3, ?4)")                     \
    X(SET_PASSWORD, "UPDATE user SET password = ?2 WHERE name = ?1")                                         \
    X(END_ALL, "DELETE FROM session WHERE user_id = (SELECT id FROM user WHERE name = ?1)")                  \
    X(REMOVE, "DELETE FROM user WHERE name = ?1")                                                            \
    X(PASSWORD, "SELECT password FROM user WHERE name = ?1")                                                 \
    X(LIST, "SELECT name, scope, created_s, 0, (SELECT count(*) FROM session WHERE user_id = user.id)"       \
            " FROM user ORDER BY name")                                                                      \
    X(EXPIRE, "DELETE FROM session WHERE created_s <= ?1 OR used_s <= ?2")                                   \
    X(BEGIN, "INSERT INTO session(hash, user_id, created_s, used_s)"                                         \
             " SELECT ?1, id, ?3, ?3 FROM user WHERE name = ?2 AND password = ?4")                           \
    X(CROWD, "DELETE FROM session WHERE hash IN (SELECT hash FROM session WHERE user_id ="                   \
             " (SELECT id FROM user WHERE name = ?1) ORDER BY created_s DESC, hash LIMIT -1 OFFSET ?2)")     \
    X(FIND, "SELECT name, scope, session.created_s, used_s FROM session JOIN user ON user.id = user_id"      \
            " WHERE hash = ?1")                                                                              \
    X(TOUCH, "UPDATE session SET used_s = ?2 WHERE hash = ?1")                                               \
    X(END, "DELETE FROM session WHERE hash = ?1")                                                            \
    X(TOKEN_ADD, "INSERT INTO token(name, hash, scope, created_s, expires_s) VALUES (?1, ?2, ?3, ?4, ?5)")   \
    X(TOKEN_REMOVE, "DELETE FROM token WHERE name = ?1")                                                     \
    X(TOKEN_FIND, "SELECT name, scope, expires_s FROM token WHERE hash = ?1")                                \
    X(TOKEN_LIST, "SELECT name, scope, created_s, expires_s, 0 FROM token ORDER BY name")

enum statement_id {
#define X(id, sql) DO_##id,
    STATEMENTS(X)
#undef X
        DO_COUNT_OF
};
static const char *const sqls[] = {
#define X(id, sql) sql,
    STATEMENTS(X)
#undef X
};

struct users {
    pthread_mutex_t lock;
    char path[4096];
    dev_t device; // what path meant when it was opened
    ino_t inode;
    struct db *db;
    struct db_stmt *at[DO_COUNT_OF];
};

// ---- opening
// ------------------------------------------------------------------------------------------------------------
static enum err check_private(const char *path, bool create, struct diag *d)
{
    struct stat st;
    if (stat(path, &st))
        return create ? ERR_OK : diag_fail(d, ERR_NOT_FOUND, "%s: there are no users yet", path);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return diag_fail(d, ERR_DENIED, "%s: others can read or change it (mode %04o): chmod 600 %s", path,
                         (unsigned)st.st_mode & 07777u, path);
    return ERR_OK;
}

// What root makes belongs to the folder's owner, as whom the dashboard runs.
static enum err adopt(const char *folder, const char *path, struct diag *d)
{
    struct stat st;
    if (geteuid() != 0)
        return ERR_OK;
    if (stat(folder, &st) || chown(path, st.st_uid, st.st_gid))
        return diag_errno(d, errno, "%s: cannot be given to the owner of its folder", path);
    return ERR_OK;
}

static enum err prepare(struct users *u, struct diag *d)
{
    enum err e = db_exec(u->db, schema, d);
    for (int i = 0; i < DO_COUNT_OF && !e; i++)
        e = db_prepare(u->db, sqls[i], &u->at[i], d);
    return e;
}

static enum err remember_file(struct users *u, const char *path, struct diag *d)
{
    struct stat st;
    if (stat(path, &st))
        return diag_errno(d, errno, "%s", path);
    snprintf(u->path, sizeof u->path, "%s", path);
    u->device = st.st_dev;
    u->inode = st.st_ino;
    return ERR_OK;
}

// A file that was removed or replaced is still read through the open connection: whoever is taken out of the
// new one would stay in. So nobody gets in until this program has been started again.
static enum err check_file(const struct users *u, struct diag *d)
{
    struct stat st;
    bool same = stat(u->path, &st) == 0 && st.st_dev == u->device && st.st_ino == u->inode;
    return same ? ERR_OK
                : diag_fail(d, ERR_CLOSED, "%s was removed or replaced: start esep-dashboard again", u->path);
}

enum err users_open(const char *folder, bool create, struct users **out, struct diag *d)
{
    char path[sizeof((struct users *)NULL)->path];
    enum err e = create ? fs_make_dirs(folder, 0700, d) : ERR_OK;
    if (!e && fs_join(path, sizeof path, folder, FILE_NAME))
        e = diag_fail(d, ERR_TOO_BIG, "%s: the folder's name is too long", folder);
    if (!e)
        e = check_private(path, create, d);
    if (e)
        return e;
    struct users *u = calloc(1, sizeof *u);
    if (!u)
        return diag_fail(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    pthread_mutex_init(&u->lock, NULL);
    e = db_open_private(path, &u->db, d);
    if (!e && create)
        e = adopt(folder, path, d);
    if (!e)
        e = prepare(u, d);
    if (!e)
        e = remember_file(u, path, d);
    if (e)
        users_close(u);
    else
        *out = u;
    return e;
}

void users_close(struct users *u)
{
    if (!u)
        return;
    for (int i = 0; i < DO_COUNT_OF; i++)
        db_finalize(u->at[i]);
    if (u->db)
        db_close(u->db);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

bool users_name_valid(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@";
    size_t len = strlen(name);
    return len > 0 && len <= ACCESS_NAME_MAX && strspn(name, allowed) == len && *name != '-';
}

// ---- changing
// -----------------------------------------------------------------------------------------------------------
static void hash_secret(const uint8_t secret[USERS_SECRET_BYTES], uint8_t hash[HASH_BYTES])
{
    crypto_digest(&(struct hash_part){secret, USERS_SECRET_BYTES}, 1, hash);
}

static enum err failed(struct users *u, enum err e, struct diag *d)
{
    return diag_fail(d, e, "the users' file: %s", db_error(u->db));
}

// Runs a statement that must change something; NOT_FOUND when it did not.
static enum err change(struct users *u, enum statement_id id, struct diag *d)
{
    enum err e = db_run(u->at[id]);
    if (e)
        return failed(u, e, d);
    return db_changes(u->db) > 0 ? ERR_OK : diag_fail(d, ERR_NOT_FOUND, "there is none of that name");
}

// With the lock held.
static enum err finish(struct users *u, enum err e, struct diag *d)
{
    if (e)
        db_rollback(u->db);
    else
        e = db_commit(u->db, d);
    return e;
}

enum err users_count(struct users *u, int64_t *out, struct diag *d)
{
    bool row = false;
    pthread_mutex_lock(&u->lock);
    enum err e = db_step(u->at[DO_COUNT], &row);
    if (!e && row)
        *out = db_int(u->at[DO_COUNT], 0);
    db_reset(u->at[DO_COUNT]);
    if (e)
        e = failed(u, e, d);
    pthread_mutex_unlock(&u->lock);
    return e;
}

enum err users_add(struct users *u, const char *name, const struct scope *s, const char *hash, int64_t now_s,
                   struct diag *d)
{
    char scope[SCOPE_TEXT];
    scope_text(s, scope);
    pthread_mutex_lock(&u->lock);
    struct db_stmt *add = u->at[DO_ADD];
    db_bind_text(add, 1, name);
    db_bind_text(add, 2, scope);
    db_bind_text(add, 3, hash);
    db_bind_int(add, 4, now_s);
    enum err e = change(u, DO_ADD, d);
    if (e == ERR_CONFLICT)
        e = diag_fail(d, ERR_EXISTS, "there is a user %s already", name);
    pthread_mutex_unlock(&u->lock);
    return e;
}

enum err users_set_password(struct users *u, const char *name, const char *hash, struct diag *d)
{
    pthread_mutex_lock(&u->lock);
    enum err e = db_begin(u->db, d);
    if (!e) {
        db_bind_text(u->at[DO_SET_PASSWORD], 1, name);
        db_bind_text(u->at[DO_SET_PASSWORD], 2, hash);
        e = change(u, DO_SET_PASSWORD, d);
        db_bind_text(u->at[DO_END_ALL], 1, name);
        if (!e)
            e = db_run(u->at[DO_END_ALL]);
        db_reset(u->at[DO_END_ALL]);
        e = finish(u, e, d);
    }
    pthread_mutex_unlock(&u->lock);
    return e;
}

static enum err remove_one(struct users *u, enum statement_id id, const char *name, struct diag *d)
{
    pthread_mutex_lock(&u->lock);
    db_bind_text(u->at[id], 1, name);
    enum err e = change(u, id, d);
    pthread_mutex_unlock(&u->lock);
    return e;
}

enum err users_remove(struct users *u, const char *name, struct diag *d)
{
    return remove_one(u, DO_REMOVE, name, d);
}

enum err users_token_remove(struct users *u, const char *name, struct diag *d)
{
    return remove_one(u, DO_TOKEN_REMOVE, name, d);
}

enum err users_password(struct users *u, const char *name, char out[PASSWORD_HASH_TEXT], struct diag *d)
{
    bool row = false;
    pthread_mutex_lock(&u->lock);
    struct db_stmt *s = u->at[DO_PASSWORD];
    db_bind_text(s, 1, name);
    enum err e = check_file(u, d);
    if (!e && (e = db_step(s, &row)) != ERR_OK)
        e = failed(u, e, d);
    if (!e && !row)
        e = ERR_NOT_FOUND;
    if (!e)
        snprintf(out, PASSWORD_HASH_TEXT, "%s", db_text(s, 0));
    db_reset(s);
    pthread_mutex_unlock(&u->lock);
    return e;
}

// ---- sessions
// -----------------------------------------------------------------------------------------------------------
static enum err expire(struct users *u, int64_t now_s)
{
    db_bind_int(u->at[DO_EXPIRE], 1, now_s - USERS_SESSION_S);
    db_bind_int(u->at[DO_EXPIRE], 2, now_s - USERS_IDLE_S);
    return db_run(u->at[DO_EXPIRE]);
}

static enum err insert_session(struct users *u, const char *name, const char *password, int64_t now_s,
                               const uint8_t hash[HASH_BYTES], struct diag *d)
{
    struct db_stmt *begin = u->at[DO_BEGIN], *crowd = u->at[DO_CROWD];
    db_bind_blob(begin, 1, hash, HASH_BYTES);
    db_bind_text(begin, 2, name);
    db_bind_int(begin, 3, now_s);
    db_bind_text(begin, 4, password);
    enum err e = change(u, DO_BEGIN, d);
    if (e)
        return e;
    db_bind_text(crowd, 1, name);
    db_bind_int(crowd, 2, USERS_SESSIONS_MAX);
    return db_run(crowd);
}

enum err users_session_begin(struct users *u, const char *name, const char *password, int64_t now_s,
                             uint8_t secret[USERS_SECRET_BYTES], struct diag *d)
{
    uint8_t hash[HASH_BYTES];
    crypto_random(secret, USERS_SECRET_BYTES);
    hash_secret(secret, hash);
    pthread_mutex_lock(&u->lock);
    enum err e = db_begin(u->db, d);
    if (!e) {
        e = expire(u, now_s);
        if (!e)
            e = insert_session(u, name, password, now_s, hash, d);
        e = finish(u, e, d);
    }
    pthread_mutex_unlock(&u->lock);
    return e;
}

static enum err take_viewer(struct db_stmt *s, enum viewer_kind kind, struct viewer *out)
{
    struct scope scope;
    if (scope_parse(db_text(s, 1), &scope))
        return ERR_CORRUPT;
    out->kind = kind;
    out->scope = scope;
    snprintf(out->name, sizeof out->name, "%s", db_text(s, 0));
    return ERR_OK;
}

static bool is_over(int64_t created_s, int64_t used_s, int64_t now_s)
{
    return now_s - created_s >= USERS_SESSION_S || now_s - used_s >= USERS_IDLE_S;
}

enum err users_session_find(struct users *u, const uint8_t secret[USERS_SECRET_BYTES], int64_t now_s,
                            struct viewer *out)
{
    uint8_t hash[HASH_BYTES];
    bool row = false;
    int64_t used_s = now_s;
    hash_secret(secret, hash);
    pthread_mutex_lock(&u->lock);
    struct db_stmt *s = u->at[DO_FIND];
    db_bind_blob(s, 1, hash, sizeof hash);
    enum err e = check_file(u, NULL);
    if (!e)
        e = db_step(s, &row);
    if (!e && row)
        used_s = db_int(s, 3);
    if (!e && (!row || is_over(db_int(s, 2), used_s, now_s)))
        e = ERR_NOT_FOUND;
    if (!e)
        e = take_viewer(s, VIEWER_SESSION, out);
    db_reset(s);
    if (!e && now_s - used_s >= TOUCH_S) { // that it could not be written ends the session sooner, no more
        db_bind_blob(u->at[DO_TOUCH], 1, hash, sizeof hash);
        db_bind_int(u->at[DO_TOUCH], 2, now_s);
        if (db_run(u->at[DO_TOUCH]))
            db_reset(u->at[DO_TOUCH]);
    }
    pthread_mutex_unlock(&u->lock);
    return e;
}

enum err users_session_end(struct users *u, const uint8_t secret[USERS_SECRET_BYTES])
{
    uint8_t hash[HASH_BYTES];
    hash_secret(secret, hash);
    pthread_mutex_lock(&u->lock);
    db_bind_blob(u->at[DO_END], 1, hash, sizeof hash);
    enum err e = change(u, DO_END, NULL);
    pthread_mutex_unlock(&u->lock);
    return e;
}

// ---- tokens
// -------------------------------------------------------------------------------------------------------------
enum err users_token_add(struct users *u, const char *name, const struct scope *s, int64_t now_s,
                         int64_t expires_s, uint8_t secret[USERS_SECRET_BYTES], struct diag *d)
{
    uint8_t hash[HASH_BYTES];
    char scope[SCOPE_TEXT];
    scope_text(s, scope);
    crypto_random(secret, USERS_SECRET_BYTES);
    hash_secret(secret, hash);
    pthread_mutex_lock(&u->lock);
    struct db_stmt *add = u->at[DO_TOKEN_ADD];
    db_bind_text(add, 1, name);
    db_bind_blob(add, 2, hash, sizeof hash);
    db_bind_text(add, 3, scope);
    db_bind_int(add, 4, now_s);
    db_bind_int(add, 5, expires_s);
    enum err e = change(u, DO_TOKEN_ADD, d);
    if (e == ERR_CONFLICT)
        e = diag_fail(d, ERR_EXISTS, "there is a token %s already", name);
    pthread_mutex_unlock(&u->lock);
    return e;
}

enum err users_token_find(struct users *u, const uint8_t secret[USERS_SECRET_BYTES], int64_t now_s,
                          struct viewer *out)
{
    uint8_t hash[HASH_BYTES];
    bool row = false;
    hash_secret(secret, hash);
    pthread_mutex_lock(&u->lock);
    struct db_stmt *s = u->at[DO_TOKEN_FIND];
    db_bind_blob(s, 1, hash, sizeof hash);
    enum err e = check_file(u, NULL);
    if (!e)
        e = db_step(s, &row);
    if (!e && (!row || db_int(s, 2) <= now_s))
        e = ERR_NOT_FOUND;
    if (!e)
        e = take_viewer(s, VIEWER_TOKEN, out);
    db_reset(s);
    pthread_mutex_unlock(&u->lock);
    return e;
}

// ---- lists
// --------------------------------------------------------------------------------------------------------------
static enum err list(struct users *u, enum statement_id id, users_visit visit, void *ctx, struct diag *d)
{
    bool row = true;
    enum err e = ERR_OK;
    pthread_mutex_lock(&u->lock);
    struct db_stmt *s = u->at[id];
    while (!e && row) {
        e = db_step(s, &row);
        const struct users_row r = {.name = row ? db_text(s, 0) : "",
                                    .scope = row ? db_text(s, 1) : "",
                                    .created_s = row ? db_int(s, 2) : 0,
                                    .ends_s = row ? db_int(s, 3) : 0,
                                    .sessions = row ? db_int(s, 4) : 0};
        if (!e && row)
            visit(ctx, &r);
    }
    db_reset(s);
    if (e)
        e = failed(u, e, d);
    pthread_mutex_unlock(&u->lock);
    return e;
}

enum err users_list(struct users *u, users_visit visit, void *ctx, struct diag *d)
{
    return list(u, DO_LIST, visit, ctx, d);
}

enum err users_token_list(struct users *u, users_visit visit, void *ctx, struct diag *d)
{
    return list(u, DO_TOKEN_LIST, visit, ctx, d);
}
