// Files written here against the same files written by librrd: byte by byte, whatever the history.
#define RRD_EXPORT_DEPRECATED
#include "base/fs.h"
#include "kpi/period.h"
#include "store/rrd_image.h"
#include "tests/support/random.h"
#include "tests/support/store_fixture.h"
#include <rrd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S  86400
#define VALUES 400

struct fixture {
    char folder[STORE_PATH];
    char ours[RRD_PATH_MAX], theirs[RRD_PATH_MAX];
    struct ledger_series series;
    struct diag diag;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    store_temp_folder(f->folder);
    assert_int_equal(rrd_path(f->folder, 1, f->ours), ERR_OK);
    assert_int_equal(fs_join(f->theirs, sizeof f->theirs, f->folder, "theirs.rrd"), ERR_OK);
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

static void be(struct fixture *f, uint32_t step_s)
{
    bool day = step_s == DAY_S;
    f->series = store_series("aztm/one/out_units", day ? WIRE_REPORT : WIRE_MEASUREMENT, day ? 0 : step_s,
                             day ? PERIOD_DAY : PERIOD_NONE);
    f->series.series_id = 1;
}

static void fine(struct fixture *f, enum err e)
{
    if (e != ERR_OK)
        fail_msg("%s: %s", err_name(e), f->diag.text);
}

// ---- librrd's way
// --------------------------------------------------------------------------------------------------------

// An unknown before the first value after a gap, so that the value itself is not unknown.
static void update_theirs(struct fixture *f, int64_t *last, uint32_t step_s, const struct rrd_value *v,
                          size_t n)
{
    static char text[2 * VALUES][48];
    static const char *argv[2 * VALUES];
    int count = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i].time - *last > step_s) {
            snprintf(text[count], sizeof text[0], "%" PRId64 ":U", v[i].time - step_s);
            argv[count] = text[count];
            count++;
        }
        if (isnan(v[i].value))
            snprintf(text[count], sizeof text[0], "%" PRId64 ":U", v[i].time);
        else
            snprintf(text[count], sizeof text[0], "%" PRId64 ":%.0f", v[i].time, v[i].value);
        argv[count] = text[count];
        count++;
        *last = v[i].time;
    }
    rrd_clear_error();
    if (rrd_updatex_r(f->theirs, NULL, 0, count, argv) != 0)
        fail_msg("%s", rrd_get_error());
}

static void compare(struct fixture *f, const char *what, uint64_t seed)
{
    char *a = NULL, *b = NULL;
    size_t a_len = 0, b_len = 0;
    fine(f, fs_read_file(f->ours, 1 << 22, &a, &a_len, &f->diag));
    fine(f, fs_read_file(f->theirs, 1 << 22, &b, &b_len, &f->diag));
    assert_int_equal(a_len, b_len);
    for (size_t i = 0; i < a_len; i++)
        if (a[i] != b[i])
            fail_msg("%s, step %u, seed %" PRIu64 ": byte %zu is %02x, librrd has %02x", what,
                     f->series.step_s, seed, i, (unsigned char)a[i], (unsigned char)b[i]);
    free(a);
    free(b);
}

static void copy(struct fixture *f, const char *from, const char *to)
{
    char *bytes = NULL;
    size_t len = 0;
    fine(f, fs_read_file(from, 1 << 22, &bytes, &len, &f->diag));
    fine(f, fs_replace_file(to, bytes, len, 0640, &f->diag));
    free(bytes);
}

// ---- histories
// -----------------------------------------------------------------------------------------------------------

static double any_value(struct random *r, bool wide)
{
    if (random_below(r, 6) == 0)
        return NAN;
    // So small that librrd's product with the step and its average are exact, too.
    double v = (double)random_below(r, wide ? 1000000 : 10);
    return random_below(r, 3) ? v : 0 - v; // no -0: whether librrd keeps it depends on the value before
}

static int64_t any_gap(struct random *r, uint32_t step_s)
{
    static const uint64_t most[] = {2, 3, 40, 400, 10000, 200000, 4000000};
    uint64_t steps = random_below(r, 5) ? 1 : 1 + random_below(r, most[random_below(r, 7)]);
    if (steps * step_s > UINT64_C(40) * 366 * DAY_S)
        steps = 1;
    return (int64_t)(steps * step_s);
}

static size_t any_values(struct random *r, uint32_t step_s, int64_t last, struct rrd_value v[VALUES])
{
    size_t n = 1 + (size_t)random_below(r, random_below(r, 2) ? VALUES : 4);
    bool wide = random_below(r, 2);
    for (size_t i = 0; i < n; i++) {
        last += any_gap(r, step_s);
        v[i] = (struct rrd_value){last, any_value(r, wide)};
    }
    return n;
}

