// An endpoint says where to listen; that it can be reached under the same name is an assumption, and with a
// wildcard not even that. So an invitation is refused rather than printed with an address that leads nowhere.
#include "collector/address.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TCP "tcp://"

struct address {
    char host[ADDRESS_TEXT];
    long port; // 0: any free one
};

static bool split(const char *endpoint, struct address *out)
{
    const char *host = endpoint + sizeof TCP - 1, *colon = strrchr(endpoint, ':');
    if (strncmp(endpoint, TCP, sizeof TCP - 1) != 0 || colon <= host ||
        (size_t)(colon - host) >= sizeof out->host)
        return false;
    memcpy(out->host, host, (size_t)(colon - host));
    out->host[colon - host] = '\0';
    out->port = strcmp(colon + 1, "*") == 0 ? 0 : strtol(colon + 1, NULL, 10);
    return true;
}

static bool is_wildcard(const char *host)
{
    return strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0 ||
           strcmp(host, "::") == 0;
}

static enum err not_an_endpoint(const char *endpoint, struct diag *d)
{
    return diag_fail(d, ERR_INVALID, "'%s' is not tcp://address:port", endpoint);
}

// The host that agents know, and the port of `endpoint` or, where that is left open, of what was bound.
static enum err find_public(const struct collector_config *c, const char *endpoint, const char *bound,
                            struct address *out, struct diag *d)
{
    struct address listen, known, real = {.port = 0};
    if (!split(endpoint, &listen))
        return not_an_endpoint(endpoint, d);
    if (!split(c->advertise ? c->advertise : c->endpoint, &known))
        return not_an_endpoint(c->advertise ? c->advertise : c->endpoint, d);
    if (is_wildcard(known.host))
        return diag_fail(
            d, ERR_INVALID,
            "agents can't be told where to connect: the endpoint %s is a wildcard; write advertise: "
            "tcp://HOST:PORT into collector.yaml, as the enterprises reach this machine",
            c->endpoint);
    if (listen.port == 0 && bound && !split(bound, &real))
        return not_an_endpoint(bound, d);
    *out = known;
    out->port = listen.port ? listen.port : real.port;
    if (out->port == 0)
        return diag_fail(d, ERR_INVALID, "%s: the port is not fixed; write it into collector.yaml", endpoint);
    return ERR_OK;
}

enum err address_public(const struct collector_config *c, const char *bound, char out[ADDRESS_TEXT],
                        struct diag *d)
{
    struct address a, advertised;
    enum err e = find_public(c, c->endpoint, bound, &a, d);
    if (e != ERR_OK)
        return e;
    if (c->advertise && split(c->advertise, &advertised) && advertised.port)
        a.port = advertised.port; // a port that is mapped on the way
    int n = snprintf(out, ADDRESS_TEXT, TCP "%s:%ld", a.host, a.port);
    return n > 0 && n < ADDRESS_TEXT ? ERR_OK
                                     : diag_fail(d, ERR_TOO_BIG, "the advertised address is too long");
}

enum err address_door(const struct collector_config *c, char out[ADDRESS_TEXT], struct diag *d)
{
    struct address a;
    int n;
    if (c->enrol && strcmp(c->enrol, "off") == 0)
        return diag_fail(
            d, ERR_UNSUPPORTED,
            "enrolment is off: remove `enrol: off` from collector.yaml, or admit keys by hand with "
            "esep-collector admit");
    if (!split(c->endpoint, &a))
        return not_an_endpoint(c->endpoint, d);
    if (a.port == UINT16_MAX && !c->enrol)
        return diag_fail(d, ERR_INVALID,
                         "no port after %ld: write enrol: tcp://ADDRESS:PORT into collector.yaml", a.port);
    if (c->enrol)
        n = snprintf(out, ADDRESS_TEXT, "%s", c->enrol);
    else if (a.port == 0)
        n = snprintf(out, ADDRESS_TEXT, TCP "%s:*", a.host);
    else
        n = snprintf(out, ADDRESS_TEXT, TCP "%s:%ld", a.host, a.port + 1);
    return n > 0 && n < ADDRESS_TEXT ? ERR_OK : diag_fail(d, ERR_TOO_BIG, "the door's address is too long");
}

enum err address_door_public(const struct collector_config *c, const char *bound, char out[ADDRESS_TEXT],
                             struct diag *d)
{
    char door[ADDRESS_TEXT];
    struct address a;
    enum err e = address_door(c, door, d);
    if (e == ERR_OK)
        e = find_public(c, door, bound, &a, d);
    if (e != ERR_OK)
        return e;
    int n = snprintf(out, ADDRESS_TEXT, "%s:%ld", a.host, a.port);
    return n > 0 && n < ADDRESS_TEXT ? ERR_OK : diag_fail(d, ERR_TOO_BIG, "the door's address is too long");
}
