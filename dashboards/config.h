// dashboard.yaml. See dashboard.example.yaml for each key.
#ifndef ESEP_DASHBOARDS_CONFIG_H
#define ESEP_DASHBOARDS_CONFIG_H

#include "base/err.h"
#include "base/log.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct dashboard_config {
    char *listen; // as written
    char *state;
    char *catalogue;
    char *parks;
    char *cache;  // folder for temporary files; default $TMPDIR or /tmp
    char *users;  // folder of users and sessions; NULL: there are none, only this machine is answered
    char **hosts; // names it is asked by, besides localhost and addresses
    unsigned host_count;
    bool behind_tls; // a web server with TLS stands in front
    unsigned workers;
    enum log_level log_level;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    bool loopback; // nobody beyond this machine can connect
};

#define CONFIG_HOSTS_MAX 32
// NOT_FOUND, INVALID with file:line:column.
enum err dashboard_config_load(const char *path, struct dashboard_config **out, struct diag *d) MUST_USE;
void dashboard_config_free(struct dashboard_config *c);
// "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "0.0.0.0:8080": numbers or localhost, no look-up of
// names. INVALID.
enum err dashboard_config_parse_listen(const char *text, struct dashboard_config *c) MUST_USE;

#endif
