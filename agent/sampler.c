// Sources of one tick are collected together, when the last of them has answered or was given up: so a tick
// is one transaction and one sync, whatever the number of sources. A source with a long history gives it in
// portions between the ticks, and pauses while half of the spool's quota waits for the collector: its file
// keeps it better than the spool.
#include "agent/sampler.h"
#include "agent/sampler_internal.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

enum err sampler_tolerate(struct sampler *s, enum err e, const struct diag *d)
{
    if (e == ERR_OK) {
        if (s->disk_full)
            log_info("spool_writable", F_TEXT("state", s->options.config->state));
        s->disk_full = false;
        return ERR_OK;
    }
    if (e != ERR_FULL && e != ERR_AGAIN)
        return e;
    if (!s->disk_full)
        log_error("spool_not_writable", F_TEXT("error", err_name(e)), F_TEXT("reason", d->text),
                  F_TEXT("way_out",
                         "make room on the disk: figures from files are read later, from programs are lost"));
    s->disk_full = true;
    s->write_again.us = clock_mono(s->options.clock).us + SAMPLER_AGAIN_US;
    return ERR_OK;
}

// ---- life

static enum err env_get(void *ctx, const char *source, const char *key, void *out, size_t cap, size_t *len)
{
    const struct sampler *s = ctx;
    return spool_position_get(s->options.spool, source, key, out, cap, len);
}

static enum err env_each(void *ctx, const char *source, const char *prefix, position_visit visit,
                         void *visit_ctx)
{
    const struct sampler *s = ctx;
    return spool_position_each(s->options.spool, source, prefix, visit, visit_ctx);
}

static struct wire_declare declare_of(const struct agent_series *s)
{
    return (struct wire_declare){.series = s->declared,
                                 .unit = s->unit,
                                 .currency = s->currency,
                                 .class = s->class,
                                 .step_s = s->step_s,
                                 .period = (uint32_t)s->period};
}

static enum err number_series(struct sampler *s, struct wire_declare *wanted, struct diag *d)
{
    size_t count = 0;
    bool renewed = false;
    const struct agent_config *c = s->options.config;
    for (size_t i = 0; i < c->source_count; i++)
        for (size_t k = 0; k < c->sources[i].series_count; k++)
            wanted[count++] = declare_of(&c->sources[i].series[k]);
    enum err e = spool_adopt(s->options.spool, wanted, count, &renewed, d);
    if (e == ERR_OK)
        e = spool_declare(s->options.spool, wanted, count, s->numbers, d);
    if (renewed)
        log_warn("series_corrected", F_INT("series", count),
                 F_INT("dropped", spool_peek(s->options.spool)->counters.refused),
                 F_TEXT("meaning", "series the collector never accepted have left the configuration: a new "
                                   "incarnation is begun"));
    return e;
}

static enum err declare_all(struct sampler *s, struct diag *d)
{
    size_t total = 0;
    for (size_t i = 0; i < s->options.config->source_count; i++)
        total += s->options.config->sources[i].series_count;
    struct wire_declare *wanted = calloc(total ? total : 1, sizeof *wanted);
    s->numbers = calloc(total ? total : 1, sizeof *s->numbers);
    enum err e =
        wanted && s->numbers ? number_series(s, wanted, d) : diag_fail(d, ERR_NOMEM, "out of memory");
    free(wanted);
    return e;
}

static enum err load_feed(struct sampler *s, struct feed *f, struct diag *d)
{
    uint8_t bytes[SCHEDULE_BYTES_MAX];
    char text[STATUS_TEXT_MAX];
    size_t len = 0;
    const char *name = f->config->name;
    schedule_init(&f->schedule, f->config->every_s);
    enum err e = env_get(s, name, SAMPLER_SCHEDULE_KEY, bytes, sizeof bytes, &len);
    if (e == ERR_OK && schedule_decode(&f->schedule, bytes, len) != ERR_OK)
        e = ERR_CORRUPT;
    if (e == ERR_OK || e == ERR_NOT_FOUND)
        e = env_get(s, name, STATUS_KEY, text, sizeof text, &len);
    if (e == ERR_OK && status_decode_source(text, len, &f->status) != ERR_OK)
        f->status = (struct source_status){0};
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return diag_fail(d, e, "source %s: its stored position cannot be read: %s", name, err_text(e));
    // A program is asked at the next tick, not somewhere between two.
    int64_t tick;
    if (f->config->kind == AGENT_SOURCE_EXEC && f->config->class == WIRE_MEASUREMENT)
        (void)schedule_take(&f->schedule, clock_wall(s->options.clock), &tick);
    return ERR_OK;
}

