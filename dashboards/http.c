// The library's own decoding of addresses is not used: it cuts at an encoded NUL. The raw target is taken
// from its log callback and decoded strictly by the exchange. Nothing is read from a request but method,
// target, the headers named in copy_headers and, of a POST, a short form.

#include "dashboards/http.h"
#include "base/clock.h"
#include "dashboards/exchange.h"
#include "dashboards/patience.h"
#include "dashboards/router.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct dashboard_http {
    struct site *site;
    struct MHD_Daemon *daemon;
    struct patience *patience;
};

struct connection_state {
    struct exchange exchange;
    bool seen; // the headers were
    bool kept; // the body is, and has fit so far
    size_t body_bytes;
};

// Called with the raw target before anything is parsed; the result becomes the request's context.
static void *begin_request(void *cls, const char *target, struct MHD_Connection *connection)
{
    (void)cls;
    (void)connection;
    struct connection_state *c = malloc(sizeof *c);
    if (!c)
        return NULL;
    c->seen = c->kept = false;
    c->body_bytes = 0;
    exchange_init(&c->exchange);
    snprintf(c->exchange.target, sizeof c->exchange.target, "%s", target);
    return c;
}

static struct patience_place *place_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

// The library closes the socket after this has heard of it.
static void notice_connection(void *cls, struct MHD_Connection *connection, void **place,
                              enum MHD_ConnectionNotificationCode what)
{
    struct dashboard_http *h = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
        patience_end(h->patience, *place);
    else
        *place = info ? patience_begin(h->patience, info->connect_fd) : NULL;
}

static void end_request(void *cls, struct MHD_Connection *connection, void **context,
                        enum MHD_RequestTerminationCode code)
{
    struct dashboard_http *h = cls;
    (void)code;
    struct connection_state *c = *context;
    patience_done(h->patience, place_of(connection));
    if (c) {
        exchange_deinit(&c->exchange);
        free(c);
    }
    *context = NULL;
}

// ---- replies
// -----------------------------------------------------------------------------------------------------------
#define POLICY_REST "; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
#define POLICY_PAGE                                                                                          \
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src "                  \
    "'self'" POLICY_REST
// A drawing styles itself through attributes; it may do nothing else.
#define POLICY_DRAWING "default-src 'none'; style-src 'unsafe-inline'; sandbox" POLICY_REST

// OWASP's list of secure headers; Strict-Transport-Security is sent where TLS is declared.
static const struct {
    const char *name, *value;
} strict_headers[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "same-origin"}, // with no-referrer browsers hide the Origin of forms
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Embedder-Policy", "require-corp"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Origin-Agent-Cluster", "?1"},
    {"X-DNS-Prefetch-Control", "off"},
    {"X-Permitted-Cross-Domain-Policies", "none"},
    {"Permissions-Policy",
     "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), clipboard-write=(), "
     "cross-origin-isolated=(), display-capture=(), encrypted-media=(), fullscreen=(), gamepad=(), "
     "geolocation=(), gyroscope=(), hid=(), idle-detection=(), interest-cohort=(), keyboard-map=(), "
     "magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), "
     "publickey-credentials-get=(), screen-wake-lock=(), serial=(), sync-xhr=(), unload=(), usb=(), "
     "web-share=(), xr-spatial-tracking=()"},
};

static void add(struct MHD_Response *r, const char *name, const char *value)
{
    // Fails only without memory or with a line break in the value, and none of ours has one.
    if (MHD_add_response_header(r, name, value) != MHD_YES)
        return;
}

static void add_viewer_headers(struct MHD_Response *r, const struct site *site, const struct exchange *x)
{
    if (site->config->behind_tls)
        add(r, "Strict-Transport-Security", "max-age=63072000; includeSubDomains");
    if (*x->set_cookie)
        add(r, "Set-Cookie", x->set_cookie);
    if (x->clear_site)
        add(r, "Clear-Site-Data", "\"cache\", \"storage\"");
    if (x->challenge && x->status == 401)
        add(r, "WWW-Authenticate", x->challenge);
    if (x->vary_viewer)
        add(r, "Vary", "Cookie, Authorization");
}

static void add_headers(struct MHD_Response *r, const struct site *site, const struct exchange *x)
{
    char text[256];
    for (size_t i = 0; i < sizeof strict_headers / sizeof *strict_headers; i++)
        add(r, strict_headers[i].name, strict_headers[i].value);
    add(r, "Content-Security-Policy", x->drawing ? POLICY_DRAWING : POLICY_PAGE);
    add(r, "Cache-Control", x->cache_control ? x->cache_control : "no-store");
    if (x->content_type && x->status != 304)
        add(r, "Content-Type", x->content_type);
    if (x->vary_language)
        add(r, "Vary", "Accept-Language");
    if (*x->etag)
        add(r, "ETag", x->etag);
    if (*x->location)
        add(r, "Location", x->location);
    if (x->status == 405)
        add(r, "Allow", x->allow ? x->allow : "GET, HEAD");
    add_viewer_headers(r, site, x);
    if (x->retry_after_s) {
        snprintf(text, sizeof text, "%d", x->retry_after_s);
        add(r, "Retry-After", text);
    }
    if (x->behind)
        add(r, "Esep-Behind", "yes");
    if (*x->filename) {
        snprintf(text, sizeof text, "attachment; filename=\"%s\"", x->filename);
        add(r, "Content-Disposition", text);
    }
}

