// What the collector may say, one function a message. A message that does not belong to the state is ignored:
// it answers something that was said before the last Hello.
#include "agent/uplink_internal.h"
#include "kpi/period.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_SHOWN 3

static void bad_message(struct uplink_core *c, const char *text)
{
    uplink_tell(c, &(struct uplink_event){.type = UPLINK_BAD_MESSAGE, .error = ERR_INVALID, .text = text});
}

// ---- Welcome

static void start_probe(struct uplink_core *c, uint64_t last, bool renew_after)
{
    c->state = UPLINK_PROBING;
    c->probe = last;
    c->renew_after_probe = renew_after;
    uplink_forget_sent(c);
    c->io.allow(c->io.ctx, true); // what is asked about must not be dropped meanwhile
    c->heartbeat_due = uplink_after(c, UPLINK_HEARTBEAT_US);
}

static void renew(struct uplink_core *c)
{
    uplink_wait(c, UPLINK_WAITING, UPLINK_HELLO_US);
    c->io.renew(c->io.ctx);
}

static void note_welcome(struct uplink_core *c, const struct wire_welcome *w)
{
    struct uplink_link *l = &c->link;
    snprintf(l->resident, sizeof l->resident, "%s", w->resident);
    l->connected = true;
    l->skew_ms = (w->clock_us - clock_wall(c->clock).us) / US_PER_MS;
    l->credit_bytes = w->credit_bytes;
    l->refused = WIRE_REFUSE_NONE;
    l->refused_text[0] = '\0';
    if (c->io.known)
        c->io.known(c->io.ctx, w->declares_known);
    if (c->io.next && w->next_port != 0)
        c->io.next(c->io.ctx, (uint16_t)w->next_port, w->next_key);
    c->declares_sent = w->declares_known < c->spool.declares ? w->declares_known : c->spool.declares;
    uplink_tell(c, &(struct uplink_event){
                       .type = UPLINK_CONNECTED, .text = l->resident, .sequence = w->last_sequence});
}

static void reconcile(struct uplink_core *c, uint64_t last)
{
    uint64_t written = c->spool.last_written;
    if (last < c->acknowledged) {
        uplink_tell(c, &(struct uplink_event){
                           .type = UPLINK_COLLECTOR_BEHIND, .sequence = c->acknowledged, .number = last});
        uplink_wait(c, UPLINK_WAITING, UPLINK_HELLO_US);
        c->io.rewind(c->io.ctx, last);
    } else if (last > written) {
        uplink_tell(
            c, &(struct uplink_event){.type = UPLINK_COLLECTOR_AHEAD, .sequence = written, .number = last});
        if (written > c->acknowledged) // perhaps it has these already, from the copy that wrote on
            start_probe(c, written, true);
        else
            renew(c);
    } else if (last > c->acknowledged) {
        start_probe(c, last, false);
    } else {
        uplink_get_ready(c);
    }
}

static void on_welcome(struct uplink_core *c, const struct wire_welcome *w)
{
    if (c->state != UPLINK_GREETING)
        return;
    note_welcome(c, w);
    reconcile(c, w->last_sequence);
    uplink_pump(c);
}

// ---- Ack

static void take_off_the_way(struct uplink_core *c, uint64_t sequence)
{
    while (c->sent_count > 0 && c->sent[c->sent_first].last <= sequence) {
        c->sent_bytes -= c->sent[c->sent_first].len;
        c->sent_first = (c->sent_first + 1) % UPLINK_WINDOW;
        c->sent_count--;
    }
}

// Answers come in the order of the questions; one that was lost is found missing by its time running out.
static void on_probe_ack(struct uplink_core *c, const struct wire_ack *a)
{
    const struct uplink_sent asked = c->sent[c->sent_first];
    if (c->sent_count == 0 || a->repeat != asked.first || a->sequence < asked.last)
        return; // only credit
    take_off_the_way(c, asked.last);
    c->acknowledged = asked.last;
    c->receipt = a->sequence == asked.last ? a->receipt : (struct wire_receipt){0};
    c->ack_due = uplink_after(c, UPLINK_ACK_US);
    c->io.acknowledged(c->io.ctx, c->acknowledged, &c->receipt);
    if (c->acknowledged < c->probe)
        return;
    if (c->renew_after_probe)
        renew(c);
    else
        uplink_get_ready(c);
}

