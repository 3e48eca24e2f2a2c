// A half-open span of days for each resident is all there is to it. What follows a merger is found by walking
// from one to the next: profiles are checked on loading (no ring, nobody merges into one that is gone), so a
// walk is at most as long as the park's list.
#include "kpi/membership.h"
#include <string.h>

#include "kpi/park.h"

bool membership_on(const struct membership *m, int32_t day)
{
    return m->joined <= day && day < m->left;
}

enum membership_part membership_over(const struct membership *m, struct days span)
{
    if (span.from >= span.to || m->left <= span.from || m->joined >= span.to)
        return MEMBER_NEVER;
    return m->joined <= span.from && span.to <= m->left ? MEMBER_THROUGHOUT : MEMBER_PARTLY;
}

bool membership_counts(const struct membership *m, enum kpi_kind kind, struct days figure)
{
    if (kind == KPI_LEVEL)
        return figure.from < figure.to && membership_on(m, figure.to - 1);
    return membership_over(m, figure) == MEMBER_THROUGHOUT;
}

bool membership_clip(const struct membership *m, enum kpi_kind kind, struct days *span)
{
    struct days cut = {.from = span->from > m->joined ? span->from : m->joined,
                       .to = span->to < m->left ? span->to : m->left};

    if (cut.from >= cut.to || (kind == KPI_LEVEL && cut.to != span->to))
        return false;
    *span = cut;
    return true;
}

const struct resident *membership_successor(const struct park *park, const char *code, int32_t day)
{
    const struct resident *r = park_resident(park, code);

    for (size_t i = 0; r != NULL && i < park->resident_count; i++) {
        if (r->member.merged_into[0] == '\0' || r->member.left > day)
            return r;
        r = park_resident(park, r->member.merged_into);
    }
    return r;
}

// Of one that merged before both spans nothing is left in them.
static bool is_gone(const struct membership *m, int32_t from)
{
    return m->merged_into[0] != '\0' && m->left <= from;
}

static bool belongs_throughout(const struct membership *m, struct days all)
{
    bool merged = m->merged_into[0] != '\0' && m->left < all.to;

    return m->joined <= all.from && (merged || m->left >= all.to);
}

void membership_alike(const struct park *park, struct days a, struct days b, bool in[])
{
    struct days all = {.from = a.from < b.from ? a.from : b.from, .to = a.to > b.to ? a.to : b.to};

    for (size_t i = 0; i < park->resident_count; i++)
        in[i] = belongs_throughout(&park->residents[i].member, all) &&
                !is_gone(&park->residents[i].member, all.from);
    for (size_t i = 0; i < park->resident_count; i++) {
        const struct resident *last = membership_successor(park, park->residents[i].code, all.to - 1);
        for (size_t k = 0; k < park->resident_count; k++) {
            const struct resident *other = &park->residents[k];
            if (!belongs_throughout(&other->member, all) && !is_gone(&other->member, all.from) &&
                membership_successor(park, other->code, all.to - 1) == last)
                in[i] = false;
        }
    }
}
