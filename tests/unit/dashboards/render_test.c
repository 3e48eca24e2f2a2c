#include "base/crypto.h"
#include "dashboards/render.h"
#include "dashboards/render_message.h"
#include "kpi/period.h"
#include "tests/support/folder.h"
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct test_folder folder;

// A worker that does what the title says, so that each way to fail can be had at will.
static enum err act(const struct rrd_graph *g, struct buf *out, struct diag *d)
{
    if (strcmp(g->title, "hang") == 0)
        for (;;)
            pause();
    if (strcmp(g->title, "die") == 0)
        _exit(3);
    if (strcmp(g->title, "die once") == 0) {
        char mark[TEST_PATH];
        test_folder_path(&folder, "mark", mark);
        FILE *file = fopen(mark, "wx");
        if (file) {
            fclose(file);
            _exit(3);
        }
    }
    if (strcmp(g->title, "refuse") == 0)
        return diag_fail(d, ERR_CORRUPT, "not a picture");
    return buf_printf(out, "%ld %s", (long)getpid(), g->path);
}

static struct render *start(unsigned workers, unsigned recycle_after)
{
    struct render *r = NULL;
    static struct render_options o;
    o = (struct render_options){.state = "/state",
                                .scratch = folder.path,
                                .workers = workers,
                                .recycle_after = recycle_after,
                                .timeout_ms = 300,
                                .busy_ms = 3000,
                                .draw = act};
    assert_int_equal(render_start(&o, &r, NULL), ERR_OK);
    return r;
}

static enum err draw(struct render *r, const char *title, char *out, size_t size)
{
    struct render_job j = {.series_id = 7, .from = 1, .to = 2, .width = 100, .height = 100, .scale = 1};
    struct diag d = {""};
    char *bytes;
    size_t len;
    snprintf(j.title, sizeof j.title, "%s", title);
    enum err e = render_draw(r, &j, &bytes, &len, &d);
    snprintf(out, size, "%s", e ? d.text : bytes);
    if (!e) {
        assert_int_equal(strlen(bytes), len);
        free(bytes);
    }
    return e;
}

static void a_worker_draws_and_its_path_comes_from_the_id(void **state)
{
    (void)state;
    struct render *r = start(1, 0);
    char answer[400];
    assert_int_equal(draw(r, "x", answer, sizeof answer), ERR_OK);
    assert_non_null(strstr(answer, " /state/rrd/"));
    assert_non_null(strstr(answer, "/7.rrd"));
    assert_int_equal(draw(r, "refuse", answer, sizeof answer), ERR_CORRUPT);
    assert_string_equal(answer, "not a picture");
    assert_int_equal(render_stats(r).drawn, 1);
    assert_int_equal(render_stats(r).died, 0);
    render_stop(r);
}

static void a_worker_that_dies_is_replaced_and_the_request_tried_again(void **state)
{
    (void)state;
    struct render *r = start(1, 0);
    char answer[400];
    assert_int_equal(draw(r, "die once", answer, sizeof answer), ERR_OK);
    assert_int_equal(render_stats(r).died, 1);
    assert_int_equal(draw(r, "die", answer, sizeof answer), ERR_CLOSED);
    assert_int_equal(render_stats(r).died, 3);
    assert_int_equal(draw(r, "x", answer, sizeof answer), ERR_OK);
    render_stop(r);
}

