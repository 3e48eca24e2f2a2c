// See wire_equal.h. A NULL text is an absent one.
#include "tests/support/wire_equal.h"
#include "wire/codec.h"
#include <string.h>

static bool text_equal(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool incarnation_equal(const struct wire_incarnation *a, const struct wire_incarnation *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

// A receipt of position 0 is none, whatever its chain.
static bool receipt_equal(const struct wire_receipt *a, const struct wire_receipt *b)
{
    return a->position == b->position &&
           (a->position == 0 || memcmp(a->chain, b->chain, sizeof a->chain) == 0);
}

static bool counters_equal(const struct wire_counters *a, const struct wire_counters *b)
{
    return a->sampled == b->sampled && a->refused == b->refused && a->spooled == b->spooled &&
           a->spool_bytes == b->spool_bytes && a->source_errors == b->source_errors &&
           a->acknowledged == b->acknowledged && a->gaps == b->gaps;
}

static bool hello_equal(const struct wire_hello *a, const struct wire_hello *b)
{
    return a->protocol == b->protocol && text_equal(a->version, b->version) && a->clock_us == b->clock_us &&
           incarnation_equal(&a->incarnation, &b->incarnation) && a->declares == b->declares &&
           a->first_kept == b->first_kept && a->last_written == b->last_written &&
           a->last_acknowledged == b->last_acknowledged &&
           receipt_equal(&a->last_receipt, &b->last_receipt) && counters_equal(&a->counters, &b->counters) &&
           a->obligations == b->obligations;
}

static bool welcome_equal(const struct wire_welcome *a, const struct wire_welcome *b)
{
    return text_equal(a->resident, b->resident) && a->last_sequence == b->last_sequence &&
           a->declares_known == b->declares_known && a->credit_bytes == b->credit_bytes &&
           a->clock_us == b->clock_us && a->max_series == b->max_series &&
           a->max_batch_bytes == b->max_batch_bytes && a->next_port == b->next_port &&
           (a->next_port == 0 || memcmp(a->next_key, b->next_key, sizeof a->next_key) == 0);
}

static bool declare_equal(const struct wire_declare *a, const struct wire_declare *b)
{
    return incarnation_equal(&a->incarnation, &b->incarnation) && a->number == b->number &&
           text_equal(a->series, b->series) && text_equal(a->unit, b->unit) &&
           text_equal(a->currency, b->currency) && a->class == b->class && a->step_s == b->step_s &&
           a->period == b->period;
}

static bool note_equal(const struct wire_note *a, const struct wire_note *b)
{
    return a->index == b->index && a->status == b->status && a->confidential == b->confidential &&
           text_equal(a->reason, b->reason) && text_equal(a->author, b->author) &&
           text_equal(a->currency, b->currency) && a->published_us == b->published_us;
}

static bool batch_equal(const struct wire_batch *a, const struct wire_batch *b)
{
    if (!incarnation_equal(&a->incarnation, &b->incarnation) || a->sequence != b->sequence ||
        a->class != b->class || a->declares != b->declares || a->count != b->count ||
        a->note_count != b->note_count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->samples[i].series != b->samples[i].series || a->samples[i].time != b->samples[i].time ||
            a->samples[i].refused != b->samples[i].refused ||
            !figure_equal(a->samples[i].value, b->samples[i].value))
            return false;
    for (size_t i = 0; i < a->note_count; i++)
        if (!note_equal(&a->notes[i], &b->notes[i]))
            return false;
    return true;
}

static bool gap_equal(const struct wire_gap *a, const struct wire_gap *b)
{
    return incarnation_equal(&a->incarnation, &b->incarnation) && a->first == b->first &&
           a->last == b->last && a->samples == b->samples && a->from_s == b->from_s && a->to_s == b->to_s &&
           a->reason == b->reason;
}

static bool reject_equal(const struct wire_reject *a, const struct wire_reject *b)
{
    if (a->sequence != b->sequence || a->whole != b->whole)
        return false;
    if (a->whole)
        return a->whole_reason == b->whole_reason;
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->refusals[i].index != b->refusals[i].index || a->refusals[i].reason != b->refusals[i].reason)
            return false;
    return true;
}

static bool control_equal(const struct wire_control *a, const struct wire_control *b)
{
    return text_equal(a->kind, b->kind) && a->document_len == b->document_len &&
           (a->document_len == 0 || memcmp(a->document, b->document, a->document_len) == 0) &&
           memcmp(a->hash, b->hash, sizeof a->hash) == 0 && text_equal(a->author, b->author) &&
           a->part == b->part && a->parts == b->parts;
}

// The encoder gives one message one form.
static bool kept_equal(const struct wire_message *a, const struct wire_message *b)
{
    struct buf x, y;
    buf_init(&x, WIRE_KEPT_MAX_BYTES);
    buf_init(&y, WIRE_KEPT_MAX_BYTES);
    bool same = wire_encode(a, &x) == ERR_OK && wire_encode(b, &y) == ERR_OK && x.len == y.len &&
                memcmp(buf_str(&x), buf_str(&y), x.len) == 0;
    buf_deinit(&x);
    buf_deinit(&y);
    return same;
}

bool wire_message_equal(const struct wire_message *a, const struct wire_message *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case WIRE_BATCH:
        return batch_equal(&a->batch, &b->batch);
    case WIRE_GAP:
        return gap_equal(&a->gap, &b->gap);
    case WIRE_ACK:
        return a->ack.sequence == b->ack.sequence && a->ack.credit_bytes == b->ack.credit_bytes &&
               a->ack.repeat == b->ack.repeat && receipt_equal(&a->ack.receipt, &b->ack.receipt);
    case WIRE_REJECT:
        return reject_equal(&a->reject, &b->reject);
    case WIRE_HELLO:
        return hello_equal(&a->hello, &b->hello);
    case WIRE_WELCOME:
        return welcome_equal(&a->welcome, &b->welcome);
    case WIRE_DECLARE:
        return declare_equal(&a->declare, &b->declare);
    case WIRE_NEED_DECLARE:
        return a->need_declare_from == b->need_declare_from;
    case WIRE_HEARTBEAT:
        return a->heartbeat.clock_us == b->heartbeat.clock_us &&
               counters_equal(&a->heartbeat.counters, &b->heartbeat.counters);
    case WIRE_REFUSE:
        return a->refuse.reason == b->refuse.reason && text_equal(a->refuse.text, b->refuse.text);
    case WIRE_CONTROL_MESSAGE:
        return control_equal(&a->control, &b->control);
    case WIRE_ROLLUP:
    case WIRE_SEAL:
    case WIRE_RELEASE:
    case WIRE_ENROL:
    case WIRE_ENROLLED:
    case WIRE_ROTATE:
    case WIRE_ROTATED:
    case WIRE_OBLIGATIONS:
        return kept_equal(a, b);
    }
    return false;
}
