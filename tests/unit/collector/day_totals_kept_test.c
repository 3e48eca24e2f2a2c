// Local days' totals of months that are rolled up and dropped: as they were, and the same when made anew.
#include "store/day_totals.h"
#include "store/reader_keep.h"
#include "store/sums.h"
#include "tests/support/retain_rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY      INT64_C(86400)
#define JANUARY  BENCH_NOW_S
#define FEBRUARY (JANUARY + 31 * DAY)
#define SPANS    40

static struct zone *almaty;

static int fill(void **state)
{
    struct diag d = {""};
    if (retain_setup(state) != 0 || zone_load(NULL, "Asia/Almaty", &almaty, &d) != ERR_OK)
        return -1;
    struct retain_rig *x = *state;
    for (int day = 0; day < 31; day += 2) { // at 22:00 UTC it is the next day there
        retain_put_hour(x, JANUARY + day * DAY + 7200, JANUARY + day * DAY + 7200, 1000 + day);
        retain_put_hour(x, JANUARY + day * DAY + 79200, JANUARY + day * DAY + 79200, 5000 + day);
    }
    rig_settle(x->r);
    return 0;
}

static int empty(void **state)
{
    zone_free(almaty);
    return retain_teardown(state);
}

static const struct zone *zone_of(void *ctx, const char *park)
{
    (void)ctx;
    (void)park;
    return almaty;
}

static void settle(struct retain_rig *x)
{
    const struct day_zones zones = {zone_of, NULL};
    struct diag d = {""};
    rig_observe(x->r);
    for (size_t days = 1; days > 0;)
        if (day_totals_settle(x->r->observer, x->observed, x->reader, &zones,
                              clock_wall(&x->r->b->clock.clock).us / US_PER_S, 50, &days, &d) != ERR_OK)
            fail_msg("%s", d.text);
}

static void drop(struct retain_rig *x)
{
    struct ledger_kept k;
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    retain_run(x, false);
    assert_int_equal(reader_kept(x->reader, &k, NULL), ERR_OK);
    assert_int_equal(k.dropped_until_s, FEBRUARY);
}

struct seen {
    struct day_total at[SPANS];
    size_t count;
};

static enum err see(void *ctx, const struct day_total *t)
{
    struct seen *s = ctx;
    assert_true(s->count < SPANS);
    s->at[s->count++] = *t;
    return ERR_OK;
}

static void totals(struct retain_rig *x, int64_t series_id, struct seen *out)
{
    const struct ledger_series *s;
    struct diag d = {""};
    memset(out, 0, sizeof *out);
    assert_int_equal(reader_series(x->reader, series_id, &s, &d), ERR_OK);
    int32_t first = (int32_t)(JANUARY / DAY);
    if (day_totals_read(x->observed, x->reader, s, almaty, first - 2, first + 35, see, out, &d) != ERR_OK)
        fail_msg("%s", d.text);
}

static void assert_same(const struct seen *a, const struct seen *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct tally *x = &a->at[i].tally, *y = &b->at[i].tally;
        assert_int_equal(a->at[i].day, b->at[i].day);
        assert_true(figure_equal(tally_sum(x), tally_sum(y)));
        assert_int_equal(x->count, y->count);
        assert_int_equal(x->missing, y->missing);
        assert_true(figure_equal(x->min, y->min) && figure_equal(x->max, y->max) &&
                    figure_equal(x->last, y->last));
    }
}

static void days_come_to_the_same_from_raw_figures_from_cells_and_made_anew(void **state)
{
    struct retain_rig *x = *state;
    struct seen *s = calloc(6, sizeof *s);
    assert_non_null(s);
    retain_go_to(x, FEBRUARY + 4 * DAY);
    settle(x);
    totals(x, 1, &s[0]);
    totals(x, 4, &s[1]);
    assert_int_equal(s[0].count, 32); // an hour each of the days
    drop(x);
    settle(x);
    totals(x, 1, &s[2]);
    totals(x, 4, &s[3]);
    assert_same(&s[0], &s[2]);
    assert_same(&s[1], &s[3]);
    retain_rebuild(x);
    totals(x, 1, &s[4]);
    assert_int_equal(s[4].count, 0);
    settle(x);
    totals(x, 1, &s[4]);
    totals(x, 4, &s[5]);
    assert_memory_equal(&s[2], &s[4], sizeof s[2]); // to the byte
    assert_memory_equal(&s[3], &s[5], sizeof s[3]);
    free(s);
}

static struct span_sum sum_as_of(struct retain_rig *x, int64_t as_of_us, bool no_totals)
{
    struct span span = calendar_span(&calendar_default, SPAN_MONTH, (int32_t)(JANUARY / DAY) + 5);
    struct span_sum out;
    struct diag d = {""};
    struct sums_query q = {
        .zone = almaty, .spans = &span, .count = 1, .as_of_us = as_of_us, .no_totals = no_totals};
    assert_int_equal(reader_series(x->reader, 1, &q.series, &d), ERR_OK);
    if (sums_read(x->observed, x->reader, &q, &out, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return out;
}

static void what_was_known_before_a_month_was_rolled_up_is_said_to_be_not_kept(void **state)
{
    struct retain_rig *x = *state;
    int64_t then_us = (JANUARY + 15 * DAY) * US_PER_S;
    retain_go_to(x, FEBRUARY + 4 * DAY);
    settle(x);
    struct span_sum before = sum_as_of(x, then_us, false), now = sum_as_of(x, 0, false);
    assert_int_equal(before.gone, 0);
    assert_true(before.known > 0 && before.known < now.known);
    drop(x);
    settle(x);
    for (int no_totals = 0; no_totals < 2; no_totals++) {
        struct span_sum after = sum_as_of(x, then_us, no_totals);
        assert_true(after.gone > 0);
        assert_int_equal(after.known, 0);
        assert_false(span_sum_whole(&after));
        after = sum_as_of(x, 0, no_totals);
        assert_int_equal(after.known, now.known);
        assert_true(after.tally.whole == now.tally.whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(days_come_to_the_same_from_raw_figures_from_cells_and_made_anew, fill,
                                        empty),
        cmocka_unit_test_setup_teardown(what_was_known_before_a_month_was_rolled_up_is_said_to_be_not_kept,
                                        fill, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
