// See fuzz_sources.h.
#include "tests/fuzz/fuzz_sources.h"
#include "tests/fuzz/fuzz.h"
#include <math.h>

static const char *argv[] = {"/bin/true", NULL};

#define MEASURED(n, k, u, s)                                                                                 \
    {                                                                                                        \
        .name = (n), .declared = (k), .unit = (u), .currency = "", .class = WIRE_MEASUREMENT, .step_s = (s)  \
    }
#define REPORTED(n, k, u, p)                                                                                 \
    {                                                                                                        \
        .name = (n), .declared = (k), .unit = (u), .currency = "", .class = WIRE_REPORT, .period = (p)       \
    }

void fuzz_source(struct agent_source *out, const char *path, enum wire_class class)
{
    static const struct agent_series measured[] = {
        MEASURED("out", "out_units/rolls", "piece", 10),
        MEASURED("kwh", "energy_kwh", "kwh", 60),
        MEASURED("busy", "apt_s", "second", 3600),
    };
    static struct agent_series reported[] = {
        REPORTED("staff", "jobs_total", "person", PERIOD_MONTH),
        REPORTED("invested", "inv", "money", PERIOD_QUARTER),
        REPORTED("share", "local_content", "percent", PERIOD_DAY),
        REPORTED("year", "out_units/rolls", "piece", PERIOD_YEAR),
    };
    reported[1].currency = "KZT";
    reported[1].money = currency_find("KZT");
    bool report = class == WIRE_REPORT;
    *out = (struct agent_source){
        .name = "machines",
        .kind = path ? AGENT_SOURCE_CSV : AGENT_SOURCE_EXEC,
        .class = class,
        .every_s = 10,
        .timeout_ms = 1000,
        .argv = argv,
        .path = path,
        .separator = ',',
        .decimal = '.',
        .time_column = "time",
        .series_count = report ? 4 : 3,
        .series = report ? reported : measured,
    };
}

static void look_at(const struct agent_series *s, const struct harvest_sample *sample)
{
    struct figure f = sample->value;
    FUZZ_CHECK(f.kind != FIGURE_REAL || isfinite(f.real));
    FUZZ_CHECK(f.kind != FIGURE_INTEGER ||
               (f.integer <= FIGURE_INTEGER_MAX && f.integer >= -FIGURE_INTEGER_MAX));
    FUZZ_CHECK(!s->money || f.kind != FIGURE_REAL);
    if (s->class == WIRE_MEASUREMENT)
        FUZZ_CHECK(sample->time % (int64_t)s->step_s == 0);
    else
        FUZZ_CHECK(sample->time <= CIVIL_DAY_MAX && period_is_start(s->period, (int32_t)sample->time));
}

void fuzz_source_check(const struct agent_source *source, const struct harvest *h)
{
    char first[480];
    for (size_t i = 0; i < h->count; i++) {
        FUZZ_CHECK(h->samples[i].series < source->series_count);
        look_at(&source->series[h->samples[i].series], &h->samples[i]);
    }
    harvest_first_error(h, first, sizeof first);
    FUZZ_CHECK((h->errors > 0) == (first[0] != '\0'));
    FUZZ_CHECK(h->messages.len <= HARVEST_MESSAGES_MAX);
}
