// Between a figure that was let in and the change of owner behind the commit another agent of the resident
// may send the same series: without this both would be let in.
#include "collector/claims.h"
#include <stdlib.h>

enum err claims_take(struct claims *c, const struct ledger_series *series, int64_t agent_id, bool *granted)
{
    const struct claim *found = id_table_get(&c->by_series, series->series_id);
    if (found) {
        *granted = found->agent_id == agent_id;
        return ERR_OK;
    }
    struct claim *made = calloc(1, sizeof *made);
    if (!made)
        return ERR_NOMEM;
    *made = (struct claim){.series = series, .agent_id = agent_id};
    enum err e = id_table_put(&c->by_series, series->series_id, made);
    if (e != ERR_OK) {
        free(made);
        return e;
    }
    if (c->last)
        c->last->next = made;
    else
        c->first = made;
    c->last = made;
    *granted = true;
    return ERR_OK;
}

void claims_clear(struct claims *c)
{
    id_table_deinit(&c->by_series, free);
    c->first = c->last = NULL;
}
