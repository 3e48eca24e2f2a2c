// A total counts while nothing waits on its day. What the projection has not read yet is looked at first: a
// figure that is in neither the tail nor the days that wait is in the total.
#include "store/day_totals_internal.h"
#include <string.h>

#define TAIL_DAYS_MAX 4096

// Two's complement in two halves.
static int128 join(int64_t high, int64_t low)
{
    return (int128)high * ((int128)1 << 64) + (int128)(uint64_t)low;
}

bool day_total_column(struct db_stmt *s, int column, struct day_total *out)
{
    size_t len = 0;
    struct tally *t = &out->tally;
    const void *reals = db_blob(s, column + 4, &len);
    *t = (struct tally){.count = (uint64_t)db_int(s, column), .missing = (uint64_t)db_int(s, column + 1)};
    t->whole = join(db_int(s, column + 2), db_int(s, column + 3));
    if (len > sizeof t->reals.part || len % sizeof(double) != 0)
        return false;
    if (len > 0)
        memcpy(t->reals.part, reals, len);
    t->reals.count = len / sizeof(double);
    out->newest_us = db_int(s, column + 8);
    return figure_column(s, column + 5, &t->min) && figure_column(s, column + 6, &t->max) &&
           figure_column(s, column + 7, &t->last);
}

void day_total_bind(struct db_stmt *s, int i, const struct day_sum *sum)
{
    const struct tally *t = &sum->tally;
    db_bind_int(s, i, (int64_t)t->count);
    db_bind_int(s, i + 1, (int64_t)t->missing);
    db_bind_int(s, i + 2, (int64_t)(t->whole >> 64));
    db_bind_int(s, i + 3, (int64_t)(uint64_t)t->whole);
    if (t->reals.count > 0)
        db_bind_blob(s, i + 4, t->reals.part, t->reals.count * sizeof(double));
    else
        db_bind_null(s, i + 4);
    figure_bind(s, i + 5, t->count ? t->min : figure_missing());
    figure_bind(s, i + 6, t->count ? t->max : figure_missing());
    figure_bind(s, i + 7, t->count ? t->last : figure_missing());
    db_bind_int(s, i + 8, sum->newest_us);
    db_bind_int(s, i + 9, sum->raw);
}

// ---- what the projection has not read yet
// --------------------------------------------------------------------------------

struct tail {
    const struct zone *zone;
    int32_t day[TAIL_DAYS_MAX];
    size_t count;
    bool too_many;
};

static enum err take_tail(void *ctx, const struct point *p)
{
    struct tail *t = ctx;
    int32_t day = zone_day(t->zone, p->time - 1);
    for (size_t i = 0; i < t->count; i++)
        if (t->day[t->count - 1 - i] == day)
            return ERR_OK;
    t->too_many = t->count == TAIL_DAYS_MAX;
    if (!t->too_many)
        t->day[t->count++] = day;
    return t->too_many ? ERR_TOO_BIG : ERR_OK;
}

static bool in_tail(const struct tail *t, int32_t day)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->day[i] == day)
            return true;
    return false;
}

// ---- the totals
// ----------------------------------------------------------------------------------------------------------

static const char PARKS_ZONE[] = "SELECT version FROM day_zone WHERE park=?1";
static const char TOTALS[] =
    "SELECT day, known, missing, high, low, reals, min, max, last, newest_us FROM day_total WHERE "
    "series_id=?1 AND day>=?2 AND day<?3 ORDER BY day";
static const char WAITING[] =
    "SELECT 1 FROM day_waiting WHERE series_id=?1 AND day BETWEEN ?2 AND ?3 LIMIT 1";

struct reading {
    struct observations_reader *o;
    const struct ledger_series *series;
    const struct zone *zone;
    const struct tail *tail;
    struct db_stmt *waiting;
    day_total_visit visit;
    void *ctx;
};

static enum err visit_total(struct reading *r, struct db_stmt *s)
{
    struct day_total t = {.day = (int32_t)db_int(s, 0)};
    int64_t first = day_of(zone_midnight(r->zone, t.day));
    int64_t last = day_totals_noted(zone_midnight(r->zone, t.day + 1));
    bool waits = false;
    if (in_tail(r->tail, t.day))
        return ERR_OK;
    db_bind_int(r->waiting, 1, r->series->series_id);
    db_bind_int(r->waiting, 2, first);
    db_bind_int(r->waiting, 3, last);
    enum err e = db_step(r->waiting, &waits);
    db_reset(r->waiting);
    if (e != ERR_OK || waits)
        return e;
    return day_total_column(s, 1, &t) ? r->visit(r->ctx, &t) : ERR_CORRUPT;
}

static enum err visit_all(struct reading *r, int32_t first, int32_t end)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(r->o->db, TOTALS, &s, NULL);
    if (e == ERR_OK)
        e = db_prepare(r->o->db, WAITING, &r->waiting, NULL);
    if (e == ERR_OK) {
        db_bind_int(s, 1, r->series->series_id);
        db_bind_int(s, 2, first);
        db_bind_int(s, 3, end);
    }
    while (e == ERR_OK && (e = db_step(s, &row)) == ERR_OK && row)
        e = visit_total(r, s);
    db_finalize(s);
    db_finalize(r->waiting);
    return e;
}

static enum err read_totals(struct reading *r, int32_t first, int32_t end, struct diag *d)
{
    struct db_stmt *s = NULL;
    char park[PARK_BYTES], version[ZONE_VERSION];
    bool row = false;
    enum err e = observations_reader_begin(r->o, PARKS_ZONE, &s, d);
    if (e != ERR_OK)
        return e;
    day_totals_park(r->series->name, park);
    zone_version(r->zone, version);
    db_bind_text(s, 1, park);
    e = db_step(s, &row);
    if (e == ERR_OK && row && strcmp(db_text(s, 0), version) == 0)
        e = visit_all(r, first, end);
    if (e != ERR_OK)
        e = diag_fail(d, e, "%s: the totals of %s cannot be read: %s", r->o->path, r->series->name,
                      e == ERR_CORRUPT ? "damaged" : db_error(r->o->db));
    observations_reader_end(r->o, s);
    return e;
}

enum err day_totals_read(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                         const struct zone *z, int32_t first, int32_t end, day_total_visit visit, void *ctx,
                         struct diag *d)
{
    struct tail tail = {.zone = z};
    struct reading reading = {.o = o, .series = s, .zone = z, .tail = &tail, .visit = visit, .ctx = ctx};
    enum err e = points_read_tail(o, r, s, take_tail, &tail, d);
    if (tail.too_many)
        return ERR_OK;
    return e == ERR_OK ? read_totals(&reading, first, end, d) : e;
}
