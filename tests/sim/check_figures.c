// Every figure that a source gave is there once, exactly; and no other.
#include "tests/sim/stored.h"
#include "wire/codec.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- what a body says
// -----------------------------------------------------------------------------------------------------------

struct numbers { // of an agent: series number → feed and series
    const struct sim_feed *feed[SIM_SOURCES * SIM_SERIES];
    uint32_t series[SIM_SOURCES * SIM_SERIES];
    uint32_t count;
};

// In the order in which the sampler declares them: once given, a number stays.
static void numbers_of(const struct agent *a, struct numbers *n)
{
    n->count = 0;
    for (size_t i = 0; i < a->feed_count; i++)
        for (uint32_t k = 0; k < a->feeds[i].config.series_count; k++) {
            n->feed[n->count] = &a->feeds[i];
            n->series[n->count++] = k;
        }
}

static void read_verdict(struct world *w, const struct stored_row *row, enum wire_reason *reasons,
                         size_t count)
{
    struct wire_message m;
    struct diag d = {""};
    if (!row || row->verdict_len == 0)
        return;
    if (wire_decode(w->arena, row->verdict, row->verdict_len, &m, &d) != ERR_OK || m.type != WIRE_REJECT) {
        world_fail(w, FATE_OTHER, "the verdict at position %" PRIu64 " does not decode: %s", row->position,
                   d.text);
        return;
    }
    for (size_t i = 0; m.reject.whole && i < count; i++)
        reasons[i] = m.reject.whole_reason;
    for (size_t i = 0; !m.reject.whole && i < m.reject.count; i++)
        if (m.reject.refusals[i].index < count)
            reasons[m.reject.refusals[i].index] = m.reject.refusals[i].reason;
}

static bool identify(const struct numbers *n, const struct wire_sample *sample, struct stored_sample *out)
{
    if (sample->series >= n->count)
        return false;
    out->feed = n->feed[sample->series];
    out->series = n->series[sample->series];
    out->time = sample->time;
    out->value = sample->value;
    for (out->version = 0; out->version < 2; out->version++)
        if (figure_equal(sim_figure(out->feed, out->series, out->time, out->version).value, out->value))
            return true;
    return false;
}

void stored_samples(struct world *w, struct agent *a, const uint8_t *body, size_t len,
                    const struct stored_row *row, stored_sample_visit visit, void *ctx)
{
    enum wire_reason reasons[WIRE_SAMPLES_MAX] = {0};
    struct numbers n;
    struct wire_message m;
    struct diag d = {""};
    numbers_of(a, &n);
    read_verdict(w, row, reasons, WIRE_SAMPLES_MAX);
    if (wire_decode(w->arena, body, len, &m, &d) != ERR_OK) {
        world_fail(w, FATE_OTHER, "%s: a batch does not decode: %s", a->name, d.text);
        return;
    }
    for (size_t i = 0; m.type == WIRE_BATCH && i < m.batch.count; i++) {
        struct stored_sample s = {0};
        if (!identify(&n, &m.batch.samples[i], &s)) {
            world_fail(w, FATE_OTHER,
                       "%s: sample %zu of batch %" PRIu64 " (series %u, time %" PRId64 ") was never given",
                       a->name, i, m.batch.sequence, m.batch.samples[i].series, m.batch.samples[i].time);
            return;
        }
        s.refused = reasons[i];
        visit(ctx, &s);
    }
}

// ---- a set of figures
// -------------------------------------------------------------------------------------------------------------

struct seen {
    uint64_t key; // 0: empty
    uint32_t told, reached;
};
struct figures {
    struct world *w;
    struct agent *a;
    struct seen *at;
    size_t slots, count;
    bool reached; // the row in hand is stored or in a gap
};

static uint64_t key_of(const struct sim_feed *f, uint32_t series, int64_t time, uint32_t version)
{
    struct random r = {((uint64_t)f->number * 8 + series) * 2 + version + ((uint64_t)time << 8)};
    return random_next(&r) | 1;
}

static struct seen *look_up(struct figures *f, uint64_t key)
{
    size_t i = key & (f->slots - 1);
    while (f->at[i].key != 0 && f->at[i].key != key)
        i = (i + 1) & (f->slots - 1);
    return &f->at[i];
}

static void grow(struct figures *f)
{
    struct figures larger = *f;
    if (f->count * 2 < f->slots)
        return;
    larger.slots = f->slots ? 2 * f->slots : 1024;
    larger.at = calloc(larger.slots, sizeof *larger.at);
    if (!larger.at)
        abort();
    for (size_t i = 0; i < f->slots; i++)
        if (f->at[i].key)
            *look_up(&larger, f->at[i].key) = f->at[i];
    free(f->at);
    *f = larger;
}

