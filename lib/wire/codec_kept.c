// What retention and releases leave in the ledger, both ways. These never travel: they have a limit of their
// own, since a month of quarter-hours does not fit into a message. The rules of form stand beside the codec
// here because a cell's shape is decided by them.
#include "wire/codec_internal.h"
#include "wire/esep.pb-c.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S      86400
#define MONTH_S    (31 * DAY_S)
#define SUM_MAX    (FIGURE_INTEGER_MAX * (WIRE_STEP_MAX_S / WIRE_STEP_MIN_S))
#define TIME_MAX_S INT64_C(253402300799) // the end of the year 9999
#define INTEGERS   4                     // values of a cell, by kind
#define REALS      5

enum cell_kind { CELL_INTEGER, CELL_REAL, CELL_NOTHING };

static enum cell_kind kind_of(const struct wire_rollup_cell *c)
{
    return c->known == 0 ? CELL_NOTHING : c->sum.real ? CELL_REAL : CELL_INTEGER;
}

// ---- what holds for them

static enum err broken(struct diag *d, const char *what)
{
    return diag_fail(d, ERR_INVALID, "%s", what);
}

static bool integer_fits(struct figure f)
{
    return f.kind == FIGURE_INTEGER && f.integer >= -FIGURE_INTEGER_MAX && f.integer <= FIGURE_INTEGER_MAX;
}

static bool figure_fits(struct figure f)
{
    return integer_fits(f) || (f.kind == FIGURE_REAL && isfinite(f.real));
}

static bool values_fit(const struct wire_rollup_cell *c)
{
    switch (kind_of(c)) {
    case CELL_INTEGER:
        return c->sum.whole >= -SUM_MAX && c->sum.whole <= SUM_MAX && integer_fits(c->last) &&
               integer_fits(c->min) && integer_fits(c->max);
    case CELL_REAL:
        return isfinite(c->sum.high) && isfinite(c->sum.low) && figure_fits(c->last) && figure_fits(c->min) &&
               figure_fits(c->max);
    case CELL_NOTHING:
        break;
    }
    return c->last.kind == FIGURE_MISSING && c->min.kind == FIGURE_MISSING && c->max.kind == FIGURE_MISSING;
}

static enum err check_rollup(const struct wire_rollup *r, struct diag *d)
{
    if (r->series < 1 || r->series > INT64_MAX)
        return broken(d, "rollup.series is not a series");
    if (r->month_s % DAY_S != 0 || r->month_s > TIME_MAX_S || r->month_s < -TIME_MAX_S)
        return broken(d, "rollup.month_s is not a day's beginning");
    if (r->last_s > TIME_MAX_S || r->last_s < -TIME_MAX_S)
        return broken(d, "rollup.last_s is outside the years 1 to 9999");
    if (r->step_s < WIRE_STEP_MIN_S || r->cell_s < r->step_s || r->cell_s > WIRE_STEP_MAX_S ||
        WIRE_STEP_MAX_S % r->cell_s != 0 || r->cell_s % r->step_s != 0)
        return diag_fail(d, ERR_INVALID, "rollup: cells of %" PRIu32 " s of steps of %" PRIu32 " s",
                         r->cell_s, r->step_s);
    if (r->value != WIRE_VALUE_LAST && r->value != WIRE_VALUE_SUM)
        return broken(d, "rollup.value is neither the last nor the sum");
    for (size_t i = 0; i < r->count; i++) {
        const struct wire_rollup_cell *c = &r->cells[i];
        uint64_t said = (uint64_t)c->known + c->missing;
        if (c->number <= (i > 0 ? r->cells[i - 1].number : 0) || c->number > MONTH_S / r->cell_s)
            return diag_fail(d, ERR_INVALID, "rollup: cell %zu does not rise or is beyond the month", i);
        if (said < 1 || said > r->cell_s / r->step_s || !values_fit(c))
            return diag_fail(d, ERR_INVALID, "rollup: cell %zu: counts or values do not fit", i);
    }
    return ERR_OK;
}

