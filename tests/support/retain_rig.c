// The clock is moved to each batch's receipt, so that months go by in a second.
#include "tests/support/retain_rig.h"
#include "base/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static enum err submit(void *ctx, struct retain_job *job, struct diag *d)
{
    struct retain_rig *x = ctx;
    enum err e = x->submit_result;
    if (e == ERR_OK && x->jobs_left-- == 0) {
        x->jobs_left = 0;
        e = ERR_AGAIN;
    }
    if (e == ERR_OK)
        e = ledger_store_head(x->r->b->ledger, d);
    if (e == ERR_OK)
        e = committer_retain(x->r->b->committer, job, d);
    retain_job_destroy(job);
    x->jobs += e == ERR_OK ? 1 : 0;
    return e;
}

static uint64_t projected(void *ctx)
{
    const struct retain_rig *x = ctx;
    return x->projected;
}

static bool stopping(void *ctx)
{
    (void)ctx;
    return false;
}

void retain_reopen(struct retain_rig *x)
{
    struct diag d = {0};
    const struct retention_options o = {.reader = x->reader,
                                        .observations = x->observed,
                                        .catalogue = x->r->b->catalogue,
                                        .parks = &x->parks,
                                        .clock = &x->r->b->clock.clock,
                                        .counters = &x->r->b->counters,
                                        .raw_s = RETAIN_RAW_S,
                                        .settle_s = RETAIN_SETTLE_S,
                                        .submit = submit,
                                        .projected = projected,
                                        .stopping = stopping,
                                        .ctx = x};
    retention_destroy(x->retention);
    x->retention = NULL;
    assert_int_equal(retention_create(&o, &x->retention, &d), ERR_OK);
}

int retain_setup(void **state)
{
    void *r;
    struct diag d = {0};
    log_set_level(LOG_ERROR);
    if (rig_setup(&r) != 0)
        return -1;
    struct retain_rig *x = calloc(1, sizeof *x);
    assert_non_null(x);
    x->r = r;
    bench_declare(x->r->b, 4, "out_units/clock", "piece", WIRE_MEASUREMENT);
    x->projected = UINT64_MAX;
    x->jobs_left = UINT32_MAX;
    if (parks_load("deploy/parks", x->r->b->catalogue, &x->parks, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(reader_open(x->r->b->folder.path, &x->reader, &d), ERR_OK);
    assert_int_equal(observations_reader_open(x->r->b->folder.path, &x->observed, &d), ERR_OK);
    retain_reopen(x);
    *state = x;
    return 0;
}

int retain_teardown(void **state)
{
    struct retain_rig *x = *state;
    void *r = x->r;
    retention_destroy(x->retention);
    observations_reader_close(x->observed);
    reader_close(x->reader);
    parks_free(&x->parks);
    free(x);
    return rig_teardown(&r);
}

bool retain_step(struct retain_rig *x)
{
    struct diag d = {0};
    bool did = false;
    enum err e = retention_step(x->retention, &did, &d);
    if (e != ERR_OK)
        fail_msg("retention: %s: %s", err_name(e), d.text);
    return did;
}

void retain_run(struct retain_rig *x, bool forgetful)
{
    int idle = 0;
    for (int i = 0; i < 2000 && idle < 2; i++) {
        rig_observe(x->r);
        if (forgetful)
            retain_reopen(x);
        idle = retain_step(x) ? 0 : idle + 1;
        fake_clock_advance_us(&x->r->b->clock, RETENTION_LOOK_S * US_PER_S);
    }
    assert_int_equal(idle, 2);
}

// ---- figures ------------------------------------------------------------------------------------
int64_t retain_integer(int64_t end_s, int i, int64_t base)
{
    return base + (end_s / 3600 * 31 + i * 7) % 1000;
}

double retain_real(int64_t end_s, int i, int64_t base)
{
    return (double)base * 0.1 + (double)((end_s / 3600 * 17 + i * 13) % 977) / 7.0;
}

void retain_put_hour(struct retain_rig *x, int64_t end_s, int64_t received_s, int64_t base)
{
    struct wire_sample samples[2 * RETAIN_STEPS];
    struct fake_clock *clock = &x->r->b->clock;
    size_t count = 0;
    for (int i = 0; i < RETAIN_STEPS; i++) {
        int64_t time = end_s - 3600 + (i + 1) * 10;
        samples[count] = bench_sample(0, time, retain_integer(end_s, i, base));
        samples[count + 1] = (struct wire_sample){.series = 3, .time = time};
        assert_int_equal(figure_from_real(retain_real(end_s, i, base), &samples[count + 1].value), ERR_OK);
        if (retain_gap(i))
            samples[count].value = samples[count + 1].value = figure_missing();
        count += 2;
    }
    int64_t now_us = clock_wall(&clock->clock).us;
    if (received_s * US_PER_S > now_us)
        fake_clock_advance_us(clock, received_s * US_PER_S - now_us);
    rig_put(x->r, WIRE_MEASUREMENT, samples, count);
}

void retain_go_to(struct retain_rig *x, int64_t time_s)
{
    int64_t now_us = clock_wall(&x->r->b->clock.clock).us;
    assert_true(time_s * US_PER_S > now_us);
    fake_clock_advance_us(&x->r->b->clock, time_s * US_PER_S - now_us);
    rig_put_one(x->r, 4, time_s / 10 * 10, 1);
}

// ---- rebuilding ---------------------------------------------------------------------------------
void retain_rebuild(struct retain_rig *x)
{
    char path[RRD_PATH_MAX];
    uint64_t count = 0;
    struct diag d = {0};
    struct rig *r = x->r;
    for (int64_t id = 1; id <= 5; id++) {
        rig_file(r, id, path);
        (void)unlink(path);
    }
    assert_int_equal(observations_reset(r->observer, &d), ERR_OK);
    rig_observe(r);
    assert_int_equal(rrd_writer_rebuild(r->writer, "", &count, &d), ERR_OK);
    assert_int_equal(count, 5);
    rig_settle(r);
}

struct archived {
    double *out;
    size_t count, max;
};

static enum err take(void *ctx, int64_t time, double value)
{
    struct archived *a = ctx;
    (void)time;
    assert_true(a->count < a->max);
    a->out[a->count++] = value;
    return ERR_OK;
}

size_t retain_archived(struct retain_rig *x, int64_t series_id, uint32_t step_s, int64_t from, int64_t to,
                       double *out, size_t max)
{
    static const char *const functions[] = {"AVERAGE", "MIN", "MAX"};
    struct archived a = {.max = max};
    a.out = out;
    char path[RRD_PATH_MAX];
    struct diag d = {0};
    rig_file(x->r, series_id, path);
    for (size_t i = 0; i < 3; i++) {
        uint32_t step = step_s;
        if (rrd_file_fetch(path, functions[i], from, to, &step, take, &a, &d) != ERR_OK)
            fail_msg("%s", d.text);
        assert_int_equal(step, step_s);
    }
    return a.count;
}