static void free_blob(void *blob)
{
    blob_release(blob);
}

// Takes the body or blob out of the exchange.
static struct MHD_Response *make_response(struct exchange *x, size_t *len)
{
    struct MHD_Response *r;
    if (x->blob) {
        struct blob *b = x->blob;
        x->blob = NULL;
        *len = b->len;
        r = MHD_create_response_from_buffer_with_free_callback_cls(b->len, b->bytes, free_blob, b);
        if (!r)
            blob_release(b);
        return r;
    }
    char *bytes = buf_take(&x->body, len);
    if (!bytes)
        return NULL;
    r = MHD_create_response_from_buffer(*len, bytes, MHD_RESPMEM_MUST_FREE);
    if (!r)
        free(bytes);
    return r;
}

static enum MHD_Result send_reply(struct dashboard_http *h, struct MHD_Connection *connection,
                                  struct exchange *x)
{
    size_t len = x->blob ? x->blob->len : x->body.len;
    if (!patience_answered(h->patience, place_of(connection), x->address, len)) {
        router_put_off(h->site, x);
        len = x->body.len;
        if (!patience_answered(h->patience, place_of(connection), x->address, len))
            return MHD_NO;
    }
    struct MHD_Response *r = make_response(x, &len);
    if (!r)
        return MHD_NO; // out of memory: the connection is closed
    add_headers(r, h->site, x);
    metrics_add(h->site->metrics, METRIC_BODY_BYTES, len);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)x->status, r);
    MHD_destroy_response(r);
    return result;
}

static void copy_header(struct MHD_Connection *connection, const char *name, char *out, size_t size)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    snprintf(out, size, "%s", value ? value : "");
}

static void copy_headers(struct MHD_Connection *c, struct exchange *x)
{
    copy_header(c, MHD_HTTP_HEADER_ACCEPT_LANGUAGE, x->accept_language, sizeof x->accept_language);
    copy_header(c, MHD_HTTP_HEADER_IF_NONE_MATCH, x->if_none_match, sizeof x->if_none_match);
    copy_header(c, MHD_HTTP_HEADER_HOST, x->host, sizeof x->host);
    copy_header(c, MHD_HTTP_HEADER_ORIGIN, x->origin, sizeof x->origin);
    copy_header(c, "Sec-Fetch-Site", x->fetch_site, sizeof x->fetch_site);
    copy_header(c, MHD_HTTP_HEADER_COOKIE, x->cookie, sizeof x->cookie);
    copy_header(c, MHD_HTTP_HEADER_AUTHORIZATION, x->authorization, sizeof x->authorization);
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
    return a->sa_family == AF_INET &&
           ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >> 24 == 127;
}

static enum MHD_Result keep_last(void *last, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    if (value && strcasecmp(name, "X-Forwarded-For") == 0)
        *(const char **)last = value;
    return MHD_YES;
}

// The last address of the last such header: a web server may add to the client's own or write one after it.
static void set_named(struct MHD_Connection *c, struct exchange *x)
{
    const char *named = NULL;
    struct in6_addr any;
    MHD_get_connection_values(c, MHD_HEADER_KIND, keep_last, &named);
    if (!named)
        return;
    const char *last = strrchr(named, ',');
    last = last ? last + 1 : named;
    snprintf(x->address, sizeof x->address, "%s", last + strspn(last, " "));
    if (inet_pton(AF_INET, x->address, &any) != 1 && inet_pton(AF_INET6, x->address, &any) != 1)
        x->address[0] = '\0';
}

// The client's address; where a web server on this machine stands in front, the one that it added last.
// Nobody else's word is taken for it. Of IPv6 the network: a house has as many addresses as it likes.
static void set_address(const struct site *s, struct MHD_Connection *c, struct exchange *x)
{
    static const char *const by_proxy[] = {"Forwarded",         "X-Forwarded-For", "X-Forwarded-Host",
                                           "X-Forwarded-Proto", "X-Real-IP",       "Via"};
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *from = info ? info->client_addr : NULL;
    struct in6_addr v6;
    for (size_t i = 0; i < sizeof by_proxy / sizeof *by_proxy; i++)
        x->forwarded |= MHD_lookup_connection_value(c, MHD_HEADER_KIND, by_proxy[i]) != NULL;
    if (!from ||
        getnameinfo(from,
                    from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
                    x->address, sizeof x->address, NULL, 0, NI_NUMERICHOST))
        x->address[0] = '\0';
    if (s->config->behind_tls && from && is_loopback(from))
        set_named(c, x);
    if (inet_pton(AF_INET6, x->address, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6)) {
        memset(v6.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &v6, x->address, sizeof x->address);
    }
}

