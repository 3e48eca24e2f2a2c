// agents: one line a key, as the operator reads it from left to right: who, whether it is there, whether it
// is well.
#include "collector/commands.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int64_t int_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "-";
}

static void name_of(const json_t *a, char *out, size_t size)
{
    snprintf(out, size, "%s#%" PRId64, text_of(a, "resident"), int_of(a, "agent_id"));
}

static const char *state_of(const json_t *a)
{
    if (int_of(a, "revoked_us"))
        return "revoked";
    return json_is_true(json_object_get(a, "connected")) ? "connected" : "-";
}

static void print_agent(const json_t *a)
{
    char name[160], seen[WALL_TEXT] = "never", skew[32] = "-", spooled[32] = "-";
    const json_t *counters = json_object_get(a, "counters");
    int64_t us = int_of(a, "last_seen_us") ? int_of(a, "last_seen_us") : int_of(a, "last_received_us");
    name_of(a, name, sizeof name);
    if (us)
        wall_text((struct wall){us}, seen);
    if (json_is_integer(json_object_get(a, "clock_skew_ms")))
        snprintf(skew, sizeof skew, "%" PRId64, int_of(a, "clock_skew_ms"));
    if (json_is_object(counters))
        snprintf(spooled, sizeof spooled, "%" PRId64, int_of(counters, "spooled"));
    printf("%-40s %6" PRId64 " %-9s %-10s %-20s %9s %8s %11" PRId64 " %9" PRId64 " %9" PRId64 " %9" PRId64
           " %7" PRId64 "\n",
           name, int_of(a, "key_id"), state_of(a), text_of(a, "version"), seen, spooled, skew,
           int_of(a, "accepted"), int_of(a, "quarantined"), int_of(a, "gap"), int_of(a, "repeats"),
           int_of(counters, "source_errors"));
}

int collector_command_agents(const struct command_line *line, const struct collector_config *c)
{
    json_t *status = NULL, *a;
    struct diag d = {0};
    bool running;
    size_t i;
    enum err e = collector_fetch_status(c, &status, &running, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    const json_t *agents = json_object_get(status, "agents");
    if (line->json) {
        json_dumpf(agents, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        printf("%-40s %6s %-9s %-10s %-20s %9s %8s %11s %9s %9s %9s %7s\n", "agent", "key_id", "state",
               "version", "last_seen", "spooled", "skew_ms", "accepted", "refused", "gap", "repeats",
               "errors");
        json_array_foreach(agents, i, a) print_agent(a);
    }
    json_decref(status);
    return EXIT_DONE;
}
