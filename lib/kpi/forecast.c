// A forecast is one division that every reader can do again: what is lacking, by what a day brings. A better
// fit would hide its assumptions; a straight line shows them. Where the division has no honest answer, the
// reason is the answer.
#include "kpi/forecast.h"
#include <math.h>

#define MILLIONTH 1e-6

static struct figure of_real(double v)
{
    struct figure out;
    return figure_from_real(v, &out) == ERR_OK ? out : figure_missing();
}

struct run_rate run_rate_of(struct figure gained, int32_t from, int32_t end)
{
    struct run_rate r = {.from = from, .end = end};
    r.known = gained.kind != FIGURE_MISSING && end - from >= RUN_RATE_MIN_DAYS;
    if (r.known) {
        r.per_day = figure_to_real(gained) / (double)(end - from);
        r.per_year = figure_to_real(gained) * RUN_RATE_YEAR / (double)(end - from);
    }
    return r;
}

void run_rate_add(struct run_rate *all, const struct run_rate *one)
{
    if (!one->known)
        return;
    all->known = true;
    all->per_day += one->per_day;
    all->per_year += one->per_year;
}

struct figure run_rate_per_year(const struct run_rate *r)
{
    return r->known ? of_real(r->per_year) : figure_missing();
}

enum forecast_why run_rate_why(const struct run_rate *r)
{
    return r->known ? FORECAST_KNOWN : r->why == FORECAST_KNOWN ? FORECAST_SHORT : r->why;
}

const char *forecast_why_text(enum forecast_why w)
{
    static const char *const texts[] = {[FORECAST_KNOWN] = "",
                                        [FORECAST_NO_TARGET] = "not a target",
                                        [FORECAST_NO_VALUE] = "the planned value is not known",
                                        [FORECAST_NO_FACT] = "no figure to compare",
                                        [FORECAST_REACHED] = "already reached",
                                        [FORECAST_SHORT] = "less than 90 days of figures to tell a rate from",
                                        [FORECAST_NO_YEAR] = "no figures of the same span a year before",
                                        [FORECAST_STILL] = "nothing was added at this rate",
                                        [FORECAST_AWAY] = "it goes away from the target at this rate",
                                        [FORECAST_FAR] = "not within 100 years at this rate"};
    return (unsigned)w <= FORECAST_FAR ? texts[w] : "";
}

static bool is_limit(const struct statement *t)
{
    return t->comparator == COMPARE_LE || t->comparator == COMPARE_LT;
}

// The published number that is to be reached, and from which side.
static struct figure bound_of(const struct statement *t, struct figure actual, bool *down)
{
    *down = is_limit(t);
    if (t->comparator == COMPARE_RANGE && figure_to_real(actual) > figure_to_real(t->value_high)) {
        *down = true;
        return t->value_high;
    }
    return t->value;
}

// More is lacking where it is positive. Whole numbers are at most 2^53, so their difference is one or nearly.
static double lacking(const struct statement *t, struct figure actual, bool *down)
{
    double bound = figure_to_real(bound_of(t, actual, down));
    return *down ? figure_to_real(actual) - bound : bound - figure_to_real(actual);
}

static enum forecast_why refuse(const struct statement *t, struct figure actual)
{
    bool reached = false;
    if (t->kind != STATEMENT_TARGET)
        return FORECAST_NO_TARGET;
    if (t->value.kind == FIGURE_MISSING)
        return FORECAST_NO_VALUE;
    if (actual.kind == FIGURE_MISSING || t->base.kind != FIGURE_MISSING || t->scope[0] != '\0')
        return FORECAST_NO_FACT;
    (void)target_attainment(t, actual, &reached);
    return reached ? FORECAST_REACHED : FORECAST_KNOWN;
}

// Whole days until what is lacking is there; "more than" is not reached by an equal figure.
static double days_until(const struct statement *t, double need, double pace)
{
    bool strict = t->comparator == COMPARE_GT || t->comparator == COMPARE_LT;
    double days = need / pace;
    double whole = strict ? floor(days + MILLIONTH) + 1 : ceil(days - MILLIONTH);
    return whole < 1 ? 1 : whole;
}

struct forecast forecast_make(const struct statement *t, struct figure actual, int32_t end,
                              const struct run_rate *r)
{
    struct forecast out = {.why = refuse(t, actual)};
    bool down = false;
    if (out.why == FORECAST_KNOWN)
        out.why = run_rate_why(r);
    if (out.why != FORECAST_KNOWN)
        return out;
    double need = lacking(t, actual, &down), pace = down ? -r->per_day : r->per_day;
    if (pace == 0)
        return (struct forecast){.why = FORECAST_STILL};
    if (pace < 0)
        return (struct forecast){.why = FORECAST_AWAY};
    double days = days_until(t, need, pace);
    if (!(days <= FORECAST_MAX_DAYS))
        return (struct forecast){.why = FORECAST_FAR};
    out.day = end + (int32_t)days - 1;
    return out;
}

struct figure target_gap(const struct statement *t, struct figure actual, struct figure *per_cent)
{
    bool down = false;
    if (per_cent != NULL)
        *per_cent = figure_missing();
    if (refuse(t, actual) != FORECAST_KNOWN)
        return figure_missing();
    double need = lacking(t, actual, &down), bound = figure_to_real(bound_of(t, actual, &down));
    if (per_cent != NULL && bound > 0)
        *per_cent = of_real(need * 100 / bound);
    return of_real(need);
}

bool target_gap_is_excess(const struct statement *t, struct figure actual)
{
    bool down = false;
    if (refuse(t, actual) != FORECAST_KNOWN)
        return false;
    (void)bound_of(t, actual, &down);
    return down;
}
