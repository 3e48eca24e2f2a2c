// One writer, one observer, one ledger; nothing moves but when a test says so.
#include "tests/support/rrd_rig.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum err rig_open_writer(struct rig *r)
{
    struct diag d = {0};
    struct rrd_writer_options o = {.state = r->b->folder.path,
                                   .reader = r->reader,
                                   .observations = r->observed,
                                   .clock = &r->b->clock.clock,
                                   .counters = &r->b->counters};
    return rrd_writer_open(&o, &r->writer, &d);
}

static void open_parts(struct rig *r)
{
    struct diag d = {0};
    assert_int_equal(reader_open(r->b->folder.path, &r->reader, &d), ERR_OK);
    assert_int_equal(observations_open(r->b->folder.path, &r->observer, &d), ERR_OK);
    assert_int_equal(observations_reader_open(r->b->folder.path, &r->observed, &d), ERR_OK);
    assert_int_equal(rig_open_writer(r), ERR_OK);
}

static void close_parts(struct rig *r)
{
    rrd_writer_close(r->writer);
    observations_reader_close(r->observed);
    observations_close(r->observer);
    reader_close(r->reader);
}

int rig_setup(void **state)
{
    void *b;
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    *state = r;
    if (bench_setup(&b) != 0)
        return -1;
    r->b = b;
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT); // series 1
    bench_declare(b, 1, "jobs_total", "person", WIRE_REPORT);          // series 2, months
    bench_declare(b, 2, "inv", "money", WIRE_REPORT);                  // series 3, months
    bench_declare(b, 3, "out_units/pumps", "piece", WIRE_MEASUREMENT); // series 4
    open_parts(r);
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *r = *state;
    void *b = r->b;
    close_parts(r);
    free(r);
    return bench_teardown(&b);
}

void rig_observe(struct rig *r)
{
    size_t rows = 1;
    struct diag d = {0};
    while (rows > 0)
        assert_int_equal(observations_advance(r->observer, r->reader, 100, &rows, &d), ERR_OK);
}

size_t rig_step(struct rig *r)
{
    size_t did;
    struct diag d = {0};
    if (rrd_writer_step(r->writer, &did, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return did;
}

// Until there is nothing left to do, waiting out the pauses between rebuilds.
void rig_settle(struct rig *r)
{
    rig_observe(r);
    for (int i = 0; i < 50; i++) {
        if (rig_step(r) == 0 && rrd_writer_dirty(r->writer) == 0)
            return;
        fake_clock_advance_us(&r->b->clock, US_PER_S);
    }
    fail_msg("the writer never settles");
}

void rig_put(struct rig *r, enum wire_class class, const struct wire_sample *s, size_t count)
{
    bench_clear(r->b);
    bench_batch(r->b, ++r->sequence, class, s, count);
    (void)bench_reply(r->b, r->b->reply_count - 1, WIRE_ACK);
}

void rig_put_one(struct rig *r, uint32_t series, int64_t time, int64_t value)
{
    struct wire_sample s = bench_sample(series, time, value);
    rig_put(r, series == 1 || series == 2 ? WIRE_REPORT : WIRE_MEASUREMENT, &s, 1);
}

void rig_put_missing(struct rig *r, uint32_t series, int64_t time)
{
    struct wire_sample s = {.series = series, .time = time, .value = figure_missing()};
    rig_put(r, series == 1 || series == 2 ? WIRE_REPORT : WIRE_MEASUREMENT, &s, 1);
}

void rig_file(struct rig *r, int64_t series_id, char path[RRD_PATH_MAX])
{
    assert_int_equal(rrd_path(r->b->folder.path, series_id, path), ERR_OK);
}

struct wanted {
    int64_t time;
    double value;
    bool found;
};

static enum err find(void *ctx, int64_t time, double value)
{
    struct wanted *w = ctx;
    if (time == w->time) {
        w->value = value;
        w->found = true;
    }
    return ERR_OK;
}

double rig_shown(struct rig *r, int64_t series_id, uint32_t step_s, int64_t time)
{
    char path[RRD_PATH_MAX];
    struct wanted w = {.time = time, .value = NAN};
    uint32_t got = step_s;
    struct diag d = {0};
    rig_file(r, series_id, path);
    if (rrd_file_fetch(path, "AVERAGE", time - step_s, time, &got, find, &w, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(got, step_s);
    assert_true(w.found);
    return w.value;
}

uint64_t rig_counted(const struct rig *r, enum collector_counter id)
{
    return bench_counted(r->b, id);
}

int64_t rig_gauge(const struct rig *r, enum collector_gauge id)
{
    return collector_gauge(&r->b->counters, id);
}

void rig_restart(struct rig *r, bool clean)
{
    struct diag d = {0};
    if (clean)
        assert_int_equal(rrd_writer_stop(r->writer, true, &d), ERR_OK);
    rrd_writer_close(r->writer);
    assert_int_equal(rig_open_writer(r), ERR_OK);
}

void rig_fill(struct rig *r)
{
    for (int i = 0; i < 6; i++)
        rig_put_one(r, 0, T0 + i * 10, i + 1);
    rig_settle(r);
}

void rig_check_filled(struct rig *r)
{
    for (int i = 0; i < 6; i++)
        assert_shows(r, T0 + i * 10, i + 1);
}
