// From an enterprise's file over a bad network into months that are rolled up, dropped, deleted and built
// again: the figures are those of the file.
#include "collector/retention.h"
#include "store/reader_keep.h"
#include "store/rrd.h"
#include "tests/flow/flow.h"
#include "tests/support/cmocka.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECES "testpark/plant/out_units/pumps"
#define KWH    "testpark/plant/energy_kwh"
#define START  (FLOW_START_US / US_PER_S)
#define MARCH  (START + INT64_C(59) * FLOW_DAY_S)
#define DAYS   103
#define ROWS   300 // more than half of an hour, so that librrd shows it
#define RAW_S  (INT64_C(40) * FLOW_DAY_S)

static const struct weather bad = {50, 50, 100, 2000};

struct keeping {
    struct flow f;
    struct reader *reader;
    struct observations_reader *observed;
    struct parks parks;
    struct retention *retention;
};

static void fine(enum err e, const struct diag *d)
{
    if (e != ERR_OK)
        fail_msg("%s: %s", err_name(e), d->text);
}

// ---- retention beside the collector -------------------------------------------------------------
static enum err submit(void *ctx, struct retain_job *job, struct diag *d)
{
    struct keeping *k = ctx;
    fine(ledger_store_head(k->f.collector.ledger, d), d);
    enum err e = committer_retain(k->f.collector.committer, job, d);
    retain_job_destroy(job);
    return e;
}

static uint64_t projected(void *ctx)
{
    const struct keeping *k = ctx;
    return ledger_position(k->f.collector.ledger);
}

static bool stopping(void *ctx)
{
    (void)ctx;
    return false;
}

static void open_retention(struct keeping *k)
{
    struct diag d = {0};
    fine(parks_load("deploy/parks", k->f.collector.catalogue, &k->parks, &d), &d);
    fine(reader_open(k->f.state_path, &k->reader, &d), &d);
    fine(observations_reader_open(k->f.state_path, &k->observed, &d), &d);
    const struct retention_options o = {.reader = k->reader,
                                        .observations = k->observed,
                                        .catalogue = k->f.collector.catalogue,
                                        .parks = &k->parks,
                                        .clock = &k->f.clock.clock,
                                        .counters = &k->f.collector.counters,
                                        .raw_s = RAW_S,
                                        .submit = submit,
                                        .projected = projected,
                                        .stopping = stopping,
                                        .ctx = k};
    fine(retention_create(&o, &k->retention, &d), &d);
}

static void close_retention(struct keeping *k)
{
    retention_destroy(k->retention);
    observations_reader_close(k->observed);
    reader_close(k->reader);
    parks_free(&k->parks);
}

static void retain(struct keeping *k)
{
    struct diag d = {0};
    bool did = true;
    for (int i = 0; did && i < 1000; i++) {
        collector_side_project(&k->f.collector);
        fine(retention_step(k->retention, &did, &d), &d);
    }
    assert_false(did);
}

// ---- the enterprise's figures -------------------------------------------------------------------
static int64_t pieces_at(int64_t time)
{
    return time / 10 * 7919 % 100003;
}

static double kwh_at(int64_t time)
{
    return (double)(time / 10 * 104729 % 1000003) / 128 + 1.0 / 3;
}

static void append_hour(struct flow *f, int64_t begin)
{
    for (int i = 1; i <= ROWS; i++) {
        int64_t t = begin + i * 10;
        flow_append(f, "machines.csv", "%lld,%lld,%.17g\n", (long long)t, (long long)pieces_at(t), kwh_at(t));
    }
}

// Every sixth day an hour, one figure of which is wrong at first.
static void fill(struct flow *f)
{
    for (int64_t day = 0; day < DAYS; day += 6) {
        int64_t at = START + day * FLOW_DAY_S;
        int64_t now_us = f->clock.wall_us;
        if ((at + 7200) * US_PER_S > now_us)
            fake_clock_advance_us(&f->clock, (at + 7200) * US_PER_S - now_us);
        append_hour(f, at + 3600);
        flow_append(f, "machines.csv", "%lld,999999,0.5\n", (long long)at + 3610); // corrected at once
        flow_append(f, "machines.csv", "%lld,%lld,%.17g\n", (long long)at + 3610,
                    (long long)pieces_at(at + 3610), kwh_at(at + 3610));
        flow_settle(f);
    }
    flow_run(f, 120);
    collector_side_project(&f->collector);
}

// ---- what is shown ------------------------------------------------------------------------------
struct shown {
    double at[4000];
    size_t count;
};

static enum err take_value(void *ctx, int64_t time, double value)
{
    struct shown *s = ctx;
    (void)time;
    assert_true(s->count < sizeof s->at / sizeof *s->at);
    s->at[s->count++] = value;
    return ERR_OK;
}

static const struct ledger_series *series_of(struct keeping *k, const char *name)
{
    const struct ledger_series *s = NULL;
    struct diag d = {0};
    fine(reader_series_by_name(k->reader, name, &s, &d), &d);
    return s;
}

static void fetch(struct keeping *k, const char *name, uint32_t step_s, const char *function,
                  struct shown *out)
{
    char path[RRD_PATH_MAX];
    struct diag d = {0};
    uint32_t step = step_s;
    out->count = 0;
    assert_int_equal(rrd_path(k->f.state_path, series_of(k, name)->series_id, path), ERR_OK);
    fine(rrd_file_fetch(path, function, START, START + DAYS * FLOW_DAY_S, &step, take_value, out, &d), &d);
    assert_int_equal(step, step_s);
}

