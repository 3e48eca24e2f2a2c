// A slip in a name makes an account that sees nothing and says nothing about it: to its owner the pages are
// just empty. So the slip is said where it is made, with the names that there are.

#include "dashboards/command_place.h"
#include "kpi/catalogue.h"
#include "kpi/park.h"
#include "store/reader.h"
#include <stdio.h>
#include <string.h>

enum { NAMES_SHOWN = 12 };

static enum err found(void *ctx, const struct ledger_series *s)
{
    bool *there = ctx;
    (void)s;
    *there = true;
    return ERR_OK;
}

// Has anybody ever declared a series of it?
static bool in_ledger(const struct dashboard_config *c, const struct scope *scope)
{
    struct reader *r = NULL;
    char prefix[2 * SERIES_PART_MAX + 4];
    bool there = false;
    snprintf(prefix, sizeof prefix, "%s/%s%s", scope->park, scope->resident, *scope->resident ? "/" : "");
    if (reader_open(c->state, &r, NULL) == ERR_OK &&
        reader_series_list(r, prefix, found, &there, NULL) != ERR_OK)
        there = false;
    reader_close(r);
    return there;
}

static void say(const struct parks *parks, const struct park *park, const struct scope *scope)
{
    size_t count = park ? park->resident_count : parks->count;
    fprintf(stderr,
            "esep-dashboard: warning: neither a park's profile nor the ledger knows %s%s%s: who has this "
            "account will see nothing yet; the profiles have:",
            scope->park, *scope->resident ? "/" : "", scope->resident);
    for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
        fprintf(stderr, "%s %s", i ? "," : "", park ? park->residents[i].code : parks->parks[i]->code);
    fputs(count > NAMES_SHOWN ? ", …\n" : "\n", stderr);
}

void command_warn_unknown(const struct dashboard_config *c, const struct scope *scope)
{
    struct catalogue *catalogue = NULL;
    struct parks parks = {0};
    if (!*scope->park)
        return;
    enum err e = catalogue_load(c->catalogue, &catalogue, NULL);
    if (e == ERR_OK)
        e = parks_load(c->parks, catalogue, &parks, NULL);
    const struct park *park = e == ERR_OK ? parks_find(&parks, scope->park) : NULL;
    bool known = park && (!*scope->resident || park_resident(park, scope->resident));
    if (e == ERR_OK && !known && !in_ledger(c, scope))
        say(&parks, park, scope);
    parks_free(&parks);
    catalogue_free(catalogue);
}
