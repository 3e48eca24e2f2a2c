// The round-robin files show what the ledger says, whatever came late, was corrected, was lost or was
// damaged. Files are read back through librrd and compared with the exact points.
#include "collector/rrd_state.h"
#include "store/db.h"
#include "tests/support/collector_bench.h"
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
    struct bench *b;
    struct reader *reader;
    struct observations *observer;
    struct observations_reader *observed;
    struct rrd_writer *writer;
    uint64_t sequence;
};

#define T0    BENCH_NOW_S
#define TODAY 20454 // 2026-01-01

// ---- the rig ------------------------------------------------------------------------------------
static enum err try_open_writer(struct rig *r)
{
    struct diag d = {0};
    struct rrd_writer_options o = {.state = r->b->folder.path,
                                   .reader = r->reader,
                                   .observations = r->observed,
                                   .clock = &r->b->clock.clock,
                                   .counters = &r->b->counters};
    return rrd_writer_open(&o, &r->writer, &d);
}

static void open_rig(struct rig *r)
{
    struct diag d = {0};
    assert_int_equal(reader_open(r->b->folder.path, &r->reader, &d), ERR_OK);
    assert_int_equal(observations_open(r->b->folder.path, &r->observer, &d), ERR_OK);
    assert_int_equal(observations_reader_open(r->b->folder.path, &r->observed, &d), ERR_OK);
    assert_int_equal(try_open_writer(r), ERR_OK);
}

static void close_rig(struct rig *r)
{
    rrd_writer_close(r->writer);
    observations_reader_close(r->observed);
    observations_close(r->observer);
    reader_close(r->reader);
}

static int setup(void **state)
{
    void *b;
    struct rig *r = calloc(1, sizeof *r);
    if (!r || bench_setup(&b) != 0)
        return -1;
    r->b = b;
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT); // series 1
    bench_declare(b, 1, "jobs_total", "person", WIRE_REPORT);          // series 2, months
    bench_declare(b, 2, "inv", "money", WIRE_REPORT);                  // series 3, months
    bench_declare(b, 3, "out_units/pumps", "piece", WIRE_MEASUREMENT); // series 4
    open_rig(r);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    void *b = r->b;
    close_rig(r);
    free(r);
    return bench_teardown(&b);
}

static void observe(struct rig *r)
{
    size_t rows = 1;
    struct diag d = {0};
    while (rows > 0)
        assert_int_equal(observations_advance(r->observer, r->reader, 100, &rows, &d), ERR_OK);
}

