// Connections as TCP and ZeroMQ give them: each way keeps its order and may be slow; a connection breaks as a
// whole, and either side may learn of it much later or not at all until its heartbeats time out. What the far
// side had sent before it went may still arrive, also after the agent speaks on a new connection already.
// Beyond that any message may vanish (a full queue somewhere), which is more than TCP does.
#include "collector/admission.h"
#include "tests/sim/world.h"
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_LOW_US  (15 * US_PER_S) // heartbeats: 5 s apart, given up after 15 s
#define TIMEOUT_HIGH_US (20 * US_PER_S)
#define LATER_US        (50 * US_PER_MS) // a collector that has no room reads later

static bool blocked(const struct world *w, const struct link *l, bool up)
{
    int i = l->agent->index;
    return w->blocked_until_us[i] > w->now_us && (up ? w->block_up[i] : w->block_down[i]);
}

struct link *link_open(struct world *w, struct agent *a)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    l->serial = ++w->network.serials;
    l->agent = a;
    l->up.last = &l->up.first;
    l->down.last = &l->down.first;
    l->water_mark = 4 + world_random(w, 40);
    l->agent_knows_us = l->collector_knows_us = SIM_NEVER;
    l->open_us = w->now_us + world_between(w, 1, 40) * US_PER_MS;
    l->next = w->network.links;
    w->network.links = l;
    world_event(w, "%s opens link %llu", a->name, (unsigned long long)l->serial);
    return l;
}

static void empty(struct way *way)
{
    struct packet *next;
    for (struct packet *p = way->first; p; p = next) {
        next = p->next;
        free(p);
    }
    *way = (struct way){.due_us = way->due_us};
    way->last = &way->first;
}

void links_free(struct world *w)
{
    struct link *next;
    for (struct link *l = w->network.links; l; l = next) {
        next = l->next;
        empty(&l->up);
        empty(&l->down);
        free(l);
    }
    w->network.links = NULL;
}

// ---- how they end
// ---------------------------------------------------------------------------------------------------------

static void keep_first(struct way *way, size_t count)
{
    struct packet **at = &way->first;
    while (*at && count-- > 0)
        at = &(*at)->next;
    struct packet *gone = *at, *next;
    *at = NULL;
    way->last = at;
    for (; gone; gone = next) {
        next = gone->next;
        way->count--;
        free(gone);
    }
}

static int64_t timeout_us(struct world *w)
{
    return w->now_us + world_between(w, TIMEOUT_LOW_US, TIMEOUT_HIGH_US);
}

// Politely: the process or its kernel says so; what was in its socket may get through. Else nobody says
// anything.
void link_close_by_agent(struct world *w, struct link *l, bool politely)
{
    l->at_agent = END_GONE;
    l->agent_knows_us = SIM_NEVER;
    empty(&l->down);
    if (!politely || l->cut) {
        empty(&l->up);
        l->cut = true;
    } else {
        keep_first(&l->up, world_random(w, l->up.count + 1));
    }
    if (l->at_collector == END_OPENING)
        l->at_collector = END_GONE;
    if (l->at_collector == END_UP && l->collector_knows_us == SIM_NEVER)
        l->collector_knows_us =
            l->cut ? timeout_us(w)
                   : (l->up.count ? l->up.due_us : w->now_us) + world_between(w, 0, 50) * US_PER_MS;
}

void links_collector_gone(struct world *w, bool politely)
{
    for (struct link *l = w->network.links; l; l = l->next) {
        if (l->at_collector == END_GONE)
            continue;
        l->at_collector = END_GONE;
        empty(&l->up);
        if (politely && !l->cut)
            keep_first(&l->down, world_random(w, l->down.count + 1));
        else
            empty(&l->down);
        bool told = politely && !l->cut && !blocked(w, l, false);
        if (l->at_agent != END_GONE && l->agent_knows_us == SIM_NEVER)
            l->agent_knows_us =
                told ? (l->down.count ? l->down.due_us : w->now_us) + world_between(w, 1, 100) * US_PER_MS
                     : timeout_us(w);
    }
}

