// The command line of `esep-agent report`.
#ifndef ESEP_AGENT_REPORT_COMMAND_H
#define ESEP_AGENT_REPORT_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#define REPORT_COMMAND_HELP "SERIES VALUE --period P: report a figure by hand; see report --help"

// Whether the command on this line is `report`, which has options of its own.
bool report_command_is(int argc, char **argv);
int report_command(int argc, char **argv, FILE *out, FILE *err); // the exit code

#endif
