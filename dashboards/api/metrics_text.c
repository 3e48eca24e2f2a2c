// /metrics in Prometheus' text format 0.0.4: the collector's metrics as it declares them, its agents, its
// projections' lag, and the dashboard's own counters.

#include "base/clock.h"
#include "dashboards/api/api.h"
#include "dashboards/api/collector.h"
#include "dashboards/render.h"
#include <inttypes.h>
#include <string.h>

// A metric's name: what Prometheus does not take becomes '_'.
static void put_name(struct buf *b, const char *prefix, const char *name)
{
    buf_text(b, prefix);
    for (const char *c = name; *c; c++) {
        bool ok =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_';
        buf_append(b, ok ? c : "_", 1);
    }
}

static void put_escaped(struct buf *b, const char *text, bool label)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\\')
            buf_text(b, "\\\\");
        else if (*c == '\n')
            buf_text(b, "\\n");
        else if (*c == '"' && label)
            buf_text(b, "\\\"");
        else
            buf_append(b, c, 1);
    }
}

static void put_help(struct buf *b, const char *prefix, const char *name, const char *suffix,
                     const char *prose, const char *type)
{
    buf_text(b, "# HELP ");
    put_name(b, prefix, name);
    buf_printf(b, "%s ", suffix);
    put_escaped(b, prose, false);
    buf_text(b, "\n# TYPE ");
    put_name(b, prefix, name);
    buf_printf(b, "%s %s\n", suffix, type);
}

static void put_value(struct buf *b, const char *prefix, const char *name, const char *suffix, int64_t value)
{
    put_name(b, prefix, name);
    buf_printf(b, "%s %" PRId64 "\n", suffix, value);
}

static void put_one(struct buf *b, const char *name, const char *prose, const char *type, int64_t value)
{
    put_help(b, "esep_", name, "", prose, type);
    put_value(b, "esep_", name, "", value);
}

static void put_collector(struct buf *b, const json_t *status)
{
    size_t i;
    json_t *m;
    json_array_foreach(json_object_get(status, "metrics"), i, m)
    {
        bool counter = strcmp(api_collector_text(m, "kind"), "counter") == 0;
        const char *suffix = counter ? "_total" : "", *name = api_collector_text(m, "name");
        put_help(b, "esep_collector_", name, suffix, api_collector_text(m, "prose"),
                 counter ? "counter" : "gauge");
        put_value(b, "esep_collector_", name, suffix, api_collector_integer(m, "value"));
    }
}

static void put_cursors(struct buf *b, const json_t *status)
{
    const char *name;
    json_t *cursor;
    put_help(b, "esep_", "projection_lag_rows", "", "Ledger rows a projection has not read yet", "gauge");
    json_object_foreach(json_object_get(status, "cursors"), name, cursor)
    {
        buf_text(b, "esep_projection_lag_rows{projection=\"");
        put_escaped(b, name, true);
        buf_printf(b, "\"} %" PRId64 "\n", api_collector_integer(cursor, "lag"));
    }
}

static void put_backlog(struct buf *b, const json_t *status)
{
    const char *name;
    json_t *cursor;
    put_help(b, "esep_", "projection_lag_seconds", "",
             "How long the first ledger row that a projection has not read has been waiting", "gauge");
    json_object_foreach(json_object_get(status, "cursors"), name, cursor)
    {
        buf_text(b, "esep_projection_lag_seconds{projection=\"");
        put_escaped(b, name, true);
        buf_printf(b, "\"} %.3f\n", (double)api_collector_integer(cursor, "age_us") / US_PER_S);
    }
    put_one(b, "in_flight_bytes", "Bytes received and not yet committed", "gauge",
            api_collector_integer(status, "in_flight_bytes"));
    put_one(b, "credit_bytes", "Bytes that each connected agent may have under way", "gauge",
            api_collector_integer(status, "credit"));
}

struct agent_metric {
    const char *key, *name, *prose, *type;
    bool from_agent; // counted by the agent, in its heartbeat
};
static const struct agent_metric agent_metrics[] = {
    {"connected", "agent_connected", "1 while the agent is connected", "gauge", false},
    {"accepted", "agent_accepted_samples_total", "Samples stored of this agent", "counter", false},
    {"quarantined", "agent_quarantined_samples_total", "Samples stored but refused by the verdict", "counter",
     false},
    {"gap", "agent_gap_samples_total", "Samples the agent dropped and reported as gaps", "counter", false},
    {"repeats", "agent_repeated_samples_total", "Samples received again and found equal", "counter", false},
    {"batches", "agent_batches_total", "Batches stored of this agent", "counter", false},
    {"clock_skew_ms", "agent_clock_skew_milliseconds", "The agent's clock minus the collector's", "gauge",
     false},
    {"last_received_us", "agent_last_received_microseconds",
     "When something of this agent was stored last, since 1970", "gauge", false},
    {"sampled", "agent_sampled_samples_total", "Samples the agent took", "counter", true},
    {"refused", "agent_refused_samples_total", "Samples the agent's spool refused", "counter", true},
    {"spooled", "agent_spooled_samples", "Samples waiting in the agent's spool", "gauge", true},
    {"spool_bytes", "agent_spool_bytes", "Bytes of the agent's spool", "gauge", true},
    {"source_errors", "agent_source_errors_total", "Errors of the agent's sources", "counter", true},
};

