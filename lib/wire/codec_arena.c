// The decoder's memory. protobuf-c asks for memory in proportion to what a message claims, so a hostile one
// could make a few bytes cost a lot; here everything a message needs comes from one block of fixed size that
// is only ever moved forward. Freeing does nothing: the next decode starts at the bottom again.
//
// Each piece is preceded by its size. That is how a text with a NUL inside is noticed: protobuf-c hands out C
// strings, and what stands behind the NUL would otherwise be in the ledger and in no check.
#include "wire/codec_internal.h"
#include <stdlib.h>

// The largest honest message (8,192 samples without notes) takes half of it.
#define ARENA_BYTES ((size_t)1 << 20)
#define ALIGNMENT   8u

struct wire_arena {
    size_t used;
    bool exhausted;
    _Alignas(ALIGNMENT) unsigned char memory[ARENA_BYTES];
};

enum err wire_arena_create(struct wire_arena **out)
{
    struct wire_arena *a = malloc(sizeof(*a));
    if (!a)
        return ERR_NOMEM;
    wire_arena_reset(a);
    *out = a;
    return ERR_OK;
}

void wire_arena_destroy(struct wire_arena *a)
{
    free(a);
}

void wire_arena_reset(struct wire_arena *a)
{
    a->used = 0;
    a->exhausted = false;
}

void *wire_arena_alloc(struct wire_arena *a, size_t bytes)
{
    size_t room = ARENA_BYTES - a->used;
    if (bytes > ARENA_BYTES || room < sizeof(size_t) + bytes + ALIGNMENT) {
        a->exhausted = true;
        return NULL;
    }
    unsigned char *piece = a->memory + a->used;
    *(size_t *)(void *)piece = bytes;
    a->used += sizeof(size_t) + ((bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
    return piece + sizeof(size_t);
}

bool wire_arena_exhausted(const struct wire_arena *a)
{
    return a->exhausted;
}

size_t wire_arena_size_of(const struct wire_arena *a, const void *p)
{
    uintptr_t at = (uintptr_t)p, bottom = (uintptr_t)a->memory;
    if (at < bottom + sizeof(size_t) || at >= bottom + a->used + sizeof(size_t))
        return 0;
    return ((const size_t *)p)[-1];
}
