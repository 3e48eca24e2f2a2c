// librrd trusts the file it maps: a short one ends the process with SIGBUS, a wrong row pointer writes
// outside the map. So each file's header is read and checked here first, against the layout this program
// gives such a series, and anything else is CORRUPT: files are derived from the ledger and cheap to make
// again. The archives: at the native step 8 days at 10 s and up to 35 days at longer steps (69,120 rows at
// most), then averages of about 5 minutes for 35 days, and average, minimum and maximum of the hour for 2
// years and of the day for 20. 1.24 MB at 10 s. Reports: one archive of 40 years of days, 0.12 MB.
#include "store/rrd_header.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_S       86400
#define HOUR_S      3600
#define MIDDLE_S    300
#define REPORT_ROWS (40 * 366)
// The build that is measured with very many series keeps less of each, so that a disk holds them (see
// tests/bench/README.md).
#ifndef NATIVE_ROWS
#define NATIVE_ROWS 69120 // 8 days at 10 s
#define MIDDLE_DAYS 35
#define HOUR_ROWS   (2 * 366 * 24)
#define DAY_ROWS    (20 * 366)
#endif
#define ROWS_MAX    (1u << 24)
#define LAST_UP_MAX INT64_C(253402300800) // the end of the year 9999

static void add(struct rrd_layout *l, const char *cf, uint32_t row_s, uint32_t rows)
{
    l->archives[l->count++] = (struct rrd_archive){cf, row_s / l->step_s, rows};
}

// The shortest multiple of the step that is at least 5 minutes and divides the hour.
static uint32_t middle_s(uint32_t step_s)
{
    uint32_t row_s = step_s;
    while (row_s < HOUR_S && (row_s < MIDDLE_S || HOUR_S % row_s != 0))
        row_s += step_s;
    return row_s;
}

static void measurement_layout(uint32_t step_s, struct rrd_layout *l)
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

