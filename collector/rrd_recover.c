// What the writer believes of the files when it starts, and how that is kept. The cursor is stored only after
// the files' file system has been synced, so on disk the files are never behind it. Four beginnings:
// - Neither cursor nor files: the ledger is read from its start.
// - Stopped cleanly, or only the process died: what the kernel holds is whole; rows after the cursor are read
//   again and found in the files. The one file that was being written when it died is rebuilt.
// - The machine died: files written since the cursor may be anything; their series are rebuilt.
// - The cursor is lost, or speaks of another ledger: every series is rebuilt.
#include "base/fs.h"
#include "base/log.h"
#include "collector/rrd_state.h"
#include "store/reader_keep.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum err rrd_mark_named(void *ctx, const struct ledger_series *info)
{
    struct rrd_writer *w = ctx;
    struct rrd_series *s;
    enum err e = rrd_find(w, info->series_id, &s);
    if (e != ERR_OK)
        return e;
    s->rebuild_after = (struct mono){0};
    return rrd_mark_dirty(w, s, w->mark_from, w->position);
}

// ---- storing ------------------------------------------------------------------------------------
static enum err put_series(struct rrd_writer *w)
{
    enum err e = w->forget ? rrd_cursor_forget(w->cursor) : ERR_OK;
    for (size_t i = 0; i < rrd_table_count(w->table) && e == ERR_OK; i++) {
        const struct rrd_series *s = rrd_table_at(w->table, i);
        struct rrd_cursor_series stored = {
            .series_id = s->series_id, .newest = s->newest, .dirty = s->dirty, .mtime_ns = s->mtime_ns};
        if (s->changed || w->forget)
            e = rrd_cursor_put(w->cursor, &stored);
    }
    return e;
}

enum err rrd_store(struct rrd_writer *w, bool clean, struct diag *d)
{
    enum err e = fs_sync_filesystem(w->state, d);
    if (e != ERR_OK || (e = rrd_cursor_begin(w->cursor, d)) != ERR_OK)
        return e;
    if ((e = put_series(w)) != ERR_OK ||
        (e = rrd_cursor_commit(w->cursor, w->position, w->chain, clean, d)) != ERR_OK) {
        rrd_cursor_rollback(w->cursor);
        return e;
    }
    for (size_t i = 0; i < rrd_table_count(w->table); i++) {
        struct rrd_series *s = rrd_table_at(w->table, i);
        s->changed = false;
        s->stored_dirty = s->dirty;
    }
    w->forget = false;
    w->changed = false;
    w->stored_position = w->position;
    w->stored_at = clock_mono(w->o.clock);
    return ERR_OK;
}

// ---- opening ------------------------------------------------------------------------------------
struct stored_ctx {
    struct rrd_writer *w;
    bool clean;
};

static enum err take_stored(void *ctx, const struct rrd_cursor_series *stored)
{
    struct stored_ctx *c = ctx;
    struct rrd_series *s;
    enum err e = rrd_find(c->w, stored->series_id, &s);
    if (e != ERR_OK)
        return e;
    s->newest = stored->newest;
    s->mtime_ns = c->clean ? stored->mtime_ns : 0;
    s->stored_dirty = stored->dirty;
    return stored->dirty ? rrd_mark_dirty(c->w, s, c->w->position, c->w->position) : ERR_OK;
}

static enum err mark_sample(void *ctx, const struct reader_sample *sample)
{
    struct rrd_writer *w = ctx;
    struct rrd_series *s;
    enum err e = rrd_find(w, sample->series->series_id, &s);
    return e == ERR_OK ? rrd_mark_dirty(w, s, w->mark_from, sample->position) : e;
}

static enum err mark_row(void *ctx, const struct reader_row *row)
{
    struct rrd_writer *w = ctx;
    enum err e = ERR_OK;
    e = reader_samples(w->o.reader, row, mark_sample, w, NULL);
    if (e != ERR_OK && e != ERR_CORRUPT)
        return e;
    w->position = row->position;
    memcpy(w->chain, row->chain, HASH_BYTES);
    return ERR_OK;
}

static enum err mark_since_cursor(struct rrd_writer *w, struct diag *d)
{
    uint64_t before, last;
    w->mark_from = w->position + 1;
    do {
        before = w->position;
        enum err e = reader_rows(w->o.reader, before, RRD_WRITER_ROWS_MAX, mark_row, w, &last, d);
        if (e != ERR_OK)
            return e;
    } while (w->position != before);
    return ERR_OK;
}

static enum err note_chain(void *ctx, const struct reader_row *row)
{
    memcpy(ctx, row->chain, HASH_BYTES);
    return ERR_OK;
}

static enum err chain_at(struct rrd_writer *w, uint64_t position, uint8_t chain[HASH_BYTES], struct diag *d)
{
    uint64_t last;
    memset(chain, 0, HASH_BYTES);
    return position ? reader_rows(w->o.reader, position - 1, 1, note_chain, chain, &last, d) : ERR_OK;
}

