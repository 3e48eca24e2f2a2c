// Every message type built field by field from the input, honest and absurd values alike. What wire_encode
// takes must decode to the same message; what it refuses must be refused for a reason that is the caller's to
// mend. Batches go through the builder as well.
#include "tests/fuzz/fuzz.h"
#include "tests/support/wire_equal.h"
#include "wire/codec.h"

#define SAMPLES_MAX 96
#define NOTES_MAX   16
#define TEXTS_MAX   (4 + 3 * NOTES_MAX)

struct made { // a message and what it borrows
    struct wire_message m;
    struct wire_sample samples[SAMPLES_MAX];
    struct wire_note notes[NOTES_MAX];
    struct wire_refusal refusals[SAMPLES_MAX];
    struct wire_owed owed[SAMPLES_MAX];
    char *texts[TEXTS_MAX];
    size_t text_count;
};

static const char *text(struct made *made, struct fuzz_input *in, size_t max, const char *usual)
{
    uint8_t how = fuzz_u8(in);
    if (how < 128)
        return usual;
    if (how < 136)
        return NULL;
    return made->texts[made->text_count++] = fuzz_text(in, max);
}

static uint32_t number32(struct fuzz_input *in, int64_t near)
{
    return (uint32_t)fuzz_number(in, near);
}

static uint64_t number64(struct fuzz_input *in, int64_t near)
{
    return (uint64_t)fuzz_number(in, near);
}

static struct figure figure(struct fuzz_input *in)
{
    struct figure f = figure_missing();
    uint8_t how = fuzz_u8(in);
    if (how % 4 == 0)
        return f;
    if (how % 4 == 1) // a figure that nothing has checked
        return (struct figure){.kind = FIGURE_REAL, .real = fuzz_real(in)};
    if (how % 4 == 2)
        return (struct figure){.kind = FIGURE_INTEGER, .integer = fuzz_number(in, 1000)};
    return figure_from_real(fuzz_real(in), &f) == ERR_OK ? f : figure_missing();
}

static void make_batch(struct made *made, struct fuzz_input *in)
{
    struct wire_batch *b = &made->m.batch;
    fuzz_take(in, &b->incarnation, sizeof b->incarnation);
    b->sequence = number64(in, 1);
    b->class = (enum wire_class)number32(in, WIRE_MEASUREMENT);
    b->declares = number32(in, 3);
    b->count = fuzz_u8(in) % SAMPLES_MAX;
    b->note_count = fuzz_u8(in) % NOTES_MAX;
    b->samples = made->samples;
    b->notes = made->notes;
    int64_t time = b->class == WIRE_REPORT ? 20000 : 1772366400;
    for (size_t i = 0; i < b->count; i++) {
        time = fuzz_number(in, time);
        made->samples[i] = (struct wire_sample){.series = fuzz_u8(in), .time = time, .value = figure(in)};
        if (made->samples[i].series == 255)
            made->samples[i].series = fuzz_u32(in);
    }
    for (size_t i = 0; i < b->note_count; i++)
        made->notes[i] = (struct wire_note){
            .index = (uint32_t)(i + fuzz_u8(in)),
            .status = (enum wire_status)(fuzz_u8(in) % 5),
            .confidential = fuzz_u8(in) & 1,
            .reason = text(made, in, 300, "жоқ"),
            .author = text(made, in, 80, "desk"),
            .currency = text(made, in, 5, "KZT"),
            .published_us = fuzz_number(in, 0),
        };
}

static void make_reject(struct made *made, struct fuzz_input *in)
{
    struct wire_reject *r = &made->m.reject;
    r->sequence = number64(in, 1);
    r->whole = fuzz_u8(in) & 1;
    if (r->whole) {
        r->whole_reason = (enum wire_reason)number32(in, 1);
        return;
    }
    r->count = fuzz_u8(in) % SAMPLES_MAX;
    r->refusals = made->refusals;
    for (size_t i = 0; i < r->count; i++)
        made->refusals[i] =
            (struct wire_refusal){number32(in, (int64_t)i), (enum wire_reason)number32(in, 1)};
}

static struct wire_counters counters(struct fuzz_input *in)
{
    struct wire_counters c;
    fuzz_take(in, &c, sizeof c);
    return c;
}

static struct wire_receipt receipt(struct fuzz_input *in)
{
    struct wire_receipt r = {.position = number64(in, 1)};
    fuzz_take(in, r.chain, sizeof r.chain);
    return r;
}

