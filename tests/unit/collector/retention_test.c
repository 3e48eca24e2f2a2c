// Months go by: closed, rolled up, dropped, rebuilt; nothing that may be the same is another.
#include "store/reader_keep.h"
#include "tests/support/retain_rig.h"
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY        INT64_C(86400)
#define JANUARY    BENCH_NOW_S
#define FEBRUARY   (JANUARY + 31 * DAY)
#define MARCH      (FEBRUARY + 28 * DAY)
#define APRIL      (MARCH + 31 * DAY)
#define HOUR(d, h) (JANUARY + (d)*DAY + (h)*3600)

// Each second day from the first of January: two hours, received at once.
static void put_days(struct retain_rig *x, int days)
{
    for (int day = 0; day < days; day += 2) {
        retain_put_hour(x, HOUR(day, 10), HOUR(day, 10), 1000 + day);
        retain_put_hour(x, HOUR(day, 24), HOUR(day, 24), 5000 + day); // ends at midnight
    }
    rig_settle(x->r);
}

static void put_winter(struct retain_rig *x) // to the end of March
{
    put_days(x, 90);
}

static void verify_is_clean(struct retain_rig *x, struct reader_verified *v);

static struct ledger_kept kept(struct retain_rig *x)
{
    struct ledger_kept k;
    assert_int_equal(reader_kept(x->reader, &k, NULL), ERR_OK);
    return k;
}

static void print_damage(void *ctx, const char *text)
{
    (void)ctx;
    print_error("%s\n", text);
}

static void verify_is_clean(struct retain_rig *x, struct reader_verified *v)
{
    struct diag d = {0};
    assert_int_equal(reader_verify(x->reader, print_damage, NULL, v, &d), ERR_OK);
    assert_int_equal(v->damaged, 0);
}

static const struct ledger_series *series(struct retain_rig *x, int64_t id)
{
    const struct ledger_series *s;
    assert_int_equal(reader_series(x->reader, id, &s, NULL), ERR_OK);
    return s;
}

// What plain SQL says; the statements are those of lib/store/README.md.
static int64_t sql_number(struct retain_rig *x, const char *sql)
{
    char path[TEST_PATH];
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    test_folder_path(&x->r->b->folder, "ledger.sqlite", path);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static const char BALANCE[] =
    "SELECT count(*) FROM (SELECT s.stream_id, s.accepted, s.quarantined, s.gap, s.batches,"
    " (SELECT coalesce(sum(samples-refused),0) FROM batch b WHERE b.stream_id=s.stream_id AND b.gap=0)"
    " + (SELECT coalesce(sum(accepted),0) FROM sealed_stream t WHERE t.stream_id=s.stream_id)"
    " + (SELECT count(*) FROM release r WHERE r.stream_id=s.stream_id) AS a,"
    " (SELECT coalesce(sum(refused),0) FROM batch b WHERE b.stream_id=s.stream_id AND b.gap=0)"
    " + (SELECT coalesce(sum(quarantined),0) FROM sealed_stream t WHERE t.stream_id=s.stream_id)"
    " - (SELECT count(*) FROM release r WHERE r.stream_id=s.stream_id) AS q,"
    " (SELECT coalesce(sum(samples),0) FROM batch b WHERE b.stream_id=s.stream_id AND b.gap=1) AS g,"
    " (SELECT count(*) FROM batch b WHERE b.stream_id=s.stream_id)"
    " + (SELECT coalesce(sum(rows),0) FROM sealed_stream t WHERE t.stream_id=s.stream_id) AS n"
    " FROM stream s) WHERE accepted<>a OR quarantined<>q OR gap<>g OR batches<>n";

// ---- closing ------------------------------------------------------------------------------------
static void retention_closes_no_month_before_its_time(void **state)
{
    struct retain_rig *x = *state;
    put_days(x, 60);
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S - 4000);
    rig_observe(x->r);
    assert_false(retain_step(x));
    assert_int_equal(kept(x).closed_until_s, 0);
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    assert_true(retain_step(x));
    assert_int_equal(kept(x).closed_until_s, FEBRUARY);
}

