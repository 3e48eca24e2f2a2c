// Observations follow the ledger. They can be made again at any time, so trouble with them never stops the
// collector: it is said, counted and tried again; a damaged file is forgotten and built anew.
#include "base/fs.h"
#include "base/log.h"
#include "collector/duties.h"
#include "collector/pace.h"
#include "collector/service.h"
#include "kpi/park_zones.h"
#include "kpi/period.h"
#include "store/day_totals.h"
#include "store/observations.h"
#include <stdio.h>

// Days are added up a few at a time: a figure that comes meanwhile must not wait for them.
enum { ROWS_MAX = 2000, IDLE_MS = 200, RETRY_MS = 1000, LOG_EVERY = 30, DAYS_MAX = 64, DAYS_MS = 1000 };
enum { DAYS_SHARE = 50, REST_MAX_MS = 500 };     // so long may a person's report wait for the next step
enum { GATHER_FACTOR = 8, GATHER_MAX_MS = 250 }; // as long as an answer waits for it (dashboards/flush.c)

struct observer {
    struct service *s;
    struct observations *observations;
    struct reader *reader;
    struct observations_reader *view;
    struct park_zones *zones;
    struct pace pace;
    int64_t days_again_us;              // monotonic
    bool more_duties;                   // of what residents owe some is to be said yet
    unsigned failures, duties_failures; // in a row
};

static void set_aside(struct observer *o)
{
    static const char *const suffix[] = {"", "-wal", "-shm"};
    char path[512], from[520], to[540];
    cursor_publish(o->s->observed, 0); // the next file has nothing of it
    observations_close(o->observations);
    o->observations = NULL;
    if (fs_join(path, sizeof path, o->s->config->state, OBSERVATIONS_FILE) != ERR_OK)
        return;
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        snprintf(from, sizeof from, "%s%s", path, suffix[i]);
        snprintf(to, sizeof to, "%s.damaged%s", path, suffix[i]);
        if (rename(from, to) != 0)
            (void)remove(from);
    }
}

// What a person reported stands until a source says otherwise. That is as it should be, but nobody should
// have to find it out by chance. Of rows from before this start it was said then.
static void revised(void *observer, const struct observations_change *c)
{
    const struct observer *o = observer;
    struct service *s = o->s;
    char period[PERIOD_TEXT];
    duties_revised(s->duties, c->series);
    if (!c->after[0] || c->author[0] || c->received_us < collector_gauge(&s->counters, GAUGE_STARTED_US))
        return;
    collector_count(&s->counters, COUNTER_REPORTS_OVERTAKEN, 1);
    period_text((struct period){(enum period_kind)c->series->period, c->period_start}, period);
    log_warn(
        "report_overtaken", F_TEXT("series", c->series->name), F_TEXT("period", period),
        F_TEXT("reported_by", c->after), F_INT("revision", c->revision), F_INT("key_id", c->key_id),
        F_TEXT("meaning", "an agent's source says another figure than the person did: the later one counts"));
}

static enum err open_files(struct observer *o, struct diag *d)
{
    bool opening = !o->observations;
    enum err e = o->reader ? ERR_OK : reader_open(o->s->config->state, &o->reader, d);
    if (e == ERR_OK && !o->observations) {
        e = observations_open(o->s->config->state, &o->observations, d);
        if (e == ERR_CORRUPT) {
            set_aside(o);
            e = observations_open(o->s->config->state, &o->observations, d);
        }
    }
    if (e == ERR_OK && opening && observations_renewed(o->observations))
        log_warn("observations_renewed",
                 F_TEXT("reason",
                        "the file was damaged or of another version: it is filled anew from the ledger"));
    if (e == ERR_OK && opening)
        observations_watch(o->observations, revised, o);
    return e;
}

