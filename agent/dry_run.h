// `esep-agent sources`: each source asked once, and what would be sent printed. Sends and stores nothing, and
// takes no notice of what was sent before.
#ifndef ESEP_AGENT_DRY_RUN_H
#define ESEP_AGENT_DRY_RUN_H

#include "agent/config.h"
#include <stdio.h>

// *errors: rows, lines and runs that gave no sample.
enum err dry_run_print(const struct agent_config *config, FILE *out, uint64_t *errors,
                       struct diag *d) MUST_USE;

#endif
