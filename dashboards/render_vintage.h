// A report's line as it was known, or published, by a moment: a round-robin file for one drawing, made of the
// exact observations. Threads: a graph worker's only one.
#ifndef ESEP_DASHBOARDS_RENDER_VINTAGE_H
#define ESEP_DASHBOARDS_RENDER_VINTAGE_H

#include "dashboards/render.h"
#include "store/rrd.h"

// Of a total (job->computed) it is made of the points that came with the job. Writes
// <scratch>/esep-vintage-<pid>.rrd; its path into out. The caller unlinks it, after an error too. INVALID:
// the series is not reported; else as the readers of the store.
enum err render_vintage_file(const char *state, const char *scratch, const struct render_job *job,
                             char out[RRD_PATH_MAX], struct diag *d) MUST_USE;

#endif
