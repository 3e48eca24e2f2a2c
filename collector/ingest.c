// Only the form of a message is judged here, so that a flood of nonsense costs the committer nothing;
// whatever depends on what is stored (watermarks, declares) goes through the committer in order of arrival,
// Hello included: a Welcome must state what is on disk after everything that came before it. The batch is
// decoded once here to see that it decodes and once more by the committer: 4 bytes a sample are cheaper to
// read twice than to keep decoded while they wait.
#include "base/log.h"
#include "collector/ingest_state.h"
#include "collector/refusal.h"
#include <stdlib.h>
#include <string.h>

enum err ingest_create(const struct ingest_options *o, struct ingest **out)
{
    struct ingest *in = calloc(1, sizeof *in);
    if (!in)
        return ERR_NOMEM;
    in->o = *o;
    buf_init(&in->reply, WIRE_MESSAGE_MAX_BYTES);
    enum err e = connections_create(o->max_connections, &in->connections);
    if (e == ERR_OK)
        e = wire_arena_create(&in->arena);
    if (e != ERR_OK) {
        ingest_destroy(in);
        return e;
    }
    *out = in;
    return ERR_OK;
}

void ingest_destroy(struct ingest *in)
{
    if (!in)
        return;
    connections_destroy(in->connections);
    ingest_buckets_free(in);
    wire_arena_destroy(in->arena);
    buf_deinit(&in->reply);
    free(in);
}

bool ingest_has_room(const struct ingest *in)
{
    return in->items_out < in->o.max_items && in->bytes_out < in->o.budget_bytes;
}

// ---- Hello --------------------------------------------------------------------------------------
static const char two_with_one_key[] =
    "the same key has said Hello on another connection: two agents with one "
    "key, or a machine that was cloned?";

// A connection that the key has left may be dead and not yet known to be; it is an alarm only when it still
// takes a word.
static void supersede(struct ingest *in, struct connection *older, struct connection *by)
{
    by->changes = older->changes;
    by->changes_since = older->changes_since;
    by->incarnation = older->incarnation;
    older->superseded = true;
    older->welcomed = false;
    if (older->gone ||
        ingest_send_refusal(in, &older->peer, WIRE_REFUSE_OTHER_CONNECTION, two_with_one_key) != ERR_OK)
        return;
    ingest_note_refusal(in, WIRE_REFUSE_OTHER_CONNECTION, two_with_one_key);
    collector_count(in->o.counters, COUNTER_CONNECTIONS_SUPERSEDED, 1);
    if (quiet_may_say(&in->superseded, in->o.clock))
        log_warn("connection_superseded", F_TEXT("resident", older->who.resident),
                 F_INT("key_id", older->who.key_id));
}

static bool changes_too_often(struct ingest *in, struct connection *c, const struct wire_incarnation *to)
{
    struct mono now = clock_mono(in->o.clock);
    if (memcmp(c->incarnation.bytes, to->bytes, sizeof to->bytes) == 0)
        return false;
    if (c->changes == 0 || mono_diff_ms(now, c->changes_since) > 60000) {
        c->changes = 0;
        c->changes_since = now;
    }
    return ++c->changes > INGEST_CHANGES_MAX;
}

static struct connection *connection_for_hello(struct ingest *in, const struct mq_peer *peer,
                                               const struct admitted *who)
{
    struct connection *c = connections_find(in->connections, peer);
    struct connection *holder = connections_of_key(in->connections, who->key_id);
    if (c && c->who.key_id != who->key_id) { // an address given anew to another peer
        connections_remove(in->connections, c);
        c = NULL;
    }
    if (!c)
        c = connections_add(in->connections, peer, who);
    if (c && holder && holder != c)
        supersede(in, holder, c);
    if (c)
        c->superseded = false;
    return c;
}

static void note_hello(struct ingest *in, struct connection *c, const struct wire_hello *h)
{
    int64_t now_us = clock_wall(in->o.clock).us;
    if (memcmp(c->incarnation.bytes, h->incarnation.bytes, sizeof c->incarnation.bytes) != 0)
        c->welcomed = false;
    c->incarnation = h->incarnation;
    strncpy(c->version, h->version, sizeof c->version - 1);
    c->heard = clock_mono(in->o.clock);
    c->last_seen_us = now_us;
    c->clock_skew_ms = (h->clock_us - now_us) / US_PER_MS;
    c->counters = h->counters;
}

