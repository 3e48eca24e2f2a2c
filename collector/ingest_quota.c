// Samples a second of a resident, all its agents together: a bucket that fills at the quota's rate and holds
// a minute of it. Empty, the resident gets no credit until it has filled again, so an agent that keeps to
// credit is slowed and loses nothing. What its connections may still have on the way then, each by the credit
// it was given, is let in, and paid by waiting. Only one that sends on without credit goes into deeper debt:
// its batches are stored as refused (QUOTA), beyond twice that dropped. Others have buckets of their own, and
// their credit is not touched.
#include "collector/ingest_state.h"
#include "collector/refusal.h"
#include <stdlib.h>
#include <string.h>

enum { BUCKET_S = 60, SAMPLE_BYTES = 2 }; // the smallest there is: WIRE_SAMPLES_MAX

struct ingest_bucket {
    char resident[128];
    int64_t rate, most, level; // samples (a second)
    struct mono filled;
    int64_t users; // connections there have been since it was in debt last
    bool count_them;
    struct ingest_bucket *next;
};

struct ingest_bucket *ingest_bucket_of(struct ingest *in, const char *resident)
{
    struct quota q = quota_find(in->o.quotas, resident);
    struct ingest_bucket *b = in->buckets;
    if (q.samples_per_s == 0)
        return NULL;
    while (b && strcmp(b->resident, resident) != 0)
        b = b->next;
    if (b) {
        b->count_them = true;
        return b;
    }
    if (!(b = calloc(1, sizeof *b)))
        return NULL;
    memcpy(b->resident, resident, strlen(resident) + 1);
    b->rate = q.samples_per_s;
    b->most = b->level = b->rate * BUCKET_S;
    b->filled = clock_mono(in->o.clock);
    b->count_them = true;
    b->next = in->buckets;
    in->buckets = b;
    return b;
}

void ingest_buckets_free(struct ingest *in)
{
    for (struct ingest_bucket *next; in->buckets; in->buckets = next) {
        next = in->buckets->next;
        free(in->buckets);
    }
}

static void fill(struct ingest *in, struct ingest_bucket *b)
{
    struct mono now = clock_mono(in->o.clock);
    int64_t s = (now.us - b->filled.us) / US_PER_S;
    int64_t part = b->rate * ((now.us - b->filled.us) % US_PER_S); // of a second: in samples * US_PER_S
    if (s > (b->most - b->level) / b->rate) {
        b->level = b->most;
        b->filled = now;
    } else if (s > 0 || part >= US_PER_S) {
        int64_t level = b->level + b->rate * s + part / US_PER_S;
        b->level = level > b->most ? b->most : level;
        b->filled.us = now.us - part % US_PER_S / b->rate; // what is less than a sample is kept as time
    }
    if (b->level >= 0 && b->users > 0) {
        b->users = 0;
        b->count_them = true;
    }
}

// How many samples can be on the way when the bucket is empty, of agents that keep to credit: of each
// connection as much as it was ever given, and a message. One that has left since counts still.
static int64_t on_the_way(struct ingest *in, struct ingest_bucket *b)
{
    const int64_t credit = INGEST_CREDIT_MAX_BYTES / SAMPLE_BYTES;
    int64_t users = 0;
    if (b->count_them)
        for (const struct connection *c = connections_first(in->connections); c; c = c->next)
            users += c->bucket == b && !c->superseded;
    b->count_them = false;
    b->users = users > b->users ? users : b->users;
    return b->users * ((b->most < credit ? b->most : credit) + WIRE_SAMPLES_MAX);
}

enum ingest_share ingest_quota_take(struct ingest *in, struct connection *c, size_t samples)
{
    struct ingest_bucket *b = c->bucket;
    if (!b)
        return INGEST_WITHIN;
    fill(in, b);
    if (b->level < 0 && b->level < -2 * on_the_way(in, b)) {
        collector_count(in->o.counters, COUNTER_QUOTA_DROPPED, 1);
        refusal_note(in->o.tally, AUDIT_QUOTA, &c->who, "messages dropped: far beyond the samples a second");
        return INGEST_DROP;
    }
    b->level -= (int64_t)samples;
    if (b->level >= 0)
        return INGEST_WITHIN;
    if (!c->slowed)
        collector_count(in->o.counters, COUNTER_QUOTA_SLOWED, 1);
    c->slowed = true;
    if (b->level >= -on_the_way(in, b))
        return INGEST_WITHIN;
    refusal_note(in->o.tally, AUDIT_QUOTA, &c->who,
                 "samples refused: beyond the samples a second, without credit");
    return INGEST_REFUSE;
}

uint64_t ingest_quota_credit(struct ingest *in, struct connection *c, uint64_t credit)
{
    struct ingest_bucket *b = c->bucket;
    if (!b)
        return credit;
    fill(in, b);
    c->slowed = b->level <= 0;
    uint64_t room = b->level > 0 ? (uint64_t)b->level * SAMPLE_BYTES : 0;
    if (b->level > 0 && room < WIRE_MESSAGE_MAX_BYTES)
        room = WIRE_MESSAGE_MAX_BYTES;
    return credit < room ? credit : room;
}

bool ingest_quota_may_go_on(struct ingest *in, struct connection *c)
{
    if (!c->slowed || !c->bucket)
        return false;
    fill(in, c->bucket);
    return c->bucket->level > 0;
}
