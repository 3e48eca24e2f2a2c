// Ranges as Nagios plugins take them: when is a value worth an alert?
//   10      outside 0 … 10        10:     below 10
//   ~:10    above 10              10:20   outside 10 … 20
//   @10:20  inside 10 … 20, the ends included
#ifndef ESEP_DASHBOARDS_CHECK_RANGE_H
#define ESEP_DASHBOARDS_CHECK_RANGE_H

#include "base/err.h"
#include <stdbool.h>

struct check_range {
    double low, high; // infinite where open
    bool inside;      // alert inside, not outside
};

// INVALID: not of that form, or low > high.
enum err check_range_parse(const char *text, struct check_range *out) MUST_USE;
bool check_range_alerts(const struct check_range *r, double value);

#endif
