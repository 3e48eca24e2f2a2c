// Messages → bytes. What is encoded has passed the same checks that the other side's decoder applies, and it
// has one form only: protobuf-c writes fields in the order of their numbers with the shortest varints, so
// equal messages are equal bytes (the ledger's hash and the comparison of repeats rest on that).
#include "wire/codec_internal.h"
#include "wire/esep.pb-c.h"
#include <stdlib.h>

enum err wire_pack(const Esep__V1__Envelope *e, size_t max_bytes, struct buf *out)
{
    uint8_t bytes[WIRE_MESSAGE_MAX_BYTES];
    size_t len = esep__v1__envelope__get_packed_size(e);
    if (len > max_bytes)
        return ERR_TOO_BIG;
    if (len <= sizeof(bytes))
        return buf_append(out, bytes, esep__v1__envelope__pack(e, bytes));
    uint8_t *large = malloc(len);
    if (!large)
        return ERR_NOMEM;
    enum err result = buf_append(out, large, esep__v1__envelope__pack(e, large));
    free(large);
    return result;
}

// The body is a message of the type's struct; every member of the Envelope's union is a pointer.
enum err wire_pack_body(enum wire_type type, void *body, size_t max_bytes, struct buf *out)
{
    Esep__V1__Envelope e = ESEP__V1__ENVELOPE__INIT;
    e.body_case = (Esep__V1__Envelope__BodyCase)type;
    e.batch = body;
    return wire_pack(&e, max_bytes, out);
}

static enum err pack_body(enum wire_type type, void *body, struct buf *out)
{
    return wire_pack_body(type, body, WIRE_MESSAGE_MAX_BYTES, out);
}

// protobuf-c's structs are not const-correct; nothing is ever written through these.
static ProtobufCBinaryData bytes_of(const void *bytes, size_t len)
{
    return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)(uintptr_t)bytes};
}

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)(text ? text : "");
}

static ProtobufCBinaryData incarnation_of(const struct wire_incarnation *i)
{
    return bytes_of(i->bytes, sizeof(i->bytes));
}

// NULL when there is no receipt to speak of.
static Esep__V1__Receipt *receipt_of(const struct wire_receipt *r, Esep__V1__Receipt *out)
{
    if (r->position == 0)
        return NULL;
    esep__v1__receipt__init(out);
    out->position = r->position;
    out->chain = bytes_of(r->chain, sizeof(r->chain));
    return out;
}

static Esep__V1__Counters *counters_of(const struct wire_counters *c, Esep__V1__Counters *out)
{
    esep__v1__counters__init(out);
    out->sampled = c->sampled;
    out->refused = c->refused;
    out->spooled = c->spooled;
    out->spool_bytes = c->spool_bytes;
    out->source_errors = c->source_errors;
    out->acknowledged = c->acknowledged;
    out->gaps = c->gaps;
    return out;
}

void wire_note_fill(const struct wire_note *n, Esep__V1__Note *out)
{
    esep__v1__note__init(out);
    out->index = n->index;
    out->status = (Esep__V1__Status)n->status;
    out->reason = text_of(n->reason);
    out->author = text_of(n->author);
    out->currency = text_of(n->currency);
    out->published_us = n->published_us;
    out->confidential = n->confidential;
}

void wire_batch_fill(struct wire_columns *c, Esep__V1__Batch *out)
{
    out->n_tag = c->count;
    out->tag = c->tag;
    out->n_time = c->count;
    out->time = c->time;
    out->n_integer = c->integers;
    out->integer = c->integer;
    out->n_real = c->reals;
    out->real = c->real;
}