void link_cut(struct world *w, struct link *l)
{
    if (l->cut)
        return;
    world_event(w, "link %llu is cut", (unsigned long long)l->serial);
    l->cut = true;
    empty(&l->up);
    empty(&l->down);
    bool rst = world_chance(w, 300); // sometimes somebody in between resets both sides
    if (l->at_agent != END_GONE && l->agent_knows_us == SIM_NEVER)
        l->agent_knows_us = rst ? w->now_us : timeout_us(w);
    if (l->at_collector == END_UP && l->collector_knows_us == SIM_NEVER)
        l->collector_knows_us = rst ? w->now_us : timeout_us(w);
}

// ---- messages
// -------------------------------------------------------------------------------------------------------------

static enum err put(struct world *w, struct link *l, struct way *way, const void *bytes, size_t len)
{
    if (way->count >= l->water_mark)
        return ERR_AGAIN;
    if (l->cut || world_chance(w, w->network.drop))
        return ERR_OK; // nobody knows
    struct packet *p = malloc(sizeof *p + len);
    if (!p)
        abort();
    int64_t due = w->now_us + w->network.delay_us + world_between(w, 0, w->network.jitter_us);
    p->due_us = due > way->due_us ? due : way->due_us;
    way->due_us = p->due_us;
    p->len = len;
    p->next = NULL;
    memcpy(p->bytes, bytes, len);
    *way->last = p;
    way->last = &p->next;
    way->count++;
    return ERR_OK;
}

static unsigned type_of(const void *bytes, size_t len)
{
    return len > 0 ? *(const uint8_t *)bytes >> 3 : 0; // the envelope's only field
}

enum err link_send_up(struct world *w, struct link *l, const void *bytes, size_t len)
{
    if (l->at_agent != END_UP)
        return ERR_CLOSED;
    enum err e = put(w, l, &l->up, bytes, len);
    world_event(w, "%s → %s %zu bytes on %llu%s", l->agent->name,
                wire_type_name((enum wire_type)type_of(bytes, len)), len, (unsigned long long)l->serial,
                e == ERR_OK ? "" : ": full");
    return e;
}

struct link *link_of(const struct world *w, const struct mq_peer *peer)
{
    uint64_t serial = 0;
    memcpy(&serial, peer->id, sizeof serial);
    struct link *l = w->network.links;
    while (l && l->serial != serial)
        l = l->next;
    return l;
}

enum err link_send_down(struct world *w, const struct mq_peer *peer, const void *bytes, size_t len)
{
    struct link *l = link_of(w, peer);
    if (!l || l->at_collector != END_UP)
        return ERR_CLOSED;
    enum err e = l->at_agent == END_GONE ? ERR_OK : put(w, l, &l->down, bytes, len);
    world_event(w, "%s ← %s %zu bytes on %llu%s", l->agent->name,
                wire_type_name((enum wire_type)type_of(bytes, len)), len, (unsigned long long)l->serial,
                e == ERR_OK ? "" : ": full");
    return e;
}

// ---- time
// -----------------------------------------------------------------------------------------------------------------

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t due_us(const struct world *w, const struct link *l)
{
    int64_t due = least(l->agent_knows_us, l->collector_knows_us);
    int64_t unblocked = w->blocked_until_us[l->agent->index];
    if (l->open_us != SIM_NEVER)
        due = least(due, l->open_us);
    if (l->up.first)
        due = least(due,
                    blocked(w, l, true) && l->up.first->due_us < unblocked ? unblocked : l->up.first->due_us);
    if (l->down.first)
        due = least(due, blocked(w, l, false) && l->down.first->due_us < unblocked ? unblocked
                                                                                   : l->down.first->due_us);
    return due;
}

int64_t links_due_us(const struct world *w)
{
    int64_t due = SIM_NEVER;
    for (const struct link *l = w->network.links; l; l = l->next)
        due = least(due, due_us(w, l));
    return due;
}

// The handshake: as long as nobody answers it is tried again.
static void try_handshake(struct world *w, struct link *l)
{
    struct collector *c = &w->collector;
    bool away = !c->running || c->stalled_until_us > w->now_us || blocked(w, l, true) || blocked(w, l, false);
    if (l->at_agent != END_OPENING) {
        l->open_us = SIM_NEVER;
    } else if (away || !admission_decide(c->admission, l->agent->key, l->token)) {
        l->open_us = w->now_us + world_between(w, 500, 3000) * US_PER_MS;
    } else {
        l->open_us = SIM_NEVER;
        l->at_agent = l->at_collector = END_UP;
        l->agent->uplink_us = w->now_us;
        world_event(w, "link %llu of %s is up", (unsigned long long)l->serial, l->agent->name);
    }
}

