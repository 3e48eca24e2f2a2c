// What must hold of rates, whatever they were read from.
#ifndef ESEP_TESTS_FUZZ_RATES_H
#define ESEP_TESTS_FUZZ_RATES_H

#include "kpi/feed.h"

void fuzz_rates_check(const struct rates *r);
void fuzz_rates_feed(enum bank bank, int32_t asked, const uint8_t *bytes, size_t len);

#endif
