// Everything a person or a scraper may want in one object, so that no two of them can see different truths.
#include "collector/status.h"
#include <stdlib.h>
#include <string.h>

struct agent_row {
    struct ledger_agent agent;
    uint64_t accepted, quarantined, gap, repeats, batches, last_sequence;
    int64_t last_received_us;
    int64_t streams;
    char incarnation[HEX_TEXT(WIRE_INCARNATION_BYTES)];
};

struct agent_rows {
    struct agent_row *rows;
    size_t count, capacity;
};

// ---- reading ------------------------------------------------------------------------------------
static enum err add_agent(void *ctx, const struct ledger_agent *a)
{
    struct agent_rows *r = ctx;
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? r->capacity * 2 : 64;
        struct agent_row *grown = realloc(r->rows, capacity * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        r->rows = grown;
        r->capacity = capacity;
    }
    memset(&r->rows[r->count], 0, sizeof *r->rows);
    r->rows[r->count++].agent = *a;
    return ERR_OK;
}

static int compare_agents(const void *a, const void *b)
{
    const struct agent_row *x = a, *y = b;
    return x->agent.agent_id < y->agent.agent_id ? -1 : x->agent.agent_id > y->agent.agent_id;
}

static struct agent_row *find_agent(const struct agent_rows *r, int64_t agent_id)
{
    struct agent_row wanted = {.agent.agent_id = agent_id};
    return r->count ? bsearch(&wanted, r->rows, r->count, sizeof *r->rows, compare_agents) : NULL;
}

static enum err add_stream(void *ctx, const struct reader_stream *s)
{
    struct agent_row *a = find_agent(ctx, s->stream.agent_id);
    if (!a)
        return ERR_OK;
    a->streams++;
    a->accepted += s->stream.accepted;
    a->quarantined += s->stream.quarantined;
    a->gap += s->stream.gap;
    a->repeats += s->stream.repeats;
    a->batches += s->stream.batches;
    if (a->streams == 1 || s->last_received_us >= a->last_received_us) { // the incarnation in use
        a->last_received_us = s->last_received_us;
        a->last_sequence = s->stream.last_sequence;
        crypto_hex(s->stream.incarnation.bytes, WIRE_INCARNATION_BYTES, a->incarnation);
    }
    return ERR_OK;
}

static enum err take_received(void *ctx, const struct reader_row *row)
{
    *(int64_t *)ctx = row->received_us;
    return ERR_OK;
}

// How long the first row after the position has been in the ledger.
static enum err age_after(const struct status_input *in, uint64_t position, int64_t *age_us, struct diag *d)
{
    int64_t received_us = in->now_us;
    enum err e = reader_rows(in->reader, position, 1, take_received, &received_us, &position, d);
    *age_us = in->now_us > received_us ? in->now_us - received_us : 0;
    return e;
}

// ---- writing ------------------------------------------------------------------------------------
static json_t *whole(uint64_t v)
{
    return json_integer((json_int_t)v);
}

static json_t *agent_counters(const struct wire_counters *c)
{
    json_t *o = json_object();
    json_object_set_new(o, "sampled", whole(c->sampled));
    json_object_set_new(o, "refused", whole(c->refused));
    json_object_set_new(o, "spooled", whole(c->spooled));
    json_object_set_new(o, "spool_bytes", whole(c->spool_bytes));
    json_object_set_new(o, "source_errors", whole(c->source_errors));
    json_object_set_new(o, "acknowledged", whole(c->acknowledged));
    json_object_set_new(o, "gaps", whole(c->gaps));
    return o;
}

static const struct snapshot_agent *find_live(const struct snapshot *s, int64_t key_id)
{
    for (size_t i = 0; s && i < s->count; i++) {
        if (s->agents[i].key_id == key_id)
            return &s->agents[i];
    }
    return NULL;
}

static void set_live(json_t *o, const struct snapshot_agent *live)
{
    json_object_set_new(o, "connected", json_boolean(live && live->connected));
    json_object_set_new(o, "next_key", json_boolean(live && live->next_key));
    json_object_set_new(o, "slowed", json_boolean(live && live->slowed));
    json_object_set_new(o, "last_seen_us", live ? json_integer(live->last_seen_us) : json_null());
    json_object_set_new(o, "version", live ? json_string(live->version) : json_null());
    json_object_set_new(o, "clock_skew_ms", live ? json_integer(live->clock_skew_ms) : json_null());
    json_object_set_new(o, "counters", live ? agent_counters(&live->counters) : json_null());
}

