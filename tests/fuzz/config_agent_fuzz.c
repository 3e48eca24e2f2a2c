// Any text as agent.yaml. What loads must be whole: every source with what its kind needs, every series fit
// to be declared.
#include "agent/config.h"
#include "kpi/series.h"
#include "tests/fuzz/fuzz.h"

static void look_at_series(const struct agent_source *source, const struct agent_series *s)
{
    struct series_name name;
    memset(&name, 0, sizeof name);
    FUZZ_CHECK(series_parse_kpi(s->declared, &name) == ERR_OK);
    FUZZ_CHECK(s->name && s->unit && s->currency && s->class == source->class);
    FUZZ_CHECK((s->money != NULL) == (s->currency[0] != '\0'));
    if (s->class == WIRE_REPORT)
        FUZZ_CHECK(s->step_s == 0 && s->period >= PERIOD_DAY && s->period <= PERIOD_YEAR);
    else
        FUZZ_CHECK(s->step_s >= WIRE_STEP_MIN_S && s->step_s <= WIRE_STEP_MAX_S && 3600 % s->step_s == 0);
}

static void look_at(const struct agent_config *c)
{
    FUZZ_CHECK(c->endpoint && c->state && c->source_count <= AGENT_SOURCES_MAX);
    FUZZ_CHECK(c->series_count <= AGENT_SERIES_MAX);
    for (size_t i = 0; i < c->source_count; i++) {
        const struct agent_source *s = &c->sources[i];
        FUZZ_CHECK(s->name[0] && strlen(s->name) <= AGENT_SOURCE_NAME_MAX && s->every_s > 0);
        FUZZ_CHECK(agent_source_kind_name(s->kind) && s->series_count > 0);
        if (s->kind == AGENT_SOURCE_EXEC)
            FUZZ_CHECK(s->argv && s->argv[0] && s->timeout_ms > 0);
        else if (s->kind == AGENT_SOURCE_HAND)
            FUZZ_CHECK(s->class == WIRE_REPORT && !s->path && !s->argv);
        else
            FUZZ_CHECK(s->path && s->separator && (s->decimal == '.' || s->decimal == ',') && s->time_column);
        for (size_t k = 0; k < s->series_count; k++)
            look_at_series(s, &s->series[k]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char path[FUZZ_PATH];
    struct agent_config *c = NULL;
    struct diag d = {""};
    fuzz_path("agent.yaml", path);
    fuzz_write(path, bytes, len);
    enum err e = agent_config_load(path, &c, &d);
    FUZZ_CHECK(e == ERR_OK || (e == ERR_INVALID && strncmp(d.text, path, strlen(path)) == 0));
    if (e == ERR_OK)
        look_at(c);
    agent_config_free(c);
    return 0;
}
