// One visit to one file. What is later than the file's last value is appended; what is not is compared with
// what the file shows: the same is a repeat (a replay after a crash looks just like that), anything else
// needs a rebuild, because a round-robin file can't be corrected in place and would take a correction in
// silence without storing it. A file that someone else changed, replaced or removed is noticed by its
// modification time and its last value's before it is written: by the visit itself, which has it open.
#include "base/log.h"
#include "collector/rrd_state.h"
#include <math.h>
#include <sys/stat.h>

enum { SURPRISES_MAX = 64 };

static int64_t mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

void rrd_note_file(struct rrd_series *s, const char *path)
{
    struct stat st;
    s->mtime_ns = stat(path, &st) == 0 ? mtime_ns(&st) : 0;
    s->looked = true;
    s->changed = true;
}

static enum err found_damaged(struct rrd_writer *w, struct rrd_series *s, enum collector_counter what,
                              const char *text)
{
    collector_count(w->o.counters, what, 1);
    log_warn("rrd_file_rebuilt", F_TEXT("series", s->info->name), F_INT("series_id", s->series_id),
             F_TEXT("reason", text));
    return rrd_mark_dirty(w, s, w->step_from, w->position);
}

// A file system whose times move by themselves would have every file rebuilt at every visit: then they are
// not asked.
static enum err changed_by_others(struct rrd_writer *w, struct rrd_series *s)
{
    w->surprises++;
    if (w->times_lie)
        return ERR_OK;
    if (w->surprises > SURPRISES_MAX &&
        w->surprises * 10 > collector_counted(w->o.counters, COUNTER_RRD_FILE_VISITS)) {
        w->times_lie = true;
        log_warn("rrd_times_ignored", F_INT("files", w->surprises));
    }
    return found_damaged(w, s, COUNTER_RRD_DAMAGED, "the file was changed by someone else");
}

// The first look at a file in this process: it may be ahead of the cursor (a crash after it was written),
// never behind.
static enum err look(struct rrd_writer *w, struct rrd_series *s, const char *path)
{
    int64_t last;
    struct stat st;
    struct diag d = {0};
    enum err e = rrd_file_last(path, s->info, &last, &d);
    if (e == ERR_NOT_FOUND && s->newest == RRD_TIME_NONE) {
        s->looked = true;
        return ERR_OK;
    }
    if (e == ERR_NOT_FOUND)
        return found_damaged(w, s, COUNTER_RRD_MISSING, "the file is missing");
    if (e != ERR_OK)
        return found_damaged(w, s, COUNTER_RRD_DAMAGED, d.text[0] ? d.text : err_text(e));
    if (s->newest != RRD_TIME_NONE && last < s->newest)
        return found_damaged(w, s, COUNTER_RRD_DAMAGED, "the file is older than it was");
    if (s->mtime_ns != 0 && stat(path, &st) == 0 && mtime_ns(&st) != s->mtime_ns)
        return changed_by_others(w, s);
    s->newest = last;
    rrd_note_file(s, path);
    return ERR_OK;
}

static enum err check_file(struct rrd_writer *w, struct rrd_series *s, const char *path)
{
    struct stat st;
    if (!s->looked)
        return look(w, s, path);
    if (s->newest == RRD_TIME_NONE)
        return ERR_OK;
    if (stat(path, &st) != 0)
        return found_damaged(w, s, COUNTER_RRD_MISSING, "the file is missing");
    return mtime_ns(&st) == s->mtime_ns ? ERR_OK : changed_by_others(w, s);
}

enum err rrd_check(struct rrd_writer *w, struct rrd_series *s)
{
    char path[RRD_PATH_MAX];
    enum err e = rrd_path(w->state, s->series_id, path);
    return e == ERR_OK ? check_file(w, s, path) : e;
}

enum err rrd_check_header(struct rrd_writer *w, struct rrd_series *s)
{
    char path[RRD_PATH_MAX];
    int64_t last = 0;
    struct diag d = {0};
    enum err e = rrd_check(w, s);
    if (e != ERR_OK || s->dirty || s->newest == RRD_TIME_NONE ||
        (e = rrd_path(w->state, s->series_id, path)) != ERR_OK)
        return e;
    collector_count(w->o.counters, COUNTER_RRD_PATROLLED, 1);
    e = rrd_file_last(path, s->info, &last, &d);
    if (e == ERR_OK && last == s->newest)
        return ERR_OK;
    if (e == ERR_NOT_FOUND)
        return found_damaged(w, s, COUNTER_RRD_MISSING, "the file is missing");
    return found_damaged(w, s, COUNTER_RRD_DAMAGED,
                         e == ERR_OK ? "the file does not end where it was left" : d.text);
}

// ---- late values --------------------------------------------------------------------------------
struct comparison {
    const struct rrd_value *late;
    size_t count, at;
    size_t same;
};