static size_t step(struct rig *r)
{
    size_t did;
    struct diag d = {0};
    if (rrd_writer_step(r->writer, &did, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return did;
}

// Until there is nothing left to do, waiting out the pauses between rebuilds.
static void settle(struct rig *r)
{
    observe(r);
    for (int i = 0; i < 50; i++) {
        if (step(r) == 0 && rrd_writer_dirty(r->writer) == 0)
            return;
        fake_clock_advance_us(&r->b->clock, US_PER_S);
    }
    fail_msg("the writer never settles");
}

static void put(struct rig *r, enum wire_class class, const struct wire_sample *s, size_t count)
{
    bench_clear(r->b);
    bench_batch(r->b, ++r->sequence, class, s, count);
    (void)bench_reply(r->b, r->b->reply_count - 1, WIRE_ACK);
}

static void put_one(struct rig *r, uint32_t series, int64_t time, int64_t value)
{
    struct wire_sample s = bench_sample(series, time, value);
    put(r, series == 1 || series == 2 ? WIRE_REPORT : WIRE_MEASUREMENT, &s, 1);
}

static void put_missing(struct rig *r, uint32_t series, int64_t time)
{
    struct wire_sample s = {.series = series, .time = time, .value = figure_missing()};
    put(r, series == 1 || series == 2 ? WIRE_REPORT : WIRE_MEASUREMENT, &s, 1);
}

static void file_path(struct rig *r, int64_t series_id, char path[RRD_PATH_MAX])
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

static double shown(struct rig *r, int64_t series_id, uint32_t step_s, int64_t time)
{
    char path[RRD_PATH_MAX];
    struct wanted w = {.time = time, .value = NAN};
    uint32_t got = step_s;
    struct diag d = {0};
    file_path(r, series_id, path);
    if (rrd_file_fetch(path, "AVERAGE", time - step_s, time, &got, find, &w, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(got, step_s);
    assert_true(w.found);
    return w.value;
}

#define assert_shows(r, time, v)      assert_true(shown(r, 1, 10, time) == (double)(v))
#define assert_unknown(r, time)       assert_true(isnan(shown(r, 1, 10, time)))
#define day_end(day)                  (((int64_t)(day) + 1) * 86400)
#define assert_shows_day(r, id, d, v) assert_true(shown(r, id, 86400, day_end(d)) == (double)(v))

static uint64_t counted(const struct rig *r, enum collector_counter id)
{
    return bench_counted(r->b, id);
}

static void restart(struct rig *r, bool clean)
{
    struct diag d = {0};
    if (clean)
        assert_int_equal(rrd_writer_stop(r->writer, true, &d), ERR_OK);
    rrd_writer_close(r->writer);
    assert_int_equal(try_open_writer(r), ERR_OK);
}

// ---- plain writing ------------------------------------------------------------------------------
static void measurements_are_in_the_file_exactly(void **state)
{
    struct rig *r = *state;
    for (int i = 0; i < 10; i++)
        put_one(r, 0, T0 + i * 10, 100 + i);
    settle(r);
    for (int i = 0; i < 10; i++)
        assert_shows(r, T0 + i * 10, 100 + i);
    assert_int_equal(rrd_writer_landed(r->writer), ledger_position(r->b->ledger));
    assert_int_equal(counted(r, COUNTER_RRD_VALUES_WRITTEN), 10);
    assert_int_equal(counted(r, COUNTER_RRD_FILE_VISITS), 1); // one visit for ten rows
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 0);
}

static void times_without_a_value_are_unknown(void **state)
{
    struct rig *r = *state;
    put_one(r, 0, T0, 1);
    put_one(r, 0, T0 + 50, 2);
    put_missing(r, 0, T0 + 60);
    put_one(r, 0, T0 + 70, 3);
    settle(r);
    assert_shows(r, T0, 1);
    assert_unknown(r, T0 + 10);
    assert_unknown(r, T0 + 40);
    assert_shows(r, T0 + 50, 2);
    assert_unknown(r, T0 + 60);
    assert_shows(r, T0 + 70, 3);
}

static void a_report_fills_the_days_of_its_period(void **state)
{
    struct rig *r = *state;
    put_one(r, 1, TODAY - 31, 120); // December 2025
    put_one(r, 1, TODAY, 130);
    settle(r);
    assert_shows_day(r, 2, TODAY - 31, 120);
    assert_shows_day(r, 2, TODAY - 1, 120);
    assert_shows_day(r, 2, TODAY, 130);
    assert_shows_day(r, 2, TODAY + 30, 130);
}

static void a_missing_month_is_unknown(void **state)
{
    struct rig *r = *state;
    put_one(r, 1, TODAY - 61, 110); // November, then nothing for December
    put_one(r, 1, TODAY, 130);
    settle(r);
    assert_shows_day(r, 2, TODAY - 32, 110);
    assert_true(isnan(shown(r, 2, 86400, day_end(TODAY - 15))));
    assert_shows_day(r, 2, TODAY, 130);
}

static void a_refused_sample_is_not_shown(void **state)
{
    struct rig *r = *state;
    struct wire_sample s[2] = {bench_sample(0, T0, 1), bench_sample(0, T0 + 1000, 2)};
    put(r, WIRE_MEASUREMENT, s, 2);
    put_one(r, 0, T0 + 10, 3);
    settle(r);
    assert_shows(r, T0 + 10, 3);
    assert_int_equal(counted(r, COUNTER_RRD_VALUES_WRITTEN), 2);
}

static void figures_before_1980_stay_in_the_ledger_only(void **state)
{
    struct rig *r = *state;
    put_one(r, 1, -365, 5); // 1969
    put_one(r, 1, TODAY, 130);
    settle(r);
    assert_shows_day(r, 2, TODAY, 130);
    assert_int_equal(counted(r, COUNTER_RRD_TOO_EARLY), 31);
    assert_int_equal(rrd_writer_landed(r->writer), ledger_position(r->b->ledger));
}

// ---- late and corrected -------------------------------------------------------------------------
static void late_within_one_step_costs_no_rebuild(void **state)
{
    struct rig *r = *state;
    put_one(r, 0, T0 + 20, 3);
    put_one(r, 0, T0, 1);
    put_one(r, 0, T0 + 10, 2);
    put_one(r, 0, T0 + 10, 7); // and a correction: the last in ledger order wins
    settle(r);
    assert_shows(r, T0, 1);
    assert_shows(r, T0 + 10, 7);
    assert_shows(r, T0 + 20, 3);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 0);
}

static void a_late_value_rebuilds_its_series(void **state)
{
    struct rig *r = *state;
    put_one(r, 0, T0, 1);
    put_one(r, 0, T0 + 20, 3);
    settle(r);
    put_one(r, 0, T0 + 10, 2);
    settle(r);
    assert_shows(r, T0, 1);
    assert_shows(r, T0 + 10, 2);
    assert_shows(r, T0 + 20, 3);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 1);
    assert_int_equal(counted(r, COUNTER_RRD_LATE), 1);
    put_one(r, 0, T0 + 30, 4); // and it goes on as before
    settle(r);
    assert_shows(r, T0 + 30, 4);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 1);
}

