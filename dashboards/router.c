// A path is compared part by part; parts that a series name could not have never reach a handler.

#include "dashboards/router.h"
#include "dashboards/api/api.h"
#include "dashboards/assets.h"
#include "dashboards/graph.h"
#include "dashboards/pages/pages.h"
#include "dashboards/writer.h"
#include "kpi/series.h"
#include <string.h>

static const struct route routes[] = {
    {"GET", "/", ROUTE_PAGE, page_overview},
    {"GET", "/parks/{park}", ROUTE_PAGE, page_park},
    {"GET", "/parks/{park}/{resident}", ROUTE_PAGE, page_resident},
    {"GET", "/series/{park}/{resident}/{kpi}", ROUTE_PAGE, page_series},
    {"GET", "/series/{park}/{resident}/{kpi}/{dimension}", ROUTE_PAGE, page_series},
    {"GET", "/graph/{park}/{resident}/{image}", ROUTE_IMAGE, graph_image},
    {"GET", "/graph/{park}/{resident}/{kpi}/{image}", ROUTE_IMAGE, graph_image},
    {"GET", "/api/v1/parks", ROUTE_API, api_parks},
    {"GET", "/api/v1/parks/{park}", ROUTE_API, api_park},
    {"GET", "/api/v1/residents", ROUTE_API, api_residents},
    {"GET", "/api/v1/series", ROUTE_API, api_series},
    {"GET", "/api/v1/agents", ROUTE_API, api_agents},
    {"GET", "/api/v1/targets", ROUTE_API, api_targets},
    {"GET", "/api/v1/query", ROUTE_API, api_query},
    {"GET", "/api/v1/observations", ROUTE_API, api_observations},
    {"GET", "/healthz", ROUTE_API, api_health},
    {"GET", "/metrics", ROUTE_TEXT, api_metrics},
    {"GET", "/static/{file}", ROUTE_FILE, assets_file},
    {"GET", "/robots.txt", ROUTE_TEXT, assets_robots},
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

static void handle(struct site *s, struct exchange *x, const struct route *r)
{
    r->handle(s, x);
    if (!x->blob && x->status < 300 && x->body.failed)
        exchange_fail(x, 400, "the answer would be larger than %u MiB: ask for less, in several requests",
                      EXCHANGE_BODY_MAX >> 20);
    if (x->status == 0)
        exchange_fail(x, 500, "nobody answered");
}

void router_answer(struct site *s, struct exchange *x)
{
    bool other_method;
    enum route_kind kind = ROUTE_PAGE;
    enum err e = exchange_parse(x);
    const struct route *r = e ? NULL : router_find(x, &other_method);
    kind = r ? r->kind : guess_kind(x->path);
    if (r)
        handle(s, x, r);
    else if (!e && other_method)
        exchange_fail(x, 405, "%s is not possible here: this address can only be read (GET, HEAD)",
                      x->method);
    else if (!e)
        exchange_fail(x, 404, "nothing is at %.200s", x->path);
    if (x->status >= 400)
        write_error(s, x, kind);
    metrics_add(s->metrics,
                x->status < 300   ? METRIC_REQUESTS_OK
                : x->status < 400 ? METRIC_REQUESTS_UNCHANGED
                : x->status < 500 ? METRIC_REQUESTS_REFUSED
                                  : METRIC_REQUESTS_FAILED,
                1);
}
