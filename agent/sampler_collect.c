// One transaction for all that a tick brought: the batches, how far each source was read, when it ran, and
// the counters. If it fails, nothing of it has happened: files are read again later; what a program printed
// is gone and counted as refused.
#include "agent/sampler_internal.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_EVERY_US (60 * US_PER_S) // where nothing but the time of the last run has changed
#define LOG_AGAIN_US    (3600 * US_PER_S)

struct collection {
    struct sampler *sampler;
    struct feed *const *feeds;
    size_t count;
    struct harvest *harvests; // of each feed
    struct spool_position *positions;
    size_t position_count, position_cap;
    char (*texts)[STATUS_TEXT_MAX]; // of each feed, and of the connection
    uint8_t (*schedules)[SCHEDULE_BYTES_MAX];
    uint64_t samples;
    struct spool_change change;
};

static enum err add_position(struct collection *c, const char *source, const char *key, const void *bytes,
                             size_t len)
{
    if (c->position_count == c->position_cap) {
        size_t cap = c->position_cap ? c->position_cap * 2 : 16;
        struct spool_position *more = realloc(c->positions, cap * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        c->positions = more;
        c->position_cap = cap;
    }
    c->positions[c->position_count++] =
        (struct spool_position){.source = source, .key = key, .bytes = bytes, .len = len};
    return ERR_OK;
}

// ---- one feed

static void log_errors(struct feed *f, const struct harvest *h, struct mono now)
{
    char text[sizeof f->logged];
    harvest_first_error(h, text, sizeof text);
    bool same = strcmp(text, f->logged) == 0 && now.us < f->logged_at.us + LOG_AGAIN_US;
    if (same)
        return;
    memcpy(f->logged, text, sizeof text);
    f->logged_at = now;
    log_warn("source_errors", F_TEXT("source", f->config->name), F_INT("errors", h->errors),
             F_TEXT("first", text));
}

static void note_run(struct sampler *s, struct feed *f, const struct harvest *h)
{
    int64_t now_us = clock_wall(s->options.clock).us;
    struct source_status *st = &f->status;
    st->last_run_us = now_us;
    st->errors += h->errors;
    st->skipped += h->skipped;
    st->missed += f->schedule.missed;
    f->status_changed = f->status_changed || h->errors > 0 || h->skipped > 0 || f->schedule.missed > 0;
    f->schedule.missed = 0;
    if (h->errors == 0)
        return;
    harvest_first_error(h, st->last_error, sizeof st->last_error);
    st->last_error_us = now_us;
    log_errors(f, h, clock_mono(s->options.clock));
}

static enum err take_feed(struct collection *c, size_t i)
{
    struct feed *f = c->feeds[i];
    struct harvest *h = &c->harvests[i];
    enum err e = f->source->ops->take(f->source, SAMPLER_PORTION, h);
    if (e != ERR_OK)
        return e;
    note_run(c->sampler, f, h);
    c->samples += h->count;
    c->change.source_errors += h->errors;
    for (size_t k = 0; e == ERR_OK && k < h->position_count; k++)
        e = add_position(c, f->config->name, h->positions[k].key, h->positions[k].bytes, h->positions[k].len);
    return e;
}

// The schedule is stored for what can't be asked twice for one time; a file can.
static enum err add_schedule(struct collection *c, size_t i)
{
    struct feed *f = c->feeds[i];
    if (f->config->kind != AGENT_SOURCE_EXEC)
        return ERR_OK;
    size_t len = schedule_encode(&f->schedule, c->schedules[i]);
    return add_position(c, f->config->name, SAMPLER_SCHEDULE_KEY, c->schedules[i], len);
}

static enum err add_status(struct collection *c, size_t i)
{
    struct feed *f = c->feeds[i];
    struct mono now = clock_mono(c->sampler->options.clock);
    bool worth = f->status_changed || c->samples > 0 || f->status_written.us == 0 ||
                 now.us >= f->status_written.us + STATUS_EVERY_US;
    if (!worth)
        return ERR_OK;
    size_t len = status_encode_source(&f->status, c->texts[i]);
    return len ? add_position(c, f->config->name, STATUS_KEY, c->texts[i], len) : ERR_OK;
}

static enum err add_link(struct collection *c)
{
    struct sampler *s = c->sampler;
    struct mono now = clock_mono(s->options.clock);
    if (!s->link_changed ||
        (s->link_written.us != 0 && now.us < s->link_written.us + SAMPLER_SETTLE_US && !s->stopping))
        return ERR_OK;
    size_t len = status_encode_link(&s->link, c->texts[c->count]);
    return len ? add_position(c, "", STATUS_LINK_KEY, c->texts[c->count], len) : ERR_OK;
}

// ---- packing

static enum err pack_sample(struct sampler *s, const struct feed *f, const struct harvest_sample *sample)
{
    const struct wire_sample wire = {
        .series = f->numbers[sample->series], .time = sample->time, .value = sample->value};
    const struct wire_note note = {.status = sample->reason ? WIRE_MISSING : WIRE_NORMAL,
                                   .reason = sample->reason ? sample->reason : "",
                                   .author = "",
                                   .currency = "",
                                   .published_us = sample->published_us};
    bool says = sample->reason || sample->published_us != 0;
    return packer_add(s->packer, f->config->class, &wire, says ? &note : NULL);
}

static enum err pack(struct collection *c, struct diag *d)
{
    static const enum wire_class classes[] = {WIRE_MEASUREMENT, WIRE_REPORT};
    struct sampler *s = c->sampler;
    const struct spool_state *st = spool_peek(s->options.spool);
    enum err e = ERR_OK;
    packer_begin(s->packer, &st->incarnation, st->last_written + 1);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < c->count; i++)
            for (size_t n = 0;
                 e == ERR_OK && c->feeds[i]->config->class == classes[k] && n < c->harvests[i].count; n++)
                e = pack_sample(s, c->feeds[i], &c->harvests[i].samples[n]);
    if (e == ERR_OK)
        e = packer_finish(s->packer, &c->change.rows, &c->change.row_count);
    return e == ERR_OK ? ERR_OK : diag_fail(d, e, "cannot pack a batch: %s", err_text(e));
}

