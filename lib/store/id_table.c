#include "store/id_table.h"
#include <stdlib.h>
#include <string.h>

static enum err grow(struct id_table *t, size_t wanted)
{
    size_t count = t->count ? t->count : 64;
    while (count < wanted)
        count *= 2;
    void **at = realloc(t->at, count * sizeof *at);
    if (!at)
        return ERR_NOMEM;
    memset(at + t->count, 0, (count - t->count) * sizeof *at);
    t->at = at;
    t->count = count;
    return ERR_OK;
}

enum err id_table_put(struct id_table *t, int64_t id, void *item)
{
    if (id < 1 || id > ID_TABLE_MAX)
        return ERR_CORRUPT;
    if ((uint64_t)id >= t->count) {
        enum err e = grow(t, (size_t)id + 1);
        if (e != ERR_OK)
            return e;
    }
    t->at[id] = item;
    return ERR_OK;
}

void id_table_deinit(struct id_table *t, void (*drop)(void *item))
{
    for (size_t i = 0; drop && i < t->count; i++)
        if (t->at[i])
            drop(t->at[i]);
    free(t->at);
    *t = (struct id_table){0};
}
