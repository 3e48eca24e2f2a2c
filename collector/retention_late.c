// Rows that came late lie anywhere: the observations say in which runs of a stream's sequences old figures
// are, and each row there is looked into. After a backfill these may be most of the ledger, so they are
// listed a million at a time, and a stop does not wait for the list.
#include "collector/retention_state.h"
#include <stdlib.h>

enum { LIST_MAX = 1 << 20, SEQUENCES_A_READ = 1024 };

// ---- runs of sequences --------------------------------------------------------------------------
static enum err add_run(void *ctx, int64_t stream_id, uint64_t first, uint64_t last)
{
    struct retention_runs *runs = ctx;
    if (runs->count == runs->capacity) {
        size_t capacity = runs->capacity ? runs->capacity * 2 : 256;
        struct retention_run *grown = realloc(runs->at, capacity * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        runs->at = grown;
        runs->capacity = capacity;
    }
    runs->at[runs->count++] = (struct retention_run){stream_id, first, last};
    return ERR_OK;
}

enum err retention_runs_before(struct retention *r, int64_t end_s, struct retention_runs *out, struct diag *d)
{
    out->count = out->next = 0;
    return observations_spans_before(r->o.observations, end_s / DAY_S, add_run, out, d);
}

// ---- rows ---------------------------------------------------------------------------------------
struct looking {
    struct retention *r;
    struct diag *d;
    bool newer; // the row has a newer figure
    int64_t received_us;
};

static enum err add_late(struct retention *r, uint64_t position)
{
    if (r->late_count == r->late_capacity) {
        size_t capacity = r->late_capacity ? r->late_capacity * 2 : 256;
        uint64_t *grown = realloc(r->late, capacity * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        r->late = grown;
        r->late_capacity = capacity;
    }
    r->late[r->late_count++] = position;
    return ERR_OK;
}

static enum err take_sample(void *ctx, const struct reader_sample *s)
{
    struct looking *l = ctx;
    l->newer = l->newer || s->time > l->r->kept.rolled_until_s;
    return ERR_OK;
}

static enum err take_row(void *ctx, const struct reader_row *row)
{
    struct looking *l = ctx;
    if (row->class != WIRE_MEASUREMENT || row->kind != LEDGER_BATCH || row->received_us > l->received_us)
        return ERR_OK;
    l->newer = false;
    enum err e = reader_samples(l->r->o.reader, row, take_sample, l, l->d);
    if (e == ERR_CORRUPT)
        return ERR_OK; // it stays, and verify names it
    return e == ERR_OK && !l->newer ? add_late(l->r, row->position) : e;
}

static int by_position(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

// The next sequences of the run that is being read.
static enum err read_some(struct retention *r, struct looking *l)
{
    struct retention_run *run = &r->late_runs.at[r->late_runs.next];
    uint64_t last = run->last - run->first < SEQUENCES_A_READ ? run->last : run->first + SEQUENCES_A_READ - 1;
    size_t before = r->late_count;
    enum err e = reader_stream_rows(r->o.reader, run->stream_id, run->first, last, take_row, l, l->d);
    if (e != ERR_OK) {
        r->late_count = before;
        return e;
    }
    run->first = last + 1;
    r->late_runs.next += last == run->last ? 1 : 0;
    return ERR_OK;
}

enum err retention_list_late(struct retention *r, bool *all, struct diag *d)
{
    struct looking l = {.r = r, .d = d};
    enum err e = ERR_OK;
    // Refused samples of a row that came late stay to be looked at for as long as a month stays open.
    l.received_us = clock_wall(r->o.clock).us - r->o.settle_s * US_PER_S;
    r->late_count = r->late_at = 0;
    if (!r->late_begun)
        e = retention_runs_before(r, r->kept.rolled_until_s, &r->late_runs, d);
    r->late_begun = e == ERR_OK;
    while (e == ERR_OK && r->late_runs.next < r->late_runs.count && r->late_count < LIST_MAX &&
           !r->o.stopping(r->o.ctx))
        e = read_some(r, &l);
    if (e == ERR_OK && r->late_count > 1)
        qsort(r->late, r->late_count, sizeof *r->late, by_position);
    *all = e == ERR_OK && r->late_count == 0 && r->late_runs.next == r->late_runs.count;
    return e;
}

void retention_late_forget(struct retention *r)
{
    free(r->late_runs.at);
    free(r->late);
    r->late_runs = (struct retention_runs){0};
    r->late = NULL;
    r->late_count = r->late_capacity = r->late_at = 0;
    r->late_begun = false;
}
