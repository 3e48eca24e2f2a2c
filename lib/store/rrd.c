// What is asked of librrd: making a file, adding values, reading them. Each file is looked at before librrd
// maps it (rrd_header.c).
#include "base/fs.h"
#include "kpi/period.h"
#include "store/rrd_header.h"
#include "store/rrd_lock.h"
#include "store/rrd_number.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY_S          86400
#define REPORT_DAYS    366
#define FIRST_START    (10 * 365 * DAY_S) // librrd takes no earlier first update than 1980
#define FILE_MODE      0640
#define FOLDER_MODE    02750
#define VALUES_A_CALL  512
#define VALUE_TEXT_MAX (21 + RRD_NUMBER_TEXT)

enum err rrd_path(const char *state, int64_t series_id, char out[RRD_PATH_MAX])
{
    char path[RRD_PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/" RRD_FOLDER "/%02x/%" PRId64 ".rrd", state,
                       (unsigned)(series_id & 0xff), series_id);
    if (len < 0 || (size_t)len >= sizeof path)
        return ERR_TOO_BIG;
    memcpy(out, path, (size_t)len + 1);
    return ERR_OK;
}

enum err rrd_file_check(const char *path, struct diag *d)
{
    struct rrd_header h;
    return rrd_header_check(path, NULL, &h, d);
}

enum err rrd_file_last(const char *path, const struct ledger_series *s, int64_t *last, struct diag *d)
{
    struct rrd_layout l;
    struct rrd_header h;
    enum err e = rrd_layout_of(s, &l, d);
    if (e == ERR_OK)
        e = rrd_header_check(path, &l, &h, d);
    if (e == ERR_OK)
        *last = h.live.last_up;
    return e;
}

// ---- calls into librrd
// ----------------------------------------------------------------------------------------------

bool rrd_error_is_lock(void)
{
    const char *text = rrd_get_error();
    return text && strstr(text, "could not lock") != NULL;
}

void rrd_lock_wait(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    nanosleep(&pause, NULL);
}

static enum err failed(const char *path, struct diag *d)
{
    bool lock = rrd_error_is_lock();
    enum err e = diag_fail(d, lock ? ERR_AGAIN : ERR_IO, "%s: %s", path, rrd_get_error());
    rrd_clear_error();
    return e;
}

static enum err make_folder(const char *path, struct diag *d)
{
    char folder[RRD_PATH_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return ERR_OK;
    if ((size_t)(slash - path) >= sizeof folder)
        return diag_fail(d, ERR_TOO_BIG, "%s: path too long", path);
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    if (stat(folder, &st) == 0)
        return ERR_OK;
    return fs_make_dirs(folder, FOLDER_MODE & 0777, d);
}

static enum err finish_file(const char *path, bool sync, struct diag *d)
{
    char folder[RRD_PATH_MAX];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return diag_errno(d, errno, "%s", path);
    enum err e = ERR_OK;
    if (fchmod(fd, FILE_MODE) != 0)
        e = diag_errno(d, errno, "%s: cannot set mode 0640", path);
    else if (sync && fsync(fd) != 0)
        e = diag_fail(d, ERR_IO, "%s: cannot sync: %s", path, strerror(errno));
    close(fd);
    const char *slash = strrchr(path, '/');
    if (e != ERR_OK || !sync)
        return e;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    return fs_sync_dir(folder, d);
}

static enum err create(const char *path, const struct rrd_layout *l, int64_t start, struct diag *d)
{
    char text[RRD_ARCHIVES_MAX + 1][64];
    const char *argv[RRD_ARCHIVES_MAX + 1];
    snprintf(text[0], sizeof text[0], "DS:v:GAUGE:%u:U:U", l->step_s);
    argv[0] = text[0];
    for (size_t i = 0; i < l->count; i++) {
        const struct rrd_archive *a = &l->archives[i];
        snprintf(text[i + 1], sizeof text[i + 1], "RRA:%s:0.5:%u:%u", a->cf, a->steps, a->rows);
        argv[i + 1] = text[i + 1];
    }
    rrd_clear_error();
    if (rrd_create_r2(path, l->step_s, (time_t)start, 0, NULL, NULL, (int)l->count + 1, argv) == 0)
        return ERR_OK;
    // librrd says only what it was doing; errno says why.
    int why = errno;
    const char *what = rrd_get_error();
    enum err e = why == ENOSPC || why == EDQUOT ? ERR_FULL : ERR_IO;
    e = diag_fail(d, e, "%s: cannot create: %s", path, what ? what : strerror(why));
    rrd_clear_error();
    return e;
}

enum err rrd_file_create(const char *path, const struct ledger_series *s, int64_t start, bool sync,
                         struct diag *d)
{
    struct rrd_layout l;
    enum err e = rrd_layout_of(s, &l, d);
    if (e != ERR_OK)
        return e;
    if (start < FIRST_START || start % l.step_s != 0)
        return diag_fail(d, ERR_INVALID,
                         "%s: a round-robin file cannot start at %" PRId64 " (on its step, from 1980 on)",
                         s->name, start);
    e = make_folder(path, d);
    if (e == ERR_OK)
        e = create(path, &l, start, d);
    return e == ERR_OK ? finish_file(path, sync, d) : e;
}

// ---- updating
// -------------------------------------------------------------------------------------------------------

struct updates {
    const char *path;
    struct diag *d;
    int count;
    const char *argv[VALUES_A_CALL];
    char text[VALUES_A_CALL][VALUE_TEXT_MAX];
};

static enum err flush(struct updates *u)
{
    int result = 0;
    if (u->count == 0)
        return ERR_OK;
    for (int i = 0; i < RRD_LOCK_TRIES; i++) {
        rrd_clear_error();
        result = rrd_updatex_r(u->path, NULL, 0, u->count, u->argv);
        if (result == 0 || !rrd_error_is_lock())
            break;
        rrd_lock_wait();
    }
    u->count = 0;
    return result == 0 ? ERR_OK : failed(u->path, u->d);
}

static enum err put(struct updates *u, uint32_t step_s, int64_t time, double value)
{
    char number[RRD_NUMBER_TEXT] = "U";
    if (!isnan(value))
        rrd_number_text(value, step_s, number);
    snprintf(u->text[u->count], VALUE_TEXT_MAX, "%" PRId64 ":%s", time, number);
    u->argv[u->count] = u->text[u->count];
    u->count++;
    return u->count == VALUES_A_CALL ? flush(u) : ERR_OK;
}

static enum err put_all(struct updates *u, uint32_t step_s, int64_t last, const struct rrd_value *values,
                        size_t count)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < count; i++) {
        if (values[i].time - last > step_s)
            e = put(u, step_s, values[i].time - step_s, NAN);
        if (e == ERR_OK)
            e = put(u, step_s, values[i].time, values[i].value);
        last = values[i].time;
    }
    return e == ERR_OK ? flush(u) : e;
}

