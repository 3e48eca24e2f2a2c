// A revoked key is found out with its next message: the token leads nowhere. One that stays silent is found
// by the tick. Either way the peer is told why, and its connection is closed one tick later: within a second
// of the command nothing of it is left, and its next handshake is refused.
#include "base/log.h"
#include "collector/ingest_state.h"
#include "collector/refusal.h"

static const char text[] = "this key is not admitted (any more)";

static void shut_later(struct ingest *in, int fd)
{
    for (size_t i = 0; i < in->shut_count; i++) {
        if (in->shut[i] == fd)
            return;
    }
    if (fd >= 0 && in->shut_count < INGEST_SHUT_MAX) // else with its next message
        in->shut[in->shut_count++] = fd;
}

void ingest_revoked(struct ingest *in, const struct mq_message *m)
{
    collector_count(in->o.counters, COUNTER_MESSAGES_REVOKED, 1);
    struct connection *c = connections_find(in->connections, &m->peer);
    if (c) {
        refusal_note(in->o.tally, AUDIT_MESSAGE, &c->who, text);
        connections_remove(in->connections, c);
    } else {
        refusal_note_stranger(in->o.tally, m->address, text);
    }
    (void)ingest_send_refusal(in, &m->peer, WIRE_REFUSE_REVOKED, text);
    shut_later(in, m->fd);
}

static void look_for_revoked(struct ingest *in)
{
    struct connection *next;
    for (struct connection *c = connections_first(in->connections); c; c = next) {
        next = c->next;
        if (admission_holds(in->o.admission, &c->who)) {
            c->who.removals = in->removals;
            continue;
        }
        (void)ingest_send_refusal(in, &c->peer, WIRE_REFUSE_REVOKED, text);
        if (quiet_may_say_some(&in->gone, in->o.clock))
            log_info("agent_gone", F_TEXT("resident", c->who.resident), F_INT("key_id", c->who.key_id),
                     F_TEXT("reason", "revoked"));
        shut_later(in, c->fd);
        connections_remove(in->connections, c);
    }
}

void ingest_shut_out(struct ingest *in)
{
    for (size_t i = 0; i < in->shut_count && in->o.shut; i++)
        in->o.shut(in->o.send_ctx, in->shut[i]);
    collector_count(in->o.counters, COUNTER_CONNECTIONS_CLOSED, in->shut_count);
    in->shut_count = 0;
    uint64_t removals = admission_removals(in->o.admission);
    if (removals == in->removals)
        return;
    in->removals = removals;
    look_for_revoked(in);
}
