// Totals of local days: the same as adding up the points, and never older than the last figure.
#include "store/day_totals.h"
#include "store/sums.h"
#include "tests/support/random.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR   INT64_C(3600)
#define SERIES 3
#define DAYS   12

struct fixture {
    struct store store;
    struct store_stream stream[2];
    struct reader *reader, *settler;
    struct observations *writer;
    struct observations_reader *view, *settler_view;
    struct zone *almaty, *tashkent;
    const struct zone *zone; // of the park
    int32_t first;           // the day before the leap day of 2024
};

static const char *const names[SERIES] = {"almaty-iz/one/out_units", "almaty-iz/one/energy_kwh",
                                          "almaty-iz/two/out_units"};

static void fine(enum err e, const struct diag *d)
{
    if (e != ERR_OK)
        fail_msg("%s: %s", err_name(e), d->text);
}

static void open_all(struct fixture *f)
{
    struct diag *d = &f->store.diag;
    fine(observations_open(f->store.folder, &f->writer, d), d);
    fine(observations_reader_open(f->store.folder, &f->view, d), d);
    fine(observations_reader_open(f->store.folder, &f->settler_view, d), d);
}

static void close_all(struct fixture *f)
{
    observations_reader_close(f->view);
    observations_reader_close(f->settler_view);
    observations_close(f->writer);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct diag *d = &f->store.diag;
    store_create(&f->store);
    f->stream[0] = store_agent(&f->store, "almaty-iz/one", 1);
    f->stream[1] = store_agent(&f->store, "almaty-iz/two", 2);
    store_declare(&f->store, &f->stream[0], 0, names[0], WIRE_MEASUREMENT, 900, 0);
    store_declare(&f->store, &f->stream[0], 1, names[1], WIRE_MEASUREMENT, 900, 0);
    store_declare(&f->store, &f->stream[1], 0, names[2], WIRE_MEASUREMENT, 900, 0);
    fine(reader_open(f->store.folder, &f->reader, d), d);
    fine(reader_open(f->store.folder, &f->settler, d), d);
    open_all(f);
    fine(zone_load(NULL, "Asia/Almaty", &f->almaty, d), d);
    fine(zone_load(NULL, "Asia/Tashkent", &f->tashkent, d), d);
    f->zone = f->almaty;
    f->first = civil_to_days((struct civil){2024, 2, 24});
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close_all(f);
    reader_close(f->reader);
    reader_close(f->settler);
    zone_free(f->almaty);
    zone_free(f->tashkent);
    store_destroy(&f->store);
    free(f);
    return 0;
}

static const struct zone *zone_of(void *ctx, const char *park)
{
    const struct fixture *f = ctx;
    assert_string_equal(park, "almaty-iz");
    return f->zone;
}

static void advance(struct fixture *f)
{
    for (size_t rows = 1; rows > 0;)
        fine(observations_advance(f->writer, f->reader, 100, &rows, &f->store.diag), &f->store.diag);
}

// Everything that is over `days` after the first one.
static size_t settle(struct fixture *f, int days, size_t max)
{
    const struct day_zones zones = {zone_of, f};
    int64_t now_s = zone_midnight(f->zone, f->first + days) + 3 * 86400;
    size_t n = 0, all = 0;
    do {
        fine(
            day_totals_settle(f->writer, f->settler_view, f->settler, &zones, now_s, max, &n, &f->store.diag),
            &f->store.diag);
        all += n;
    } while (n > 0);
    return all;
}

static const struct ledger_series *series(struct fixture *f, int i)
{
    const struct ledger_series *s = NULL;
    fine(reader_series_by_name(f->reader, names[i], &s, &f->store.diag), &f->store.diag);
    return s;
}

static void put(struct fixture *f, int which, int64_t time, struct figure value)
{
    store_one(&f->store, &f->stream[which == 2], WIRE_MEASUREMENT, which == 1, time, value);
    fake_clock_advance_us(&f->store.clock, US_PER_S);
}

