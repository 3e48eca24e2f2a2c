// Reads one document over HTTP with every measure bounded: scheme, redirects, time, size. Another computer in
// this machine is never asked through a proxy, whatever the environment says.
#include "net/http.h"
#include "base/buf.h"
#include "base/clock.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REDIRECTS_MAX 5

struct limits { // of all requests that one call makes
    size_t max_body_bytes;
    int64_t deadline_ms; // monotonic
    const char *bearer;  // NULL: none
};

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct buf *body = ctx;
    return buf_append(body, bytes, size * count) == ERR_OK ? size * count : 0;
}

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

struct place { // what an address leads to; deinit frees
    char *scheme, *host, *port;
};

static bool place_of(const char *url, struct place *out)
{
    CURLU *parts = curl_url();
    *out = (struct place){0};
    bool found = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
                 curl_url_get(parts, CURLUPART_PORT, &out->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    curl_url_cleanup(parts);
    return found;
}

static void place_deinit(struct place *p)
{
    curl_free(p->scheme);
    curl_free(p->host);
    curl_free(p->port);
}

static bool url_is_loopback(const char *url)
{
    struct place p;
    bool loopback = place_of(url, &p) && is_loopback(p.host);
    place_deinit(&p);
    return loopback;
}

// The same host by the same way, or by TLS where it was without.
static bool may_follow(const char *from, const char *to)
{
    struct place a, b = {0};
    bool may = place_of(from, &a) && place_of(to, &b) && strcasecmp(a.host, b.host) == 0 &&
               ((strcmp(a.scheme, b.scheme) == 0 && strcmp(a.port, b.port) == 0) ||
                (strcmp(a.scheme, "http") == 0 && strcmp(b.scheme, "https") == 0));
    place_deinit(&a);
    place_deinit(&b);
    return may;
}

static CURLcode set_up(CURL *c, const char *url, const struct limits *l, int timeout_ms, struct buf *body)
{
    CURLcode r = curl_easy_setopt(c, CURLOPT_URL, url);
#define SET(option, value) (r = r != CURLE_OK ? r : curl_easy_setopt(c, (option), (value)))
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L); // by us, who look where to
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)l->max_body_bytes);
    SET(CURLOPT_USERAGENT, "esep/" ESEP_VERSION);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, body);
    if (l->bearer) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(CURLOPT_XOAUTH2_BEARER, l->bearer);
    }
    if (url_is_loopback(url))
        SET(CURLOPT_PROXY, "");
#undef SET
    return r;
}

static enum err err_from_curl(CURLcode code, const struct buf *body)
{
    switch (code) {
    case CURLE_OK:
        return ERR_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return ERR_CLOSED;
    case CURLE_FILESIZE_EXCEEDED:
        return ERR_TOO_BIG;
    case CURLE_WRITE_ERROR:
        return body->failed != ERR_OK ? body->failed : ERR_IO;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return ERR_INVALID;
    case CURLE_OUT_OF_MEMORY:
        return ERR_NOMEM;
    case CURLE_PEER_FAILED_VERIFICATION:
        return ERR_DENIED;
    default:
        return ERR_IO;
    }
}

static enum err give_reply(CURL *c, struct buf *body, struct http_reply *out)
{
    long status = 0;
    size_t len = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    char *bytes = buf_take(body, &len);
    if (!bytes)
        return ERR_NOMEM;
    *out = (struct http_reply){.status = status, .body = bytes, .len = len};
    return ERR_OK;
}

// One request. *next: where it led to, owned by c until its next request, or NULL.
static enum err fetch(CURL *c, const char *url, const struct limits *l, struct buf *body, const char **next,
                      struct diag *d)
{
    int64_t left_ms = l->deadline_ms - clock_mono(clock_system()).us / US_PER_MS;
    *next = NULL;
    buf_reset(body);
    if (left_ms <= 0)
        return diag_fail(d, ERR_TIMEOUT, "%s: %s", url, err_text(ERR_TIMEOUT));
    CURLcode code = set_up(c, url, l, (int)left_ms, body);
    if (code == CURLE_OK)
        code = curl_easy_perform(c);
    enum err e = err_from_curl(code, body);
    if (e != ERR_OK)
        return diag_fail(d, e, "%s: %s", url,
                         e == ERR_TOO_BIG ? "the answer is larger than its limit" : curl_easy_strerror(code));
    char *location = NULL;
    curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &location);
    *next = location;
    return ERR_OK;
}

static enum err follow(CURL *c, const char *url, const struct limits *l, struct buf *body, struct diag *d)
{
    char *at = strdup(url);
    const char *next = NULL;
    enum err e = at ? fetch(c, at, l, body, &next, d) : ERR_NOMEM;
    for (int i = 0; e == ERR_OK && next; i++) {
        if (i == REDIRECTS_MAX)
            e = diag_fail(d, ERR_INVALID, "%s: led on more than %d times", url, REDIRECTS_MAX);
        else if (!may_follow(at, next))
            e = diag_fail(d, ERR_DENIED, "%s: leads to another place, %.200s, which is not followed", at,
                          next);
        char *copy = e == ERR_OK ? strdup(next) : NULL;
        if (e == ERR_OK && !copy)
            e = ERR_NOMEM;
        if (e != ERR_OK)
            break;
        free(at);
        at = copy;
        e = fetch(c, at, l, body, &next, d);
    }
    free(at);
    return e;
}

enum err http_get(const char *url, size_t max_body_bytes, int timeout_ms, struct http_reply *out,
                  struct diag *d)
{
    return http_get_as(url, NULL, max_body_bytes, timeout_ms, out, d);
}

enum err http_get_as(const char *url, const char *bearer, size_t max_body_bytes, int timeout_ms,
                     struct http_reply *out, struct diag *d)
{
    if (bearer && strncmp(url, "https://", 8) != 0 && !url_is_loopback(url))
        return diag_fail(d, ERR_DENIED, "%s: the token would cross the network in the clear: use https", url);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) // counted by libcurl, and thread-safe since 7.84
        return diag_fail(d, ERR_NOMEM, "libcurl can't be started");
    const struct limits limits = {max_body_bytes, clock_mono(clock_system()).us / US_PER_MS + timeout_ms,
                                  bearer};
    struct buf body;
    buf_init(&body, max_body_bytes);
    CURL *c = curl_easy_init();
    enum err e = c ? follow(c, url, &limits, &body, d) : diag_fail(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    if (e == ERR_OK)
        e = give_reply(c, &body, out);
    curl_easy_cleanup(c);
    buf_deinit(&body);
    curl_global_cleanup();
    return e;
}

void http_reply_deinit(struct http_reply *r)
{
    free(r->body);
    *r = (struct http_reply){0};
}