static void retention_of_zero_keeps_everything(void **state)
{
    struct retain_rig *x = *state;
    put_winter(x);
    retain_go_to(x, APRIL + 400 * DAY);
    rig_observe(x->r);
    struct retention_options o = {.reader = x->reader,
                                  .observations = x->observed,
                                  .catalogue = x->r->b->catalogue,
                                  .parks = &x->parks,
                                  .clock = &x->r->b->clock.clock,
                                  .counters = &x->r->b->counters};
    struct retention *none;
    bool did = true;
    assert_int_equal(retention_create(&o, &none, NULL), ERR_OK);
    assert_int_equal(retention_step(none, &did, NULL), ERR_OK);
    assert_false(did);
    retention_destroy(none);
}

static void a_month_stays_open_while_a_backfill_of_it_runs(void **state)
{
    struct retain_rig *x = *state;
    put_winter(x);
    retain_go_to(x, APRIL + RETAIN_RAW_S);
    retain_put_hour(x, HOUR(3, 5), APRIL + RETAIN_RAW_S + 10, 7);
    rig_observe(x->r);
    assert_false(retain_step(x));
    retain_go_to(x, APRIL + RETAIN_RAW_S + RETAIN_SETTLE_S + 20);
    assert_true(retain_step(x));
    assert_int_equal(kept(x).closed_until_s, FEBRUARY);
}

static void a_sample_of_a_closed_month_is_refused_as_too_old_and_counted(void **state)
{
    struct retain_rig *x = *state;
    put_days(x, 60);
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    rig_observe(x->r);
    assert_true(retain_step(x));
    struct wire_sample s[] = {bench_sample(0, FEBRUARY, 1), bench_sample(0, FEBRUARY + 10, 2)};
    bench_clear(x->r->b);
    bench_batch(x->r->b, ++x->r->sequence, WIRE_MEASUREMENT, s, 2);
    const struct wire_message m = bench_reply(x->r->b, 0, WIRE_REJECT);
    assert_int_equal(m.reject.count, 1);
    assert_int_equal(m.reject.refusals[0].index, 0);
    assert_int_equal(m.reject.refusals[0].reason, WIRE_REASON_TOO_OLD);
    assert_int_equal(rig_counted(x->r, COUNTER_REFUSED_TOO_OLD), 1);
    // A report of that month is no measurement.
    rig_put_one(x->r, 1, TODAY, 12);
}

// ---- what is left -------------------------------------------------------------------------------
struct cells {
    struct retain_rig *x;
    size_t count, raw;
    bool reals;
};

static int64_t base_of(int64_t end_s)
{
    int64_t day = (end_s - 1 - JANUARY) / DAY;
    return (end_s % DAY == 0 ? 5000 : 1000) + day;
}

static enum err check_cell(void *ctx, const struct point *p)
{
    struct cells *c = ctx;
    const struct wire_rollup_cell *cell = p->cell;
    int64_t whole = 0, last = 0, min = INT64_MAX, max = INT64_MIN;
    long double sum = 0;
    uint32_t known = 0;
    if (!cell) {
        c->raw++;
        return ERR_OK;
    }
    for (int i = 0; i < RETAIN_STEPS; i++) {
        int64_t v = retain_integer(p->time, i, base_of(p->time));
        if (retain_gap(i))
            continue;
        sum += (long double)retain_real(p->time, i, base_of(p->time));
        whole += last = v;
        min = v < min ? v : min;
        max = v > max ? v : max;
        known++;
    }
    assert_int_equal(p->span_s, 3600);
    assert_int_equal(cell->known, known);
    assert_int_equal(cell->missing, RETAIN_STEPS - known);
    if (c->reals) {
        assert_true(cell->sum.real);
        assert_true(fabsl((long double)cell->sum.high + (long double)cell->sum.low - sum) < 1e-12L);
        assert_true(cell->sum.high == (double)sum || nextafter(cell->sum.high, (double)sum) == (double)sum);
    } else {
        assert_false(cell->sum.real);
        assert_int_equal(cell->sum.whole, whole);
        assert_int_equal(cell->last.integer, last);
        assert_int_equal(cell->min.integer, min);
        assert_int_equal(cell->max.integer, max);
        assert_int_equal(p->value.integer, whole); // out_units is a flow
    }
    c->count++;
    return ERR_OK;
}

static void check_cells(struct retain_rig *x, int64_t from, int64_t to, size_t cells, size_t raw)
{
    struct diag d = {0};
    for (int i = 0; i < 2; i++) {
        struct cells c = {.x = x, .reals = i == 1};
        if (points_read(x->observed, x->reader, series(x, i ? 4 : 1), from, to, 1000000, check_cell, &c,
                        &d) != ERR_OK)
            fail_msg("%s", d.text);
        assert_int_equal(c.count, cells);
        assert_int_equal(c.raw, raw);
    }
}