static enum err check_runs(const struct wire_seal *s, struct diag *d)
{
    uint64_t rows = 0;
    if (s->run_count > WIRE_SEAL_RUNS || s->stream_count > WIRE_SEAL_STREAMS ||
        (s->run_count == 0) != (s->stream_count == 0))
        return diag_fail(d, ERR_INVALID, "seal: %zu runs and %zu streams", s->run_count, s->stream_count);
    for (size_t i = 0; i < s->run_count; i++) {
        const struct wire_sealed_run *r = &s->runs[i];
        if (r->first <= (i > 0 ? s->runs[i - 1].last : 0) || r->last < r->first || r->last > INT64_MAX ||
            r->rows < 1 || r->rows > r->last - r->first + 1)
            return diag_fail(d, ERR_INVALID, "seal: run %zu: its positions do not fit", i);
        rows += r->rows;
    }
    for (size_t i = 0; i < s->stream_count; i++) {
        const struct wire_sealed_stream *t = &s->streams[i];
        if (t->stream <= (i > 0 ? s->streams[i - 1].stream : 0) || t->stream > INT64_MAX ||
            t->first_sequence < 1 || t->last_sequence < t->first_sequence || t->rows < 1 || t->rows > rows)
            return diag_fail(d, ERR_INVALID, "seal: stream %zu does not rise or its rows do not fit", i);
    }
    return rows == s->rows ? ERR_OK : broken(d, "seal.rows is not the sum of its runs'");
}

static enum err check_seal(const struct wire_seal *s, struct diag *d)
{
    const int64_t until[] = {s->dropped_until_s, s->rolled_until_s, s->closed_until_s};
    for (size_t i = 0; i < 3; i++)
        if (until[i] % DAY_S != 0 || until[i] < (i > 0 ? until[i - 1] : 0) || until[i] > TIME_MAX_S)
            return broken(d, "seal: its times are not days' beginnings in their order");
    return check_runs(s, d);
}

static enum err check_release(const struct wire_release *r, struct diag *d)
{
    if (r->position < 1 || r->position > INT64_MAX || r->stream < 1 || r->stream > INT64_MAX)
        return broken(d, "release: not a position and a stream");
    if (r->count < 1 || r->count > WIRE_SAMPLES_MAX)
        return broken(d, "release: no sample, or more than a batch has");
    for (size_t i = 0; i < r->count; i++)
        if (r->indexes[i] >= WIRE_SAMPLES_MAX || (i > 0 && r->indexes[i] <= r->indexes[i - 1]))
            return diag_fail(d, ERR_INVALID, "release.index %zu does not rise or is beyond a batch", i);
    enum err e = wire_check_reason("release.reason", r->reason, d);
    return e == ERR_OK ? wire_check_author("release.author", r->author, d) : e;
}

enum err wire_check_kept(const struct wire_message *m, struct diag *d)
{
    if (m->type == WIRE_ROLLUP)
        return check_rollup(&m->rollup, d);
    return m->type == WIRE_SEAL ? check_seal(&m->seal, d) : check_release(&m->release, d);
}

// ---- bytes → structs

struct values { // what is left of a Rollup's value columns
    const int64_t *integer;
    const double *real;
    size_t integers, reals;
};

static struct figure integer_figure(int64_t v)
{
    return (struct figure){.kind = FIGURE_INTEGER, .integer = v};
}

static struct figure real_figure(double v)
{
    struct figure f = {.kind = FIGURE_REAL, .real = v};
    (void)(isfinite(v) && figure_from_real(v, &f) == ERR_OK); // what is not finite is refused with its cell
    return f;
}

