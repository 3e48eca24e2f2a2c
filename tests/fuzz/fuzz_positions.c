// See fuzz_positions.h. A sorted list: there are few.
#include "tests/fuzz/fuzz_positions.h"
#include "tests/fuzz/fuzz.h"

struct position {
    char *key;
    uint8_t *bytes;
    size_t len;
    struct position *next;
};

struct fuzz_positions {
    struct position *first;
};

struct fuzz_positions *fuzz_positions_create(void)
{
    struct fuzz_positions *p = calloc(1, sizeof *p);
    FUZZ_CHECK(p);
    return p;
}

static void drop(struct position *p)
{
    free(p->key);
    free(p->bytes);
    free(p);
}

void fuzz_positions_destroy(struct fuzz_positions *p)
{
    while (p->first) {
        struct position *next = p->first->next;
        drop(p->first);
        p->first = next;
    }
    free(p);
}

static struct position **find(struct fuzz_positions *p, const char *key)
{
    struct position **at = &p->first;
    while (*at && strcmp((*at)->key, key) < 0)
        at = &(*at)->next;
    return at;
}

void fuzz_positions_put(struct fuzz_positions *p, const char *key, const void *bytes, size_t len)
{
    struct position **at = find(p, key);
    if (*at && strcmp((*at)->key, key) == 0) {
        struct position *old = *at;
        *at = old->next;
        drop(old);
    }
    if (len == 0)
        return;
    struct position *made = calloc(1, sizeof *made);
    FUZZ_CHECK(made && (made->key = strdup(key)) && (made->bytes = malloc(len)));
    memcpy(made->bytes, bytes, len);
    made->len = len;
    made->next = *at;
    *at = made;
}

void fuzz_positions_apply(struct fuzz_positions *p, const struct harvest *h)
{
    for (size_t i = 0; i < h->position_count; i++)
        fuzz_positions_put(p, h->positions[i].key, h->positions[i].bytes, h->positions[i].len);
}

void fuzz_positions_damage(struct fuzz_positions *p, size_t at, uint8_t byte)
{
    for (struct position *s = p->first; s; s = s->next) {
        if (at < s->len) {
            s->bytes[at] = byte;
            return;
        }
        at -= s->len;
    }
}

static enum err get(void *ctx, const char *source, const char *key, void *out, size_t cap, size_t *len)
{
    struct fuzz_positions *p = ctx;
    struct position **at = find(p, key);
    (void)source;
    if (!*at || strcmp((*at)->key, key) != 0)
        return ERR_NOT_FOUND;
    if ((*at)->len > cap)
        return ERR_TOO_BIG;
    memcpy(out, (*at)->bytes, (*at)->len);
    *len = (*at)->len;
    return ERR_OK;
}

static enum err each(void *ctx, const char *source, const char *prefix, position_visit visit, void *visit_ctx)
{
    struct fuzz_positions *p = ctx;
    (void)source;
    for (const struct position *s = p->first; s; s = s->next) {
        if (strncmp(s->key, prefix, strlen(prefix)) != 0)
            continue;
        enum err e = visit(visit_ctx, s->key, s->bytes, s->len);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

struct source_env fuzz_positions_env(struct fuzz_positions *p, const struct clock *clock)
{
    return (struct source_env){.clock = clock, .ctx = p, .get = get, .each = each};
}