static void dropped_months_are_exact_cells_and_the_rest_is_raw(void **state)
{
    struct retain_rig *x = *state;
    struct reader_verified v;
    put_winter(x);
    check_cells(x, JANUARY, APRIL, 0, 90 * RETAIN_STEPS);
    retain_go_to(x, MARCH + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, MARCH);
    // January has days 0 to 30, February 32 to 58.
    check_cells(x, JANUARY, APRIL, 2 * 30, 30 * RETAIN_STEPS);
    assert_int_equal(rig_counted(x->r, COUNTER_MONTHS_ROLLED), 2);
    assert_int_equal(rig_counted(x->r, COUNTER_ROLLUPS_STORED), 4);
    assert_int_equal(rig_counted(x->r, COUNTER_BATCHES_DROPPED), 60);
    assert_int_equal(rig_counted(x->r, COUNTER_SAMPLES_DROPPED), 60 * 2 * RETAIN_STEPS);
    verify_is_clean(x, &v);
    assert_int_equal(v.sealed_rows, 60);
    assert_int_equal(v.rollups, 4);
    assert_int_equal(sql_number(x, BALANCE), 0);
    assert_int_equal(sql_number(x, "SELECT count(*) FROM batch WHERE gap=0"), 30 + 1); // the clock's
}

static void retention_that_is_interrupted_at_every_job_comes_to_the_same(void **state)
{
    struct retain_rig *x = *state;
    struct reader_verified v;
    put_winter(x);
    retain_go_to(x, MARCH + RETAIN_RAW_S + 1);
    for (int i = 0; i < 200 && kept(x).dropped_until_s < MARCH; i++) {
        x->jobs_left = 1;
        retain_run(x, true);
    }
    x->jobs_left = UINT32_MAX;
    assert_int_equal(kept(x).dropped_until_s, MARCH);
    check_cells(x, JANUARY, APRIL, 2 * 30, 30 * RETAIN_STEPS);
    verify_is_clean(x, &v);
    assert_int_equal(v.rollups, 4);
    assert_int_equal(v.sealed_rows, 60);
    assert_int_equal(sql_number(x, BALANCE), 0);
}

static void rows_that_the_projections_lack_stay(void **state)
{
    struct retain_rig *x = *state;
    put_days(x, 60);
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    x->projected = 10;
    retain_run(x, false);
    assert_int_equal(kept(x).rolled_until_s, FEBRUARY);
    assert_int_equal(kept(x).dropped_until_s, 0);
    assert_int_equal(rig_counted(x->r, COUNTER_BATCHES_DROPPED), 10);
    x->projected = UINT64_MAX;
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, FEBRUARY);
    assert_int_equal(rig_counted(x->r, COUNTER_BATCHES_DROPPED), 32);
}

static void rows_with_newer_figures_wait_for_their_month_and_late_ones_go_with_theirs(void **state)
{
    struct retain_rig *x = *state;
    struct reader_verified v;
    put_winter(x);
    retain_go_to(x, APRIL);
    struct wire_sample mixed[] = {bench_sample(0, HOUR(1, 3), 11), bench_sample(0, HOUR(70, 3), 12)};
    struct wire_sample late = bench_sample(0, HOUR(1, 4), 13);
    rig_put(x->r, WIRE_MEASUREMENT, mixed, 2);
    rig_put(x->r, WIRE_MEASUREMENT, &late, 1);
    retain_go_to(x, MARCH + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, MARCH);
    assert_int_equal(sql_number(x, "SELECT count(*) FROM batch WHERE gap=0"),
                     31 + 2); // March's and the mixed one; the clock's
    retain_go_to(x, APRIL + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, APRIL);
    assert_int_equal(sql_number(x, "SELECT count(*) FROM batch WHERE gap=0"), 2);
    verify_is_clean(x, &v);
    assert_int_equal(sql_number(x, BALANCE), 0);
}

