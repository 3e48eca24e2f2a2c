// All bodies of one transaction lie in one buffer; rows keep offsets until it has stopped growing.
#include "agent/packer.h"
#include "wire/codec.h"
#include <stdlib.h>

#define BODIES_MAX (64u << 20)

struct packer {
    struct wire_builder *builder;
    struct buf bodies;
    struct spool_row *rows;
    size_t *offsets;
    size_t count, cap;
    struct wire_incarnation incarnation;
    uint64_t next;
    enum wire_class class; // 0: none open
    struct spool_row open;
};

enum err packer_create(struct packer **out)
{
    struct packer *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    buf_init(&p->bodies, BODIES_MAX);
    enum err e = wire_builder_create(&p->builder);
    if (e == ERR_OK)
        *out = p;
    else
        packer_destroy(p);
    return e;
}

static void forget(struct packer *p)
{
    buf_deinit(&p->bodies);
    buf_init(&p->bodies, BODIES_MAX);
    free(p->rows);
    free(p->offsets);
    p->rows = NULL;
    p->offsets = NULL;
    p->count = p->cap = 0;
    p->class = 0;
}

void packer_destroy(struct packer *p)
{
    if (!p)
        return;
    forget(p);
    wire_builder_destroy(p->builder);
    free(p);
}

void packer_begin(struct packer *p, const struct wire_incarnation *incarnation, uint64_t first)
{
    forget(p);
    p->incarnation = *incarnation;
    p->next = first;
}

static enum err grow(struct packer *p)
{
    if (p->count < p->cap)
        return ERR_OK;
    size_t cap = p->cap ? p->cap * 2 : 4;
    struct spool_row *rows = realloc(p->rows, cap * sizeof *rows);
    if (rows)
        p->rows = rows;
    size_t *offsets = realloc(p->offsets, cap * sizeof *offsets);
    if (offsets)
        p->offsets = offsets;
    if (!rows || !offsets)
        return ERR_NOMEM;
    p->cap = cap;
    return ERR_OK;
}

static enum err close_batch(struct packer *p)
{
    if (p->class == 0 || p->open.samples == 0)
        return ERR_OK;
    enum err e = grow(p);
    size_t offset = p->bodies.len;
    if (e == ERR_OK)
        e = wire_builder_finish(p->builder, &p->incarnation, p->next, &p->bodies);
    if (e != ERR_OK)
        return e;
    p->open.sequence = p->next++;
    p->open.class = p->class;
    p->open.len = p->bodies.len - offset;
    p->offsets[p->count] = offset;
    p->rows[p->count++] = p->open;
    p->class = 0;
    return ERR_OK;
}

static enum err open_batch(struct packer *p, enum wire_class class)
{
    enum err e = close_batch(p);
    if (e != ERR_OK)
        return e;
    wire_builder_reset(p->builder, class, WIRE_MESSAGE_MAX_BYTES);
    p->class = class;
    p->open = (struct spool_row){0};
    return ERR_OK;
}

static void note_sample(struct packer *p, const struct wire_sample *s)
{
    int64_t at_s = p->class == WIRE_REPORT ? s->time * 86400 : s->time;
    bool first = p->open.samples++ == 0;
    if (first || at_s < p->open.from_s)
        p->open.from_s = at_s;
    if (first || at_s > p->open.to_s)
        p->open.to_s = at_s;
}

enum err packer_add(struct packer *p, enum wire_class class, const struct wire_sample *s,
                    const struct wire_note *note)
{
    enum err e = p->class == class ? ERR_OK : open_batch(p, class);
    if (e == ERR_OK)
        e = wire_builder_add(p->builder, s, note);
    if (e == ERR_FULL && p->open.samples > 0) {
        e = open_batch(p, class);
        if (e == ERR_OK)
            e = wire_builder_add(p->builder, s, note);
    }
    if (e == ERR_OK)
        note_sample(p, s);
    return e;
}

enum err packer_finish(struct packer *p, const struct spool_row **rows, size_t *count)
{
    enum err e = close_batch(p);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < p->count; i++)
        p->rows[i].body = p->bodies.data + p->offsets[i];
    *rows = p->rows;
    *count = p->count;
    return ERR_OK;
}
