// librrd trusts the file it maps: a short one ends the process with SIGBUS, a wrong row pointer writes
// outside the map. So each file's header is read and checked here first, against the layout this program
// gives such a series, and anything else is CORRUPT: files are derived from the ledger and cheap to make
// again. The archives: at the native step 8 days at 10 s and up to 35 days at longer steps (69,120 rows at
// most), then averages of about 5 minutes for 35 days, and average, minimum and maximum of the hour for 2
// years and of the day for 20. 1.24 MB at 10 s. Reports: one archive of 40 years of days, 0.12 MB.
#define RRD_EXPORT_DEPRECATED
#include "store/rrd.h"
#include "base/fs.h"
#include "kpi/period.h"
#include "store/rrd_lock.h"
#include "store/rrd_number.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY_S          86400
#define HOUR_S         3600
#define NATIVE_ROWS    69120 // 8 days at 10 s
#define MIDDLE_S       300
#define MIDDLE_DAYS    35
#define HOUR_ROWS      (2 * 366 * 24)
#define DAY_ROWS       (20 * 366)
#define REPORT_ROWS    (40 * 366)
#define REPORT_DAYS    366
#define ROWS_MAX       (1u << 24)
#define LAST_UP_MAX    INT64_C(253402300800) // the end of the year 9999
#define ARCHIVES_MAX   8
#define FIRST_START    (10 * 365 * DAY_S) // librrd takes no earlier first update than 1980
#define FILE_MODE      0640
#define FOLDER_MODE    02750
#define VALUES_A_CALL  512
#define VALUE_TEXT_MAX (21 + RRD_NUMBER_TEXT)

struct archive {
    const char *cf;
    uint32_t steps; // of the file, a row
    uint32_t rows;
};

struct layout {
    uint32_t step_s;
    size_t count;
    struct archive archives[ARCHIVES_MAX];
};

static void add(struct layout *l, const char *cf, uint32_t row_s, uint32_t rows)
{
    l->archives[l->count++] = (struct archive){cf, row_s / l->step_s, rows};
}

// The shortest multiple of the step that is at least 5 minutes and divides the hour.
static uint32_t middle_s(uint32_t step_s)
{
    uint32_t row_s = step_s;
    while (row_s < HOUR_S && (row_s < MIDDLE_S || HOUR_S % row_s != 0))
        row_s += step_s;
    return row_s;
}

static void measurement_layout(uint32_t step_s, struct layout *l)
{
    uint32_t middle = middle_s(step_s);
    uint32_t native_rows = MIDDLE_DAYS * DAY_S / step_s;
    l->step_s = step_s;
    if (step_s < HOUR_S)
        add(l, "AVERAGE", step_s, native_rows < NATIVE_ROWS ? native_rows : NATIVE_ROWS);
    if (step_s < middle && middle < HOUR_S)
        add(l, "AVERAGE", middle, MIDDLE_DAYS * DAY_S / middle);
    static const char *const functions[] = {"AVERAGE", "MIN", "MAX"};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        add(l, functions[i], HOUR_S, HOUR_ROWS);
        add(l, functions[i], DAY_S, DAY_ROWS);
    }
}

static enum err layout_of(const struct ledger_series *s, struct layout *l, struct diag *d)
{
    *l = (struct layout){0};
    if (s->class == WIRE_REPORT) {
        l->step_s = DAY_S;
        add(l, "AVERAGE", DAY_S, REPORT_ROWS);
        return ERR_OK;
    }
    if (s->class != WIRE_MEASUREMENT || s->step_s < WIRE_STEP_MIN_S || s->step_s > WIRE_STEP_MAX_S ||
        HOUR_S % s->step_s != 0)
        return diag_fail(d, ERR_INVALID, "%s: a step of %u s has no round-robin file", s->name, s->step_s);
    measurement_layout(s->step_s, l);
    return ERR_OK;
}

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

// ---- looking at a file before librrd does
// ---------------------------------------------------------------------------

struct header {
    stat_head_t stat;
    ds_def_t source;
    rra_def_t archives[ARCHIVES_MAX];
    live_head_t live;
    rra_ptr_t rows[ARCHIVES_MAX];
};

static bool read_part(int fd, void *out, size_t size, off_t *at)
{
    bool whole = pread(fd, out, size, *at) == (ssize_t)size;
    *at += (off_t)size;
    return whole;
}