// ---- storing

static bool worth_storing(const struct collection *c)
{
    const struct sampler *s = c->sampler;
    return c->change.row_count > 0 || c->position_count > 0 || c->change.source_errors > 0 ||
           s->acknowledged > 0 || s->lost_sampled > 0 || s->lost_errors > 0;
}

static enum err store(struct collection *c, struct diag *d)
{
    struct sampler *s = c->sampler;
    c->change.positions = c->positions;
    c->change.position_count = c->position_count;
    c->change.sampled = c->samples + s->lost_sampled;
    c->change.refused = s->lost_refused;
    c->change.source_errors += s->lost_errors;
    c->change.acknowledged = s->acknowledged;
    c->change.receipt = s->receipt;
    return worth_storing(c) ? spool_append(s->options.spool, &c->change, d) : ERR_OK;
}

static void settle_stored(struct collection *c)
{
    struct sampler *s = c->sampler;
    struct mono now = clock_mono(s->options.clock);
    for (size_t i = 0; i < c->count; i++) {
        struct feed *f = c->feeds[i];
        f->more = c->harvests[i].more;
        f->source->ops->settled(f->source, true);
        if (c->texts[i][0]) {
            f->status_written = now;
            f->status_changed = false;
        }
    }
    if (c->texts[c->count][0]) {
        s->link_changed = s->link_waits = false;
        s->link_written = now;
    }
    s->lost_sampled = s->lost_refused = s->lost_errors = 0;
    s->acknowledged = 0;
    if (worth_storing(c))
        s->options.changed(s->options.ctx);
}

static void settle_lost(struct collection *c)
{
    struct sampler *s = c->sampler;
    struct mono again = {clock_mono(s->options.clock).us + SAMPLER_AGAIN_US};
    for (size_t i = 0; i < c->count; i++) {
        struct feed *f = c->feeds[i];
        s->lost_errors += c->harvests[i].errors;
        f->source->ops->settled(f->source, false);
        if (f->config->kind == AGENT_SOURCE_EXEC) {
            s->lost_sampled += c->harvests[i].count;
            s->lost_refused += c->harvests[i].count;
        } else {
            f->more = true; // to be read again
            f->again = again;
        }
    }
}

static enum err allocate(struct collection *c)
{
    c->harvests = calloc(c->count ? c->count : 1, sizeof *c->harvests);
    c->texts = calloc(c->count + 1, sizeof *c->texts);
    c->schedules = calloc(c->count ? c->count : 1, sizeof *c->schedules);
    if (!c->harvests || !c->texts || !c->schedules)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->count; i++)
        harvest_init(&c->harvests[i]);
    return ERR_OK;
}

static void release(struct collection *c)
{
    for (size_t i = 0; c->harvests && i < c->count; i++)
        harvest_deinit(&c->harvests[i]);
    free(c->harvests);
    free(c->texts);
    free(c->schedules);
    free(c->positions);
    packer_begin(c->sampler->packer, &(struct wire_incarnation){{0}}, 1); // lets go of the bodies
}

static enum err fill(struct collection *c, struct diag *d)
{
    enum err e = allocate(c);
    for (size_t i = 0; e == ERR_OK && i < c->count; i++)
        e = take_feed(c, i);
    for (size_t i = 0; e == ERR_OK && i < c->count; i++) {
        e = add_schedule(c, i);
        if (e == ERR_OK)
            e = add_status(c, i);
    }
    if (e == ERR_OK)
        e = add_link(c);
    return e == ERR_OK ? pack(c, d) : diag_fail(d, e, "cannot read the sources: %s", err_text(e));
}

enum err sampler_collect(struct sampler *s, struct feed *const *feeds, size_t count, struct diag *d)
{
    struct collection c = {.sampler = s, .feeds = feeds, .count = count};
    enum err e = fill(&c, d);
    if (e == ERR_OK) {
        e = store(&c, d);
        if (e == ERR_OK)
            settle_stored(&c);
        else
            settle_lost(&c);
    }
    release(&c);
    return sampler_tolerate(s, e, d);
}