static void a_correction_wins_and_a_repeat_is_counted(void **state)
{
    struct rig *r = *state;
    put_one(r, 0, T0, 1);
    put_one(r, 0, T0 + 10, 2);
    settle(r);
    put_one(r, 0, T0 + 10, 2);
    put_one(r, 0, T0, 1);
    settle(r);
    assert_int_equal(counted(r, COUNTER_RRD_REPEATS), 2);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 0);
    put_one(r, 0, T0 + 10, 9);
    settle(r);
    assert_shows(r, T0 + 10, 9);
    put_missing(r, 0, T0); // a value that is taken back
    settle(r);
    assert_unknown(r, T0);
    assert_shows(r, T0 + 10, 9);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 2);
}

static void many_late_values_at_once_are_one_rebuild(void **state)
{
    struct rig *r = *state;
    put_one(r, 0, T0 + 280, 1);
    settle(r);
    for (int i = 0; i < 20; i++)
        put_one(r, 0, T0 + i * 10, i);
    settle(r);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 1);
    for (int i = 0; i < 20; i++)
        assert_shows(r, T0 + i * 10, i);
    assert_shows(r, T0 + 280, 1);
}

static void a_series_is_rebuilt_at_most_once_a_second(void **state)
{
    struct rig *r = *state;
    put_one(r, 0, T0 + 280, 1);
    settle(r);
    put_one(r, 0, T0, 1);
    observe(r);
    step(r);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 1);
    put_one(r, 0, T0 + 10, 2);
    observe(r);
    step(r);
    put_one(r, 0, T0 + 20, 3);
    observe(r);
    step(r);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 1);
    assert_true(rrd_writer_landed(r->writer) < rrd_writer_position(r->writer));
    fake_clock_advance_us(&r->b->clock, US_PER_S);
    step(r);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 2);
    assert_shows(r, T0 + 10, 2);
    assert_shows(r, T0 + 20, 3);
    assert_int_equal(rrd_writer_landed(r->writer), rrd_writer_position(r->writer));
}

