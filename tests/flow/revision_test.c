// Figures that come late or are corrected: every revision is kept, and the round-robin file shows the latest.
#include "store/rrd.h"
#include "tests/flow/flow.h"
#include "tests/flow/stored.h"
#include "tests/support/cmocka.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define STAFF    "testpark/plant/jobs_total"
#define INVESTED "testpark/plant/inv"
#define PIECES   "testpark/plant/out_units/pumps"

static const struct weather fair = {0, 0, 0, 0};

static const struct ledger_series *series_of(struct flow *f, const char *name)
{
    struct diag d = {""};
    const struct ledger_series *s = NULL;
    if (reader_series_by_name(f->collector.observer_reader, name, &s, &d) != ERR_OK)
        fail_msg("%s: %s", name, d.text);
    return s;
}

struct revisions {
    size_t count;
    int64_t value[8];
    uint32_t revision[8];
};
static enum err visit_revision(void *ctx, const struct observation *o)
{
    struct revisions *r = ctx;
    assert_true(r->count < 8);
    r->revision[r->count] = o->revision;
    r->value[r->count++] = o->value.kind == FIGURE_INTEGER ? o->value.integer : -1;
    return ERR_OK;
}

// as_of_us 0: all revisions; else the one known then.
static struct revisions revisions_of(struct flow *f, const char *name, const char *period, int64_t as_of_us)
{
    struct diag d = {""};
    struct period p;
    struct revisions r = {0};
    assert_int_equal(period_parse(period, &p), ERR_OK);
    const struct observation_query q = {.series_id = series_of(f, name)->series_id,
                                        .from = p.start,
                                        .to = p.start + 1,
                                        .all_revisions = as_of_us == 0,
                                        .as_of_us = as_of_us};
    assert_int_equal(observations_query(f->collector.points, &q, visit_revision, &r, &d), ERR_OK);
    return r;
}

struct fetched {
    int64_t time;
    double value;
};
static enum err visit_value(void *ctx, int64_t time, double value)
{
    struct fetched *want = ctx;
    if (time == want->time)
        want->value = value;
    return ERR_OK;
}

// The file's value of the step that ends at `time`; NaN: unknown.
static double in_file(struct flow *f, const char *name, int64_t time)
{
    struct diag d = {""};
    const struct ledger_series *s = series_of(f, name);
    char path[RRD_PATH_MAX];
    uint32_t step = s->step_s ? s->step_s : FLOW_DAY_S;
    struct fetched got = {.time = time, .value = NAN};
    assert_int_equal(rrd_path(f->state_path, s->series_id, path), ERR_OK);
    if (rrd_file_fetch(path, "AVERAGE", time - (int64_t)step, time, &step, visit_value, &got, &d) != ERR_OK)
        fail_msg("%s: %s", path, d.text);
    return got.value;
}

static int64_t day_end(const char *day)
{
    struct period p;
    assert_int_equal(period_parse(day, &p), ERR_OK);
    return ((int64_t)p.start + 1) * FLOW_DAY_S;
}

static void a_corrected_report_is_a_revision_and_the_file_follows(void **state)
{
    (void)state;
    struct flow f;
    flow_open(&f, 5, fair);
    flow_append(&f, "reports.csv", "2025-10,310,1200000.50\n2025-11,312,0.01\n");
    flow_settle(&f);
    int64_t first_known_us = f.clock.wall_us;
    assert_int_equal((int64_t)in_file(&f, STAFF, day_end("2025-10-31")), 310);
    flow_run(&f, 86400);
    flow_append(&f, "reports.csv", "2025-10,308,1200000.49\n2025-12,315,7\n");
    flow_settle(&f);
    struct revisions all = revisions_of(&f, STAFF, "2025-10", 0);
    assert_int_equal(all.count, 2);
    assert_int_equal(all.value[0], 310);
    assert_int_equal(all.value[1], 308);
    assert_int_equal(all.revision[1], 2);
    assert_int_equal(revisions_of(&f, STAFF, "2025-10", first_known_us).value[0], 310);
    assert_int_equal(revisions_of(&f, INVESTED, "2025-10", 0).value[1], 120000049);
    assert_int_equal(revisions_of(&f, STAFF, "2025-11", 0).count, 1);
    assert_int_equal((int64_t)in_file(&f, STAFF, day_end("2025-10-01")), 308);
    assert_int_equal((int64_t)in_file(&f, STAFF, day_end("2025-10-31")), 308);
    assert_int_equal((int64_t)in_file(&f, STAFF, day_end("2025-11-15")), 312);
    assert_int_equal((int64_t)in_file(&f, STAFF, day_end("2025-12-31")), 315);
    flow_close(&f);
}

