// Rebuilding reads what the observations know of the series, so it waits until the observer has seen every
// row that this file must show. A reader sees the old file or the new one, never a half. Where raw figures
// are gone the hour's and day's lines are filled from roll-ups.
#include "base/fs.h"
#include "collector/rrd_state.h"
#include "kpi/period.h"
#include "store/reader_keep.h"
#include "store/rollup.h"
#include "store/rrd_image.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 8192, REPORT_VALUES = 366, DAY_S = 86400, WINDOW_S = 31 * DAY_S, POINTS_MAX = 2000000 };
#define FROM_S (INT64_C(10) * 365 * DAY_S) // 1980: earlier ones do not fit into a file

struct rebuild {
    const struct rrd_series *s;
    struct rrd_image *image;
    struct rrd_value *values; // CHUNK
    size_t count;
    bool begun, valued; // the image; with values
    int64_t rolled_s;   // up to here the points are roll-ups' cells
    uint64_t cells;
    struct diag *d;
};

static enum err begin(struct rebuild *r, int64_t start)
{
    enum err e = r->begun ? ERR_OK : rrd_image_begin(r->image, r->s->info, start, r->d);
    r->begun = r->begun || e == ERR_OK;
    return e;
}

// The file begins where raw figures do, and its past is filled.
static enum err add_cell(struct rebuild *r, const struct point *p)
{
    const struct rrd_image_cell cell = {.end = p->time,
                                        .length_s = p->span_s,
                                        .known = p->cell->known,
                                        .sum = rollup_cell_sum(p->cell),
                                        .min = figure_to_real(p->cell->min),
                                        .max = figure_to_real(p->cell->max)};
    if (p->time > r->rolled_s || r->valued || r->count > 0) // retention went on meanwhile
        return ERR_AGAIN;
    enum err e = begin(r, r->rolled_s);
    r->cells++;
    return e == ERR_OK ? rrd_image_fill(r->image, &cell, r->d) : e;
}

static enum err flush(struct rebuild *r)
{
    if (r->count == 0)
        return ERR_OK;
    enum err e = begin(r, r->values[0].time - (int64_t)rrd_series_step(r->s->info));
    if (e == ERR_OK)
        e = rrd_image_add(r->image, r->values, r->count, r->d);
    r->valued = r->valued || e == ERR_OK;
    r->count = 0;
    return e;
}

static enum err add_point(void *ctx, const struct point *p)
{
    struct rebuild *r = ctx;
    if (!rrd_time_fits(r->s->info, p->time))
        return ERR_OK;
    if (p->cell)
        return add_cell(r, p);
    r->values[r->count++] = (struct rrd_value){.time = p->time, .value = figure_to_real(p->value)};
    return r->count == CHUNK ? flush(r) : ERR_OK;
}

static enum err add_observation(void *ctx, const struct observation *o)
{
    struct rebuild *r = ctx;
    size_t count;
    struct figure value = observation_own_value(o, r->s->info->currency);
    rrd_report_values(r->s->info, o->period_start, value, r->values + r->count, &count);
    for (size_t i = r->count, end = i + count; i < end; i++) {
        if (rrd_time_fits(r->s->info, r->values[i].time))
            r->values[r->count++] = r->values[i];
    }
    return r->count + REPORT_VALUES > CHUNK ? flush(r) : ERR_OK;
}

static enum err read_points(struct rrd_writer *w, struct rebuild *r)
{
    const struct ledger_series *info = r->s->info;
    if (info->class == WIRE_REPORT) {
        struct observation_query q = {.series_id = info->series_id, .from = INT32_MIN, .to = INT32_MAX};
        return observations_query(w->o.observations, &q, add_observation, r, r->d);
    }
    int64_t to =
        clock_wall(w->o.clock).us / US_PER_S + 2 * DAY_S; // beyond what is accepted as not in the future
    enum err e =
        points_read(w->o.observations, w->o.reader, info, FROM_S, to, POINTS_MAX, add_point, r, r->d);
    // So long a history that it should not be in memory at once: month by month.
    for (int64_t from = FROM_S; (e == ERR_TOO_BIG || from > FROM_S) && from < to; from += WINDOW_S) {
        int64_t end = from + WINDOW_S < to ? from + WINDOW_S : to;
        e = points_read(w->o.observations, w->o.reader, info, from, end, SIZE_MAX, add_point, r, r->d);
        if (e != ERR_OK)
            break;
    }
    return e;
}

static enum err sync_file(const char *path, struct diag *d)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return diag_errno(d, errno, "%s", path);
    int failed = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return failed ? diag_errno(d, failed, "%s", path) : ERR_OK;
}

static enum err put_in_place(const char *from, const char *to, struct diag *d)
{
    char folder[RRD_PATH_MAX];
    enum err e = sync_file(from, d);
    if (e != ERR_OK)
        return e;
    if (rename(from, to) != 0)
        return diag_errno(d, errno, "%s", to);
    snprintf(folder, sizeof folder, "%s", to);
    *strrchr(folder, '/') = '\0';
    return fs_sync_dir(folder, d);
}

static void finished(struct rrd_writer *w, struct rrd_series *s, const char *path, const struct rebuild *r,
                     uint64_t covered)
{
    if (r->begun) {
        s->newest = rrd_image_last(r->image);
        rrd_note_file(s, path);
    } else { // nothing accepted was ever said of it
        (void)unlink(path);
        s->newest = RRD_TIME_NONE;
        s->mtime_ns = 0;
        s->looked = s->changed = true;
    }
    s->dirty = false;
    s->covered = covered;
    w->changed = true;
    collector_count(w->o.counters, COUNTER_RRD_REBUILDS, 1);
    collector_count(w->o.counters, COUNTER_RRD_CELLS_FILLED, r->cells);
}

enum err rrd_rebuild(struct rrd_writer *w, struct rrd_series *s, struct diag *d)
{
    char path[RRD_PATH_MAX], beside[RRD_PATH_MAX + 8];
    uint64_t covered;
    struct ledger_kept kept;
    struct rebuild r = {.s = s, .d = d};
    enum err e = rrd_know(w, s, d);
    if (e != ERR_OK || (e = rrd_path(w->state, s->series_id, path)) != ERR_OK ||
        (e = observations_reader_covered(w->o.observations, w->o.reader, &covered, d)) != ERR_OK)
        return e;
    if (covered < s->needed || (covered == 0 && w->position > 0))
        return ERR_AGAIN;
    if ((e = reader_kept(w->o.reader, &kept, d)) != ERR_OK)
        return e;
    r.rolled_s = kept.rolled_until_s;
    if (!(r.values = malloc((CHUNK + REPORT_VALUES) * sizeof *r.values)) ||
        rrd_image_create(&r.image) != ERR_OK) {
        free(r.values);
        return diag_fail(d, ERR_NOMEM, "out of memory");
    }
    snprintf(beside, sizeof beside, "%s.new", path);
    if ((e = read_points(w, &r)) == ERR_OK && (e = flush(&r)) == ERR_OK && r.begun)
        e = rrd_image_write(r.image, beside, d);
    if (e == ERR_OK && r.begun)
        e = put_in_place(beside, path, d);
    if (e == ERR_OK)
        finished(w, s, path, &r, covered);
    else
        (void)unlink(beside);
    rrd_image_destroy(r.image);
    free(r.values);
    return e;
}