static enum err create_feeds(struct sampler *s, struct diag *d)
{
    const struct agent_config *c = s->options.config;
    const uint32_t *numbers = s->numbers;
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < c->source_count; i++, s->feed_count++) {
        struct feed *f = &s->feeds[i];
        f->config = &c->sources[i];
        f->numbers = numbers;
        numbers += f->config->series_count;
        e = source_ops_of(f->config->kind)->create(f->config, &s->env, &f->source, d);
        if (e == ERR_OK)
            e = load_feed(s, f, d);
    }
    return e;
}

enum err sampler_create(const struct sampler_options *o, struct sampler **out, struct diag *d)
{
    uint64_t sequence;
    struct sampler *s = calloc(1, sizeof *s);
    if (!s)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    s->options = *o;
    s->env = (struct source_env){.clock = o->clock, .ctx = s, .get = env_get, .each = env_each};
    s->link_changed = true; // what a run before has left is no longer so
    s->feeds = calloc(o->config->source_count, sizeof *s->feeds);
    enum err e = s->feeds ? packer_create(&s->packer) : ERR_NOMEM;
    if (e != ERR_OK)
        (void)diag_fail(d, e, "out of memory");
    if (e == ERR_OK)
        e = declare_all(s, d);
    if (e == ERR_OK)
        e = create_feeds(s, d);
    if (e == ERR_OK && spool_peek_noted(o->spool, &sequence, &s->receipt)) {
        s->acknowledged = sequence;
        s->settle_at = clock_mono(o->clock);
    }
    if (e == ERR_OK)
        *out = s;
    else
        sampler_destroy(s);
    return e;
}

void sampler_destroy(struct sampler *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->feeds && i < s->options.config->source_count; i++)
        if (s->feeds[i].source)
            s->feeds[i].source->ops->destroy(s->feeds[i].source);
    free(s->feeds);
    free(s->numbers);
    packer_destroy(s->packer);
    free(s);
}

// ---- ticks

static void begin_due(struct sampler *s)
{
    struct wall now = clock_wall(s->options.clock);
    for (size_t i = 0; !s->stopping && i < s->feed_count; i++) {
        struct feed *f = &s->feeds[i];
        if (f->running || !schedule_take(&f->schedule, now, &f->tick_s))
            continue;
        if (f->config->kind != AGENT_SOURCE_EXEC)
            f->schedule.missed = 0; // a file that is looked at later says the same
        if (f->more)
            continue; // still giving what it found before
        f->source->ops->begin(f->source, f->tick_s);
        f->running = true;
        f->ended = false;
    }
}

static void advance_running(struct sampler *s)
{
    bool give_up = s->stopping && clock_mono(s->options.clock).us >= s->give_up.us;
    for (size_t i = 0; i < s->feed_count; i++) {
        struct feed *f = &s->feeds[i];
        if (!f->running || f->ended)
            continue;
        f->ended = f->source->ops->advance(f->source);
        if (!f->ended && give_up) {
            f->source->ops->abandon(f->source);
            f->running = false;
        }
    }
}

// The feeds of one tick that has fully ended, into out; 0: there is none.
static size_t find_ended_tick(struct sampler *s, struct feed **out)
{
    for (size_t i = 0; i < s->feed_count; i++) {
        size_t count = 0;
        bool whole = s->feeds[i].running;
        for (size_t k = 0; whole && k < s->feed_count; k++) {
            struct feed *f = &s->feeds[k];
            if (!f->running || f->tick_s != s->feeds[i].tick_s)
                continue;
            whole = f->ended;
            out[count++] = f;
        }
        if (whole)
            return count;
    }
    return 0;
}

static enum err collect_ended(struct sampler *s, struct diag *d)
{
    struct feed **feeds = calloc(s->feed_count, sizeof(struct feed *));
    enum err e = feeds ? ERR_OK : diag_fail(d, ERR_NOMEM, "out of memory");
    size_t count;
    while (e == ERR_OK && (count = find_ended_tick(s, feeds)) > 0) {
        for (size_t i = 0; i < count; i++)
            feeds[i]->running = false;
        e = sampler_collect(s, feeds, count, d);
    }
    free(feeds);
    return e;
}

// ---- backlogs

static bool spool_has_room(const struct sampler *s)
{
    return spool_peek(s->options.spool)->counters.spool_bytes < s->options.config->spool_max_bytes / 2;
}