static void a_report_that_comes_months_late_lands_in_its_months(void **state)
{
    (void)state;
    struct flow f;
    flow_open(&f, 6, fair);
    flow_append(&f, "reports.csv", "2025-09,300,\n2025-12,309,\n");
    flow_settle(&f);
    assert_true(isnan(in_file(&f, STAFF, day_end("2025-10-15"))));
    flow_append(&f, "reports.csv", "2025-10,303,\n");
    flow_settle(&f);
    assert_int_equal((int64_t)in_file(&f, STAFF, day_end("2025-10-15")), 303);
    assert_true(isnan(in_file(&f, STAFF, day_end("2025-11-15"))));
    assert_int_equal((int64_t)in_file(&f, STAFF, day_end("2025-12-15")), 309);
    flow_close(&f);
}

static void a_late_and_a_corrected_measurement_rebuild_their_file(void **state)
{
    (void)state;
    struct flow f;
    flow_open(&f, 7, fair);
    long long t = f.clock.wall_us / US_PER_S;
    flow_append(&f, "machines.csv", "%lld,5,\n%lld,7,\n", t + 10, t + 30);
    flow_settle(&f);
    assert_true(isnan(in_file(&f, PIECES, t + 20)));
    flow_append(&f, "machines.csv", "%lld,6,\n%lld,8,\n%lld,9,\n", t + 20, t + 30, t + 40);
    flow_settle(&f);
    assert_int_equal((int64_t)in_file(&f, PIECES, t + 10), 5);
    assert_int_equal((int64_t)in_file(&f, PIECES, t + 20), 6);
    assert_int_equal((int64_t)in_file(&f, PIECES, t + 30), 8);
    assert_int_equal((int64_t)in_file(&f, PIECES, t + 40), 9);
    assert_true(collector_counted(&f.collector.counters, COUNTER_RRD_LATE) > 0);
    flow_close(&f);
}

static void a_replaced_file_reports_only_what_has_changed(void **state)
{
    (void)state;
    struct flow f;
    char path[TEST_PATH];
    flow_open(&f, 8, fair);
    flow_append(&f, "reports.csv", "2025-10,310,1\n2025-11,312,2\n");
    flow_settle(&f);
    uint64_t before = spool_peek(f.agent.spool)->counters.sampled;
    test_folder_path(&f.folder, "reports.csv", path);
    assert_int_equal(remove(path), 0);
    flow_append(&f, "reports.csv", "month,staff,invested\n2025-10,310,1\n2025-11,313,2\n2025-12,314,3\n");
    flow_settle(&f);
    assert_int_equal(spool_peek(f.agent.spool)->counters.sampled - before, 3);
    assert_int_equal(revisions_of(&f, STAFF, "2025-10", 0).count, 1);
    assert_int_equal(revisions_of(&f, STAFF, "2025-11", 0).count, 2);
    assert_int_equal(revisions_of(&f, STAFF, "2025-12", 0).value[0], 314);
    flow_close(&f);
}

static void bad_rows_are_counted_and_good_ones_go_through(void **state)
{
    (void)state;
    struct flow f;
    flow_open(&f, 9, fair);
    long long t = f.clock.wall_us / US_PER_S;
    flow_append(&f, "machines.csv", "%lld,5,1.5\n%lld,many,2.5\n%lld,3,nan\nyesterday,1,1\n", t + 10, t + 20,
                t + 30);
    flow_append(&f, "machines.csv", "%lld,4,1\n", t + 7200); // from the future
    flow_settle(&f);
    struct wire_counters c = spool_peek(f.agent.spool)->counters;
    assert_int_equal(c.source_errors, 3);
    assert_int_equal(c.sampled, 6);
    assert_int_equal(c.acknowledged, 6);
    assert_int_equal(collector_counted(&f.collector.counters, COUNTER_REFUSED_FUTURE), 2);
    assert_int_equal(collector_counted(&f.collector.counters, COUNTER_SAMPLES_QUARANTINED), 2);
    struct stored s;
    stored_read(f.state_path, PIECES, &s);
    assert_int_equal(s.count, 2);
    stored_free(&s);
    flow_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_corrected_report_is_a_revision_and_the_file_follows),
        cmocka_unit_test(a_report_that_comes_months_late_lands_in_its_months),
        cmocka_unit_test(a_late_and_a_corrected_measurement_rebuild_their_file),
        cmocka_unit_test(a_replaced_file_reports_only_what_has_changed),
        cmocka_unit_test(bad_rows_are_counted_and_good_ones_go_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
