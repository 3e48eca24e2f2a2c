// Reports as they were known by a moment: in the file a graph is drawn from, in the picture, on the page.
#include "dashboards/board.h"
#include "dashboards/render.h"
#include "dashboards/render_vintage.h"
#include "kpi/period.h"
#include "tests/support/cmocka.h"
#include "tests/support/site_fixture.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERIES    "penza/rosstat/kep/indpro_yoy"
#define BEFORE    "2026-03-01T12:30:00Z" // the correction of October came half an hour later
#define BEFORE_US (INT64_C(1772368200) * 1000000)

static struct site_fixture f;
static char state_folder[STORE_PATH], scratch[STORE_PATH];
static struct render *render;

static int setup(void **state)
{
    (void)state;
    static struct render_options o;
    store_temp_folder(scratch);
    site_fixture_open(&f, true, NULL, NULL, NULL);
    snprintf(state_folder, sizeof state_folder, "%s", f.store.folder);
    o = (struct render_options){.state = state_folder, .scratch = scratch, .workers = 1, .timeout_ms = 20000};
    assert_int_equal(render_start(&o, &render, NULL), ERR_OK);
    f.site->render = render;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    render_stop(render);
    site_fixture_close(&f);
    store_remove_folder(scratch);
    return 0;
}

static int64_t series_id(const char *name)
{
    struct readers readers;
    struct board_row row;
    assert_int_equal(site_fixture_get(&f, "/healthz"), 200); // so that there is somebody who asks
    assert_int_equal(site_store(f.site, &f.x.viewer, &readers, NULL), ERR_OK);
    assert_int_equal(board_load_one(f.site, &readers, name, &row, NULL), ERR_OK);
    return row.series.series_id;
}

struct wanted {
    int64_t time;
    double value;
};
static enum err visit(void *ctx, int64_t time, double value)
{
    struct wanted *w = ctx;
    if (time == w->time)
        w->value = value;
    return ERR_OK;
}

// The value of a civil day in the file made for a drawing.
static double drawn(int64_t as_of_us, bool by_published, int32_t day)
{
    struct diag d = {""};
    char path[RRD_PATH_MAX];
    uint32_t step = 86400;
    struct wanted w = {.time = ((int64_t)day + 1) * 86400, .value = NAN};
    const struct render_job job = {.series_id = series_id(SERIES),
                                   .from = INT64_C(1375315200),
                                   .to = INT64_C(1388534400),
                                   .vintage = true,
                                   .by_published = by_published,
                                   .as_of_us = as_of_us};
    if (render_vintage_file(state_folder, scratch, &job, path, &d) != ERR_OK)
        fail_msg("%s", d.text);
    if (rrd_file_fetch(path, "AVERAGE", w.time - 86400, w.time, &step, visit, &w, &d) != ERR_OK)
        fail_msg("%s", d.text);
    unlink(path);
    return w.value;
}

static void a_graphs_file_holds_what_was_known_then_on_every_day(void **state)
{
    (void)state;
    const int32_t first = civil_to_days((struct civil){2013, 10, 1}),
                  last = civil_to_days((struct civil){2013, 10, 31});
    assert_float_equal(drawn(BEFORE_US, false, first), 104.1, 1e-12);
    assert_float_equal(drawn(BEFORE_US, false, last), 104.1, 1e-12);
    assert_float_equal(drawn(0, false, first), 104.3, 1e-12);
    assert_float_equal(drawn(0, true, last), 104.3, 1e-12);
    assert_float_equal(drawn(BEFORE_US, true, last + 1), 0.1, 1e-12);
    assert_true(isnan(drawn(1, false, first))); // long before anything was known
}

static void only_reports_have_a_past_to_draw(void **state)
{
    (void)state;
    struct diag d = {""};
    char path[RRD_PATH_MAX];
    struct render_job job = {.series_id = series_id("yashnabad/fridge-plant/out_units/fridges"),
                             .from = 0,
                             .to = 86400,
                             .vintage = true};
    assert_int_equal(render_vintage_file(state_folder, scratch, &job, path, &d), ERR_INVALID);
    assert_non_null(strstr(d.text, "is measured"));
    job.series_id = 999999;
    assert_int_equal(render_vintage_file(state_folder, scratch, &job, path, &d), ERR_NOT_FOUND);
    static const char *const measured[] = {
        "/graph/yashnabad/fridge-plant/out_units/fridges.png?as_of=2026-01",
        "/series/yashnabad/fridge-plant/out_units/fridges?as_of=2026-01"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(site_fixture_get(&f, measured[i]), 400);
        assert_string_equal(f.x.problem_param, "as_of");
    }
}

