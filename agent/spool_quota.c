// What leaves the spool, and in what order. The oldest unsent batches give way to new ones as one Gap that
// says exactly what is missing; what may already have been sent stays until it is answered, because a batch
// once sent must be the same for ever. How far "may have been sent" reaches is `sendable`: it moves on only
// while there is a collector to send to, a window at a time, and is stored, so that it holds across a
// restart.
#include "agent/spool_internal.h"
#include "wire/codec.h"

#define WINDOW_ROWS    256
#define WINDOW_BYTES   (UINT64_C(1) << 20)
#define TOMBSTONES_MAX 100000 // rows without a body: what a gap for a lost range is counted from

static uint64_t window_bytes(const struct spool *s)
{
    uint64_t quarter = s->options.max_bytes / 4;
    return quarter < WINDOW_BYTES ? quarter : WINDOW_BYTES;
}

// Everything sendable may be on the way; more is added while that is less than a window.
enum err spool_extend_sendable(struct spool *s, struct diag *d)
{
    struct spool_state *st = &s->meta.state;
    uint64_t rows = 0, bytes = 0;
    if (!s->sending || st->sendable >= st->last_written)
        return ERR_OK;
    uint64_t at = st->last_acknowledged + 1;
    while (at <= st->last_written) {
        struct spool_stored row;
        enum err e = spool_row_read(&s->tables, at, &row, d);
        if (e != ERR_OK)
            return e == ERR_NOT_FOUND
                       ? diag_fail(d, ERR_CORRUPT, "the spool lacks batch %llu", (unsigned long long)at)
                       : e;
        rows++;
        bytes += row.len;
        if (row.last > st->sendable && rows > 1 && (rows > WINDOW_ROWS || bytes > window_bytes(s)))
            break;
        if (row.last > st->sendable)
            st->sendable = row.last;
        at = row.last + 1;
    }
    return ERR_OK;
}

// ---- quotas

enum err spool_insert_gap(struct spool *s, const struct wire_gap *gap, struct diag *d)
{
    const struct wire_message m = {.type = WIRE_GAP, .gap = *gap};
    struct buf body;
    buf_init(&body, WIRE_MESSAGE_MAX_BYTES);
    enum err e = wire_encode(&m, &body);
    if (e != ERR_OK) {
        buf_deinit(&body);
        return diag_fail(d, e, "a gap cannot be encoded: %s", err_text(e));
    }
    const struct spool_stored row = {.first = gap->first,
                                     .last = gap->last,
                                     .class = SPOOL_GAP_CLASS,
                                     .reason = (int)gap->reason,
                                     .samples = gap->samples,
                                     .from_s = gap->from_s,
                                     .to_s = gap->to_s,
                                     .created_us = clock_wall(s->clock).us,
                                     .body = body.data,
                                     .len = body.len};
    e = spool_row_insert(&s->tables, &row, d);
    if (e == ERR_OK)
        s->meta.state.counters.spool_bytes += body.len;
    buf_deinit(&body);
    return e;
}

// The samples lost with a damaged file are not known, so the gap is empty: it says that there was damage.
enum err spool_insert_damage(struct spool *s, struct diag *d)
{
    struct spool_state *st = &s->meta.state;
    int64_t now_s = clock_wall(s->clock).us / US_PER_S;
    const struct wire_gap gap = {.incarnation = st->incarnation,
                                 .first = st->last_written + 1,
                                 .last = st->last_written + 1,
                                 .from_s = now_s,
                                 .to_s = now_s,
                                 .reason = WIRE_GAP_SPOOL_DAMAGED};
    st->last_written++;
    if (st->first_kept == 0)
        st->first_kept = st->last_written;
    return spool_insert_gap(s, &gap, d);
}

struct run { // rows that become one gap
    struct wire_gap gap;
    uint64_t bytes, batch_samples, batches;
};

static void add_to_run(struct run *r, const struct spool_stored *row)
{
    struct wire_gap *g = &r->gap;
    bool first = g->first == 0;
    if (first)
        g->first = row->first;
    g->last = row->last;
    g->samples += row->samples;
    if (first || row->from_s < g->from_s)
        g->from_s = row->from_s;
    if (first || row->to_s > g->to_s)
        g->to_s = row->to_s;
    r->bytes += row->len;
    if (row->class != SPOOL_GAP_CLASS) {
        r->batch_samples += row->samples;
        r->batches++;
    }
}

static enum err replace_run(struct spool *s, struct run *r, struct diag *d)
{
    struct wire_counters *c = &s->meta.state.counters;
    r->gap.incarnation = s->meta.state.incarnation;
    enum err e = spool_rows_delete(&s->tables, r->gap.first, r->gap.last, d);
    c->spool_bytes -= r->bytes;
    c->spooled -= r->batch_samples;
    c->gaps += r->batch_samples;
    return e == ERR_OK ? spool_insert_gap(s, &r->gap, d) : e;
}

