// The command line of esep-agent.
#ifndef ESEP_AGENT_COMMANDS_H
#define ESEP_AGENT_COMMANDS_H

#include <stdio.h>

// Returns the exit code: 0 done, 1 failed, 2 wrong usage or configuration, 70 internal.
int agent_commands_run(int argc, char **argv, FILE *out, FILE *err);

#endif
