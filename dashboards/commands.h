// What esep-dashboard can be told on its command line.
#ifndef ESEP_DASHBOARDS_COMMANDS_H
#define ESEP_DASHBOARDS_COMMANDS_H

// Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 70 internal.
int dashboard_commands_main(int argc, char **argv);

#endif
