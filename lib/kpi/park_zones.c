// A few parks, looked up rarely: a list will do.
#include "kpi/park_zones.h"
#include "kpi/series.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct park_zones {
    size_t count;
    struct {
        char park[SERIES_PART_MAX + 1];
        struct zone *zone;
    } at[];
};

enum err park_zones_load(const struct parks *p, struct park_zones **out, struct diag *d)
{
    struct park_zones *z = calloc(1, sizeof *z + p->count * sizeof z->at[0]);
    enum err e = z ? ERR_OK : diag_fail(d, ERR_NOMEM, "zones: %s", err_text(ERR_NOMEM));
    for (size_t i = 0; e == ERR_OK && i < p->count; i++) {
        snprintf(z->at[i].park, sizeof z->at[i].park, "%s", p->parks[i]->code);
        e = zone_load(NULL, p->parks[i]->time_zone, &z->at[i].zone, d);
        z->count++;
    }
    if (e != ERR_OK)
        park_zones_free(z);
    else
        *out = z;
    return e;
}

void park_zones_free(struct park_zones *z)
{
    for (size_t i = 0; z && i < z->count; i++)
        zone_free(z->at[i].zone);
    free(z);
}

const struct zone *park_zones_of(void *zones, const char *park)
{
    const struct park_zones *z = zones;
    for (size_t i = 0; i < z->count; i++)
        if (strcmp(z->at[i].park, park) == 0)
            return z->at[i].zone;
    return NULL;
}
