// Hash tables by key for the handshake, by token for the messages, by key id for what waited and by agent for
// each Hello: a park's agents come back all at once. A change is made in place: readers
// hold the lock for one look-up and keep nothing of an entry but a copy.
#include "collector/admission.h"
#include "base/crypto.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_BYTES = 16, BUCKETS_MIN = 64 };
enum { BY_KEY, BY_TOKEN, BY_ID, BY_AGENT, INDEXES };

struct entry {
    uint8_t key[KEY_BYTES];
    char token[HEX_TEXT(TOKEN_BYTES)];
    struct admitted who;
    struct entry *next[INDEXES];
};

struct admission {
    pthread_mutex_t lock;
    struct entry **buckets[INDEXES]; // `size` each, a power of two
    size_t size, count;
    _Atomic uint64_t removals;
};

_Static_assert(HEX_TEXT(TOKEN_BYTES) <= ADMISSION_TOKEN, "a token fits its text");

// ---- the tables; under the lock

static size_t bucket_of(const struct admission *a, const void *bytes, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037); // FNV-1a: only keys that an operator let in are kept here
    for (const uint8_t *p = bytes, *end = p + len; p < end; p++)
        h = (h ^ *p) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32) & (a->size - 1);
}

static size_t bucket_in(const struct admission *a, int index, const struct entry *e)
{
    switch (index) {
    case BY_KEY:
        return bucket_of(a, e->key, sizeof e->key);
    case BY_TOKEN:
        return bucket_of(a, e->token, sizeof e->token - 1);
    case BY_ID:
        return bucket_of(a, &e->who.key_id, sizeof e->who.key_id);
    default:
        return bucket_of(a, &e->who.agent_id, sizeof e->who.agent_id);
    }
}

static void link_entry(struct admission *a, struct entry *e)
{
    for (int i = 0; i < INDEXES; i++) {
        struct entry **first = &a->buckets[i][bucket_in(a, i, e)];
        e->next[i] = *first;
        *first = e;
    }
}

static void unlink_entry(struct admission *a, const struct entry *e)
{
    for (int i = 0; i < INDEXES; i++) {
        struct entry **at = &a->buckets[i][bucket_in(a, i, e)];
        while (*at != e)
            at = &(*at)->next[i];
        *at = e->next[i];
    }
}

static void free_buckets(struct entry **buckets[INDEXES])
{
    for (int i = 0; i < INDEXES; i++)
        free(buckets[i]);
}

static enum err grow(struct admission *a, size_t size)
{
    struct entry **more[INDEXES], **old = a->buckets[BY_KEY];
    bool all = true;
    for (int i = 0; i < INDEXES; i++)
        all = (more[i] = calloc(size, sizeof(struct entry *))) && all;
    if (!all) {
        free_buckets(more);
        return ERR_NOMEM;
    }
    const size_t before = a->size;
    for (int i = BY_KEY + 1; i < INDEXES; i++)
        free(a->buckets[i]);
    memcpy(a->buckets, more, sizeof more);
    a->size = size;
    for (size_t i = 0; i < before; i++)
        for (struct entry *e = old[i], *next; e; e = next) {
            next = e->next[BY_KEY];
            link_entry(a, e);
        }
    free(old);
    return ERR_OK;
}

static struct entry *find_key(const struct admission *a, const uint8_t key[KEY_BYTES])
{
    struct entry *e = a->buckets[BY_KEY][bucket_of(a, key, KEY_BYTES)];
    while (e && memcmp(e->key, key, KEY_BYTES) != 0)
        e = e->next[BY_KEY];
    return e;
}

static struct entry *find_token(const struct admission *a, const char *token)
{
    size_t len = strlen(token);
    if (len != HEX_TEXT(TOKEN_BYTES) - 1)
        return NULL;
    struct entry *e = a->buckets[BY_TOKEN][bucket_of(a, token, len)];
    while (e && memcmp(e->token, token, len) != 0)
        e = e->next[BY_TOKEN];
    return e;
}

static struct entry *find_id(const struct admission *a, int64_t key_id)
{
    struct entry *e = a->buckets[BY_ID][bucket_of(a, &key_id, sizeof key_id)];
    while (e && e->who.key_id != key_id)
        e = e->next[BY_ID];
    return e;
}

