// Kept apart from the files it speaks of, and written after them: a cursor that is too old costs a replay,
// one that is too new would hide a hole. A damaged cursor is set aside and everything is rebuilt: it holds
// nothing that is not in the ledger.
#include "collector/rrd_cursor.h"
#include "base/fs.h"
#include "store/db.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct rrd_cursor {
    struct db *db;
    struct db_stmt *put, *meta;
    char boot_id[37];
    _Atomic int64_t *mark; // one page of RRD_MARK_FILE; NULL when it could not be mapped
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS meta(id INTEGER PRIMARY KEY CHECK(id = 1), position INTEGER NOT NULL,"
    " chain BLOB NOT NULL, boot_id TEXT NOT NULL, clean INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS series(series_id INTEGER PRIMARY KEY, newest INTEGER, dirty INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL);";

// ---- the mark -----------------------------------------------------------------------------------
static void open_mark(struct rrd_cursor *c, const char *state)
{
    char path[512];
    if (fs_join(path, sizeof path, state, RRD_MARK_FILE) != ERR_OK)
        return;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return;
    if (ftruncate(fd, (off_t)sizeof *c->mark) == 0) {
        void *p = mmap(NULL, sizeof *c->mark, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        c->mark = p == MAP_FAILED ? NULL : p;
    }
    close(fd);
}

void rrd_cursor_mark(struct rrd_cursor *c, int64_t series_id)
{
    if (c->mark)
        atomic_store(c->mark, series_id);
}

// ---- opening ------------------------------------------------------------------------------------
static enum err prepare(struct rrd_cursor *c, const char *path, struct diag *d)
{
    enum err e = db_open_writer(path, &c->db, d);
    if (e == ERR_OK)
        e = db_exec(c->db, schema, d);
    if (e == ERR_OK)
        e = db_prepare(c->db, "INSERT OR REPLACE INTO series VALUES(?1,?2,?3,?4)", &c->put, d);
    if (e == ERR_OK)
        e = db_prepare(c->db, "INSERT OR REPLACE INTO meta VALUES(1,?1,?2,?3,?4)", &c->meta, d);
    return e;
}

static void unprepare(struct rrd_cursor *c)
{
    db_finalize(c->put);
    db_finalize(c->meta);
    db_close(c->db);
    c->put = c->meta = NULL;
    c->db = NULL;
}

static void set_aside(const char *path)
{
    static const char *const suffix[] = {"", "-wal", "-shm"};
    char from[600], to[620];
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        snprintf(from, sizeof from, "%s%s", path, suffix[i]);
        snprintf(to, sizeof to, "%s.damaged", from);
        if (rename(from, to) != 0)
            (void)unlink(from);
    }
}

static enum err read_meta(struct rrd_cursor *c, struct rrd_cursor_state *s, struct diag *d)
{
    struct db_stmt *q;
    bool row = false;
    enum err e = db_prepare(c->db, "SELECT position, chain, boot_id, clean FROM meta WHERE id = 1", &q, d);
    if (e != ERR_OK)
        return e;
    e = db_step(q, &row);
    s->fresh = !row;
    if (e == ERR_OK && row) {
        size_t len;
        const void *chain = db_blob(q, 1, &len);
        if (len == HASH_BYTES)
            memcpy(s->chain, chain, HASH_BYTES);
        else
            s->fresh = true;
        s->position = (uint64_t)db_int(q, 0);
        s->other_boot = strcmp(db_text(q, 2), c->boot_id) != 0;
        s->clean = db_int(q, 3) != 0;
    }
    db_finalize(q);
    return e == ERR_OK ? e : diag_fail(d, e, "%s can't be read", RRD_CURSOR_FILE);
}

enum err rrd_cursor_open(const char *state, struct rrd_cursor **out, struct rrd_cursor_state *stored,
                         struct diag *d)
{
    char path[512];
    struct rrd_cursor_state s = {0};
    enum err e = fs_join(path, sizeof path, state, RRD_CURSOR_FILE);
    if (e != ERR_OK)
        return diag_fail(d, e, "the state folder's path is too long");
    struct rrd_cursor *c = calloc(1, sizeof *c);
    if (!c)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    if ((e = fs_boot_id(c->boot_id, d)) != ERR_OK)
        goto out;
    e = prepare(c, path, d);
    if (e == ERR_OK)
        e = read_meta(c, &s, d);
    if (e == ERR_CORRUPT) {
        unprepare(c);
        set_aside(path);
        s = (struct rrd_cursor_state){0};
        e = prepare(c, path, d);
        s.fresh = true;
    }
    if (e != ERR_OK)
        goto out;
    open_mark(c, state);
    s.interrupted = c->mark && !s.other_boot ? atomic_load(c->mark) : 0;
    *stored = s;
    *out = c;
    return ERR_OK;
out:
    rrd_cursor_close(c);
    return e;
}

void rrd_cursor_close(struct rrd_cursor *c)
{
    if (!c)
        return;
    unprepare(c);
    if (c->mark)
        munmap((void *)c->mark, sizeof *c->mark);
    free(c);
}

// ---- reading and writing ------------------------------------------------------------------------
enum err rrd_cursor_series(struct rrd_cursor *c, rrd_cursor_visit visit, void *ctx, struct diag *d)
{
    struct db_stmt *q;
    bool row;
    enum err e = db_prepare(c->db, "SELECT series_id, newest, dirty, mtime_ns FROM series", &q, d);
    if (e != ERR_OK)
        return e;
    while ((e = db_step(q, &row)) == ERR_OK && row) {
        struct rrd_cursor_series s = {.series_id = db_int(q, 0),
                                      .newest = db_is_null(q, 1) ? RRD_TIME_NONE : db_int(q, 1),
                                      .dirty = db_int(q, 2) != 0,
                                      .mtime_ns = db_int(q, 3)};
        if ((e = visit(ctx, &s)) != ERR_OK)
            break;
    }
    db_finalize(q);
    return e == ERR_OK ? e : diag_fail(d, e, "%s can't be read", RRD_CURSOR_FILE);
}

static enum err peek(struct db *db, uint64_t *position, uint64_t *dirty, struct diag *d)
{
    struct db_stmt *q;
    bool row = false;
    enum err e =
        db_prepare(db, "SELECT position, (SELECT count(*) FROM series WHERE dirty) FROM meta", &q, d);
    if (e != ERR_OK)
        return e;
    e = db_step(q, &row);
    *position = e == ERR_OK && row ? (uint64_t)db_int(q, 0) : 0;
    *dirty = e == ERR_OK && row ? (uint64_t)db_int(q, 1) : 0;
    db_finalize(q);
    return e;
}

enum err rrd_cursor_peek(const char *state, uint64_t *position, uint64_t *dirty, struct diag *d)
{
    char path[512];
    struct db *db;
    enum err e = fs_join(path, sizeof path, state, RRD_CURSOR_FILE);
    if (e != ERR_OK || (e = db_open_reader(path, &db, d)) != ERR_OK)
        return e;
    e = peek(db, position, dirty, d);
    db_close(db);
    return e;
}

enum err rrd_cursor_begin(struct rrd_cursor *c, struct diag *d)
{
    return db_begin(c->db, d);
}

enum err rrd_cursor_put(struct rrd_cursor *c, const struct rrd_cursor_series *s)
{
    db_bind_int(c->put, 1, s->series_id);
    if (s->newest == RRD_TIME_NONE)
        db_bind_null(c->put, 2);
    else
        db_bind_int(c->put, 2, s->newest);
    db_bind_int(c->put, 3, s->dirty);
    db_bind_int(c->put, 4, s->mtime_ns);
    return db_run(c->put);
}

enum err rrd_cursor_forget(struct rrd_cursor *c)
{
    return db_exec(c->db, "DELETE FROM series", NULL);
}

enum err rrd_cursor_commit(struct rrd_cursor *c, uint64_t position, const uint8_t chain[HASH_BYTES],
                           bool clean, struct diag *d)
{
    db_bind_int(c->meta, 1, (int64_t)position);
    db_bind_blob(c->meta, 2, chain, HASH_BYTES);
    db_bind_text(c->meta, 3, c->boot_id);
    db_bind_int(c->meta, 4, clean);
    enum err e = db_run(c->meta);
    return e == ERR_OK ? db_commit(c->db, d) : diag_fail(d, e, "%s can't be written", RRD_CURSOR_FILE);
}

void rrd_cursor_rollback(struct rrd_cursor *c)
{
    db_rollback(c->db);
}
