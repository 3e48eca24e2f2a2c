// A folder of our own for graph workers' throw-away files: the folder it is made in may be everybody's
// (/tmp), where a name that can be guessed can be a link that somebody else laid.
#ifndef ESEP_DASHBOARDS_SCRATCH_H
#define ESEP_DASHBOARDS_SCRATCH_H

#include "base/err.h"

#define SCRATCH_PATH 512

// Makes <folder>/esep-graphs-<pid>-…, 0700, and removes such ones of ours whose process has gone.
enum err scratch_open(const char *folder, char out[SCRATCH_PATH], struct diag *d) MUST_USE;
// Removes it with the files in it; "" is allowed.
void scratch_close(const char *path);

#endif
