// A batch's bytes → samples, the hottest loop there is: each batch is decoded by ingest, the committer and
// each projection. There are two ways to the same result. protobuf-c's takes whatever protobuf allows, in
// 134 instructions a sample; the plain one reads the four columns side by side straight into samples, in a
// quarter of them. The plain way never refuses anything: it takes what our encoder writes (one Batch, each
// field once, packed columns, no notes) and where anything at all is different or wrong it steps aside, so
// what is refused, and why, is said in one place. tests/fuzz/wire_decode_fuzz.c holds the two against each
// other.
#include "wire/codec_batch.h"
#include "wire/esep.pb-c.h"
#include <math.h>
#include <string.h>

// ---- one value
static inline void take_integer(int64_t v, struct wire_sample *out)
{
    bool fits = v >= -FIGURE_INTEGER_MAX && v <= FIGURE_INTEGER_MAX;
    out->value = (struct figure){.kind = fits ? FIGURE_INTEGER : FIGURE_MISSING, .integer = fits ? v : 0};
    out->refused = fits ? WIRE_REASON_NONE : WIRE_REASON_OUT_OF_RANGE;
}

static inline void take_real(double v, struct wire_sample *out)
{
    if (!(fabs(v) <= (double)FIGURE_INTEGER_MAX)) { // also what is no number at all
        out->value = (struct figure){.kind = FIGURE_MISSING};
        out->refused = isfinite(v) ? WIRE_REASON_OUT_OF_RANGE : WIRE_REASON_NOT_FINITE;
        return;
    }
    const int64_t whole = (int64_t)v; // as figure_from_real
    out->value = (double)whole == v ? (struct figure){.kind = FIGURE_INTEGER, .integer = whole}
                                    : (struct figure){.kind = FIGURE_REAL, .real = v};
    out->refused = WIRE_REASON_NONE;
}

static inline void take_missing(struct wire_sample *out)
{
    out->value = (struct figure){.kind = FIGURE_MISSING};
    out->refused = WIRE_REASON_NONE;
}

// ---- the plain way
struct column {
    const uint8_t *at, *end;
};

// Nine bytes hold all but the most extreme numbers, which are left to the other way. NULL: not a number.
static const uint8_t *take_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63 && at < end; shift += 7) {
        const uint8_t byte = *at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return at;
        }
    }
    return NULL;
}