static void a_rebuild_waits_for_the_observer(void **state)
{
    struct rig *r = *state;
    put_one(r, 1, TODAY, 130);
    settle(r);
    put_one(r, 1, TODAY - 31, 120);
    step(r);
    assert_int_equal(rrd_writer_dirty(r->writer), 1);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 0);
    settle(r);
    assert_shows_day(r, 2, TODAY - 31, 120);
    assert_shows_day(r, 2, TODAY, 130);
}

static void a_revised_report_is_shown_as_revised(void **state)
{
    struct rig *r = *state;
    put_one(r, 1, TODAY - 31, 120);
    put_one(r, 1, TODAY, 130);
    settle(r);
    put_one(r, 1, TODAY - 31, 125);
    settle(r);
    assert_shows_day(r, 2, TODAY - 31, 125);
    assert_shows_day(r, 2, TODAY - 1, 125);
    assert_shows_day(r, 2, TODAY, 130);
    put_one(r, 1, TODAY - 31, 125);
    settle(r);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 1);
    assert_int_equal(counted(r, COUNTER_RRD_REPEATS), 31);
}

static void an_amount_in_another_currency_is_not_drawn_as_if_it_were_its_own(void **state)
{
    struct rig *r = *state;
    struct wire_note note = {.currency = "USD", .reason = "", .author = ""};
    struct wire_sample s = bench_sample(2, TODAY - 31, 5000);
    bench_build(r->b, ++r->sequence, WIRE_REPORT, &s, &note, 1);
    bench_receive(r->b, &r->b->peer, r->b->token, r->b->out.data, r->b->out.len);
    put_one(r, 2, TODAY, 7000);
    settle(r);
    assert_true(isnan(shown(r, 3, 86400, day_end(TODAY - 31))));
    assert_shows_day(r, 3, TODAY, 7000);
    put_one(r, 2, TODAY, 7001); // rebuilt, the same
    settle(r);
    assert_true(isnan(shown(r, 3, 86400, day_end(TODAY - 31))));
    assert_shows_day(r, 3, TODAY, 7001);
}

// ---- damage -------------------------------------------------------------------------------------
static void fill(struct rig *r)
{
    for (int i = 0; i < 6; i++)
        put_one(r, 0, T0 + i * 10, i + 1);
    settle(r);
}

static void check_filled(struct rig *r)
{
    for (int i = 0; i < 6; i++)
        assert_shows(r, T0 + i * 10, i + 1);
}

static void later(struct rig *r) // the patrol's turn, and another time of change on the file
{
    fake_clock_advance_us(&r->b->clock, 2 * US_PER_S);
    settle(r);
    fake_clock_advance_us(&r->b->clock, 2 * US_PER_S);
    settle(r);
}