// A cursor beyond the ledger's end: the ledger was restored from an older copy, and these speak of rows that
// are gone.
static enum err check_ahead(struct observer *o, struct diag *d)
{
    uint64_t position;
    int64_t received_us;
    enum err e = reader_head(o->reader, &position, &received_us, d);
    if (e != ERR_OK || observations_cursor(o->observations) <= position)
        return e;
    log_warn("observations_reset", F_INT("cursor", observations_cursor(o->observations)),
             F_INT("ledger", position));
    return observations_reset(o->observations, d);
}

// Closed and opened again, so that a file that was deleted under us is made anew.
static void take_requests(struct observer *o)
{
    void *p;
    while (queue_take(o->s->to_observer, 0, &p) == ERR_OK) {
        struct item *item = p;
        struct item_admin *a = item->admin;
        cursor_publish(o->s->observed, 0); // before the file is empty: somebody may decide by it
        observations_close(o->observations);
        o->observations = NULL;
        a->result = open_files(o, &a->diag);
        if (a->result == ERR_OK)
            a->result = observations_reset(o->observations, &a->diag);
        if (queue_give(item->reply_to, item) != ERR_OK)
            item_destroy(item);
    }
}

static enum err step(struct observer *o, size_t *rows, struct diag *d)
{
    bool first = !o->observations;
    enum err e = open_files(o, d);
    if (e == ERR_OK && first)
        e = check_ahead(o, d);
    take_requests(o);
    if (e == ERR_OK && !o->observations)
        e = open_files(o, d);
    if (e == ERR_OK)
        e = observations_advance(o->observations, o->reader, ROWS_MAX, rows, d);
    if (e == ERR_OK)
        cursor_publish(o->s->observed, observations_cursor(o->observations));
    return e;
}

// While rows come, adding up takes half of the time; looking in vain takes next to nothing of it.
static int64_t pause_until(const struct observer *o, int64_t begun_us, size_t days, size_t rows)
{
    int64_t now_us = clock_mono(o->s->clock).us, took_us = now_us - begun_us;
    if (days > 0)
        return rows > 0 ? now_us + took_us : now_us;
    return now_us + (DAYS_SHARE * took_us > DAYS_MS * US_PER_MS ? DAYS_SHARE * took_us : DAYS_MS * US_PER_MS);
}

// Totals of days that are over.
static enum err add_up_days(struct observer *o, size_t rows, struct diag *d)
{
    int64_t mono_us = clock_mono(o->s->clock).us;
    size_t days = 0;
    if (mono_us < o->days_again_us)
        return ERR_OK;
    enum err e = o->zones ? ERR_OK : park_zones_load(&o->s->parks, &o->zones, d);
    if (e == ERR_OK && !o->view)
        e = observations_reader_open(o->s->config->state, &o->view, d);
    const struct day_zones zones = {park_zones_of, o->zones};
    if (e == ERR_OK)
        e = day_totals_settle(o->observations, o->view, o->reader, &zones,
                              clock_wall(o->s->clock).us / US_PER_S, DAYS_MAX, &days, d);
    o->days_again_us = pause_until(o, mono_us, days, rows);
    return e;
}

// Trouble with it is said; the projection goes on.
static void tell_what_is_owed(struct observer *o)
{
    struct diag d = {""};
    enum err e = o->view ? ERR_OK : observations_reader_open(o->s->config->state, &o->view, &d);
    if (e == ERR_OK)
        e = duties_step(o->s->duties, o->view, o->reader, &o->more_duties, &d);
    if (e == ERR_OK)
        o->duties_failures = 0;
    else if (o->duties_failures++ % LOG_EVERY == 0)
        log_error("obligations_error", F_TEXT("error", err_name(e)), F_TEXT("reason", d.text));
}

static enum err take_received(void *ctx, const struct reader_row *row)
{
    *(int64_t *)ctx = row->received_us;
    return ERR_OK;
}

