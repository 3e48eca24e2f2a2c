#include "agent/commands.h"

int main(int argc, char **argv)
{
    return agent_commands_run(argc, argv, stdout, stderr);
}
