// Wires the command line to the commands.
#include "dashboards/commands.h"

int main(int argc, char **argv)
{
    return dashboard_commands_main(argc, argv);
}