static void gaps_and_reports_stay_for_ever(void **state)
{
    struct retain_rig *x = *state;
    struct reader_verified v;
    put_winter(x);
    struct wire_message m = {.type = WIRE_GAP,
                             .gap = {.incarnation = x->r->b->incarnation,
                                     .first = x->r->sequence + 1,
                                     .last = x->r->sequence + 5,
                                     .samples = 77,
                                     .from_s = JANUARY,
                                     .to_s = JANUARY + 10,
                                     .reason = WIRE_GAP_QUOTA_AGE}};
    bench_send(x->r->b, &m);
    x->r->sequence += 5;
    rig_put_one(x->r, 1, TODAY, 12);
    retain_go_to(x, APRIL + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, APRIL);
    assert_int_equal(sql_number(x, "SELECT count(*) FROM batch WHERE gap=1"), 1);
    assert_int_equal(sql_number(x, "SELECT count(*) FROM batch WHERE class=2"), 1);
    verify_is_clean(x, &v);
    assert_int_equal(sql_number(x, BALANCE), 0);
}

// ---- rebuilding ---------------------------------------------------------------------------------
#define VALUES (3 * 24 * 91)

static void same_latest(const struct latest *a, const struct latest *b)
{
    assert_int_equal(a->time, b->time);
    assert_true(figure_equal(a->value, b->value));
    assert_int_equal(a->received_us, b->received_us);
    assert_int_equal(a->position, b->position);
}

static void compare(const double *before, const double *after, size_t count, bool exact)
{
    for (size_t i = 0; i < count; i++) {
        bool same = exact ? before[i] == after[i] : fabs(before[i] - after[i]) <= 1e-12 * fabs(before[i]);
        if (isnan(before[i]) ? !isnan(after[i]) : !same)
            fail_msg("value %zu: %.17g became %.17g", i, before[i], after[i]);
    }
}

static void rebuilt_files_show_what_they_showed_by_the_hour_and_day(void **state)
{
    struct retain_rig *x = *state;
    static double before[4][VALUES], after[VALUES];
    size_t counts[4];
    put_winter(x);
    for (int i = 0; i < 4; i++)
        counts[i] =
            retain_archived(x, i < 2 ? 1 : 4, i % 2 ? 86400 : 3600, JANUARY, APRIL - DAY, before[i], VALUES);
    retain_go_to(x, MARCH + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, MARCH);
    struct latest was, is;
    assert_int_equal(observations_latest(x->observed, 4, &was, NULL), ERR_OK);
    retain_rebuild(x);
    for (int i = 0; i < 4; i++) {
        size_t count =
            retain_archived(x, i < 2 ? 1 : 4, i % 2 ? 86400 : 3600, JANUARY, APRIL - DAY, after, VALUES);
        assert_int_equal(count, counts[i]);
        compare(before[i], after, count, i < 2);
    }
    assert_int_equal(observations_latest(x->observed, 4, &is, NULL), ERR_OK);
    same_latest(&was, &is);
    check_cells(x, JANUARY, APRIL, 2 * 30, 30 * RETAIN_STEPS);
    assert_true(rig_counted(x->r, COUNTER_RRD_CELLS_FILLED) >= 2 * 60);
}

static void a_series_of_dropped_months_alone_is_rebuilt_whole_and_goes_on(void **state)
{
    struct retain_rig *x = *state;
    static double before[VALUES], after[VALUES];
    struct latest was, is;
    int32_t day = 0;
    put_winter(x);
    rig_put_one(x->r, 0, HOUR(89, 0) + 10, 1); // so that the hour before is complete
    rig_settle(x->r);
    size_t count = retain_archived(x, 1, 3600, JANUARY, APRIL - DAY, before, VALUES);
    assert_int_equal(observations_latest(x->observed, 1, &was, NULL), ERR_OK);
    retain_go_to(x, APRIL + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, APRIL);
    retain_rebuild(x);
    assert_int_equal(retain_archived(x, 1, 3600, JANUARY, APRIL - DAY, after, VALUES), count);
    compare(before, after, count, true);
    assert_int_equal(observations_latest(x->observed, 1, &is, NULL), ERR_OK);
    same_latest(&was, &is);
    assert_int_equal(observations_first_day(x->observed, x->reader, series(x, 1), &day, NULL), ERR_OK);
    assert_int_equal(day, JANUARY / DAY);
    int64_t now = clock_wall(&x->r->b->clock.clock).us / US_PER_S / 10 * 10;
    rig_put_one(x->r, 0, now, 4711);
    rig_settle(x->r);
    assert_true(rig_shown(x->r, 1, 10, now) == 4711);
}

