// Any text as dashboard.yaml, and as the address in it.
#include "dashboards/config.h"
#include "tests/fuzz/fuzz.h"

static void listen_address(const uint8_t *bytes, size_t len)
{
    struct dashboard_config c;
    char *text = fuzz_string(bytes, len);
    memset(&c, 0, sizeof c);
    if (dashboard_config_parse_listen(text, &c) == ERR_OK)
        FUZZ_CHECK(c.address.any.sa_family == AF_INET || c.address.any.sa_family == AF_INET6);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char path[FUZZ_PATH];
    struct dashboard_config *c = NULL;
    struct diag d = {""};
    fuzz_path("dashboard.yaml", path);
    fuzz_write(path, bytes, len);
    enum err e = dashboard_config_load(path, &c, &d);
    FUZZ_CHECK(e == ERR_OK || (e == ERR_INVALID && strncmp(d.text, path, strlen(path)) == 0));
    if (e == ERR_OK)
        FUZZ_CHECK(c->state[0] && c->catalogue[0] && c->parks[0] && c->cache[0] && c->workers > 0);
    dashboard_config_free(c);
    listen_address(bytes, len);
    return 0;
}
