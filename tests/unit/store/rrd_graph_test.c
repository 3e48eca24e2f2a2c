// Pictures come out in each form, whatever the texts; nothing outside reaches librrd's language.
#include "base/fs.h"
#include "store/rrd.h"
#include "store/rrd_graph.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    char folder[STORE_PATH];
    char path[RRD_PATH_MAX];
    struct rrd_graph graph;
    struct buf image;
    struct diag diag;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct ledger_series series = store_series("aztm/one/out_units", WIRE_MEASUREMENT, 10, 0);
    struct rrd_value values[300];
    size_t count = 0;
    series.series_id = 1;
    store_temp_folder(f->folder);
    assert_int_equal(rrd_path(f->folder, 1, f->path), ERR_OK);
    assert_int_equal(rrd_file_create(f->path, &series, STORE_EPOCH, false, &f->diag), ERR_OK);
    for (int i = 1; i <= 360; i++)
        if (i < 100 || i >= 160)
            values[count++] = (struct rrd_value){STORE_EPOCH + 10 * i, 100 + i % 7};
    assert_int_equal(rrd_file_update(f->path, &series, values, count, &f->diag), ERR_OK);
    buf_init(&f->image, 16u << 20);
    f->graph = (struct rrd_graph){.path = f->path,
                                  .from = STORE_EPOCH,
                                  .to = STORE_EPOCH + 3600,
                                  .width = 400,
                                  .height = 120,
                                  .title = "Refrigerators",
                                  .unit = "piece",
                                  .legend = "output",
                                  .scale = 1,
                                  .filled = true,
                                  .time_zone = "Asia/Almaty"};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buf_deinit(&f->image);
    store_remove_folder(f->folder);
    free(f);
    return 0;
}

static const char *draw(struct fixture *f)
{
    buf_reset(&f->image);
    enum err e = rrd_graph_draw(&f->graph, &f->image, &f->diag);
    if (e != ERR_OK)
        fail_msg("rrd_graph_draw: %s: %s", err_name(e), f->diag.text);
    return buf_str(&f->image);
}

static void each_format_begins_as_it_should(void **state)
{
    struct fixture *f = *state;
    f->graph.format = RRD_GRAPH_PNG;
    draw(f);
    assert_memory_equal(f->image.data, "\x89PNG\r\n", 6);
    f->graph.format = RRD_GRAPH_SVG;
    assert_non_null(strstr(draw(f), "<svg"));
    f->graph.format = RRD_GRAPH_PDF;
    assert_memory_equal(draw(f), "%PDF-", 5);
}

// The path of the line, with what is before and after each hole.
static int pieces_of_line(const char *svg)
{
    int moves = 0;
    for (const char *path = strstr(svg, "stroke:rgb(14.5"); path; path = strstr(path + 1, "stroke:rgb(14.5"))
        for (const char *at = strstr(path, " d=\""); at && *at && at[1] != '/' && *at != '>'; at++)
            moves += *at == 'M';
    return moves;
}

static void a_gap_is_a_hole_in_the_line(void **state)
{
    struct fixture *f = *state;
    f->graph.format = RRD_GRAPH_SVG;
    assert_int_equal(pieces_of_line(draw(f)), 2);
    f->graph.from = STORE_EPOCH + 1700;
    assert_int_equal(pieces_of_line(draw(f)), 1);
}

static void a_target_is_a_dashed_line_and_its_scale_is_in_the_picture(void **state)
{
    struct fixture *f = *state;
    f->graph.format = RRD_GRAPH_SVG;
    assert_null(strstr(draw(f), "stroke-dasharray:7"));
    f->graph.has_target = true;
    f->graph.target = 5000;
    f->graph.target_legend = "plan";
    assert_non_null(strstr(draw(f), "stroke-dasharray:7"));
}

