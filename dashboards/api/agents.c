// /api/v1/agents and /healthz: from the running collector where there is one, else from the ledger.

#include "base/clock.h"
#include "dashboards/api/api.h"
#include "dashboards/api/collector.h"
#include "dashboards/render.h"
#include "kpi/series.h"
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
bool api_may_agent(const struct viewer *v, const char *park_and_resident)
{
    struct series_name name = {0};
    return series_parse_resident(park_and_resident, &name) == ERR_OK &&
           access_may(v, SIGHT_AGENT, name.park, name.resident);
}

bool api_may_agent_ids(const struct viewer *v)
{
    return v->scope.role >= ROLE_OPERATOR;
}

struct listing {
    struct writer json;
    const struct viewer *viewer;
};

static void put_live_agent(struct listing *l, const json_t *a)
{
    static const char *const ids[] = {"agent_id", "key_id"};
    static const char *const numbers[] = {"last_sequence", "accepted", "quarantined",
                                          "gap",           "repeats",  "batches"};
    struct writer *j = &l->json;
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
    for (size_t i = 0; i < 2 && api_may_agent_ids(l->viewer); i++)
        writer_integer(j, ids[i], api_collector_integer(a, ids[i]));
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
    struct listing *l = ctx;
    struct writer *j = &l->json;
    if (!api_may_agent(l->viewer, s->resident))
        return ERR_OK;
    writer_object(j, NULL);
    writer_text(j, "resident", s->resident);
    writer_bool(j, "connected", false);
    if (api_may_agent_ids(l->viewer))
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
    struct listing l = {.viewer = &x->viewer};
    struct readers store;
    struct diag d = {""};
    size_t i;
    json_t *agent;
    json_t *status = api_collector_status(s);
    enum err e = status ? ERR_OK : site_store(s, &x->viewer, &store, &d);
    if (e) {
        exchange_fail(x, 503, "no collector is running and its files cannot be read");
        return;
    }
    api_begin(x, &l.json);
    writer_object(&l.json, NULL);
    writer_text(&l.json, "collector", status ? api_collector_text(status, "state") : "not running");
    writer_array(&l.json, "agents");
    json_array_foreach(json_object_get(status, "agents"), i, agent)
    {
        if (api_may_agent(&x->viewer, api_collector_text(agent, "resident")))
            put_live_agent(&l, agent);
    }
    if (!status)
        e = reader_streams(store.reader, put_stored_agent, &l, &d);
    writer_end_array(&l.json);
    writer_end_object(&l.json);
    api_end(x, &l.json);
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

// How far the ledger has come tells how much all enterprises send.
static void put_ledger(struct writer *j, uint64_t position, int64_t received_us)
{
    writer_object(j, "ledger");
    writer_integer(j, "position", (int64_t)position);
    writer_time(j, "received", received_us);
    writer_end_object(j);
}

void api_health(struct site *s, struct exchange *x)
{
    struct writer j;
    struct readers store;
    uint64_t position = 0;
    int64_t received_us = 0;
    enum err e = site_store(s, &x->viewer, &store, NULL);
    if (!e)
        e = reader_head(store.reader, &position, &received_us, NULL);
    if (e) {
        exchange_fail(x, 503, "the ledger cannot be read: %s",
                      e == ERR_NOT_FOUND ? "no collector has made one yet" : err_text(e));
        return;
    }
    bool all = access_may(&x->viewer, SIGHT_SYSTEM, "", "");
    json_t *status = all ? api_collector_status(s) : NULL;
    api_begin(x, &j);
    writer_object(&j, NULL);
    writer_text(&j, "status", "ok");
    if (all) {
        writer_text(&j, "version", ESEP_VERSION);
        put_ledger(&j, position, received_us);
        put_collector(&j, status);
        writer_bool(&j, "graphs", s->render != NULL);
    }
    writer_end_object(&j);
    api_end(x, &j);
    json_decref(status);
}
