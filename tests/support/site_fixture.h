// A dashboard without a network: requests go through the router, as HTTP would hand them over.
#ifndef ESEP_TESTS_SUPPORT_SITE_FIXTURE_H
#define ESEP_TESTS_SUPPORT_SITE_FIXTURE_H

#include "dashboards/exchange.h"
#include "dashboards/router.h"
#include "dashboards/site.h"
#include "tests/support/park_fixture.h"

struct site_fixture {
    struct store store; // filled, unless made empty
    struct dashboard_config config;
    struct site *site;
    struct exchange x; // of the last request
};

// catalogue and parks: NULL for the delivered ones.
void site_fixture_open(struct site_fixture *f, bool filled, const char *catalogue, const char *parks,
                       struct render *render);
void site_fixture_close(struct site_fixture *f);
// Answers and returns the status; the body is in f->x until the next request.
int site_fixture_get(struct site_fixture *f, const char *target);
int site_fixture_ask(struct site_fixture *f, const char *method, const char *target, const char *etag);
const char *site_fixture_body(struct site_fixture *f);
bool site_fixture_has(struct site_fixture *f, const char *text);

#endif
