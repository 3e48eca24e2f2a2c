// A path is compared part by part; parts that a series name could not have never reach a handler.

#include "dashboards/router.h"
#include "dashboards/api/api.h"
#include "dashboards/assets.h"
#include "dashboards/audit.h"
#include "dashboards/graph.h"
#include "dashboards/html.h"
#include "dashboards/identity.h"
#include "dashboards/pages/pages.h"
#include "dashboards/writer.h"
#include "kpi/series.h"
#include <stdio.h>
#include <string.h>

#define PUT_OFF_S   5
#define PARAMS(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const none[] = {NULL};

// A row without an access class does not compile: each field must be there.
static const struct route routes[] = {
    {"GET", "/", ROUTE_PAGE, ACCESS_ROWS, none, page_overview},
    {"GET", "/parks/{park}", ROUTE_PAGE, ACCESS_PARK, PARAMS("as_of", "by", "period"), page_park},
    {"GET", "/parks/{park}/{resident}", ROUTE_PAGE, ACCESS_RESIDENT, PARAMS("as_of", "by"), page_resident},
    {"GET", "/series/{park}/{resident}/{kpi}", ROUTE_PAGE, ACCESS_RESIDENT,
     PARAMS("range", "from", "to", "as_of", "by", "currency", "sums", "like_for_like", "period", "against"),
     page_series},
    {"GET", "/series/{park}/{resident}/{kpi}/{dimension}", ROUTE_PAGE, ACCESS_RESIDENT,
     PARAMS("range", "from", "to", "as_of", "by", "currency", "sums", "like_for_like", "period", "against"),
     page_series},
    {"GET", "/report/{park}/{resident}", ROUTE_PAGE, ACCESS_REPORT, PARAMS("kpi", "dimension"),
     page_report_choose},
    {"GET", "/report/{park}/{resident}/{kpi}", ROUTE_PAGE, ACCESS_REPORT, PARAMS("period", "stored"),
     page_report},
    {"GET", "/report/{park}/{resident}/{kpi}/{dimension}", ROUTE_PAGE, ACCESS_REPORT,
     PARAMS("period", "stored"), page_report},
    {"POST", "/report/{park}/{resident}/{kpi}", ROUTE_PAGE, ACCESS_REPORT, none, page_report_send},
    {"POST", "/report/{park}/{resident}/{kpi}/{dimension}", ROUTE_PAGE, ACCESS_REPORT, none,
     page_report_send},
    {"GET", "/graph/{park}/{resident}/{image}", ROUTE_IMAGE, ACCESS_RESIDENT,
     PARAMS("from", "to", "width", "height", "theme", "bare", "as_of", "by", "currency", "v"), graph_image},
    {"GET", "/graph/{park}/{resident}/{kpi}/{image}", ROUTE_IMAGE, ACCESS_RESIDENT,
     PARAMS("from", "to", "width", "height", "theme", "bare", "as_of", "by", "currency", "v"), graph_image},
    {"GET", "/api/v1/parks", ROUTE_API, ACCESS_ROWS, none, api_parks},
    {"GET", "/api/v1/parks/{park}", ROUTE_API, ACCESS_PARK, PARAMS("period"), api_park},
    {"GET", "/api/v1/residents", ROUTE_API, ACCESS_ROWS, PARAMS("park"), api_residents},
    {"GET", "/api/v1/series", ROUTE_API, ACCESS_ROWS,
     PARAMS("park", "resident", "kpi", "series", "after", "limit"), api_series},
    {"GET", "/api/v1/agents", ROUTE_API, ACCESS_MEMBERS, none, api_agents},
    {"GET", "/api/v1/targets", ROUTE_API, ACCESS_ROWS, PARAMS("park", "as_of", "by"), api_targets},
    {"GET", "/api/v1/query", ROUTE_API, ACCESS_SERIES,
     PARAMS("series", "from", "to", "step", "cf", "as_of", "by", "currency", "format"), api_query},
    {"GET", "/api/v1/observations", ROUTE_API, ACCESS_SERIES,
     PARAMS("series", "period", "from", "to", "as_of", "by", "revisions", "currency", "format",
            "like_for_like", "against"),
     api_observations},
    {"GET", "/api/v1/obligations", ROUTE_API, ACCESS_MEMBERS,
     PARAMS("park", "resident", "period", "as_of", "state", "format"), api_obligations},
    {"POST", "/api/v1/observations", ROUTE_API, ACCESS_MEMBERS, none, api_report},
    {"GET", "/healthz", ROUTE_API, ACCESS_OPEN, none, api_health},
    {"GET", "/metrics", ROUTE_TEXT, ACCESS_MEMBERS, none, api_metrics},
    {"GET", "/static/{file}", ROUTE_FILE, ACCESS_OPEN, none, assets_file},
    {"POST", "/login", ROUTE_PAGE, ACCESS_OPEN, none, page_login_send},
    {"GET", "/login", ROUTE_PAGE, ACCESS_OPEN, PARAMS("next"), page_login},
    {"POST", "/logout", ROUTE_PAGE, ACCESS_OPEN, none, page_logout},
    {"GET", "/robots.txt", ROUTE_TEXT, ACCESS_OPEN, none, assets_robots},
};