enum { VIEWS = 12 };
static void fetch_all(struct keeping *k, struct shown out[VIEWS])
{
    static const char *const functions[] = {"AVERAGE", "MIN", "MAX"};
    for (size_t i = 0; i < VIEWS; i++)
        fetch(k, i < 6 ? PIECES : KWH, i % 2 ? 86400 : 3600, functions[i / 2 % 3], &out[i]);
}

static size_t check_same(const struct shown *was, const struct shown *is)
{
    size_t known = 0;
    for (size_t v = 0; v < VIEWS; v++) {
        assert_int_equal(was[v].count, is[v].count);
        for (size_t i = 0; i < was[v].count; i++) {
            double a = was[v].at[i], b = is[v].at[i];
            bool same = v < 6 ? a == b : fabs(a - b) <= 1e-12 * fabs(a);
            if (isnan(a) ? !isnan(b) : !same)
                fail_msg("view %zu, value %zu: %.17g became %.17g", v, i, a, b);
            known += isnan(a) ? 0 : 1;
        }
    }
    return known;
}

struct exact {
    size_t cells, points;
    bool reals;
};

static enum err check_point(void *ctx, const struct point *p)
{
    struct exact *x = ctx;
    if (!p->cell) {
        assert_true(x->reals ? figure_to_real(p->value) == kwh_at(p->time)
                             : p->value.integer == pieces_at(p->time));
        x->points++;
        return ERR_OK;
    }
    int64_t whole = 0;
    long double sum = 0;
    for (int i = 1; i <= ROWS; i++) {
        whole += pieces_at(p->time - 3600 + i * 10);
        sum += (long double)kwh_at(p->time - 3600 + i * 10);
    }
    assert_int_equal(p->cell->known, ROWS);
    assert_int_equal(p->cell->missing, 0);
    if (x->reals)
        assert_true(fabsl((long double)p->cell->sum.high + (long double)p->cell->sum.low - sum) < 1e-12L);
    else
        assert_int_equal(p->cell->sum.whole, whole);
    x->cells++;
    return ERR_OK;
}

static void check_exact(struct keeping *k)
{
    struct diag d = {0};
    for (int i = 0; i < 2; i++) {
        struct exact x = {.reals = i == 1};
        fine(points_read(k->observed, k->reader, series_of(k, i ? KWH : PIECES), START,
                         START + DAYS * FLOW_DAY_S, 100000, check_point, &x, &d),
             &d);
        assert_int_equal(x.cells, 10); // days 0 to 54
        assert_int_equal(x.points, 8 * ROWS);
    }
}

static void print_damage(void *ctx, const char *text)
{
    (void)ctx;
    print_error("%s\n", text);
}

static void check_ledger(struct keeping *k, uint64_t quarantined)
{
    struct reader_verified v;
    struct diag d = {0};
    fine(reader_verify(k->reader, print_damage, NULL, &v, &d), &d);
    assert_int_equal(v.damaged, 0);
    assert_true(v.sealed_rows > 0);
    const struct wire_counters c = spool_peek(k->f.agent.spool)->counters;
    assert_int_equal(c.sampled,
                     collector_counted(&k->f.collector.counters, COUNTER_SAMPLES_ACCEPTED) + quarantined);
    assert_int_equal(collector_counted(&k->f.collector.counters, COUNTER_SAMPLES_QUARANTINED), quarantined);
}

// ---- the story ----------------------------------------------------------------------------------
static void delete_projections(struct keeping *k)
{
    static const char *const files[] = {"observations.sqlite", "observations.sqlite-wal",
                                        "observations.sqlite-shm"};
    char path[RRD_PATH_MAX];
    for (int64_t id = 1; id <= 2; id++) {
        assert_int_equal(rrd_path(k->f.state_path, id, path), ERR_OK);
        assert_int_equal(unlink(path), 0);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", k->f.state_path, files[i]);
        (void)unlink(path);
    }
}

static void rebuild(struct keeping *k)
{
    uint64_t count = 0;
    struct diag d = {0};
    close_retention(k);
    collector_side_close(&k->f.collector);
    delete_projections(k);
    collector_side_open(&k->f.collector);
    collector_side_project(&k->f.collector);
    fine(rrd_writer_rebuild(k->f.collector.rrd, "", &count, &d), &d);
    for (int i = 0; i < 100 && rrd_writer_dirty(k->f.collector.rrd) > 0; i++) {
        fake_clock_advance_us(&k->f.clock, 10 * US_PER_S);
        collector_side_project(&k->f.collector);
    }
    assert_int_equal(rrd_writer_dirty(k->f.collector.rrd), 0);
    open_retention(k);
}

static void months_that_were_dropped_are_rebuilt_as_they_were(void **state)
{
    static struct keeping k;
    static struct shown before[VIEWS], after[VIEWS];
    (void)state;
    flow_open(&k.f, 11, bad);
    fill(&k.f);
    open_retention(&k);
    fetch_all(&k, before);
    retain(&k);
    struct ledger_kept kept = ledger_kept(k.f.collector.ledger);
    assert_int_equal(kept.dropped_until_s, MARCH);
    check_exact(&k);
    rebuild(&k);
    fetch_all(&k, after);
    assert_true(check_same(before, after) >= 17 * 6); // the last hour may not be over
    check_exact(&k);
    check_ledger(&k, 0);
    // January is over: what comes now is refused, and the agent does not send it for ever.
    flow_append(&k.f, "machines.csv", "%lld,1,1\n", (long long)START + 5000);
    flow_settle(&k.f);
    assert_int_equal(collector_counted(&k.f.collector.counters, COUNTER_REFUSED_TOO_OLD), 2);
    check_exact(&k);
    check_ledger(&k, 2);
    close_retention(&k);
    flow_close(&k.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_that_were_dropped_are_rebuilt_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