static void make_hello(struct made *made, struct fuzz_input *in)
{
    struct wire_hello *h = &made->m.hello;
    h->protocol = WIRE_PROTOCOL;
    h->version = text(made, in, 70, "0.1.0");
    h->clock_us = fuzz_number(in, 1772366400000000);
    fuzz_take(in, &h->incarnation, sizeof h->incarnation);
    h->declares = number32(in, 3);
    h->first_kept = number64(in, 1);
    h->last_written = number64(in, 5);
    h->last_acknowledged = number64(in, 4);
    h->last_receipt = receipt(in);
    h->counters = counters(in);
    h->obligations = fuzz_u8(in) & 1;
}

static void make_obligations(struct made *made, struct fuzz_input *in)
{
    struct wire_obligations *o = &made->m.obligations;
    o->as_of_us = fuzz_number(in, 1772366400000000);
    o->open = number64(in, 2);
    o->late = number64(in, 1);
    o->count = fuzz_u8(in) % TEXTS_MAX;
    o->owed = made->owed;
    for (size_t i = 0; i < o->count; i++) {
        struct wire_owed *w = &made->owed[i];
        w->series = text(made, in, 140, "inv");
        w->period = number32(in, 2);
        w->start = (int32_t)fuzz_number(in, 20454);
        w->state = (enum wire_owed_state)number32(in, WIRE_OWED_OPEN);
        w->answered = fuzz_u8(in) & 1;
        w->has_due = fuzz_u8(in) & 1;
        w->due_day = w->has_due ? (int32_t)fuzz_number(in, 20500) : 0;
        w->late_s = w->has_due ? fuzz_number(in, 1772366400) : 0;
    }
}

static void make_declare(struct made *made, struct fuzz_input *in)
{
    struct wire_declare *c = &made->m.declare;
    fuzz_take(in, &c->incarnation, sizeof c->incarnation);
    c->number = number32(in, 0);
    c->series = text(made, in, 140, "out_units/fridges");
    c->unit = text(made, in, 40, "piece");
    c->currency = text(made, in, 5, "");
    c->class = (enum wire_class)number32(in, WIRE_REPORT);
    c->step_s = number32(in, c->class == WIRE_REPORT ? 0 : 10);
    c->period = number32(in, c->class == WIRE_REPORT ? 2 : 0);
}

static void make_control(struct made *made, struct fuzz_input *in)
{
    struct wire_control *c = &made->m.control;
    size_t len = fuzz_u16(in);
    c->kind = text(made, in, 140, "catalogue");
    c->author = text(made, in, 80, "desk");
    fuzz_take(in, c->hash, sizeof c->hash);
    c->part = number32(in, 0);
    c->parts = number32(in, 1);
    c->document = fuzz_bytes(in, &len);
    c->document_len = len;
}

static void make_rest(struct made *made, struct fuzz_input *in)
{
    struct wire_message *m = &made->m;
    switch (m->type) {
    case WIRE_GAP:
        fuzz_take(in, &m->gap.incarnation, sizeof m->gap.incarnation);
        m->gap.first = number64(in, 3);
        m->gap.last = number64(in, 5);
        m->gap.samples = number64(in, 100);
        m->gap.from_s = fuzz_number(in, 0);
        m->gap.to_s = fuzz_number(in, 60);
        m->gap.reason = (enum wire_gap_reason)number32(in, 1);
        break;
    case WIRE_ACK:
        m->ack = (struct wire_ack){.sequence = number64(in, 5), .credit_bytes = number64(in, 65536)};
        m->ack.receipt = receipt(in);
        break;
    case WIRE_WELCOME:
        m->welcome.resident = text(made, in, 140, "almaty-iz/acme");
        m->welcome.last_sequence = number64(in, 1);
        m->welcome.declares_known = number32(in, 1);
        m->welcome.credit_bytes = number64(in, 65536);
        m->welcome.clock_us = fuzz_number(in, 0);
        m->welcome.max_series = number32(in, 100);
        m->welcome.max_batch_bytes = number32(in, 16384);
        m->welcome.next_port = number32(in, 0);
        fuzz_take(in, m->welcome.next_key, sizeof m->welcome.next_key);
        break;
    case WIRE_NEED_DECLARE:
        m->need_declare_from = number32(in, 0);
        break;
    case WIRE_HEARTBEAT:
        m->heartbeat.clock_us = fuzz_number(in, 0);
        m->heartbeat.counters = counters(in);
        break;
    case WIRE_REFUSE:
        m->refuse.reason = (enum wire_refuse_reason)number32(in, 1);
        m->refuse.text = text(made, in, 300, "no");
        break;
    case WIRE_ENROL:
        m->enrol.protocol = WIRE_PROTOCOL;
        m->enrol.version = text(made, in, 70, "0.1.0");
        fuzz_take(in, m->enrol.secret, sizeof m->enrol.secret);
        break;
    case WIRE_ENROLLED:
        m->enrolled.resident = text(made, in, 140, "almaty-iz/acme");
        m->enrolled.endpoint = text(made, in, 270, "tcp://park.example:5670");
        m->enrolled.clock_us = fuzz_number(in, 0);
        break;
    case WIRE_ROTATE:
    case WIRE_ROTATED:
        fuzz_take(in, m->rotate.key, sizeof m->rotate.key);
        break;
    default:
        break;
    }
}

