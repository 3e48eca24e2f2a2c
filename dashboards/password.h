// A password typed by a person, or one line of standard input: never an argument, which others can list.
#ifndef ESEP_DASHBOARDS_PASSWORD_H
#define ESEP_DASHBOARDS_PASSWORD_H

#include "dashboards/users.h"

// Asked for twice without echo on a terminal, else read once. Wipe it. INVALID: too short, too long, not
// twice the same, or equal to the name; CLOSED: nothing came.
enum err password_read(const char *user, char out[USERS_PASSWORD_MAX + 1], struct diag *d) MUST_USE;
// What password_read demands of it.
enum err password_check(const char *user, const char *password, struct diag *d) MUST_USE;

#endif
