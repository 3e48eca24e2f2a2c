// Readings of counters that only rise → flows: what was added since the reading before. The last reading is
// among the source's positions, so it is stored in the transaction of the figure made from it: a crash
// neither loses nor repeats an increment. When a figure could not be spooled, its increment is part of the
// next one.
#ifndef ESEP_AGENT_SOURCES_COUNTERS_H
#define ESEP_AGENT_SOURCES_COUNTERS_H

#include "agent/harvest.h"
#include "agent/source.h"

struct counters; // of one source

// live: the source can't be asked again for what it has said (a program).
enum err counters_create(const struct agent_source *config, const struct source_env *env, bool live,
                         struct counters **out) MUST_USE;
void counters_destroy(struct counters *c);

// Adds what the counter has risen by; the first reading gives no figure. A reading of the future is an error
// and not taken: what rose until then is in the next one. A reading that is not later than the one before is
// passed over (counted as skipped); where that one lies in the future by now, only a file's that shows no
// more. One that is smaller: past `wrap` when the series has it and
// it can be, else the counter began again from 0: an error that says so, and what it shows is the figure. A
// missing value is added as such. NOMEM, or what env returned.
enum err counters_add(struct counters *c, const struct harvest_sample *reading, const char *where,
                      struct harvest *h) MUST_USE;
// Appends the positions of what has changed since they were last spooled. NOMEM.
enum err counters_positions(const struct counters *c, struct harvest *h) MUST_USE;
void counters_settled(struct counters *c, bool spooled);

#endif
