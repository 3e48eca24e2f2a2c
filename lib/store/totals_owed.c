// Who must report and never did is missing too; without this, a park where half of the residents are silent
// would have complete totals.
#include "store/totals_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_there(const struct totals_lines *l, size_t count, const char *resident,
                     const struct obligation *o)
{
    for (size_t i = 0; i < count; i++)
        if (l->at[i].kpi == o->kpi && strcmp(l->at[i].name.resident, resident) == 0 &&
            (!*o->dimension || !*l->at[i].name.dimension ||
             strcmp(l->at[i].name.dimension, o->dimension) == 0))
            return true;
    return false;
}

static enum err add(const struct totals_place *p, const struct obligation *o, const struct resident *r,
                    struct totals_lines *l)
{
    if (l->count == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 32;
        struct totals_line *more = realloc(l->at, cap * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        l->at = more;
        l->cap = cap;
    }
    struct totals_line *at = &l->at[l->count++];
    *at = (struct totals_line){
        .kpi = o->kpi, .resident = r, .series = {.class = WIRE_REPORT, .period = o->period}};
    snprintf(at->name.park, sizeof at->name.park, "%s", p->park->code);
    snprintf(at->name.resident, sizeof at->name.resident, "%s", r->code);
    snprintf(at->name.kpi, sizeof at->name.kpi, "%s", o->kpi->code);
    snprintf(at->name.dimension, sizeof at->name.dimension, "%s", o->dimension);
    snprintf(at->series.unit, sizeof at->series.unit, "%s", o->kpi->unit->code);
    return ERR_OK;
}

static int by_resident(const void *a, const void *b)
{
    const struct series_name *left = &((const struct totals_line *)a)->name,
                             *right = &((const struct totals_line *)b)->name;
    int order = strcmp(left->resident, right->resident);
    if (order == 0)
        order = strcmp(left->kpi, right->kpi);
    return order != 0 ? order : strcmp(left->dimension, right->dimension);
}

enum err totals_lines_owed(const struct totals_place *p, const char *resident, const struct kpi *kpi,
                           struct totals_lines *lines)
{
    size_t reported = lines->count;
    enum err e = ERR_OK;
    for (size_t i = 0; i < p->park->obligation_count; i++) {
        const struct obligation *o = &p->park->obligations[i];
        if (!totals_is_part(kpi, o->kpi))
            continue;
        for (size_t k = 0; k < p->park->resident_count && e == ERR_OK; k++) {
            const struct resident *r = &p->park->residents[k];
            if ((!*resident || strcmp(r->code, resident) == 0) && obligation_binds(o, r->code) &&
                !is_there(lines, reported, r->code, o))
                e = add(p, o, r, lines);
        }
    }
    if (lines->count > reported)
        qsort(lines->at, lines->count, sizeof *lines->at, by_resident);
    return e;
}

// Any of the rule's periods that lies in the span, is over, and in which the resident belonged as its figure
// counts (kpi/obligation.h). Most often the last one is.
static bool is_owed_in(const struct totals_place *p, const struct obligation *o, const struct membership *m,
                       const struct span *span, int64_t until_s)
{
    int32_t first = span->first > o->from.start ? span->first : o->from.start, end = span->end,
            today = zone_day(p->zone, until_s);
    if (o->until.kind != PERIOD_NONE && period_end(o->until) < end)
        end = period_end(o->until);
    if (today < end) // a period that ends today is not over
        end = today;
    if (first >= end)
        return false;
    for (struct period at = period_containing(o->period, end - 1); at.start >= first;
         at = period_previous(at))
        if (period_end(at) <= end &&
            membership_counts(m, o->kpi->kind, (struct days){at.start, period_end(at)}))
            return true;
    return false;
}

bool totals_owes(const struct totals_place *p, const struct totals_line *l, const struct span *span,
                 int64_t until_s)
{
    for (size_t i = 0; l->resident && i < p->park->obligation_count; i++) {
        const struct obligation *o = &p->park->obligations[i];
        if (o->kpi == l->kpi && obligation_binds(o, l->name.resident) &&
            (!*o->dimension || strcmp(o->dimension, l->name.dimension) == 0) &&
            is_owed_in(p, o, &l->resident->member, span, until_s))
            return true;
    }
    return false;
}
