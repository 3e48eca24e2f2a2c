// A state folder as a collector would have left it, with figures of three of the delivered parks: for tests
// of what is shown. "Now" is STORE_EPOCH; measurements of the last six hours, reports of the last two years,
// and real published statistics with a revision. Include it without dashboards' headers being in the way:
// struct store here is the test's.
#ifndef ESEP_TESTS_SUPPORT_PARK_FIXTURE_H
#define ESEP_TESTS_SUPPORT_PARK_FIXTURE_H

#include "tests/support/store_fixture.h"

// Fills an empty ledger, its observations and round-robin files; machine figures go back this many hours.
void park_fixture_fill(struct store *s, int hours);
// One more figure of yashnabad/fridge-plant/out_units/fridges, landed everywhere.
void park_fixture_add(struct store *s, int64_t time, int64_t pieces);

// Reports yashnabad/fridge-plant/inv, a series in UZS, anew: the period that starts on this day, as this
// amount of this currency.
void park_fixture_invest(struct store *s, int32_t day, int64_t minor, const char *currency);

// Makes observations of what has been put into the ledger since.
void park_fixture_observe(struct store *s);

#endif