static json_t *agent_json(const struct agent_row *a, const struct snapshot *snapshot)
{
    char key[KEY_TEXT];
    json_t *o = json_object();
    crypto_key_text(a->agent.public_key, key);
    json_object_set_new(o, "resident", json_string(a->agent.resident));
    json_object_set_new(o, "agent_id", json_integer(a->agent.agent_id));
    json_object_set_new(o, "key_id", json_integer(a->agent.key_id));
    json_object_set_new(o, "key", json_string(key));
    json_object_set_new(o, "added_us", json_integer(a->agent.added_us));
    json_object_set_new(o, "revoked_us", json_integer(a->agent.revoked_us));
    set_live(o, find_live(snapshot, a->agent.key_id));
    json_object_set_new(o, "incarnation", json_string(a->incarnation));
    json_object_set_new(o, "incarnations", json_integer(a->streams));
    json_object_set_new(o, "last_received_us", json_integer(a->last_received_us));
    json_object_set_new(o, "last_sequence", whole(a->last_sequence));
    json_object_set_new(o, "accepted", whole(a->accepted));
    json_object_set_new(o, "quarantined", whole(a->quarantined));
    json_object_set_new(o, "gap", whole(a->gap));
    json_object_set_new(o, "repeats", whole(a->repeats));
    json_object_set_new(o, "batches", whole(a->batches));
    return o;
}

static json_t *cursor_json(uint64_t head, uint64_t position, int64_t age_us)
{
    json_t *o = json_object();
    json_object_set_new(o, "position", whole(position));
    json_object_set_new(o, "lag", whole(head > position ? head - position : 0));
    json_object_set_new(o, "age_us", json_integer(age_us));
    return o;
}

static json_t *metric(const struct counter_info *info, const char *kind, int64_t value)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", json_string(info->name));
    json_object_set_new(o, "kind", json_string(kind));
    json_object_set_new(o, "unit", json_string(info->unit));
    json_object_set_new(o, "prose", json_string(info->prose));
    json_object_set_new(o, "durable", json_boolean(info->durable));
    json_object_set_new(o, "value", json_integer(value));
    return o;
}

static void set_counters(json_t *o, const struct counters *c)
{
    json_t *plain = json_object(), *metrics = json_array();
    for (int i = 0; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = collector_counter_info((enum collector_counter)i);
        int64_t v = (int64_t)collector_counted(c, (enum collector_counter)i);
        json_object_set_new(plain, info->name, json_integer(v));
        json_array_append_new(metrics, metric(info, "counter", v));
    }
    for (int i = 0; i < GAUGE_COUNT; i++)
        json_array_append_new(metrics, metric(collector_gauge_info((enum collector_gauge)i), "gauge",
                                              collector_gauge(c, (enum collector_gauge)i)));
    json_object_set_new(o, "counters", plain);
    json_object_set_new(o, "metrics", metrics);
}

static void set_agents(json_t *o, const struct agent_rows *rows, const struct snapshot *snapshot)
{
    json_t *agents = json_array();
    int64_t connected = 0;
    for (size_t i = 0; i < rows->count; i++) {
        json_t *a = agent_json(&rows->rows[i], snapshot);
        connected += json_is_true(json_object_get(a, "connected")) ? 1 : 0;
        json_array_append_new(agents, a);
    }
    json_object_set_new(o, "connected", json_integer(connected));
    json_object_set_new(o, "agents", agents);
}

struct backlog {
    uint64_t head;
    int64_t received_us, rrd_age_us, observations_age_us;
};

static json_t *build(const struct status_input *in, const struct agent_rows *rows, const struct backlog *b)
{
    json_t *o = json_object(), *cursors = json_object();
    json_object_set_new(o, "ok", json_true());
    json_object_set_new(o, "state", json_string(in->state));
    json_object_set_new(o, "version", json_string(ESEP_VERSION));
    json_object_set_new(o, "started_us", json_integer(collector_gauge(in->counters, GAUGE_STARTED_US)));
    json_object_set_new(o, "position", whole(b->head));
    json_object_set_new(o, "received_us", json_integer(b->received_us));
    json_object_set_new(cursors, "rrd", cursor_json(b->head, in->rrd, b->rrd_age_us));
    json_object_set_new(cursors, "observations",
                        cursor_json(b->head, in->observations, b->observations_age_us));
    json_object_set_new(o, "cursors", cursors);
    json_object_set_new(o, "rrd_dirty", json_integer(collector_gauge(in->counters, GAUGE_RRD_DIRTY)));
    json_object_set_new(o, "wal_bytes", json_integer(collector_gauge(in->counters, GAUGE_WAL_BYTES)));
    json_object_set_new(o, "free_bytes", json_integer(collector_gauge(in->counters, GAUGE_FREE_BYTES)));
    json_object_set_new(o, "head_missing",
                        json_boolean(collector_gauge(in->counters, GAUGE_HEAD_MISSING) != 0));
    json_object_set_new(o, "credit", whole(in->snapshot ? in->snapshot->credit_bytes : 0));
    json_object_set_new(o, "in_flight_bytes", whole(in->snapshot ? in->snapshot->in_flight_bytes : 0));
    set_agents(o, rows, in->snapshot);
    set_counters(o, in->counters);
    return o;
}

