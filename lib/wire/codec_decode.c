// Bytes → messages. protobuf-c takes the bytes apart into the arena; here the pieces become plain structs and
// are checked. Every byte from outside comes through wire_decode.
//
// An Envelope is looked at first by hand: readers differ on what two bodies in one Envelope mean (protobuf-c
// takes the last, others merge them), and what the ledger keeps must mean one thing to everybody.
#include "wire/codec_batch.h"
#include "wire/codec_internal.h"
#include "wire/esep.pb-c.h"
#include <string.h>

#define BODY_LAST ESEP__V1__ENVELOPE__BODY_OBLIGATIONS

static enum err invalid(const struct wire_decoder *d, const char *field, const char *what)
{
    return diag_fail(d->diag, ERR_INVALID, "%s %s", field, what);
}

// ---- pieces

enum err wire_take_text(const struct wire_decoder *d, const char *field, const char *from, const char **out)
{
    size_t size = wire_arena_size_of(d->arena, from);
    if (size == 0) { // protobuf-c's own empty string
        *out = "";
        return ERR_OK;
    }
    if (memchr(from, 0, size - 1))
        return invalid(d, field, "has a NUL inside");
    *out = from;
    return ERR_OK;
}

enum err wire_take_bytes(const struct wire_decoder *d, const char *field, ProtobufCBinaryData from, void *out,
                         size_t len)
{
    if (from.len != len)
        return diag_fail(d->diag, ERR_INVALID, "%s has %zu bytes, not %zu", field, from.len, len);
    memcpy(out, from.data, len);
    return ERR_OK;
}

static enum err take_receipt(const struct wire_decoder *d, const Esep__V1__Receipt *from,
                             struct wire_receipt *out)
{
    *out = (struct wire_receipt){0};
    if (!from || (from->position == 0 && from->chain.len == 0))
        return ERR_OK;
    out->position = from->position;
    return wire_take_bytes(d, "receipt.chain", from->chain, out->chain, sizeof(out->chain));
}

static struct wire_counters take_counters(const Esep__V1__Counters *from)
{
    if (!from)
        return (struct wire_counters){0};
    return (struct wire_counters){
        .sampled = from->sampled,
        .refused = from->refused,
        .spooled = from->spooled,
        .spool_bytes = from->spool_bytes,
        .source_errors = from->source_errors,
        .acknowledged = from->acknowledged,
        .gaps = from->gaps,
    };
}

// ---- the other messages

static enum err take_gap(const struct wire_decoder *d, const Esep__V1__Gap *from, struct wire_gap *out)
{
    *out = (struct wire_gap){
        .first = from->first,
        .last = from->last,
        .samples = from->samples,
        .from_s = from->from_s,
        .to_s = from->to_s,
        .reason = (enum wire_gap_reason)from->reason,
    };
    return wire_take_bytes(d, "gap.incarnation", from->incarnation, out->incarnation.bytes,
                           WIRE_INCARNATION_BYTES);
}

static enum err take_ack(const struct wire_decoder *d, const Esep__V1__Ack *from, struct wire_ack *out)
{
    *out = (struct wire_ack){
        .sequence = from->sequence, .credit_bytes = from->credit_bytes, .repeat = from->repeat};
    return take_receipt(d, from->receipt, &out->receipt);
}

static enum err take_reject(const struct wire_decoder *d, const Esep__V1__Reject *from,
                            struct wire_reject *out)
{
    *out = (struct wire_reject){.sequence = from->sequence, .whole = from->whole};
    if (from->whole) {
        if (from->n_index != 0 || from->n_reason != 1)
            return invalid(d, "reject", "of a whole batch has not exactly one reason and no index");
        out->whole_reason = (enum wire_reason)from->reason[0];
        return ERR_OK;
    }
    if (from->n_index != from->n_reason)
        return diag_fail(d->diag, ERR_INVALID, "reject: %zu indexes but %zu reasons", from->n_index,
                         from->n_reason);
    struct wire_refusal *refusals = wire_arena_alloc(d->arena, from->n_index * sizeof(*refusals));
    if (!refusals)
        return diag_fail(d->diag, ERR_TOO_BIG, "reject: takes more memory than any honest one");
    for (size_t i = 0; i < from->n_index; i++)
        refusals[i] = (struct wire_refusal){from->index[i], (enum wire_reason)from->reason[i]};
    out->count = from->n_index;
    out->refusals = refusals;
    return ERR_OK;
}

