// Telling agents what their residents owe: after each Welcome, and when it has changed since they were told.
// What a full peer does not take is tried again at the next tick.
#include "collector/duties.h"
#include "collector/ingest_state.h"

void ingest_note_owed(struct ingest *in, struct connection *c, bool wanted)
{
    c->duty = wanted && in->o.duties ? duties_of(in->o.duties, c->who.resident) : NULL;
    c->duty_told = 0;
}

void ingest_tell_owed(struct ingest *in, struct connection *c)
{
    uint64_t version = 0;
    buf_reset(&in->reply);
    if (!c->duty || !c->welcomed || c->superseded || c->gone ||
        duty_version(in->o.duties, c->duty) == c->duty_told ||
        duty_message(in->o.duties, c->duty, &in->reply, &version) != ERR_OK)
        return;
    enum err e = in->o.send(in->o.send_ctx, &c->peer, in->reply.data, in->reply.len);
    if (e == ERR_OK)
        c->duty_told = version;
    else
        collector_count(in->o.counters, COUNTER_REPLIES_DROPPED, 1);
    if (e == ERR_CLOSED)
        c->gone = true;
    else if (e != ERR_OK)
        in->duties_told = 0;
}

void ingest_tell_all_owed(struct ingest *in)
{
    uint64_t version = in->o.duties ? duties_version(in->o.duties) : 0;
    if (version == in->duties_told)
        return;
    in->duties_told = version;
    for (struct connection *c = connections_first(in->connections); c; c = c->next)
        ingest_tell_owed(in, c);
}
