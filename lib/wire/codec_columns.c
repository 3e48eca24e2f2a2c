// A batch on its way out: samples become columns one by one, and what each will cost in bytes is known before
// it is added, so a batch can be filled to the limit without ever being packed for a try.
#include "wire/codec_internal.h"
#include <stdlib.h>

enum { TAG_INTEGER, TAG_REAL, TAG_MISSING };
#define TAG_KIND_BITS 2

static size_t zigzag_bytes(int64_t v)
{
    return wire_varint_bytes(((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

size_t wire_varint_bytes(uint64_t v)
{
    size_t bits = 64 - (size_t)__builtin_clzll(v | 1);
    return (bits + 6) / 7;
}

enum err wire_columns_init(struct wire_columns *c, size_t max_samples)
{
    size_t wide = max_samples * sizeof(int64_t);
    unsigned char *memory = malloc(3 * wide + max_samples * sizeof(uint32_t) + 1);
    if (!memory)
        return ERR_NOMEM;
    *c = (struct wire_columns){
        .memory = memory,
        .time = (int64_t *)(void *)memory,
        .integer = (int64_t *)(void *)(memory + wide),
        .real = (double *)(void *)(memory + 2 * wide),
        .tag = (uint32_t *)(void *)(memory + 3 * wide),
        .max = max_samples,
    };
    return ERR_OK;
}

void wire_columns_deinit(struct wire_columns *c)
{
    free(c->memory);
    *c = (struct wire_columns){0};
}

void wire_columns_reset(struct wire_columns *c)
{
    c->count = c->integers = c->reals = 0;
    c->last_time = 0;
}

// One content has one form: a whole number that a double holds exactly goes as an integer, whatever the
// caller made it.
static enum err canonical(struct figure v, struct figure *out)
{
    switch (v.kind) {
    case FIGURE_MISSING:
        *out = figure_missing();
        return ERR_OK;
    case FIGURE_INTEGER:
        return figure_from_integer(v.integer, out);
    case FIGURE_REAL:
        if (!(v.real >= -(double)FIGURE_INTEGER_MAX && v.real <= (double)FIGURE_INTEGER_MAX))
            return ERR_INVALID;
        return figure_from_real(v.real, out);
    }
    return ERR_INVALID;
}

enum err wire_columns_cell(const struct wire_columns *c, enum wire_class class, const struct wire_sample *s,
                           struct wire_cell *out)
{
    int64_t lowest, highest;
    wire_time_bounds(class, &lowest, &highest);
    if (s->refused != WIRE_REASON_NONE || s->time < lowest || s->time > highest ||
        s->series > UINT32_MAX >> TAG_KIND_BITS)
        return ERR_INVALID;
    struct figure value;
    if (canonical(s->value, &value) != ERR_OK)
        return ERR_INVALID;
    uint32_t kind = value.kind == FIGURE_INTEGER ? TAG_INTEGER
                    : value.kind == FIGURE_REAL  ? TAG_REAL
                                                 : TAG_MISSING;
    *out = (struct wire_cell){
        .tag = s->series << TAG_KIND_BITS | kind,
        .time = s->time - c->last_time,
        .value = value,
    };
    return ERR_OK;
}

void wire_columns_put(struct wire_columns *c, const struct wire_cell *cell)
{
    c->tag[c->count] = cell->tag;
    c->time[c->count] = cell->time;
    c->count++;
    c->last_time += cell->time;
    if (cell->value.kind == FIGURE_INTEGER)
        c->integer[c->integers++] = cell->value.integer;
    else if (cell->value.kind == FIGURE_REAL)
        c->real[c->reals++] = cell->value.real;
}

size_t wire_cell_bytes(const struct wire_cell *cell)
{
    size_t bytes = wire_varint_bytes(cell->tag) + zigzag_bytes(cell->time);
    if (cell->value.kind == FIGURE_INTEGER)
        bytes += zigzag_bytes(cell->value.integer);
    else if (cell->value.kind == FIGURE_REAL)
        bytes += sizeof(double);
    return bytes;
}
