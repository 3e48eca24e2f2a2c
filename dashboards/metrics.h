// The dashboard's own counters: one table declares each once, with its unit in the name and its prose.
// Threads: any.
#ifndef ESEP_DASHBOARDS_METRICS_H
#define ESEP_DASHBOARDS_METRICS_H

#include "base/err.h"
#include <stdint.h>

#define METRICS_LIST(X)                                                                                      \
    X(REQUESTS_OK, "requests_ok", "Requests answered with 2xx")                                              \
    X(REQUESTS_UNCHANGED, "requests_unchanged", "Requests answered with 304: the client had it already")     \
    X(REQUESTS_REFUSED, "requests_refused", "Requests answered with 4xx")                                    \
    X(REQUESTS_FAILED, "requests_failed", "Requests answered with 5xx")                                      \
    X(REQUEST_MICROSECONDS, "request_microseconds", "Time spent answering requests")                         \
    X(BODY_BYTES, "body_bytes", "Bytes of bodies handed to the network")                                     \
    X(BODIES_REFUSED, "bodies_refused", "Requests dropped because their body was larger than the cap")       \
    X(CONNECTIONS_ENDED, "connections_ended",                                                                \
      "Connections ended because a request, or the reading of an answer, took too long")                     \
    X(ANSWERS_PUT_OFF, "answers_put_off", "Answers not sent (503): too many bytes wait for slow readers")    \
    X(GRAPHS_DRAWN, "graphs_drawn", "Graphs drawn by the workers")                                           \
    X(GRAPHS_FAILED, "graphs_failed", "Graphs that could not be drawn")                                      \
    X(LOGINS_DONE, "logins_done", "Sessions begun with a name and a password")                               \
    X(LOGINS_REFUSED, "logins_refused", "Names and passwords that did not fit")                              \
    X(LOGINS_LIMITED, "logins_limited", "Tries to log in that were too many, not looked at")                 \
    X(READS_REFUSED, "reads_refused", "Requests for what the asker may not see, or what is not there")       \
    X(REPORTS_DONE, "reports_done", "Figures that people reported and the collector stored")                 \
    X(REPORTS_REFUSED, "reports_refused", "Figures that people may not report, or that were refused")        \
    X(AUDIT_UNTOLD, "audit_untold", "Events that the collector's audit log was not told: none was running")

enum metric {
#define X(id, name, text) METRIC_##id,
    METRICS_LIST(X)
#undef X
        METRIC_COUNT
};

struct metrics;
enum err metrics_create(struct metrics **out) MUST_USE;
void metrics_destroy(struct metrics *m);
void metrics_add(struct metrics *m, enum metric id, uint64_t by);
uint64_t metrics_value(const struct metrics *m, enum metric id);
const char *metrics_name(enum metric id);
const char *metrics_prose(enum metric id);

#endif
