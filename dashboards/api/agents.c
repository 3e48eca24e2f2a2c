// /api/v1/agents and /healthz: from the running collector where there is one, else from the ledger.

#include "base/clock.h"
#include "dashboards/api/api.h"
#include "dashboards/api/collector.h"
#include "dashboards/render.h"
#include <stdlib.h>
#include <string.h>

#define STATUS_MS 1500

json_t *api_collector_status(struct site *s)
{
    char *reply = NULL;
    json_t *status = NULL;
    if (flush_ask(s->flush, "{\"command\":\"status\"}", STATUS_MS, &reply, NULL) == ERR_OK)
        status = json_loads(reply, JSON_REJECT_DUPLICATES, NULL);
    free(reply);
    if (!json_is_object(status) || !json_is_true(json_object_get(status, "ok"))) {
        json_decref(status);
        return NULL;
    }
    return status;
}

const char *api_collector_text(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

int64_t api_collector_integer(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

// ---- agents
// ------------------------------------------------------------------------------------------------------------
static void put_live_agent(struct writer *j, const json_t *a)
{
    static const char *const numbers[] = {"agent_id",    "key_id", "last_sequence", "accepted",
                                          "quarantined", "gap",    "repeats",       "batches"};
    static const char *const counted[] = {"sampled",       "refused",      "spooled", "spool_bytes",
                                          "source_errors", "acknowledged", "gaps"};
    const json_t *counters = json_object_get(a, "counters"), *skew = json_object_get(a, "clock_skew_ms");
    writer_object(j, NULL);
    writer_text(j, "resident", api_collector_text(a, "resident"));
    writer_bool(j, "connected", json_is_true(json_object_get(a, "connected")));
    writer_bool(j, "revoked", api_collector_integer(a, "revoked_us") != 0);
    writer_text_or_null(j, "version", api_collector_text(a, "version"));
    writer_time(j, "last_seen", api_collector_integer(a, "last_seen_us"));
    writer_time(j, "last_received", api_collector_integer(a, "last_received_us"));
    if (json_is_integer(skew))
        writer_integer(j, "clock_skew_ms", json_integer_value(skew));
    else
        writer_null(j, "clock_skew_ms");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        writer_integer(j, numbers[i], api_collector_integer(a, numbers[i]));
    if (json_is_object(counters)) {
        writer_object(j, "counters");
        for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
            writer_integer(j, counted[i], api_collector_integer(counters, counted[i]));
        writer_end_object(j);
    } else {
        writer_null(j, "counters");
    }
    writer_end_object(j);
}

static enum err put_stored_agent(void *ctx, const struct reader_stream *s)
{
    struct writer *j = ctx;
    writer_object(j, NULL);
    writer_text(j, "resident", s->resident);
    writer_bool(j, "connected", false);
    writer_integer(j, "agent_id", s->stream.agent_id);
    writer_integer(j, "last_sequence", (int64_t)s->stream.last_sequence);
    writer_time(j, "last_received", s->last_received_us);
    writer_integer(j, "accepted", (int64_t)s->stream.accepted);
    writer_integer(j, "quarantined", (int64_t)s->stream.quarantined);
    writer_integer(j, "gap", (int64_t)s->stream.gap);
    writer_integer(j, "repeats", (int64_t)s->stream.repeats);
    writer_integer(j, "batches", (int64_t)s->stream.batches);
    writer_end_object(j);
    return ERR_OK;
}

void api_agents(struct site *s, struct exchange *x)
{
    static const char *const allowed[] = {NULL};
    struct writer j;
    struct readers store;
    struct diag d = {""};
    size_t i;
    json_t *agent;
    if (exchange_allow(x, allowed))
        return;
    json_t *status = api_collector_status(s);
    enum err e = status ? ERR_OK : site_store(s, &store, &d);
    if (e) {
        exchange_fail(x, 503, "no collector is running and its files cannot be read: %s", d.text);
        return;
    }
    api_begin(x, &j);
    writer_object(&j, NULL);
    writer_text(&j, "collector", status ? api_collector_text(status, "state") : "not running");
    writer_array(&j, "agents");
    json_array_foreach(json_object_get(status, "agents"), i, agent) put_live_agent(&j, agent);
    if (!status)
        e = reader_streams(store.reader, put_stored_agent, &j, &d);
    writer_end_array(&j);
    writer_end_object(&j);
    api_end(x, &j);
    json_decref(status);
    if (e)
        exchange_fail_err(x, e, d.text);
}

// ---- health
// ------------------------------------------------------------------------------------------------------------
static void put_collector(struct writer *j, const json_t *status)
{
    const json_t *cursors = json_object_get(status, "cursors");
    writer_object(j, "collector");
    writer_text(j, "state", status ? api_collector_text(status, "state") : "not running");
    if (status) {
        writer_text(j, "version", api_collector_text(status, "version"));
        writer_time(j, "started", api_collector_integer(status, "started_us"));
        writer_integer(j, "connected_agents", api_collector_integer(status, "connected"));
        writer_integer(j, "rrd_lag_rows", api_collector_integer(json_object_get(cursors, "rrd"), "lag"));
        writer_integer(j, "observations_lag_rows",
                       api_collector_integer(json_object_get(cursors, "observations"), "lag"));
    }
    writer_end_object(j);
}

void api_health(struct site *s, struct exchange *x)
{
    static const char *const allowed[] = {NULL};
    struct writer j;
    struct readers store;
    struct diag d = {""};
    uint64_t position = 0;
    int64_t received_us = 0;
    if (exchange_allow(x, allowed))
        return;
    enum err e = site_store(s, &store, &d);
    if (!e)
        e = reader_head(store.reader, &position, &received_us, &d);
    if (e) {
        exchange_fail(x, 503, "the ledger cannot be read: %s",
                      e == ERR_NOT_FOUND ? "no collector has made one yet" : d.text);
        return;
    }
    json_t *status = api_collector_status(s);
    api_begin(x, &j);
    writer_object(&j, NULL);
    writer_text(&j, "status", "ok");
    writer_text(&j, "version", ESEP_VERSION);
    writer_object(&j, "ledger");
    writer_integer(&j, "position", (int64_t)position);
    writer_time(&j, "received", received_us);
    writer_end_object(&j);
    put_collector(&j, status);
    writer_bool(&j, "graphs", s->render != NULL);
    writer_end_object(&j);
    api_end(x, &j);
    json_decref(status);
}
