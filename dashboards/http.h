// HTTP: the only user of libmicrohttpd. A small pool of threads, each answering through router_answer; every
// limit is set, because the library has none by default.
#ifndef ESEP_DASHBOARDS_HTTP_H
#define ESEP_DASHBOARDS_HTTP_H

#include "dashboards/site.h"

#define HTTP_THREADS        8
#define HTTP_CONNECTIONS    400
#define HTTP_PER_ADDRESS    64          // browsers open six; not where TLS ends in front
#define HTTP_IDLE_S         30          // longer than the slowest answer: a graph that hangs twice takes 16 s
#define HTTP_MEMORY_BYTES   (32u << 10) // a connection's headers and buffers
#define HTTP_BODY_MAX_BYTES (64u << 10)

struct dashboard_http;
// Listens on the configuration's address. EXISTS: the port is in use. The site must outlive it.
enum err dashboard_http_start(struct site *s, struct dashboard_http **out, struct diag *d) MUST_USE;
// Stops accepting, ends every connection and thread. NULL is allowed.
void dashboard_http_stop(struct dashboard_http *h);

#endif
