// esep-check's command line.
#ifndef ESEP_DASHBOARDS_CHECK_OPTIONS_H
#define ESEP_DASHBOARDS_CHECK_OPTIONS_H

#include "dashboards/check/range.h"
#include "kpi/series.h"
#include <stdint.h>

struct check_options {
    char series[SERIES_NAME_MAX + 1];
    const char *warn_text, *critical_text; // as given, for the performance data; "" when absent
    bool has_warn, has_critical;
    struct check_range warn, critical;
    const char *url;
    const char *token_file; // NULL: none
    int64_t max_age_ms;     // 0: by the series' rhythm
    int timeout_ms;
    bool help, version; // and nothing else matters
};

// Borrows from argv. INVALID with what is wrong.
enum err check_options_parse(int argc, char **argv, struct check_options *out, struct diag *d) MUST_USE;
extern const char check_options_help[];

#endif
