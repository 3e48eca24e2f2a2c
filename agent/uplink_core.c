// Everything in doubt is settled by saying Hello again: it is idempotent, and Welcome says where to go on. So
// there is one way into READY and every trouble (silence, a lost Ack, a full spool moved, a refusal) ends in
// GREETING.
//
// Welcome may state a sequence that was sent but never seen acknowledged. Usually the Ack was lost; but when
// a spool was restored or a machine cloned, another agent has used those sequences, and to take them as ours
// would lose figures: not even the last one being the same proves those before it. So they are sent again,
// and each is ours when an Ack names it as a repeat; OTHER_BODY says that it is not.
#include "agent/uplink_internal.h"
#include <stdlib.h>
#include <string.h>

struct mono uplink_after(const struct uplink_core *c, int64_t us)
{
    return (struct mono){clock_mono(c->clock).us + us};
}

static bool is_due(const struct uplink_core *c, struct mono when)
{
    return clock_mono(c->clock).us >= when.us;
}

void uplink_tell(struct uplink_core *c, const struct uplink_event *e)
{
    struct uplink_event copy = *e;
    if (!copy.text)
        copy.text = "";
    c->io.event(c->io.ctx, &copy);
}

void uplink_wait(struct uplink_core *c, enum uplink_state state, int64_t us)
{
    if (c->link.connected)
        c->io.allow(c->io.ctx, false);
    c->link.connected = false;
    c->state = state;
    c->until = uplink_after(c, us);
}

// ---- life

enum err uplink_core_create(const struct clock *clock, const struct uplink_io *io, const char *version,
                            struct uplink_core **out)
{
    struct uplink_core *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->clock = clock;
    c->io = *io;
    c->version = version;
    c->until = uplink_after(c, UPLINK_NO_ANSWER_US);
    buf_init(&c->out, WIRE_MESSAGE_MAX_BYTES);
    enum err e = wire_arena_create(&c->arena);
    if (e == ERR_OK)
        *out = c;
    else
        uplink_core_destroy(c);
    return e;
}

void uplink_core_destroy(struct uplink_core *c)
{
    if (!c)
        return;
    wire_arena_destroy(c->arena);
    buf_deinit(&c->out);
    free(c);
}

const struct uplink_link *uplink_core_link(const struct uplink_core *c)
{
    return &c->link;
}

bool uplink_link_same(const struct uplink_link *a, const struct uplink_link *b)
{
    return a->connected == b->connected && a->contact == b->contact && a->skew_ms == b->skew_ms &&
           a->credit_bytes == b->credit_bytes && a->rejected == b->rejected && a->refused == b->refused &&
           a->rejected_reason == b->rejected_reason && strcmp(a->rejected_sample, b->rejected_sample) == 0 &&
           strcmp(a->resident, b->resident) == 0 && strcmp(a->refused_text, b->refused_text) == 0;
}

// ---- sending

// False: not sent (a full socket, or the connection is gone).
static bool send_bytes(struct uplink_core *c, const void *bytes, size_t len)
{
    enum err e = c->io.send(c->io.ctx, bytes, len);
    c->blocked = e == ERR_AGAIN;
    if (e != ERR_OK && e != ERR_AGAIN)
        uplink_lost(c);
    return e == ERR_OK;
}

static bool send_message(struct uplink_core *c, const struct wire_message *m)
{
    buf_reset(&c->out);
    enum err e = wire_encode(m, &c->out);
    if (e != ERR_OK) {
        uplink_tell(
            c, &(struct uplink_event){.type = UPLINK_BAD_MESSAGE, .error = e, .text = "cannot be encoded"});
        return true; // another try would end the same
    }
    return send_bytes(c, c->out.data, c->out.len);
}

static void spool_unreadable(struct uplink_core *c, enum err e, const struct diag *d)
{
    if (e == ERR_AGAIN) { // busy
        c->blocked = true;
        return;
    }
    uplink_tell(c, &(struct uplink_event){.type = UPLINK_SPOOL_UNREADABLE, .error = e, .text = d->text});
    uplink_wait(c, UPLINK_TURNED_AWAY, UPLINK_REFUSED_US);
}

void uplink_forget_sent(struct uplink_core *c)
{
    c->sent_first = c->sent_count = 0;
    c->sent_bytes = 0;
    c->next = c->acknowledged + 1;
}

void uplink_say_hello(struct uplink_core *c)
{
    uplink_wait(c, UPLINK_GREETING, UPLINK_HELLO_US);
    uplink_forget_sent(c);
    c->probe = 0;
    struct wire_message m = {.type = WIRE_HELLO,
                             .hello = {.protocol = WIRE_PROTOCOL,
                                       .version = c->version,
                                       .clock_us = clock_wall(c->clock).us,
                                       .incarnation = c->spool.incarnation,
                                       .declares = c->spool.declares,
                                       .first_kept = c->spool.first_kept,
                                       .last_written = c->spool.last_written,
                                       .last_acknowledged = c->acknowledged,
                                       .last_receipt = c->receipt,
                                       .counters = c->spool.counters,
                                       .obligations = c->io.owed != NULL}};
    if (send_message(c, &m))
        c->hello_said = clock_mono(c->clock);
    else if (c->state == UPLINK_GREETING)
        c->until = uplink_after(c, UPLINK_RETRY_US);
}

