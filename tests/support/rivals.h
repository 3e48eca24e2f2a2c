// Worlds of enterprises that are rivals, for tests of who sees what: park "twin" (public) with alfa, beta, a
// ghost that is not in the profile and an office whose figures are public, and park "silo" (not public) with
// gamma. Inside is what the office keeps to itself: a confidential figure, an author, reasons; without it
// they are others. A world can be without any of them: what somebody may not see must look as if it were not
// there.
#ifndef ESEP_TESTS_SUPPORT_RIVALS_H
#define ESEP_TESTS_SUPPORT_RIVALS_H

#include "dashboards/router.h"
#include "dashboards/site.h"
#include "dashboards/users.h"
#include "tests/support/store_fixture.h"

enum {
    WITH_ALFA = 1,
    WITH_BETA = 2,
    WITH_GHOST = 4,
    WITH_OFFICE = 8,
    WITH_GAMMA = 16,
    WITH_INSIDE = 32,
    WITH_ALL = 63
};

struct rivals {
    unsigned with;
    struct store store;
    char parks[STORE_PATH];
    struct dashboard_config config;
    struct site *site;
    struct exchange x;   // of the last request
    char audited[600];   // what the collector was told last
    char reported[2000]; // the report that it was asked to store last, and its answer; "": {"ok":true}
    char answer[600];
};

// users: the folder of a users' file with at least one user, borrowed; NULL: none.
void rivals_open(struct rivals *w, unsigned with, char *users);
void rivals_close(struct rivals *w);
// Names and figures that only this enterprise has; NULL-terminated. Figures stand in texts without
// separators.
const char *const *rivals_canaries(unsigned of);
// Answers and returns the status. authorization and etag may be "".
int rivals_ask(struct rivals *w, const char *method, const char *target, const char *authorization,
               const char *etag);

#endif
