// The shell around the retention. Nobody waits for it: each piece of work is followed by a pause several
// times as long, so that a month may take hours and receiving takes no notice.
#include "base/log.h"
#include "collector/control.h"
#include "collector/retention.h"
#include "collector/service.h"

enum {
    IDLE_MS = 1000,
    RETRY_MS = 5000,
    LOG_EVERY = 60,
    ANSWER_MS = 200,
    PAUSE_FACTOR = 3,
    PAUSE_MIN_MS = 10
};

struct retention_shell {
    struct service *s;
    struct reader *reader;
    struct observations_reader *observations;
    struct retention *retention;
    unsigned failures; // in a row
};

static bool is_stopping(void *ctx)
{
    const struct retention_shell *r = ctx;
    return atomic_load(&r->s->stop_ingest) || atomic_load(&r->s->failed);
}

static uint64_t projected(void *ctx)
{
    const struct retention_shell *r = ctx;
    uint64_t rrd = (uint64_t)collector_gauge(&r->s->counters, GAUGE_RRD_STORED_POSITION);
    uint64_t observed = cursor_position(r->s->observed);
    return rrd < observed ? rrd : observed;
}

// The item owns the job: when a stop ends the waiting, it is freed with whatever queue it is in.
static enum err submit(void *ctx, struct retain_job *job, struct diag *d)
{
    struct retention_shell *r = ctx;
    struct item *item = item_create(ITEM_RETAIN, r->s->to_retention);
    void *p = NULL;
    if (!item) {
        retain_job_destroy(job);
        return diag_fail(d, ERR_NOMEM, "out of memory");
    }
    item->admin->job = job;
    if (queue_give(r->s->to_committer, item) != ERR_OK) {
        item_destroy(item);
        return diag_fail(d, ERR_AGAIN, "the committer is busy");
    }
    while (queue_take(r->s->to_retention, ANSWER_MS, &p) != ERR_OK)
        if (is_stopping(r))
            return diag_fail(d, ERR_AGAIN, "stopping");
    struct item *answer = p; // one is on the way at a time
    enum err e = answer->admin->result;
    *d = answer->admin->diag;
    item_destroy(answer);
    return e;
}

static enum err open_parts(struct retention_shell *r, struct diag *d)
{
    const struct collector_config *c = r->s->config;
    enum err e = r->reader ? ERR_OK : reader_open(c->state, &r->reader, d);
    if (e == ERR_OK && !r->observations) // NOT_FOUND until the observer has made them
        e = observations_reader_open(c->state, &r->observations, d);
    const struct retention_options o = {.reader = r->reader,
                                        .observations = r->observations,
                                        .catalogue = r->s->catalogue,
                                        .parks = &r->s->parks,
                                        .clock = r->s->clock,
                                        .counters = &r->s->counters,
                                        .raw_s = c->retain_raw_s,
                                        .settle_s = c->retain_settle_s,
                                        .submit = submit,
                                        .projected = projected,
                                        .stopping = is_stopping,
                                        .ctx = r};
    return e == ERR_OK ? retention_create(&o, &r->retention, d) : e;
}

static void rest(struct retention_shell *r, int64_t ms)
{
    for (int64_t left = ms; left > 0 && !is_stopping(r); left -= ANSWER_MS)
        (void)cursor_wait(r->s->committed, UINT64_MAX, (int)(left < ANSWER_MS ? left : ANSWER_MS));
}

// Never longer than one request asks for, whatever the clock does meanwhile.
static bool is_held(const struct retention_shell *r)
{
    int64_t left_s = collector_gauge(&r->s->counters, GAUGE_RETENTION_HELD_UNTIL_S) -
                     clock_wall(clock_system()).us / US_PER_S;
    return left_s > 0 && left_s <= COLLECTOR_HOLD_S;
}

static void step(struct retention_shell *r)
{
    struct diag d = {0};
    if (is_held(r)) {
        rest(r, IDLE_MS);
        return;
    }
    bool did = false;
    struct mono begun = clock_mono(clock_system());
    enum err e = r->retention ? ERR_OK : open_parts(r, &d);
    bool starting = e == ERR_NOT_FOUND;
    if (e == ERR_OK)
        e = retention_step(r->retention, &did, &d);
    if (e == ERR_OK || starting) {
        r->failures = 0;
        int64_t rest_ms = PAUSE_FACTOR * mono_diff_ms(clock_mono(clock_system()), begun);
        rest(r, did ? (rest_ms > PAUSE_MIN_MS ? rest_ms : PAUSE_MIN_MS) : IDLE_MS);
        return;
    }
    collector_count(&r->s->counters, COUNTER_RETENTION_ERRORS, 1);
    if (r->failures++ % LOG_EVERY == 0)
        log_error("retention_error", F_TEXT("error", err_name(e)), F_TEXT("reason", d.text));
    rest(r, RETRY_MS);
}

void *retention_thread(void *service)
{
    struct retention_shell r = {.s = service};
    while (!is_stopping(&r))
        step(&r);
    retention_destroy(r.retention);
    observations_reader_close(r.observations);
    reader_close(r.reader);
    return NULL;
}