static void send_heartbeat(struct uplink_core *c)
{
    struct wire_message m = {
        .type = WIRE_HEARTBEAT,
        .heartbeat = {.clock_us = clock_wall(c->clock).us, .counters = c->spool.counters}};
    if (send_message(c, &m))
        c->heartbeat_due = uplink_after(c, UPLINK_HEARTBEAT_US);
}

// True when the collector has been sent all of them.
static bool send_declares(struct uplink_core *c)
{
    while (c->declares_sent < c->spool.declares) {
        struct wire_message m = {.type = WIRE_DECLARE};
        struct diag d = {""};
        enum err e = c->io.declare(c->io.ctx, c->declares_sent, &m.declare, &d);
        if (e != ERR_OK) {
            spool_unreadable(c, e, &d);
            return false;
        }
        m.declare.incarnation = c->spool.incarnation;
        if (!send_message(c, &m))
            return false;
        c->declares_sent++;
    }
    return true;
}

static bool credit_for(const struct uplink_core *c, size_t len)
{
    if (c->sent_count == 0)
        return c->link.credit_bytes > 0;
    return c->sent_bytes + len <= c->link.credit_bytes;
}

static bool send_spooled(struct uplink_core *c, const struct spool_message *m)
{
    if (!credit_for(c, m->len) || !send_bytes(c, m->bytes, m->len))
        return false;
    if (c->sent_count == 0)
        c->ack_due = uplink_after(c, UPLINK_ACK_US);
    c->sent[(c->sent_first + c->sent_count++) % UPLINK_WINDOW] =
        (struct uplink_sent){.first = m->first, .last = m->last, .len = (uint32_t)m->len};
    c->sent_bytes += m->len;
    return true;
}

static void send_probes(struct uplink_core *c)
{
    uint64_t end = c->probe < c->spool.sendable ? c->probe : c->spool.sendable;
    while (c->state == UPLINK_PROBING && c->next <= end && c->sent_count < UPLINK_WINDOW &&
           credit_for(c, 1)) {
        struct spool_message m;
        struct diag d = {""};
        enum err e = c->io.message(c->io.ctx, c->next, &m, &d);
        if (e != ERR_OK) {
            spool_unreadable(c, e == ERR_NOT_FOUND ? ERR_CORRUPT : e, &d);
        } else if (m.last > c->probe) { // the collector's last lies inside a gap of ours: not our doing
            uplink_tell(c, &(struct uplink_event){.type = UPLINK_OTHER_BODY, .sequence = c->probe});
            uplink_wait(c, UPLINK_WAITING, UPLINK_HELLO_US);
            c->io.renew(c->io.ctx);
        } else if (!send_spooled(c, &m)) {
            return;
        } else {
            c->next = m.last + 1;
        }
        if (e != ERR_OK)
            return;
    }
}

static void send_batches(struct uplink_core *c)
{
    while (c->state == UPLINK_READY && c->next <= c->spool.sendable && c->sent_count < UPLINK_WINDOW &&
           credit_for(c, 1)) {
        struct spool_message m;
        struct diag d = {""};
        enum err e = c->io.message(c->io.ctx, c->next, &m, &d);
        if (e != ERR_OK) {
            spool_unreadable(c, e == ERR_NOT_FOUND ? ERR_CORRUPT : e, &d);
            return;
        }
        if (!send_spooled(c, &m))
            return;
        c->next = m.last + 1;
        if (c->reached < m.last)
            c->reached = m.last;
    }
}

void uplink_pump(struct uplink_core *c)
{
    c->blocked = false;
    if ((c->state != UPLINK_READY && c->state != UPLINK_PROBING) || !send_declares(c))
        return;
    if (c->state == UPLINK_PROBING)
        send_probes(c);
    else if (!c->hold)
        send_batches(c);
}

void uplink_get_ready(struct uplink_core *c)
{
    c->state = UPLINK_READY;
    uplink_forget_sent(c);
    if (c->reached < c->acknowledged)
        c->reached = c->acknowledged;
    c->heartbeat_due = uplink_after(c, UPLINK_HEARTBEAT_US);
    c->io.allow(c->io.ctx, true);
}

// ---- events

void uplink_core_connected(struct uplink_core *c)
{
    c->up = true;
    c->absence_told = false;
    c->link.contact = UPLINK_CONTACT_UP;
    if (c->spool_known)
        uplink_say_hello(c);
}

static void tell_absence(struct uplink_core *c, enum uplink_event_type what)
{
    if (!c->absence_told)
        uplink_tell(c, &(struct uplink_event){.type = what});
    c->absence_told = true;
}

