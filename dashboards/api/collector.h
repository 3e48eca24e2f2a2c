// What a running collector says of itself.
#ifndef ESEP_DASHBOARDS_API_COLLECTOR_H
#define ESEP_DASHBOARDS_API_COLLECTOR_H

#include "dashboards/site.h"
#include <jansson.h>

// Its status as an object (the caller's reference), NULL when none answers.
json_t *api_collector_status(struct site *s);
const char *api_collector_text(const json_t *o, const char *key); // "" when absent
int64_t api_collector_integer(const json_t *o, const char *key);  // 0 when absent

// Whether an agent of "park/resident" may be seen; and its numbers, which count the agents of all parks.
bool api_may_agent(const struct viewer *v, const char *park_and_resident);
bool api_may_agent_ids(const struct viewer *v);

#endif