// Not while it is behind: each day would read all that is not yet read, and wait again afterwards, and what
// was reported long ago would pass for missing.
static bool has_turn(struct observer *o, size_t rows)
{
    int64_t now_us = clock_wall(o->s->clock).us, received_us = now_us;
    uint64_t last = 0;
    struct diag d = {""};
    enum err e = rows < ROWS_MAX ? ERR_OK
                                 : reader_rows(o->reader, observations_cursor(o->observations), 1,
                                               take_received, &received_us, &last, &d);
    return e == ERR_OK &&
           pace_turn(&o->pace, clock_mono(o->s->clock), rows < ROWS_MAX, (now_us - received_us) / US_PER_MS);
}

static void failed(struct observer *o, enum err e, const struct diag *d)
{
    collector_count(&o->s->counters, COUNTER_OBSERVER_ERRORS, 1);
    if (o->failures++ % LOG_EVERY == 0)
        log_error("observer_error", F_TEXT("error", err_name(e)), F_TEXT("reason", d->text));
    if (e == ERR_CORRUPT && o->failures > 1)
        set_aside(o); // a second try has failed as well
    cursor_wait(o->s->committed, UINT64_MAX, RETRY_MS);
}

static bool may_go_on(struct observer *o, size_t rows, struct mono *stopping)
{
    if (!atomic_load(&o->s->stop_projections))
        return true;
    struct mono now = clock_mono(o->s->clock);
    if (stopping->us == 0)
        *stopping = now;
    return rows > 0 && mono_diff_ms(now, *stopping) < COLLECTOR_LAND_MAX_S * 1000;
}

// A step writes the newest figure of each series that it met: it costs as much for one figure of each as for
// ten. So while all that has come is read, a step is followed by a rest of several times as long.
static int gather_ms(int64_t step_ms, size_t rows)
{
    int64_t ms = rows > 0 && rows < ROWS_MAX ? GATHER_FACTOR * step_ms : 0;
    return ms < GATHER_MAX_MS ? (int)ms : GATHER_MAX_MS;
}

static void give_way(struct observer *o, struct mono begun, int64_t step_ms, size_t rows)
{
    struct service *s = o->s;
    const struct mono now = clock_mono(s->clock);
    bool stopping = atomic_load(&s->stop_projections);
    bool pressed = collector_gauge(&s->counters, GAUGE_PRESSED) && !stopping;
    int rest_ms = pace_rest_ms(&o->pace, begun, now, observations_cursor(o->observations),
                               cursor_position(s->committed), pressed, REST_MAX_MS);
    const int more_ms = stopping ? 0 : gather_ms(step_ms, rows);
    rest_ms = more_ms > rest_ms ? more_ms : rest_ms;
    if (rest_ms > 0)
        cursor_wait(s->committed, UINT64_MAX, rest_ms);
}

void *observer_thread(void *service)
{
    struct observer o = {.s = service};
    struct mono stopping = {0};
    size_t rows = 1;
    while (may_go_on(&o, rows, &stopping)) {
        struct diag d = {0};
        const struct mono begun = clock_mono(o.s->clock);
        rows = 0;
        enum err e = step(&o, &rows, &d);
        const int64_t step_ms = mono_diff_ms(clock_mono(o.s->clock), begun);
        bool turn = e == ERR_OK && has_turn(&o, rows);
        if (turn && !atomic_load(&o.s->stop_projections))
            e = add_up_days(&o, rows, &d);
        if (e != ERR_OK) {
            failed(&o, e, &d);
            continue;
        }
        o.failures = 0;
        o.more_duties = false;
        if (turn)
            tell_what_is_owed(&o);
        bool days_wait = o.days_again_us <= clock_mono(o.s->clock).us;
        if (rows == 0 && !days_wait && !o.more_duties && !atomic_load(&o.s->stop_projections))
            cursor_wait(o.s->committed, observations_cursor(o.observations) + 1, IDLE_MS);
        else
            give_way(&o, begun, step_ms, rows);
    }
    observations_close(o.observations);
    observations_reader_close(o.view);
    reader_close(o.reader);
    park_zones_free(o.zones);
    return NULL;
}