static enum err check_values(const char *path, uint32_t step_s, int64_t last, const struct rrd_value *values,
                             size_t count, struct diag *d)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].time % step_s != 0 || isinf(values[i].value))
            return diag_fail(d, ERR_INVALID,
                             "%s: the value at %" PRId64 " is off the step of %u s or infinite", path,
                             values[i].time, step_s);
        if (values[i].time <= last)
            return diag_fail(d, i == 0 ? ERR_CONFLICT : ERR_INVALID,
                             "%s: the value at %" PRId64 " is not later than %" PRId64, path, values[i].time,
                             last);
        last = values[i].time;
    }
    return ERR_OK;
}

enum err rrd_file_update(const char *path, const struct ledger_series *s, const struct rrd_value *values,
                         size_t count, struct diag *d)
{
    struct rrd_layout l;
    struct rrd_header h;
    enum err e = rrd_layout_of(s, &l, d);
    if (e == ERR_OK)
        e = rrd_header_check(path, &l, &h, d);
    if (e == ERR_OK)
        e = check_values(path, l.step_s, h.live.last_up, values, count, d);
    if (e != ERR_OK || count == 0)
        return e;
    struct updates *u = malloc(sizeof *u);
    if (!u)
        return diag_fail(d, ERR_NOMEM, "%s: %s", path, err_text(ERR_NOMEM));
    u->path = path;
    u->d = d;
    u->count = 0;
    e = put_all(u, l.step_s, h.live.last_up, values, count);
    free(u);
    return e;
}

void rrd_report_values(const struct ledger_series *s, int32_t period_start, struct figure value,
                       struct rrd_value out[366], size_t *count)
{
    const struct period period = {(enum period_kind)s->period, period_start};
    int32_t end = s->period == PERIOD_NONE ? period_start + 1 : period_end(period);
    size_t n = 0;
    // The value of civil day n is known at that day's end, midnight UTC.
    for (int32_t day = period_start; day < end && n < REPORT_DAYS; day++)
        out[n++] = (struct rrd_value){((int64_t)day + 1) * DAY_S, figure_to_real(value)};
    *count = n;
}

// ---- reading
// --------------------------------------------------------------------------------------------------------

struct fetched {
    time_t start, end;
    unsigned long step, sources;
    char **names;
    rrd_value_t *data;
};

static enum err fetch(const char *path, const char *cf, struct fetched *f, struct diag *d)
{
    const struct fetched wanted = *f;
    int result = -1;
    for (int i = 0; i < RRD_LOCK_TRIES; i++) {
        *f = wanted;
        rrd_clear_error();
        result = rrd_fetch_r(path, cf, &f->start, &f->end, &f->step, &f->sources, &f->names, &f->data);
        if (result == 0 || !rrd_error_is_lock())
            break;
        rrd_lock_wait();
    }
    return result == 0 ? ERR_OK : failed(path, d);
}

static enum err visit_fetched(const struct fetched *f, int64_t from, int64_t to, rrd_visit visit, void *ctx)
{
    const rrd_value_t *at = f->data;
    for (int64_t t = f->start + (int64_t)f->step; t <= f->end; t += (int64_t)f->step, at += f->sources) {
        if (t <= from || t > to)
            continue;
        enum err e = visit(ctx, t, *at);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static bool has_function(const struct rrd_header *h, const char *cf)
{
    for (size_t i = 0; i < h->stat.rra_cnt; i++)
        if (strcmp(h->archives[i].cf_nam, cf) == 0)
            return true;
    return false;
}

enum err rrd_file_fetch(const char *path, const char *cf, int64_t from, int64_t to, uint32_t *step,
                        rrd_visit visit, void *ctx, struct diag *d)
{
    struct rrd_header h;
    struct fetched f = {.start = (time_t)from, .end = (time_t)to, .step = *step};
    enum err e = rrd_header_check(path, NULL, &h, d);
    if (e != ERR_OK)
        return e;
    if (!has_function(&h, cf))
        return diag_fail(d, ERR_NOT_FOUND, "%s: no archive of %s", path, cf);
    if (from < 0 || from >= to)
        return diag_fail(d, ERR_INVALID, "%s: from %" PRId64 " to %" PRId64 " is no time span", path, from,
                         to);
    if ((e = fetch(path, cf, &f, d)) != ERR_OK)
        return e;
    *step = (uint32_t)f.step;
    e = visit_fetched(&f, from, to, visit, ctx);
    for (unsigned long i = 0; i < f.sources; i++)
        rrd_freemem(f.names[i]);
    rrd_freemem(f.names);
    rrd_freemem(f.data);
    return e;
}
