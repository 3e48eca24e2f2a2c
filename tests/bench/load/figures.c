// Sample k is of series k % series at tick k / series: all series of a step, then the next step, as an
// agent's sampler makes them.
#include "tests/bench/load/figures.h"
#include <stdio.h>
#include <string.h>

static bool is_real(uint32_t number)
{
    return number % 4 == 3;
}

void figures_declare(const struct figures *f, uint32_t number, char name[FIGURES_NAME],
                     struct wire_declare *out)
{
    const bool real = is_real(number);
    snprintf(name, FIGURES_NAME, "%s/load-%u", real ? "energy_kwh" : "out_units", (unsigned)number);
    *out = (struct wire_declare){.number = number,
                                 .series = name,
                                 .unit = real ? "kwh" : "piece",
                                 .currency = "",
                                 .class = WIRE_MEASUREMENT,
                                 .step_s = f->step_s};
}

static struct figure value_of(const struct figures *f, uint32_t number, uint64_t tick)
{
    uint32_t v = (uint32_t)((tick * 2654435761u + number * 40503u + f->seed) >> 7) % 1000;
    struct figure out = {.kind = FIGURE_INTEGER, .integer = v};
    if (is_real(number) && v % 4 != 0)
        out = (struct figure){.kind = FIGURE_REAL, .real = v / 4.0};
    return out;
}

enum err figures_batch(const struct figures *f, struct wire_builder *b, const struct wire_incarnation *i,
                       uint64_t sequence, struct buf *out)
{
    uint64_t first = (sequence - 1) * f->samples, tick = first / f->series;
    uint32_t number = (uint32_t)(first % f->series);
    char reason[WIRE_REASON_MAX + 1] = "";
    const struct wire_note note = {.reason = reason, .author = "", .currency = ""};
    memset(reason, 'r', f->reason < sizeof reason ? f->reason : sizeof reason - 1);
    wire_builder_reset(b, WIRE_MEASUREMENT, WIRE_MESSAGE_MAX_BYTES);
    for (uint32_t n = 0; n < f->samples; n++) {
        const struct wire_sample s = {.series = number,
                                      .time = f->begin_s + (int64_t)(tick + 1) * f->step_s,
                                      .value = value_of(f, number, tick)};
        enum err e = wire_builder_add(b, &s, f->reason ? &note : NULL);
        if (e != ERR_OK)
            return e;
        if (++number == f->series) {
            number = 0;
            tick++;
        }
    }
    return wire_builder_finish(b, i, sequence, out);
}

uint64_t figures_until(const struct figures *f, int64_t now_s)
{
    uint64_t ticks = now_s > f->begin_s ? (uint64_t)(now_s - f->begin_s) / f->step_s : 0;
    return ticks * f->series / f->samples;
}
