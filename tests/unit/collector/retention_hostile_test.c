// What an agent, an operator or a clock can do to the retention: nothing that was let in is lost, and
// nobody's nonsense stops it.
#include "collector/release.h"
#include "store/reader_keep.h"
#include "tests/support/retain_rig.h"
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY      INT64_C(86400)
#define JANUARY  BENCH_NOW_S
#define FEBRUARY (JANUARY + 31 * DAY)
#define MARCH    (FEBRUARY + 28 * DAY)

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

static void verify_is_clean(struct retain_rig *x)
{
    struct reader_verified v;
    struct diag d = {0};
    assert_int_equal(reader_verify(x->reader, print_damage, NULL, &v, &d), ERR_OK);
    assert_int_equal(v.damaged, 0);
}

struct read {
    struct point at[4000];
    struct wire_rollup_cell cells[4000];
    size_t count;
};

static enum err take_point(void *ctx, const struct point *p)
{
    struct read *r = ctx;
    assert_true(r->count < sizeof r->at / sizeof *r->at);
    r->at[r->count] = *p;
    if (p->cell)
        r->cells[r->count] = *p->cell;
    r->count++;
    return ERR_OK;
}

// The caller frees it.
static struct read *read_points(struct retain_rig *x, int64_t series_id, int64_t from, int64_t to)
{
    const struct ledger_series *s;
    struct diag d = {0};
    struct read *r = calloc(1, sizeof *r);
    assert_non_null(r);
    assert_int_equal(reader_series(x->reader, series_id, &s, &d), ERR_OK);
    if (points_read(x->observed, x->reader, s, from, to, 4000, take_point, r, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return r;
}

static struct wire_sample real_sample(uint32_t number, int64_t time, double v)
{
    struct wire_sample s = {.series = number, .time = time};
    assert_int_equal(figure_from_real(v, &s.value), ERR_OK);
    return s;
}

static void put(struct retain_rig *x, struct wire_sample s)
{
    rig_put(x->r, WIRE_MEASUREMENT, &s, 1);
}

static void pass(struct retain_rig *x, int64_t seconds)
{
    fake_clock_advance_us(&x->r->b->clock, seconds * US_PER_S);
}

static void drop_january(struct retain_rig *x)
{
    rig_settle(x->r);
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, FEBRUARY);
}

// ---- clocks -------------------------------------------------------------------------------------
static void a_clock_that_is_years_ahead_closes_no_month(void **state)
{
    struct retain_rig *x = *state;
    for (int day = 0; day < 40; day++)
        put(x, bench_sample(0, JANUARY + day * DAY, day));
    rig_settle(x->r);
    pass(x, 14 * 365 * DAY);
    retain_run(x, false);
    assert_int_equal(kept(x).closed_until_s, 0);
    retain_go_to(x, JANUARY + 15 * 365 * DAY); // it was right after all: figures of that time come
    retain_run(x, false);
    assert_true(kept(x).dropped_until_s >= FEBRUARY);
    verify_is_clean(x);
}

// ---- releases -----------------------------------------------------------------------------------
static uint64_t let_in(struct retain_rig *x, uint64_t position)
{
    struct diag d = {0};
    struct release_request r = {.position = position, .index = RELEASE_ALL, .author = "aigul"};
    if (committer_release(x->r->b->committer, &r, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return r.released;
}

// Rows 1 and 3 of old figures; row 2 has an old one and one that was ahead of the collector's clock.
static void put_three_rows(struct retain_rig *x, int64_t old, int64_t ahead)
{
    struct wire_sample both[] = {bench_sample(0, old + 10, 2), bench_sample(0, ahead, 4711)};
    put(x, bench_sample(0, old, 1));
    bench_clear(x->r->b);
    bench_batch(x->r->b, ++x->r->sequence, WIRE_MEASUREMENT, both, 2);
    assert_int_equal(bench_reply(x->r->b, 0, WIRE_REJECT).reject.count, 1);
    put(x, bench_sample(0, old + 20, 3));
}

static void check_released(struct retain_rig *x, int64_t ahead)
{
    struct read *r = read_points(x, 1, ahead - 10, ahead);
    assert_int_equal(r->count, 1);
    assert_int_equal(r->at[0].value.integer, 4711);
    free(r);
    verify_is_clean(x);
}

static void a_released_newer_figure_among_rows_that_came_late_stays(void **state)
{
    struct retain_rig *x = *state;
    const int64_t ahead = MARCH + 30 * DAY;
    retain_go_to(x, FEBRUARY + 20 * DAY); // January's figures come late, and no age tells that they may go
    uint64_t first = ledger_position(x->r->b->ledger) + 1;
    put_three_rows(x, JANUARY + DAY, ahead);
    retain_go_to(x, ahead + DAY);
    assert_int_equal(let_in(x, first + 1), 1);
    rig_settle(x->r);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, FEBRUARY);
    check_released(x, ahead);
    retain_rebuild(x);
    assert_true(rig_shown(x->r, 1, 10, ahead) == 4711);
}

static void a_released_newer_figure_in_an_old_row_stays(void **state)
{
    struct retain_rig *x = *state;
    const int64_t ahead = FEBRUARY + 10 * DAY;
    uint64_t first = ledger_position(x->r->b->ledger) + 1;
    put_three_rows(x, JANUARY, ahead);
    retain_go_to(x, ahead + DAY);
    assert_int_equal(let_in(x, first + 1), 1);
    drop_january(x);
    check_released(x, ahead);
}

static void a_row_that_was_released_from_since_it_was_chosen_is_not_dropped(void **state)
{
    struct retain_rig *x = *state;
    const int64_t ahead = FEBRUARY + 10 * DAY;
    uint64_t first = ledger_position(x->r->b->ledger) + 1;
    const struct ledger_run run = {first, first + 2};
    struct ledger_dropped dropped;
    struct diag d = {0};
    int64_t received_us;
    put_three_rows(x, JANUARY, ahead);
    retain_go_to(x, ahead + DAY);
    assert_int_equal(let_in(x, first + 1), 1);
    struct ledger *l = x->r->b->ledger;
    assert_int_equal(ledger_store_head(l, &d), ERR_OK);
    assert_int_equal(ledger_begin(l, &received_us, &d), ERR_OK);
    assert_int_equal(ledger_drop(l, &run, 1, &dropped, &d), ERR_CONFLICT);
    ledger_rollback(l);
    rig_observe(x->r);
    check_released(x, ahead);
}

// ---- rows that went before those around them ----------------------------------------------------
static void a_run_does_not_go_over_rows_that_were_dropped_before(void **state)
{
    struct retain_rig *x = *state;
    struct reader_receipt_found found;
    struct diag d = {0};
    retain_go_to(x, FEBRUARY + 10 * DAY);
    uint64_t first = ledger_position(x->r->b->ledger) + 1;
    put(x, bench_sample(0, FEBRUARY + 9 * DAY, 1));
    put(x, bench_sample(0, JANUARY + 9 * DAY, 2)); // these two come late, and go with January
    put(x, bench_sample(0, JANUARY + 9 * DAY + 10, 3));
    put(x, bench_sample(0, FEBRUARY + 9 * DAY + 10, 4));
    retain_go_to(x, MARCH + 3 * DAY);
    put(x, bench_sample(0, MARCH + 2 * DAY, 5));
    drop_january(x);
    verify_is_clean(x);
    retain_go_to(x, MARCH + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, MARCH);
    verify_is_clean(x);
    for (uint64_t i = 0; i < 4; i++) { // an honest agent's receipt of a dropped row
        const struct wire_receipt receipt = {.position = first + i};
        assert_int_equal(reader_find_receipt(x->reader, &receipt, &found, &d), ERR_OK);
        assert_int_not_equal(found.seal, 0);
    }
    assert_int_equal(rig_counted(x->r, COUNTER_RETENTION_KEPT), 0);
}

static enum err drop(struct retain_rig *x, uint64_t first, uint64_t last, struct diag *d)
{
    const struct ledger_run run = {first, last};
    struct ledger *l = x->r->b->ledger;
    struct ledger_dropped dropped;
    int64_t received_us;
    assert_int_equal(ledger_store_head(l, d), ERR_OK);
    assert_int_equal(ledger_begin(l, &received_us, d), ERR_OK);
    enum err e = ledger_drop(l, &run, 1, &dropped, d);
    if (e == ERR_OK)
        e = ledger_commit(l, d);
    if (e != ERR_OK)
        ledger_rollback(l);
    return e;
}

static void a_seal_over_a_sealed_run_is_refused_and_names_it(void **state)
{
    struct retain_rig *x = *state;
    struct diag d = {0};
    for (int i = 1; i <= 5; i++)
        put(x, bench_sample(0, JANUARY + i * 10, i));
    assert_int_equal(drop(x, 2, 3, &d), ERR_OK);
    assert_int_equal(drop(x, 1, 4, &d), ERR_CONFLICT);
    assert_string_equal(d.text, "positions 1..4 hold positions 2..3, which are sealed already");
    assert_int_equal(drop(x, 1, 1, &d), ERR_OK);
    assert_int_equal(drop(x, 4, 4, &d), ERR_OK);
    verify_is_clean(x);
}

// ---- damage -------------------------------------------------------------------------------------
static void change(struct retain_rig *x, const char *sql)
{
    char path[TEST_PATH];
    sqlite3 *db = NULL;
    test_folder_path(&x->r->b->folder, "ledger.sqlite", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_total_changes(db), 1);
    sqlite3_close(db);
}

// As an older version left it: with the inner run out of sight nothing keeps the outer one from going over
// it.
static void runs_that_an_older_version_sealed_over_are_read_as_they_are(void **state)
{
    struct retain_rig *x = *state;
    struct reader_receipt_found found;
    struct reader_verified v;
    struct diag d = {0};
    bool good = false;
    for (int i = 1; i <= 8; i++)
        put(x, bench_sample(0, JANUARY + i * 10, i));
    assert_int_equal(drop(x, 2, 3, &d), ERR_OK);
    change(x, "UPDATE sealed_run SET first=first+1000");
    assert_int_equal(drop(x, 1, 5, &d), ERR_OK);
    change(x, "UPDATE sealed_run SET first=first-1000 WHERE first>1000");
    rig_observe(x->r);
    verify_is_clean(x);
    for (uint64_t i = 1; i <= 4; i++) {
        const struct wire_receipt receipt = {.position = i};
        assert_int_equal(reader_find_receipt(x->reader, &receipt, &found, &d), ERR_OK);
        assert_int_equal(found.state, i == 3 ? RECEIPT_CONTRADICTED : RECEIPT_SEALED); // 3: another hash
    }
    assert_int_equal(reader_row_matches(x->reader, 6, &good, &d), ERR_OK);
    assert_true(good);
    assert_int_equal(drop(x, 6, 6, &d), ERR_OK); // after the outer run's hash
    verify_is_clean(x);
    assert_int_equal(reader_verify(x->reader, NULL, NULL, &v, &d), ERR_OK);
    assert_int_equal(v.sealed_rows, 6);
    change(x, "DELETE FROM batch WHERE position=7");
    assert_int_equal(reader_verify(x->reader, NULL, NULL, &v, &d), ERR_OK);
    assert_int_not_equal(v.damaged, 0);
}

static void a_row_that_was_changed_is_not_dropped_and_verify_names_it(void **state)
{
    static const char *const changes[] = {
        "UPDATE batch SET received_us=received_us+1 WHERE position=4",
        "UPDATE batch SET body=(SELECT body FROM batch WHERE position=7) WHERE position=4"};
    struct retain_rig *x = *state;
    for (int i = 1; i <= 9; i++)
        put(x, bench_sample(0, JANUARY + i * 10, i));
    rig_settle(x->r);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        change(x, changes[i]);
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, FEBRUARY);
    assert_int_equal(rig_counted(x->r, COUNTER_BATCHES_DROPPED), 8);
    assert_true(rig_counted(x->r, COUNTER_RETENTION_KEPT) > 0);
    struct reader_verified v;
    struct diag d = {0};
    assert_int_equal(reader_verify(x->reader, NULL, NULL, &v, &d), ERR_OK);
    assert_int_equal(v.damaged, 1);
    assert_int_equal(v.sealed_rows, 8);
}

static void change_observations(struct retain_rig *x, const char *sql)
{
    char path[TEST_PATH];
    sqlite3 *db = NULL;
    test_folder_path(&x->r->b->folder, OBSERVATIONS_FILE, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

// A ledger restored from an older copy: the observations have seen months being dropped that are there again.
static void observations_of_another_history_roll_nothing_up(void **state)
{
    struct retain_rig *x = *state;
    for (int i = 1; i <= 9; i++)
        put(x, bench_sample(0, JANUARY + i * 10, i));
    rig_settle(x->r);
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    rig_observe(x->r);
    assert_true(retain_step(x)); // closed
    assert_int_equal(kept(x).closed_until_s, FEBRUARY);
    change_observations(x, "DELETE FROM span; UPDATE cursor SET position=position+100, chain=randomblob(32)");
    for (int i = 0; i < 10; i++)
        assert_false(retain_step(x));
    assert_int_equal(kept(x).rolled_until_s, 0);
    assert_int_equal(observations_reset(x->r->observer, NULL), ERR_OK);
    rig_observe(x->r);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, FEBRUARY);
    struct read *r = read_points(x, 1, JANUARY, FEBRUARY);
    assert_int_equal(r->count, 1);
    assert_int_equal(r->cells[0].sum.whole, 45);
    free(r);
}

// ---- values -------------------------------------------------------------------------------------
static void sums_of_the_largest_integers_are_exact(void **state)
{
    struct retain_rig *x = *state;
    const int64_t top = FIGURE_INTEGER_MAX;
    pass(x, DAY);
    bench_declare(x->r->b, 5, "out_value/most", "money",
                  WIRE_MEASUREMENT); // the KPIs of pieces have bounds below that
    for (int i = 1; i <= 360; i++)
        put(x, bench_sample(5, JANUARY + i * 10, i == 360 ? top - 1 : top));
    drop_january(x);
    struct read *r = read_points(x, 6, JANUARY, FEBRUARY);
    assert_int_equal(r->count, 1);
    assert_false(r->cells[0].sum.real);
    assert_true(r->cells[0].sum.whole == 360 * top - 1);
    assert_true(r->at[0].value.kind == FIGURE_REAL && r->at[0].value.real == (double)(360 * top - 1));
    free(r);
}

static void of_corrections_the_last_counts_and_unknown_is_not_zero(void **state)
{
    struct retain_rig *x = *state;
    pass(x, DAY);
    put(x, bench_sample(0, JANUARY + 10, 5));
    put(x, bench_sample(0, JANUARY + 20, 6));
    put(x, bench_sample(0, JANUARY + 10, 50));   // corrected
    rig_put_missing(x->r, 0, JANUARY + 20);      // withdrawn
    put(x, bench_sample(0, JANUARY + 7200, 70)); // the hour's last moment
    rig_put_missing(x->r, 0, JANUARY + 10800);
    drop_january(x);
    struct read *r = read_points(x, 1, JANUARY, FEBRUARY);
    assert_int_equal(r->count, 3);
    assert_int_equal(r->cells[0].sum.whole, 50);
    assert_int_equal(r->cells[0].known, 1);
    assert_int_equal(r->cells[0].missing, 1);
    assert_int_equal(r->at[1].time, JANUARY + 7200);
    assert_int_equal(r->at[1].value.integer, 70);
    assert_int_equal(r->at[2].value.kind, FIGURE_MISSING);
    assert_int_equal(r->cells[2].missing, 1);
    free(r);
}

// ---- cells --------------------------------------------------------------------------------------
static void declare_step(struct retain_rig *x, uint32_t number, const char *name, uint32_t step_s)
{
    struct wire_message m = bench_declare_message(x->r->b, number, name, "piece", WIRE_MEASUREMENT);
    m.declare.step_s = step_s;
    bench_clear(x->r->b);
    bench_send(x->r->b, &m);
    assert_int_equal(x->r->b->reply_count, 0);
}

// Of 31 days in quarters of an hour, each with the widest values: the largest roll-up there can be.
static void fill_quarters(struct retain_rig *x, uint32_t number, uint32_t step_s)
{
    struct wire_sample s[400];
    for (int64_t at = JANUARY + step_s; at <= FEBRUARY;) {
        size_t count = 0;
        for (; count < 400 && at <= FEBRUARY; at += step_s, count++)
            s[count] = real_sample(number, at, 9e10 / (double)(at - JANUARY) + 0.1);
        rig_put(x->r, WIRE_MEASUREMENT, s, count);
    }
}

static const char *set_zone(struct retain_rig *x, const char *zone)
{
    for (size_t i = 0; i < x->parks.count; i++)
        if (strcmp(x->parks.parks[i]->code, "almaty-iz") == 0) {
            const char *was = x->parks.parks[i]->time_zone;
            x->parks.parks[i]->time_zone = zone;
            return was;
        }
    fail_msg("no such park");
    return NULL;
}

static void zones_off_the_hour_have_quarters_as_far_as_the_step_divides_them(void **state)
{
    static const struct {
        const char *name;
        uint32_t step_s, cell_s;
    } series[] = {{"out_units/s300", 300, 900},   {"out_units/s900", 900, 900},
                  {"out_units/s600", 600, 3600},  {"out_units/s1200", 1200, 1200},
                  {"out_units/s720", 720, 3600},  {"out_units/s1800", 1800, 1800},
                  {"out_units/s3600", 3600, 3600}};
    enum { N = sizeof series / sizeof *series };
    struct retain_rig *x = *state;
    const char *was = set_zone(x, "Asia/Kathmandu");
    pass(x, FEBRUARY - JANUARY);
    for (uint32_t i = 0; i < N; i++) {
        declare_step(x, 5 + i, series[i].name, series[i].step_s);
        fill_quarters(x, 5 + i, series[i].step_s);
    }
    drop_january(x);
    for (uint32_t i = 0; i < N; i++) {
        struct read *r = read_points(x, 6 + i, JANUARY, FEBRUARY);
        assert_int_equal(r->count, 31 * DAY / series[i].cell_s);
        for (size_t p = 0; p < r->count; p++) {
            assert_int_equal(r->at[p].span_s, series[i].cell_s);
            assert_int_equal(r->at[p].time, JANUARY + (int64_t)(p + 1) * series[i].cell_s);
            assert_int_equal(r->cells[p].known, series[i].cell_s / series[i].step_s);
        }
        free(r);
    }
    verify_is_clean(x);
    set_zone(x, was);
}

static void each_months_cells_follow_its_zone_and_summers_time_changes_nothing(void **state)
{
    struct retain_rig *x = *state;
    const char *was = set_zone(x, "Europe/Berlin"); // changes its hours at the end of March
    for (int day = 0; day < 120; day++) {
        int64_t at = JANUARY + day * DAY;
        int64_t now_us = clock_wall(&x->r->b->clock.clock).us;
        if (at * US_PER_S > now_us)
            fake_clock_advance_us(&x->r->b->clock, at * US_PER_S - now_us);
        put(x, bench_sample(0, at + 10 - DAY, 1 + day));
    }
    rig_settle(x->r);
    retain_go_to(x, JANUARY + 90 * DAY + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(kept(x).dropped_until_s, JANUARY + 90 * DAY);
    struct read *r = read_points(x, 1, JANUARY - 2 * DAY, JANUARY + 90 * DAY);
    assert_int_equal(r->count, 91);
    for (size_t i = 0; i < r->count; i++) {
        assert_int_equal(r->at[i].time, JANUARY + ((int64_t)i - 1) * DAY + 3600);
        assert_int_equal(r->at[i].value.integer, 1 + i);
    }
    free(r);
    set_zone(x, was);
}

// ---- rows of several months ---------------------------------------------------------------------
static void a_backfill_of_more_rows_than_one_job_takes_is_dropped_in_pieces(void **state)
{
    enum { ROWS = 2500 };
    struct retain_rig *x = *state;
    retain_go_to(x, FEBRUARY + 20 * DAY);
    for (int i = 0; i < ROWS; i++)
        put(x, bench_sample(0, JANUARY + (i + 1) * 60, i));
    struct read *before = read_points(x, 1, JANUARY, FEBRUARY);
    int64_t sum = 0;
    for (size_t i = 0; i < before->count; i++)
        sum += before->at[i].value.integer;
    assert_int_equal(before->count, ROWS);
    free(before);
    drop_january(x);
    assert_int_equal(rig_counted(x->r, COUNTER_BATCHES_DROPPED), ROWS);
    struct read *r = read_points(x, 1, JANUARY, FEBRUARY);
    for (size_t i = 0; i < r->count; i++)
        sum -= r->at[i].value.integer;
    assert_int_equal(sum, 0);
    free(r);
    verify_is_clean(x);
}

// Months are looked for every ten minutes only; a full disk must not cost that long.
static void a_month_that_could_not_be_closed_is_closed_as_soon_as_there_is_room(void **state)
{
    struct retain_rig *x = *state;
    struct diag d = {0};
    bool did = false;
    put(x, bench_sample(0, JANUARY + 10, 1));
    rig_settle(x->r);
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    x->submit_result = ERR_FULL;
    enum err e = ERR_OK;
    for (int i = 0; i < 5 && e == ERR_OK; i++) {
        pass(x, RETENTION_LOOK_S);
        rig_observe(x->r);
        e = retention_step(x->retention, &did, &d);
    }
    assert_int_equal(e, ERR_FULL);
    assert_int_equal(kept(x).closed_until_s, 0);
    x->submit_result = ERR_OK;
    assert_true(retain_step(x));
    assert_int_equal(kept(x).closed_until_s, FEBRUARY);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, retain_setup, retain_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_clock_that_is_years_ahead_closes_no_month),
        TEST(a_released_newer_figure_among_rows_that_came_late_stays),
        TEST(a_released_newer_figure_in_an_old_row_stays),
        TEST(a_run_does_not_go_over_rows_that_were_dropped_before),
        TEST(a_seal_over_a_sealed_run_is_refused_and_names_it),
        TEST(runs_that_an_older_version_sealed_over_are_read_as_they_are),
        TEST(a_row_that_was_released_from_since_it_was_chosen_is_not_dropped),
        TEST(a_row_that_was_changed_is_not_dropped_and_verify_names_it),
        TEST(observations_of_another_history_roll_nothing_up),
        TEST(sums_of_the_largest_integers_are_exact),
        TEST(of_corrections_the_last_counts_and_unknown_is_not_zero),
        TEST(zones_off_the_hour_have_quarters_as_far_as_the_step_divides_them),
        TEST(each_months_cells_follow_its_zone_and_summers_time_changes_nothing),
        TEST(a_month_that_could_not_be_closed_is_closed_as_soon_as_there_is_room),
        TEST(a_backfill_of_more_rows_than_one_job_takes_is_dropped_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
