// A month is closed when it ended longer ago than raw figures are kept, and nothing of it has come in for a
// while: a backfill of old years is not shut out while it runs. One month at a time, oldest first: closed,
// rolled up, dropped, then the next. Nothing is remembered here that the ledger does not say.
#include "base/log.h"
#include "collector/retention_state.h"
#include <stdlib.h>

#define LAG_MAX 10000 // rows that the observer may be behind when a month is looked for

enum err retention_create(const struct retention_options *o, struct retention **out, struct diag *d)
{
    struct retention *r = calloc(1, sizeof *r);
    if (!r)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    r->o = *o;
    *out = r;
    return ERR_OK;
}

void retention_destroy(struct retention *r)
{
    if (!r)
        return;
    free(r->series);
    retention_late_forget(r);
    free(r);
}

enum err retention_until(struct retention *r, const struct ledger_kept *until, struct diag *d)
{
    struct retain_job *j = retain_job_create(RETAIN_UNTIL);
    if (!j)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    j->until = *until;
    return r->o.submit(r->o.ctx, j, d);
}

// ---- which month is next ------------------------------------------------------------------------
// The month of the first day that has figures which are not closed yet. One at its 00:00:00 belongs to the
// month before it, which is closed with it.
static enum err next_month(struct retention *r, int64_t *month_s, struct diag *d)
{
    int64_t closed_s = r->kept.closed_until_s, day = 0;
    enum err e =
        observations_span_first_day(r->o.observations, closed_s ? closed_s / DAY_S : INT32_MIN, &day, d);
    if (e != ERR_OK)
        return e;
    int64_t month = rollup_month_of(day * DAY_S + 1);
    if (closed_s && month < closed_s)
        month = closed_s;
    while (rollup_month_next(month) <= 0) // a seal can't say that 1969 is closed: it is, with 1970
        month = rollup_month_next(month);
    *month_s = month;
    return ERR_OK;
}

struct newest {
    int64_t limit_us;
    bool found; // a row that was received later
};

static enum err take_received(void *ctx, const struct reader_row *row)
{
    struct newest *n = ctx;
    n->found = n->found || row->received_us > n->limit_us;
    return ERR_OK;
}

// The last row of a run is the one received last.
static enum err is_settled(struct retention *r, int64_t end_s, bool *settled, struct diag *d)
{
    struct newest n = {.limit_us = clock_wall(r->o.clock).us - r->o.settle_s * US_PER_S};
    struct retention_runs runs = {0};
    enum err e = retention_runs_before(r, end_s, &runs, d);
    for (size_t i = 0; e == ERR_OK && !n.found && i < runs.count; i++)
        e = reader_stream_rows(r->o.reader, runs.at[i].stream_id, runs.at[i].last, runs.at[i].last,
                               take_received, &n, d);
    free(runs.at);
    *settled = !n.found;
    return e;
}

// What time it is by the clock and by the figures: a clock that is years ahead would else close every month
// that there is, and nothing opens one again.
static enum err find_now(struct retention *r, int64_t *now_s, struct diag *d)
{
    int64_t day = 0;
    enum err e = observations_span_last_day(r->o.observations, &day, d);
    *now_s = clock_wall(r->o.clock).us / US_PER_S;
    if (e == ERR_OK && (day + 1) * DAY_S < *now_s)
        *now_s = (day + 1) * DAY_S;
    return e;
}

// What the observer has not read yet it can't tell the age of.
static enum err is_observed(struct retention *r, bool *observed, struct diag *d)
{
    uint64_t head, cursor;
    int64_t received_us;
    enum err e = reader_head(r->o.reader, &head, &received_us, d);
    if (e == ERR_OK)
        e = observations_reader_covered(r->o.observations, r->o.reader, &cursor, d);
    if (e == ERR_OK)
        *observed = cursor > 0 && cursor + LAG_MAX >= head;
    return e;
}

static enum err close_month(struct retention *r, bool *did, struct diag *d)
{
    struct ledger_kept until = r->kept;
    int64_t month_s = 0, now_s = 0;
    bool observed = false, settled = false;
    enum err e = is_observed(r, &observed, d);
    if (e != ERR_OK || !observed) {
        r->looked = false; // it will have soon
        return e;
    }
    if ((e = next_month(r, &month_s, d)) != ERR_OK || (e = find_now(r, &now_s, d)) != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    int64_t end_s = rollup_month_next(month_s);
    if (end_s + r->o.raw_s > now_s)
        return ERR_OK;
    if ((e = is_settled(r, end_s, &settled, d)) != ERR_OK || !settled)
        return e;
    until.closed_until_s = end_s;
    if ((e = retention_until(r, &until, d)) != ERR_OK)
        return e;
    char text[WALL_TEXT];
    wall_text((struct wall){end_s * US_PER_S}, text);
    log_info("month_closed", F_TEXT("until", text));
    *did = true;
    return ERR_OK;
}

// ---- steps --------------------------------------------------------------------------------------
static bool is_time_to_look(struct retention *r)
{
    struct mono now = clock_mono(r->o.clock);
    if (r->looked && mono_diff_ms(now, r->looked_at) < RETENTION_LOOK_S * 1000)
        return false;
    r->looked = true;
    r->looked_at = now;
    return true;
}

static void publish(const struct retention *r)
{
    collector_gauge_set(r->o.counters, GAUGE_CLOSED_UNTIL_S, r->kept.closed_until_s);
    collector_gauge_set(r->o.counters, GAUGE_ROLLED_UNTIL_S, r->kept.rolled_until_s);
    collector_gauge_set(r->o.counters, GAUGE_DROPPED_UNTIL_S, r->kept.dropped_until_s);
}

enum err retention_step(struct retention *r, bool *did, struct diag *d)
{
    *did = false;
    enum err e = reader_kept(r->o.reader, &r->kept, d);
    if (e != ERR_OK)
        return e;
    publish(r);
    // What has been begun is brought to its end, even where the settings say now to keep for ever.
    if (r->kept.rolled_until_s < r->kept.closed_until_s)
        e = retention_roll(r, did, d);
    else if (r->kept.dropped_until_s < r->kept.rolled_until_s)
        e = retention_drop(r, did, d);
    else if (r->o.raw_s > 0 && is_time_to_look(r))
        e = close_month(r, did, d);
    if (*did || e != ERR_OK) // the next month at once; what failed is tried again
        r->looked = false;
    return e == ERR_AGAIN ? ERR_OK : e;
}