static void the_newest_figure_of_now_does_not_stand_over_what_was_known_then(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_get(&f, "/series/" SERIES), 200);
    assert_non_null(strstr(site_fixture_body(&f), "data-live=\"newest\""));
    assert_int_equal(site_fixture_get(&f, "/series/" SERIES "?as_of=2013-10"), 200);
    assert_null(strstr(site_fixture_body(&f), "data-live=\"newest\""));
}

static char *image(const char *query)
{
    char target[256];
    snprintf(target, sizeof target, "/graph/" SERIES ".svg?from=2013-08-01&to=2014-01-01&width=400&%s",
             query);
    if (site_fixture_get(&f, target) != 200)
        fail_msg("%s: %d %s", target, f.x.status, site_fixture_body(&f));
    char *copy = calloc(1, f.x.blob->len + 1);
    assert_non_null(copy);
    memcpy(copy, f.x.blob->bytes, f.x.blob->len);
    return copy;
}

static void a_picture_differs_by_what_was_known_and_is_kept(void **state)
{
    (void)state;
    char *before = image("bare=1&as_of=" BEFORE), *after = image("bare=1&as_of=2026-03-02");
    uint64_t count = render_stats(render).drawn;
    char *again = image("bare=1&as_of=" BEFORE);
    assert_string_equal(before, again);
    assert_int_equal(render_stats(render).drawn, count);
    assert_string_not_equal(before, after);
    free(before);
    free(after);
    free(again);
}

static void the_page_shows_what_was_known_and_its_graph_asks_for_the_same(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_get(&f, "/series/" SERIES "?as_of=" BEFORE), 200);
    assert_true(site_fixture_has(&f, "as known by 2026-03-01"));
    assert_true(site_fixture_has(&f, "<data value=\"104.1\""));
    assert_false(site_fixture_has(&f, "<data value=\"104.3\""));
    assert_true(site_fixture_has(&f, "&amp;as_of=2026-03-01T12:30:00.999999Z&amp;by=received"));
    assert_true(site_fixture_has(&f, "No figure of this range was corrected."));
    assert_int_equal(site_fixture_get(&f, "/series/" SERIES "?as_of=2026-03-02&by=published&lang=ru"), 200);
    assert_true(site_fixture_has(&f, "как было опубликовано на 2026-03-0"));
    assert_true(site_fixture_has(&f, "<data value=\"104.3\""));
}

static void corrections_are_listed_with_old_and_new_why_and_by_whom(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_get(&f, "/series/" SERIES), 200);
    const char *list = strstr(site_fixture_body(&f), "data-live=\"corrections\"");
    assert_non_null(list);
    static const char *const there[] = {"2013-10",
                                        "<data value=\"104.1\"",
                                        "<data value=\"104.3\"",
                                        "&lt;b&gt;late &amp; corrected&lt;/b&gt;",
                                        "Rosstat",
                                        "Shown: the 1 newest of 1."};
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        if (!strstr(list, there[i]))
            fail_msg("no %s in %s", there[i], list);
    park_fixture_invest(&f.store, civil_to_days((struct civil){2026, 1, 1}), 12345, "KZT");
    assert_int_equal(site_fixture_get(&f, "/series/yashnabad/fridge-plant/inv?lang=kk"), 200);
    list = strstr(site_fixture_body(&f), "data-live=\"corrections\"");
    assert_non_null(strstr(list, "KZT"));
    assert_non_null(strstr(list, "агент, "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graphs_file_holds_what_was_known_then_on_every_day),
        cmocka_unit_test(only_reports_have_a_past_to_draw),
        cmocka_unit_test(the_newest_figure_of_now_does_not_stand_over_what_was_known_then),
        cmocka_unit_test(a_picture_differs_by_what_was_known_and_is_kept),
        cmocka_unit_test(the_page_shows_what_was_known_and_its_graph_asks_for_the_same),
        cmocka_unit_test(corrections_are_listed_with_old_and_new_why_and_by_whom),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
