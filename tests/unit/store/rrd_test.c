// Round-robin files: figures come back bit-equal, gaps stay gaps, and no damaged file reaches librrd.
#include "base/fs.h"
#include "kpi/period.h"
#include "store/rrd.h"
#include "tests/support/random.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAY_S 86400

struct fixture {
    char folder[STORE_PATH];
    char path[RRD_PATH_MAX];
    struct ledger_series series;
    struct diag diag;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    store_temp_folder(f->folder);
    f->series = store_series("aztm/one/out_units", WIRE_MEASUREMENT, 10, 0);
    f->series.series_id = 258;
    assert_int_equal(rrd_path(f->folder, 258, f->path), ERR_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_remove_folder(f->folder);
    free(f);
    return 0;
}

static void create(struct fixture *f, int64_t start)
{
    enum err e = rrd_file_create(f->path, &f->series, start, false, &f->diag);
    if (e != ERR_OK)
        fail_msg("rrd_file_create: %s: %s", err_name(e), f->diag.text);
}

static void update(struct fixture *f, const struct rrd_value *values, size_t count)
{
    enum err e = rrd_file_update(f->path, &f->series, values, count, &f->diag);
    if (e != ERR_OK)
        fail_msg("rrd_file_update: %s: %s", err_name(e), f->diag.text);
}

struct fetched {
    size_t count;
    struct rrd_value values[30000];
};

static enum err take(void *ctx, int64_t time, double value)
{
    struct fetched *f = ctx;
    assert_true(f->count < sizeof f->values / sizeof f->values[0]);
    f->values[f->count++] = (struct rrd_value){time, value};
    return ERR_OK;
}

static void fetch(struct fixture *f, const char *cf, int64_t from, int64_t to, uint32_t step,
                  struct fetched *out)
{
    out->count = 0;
    enum err e = rrd_file_fetch(f->path, cf, from, to, &step, take, out, &f->diag);
    if (e != ERR_OK)
        fail_msg("rrd_file_fetch: %s: %s", err_name(e), f->diag.text);
}

// ---- exact
// ----------------------------------------------------------------------------------------------------------

static double any_real(struct random *r)
{
    double v = ldexp((double)(random_next(r) >> 11), (int)random_below(r, 200) - 150);
    return random_below(r, 2) ? v : 0 - v;
}

static void check_exact(struct fixture *f, uint32_t step_s)
{
    enum { VALUES = 3000 };
    static const double ends[] = {0,      9007199254740991.0, -9007199254740991.0, 0.1, DBL_MIN,
                                  5e-324, DBL_MAX / 4};
    struct rrd_value *values = malloc(VALUES * sizeof *values);
    struct fetched *got = malloc(sizeof *got);
    struct random random = {step_s};
    const int64_t start = STORE_EPOCH - STORE_EPOCH % DAY_S;
    f->series.step_s = step_s == DAY_S ? 0 : step_s;
    f->series.class = step_s == DAY_S ? WIRE_REPORT : WIRE_MEASUREMENT;
    f->series.period = step_s == DAY_S ? PERIOD_DAY : PERIOD_NONE;
    create(f, start);
    for (int i = 0; i < VALUES; i++) {
        double value = i % 3 ? floor(any_real(&random)) : any_real(&random);
        values[i] = (struct rrd_value){start + (int64_t)step_s * (i + 1), value};
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        values[100 + i].value = ends[i];
    update(f, values, VALUES);
    fetch(f, "AVERAGE", start, start + (int64_t)step_s * VALUES, step_s, got);
    assert_int_equal(got->count, VALUES);
    for (int i = 0; i < VALUES; i++) {
        assert_true(got->values[i].time == values[i].time);
        if (got->values[i].value != values[i].value)
            fail_msg("step %u: %.17g came back as %.17g", step_s, values[i].value, got->values[i].value);
    }
    free(values);
    free(got);
}

static void every_value_comes_back_bit_equal(void **state)
{
    static const uint32_t steps[] = {10, 12, 16, 30, 60, 300, 900, 3600, DAY_S};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        check_exact(*state, steps[i]);
}

static void values_are_the_same_in_whatever_portions_they_come(void **state)
{
    struct fixture *f = *state;
    struct fetched *got = malloc(sizeof *got);
    struct rrd_value values[1200];
    struct random random = {3};
    create(f, STORE_EPOCH);
    for (int i = 0; i < 1200; i++)
        values[i] = (struct rrd_value){STORE_EPOCH + 10 * (i + 1), (double)random_below(&random, 1000000)};
    for (size_t done = 0; done < 1200;) {
        size_t n = random_below(&random, 3) ? 1 + (size_t)random_below(&random, 20) : 600;
        n = n > 1200 - done ? 1200 - done : n;
        update(f, values + done, n);
        done += n;
    }
    fetch(f, "AVERAGE", STORE_EPOCH, STORE_EPOCH + 12000, 10, got);
    assert_int_equal(got->count, 1200);
    for (int i = 0; i < 1200; i++)
        assert_true(got->values[i].value == values[i].value);
    free(got);
}

// ---- gaps
// -----------------------------------------------------------------------------------------------------------

static void a_gap_is_unknown_and_the_value_after_it_is_not(void **state)
{
    struct fixture *f = *state;
    struct fetched got;
    const struct rrd_value values[] = {{STORE_EPOCH + 10, 1}, {STORE_EPOCH + 20, 2}, {STORE_EPOCH + 30, NAN},
                                       {STORE_EPOCH + 40, 4}, {STORE_EPOCH + 80, 8}, {STORE_EPOCH + 90, 9}};
    static const double expected[] = {1, 2, NAN, 4, NAN, NAN, NAN, 8, 9};
    create(f, STORE_EPOCH);
    update(f, values, 6);
    fetch(f, "AVERAGE", STORE_EPOCH, STORE_EPOCH + 90, 10, &got);
    assert_int_equal(got.count, 9);
    for (size_t i = 0; i < 9; i++)
        assert_true(isnan(expected[i]) ? isnan(got.values[i].value) : got.values[i].value == expected[i]);
    // The same across calls, and a gap of a year.
    const struct rrd_value later[] = {{STORE_EPOCH + 365 * DAY_S, 7}};
    int64_t last = 0;
    update(f, later, 1);
    assert_int_equal(rrd_file_last(f->path, &f->series, &last, &f->diag), ERR_OK);
    assert_true(last == STORE_EPOCH + 365 * DAY_S);
    fetch(f, "AVERAGE", last - 20, last, 10, &got);
    assert_int_equal(got.count, 2);
    assert_true(isnan(got.values[0].value));
    assert_true(got.values[1].value == 7);
}

static void hours_and_days_have_average_minimum_and_maximum(void **state)
{
    struct fixture *f = *state;
    struct fetched got;
    static struct rrd_value values[2 * 8640];
    const int64_t start = STORE_EPOCH - STORE_EPOCH % DAY_S;
    create(f, start);
    for (int i = 0; i < 2 * 8640; i++)
        values[i] = (struct rrd_value){start + 10 * (i + 1), i % 360};
    update(f, values, 2 * 8640);
    fetch(f, "AVERAGE", start, start + 2 * DAY_S, 3600, &got);
    assert_int_equal(got.count, 48);
    assert_true(fabs(got.values[7].value - 179.5) < 1e-9);
    fetch(f, "MIN", start, start + 2 * DAY_S, 3600, &got);
    assert_true(got.values[7].value == 0);
    fetch(f, "MAX", start, start + 2 * DAY_S, DAY_S, &got);
    assert_int_equal(got.count, 2);
    assert_true(got.values[1].value == 359);
    fetch(f, "AVERAGE", start, start + 2 * DAY_S, 300, &got);
    assert_int_equal(got.count, 576);
}

static enum err never(void *ctx, int64_t time, double value)
{
    (void)ctx;
    (void)time;
    (void)value;
    return ERR_CLOSED;
}

static void fetch_refuses_what_makes_no_sense_and_stops_when_told(void **state)
{
    struct fixture *f = *state;
    uint32_t step = 10;
    create(f, STORE_EPOCH);
    assert_int_equal(rrd_file_fetch(f->path, "LAST", 0, 10, &step, never, NULL, &f->diag), ERR_NOT_FOUND);
    assert_int_equal(rrd_file_fetch(f->path, "AVERAGE", 10, 10, &step, never, NULL, &f->diag), ERR_INVALID);
    assert_int_equal(rrd_file_fetch(f->path, "AVERAGE", -10, 10, &step, never, NULL, &f->diag), ERR_INVALID);
    assert_int_equal(
        rrd_file_fetch(f->path, "AVERAGE", STORE_EPOCH, STORE_EPOCH + 100, &step, never, NULL, &f->diag),
        ERR_CLOSED);
}

// ---- order and steps
// ------------------------------------------------------------------------------------------------

static void values_not_later_off_step_or_infinite_change_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t last = 0;
    const struct rrd_value first[] = {{STORE_EPOCH + 10, 1}};
    const struct rrd_value same[] = {{STORE_EPOCH + 10, 2}, {STORE_EPOCH + 20, 2}};
    const struct rrd_value back[] = {{STORE_EPOCH + 30, 1}, {STORE_EPOCH + 20, 2}};
    const struct rrd_value off[] = {{STORE_EPOCH + 20, 1}, {STORE_EPOCH + 31, 2}};
    const struct rrd_value huge[] = {{STORE_EPOCH + 20, INFINITY}};
    create(f, STORE_EPOCH);
    update(f, first, 1);
    assert_int_equal(rrd_file_update(f->path, &f->series, same, 2, &f->diag), ERR_CONFLICT);
    assert_int_equal(rrd_file_update(f->path, &f->series, back, 2, &f->diag), ERR_INVALID);
    assert_int_equal(rrd_file_update(f->path, &f->series, off, 2, &f->diag), ERR_INVALID);
    assert_int_equal(rrd_file_update(f->path, &f->series, huge, 1, &f->diag), ERR_INVALID);
    assert_int_equal(rrd_file_update(f->path, &f->series, NULL, 0, &f->diag), ERR_OK);
    assert_int_equal(rrd_file_last(f->path, &f->series, &last, &f->diag), ERR_OK);
    assert_true(last == STORE_EPOCH + 10);
    assert_int_equal(rrd_file_create(f->path, &f->series, STORE_EPOCH + 1, false, &f->diag), ERR_INVALID);
    assert_int_equal(rrd_file_create(f->path, &f->series, 0, false, &f->diag), ERR_INVALID);
    f->series.step_s = 7;
    assert_int_equal(rrd_file_create(f->path, &f->series, STORE_EPOCH, false, &f->diag), ERR_INVALID);
}

static void a_link_that_lies_in_a_new_file_s_place_is_not_followed(void **state)
{
    struct fixture *f = *state;
    char beside[sizeof f->path + 8], target[sizeof f->path + 8];
    struct stat st;
    snprintf(beside, sizeof beside, "%s.made", f->path);
    snprintf(target, sizeof target, "%s.target", f->path);
    create(f, STORE_EPOCH); // and the folder
    assert_int_equal(symlink(target, beside), 0);
    assert_int_not_equal(rrd_file_create(f->path, &f->series, STORE_EPOCH, false, &f->diag), ERR_OK);
    assert_int_equal(stat(target, &st), -1);
}

// ---- reports
// --------------------------------------------------------------------------------------------------------

static void a_report_is_drawn_on_each_civil_day_of_its_period(void **state)
{
    struct fixture *f = *state;
    struct rrd_value days[366];
    struct fetched got;
    size_t count = 0;
    const int32_t february = civil_to_days((struct civil){2024, 2, 1});
    f->series = store_series("penza/one/jobs_total", WIRE_REPORT, 0, PERIOD_MONTH);
    create(f, (int64_t)february * DAY_S);
    rrd_report_values(&f->series, february, store_integer(100), days, &count);
    assert_int_equal(count, 29);
    assert_true(days[0].time == ((int64_t)february + 1) * DAY_S);
    update(f, days, count);
    rrd_report_values(&f->series, february + 29, figure_missing(), days, &count);
    assert_int_equal(count, 31);
    update(f, days, count);
    rrd_report_values(&f->series, february + 60, store_integer(300), days, &count);
    update(f, days, count);
    fetch(f, "AVERAGE", (int64_t)february * DAY_S, (int64_t)(february + 90) * DAY_S, DAY_S, &got);
    assert_int_equal(got.count, 90);
    for (int i = 0; i < 90; i++)
        assert_true(i < 29   ? got.values[i].value == 100
                    : i < 60 ? isnan(got.values[i].value)
                             : got.values[i].value == 300);
    f->series.period = PERIOD_YEAR;
    rrd_report_values(&f->series, civil_to_days((struct civil){2024, 1, 1}), store_integer(1), days, &count);
    assert_int_equal(count, 366);
    f->series.period = PERIOD_DAY;
    rrd_report_values(&f->series, february, store_integer(1), days, &count);
    assert_int_equal(count, 1);
}

static void forty_years_of_reports_fit(void **state)
{
    struct fixture *f = *state;
    struct fetched got;
    struct rrd_value days[366];
    size_t count = 0;
    const int32_t first = civil_to_days((struct civil){1986, 1, 1});
    f->series = store_series("penza/one/inv", WIRE_REPORT, 0, PERIOD_YEAR);
    create(f, (int64_t)first * DAY_S);
    for (int32_t year = 1986; year < 2026; year++) {
        rrd_report_values(&f->series, civil_to_days((struct civil){year, 1, 1}), store_integer(year), days,
                          &count);
        update(f, days, count);
    }
    fetch(f, "AVERAGE", (int64_t)first * DAY_S, ((int64_t)first + 14610) * DAY_S, DAY_S, &got);
    assert_int_equal(got.count, 14610);
    assert_true(got.values[0].value == 1986);
    assert_true(got.values[14609].value == 2025);
}

// ---- files
// ----------------------------------------------------------------------------------------------------------

static void files_are_small_allocated_readable_by_the_group_and_named_by_number(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    char expected[RRD_PATH_MAX];
    static const uint32_t steps[] = {10, 16, 60, 300, 1800, 3600};
    assert_int_equal(fs_join(expected, sizeof expected, f->folder, "rrd/02/258.rrd"), ERR_OK);
    assert_string_equal(f->path, expected);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        f->series.step_s = steps[i];
        create(f, STORE_EPOCH);
        assert_int_equal(stat(f->path, &st), 0);
        assert_true(st.st_size < 1300000);
        assert_true(st.st_blocks * 512 >= st.st_size); // a full disk cannot end an update with SIGBUS
        assert_int_equal(st.st_mode & 0777, 0640);
        assert_int_equal(rrd_file_check(f->path, &f->diag), ERR_OK);
    }
    assert_int_equal(rrd_file_create(f->path, &f->series, STORE_EPOCH, true, &f->diag), ERR_OK);
    char deep[RRD_PATH_MAX];
    memset(deep, 'x', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(rrd_path(deep, 1, expected), ERR_TOO_BIG);
}

static void a_missing_file_is_not_found(void **state)
{
    struct fixture *f = *state;
    int64_t last = 0;
    const struct rrd_value value = {STORE_EPOCH, 1};
    uint32_t step = 10;
    assert_int_equal(rrd_file_last(f->path, &f->series, &last, &f->diag), ERR_NOT_FOUND);
    assert_int_equal(rrd_file_update(f->path, &f->series, &value, 1, &f->diag), ERR_NOT_FOUND);
    assert_int_equal(rrd_file_fetch(f->path, "AVERAGE", 0, 10, &step, never, NULL, &f->diag), ERR_NOT_FOUND);
}

static void a_file_of_another_step_is_corrupt_for_this_series(void **state)
{
    struct fixture *f = *state;
    int64_t last = 0;
    create(f, STORE_EPOCH);
    f->series.step_s = 60;
    assert_int_equal(rrd_file_last(f->path, &f->series, &last, &f->diag), ERR_CORRUPT);
    f->series = store_series("aztm/one/inv", WIRE_REPORT, 0, PERIOD_MONTH);
    assert_int_equal(rrd_file_last(f->path, &f->series, &last, &f->diag), ERR_CORRUPT);
}

static enum err touch_all(struct fixture *f)
{
    int64_t last = 0;
    uint32_t step = 10;
    const struct rrd_value value = {STORE_EPOCH + 1000000, 1};
    enum err a = rrd_file_last(f->path, &f->series, &last, &f->diag);
    enum err b = rrd_file_update(f->path, &f->series, &value, 1, &f->diag);
    enum err c =
        rrd_file_fetch(f->path, "AVERAGE", STORE_EPOCH, STORE_EPOCH + 100, &step, never, NULL, &f->diag);
    assert_int_equal(a, b);
    assert_true(c == a || (a == ERR_OK && c == ERR_CLOSED));
    return a;
}

static void truncated_zeroed_and_garbage_files_are_corrupt_and_crash_nothing(void **state)
{
    struct fixture *f = *state;
    char *whole = NULL;
    size_t len = 0;
    struct random random = {11};
    const struct rrd_value value = {STORE_EPOCH + 10, 1};
    create(f, STORE_EPOCH);
    update(f, &value, 1);
    assert_int_equal(fs_read_file(f->path, 1 << 22, &whole, &len, &f->diag), ERR_OK);
    for (size_t cut = 0; cut < len; cut += cut < 3000 ? 97 : 60000) {
        assert_int_equal(fs_replace_file(f->path, whole, cut, 0640, &f->diag), ERR_OK);
        assert_int_equal(touch_all(f), ERR_CORRUPT);
    }
    char *bytes = calloc(1, len + 1);
    assert_int_equal(fs_replace_file(f->path, bytes, len, 0640, &f->diag), ERR_OK); // zeroed
    assert_int_equal(touch_all(f), ERR_CORRUPT);
    memcpy(bytes, whole, len);
    memset(bytes, 0, 4096); // its first page
    assert_int_equal(fs_replace_file(f->path, bytes, len, 0640, &f->diag), ERR_OK);
    assert_int_equal(touch_all(f), ERR_CORRUPT);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)random_next(&random);
    assert_int_equal(fs_replace_file(f->path, bytes, len, 0640, &f->diag), ERR_OK);
    assert_int_equal(touch_all(f), ERR_CORRUPT);
    memcpy(bytes, whole, len);
    assert_int_equal(fs_replace_file(f->path, bytes, len + 1, 0640, &f->diag), ERR_OK); // longer
    assert_int_equal(touch_all(f), ERR_CORRUPT);
    assert_int_equal(fs_replace_file(f->path, whole, len, 0640, &f->diag), ERR_OK);
    assert_int_equal(touch_all(f), ERR_OK);
    free(bytes);
    free(whole);
}