enum err collector_status_json(const struct status_input *in, json_t **out, struct diag *d)
{
    struct agent_rows rows = {0};
    struct backlog b = {0};
    enum err e = reader_head(in->reader, &b.head, &b.received_us, d);
    if (e == ERR_OK)
        e = age_after(in, in->rrd, &b.rrd_age_us, d);
    if (e == ERR_OK)
        e = age_after(in, in->observations, &b.observations_age_us, d);
    if (e == ERR_OK)
        e = reader_agents(in->reader, add_agent, &rows, d);
    if (e == ERR_OK && rows.count > 1)
        qsort(rows.rows, rows.count, sizeof *rows.rows, compare_agents);
    if (e == ERR_OK)
        e = reader_streams(in->reader, add_stream, &rows, d);
    if (e == ERR_OK)
        *out = build(in, &rows, &b);
    free(rows.rows);
    return e;
}

// ---- for a person -------------------------------------------------------------------------------
static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static long long int_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static void print_agents(const json_t *agents, struct buf *out)
{
    size_t i;
    json_t *a;
    buf_printf(out, "\n%-32s %6s %-9s %-20s %8s %8s %10s %8s %8s\n", "resident", "key_id", "connected",
               "last seen", "skew_ms", "spooled", "accepted", "refused", "gap");
    json_array_foreach(agents, i, a)
    {
        char seen[WALL_TEXT] = "-";
        int64_t us = int_of(a, "last_seen_us") ? int_of(a, "last_seen_us") : int_of(a, "last_received_us");
        if (us)
            wall_text((struct wall){us}, seen);
        const char *connected = json_is_true(json_object_get(a, "connected")) ? "yes" : "no";
        buf_printf(out, "%-32s %6lld %-9s %-20s %8lld %8lld %10lld %8lld %8lld\n", text_of(a, "resident"),
                   int_of(a, "key_id"), int_of(a, "revoked_us") ? "revoked" : connected, seen,
                   int_of(a, "clock_skew_ms"), int_of(json_object_get(a, "counters"), "spooled"),
                   int_of(a, "accepted"), int_of(a, "quarantined"), int_of(a, "gap"));
    }
}

static void print_counters(const json_t *metrics, struct buf *out)
{
    size_t i;
    json_t *m;
    buf_text(out, "\n");
    json_array_foreach(metrics, i, m)
    {
        if (strcmp(text_of(m, "kind"), "counter") == 0 && int_of(m, "value") != 0)
            buf_printf(out, "%14lld  %-30s %s\n", int_of(m, "value"), text_of(m, "name"),
                       text_of(m, "prose"));
    }
}

void collector_status_print(const json_t *status, struct buf *out)
{
    char when[WALL_TEXT];
    const json_t *cursors = json_object_get(status, "cursors");
    const json_t *rrd = json_object_get(cursors, "rrd"),
                 *observations = json_object_get(cursors, "observations");
    wall_text((struct wall){int_of(status, "received_us")}, when);
    buf_printf(out, "state          %s (version %s)\n", text_of(status, "state"), text_of(status, "version"));
    buf_printf(out, "ledger         row %lld, received %s, WAL %lld bytes, free space %lld MiB\n",
               int_of(status, "position"), int_of(status, "position") ? when : "-",
               int_of(status, "wal_bytes"), int_of(status, "free_bytes") >> 20);
    if (json_is_true(json_object_get(status, "head_missing")))
        buf_text(out,
                 "ALARM          ledger.head was missing at the start: rows lost from the ledger's end would "
                 "not have been noticed\n");
    buf_printf(out, "rrd            row %lld, %lld rows and %.1f s behind, %lld series to rebuild\n",
               int_of(rrd, "position"), int_of(rrd, "lag"), (double)int_of(rrd, "age_us") / US_PER_S,
               int_of(status, "rrd_dirty"));
    buf_printf(out, "observations   row %lld, %lld rows and %.1f s behind\n",
               int_of(observations, "position"), int_of(observations, "lag"),
               (double)int_of(observations, "age_us") / US_PER_S);
    buf_printf(out, "agents         %zu, %lld connected\n",
               json_array_size(json_object_get(status, "agents")), int_of(status, "connected"));
    print_agents(json_object_get(status, "agents"), out);
    print_counters(json_object_get(status, "metrics"), out);
}
