// `esep-agent run`: sampler and uplink together, until told to stop.
#ifndef ESEP_AGENT_RUN_H
#define ESEP_AGENT_RUN_H

#include "agent/config.h"

#define AGENT_KEY_FILE  "agent.key" // in the state folder
#define AGENT_LOCK_FILE "lock"

// Blocks SIGTERM and SIGINT and returns OK after one of them. EXISTS: another agent runs on the state folder.
enum err agent_run(const struct agent_config *config, struct diag *d) MUST_USE;

#endif
