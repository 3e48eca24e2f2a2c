// The pages. Each sets the exchange's status and body, or fails it; the router then asks for the error page.
#ifndef ESEP_DASHBOARDS_PAGES_PAGES_H
#define ESEP_DASHBOARDS_PAGES_PAGES_H

#include "dashboards/exchange.h"
#include "dashboards/site.h"

void page_overview(struct site *s, struct exchange *x);      // /
void page_park(struct site *s, struct exchange *x);          // /parks/{park}
void page_resident(struct site *s, struct exchange *x);      // /parks/{park}/{resident}
void page_series(struct site *s, struct exchange *x);        // /series/{park}/{resident}/{kpi}[/{dimension}]
void page_report_choose(struct site *s, struct exchange *x); // /report/{park}/{resident}
void page_report(struct site *s, struct exchange *x);        // /report/{park}/{resident}/{kpi}[/{dimension}]
void page_report_send(struct site *s, struct exchange *x);
void page_login(struct site *s, struct exchange *x); // /login
void page_login_send(struct site *s, struct exchange *x);
void page_logout(struct site *s, struct exchange *x); // /logout
void page_error(struct site *s, struct exchange *x);  // for a status of 400 and above

#endif