// Who may not see the agents' numbers gets them counted from 1.
static void put_labels(struct buf *b, const char *name, const json_t *agent, const struct viewer *v,
                       unsigned nth)
{
    buf_printf(b, "esep_%s{resident=\"", name);
    put_escaped(b, api_collector_text(agent, "resident"), true);
    if (api_may_agent_ids(v))
        buf_printf(b, "\",agent=\"%" PRId64 "\",key=\"%" PRId64 "\"} ",
                   api_collector_integer(agent, "agent_id"), api_collector_integer(agent, "key_id"));
    else
        buf_printf(b, "\",agent=\"%u\"} ", nth);
}

// NULL: it has no such number.
static const json_t *number_of(const json_t *agent, const struct agent_metric *m)
{
    const json_t *from = m->from_agent ? json_object_get(agent, "counters") : agent;
    const json_t *value = json_object_get(from, m->key);
    return json_is_integer(value) ? value : NULL;
}

static void put_agent_metric(struct buf *b, const json_t *agents, const struct viewer *v,
                             const struct agent_metric *m)
{
    size_t i;
    json_t *agent;
    unsigned nth = 0;
    put_help(b, "esep_", m->name, "", m->prose, m->type);
    json_array_foreach(agents, i, agent)
    {
        if (!api_may_agent(v, api_collector_text(agent, "resident")))
            continue;
        nth++;
        const json_t *value = number_of(agent, m);
        bool flag = strcmp(m->key, "connected") == 0;
        if (!value && !flag)
            continue;
        put_labels(b, m->name, agent, v, nth);
        buf_printf(b, "%" PRId64 "\n",
                   flag ? json_is_true(json_object_get(agent, m->key)) : (int64_t)json_integer_value(value));
    }
}

static void put_agents(struct buf *b, const json_t *status, const struct viewer *v)
{
    for (size_t k = 0; k < sizeof agent_metrics / sizeof *agent_metrics; k++)
        put_agent_metric(b, json_object_get(status, "agents"), v, &agent_metrics[k]);
}

static void put_own(struct site *s, struct buf *b)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        const char *name = metrics_name((enum metric)i);
        put_help(b, "esep_dashboard_", name, "_total", metrics_prose((enum metric)i), "counter");
        put_value(b, "esep_dashboard_", name, "_total", (int64_t)metrics_value(s->metrics, (enum metric)i));
    }
    struct cache_stats c = cache_stats(s->cache);
    put_one(b, "dashboard_cache_hits_total", "Graphs answered from memory", "counter", (int64_t)c.hits);
    put_one(b, "dashboard_cache_evictions_total", "Graphs that left memory to make room", "counter",
            (int64_t)c.evictions);
    put_one(b, "dashboard_cache_bytes", "Bytes of graphs in memory", "gauge", (int64_t)c.bytes);
    if (!s->render)
        return;
    struct render_stats r = render_stats(s->render);
    put_one(b, "dashboard_workers", "Graph worker processes", "gauge", r.workers);
    put_one(b, "dashboard_workers_hung_total", "Graph workers killed because a graph took too long",
            "counter", (int64_t)r.hung);
    put_one(b, "dashboard_workers_died_total", "Graph workers that ended by themselves", "counter",
            (int64_t)r.died);
    put_one(b, "dashboard_workers_recycled_total", "Graph workers replaced after their number of graphs",
            "counter", (int64_t)r.recycled);
    put_one(b, "dashboard_graphs_busy_total", "Graphs refused because every worker was busy", "counter",
            (int64_t)r.busy);
}

static void put_ledger(struct site *s, const struct viewer *v, struct buf *b)
{
    struct readers store;
    uint64_t position = 0;
    int64_t received_us = 0;
    bool readable = site_store(s, v, &store, NULL) == ERR_OK &&
                    reader_head(store.reader, &position, &received_us, NULL) == ERR_OK;
    put_one(b, "ledger_readable", "1 when the ledger can be read", "gauge", readable);
    put_one(b, "ledger_position", "Position of the ledger's last row", "gauge", (int64_t)position);
    put_one(b, "ledger_last_received_microseconds", "When the ledger's last row was received, since 1970",
            "gauge", received_us);
}

void api_metrics(struct site *s, struct exchange *x)
{
    struct buf *b = &x->body;
    bool all = access_may(&x->viewer, SIGHT_SYSTEM, "", "");
    json_t *status = api_collector_status(s);
    x->status = 200;
    x->content_type = "text/plain; version=0.0.4; charset=utf-8";
    x->cache_control = "no-store";
    put_one(b, "collector_up", "1 when the collector answers", "gauge", status != NULL);
    if (all) {
        put_ledger(s, &x->viewer, b);
        if (status) {
            put_collector(b, status);
            put_cursors(b, status);
            put_backlog(b, status);
        }
    }
    if (status)
        put_agents(b, status, &x->viewer);
    api_metrics_owed(s, x);
    if (all)
        put_own(s, b);
    json_decref(status);
}
