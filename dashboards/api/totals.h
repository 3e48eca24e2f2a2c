// Totals and computed KPIs in the API: query and observations of a series that nobody stores.
#ifndef ESEP_DASHBOARDS_API_TOTALS_H
#define ESEP_DASHBOARDS_API_TOTALS_H

#include "dashboards/api/api.h"
#include "dashboards/computed.h"

// row->computed. /api/v1/query; /api/v1/observations.
void api_totals_query(struct site *s, struct exchange *x, const struct readers *store,
                      const struct board_row *row, bool csv);
void api_totals_observations(struct site *s, struct exchange *x, const struct readers *store,
                             const struct board_row *row, bool csv);

#endif
