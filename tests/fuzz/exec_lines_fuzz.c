// What a program printed may be anything: words, JSON, half a line, no text at all. The first byte says how
// the run ended and of which class the source is. Every line that is no figure is a counted error.
#include "agent/sources/exec_lines.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_positions.h"
#include "tests/fuzz/fuzz_sources.h"

static size_t lines_with_something(const char *text, bool complete)
{
    size_t count = 0;
    while (*text) {
        size_t len = strcspn(text, "\n");
        bool ended = text[len] == '\n';
        if (!ended && !complete)
            break;
        // a carriage return before the end belongs to the end
        size_t part = len > 0 && text[len - 1] == '\r' ? len - 1 : len;
        count += strspn(text, " \t") < part;
        text += len + (ended ? 1 : 0);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fake_clock clock;
    struct agent_source source;
    struct counters *counters = NULL;
    struct harvest h;
    if (len == 0)
        return 0;
    uint8_t how = bytes[0];
    struct fuzz_positions *positions = fuzz_positions_create();
    fake_clock_init(&clock, INT64_C(1772366400000000));
    struct source_env env = fuzz_positions_env(positions, &clock.clock);
    fuzz_source(&source, NULL, how & 1 ? WIRE_REPORT : WIRE_MEASUREMENT);
    char *text = fuzz_string(bytes + 1, len - 1);
    for (size_t i = 0; i + 1 < len; i++)
        if (!text[i])
            text[i] = '?';
    size_t lines = lines_with_something(text, how & 2);
    harvest_init(&h);
    FUZZ_CHECK(counters_create(&source, &env, true, &counters) == ERR_OK);
    FUZZ_CHECK(exec_lines_read(&source, &env, counters, text, how & 2, INT64_C(1772366400), &h) == ERR_OK);
    fuzz_source_check(&source, &h);
    FUZZ_CHECK(h.count + h.errors + h.skipped == lines);
    fuzz_positions_apply(positions, &h);
    harvest_deinit(&h);
    counters_destroy(counters);
    fuzz_positions_destroy(positions);
    free(text);
    return 0;
}
