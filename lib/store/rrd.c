// Adding values to a file and reading them. Reading is librrd's; each file is looked at before librrd maps it
// (rrd_header.c).
#include "kpi/period.h"
#include "store/rrd_header.h"
#include "store/rrd_lock.h"
#include "store/rrd_write.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY_S       86400
#define REPORT_DAYS 366

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

// ---- updating
// -------------------------------------------------------------------------------------------------------

// As librrd locks them: whole, and not waiting.
static enum err lock(int fd, const char *path, struct diag *d)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    for (int i = 0; fcntl(fd, F_SETLK, &whole) != 0; i++) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return diag_errno(d, errno, "%s: cannot lock", path);
        if (i == RRD_LOCK_TRIES)
            return diag_fail(d, ERR_AGAIN, "%s: locked by another process", path);
        rrd_lock_wait();
    }
    return ERR_OK;
}

static enum err write_visit(int fd, const char *path, struct rrd_header *h, const struct rrd_value *values,
                            size_t count, struct rrd_left *left, struct diag *d)
{
    const struct rrd_target target = {.fd = fd, .path = path};
    unsigned char bytes[RRD_HEADER_BYTES];
    struct stat st;
    enum err e = rrd_write_values(h, &target, values, count, d);
    if (e != ERR_OK)
        return e;
    rrd_header_pack(h, bytes);
    e = rrd_write_at(&target, bytes + h->live_at, (size_t)(h->values_at - h->live_at), h->live_at, d);
    if (e == ERR_OK && left)
        *left = (struct rrd_left){h->live.last_up, fstat(fd, &st) == 0 ? rrd_mtime_ns(&st) : 0};
    return e;
}

static enum err visit_open(int fd, const char *path, const struct rrd_layout *l,
                           const struct rrd_value *values, size_t count, struct rrd_left *left,
                           struct diag *d)
{
    struct rrd_header h;
    enum err e = lock(fd, path, d);
    if (e == ERR_OK)
        e = rrd_header_read(fd, path, l, &h, d);
    if (e == ERR_OK && left && left->mtime_ns && left->mtime_ns != h.mtime_ns)
        e = diag_fail(d, ERR_DENIED, "%s: changed by someone else", path);
    if (e == ERR_OK && left && left->last != h.live.last_up)
        e = diag_fail(d, ERR_CORRUPT, "%s: the file does not end where it was left", path);
    if (e == ERR_OK)
        e = rrd_write_check(path, l->step_s, h.live.last_up, values, count, d);
    return e != ERR_OK || count == 0 ? e : write_visit(fd, path, &h, values, count, left, d);
}

enum err rrd_file_visit(const char *path, const struct ledger_series *s, const struct rrd_value *values,
                        size_t count, struct rrd_left *left, struct diag *d)
{
    struct rrd_layout l;
    enum err e = rrd_layout_of(s, &l, d);
    if (e != ERR_OK)
        return e;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return diag_errno(d, errno, "%s", path);
    e = visit_open(fd, path, &l, values, count, left, d);
    close(fd);
    return e;
}

enum err rrd_file_update(const char *path, const struct ledger_series *s, const struct rrd_value *values,
                         size_t count, struct diag *d)
{
    return rrd_file_visit(path, s, values, count, NULL, d);
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