// Some hundred figures here and there: in order, late, corrected, taken back, reals among whole numbers.
static void put_many(struct fixture *f, struct random *r, int count)
{
    for (int i = 0; i < count; i++) {
        int64_t from = zone_midnight(f->almaty, f->first);
        int64_t time = from + 900 * (1 + (int64_t)random_below(r, DAYS * 96));
        int which = (int)random_below(r, SERIES);
        struct figure v = store_integer((int64_t)random_below(r, 1000000) - 1000);
        if (random_below(r, 10) == 0)
            v = figure_missing();
        else if (which == 1)
            v = store_real((double)random_below(r, 1000000) / 700.0);
        put(f, which, time, v);
    }
}

struct seen {
    size_t count;
    int32_t day[100];
};

static enum err see(void *ctx, const struct day_total *t)
{
    struct seen *s = ctx;
    s->day[s->count++] = t->day;
    return ERR_OK;
}

static struct seen totals(struct fixture *f, int which, const struct zone *z)
{
    struct seen s = {0};
    fine(day_totals_read(f->view, f->reader, series(f, which), z, f->first - 5, f->first + DAYS + 5, see, &s,
                         &f->store.diag),
         &f->store.diag);
    return s;
}

// The sums of each day by their totals, as text, beside those of the points alone.
static void check_sums(struct fixture *f, const struct zone *z, int64_t as_of_us)
{
    struct span spans[DAYS + 4];
    size_t n =
        calendar_spans(&calendar_default, SPAN_DAY, f->first - 2, f->first + DAYS + 2, spans, DAYS + 4);
    for (int i = 0; i < SERIES; i++) {
        struct span_sum by_total[DAYS + 4], by_points[DAYS + 4];
        struct sums_query q = {
            .series = series(f, i), .zone = z, .spans = spans, .count = n, .as_of_us = as_of_us};
        fine(sums_read(f->view, f->reader, &q, by_total, &f->store.diag), &f->store.diag);
        q.no_totals = true;
        fine(sums_read(f->view, f->reader, &q, by_points, &f->store.diag), &f->store.diag);
        for (size_t k = 0; k < n; k++) {
            const struct tally *a = &by_total[k].tally, *b = &by_points[k].tally;
            assert_true(figure_equal(tally_sum(a), tally_sum(b)));
            assert_true(a->whole == b->whole);
            assert_int_equal(a->count, b->count);
            assert_int_equal(a->missing, b->missing);
            assert_int_equal(by_total[k].known, by_points[k].known);
            if (a->count > 0)
                assert_true(figure_equal(a->min, b->min) && figure_equal(a->max, b->max) &&
                            figure_equal(a->last, b->last));
        }
    }
}

static void totals_are_the_sums_of_the_points_whatever_came_in_which_order(void **state)
{
    struct fixture *f = *state;
    struct random r = {0};
    r.state = 7;
    for (int round = 0; round < 12; round++) {
        put_many(f, &r, 60);
        if (round % 3 != 2) // else they stay in the ledger's tail
            advance(f);
        if (round % 2)
            settle(f, round, 1 + random_below(&r, 40));
        check_sums(f, f->almaty, 0);
        check_sums(f, f->tashkent, 0); // has no totals
    }
    advance(f);
    settle(f, DAYS + 2, 1000);
    check_sums(f, f->almaty, 0);
    assert_int_equal(totals(f, 0, f->almaty).count, DAYS);
    assert_int_equal(totals(f, 0, f->tashkent).count, 0);
}

static void a_day_in_progress_has_no_total_and_one_that_is_over_has(void **state)
{
    struct fixture *f = *state;
    for (int d = 0; d < 4; d++)
        put(f, 0, zone_midnight(f->almaty, f->first + d) + HOUR, store_integer(d));
    advance(f);
    assert_int_equal(settle(f, -3, 100), 0);
    assert_int_equal(totals(f, 0, f->almaty).count, 0);
    assert_true(settle(f, 1, 100) > 0);
    struct seen s = totals(f, 0, f->almaty);
    assert_true(s.count > 0 && s.count < 4);
    assert_int_equal(s.day[0], f->first);
    settle(f, 10, 100);
    assert_int_equal(totals(f, 0, f->almaty).count, 4);
    assert_int_equal(settle(f, 10, 100), 0); // nothing waits
}

