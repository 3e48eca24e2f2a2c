// Which rows hold nothing newer than the roll-ups: those that were received before their end need not be
// decoded, because nothing is accepted from the future; the few that came later are found through the
// observations and looked into. Gaps stay for ever, and so does a row that a sample was released from.
#include "base/log.h"
#include "collector/retention_state.h"
#include "wire/limits.h"
#include <stdlib.h>

// A row's figures are judged a moment after the time that it is said to be received at: twice what is
// accepted ahead of the clock is more than enough.
enum { HEADS_A_READ = 4096, BYTES_A_JOB = 4 << 20, MARGIN_S = 2 * WIRE_FUTURE_MAX_S };

// ---- by their age -------------------------------------------------------------------------------
struct plan {
    struct retention *r;
    struct diag *d;
    struct retain_job *job;
    int64_t received_us; // rows received up to here are old
    uint64_t projected;  // rows beyond are not in the projections yet
    bool in_run, all;    // all: the first row that is not old was met
    bool wait, full;
    uint64_t expected; // a late row's position; of old ones the next, where none is gone before it
    size_t rows;
    uint64_t bytes;
    int64_t streams[WIRE_SEAL_STREAMS];
    size_t stream_count;
};

static bool know_stream(struct plan *p, int64_t stream_id)
{
    for (size_t i = p->stream_count; i > 0; i--)
        if (p->streams[i - 1] == stream_id)
            return true;
    if (p->stream_count == WIRE_SEAL_STREAMS)
        return false;
    p->streams[p->stream_count++] = stream_id;
    return true;
}

// A damaged row stays where it is, with what verify says of it.
static enum err check(struct plan *p, const struct reader_row_head *h, bool *good)
{
    enum err e = reader_row_matches(p->r->o.reader, h->position, good, p->d);
    if (e == ERR_OK && !*good) {
        p->in_run = false;
        collector_count(p->r->o.counters, COUNTER_RETENTION_KEPT, 1);
        log_error("damaged_row_kept", F_INT("position", h->position), F_INT("stream_id", h->stream_id));
    }
    return e;
}

// False: no room in this job.
static bool take(struct plan *p, const struct reader_row_head *h)
{
    bool begins = !p->in_run;
    if ((begins && p->job->run_count == WIRE_SEAL_RUNS) || p->rows == LEDGER_DROP_ROWS ||
        (p->rows > 0 && p->bytes + h->body_bytes > BYTES_A_JOB) || !know_stream(p, h->stream_id))
        return false;
    if (begins)
        p->job->runs[p->job->run_count++].first = h->position;
    p->job->runs[p->job->run_count - 1].last = h->position;
    p->in_run = true;
    p->rows++;
    p->bytes += h->body_bytes;
    return true;
}

static enum err take_head(void *ctx, const struct reader_row_head *h)
{
    struct plan *p = ctx;
    p->all = h->received_us > p->received_us;
    p->wait = !p->all && h->position > p->projected;
    if (p->all || p->wait)
        return ERR_CLOSED;          // ends the reading
    if (h->position != p->expected) // what is gone has a seal of its own: no run goes over it
        p->in_run = false;
    p->expected = h->position + 1;
    if (h->class != WIRE_MEASUREMENT)
        return ERR_OK; // another chain: does not break the run
    if (h->kind != LEDGER_BATCH || h->released) {
        p->in_run = false;
        return ERR_OK;
    }
    bool good = false;
    enum err e = check(p, h, &good);
    if (e != ERR_OK || !good)
        return e;
    p->full = !take(p, h);
    return p->full ? ERR_CLOSED : ERR_OK;
}

static enum err submit_plan(struct retention *r, struct plan *p, struct diag *d)
{
    struct retain_job *job = p->job;
    p->job = NULL;
    return r->o.submit(r->o.ctx, job, d);
}

enum progress {
    PROGRESS_JOB,  // rows were dropped
    PROGRESS_READ, // rows were passed over
    PROGRESS_WAIT  // for the projections
};

