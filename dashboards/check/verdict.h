// Judging the newest figure of a series from the dashboard's answer.
#ifndef ESEP_DASHBOARDS_CHECK_VERDICT_H
#define ESEP_DASHBOARDS_CHECK_VERDICT_H

#include "base/clock.h"
#include "dashboards/check/options.h"

enum check_status { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN }; // exit statuses

struct check_verdict {
    enum check_status status;
    char line[1024]; // "ESEP OK - … = 412 person (2026-03) | …", no line end
};

// answer: the body of /api/v1/series?series=…
void check_judge(const struct check_options *o, const char *answer, struct wall now,
                 struct check_verdict *out);
// Asks and judges.
void check_run(const struct check_options *o, struct wall now, struct check_verdict *out);
void check_unknown(struct check_verdict *out, const char *fmt, ...) PRINTF(2, 3);

#endif