static enum err encode_batch(const struct wire_batch *b, struct buf *out)
{
    enum err result;
    struct wire_columns columns = {0};
    Esep__V1__Note *notes = malloc((b->note_count + 1) * sizeof(*notes));
    Esep__V1__Note **pointers = malloc((b->note_count + 1) * sizeof(*pointers));
    if (!notes || !pointers || wire_columns_init(&columns, b->count) != ERR_OK) {
        result = ERR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < b->count; i++) {
        struct wire_cell cell;
        result = wire_columns_cell(&columns, b->class, &b->samples[i], &cell);
        if (result != ERR_OK)
            goto out;
        wire_columns_put(&columns, &cell);
    }
    for (size_t i = 0; i < b->note_count; i++) {
        wire_note_fill(&b->notes[i], &notes[i]);
        pointers[i] = &notes[i];
    }
    Esep__V1__Batch batch = ESEP__V1__BATCH__INIT;
    batch.incarnation = incarnation_of(&b->incarnation);
    batch.sequence = b->sequence;
    batch.class_ = (Esep__V1__Class)b->class;
    batch.declares = b->declares;
    batch.n_note = b->note_count;
    batch.note = pointers;
    wire_batch_fill(&columns, &batch);
    result = pack_body(WIRE_BATCH, &batch, out);
out:
    wire_columns_deinit(&columns);
    free(pointers);
    free(notes);
    return result;
}

static enum err encode_reject(const struct wire_reject *r, struct buf *out)
{
    size_t count = r->whole ? 1 : r->count;
    uint32_t *index = malloc(count * sizeof(*index));
    Esep__V1__Reason *reason = malloc(count * sizeof(*reason));
    enum err result = index && reason ? ERR_OK : ERR_NOMEM;
    if (result == ERR_OK) {
        reason[0] = (Esep__V1__Reason)r->whole_reason;
        for (size_t i = 0; i < count && !r->whole; i++) {
            index[i] = r->refusals[i].index;
            reason[i] = (Esep__V1__Reason)r->refusals[i].reason;
        }
        Esep__V1__Reject reject = ESEP__V1__REJECT__INIT;
        reject.sequence = r->sequence;
        reject.whole = r->whole;
        reject.n_index = r->whole ? 0 : count;
        reject.index = index;
        reject.n_reason = count;
        reject.reason = reason;
        result = pack_body(WIRE_REJECT, &reject, out);
    }
    free(reason);
    free(index);
    return result;
}

static enum err encode_gap(const struct wire_gap *g, struct buf *out)
{
    Esep__V1__Gap gap = ESEP__V1__GAP__INIT;
    gap.incarnation = incarnation_of(&g->incarnation);
    gap.first = g->first;
    gap.last = g->last;
    gap.samples = g->samples;
    gap.from_s = g->from_s;
    gap.to_s = g->to_s;
    gap.reason = (Esep__V1__GapReason)g->reason;
    return pack_body(WIRE_GAP, &gap, out);
}

static enum err encode_ack(const struct wire_ack *a, struct buf *out)
{
    Esep__V1__Receipt receipt;
    Esep__V1__Ack ack = ESEP__V1__ACK__INIT;
    ack.sequence = a->sequence;
    ack.credit_bytes = a->credit_bytes;
    ack.receipt = receipt_of(&a->receipt, &receipt);
    ack.repeat = a->repeat;
    return pack_body(WIRE_ACK, &ack, out);
}

static enum err encode_hello(const struct wire_hello *h, struct buf *out)
{
    Esep__V1__Receipt receipt;
    Esep__V1__Counters counters;
    Esep__V1__Hello hello = ESEP__V1__HELLO__INIT;
    hello.protocol = h->protocol;
    hello.version = text_of(h->version);
    hello.clock_us = h->clock_us;
    hello.incarnation = incarnation_of(&h->incarnation);
    hello.declares = h->declares;
    hello.first_kept = h->first_kept;
    hello.last_written = h->last_written;
    hello.last_acknowledged = h->last_acknowledged;
    hello.last_receipt = receipt_of(&h->last_receipt, &receipt);
    hello.counters = counters_of(&h->counters, &counters);
    hello.obligations = h->obligations;
    return pack_body(WIRE_HELLO, &hello, out);
}

static enum err encode_welcome(const struct wire_welcome *w, struct buf *out)
{
    Esep__V1__Welcome welcome = ESEP__V1__WELCOME__INIT;
    welcome.resident = text_of(w->resident);
    welcome.last_sequence = w->last_sequence;
    welcome.declares_known = w->declares_known;
    welcome.credit_bytes = w->credit_bytes;
    welcome.clock_us = w->clock_us;
    welcome.max_series = w->max_series;
    welcome.max_batch_bytes = w->max_batch_bytes;
    welcome.next_port = w->next_port;
    if (w->next_port != 0)
        welcome.next_key = bytes_of(w->next_key, sizeof(w->next_key));
    return pack_body(WIRE_WELCOME, &welcome, out);
}

