#include "dashboards/graph.h"
#include "dashboards/render.h"
#include "tests/support/site_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRIDGES "/graph/yashnabad/fridge-plant/out_units/fridges"

static struct site_fixture f;

// Forked first, as the program does, with the state folder's name known before it is made.
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

static void each_format_is_what_it_says(void **state)
{
    (void)state;
    static const struct {
        const char *target, *type, *magic;
    } cases[] = {{FRIDGES ".png?from=-26h", "image/png", "\x89PNG"},
                 {FRIDGES ".svg?from=-26h&lang=kk&theme=dark", "image/svg+xml", "<?xml"},
                 {FRIDGES ".pdf", "application/pdf", "%PDF"},
                 {"/graph/penza/rosstat/kep/indpro_yoy.png?from=2013-08-01", "image/png", "\x89PNG"},
                 {"/graph/yashnabad/fridge-plant/inv.png?lang=ru&width=400&height=100&bare=1", "image/png",
                  "\x89PNG"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (site_fixture_get(&f, cases[i].target) != 200)
            fail_msg("%s: %d %s", cases[i].target, f.x.status, site_fixture_body(&f));
        assert_string_equal(f.x.content_type, cases[i].type);
        assert_true(f.x.blob->len > 500);
        assert_memory_equal(f.x.blob->bytes, cases[i].magic, 4);
    }
}

static void a_total_is_drawn_from_its_exact_points(void **state)
{
    (void)state;
    char etag[EXCHANGE_ETAG];
    static const char *const targets[] = {"/graph/yashnabad/all/jobs_total.png",
                                          "/graph/yashnabad/all/inv.svg?lang=kk",
                                          "/graph/yashnabad/fridge-plant/cap_util/fridges.pdf",
                                          "/graph/yashnabad/all/inv.png?as_of=2026-02&bare=1",
                                          "/graph/yashnabad/all/inv.png?as_of=2020-02&currency=KZT"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        if (site_fixture_get(&f, targets[i]) != 200)
            fail_msg("%s: %d %s", targets[i], f.x.status, site_fixture_body(&f));
        assert_true(f.x.blob->len > 500);
    }
    // Another figure is another picture, at once.
    assert_int_equal(site_fixture_get(&f, "/graph/yashnabad/all/inv.png"), 200);
    snprintf(etag, sizeof etag, "%s", f.x.etag);
    assert_int_equal(site_fixture_ask(&f, "GET", "/graph/yashnabad/all/inv.png", etag), 304);
    park_fixture_invest(&f.store, civil_to_days((struct civil){2026, 1, 1}), 5, "UZS");
    assert_int_equal(site_fixture_ask(&f, "GET", "/graph/yashnabad/all/inv.png", etag), 200);
    assert_int_equal(site_fixture_get(&f, "/graph/yashnabad/all/oee.png"), 404);
    assert_int_equal(site_fixture_get(&f, "/graph/nopark/all/inv.png"), 404);
}

static void an_image_is_kept_until_its_file_changes(void **state)
{
    (void)state;
    char etag[EXCHANGE_ETAG];
    const char *target = FRIDGES ".png?from=1772280000&to=1772366500";
    assert_int_equal(site_fixture_get(&f, target), 200);
    snprintf(etag, sizeof etag, "%s", f.x.etag);
    uint64_t drawn = render_stats(render).drawn;
    assert_int_equal(site_fixture_get(&f, target), 200);
    assert_string_equal(f.x.etag, etag);
    assert_int_equal(site_fixture_ask(&f, "GET", target, etag), 304);
    assert_null(f.x.blob);
    assert_int_equal(render_stats(render).drawn, drawn);
    park_fixture_add(&f.store, STORE_EPOCH + 10, 5);
    assert_int_equal(site_fixture_ask(&f, "GET", target, etag), 200);
    assert_string_not_equal(f.x.etag, etag);
    assert_int_equal(render_stats(render).drawn, drawn + 1);
}

static void wrong_requests_are_named_and_draw_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        int status;
    } cases[] = {{FRIDGES, 404},
                 {FRIDGES ".gif", 404},
                 {FRIDGES ".PNG", 404},
                 {"/graph/yashnabad/fridge-plant/nothing.png", 404},
                 {"/graph/yashnabad/fridge-plant/.png", 404},
                 {FRIDGES ".png?width=99", 400},
                 {FRIDGES ".png?width=99999", 400},
                 {FRIDGES ".png?height=1e3", 400},
                 {FRIDGES ".png?from=now&to=-1d", 400},
                 {FRIDGES ".png?lang=de", 400},
                 {FRIDGES ".png?theme=blue", 400},
                 {FRIDGES ".png?def=x", 400},
                 {FRIDGES ".png?from=2026-99-99", 400}};
    uint64_t drawn = render_stats(render).drawn;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (site_fixture_get(&f, cases[i].target) != cases[i].status)
            fail_msg("%s: %d %s", cases[i].target, f.x.status, site_fixture_body(&f));
    assert_int_equal(render_stats(render).drawn, drawn);
}

