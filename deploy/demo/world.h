// The simulated enterprises: every figure is a function of seed, resident, series and time, so history and
// live figures are one world and any figure can be computed again by whoever checks it.
#ifndef ESEP_DEMO_WORLD_H
#define ESEP_DEMO_WORLD_H

#include "base/figure.h"
#include "deploy/demo/profile.h"

struct world; // one resident's

// Borrows p for its life. Sets the process's time zone to the park's: one world at a time.
enum err world_create(const struct profile *p, const char *resident, struct world **out,
                      struct diag *d) MUST_USE;
void world_destroy(struct world *w);
const struct profile_resident *world_resident(const struct world *w);

// time: of a machine series the end of the step, seconds since 1970; of a report the first civil day of the
// period. Money in minor units. Missing: the enterprise has no figure for that time.
struct figure world_figure(struct world *w, const struct profile_series *s, int64_t time);
// The data logger is off: no machine series has a figure for the step that ends at time.
bool world_silent(struct world *w, int64_t time);
// The civil day in the park at a moment.
int32_t world_local_day(struct world *w, int64_t time_s);

#endif
