// esep-dashboard user … and token …: who may see what.
#ifndef ESEP_DASHBOARDS_COMMAND_USERS_H
#define ESEP_DASHBOARDS_COMMAND_USERS_H

#include "dashboards/config.h"

struct command_users {         // the command line, borrowed; NULL: not given
    const char *action, *name; // "add" …
    const char *role, *park, *resident, *scope, *expires;
};
// INVALID: wrong usage.
enum err command_user(const struct dashboard_config *c, const struct command_users *a,
                      struct diag *d) MUST_USE;
enum err command_token(const struct dashboard_config *c, const struct command_users *a,
                       struct diag *d) MUST_USE;

#endif