static struct packet *take(struct way *way)
{
    struct packet *p = way->first;
    way->first = p->next;
    if (!way->first)
        way->last = &way->first;
    way->count--;
    return p;
}

static void deliver_up(struct world *w, struct link *l)
{
    while (l->up.first && l->up.first->due_us <= w->now_us && !blocked(w, l, true)) {
        const struct collector *c = &w->collector;
        if (l->at_collector != END_UP) {
            empty(&l->up);
            return;
        }
        if (c->stalled_until_us > w->now_us ||
            !collector_receive(w, l, l->up.first->bytes, l->up.first->len)) {
            l->up.first->due_us = w->now_us + LATER_US;
            l->up.due_us = l->up.due_us > l->up.first->due_us ? l->up.due_us : l->up.first->due_us;
            return;
        }
        free(take(&l->up));
        l->agent->uplink_us = least(l->agent->uplink_us, w->now_us + US_PER_MS); // there may be room again
    }
}

static void deliver_down(struct world *w, struct link *l)
{
    while (l->down.first && l->down.first->due_us <= w->now_us && !blocked(w, l, false)) {
        if (l->at_agent != END_UP) {
            empty(&l->down);
            return;
        }
        agent_deliver(l->agent, take(&l->down));
    }
}

// The side that has closed says so, or, where it is not heard, its heartbeats stop.
static int64_t follows_us(struct world *w, const struct link *l, bool up)
{
    return l->cut || blocked(w, l, up) ? timeout_us(w) : w->now_us + world_between(w, 0, 50) * US_PER_MS;
}

static void notice(struct world *w, struct link *l)
{
    if (l->agent_knows_us <= w->now_us) {
        l->agent_knows_us = SIM_NEVER;
        l->at_agent = END_GONE;
        l->agent->uplink_us = w->now_us;
        if (l->agent->link == l)
            l->agent->link_lost = true;
        if (l->at_collector == END_UP && l->collector_knows_us == SIM_NEVER)
            l->collector_knows_us = follows_us(w, l, true);
        world_event(w, "%s sees link %llu gone", l->agent->name, (unsigned long long)l->serial);
    }
    if (l->collector_knows_us <= w->now_us) {
        l->collector_knows_us = SIM_NEVER;
        l->at_collector = END_GONE;
        if (l->at_agent == END_UP && l->agent_knows_us == SIM_NEVER)
            l->agent_knows_us = follows_us(w, l, false);
        world_event(w, "collector sees link %llu gone", (unsigned long long)l->serial);
    }
}

// A blocked way that lasts ends the connection: each side waits for the other's heartbeats.
static void time_out(struct world *w, struct link *l)
{
    int i = l->agent->index;
    if (w->blocked_until_us[i] - w->now_us < TIMEOUT_LOW_US || l->cut || l->at_agent != END_UP)
        return;
    if (blocked(w, l, false) && l->agent_knows_us == SIM_NEVER)
        l->agent_knows_us = timeout_us(w);
    if (blocked(w, l, true) && l->at_collector == END_UP && l->collector_knows_us == SIM_NEVER)
        l->collector_knows_us = timeout_us(w);
}

void links_block(struct world *w, const struct agent *a)
{
    for (struct link *l = w->network.links; l; l = l->next)
        if (l->agent == a)
            time_out(w, l);
}

static void forget_ended(struct world *w)
{
    struct link **at = &w->network.links;
    while (*at) {
        struct link *l = *at;
        bool ended = l->at_agent == END_GONE && l->at_collector == END_GONE && l->agent->link != l;
        if (!ended) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        empty(&l->up);
        empty(&l->down);
        free(l);
    }
}

void links_step(struct world *w)
{
    for (struct link *l = w->network.links; l; l = l->next) {
        if (due_us(w, l) > w->now_us)
            continue;
        if (l->open_us <= w->now_us)
            try_handshake(w, l);
        deliver_up(w, l);
        deliver_down(w, l);
        notice(w, l);
    }
    forget_ended(w);
}