static void on_ready_ack(struct uplink_core *c, const struct wire_ack *a)
{
    if (a->sequence > c->reached) {
        bad_message(c, "Ack of a sequence that was not sent");
        return;
    }
    if (a->sequence <= c->acknowledged)
        return; // only credit
    take_off_the_way(c, a->sequence);
    c->acknowledged = a->sequence;
    c->receipt = a->receipt;
    if (c->next <= a->sequence) // sent before going back, and taken after all
        c->next = a->sequence + 1;
    c->ack_due = uplink_after(c, UPLINK_ACK_US);
    c->io.acknowledged(c->io.ctx, c->acknowledged, &c->receipt);
}

static void on_ack(struct uplink_core *c, const struct wire_ack *a)
{
    if (c->state != UPLINK_READY && c->state != UPLINK_PROBING)
        return;
    c->link.credit_bytes = a->credit_bytes;
    if (c->state == UPLINK_PROBING)
        on_probe_ack(c, a);
    else
        on_ready_ack(c, a);
    uplink_pump(c);
}

// ---- Reject

struct refused_batch { // what is known of the samples a Reject speaks of
    struct wire_arena *arena;
    struct wire_message message; // of type 0 when it is not known
};

static void read_refused(struct uplink_core *c, uint64_t sequence, struct refused_batch *out)
{
    struct spool_message m;
    struct diag d;
    *out = (struct refused_batch){0};
    if (wire_arena_create(&out->arena) != ERR_OK)
        return;
    if (c->io.message(c->io.ctx, sequence, &m, &d) != ERR_OK || m.gap)
        return;
    if (wire_decode(out->arena, m.bytes, m.len, &out->message, &d) != ERR_OK ||
        out->message.type != WIRE_BATCH)
        out->message = (struct wire_message){0};
}

static void append_sample(struct uplink_core *c, const struct refused_batch *b, uint32_t index,
                          struct buf *text)
{
    struct wire_declare w;
    struct diag d;
    if (b->message.type != WIRE_BATCH || index >= b->message.batch.count) {
        (void)buf_printf(text, "%ssample %u", text->len ? ", " : "", index);
        return;
    }
    const struct wire_sample *s = &b->message.batch.samples[index];
    if (c->io.declare(c->io.ctx, s->series, &w, &d) != ERR_OK)
        w.series = "?";
    (void)buf_printf(text, "%s%s at %lld", text->len ? ", " : "", w.series, (long long)s->time);
}

// One event a reason, with the first few samples by name.
static void tell_rejected(struct uplink_core *c, const struct wire_reject *r, enum wire_reason reason,
                          const struct refused_batch *batch)
{
    struct buf text;
    uint64_t count = 0;
    buf_init(&text, 1024);
    for (size_t i = 0; i < r->count; i++) {
        if (r->refusals[i].reason != reason)
            continue;
        if (count++ < NAMES_SHOWN)
            append_sample(c, batch, r->refusals[i].index, &text);
    }
    if (r->whole && r->whole_reason == reason) {
        count = batch->message.type == WIRE_BATCH ? batch->message.batch.count : 1;
        (void)buf_text(&text, "the whole batch");
    }
    if (count > NAMES_SHOWN)
        (void)buf_text(&text, ", …");
    if (count > 0) {
        c->link.rejected += count;
        uplink_tell(c, &(struct uplink_event){.type = UPLINK_REJECTED,
                                              .reason = reason,
                                              .sequence = r->sequence,
                                              .number = count,
                                              .text = buf_str(&text)});
    }
    buf_deinit(&text);
}