static enum err take_hello(const struct wire_decoder *d, const Esep__V1__Hello *from, struct wire_hello *out)
{
    *out = (struct wire_hello){.protocol = from->protocol, .version = ""};
    if (from->protocol != WIRE_PROTOCOL)
        return ERR_OK;
    out->clock_us = from->clock_us;
    out->declares = from->declares;
    out->first_kept = from->first_kept;
    out->last_written = from->last_written;
    out->last_acknowledged = from->last_acknowledged;
    out->obligations = from->obligations;
    out->counters = take_counters(from->counters);
    enum err e = wire_take_text(d, "hello.version", from->version, &out->version);
    if (e == ERR_OK)
        e = wire_take_bytes(d, "hello.incarnation", from->incarnation, out->incarnation.bytes,
                            WIRE_INCARNATION_BYTES);
    if (e == ERR_OK)
        e = take_receipt(d, from->last_receipt, &out->last_receipt);
    return e;
}

static enum err take_welcome(const struct wire_decoder *d, const Esep__V1__Welcome *from,
                             struct wire_welcome *out)
{
    *out = (struct wire_welcome){
        .last_sequence = from->last_sequence,
        .declares_known = from->declares_known,
        .credit_bytes = from->credit_bytes,
        .clock_us = from->clock_us,
        .max_series = from->max_series,
        .max_batch_bytes = from->max_batch_bytes,
        .next_port = from->next_port,
    };
    if (from->next_port != 0 || from->next_key.len != 0) {
        enum err e = wire_take_bytes(d, "welcome.next_key", from->next_key, out->next_key, WIRE_KEY_BYTES);
        if (e != ERR_OK)
            return e;
    }
    return wire_take_text(d, "welcome.resident", from->resident, &out->resident);
}

static enum err take_declare(const struct wire_decoder *d, const Esep__V1__Declare *from,
                             struct wire_declare *out)
{
    *out = (struct wire_declare){
        .number = from->number,
        .class = (enum wire_class)from->class_,
        .step_s = from->step_s,
        .period = (uint32_t)from->period,
    };
    enum err e = wire_take_text(d, "declare.series", from->series, &out->series);
    if (e == ERR_OK)
        e = wire_take_text(d, "declare.unit", from->unit, &out->unit);
    if (e == ERR_OK)
        e = wire_take_text(d, "declare.currency", from->currency, &out->currency);
    if (e == ERR_OK)
        e = wire_take_bytes(d, "declare.incarnation", from->incarnation, out->incarnation.bytes,
                            WIRE_INCARNATION_BYTES);
    return e;
}

static enum err take_control(const struct wire_decoder *d, const Esep__V1__Control *from,
                             struct wire_control *out)
{
    *out = (struct wire_control){
        .document = from->document.len > 0 ? (const void *)from->document.data : "",
        .document_len = from->document.len,
        .part = from->part,
        .parts = from->parts,
    };
    enum err e = wire_take_text(d, "control.kind", from->kind, &out->kind);
    if (e == ERR_OK)
        e = wire_take_text(d, "control.author", from->author, &out->author);
    if (e == ERR_OK)
        e = wire_take_bytes(d, "control.hash", from->hash, out->hash, sizeof(out->hash));
    return e;
}

static enum err take_body(const struct wire_decoder *d, const Esep__V1__Envelope *from,
                          struct wire_message *out)
{
    switch (from->body_case) {
    case ESEP__V1__ENVELOPE__BODY_BATCH:
        return wire_take_batch(d, from->batch, &out->batch);
    case ESEP__V1__ENVELOPE__BODY_GAP:
        return take_gap(d, from->gap, &out->gap);
    case ESEP__V1__ENVELOPE__BODY_ACK:
        return take_ack(d, from->ack, &out->ack);
    case ESEP__V1__ENVELOPE__BODY_REJECT:
        return take_reject(d, from->reject, &out->reject);
    case ESEP__V1__ENVELOPE__BODY_HELLO:
        return take_hello(d, from->hello, &out->hello);
    case ESEP__V1__ENVELOPE__BODY_WELCOME:
        return take_welcome(d, from->welcome, &out->welcome);
    case ESEP__V1__ENVELOPE__BODY_DECLARE:
        return take_declare(d, from->declare, &out->declare);
    case ESEP__V1__ENVELOPE__BODY_NEED_DECLARE:
        out->need_declare_from = from->need_declare->from;
        return ERR_OK;
    case ESEP__V1__ENVELOPE__BODY_HEARTBEAT:
        out->heartbeat.clock_us = from->heartbeat->clock_us;
        out->heartbeat.counters = take_counters(from->heartbeat->counters);
        return ERR_OK;
    case ESEP__V1__ENVELOPE__BODY_REFUSE:
        out->refuse.reason = (enum wire_refuse_reason)from->refuse->reason;
        return wire_take_text(d, "refuse.text", from->refuse->text, &out->refuse.text);
    case ESEP__V1__ENVELOPE__BODY_CONTROL:
        return take_control(d, from->control, &out->control);
    case ESEP__V1__ENVELOPE__BODY_ROLLUP:
        return wire_take_rollup(d, from->rollup, &out->rollup);
    case ESEP__V1__ENVELOPE__BODY_SEAL:
        return wire_take_seal(d, from->seal, &out->seal);
    case ESEP__V1__ENVELOPE__BODY_RELEASE:
        return wire_take_release(d, from->release, &out->release);
    case ESEP__V1__ENVELOPE__BODY_ENROL:
        return wire_take_enrol(d, from->enrol, &out->enrol);
    case ESEP__V1__ENVELOPE__BODY_ENROLLED:
        return wire_take_enrolled(d, from->enrolled, &out->enrolled);
    case ESEP__V1__ENVELOPE__BODY_ROTATE:
        return wire_take_rotate(d, from->rotate, &out->rotate);
    case ESEP__V1__ENVELOPE__BODY_ROTATED:
        return wire_take_rotated(d, from->rotated, &out->rotate);
    case ESEP__V1__ENVELOPE__BODY_OBLIGATIONS:
        return wire_take_obligations(d, from->obligations, &out->obligations);
    default:
        return invalid(d, "message", "is of a type that this version does not know");
    }
}