// A clock that jumps ahead while the agent runs must not make everything old.
static int64_t age_limit_us(const struct spool *s)
{
    int64_t now = clock_wall(s->clock).us;
    int64_t steady = s->opened_wall.us + (clock_mono(s->clock).us - s->opened_mono.us);
    return (now < steady ? now : steady) - s->options.max_age_us;
}

static bool too_old(const struct spool *s, const struct spool_stored *row)
{
    return row->created_us < age_limit_us(s);
}

static bool too_much(const struct spool *s, const struct run *r)
{
    return s->meta.state.counters.spool_bytes - r->bytes > s->options.max_bytes;
}

static bool is_wanted(const struct spool *s, const struct run *r, const struct spool_stored *row)
{
    if (row->class == SPOOL_GAP_CLASS)
        return row->reason == (int)r->gap.reason;
    return r->gap.reason == WIRE_GAP_QUOTA_AGE ? too_old(s, row) : too_much(s, r);
}

// One run from the first row that may be dropped, for as long as the reason holds. A gap of the same reason
// before it grows; one of another reason stays and is passed. *dropped: there was such a run.
static enum err drop_for(struct spool *s, enum wire_gap_reason reason, bool *dropped, struct diag *d)
{
    struct spool_state *st = &s->meta.state;
    struct run r = {.gap = {.reason = reason}};
    uint64_t at = (st->sendable > st->last_acknowledged ? st->sendable : st->last_acknowledged) + 1;
    while (at <= st->last_written) {
        struct spool_stored row;
        enum err e = spool_row_read(&s->tables, at, &row, d);
        if (e != ERR_OK)
            return e == ERR_NOT_FOUND
                       ? diag_fail(d, ERR_CORRUPT, "the spool lacks batch %llu", (unsigned long long)at)
                       : e;
        if (is_wanted(s, &r, &row))
            add_to_run(&r, &row);
        else if (row.class == SPOOL_GAP_CLASS && r.batches == 0)
            r = (struct run){.gap = {.reason = reason}};
        else
            break;
        at = row.last + 1;
    }
    spool_row_done(&s->tables);
    *dropped = r.batches > 0;
    return *dropped ? replace_run(s, &r, d) : ERR_OK;
}

enum err spool_apply_quota(struct spool *s, struct diag *d)
{
    bool dropped = true;
    enum err e = ERR_OK;
    while (e == ERR_OK && dropped)
        e = drop_for(s, WIRE_GAP_QUOTA_AGE, &dropped, d);
    dropped = true;
    while (e == ERR_OK && dropped && s->meta.state.counters.spool_bytes > s->options.max_bytes)
        e = drop_for(s, WIRE_GAP_QUOTA_BYTES, &dropped, d);
    return e;
}

// ---- the tail

// Rows without a body cost little, but not nothing for ever.
static enum err forget_tombstones(struct spool *s, struct diag *d)
{
    struct spool_meta *m = &s->meta;
    uint64_t kept = m->state.first_kept ? m->state.first_kept : m->state.last_written + 1;
    enum err e = ERR_OK;
    while (e == ERR_OK && m->forgotten_last + TOMBSTONES_MAX + 1 < kept) {
        struct spool_stored row;
        e = spool_row_read(&s->tables, m->forgotten_last + 1, &row, d);
        if (e != ERR_OK)
            break;
        bool first = m->forgotten_last == 0;
        m->forgotten_samples += row.samples;
        m->forgotten_from_s = first || row.from_s < m->forgotten_from_s ? row.from_s : m->forgotten_from_s;
        m->forgotten_to_s = first || row.to_s > m->forgotten_to_s ? row.to_s : m->forgotten_to_s;
        m->forgotten_last = row.last;
        e = spool_rows_delete(&s->tables, row.first, row.first, d);
    }
    return e;
}

enum err spool_trim_tail(struct spool *s, struct diag *d)
{
    struct spool_meta *m = &s->meta;
    struct spool_state *st = &m->state;
    int64_t oldest_us = clock_wall(s->clock).us - s->options.tail_age_us;
    enum err e = ERR_OK;
    while (e == ERR_OK && st->first_kept != 0 && st->first_kept <= st->last_acknowledged) {
        struct spool_stored row;
        e = spool_row_read(&s->tables, st->first_kept, &row, d);
        if (e != ERR_OK || (m->tail_bytes <= s->options.tail_bytes && row.created_us >= oldest_us))
            break;
        m->tail_bytes -= row.len;
        st->first_kept = row.last < st->last_written ? row.last + 1 : 0;
        e = spool_row_strip(&s->tables, &row, d);
    }
    return e == ERR_OK ? forget_tombstones(s, d) : e;
}