static void damage(const char *path, int how)
{
    struct stat st;
    char zeros[4096] = {0};
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    if (how == 0)
        assert_int_equal(ftruncate(fd, st.st_size / 2), 0);
    else if (how == 1)
        assert_int_equal(ftruncate(fd, 0), 0);
    else if (how == 2)
        assert_int_equal(pwrite(fd, zeros, sizeof zeros, 0), sizeof zeros);
    else // in the figures, where librrd has no check of its own
        assert_int_equal(pwrite(fd, "garbage garbage garbage", 23, st.st_size / 2), 23);
    // whatever the clock's grain: another time than the one that was left
    struct timespec times[2] = {{.tv_sec = st.st_atim.tv_sec}, {.tv_sec = st.st_mtim.tv_sec + 7}};
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static void damaged_files_are_noticed_while_nothing_is_written(void **state)
{
    struct rig *r = *state;
    char path[RRD_PATH_MAX];
    fill(r);
    file_path(r, 1, path);
    for (int how = 0; how < 4; how++) {
        damage(path, how);
        later(r);
        check_filled(r);
        assert_int_equal(counted(r, COUNTER_RRD_DAMAGED), how + 1);
    }
    assert_int_equal(unlink(path), 0);
    later(r);
    check_filled(r);
    assert_int_equal(counted(r, COUNTER_RRD_MISSING), 1);
}

static void damaged_files_are_noticed_when_they_are_written(void **state)
{
    struct rig *r = *state;
    char path[RRD_PATH_MAX];
    fill(r);
    file_path(r, 1, path);
    for (int how = 0; how < 4; how++) {
        damage(path, how);
        put_one(r, 0, T0 + 100 + how * 10, 50 + how);
        settle(r);
        check_filled(r);
        assert_shows(r, T0 + 100 + how * 10, 50 + how);
    }
    assert_int_equal(unlink(path), 0);
    put_one(r, 0, T0 + 200, 60);
    settle(r);
    check_filled(r);
    assert_shows(r, T0 + 200, 60);
}

static void damage_done_while_stopped_is_noticed(void **state)
{
    struct rig *r = *state;
    char path[RRD_PATH_MAX];
    fill(r);
    file_path(r, 1, path);
    restart(r, true);
    later(r);
    assert_int_equal(counted(r, COUNTER_RRD_DAMAGED), 0);
    assert_int_equal(rrd_writer_stop(r->writer, true, NULL), ERR_OK);
    rrd_writer_close(r->writer);
    damage(path, 3);
    assert_int_equal(try_open_writer(r), ERR_OK);
    later(r);
    check_filled(r);
    assert_int_equal(counted(r, COUNTER_RRD_DAMAGED), 1);
}

static void an_older_copy_of_a_file_is_noticed_after_a_kill(void **state)
{
    struct rig *r = *state;
    char path[RRD_PATH_MAX], copy[RRD_PATH_MAX + 4], command[2 * RRD_PATH_MAX + 64];
    fill(r);
    file_path(r, 1, path);
    snprintf(copy, sizeof copy, "%s.old", path);
    snprintf(command, sizeof command, "cp %s %s", path, copy);
    assert_int_equal(system(command), 0);
    put_one(r, 0, T0 + 100, 7);
    settle(r);
    fake_clock_advance_us(&r->b->clock, 31 * US_PER_S);
    step(r); // the cursor is stored
    assert_int_equal(rename(copy, path), 0);
    restart(r, false);
    later(r);
    check_filled(r);
    assert_shows(r, T0 + 100, 7);
}

static void asking_for_a_rebuild_makes_the_files_again(void **state)
{
    struct rig *r = *state;
    uint64_t count;
    struct diag d = {0};
    fill(r);
    put_one(r, 1, TODAY, 130);
    settle(r);
    assert_int_equal(rrd_writer_rebuild(r->writer, "almaty-iz/acme/out_units/lifts", &count, &d), ERR_OK);
    assert_int_equal(count, 1);
    settle(r);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 1);
    assert_int_equal(rrd_writer_rebuild(r->writer, "", &count, &d), ERR_OK);
    assert_int_equal(count, 4);
    settle(r);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 5);
    check_filled(r);
    assert_shows_day(r, 2, TODAY, 130);
    assert_int_equal(rrd_writer_rebuild(r->writer, "no/such/thing", &count, &d), ERR_NOT_FOUND);
}

// ---- starts -------------------------------------------------------------------------------------
static void after_a_clean_stop_it_goes_on(void **state)
{
    struct rig *r = *state;
    fill(r);
    restart(r, true);
    put_one(r, 0, T0 + 60, 7);
    settle(r);
    check_filled(r);
    assert_shows(r, T0 + 60, 7);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 0);
    assert_int_equal(counted(r, COUNTER_RRD_REPEATS), 0);
}

static void after_a_kill_the_files_are_ahead_of_the_cursor_and_nothing_is_lost(void **state)
{
    struct rig *r = *state;
    fill(r); // lands, and the cursor is not stored
    restart(r, false);
    assert_int_equal(rrd_writer_position(r->writer), 0);
    put_one(r, 0, T0 + 60, 7);
    settle(r);
    check_filled(r);
    assert_shows(r, T0 + 60, 7);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 0);
    assert_int_equal(counted(r, COUNTER_RRD_REPEATS), 6);
}

