// HTTP client: the only user of libcurl.
#ifndef ESEP_NET_HTTP_H
#define ESEP_NET_HTTP_H

#include "base/err.h"
#include <stddef.h>

struct http_reply {
    long status;
    char *body; // malloc'ed, NUL-terminated
    size_t len;
};
// One GET with http(s) only, a bounded body (TOO_BIG) and time (TIMEOUT, over all redirects). Redirects stay
// with the host, its port and TLS (DENIED; from http to https of the same host is fine), at most five
// (INVALID). TLS is verified (DENIED). CLOSED: could not connect. An HTTP error status is ERR_OK with that
// status.
enum err http_get(const char *url, size_t max_body_bytes, int timeout_ms, struct http_reply *out,
                  struct diag *d) MUST_USE;
// The same with a bearer token, which goes out by TLS or within this machine only (DENIED).
enum err http_get_as(const char *url, const char *bearer, size_t max_body_bytes, int timeout_ms,
                     struct http_reply *out, struct diag *d) MUST_USE;
void http_reply_deinit(struct http_reply *r);

#endif
