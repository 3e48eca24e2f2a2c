// like_for_like=1 of /api/v1/observations.
#ifndef ESEP_DASHBOARDS_API_ALIKE_H
#define ESEP_DASHBOARDS_API_ALIKE_H

#include "dashboards/alike.h"
#include "dashboards/api/api.h"

void api_alike(struct site *s, struct exchange *x, const struct readers *store, const struct board_row *row,
               const struct alike_question *q);

#endif