static bool take_values(struct values *v, uint32_t kind, struct wire_rollup_cell *c)
{
    c->last = c->min = c->max = figure_missing();
    if (kind == CELL_INTEGER && v->integers >= INTEGERS) {
        const int64_t *at = v->integer;
        c->sum.whole = at[0];
        c->last = integer_figure(at[1]);
        c->min = integer_figure(at[2]);
        c->max = integer_figure(at[3]);
        v->integer += INTEGERS;
        v->integers -= INTEGERS;
        return true;
    }
    if (kind == CELL_REAL && v->reals >= REALS) {
        const double *at = v->real;
        c->sum = (struct wire_cell_sum){.real = true, .high = at[0], .low = at[1]};
        c->last = real_figure(at[2]);
        c->min = real_figure(at[3]);
        c->max = real_figure(at[4]);
        v->real += REALS;
        v->reals -= REALS;
        return true;
    }
    return kind == CELL_NOTHING;
}

static enum err take_cells(const struct wire_decoder *d, const Esep__V1__Rollup *from,
                           struct wire_rollup_cell *cells)
{
    struct values v = {from->integer, from->real, from->n_integer, from->n_real};
    uint64_t number = 0;
    for (size_t i = 0; i < from->n_tag; i++) {
        struct wire_rollup_cell *c = &cells[i];
        number += from->tag[i] >> 2;
        if (number > WIRE_CELLS_MAX)
            return broken(d->diag, "rollup.tag goes beyond a month");
        *c = (struct wire_rollup_cell){
            .number = (uint32_t)number, .known = from->known[i], .missing = from->missing[i]};
        uint32_t kind = from->tag[i] & 3;
        if (!take_values(&v, kind, c) || (kind == CELL_NOTHING) != (c->known == 0))
            return diag_fail(d->diag, ERR_INVALID, "rollup: cell %zu and its values do not fit together", i);
    }
    return v.integers == 0 && v.reals == 0 ? ERR_OK
                                           : broken(d->diag, "rollup has more values than cells need");
}

enum err wire_take_rollup(const struct wire_decoder *d, const Esep__V1__Rollup *from, struct wire_rollup *out)
{
    if (from->n_tag > WIRE_CELLS_MAX || from->n_known != from->n_tag || from->n_missing != from->n_tag)
        return broken(d->diag, "rollup: columns of different lengths, or too many cells");
    struct wire_rollup_cell *cells = wire_arena_alloc(d->arena, from->n_tag * sizeof *cells);
    if (!cells)
        return diag_fail(d->diag, ERR_TOO_BIG, "rollup: takes more memory than any honest one");
    *out = (struct wire_rollup){.series = from->series,
                                .month_s = from->month_s,
                                .step_s = from->step_s,
                                .cell_s = from->cell_s,
                                .value = (enum wire_value)from->value,
                                .last_s = from->last_s,
                                .last_unknown = from->last_unknown,
                                .last_position = from->last_position,
                                .last_received_us = from->last_received_us,
                                .count = from->n_tag,
                                .cells = cells};
    return take_cells(d, from, cells);
}