static enum err start_over(struct rrd_writer *w, uint64_t head, const char *why, struct diag *d)
{
    w->position = head;
    w->forget = true;
    w->mark_from = 1;
    enum err e = chain_at(w, head, w->chain, d);
    if (e != ERR_OK || head == 0)
        return e;
    e = reader_series_list(w->o.reader, "", rrd_mark_named, w, d);
    if (e == ERR_OK)
        log_warn("rrd_rebuild_all", F_TEXT("reason", why), F_INT("series", w->dirty.count));
    return e;
}

static enum err resume(struct rrd_writer *w, const struct rrd_cursor_state *st, struct diag *d)
{
    struct stored_ctx ctx = {.w = w, .clean = st->clean};
    struct rrd_series *s;
    enum err e = rrd_cursor_series(w->cursor, take_stored, &ctx, d);
    if (e != ERR_OK || st->clean)
        return e;
    if (st->other_boot) {
        e = mark_since_cursor(w, d);
        log_warn("rrd_after_machine_crash", F_INT("series", w->dirty.count));
        return e;
    }
    if (st->interrupted == 0)
        return ERR_OK;
    e = rrd_find(w, st->interrupted, &s);
    return e == ERR_OK ? rrd_mark_dirty(w, s, w->position + 1, w->position) : e;
}

// Whether the stored cursor speaks of this ledger; its row may have been dropped since.
static enum err is_ours(struct rrd_writer *w, const struct rrd_cursor_state *st, bool *ours, struct diag *d)
{
    struct wire_receipt cursor = {.position = st->position};
    struct reader_receipt_found found = {0};
    memcpy(cursor.chain, st->chain, HASH_BYTES);
    *ours = true;
    if (st->position == 0)
        return ERR_OK;
    enum err e = reader_find_receipt(w->o.reader, &cursor, &found, d);
    *ours = found.state == RECEIPT_PRESENT || found.state == RECEIPT_SEALED;
    return e;
}

static enum err decide(struct rrd_writer *w, const struct rrd_cursor_state *st, struct diag *d)
{
    uint64_t head;
    int64_t received_us;
    struct ledger_kept kept;
    bool ours = false;
    enum err e = reader_head(w->o.reader, &head, &received_us, d);
    if (e != ERR_OK || (e = reader_kept(w->o.reader, &kept, d)) != ERR_OK ||
        (e = is_ours(w, st, &ours, d)) != ERR_OK)
        return e;
    w->position = st->position;
    w->replay_to = head;
    memcpy(w->chain, st->chain, HASH_BYTES);
    // Nothing to doubt: the ledger is read from its start, if that is still there.
    if (st->fresh && !w->had_files && kept.rolled_until_s == 0) {
        w->forget = true;
        return ERR_OK;
    }
    if (st->fresh)
        return start_over(w, head, "there is no cursor", d);
    if (!ours)
        return start_over(w, head, "the cursor speaks of another ledger", d);
    return resume(w, st, d);
}

static bool has_entries(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry = NULL;
    if (!dir)
        return false;
    while ((entry = readdir(dir)) && entry->d_name[0] == '.')
        ;
    closedir(dir);
    return entry != NULL;
}

static enum err make_folder(struct rrd_writer *w, struct diag *d)
{
    char path[RRD_PATH_MAX];
    enum err e = fs_join(path, sizeof path, w->state, RRD_FOLDER);
    w->had_files = e == ERR_OK && has_entries(path);
    return e == ERR_OK ? fs_make_dirs(path, 02750, d)
                       : diag_fail(d, e, "the state folder's path is too long");
}

enum err rrd_writer_open(const struct rrd_writer_options *o, struct rrd_writer **out, struct diag *d)
{
    struct rrd_cursor_state st;
    struct rrd_writer *w = calloc(1, sizeof *w);
    if (!w)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    w->o = *o;
    w->state = strdup(o->state);
    enum err e = w->state ? rrd_table_create(&w->table) : ERR_NOMEM;
    if (e == ERR_OK)
        e = make_folder(w, d);
    if (e == ERR_OK)
        e = rrd_cursor_open(o->state, &w->cursor, &st, d);
    if (e == ERR_OK)
        e = decide(w, &st, d);
    if (e == ERR_OK) // from now on a stop that is not a clean one shows
        e = rrd_store(w, false, d);
    if (e != ERR_OK) {
        rrd_writer_close(w);
        return e;
    }
    rrd_cursor_mark(w->cursor, 0);
    *out = w;
    return ERR_OK;
}

enum err rrd_writer_stop(struct rrd_writer *w, bool clean, struct diag *d)
{
    return rrd_store(w, clean, d);
}

void rrd_writer_close(struct rrd_writer *w)
{
    if (!w)
        return;
    rrd_cursor_close(w->cursor);
    rrd_table_destroy(w->table);
    free(w->touched.items);
    free(w->dirty.items);
    free(w->state);
    free(w);
}