static void a_late_figure_takes_its_days_total_away_until_it_is_in_it(void **state)
{
    struct fixture *f = *state;
    for (int d = 0; d < 5; d++)
        put(f, 0, zone_midnight(f->almaty, f->first + d) + 12 * HOUR, store_integer(10));
    advance(f);
    settle(f, 10, 100);
    put(f, 0, zone_midnight(f->almaty, f->first + 2) + 13 * HOUR, store_integer(5));
    struct seen s = totals(f, 0, f->almaty); // committed, not projected
    assert_int_equal(s.count, 4);
    assert_int_equal(s.day[2], f->first + 3);
    advance(f); // the day of UTC waits: two local days touch it
    assert_int_equal(totals(f, 0, f->almaty).count, 3);
    check_sums(f, f->almaty, 0);
    settle(f, 10, 100);
    assert_int_equal(totals(f, 0, f->almaty).count, 5);
    put(f, 0, zone_midnight(f->almaty, f->first + 2) + 14 * HOUR, store_integer(5));
    advance(f); // noted a second time, too
    assert_int_equal(totals(f, 0, f->almaty).count, 3);
    check_sums(f, f->almaty, 0);
}

static void what_was_known_then_is_not_taken_from_a_total_of_now(void **state)
{
    struct fixture *f = *state;
    put(f, 0, zone_midnight(f->almaty, f->first) + HOUR, store_integer(1));
    put(f, 0, zone_midnight(f->almaty, f->first + 1) + HOUR, store_integer(1));
    int64_t then_us = f->store.clock.wall_us - 1;
    put(f, 0, zone_midnight(f->almaty, f->first) + HOUR, store_integer(2));
    advance(f);
    settle(f, 10, 100);
    check_sums(f, f->almaty, then_us);
    check_sums(f, f->almaty, then_us - 2 * US_PER_S);
    check_sums(f, f->almaty, then_us + 2 * US_PER_S);
}

static void a_park_that_moves_to_another_zone_has_its_days_added_up_anew(void **state)
{
    struct fixture *f = *state;
    struct random r = {0};
    r.state = 3;
    put_many(f, &r, 400);
    advance(f);
    settle(f, DAYS + 2, 1000);
    f->zone = f->tashkent;
    assert_true(settle(f, DAYS + 2, 1000) > 0);
    assert_int_equal(totals(f, 0, f->almaty).count, 0);
    assert_true(totals(f, 0, f->tashkent).count >= DAYS);
    check_sums(f, f->tashkent, 0);
    check_sums(f, f->almaty, 0);
}

static void a_rebuild_gives_the_same_totals(void **state)
{
    struct fixture *f = *state;
    struct random r = {0};
    char path[STORE_PATH];
    r.state = 11;
    put_many(f, &r, 500);
    advance(f);
    settle(f, DAYS + 2, 7);
    struct seen before = totals(f, 1, f->almaty);
    close_all(f);
    store_path(&f->store, OBSERVATIONS_FILE, path);
    assert_int_equal(remove(path), 0);
    open_all(f);
    assert_int_equal(totals(f, 1, f->almaty).count, 0);
    advance(f);
    settle(f, DAYS + 2, 1000);
    struct seen after = totals(f, 1, f->almaty);
    assert_memory_equal(&before, &after, sizeof before);
    check_sums(f, f->almaty, 0);
    assert_int_equal(observations_reset(f->writer, &f->store.diag), ERR_OK);
    assert_int_equal(totals(f, 1, f->almaty).count, 0);
    check_sums(f, f->almaty, 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(totals_are_the_sums_of_the_points_whatever_came_in_which_order),
        test(a_day_in_progress_has_no_total_and_one_that_is_over_has),
        test(a_late_figure_takes_its_days_total_away_until_it_is_in_it),
        test(what_was_known_then_is_not_taken_from_a_total_of_now),
        test(a_park_that_moves_to_another_zone_has_its_days_added_up_anew),
        test(a_rebuild_gives_the_same_totals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