enum err rrd_layout_of(const struct ledger_series *s, struct rrd_layout *l, struct diag *d)
{
    *l = (struct rrd_layout){0};
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

// ---- the bytes of a header
// ------------------------------------------------------------------------------------------

struct piece {
    const unsigned char *at;
    size_t left;
};

static bool take(struct piece *p, void *out, size_t size)
{
    if (p->left < size)
        return false;
    memcpy(out, p->at, size);
    p->at += size;
    p->left -= size;
    return true;
}

static bool read_header(int fd, struct rrd_header *h)
{
    unsigned char bytes[RRD_HEADER_BYTES];
    ssize_t got = pread(fd, bytes, sizeof bytes, 0);
    struct piece p = {bytes, got > 0 ? (size_t)got : 0};
    if (!take(&p, &h->stat, sizeof h->stat))
        return false;
    size_t count = h->stat.rra_cnt;
    if (memcmp(h->stat.cookie, RRD_COOKIE, sizeof RRD_COOKIE) != 0 ||
        memcmp(h->stat.version, "000", 3) != 0 || h->stat.version[3] < '3' || h->stat.version[3] > '5' ||
        h->stat.float_cookie != FLOAT_COOKIE || h->stat.ds_cnt != 1 || count < 1 || count > RRD_ARCHIVES_MAX)
        return false;
    if (!take(&p, &h->source, sizeof h->source) || !take(&p, h->archives, count * sizeof h->archives[0]))
        return false;
    h->live_at = p.at - bytes;
    if (!take(&p, &h->live, sizeof h->live) || !take(&p, &h->step, sizeof h->step) ||
        !take(&p, h->sums, count * sizeof h->sums[0]) || !take(&p, h->rows, count * sizeof h->rows[0]))
        return false;
    h->values_at = p.at - bytes;
    return true;
}

static size_t give(unsigned char *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return size;
}

void rrd_header_pack(const struct rrd_header *h, unsigned char out[RRD_HEADER_BYTES])
{
    const size_t count = h->stat.rra_cnt;
    size_t at = give(out, &h->stat, sizeof h->stat);
    at += give(out + at, &h->source, sizeof h->source);
    at += give(out + at, h->archives, count * sizeof h->archives[0]);
    at += give(out + at, &h->live, sizeof h->live);
    at += give(out + at, &h->step, sizeof h->step);
    at += give(out + at, h->sums, count * sizeof h->sums[0]);
    give(out + at, h->rows, count * sizeof h->rows[0]);
}

off_t rrd_header_file_bytes(const struct rrd_header *h)
{
    uint64_t values = 0;
    for (size_t i = 0; i < h->stat.rra_cnt; i++)
        values += h->archives[i].row_cnt;
    return h->values_at + (off_t)(values * sizeof(rrd_value_t));
}

// ---- a new one
// ------------------------------------------------------------------------------------------------------

static void make_archive(const struct rrd_archive *a, int64_t start, uint32_t step_s, rra_def_t *def,
                         cdp_prep_t *sums)
{
    memcpy(def->cf_nam, a->cf, strlen(a->cf));
    def->row_cnt = a->rows;
    def->pdp_cnt = a->steps;
    def->par[RRA_cdp_xff_val].u_val = 0.5;
    // What of its first row is over already is unknown.
    sums->scratch[CDP_val].u_val = rrd_set_to_DNAN();
    sums->scratch[CDP_unkn_pdp_cnt].u_cnt = (uint64_t)start / step_s % a->steps;
}

void rrd_header_make(const struct rrd_layout *l, int64_t start, uint64_t spread, struct rrd_header *out)
{
    struct rrd_header *h = out;
    memset(h, 0, sizeof *h); // its padding is in the file too
    memcpy(h->stat.cookie, RRD_COOKIE, sizeof RRD_COOKIE);
    memcpy(h->stat.version, RRD_VERSION3, sizeof RRD_VERSION3);
    h->stat.float_cookie = FLOAT_COOKIE;
    h->stat.ds_cnt = 1;
    h->stat.rra_cnt = l->count;
    h->stat.pdp_step = l->step_s;
    memcpy(h->source.ds_nam, "v", 2);
    memcpy(h->source.dst, "GAUGE", 6);
    h->source.par[DS_mrhb_cnt].u_cnt = l->step_s;
    h->source.par[DS_min_val].u_val = h->source.par[DS_max_val].u_val = rrd_set_to_DNAN();
    h->live.last_up = (time_t)start;
    memcpy(h->step.last_ds, "U", 2);
    h->step.scratch[PDP_val].u_val = rrd_set_to_DNAN();
    for (size_t i = 0; i < l->count; i++) {
        make_archive(&l->archives[i], start, l->step_s, &h->archives[i], &h->sums[i]);
        h->rows[i].cur_row = (spread * UINT64_C(0x9E3779B97F4A7C15) >> 32) % l->archives[i].rows;
    }
    h->live_at = (off_t)(sizeof h->stat + sizeof h->source + l->count * sizeof h->archives[0]);
    h->values_at = h->live_at + (off_t)(sizeof h->live + sizeof h->step +
                                        l->count * (sizeof h->sums[0] + sizeof h->rows[0]));
}

// ---- looking at a file before librrd does
// ---------------------------------------------------------------------------

// librrd multiplies and adds these numbers unchecked, and sizes its buffers by the results.
static bool plausible_archive(const rra_def_t *a, uint64_t cur_row, uint64_t step)
{
    return a->row_cnt >= 1 && a->row_cnt <= ROWS_MAX && a->pdp_cnt >= 1 && a->pdp_cnt <= DAY_S / step &&
           cur_row < a->row_cnt && memchr(a->cf_nam, '\0', sizeof a->cf_nam) != NULL;
}

static bool plausible(const struct rrd_header *h, off_t size)
{
    uint64_t step = h->stat.pdp_step;
    if (step < 1 || step > DAY_S)
        return false;
    for (size_t i = 0; i < h->stat.rra_cnt; i++) {
        if (!plausible_archive(&h->archives[i], h->rows[i].cur_row, step))
            return false;
    }
    return strcmp(h->source.ds_nam, "v") == 0 && strcmp(h->source.dst, "GAUGE") == 0 &&
           h->source.par[DS_mrhb_cnt].u_cnt == step && h->live.last_up > 0 &&
           h->live.last_up <= LAST_UP_MAX && (uint64_t)h->live.last_up % step == 0 &&
           h->live.last_up_usec == 0 && size == rrd_header_file_bytes(h);
}

static bool matches(const struct rrd_header *h, const struct rrd_layout *l)
{
    if (h->stat.pdp_step != l->step_s || h->stat.rra_cnt != l->count)
        return false;
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(h->archives[i].cf_nam, l->archives[i].cf) != 0 ||
            h->archives[i].pdp_cnt != l->archives[i].steps || h->archives[i].row_cnt != l->archives[i].rows)
            return false;
    return true;
}

int64_t rrd_mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

enum err rrd_header_read(int fd, const char *path, const struct rrd_layout *l, struct rrd_header *out,
                         struct diag *d)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return diag_errno(d, errno, "%s", path);
    if (!S_ISREG(st.st_mode) || !read_header(fd, out) || !plausible(out, st.st_size))
        return diag_fail(d, ERR_CORRUPT, "%s: not a whole round-robin file", path);
    if (l && !matches(out, l))
        return diag_fail(d, ERR_CORRUPT, "%s: a round-robin file of another step or with other archives",
                         path);
    out->mtime_ns = rrd_mtime_ns(&st);
    return ERR_OK;
}

enum err rrd_header_check(const char *path, const struct rrd_layout *l, struct rrd_header *out,
                          struct diag *d)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return diag_errno(d, errno, "%s", path);
    enum err e = rrd_header_read(fd, path, l, out, d);
    close(fd);
    return e;
}
