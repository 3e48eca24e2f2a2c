// Rebuilding reads what the observations know of the series, so it waits until the observer has seen every
// row that these files must show. Series that are due together are made together, so that the ledger is read
// once for hundreds of them. A reader sees the old file or the new one, never a half. A new file is on disk
// before it takes the old one's place, or the stored cursor says that it can't be trusted yet: then the next
// storing, which syncs everything, is soon enough. New files stand beside the old ones for a moment, so a
// group takes no more than half of the room that the disk has, and the series take turns: those that are
// corrected again and again do not keep the others waiting.
#include "base/fs.h"
#include "collector/rrd_make.h"
#include "collector/rrd_state.h"
#include "store/reader_keep.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DAY_S = 86400,
    GROUP_MAX = 256,      // files of 1.2 MB
    POINTS_MAX = 2000000, // of 48 bytes
    FEW = 8,              // files that are cheaper to sync one by one
    SLICE_MS = 200,
    RETRY_MS = 5000,
    COST_FACTOR = 10
};

// ---- in the old one's place
static enum err sync_file(const char *path, struct diag *d)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return diag_errno(d, errno, "%s", path);
    int failed = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return failed ? diag_errno(d, failed, "%s", path) : ERR_OK;
}

// A plain rename over a file makes ext4 write the new one out at once (auto_da_alloc), and all wait for the
// disk; where that is left to the next storing the two change places and the old one goes.
static int replace(const char *beside, const char *path, bool sync)
{
    if (!sync && renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
        return unlink(beside);
    return rename(beside, path); // the first one, or a file system that can't
}

static enum err put_in_place(const struct rrd_made *made, bool sync, struct diag *d)
{
    char beside[RRD_PATH_MAX + 8], folder[RRD_PATH_MAX];
    rrd_make_beside(made, beside);
    enum err e = sync ? sync_file(beside, d) : ERR_OK;
    if (e != ERR_OK)
        return e;
    if (replace(beside, made->path, sync) != 0)
        return diag_errno(d, errno, "%s", made->path);
    snprintf(folder, sizeof folder, "%s", made->path);
    *strrchr(folder, '/') = '\0';
    return sync ? fs_sync_dir(folder, d) : ERR_OK;
}

static void finished(struct rrd_writer *w, const struct rrd_made *made, uint64_t covered)
{
    struct rrd_series *s = made->series;
    if (made->begun) {
        s->newest = made->last;
        rrd_note_file(s, made->path);
    } else { // nothing accepted was ever said of it
        (void)unlink(made->path);
        s->newest = RRD_TIME_NONE;
        s->mtime_ns = 0;
        s->looked = s->changed = true;
    }
    s->dirty = false;
    s->covered = covered;
    w->changed = true;
    collector_count(w->o.counters, COUNTER_RRD_REBUILDS, 1);
    collector_count(w->o.counters, COUNTER_RRD_CELLS_FILLED, made->cells);
}

static void failed(struct rrd_writer *w, struct rrd_series *s, enum err e, const struct diag *d)
{
    s->rebuild_after = clock_mono(w->o.clock);
    s->rebuild_after.us += RETRY_MS * US_PER_MS;
    collector_count(w->o.counters, COUNTER_RRD_ERRORS, 1);
    rrd_complain(w, s, e, d->text);
}

// ---- a group
// The time of the last figure that was taken, where the clock is behind it: a wrong clock hides nothing.
static enum err time_of_now(const struct rrd_writer *w, int64_t *out_us, struct diag *d)
{
    uint64_t position;
    int64_t received_us = 0, now_us = clock_wall(w->o.clock).us;
    enum err e = reader_head(w->o.reader, &position, &received_us, d);
    *out_us = received_us > now_us ? received_us : now_us;
    return e;
}

static enum err read_group(struct rrd_writer *w, struct rrd_made *made, size_t count, struct diag *d)
{
    struct ledger_kept kept;
    int64_t now_us;
    enum err e = reader_kept(w->o.reader, &kept, d);
    if (e == ERR_OK)
        e = time_of_now(w, &now_us, d);
    if (e != ERR_OK)
        return e;
    const struct rrd_make m = {.observations = w->o.observations,
                               .reader = w->o.reader,
                               .made = made,
                               .count = count,
                               .points_max = w->points_max ? w->points_max : POINTS_MAX,
                               // beyond what is accepted as not in the future
                               .to_s = now_us / US_PER_S + 2 * DAY_S,
                               .rolled_s = kept.rolled_until_s};
    return rrd_make(&m, d);
}

static void forget_group(const struct rrd_made *made, size_t count)
{
    char beside[RRD_PATH_MAX + 8];
    for (size_t i = 0; i < count; i++) {
        rrd_make_beside(&made[i], beside);
        (void)unlink(beside);
    }
}

static void place_one(struct rrd_writer *w, const struct rrd_made *made, bool sync, uint64_t covered)
{
    struct diag d = {0};
    enum err e = made->begun ? put_in_place(made, sync, &d) : ERR_OK;
    if (e == ERR_OK) {
        finished(w, made, covered);
    } else {
        failed(w, made->series, e, &d);
        forget_group(made, 1);
    }
}

static bool all_stored_dirty(const struct rrd_made *made, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!made[i].series->stored_dirty)
            return false;
    return true;
}

