// The built-in agent for central banks' rates: which bank is to be asked for which day, asks, hands the
// answer over. No thread inside. Days are those of UTC, which from 00:00 to 18:00 UTC is the banks' own date.
#ifndef ESEP_COLLECTOR_RATES_AGENT_H
#define ESEP_COLLECTOR_RATES_AGENT_H

#include "base/clock.h"
#include "collector/config_rates.h"
#include "collector/rates.h"

#define RATES_RETRY_S (15 * 60) // after a question that failed

struct rates_agent_options {
    const struct collector_rates *config; // borrowed, as everything here
    const struct clock *clock;
    struct counters *counters;
    struct reader *reader; // what is stored already
    // The body of one address, malloc'ed; at most max_bytes. Errors as http_get's; NOT_FOUND: a status that
    // says there is nothing; UNSUPPORTED: any other but 200.
    enum err (*fetch)(void *ctx, const char *url, size_t max_bytes, char **body, size_t *len, struct diag *d);
    enum err (*submit)(void *ctx, struct rates_request *r, struct diag *d);
    void *ctx;
};
struct rates_agent;
enum err rates_agent_create(const struct rates_agent_options *o, struct rates_agent **out,
                            struct diag *d) MUST_USE;
void rates_agent_destroy(struct rates_agent *a);
// Puts at most one question, the most overdue one. *asked: whether there was one. What a bank did wrong is
// said in the log and counted, and asked again (today's after a while) or left out (of days before); errors
// are those of submit and of the ledger.
enum err rates_agent_step(struct rates_agent *a, bool *asked, struct diag *d) MUST_USE;

#endif
