// A table of a size, where each question has a few places: what is asked for is some hundred sums, and of
// more the ones that are due first are forgotten.

#include "dashboards/totals.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS 512
#define WAYS 8

struct entry {
    struct total_key key;
    struct total total;
    struct mono made;
    int64_t for_ms; // 0: free
};

struct totals {
    pthread_mutex_t lock;
    struct entry at[SETS][WAYS];
};

enum err totals_create(struct totals **out)
{
    struct totals *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    pthread_mutex_init(&t->lock, NULL);
    *out = t;
    return ERR_OK;
}

void totals_destroy(struct totals *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static struct entry *set_of(struct totals *t, const struct total_key *key)
{
    uint64_t mixed = (uint64_t)key->series_id * 31 + (uint32_t)key->from;
    return t->at[(mixed * 31 + (uint32_t)key->to) % SETS];
}

static bool is_of(const struct entry *e, const struct total_key *key)
{
    return e->for_ms > 0 && e->key.edition == key->edition && e->key.series_id == key->series_id &&
           e->key.from == key->from && e->key.to == key->to;
}

static int64_t left_ms(const struct entry *e, struct mono now)
{
    return e->for_ms - mono_diff_ms(now, e->made);
}

bool totals_kept(struct totals *t, const struct total_key *key, struct mono now, struct total *out)
{
    bool found = false;
    pthread_mutex_lock(&t->lock);
    const struct entry *set = set_of(t, key);
    for (size_t i = 0; i < WAYS && !found; i++) {
        found = is_of(&set[i], key) && left_ms(&set[i], now) > 0;
        if (found)
            *out = set[i].total;
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

void totals_keep(struct totals *t, const struct total_key *key, struct mono now, int64_t for_ms,
                 const struct total *total)
{
    pthread_mutex_lock(&t->lock);
    struct entry *set = set_of(t, key), *place = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (left_ms(&set[i], now) < left_ms(place, now))
            place = &set[i];
    }
    for (size_t i = 0; i < WAYS; i++) {
        if (is_of(&set[i], key))
            place = &set[i];
    }
    *place = (struct entry){*key, *total, now, for_ms};
    pthread_mutex_unlock(&t->lock);
}