static void check_history(struct fixture *f, uint32_t step_s, uint64_t seed)
{
    struct random r = {seed};
    struct rrd_value v[VALUES];
    int64_t start = STORE_EPOCH - STORE_EPOCH % DAY_S + (int64_t)(random_below(&r, 9000) * step_s);
    int64_t ours = start, theirs = start;
    be(f, step_s);
    fine(f, rrd_file_create(f->ours, &f->series, start, false, &f->diag));
    copy(f, f->ours, f->theirs);
    for (int visit = 0; visit < 6; visit++) {
        size_t n = any_values(&r, step_s, ours, v);
        ours = v[n - 1].time;
        fine(f, rrd_file_update(f->ours, &f->series, v, n, &f->diag));
        update_theirs(f, &theirs, step_s, v, n);
        compare(f, "history", seed);
    }
}

static void a_file_is_what_librrd_would_have_made_of_it_byte_by_byte(void **state)
{
    static const uint32_t steps[] = {10, 16, 30, 60, 300, 900, 1800, 3600, DAY_S};
    for (uint64_t seed = 1; seed <= 45; seed++)
        check_history(*state, steps[seed % (sizeof steps / sizeof steps[0])], seed);
}

// ---- new files
// -----------------------------------------------------------------------------------------------------------

static void create_theirs(struct fixture *f, uint32_t step_s, int64_t start)
{
    static const char *const daily[] = {"DS:v:GAUGE:86400:U:U", "RRA:AVERAGE:0.5:1:14640"};
    static const char *const minutes[] = {
        "DS:v:GAUGE:60:U:U",        "RRA:AVERAGE:0.5:1:50400",   "RRA:AVERAGE:0.5:5:10080",
        "RRA:AVERAGE:0.5:60:17568", "RRA:AVERAGE:0.5:1440:7320", "RRA:MIN:0.5:60:17568",
        "RRA:MIN:0.5:1440:7320",    "RRA:MAX:0.5:60:17568",      "RRA:MAX:0.5:1440:7320"};
    bool day = step_s == DAY_S;
    rrd_clear_error();
    if (rrd_create_r2(f->theirs, step_s, (time_t)start, 0, NULL, NULL, day ? 2 : 9,
                      (const char **)(uintptr_t)(day ? daily : minutes)) != 0)
        fail_msg("%s", rrd_get_error());
}

// librrd begins its rings anywhere; ours begin where the series' number says.
static void forget_rows(struct fixture *f, const char *path, size_t archives)
{
    char *bytes = NULL;
    size_t len = 0;
    size_t at = sizeof(stat_head_t) + sizeof(ds_def_t) + sizeof(live_head_t) + sizeof(pdp_prep_t) +
                archives * (sizeof(rra_def_t) + sizeof(cdp_prep_t));
    fine(f, fs_read_file(path, 1 << 22, &bytes, &len, &f->diag));
    memset(bytes + at, 0, archives * sizeof(rra_ptr_t));
    fine(f, fs_replace_file(path, bytes, len, 0640, &f->diag));
    free(bytes);
}

static void a_new_file_is_librrds_but_for_where_its_rings_begin(void **state)
{
    struct fixture *f = *state;
    static const uint32_t steps[] = {60, DAY_S};
    for (size_t i = 0; i < 2; i++) {
        const size_t archives = i == 0 ? 8 : 1;
        const int64_t start = STORE_EPOCH - STORE_EPOCH % DAY_S + (i == 0 ? 7 * 60 : 0);
        be(f, steps[i]);
        fine(f, rrd_file_create(f->ours, &f->series, start, false, &f->diag));
        create_theirs(f, steps[i], start);
        forget_rows(f, f->ours, archives);
        forget_rows(f, f->theirs, archives);
        compare(f, "new", 0);
    }
}

static void a_file_made_in_memory_is_the_one_made_in_place(void **state)
{
    struct fixture *f = *state;
    struct rrd_image *image = NULL;
    struct rrd_value v[VALUES];
    fine(f, rrd_image_create(&image));
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct random r = {seed};
        uint32_t step_s = seed % 2 ? 10 : 300;
        int64_t last = STORE_EPOCH - STORE_EPOCH % DAY_S;
        be(f, step_s);
        fine(f, rrd_file_create(f->ours, &f->series, last, false, &f->diag));
        fine(f, rrd_image_begin(image, &f->series, last, &f->diag));
        for (int visit = 0; visit < 4; visit++) {
            size_t n = any_values(&r, step_s, last, v);
            last = v[n - 1].time;
            fine(f, rrd_file_update(f->ours, &f->series, v, n, &f->diag));
            fine(f, rrd_image_add(image, v, n, &f->diag));
        }
        assert_true(rrd_image_last(image) == last);
        assert_int_equal(rrd_image_add(image, v, 1, &f->diag), ERR_CONFLICT);
        fine(f, rrd_image_write(image, f->theirs, &f->diag));
        compare(f, "image", seed);
    }
    rrd_image_destroy(image);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_file_is_what_librrd_would_have_made_of_it_byte_by_byte),
        T(a_new_file_is_librrds_but_for_where_its_rings_begin),
        T(a_file_made_in_memory_is_the_one_made_in_place),
    };
    return cmocka_run_group_tests_name("rrd_write", tests, NULL, NULL);
}
