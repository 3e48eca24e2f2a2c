// What an exec source's program printed → figures.
#ifndef ESEP_AGENT_SOURCES_EXEC_LINES_H
#define ESEP_AGENT_SOURCES_EXEC_LINES_H

#include "agent/harvest.h"
#include "agent/source.h"
#include "agent/sources/counters.h"

#define EXEC_LINE_MAX 4096

// Lines `name value [time]` or one JSON object each; blank lines are passed over. Without a time a
// measurement is of the tick, which must then be a step of its series. Unknown names, second figures for one
// time, "nan" and the like are errors, named by source and line. A last line without its end is taken only
// when `complete`. The text is changed while reading.
enum err exec_lines_read(const struct agent_source *source, const struct source_env *env,
                         struct counters *counters, char *text, bool complete, int64_t tick_s,
                         struct harvest *h) MUST_USE;

#endif