size_t router_count(void)
{
    return sizeof routes / sizeof *routes;
}

const struct route *router_at(size_t i)
{
    return &routes[i];
}

// One part of the path against one of the pattern.
static bool take_part(struct exchange *x, const char *pattern, size_t pattern_len, const char *part,
                      size_t len)
{
    if (*pattern != '{')
        return pattern_len == len && memcmp(pattern, part, len) == 0;
    if (x->part_count == EXCHANGE_PARTS_MAX || len == 0 || len >= EXCHANGE_PART_MAX)
        return false;
    char *kept = x->parts[x->part_count];
    memcpy(kept, part, len);
    kept[len] = '\0';
    char name[SERIES_PART_MAX + 1] = ""; // an image's name is a part and an ending
    size_t stem = len <= SERIES_PART_MAX ? len : SERIES_PART_MAX;
    memcpy(name, part, stem);
    if (!series_part_valid(name))
        return false;
    x->part_count++;
    return true;
}

static bool matches(struct exchange *x, const char *pattern)
{
    const char *path = x->path;
    x->part_count = 0;
    while (*pattern == '/' && *path == '/') {
        size_t pattern_len = strcspn(++pattern, "/"), len = strcspn(++path, "/");
        if (!take_part(x, pattern, pattern_len, path, len))
            return false;
        pattern += pattern_len;
        path += len;
    }
    return !*pattern && !*path;
}

const struct route *router_find(struct exchange *x, bool *other_method)
{
    bool head = strcmp(x->method, "HEAD") == 0;
    *other_method = false;
    for (size_t i = 0; i < router_count(); i++) {
        if (!matches(x, routes[i].pattern))
            continue;
        if (strcmp(routes[i].method, head ? "GET" : x->method) == 0)
            return &routes[i];
        *other_method = true;
    }
    return NULL;
}

// Before a route is known, the path tells what form an answer is expected in.
static enum route_kind guess_kind(const char *path)
{
    return strncmp(path, "/api/", 5) == 0 || strncmp(path, "/graph/", 7) == 0 ? ROUTE_API : ROUTE_PAGE;
}

static void write_error(struct site *s, struct exchange *x, enum route_kind kind)
{
    if (kind == ROUTE_PAGE) {
        page_error(s, x);
        return;
    }
    struct writer j;
    writer_init(&j, &x->body);
    writer_object(&j, NULL);
    writer_object(&j, "error");
    writer_integer(&j, "status", x->status);
    if (*x->problem_param)
        writer_text(&j, "parameter", x->problem_param);
    writer_text(&j, "message", x->problem);
    writer_end_object(&j);
    writer_end_object(&j);
    buf_text(&x->body, "\n");
    x->content_type = "application/json; charset=utf-8";
}

// Of a series' parameter the first two parts; false when it is none: the handler says what is wrong with it.
static bool series_asked(const struct exchange *x, struct series_name *out)
{
    const char *name = exchange_param(x, "series");
    return name && series_parse(name, out) == ERR_OK;
}

static bool may_ask(const struct exchange *x, const struct route *r)
{
    struct series_name name = {0};
    if (r->access == ACCESS_SERIES)
        return !series_asked(x, &name) || access_route(&x->viewer, r->access, name.park, name.resident);
    return access_route(&x->viewer, r->access, x->parts[0], x->parts[1]);
}

// The same whether it is not there or not to be seen.
static void refuse(struct exchange *x)
{
    exchange_fail(x, 404, "nothing is at %.200s", x->path);
}

static void refuse_method(struct exchange *x)
{
    bool other;
    exchange_fail(x, 405, "%.15s is not possible at this address", x->method);
    snprintf(x->method, sizeof x->method, "GET");
    x->allow = router_find(x, &other) ? other ? "GET, HEAD, POST" : "GET, HEAD" : "POST";
}

// Who is not known yet is asked to say who they are, whatever the address is about; pages come back here
// afterwards.
static void ask_who(struct exchange *x, enum route_kind kind)
{
    if (kind != ROUTE_PAGE) {
        x->challenge = "Bearer realm=\"esep\"";
        exchange_fail(x, 401, "this needs a token: Authorization: Bearer …");
        return;
    }
    struct buf to;
    buf_init(&to, sizeof x->location - 1);
    buf_text(&to, "/login?next=");
    html_url(&to, x->target);
    snprintf(x->location, sizeof x->location, "%s", to.failed ? "/login" : buf_str(&to));
    buf_deinit(&to);
    x->status = 303;
}

