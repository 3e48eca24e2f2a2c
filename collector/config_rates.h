// The part `rates` of collector.yaml: which central banks are asked, where, from when on.
#ifndef ESEP_COLLECTOR_CONFIG_RATES_H
#define ESEP_COLLECTOR_CONFIG_RATES_H

#include "kpi/rates.h"

#define COLLECTOR_RATES_FROM_NOW INT32_MIN

struct collector_rates {
    int hour;         // of UTC, 0 .. 17: from then on the day's rates are asked for
    int32_t since;    // the first day, or COLLECTOR_RATES_FROM_NOW
    char *url[BANKS]; // NULL: not asked
};
struct collector_rates_file; // as it is in the file

// f NULL: no bank is asked. INVALID with file:line:column; then *out holds nothing.
enum err collector_rates_check(const char *path, const struct collector_rates_file *f,
                               struct collector_rates *out, struct diag *d) MUST_USE;
void collector_rates_deinit(struct collector_rates *r);

#endif
