// Days that are over, not those in progress: a live series would have its day added up anew every second. A
// day that waits is a UTC day; what is made anew are the local days that touch it.
#include "store/day_totals_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Until every local day that touches a UTC day is over, and a little.
#define OVER_S (26 * INT64_C(3600))

struct waiting {
    int64_t series_id;
    int64_t day;
};

struct settling {
    struct observations *o;
    struct observations_reader *view;
    struct reader *reader;
    const struct day_zones *zones;
    struct diag *d;
    struct waiting *waiting;
    size_t waiting_count;
    struct day_sum *sums; // three a waiting one at most
    size_t count;
};

static enum err fail(struct settling *s, enum err e)
{
    return observations_fail(s->o, e, "cannot keep totals of days", s->d);
}

static enum err run_for(struct settling *s, const char *sql, int64_t series_id)
{
    struct db_stmt *statement = NULL;
    enum err e = db_prepare(s->o->db, sql, &statement, s->d);
    if (e != ERR_OK)
        return e;
    db_bind_int(statement, 1, series_id);
    e = db_run(statement);
    db_finalize(statement);
    return e;
}

// ---- zones that changed
// --------------------------------------------------------------------------------------------------

// A day of the new zone may touch the day before or after the one that had the figures.
static enum err forget_series(void *ctx, const struct ledger_series *series)
{
    struct settling *s = ctx;
    enum err e = series->class == WIRE_MEASUREMENT
                     ? run_for(s,
                               "INSERT OR IGNORE INTO day_waiting SELECT series_id, day + n FROM day_total, "
                               "(SELECT -1 AS n UNION SELECT 0 UNION SELECT 1) WHERE series_id=?1",
                               series->series_id)
                     : ERR_OK;
    return e == ERR_OK ? run_for(s, "DELETE FROM day_total WHERE series_id=?1", series->series_id) : e;
}

static enum err save_zone(struct settling *s, const char *park, const char *version)
{
    struct db_stmt *statement = NULL;
    enum err e = db_prepare(s->o->db, "INSERT OR REPLACE INTO day_zone(park, version) VALUES(?1, ?2)",
                            &statement, s->d);
    if (e != ERR_OK)
        return e;
    db_bind_text(statement, 1, park);
    db_bind_text(statement, 2, version);
    e = db_run(statement);
    db_finalize(statement);
    return e;
}

static enum err forget_park(struct settling *s, const char *park, const char *version)
{
    char prefix[PARK_BYTES + 1];
    snprintf(prefix, sizeof prefix, "%s/", park);
    enum err e = db_begin(s->o->db, s->d);
    if (e != ERR_OK)
        return e;
    e = reader_series_list(s->reader, prefix, forget_series, s, s->d);
    if (e == ERR_OK)
        e = save_zone(s, park, version);
    if (e == ERR_OK)
        return db_commit(s->o->db, s->d);
    db_rollback(s->o->db);
    return fail(s, e);
}

// One whose totals lie on another zone than it has now; *park "" when there is none.
static enum err find_moved(struct settling *s, char park[PARK_BYTES], char version[ZONE_VERSION])
{
    struct db_stmt *statement = NULL;
    bool row = false;
    enum err e = db_prepare(s->o->db, "SELECT park, version FROM day_zone", &statement, s->d);
    park[0] = '\0';
    while (e == ERR_OK && !park[0] && (e = db_step(statement, &row)) == ERR_OK && row) {
        zone_version(s->zones->of(s->zones->ctx, db_text(statement, 0)), version);
        if (strcmp(version, db_text(statement, 1)) != 0)
            snprintf(park, PARK_BYTES, "%s", db_text(statement, 0));
    }
    db_finalize(statement);
    return e == ERR_OK ? e : fail(s, e);
}

static enum err check_zones(struct settling *s)
{
    char park[PARK_BYTES], version[ZONE_VERSION];
    for (;;) {
        enum err e = find_moved(s, park, version);
        if (e != ERR_OK || !park[0])
            return e;
        if ((e = forget_park(s, park, version)) != ERR_OK)
            return e;
    }
}

// ---- which days
// ----------------------------------------------------------------------------------------------------------

static enum err load_waiting(struct settling *s, int64_t now_s, size_t max)
{
    struct db_stmt *statement = NULL;
    bool row = false;
    enum err e = db_prepare(
        s->o->db, "SELECT series_id, day FROM day_waiting WHERE day<?1 ORDER BY day, series_id LIMIT ?2",
        &statement, s->d);
    if (e != ERR_OK)
        return e;
    db_bind_int(statement, 1, day_of(now_s - OVER_S));
    db_bind_int(statement, 2, (int64_t)max);
    while ((e = db_step(statement, &row)) == ERR_OK && row)
        s->waiting[s->waiting_count++] = (struct waiting){db_int(statement, 0), db_int(statement, 1)};
    db_finalize(statement);
    return e == ERR_OK ? e : fail(s, e);
}

