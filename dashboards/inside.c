// By KPI and not by figure: what is left of a sum, a graph or a history tells what was taken out. A revision
// counts as well: that a figure was opened later opens neither what it was before nor its history, which
// stands beside it.
#include "dashboards/inside.h"
#include <stdio.h>
#include <string.h>

struct search {
    const struct readers *store;
    const char *kpi;
    bool found;
};

static enum err look(void *ctx, const struct ledger_series *series)
{
    struct search *s = ctx;
    struct series_name name = {0};
    if (s->found || series->class != WIRE_REPORT || series_parse(series->name, &name) != ERR_OK ||
        (s->kpi && strcmp(name.kpi, s->kpi) != 0))
        return ERR_OK;
    return observations_confidential(s->store->observations, series->series_id, &s->found, NULL);
}

enum err inside_withheld(const struct readers *store, const char *park, const char *resident, const char *kpi,
                         bool *out, struct diag *d)
{
    char prefix[SERIES_NAME_MAX + 1];
    struct search s = {.store = store, .kpi = kpi};
    enum err e = ERR_OK;
    bool total = strcmp(resident, SERIES_RESIDENT_ALL) == 0;
    int n = snprintf(prefix, sizeof prefix, "%s/%s/%s", park, resident, kpi ? kpi : "");
    if (n < 0 || (size_t)n >= sizeof prefix)
        return diag_fail(d, ERR_TOO_BIG, "a series' name is too long");
    if (!total && !access_may(store->viewer, SIGHT_INSIDE, park, resident))
        e = reader_series_list(store->reader, prefix, look, &s, d);
    if (e == ERR_OK)
        *out = s.found;
    return e;
}