static void place_group(struct rrd_writer *w, const struct rrd_made *made, size_t count, uint64_t covered)
{
    bool sync = !all_stored_dirty(made, count);
    for (size_t i = 0; i < count; i++)
        place_one(w, &made[i], sync, covered);
}

// The disk is full. What is complete takes its place, and the old files' room is there for the others.
static void place_written(struct rrd_writer *w, const struct rrd_made *made, size_t count, uint64_t covered,
                          const struct diag *why)
{
    bool sync = !all_stored_dirty(made, count);
    size_t written = 0;
    for (size_t i = 0; i < count; i++)
        if (!made[i].written)
            forget_group(&made[i], 1);
    for (size_t i = 0; i < count; i++) {
        if (made[i].written)
            place_one(w, &made[i], sync, covered);
        else
            failed(w, made[i].series, ERR_FULL, why);
        written += made[i].written;
    }
    w->group = written > 0 ? written : 1;
}

// By halves until they fit into memory, or the one at fault is alone.
static enum err rebuild_group(struct rrd_writer *w, struct rrd_made *made, size_t count, uint64_t covered,
                              struct diag *d)
{
    enum err e = read_group(w, made, count, d);
    if (e == ERR_OK) {
        place_group(w, made, count, covered);
        return e;
    }
    if (e == ERR_FULL) {
        place_written(w, made, count, covered, d);
        return ERR_OK;
    }
    forget_group(made, count);
    if (e == ERR_AGAIN)
        return e;
    if (count == 1) {
        failed(w, made[0].series, e, d);
        return ERR_OK;
    }
    w->group = count / 2;
    e = rebuild_group(w, made, count / 2, covered, d);
    return e != ERR_OK ? e : rebuild_group(w, made + count / 2, count - count / 2, covered, d);
}

static enum err rebuild_together(struct rrd_writer *w, struct rrd_series **list, size_t count,
                                 uint64_t covered, struct diag *d)
{
    struct rrd_made *made = calloc(count, sizeof *made);
    enum err e = made ? ERR_OK : diag_fail(d, ERR_NOMEM, "out of memory");
    struct mono begun = clock_mono(w->o.clock);
    bool stored = true;
    for (size_t i = 0; e == ERR_OK && i < count; i++) {
        made[i].series = list[i];
        stored = stored && list[i]->stored_dirty;
        e = rrd_path(w->state, list[i]->series_id, made[i].path);
    }
    if (e == ERR_OK && count > FEW && !stored) // from now on the cursor distrusts them
        e = rrd_store(w, false, d);
    if (e == ERR_OK)
        e = rebuild_group(w, made, count, covered, d);
    free(made);
    struct mono now = clock_mono(w->o.clock);
    int64_t pause_ms = COST_FACTOR * mono_diff_ms(now, begun) / (int64_t)count;
    for (size_t i = 0; e == ERR_OK && i < count; i++)
        if (!list[i]->dirty)
            list[i]->rebuild_after.us =
                now.us + (pause_ms > RRD_WRITER_REBUILD_MS ? pause_ms : RRD_WRITER_REBUILD_MS) * US_PER_MS;
    return e;
}

// ---- what is due
static int compare_turns(const struct rrd_turn *x, const struct rrd_turn *y)
{
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    if (x->agent_id != y->agent_id)
        return x->agent_id < y->agent_id ? -1 : 1;
    return x->series_id < y->series_id ? -1 : x->series_id > y->series_id;
}

static struct rrd_turn turn_of(const struct rrd_series *s)
{
    return (struct rrd_turn){s->info->class, s->info->agent_id, s->series_id};
}

