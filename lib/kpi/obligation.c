// A due day is a civil day: the report is in time until that day ends by the park's clock, whatever the clock
// does in between (a day of 25 hours is one day). So everything is reckoned in days, and a moment is made at
// the very end, from the midnight after.
#include "kpi/obligation.h"
#include "kpi/calendar.h"
#include "kpi/park.h"
#include "kpi/zone.h"
#include <string.h>

static bool names(const struct obligation *o, const char *resident)
{
    for (size_t i = 0; i < o->resident_count; i++)
        if (strcmp(o->residents[i], resident) == 0)
            return true;
    return false;
}

bool obligation_binds(const struct obligation *o, const char *resident)
{
    return names(o, resident) != o->everybody;
}

static int32_t first_day(const struct obligation *o)
{
    return o->from.start;
}

static int32_t end_day(const struct obligation *o)
{
    return o->until.kind == PERIOD_NONE ? CIVIL_DAY_MAX + 1 : period_end(o->until);
}

bool obligation_overlaps(const struct park *p, const struct obligation *a, const struct obligation *b)
{
    if (strcmp(a->kpi->code, b->kpi->code) != 0 || strcmp(a->dimension, b->dimension) != 0 ||
        first_day(a) >= end_day(b) || first_day(b) >= end_day(a))
        return false;
    for (size_t i = 0; i < p->resident_count; i++)
        if (obligation_binds(a, p->residents[i].code) && obligation_binds(b, p->residents[i].code))
            return true;
    return false;
}

// ---- by when

static int32_t days_after(int32_t day, int32_t count)
{
    return day > CIVIL_DAY_MAX - count ? CIVIL_DAY_MAX : day + count;
}

// False: no date is set, or the calendar has no working days to come to one.
static bool due_day(const struct park *p, const struct obligation *o, int32_t last, int32_t *out)
{
    if (o->due == DUE_DAYS)
        *out = days_after(last, o->due_days);
    return o->due == DUE_DAYS || (o->due == DUE_WORKING_DAYS &&
                                  calendar_after(&p->calendar, last, (uint32_t)o->due_days, out) == ERR_OK);
}

struct obligation_owed obligation_due(const struct park *p, const struct zone *z, const struct obligation *o,
                                      const char *resident, struct period period)
{
    struct obligation_owed owed = {.rule = o, .resident = resident, .period = period};
    owed.has_due = due_day(p, o, period_end(period) - 1, &owed.due_day);
    if (!owed.has_due)
        return owed;
    owed.due_s = zone_midnight(z, days_after(owed.due_day, 1));
    owed.late_s = zone_midnight(z, days_after(owed.due_day, 1 + o->grace_days));
    return owed;
}

// ---- what is owed

static int32_t later(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t earlier(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static enum err each_period(const struct park *p, const struct zone *z, const struct obligation *o,
                            const struct resident *r, struct days within, obligation_visit visit, void *ctx)
{
    struct period at = period_containing(o->period, within.from);
    enum err e = ERR_OK;

    if (at.start < within.from)
        at = period_next(at);
    for (; e == ERR_OK && period_end(at) > at.start && period_end(at) <= within.to; at = period_next(at)) {
        const struct obligation_owed owed = obligation_due(p, z, o, r->code, at);
        if (membership_counts(&r->member, o->kpi->kind, (struct days){at.start, period_end(at)}))
            e = visit(ctx, &owed);
    }
    return e;
}

static enum err each_resident(const struct park *p, const struct zone *z, const struct obligation *o,
                              const struct obligation_query *q, obligation_visit visit, void *ctx)
{
    // A period that ends today is not over.
    struct days within = {first_day(o), earlier(end_day(o), zone_day(z, q->now_s))};
    enum err e = ERR_OK;

    if (q->within.kind != PERIOD_NONE) {
        within.from = later(within.from, q->within.start);
        within.to = earlier(within.to, period_end(q->within));
    }
    for (size_t i = 0; e == ERR_OK && within.from < within.to && i < p->resident_count; i++) {
        const struct resident *r = &p->residents[i];
        if (obligation_binds(o, r->code) && (q->resident == NULL || strcmp(q->resident, r->code) == 0))
            e = each_period(p, z, o, r, within, visit, ctx);
    }
    return e;
}

enum err obligation_each(const struct park *p, const struct zone *z, const struct obligation_query *q,
                         obligation_visit visit, void *ctx)
{
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < p->obligation_count; i++)
        e = each_resident(p, z, &p->obligations[i], q, visit, ctx);
    return e;
}