// In a child, so that a crash is a failed test with its seed and not the end of all of them.
static void random_damage_of_the_header_crashes_nothing(void **state)
{
    struct fixture *f = *state;
    char *whole = NULL;
    size_t len = 0;
    create(f, STORE_EPOCH);
    assert_int_equal(fs_read_file(f->path, 1 << 22, &whole, &len, &f->diag), ERR_OK);
    pid_t child = fork();
    if (child == 0) {
        struct random random = {5};
        for (int i = 0; i < 400; i++) {
            int64_t last = 0;
            uint32_t step = 10;
            const struct rrd_value value = {STORE_EPOCH + 1000000, 1};
            int fd = open(f->path, O_RDWR);
            char bad[16];
            size_t at = (size_t)random_below(&random, 2900);
            for (size_t k = 0; k < sizeof bad; k++)
                bad[k] = random_below(&random, 3) ? (char)random_next(&random) : 0;
            if (fd < 0 || pwrite(fd, whole, 4096, 0) != 4096 ||
                pwrite(fd, bad, 1 + random_below(&random, 15), (off_t)at) < 1)
                _exit(99);
            close(fd);
            enum err e = rrd_file_last(f->path, &f->series, &last, &f->diag);
            if (e == ERR_OK) {
                (void)!rrd_file_update(f->path, &f->series, &value, 1, &f->diag);
                (void)!rrd_file_fetch(f->path, "AVERAGE", STORE_EPOCH, STORE_EPOCH + 100, &step, never, NULL,
                                      &f->diag);
            }
        }
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    free(whole);
}

// ---- two processes
// --------------------------------------------------------------------------------------------------

static double value_at(int64_t time)
{
    return (double)(time / 10 % 100000);
}

static enum err check_value(void *ctx, int64_t time, double value)
{
    int *wrong = ctx;
    if (!isnan(value) && value != value_at(time))
        (*wrong)++;
    return ERR_OK;
}

static void a_reading_process_never_sees_a_wrong_value_beside_the_writer(void **state)
{
    struct fixture *f = *state;
    create(f, STORE_EPOCH);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int wrong = 0;
        int64_t last = 0;
        while (last < STORE_EPOCH + 10 * 2000) {
            uint32_t step = 10;
            enum err e = rrd_file_fetch(f->path, "AVERAGE", STORE_EPOCH, STORE_EPOCH + 10 * 2000, &step,
                                        check_value, &wrong, &f->diag);
            if (e != ERR_OK || wrong || rrd_file_last(f->path, &f->series, &last, &f->diag) != ERR_OK) {
                fprintf(stderr, "reader: %s, %d wrong: %s\n", err_name(e), wrong, f->diag.text);
                _exit(1);
            }
        }
        _exit(0);
    }
    for (int i = 1; i <= 2000; i++) {
        const int64_t time = STORE_EPOCH + 10 * i;
        const struct rrd_value value = {time, value_at(time)};
        update(f, &value, 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_link_that_lies_in_a_new_file_s_place_is_not_followed),
        T(every_value_comes_back_bit_equal),
        T(values_are_the_same_in_whatever_portions_they_come),
        T(a_gap_is_unknown_and_the_value_after_it_is_not),
        T(hours_and_days_have_average_minimum_and_maximum),
        T(fetch_refuses_what_makes_no_sense_and_stops_when_told),
        T(values_not_later_off_step_or_infinite_change_nothing),
        T(a_report_is_drawn_on_each_civil_day_of_its_period),
        T(forty_years_of_reports_fit),
        T(files_are_small_allocated_readable_by_the_group_and_named_by_number),
        T(a_missing_file_is_not_found),
        T(a_file_of_another_step_is_corrupt_for_this_series),
        T(truncated_zeroed_and_garbage_files_are_corrupt_and_crash_nothing),
        T(random_damage_of_the_header_crashes_nothing),
        T(a_reading_process_never_sees_a_wrong_value_beside_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
