// A table searched from its beginning: it is short, and its strings are only compared within one event. The
// kinds beyond its bounds are counted in lines of their own, one for each event and outcome, that are always
// there, so that a flood can use up the names but never a count.
#include "collector/audit_tally.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct kind {
    bool used;
    bool written; // a line has been, at
    struct mono written_at;
    struct mono noted_at; // the first that waits
    uint64_t taken;       // of entry.count, on the way to the log
    struct audit_entry entry;
};

enum { OVERFLOWS = 2 * AUDIT_EVENTS, KINDS = AUDIT_TALLY_MAX + OVERFLOWS };

struct audit_tally {
    const struct clock *clock;
    pthread_mutex_t lock;
    struct kind kinds[KINDS]; // the last OVERFLOWS: by event and outcome
};

enum err audit_tally_create(const struct clock *clock, struct audit_tally **out)
{
    struct audit_tally *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->clock = clock;
    pthread_mutex_init(&t->lock, NULL);
    *out = t;
    return ERR_OK;
}

void audit_tally_destroy(struct audit_tally *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

// Nothing waits, and the minute after its last line is over.
static bool is_over(const struct kind *k, struct mono now)
{
    return k->used && k->entry.count == 0 && k->taken == 0 &&
           mono_diff_ms(now, k->written_at) >= AUDIT_TALLY_AGAIN_S * 1000;
}

static struct kind *overflow(struct audit_tally *t, const struct audit_entry *wanted)
{
    struct kind *k = &t->kinds[AUDIT_TALLY_MAX + 2 * (int)wanted->event + (int)wanted->outcome];
    if (!k->used)
        audit_entry_set(&k->entry, wanted->event, wanted->outcome, AUDIT_TALLY_SEVERAL, AUDIT_TALLY_SEVERAL,
                        "%s", "");
    return k;
}

static struct kind *find(struct audit_tally *t, const struct audit_entry *wanted, struct mono now)
{
    struct kind *unused = NULL;
    size_t of_event = 0, of_who = 0;
    for (size_t i = 0; i < AUDIT_TALLY_MAX; i++) {
        struct kind *k = &t->kinds[i];
        if (is_over(k, now))
            k->used = false;
        if (!k->used) {
            unused = unused ? unused : k;
            continue;
        }
        if (k->entry.event != wanted->event || k->entry.outcome != wanted->outcome)
            continue;
        of_event++;
        if (strcmp(k->entry.who, wanted->who) != 0)
            continue;
        of_who++;
        if (strcmp(k->entry.object, wanted->object) == 0)
            return k;
    }
    if (!unused || of_event >= AUDIT_TALLY_OF_EVENT || of_who > AUDIT_TALLY_OF_WHO)
        return overflow(t, wanted);
    *unused = (struct kind){.entry = *wanted};
    if (of_who == AUDIT_TALLY_OF_WHO) // the last place: all further objects
        memcpy(unused->entry.object, AUDIT_TALLY_SEVERAL, sizeof AUDIT_TALLY_SEVERAL);
    return unused;
}

// The line of one who's further objects, or where it belongs.
static struct kind *place(struct audit_tally *t, struct audit_entry *wanted, struct mono now)
{
    struct kind *k = find(t, wanted, now);
    if (k < t->kinds + AUDIT_TALLY_MAX)
        return k;
    memcpy(wanted->object, AUDIT_TALLY_SEVERAL, sizeof AUDIT_TALLY_SEVERAL);
    return find(t, wanted, now);
}

void audit_tally_note(struct audit_tally *t, enum audit_event event, enum audit_outcome outcome,
                      const char *who, const char *object, uint64_t count, const char *detail)
{
    struct audit_entry wanted;
    if (!t || count == 0)
        return;
    audit_entry_set(&wanted, event, outcome, who, object, "%s", detail);
    wanted.count = 0;
    struct mono now = clock_mono(t->clock);
    pthread_mutex_lock(&t->lock);
    struct kind *k = place(t, &wanted, now);
    if (k->entry.count == 0 || !k->used) {
        k->entry.count = 0;
        k->entry.since_us = clock_wall(t->clock).us;
        k->noted_at = now;
    }
    k->used = true;
    k->entry.count += count;
    memcpy(k->entry.detail, wanted.detail, sizeof k->entry.detail);
    pthread_mutex_unlock(&t->lock);
}

static bool is_due(const struct kind *k, struct mono now)
{
    return k->written ? mono_diff_ms(now, k->written_at) >= AUDIT_TALLY_AGAIN_S * 1000
                      : mono_diff_ms(now, k->noted_at) >= AUDIT_TALLY_FIRST_S * 1000;
}

size_t audit_tally_take(struct audit_tally *t, bool all, struct audit_entry out[AUDIT_TALLY_TAKE_MAX])
{
    size_t n = 0;
    if (!t)
        return 0;
    struct mono now = clock_mono(t->clock);
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < KINDS && n < AUDIT_TALLY_TAKE_MAX; i++) {
        struct kind *k = &t->kinds[i];
        if (!k->used || k->entry.count == 0 || !(all || is_due(k, now)))
            continue;
        k->taken = k->entry.count;
        out[n++] = k->entry;
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}

void audit_tally_taken(struct audit_tally *t, bool stored)
{
    if (!t)
        return;
    struct mono now = clock_mono(t->clock);
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < KINDS; i++) {
        struct kind *k = &t->kinds[i];
        if (k->taken && stored) {
            k->entry.count -= k->taken;
            k->entry.since_us = clock_wall(t->clock).us;
            k->noted_at = now;
            k->written_at = now;
            k->written = true;
        }
        k->taken = 0;
    }
    pthread_mutex_unlock(&t->lock);
}
