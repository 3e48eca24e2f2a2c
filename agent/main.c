#include "agent/commands.h"
#include "base/crypto.h"

int main(int argc, char **argv)
{
    crypto_no_dumps(); // it holds a secret key
    return agent_commands_run(argc, argv, stdout, stderr);
}