static void make(struct made *made, struct fuzz_input *in)
{
    memset(made, 0, sizeof *made);
    made->m.type = (enum wire_type)(fuzz_u8(in) % (WIRE_OBLIGATIONS + 2));
    if (made->m.type == WIRE_BATCH)
        make_batch(made, in);
    else if (made->m.type == WIRE_REJECT)
        make_reject(made, in);
    else if (made->m.type == WIRE_HELLO)
        make_hello(made, in);
    else if (made->m.type == WIRE_DECLARE)
        make_declare(made, in);
    else if (made->m.type == WIRE_CONTROL_MESSAGE)
        make_control(made, in);
    else if (made->m.type == WIRE_OBLIGATIONS)
        make_obligations(made, in);
    else
        make_rest(made, in);
}

// A figure that the constructors do not make comes back as the one they make of it.
static void settle(struct wire_message *m, struct wire_sample *samples)
{
    for (size_t i = 0; m->type == WIRE_BATCH && i < m->batch.count; i++)
        if (samples[i].value.kind == FIGURE_REAL)
            FUZZ_CHECK(figure_from_real(samples[i].value.real, &samples[i].value) == ERR_OK);
}

static void build(const struct wire_message *m, struct wire_arena *arena)
{
    static struct wire_builder *builder;
    struct wire_message back;
    struct buf out;
    size_t note = 0;
    FUZZ_CHECK(builder || wire_builder_create(&builder) == ERR_OK);
    wire_builder_reset(builder, m->batch.class, 64 + m->batch.sequence % WIRE_MESSAGE_MAX_BYTES);
    buf_init(&out, WIRE_MESSAGE_MAX_BYTES);
    for (size_t i = 0; i < m->batch.count; i++) {
        const struct wire_note *n = note < m->batch.note_count ? &m->batch.notes[note++] : NULL;
        enum err e = wire_builder_add(builder, &m->batch.samples[i], n);
        FUZZ_CHECK(e == ERR_OK || e == ERR_FULL || e == ERR_INVALID);
    }
    enum err e = wire_builder_finish(builder, &m->batch.incarnation, m->batch.sequence, &out);
    FUZZ_CHECK(e == ERR_OK || e == ERR_INVALID);
    if (e == ERR_OK) {
        FUZZ_CHECK(wire_decode(arena, out.data, out.len, &back, NULL) == ERR_OK);
        FUZZ_CHECK(back.batch.count == wire_builder_count(builder));
    }
    buf_deinit(&out);
}

static void encode(struct made *made, struct wire_arena *arena)
{
    struct wire_message back;
    struct buf out;
    struct diag d = {""};
    buf_init(&out, WIRE_MESSAGE_MAX_BYTES);
    enum err e = wire_encode(&made->m, &out);
    FUZZ_CHECK(e == ERR_OK || e == ERR_INVALID || e == ERR_TOO_BIG);
    if (e == ERR_OK) {
        e = wire_decode(arena, out.data, out.len, &back, &d);
        if (e != ERR_OK)
            fprintf(stderr, "%s\n", d.text);
        FUZZ_CHECK(e == ERR_OK);
        settle(&made->m, made->samples);
        FUZZ_CHECK(wire_message_equal(&made->m, &back));
    }
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct wire_arena *arena;
    static struct made made;
    struct fuzz_input in = {bytes, len};
    FUZZ_CHECK(arena || wire_arena_create(&arena) == ERR_OK);
    make(&made, &in);
    encode(&made, arena);
    if (made.m.type == WIRE_BATCH)
        build(&made.m, arena);
    for (size_t i = 0; i < made.text_count; i++)
        free(made.texts[i]);
    return 0;
}
