// An open-addressing table that is emptied by raising a number: a group of one item costs no more than its
// one stream.
#include "collector/streams.h"
#include <stdlib.h>
#include <string.h>

struct streams {
    size_t max, slots; // slots: a power of two, at least twice max
    uint64_t generation;
    size_t count;
    size_t *used; // slots in use, in order of first use
    struct stream *slot;
};

enum err streams_create(size_t max, struct streams **out)
{
    struct streams *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->max = max;
    s->slots = 2;
    while (s->slots < 2 * max)
        s->slots *= 2;
    s->slot = calloc(s->slots, sizeof *s->slot);
    s->used = calloc(max, sizeof *s->used);
    s->generation = 1;
    if (!s->slot || !s->used) {
        streams_destroy(s);
        return ERR_NOMEM;
    }
    *out = s;
    return ERR_OK;
}

void streams_destroy(struct streams *s)
{
    if (!s)
        return;
    free(s->slot);
    free(s->used);
    free(s);
}

void streams_begin(struct streams *s)
{
    s->generation++;
    s->count = 0;
}

static size_t first_slot(const struct streams *s, int64_t agent_id, const struct wire_incarnation *i)
{
    uint64_t h;
    memcpy(&h, i->bytes, sizeof h); // an incarnation is random
    return (size_t)((h ^ ((uint64_t)agent_id * UINT64_C(0x9E3779B97F4A7C15))) & (s->slots - 1));
}

enum err streams_open(struct streams *s, struct ledger *l, int64_t agent_id, const struct wire_incarnation *i,
                      struct stream **out, struct diag *d)
{
    size_t at = first_slot(s, agent_id, i);
    for (; s->slot[at].generation == s->generation; at = (at + 1) & (s->slots - 1)) {
        struct ledger_stream *state = &s->slot[at].state;
        if (state->agent_id == agent_id && memcmp(state->incarnation.bytes, i->bytes, sizeof i->bytes) == 0) {
            *out = &s->slot[at];
            return ERR_OK;
        }
    }
    if (s->count == s->max)
        return diag_fail(d, ERR_INTERNAL, "more than %zu streams in one transaction", s->max);
    struct stream *made = &s->slot[at];
    memset(made, 0, sizeof *made);
    enum err e = ledger_stream_open(l, agent_id, i, &made->state, d);
    if (e != ERR_OK)
        return e;
    made->generation = s->generation;
    s->used[s->count++] = at;
    *out = made;
    return ERR_OK;
}

enum err streams_store_counts(struct streams *s, struct ledger *l)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct stream *stream = &s->slot[s->used[i]];
        for (int id = 0; id < COUNTER_COUNT; id++) {
            const struct counter_info *info = collector_counter_info((enum collector_counter)id);
            if (!info->durable || stream->counted[id] == 0)
                continue;
            enum err e = ledger_count(l, info->name, stream->state.agent_id, stream->counted[id]);
            if (e != ERR_OK)
                return e;
        }
    }
    return ERR_OK;
}

void streams_publish_counts(const struct streams *s, struct counters *c)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct stream *stream = &s->slot[s->used[i]];
        for (int id = 0; id < COUNTER_COUNT; id++) {
            if (stream->counted[id])
                collector_count(c, (enum collector_counter)id, stream->counted[id]);
        }
    }
}
