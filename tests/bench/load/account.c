#include "tests/bench/load/account.h"
#include "store/reader.h"
#include <stdlib.h>
#include <string.h>

enum { ROWS_AT_ONCE = 512 };

struct walk {
    const struct crowd *crowd;
    uint32_t agents;
    int64_t *stream_of;    // by agent
    uint64_t *sequence_of; // the last one seen, by agent
    struct wire_builder *builder;
    struct buf made;
    struct account found;
};

static enum err find_stream(void *ctx, const struct reader_stream *s)
{
    struct walk *w = ctx;
    for (uint32_t i = 0; i < w->agents; i++)
        if (memcmp(s->stream.incarnation.bytes, crowd_peer(w->crowd, i)->incarnation.bytes,
                   WIRE_INCARNATION_BYTES) == 0)
            w->stream_of[i] = s->stream.stream_id;
    return ERR_OK;
}

static enum err take_row(void *ctx, const struct reader_row *row)
{
    struct walk *w = ctx;
    uint32_t i = 0;
    while (i < w->agents && w->stream_of[i] != row->stream_id)
        i++;
    if (i == w->agents)
        return ERR_OK; // somebody else's
    const struct peer *p = crowd_peer(w->crowd, i);
    buf_reset(&w->made);
    enum err e = figures_batch(&p->figures, w->builder, &p->incarnation, row->sequence, &w->made);
    w->found.rows++;
    w->found.samples += row->samples - row->refused;
    w->found.differs += e != ERR_OK || row->kind != LEDGER_BATCH || row->refused > 0 ||
                        row->body_len != w->made.len || memcmp(row->body, w->made.data, w->made.len) != 0;
    w->found.doubled += row->sequence <= w->sequence_of[i];
    w->found.lost += row->sequence > w->sequence_of[i] + 1 ? row->sequence - w->sequence_of[i] - 1 : 0;
    w->sequence_of[i] = row->sequence > w->sequence_of[i] ? row->sequence : w->sequence_of[i];
    return ERR_OK;
}

static enum err walk_rows(struct walk *w, struct reader *r, uint64_t after, struct diag *d)
{
    enum err e = reader_streams(r, find_stream, w, d);
    for (uint64_t last = after; e == ERR_OK;) {
        e = reader_rows(r, last, ROWS_AT_ONCE, take_row, w, &after, d);
        if (after == last)
            break;
        last = after;
    }
    for (uint32_t i = 0; i < w->agents && e == ERR_OK; i++) {
        const struct peer *p = crowd_peer(w->crowd, i);
        w->found.lost += p->acked > w->sequence_of[i] ? p->acked - w->sequence_of[i] : 0;
    }
    return e;
}

enum err account_take(const char *state, const struct crowd *c, uint32_t agents, uint64_t after,
                      struct account *out, struct diag *d)
{
    struct walk w = {.crowd = c, .agents = agents};
    struct reader *r = NULL;
    buf_init(&w.made, WIRE_MESSAGE_MAX_BYTES);
    w.stream_of = calloc(agents, sizeof *w.stream_of);
    w.sequence_of = calloc(agents, sizeof *w.sequence_of);
    enum err e = w.stream_of && w.sequence_of ? wire_builder_create(&w.builder) : ERR_NOMEM;
    if (e == ERR_OK)
        e = reader_open(state, &r, d);
    if (e == ERR_OK)
        e = walk_rows(&w, r, after, d);
    if (e == ERR_OK)
        *out = w.found;
    reader_close(r);
    wire_builder_destroy(w.builder);
    buf_deinit(&w.made);
    free(w.stream_of);
    free(w.sequence_of);
    return e;
}

enum err account_position(const char *state, uint64_t *position, struct diag *d)
{
    struct reader *r = NULL;
    int64_t received_us;
    enum err e = reader_open(state, &r, d);
    if (e == ERR_OK)
        e = reader_head(r, position, &received_us, d);
    reader_close(r);
    return e;
}