static void take_told(void *ctx, const struct stored_sample *s)
{
    struct figures *f = ctx;
    grow(f);
    uint64_t key = key_of(s->feed, s->series, s->time, s->version);
    struct seen *seen = look_up(f, key);
    f->count += seen->key ? 0 : 1;
    seen->key = key;
    seen->told++;
    seen->reached += f->reached ? 1 : 0;
    if (seen->told > 1 && !f->a->may_renew)
        world_fail(f->w, FATE_DOUBLED, "%s: %s%u at %" PRId64 " was put into the spool twice", f->a->name,
                   s->feed->name, s->series, s->time);
}

static void take_life(struct figures *f, const struct told_life *l, const struct stored *s)
{
    const struct stored_stream *stream = stored_stream_of(s, &l->incarnation);
    for (uint64_t k = 1; k <= l->count; k++) {
        const struct told *t = &l->rows[k - 1];
        const struct stored_row *row = stored_row_at(stream, k);
        f->reached = t->given_up || (row && row->gap) || stored_is(row, t);
        if (t->body && !t->gap)
            stored_samples(f->w, f->a, t->body, t->len, NULL, take_told, f);
    }
}

// ---- what must be in it
// -----------------------------------------------------------------------------------------------------------

static bool position_of(const struct agent *a, const struct sim_feed *feed, uint64_t *rows)
{
    struct spool_reader *r = NULL;
    struct diag d = {""};
    size_t len = 0;
    *rows = 0;
    enum err e = spool_reader_open(a->folder, &r, &d);
    if (e == ERR_OK)
        e = spool_reader_position(r, feed->name, "rows", rows, sizeof *rows, &len);
    spool_reader_close(r);
    return e == ERR_OK || e == ERR_NOT_FOUND;
}

static void check_file(struct figures *f, const struct sim_feed *feed)
{
    uint64_t rows;
    if (!position_of(f->a, feed, &rows)) {
        world_fail(f->w, FATE_OTHER, "%s: the position of %s can't be read", f->a->name, feed->name);
        return;
    }
    for (uint64_t k = 0; k < rows; k++) {
        struct sim_row row = sim_file_row(feed, k);
        for (uint32_t n = 0; n < feed->config.series_count; n++) {
            const struct seen *seen = look_up(f, key_of(feed, n, row.time, row.version));
            if (seen->key == 0 || seen->reached == 0)
                world_fail(f->w, FATE_LOST, "%s: row %" PRIu64 " of %s was read, and is %s", f->a->name, k,
                           feed->name, seen->key ? "in the spool only" : "nowhere");
        }
    }
}

// A machine that was never copied has one incarnation: then the counts must agree too.
static void check_agent(struct world *w, struct agent *a, const struct stored *s)
{
    struct figures f = {.w = w, .a = a};
    uint64_t told = 0;
    bool whole = true;
    grow(&f);
    for (size_t i = 0; i < w->agent_count; i++)
        for (const struct told_life *l = w->agents[i].lives; w->agents[i].identity == a->identity && l;
             l = l->next) {
            take_life(&f, l, s);
            told += l->samples;
            for (size_t k = 0; k < l->count; k++)
                whole = whole && l->rows[k].body;
        }
    if (whole && !a->may_renew && told != a->settled + a->found)
        world_fail(w, FATE_LOST, "%s: %" PRIu64 " samples were put into the spool, %" PRIu64 " were in it",
                   a->name, a->settled + a->found, told);
    for (size_t i = 0; i < a->feed_count; i++)
        if (whole && a->feeds[i].config.kind == AGENT_SOURCE_CSV && !(a->may_renew && w->collector.restored))
            check_file(&f, &a->feeds[i]);
    free(f.at);
}

// ---- verdicts
// ---------------------------------------------------------------------------------------------------------------------

static void judge(void *ctx, const struct stored_sample *s)
{
    struct world *w = ctx;
    bool below = s->value.kind == FIGURE_INTEGER && s->value.integer < 0;
    if (below ? s->refused == WIRE_REASON_NONE
              : s->refused != WIRE_REASON_NONE && s->refused != WIRE_REASON_FUTURE)
        world_fail(w, FATE_OTHER, "%s%u at %" PRId64 ": the verdict is %s", s->feed->name, s->series, s->time,
                   wire_reason_name(s->refused));
}

void check_figures(struct world *w, const struct stored *s)
{
    for (size_t i = 0; i < w->agent_count; i++)
        if (w->agents[i].identity == w->agents[i].index)
            check_agent(w, &w->agents[i], s);
    for (size_t i = 0; i < s->count; i++) {
        const struct stored_stream *stream = stored_stream_by_id(s, s->rows[i].stream_id);
        if (!s->rows[i].gap)
            stored_samples(w, agent_of_identity(w, stream->identity), s->rows[i].body, s->rows[i].body_len,
                           &s->rows[i], judge, w);
    }
}
