// What goes back to agents. A reply that a full peer does not take is counted and left: the agent asks again,
// but for acknowledgements and credit, which are owed until they are taken.
#include "base/log.h"
#include "collector/ingest_state.h"
#include "collector/refusal.h"
#include <string.h>

uint64_t ingest_credit(const struct ingest *in)
{
    if (in->paused)
        return 0;
    uint64_t credit = in->o.budget_bytes / (in->welcomed ? in->welcomed : 1);
    if (in->bytes_out * 4 > in->o.budget_bytes * 3 || credit < WIRE_MESSAGE_MAX_BYTES)
        credit = WIRE_MESSAGE_MAX_BYTES;
    return credit < INGEST_CREDIT_MAX_BYTES ? credit : INGEST_CREDIT_MAX_BYTES;
}

static enum err send_bytes(struct ingest *in, const struct mq_peer *peer, const void *bytes, size_t len)
{
    enum err e = in->o.send(in->o.send_ctx, peer, bytes, len);
    if (e != ERR_OK)
        collector_count(in->o.counters, COUNTER_REPLIES_DROPPED, 1);
    return e;
}

static enum err send_message(struct ingest *in, const struct mq_peer *peer, const struct wire_message *m)
{
    buf_reset(&in->reply);
    enum err e = wire_encode(m, &in->reply);
    if (e != ERR_OK) {
        log_error("reply_not_encoded", F_TEXT("type", wire_type_name(m->type)), F_TEXT("error", err_name(e)));
        return e;
    }
    return send_bytes(in, peer, in->reply.data, in->reply.len);
}

enum err ingest_send_refusal(struct ingest *in, const struct mq_peer *peer, enum wire_refuse_reason reason,
                             const char *text)
{
    char bounded[WIRE_REASON_MAX + 1];
    refusal_bound(bounded, text);
    struct wire_message m = {.type = WIRE_REFUSE, .refuse = {.reason = reason, .text = bounded}};
    return send_message(in, peer, &m);
}

void ingest_note_refusal(struct ingest *in, enum wire_refuse_reason reason, const char *text)
{
    if (in->speaks)
        refusal_note(in->o.tally, refusal_event(reason), &in->speaker, text);
}

enum err ingest_refuse(struct ingest *in, const struct mq_peer *peer, enum wire_refuse_reason reason,
                       const char *text)
{
    ingest_note_refusal(in, reason, text);
    return ingest_send_refusal(in, peer, reason, text);
}

static void note_sent(struct connection *c, enum err e)
{
    if (e == ERR_CLOSED)
        c->gone = true;
}

void ingest_send_ack(struct ingest *in, struct connection *c, uint64_t repeat)
{
    struct wire_message m = {.type = WIRE_ACK,
                             .ack = {.sequence = c->sequence,
                                     .credit_bytes = ingest_quota_credit(in, c, ingest_credit(in)),
                                     .receipt = c->receipt,
                                     .repeat = repeat}};
    enum err e = send_message(in, &c->peer, &m);
    c->ack_owed = e == ERR_AGAIN;
    if (e == ERR_OK)
        c->credit_bytes = m.ack.credit_bytes;
    note_sent(c, e);
}

static void send_welcome(struct ingest *in, struct connection *c, const struct outcome *o)
{
    struct wire_message m = {.type = WIRE_WELCOME,
                             .welcome = {.resident = c->who.resident,
                                         .last_sequence = o->sequence,
                                         .declares_known = o->declares_known,
                                         .credit_bytes = ingest_quota_credit(in, c, ingest_credit(in)),
                                         .clock_us = clock_wall(in->o.clock).us,
                                         .max_series = COLLECTOR_MAX_SERIES,
                                         .max_batch_bytes = WIRE_MESSAGE_MAX_BYTES,
                                         .next_port = in->o.next.port}};
    memcpy(m.welcome.next_key, in->o.next.key, KEY_BYTES);
    enum err e = send_message(in, &c->peer, &m);
    if (e == ERR_OK && !c->welcomed && quiet_may_say_some(&in->connected, in->o.clock))
        log_info("agent_connected", F_TEXT("resident", c->who.resident), F_INT("key_id", c->who.key_id),
                 F_TEXT("version", c->version), F_INT("last_sequence", o->sequence));
    // One that did not get through is asked for again by the next Hello. But of several in a row the first
    // may have: then the agent takes itself for welcomed, and has to be told of the credit that the last one
    // gave.
    c->ack_owed = e == ERR_AGAIN && c->welcomed;
    c->welcomed = e == ERR_OK || c->ack_owed;
    if (e == ERR_OK)
        c->credit_bytes = m.welcome.credit_bytes;
    note_sent(c, e);
    if (e == ERR_OK)
        ingest_tell_owed(in, c);
}

void ingest_answer(struct ingest *in, struct connection *c, const struct outcome *o)
{
    if (o->reject)
        note_sent(c, send_bytes(in, &c->peer, o->reject, o->reject_len));
    switch (o->kind) {
    case OUTCOME_WELCOME:
    case OUTCOME_ACK:
        c->sequence = o->sequence;
        c->receipt = o->receipt;
        if (o->kind == OUTCOME_WELCOME)
            send_welcome(in, c, o);
        else
            ingest_send_ack(in, c, o->repeat);
        break;
    case OUTCOME_NEED_DECLARE: {
        struct wire_message m = {.type = WIRE_NEED_DECLARE, .need_declare_from = o->declares_known};
        note_sent(c, send_message(in, &c->peer, &m));
        break;
    }
    case OUTCOME_REFUSE:
        note_sent(c, ingest_send_refusal(in, &c->peer, o->refuse, o->text ? o->text : ""));
        break;
    case OUTCOME_ROTATED: // not this connection's: ingest_answer_rotate
    case OUTCOME_QUIET:
    case OUTCOME_DECLARED:
    case OUTCOME_NONE:
        break;
    }
}

void ingest_answer_rotate(struct ingest *in, const struct mq_peer *peer, const struct outcome *o)
{
    struct wire_message m = {.type = WIRE_ROTATED};
    memcpy(m.rotate.key, o->key, sizeof m.rotate.key);
    if (o->kind == OUTCOME_ROTATED)
        (void)send_message(in, peer, &m);
    else if (o->kind == OUTCOME_REFUSE)
        (void)ingest_send_refusal(in, peer, o->refuse, o->text ? o->text : "");
    else
        (void)ingest_send_refusal(in, peer, WIRE_REFUSE_UNAVAILABLE,
                                  "the collector can't do this now: ask again");
}
