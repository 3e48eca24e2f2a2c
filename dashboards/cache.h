// Results kept in memory up to a number of bytes, the least recently used going first. A result is shared by
// reference: what is being sent stays alive although it has left the cache. Threads: any.
#ifndef ESEP_DASHBOARDS_CACHE_H
#define ESEP_DASHBOARDS_CACHE_H

#include "base/err.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct blob { // immutable after it is made
    atomic_uint references;
    size_t len;
    char *bytes; // owned
};
// Takes bytes (malloc'ed) over, also when it fails (NULL: out of memory). One reference is the caller's.
struct blob *blob_create(char *bytes, size_t len);
struct blob *blob_retain(struct blob *b);
void blob_release(struct blob *b); // NULL is allowed

struct cache;
enum err cache_create(size_t max_bytes, struct cache **out) MUST_USE;
void cache_destroy(struct cache *c);
// A reference for the caller, or NULL. Key: 16 bytes that name the result.
struct blob *cache_find(struct cache *c, const uint8_t key[16]);
// Keeps a reference of its own. A result larger than a quarter of the cache is not kept.
void cache_put(struct cache *c, const uint8_t key[16], struct blob *b);

struct cache_stats {
    uint64_t hits, misses, evictions;
    size_t bytes, entries;
};
struct cache_stats cache_stats(struct cache *c);

#endif
