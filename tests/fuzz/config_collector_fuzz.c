// Any text as collector.yaml.
#include "collector/config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char path[FUZZ_PATH];
    struct collector_config c;
    struct diag d = {""};
    fuzz_path("collector.yaml", path);
    fuzz_write(path, bytes, len);
    enum err e = collector_config_load(path, &c, &d);
    FUZZ_CHECK(e == ERR_OK || (e == ERR_INVALID && strncmp(d.text, path, strlen(path)) == 0));
    if (e != ERR_OK)
        return 0;
    FUZZ_CHECK(c.endpoint[0] && c.state[0] && c.catalogue[0] && c.parks[0] && c.budget_bytes >= 1u << 20);
    FUZZ_CHECK(c.log_level <= LOG_ERROR);
    collector_config_deinit(&c);
    return 0;
}
