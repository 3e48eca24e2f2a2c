// Pointers by row id: ids of one table are dense from 1, so an array does what a hash map would. Not an
// owner.
#ifndef ESEP_STORE_ID_TABLE_H
#define ESEP_STORE_ID_TABLE_H

#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

#define ID_TABLE_MAX (INT64_C(1) << 26) // an id beyond it comes from a damaged file

struct id_table { // all zero is an empty one
    void **at;
    size_t count;
};

static inline void *id_table_get(const struct id_table *t, int64_t id) // NULL: none
{
    return id >= 0 && (uint64_t)id < t->count ? t->at[id] : NULL;
}
// NOMEM; CORRUPT for an id below 1 or past ID_TABLE_MAX.
enum err id_table_put(struct id_table *t, int64_t id, void *item) MUST_USE;
// Every item but NULL is given to drop (may be NULL); the table is empty afterwards.
void id_table_deinit(struct id_table *t, void (*drop)(void *item));

#endif
