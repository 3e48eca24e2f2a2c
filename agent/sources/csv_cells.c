// A table may be half a million cells that come in any order, and is gone again a moment later: one array,
// doubled as it fills, and a multiplication for a hash.
#include "agent/sources/csv_cells.h"
#include <stdlib.h>

static struct csv_cell *place_of(struct csv_cell *cells, size_t cap, uint32_t series, int32_t day)
{
    uint64_t hash = ((uint64_t)(uint32_t)day << 32 | series) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = (size_t)(hash >> 32);; i++) {
        struct csv_cell *c = &cells[i & (cap - 1)];
        if (!c->used || (c->series == series && c->day == day))
            return c;
    }
}

static enum err grow(struct csv_cells *c)
{
    if (2 * (c->count + 1) <= c->cap)
        return ERR_OK;
    size_t cap = c->cap ? c->cap * 2 : 256;
    struct csv_cell *cells = calloc(cap, sizeof *cells);
    if (!cells)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->cap; i++)
        if (c->at[i].used)
            *place_of(cells, cap, c->at[i].series, c->at[i].day) = c->at[i];
    free(c->at);
    c->at = cells;
    c->cap = cap;
    return ERR_OK;
}

enum err csv_cells_find(struct csv_cells *c, uint32_t series, int32_t day, struct csv_cell **out)
{
    enum err e = c->count < CSV_CELLS_MAX ? grow(c) : ERR_FULL;
    if (e != ERR_OK)
        return e;
    struct csv_cell *cell = place_of(c->at, c->cap, series, day);
    if (!cell->used) {
        *cell = (struct csv_cell){.series = series, .day = day, .used = true};
        c->count++;
    }
    *out = cell;
    return ERR_OK;
}

void csv_cells_free(struct csv_cells *c)
{
    free(c->at);
    *c = (struct csv_cells){0};
}
