// A row's place follows from the file's last update: the current row of an archive is for the last whole
// period before it, the ones before go back round the ring. Half unknown is still a value, more is not (the
// xff of 0.5 that every archive is made with); an average is of the known steps.
#include "store/rrd_image.h"
#include "store/rrd_new.h"
#include "store/rrd_write.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_S 3600
#define DAY_S  86400

struct period { // an hour or a day that is being filled
    uint32_t length_s;
    int64_t end; // 0: none
    uint64_t known;
    double sum, min, max;
};

struct rrd_image {
    struct rrd_header header;
    unsigned char *bytes;
    size_t capacity;
    const char *name; // the series', borrowed
    int64_t newest;   // end of the last cell
    struct period hour, day;
};

enum err rrd_image_create(struct rrd_image **out)
{
    struct rrd_image *i = calloc(1, sizeof *i);
    if (!i)
        return ERR_NOMEM;
    *out = i;
    return ERR_OK;
}

void rrd_image_destroy(struct rrd_image *i)
{
    if (!i)
        return;
    free(i->bytes);
    free(i);
}

static enum err reserve(struct rrd_image *i, size_t bytes, struct diag *d)
{
    if (bytes <= i->capacity)
        return ERR_OK;
    unsigned char *grown = realloc(i->bytes, bytes);
    if (!grown)
        return diag_fail(d, ERR_NOMEM, "%s: %s", i->name, err_text(ERR_NOMEM));
    i->bytes = grown;
    i->capacity = bytes;
    return ERR_OK;
}

enum err rrd_image_begin(struct rrd_image *i, const struct ledger_series *s, int64_t start, struct diag *d)
{
    const double unknown = rrd_set_to_DNAN();
    i->name = s->name;
    i->newest = 0;
    i->hour = (struct period){.length_s = HOUR_S};
    i->day = (struct period){.length_s = DAY_S};
    enum err e = rrd_new_header(s, start, &i->header, d);
    size_t bytes = e == ERR_OK ? (size_t)rrd_header_file_bytes(&i->header) : 0;
    if (e == ERR_OK)
        e = reserve(i, bytes, d);
    for (size_t at = (size_t)i->header.values_at; e == ERR_OK && at < bytes; at += sizeof unknown)
        memcpy(i->bytes + at, &unknown, sizeof unknown);
    return e;
}

int64_t rrd_image_last(const struct rrd_image *i)
{
    return i->header.live.last_up;
}

// ---- the past
// -----------------------------------------------------------------------------------------------------------

static double value_of(const struct period *p, const char *cf, uint64_t steps)
{
    // As librrd has it: more than half unknown is unknown.
    if (p->known == 0 || (double)(steps - p->known) > (double)steps * 0.5)
        return rrd_set_to_DNAN();
    if (strcmp(cf, "MIN") == 0)
        return p->min;
    if (strcmp(cf, "MAX") == 0)
        return p->max;
    return p->sum / (double)p->known;
}

static void put_row(struct rrd_image *i, size_t archive, const struct period *p, size_t archive_at)
{
    const rra_def_t *a = &i->header.archives[archive];
    int64_t back = (i->header.live.last_up - p->end) / (int64_t)p->length_s;
    if (back >= (int64_t)a->row_cnt)
        return; // older than the archive
    uint64_t row = (i->header.rows[archive].cur_row + a->row_cnt - (uint64_t)back) % a->row_cnt;
    double value = value_of(p, a->cf_nam, a->pdp_cnt);
    memcpy(i->bytes + archive_at + row * sizeof value, &value, sizeof value);
}

static void put_period(struct rrd_image *i, struct period *p)
{
    const struct rrd_header *h = &i->header;
    size_t at = (size_t)h->values_at;
    for (size_t a = 0; p->end != 0 && a < h->stat.rra_cnt; a++) {
        // An archive at the native step has what is exact, or nothing.
        bool native = h->archives[a].pdp_cnt == 1 && h->stat.pdp_step < HOUR_S;
        if (!native && h->archives[a].pdp_cnt * h->stat.pdp_step == p->length_s)
            put_row(i, a, p, at);
        at += h->archives[a].row_cnt * sizeof(rrd_value_t);
    }
    *p = (struct period){.length_s = p->length_s};
}

static void add_to(struct rrd_image *i, struct period *p, const struct rrd_image_cell *c)
{
    int64_t length = p->length_s;
    int64_t end = (c->end + length - 1) / length * length;
    if (p->end != end)
        put_period(i, p);
    p->end = end;
    if (c->known == 0)
        return;
    p->min = p->known == 0 || c->min < p->min ? c->min : p->min;
    p->max = p->known == 0 || c->max > p->max ? c->max : p->max;
    p->sum += c->sum;
    p->known += c->known;
}

enum err rrd_image_fill(struct rrd_image *i, const struct rrd_image_cell *c, struct diag *d)
{
    if (c->end > i->header.live.last_up)
        return diag_fail(d, ERR_AGAIN, "%s: a cell ends after the file's start", i->name);
    if (c->length_s == 0 || HOUR_S % c->length_s != 0 || c->end % c->length_s != 0 || c->end <= i->newest ||
        i->header.live.last_up % DAY_S != 0)
        return diag_fail(d, ERR_INVALID, "%s: a cell of %" PRIu32 " s at %" PRId64 " does not follow",
                         i->name, c->length_s, c->end);
    i->newest = c->end;
    add_to(i, &i->hour, c);
    add_to(i, &i->day, c);
    return ERR_OK;
}

// ---- values
// -----------------------------------------------------------------------------------------------------------

static void end_past(struct rrd_image *i)
{
    put_period(i, &i->hour);
    put_period(i, &i->day);
}

enum err rrd_image_add(struct rrd_image *i, const struct rrd_value *values, size_t count, struct diag *d)
{
    const struct rrd_target target = {.fd = -1, .image = i->bytes, .path = i->name};
    enum err e =
        rrd_write_check(i->name, (uint32_t)i->header.stat.pdp_step, i->header.live.last_up, values, count, d);
    end_past(i);
    return e == ERR_OK ? rrd_write_values(&i->header, &target, values, count, d) : e;
}

enum err rrd_image_write(struct rrd_image *i, const char *path, struct diag *d)
{
    end_past(i);
    rrd_header_pack(&i->header, i->bytes);
    enum err e = rrd_new_folder(path, d);
    return e != ERR_OK ? e : rrd_new_write(path, i->bytes, (size_t)rrd_header_file_bytes(&i->header), d);
}