static enum err compare(void *ctx, int64_t time, double value)
{
    struct comparison *c = ctx;
    while (c->at < c->count && c->late[c->at].time < time)
        c->at++;
    if (c->at < c->count && c->late[c->at].time == time)
        c->same += rrd_value_same(c->late[c->at].value, value) ? 1 : 0;
    return ERR_OK;
}

static size_t count_late(const struct rrd_series *s)
{
    size_t n = 0;
    while (n < s->count && s->newest != RRD_TIME_NONE && s->values[n].time <= s->newest)
        n++;
    return n;
}

// A file begins with what is known, else one more unknown before it would move its beginning.
static size_t count_unknown(const struct rrd_series *s)
{
    size_t n = 0;
    while (n < s->count && isnan(s->values[n].value))
        n++;
    return n;
}

// How many of the late values the file shows already; none when it keeps that time in coarser steps only.
static size_t count_same(const struct rrd_series *s, const char *path, size_t late)
{
    struct comparison c = {.late = s->values, .count = late};
    uint32_t native = rrd_series_step(s->info), step = native;
    enum err e = rrd_file_fetch(path, "AVERAGE", s->values[0].time - (int64_t)native,
                                s->values[late - 1].time, &step, compare, &c, NULL);
    return e == ERR_OK && step == native ? c.same : 0;
}

static enum err judge_late(struct rrd_writer *w, struct rrd_series *s, const char *path, size_t late)
{
    size_t same = count_same(s, path, late);
    collector_count(w->o.counters, COUNTER_RRD_REPEATS, same);
    if (same == late)
        return ERR_OK;
    collector_count(w->o.counters, COUNTER_RRD_LATE, late - same);
    return rrd_mark_dirty(w, s, w->step_from, w->position);
}

// ---- appending ----------------------------------------------------------------------------------
static enum err write_file(struct rrd_writer *w, struct rrd_series *s, const char *path,
                           const struct rrd_value *fresh, size_t count, struct diag *d)
{
    struct rrd_left left = {.last = s->newest, .mtime_ns = w->times_lie ? 0 : s->mtime_ns};
    enum err e = ERR_OK;
    if (s->newest == RRD_TIME_NONE) {
        left = (struct rrd_left){.last = fresh[0].time - (int64_t)rrd_series_step(s->info)};
        e = rrd_file_create(path, s->info, left.last, false, d);
    }
    if (e == ERR_OK)
        e = rrd_file_visit(path, s->info, fresh, count, &left, d);
    if (e == ERR_DENIED && (e = changed_by_others(w, s)) == ERR_OK && !s->dirty) { // times say nothing here
        left.mtime_ns = 0;
        e = rrd_file_visit(path, s->info, fresh, count, &left, d);
    }
    if (e == ERR_OK && !s->dirty) {
        s->newest = left.last;
        s->mtime_ns = left.mtime_ns;
        s->looked = s->changed = w->changed = true;
        collector_count(w->o.counters, COUNTER_RRD_VALUES_WRITTEN, count);
    }
    return e;
}

static enum err append(struct rrd_writer *w, struct rrd_series *s, const char *path, size_t late)
{
    struct diag d = {0};
    rrd_cursor_mark(w->cursor, s->series_id);
    enum err e = write_file(w, s, path, s->values + late, s->count - late, &d);
    rrd_cursor_mark(w->cursor, 0);
    collector_count(w->o.counters, COUNTER_RRD_FILE_VISITS, 1);
    if (e == ERR_OK || s->dirty)
        return e;
    if (e == ERR_NOT_FOUND || e == ERR_CORRUPT || e == ERR_CONFLICT)
        return found_damaged(w, s, e == ERR_NOT_FOUND ? COUNTER_RRD_MISSING : COUNTER_RRD_DAMAGED,
                             e == ERR_NOT_FOUND ? "the file is missing" : d.text);
    collector_count(w->o.counters, COUNTER_RRD_ERRORS, 1);
    rrd_complain(w, s, e, d.text);
    return rrd_mark_dirty(w, s, w->step_from, w->position);
}

enum err rrd_land(struct rrd_writer *w, struct rrd_series *s)
{
    char path[RRD_PATH_MAX];
    size_t late = 0;
    enum err e = ERR_OK;
    if (s->dirty || s->count == 0)
        goto out; // the rebuild will read them from the ledger
    if ((e = rrd_path(w->state, s->series_id, path)) != ERR_OK ||
        (!s->looked && (e = look(w, s, path)) != ERR_OK) || s->dirty)
        goto out;
    collector_count(w->o.counters, COUNTER_RRD_REPEATS, rrd_series_settle(s));
    late = count_late(s);
    if (late > 0 && ((e = check_file(w, s, path)) != ERR_OK || s->dirty))
        goto out; // else the visit looks
    if (late > 0 && ((e = judge_late(w, s, path, late)) != ERR_OK || s->dirty))
        goto out;
    if (s->newest == RRD_TIME_NONE)
        late = count_unknown(s);
    if (late < s->count)
        e = append(w, s, path, late);
out:
    if (s->dirty)
        s->needed = w->position;
    rrd_series_drop_values(s);
    return e;
}