static bool read_header(int fd, struct header *h, off_t *values_at)
{
    off_t at = 0;
    if (!read_part(fd, &h->stat, sizeof h->stat, &at))
        return false;
    size_t count = h->stat.rra_cnt;
    if (memcmp(h->stat.cookie, RRD_COOKIE, sizeof RRD_COOKIE) != 0 ||
        memcmp(h->stat.version, "000", 3) != 0 || h->stat.version[3] < '3' || h->stat.version[3] > '5' ||
        h->stat.float_cookie != FLOAT_COOKIE || h->stat.ds_cnt != 1 || count < 1 || count > ARCHIVES_MAX)
        return false;
    if (!read_part(fd, &h->source, sizeof h->source, &at) ||
        !read_part(fd, h->archives, count * sizeof h->archives[0], &at) ||
        !read_part(fd, &h->live, sizeof h->live, &at))
        return false;
    at += (off_t)(sizeof(pdp_prep_t) + count * sizeof(cdp_prep_t));
    if (!read_part(fd, h->rows, count * sizeof h->rows[0], &at))
        return false;
    *values_at = at;
    return true;
}

// librrd multiplies and adds these numbers unchecked, and sizes its buffers by the results.
static bool plausible_archive(const rra_def_t *a, uint64_t cur_row, uint64_t step)
{
    return a->row_cnt >= 1 && a->row_cnt <= ROWS_MAX && a->pdp_cnt >= 1 && a->pdp_cnt <= DAY_S / step &&
           cur_row < a->row_cnt && memchr(a->cf_nam, '\0', sizeof a->cf_nam) != NULL;
}

static bool plausible(const struct header *h, off_t values_at, off_t size)
{
    uint64_t values = 0;
    uint64_t step = h->stat.pdp_step;
    if (step < 1 || step > DAY_S)
        return false;
    for (size_t i = 0; i < h->stat.rra_cnt; i++) {
        if (!plausible_archive(&h->archives[i], h->rows[i].cur_row, step))
            return false;
        values += h->archives[i].row_cnt;
    }
    return strcmp(h->source.ds_nam, "v") == 0 && strcmp(h->source.dst, "GAUGE") == 0 &&
           h->source.par[DS_mrhb_cnt].u_cnt == step && h->live.last_up > 0 &&
           h->live.last_up <= LAST_UP_MAX && (uint64_t)h->live.last_up % step == 0 &&
           h->live.last_up_usec == 0 && size == values_at + (off_t)(values * sizeof(rrd_value_t));
}

static bool matches(const struct header *h, const struct layout *l)
{
    if (h->stat.pdp_step != l->step_s || h->stat.rra_cnt != l->count)
        return false;
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(h->archives[i].cf_nam, l->archives[i].cf) != 0 ||
            h->archives[i].pdp_cnt != l->archives[i].steps || h->archives[i].row_cnt != l->archives[i].rows)
            return false;
    return true;
}

// l may be NULL: any file of ours.
static enum err check_file(const char *path, const struct layout *l, struct header *out, struct diag *d)
{
    struct stat st;
    off_t values_at = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return diag_errno(d, errno, "%s", path);
    enum err e = ERR_OK;
    if (fstat(fd, &st) != 0)
        e = diag_errno(d, errno, "%s", path);
    else if (!S_ISREG(st.st_mode) || !read_header(fd, out, &values_at) ||
             !plausible(out, values_at, st.st_size))
        e = diag_fail(d, ERR_CORRUPT, "%s: not a whole round-robin file", path);
    else if (l && !matches(out, l))
        e = diag_fail(d, ERR_CORRUPT, "%s: a round-robin file of another step or with other archives", path);
    close(fd);
    return e;
}

enum err rrd_file_check(const char *path, struct diag *d)
{
    struct header h;
    return check_file(path, NULL, &h, d);
}

enum err rrd_file_last(const char *path, const struct ledger_series *s, int64_t *last, struct diag *d)
{
    struct layout l;
    struct header h;
    enum err e = layout_of(s, &l, d);
    if (e == ERR_OK)
        e = check_file(path, &l, &h, d);
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

static enum err create(const char *path, const struct layout *l, int64_t start, struct diag *d)
{
    char text[ARCHIVES_MAX + 1][64];
    const char *argv[ARCHIVES_MAX + 1];
    snprintf(text[0], sizeof text[0], "DS:v:GAUGE:%u:U:U", l->step_s);
    argv[0] = text[0];
    for (size_t i = 0; i < l->count; i++) {
        const struct archive *a = &l->archives[i];
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
    struct layout l;
    enum err e = layout_of(s, &l, d);
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
    struct layout l;
    struct header h;
    enum err e = layout_of(s, &l, d);
    if (e == ERR_OK)
        e = check_file(path, &l, &h, d);
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

static bool has_function(const struct header *h, const char *cf)
{
    for (size_t i = 0; i < h->stat.rra_cnt; i++)
        if (strcmp(h->archives[i].cf_nam, cf) == 0)
            return true;
    return false;
}

enum err rrd_file_fetch(const char *path, const char *cf, int64_t from, int64_t to, uint32_t *step,
                        rrd_visit visit, void *ctx, struct diag *d)
{
    struct header h;
    struct fetched f = {.start = (time_t)from, .end = (time_t)to, .step = *step};
    enum err e = check_file(path, NULL, &h, d);
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