static enum err take_runs(const struct wire_decoder *d, const Esep__V1__Seal *from,
                          struct wire_sealed_run *runs)
{
    for (size_t i = 0; i < from->n_run; i++) {
        const Esep__V1__SealedRun *r = from->run[i];
        runs[i] = (struct wire_sealed_run){.first = r->first, .last = r->last, .rows = r->rows};
        enum err e = wire_take_bytes(d, "seal.run.before", r->before, runs[i].before, WIRE_CHAIN_BYTES);
        if (e == ERR_OK)
            e = wire_take_bytes(d, "seal.run.after", r->after, runs[i].after, WIRE_CHAIN_BYTES);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

enum err wire_take_seal(const struct wire_decoder *d, const Esep__V1__Seal *from, struct wire_seal *out)
{
    if (from->n_run > WIRE_SEAL_RUNS || from->n_stream > WIRE_SEAL_STREAMS)
        return broken(d->diag, "seal: too many runs or streams");
    struct wire_sealed_run *runs = wire_arena_alloc(d->arena, from->n_run * sizeof *runs);
    struct wire_sealed_stream *streams = wire_arena_alloc(d->arena, from->n_stream * sizeof *streams);
    if (!runs || !streams)
        return diag_fail(d->diag, ERR_TOO_BIG, "seal: takes more memory than any honest one");
    *out = (struct wire_seal){.closed_until_s = from->closed_until_s,
                              .rolled_until_s = from->rolled_until_s,
                              .dropped_until_s = from->dropped_until_s,
                              .rows = from->rows,
                              .samples = from->samples,
                              .run_count = from->n_run,
                              .stream_count = from->n_stream,
                              .runs = runs,
                              .streams = streams};
    for (size_t i = 0; i < from->n_stream; i++) {
        const Esep__V1__SealedStream *s = from->stream[i];
        streams[i] = (struct wire_sealed_stream){s->stream, s->first_sequence, s->last_sequence,
                                                 s->rows,   s->accepted,       s->quarantined};
    }
    enum err e = from->n_run || from->digest.len
                     ? wire_take_bytes(d, "seal.digest", from->digest, out->digest, WIRE_CHAIN_BYTES)
                     : ERR_OK;
    return e == ERR_OK ? take_runs(d, from, runs) : e;
}

enum err wire_take_release(const struct wire_decoder *d, const Esep__V1__Release *from,
                           struct wire_release *out)
{
    *out = (struct wire_release){
        .position = from->position, .stream = from->stream, .count = from->n_index, .indexes = from->index};
    enum err e = wire_take_text(d, "release.reason", from->reason, &out->reason);
    return e == ERR_OK ? wire_take_text(d, "release.author", from->author, &out->author) : e;
}

// ---- structs → bytes

struct rollup_columns {
    uint32_t *tag, *known, *missing;
    int64_t *integer;
    double *real;
    size_t integers, reals;
};

static double real_of(struct figure f)
{
    return figure_to_real(f);
}

static void put_values(struct rollup_columns *c, const struct wire_rollup_cell *cell)
{
    if (kind_of(cell) == CELL_INTEGER) {
        const int64_t values[INTEGERS] = {cell->sum.whole, cell->last.integer, cell->min.integer,
                                          cell->max.integer};
        memcpy(c->integer + c->integers, values, sizeof values);
        c->integers += INTEGERS;
    } else if (kind_of(cell) == CELL_REAL) {
        const double values[REALS] = {cell->sum.high, cell->sum.low, real_of(cell->last), real_of(cell->min),
                                      real_of(cell->max)};
        memcpy(c->real + c->reals, values, sizeof values);
        c->reals += REALS;
    }
}

static bool columns_create(struct rollup_columns *c, size_t count)
{
    c->tag = malloc((count + 1) * 3 * sizeof *c->tag);
    c->integer = malloc((count + 1) * INTEGERS * sizeof *c->integer);
    c->real = malloc((count + 1) * REALS * sizeof *c->real);
    if (!c->tag || !c->integer || !c->real)
        return false;
    c->known = c->tag + count;
    c->missing = c->known + count;
    return true;
}

static enum err encode_rollup(const struct wire_rollup *r, struct buf *out)
{
    struct rollup_columns c = {0};
    enum err e = columns_create(&c, r->count) ? ERR_OK : ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < r->count; i++) {
        const struct wire_rollup_cell *cell = &r->cells[i];
        c.tag[i] = (cell->number - (i > 0 ? r->cells[i - 1].number : 0)) << 2 | (uint32_t)kind_of(cell);
        c.known[i] = cell->known;
        c.missing[i] = cell->missing;
        put_values(&c, cell);
    }
    if (e == ERR_OK) {
        Esep__V1__Rollup m = ESEP__V1__ROLLUP__INIT;
        m.series = r->series;
        m.month_s = r->month_s;
        m.step_s = r->step_s;
        m.cell_s = r->cell_s;
        m.value = (Esep__V1__Value)r->value;
        m.last_s = r->last_s;
        m.last_unknown = r->last_unknown;
        m.last_position = r->last_position;
        m.last_received_us = r->last_received_us;
        m.n_tag = m.n_known = m.n_missing = r->count;
        m.tag = c.tag;
        m.known = c.known;
        m.missing = c.missing;
        m.n_integer = c.integers;
        m.integer = c.integer;
        m.n_real = c.reals;
        m.real = c.real;
        e = wire_pack_body(WIRE_ROLLUP, &m, WIRE_KEPT_MAX_BYTES, out);
    }
    free(c.tag);
    free(c.integer);
    free(c.real);
    return e;
}

// protobuf-c's structs are not const-correct; nothing is ever written through these.
static ProtobufCBinaryData hash_of(const uint8_t hash[WIRE_CHAIN_BYTES])
{
    return (ProtobufCBinaryData){.len = WIRE_CHAIN_BYTES, .data = (uint8_t *)(uintptr_t)hash};
}

static enum err encode_seal(const struct wire_seal *s, struct buf *out)
{
    Esep__V1__SealedRun runs[WIRE_SEAL_RUNS], *run_at[WIRE_SEAL_RUNS];
    Esep__V1__SealedStream streams[WIRE_SEAL_STREAMS], *stream_at[WIRE_SEAL_STREAMS];
    Esep__V1__Seal m = ESEP__V1__SEAL__INIT;
    for (size_t i = 0; i < s->run_count; i++) {
        esep__v1__sealed_run__init(run_at[i] = &runs[i]);
        runs[i].first = s->runs[i].first;
        runs[i].last = s->runs[i].last;
        runs[i].rows = s->runs[i].rows;
        runs[i].before = hash_of(s->runs[i].before);
        runs[i].after = hash_of(s->runs[i].after);
    }
    for (size_t i = 0; i < s->stream_count; i++) {
        const struct wire_sealed_stream *from = &s->streams[i];
        esep__v1__sealed_stream__init(stream_at[i] = &streams[i]);
        streams[i].stream = from->stream;
        streams[i].first_sequence = from->first_sequence;
        streams[i].last_sequence = from->last_sequence;
        streams[i].rows = from->rows;
        streams[i].accepted = from->accepted;
        streams[i].quarantined = from->quarantined;
    }
    m.closed_until_s = s->closed_until_s;
    m.rolled_until_s = s->rolled_until_s;
    m.dropped_until_s = s->dropped_until_s;
    m.rows = s->rows;
    m.samples = s->samples;
    m.n_run = s->run_count;
    m.run = run_at;
    m.n_stream = s->stream_count;
    m.stream = stream_at;
    if (s->run_count)
        m.digest = hash_of(s->digest);
    return wire_pack_body(WIRE_SEAL, &m, WIRE_KEPT_MAX_BYTES, out);
}

static enum err encode_release(const struct wire_release *r, struct buf *out)
{
    Esep__V1__Release m = ESEP__V1__RELEASE__INIT;
    m.position = r->position;
    m.stream = r->stream;
    m.n_index = r->count;
    m.index = (uint32_t *)(uintptr_t)r->indexes;
    m.author = (char *)(uintptr_t)(r->author ? r->author : "");
    m.reason = (char *)(uintptr_t)(r->reason ? r->reason : "");
    return wire_pack_body(WIRE_RELEASE, &m, WIRE_KEPT_MAX_BYTES, out);
}

enum err wire_encode_kept_body(const struct wire_message *m, struct buf *out)
{
    if (m->type == WIRE_ROLLUP)
        return encode_rollup(&m->rollup, out);
    return m->type == WIRE_SEAL ? encode_seal(&m->seal, out) : encode_release(&m->release, out);
}