static enum err encode_declare(const struct wire_declare *c, struct buf *out)
{
    Esep__V1__Declare declare = ESEP__V1__DECLARE__INIT;
    declare.incarnation = incarnation_of(&c->incarnation);
    declare.number = c->number;
    declare.series = text_of(c->series);
    declare.unit = text_of(c->unit);
    declare.currency = text_of(c->currency);
    declare.class_ = (Esep__V1__Class)c->class;
    declare.step_s = c->step_s;
    declare.period = (Esep__V1__Period)c->period;
    return pack_body(WIRE_DECLARE, &declare, out);
}

static enum err encode_need_declare(uint32_t from, struct buf *out)
{
    Esep__V1__NeedDeclare need = ESEP__V1__NEED_DECLARE__INIT;
    need.from = from;
    return pack_body(WIRE_NEED_DECLARE, &need, out);
}

static enum err encode_heartbeat(const struct wire_heartbeat *h, struct buf *out)
{
    Esep__V1__Counters counters;
    Esep__V1__Heartbeat heartbeat = ESEP__V1__HEARTBEAT__INIT;
    heartbeat.clock_us = h->clock_us;
    heartbeat.counters = counters_of(&h->counters, &counters);
    return pack_body(WIRE_HEARTBEAT, &heartbeat, out);
}

static enum err encode_refuse(const struct wire_refuse *r, struct buf *out)
{
    Esep__V1__Refuse refuse = ESEP__V1__REFUSE__INIT;
    refuse.reason = (Esep__V1__RefuseReason)r->reason;
    refuse.text = text_of(r->text);
    return pack_body(WIRE_REFUSE, &refuse, out);
}

static enum err encode_control(const struct wire_control *c, struct buf *out)
{
    Esep__V1__Control control = ESEP__V1__CONTROL__INIT;
    control.kind = text_of(c->kind);
    control.document = bytes_of(c->document, c->document_len);
    control.hash = bytes_of(c->hash, sizeof(c->hash));
    control.author = text_of(c->author);
    control.part = c->part;
    control.parts = c->parts;
    return wire_pack_body(WIRE_CONTROL_MESSAGE, &control, WIRE_KEPT_MAX_BYTES, out); // in the ledger only
}

enum err wire_encode(const struct wire_message *m, struct buf *out)
{
    enum err result = wire_check(m, NULL);
    if (result != ERR_OK)
        return result;
    switch (m->type) {
    case WIRE_BATCH:
        return encode_batch(&m->batch, out);
    case WIRE_GAP:
        return encode_gap(&m->gap, out);
    case WIRE_ACK:
        return encode_ack(&m->ack, out);
    case WIRE_REJECT:
        return encode_reject(&m->reject, out);
    case WIRE_HELLO:
        return encode_hello(&m->hello, out);
    case WIRE_WELCOME:
        return encode_welcome(&m->welcome, out);
    case WIRE_DECLARE:
        return encode_declare(&m->declare, out);
    case WIRE_NEED_DECLARE:
        return encode_need_declare(m->need_declare_from, out);
    case WIRE_HEARTBEAT:
        return encode_heartbeat(&m->heartbeat, out);
    case WIRE_REFUSE:
        return encode_refuse(&m->refuse, out);
    case WIRE_CONTROL_MESSAGE:
        return encode_control(&m->control, out);
    case WIRE_ROLLUP:
    case WIRE_SEAL:
    case WIRE_RELEASE:
        return wire_encode_kept_body(m, out);
    case WIRE_ENROL:
    case WIRE_ENROLLED:
    case WIRE_ROTATE:
    case WIRE_ROTATED:
        return wire_encode_identity(m, out);
    case WIRE_OBLIGATIONS:
        return wire_encode_obligations(&m->obligations, out);
    }
    return ERR_INVALID;
}
