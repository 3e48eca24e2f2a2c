// A dashboard over the totals' rig; requests go through the router, as HTTP would hand them over.
#ifndef ESEP_TESTS_SUPPORT_TOTALS_SITE_H
#define ESEP_TESTS_SUPPORT_TOTALS_SITE_H

#include "dashboards/exchange.h"
#include "dashboards/site.h"
#include "tests/support/totals_rig.h"

struct totals_site {
    struct dashboard_config config;
    struct site *site;
    struct exchange x; // of the last request
};

void totals_site_open(struct totals_site *s, struct totals_rig *r);
void totals_site_close(struct totals_site *s); // before the rig
// Answers and returns the status.
int totals_site_get(struct totals_site *s, const char *target);

#endif
