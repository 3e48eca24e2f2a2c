// Samples a second of a resident, all its agents together: a bucket that fills at the quota's rate and holds
// a minute of it. Empty, the resident gets no credit until it has filled again, so an agent that keeps to
// credit is slowed and loses nothing. One that sends on without credit goes into debt: beyond a bucket of it
// its batches are stored as refused (QUOTA), beyond two they are dropped. Others have buckets of their own,
// and their credit is not touched.
#include "collector/ingest_state.h"
#include "collector/refusal.h"
#include <stdlib.h>
#include <string.h>

enum { BUCKET_S = 60, SAMPLE_BYTES = 4 };

struct ingest_bucket {
    char resident[128];
    int64_t rate, most, level; // samples (a second)
    struct mono filled;
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
    if (b || !(b = calloc(1, sizeof *b)))
        return b;
    memcpy(b->resident, resident, strlen(resident) + 1);
    b->rate = q.samples_per_s;
    b->most = b->level = b->rate * BUCKET_S;
    b->filled = clock_mono(in->o.clock);
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
    int64_t ms = mono_diff_ms(now, b->filled);
    if (ms <= 0)
        return;
    int64_t more = ms >= BUCKET_S * 1000 * 4 ? b->most * 4 : b->rate * ms / 1000;
    if (more == 0)
        return; // less than a sample: the time is kept
    b->filled = now;
    b->level = b->level + more > b->most ? b->most : b->level + more;
}

enum ingest_share ingest_quota_take(struct ingest *in, struct connection *c, size_t samples)
{
    struct ingest_bucket *b = c->bucket;
    if (!b)
        return INGEST_WITHIN;
    fill(in, b);
    if (b->level < -2 * b->most) {
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
    if (b->level >= -b->most)
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