// Pages take forms, which are wiped after use; JSON is the API's.
static enum err check_body(struct exchange *x, const struct route *r)
{
    if (r->kind == ROUTE_API ? x->body_kind != EXCHANGE_NO_BODY : x->body_kind != EXCHANGE_JSON)
        return ERR_OK;
    return exchange_fail(x, 415,
                         r->kind == ROUTE_API ? "send a body with Content-Type: application/json"
                                              : "send a form: application/x-www-form-urlencoded");
}

static bool body_is_ours(struct site *s, struct exchange *x, const struct route *r)
{
    if (check_body(x, r) || exchange_parse_body(x))
        return false;
    bool ours = !identity_check_form(s, x);
    if (!ours)
        audit_refused(s, x, strstr(r->pattern, "/log") ? AUDIT_OF_LOGIN : AUDIT_OF_REPORT, NULL, x->path,
                      "not a form of ours");
    return ours;
}

// By name: an address can be written so that the name comes after all that an entry has room for. What the
// audit log will not be told is not handed out.
static void note_export(struct site *s, struct exchange *x)
{
    const char *series = exchange_param(x, "series");
    enum err e = audit_export(s, x, series ? series : x->path, x->target);
    if (e == ERR_AGAIN) {
        exchange_fail(x, 429, "too many files of different series at once: try again in a second");
        x->retry_after_s = 1;
    } else if (e) {
        exchange_fail(x, 500, "this could not be answered");
    }
}

static void handle(struct site *s, struct exchange *x, const struct route *r)
{
    bool may = may_ask(x, r);
    bool reports = r->access == ACCESS_REPORT && strcmp(r->method, "POST") == 0;
    if (!may)
        audit_refused(s, x, reports ? AUDIT_OF_REPORT : AUDIT_OF_READ, NULL, x->path, "");
    if (!may && x->viewer.kind == VIEWER_NOBODY)
        ask_who(x, r->kind);
    else if (!may)
        refuse(x);
    else if (strcmp(r->method, "POST") == 0 && !body_is_ours(s, x, r))
        return; // refused
    else if (!exchange_allow(x, r->params))
        r->handle(s, x);
    if (!x->blob && x->status < 300 && x->body.failed)
        exchange_fail(x, 400, "the answer would be larger than %u MiB: ask for less, in several requests",
                      EXCHANGE_BODY_MAX >> 20);
    if (x->status == 0)
        exchange_fail(x, 500, "nobody answered");
    if (*x->filename && x->viewer.kind != VIEWER_NOBODY)
        note_export(s, x);
}

// What somebody in particular may see is kept by nobody.
static void keep_private(const struct site *s, struct exchange *x, const struct route *r)
{
    bool open = r && r->access == ACCESS_OPEN && strcmp(r->method, "GET") == 0 && r->kind == ROUTE_FILE;
    if (!s->users || open)
        return;
    x->vary_viewer = true;
    if (x->viewer.kind != VIEWER_NOBODY || *x->set_cookie)
        x->cache_control = "no-store";
}

void router_answer(struct site *s, struct exchange *x)
{
    bool other_method;
    enum route_kind kind = ROUTE_PAGE;
    enum err e = exchange_parse(x);
    if (!e)
        e = identity_find(s, x);
    if (e && x->status == 401)
        audit_refused(s, x, AUDIT_OF_READ, NULL, x->path, "not a valid token");
    const struct route *r = e ? NULL : router_find(x, &other_method);
    kind = r ? r->kind : guess_kind(x->path);
    if (r)
        handle(s, x, r);
    else if (!e && other_method)
        refuse_method(x);
    else if (!e)
        refuse(x);
    if (x->status >= 400 && x->body.len == 0) // a form that says itself what is wrong is no error page
        write_error(s, x, kind);
    keep_private(s, x, r);
    audit_tell_waiting(s);
    metrics_add(s->metrics,
                x->status < 300   ? METRIC_REQUESTS_OK
                : x->status < 400 ? METRIC_REQUESTS_UNCHANGED
                : x->status < 500 ? METRIC_REQUESTS_REFUSED
                                  : METRIC_REQUESTS_FAILED,
                1);
}

void router_put_off(struct site *s, struct exchange *x)
{
    enum route_kind kind = guess_kind(x->path);
    buf_deinit(&x->body); // its memory is what there is no room for
    buf_init(&x->body, EXCHANGE_BODY_MAX);
    blob_release(x->blob);
    x->blob = NULL;
    x->etag[0] = x->filename[0] = '\0';
    x->drawing = false;
    x->cache_control = NULL;
    x->retry_after_s = PUT_OFF_S;
    (void)exchange_fail(x, 503, "too many answers wait to be read; ask again, or for less at once");
    write_error(s, x, kind);
    metrics_add(s->metrics, METRIC_ANSWERS_PUT_OFF, 1);
}
