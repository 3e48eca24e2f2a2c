// The YAML is read into a struct of its own shape, then checked and copied, so that what the program works
// with has no half-checked fields.

#include "dashboards/config.h"
#include "base/config.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX 16

struct file {
    char *listen, *state, *catalogue, *parks, *log_level, *cache;
    unsigned *workers;
    char *users;
    char **hosts;
    unsigned hosts_count;
    bool behind_tls;
};

static const cyaml_schema_value_t host_entry = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 253)};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("listen", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, listen, 1, 64),
    CYAML_FIELD_STRING_PTR("state", CYAML_FLAG_POINTER, struct file, state, 1, 400),
    CYAML_FIELD_STRING_PTR("catalogue", CYAML_FLAG_POINTER, struct file, catalogue, 1, 4000),
    CYAML_FIELD_STRING_PTR("parks", CYAML_FLAG_POINTER, struct file, parks, 1, 4000),
    CYAML_FIELD_STRING_PTR("log_level", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, log_level, 1,
                           16),
    CYAML_FIELD_STRING_PTR("cache", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, cache, 1, 400),
    CYAML_FIELD_UINT_PTR("workers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, workers),
    CYAML_FIELD_STRING_PTR("users", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, users, 1, 400),
    CYAML_FIELD_SEQUENCE("hosts", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, hosts, &host_entry,
                         1, CONFIG_HOSTS_MAX),
    CYAML_FIELD_BOOL("behind_tls", CYAML_FLAG_OPTIONAL, struct file, behind_tls),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, fields)};

static bool parse_port(const char *text, in_port_t *out)
{
    char *end;
    if (*text < '1' || *text > '9')
        return false;
    long port = strtol(text, &end, 10);
    if (*end || port > 65535)
        return false;
    *out = htons((uint16_t)port);
    return true;
}

enum err dashboard_config_parse_listen(const char *text, struct dashboard_config *c)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    in_port_t port;
    if (!colon || (size_t)(colon - text) >= sizeof host || !parse_port(colon + 1, &port))
        return ERR_INVALID;
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    memset(&c->address, 0, sizeof c->address);
    size_t len = strlen(host);
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        c->address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
        if (inet_pton(AF_INET6, host + 1, &c->address.v6.sin6_addr) != 1)
            return ERR_INVALID;
        c->loopback = IN6_IS_ADDR_LOOPBACK(&c->address.v6.sin6_addr);
        return ERR_OK;
    }
    c->address.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &c->address.v4.sin_addr) != 1)
        return ERR_INVALID;
    c->loopback = ntohl(c->address.v4.sin_addr.s_addr) >> 24 == 127;
    return ERR_OK;
}

static enum err parse_level(const char *text, enum log_level *out)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], text) == 0) {
            *out = (enum log_level)i;
            return ERR_OK;
        }
    return ERR_INVALID;
}

static bool host_valid(const char *name)
{
    size_t len = strlen(name);
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len && *name != '.' && *name != '-' &&
           name[len - 1] != '.';
}

static enum err take_hosts(const char *path, const struct file *f, struct dashboard_config *c, struct diag *d)
{
    c->hosts = calloc(f->hosts_count + 1u, sizeof *c->hosts);
    if (!c->hosts)
        return diag_fail(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    for (unsigned i = 0; i < f->hosts_count; i++) {
        if (!host_valid(f->hosts[i]))
            return config_error(d, path, "hosts",
                                "'%s' is not a host's name: small letters, digits, '-' and '.', no port",
                                f->hosts[i]);
        c->hosts[i] = strdup(f->hosts[i]);
        if (!c->hosts[i])
            return diag_fail(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        c->host_count++;
    }
    return ERR_OK;
}

// Everybody reads everything where there are no users, and passwords must not cross a network in the clear.
static enum err check_reach(const char *path, const struct dashboard_config *c, struct diag *d)
{
    if (!c->loopback && !c->users)
        return config_error(d, path, "listen",
                            "%s can be reached from other machines, and without users whoever reaches it "
                            "reads everything: listen on 127.0.0.1, or set `users` to a folder and add one "
                            "with: esep-dashboard user add NAME --role admin",
                            c->listen);
    if (!c->loopback && !c->behind_tls)
        return config_error(d, path, "listen",
                            "%s can be reached from other machines, and passwords would cross the network "
                            "in the clear: put a web server with TLS in front and say `behind_tls: true`",
                            c->listen);
    if (c->behind_tls && !c->users)
        return config_error(
            d, path, "behind_tls",
            "without users whoever reaches the web server in front reads everything: set "
            "`users` to a folder and add one with: esep-dashboard user add NAME --role admin");
    if (c->behind_tls && c->host_count == 0)
        return config_error(d, path, "behind_tls", "needs `hosts`: the names that browsers ask by");
    return ERR_OK;
}

static enum err check(const char *path, const struct file *f, struct dashboard_config *c, struct diag *d)
{
    const char *listen = f->listen ? f->listen : "127.0.0.1:8080";
    c->workers = f->workers ? *f->workers : 2;
    c->log_level = LOG_INFO;
    if (dashboard_config_parse_listen(listen, c))
        return config_error(d, path, "listen",
                            "must be address:port, such as 127.0.0.1:8080 or [::1]:8080, not '%s'", listen);
    if (f->log_level && parse_level(f->log_level, &c->log_level))
        return config_error(d, path, "log_level", "must be debug, info, warn or error, not '%s'",
                            f->log_level);
    if (c->workers < 1 || c->workers > WORKERS_MAX)
        return config_error(d, path, "workers", "must be from 1 to %d, not %u", WORKERS_MAX, c->workers);
    const char *tmp = getenv("TMPDIR");
    c->listen = strdup(listen);
    c->state = strdup(f->state);
    c->catalogue = strdup(f->catalogue);
    c->parks = strdup(f->parks);
    c->cache = strdup(f->cache ? f->cache : tmp && *tmp ? tmp : "/tmp");
    c->users = f->users ? strdup(f->users) : NULL;
    c->behind_tls = f->behind_tls;
    if (!c->listen || !c->state || !c->catalogue || !c->parks || !c->cache || (f->users && !c->users))
        return diag_fail(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    enum err e = take_hosts(path, f, c, d);
    return e ? e : check_reach(path, c, d);
}

enum err dashboard_config_load(const char *path, struct dashboard_config **out, struct diag *d)
{
    void *data = NULL;
    enum err e = config_load(path, &schema, &data, d);
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "%s: there is no such file; write it, or name another with --config FILE",
                         path);
    if (e)
        return e;
    struct dashboard_config *c = calloc(1, sizeof *c);
    e = c ? check(path, data, c, d) : diag_fail(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    config_free(&schema, data);
    if (e)
        dashboard_config_free(c);
    else
        *out = c;
    return e;
}

void dashboard_config_free(struct dashboard_config *c)
{
    if (!c)
        return;
    free(c->listen);
    free(c->state);
    free(c->catalogue);
    free(c->parks);
    free(c->cache);
    free(c->users);
    for (unsigned i = 0; i < c->host_count; i++)
        free(c->hosts[i]);
    free(c->hosts);
    free(c);
}