static enum err drop_old(struct retention *r, enum progress *out, struct diag *d)
{
    struct plan *p = calloc(1, sizeof *p);
    uint64_t last = r->scanned;
    bool job = false;
    enum err e = p && (p->job = retain_job_create(RETAIN_DROP)) ? ERR_OK : ERR_NOMEM;
    if (e == ERR_OK) {
        p->r = r;
        p->d = d;
        p->received_us = (r->kept.rolled_until_s - MARGIN_S) * US_PER_S;
        p->projected = r->o.projected(r->o.ctx);
        e = reader_row_heads(r->o.reader, r->scanned, HEADS_A_READ, take_head, p, &last, d);
        if (e == ERR_CLOSED)
            e = ERR_OK;
        else if (e == ERR_OK && last == r->scanned)
            p->all = true; // the ledger's end
    }
    job = e == ERR_OK && p->job->run_count > 0;
    if (job)
        e = submit_plan(r, p, d);
    if (e == ERR_OK) {
        *out = job ? PROGRESS_JOB : p->wait ? PROGRESS_WAIT : PROGRESS_READ;
        r->scanned = last;
        r->scanned_all = p->all;
    }
    if (p)
        retain_job_destroy(p->job);
    free(p);
    return e;
}

// ---- that came late -----------------------------------------------------------------------------
// The head of one late row into the plan; rows between two of them end the run.
static enum err take_late_head(void *ctx, const struct reader_row_head *h)
{
    struct plan *p = ctx;
    bool there =
        h->position == p->expected && h->class == WIRE_MEASUREMENT && h->kind == LEDGER_BATCH && !h->released;
    if (!there) { // gone already, when the answer to an earlier job got lost; or a sample of it was let in
        p->in_run = false;
        return ERR_OK;
    }
    p->wait = h->position > p->projected;
    if (p->wait)
        return ERR_CLOSED;
    bool good = false;
    enum err e = check(p, h, &good);
    if (e != ERR_OK || !good)
        return e;
    p->full = !take(p, h);
    return p->full ? ERR_CLOSED : ERR_OK;
}

static enum err drop_late(struct retention *r, enum progress *out, struct diag *d)
{
    struct plan *p = calloc(1, sizeof *p);
    size_t at = r->late_at;
    bool job = false;
    enum err e = p && (p->job = retain_job_create(RETAIN_DROP)) ? ERR_OK : ERR_NOMEM;
    if (e == ERR_OK) {
        p->r = r;
        p->d = d;
        p->projected = r->o.projected(r->o.ctx);
    }
    for (; e == ERR_OK && at < r->late_count; at++) {
        uint64_t last;
        p->in_run = at > r->late_at && r->late[at] == r->late[at - 1] + 1 && p->in_run;
        p->expected = r->late[at];
        e = reader_row_heads(r->o.reader, r->late[at] - 1, 1, take_late_head, p, &last, d);
        if (e == ERR_CLOSED)
            break;
    }
    if (e == ERR_CLOSED)
        e = ERR_OK;
    job = e == ERR_OK && p->job->run_count > 0;
    if (job)
        e = submit_plan(r, p, d);
    if (e == ERR_OK) {
        *out = job ? PROGRESS_JOB : p->wait ? PROGRESS_WAIT : PROGRESS_READ;
        r->late_at = at;
    }
    if (p)
        retain_job_destroy(p->job);
    free(p);
    return e;
}

// ---- all ----------------------------------------------------------------------------------------
static enum err finish(struct retention *r, struct diag *d)
{
    struct ledger_kept until = r->kept;
    char text[WALL_TEXT];
    until.dropped_until_s = until.rolled_until_s;
    enum err e = retention_until(r, &until, d);
    if (e != ERR_OK)
        return e;
    r->scanned = 0;
    r->scanned_all = false;
    retention_late_forget(r);
    wall_text((struct wall){until.dropped_until_s * US_PER_S}, text);
    log_info("month_dropped", F_TEXT("until", text));
    return ERR_OK;
}

enum err retention_drop(struct retention *r, bool *did, struct diag *d)
{
    enum progress progress = PROGRESS_READ;
    bool all = false;
    enum err e = ERR_OK;
    *did = false;
    while (e == ERR_OK && !r->scanned_all && progress == PROGRESS_READ && !r->o.stopping(r->o.ctx))
        e = drop_old(r, &progress, d);
    while (e == ERR_OK && r->scanned_all && !all && progress == PROGRESS_READ && !r->o.stopping(r->o.ctx))
        e = r->late_at < r->late_count ? drop_late(r, &progress, d) : retention_list_late(r, &all, d);
    if (e == ERR_OK && all) {
        e = finish(r, d);
        progress = PROGRESS_JOB;
    }
    *did = e == ERR_OK && progress == PROGRESS_JOB;
    return e;
}