static enum err lay_out(struct settling *s, const struct waiting *w)
{
    const struct ledger_series *series = NULL;
    char park[PARK_BYTES];
    enum err e = reader_series(s->reader, w->series_id, &series, s->d);
    if (e != ERR_OK)
        return e;
    day_totals_park(series->name, park);
    const struct zone *z = s->zones->of(s->zones->ctx, park);
    int32_t first = zone_day(z, w->day * DAY_S), last = zone_day(z, (w->day + 1) * DAY_S - 1);
    for (int32_t day = first; day <= last && day - first < 3; day++)
        s->sums[s->count++] = (struct day_sum){
            .series = series, .day = day, .from_s = zone_midnight(z, day), .to_s = zone_midnight(z, day + 1)};
    return ERR_OK;
}

static int by_series_day(const void *a, const void *b)
{
    const struct day_sum *x = a, *y = b;
    if (x->series != y->series)
        return x->series->series_id < y->series->series_id ? -1 : 1;
    return x->day < y->day ? -1 : x->day > y->day;
}

static enum err choose_days(struct settling *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->waiting_count; i++) {
        enum err e = lay_out(s, &s->waiting[i]);
        if (e != ERR_OK)
            return e;
    }
    qsort(s->sums, s->count, sizeof *s->sums, by_series_day);
    for (size_t i = 0; i < s->count; i++)
        if (kept == 0 || by_series_day(&s->sums[kept - 1], &s->sums[i]) != 0)
            s->sums[kept++] = s->sums[i];
    s->count = kept;
    return ERR_OK;
}

// ---- what is kept
// --------------------------------------------------------------------------------------------------------

static enum err save_total(struct db_stmt *insert, struct db_stmt *delete, const struct day_sum *sum)
{
    struct db_stmt *statement = sum->tally.count + sum->tally.missing > 0 ? insert : delete;
    db_bind_int(statement, 1, sum->series->series_id);
    db_bind_int(statement, 2, sum->day);
    if (statement == insert)
        day_total_bind(statement, 3, sum);
    return db_run(statement);
}

static enum err save_totals(struct settling *s)
{
    struct db_stmt *insert = NULL, *delete = NULL;
    enum err e =
        db_prepare(s->o->db,
                   "INSERT OR REPLACE INTO day_total(series_id, day, known, missing, high, low, reals,"
                   " min, max, last, newest_us, raw) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
                   &insert, s->d);
    if (e == ERR_OK)
        e = db_prepare(s->o->db, "DELETE FROM day_total WHERE series_id=?1 AND day=?2", &delete, s->d);
    for (size_t i = 0; e == ERR_OK && i < s->count; i++)
        e = save_total(insert, delete, &s->sums[i]);
    db_finalize(insert);
    db_finalize(delete);
    return e;
}

// The park of each series that is met for the first time.
static enum err save_zones(struct settling *s)
{
    char park[PARK_BYTES], before[PARK_BYTES] = "", version[ZONE_VERSION];
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < s->count; i++) {
        day_totals_park(s->sums[i].series->name, park);
        if (strcmp(park, before) == 0)
            continue;
        zone_version(s->zones->of(s->zones->ctx, park), version);
        e = save_zone(s, park, version);
        memcpy(before, park, sizeof before);
    }
    return e;
}

static enum err clear_waiting(struct settling *s)
{
    struct db_stmt *statement = NULL;
    enum err e =
        db_prepare(s->o->db, "DELETE FROM day_waiting WHERE series_id=?1 AND day=?2", &statement, s->d);
    for (size_t i = 0; e == ERR_OK && i < s->waiting_count; i++) {
        const struct waiting *w = &s->waiting[i];
        struct observations_latest_entry *entry = id_table_get(&s->o->latest, w->series_id);
        if (entry && entry->waiting_end_s == (w->day + 1) * DAY_S)
            entry->waiting_end_s = INT64_MIN + DAY_S; // its next figure is noted again
        db_bind_int(statement, 1, w->series_id);
        db_bind_int(statement, 2, w->day);
        e = db_run(statement);
    }
    db_finalize(statement);
    return e;
}

static enum err save(struct settling *s)
{
    enum err e = db_begin(s->o->db, s->d);
    if (e != ERR_OK)
        return e;
    e = save_totals(s);
    if (e == ERR_OK)
        e = save_zones(s);
    if (e == ERR_OK)
        e = clear_waiting(s);
    if (e == ERR_OK)
        return db_commit(s->o->db, s->d);
    db_rollback(s->o->db);
    return fail(s, e);
}

static enum err settle(struct settling *s, int64_t now_s, size_t max)
{
    s->waiting = calloc(max, sizeof *s->waiting);
    s->sums = calloc(3 * max, sizeof *s->sums);
    enum err e = s->waiting && s->sums ? check_zones(s) : ERR_NOMEM;
    if (e == ERR_OK)
        e = load_waiting(s, now_s, max);
    if (e != ERR_OK || s->waiting_count == 0)
        return e;
    if ((e = choose_days(s)) != ERR_OK)
        return e;
    e = day_totals_add_up(s->view, s->reader, s->sums, s->count, s->d);
    return e == ERR_OK ? save(s) : e;
}

enum err day_totals_settle(struct observations *o, struct observations_reader *view, struct reader *r,
                           const struct day_zones *zones, int64_t now_s, size_t max_days, size_t *days,
                           struct diag *d)
{
    struct settling s = {.o = o, .view = view, .reader = r, .zones = zones, .d = d};
    enum err e = settle(&s, now_s, max_days);
    if (e == ERR_OK)
        *days = s.waiting_count;
    free(s.waiting);
    free(s.sums);
    return e;
}