// ---- the envelope

// The varint at *at, which is moved past it; false when it does not end within `end` or 64 bits.
static bool skip_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

// How many of the Envelope's fields are bodies we know; SIZE_MAX when it is not even protobuf.
static size_t count_bodies(const uint8_t *at, size_t len)
{
    size_t bodies = 0;
    for (const uint8_t *end = at + len; at < end;) {
        uint64_t key, value = 0;
        if (!skip_varint(&at, end, &key))
            return SIZE_MAX;
        uint64_t skip = 0;
        switch (key & 7) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
            if (!skip_varint(&at, end, &value))
                return SIZE_MAX;
            break;
        case PROTOBUF_C_WIRE_TYPE_64BIT:
            skip = 8;
            break;
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
            if (!skip_varint(&at, end, &skip))
                return SIZE_MAX;
            break;
        case PROTOBUF_C_WIRE_TYPE_32BIT:
            skip = 4;
            break;
        default:
            return SIZE_MAX;
        }
        if (skip > (size_t)(end - at))
            return SIZE_MAX;
        at += skip;
        uint64_t number = key >> 3;
        bodies += number >= 1 && number <= BODY_LAST;
    }
    return bodies;
}

static void *arena_alloc(void *arena, size_t size)
{
    return wire_arena_alloc(arena, size);
}

static void arena_free(void *arena, void *piece)
{
    (void)arena; // the next decode takes all of it back
    (void)piece;
}

enum err wire_decode_any(struct wire_arena *a, const void *bytes, size_t len, size_t max_bytes,
                         struct wire_message *out, struct diag *d)
{
    if (len > max_bytes)
        return diag_fail(d, ERR_TOO_BIG, "message of %zu bytes: the limit is %zu", len, max_bytes);
    size_t bodies = len > 0 ? count_bodies(bytes, len) : 0;
    if (bodies == SIZE_MAX)
        return diag_fail(d, ERR_INVALID, "message of %zu bytes is not an Envelope of esep.proto", len);
    if (bodies != 1)
        return diag_fail(d, ERR_INVALID, "message has %zu bodies of types that this version knows, not one",
                         bodies);
    wire_arena_reset(a);
    ProtobufCAllocator allocator = {.alloc = arena_alloc, .free = arena_free, .allocator_data = a};
    const Esep__V1__Envelope *e = esep__v1__envelope__unpack(&allocator, len, bytes);
    if (!e && wire_arena_exhausted(a))
        return diag_fail(d, ERR_TOO_BIG, "message of %zu bytes takes more memory than any honest one", len);
    if (!e)
        return diag_fail(d, ERR_INVALID, "message of %zu bytes does not decode as esep.proto says", len);
    struct wire_decoder decoder = {.arena = a, .diag = d};
    struct wire_message m = {.type = (enum wire_type)e->body_case};
    enum err result = take_body(&decoder, e, &m);
    if (result == ERR_OK)
        result = wire_check(&m, d);
    if (result == ERR_OK)
        *out = m;
    return result;
}

static enum err decode(struct wire_arena *a, const void *bytes, size_t len, size_t max_bytes,
                       struct wire_message *out, struct diag *d)
{
    struct wire_batch batch;
    wire_arena_reset(a);
    if (len > WIRE_MESSAGE_MAX_BYTES || !wire_take_plain_batch(a, bytes, len, &batch))
        return wire_decode_any(a, bytes, len, max_bytes, out, d);
    *out = (struct wire_message){.type = WIRE_BATCH, .batch = batch};
    return ERR_OK;
}

enum err wire_decode(struct wire_arena *a, const void *bytes, size_t len, struct wire_message *out,
                     struct diag *d)
{
    return decode(a, bytes, len, WIRE_MESSAGE_MAX_BYTES, out, d);
}

enum err wire_decode_kept(struct wire_arena *a, const void *bytes, size_t len, struct wire_message *out,
                          struct diag *d)
{
    return decode(a, bytes, len, WIRE_KEPT_MAX_BYTES, out, d);
}