static void a_worker_killed_from_outside_is_not_missed(void **state)
{
    (void)state;
    struct render *r = start(2, 0);
    char answer[400];
    pid_t pids[4];
    assert_int_equal(draw(r, "x", answer, sizeof answer), ERR_OK);
    assert_int_equal(render_pids(r, pids, 4), 2);
    kill(pids[0], SIGKILL);
    kill(pids[1], SIGKILL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(draw(r, "x", answer, sizeof answer), ERR_OK);
    render_stop(r);
}

static void a_worker_that_hangs_is_killed_within_its_time(void **state)
{
    (void)state;
    struct render *r = start(1, 0);
    char answer[400];
    pid_t before, after;
    assert_int_equal(draw(r, "x", answer, sizeof answer), ERR_OK);
    assert_int_equal(render_pids(r, &before, 1), 1);
    assert_int_equal(draw(r, "hang", answer, sizeof answer), ERR_TIMEOUT);
    assert_int_equal(render_stats(r).hung, 2);
    assert_int_equal(draw(r, "x", answer, sizeof answer), ERR_OK);
    assert_int_equal(render_pids(r, &after, 1), 1);
    assert_int_not_equal(before, after);
    render_stop(r);
    assert_int_not_equal(kill(before, 0), 0); // reaped, not left behind
}

static void workers_are_replaced_after_their_number_of_graphs(void **state)
{
    (void)state;
    struct render *r = start(1, 3);
    char answer[400];
    struct timespec ms = {0, 1000000};
    for (int i = 0; i < 3000 && render_stats(r).recycled < 2; i++) {
        assert_int_equal(draw(r, "x", answer, sizeof answer), ERR_OK);
        nanosleep(&ms, NULL); // lets the successor warm up; the loop itself is the wait
    }
    assert_true(render_stats(r).recycled >= 2);
    assert_int_equal(render_stats(r).died, 0);
    render_stop(r);
}

static void stopping_leaves_no_process_behind(void **state)
{
    (void)state;
    struct render *r = start(4, 0);
    pid_t pids[4];
    assert_int_equal(render_pids(r, pids, 4), 4);
    assert_true(render_alive(r));
    render_stop(r);
    for (int i = 0; i < 4; i++)
        assert_int_not_equal(kill(pids[i], 0), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void jobs_survive_the_way_and_broken_ones_are_refused(void **state)
{
    (void)state;
    struct render_job j = {.series_id = 123456789,
                           .format = RRD_GRAPH_SVG,
                           .from = -5,
                           .to = INT64_C(1) << 40,
                           .width = 800,
                           .height = 240,
                           .scale = 0.01,
                           .target = 2.5,
                           .has_target = true,
                           .vintage = true,
                           .by_published = true,
                           .as_of_us = 1234567890123456,
                           .dark = true,
                           .title = "әғқ:%n",
                           .time_zone = "Asia/Almaty"};
    struct render_job back;
    struct buf b;
    buf_init(&b, RENDER_REQUEST_MAX);
    assert_int_equal(render_job_encode(&j, &b), ERR_OK);
    assert_int_equal(render_job_decode(b.data, b.len, &back), ERR_OK);
    assert_memory_equal(&j, &back, sizeof j);
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(render_job_decode(b.data, len, &back), ERR_INVALID);
    buf_append(&b, "", 1);
    assert_int_equal(render_job_decode(b.data, b.len, &back), ERR_INVALID);
    b.data[25] = 0; // width 0
    b.data[26] = 0;
    assert_int_equal(render_job_decode(b.data, b.len - 1, &back), ERR_INVALID);
    buf_deinit(&b);
}

static void a_totals_points_survive_the_way_and_too_many_are_refused(void **state)
{
    (void)state;
    struct render_job j = {.format = RRD_GRAPH_SVG,
                           .to = 1,
                           .width = 800,
                           .height = 240,
                           .scale = 1,
                           .computed = true,
                           .period = PERIOD_MONTH,
                           .point_count = 3},
                      back;
    struct buf b, points;
    int32_t day;
    double value;
    buf_init(&b, RENDER_REQUEST_MAX);
    buf_init(&points, RENDER_REQUEST_MAX);
    render_point_put(&points, -719162, 0.1);
    render_point_put(&points, 20000, NAN);
    render_point_put(&points, 2932896, 9007199254740992.0);
    j.points = (const uint8_t *)points.data;
    assert_int_equal(render_job_encode(&j, &b), ERR_OK);
    assert_int_equal(render_job_decode(b.data, b.len, &back), ERR_OK);
    assert_true(back.computed && back.period == PERIOD_MONTH && back.point_count == 3);
    render_point_at(&back, 0, &day, &value);
    assert_true(day == -719162 && value == 0.1);
    render_point_at(&back, 1, &day, &value);
    assert_true(day == 20000 && isnan(value));
    render_point_at(&back, 2, &day, &value);
    assert_true(day == 2932896 && value == 9007199254740992.0);
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(render_job_decode(b.data, len, &back), ERR_INVALID);
    b.data[b.len - 3 * RENDER_POINT_BYTES - 4] = 4; // one more than came
    assert_int_equal(render_job_decode(b.data, b.len, &back), ERR_INVALID);
    buf_deinit(&points);
    buf_deinit(&b);
}

static int setup(void **state)
{
    (void)state;
    return crypto_init() ? -1 : test_folder_make(&folder);
}

static int teardown(void **state)
{
    (void)state;
    return test_folder_remove(&folder);
}

// Of the folders that graph workers' files are in, how many there are, and the last one's path.
static size_t scratch_folders(char last[TEST_PATH])
{
    size_t count = 0;
    DIR *all = opendir(folder.path);
    assert_non_null(all);
    for (const struct dirent *f; (f = readdir(all));)
        if (strncmp(f->d_name, "esep-graphs-", 12) == 0) {
            test_folder_path(&folder, f->d_name, last);
            count++;
        }
    closedir(all);
    return count;
}

static void put_file(const char *of, const char *name)
{
    char path[TEST_PATH + 20];
    snprintf(path, sizeof path, "%s/%s", of, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void workers_files_are_in_a_folder_of_our_own_which_goes_with_us(void **state)
{
    (void)state;
    char path[TEST_PATH] = "", left[TEST_PATH], target[TEST_PATH], link[TEST_PATH];
    struct stat st;
    pid_t gone = fork();
    assert_true(gone >= 0);
    if (gone == 0)
        _exit(0);
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    snprintf(left, sizeof left, "%s/esep-graphs-%ld-aaaaaa", folder.path, (long)gone);
    snprintf(link, sizeof link, "%s/esep-graphs-%ld-bbbbbb", folder.path, (long)gone);
    test_folder_path(&folder, "elsewhere", target);
    assert_int_equal(mkdir(left, 0700), 0);
    assert_int_equal(mkdir(target, 0700), 0);
    assert_int_equal(symlink(target, link), 0);
    put_file(left, "esep-vintage-1.rrd");
    put_file(target, "kept");
    struct render *r = start(1, 0); // what a kill left is gone; where a link leads nothing is
    assert_int_equal(lstat(left, &st), -1);
    test_folder_path(&folder, "elsewhere/kept", left);
    assert_int_equal(lstat(left, &st), 0);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(scratch_folders(path), 1);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700);
    put_file(path, "esep-plan-1.rrd");
    render_stop(r);
    assert_int_equal(scratch_folders(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_draws_and_its_path_comes_from_the_id),
        cmocka_unit_test(a_worker_that_dies_is_replaced_and_the_request_tried_again),
        cmocka_unit_test(a_worker_killed_from_outside_is_not_missed),
        cmocka_unit_test(a_worker_that_hangs_is_killed_within_its_time),
        cmocka_unit_test(workers_are_replaced_after_their_number_of_graphs),
        cmocka_unit_test(stopping_leaves_no_process_behind),
        cmocka_unit_test(a_totals_points_survive_the_way_and_too_many_are_refused),
        cmocka_unit_test(jobs_survive_the_way_and_broken_ones_are_refused),
        cmocka_unit_test(workers_files_are_in_a_folder_of_our_own_which_goes_with_us),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