static int together(const void *a, const void *b)
{
    const struct rrd_turn x = turn_of(*(struct rrd_series *const *)a),
                          y = turn_of(*(struct rrd_series *const *)b);
    return compare_turns(&x, &y);
}

static int by_number(const void *a, const void *b)
{
    const struct rrd_series *x = *(struct rrd_series *const *)a, *y = *(struct rrd_series *const *)b;
    return x->series_id < y->series_id ? -1 : x->series_id > y->series_id;
}

static bool is_due(struct rrd_writer *w, struct rrd_series *s, struct mono now, uint64_t covered)
{
    struct diag d = {0};
    if (s->rebuild_after.us > now.us || covered < s->needed || (covered == 0 && w->position > 0))
        return false;
    enum err e = rrd_know(w, s, &d);
    if (e == ERR_NOT_FOUND) // the cursor speaks of a series that this ledger never had
        s->dirty = false;
    else if (e != ERR_OK)
        failed(w, s, e, &d);
    return e == ERR_OK;
}

static size_t drop_clean(struct rrd_list *list)
{
    size_t kept = 0, before = list->count;
    for (size_t i = 0; i < before; i++)
        if (list->items[i]->dirty)
            list->items[kept++] = list->items[i];
    list->count = kept;
    return before - kept;
}

static uint64_t room_for_new(const struct rrd_writer *w)
{
    uint64_t bytes = 0;
    if (w->room_bytes > 0)
        return w->room_bytes;
    return fs_free_bytes(w->state, &bytes, NULL) == ERR_OK ? bytes / 2 : 0;
}

// How many from here on are made in one go.
static size_t group_at(const struct rrd_writer *w, const struct rrd_list *due, size_t at)
{
    const uint64_t room = room_for_new(w);
    uint64_t bytes = rrd_file_bytes(due->items[at]->info);
    size_t n = 1;
    while (at + n < due->count && n < w->group &&
           due->items[at + n]->info->class == due->items[at]->info->class &&
           (bytes += rrd_file_bytes(due->items[at + n]->info)) <= room)
        n++;
    return n;
}

// The first whose turn comes after the one that was last; they go round.
static size_t first_turn(const struct rrd_writer *w, const struct rrd_list *due)
{
    size_t at = 0;
    for (; at < due->count; at++) {
        const struct rrd_turn turn = turn_of(due->items[at]);
        if (compare_turns(&turn, &w->turn) > 0)
            return at;
    }
    return 0;
}

static enum err rebuild_list(struct rrd_writer *w, struct rrd_list *due, uint64_t covered, struct diag *d)
{
    enum err e = ERR_OK;
    struct mono begun = clock_mono(w->o.clock);
    size_t at = first_turn(w, due);
    for (size_t done = 0, n; e == ERR_OK && done < due->count; done += n) {
        n = group_at(w, due, at);
        if (n > due->count - done) // round once
            n = due->count - done;
        w->turn = turn_of(due->items[at + n - 1]);
        qsort(due->items + at, n, sizeof(*due->items), by_number);
        e = rebuild_together(w, due->items + at, n, covered, d);
        at = at + n < due->count ? at + n : 0;
        if (w->group < GROUP_MAX)
            w->group++; // a long history may have been alone
        if (mono_diff_ms(clock_mono(w->o.clock), begun) >= SLICE_MS)
            break;
    }
    return e;
}

enum err rrd_rebuild_due(struct rrd_writer *w, size_t *done, struct diag *d)
{
    struct rrd_list due = {0};
    struct mono now = clock_mono(w->o.clock);
    uint64_t covered = 0;
    *done = 0;
    if (w->dirty.count == 0)
        return ERR_OK;
    if (w->group == 0)
        w->group = GROUP_MAX;
    enum err e = observations_reader_covered(w->o.observations, w->o.reader, &covered, d);
    for (size_t i = 0; e == ERR_OK && i < w->dirty.count; i++)
        if (is_due(w, w->dirty.items[i], now, covered))
            e = rrd_list_add(&due, w->dirty.items[i]);
    if (e == ERR_OK && due.count > 0) {
        qsort(due.items, due.count, sizeof(*due.items), together);
        e = rebuild_list(w, &due, covered, d);
    }
    free(due.items);
    *done = drop_clean(&w->dirty);
    return e == ERR_AGAIN ? ERR_OK : e;
}