// The connection counts what is on its way, where there is one.
static enum err hand_over(struct ingest *in, const struct connection *c, enum wire_type type,
                          const struct mq_message *m, struct item **item)
{
    struct item *made = item_message_create(m->bytes, m->len);
    if (!made) {
        collector_count(in->o.counters, COUNTER_COMMIT_ERRORS, 1);
        return ERR_NOMEM;
    }
    made->message.peer = m->peer;
    made->message.connection = c->serial;
    made->message.who = c->who;
    made->message.type = type;
    in->items_out++;
    in->bytes_out += item_bytes(made);
    *item = made;
    return ERR_OK;
}

static enum err hello(struct ingest *in, const struct mq_message *m, const struct wire_hello *h,
                      const struct admitted *who, struct item **item)
{
    if (h->protocol != WIRE_PROTOCOL) {
        collector_count(in->o.counters, COUNTER_HELLOS_REFUSED, 1);
        (void)ingest_refuse(in, &m->peer, WIRE_REFUSE_BAD_PROTOCOL, "this collector speaks protocol 1");
        return ERR_OK;
    }
    struct connection *c = connection_for_hello(in, &m->peer, who);
    if (!c || changes_too_often(in, c, &h->incarnation)) {
        collector_count(in->o.counters, COUNTER_HELLOS_REFUSED, 1);
        (void)ingest_refuse(in, &m->peer, WIRE_REFUSE_UNAVAILABLE,
                            c ? "too many new incarnations in a minute" : "too many connections");
        return ERR_OK;
    }
    c->bucket = ingest_bucket_of(in, who->resident);
    note_hello(in, c, h);
    ingest_note_owed(in, c, h->obligations);
    c->fd = m->fd;
    c->who.removals = who->removals;
    collector_count(in->o.counters, COUNTER_HELLOS, 1);
    return hand_over(in, c, WIRE_HELLO, m, item);
}

// ---- everything else ----------------------------------------------------------------------------
static const struct wire_incarnation *incarnation_of(const struct wire_message *m)
{
    switch (m->type) {
    case WIRE_BATCH:
        return &m->batch.incarnation;
    case WIRE_GAP:
        return &m->gap.incarnation;
    case WIRE_DECLARE:
        return &m->declare.incarnation;
    default:
        return NULL;
    }
}

static bool may_send(struct ingest *in, const struct mq_message *m, const struct connection *c,
                     const struct wire_message *w)
{
    if (c && c->superseded) {
        (void)ingest_refuse(in, &m->peer, WIRE_REFUSE_OTHER_CONNECTION,
                            "the same key speaks on another connection");
        return false;
    }
    if (!c || !c->welcomed) {
        collector_count(in->o.counters, COUNTER_MESSAGES_BEFORE_HELLO, 1);
        (void)ingest_refuse(in, &m->peer, WIRE_REFUSE_HELLO_FIRST, "say Hello first and wait for Welcome");
        return false;
    }
    const struct wire_incarnation *i = incarnation_of(w);
    if (i && memcmp(i->bytes, c->incarnation.bytes, sizeof i->bytes) != 0) {
        collector_count(in->o.counters, COUNTER_MESSAGES_WRONG_INCARNATION, 1);
        (void)ingest_refuse(in, &m->peer, WIRE_REFUSE_WRONG_INCARNATION,
                            "not the incarnation of this connection's Hello");
        return false;
    }
    return true;
}

static void heartbeat(struct ingest *in, struct connection *c, const struct wire_heartbeat *h)
{
    collector_count(in->o.counters, COUNTER_HEARTBEATS, 1);
    c->clock_skew_ms = (h->clock_us - clock_wall(in->o.clock).us) / US_PER_MS;
    c->counters = h->counters;
}