// ---- life

enum err admission_create(struct admission **out)
{
    struct admission *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    if (grow(a, BUCKETS_MIN) != ERR_OK) {
        free(a);
        return ERR_NOMEM;
    }
    atomic_init(&a->removals, 0);
    pthread_mutex_init(&a->lock, NULL);
    *out = a;
    return ERR_OK;
}

void admission_destroy(struct admission *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->size; i++)
        for (struct entry *e = a->buckets[BY_KEY][i], *next; e; e = next) {
            next = e->next[BY_KEY];
            free(e);
        }
    pthread_mutex_destroy(&a->lock);
    free_buckets(a->buckets);
    free(a);
}

// ---- changes

static struct entry *make_entry(const struct ledger_agent *agent)
{
    struct entry *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    uint8_t random[TOKEN_BYTES];
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, e->token);
    memcpy(e->key, agent->public_key, KEY_BYTES);
    e->who.agent_id = agent->agent_id;
    e->who.key_id = agent->key_id;
    memcpy(e->who.resident, agent->resident, sizeof e->who.resident);
    return e;
}

enum err admission_add(struct admission *a, const struct ledger_agent *agent)
{
    if (agent->revoked_us != 0)
        return ERR_OK;
    struct entry *made = make_entry(agent);
    if (!made)
        return ERR_NOMEM;
    enum err e = ERR_OK;
    pthread_mutex_lock(&a->lock);
    bool known = find_key(a, agent->public_key) != NULL;
    if (!known && a->count >= a->size)
        e = grow(a, 2 * a->size);
    if (!known && e == ERR_OK) {
        link_entry(a, made);
        a->count++;
        made = NULL;
    }
    pthread_mutex_unlock(&a->lock);
    free(made);
    return e;
}

enum err admission_remove(struct admission *a, int64_t key_id)
{
    pthread_mutex_lock(&a->lock);
    struct entry *gone = find_id(a, key_id);
    if (gone) {
        unlink_entry(a, gone);
        a->count--;
    }
    pthread_mutex_unlock(&a->lock);
    if (gone) // after it: whoever looked the key up before sees another number now
        atomic_fetch_add(&a->removals, 1);
    free(gone);
    return gone ? ERR_OK : ERR_NOT_FOUND;
}

// ---- questions

uint64_t admission_removals(const struct admission *a)
{
    return atomic_load(&a->removals);
}

bool admission_holds(struct admission *a, const struct admitted *who)
{
    if (who->removals == atomic_load(&a->removals))
        return true;
    pthread_mutex_lock(&a->lock);
    bool found = find_id(a, who->key_id) != NULL;
    pthread_mutex_unlock(&a->lock);
    return found;
}

int64_t admission_other_key(struct admission *a, int64_t agent_id, int64_t key_id)
{
    int64_t found = 0;
    pthread_mutex_lock(&a->lock);
    const struct entry *e = a->buckets[BY_AGENT][bucket_of(a, &agent_id, sizeof agent_id)];
    for (; e; e = e->next[BY_AGENT]) {
        const struct admitted *who = &e->who;
        if (who->agent_id == agent_id && who->key_id != key_id && (found == 0 || who->key_id < found))
            found = who->key_id;
    }
    pthread_mutex_unlock(&a->lock);
    return found;
}

size_t admission_count(struct admission *a)
{
    pthread_mutex_lock(&a->lock);
    size_t count = a->count;
    pthread_mutex_unlock(&a->lock);
    return count;
}

bool admission_decide(void *ctx, const uint8_t public_key[KEY_BYTES], char token[ADMISSION_TOKEN])
{
    struct admission *a = ctx;
    pthread_mutex_lock(&a->lock);
    const struct entry *found = find_key(a, public_key);
    if (found)
        memcpy(token, found->token, sizeof found->token);
    pthread_mutex_unlock(&a->lock);
    return found != NULL;
}

bool admission_lookup(struct admission *a, const char *token, struct admitted *out)
{
    pthread_mutex_lock(&a->lock);
    const struct entry *found = find_token(a, token);
    if (found) {
        *out = found->who;
        out->removals = atomic_load(&a->removals);
    }
    pthread_mutex_unlock(&a->lock);
    return found != NULL;
}