static void after_a_kill_a_correction_in_between_still_wins(void **state)
{
    struct rig *r = *state;
    put_one(r, 0, T0, 1);
    put_one(r, 0, T0 + 10, 2);
    settle(r);
    put_one(r, 0, T0, 8); // read, and killed before the file was rebuilt
    step(r);
    assert_int_equal(rrd_writer_dirty(r->writer), 1);
    restart(r, false);
    put_one(r, 0, T0 + 20, 3);
    settle(r);
    assert_shows(r, T0, 8);
    assert_shows(r, T0 + 10, 2);
    assert_shows(r, T0 + 20, 3);
    restart(r,
            false); // and once more, now that the file has the correction and the ledger's first row has not
    settle(r);
    assert_shows(r, T0, 8);
    assert_shows(r, T0 + 10, 2);
}

static void the_file_that_was_being_written_when_killed_is_rebuilt(void **state)
{
    struct rig *r = *state;
    fill(r);
    rrd_cursor_mark(r->writer->cursor, 1);
    restart(r, false);
    settle(r);
    check_filled(r);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 1);
}

static void dirty_series_are_remembered_over_a_stop(void **state)
{
    struct rig *r = *state;
    fill(r);
    put_one(r, 0, T0, 77);
    step(r); // the observer has not seen it: can't be rebuilt yet
    assert_int_equal(rrd_writer_dirty(r->writer), 1);
    restart(r, true);
    assert_int_equal(rrd_writer_dirty(r->writer), 1);
    settle(r);
    assert_shows(r, T0, 77);
    assert_shows(r, T0 + 50, 6);
}

static void forge_boot(struct rig *r)
{
    char path[TEST_PATH];
    struct db *db;
    struct diag d = {0};
    test_folder_path(&r->b->folder, RRD_CURSOR_FILE, path);
    assert_int_equal(db_open_writer(path, &db, &d), ERR_OK);
    assert_int_equal(db_exec(db, "UPDATE meta SET boot_id = 'another boot'", &d), ERR_OK);
    db_close(db);
}

static void after_a_machine_crash_what_was_written_since_the_cursor_is_rebuilt(void **state)
{
    struct rig *r = *state;
    char path[RRD_PATH_MAX];
    put_one(r, 3, T0, 1);
    fill(r);
    fake_clock_advance_us(&r->b->clock, 31 * US_PER_S);
    step(r); // stored
    put_one(r, 0, T0 + 60, 7);
    settle(r);
    rrd_writer_close(r->writer);
    r->writer = NULL;
    forge_boot(r);
    file_path(r, 1, path);
    damage(path, 3); // what the disk made of it
    assert_int_equal(try_open_writer(r), ERR_OK);
    assert_int_equal(rrd_writer_dirty(r->writer), 1); // not the other series
    settle(r);
    check_filled(r);
    assert_shows(r, T0 + 60, 7);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 1);
}

static void after_another_boot_and_a_clean_stop_nothing_is_rebuilt(void **state)
{
    struct rig *r = *state;
    fill(r);
    assert_int_equal(rrd_writer_stop(r->writer, true, NULL), ERR_OK);
    rrd_writer_close(r->writer);
    r->writer = NULL;
    forge_boot(r);
    assert_int_equal(try_open_writer(r), ERR_OK);
    settle(r);
    check_filled(r);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS), 0);
}