static enum err malformed(struct ingest *in, const struct mq_message *m, const struct admitted *who,
                          const char *text)
{
    collector_count(in->o.counters, COUNTER_MESSAGES_MALFORMED, 1);
    if (quiet_may_say(&in->malformed, in->o.clock))
        log_warn("message_malformed", F_TEXT("resident", who->resident), F_INT("key_id", who->key_id),
                 F_INT("bytes", m->len), F_TEXT("reason", text));
    (void)ingest_refuse(in, &m->peer, WIRE_REFUSE_BAD_MESSAGE, text);
    return ERR_OK;
}

// Credit statements cross with batches on the way, so only what is beyond any credit ever stated is dropped:
// the agent sends it again after the acknowledgement it must have waited for.
static bool beyond_credit(const struct connection *c, size_t len)
{
    return c->in_flight_bytes > 0 &&
           c->in_flight_bytes + len > INGEST_CREDIT_MAX_BYTES + WIRE_MESSAGE_MAX_BYTES;
}

static enum err welcomed_message(struct ingest *in, const struct mq_message *m, struct connection *c,
                                 const struct wire_message *w, struct item **item)
{
    if (w->type == WIRE_HEARTBEAT) {
        heartbeat(in, c, &w->heartbeat);
        return ERR_OK;
    }
    if (w->type != WIRE_DECLARE && beyond_credit(c, m->len)) {
        collector_count(in->o.counters, COUNTER_CREDIT_EXCEEDED, 1);
        refusal_note(in->o.tally, AUDIT_CREDIT, &c->who, "messages dropped: far beyond the credit given");
        return ERR_OK;
    }
    enum ingest_share share =
        w->type == WIRE_BATCH ? ingest_quota_take(in, c, w->batch.count) : INGEST_WITHIN;
    if (share == INGEST_DROP)
        return ERR_OK;
    enum err e = hand_over(in, c, w->type, m, item);
    if (e == ERR_OK)
        (*item)->message.over_quota = share == INGEST_REFUSE;
    if (e == ERR_OK && (w->type == WIRE_BATCH || w->type == WIRE_GAP))
        c->in_flight_bytes += m->len;
    return e;
}

// Without a Hello before it, and beside the connection at work: who asks is the key's word alone.
static enum err rotation(struct ingest *in, const struct mq_message *m, const struct admitted *who,
                         struct item **item)
{
    struct mono now = clock_mono(in->o.clock);
    if (in->rotations == 0 || mono_diff_ms(now, in->rotations_since) > 1000) {
        in->rotations = 0;
        in->rotations_since = now;
    }
    if (++in->rotations > INGEST_ROTATIONS_MAX) {
        collector_count(in->o.counters, COUNTER_ROTATIONS_REFUSED, 1);
        (void)ingest_refuse(in, &m->peer, WIRE_REFUSE_UNAVAILABLE, "too many rotations at a time: ask again");
        return ERR_OK;
    }
    const struct connection alone = {.who = *who};
    return hand_over(in, &alone, WIRE_ROTATE, m, item);
}

static enum err receive(struct ingest *in, const struct mq_message *m, struct item **item)
{
    struct admitted who;
    struct wire_message w;
    struct diag d = {0};
    *item = NULL;
    if (!admission_lookup(in->o.admission, m->token, &who)) {
        ingest_revoked(in, m);
        return ERR_OK;
    }
    in->speaker = who;
    in->speaks = true;
    collector_count(in->o.counters, COUNTER_MESSAGES_RECEIVED, 1);
    enum err e = wire_decode(in->arena, m->bytes, m->len, &w, &d);
    if (e == ERR_NOMEM)
        return e;
    if (e != ERR_OK)
        return malformed(in, m, &who, d.text);
    if (w.type == WIRE_HELLO)
        return hello(in, m, &w.hello, &who, item);
    if (w.type == WIRE_ROTATE)
        return rotation(in, m, &who, item);
    if (w.type != WIRE_HEARTBEAT && !incarnation_of(&w))
        return malformed(in, m, &who, "this type of message is not an agent's to send");
    struct connection *c = connections_find(in->connections, &m->peer);
    if (!may_send(in, m, c, &w))
        return ERR_OK;
    c->fd = m->fd;
    c->who.removals = who.removals;
    c->heard = clock_mono(in->o.clock);
    c->last_seen_us = clock_wall(in->o.clock).us;
    return welcomed_message(in, m, c, &w, item);
}