// As people name a sample: the newest refused one, for status.
static void note_rejected(struct uplink_core *c, const struct wire_reject *r,
                          const struct refused_batch *batch)
{
    const struct wire_batch *b = batch->message.type == WIRE_BATCH ? &batch->message.batch : NULL;
    uint32_t index = r->count > 0 ? r->refusals[r->count - 1].index : 0;
    char *out = c->link.rejected_sample, when[WALL_TEXT];
    struct wire_declare w;
    struct diag d;
    c->link.rejected_reason = r->count > 0 ? r->refusals[r->count - 1].reason : r->whole_reason;
    if (!b || index >= b->count || c->io.declare(c->io.ctx, b->samples[index].series, &w, &d) != ERR_OK) {
        snprintf(out, sizeof c->link.rejected_sample, "batch %llu", (unsigned long long)r->sequence);
        return;
    }
    int64_t at = b->samples[index].time; // of our own spool, but it is calculated with
    if (b->class == WIRE_REPORT && at >= CIVIL_DAY_MIN && at < CIVIL_DAY_MAX)
        period_text((struct period){(enum period_kind)w.period, (int32_t)at}, when);
    else if (at > -INT64_C(100000000000) && at < INT64_C(100000000000))
        wall_text((struct wall){at * US_PER_S}, when);
    else
        snprintf(when, sizeof when, "%lld", (long long)at);
    snprintf(out, sizeof c->link.rejected_sample, "%s%s of %s", r->whole ? "a batch with " : "", w.series,
             when);
}

static void on_reject(struct uplink_core *c, const struct wire_reject *r)
{
    struct refused_batch batch;
    read_refused(c, r->sequence, &batch);
    for (int reason = 0; reason < WIRE_REASON_COUNT; reason++)
        tell_rejected(c, r, (enum wire_reason)reason, &batch);
    if (r->count > 0 || r->whole)
        note_rejected(c, r, &batch);
    wire_arena_destroy(batch.arena);
}

// ---- the rest

const char *uplink_refuse_advice(enum wire_refuse_reason r)
{
    static const char *const advice[WIRE_REFUSE_COUNT] = {
        [WIRE_REFUSE_HELLO_FIRST] = "nothing to do: the agent says Hello again",
        [WIRE_REFUSE_BAD_PROTOCOL] = "install the version of esep-agent that belongs to this collector",
        [WIRE_REFUSE_BAD_MESSAGE] = "report it: agent and collector do not understand each other",
        [WIRE_REFUSE_REVOKED] =
            "the key was revoked: remove agent.key, run esep-agent keygen, have the new key admitted",
        [WIRE_REFUSE_OTHER_CONNECTION] =
            "another agent uses this key: stop it, or remove agent.key here and run esep-agent keygen",
        [WIRE_REFUSE_OTHER_BODY] = "the state folder was restored or copied: a new incarnation is begun",
        [WIRE_REFUSE_DECLARE_CONFLICT] =
            "a series is known to the collector with another unit, step or owner: correct it in agent.yaml",
        [WIRE_REFUSE_DECLARE_INVALID] =
            "a series is not as the catalogue says: correct kpi, unit, step or period in agent.yaml",
        [WIRE_REFUSE_OVER_QUOTA] = "ask the park's operator for a higher limit, or send fewer series",
        [WIRE_REFUSE_UNAVAILABLE] =
            "nothing to do: figures are kept here until the collector can store again",
        [WIRE_REFUSE_WRONG_INCARNATION] = "nothing to do: the agent says Hello again",
        [WIRE_REFUSE_NOT_INVITED] = "ask the park's operator for a new invitation",
        [WIRE_REFUSE_INVITE_USED] =
            "an invitation is good for one key: ask the park's operator for a new one",
        [WIRE_REFUSE_INVITE_EXPIRED] = "ask the park's operator for a new invitation",
        [WIRE_REFUSE_KEY_TAKEN] = "remove agent.key from the state folder and enrol again",
        [WIRE_REFUSE_SERIES_OWNED] =
            "another agent sends it: have it moved here (esep-collector move), or remove it",
    };
    return r > 0 && r < WIRE_REFUSE_COUNT && advice[r] ? advice[r] : "ask the park's operator";
}

