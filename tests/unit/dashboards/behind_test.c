// What is answered while the observations are behind the ledger says so.
#include "dashboards/behind.h"
#include "tests/support/totals_site.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct totals_rig r;
static struct totals_site site;

static int setup(void **state)
{
    (void)state;
    totals_rig_open(&r, "");
    totals_rig_report(&r, "a/inv", "KZT", "2026-01", 100);
    totals_rig_observe(&r);
    totals_site_open(&site, &r);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    totals_site_close(&site);
    totals_rig_close(&r);
    return 0;
}

static bool behind_at(const char *target)
{
    assert_int_equal(totals_site_get(&site, target), 200);
    return site.x.behind;
}

static const char *const targets[] = {"/api/v1/query?series=works/all/inv", "/api/v1/series", "/",
                                      "/parks/works?lang=ru"};

static void nothing_is_said_of_what_came_just_now(void **state)
{
    (void)state;
    totals_rig_report(&r, "a/inv", "KZT", "2026-02", 100);
    fake_clock_advance_us(&r.store.clock, (BEHIND_SAID_S - 1) * US_PER_S);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_false(behind_at(targets[i]));
}

static void rows_that_were_not_read_for_long_are_told_of(void **state)
{
    (void)state;
    totals_rig_report(&r, "a/inv", "KZT", "2026-02", 100);
    fake_clock_advance_us(&r.store.clock, (BEHIND_SAID_S + 1) * US_PER_S);
    totals_rig_report(&r, "a/inv", "KZT", "2026-03", 100);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_true(behind_at(targets[i]));
    (void)behind_at("/parks/works");
    assert_non_null(strstr(buf_str(&site.x.body), "Figures are still being read in"));
    totals_rig_observe(&r);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_false(behind_at(targets[i]));
    (void)behind_at("/parks/works");
    assert_null(strstr(buf_str(&site.x.body), "still being read in"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(nothing_is_said_of_what_came_just_now),
        T(rows_that_were_not_read_for_long_are_told_of),
    };
    return cmocka_run_group_tests_name("behind", tests, NULL, NULL);
}
