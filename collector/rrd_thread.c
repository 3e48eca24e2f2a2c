// The shell around the RRD writer. Like the observations the files can be made again, so trouble with them is
// counted and tried again and never stops the collector.
#include "base/log.h"
#include "collector/pace.h"
#include "collector/service.h"

enum { IDLE_MS = 200, RETRY_MS = 1000, LOG_EVERY = 30, DIRTY_MAX_MS = 5000, REST_MAX_MS = 5000 };

struct rrd_shell {
    struct service *s;
    struct reader *reader;
    struct observations_reader *observations;
    struct rrd_writer *writer;
    unsigned failures; // in a row
    struct mono stopping;
    struct pace pace;
};

static enum err open_writer(struct rrd_shell *r, struct diag *d)
{
    struct rrd_writer_options o = {
        .state = r->s->config->state, .clock = r->s->clock, .counters = &r->s->counters};
    enum err e = r->reader ? ERR_OK : reader_open(o.state, &r->reader, d);
    if (e == ERR_OK && !r->observations)
        e = observations_reader_open(o.state, &r->observations,
                                     d); // NOT_FOUND until the observer has made it
    o.reader = r->reader;
    o.observations = r->observations;
    return e == ERR_OK ? rrd_writer_open(&o, &r->writer, d) : e;
}

// A full rebuild comes after the observer has begun a new file: the reader of the old one would wait for
// ever.
static enum err reopen_observations(struct rrd_shell *r, struct diag *d)
{
    struct observations_reader *fresh;
    enum err e = observations_reader_open(r->s->config->state, &fresh, d);
    if (e != ERR_OK)
        return e;
    rrd_writer_use(r->writer, fresh);
    observations_reader_close(r->observations);
    r->observations = fresh;
    return ERR_OK;
}

// True: there were some, and what they ask for is done by the next step.
static bool take_requests(struct rrd_shell *r)
{
    void *p;
    bool some = false;
    while (queue_take(r->s->to_rrd, 0, &p) == ERR_OK) {
        struct item *item = p;
        struct item_admin *a = item->admin;
        some = true;
        a->result = a->series[0] ? ERR_OK : reopen_observations(r, &a->diag);
        if (a->result == ERR_OK)
            a->result = rrd_writer_rebuild(r->writer, a->series, &a->count, &a->diag);
        if (queue_give(item->reply_to, item) != ERR_OK)
            item_destroy(item);
    }
    return some;
}

static enum err step(struct rrd_shell *r, size_t *did, struct diag *d)
{
    enum err e = r->writer ? ERR_OK : open_writer(r, d);
    if (e != ERR_OK)
        return e;
    (void)take_requests(r);
    e = rrd_writer_step(r->writer, did, d);
    cursor_publish(r->s->rrd_landed, rrd_writer_landed(r->writer));
    return e;
}

static void failed(struct rrd_shell *r, enum err e, const struct diag *d)
{
    bool starting = !r->writer && e == ERR_NOT_FOUND;
    if (!starting) {
        collector_count(&r->s->counters, COUNTER_RRD_ERRORS, 1);
        if (r->failures++ % LOG_EVERY == 0)
            log_error("rrd_writer_error", F_TEXT("error", err_name(e)), F_TEXT("reason", d->text));
    }
    cursor_wait(r->s->committed, UINT64_MAX, starting ? 10 : RETRY_MS);
}

static bool may_go_on(struct rrd_shell *r, size_t did)
{
    if (!atomic_load(&r->s->stop_projections))
        return true;
    struct mono now = clock_mono(r->s->clock);
    if (r->stopping.us == 0) {
        r->stopping = now;
        if (r->writer)
            rrd_writer_hurry(r->writer);
        return true;
    }
    int64_t took_ms = mono_diff_ms(now, r->stopping);
    bool dirty = r->writer && rrd_writer_dirty(r->writer) > 0; // the observer may be behind
    return did > 0 ? took_ms < COLLECTOR_LAND_MAX_S * 1000 : dirty && took_ms < DIRTY_MAX_MS;
}

static bool asked(struct rrd_shell *r)
{
    return rrd_writer_owes(r->writer, atomic_load(&r->s->rrd_asked)) || atomic_load(&r->s->stop_projections);
}

// Under load: for more values a visit, but not while somebody waits for what has come.
static void gather(struct rrd_shell *r)
{
    uint64_t enough;
    int64_t rest_ms = rrd_writer_rest_ms(r->writer, &enough);
    struct mono begun = clock_mono(r->s->clock);
    for (int64_t left_ms = rest_ms; left_ms > 0 && !asked(r);) {
        if (cursor_wait(r->s->committed, enough, (int)(left_ms < IDLE_MS ? left_ms : IDLE_MS)))
            return;
        if (take_requests(r))
            return;
        left_ms = rest_ms - mono_diff_ms(clock_mono(r->s->clock), begun);
    }
}

// Under more load than can be taken in, for what is on its way to an acknowledgement.
static void give_way(struct rrd_shell *r, struct mono begun, struct mono ended)
{
    struct service *s = r->s;
    const int64_t rest_ms =
        pace_rest_ms(&r->pace, begun, ended, rrd_writer_position(r->writer), cursor_position(s->committed),
                     collector_gauge(&s->counters, GAUGE_PRESSED) != 0, REST_MAX_MS);
    for (int64_t left_ms = rest_ms; left_ms > 0 && !asked(r) && collector_gauge(&s->counters, GAUGE_PRESSED);
         left_ms = rest_ms - mono_diff_ms(clock_mono(s->clock), ended)) {
        cursor_wait(s->committed, UINT64_MAX, (int)(left_ms < IDLE_MS ? left_ms : IDLE_MS));
        if (take_requests(r))
            return;
    }
}

// New rows wake it at once; a series that waits to be rebuilt is looked at each idle interval.
static void wait_for_work(struct rrd_shell *r)
{
    bool stopping = atomic_load(&r->s->stop_projections);
    cursor_wait(r->s->committed, rrd_writer_position(r->writer) + 1, stopping ? 10 : IDLE_MS);
}

static void stop(struct rrd_shell *r)
{
    struct diag d = {0};
    if (!r->writer)
        return;
    enum err e = rrd_writer_stop(r->writer, true, &d);
    if (e != ERR_OK)
        log_error("rrd_cursor_not_stored", F_TEXT("error", err_name(e)), F_TEXT("reason", d.text));
}

void *rrd_thread(void *service)
{
    struct rrd_shell r = {.s = service};
    size_t did = 1;
    while (may_go_on(&r, did)) {
        struct diag d = {0};
        const struct mono begun = clock_mono(r.s->clock);
        did = 0;
        enum err e = step(&r, &did, &d);
        const struct mono ended = clock_mono(r.s->clock);
        if (e != ERR_OK) {
            failed(&r, e, &d);
            continue;
        }
        r.failures = 0;
        if (did == 0) {
            wait_for_work(&r);
        } else {
            gather(&r);
            give_way(&r, begun, ended);
        }
    }
    stop(&r);
    rrd_writer_close(r.writer);
    observations_reader_close(r.observations);
    reader_close(r.reader);
    return NULL;
}