// Most are of one byte, and nearly all others of two.
static inline const uint8_t *take_varint(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    if (end - at < 2)
        return take_long_varint(at, end, out);
    if (at[0] < 0x80) {
        *out = at[0];
        return at + 1;
    }
    if (at[1] >= 0x80)
        return take_long_varint(at, end, out);
    *out = (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
    return at + 2;
}

static bool take_number(struct column *c, uint64_t *out)
{
    const uint8_t *next = take_varint(c->at, c->end, out);
    c->at = next ? next : c->at;
    return next != NULL;
}

static inline int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline double double_at(const uint8_t *at)
{
    uint64_t bits = 0;
    double out;
    for (unsigned i = 0; i < 8; i++) // little endian, whatever we run on; compilers make one load of it
        bits |= (uint64_t)at[i] << (8 * i);
    memcpy(&out, &bits, sizeof out);
    return out;
}

struct plain {
    struct column incarnation, tag, time, integer, real;
    uint64_t sequence, class, declares;
};

// protobuf's keys of the fields of Batch: number and wire type, all below 16, so one byte each.
enum {
    KEY_BATCH = 1 << 3 | 2,
    KEY_INCARNATION = 1 << 3 | 2,
    KEY_SEQUENCE = 2 << 3 | 0,
    KEY_CLASS = 3 << 3 | 0,
    KEY_DECLARES = 4 << 3 | 0,
    KEY_TAG = 5 << 3 | 2,
    KEY_TIME = 6 << 3 | 2,
    KEY_INTEGER = 7 << 3 | 2,
    KEY_REAL = 8 << 3 | 2
};

// protobuf-c takes no length that is written in more bytes than this, however small it is.
#define LENGTH_BYTES_MAX 5

static bool take_piece(struct column *c, struct column *out)
{
    const uint8_t *was = c->at;
    uint64_t len = 0;
    if (!take_number(c, &len) || c->at - was > LENGTH_BYTES_MAX || len > (uint64_t)(c->end - c->at))
        return false;
    *out = (struct column){c->at, c->at + len};
    c->at += len;
    return true;
}

static bool take_field(struct column *c, uint8_t key, struct plain *out)
{
    switch (key) {
    case KEY_INCARNATION:
        return take_piece(c, &out->incarnation);
    case KEY_SEQUENCE:
        return take_number(c, &out->sequence);
    case KEY_CLASS:
        return take_number(c, &out->class);
    case KEY_DECLARES:
        return take_number(c, &out->declares);
    case KEY_TAG:
        return take_piece(c, &out->tag);
    case KEY_TIME:
        return take_piece(c, &out->time);
    case KEY_INTEGER:
        return take_piece(c, &out->integer);
    case KEY_REAL:
        return take_piece(c, &out->real);
    default:
        return false;
    }
}

// Fields in rising order, so none comes twice.
static bool take_fields(const uint8_t *bytes, size_t len, struct plain *out)
{
    struct column envelope = {bytes, bytes + len}, batch;
    uint8_t last = 0;
    *out = (struct plain){0};
    if (len == 0 || *envelope.at++ != KEY_BATCH || !take_piece(&envelope, &batch) ||
        envelope.at != envelope.end)
        return false;
    while (batch.at < batch.end) {
        const uint8_t key = *batch.at++;
        if (key <= last || !take_field(&batch, key, out))
            return false;
        last = key;
    }
    return out->incarnation.end - out->incarnation.at == WIRE_INCARNATION_BYTES && out->sequence > 0 &&
           (out->class == WIRE_MEASUREMENT || out->class == WIRE_REPORT) &&
           out->declares <= WIRE_SERIES_NUMBERS;
}

// The four columns' places in registers: this loop runs once a sample.
static bool take_columns(const struct plain *p, struct wire_sample *samples, size_t *count)
{
    const uint8_t *tags = p->tag.at, *times = p->time.at, *integers = p->integer.at, *reals = p->real.at;
    int64_t time = 0, lowest, highest;
    struct wire_sample *s = samples;
    wire_time_bounds((enum wire_class)p->class, &lowest, &highest);
    for (; tags < p->tag.end; s++) {
        uint64_t tag = 0, delta = 0, integer = 0;
        if (s - samples == WIRE_SAMPLES_MAX || !(tags = take_varint(tags, p->tag.end, &tag)) ||
            tag > UINT32_MAX || !(times = take_varint(times, p->time.end, &delta)))
            return false;
        if (delta != 0 &&
            (__builtin_add_overflow(time, unzigzag(delta), &time) || time < lowest || time > highest))
            return false;
        s->series = (uint32_t)(tag >> 2);
        s->time = time;
        if ((tag & 3) == 0) {
            if (!(integers = take_varint(integers, p->integer.end, &integer)))
                return false;
            take_integer(unzigzag(integer), s);
        } else if ((tag & 3) == 1) {
            if (p->real.end - reals < 8)
                return false;
            take_real(double_at(reals), s);
            reals += 8;
        } else if ((tag & 3) == 2) {
            take_missing(s);
        } else {
            return false;
        }
    }
    *count = (size_t)(s - samples);
    return times == p->time.end && integers == p->integer.end && reals == p->real.end;
}

bool wire_take_plain_batch(struct wire_arena *a, const void *bytes, size_t len, struct wire_batch *out)
{
    struct plain p;
    size_t count = 0;
    if (!take_fields(bytes, len, &p))
        return false;
    // A tag has at least one byte, so this is room for all; what is not used costs nothing.
    const size_t most = (size_t)(p.tag.end - p.tag.at);
    struct wire_sample *samples =
        wire_arena_alloc(a, (most < WIRE_SAMPLES_MAX ? most : WIRE_SAMPLES_MAX) * sizeof *samples);
    if (!samples || !take_columns(&p, samples, &count))
        return false;
    *out = (struct wire_batch){.sequence = p.sequence,
                               .class = (enum wire_class)p.class,
                               .declares = (uint32_t)p.declares,
                               .count = count,
                               .samples = samples,
                               .notes = (const struct wire_note *)(const void *)samples};
    memcpy(out->incarnation.bytes, p.incarnation.at, WIRE_INCARNATION_BYTES);
    return true;
}

// ---- protobuf-c's way
static enum err invalid(const struct wire_decoder *d, const char *field, const char *what)
{
    return diag_fail(d->diag, ERR_INVALID, "%s %s", field, what);
}

static enum err take_samples(const struct wire_decoder *d, const Esep__V1__Batch *from,
                             struct wire_sample *samples)
{
    size_t integers = 0, reals = 0;
    int64_t time = 0, lowest, highest;
    wire_time_bounds((enum wire_class)from->class_, &lowest, &highest);
    for (size_t i = 0; i < from->n_tag; i++) {
        struct wire_sample *s = &samples[i];
        uint32_t tag = from->tag[i];
        if (__builtin_add_overflow(time, from->time[i], &time) || time < lowest || time > highest)
            return diag_fail(d->diag, ERR_INVALID, "batch.time: sample %zu is outside the years 1 to 9999",
                             i);
        s->series = tag >> 2;
        s->time = time;
        switch (tag & 3) {
        case 0:
            if (integers == from->n_integer)
                return invalid(d, "batch.integer", "has fewer values than the tags need");
            take_integer(from->integer[integers++], s);
            break;
        case 1:
            if (reals == from->n_real)
                return invalid(d, "batch.real", "has fewer values than the tags need");
            take_real(from->real[reals++], s);
            break;
        case 2:
            take_missing(s);
            break;
        default:
            return diag_fail(d->diag, ERR_INVALID, "batch.tag: sample %zu has a kind that does not exist", i);
        }
    }
    if (integers != from->n_integer || reals != from->n_real)
        return invalid(d, "batch", "has more values than the tags need");
    return ERR_OK;
}

static enum err take_notes(const struct wire_decoder *d, const Esep__V1__Batch *from, struct wire_note *notes)
{
    for (size_t i = 0; i < from->n_note; i++) {
        const Esep__V1__Note *n = from->note[i];
        struct wire_note *o = &notes[i];
        *o = (struct wire_note){
            .index = n->index,
            .status = (enum wire_status)n->status,
            .confidential = n->confidential,
            .published_us = n->published_us,
        };
        enum err e = wire_take_text(d, "note.reason", n->reason, &o->reason);
        if (e == ERR_OK)
            e = wire_take_text(d, "note.author", n->author, &o->author);
        if (e == ERR_OK)
            e = wire_take_text(d, "note.currency", n->currency, &o->currency);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

enum err wire_take_batch(const struct wire_decoder *d, const Esep__V1__Batch *from, struct wire_batch *out)
{
    if (from->n_tag != from->n_time)
        return diag_fail(d->diag, ERR_INVALID, "batch: %zu tags but %zu times", from->n_tag, from->n_time);
    if (from->n_tag > WIRE_SAMPLES_MAX || from->n_note > WIRE_NOTES_MAX)
        return diag_fail(d->diag, ERR_INVALID, "batch: %zu samples and %zu notes are too many", from->n_tag,
                         from->n_note);
    struct wire_sample *samples = wire_arena_alloc(d->arena, from->n_tag * sizeof(*samples));
    struct wire_note *notes = wire_arena_alloc(d->arena, from->n_note * sizeof(*notes));
    if (!samples || !notes)
        return diag_fail(d->diag, ERR_TOO_BIG, "batch: takes more memory than any honest one");
    *out = (struct wire_batch){
        .sequence = from->sequence,
        .class = (enum wire_class)from->class_,
        .declares = from->declares,
        .count = from->n_tag,
        .samples = samples,
        .note_count = from->n_note,
        .notes = notes,
    };
    enum err e = wire_take_bytes(d, "batch.incarnation", from->incarnation, out->incarnation.bytes,
                                 WIRE_INCARNATION_BYTES);
    if (e == ERR_OK)
        e = take_samples(d, from, samples);
    if (e == ERR_OK)
        e = take_notes(d, from, notes);
    return e;
}
