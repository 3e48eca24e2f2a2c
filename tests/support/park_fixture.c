#include "tests/support/park_fixture.h"
#include "base/fs.h"
#include "kpi/period.h"
#include "store/observations.h"
#include "store/rrd.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHUNK 400

struct wanted {
    const char *name, *unit, *currency;
    enum wire_class class;
    uint32_t step_s;
    enum period_kind period;
    double size;
};

static const struct wanted fridge[] = {
    {"yashnabad/fridge-plant/out_units/fridges", "piece", "", WIRE_MEASUREMENT, 10, PERIOD_NONE, 3},
    {"yashnabad/fridge-plant/energy_kwh", "kwh", "", WIRE_MEASUREMENT, 10, PERIOD_NONE, 7.5},
    {"yashnabad/fridge-plant/jobs_total", "person", "", WIRE_REPORT, 0, PERIOD_DAY, 412},
    {"yashnabad/fridge-plant/inv", "money", "UZS", WIRE_REPORT, 0, PERIOD_MONTH, 1234567890125},
};
static const struct wanted aztm[] = {
    {"aztm/rolling-mill/jobs_total", "person", "", WIRE_REPORT, 0, PERIOD_DAY, 840},
    {"aztm/rolling-mill/jobs_hq", "person", "", WIRE_REPORT, 0, PERIOD_MONTH, 14},
    {"aztm/rolling-mill/inv_private", "money", "USD", WIRE_REPORT, 0, PERIOD_MONTH, 90000000},
};
static const struct wanted rosstat[] = {
    {"penza/rosstat/kep/indpro_yoy", "percent", "", WIRE_REPORT, 0, PERIOD_MONTH, 0},
};

static struct ledger_series declare(struct store *s, const struct store_stream *t, uint32_t number,
                                    const struct wanted *w)
{
    struct ledger_series wanted = {.class = w->class, .step_s = w->step_s, .period = (uint32_t)w->period},
                         made;
    snprintf(wanted.name, sizeof wanted.name, "%s", w->name);
    snprintf(wanted.unit, sizeof wanted.unit, "%s", w->unit);
    snprintf(wanted.currency, sizeof wanted.currency, "%s", w->currency);
    store_begin(s);
    enum err e = ledger_declare(s->ledger, t->stream_id, number, &wanted, &made, &s->diag);
    if (e)
        fail_msg("declare %s: %s", w->name, s->diag.text);
    store_commit(s);
    return made;
}

static void append(struct store *s, struct store_stream *t, enum wire_class class,
                   const struct wire_sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i += CHUNK) {
        store_begin(s);
        store_append(s, t, class, samples + i, NULL, count - i < CHUNK ? count - i : CHUNK, NULL, 0);
        store_commit(s);
    }
}

static void rrd_file(struct store *s, const struct ledger_series *series, const struct rrd_value *values,
                     size_t count)
{
    char path[RRD_PATH_MAX], folder[RRD_PATH_MAX];
    assert_int_equal(rrd_path(s->folder, series->series_id, path), ERR_OK);
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(fs_make_dirs(folder, 0750, &s->diag), ERR_OK);
    uint32_t step = series->class == WIRE_REPORT ? 86400 : series->step_s;
    assert_int_equal(rrd_file_create(path, series, values[0].time - step, false, &s->diag), ERR_OK);
    enum err e = rrd_file_update(path, series, values, count, &s->diag);
    if (e)
        fail_msg("%s: %s", series->name, s->diag.text);
}

static double wave(int64_t i, double size)
{
    return size * (1 + 0.25 * sin((double)i / 90.0) + 0.1 * sin((double)i / 7.0));
}

static void fill_measured(struct store *s, struct store_stream *t, uint32_t number,
                          const struct ledger_series *series, const struct wanted *w, int hours)
{
    size_t count = (size_t)hours * 360, kept = 0;
    struct wire_sample *samples = calloc(count, sizeof *samples);
    struct rrd_value *values = calloc(count, sizeof *values);
    assert_true(samples && values);
    for (size_t i = 0; i < count; i++) {
        int64_t time = STORE_EPOCH - (int64_t)(count - 1 - i) * 10;
        double v = wave((int64_t)i, w->size);
        if (i > count / 2 && i < count / 2 + 60) // the data logger was off
            continue;
        values[kept] = (struct rrd_value){time, w->size < 5 ? round(v) : round(v * 8) / 8};
        samples[kept] =
            (struct wire_sample){.series = number, .time = time, .value = store_real(values[kept].value)};
        kept++;
    }
    append(s, t, WIRE_MEASUREMENT, samples, kept);
    rrd_file(s, series, values, kept);
    free(samples);
    free(values);
}

// Values of consecutive periods up to the last whole one before now.
static void fill_reports(struct store *s, struct store_stream *t, uint32_t number,
                         const struct ledger_series *series, const struct wanted *w)
{
    enum { PERIODS = 24 };
    struct wire_sample samples[PERIODS];
    static struct rrd_value values[PERIODS * 31 + 31];
    size_t count = 0;
    struct period p = period_previous(period_containing(w->period, (int32_t)(STORE_EPOCH / 86400)));
    for (int i = 1; i < PERIODS; i++)
        p = period_previous(p);
    for (int i = 0; i < PERIODS; i++, p = period_next(p)) {
        struct rrd_value days[366];
        size_t n;
        samples[i] = (struct wire_sample){
            .series = number, .time = p.start, .value = store_integer((int64_t)wave(i * 20, w->size))};
        rrd_report_values(series, p.start, samples[i].value, days, &n);
        memcpy(values + count, days, n * sizeof *days);
        count += n;
    }
    append(s, t, WIRE_REPORT, samples, PERIODS);
    rrd_file(s, series, values, count);
}