static void a_yearly_capacity_is_drawn_by_the_hour_beside_output(void **state)
{
    (void)state;
    struct readers readers;
    struct board_row row;
    const struct statement *st;
    double value;
    bool pro_rata;
    assert_int_equal(site_store(f.site, &f.x.viewer, &readers, NULL), ERR_OK);
    assert_int_equal(board_load_one(f.site, &readers, "yashnabad/fridge-plant/out_units/fridges", &row, NULL),
                     ERR_OK);
    assert_true(graph_target(&row, &st, &value, &pro_rata));
    assert_string_equal(st->id, "capacity-fridges");
    assert_true(pro_rata);
    assert_float_equal(value, 1000000.0 / 365 / 24, 1e-9);
    assert_int_equal(board_load_one(f.site, &readers, "yashnabad/fridge-plant/jobs_total", &row, NULL),
                     ERR_OK);
    assert_false(graph_target(&row, &st, &value, &pro_rata));
}

// ---- what stands beside: the cache and the flush
// ---------------------------------------------------------------------------
static struct blob *blob_of(size_t len)
{
    return blob_create(calloc(1, len), len);
}

static void the_cache_forgets_the_least_recently_used_first_and_stays_within_its_size(void **state)
{
    (void)state;
    struct cache *c = NULL;
    uint8_t key[16] = {0};
    assert_int_equal(cache_create(10000, &c), ERR_OK);
    for (uint8_t i = 0; i < 20; i++) {
        struct blob *b = blob_of(1000);
        key[0] = i;
        cache_put(c, key, b);
        blob_release(b);
        key[0] = 0; // used again and again
        struct blob *first = cache_find(c, key);
        assert_non_null(first);
        blob_release(first);
        assert_true(cache_stats(c).bytes <= 10000);
    }
    key[0] = 1;
    assert_null(cache_find(c, key));
    struct blob *big = blob_of(2501); // more than a quarter is not kept
    key[0] = 99;
    cache_put(c, key, big);
    blob_release(big);
    assert_null(cache_find(c, key));
    assert_true(cache_stats(c).evictions > 0);
    cache_destroy(c);
}

static int flushes;
static enum err flush_result;
static enum err count_flush(const char *state, const char *request, int timeout_ms, char **reply,
                            struct diag *d)
{
    (void)state;
    (void)request;
    (void)timeout_ms;
    (void)reply;
    (void)d;
    flushes++;
    return flush_result;
}

static void the_collector_is_asked_to_flush_at_most_twice_a_second(void **state)
{
    (void)state;
    struct fake_clock clock;
    struct flush *flush = NULL;
    fake_clock_init(&clock, 0);
    flushes = 0;
    flush_result = ERR_OK;
    assert_int_equal(flush_create("/s", &clock.clock, count_flush, &flush), ERR_OK);
    for (int i = 0; i < 100; i++, fake_clock_advance_us(&clock, 20000))
        flush_now(flush);
    assert_int_equal(flushes, 4); // in 2 s
    assert_true(flush_collector_runs(flush));
    flush_result = ERR_TIMEOUT; // one that hangs is left alone for five seconds
    fake_clock_advance_us(&clock, 600000);
    for (int i = 0; i < 100; i++, fake_clock_advance_us(&clock, 40000))
        flush_now(flush);
    assert_int_equal(flushes, 5);
    assert_false(flush_collector_runs(flush));
    flush_destroy(flush);
}

struct lag {
    struct fake_clock clock;
    struct flush *flush;
    int asked, needed;
};

static bool count_looks(void *ctx)
{
    struct lag *l = ctx;
    l->asked++;
    fake_clock_advance_us(&l->clock, 50000);
    flush_observed(l->flush, count_looks, l); // who comes meanwhile goes on at once
    return l->asked >= l->needed;
}

static void one_request_in_half_a_second_waits_for_the_observations_and_not_for_long(void **state)
{
    (void)state;
    struct lag l = {.needed = 3};
    fake_clock_init(&l.clock, 0);
    flushes = 0;
    assert_int_equal(flush_create("/s", &l.clock.clock, count_flush, &l.flush), ERR_OK);
    flush_observed(l.flush, count_looks, &l);
    assert_int_equal(l.asked, 3);
    flush_observed(l.flush, count_looks, &l); // asked less than 500 ms ago
    assert_int_equal(l.asked, 3);
    fake_clock_advance_us(&l.clock, 500000);
    l.needed = 1000; // they do not catch up
    l.asked = 0;
    flush_observed(l.flush, count_looks, &l);
    assert_int_equal(l.asked, 5);
    fake_clock_advance_us(&l.clock, 4000000);
    flush_observed(l.flush, count_looks, &l);
    assert_int_equal(l.asked, 5);
    fake_clock_advance_us(&l.clock, 1000000);
    flush_observed(l.flush, count_looks, &l);
    assert_int_equal(l.asked, 10);
    assert_int_equal(flushes, 0); // the collector is not troubled
    flush_destroy(l.flush);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_in_half_a_second_waits_for_the_observations_and_not_for_long),
        cmocka_unit_test(each_format_is_what_it_says),
        cmocka_unit_test(a_total_is_drawn_from_its_exact_points),
        cmocka_unit_test(an_image_is_kept_until_its_file_changes),
        cmocka_unit_test(wrong_requests_are_named_and_draw_nothing),
        cmocka_unit_test(a_yearly_capacity_is_drawn_by_the_hour_beside_output),
        cmocka_unit_test(the_cache_forgets_the_least_recently_used_first_and_stays_within_its_size),
        cmocka_unit_test(the_collector_is_asked_to_flush_at_most_twice_a_second),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
