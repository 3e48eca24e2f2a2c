// A sorted table by key for the handshake and one by token for the messages. Tables are never changed in
// place: readers hold the lock for one binary search, a change is built outside it.
#include "collector/admission.h"
#include "base/crypto.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_BYTES = 16 };

struct entry {
    uint8_t key[KEY_BYTES];
    char token[HEX_TEXT(TOKEN_BYTES)];
    struct admitted who;
};

struct table {
    size_t count;
    struct entry **by_key, **by_token; // the same entries in two orders; entries are owned by the table
    struct entry *entries;
};

struct admission {
    pthread_mutex_t lock; // guards current
    pthread_mutex_t change;
    struct table *current;
    _Atomic uint64_t removals;
};

_Static_assert(HEX_TEXT(TOKEN_BYTES) <= ADMISSION_TOKEN, "a token fits its text");

static int compare_keys(const void *a, const void *b)
{
    return memcmp((*(struct entry *const *)a)->key, (*(struct entry *const *)b)->key, KEY_BYTES);
}

static int compare_tokens(const void *a, const void *b)
{
    return strcmp((*(struct entry *const *)a)->token, (*(struct entry *const *)b)->token);
}

static void table_free(struct table *t)
{
    if (!t)
        return;
    free(t->by_key);
    free(t->by_token);
    free(t->entries);
    free(t);
}

static struct table *table_alloc(size_t count)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->entries = calloc(count + 1, sizeof *t->entries);
    t->by_key = calloc(count + 1, sizeof(struct entry *));
    t->by_token = calloc(count + 1, sizeof(struct entry *));
    if (t->entries && t->by_key && t->by_token)
        return t;
    table_free(t);
    return NULL;
}

static void table_index(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        t->by_key[i] = t->by_token[i] = &t->entries[i];
    qsort(t->by_key, t->count, sizeof(struct entry *), compare_keys);
    qsort(t->by_token, t->count, sizeof(struct entry *), compare_tokens);
}

static struct entry *find_key(const struct table *t, const uint8_t key[KEY_BYTES])
{
    struct entry wanted, *p = &wanted;
    memcpy(wanted.key, key, KEY_BYTES);
    struct entry **hit = bsearch(&p, t->by_key, t->count, sizeof(struct entry *), compare_keys);
    return hit ? *hit : NULL;
}

static struct entry *find_token(const struct table *t, const char *token)
{
    struct entry wanted, *p = &wanted;
    if (strlen(token) != sizeof wanted.token - 1)
        return NULL;
    memcpy(wanted.token, token, sizeof wanted.token);
    struct entry **hit = bsearch(&p, t->by_token, t->count, sizeof(struct entry *), compare_tokens);
    return hit ? *hit : NULL;
}

enum err admission_create(struct admission **out)
{
    struct admission *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->current = table_alloc(0);
    if (!a->current) {
        free(a);
        return ERR_NOMEM;
    }
    atomic_init(&a->removals, 0);
    pthread_mutex_init(&a->lock, NULL);
    pthread_mutex_init(&a->change, NULL);
    *out = a;
    return ERR_OK;
}

void admission_destroy(struct admission *a)
{
    if (!a)
        return;
    pthread_mutex_destroy(&a->lock);
    pthread_mutex_destroy(&a->change);
    table_free(a->current);
    free(a);
}

static void swap_in(struct admission *a, struct table *next)
{
    table_index(next);
    pthread_mutex_lock(&a->lock);
    struct table *old = a->current;
    a->current = next;
    pthread_mutex_unlock(&a->lock);
    table_free(old);
}

enum err admission_add(struct admission *a, const struct ledger_agent *agent)
{
    enum err e = ERR_OK;
    if (agent->revoked_us != 0)
        return ERR_OK;
    pthread_mutex_lock(&a->change);
    const struct table *now = a->current; // only changed under `change`
    if (find_key(now, agent->public_key))
        goto out;
    struct table *next = table_alloc(now->count + 1);
    if (!next) {
        e = ERR_NOMEM;
        goto out;
    }
    memcpy(next->entries, now->entries, now->count * sizeof *now->entries);
    struct entry *added = &next->entries[now->count];
    uint8_t random[TOKEN_BYTES];
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, added->token);
    memcpy(added->key, agent->public_key, KEY_BYTES);
    added->who.agent_id = agent->agent_id;
    added->who.key_id = agent->key_id;
    memcpy(added->who.resident, agent->resident, sizeof added->who.resident);
    next->count = now->count + 1;
    swap_in(a, next);
out:
    pthread_mutex_unlock(&a->change);
    return e;
}

enum err admission_remove(struct admission *a, int64_t key_id)
{
    enum err e = ERR_NOT_FOUND;
    pthread_mutex_lock(&a->change);
    const struct table *now = a->current;
    struct table *next = table_alloc(now->count);
    if (!next) {
        e = ERR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < now->count; i++) {
        if (now->entries[i].who.key_id == key_id)
            e = ERR_OK;
        else
            next->entries[next->count++] = now->entries[i];
    }
    swap_in(a, next);
    if (e == ERR_OK) // after it: whoever looked the key up before sees another number now
        atomic_fetch_add(&a->removals, 1);
out:
    pthread_mutex_unlock(&a->change);
    return e;
}

uint64_t admission_removals(const struct admission *a)
{
    return atomic_load(&a->removals);
}

bool admission_holds(struct admission *a, const struct admitted *who)
{
    bool found = false;
    if (who->removals == atomic_load(&a->removals))
        return true;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->current->count && !found; i++)
        found = a->current->entries[i].who.key_id == who->key_id;
    pthread_mutex_unlock(&a->lock);
    return found;
}

int64_t admission_other_key(struct admission *a, int64_t agent_id, int64_t key_id)
{
    int64_t found = 0;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->current->count; i++) {
        const struct admitted *who = &a->current->entries[i].who;
        if (who->agent_id == agent_id && who->key_id != key_id && (found == 0 || who->key_id < found))
            found = who->key_id;
    }
    pthread_mutex_unlock(&a->lock);
    return found;
}

size_t admission_count(struct admission *a)
{
    pthread_mutex_lock(&a->lock);
    size_t count = a->current->count;
    pthread_mutex_unlock(&a->lock);
    return count;
}

bool admission_decide(void *ctx, const uint8_t public_key[KEY_BYTES], char token[ADMISSION_TOKEN])
{
    struct admission *a = ctx;
    pthread_mutex_lock(&a->lock);
    const struct entry *found = find_key(a->current, public_key);
    if (found)
        memcpy(token, found->token, sizeof found->token);
    pthread_mutex_unlock(&a->lock);
    return found != NULL;
}

bool admission_lookup(struct admission *a, const char *token, struct admitted *out)
{
    pthread_mutex_lock(&a->lock);
    const struct entry *found = find_token(a->current, token);
    if (found) {
        *out = found->who;
        out->removals = atomic_load(&a->removals);
    }
    pthread_mutex_unlock(&a->lock);
    return found != NULL;
}