static bool may_give(const struct sampler *s, const struct feed *f)
{
    return f->more && !f->running && clock_mono(s->options.clock).us >= f->again.us;
}

static enum err collect_backlog(struct sampler *s, struct diag *d)
{
    if (s->stopping || !spool_has_room(s))
        return ERR_OK;
    for (size_t k = 0; k < s->feed_count; k++) {
        size_t i = (s->next_backlog + k) % s->feed_count;
        struct feed *f = &s->feeds[i];
        if (!may_give(s, f))
            continue;
        s->next_backlog = i + 1;
        return sampler_collect(s, &f, 1, d);
    }
    return ERR_OK;
}

// ---- what the uplink asks

// An acknowledgement is of the sequences as they are now: on a disk that is full, or a file that is busy, the
// wish waits until it is stored. Applied to the sequences after it, it would count for what was never sent.
static enum err settle_pending(struct sampler *s, struct diag *d)
{
    struct spool *spool = s->options.spool;
    if (s->pending == PENDING_NOTHING || clock_mono(s->options.clock).us < s->pending_again.us)
        return ERR_OK;
    enum err e = sampler_settle(s, d);
    if (e != ERR_OK)
        return e;
    if (s->acknowledged > 0) {
        s->pending_again.us = clock_mono(s->options.clock).us + SAMPLER_AGAIN_US;
        return ERR_OK;
    }
    uint64_t generation = spool_peek(spool)->generation;
    if (s->pending == PENDING_REWIND) {
        e = spool_rewind(spool, s->rewind_to, d);
        if (e == ERR_CONFLICT)
            e = spool_renew(spool, d);
        else if (e == ERR_INVALID)
            e = ERR_OK; // done already
    } else {
        e = spool_renew(spool, d);
    }
    if (e == ERR_OK)
        s->pending = PENDING_NOTHING;
    else
        s->pending_again.us = clock_mono(s->options.clock).us + SAMPLER_AGAIN_US;
    if (spool_peek(spool)->generation != generation) {
        log_warn("spool_reconciled", F_INT("last_written", spool_peek(spool)->last_written),
                 F_INT("last_acknowledged", spool_peek(spool)->last_acknowledged),
                 F_INT("generation", spool_peek(spool)->generation));
        s->options.changed(s->options.ctx);
    }
    return sampler_tolerate(s, e, d);
}

// A disk that was full is tried again even when no source has anything to write: else what is spooled would
// wait for the next figure, which for a yearly report is a year away.
static bool may_write(const struct sampler *s)
{
    return !s->disk_full || clock_mono(s->options.clock).us >= s->write_again.us;
}

// Who looks at the status wants to see at once whether there is a connection, but not how much credit it has.
static bool link_is_due(const struct sampler *s, struct mono now)
{
    int64_t wait_us = s->link_waits ? SAMPLER_NOTED_US : SAMPLER_SETTLE_US;
    return s->link_changed && now.us >= s->link_written.us + wait_us;
}

// While a backlog waits for the window to move on, at once; else with the next batch, or when it has waited
// long.
static bool should_settle(const struct sampler *s)
{
    const struct spool_state *st = spool_peek(s->options.spool);
    struct mono now = clock_mono(s->options.clock);
    if (!may_write(s))
        return false;
    if (s->acknowledged > 0 && (st->sendable < st->last_written || now.us >= s->settle_at.us))
        return true;
    return link_is_due(s, now);
}

enum err sampler_settle(struct sampler *s, struct diag *d)
{
    return sampler_collect(s, NULL, 0, d);
}

static enum err move_window(struct sampler *s, struct diag *d)
{
    uint64_t before = spool_peek(s->options.spool)->sendable;
    enum err e = spool_allow(s->options.spool, s->sending, d);
    s->window_stuck = e != ERR_OK;
    if (e == ERR_OK && spool_peek(s->options.spool)->sendable != before)
        s->options.changed(s->options.ctx);
    return sampler_tolerate(s, e, d);
}

static enum err allow(struct sampler *s, bool sending, uint32_t declares_known, struct diag *d)
{
    spool_note_declares(s->options.spool, declares_known);
    s->sending = sending;
    return move_window(s, d);
}

static bool is_of_another_spool(const struct sampler *s, const struct sampler_request *r)
{
    return r->generation != 0 && r->generation != spool_peek(s->options.spool)->generation;
}

