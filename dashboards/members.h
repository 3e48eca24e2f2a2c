// Which figures of a series are the park's own: those of days on which its resident belonged to it. The rules
// are kpi/membership.h's; who is in no profile has no days of its own and belongs always.
#ifndef ESEP_DASHBOARDS_MEMBERS_H
#define ESEP_DASHBOARDS_MEMBERS_H

#include "dashboards/board.h"

const struct membership *members_of(const struct board_row *r);
// The days whose reports, asked for by the day they start on, or measurements count as a flow's. False: none,
// and the days are as they were.
bool members_cut(const struct board_row *r, int32_t *from, int32_t *to) MUST_USE;
// The newest figure counts as a level's today: the resident belongs now, and did on the figure's last day.
// Both days are of the zone.
bool members_newest_counts(const struct board_row *r, const struct zone *z, int32_t today);

#endif