static void without_its_cursor_everything_is_rebuilt(void **state)
{
    struct rig *r = *state;
    char path[TEST_PATH];
    fill(r);
    put_one(r, 1, TODAY, 130);
    settle(r);
    rrd_writer_close(r->writer);
    r->writer = NULL;
    test_folder_path(&r->b->folder, RRD_CURSOR_FILE, path);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    fputs("this is not a database, whatever its name says", f);
    fclose(f);
    assert_int_equal(try_open_writer(r), ERR_OK);
    assert_int_equal(rrd_writer_dirty(r->writer), 4);
    settle(r);
    check_filled(r);
    assert_shows_day(r, 2, TODAY, 130);
    assert_int_equal(rrd_writer_landed(r->writer), ledger_position(r->b->ledger));
}

static void a_cursor_of_another_ledger_is_not_believed(void **state)
{
    struct rig *r = *state;
    char path[TEST_PATH];
    struct db *db;
    struct diag d = {0};
    fill(r);
    assert_int_equal(rrd_writer_stop(r->writer, true, NULL), ERR_OK);
    rrd_writer_close(r->writer);
    r->writer = NULL;
    test_folder_path(&r->b->folder, RRD_CURSOR_FILE, path);
    assert_int_equal(db_open_writer(path, &db, &d), ERR_OK);
    assert_int_equal(db_exec(db, "UPDATE meta SET chain = zeroblob(32)", &d), ERR_OK);
    db_close(db);
    assert_int_equal(try_open_writer(r), ERR_OK);
    assert_int_equal(rrd_writer_dirty(r->writer), 4);
    settle(r);
    check_filled(r);
}

static void files_and_cursor_deleted_are_made_again(void **state)
{
    struct rig *r = *state;
    char command[TEST_PATH + 64];
    fill(r);
    put_one(r, 1, TODAY, 130);
    settle(r);
    rrd_writer_close(r->writer);
    r->writer = NULL;
    snprintf(command, sizeof command, "rm -r %s/rrd %s/rrd.*", r->b->folder.path, r->b->folder.path);
    assert_int_equal(system(command), 0);
    assert_int_equal(try_open_writer(r), ERR_OK);
    settle(r);
    check_filled(r);
    assert_shows_day(r, 2, TODAY, 130);
    assert_int_equal(counted(r, COUNTER_RRD_REBUILDS),
                     0); // read from the start, as if it were the first time
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(measurements_are_in_the_file_exactly),
        T(times_without_a_value_are_unknown),
        T(a_report_fills_the_days_of_its_period),
        T(a_missing_month_is_unknown),
        T(a_refused_sample_is_not_shown),
        T(figures_before_1980_stay_in_the_ledger_only),
        T(late_within_one_step_costs_no_rebuild),
        T(a_late_value_rebuilds_its_series),
        T(a_correction_wins_and_a_repeat_is_counted),
        T(many_late_values_at_once_are_one_rebuild),
        T(a_series_is_rebuilt_at_most_once_a_second),
        T(a_rebuild_waits_for_the_observer),
        T(a_revised_report_is_shown_as_revised),
        T(an_amount_in_another_currency_is_not_drawn_as_if_it_were_its_own),
        T(damaged_files_are_noticed_while_nothing_is_written),
        T(damaged_files_are_noticed_when_they_are_written),
        T(damage_done_while_stopped_is_noticed),
        T(an_older_copy_of_a_file_is_noticed_after_a_kill),
        T(asking_for_a_rebuild_makes_the_files_again),
        T(after_a_clean_stop_it_goes_on),
        T(after_a_kill_the_files_are_ahead_of_the_cursor_and_nothing_is_lost),
        T(after_a_kill_a_correction_in_between_still_wins),
        T(the_file_that_was_being_written_when_killed_is_rebuilt),
        T(dirty_series_are_remembered_over_a_stop),
        T(after_a_machine_crash_what_was_written_since_the_cursor_is_rebuilt),
        T(after_another_boot_and_a_clean_stop_nothing_is_rebuilt),
        T(without_its_cursor_everything_is_rebuilt),
        T(a_cursor_of_another_ledger_is_not_believed),
        T(files_and_cursor_deleted_are_made_again),
    };
    return cmocka_run_group_tests_name("rrd_writer", tests, NULL, NULL);
}