// The uplink may ask again before it has seen that it was done.
static void reconcile_later(struct sampler *s, const struct sampler_request *r)
{
    if (is_of_another_spool(s, r))
        return;
    s->pending = r->type == SAMPLER_REWIND ? PENDING_REWIND : PENDING_RENEW;
    s->rewind_to = r->sequence;
    s->pending_again = clock_mono(s->options.clock);
}

// Of sequences that are others now it says nothing; once the uplink has seen that, its Hello asks the
// collector how far it is.
static void acknowledge_later(struct sampler *s, const struct sampler_request *r)
{
    if (is_of_another_spool(s, r))
        return;
    if (r->sequence > spool_peek(s->options.spool)->last_written) {
        log_error("bad_acknowledgement", F_INT("sequence", r->sequence));
        return;
    }
    bool noted = spool_note_acknowledged(s->options.spool, r->sequence, &r->receipt);
    struct mono at = {clock_mono(s->options.clock).us + (noted ? SAMPLER_NOTED_US : SAMPLER_SETTLE_US)};
    if (s->acknowledged == 0 || at.us < s->settle_at.us)
        s->settle_at = at;
    s->acknowledged = r->sequence;
    s->receipt = r->receipt;
}

static void take_link(struct sampler *s, const struct uplink_link *now)
{
    struct uplink_link seen = *now; // what a person would look for
    seen.credit_bytes = s->link.credit_bytes;
    seen.skew_ms = s->link.skew_ms;
    if (!uplink_link_same(&s->link, &seen))
        s->link_waits = false;
    else if (!s->link_changed)
        s->link_waits = true;
    s->link_changed = s->link_changed || !uplink_link_same(&s->link, now);
    s->link = *now;
}

enum err sampler_request(struct sampler *s, const struct sampler_request *r, struct diag *d)
{
    switch (r->type) {
    case SAMPLER_ACKNOWLEDGE:
        acknowledge_later(s, r);
        return ERR_OK;
    case SAMPLER_ALLOW:
        return allow(s, r->sending, r->declares_known, d);
    case SAMPLER_REWIND:
    case SAMPLER_RENEW:
        reconcile_later(s, r);
        return ERR_OK;
    case SAMPLER_LINK:
        take_link(s, &r->link);
        return ERR_OK;
    }
    return ERR_OK;
}

// ---- the step

enum err sampler_step(struct sampler *s, struct diag *d)
{
    enum err e = settle_pending(s, d);
    if (e != ERR_OK)
        return e;
    begin_due(s);
    advance_running(s);
    e = collect_ended(s, d);
    if (e == ERR_OK)
        e = collect_backlog(s, d);
    if (e == ERR_OK && should_settle(s))
        e = sampler_settle(s, d);
    if (e == ERR_OK && s->window_stuck && may_write(s))
        e = move_window(s, d);
    return e;
}

int sampler_fds(const struct sampler *s, struct pollfd *out, int max)
{
    int n = 0;
    for (size_t i = 0; i < s->feed_count && n < max; i++)
        if (s->feeds[i].running && !s->feeds[i].ended)
            n += s->feeds[i].source->ops->fds(s->feeds[i].source, out + n, max - n);
    return n;
}

static int feed_wait_ms(const struct sampler *s, const struct feed *f)
{
    if (f->running && !f->ended) {
        int ms = f->source->ops->wait_ms(f->source);
        return ms >= 0 ? ms : 1000;
    }
    if (f->more && !s->stopping && spool_has_room(s))
        return may_give(s, f) ? 0 : 1000;
    if (s->stopping)
        return 1000;
    struct wall now = clock_wall(s->options.clock);
    int64_t us = schedule_next(&f->schedule, now).us - now.us;
    return us > US_PER_S ? 1000 : (int)((us + US_PER_MS - 1) / US_PER_MS);
}

// At most a second: the wall clock may be set meanwhile.
int sampler_wait_ms(const struct sampler *s)
{
    int least = s->link_changed && !s->link_waits ? 250 : 1000;
    for (size_t i = 0; i < s->feed_count; i++) {
        int ms = feed_wait_ms(s, &s->feeds[i]);
        if (ms < least)
            least = ms;
    }
    return least;
}

void sampler_stop(struct sampler *s, int64_t grace_ms)
{
    s->stopping = true;
    s->give_up.us = clock_mono(s->options.clock).us + grace_ms * US_PER_MS;
}

bool sampler_stopped(const struct sampler *s)
{
    for (size_t i = 0; i < s->feed_count; i++)
        if (s->feeds[i].running)
            return false;
    return s->stopping;
}
