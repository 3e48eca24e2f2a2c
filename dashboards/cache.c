// A hash table of chains plus one list by use. Keys are hashes already, so their first bytes choose the
// chain.

#include "dashboards/cache.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS         1024
#define OVERHEAD_BYTES 128 // what an entry costs besides its bytes

struct entry {
    uint8_t key[16];
    struct blob *blob;
    struct entry *chain;
    struct entry *newer, *older;
};

struct cache {
    pthread_mutex_t lock;
    size_t max_bytes;
    struct entry *chains[CHAINS];
    struct entry *newest, *oldest;
    struct cache_stats stats;
};

struct blob *blob_create(char *bytes, size_t len)
{
    struct blob *b = malloc(sizeof *b);
    if (!b) {
        free(bytes);
        return NULL;
    }
    char *fitted = realloc(bytes, len ? len : 1); // what counts its bytes must not hold twice as many
    atomic_init(&b->references, 1);
    b->bytes = fitted ? fitted : bytes;
    b->len = len;
    return b;
}

struct blob *blob_retain(struct blob *b)
{
    atomic_fetch_add(&b->references, 1);
    return b;
}

void blob_release(struct blob *b)
{
    if (!b || atomic_fetch_sub(&b->references, 1) != 1)
        return;
    free(b->bytes);
    free(b);
}

enum err cache_create(size_t max_bytes, struct cache **out)
{
    struct cache *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    pthread_mutex_init(&c->lock, NULL);
    c->max_bytes = max_bytes;
    *out = c;
    return ERR_OK;
}

static size_t cost(const struct entry *e)
{
    return e->blob->len + OVERHEAD_BYTES;
}

static struct entry **chain_of(struct cache *c, const uint8_t key[16])
{
    size_t i = ((size_t)key[0] | (size_t)key[1] << 8) % CHAINS;
    struct entry **at = &c->chains[i];
    while (*at && memcmp((*at)->key, key, 16) != 0)
        at = &(*at)->chain;
    return at;
}

static void list_remove(struct cache *c, struct entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void list_add(struct cache *c, struct entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static void drop_oldest(struct cache *c)
{
    struct entry *e = c->oldest;
    *chain_of(c, e->key) = e->chain;
    c->oldest = e->newer;
    *(c->oldest ? &c->oldest->older : &c->newest) = NULL;
    c->stats.bytes -= cost(e);
    c->stats.entries--;
    c->stats.evictions++;
    blob_release(e->blob);
    free(e);
}

void cache_destroy(struct cache *c)
{
    if (!c)
        return;
    while (c->oldest)
        drop_oldest(c);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

struct blob *cache_find(struct cache *c, const uint8_t key[16])
{
    pthread_mutex_lock(&c->lock);
    struct entry *e = *chain_of(c, key);
    struct blob *found = NULL;
    if (e) {
        list_remove(c, e);
        list_add(c, e);
        found = blob_retain(e->blob);
        c->stats.hits++;
    } else {
        c->stats.misses++;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

static void put(struct cache *c, const uint8_t key[16], struct blob *b)
{
    struct entry **at = chain_of(c, key);
    if (*at || b->len > c->max_bytes / 4)
        return;
    struct entry *e = calloc(1, sizeof *e);
    if (!e)
        return; // a cache may forget
    memcpy(e->key, key, 16);
    e->blob = blob_retain(b);
    *at = e;
    list_add(c, e);
    c->stats.entries++;
    c->stats.bytes += cost(e);
    while (c->oldest && c->stats.bytes > c->max_bytes)
        drop_oldest(c);
}

void cache_put(struct cache *c, const uint8_t key[16], struct blob *b)
{
    pthread_mutex_lock(&c->lock);
    put(c, key, b);
    pthread_mutex_unlock(&c->lock);
}

struct cache_stats cache_stats(struct cache *c)
{
    pthread_mutex_lock(&c->lock);
    struct cache_stats s = c->stats;
    pthread_mutex_unlock(&c->lock);
    return s;
}
