// What the commands for users and tokens say of a place that nobody knows.
#ifndef ESEP_DASHBOARDS_COMMAND_PLACE_H
#define ESEP_DASHBOARDS_COMMAND_PLACE_H

#include "dashboards/access.h"
#include "dashboards/config.h"

// Warns on stderr where neither a park's profile nor the ledger knows the park or resident of the scope. It
// is no error: a user may be there before the first figure. What cannot be read is not judged.
void command_warn_unknown(const struct dashboard_config *c, const struct scope *scope);

#endif
