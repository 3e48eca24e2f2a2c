// Two chained hash tables over the same records and one list for walks. The number of buckets is fixed: the
// records are bounded by the peers that could ever be served.
#include "collector/connections.h"
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

struct connections {
    size_t max, count;
    uint64_t last_serial;
    struct connection *by_peer[BUCKETS], *by_key[BUCKETS];
    struct connection *first;
};

static size_t peer_bucket(const struct mq_peer *peer)
{
    uint64_t h = UINT64_C(14695981039346656037); // FNV-1a; libzmq makes these ids, not the peer
    for (uint8_t i = 0; i < peer->len; i++)
        h = (h ^ peer->id[i]) * UINT64_C(1099511628211);
    return (size_t)(h % BUCKETS);
}

static size_t key_bucket(int64_t key_id)
{
    return (size_t)((uint64_t)key_id % BUCKETS);
}

static bool same_peer(const struct mq_peer *a, const struct mq_peer *b)
{
    return a->len == b->len && memcmp(a->id, b->id, a->len) == 0;
}

enum err connections_create(size_t max, struct connections **out)
{
    struct connections *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->max = max;
    *out = c;
    return ERR_OK;
}

void connections_destroy(struct connections *c)
{
    if (!c)
        return;
    for (struct connection *p = c->first, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    free(c);
}

struct connection *connections_find(struct connections *c, const struct mq_peer *peer)
{
    struct connection *p = c->by_peer[peer_bucket(peer)];
    while (p && !same_peer(&p->peer, peer))
        p = p->next_by_peer;
    return p;
}

struct connection *connections_of_key(struct connections *c, int64_t key_id)
{
    struct connection *p = c->by_key[key_bucket(key_id)];
    while (p && (p->who.key_id != key_id || p->superseded))
        p = p->next_by_key;
    return p;
}

static bool make_room(struct connections *c)
{
    struct connection *oldest = NULL;
    if (c->count < c->max)
        return true;
    for (struct connection *p = c->first; p; p = p->next) {
        if (p->superseded && (!oldest || p->heard.us < oldest->heard.us))
            oldest = p;
    }
    if (oldest)
        connections_remove(c, oldest);
    return oldest != NULL;
}

struct connection *connections_add(struct connections *c, const struct mq_peer *peer,
                                   const struct admitted *who)
{
    if (!make_room(c))
        return NULL;
    struct connection *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->peer = *peer;
    p->who = *who;
    p->serial = ++c->last_serial;
    size_t bucket = peer_bucket(peer);
    p->next_by_peer = c->by_peer[bucket];
    c->by_peer[bucket] = p;
    bucket = key_bucket(who->key_id);
    p->next_by_key = c->by_key[bucket];
    c->by_key[bucket] = p;
    p->next = c->first;
    if (c->first)
        c->first->previous = p;
    c->first = p;
    c->count++;
    return p;
}

void connections_remove(struct connections *c, struct connection *gone)
{
    struct connection **link = &c->by_peer[peer_bucket(&gone->peer)];
    while (*link != gone)
        link = &(*link)->next_by_peer;
    *link = gone->next_by_peer;
    link = &c->by_key[key_bucket(gone->who.key_id)];
    while (*link != gone)
        link = &(*link)->next_by_key;
    *link = gone->next_by_key;
    if (gone->next)
        gone->next->previous = gone->previous;
    if (c->first == gone)
        c->first = gone->next;
    else
        gone->previous->next = gone->next;
    c->count--;
    free(gone);
}

struct connection *connections_first(struct connections *c)
{
    return c->first;
}

size_t connections_count(const struct connections *c)
{
    return c->count;
}

enum err connections_snapshot(struct connections *cs, struct snapshot *out)
{
    struct snapshot s = {0};
    s.agents = calloc(connections_count(cs) + 1, sizeof *s.agents);
    if (!s.agents)
        return ERR_NOMEM;
    for (const struct connection *c = connections_first(cs); c; c = c->next) {
        if (c->superseded)
            continue;
        struct snapshot_agent *a = &s.agents[s.count++];
        *a = (struct snapshot_agent){.key_id = c->who.key_id,
                                     .connected = c->welcomed && !c->gone,
                                     .slowed = c->slowed,
                                     .next_key = c->peer.len > 5,
                                     .last_seen_us = c->last_seen_us,
                                     .clock_skew_ms = c->clock_skew_ms,
                                     .credit_bytes = c->credit_bytes,
                                     .in_flight_bytes = c->in_flight_bytes,
                                     .incarnation = c->incarnation,
                                     .counters = c->counters};
        memcpy(a->version, c->version, sizeof a->version);
    }
    *out = s;
    return ERR_OK;
}
