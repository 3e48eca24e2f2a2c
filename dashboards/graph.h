// /graph/{park}/{resident}/{kpi}[/{dimension}].{png|svg|pdf}: one series drawn by the workers, kept in the
// cache until its round-robin file changes.
#ifndef ESEP_DASHBOARDS_GRAPH_H
#define ESEP_DASHBOARDS_GRAPH_H

#include "dashboards/board.h"
#include "dashboards/exchange.h"
#include "dashboards/render.h"

void graph_image(struct site *s, struct exchange *x);

// The published figure that applies to a series as a level line: a target or capacity of the same resident,
// KPI and dimension (a yearly capacity of pieces also to output), pro rata of the series' step or period
// where it is of a year or month. False: none. *value is in drawn units.
bool graph_target(const struct board_row *r, const struct statement **st, double *value, bool *pro_rata);

// The planned path that applies to a series in the same way, in drawn units, at UTC midnights: of a level as
// it is; of a flow pro rata, and where it is counted from the beginning on, as what the path adds a step or
// period. Returns how many points: 0 when there is none. The first reading of the due date counts.
size_t graph_path(const struct board_row *r, const struct statement **st,
                  struct rrd_plan_point out[PATH_POINTS_MAX], bool *pro_rata);

// What a graph shows of a stored value: money in major units; flows of measurements as a rate an hour, which
// means the same at every resolution.
double graph_scale(const struct board_row *r);
bool graph_is_hourly(const struct board_row *r);
// The axis' unit: "pieces / h".
void graph_unit(char out[SHOW_TEXT], const struct board_row *r, enum lang lang);

#endif