static void on_refuse(struct uplink_core *c, const struct wire_refuse *r)
{
    if (r->reason ==
        WIRE_REFUSE_HELLO_FIRST) { // something of ours arrived before our Hello: no need to wait so long
        if (c->state == UPLINK_READY || c->state == UPLINK_PROBING) {
            int64_t since = clock_mono(c->clock).us - c->hello_said.us;
            uplink_wait(c, UPLINK_GREETING, since < UPLINK_HELLO_US ? UPLINK_HELLO_US - since : 0);
            uplink_forget_sent(c);
        }
        return;
    }
    if (!c->up)
        return;
    if (r->reason == WIRE_REFUSE_SERIES_OWNED) { // that series only: all else goes on
        c->link.refused = r->reason;
        snprintf(c->link.refused_text, sizeof c->link.refused_text, "%s", r->text);
        uplink_tell(c, &(struct uplink_event){
                           .type = UPLINK_REFUSED, .refuse = r->reason, .text = c->link.refused_text});
        return;
    }
    if (c->state == UPLINK_TURNED_AWAY && c->link.refused == WIRE_REFUSE_DECLARE_INVALID &&
        r->reason == WIRE_REFUSE_DECLARE_CONFLICT)
        return; // the numbers behind an invalid declare only follow from it: its reason stays on show
    c->link.refused = r->reason;
    snprintf(c->link.refused_text, sizeof c->link.refused_text, "%s", r->text);
    uplink_tell(
        c, &(struct uplink_event){.type = UPLINK_REFUSED, .refuse = r->reason, .text = c->link.refused_text});
    bool other_body =
        r->reason == WIRE_REFUSE_OTHER_BODY && (c->state == UPLINK_READY || c->state == UPLINK_PROBING);
    // Two agents with one key, each turned away by the other, must not come back in step for ever.
    uplink_wait(c, UPLINK_TURNED_AWAY,
                UPLINK_REFUSED_US - (int64_t)c->io.random(c->io.ctx, UPLINK_REFUSED_SPREAD_MS) * US_PER_MS);
    uplink_forget_sent(c);
    if (other_body) {
        uplink_tell(c, &(struct uplink_event){.type = UPLINK_OTHER_BODY, .sequence = c->acknowledged + 1});
        c->io.renew(c->io.ctx);
    }
}

static void on_need_declare(struct uplink_core *c, uint32_t from)
{
    if (c->state != UPLINK_READY && c->state != UPLINK_PROBING)
        return;
    if (from > c->spool.declares) {
        bad_message(c, "NeedDeclare of a number that was never given");
        return;
    }
    c->declares_sent = from;
    uplink_forget_sent(c); // the batch that needed them was not taken
    uplink_pump(c);
}

void uplink_core_message(struct uplink_core *c, const void *bytes, size_t len)
{
    struct wire_message m;
    struct diag d = {""};
    c->heard = clock_mono(c->clock);
    if (wire_decode(c->arena, bytes, len, &m, &d) != ERR_OK) {
        bad_message(c, d.text);
        return;
    }
    switch (m.type) {
    case WIRE_WELCOME:
        on_welcome(c, &m.welcome);
        break;
    case WIRE_ACK:
        on_ack(c, &m.ack);
        break;
    case WIRE_REJECT:
        on_reject(c, &m.reject);
        break;
    case WIRE_NEED_DECLARE:
        on_need_declare(c, m.need_declare_from);
        break;
    case WIRE_REFUSE:
        on_refuse(c, &m.refuse);
        break;
    case WIRE_OBLIGATIONS:
        if (c->up && c->io.owed)
            c->io.owed(c->io.ctx, bytes, len);
        break;
    case WIRE_BATCH:
    case WIRE_GAP:
    case WIRE_HELLO:
    case WIRE_DECLARE:
    case WIRE_HEARTBEAT:
    case WIRE_CONTROL_MESSAGE:
    case WIRE_ROLLUP:
    case WIRE_SEAL:
    case WIRE_RELEASE:
    case WIRE_ENROL:
    case WIRE_ENROLLED:
    case WIRE_ROTATE:
    case WIRE_ROTATED:
        bad_message(c, "a message that is not the collector's to send");
        break;
    }
}
