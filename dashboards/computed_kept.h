// Totals kept among the other results in memory. Part of computed.h's inside.
#ifndef ESEP_DASHBOARDS_COMPUTED_KEPT_H
#define ESEP_DASHBOARDS_COMPUTED_KEPT_H

#include "dashboards/cache.h"
#include "dashboards/computed.h"

// Key: 16 bytes that name the question and what it was asked of. True: *out is a copy of its own.
bool computed_kept(struct cache *c, const uint8_t key[16], struct computed *out);
void computed_keep(struct cache *c, const uint8_t key[16], const struct computed *answer);

#endif