static void fill_statistics(struct store *s, struct store_stream *t, const struct ledger_series *series)
{
    static const double published[] = {92.2, 57.49999999999999, 104.1, 0.1, 101};
    struct rrd_value days[366], values[5 * 31];
    size_t n, count = 0;
    struct period p = {PERIOD_MONTH, civil_to_days((struct civil){2013, 8, 1})};
    for (size_t i = 0; i < 5; i++, p = period_next(p)) {
        const struct wire_sample sample = {.series = 0, .time = p.start, .value = store_real(published[i])};
        append(s, t, WIRE_REPORT, &sample, 1);
        rrd_report_values(series, p.start, sample.value, days, &n);
        memcpy(values + count, days, n * sizeof *days);
        count += n;
    }
    // the third month is corrected, with a reason
    const struct wire_sample correction = {
        .series = 0, .time = civil_to_days((struct civil){2013, 10, 1}), .value = store_real(104.3)};
    const struct wire_note note = {
        .status = WIRE_PROVISIONAL, .reason = "<b>late & corrected</b>", .author = "Rosstat", .currency = ""};
    fake_clock_advance_us(&s->clock, 3600 * US_PER_S);
    store_begin(s);
    store_append(s, t, WIRE_REPORT, &correction, &note, 1, NULL, 0);
    store_commit(s);
    rrd_file(s, series, values, count);
}

void park_fixture_observe(struct store *s)
{
    struct observations *o = NULL;
    struct reader *r = NULL;
    size_t rows = 1;
    assert_int_equal(observations_open(s->folder, &o, &s->diag), ERR_OK);
    assert_int_equal(reader_open(s->folder, &r, &s->diag), ERR_OK);
    while (rows > 0) {
        enum err e = observations_advance(o, r, 1000, &rows, &s->diag);
        if (e)
            fail_msg("observe: %s", s->diag.text);
    }
    reader_close(r);
    observations_close(o);
}

static void fill_resident(struct store *s, const char *resident, uint8_t seed, const struct wanted *w,
                          size_t count, int hours)
{
    struct store_stream t = store_agent(s, resident, seed);
    struct ledger_series series[8];
    for (size_t i = 0; i < count; i++)
        series[i] = declare(s, &t, (uint32_t)i, &w[i]);
    for (size_t i = 0; i < count; i++) {
        if (w[i].class == WIRE_MEASUREMENT)
            fill_measured(s, &t, (uint32_t)i, &series[i], &w[i], hours);
        else if (w[i].size > 0)
            fill_reports(s, &t, (uint32_t)i, &series[i], &w[i]);
        else
            fill_statistics(s, &t, &series[i]);
    }
}

void park_fixture_fill(struct store *s, int hours)
{
    fill_resident(s, "yashnabad/fridge-plant", 1, fridge, sizeof fridge / sizeof *fridge, hours);
    fill_resident(s, "aztm/rolling-mill", 2, aztm, sizeof aztm / sizeof *aztm, hours);
    fill_resident(s, "penza/rosstat", 3, rosstat, 1, hours);
    park_fixture_observe(s);
}

// A new incarnation each time: the stream's own is not kept.
static struct store_stream more_of(struct store *s, const struct wanted *w, struct ledger_series *declared)
{
    static uint8_t seed = 100;
    struct reader *r = NULL;
    const struct ledger_series *series;
    struct ledger_stream stream;
    struct store_stream t = {.key_id = 1};
    memset(t.incarnation.bytes, ++seed, sizeof t.incarnation.bytes);
    assert_int_equal(reader_open(s->folder, &r, &s->diag), ERR_OK);
    assert_int_equal(reader_series_by_name(r, w->name, &series, &s->diag), ERR_OK);
    store_begin(s);
    assert_int_equal(ledger_stream_open(s->ledger, series->agent_id, &t.incarnation, &stream, &s->diag),
                     ERR_OK);
    store_commit(s);
    t.stream_id = stream.stream_id;
    t.agent_id = series->agent_id;
    reader_close(r);
    *declared = declare(s, &t, 0, w);
    return t;
}

void park_fixture_add(struct store *s, int64_t time, int64_t pieces)
{
    char path[RRD_PATH_MAX];
    struct ledger_series declared;
    struct store_stream t = more_of(s, &fridge[0], &declared);
    store_one(s, &t, WIRE_MEASUREMENT, 0, time, store_integer(pieces));
    assert_int_equal(rrd_path(s->folder, declared.series_id, path), ERR_OK);
    assert_int_equal(rrd_file_update(path, &declared, &(struct rrd_value){time, (double)pieces}, 1, &s->diag),
                     ERR_OK);
    park_fixture_observe(s);
}

void park_fixture_invest(struct store *s, int32_t day, int64_t minor, const char *currency)
{
    struct ledger_series declared;
    struct store_stream t = more_of(s, &fridge[3], &declared);
    const struct wire_sample sample = {.series = 0, .time = day, .value = store_integer(minor)};
    const struct wire_note note = {.reason = "", .author = "", .currency = currency};
    store_begin(s);
    store_append(s, &t, WIRE_REPORT, &sample, &note, 1, NULL, 0);
    store_commit(s);
    park_fixture_observe(s);
}
