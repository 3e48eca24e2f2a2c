// What a resident whose figures are public keeps to itself all the same. Who reaches it only because it is
// public is shown nothing that was reported in confidence: not the figure, and not what it could be told from
// (the other figures of its KPI, graphs, sums, whatever is computed).
#ifndef ESEP_DASHBOARDS_INSIDE_H
#define ESEP_DASHBOARDS_INSIDE_H

#include "dashboards/site.h"
#include "kpi/series.h"

// Whether all of a resident's KPI is kept from the stores' viewer: of any of its series a figure, current or
// not, is confidential. kpi NULL: of any KPI. Of totals never.
enum err inside_withheld(const struct readers *store, const char *park, const char *resident, const char *kpi,
                         bool *out, struct diag *d) MUST_USE;

#endif
