// A report is asked for by the day its period starts on, and its whole period must belong: the last one that
// does starts before the period in which the resident left.

#include "dashboards/members.h"

const struct membership *members_of(const struct board_row *r)
{
    static const struct membership always = MEMBERSHIP_DEFAULT;
    return r->resident ? &r->resident->member : &always;
}

bool members_cut(const struct board_row *r, int32_t *from, int32_t *to)
{
    const struct membership *m = members_of(r);
    struct days days = {.from = *from, .to = *to};
    if (!membership_clip(m, KPI_FLOW, &days))
        return false;
    if (r->series.class == WIRE_REPORT && days.to == m->left)
        days.to = period_containing((enum period_kind)r->series.period, m->left).start;
    if (days.from >= days.to)
        return false;
    *from = days.from;
    *to = days.to;
    return true;
}

bool members_newest_counts(const struct board_row *r, const struct zone *z, int32_t today)
{
    int32_t end = board_latest_end_day(r, z);
    struct days figure = {.from = end - 1, .to = end};
    // A figure of a period that is not over yet is one of today.
    if (end > today)
        figure = (struct days){.from = today, .to = today + 1};
    return membership_on(members_of(r), today) && membership_counts(members_of(r), KPI_LEVEL, figure);
}
