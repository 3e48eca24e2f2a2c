// These say what is usual, not what is allowed: an agent's declaration decides how its series comes. They
// must not contradict each other all the same, or a reader would plan with files that never come to be.
#include "kpi/kpi_usual.h"
#include <string.h>

#define STEP_MIN_MS 10000
#define STEP_MAX_MS 3600000

static const char *const classes[] = {"unsaid", "measurement", "report", "computed"};
static const char *const archives[] = {"unsaid", "machine", "calendar", "none"};

static enum err load_every(const struct place *p, const char *every, struct kpi *k)
{
    int64_t ms = 0;
    if (k->class == KPI_MADE)
        return every ? place_error(p, "every", "a computed KPI is made when asked") : ERR_OK;
    if (!every)
        return place_error(p, "every", "how often is it usually reported? 10s to 1h, or a period");
    if (k->class == KPI_REPORT)
        return period_kind_parse(every, &k->period) == ERR_OK
                   ? ERR_OK
                   : place_error(p, "every", "of a report is day, month, quarter or year, not \"%.20s\"",
                                 every);
    if (config_parse_duration_ms(every, &ms) != ERR_OK || ms < STEP_MIN_MS || ms > STEP_MAX_MS ||
        ms % 1000 != 0)
        return place_error(p, "every", "of a measurement is a step from 10s to 1h, not \"%.20s\"", every);
    k->step_s = (uint32_t)(ms / 1000);
    return ERR_OK;
}

enum err kpi_usual_load(const struct place *p, const struct kpi_usual_text *t, struct kpi *k)
{
    unsigned class = 0, kept = 0;
    if (!t->class && !t->every && !t->archives)
        return ERR_OK;
    if (!t->class || !t->archives)
        return place_error(p, "", "class and archives are said together, or not at all");
    enum err e = place_choose(p, "class", t->class, classes + 1, 3, &class);
    if (e == ERR_OK)
        e = place_choose(p, "archives", t->archives, archives + 1, 3, &kept);
    if (e != ERR_OK)
        return e;
    k->class = (enum kpi_class)(class + 1);
    k->archives = (enum kpi_archives)(kept + 1);
    if ((k->class == KPI_MADE) != (k->kind == KPI_COMPUTED))
        return place_error(p, "class", "is computed where kind is, and nowhere else");
    if ((unsigned)k->class != (unsigned)k->archives)
        return place_error(p, "archives",
                           "of a measurement is machine, of a report calendar, of a computed KPI "
                           "none");
    return load_every(p, t->every, k);
}