static void no_text_can_leave_its_place(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "a:b",
        "back\\slash \\l\\n",
        "100 % %s %n %lf",
        "x:DEF:y=/etc/passwd:v:AVERAGE",
        "\" ' < > & ;",
        "line\nfeed\ttab\r",
        ":",
        "\\",
        "-",
        "--title",
        "ә ғ қ ң ө ұ ү һ і ў ≥ ₸",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (int format = RRD_GRAPH_PNG; format <= RRD_GRAPH_SVG; format++) {
            f->graph.format = (enum rrd_graph_format)format;
            f->graph.title = f->graph.unit = f->graph.legend = f->graph.target_legend = texts[i];
            f->graph.summary = f->graph.note = texts[i];
            f->graph.has_target = i % 2;
            f->graph.target = 50;
            draw(f);
        }
    f->graph.title = f->graph.unit = f->graph.legend = f->graph.summary = f->graph.note = NULL;
    f->graph.has_target = false;
    draw(f);
    char longer[3000];
    memset(longer, ':', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    f->graph.legend = longer; // cut, or refused: never a crash
    (void)!rrd_graph_draw(&f->graph, &f->image, &f->diag);
}

static void large_and_small_figures_and_no_figures_at_all_are_drawn(void **state)
{
    struct fixture *f = *state;
    static const double scales[] = {1e-9, 0.01, 1e3, 1e6, 1e9, 1e12, -1};
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        f->graph.scale = scales[i];
        f->graph.from_zero = i % 2;
        draw(f);
    }
    f->graph.scale = 1;
    f->graph.from += 86400; // after the last value
    f->graph.to += 86400;
    draw(f);
    f->graph.from = STORE_EPOCH - INT64_C(20) * 365 * 86400;
    f->graph.magnitudes[1] = "млн";
    draw(f);
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct rrd_graph good = f->graph;
    static const struct {
        int width, height;
    } sizes[] = {{99, 100}, {4001, 100}, {400, 39}, {400, 2001}, {-1, -1}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        f->graph.width = sizes[i].width;
        f->graph.height = sizes[i].height;
        assert_int_equal(rrd_graph_draw(&f->graph, &f->image, &f->diag), ERR_INVALID);
    }
    f->graph = good;
    f->graph.to = f->graph.from;
    assert_int_equal(rrd_graph_draw(&f->graph, &f->image, &f->diag), ERR_INVALID);
    f->graph = good;
    f->graph.scale = NAN;
    assert_int_equal(rrd_graph_draw(&f->graph, &f->image, &f->diag), ERR_INVALID);
    f->graph = good;
    f->graph.path = "/tmp/%n.rrd";
    assert_int_equal(rrd_graph_draw(&f->graph, &f->image, &f->diag), ERR_INVALID);
    f->graph = good;
    f->graph.path = "/nonexistent.rrd";
    assert_int_equal(rrd_graph_draw(&f->graph, &f->image, &f->diag), ERR_NOT_FOUND);
    f->graph = good;
    assert_int_equal(fs_replace_file(f->path, "short", 5, 0640, &f->diag), ERR_OK);
    assert_int_equal(rrd_graph_draw(&f->graph, &f->image, &f->diag), ERR_CORRUPT);
}

static void a_path_with_a_colon_is_drawn(void **state)
{
    struct fixture *f = *state;
    char path[STORE_PATH];
    assert_int_equal(fs_join(path, sizeof path, f->folder, "a:b c.rrd"), ERR_OK);
    assert_int_equal(rename(f->path, path), 0);
    f->graph.path = path;
    draw(f);
}

static void an_image_larger_than_its_buffer_is_too_big(void **state)
{
    struct fixture *f = *state;
    buf_deinit(&f->image);
    buf_init(&f->image, 1000);
    assert_int_equal(rrd_graph_draw(&f->graph, &f->image, &f->diag), ERR_TOO_BIG);
}

static void the_time_zone_of_one_graph_is_not_that_of_the_next(void **state)
{
    struct fixture *f = *state;
    char *almaty, *again;
    size_t len;
    f->graph.format = RRD_GRAPH_PNG;
    draw(f);
    almaty = buf_take(&f->image, &len);
    f->graph.time_zone = "Europe/Moscow";
    draw(f);
    assert_true(f->image.len != len || memcmp(f->image.data, almaty, len) != 0);
    f->graph.time_zone = "Asia/Almaty";
    draw(f);
    again = buf_take(&f->image, &len);
    assert_memory_equal(again, almaty, len);
    free(almaty);
    free(again);
}

// librrd 1.7 and fontconfig lose some memory with each picture, which is why graph workers are recycled.
// Asked for here, not for all tests: slow unwinding is what finds the library in the stack.
const char *__asan_default_options(void);      // NOLINT
const char *__lsan_default_suppressions(void); // NOLINT
const char *__asan_default_options(void)       // NOLINT: the sanitizer's name
{
    return "fast_unwind_on_malloc=0";
}
const char *__lsan_default_suppressions(void) // NOLINT
{
    return "leak:librrd.so\nleak:libfontconfig.so\nleak:libpango\nleak:libcairo\n";
}

int main(void)
{
    setenv("RRDCACHED_ADDRESS", "unix:/nonexistent", 1); // must not be asked
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(each_format_begins_as_it_should),
        T(a_gap_is_a_hole_in_the_line),
        T(a_target_is_a_dashed_line_and_its_scale_is_in_the_picture),
        T(no_text_can_leave_its_place),
        T(large_and_small_figures_and_no_figures_at_all_are_drawn),
        T(what_cannot_be_drawn_is_refused),
        T(a_path_with_a_colon_is_drawn),
        T(an_image_larger_than_its_buffer_is_too_big),
        T(the_time_zone_of_one_graph_is_not_that_of_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
