// A row's place follows from the file's last update: the current row of an archive is for the last whole
// period before it, the ones before go back round the ring. Half unknown is still a value, more is not (the
// xff of 0.5 that every archive is made with); an average is of the known steps.
#include "store/rrd_fill.h"
#include "store/rrd_header.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR_S 3600
#define DAY_S  86400

struct period { // an hour or a day that is being filled
    uint32_t length_s;
    int64_t end; // 0: none
    uint64_t known;
    double sum, min, max;
};

struct rrd_fill {
    int fd;
    struct rrd_header header;
    int64_t newest; // end of the last cell
    struct period hour, day;
    char *path;
};

enum err rrd_fill_open(const char *path, const struct ledger_series *s, struct rrd_fill **out, struct diag *d)
{
    struct rrd_layout l;
    struct rrd_fill *f = calloc(1, sizeof *f);
    if (!f || !(f->path = strdup(path))) {
        free(f);
        return diag_fail(d, ERR_NOMEM, "%s: %s", path, err_text(ERR_NOMEM));
    }
    f->fd = -1;
    f->hour.length_s = HOUR_S;
    f->day.length_s = DAY_S;
    enum err e = rrd_layout_of(s, &l, d);
    if (e == ERR_OK)
        e = rrd_header_check(path, &l, &f->header, d);
    if (e == ERR_OK && (s->class != WIRE_MEASUREMENT || f->header.live.last_up % DAY_S != 0))
        e = diag_fail(d, ERR_INVALID, "%s: only a measurement's file that starts with a day is filled", path);
    if (e == ERR_OK && (f->fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
        e = diag_errno(d, errno, "%s", path);
    if (e == ERR_OK)
        *out = f;
    else
        (void)rrd_fill_close(f, NULL);
    return e;
}

// ---- rows
// -----------------------------------------------------------------------------------------------------------

static double value_of(const struct period *p, const char *cf, uint64_t steps)
{
    // As librrd has it: more than half unknown is unknown.
    if (p->known == 0 || (double)(steps - p->known) > (double)steps * 0.5)
        return NAN;
    if (strcmp(cf, "MIN") == 0)
        return p->min;
    if (strcmp(cf, "MAX") == 0)
        return p->max;
    return p->sum / (double)p->known;
}

static enum err write_row(struct rrd_fill *f, size_t archive, const struct period *p, off_t archive_at,
                          struct diag *d)
{
    const rra_def_t *a = &f->header.archives[archive];
    int64_t back = (f->header.live.last_up - p->end) / (int64_t)p->length_s;
    if (back >= (int64_t)a->row_cnt)
        return ERR_OK; // older than the archive
    uint64_t row = (f->header.rows[archive].cur_row + a->row_cnt - (uint64_t)back) % a->row_cnt;
    double value = value_of(p, a->cf_nam, a->pdp_cnt);
    off_t at = archive_at + (off_t)(row * sizeof(rrd_value_t));
    errno = 0;
    if (pwrite(f->fd, &value, sizeof value, at) != (ssize_t)sizeof value)
        return diag_errno(d, errno ? errno : ENOSPC, "%s: cannot write", f->path);
    return ERR_OK;
}

static enum err write_period(struct rrd_fill *f, struct period *p, struct diag *d)
{
    const struct rrd_header *h = &f->header;
    off_t at = h->values_at;
    enum err e = ERR_OK;
    if (p->end == 0)
        return ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < h->stat.rra_cnt; i++) {
        // An archive at the native step has what is exact, or nothing.
        bool native = h->archives[i].pdp_cnt == 1 && h->stat.pdp_step < HOUR_S;
        if (!native && h->archives[i].pdp_cnt * h->stat.pdp_step == p->length_s)
            e = write_row(f, i, p, at, d);
        at += (off_t)(h->archives[i].row_cnt * sizeof(rrd_value_t));
    }
    *p = (struct period){.length_s = p->length_s};
    return e;
}

static enum err add_to(struct rrd_fill *f, struct period *p, const struct rrd_fill_cell *c, struct diag *d)
{
    int64_t length = p->length_s;
    int64_t end = (c->end + length - 1) / length * length;
    enum err e = p->end != 0 && p->end != end ? write_period(f, p, d) : ERR_OK;
    if (e != ERR_OK)
        return e;
    p->end = end;
    if (c->known == 0)
        return ERR_OK;
    p->min = p->known == 0 || c->min < p->min ? c->min : p->min;
    p->max = p->known == 0 || c->max > p->max ? c->max : p->max;
    p->sum += c->sum;
    p->known += c->known;
    return ERR_OK;
}

enum err rrd_fill_add(struct rrd_fill *f, const struct rrd_fill_cell *c, struct diag *d)
{
    if (c->end > f->header.live.last_up)
        return diag_fail(d, ERR_AGAIN, "%s: a cell ends after the file's start", f->path);
    if (c->length_s == 0 || HOUR_S % c->length_s != 0 || c->end % c->length_s != 0 || c->end <= f->newest)
        return diag_fail(d, ERR_INVALID, "%s: a cell of %" PRIu32 " s at %" PRId64 " does not follow",
                         f->path, c->length_s, c->end);
    f->newest = c->end;
    enum err e = add_to(f, &f->hour, c, d);
    return e == ERR_OK ? add_to(f, &f->day, c, d) : e;
}

enum err rrd_fill_close(struct rrd_fill *f, struct diag *d)
{
    enum err e = ERR_OK;
    if (!f)
        return e;
    if (d && (e = write_period(f, &f->hour, d)) == ERR_OK)
        e = write_period(f, &f->day, d);
    if (f->fd >= 0 && close(f->fd) != 0 && d && e == ERR_OK)
        e = diag_errno(d, errno, "%s: cannot close", f->path);
    free(f->path);
    free(f);
    return e;
}
