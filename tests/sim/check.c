// When all is still: the ledger is read once, and then everything is held against it.
#include "tests/sim/stored.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- reading it
// -----------------------------------------------------------------------------------------------------------------

static void *copy_bytes(const void *bytes, size_t len)
{
    void *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

static enum err take_row(void *ctx, const struct reader_row *row)
{
    struct stored *s = ctx;
    if (row->kind == LEDGER_CONTROL) // the collector's own: a clock that was confirmed
        return ERR_OK;
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 256;
        s->rows = realloc(s->rows, s->room * sizeof *s->rows);
        if (!s->rows)
            abort();
    }
    s->rows[s->count++] = (struct stored_row){.position = row->position,
                                              .first = row->sequence,
                                              .last = row->last_sequence,
                                              .gap = row->gap,
                                              .samples = row->samples,
                                              .refused = row->refused,
                                              .body = copy_bytes(row->body, row->body_len),
                                              .body_len = row->body_len,
                                              .verdict = copy_bytes(row->verdict, row->verdict_len),
                                              .verdict_len = row->verdict_len,
                                              .stream_id = row->stream_id};
    return ERR_OK;
}

static enum err take_stream(void *ctx, const struct reader_stream *stream)
{
    struct stored *s = ctx;
    if (!stream->resident[0])
        return ERR_OK;
    s->streams = realloc(s->streams, (s->stream_count + 1) * sizeof *s->streams);
    if (!s->streams)
        abort();
    struct stored_stream *made = &s->streams[s->stream_count++];
    *made = (struct stored_stream){.s = stream->stream};
    made->identity = (int)strtol(stream->resident + strlen("park/res"), NULL, 10);
    return ERR_OK;
}

static void sort_rows(struct stored *s)
{
    for (size_t k = 0; k < s->stream_count; k++) {
        struct stored_stream *stream = &s->streams[k];
        stream->rows = calloc(s->count + 1, sizeof(struct stored_row *));
        if (!stream->rows)
            abort();
        for (size_t i = 0; i < s->count; i++)
            if (s->rows[i].stream_id == stream->s.stream_id)
                stream->rows[stream->count++] = &s->rows[i];
    }
}

enum err stored_read(struct reader *r, struct stored *out, struct diag *d)
{
    uint64_t last = 0;
    *out = (struct stored){0};
    enum err e = reader_streams(r, take_stream, out, d);
    if (e == ERR_OK)
        e = reader_rows(r, 0, SIZE_MAX >> 2, take_row, out, &last, d);
    if (e == ERR_OK)
        sort_rows(out);
    return e;
}

void stored_free(struct stored *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->rows[i].body);
        free(s->rows[i].verdict);
    }
    for (size_t i = 0; i < s->stream_count; i++)
        free(s->streams[i].rows);
    free(s->rows);
    free(s->streams);
}

const struct stored_stream *stored_stream_of(const struct stored *s, const struct wire_incarnation *i)
{
    for (size_t k = 0; k < s->stream_count; k++)
        if (memcmp(s->streams[k].s.incarnation.bytes, i->bytes, sizeof i->bytes) == 0)
            return &s->streams[k];
    return NULL;
}

const struct stored_stream *stored_stream_by_id(const struct stored *s, int64_t stream_id)
{
    for (size_t k = 0; k < s->stream_count; k++)
        if (s->streams[k].s.stream_id == stream_id)
            return &s->streams[k];
    return NULL;
}

const struct stored_row *stored_row_at(const struct stored_stream *s, uint64_t sequence)
{
    for (size_t i = 0; s && i < s->count; i++)
        if (sequence >= s->rows[i]->first && sequence <= s->rows[i]->last)
            return s->rows[i];
    return NULL;
}

bool stored_is(const struct stored_row *row, const struct told *t)
{
    return row && t->body && row->body_len == t->len && memcmp(row->body, t->body, t->len) == 0;
}

struct agent *agent_of_identity(struct world *w, int identity)
{
    return &w->agents[identity];
}

// ---- while it runs
// ----------------------------------------------------------------------------------------------------------------