enum err ingest_receive(struct ingest *in, const struct mq_message *m, struct item **item)
{
    enum err e = receive(in, m, item);
    in->speaks = false;
    return e;
}

void ingest_dropped(struct ingest *in, const struct mq_message *m)
{
    static const char text[] = "several frames, or a routing id of the peer's own making";
    struct admitted who;
    collector_count(in->o.counters, COUNTER_MESSAGES_MULTIPART, 1);
    if (admission_lookup(in->o.admission, m->token, &who))
        refusal_note(in->o.tally, AUDIT_MESSAGE, &who, text);
    else
        refusal_note_stranger(in->o.tally, m->address, text);
}

// ---- back from the committer --------------------------------------------------------------------
static struct connection *connection_of(struct ingest *in, const struct item_message *m)
{
    struct connection *c = connections_find(in->connections, &m->peer);
    return c && c->serial == m->connection ? c : NULL;
}

static struct connection *settle(struct ingest *in, const struct item *item)
{
    const struct item_message *m = &item->message;
    struct connection *c = connection_of(in, m);
    in->items_out--;
    in->bytes_out -= item_bytes(item);
    if (c && (m->type == WIRE_BATCH || m->type == WIRE_GAP))
        c->in_flight_bytes -= m->len;
    return c;
}

void ingest_finish(struct ingest *in, struct item *item)
{
    const struct outcome *o = &item->message.outcome;
    struct connection *c = settle(in, item);
    if (item->message.type != WIRE_ROTATE) // that has its entry already
        refusal_note_outcome(in->o.tally, &item->message);
    if (item->message.type == WIRE_ROTATE)
        ingest_answer_rotate(in, &item->message.peer, o);
    else if (c && !c->superseded && !c->gone)
        ingest_answer(in, c, o);
    else
        collector_count(in->o.counters, COUNTER_REPLIES_DROPPED, 1);
    item_destroy(item);
}

void ingest_abandon(struct ingest *in, struct item *item)
{
    settle(in, item);
    collector_count(in->o.counters, COUNTER_COMMIT_ERRORS, 1);
    item_destroy(item);
}

// ---- time ---------------------------------------------------------------------------------------
static void forget(struct ingest *in, struct connection *c)
{
    if (!c->superseded && quiet_may_say_some(&in->gone, in->o.clock))
        log_info("agent_gone", F_TEXT("resident", c->who.resident), F_INT("key_id", c->who.key_id),
                 F_TEXT("reason", c->gone ? "disconnected" : "silent"));
    collector_count(in->o.counters, COUNTER_CONNECTIONS_EXPIRED, c->gone ? 0 : 1);
    connections_remove(in->connections, c);
}

void ingest_tick(struct ingest *in, bool paused)
{
    struct mono now = clock_mono(in->o.clock);
    struct connection *next;
    bool changed = paused != in->paused;
    in->paused = paused;
    ingest_shut_out(in);
    in->welcomed = 0;
    for (struct connection *c = connections_first(in->connections); c; c = c->next)
        in->welcomed += c->welcomed ? 1 : 0;
    for (struct connection *c = connections_first(in->connections); c; c = next) {
        next = c->next;
        if (c->gone || mono_diff_ms(now, c->heard) > INGEST_SILENCE_S * 1000) {
            forget(in, c);
        } else if (c->welcomed && (changed || c->ack_owed || ingest_quota_may_go_on(in, c))) {
            ingest_send_ack(in, c, 0);
        }
    }
    ingest_tell_all_owed(in);
}

enum err ingest_snapshot(const struct ingest *in, struct snapshot *out)
{
    enum err e = connections_snapshot(in->connections, out);
    if (e == ERR_OK) {
        out->credit_bytes = ingest_credit(in);
        out->in_flight_bytes = in->bytes_out;
    }
    return e;
}