static void a_rebuild_without_cursor_or_files_reads_roll_ups_too(void **state)
{
    struct retain_rig *x = *state;
    static double before[VALUES], after[VALUES];
    char path[TEST_PATH];
    put_winter(x);
    size_t count = retain_archived(x, 1, 3600, JANUARY, APRIL - DAY, before, VALUES);
    retain_go_to(x, MARCH + RETAIN_RAW_S + 1);
    retain_run(x, false);
    rrd_writer_close(x->r->writer);
    test_folder_path(&x->r->b->folder, "rrd.sqlite", path);
    assert_int_equal(remove(path), 0);
    for (int64_t id = 1; id <= 4; id++) {
        char file[RRD_PATH_MAX];
        rig_file(x->r, id, file);
        (void)remove(file);
        *strrchr(file, '/') = '\0';
        (void)remove(file);
    }
    assert_int_equal(rig_open_writer(x->r), ERR_OK);
    rig_settle(x->r);
    assert_int_equal(retain_archived(x, 1, 3600, JANUARY, APRIL - DAY, after, VALUES), count);
    compare(before, after, count, true);
}

// ---- the ledger afterwards ----------------------------------------------------------------------
static void a_restart_after_dropping_finds_everything_in_order(void **state)
{
    struct retain_rig *x = *state;
    struct reader_verified v;
    put_winter(x);
    retain_go_to(x, APRIL + RETAIN_RAW_S + 1);
    retain_run(x, false);
    rig_settle(x->r);
    rig_restart(x->r, true);
    assert_int_equal(rrd_writer_dirty(x->r->writer), 0); // its cursor is still of this ledger
    bench_restart(x->r->b);
    bench_hello(x->r->b);
    rig_put_one(x->r, 0, clock_wall(&x->r->b->clock.clock).us / US_PER_S / 10 * 10, 1);
    verify_is_clean(x, &v);
    assert_int_equal(rig_counted(x->r, COUNTER_RECEIPTS_CONTRADICTED), 0);
}

static void receipts_of_dropped_rows_are_sealed_and_no_alarm(void **state)
{
    struct retain_rig *x = *state;
    struct wire_receipt first = {.position = 1}, end = {.position = 32};
    struct reader_receipt_found f;
    put_days(x, 60);
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(reader_find_receipt(x->reader, &first, &f, NULL), ERR_OK);
    assert_int_equal(f.state, RECEIPT_SEALED);
    assert_true(f.seal > 60);
    assert_int_equal(reader_find_receipt(x->reader, &end, &f, NULL), ERR_OK);
    assert_int_equal(f.state, RECEIPT_CONTRADICTED); // the run's last row: its hash is known
    struct wire_message m = bench_hello_message(x->r->b);
    m.hello.last_written = m.hello.last_acknowledged = x->r->sequence;
    m.hello.last_receipt = first;
    bench_clear(x->r->b);
    bench_send(x->r->b, &m);
    (void)bench_reply(x->r->b, 0, WIRE_WELCOME);
    assert_int_equal(rig_counted(x->r, COUNTER_RECEIPTS_CONTRADICTED), 0);
    // A batch sent again whose row is gone is a repeat all the same.
    struct wire_sample s = bench_sample(0, HOUR(1, 1), 5);
    bench_clear(x->r->b);
    bench_batch(x->r->b, 1, WIRE_MEASUREMENT, &s, 1);
    assert_int_equal(bench_reply(x->r->b, 0, WIRE_ACK).ack.sequence, x->r->sequence);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, retain_setup, retain_teardown)
    const struct CMUnitTest tests[] = {
        TEST(retention_closes_no_month_before_its_time),
        TEST(retention_of_zero_keeps_everything),
        TEST(a_month_stays_open_while_a_backfill_of_it_runs),
        TEST(a_sample_of_a_closed_month_is_refused_as_too_old_and_counted),
        TEST(dropped_months_are_exact_cells_and_the_rest_is_raw),
        TEST(retention_that_is_interrupted_at_every_job_comes_to_the_same),
        TEST(rows_that_the_projections_lack_stay),
        TEST(rows_with_newer_figures_wait_for_their_month_and_late_ones_go_with_theirs),
        TEST(gaps_and_reports_stay_for_ever),
        TEST(rebuilt_files_show_what_they_showed_by_the_hour_and_day),
        TEST(a_series_of_dropped_months_alone_is_rebuilt_whole_and_goes_on),
        TEST(a_rebuild_without_cursor_or_files_reads_roll_ups_too),
        TEST(a_restart_after_dropping_finds_everything_in_order),
        TEST(receipts_of_dropped_rows_are_sealed_and_no_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
