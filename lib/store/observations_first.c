// Where a series begins, from what the projection keeps anyway: little is decoded, so that a page can ask at
// each view.
#include "store/day_totals_internal.h"
#include "store/reader_keep.h"
#include "store/rollup.h"

#define HOUR_S          3600
#define READ_POINTS_MAX 100000
#define WAITING_READ    8

static enum err ask(struct db *db, const char *sql, int64_t id, int64_t *day, bool *known)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(db, sql, &s, NULL);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, id);
    if ((e = db_step(s, &row)) == ERR_OK && row && !db_is_null(s, 0) && (!*known || db_int(s, 0) < *day)) {
        *day = db_int(s, 0);
        *known = true;
    }
    db_finalize(s);
    return e;
}

static enum err ask_streams(struct observations_reader *o, struct reader *r, int64_t series_id, int64_t *day,
                            bool *known)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(r->db, "SELECT DISTINCT stream_id FROM declare WHERE series_id=?", &s, NULL);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, series_id);
    while ((e = db_step(s, &row)) == ERR_OK && row)
        if ((e = ask(o->db, "SELECT min(day) FROM span WHERE stream_id=?", db_int(s, 0), day, known)) !=
            ERR_OK)
            break;
    db_finalize(s);
    return e;
}

static enum err ask_release(struct db_stmt *span, int64_t stream_id, int64_t sequence, int64_t *day,
                            bool *known)
{
    bool row = false;
    db_bind_int(span, 1, stream_id);
    db_bind_int(span, 2, sequence);
    enum err e = db_step(span, &row);
    if (e == ERR_OK && row && !db_is_null(span, 0) && (!*known || db_int(span, 0) < *day)) {
        *day = db_int(span, 0);
        *known = true;
    }
    db_reset(span);
    return e;
}

// A figure that was refused at first lies in the stream of releases, which declares nothing.
static enum err ask_releases(struct observations_reader *o, struct reader *r, int64_t series_id, int64_t *day,
                             bool *known)
{
    struct db_stmt *s = NULL, *span = NULL;
    bool row = false;
    enum err e = db_prepare(r->db,
                            "SELECT stream_id, sequence FROM batch WHERE position IN (SELECT released FROM"
                            " release WHERE stream_id IN (SELECT stream_id FROM declare WHERE series_id=?))",
                            &s, NULL);
    if (e == ERR_OK)
        e = db_prepare(o->db,
                       "SELECT min(day) FROM span WHERE stream_id=?1 AND first_sequence<=?2 AND"
                       " last_sequence>=?2",
                       &span, NULL);
    if (e == ERR_OK)
        db_bind_int(s, 1, series_id);
    while (e == ERR_OK && (e = db_step(s, &row)) == ERR_OK && row)
        e = ask_release(span, db_int(s, 0), db_int(s, 1), day, known);
    db_finalize(span);
    db_finalize(s);
    return e;
}

struct beginning {
    int64_t day;
    bool known;
};

static enum err first_cell(void *ctx, const struct reader_rollup *r)
{
    struct beginning *b = ctx;
    if (b->known || r->rollup->count == 0)
        return ERR_OK;
    b->day = day_of(rollup_cell_end(r->rollup, &r->rollup->cells[0]) - 1);
    b->known = true;
    return ERR_OK;
}

// The first roll-up has cells; those that follow need not be read.
static enum err ask_rollups(struct reader *r, int64_t series_id, int64_t *day, bool *known)
{
    struct db_stmt *s = NULL;
    struct beginning b = {0};
    bool row = false;
    enum err e = db_prepare(r->db, "SELECT min(month_s) FROM rollup WHERE series_id=?", &s, NULL);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, series_id);
    if ((e = db_step(s, &row)) == ERR_OK && row && !db_is_null(s, 0))
        e = reader_rollups(r, series_id, db_int(s, 0), db_int(s, 0) + 1, first_cell, &b, NULL);
    db_finalize(s);
    if (e == ERR_OK && b.known && (!*known || b.day < *day)) {
        *day = b.day;
        *known = true;
    }
    return e;
}

static enum err ask_measured(struct observations_reader *o, struct reader *r, int64_t series_id, int64_t *day,
                             bool *known)
{
    enum err e = ask_streams(o, r, series_id, day, known);
    if (e == ERR_OK)
        e = ask_releases(o, r, series_id, day, known);
    return e == ERR_OK ? ask_rollups(r, series_id, day, known) : e;
}

