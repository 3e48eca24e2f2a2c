// esep-collector: everything is in modules that tests can link.
#include "collector/commands.h"

int main(int argc, char **argv)
{
    return collector_main(argc, argv);
}
