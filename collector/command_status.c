// status and what it shares with others: asking what runs, or reading the files of what does not.
#include "collector/commands.h"
#include "collector/rrd_cursor.h"
#include "collector/status.h"
#include "net/control.h"
#include "store/observations.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 5000 };

enum err collector_ask(const struct collector_config *c, const json_t *request, int timeout_ms, json_t **out,
                       struct diag *d)
{
    char *text = json_dumps(request, JSON_COMPACT), *answer = NULL;
    if (!text)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    enum err e = control_call(c->state, text, timeout_ms, &answer, d);
    free(text);
    if (e != ERR_OK)
        return e;
    json_t *reply = json_loads(answer, 0, NULL);
    free(answer);
    if (!json_is_object(reply)) {
        json_decref(reply);
        return diag_fail(d, ERR_INVALID, "the collector's answer is not a JSON object");
    }
    if (!json_is_true(json_object_get(reply, "ok"))) {
        const char *error = json_string_value(json_object_get(reply, "error"));
        diag_fail(d, ERR_DENIED, "%s", error ? error : "refused without a reason");
        json_decref(reply);
        return ERR_DENIED;
    }
    *out = reply;
    return ERR_OK;
}

// ---- the files of a collector that does not run -------------------------------------------------
static enum err load_counter(void *ctx, const char *name, int64_t agent_id, uint64_t value)
{
    enum collector_counter id;
    (void)agent_id;
    if (collector_counter_find(name, &id) == ERR_OK)
        collector_count(ctx, id, value);
    return ERR_OK;
}

static uint64_t observations_position(const char *state)
{
    struct observations_reader *o;
    uint64_t position = 0;
    if (observations_reader_open(state, &o, NULL) != ERR_OK)
        return 0;
    if (observations_reader_cursor(o, &position, NULL) != ERR_OK)
        position = 0;
    observations_reader_close(o);
    return position;
}

static enum err read_files(const struct collector_config *c, json_t **out, struct diag *d)
{
    struct counters *counters = calloc(1, sizeof *counters);
    struct reader *reader = NULL;
    uint64_t dirty = 0;
    if (!counters)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    collector_counters_init(counters);
    struct status_input in = {
        .state = "not running", .counters = counters, .now_us = clock_wall(clock_system()).us};
    enum err e = reader_open(c->state, &reader, d);
    if (e == ERR_NOT_FOUND)
        diag_fail(d, e, "there is no ledger in %s yet: no collector has run there", c->state);
    in.reader = reader;
    if (e == ERR_OK)
        e = reader_counters(reader, load_counter, counters, d);
    if (e == ERR_OK) {
        in.observations = observations_position(c->state);
        if (rrd_cursor_peek(c->state, &in.rrd, &dirty, NULL) == ERR_OK)
            collector_gauge_set(counters, GAUGE_RRD_DIRTY, (int64_t)dirty);
        e = collector_status_json(&in, out, d);
    }
    reader_close(reader);
    free(counters);
    return e;
}

enum err collector_fetch_status(const struct collector_config *c, json_t **out, bool *running, struct diag *d)
{
    json_t *request = json_pack("{s:s}", "command", "status");
    enum err e = collector_ask(c, request, ANSWER_MS, out, d);
    json_decref(request);
    *running = e == ERR_OK;
    return e == ERR_CLOSED ? read_files(c, out, d) : e;
}

int collector_command_status(const struct command_line *line, const struct collector_config *c)
{
    json_t *status = NULL;
    struct diag d = {0};
    struct buf text;
    bool running;
    enum err e = collector_fetch_status(c, &status, &running, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    if (line->json) {
        json_dumpf(status, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        buf_init(&text, 64u << 20);
        collector_status_print(status, &text);
        fputs(buf_str(&text), stdout);
        buf_deinit(&text);
    }
    json_decref(status);
    return EXIT_DONE;
}