// A form is kept whole or not at all; anything else is dropped up to the cap, so that the client gets its
// answer. False: too much.
static bool take_upload(struct dashboard_http *h, struct connection_state *c, const char *upload, size_t len)
{
    struct exchange *x = &c->exchange;
    c->body_bytes += len;
    if (c->body_bytes > HTTP_BODY_MAX_BYTES) {
        metrics_add(h->site->metrics, METRIC_BODIES_REFUSED, 1);
        return false;
    }
    if (!c->kept)
        return true;
    if (!x->form)
        x->form = calloc(1, EXCHANGE_FORM_MAX + 1);
    if (!x->form || x->form_len + len > EXCHANGE_FORM_MAX) {
        c->kept = false;
        x->body_cut = true;
        return x->form != NULL;
    }
    memcpy(x->form + x->form_len, upload, len);
    x->form_len += len;
    return true;
}

static bool is_type(const char *given, const char *type)
{
    size_t len = strlen(type);
    return strncasecmp(given, type, len) == 0 && strchr("; \t", given[len]);
}

static enum exchange_body kind_of_body(struct MHD_Connection *connection, const char *method)
{
    const char *given =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (strcmp(method, "POST") != 0 || !given)
        return EXCHANGE_NO_BODY;
    if (is_type(given, "application/x-www-form-urlencoded"))
        return EXCHANGE_FORM;
    return is_type(given, "application/json") ? EXCHANGE_JSON : EXCHANGE_NO_BODY;
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **context)
{
    struct dashboard_http *h = cls;
    struct connection_state *c = *context;
    (void)url;
    (void)version;
    if (!c)
        return MHD_NO;
    if (!c->seen) {
        c->seen = true;
        c->exchange.body_kind = kind_of_body(connection, method);
        c->kept = c->exchange.body_kind != EXCHANGE_NO_BODY;
        return MHD_YES; // the body, if any, comes first
    }
    if (*upload_size > 0) {
        bool taken = take_upload(h, c, upload, *upload_size);
        *upload_size = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    struct exchange *x = &c->exchange;
    struct mono start = clock_mono(h->site->clock);
    patience_asked(h->patience, place_of(connection));
    snprintf(x->method, sizeof x->method, "%s", method);
    copy_headers(connection, x);
    set_address(h->site, connection, x);
    router_answer(h->site, x);
    metrics_add(h->site->metrics, METRIC_REQUEST_MICROSECONDS,
                (uint64_t)(clock_mono(h->site->clock).us - start.us));
    return send_reply(h, connection, x);
}

static void keep_quiet(void *cls, const char *fmt, va_list args)
{
    // The library reports what clients do wrong; the counters say what matters of that.
    (void)cls;
    (void)fmt;
    (void)args;
}

// Bound here, so that a port in use is told apart from other failures.
static enum err open_socket(const struct dashboard_config *c, int *out, struct diag *d)
{
    socklen_t len = c->address.any.sa_family == AF_INET6 ? sizeof c->address.v6 : sizeof c->address.v4;
    int one = 1, fd = socket(c->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return diag_errno(d, errno, "listen %s", c->listen);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) || bind(fd, &c->address.any, len) ||
        listen(fd, 128)) {
        int failed = errno;
        close(fd);
        if (failed == EADDRINUSE)
            return diag_fail(d, ERR_EXISTS,
                             "listen %s: the port is in use by another program; stop that one, or change "
                             "`listen` in the configuration",
                             c->listen);
        return diag_errno(d, failed, "listen %s", c->listen);
    }
    *out = fd;
    return ERR_OK;
}

enum err dashboard_http_start(struct site *s, struct dashboard_http **out, struct diag *d)
{
    int fd = -1;
    enum err e = open_socket(s->config, &fd, d);
    if (e)
        return e;
    struct dashboard_http *h = calloc(1, sizeof *h);
    if (!h) {
        close(fd);
        return diag_fail(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    }
    h->site = s;
    e = patience_create(HTTP_CONNECTIONS, s->clock, s->metrics, &h->patience);
    if (!e)
        e = patience_watch(h->patience, d);
    if (e) {
        close(fd);
        patience_destroy(h->patience);
        free(h);
        return e;
    }
    // a web server in front is one address for all its clients, whom it limits itself
    unsigned per_address = s->config->behind_tls ? HTTP_CONNECTIONS : HTTP_PER_ADDRESS;
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, answer, h,
        MHD_OPTION_EXTERNAL_LOGGER, keep_quiet, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)HTTP_THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)HTTP_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_MEMORY_BYTES, MHD_OPTION_URI_LOG_CALLBACK, begin_request, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, end_request, h, MHD_OPTION_NOTIFY_CONNECTION, notice_connection, h,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!h->daemon) {
        close(fd);
        patience_destroy(h->patience);
        free(h);
        return diag_fail(d, ERR_IO, "listen %s: the HTTP server could not be started", s->config->listen);
    }
    *out = h;
    return ERR_OK;
}

void dashboard_http_stop(struct dashboard_http *h)
{
    if (!h)
        return;
    MHD_stop_daemon(h->daemon);
    patience_destroy(h->patience);
    free(h);
}