void uplink_core_denied(struct uplink_core *c)
{
    if (c->up || c->link.contact == UPLINK_CONTACT_DENIED)
        return;
    c->link.contact = UPLINK_CONTACT_DENIED;
    c->absence_told = false; // this is another matter than silence
    tell_absence(c, UPLINK_KEY_UNKNOWN);
}

void uplink_lost(struct uplink_core *c)
{
    uint32_t ms = c->io.random(c->io.ctx, UPLINK_REOPEN_MAX_MS);
    c->up = c->blocked = false;
    c->link.contact = UPLINK_CONTACT_NONE;
    uplink_wait(c, UPLINK_CLOSED, ms * US_PER_MS);
    uplink_forget_sent(c);
    c->reached = 0;
    uplink_tell(c, &(struct uplink_event){.type = UPLINK_LOST, .number = ms});
    c->io.transport(c->io.ctx, UPLINK_CLOSE);
}

void uplink_core_disconnected(struct uplink_core *c)
{
    if (c->state != UPLINK_CLOSED)
        uplink_lost(c);
}

void uplink_core_exchanged(struct uplink_core *c)
{
    c->up = c->blocked = false;
    c->link.contact = UPLINK_CONTACT_NONE;
    uplink_wait(c, UPLINK_DOWN, UPLINK_NO_ANSWER_US);
    uplink_forget_sent(c);
}

void uplink_core_spool(struct uplink_core *c, const struct spool_state *state)
{
    bool anew = !c->spool_known || state->generation != c->spool.generation ||
                memcmp(&state->incarnation, &c->spool.incarnation, sizeof state->incarnation) != 0;
    c->spool = *state;
    c->spool_known = true;
    if (anew || state->last_acknowledged > c->acknowledged) {
        c->acknowledged = state->last_acknowledged;
        c->receipt = state->receipt;
    }
    if (anew) {
        uplink_forget_sent(c);
        c->reached = 0;
    }
    if (anew && c->up && c->state != UPLINK_TURNED_AWAY && c->state != UPLINK_CLOSED)
        uplink_say_hello(c);
    else
        uplink_pump(c);
}

static void tick_ready(struct uplink_core *c)
{
    bool waiting = c->sent_count > 0;
    uint64_t end = c->state == UPLINK_PROBING ? c->probe : c->spool.sendable;
    bool starved = !waiting && c->link.credit_bytes == 0 && c->next <= end &&
                   is_due(c, (struct mono){c->heard.us + UPLINK_STARVED_US});
    if (starved || (waiting && is_due(c, c->ack_due))) {
        uplink_tell(c, &(struct uplink_event){.type = UPLINK_SILENT, .sequence = c->acknowledged + 1});
        uplink_say_hello(c);
        return;
    }
    if (c->state == UPLINK_READY && is_due(c, c->heartbeat_due))
        send_heartbeat(c);
    uplink_pump(c);
}

void uplink_core_tick(struct uplink_core *c)
{
    switch (c->state) {
    case UPLINK_DOWN:
        if (is_due(c, c->until))
            tell_absence(c, UPLINK_NO_ANSWER);
        break;
    case UPLINK_WAITING:
        break;
    case UPLINK_CLOSED:
        if (is_due(c, c->until)) {
            c->state = UPLINK_DOWN;
            c->until = uplink_after(c, UPLINK_NO_ANSWER_US);
            c->io.transport(c->io.ctx, UPLINK_OPEN);
        }
        break;
    case UPLINK_GREETING:
    case UPLINK_TURNED_AWAY:
        if (is_due(c, c->until))
            uplink_say_hello(c);
        break;
    case UPLINK_PROBING:
    case UPLINK_READY:
        tick_ready(c);
        break;
    }
}

int uplink_core_wait_ms(const struct uplink_core *c)
{
    struct mono due = c->until;
    if (c->state == UPLINK_DOWN || c->state == UPLINK_WAITING)
        return 1000;
    if (c->state == UPLINK_READY || c->state == UPLINK_PROBING) {
        due = c->heartbeat_due;
        if (c->sent_count > 0 && c->ack_due.us < due.us)
            due = c->ack_due;
    }
    int64_t ms = mono_diff_ms(due, clock_mono(c->clock)) + 1;
    return ms < 0 ? 0 : ms > 1000 ? 1000 : (int)ms;
}

void uplink_core_hold(struct uplink_core *c, bool hold)
{
    c->hold = hold;
    if (!hold)
        uplink_pump(c);
}

bool uplink_core_wants_to_send(const struct uplink_core *c)
{
    return c->blocked;
}

bool uplink_core_idle(const struct uplink_core *c)
{
    return c->sent_count == 0;
}

bool uplink_core_done(const struct uplink_core *c)
{
    return c->sent_count == 0 && c->spool_known && c->acknowledged >= c->spool.last_written;
}
