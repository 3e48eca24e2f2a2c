// The ledger as it is at the end, read once and looked at from all sides. Shared by tests/sim/check*.c.
#ifndef ESEP_TESTS_SIM_STORED_H
#define ESEP_TESTS_SIM_STORED_H

#include "tests/sim/world.h"

struct stored_row {
    uint64_t position, first, last;
    bool gap;
    uint32_t samples, refused;
    uint8_t *body, *verdict;
    size_t body_len, verdict_len;
    int64_t stream_id;
};
struct stored_stream {
    struct ledger_stream s;
    int identity; // of the agent, by its resident
    struct stored_row **rows;
    size_t count;
};
struct stored {
    struct stored_row *rows; // in the order of positions
    size_t count, room;
    struct stored_stream *streams;
    size_t stream_count;
};
enum err stored_read(struct reader *r, struct stored *out, struct diag *d) MUST_USE;
void stored_free(struct stored *s);
const struct stored_stream *stored_stream_of(const struct stored *s,
                                             const struct wire_incarnation *i); // NULL: none
const struct stored_stream *stored_stream_by_id(const struct stored *s, int64_t stream_id);
// The row that a sequence is in; NULL: beyond the end.
const struct stored_row *stored_row_at(const struct stored_stream *s, uint64_t sequence);
bool stored_is(const struct stored_row *row, const struct told *t);

void check_rows(struct world *w, const struct stored *s);
void check_balance(struct world *w, const struct stored *s);
void check_figures(struct world *w, const struct stored *s);
void check_projections(struct world *w, const struct stored *s, struct reader *r);

// One sample of a batch as it was sent, with the collector's verdict on it.
struct stored_sample {
    const struct sim_feed *feed;
    uint32_t series;
    uint32_t version;
    int64_t time;
    struct figure value;
    enum wire_reason refused; // WIRE_REASON_NONE: accepted
};
typedef void (*stored_sample_visit)(void *ctx, const struct stored_sample *s);
// What a body says, by the numbers that the agent's own spool has given; fails the world when a figure is
// none that its sources ever gave. row may be NULL: no verdict.
void stored_samples(struct world *w, struct agent *a, const uint8_t *body, size_t len,
                    const struct stored_row *row, stored_sample_visit visit, void *ctx);
struct agent *agent_of_identity(struct world *w, int identity);

#endif