void check_counters(struct agent *a)
{
    const struct spool_state *st = spool_peek(a->spool);
    const struct wire_counters *c = &st->counters;
    if (c->sampled != c->refused + c->spooled + c->acknowledged + c->gaps)
        world_fail(a->world, FATE_UNBALANCED,
                   "%s: sampled %" PRIu64 " is not refused %" PRIu64 " + spooled %" PRIu64
                   " + acknowledged %" PRIu64 " + gaps %" PRIu64,
                   a->name, c->sampled, c->refused, c->spooled, c->acknowledged, c->gaps);
    uint64_t truth = a->settled + a->found;
    if (!a->may_renew && c->sampled - c->refused != truth)
        world_fail(a->world, FATE_UNBALANCED,
                   "%s: sampled %" PRIu64 " and refused %" PRIu64 ", the sources gave %" PRIu64, a->name,
                   c->sampled, c->refused, truth);
    if (!a->may_renew && c->refused > a->refused)
        world_fail(a->world, FATE_UNBALANCED, "%s: refused %" PRIu64 ", but only %" PRIu64 " were", a->name,
                   c->refused, a->refused);
}

static uint64_t watermark(const struct stored *s, const struct told_life *l)
{
    const struct stored_stream *stream = stored_stream_of(s, &l->incarnation);
    return stream ? stream->s.last_sequence : 0;
}

static void hold_to_claim(struct world *w, struct agent *a, struct told_life *l, uint64_t has)
{
    if (l->claimed <= has)
        return;
    if (!w->collector.just_restored)
        world_fail(w, FATE_LOST, "%s was told %" PRIu64 ", the ledger has %" PRIu64 " after a restart",
                   a->name, l->claimed, has);
    l->claimed = has;
}

void check_reopened(struct world *w)
{
    struct collector *c = &w->collector;
    struct stored s = {0};
    struct diag d = {""};
    if (reader_streams(c->committer_reader, take_stream, &s, &d) != ERR_OK)
        world_fail(w, FATE_OTHER, "the ledger can't be read: %s", d.text);
    for (size_t i = 0; i < w->agent_count; i++) {
        struct agent *a = &w->agents[i];
        for (struct told_life *l = a->lives; l; l = l->next) {
            uint64_t has = watermark(&s, l);
            hold_to_claim(w, a, l, has);
            if (c->just_restored && l == a->lives)
                a->alarm_due = l->remembered > has && !l->former;
        }
    }
    c->just_restored = false;
    stored_free(&s);
}

// ---- the end
// ----------------------------------------------------------------------------------------------------------------------

static void say_damage(void *ctx, const char *text)
{
    world_fail(ctx, FATE_OTHER, "verify: %s", text);
}

static enum err find_alarm(void *ctx, const char *name, int64_t agent_id, uint64_t value)
{
    (void)agent_id;
    if (strcmp(name, "ledger_behind") == 0)
        *(uint64_t *)ctx += value;
    return ERR_OK;
}

static void check_alarms(struct world *w, struct reader *r)
{
    uint64_t alarms = 0;
    struct diag d = {""};
    if (reader_counters(r, find_alarm, &alarms, &d) != ERR_OK)
        world_fail(w, FATE_OTHER, "the counters can't be read: %s", d.text);
    for (size_t i = 0; i < w->agent_count; i++)
        if (w->agents[i].alarm_due && !w->agents[i].may_renew && alarms == 0)
            world_fail(w, FATE_OTHER, "the ledger lost what %s had been told, without an alarm",
                       w->agents[i].name);
    if (alarms > 0 && !w->collector.restored)
        world_fail(w, FATE_OTHER, "an alarm of a ledger that is behind, without a reason");
}

static void sum_up(struct world *w, const struct stored *s)
{
    for (size_t i = 0; i < s->count; i++)
        w->result->stored += s->rows[i].gap ? 0 : s->rows[i].samples;
}

void check_all(struct world *w)
{
    struct reader *r = NULL;
    struct reader_verified verified;
    struct stored s = {0};
    struct diag d = {""};
    for (size_t i = 0; i < w->agent_count; i++)
        agent_stop(&w->agents[i]);
    collector_stop(w);
    enum err e = reader_open(w->collector.folder, &r, &d);
    if (e == ERR_OK)
        e = reader_verify(r, say_damage, w, &verified, &d);
    if (e == ERR_OK)
        e = stored_read(r, &s, &d);
    if (e == ERR_OK) {
        check_alarms(w, r);
        check_rows(w, &s);
        check_balance(w, &s);
        check_figures(w, &s);
        check_projections(w, &s, r);
        sum_up(w, &s);
    } else {
        world_fail(w, FATE_OTHER, "the ledger can't be read: %s", d.text);
    }
    stored_free(&s);
    reader_close(r);
}
