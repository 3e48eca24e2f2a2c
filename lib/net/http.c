// Reads one document over HTTP with every measure bounded: scheme, redirects, time, size. Another computer in
// this machine is never asked through a proxy, whatever the environment says.
#include "net/http.h"
#include "base/buf.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REDIRECTS_MAX 5

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct buf *body = ctx;
    return buf_append(body, bytes, size * count) == ERR_OK ? size * count : 0;
}

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

static bool url_is_loopback(const char *url)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    bool loopback = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                    curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && is_loopback(host);
    curl_free(host);
    curl_url_cleanup(parts);
    return loopback;
}

static CURLcode set_up(CURL *c, const char *url, size_t max_body_bytes, int timeout_ms, struct buf *body)
{
    CURLcode r = curl_easy_setopt(c, CURLOPT_URL, url);
#define SET(option, value) (r = r != CURLE_OK ? r : curl_easy_setopt(c, (option), (value)))
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)max_body_bytes);
    SET(CURLOPT_USERAGENT, "esep/" ESEP_VERSION);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, body);
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
    case CURLE_TOO_MANY_REDIRECTS:
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

enum err http_get(const char *url, size_t max_body_bytes, int timeout_ms, struct http_reply *out,
                  struct diag *d)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) // counted by libcurl, and thread-safe since 7.84
        return diag_fail(d, ERR_NOMEM, "libcurl can't be started");
    struct buf body;
    buf_init(&body, max_body_bytes);
    CURL *c = curl_easy_init();
    enum err e = ERR_NOMEM;
    if (c) {
        CURLcode code = set_up(c, url, max_body_bytes, timeout_ms, &body);
        if (code == CURLE_OK)
            code = curl_easy_perform(c);
        e = err_from_curl(code, &body);
        if (e != ERR_OK)
            diag_fail(d, e, "%s: %s", url,
                      e == ERR_TOO_BIG ? "the answer is larger than its limit" : curl_easy_strerror(code));
        else
            e = give_reply(c, &body, out);
    }
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
