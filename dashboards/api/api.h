// The HTTP API of /api/v1, /healthz and /metrics. Each handler sets status and body, or fails the exchange
// with a text that names the parameter; the router makes the JSON error of it.
#ifndef ESEP_DASHBOARDS_API_API_H
#define ESEP_DASHBOARDS_API_API_H

#include "dashboards/board.h"
#include "dashboards/exchange.h"
#include "dashboards/site.h"
#include "dashboards/writer.h"

void api_parks(struct site *s, struct exchange *x);
void api_park(struct site *s, struct exchange *x);
void api_residents(struct site *s, struct exchange *x);
void api_targets(struct site *s, struct exchange *x);
void api_series(struct site *s, struct exchange *x);
void api_agents(struct site *s, struct exchange *x);
void api_query(struct site *s, struct exchange *x);
void api_observations(struct site *s, struct exchange *x);
void api_obligations(struct site *s, struct exchange *x);
void api_report(struct site *s, struct exchange *x); // POST
void api_health(struct site *s, struct exchange *x);
void api_metrics(struct site *s, struct exchange *x);
void api_metrics_owed(struct site *s, struct exchange *x); // its part about obligations

// ---- shared by the handlers
// -------------------------------------------------------------------------------------------- Opens the
// stores once the observations have caught up (flush.h: or half a second ago); fails the exchange with 503.
enum err api_store(struct site *s, struct exchange *x, struct readers *out) MUST_USE;
// The series named by the parameter `series`, with the stores; fails the exchange.
enum err api_one_series(struct site *s, struct exchange *x, struct readers *store,
                        struct board_row *row) MUST_USE;
void api_begin(struct exchange *x, struct writer *j);
void api_end(struct exchange *x, struct writer *j);
void api_begin_csv(struct exchange *x, const char *series);
// A figure in its series' terms: "value" in major units, and "minor" beside it when it is money.
void api_value(struct writer *j, struct figure f, const struct currency *c);
// The same of a sum, to the last digit also where no figure holds it.
void api_sum(struct writer *j, struct figure f, const struct huge *h, const struct currency *c);
// An object of the names in all languages.
void api_names(struct writer *j, const char *name, const struct names *n);
const char *api_class(enum wire_class c);

#endif
