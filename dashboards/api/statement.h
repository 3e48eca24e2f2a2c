// A published figure with all its doubts, what residents' figures say about it, and a target's outlook, as
// JSON: every number beside the rule it was made by.
#ifndef ESEP_DASHBOARDS_API_STATEMENT_H
#define ESEP_DASHBOARDS_API_STATEMENT_H

#include "dashboards/api/api.h"
#include "dashboards/outlook.h"

// One object. today: the park's civil day, or that of the moment whose knowledge is asked for.
void api_statement(struct writer *j, const struct fact_source *f, const struct statement *st, int32_t today);

#endif
