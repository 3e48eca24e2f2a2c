// Two tables, so that invented names cannot push out addresses. Buckets are found by a hash under a key of
// this process: nobody can choose names that meet in one set. A set holds few; its longest unused one goes.

#include "dashboards/limiter.h"
#include "base/crypto.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS 512
#define WAYS 8

struct bucket {
    uint8_t key[16]; // zero: free
    struct mono used;
    int64_t tokens_us; // tries left, in microseconds of refilling
    bool known;        // of a name and address: it was right before
};

enum table { BY_ADDRESS, BY_NAME, TABLES };

struct limiter {
    const struct clock *clock;
    pthread_mutex_t lock;
    uint8_t secret[16];
    struct bucket buckets[TABLES][SETS][WAYS];
};

enum err limiter_create(const struct clock *clock, struct limiter **out)
{
    struct limiter *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->clock = clock;
    pthread_mutex_init(&l->lock, NULL);
    crypto_random(l->secret, sizeof l->secret);
    *out = l;
    return ERR_OK;
}

void limiter_destroy(struct limiter *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void make_key(const struct limiter *l, const char *address, const char *name, uint8_t key[16])
{
    uint8_t hash[HASH_BYTES];
    crypto_digest((const struct hash_part[]){{l->secret, sizeof l->secret},
                                             {address, strlen(address)},
                                             {name, strlen(name)}},
                  3, hash);
    memcpy(key, hash, 16);
    key[15] |= 1; // never all zero
}

static bool refill(struct bucket *b, struct mono now)
{
    const int64_t full_us = LIMITER_BURST * LIMITER_REFILL_S * US_PER_S;
    b->tokens_us += now.us - b->used.us;
    if (b->tokens_us > full_us)
        b->tokens_us = full_us;
    b->used = now;
    return b->tokens_us >= LIMITER_REFILL_S * US_PER_S;
}

// The bucket, made full when it was not there; NULL when it is not there and is not to be made.
static struct bucket *find(struct limiter *l, enum table t, const char *address, const char *name, bool make)
{
    uint8_t key[16];
    make_key(l, address, name, key);
    struct bucket *set = l->buckets[t][((size_t)key[0] | (size_t)key[1] << 8) % SETS], *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (memcmp(set[i].key, key, sizeof key) == 0)
            return &set[i];
        if (set[i].used.us < oldest->used.us)
            oldest = &set[i];
    }
    if (!make)
        return NULL;
    *oldest = (struct bucket){.used = clock_mono(l->clock),
                              .tokens_us = LIMITER_BURST * LIMITER_REFILL_S * US_PER_S};
    memcpy(oldest->key, key, sizeof key);
    return oldest;
}

static int wait_s(const struct bucket *b)
{
    return (int)((LIMITER_REFILL_S * US_PER_S - b->tokens_us + US_PER_S - 1) / US_PER_S);
}

int limiter_try(struct limiter *l, const char *address, const char *name)
{
    int wait = 0;
    pthread_mutex_lock(&l->lock);
    struct mono now = clock_mono(l->clock);
    struct bucket *of[2] = {find(l, BY_ADDRESS, address, "", true), find(l, BY_NAME, address, name, false)};
    if (!of[1] || !of[1]->known)
        of[1] = find(l, BY_NAME, "", name, true);
    for (int i = 0; i < 2; i++)
        if (!refill(of[i], now) && wait_s(of[i]) > wait)
            wait = wait_s(of[i]);
    for (int i = 0; i < 2 && wait == 0; i++)
        of[i]->tokens_us -= LIMITER_REFILL_S * US_PER_S;
    pthread_mutex_unlock(&l->lock);
    return wait;
}

void limiter_succeeded(struct limiter *l, const char *address, const char *name)
{
    pthread_mutex_lock(&l->lock);
    find(l, BY_NAME, address, name, true)->known = true;
    struct bucket *of[3] = {find(l, BY_ADDRESS, address, "", true), find(l, BY_NAME, "", name, true),
                            find(l, BY_NAME, address, name, true)};
    for (int i = 0; i < 3; i++)
        of[i]->tokens_us += LIMITER_REFILL_S * US_PER_S;
    pthread_mutex_unlock(&l->lock);
}
