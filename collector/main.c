// esep-collector: everything is in modules that tests can link.
#include "base/crypto.h"
#include "collector/commands.h"

int main(int argc, char **argv)
{
    crypto_no_dumps(); // it holds secret keys
    return collector_main(argc, argv);
}
