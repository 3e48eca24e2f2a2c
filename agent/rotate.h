// `esep-agent rotate`: another key in the place of this agent's, without a pause in what it sends.
#ifndef ESEP_AGENT_ROTATE_H
#define ESEP_AGENT_ROTATE_H

#include "agent/config.h"
#include <stdio.h>

// Idempotent: what an earlier call has begun goes on. TIMEOUT, DENIED: nothing has changed here.
enum err rotate_key(const struct agent_config *c, FILE *out, struct diag *d) MUST_USE;

#endif