enum err observations_first_day(struct observations_reader *o, struct reader *r,
                                const struct ledger_series *s, int32_t *day, struct diag *d)
{
    int64_t first = 0;
    bool known = false;
    enum err e = s->class == WIRE_MEASUREMENT
                     ? ask_measured(o, r, s->series_id, &first, &known)
                     : ask(o->db, "SELECT min(period_start) FROM observation WHERE series_id=?", s->series_id,
                           &first, &known);
    if (e != ERR_OK)
        return diag_fail(d, e, "%s: cannot find its beginning: %s", s->name, db_error(o->db));
    if (!known)
        return diag_fail(d, ERR_NOT_FOUND, "%s: no figure yet", s->name);
    *day = (int32_t)first;
    return ERR_OK;
}

// ---- the series' own first figure

struct first_known {
    const struct zone *zone;
    int32_t day;
    bool known;
};

static enum err stop_at_known(void *ctx, const struct point *p)
{
    struct first_known *f = ctx;
    if (p->value.kind == FIGURE_MISSING)
        return ERR_OK;
    f->day = zone_day(f->zone, p->time - 1);
    f->known = true;
    return ERR_AGAIN;
}

// Of one UTC day, most often among its first hours.
static enum err read_day(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                         int64_t day, struct first_known *f, struct diag *d)
{
    static const int64_t parts_s[] = {0, HOUR_S, 6 * HOUR_S, 24 * HOUR_S};
    enum err e = ERR_OK;
    for (size_t i = 0; i + 1 < sizeof parts_s / sizeof *parts_s && e == ERR_OK; i++)
        e = points_read(o, r, s, day * DAY_S + parts_s[i], day * DAY_S + parts_s[i + 1], READ_POINTS_MAX,
                        stop_at_known, f, d);
    return e == ERR_AGAIN ? ERR_OK : e;
}

static enum err next_waiting(struct observations_reader *o, int64_t series_id, int64_t *day, bool *any)
{
    struct db_stmt *s = NULL;
    enum err e = db_prepare(
        o->db, "SELECT day FROM day_waiting WHERE series_id=? AND day>? ORDER BY day LIMIT 1", &s, NULL);
    *any = false;
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, series_id);
    db_bind_int(s, 2, *day);
    if ((e = db_step(s, any)) == ERR_OK && *any)
        *day = db_int(s, 0);
    db_finalize(s);
    return e;
}

static enum err ask_totals(struct observations_reader *o, int64_t series_id, int64_t *day, bool *known)
{
    return ask(o->db, "SELECT day FROM day_total WHERE series_id=? AND known>0 ORDER BY day LIMIT 1",
               series_id, day, known);
}

// A day with figures has its total or waits for it (a UTC day, which may lie on two local ones). Totals are
// asked once more at the end: a day that waited may have got its own meanwhile.
enum err observations_first_local_day(struct observations_reader *o, struct reader *r,
                                      const struct ledger_series *s, const struct zone *zone, int32_t *day,
                                      struct diag *d)
{
    struct first_known f = {.zone = zone};
    int64_t total = INT32_MAX, waiting = INT64_MIN;
    bool has_total = false, waits = true;
    if (s->class != WIRE_MEASUREMENT)
        return observations_first_day(o, r, s, day, d);
    enum err e = ask_totals(o, s->series_id, &total, &has_total);
    for (int i = 0; i < WAITING_READ && e == ERR_OK && waits && !f.known; i++) {
        e = next_waiting(o, s->series_id, &waiting, &waits);
        if (e == ERR_OK && waits && waiting > total)
            break; // no local day of it is before that one
        if (e == ERR_OK && waits && (e = read_day(o, r, s, waiting, &f, d)) != ERR_OK)
            return e;
    }
    if (e == ERR_OK)
        e = ask_totals(o, s->series_id, &total, &has_total);
    if (e != ERR_OK)
        return diag_fail(d, e, "%s: cannot find its beginning: %s", s->name, db_error(o->db));
    if (!f.known && !has_total)
        return diag_fail(d, ERR_NOT_FOUND, "%s: no figure yet", s->name);
    *day = f.known && f.day < total ? f.day : (int32_t)total;
    return ERR_OK;
}
