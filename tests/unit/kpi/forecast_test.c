// When a target is reached and what is lacking: by hand, and against Python's fractions.
#include "kpi/forecast.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"
#include "tests/support/random.h"
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct figure whole(int64_t v)
{
    struct figure f = figure_missing();
    assert_int_equal(figure_from_integer(v, &f), ERR_OK);
    return f;
}

static struct statement target(const char *value)
{
    struct statement s = {.kind = STATEMENT_TARGET, .currency = "", .scope = "", .part_of = "", .due = ""};
    assert_int_equal(statement_parse_value(value, 0, &s), ERR_OK);
    return s;
}

static struct forecast ask(const char *value, int64_t actual, int64_t gained, int32_t span)
{
    struct statement t = target(value);
    struct run_rate r = run_rate_of(whole(gained), 1000 - span, 1000);
    return forecast_make(&t, whole(actual), 1000, &r);
}

static void a_run_rate_needs_ninety_days_and_a_figure(void **state)
{
    (void)state;
    struct run_rate r = run_rate_of(whole(73), 0, 365);
    assert_true(r.known && r.per_day == 0.2);
    assert_true(figure_equal(run_rate_per_year(&r), whole(73)));
    r = run_rate_of(whole(9), 10, 100);
    assert_true(r.known && r.per_day == 0.1);
    r = run_rate_of(whole(9), 11, 100);
    assert_false(r.known);
    assert_int_equal(r.from, 11);
    assert_int_equal(run_rate_per_year(&r).kind, FIGURE_MISSING);
    assert_false(run_rate_of(figure_missing(), 0, 365).known);
    assert_true(run_rate_of(whole(0), 0, 365).known); // nothing added is a rate; nothing known is none
}

static void a_rate_over_a_year_is_what_was_gained_to_the_last_digit(void **state)
{
    static const int64_t gained[] = {-29, 534603028764, 1, 7, 49};
    struct run_rate all = {0}, none = run_rate_of(whole(5), 0, 10);
    (void)state;
    for (size_t i = 0; i < sizeof gained / sizeof *gained; i++) {
        struct run_rate r = run_rate_of(whole(gained[i]), 0, RUN_RATE_YEAR);
        assert_true(figure_equal(run_rate_per_year(&r), whole(gained[i])));
        run_rate_add(&all, &r);
    }
    run_rate_add(&all, &none);
    assert_true(figure_equal(run_rate_per_year(&all), whole(534603028764 + 28)));
}

static void the_day_is_the_first_at_whose_end_it_is_reached(void **state)
{
    (void)state;
    struct forecast f = ask(">= 100", 90, 365, 365); // one a day
    assert_int_equal(f.why, FORECAST_KNOWN);
    assert_int_equal(f.day, 1009);
    assert_int_equal(ask("100", 90, 365, 365).day, 1009);
    assert_int_equal(ask("> 100", 90, 365, 365).day, 1010);  // an equal figure is not more
    assert_int_equal(ask("> 100", 100, 365, 365).day, 1000); // the next day
    assert_int_equal(ask(">= 100", 99, 3650, 365).day, 1000);
    assert_int_equal(ask(">= 101", 100, 100, 365).day, 1003); // 3.65 days
    assert_int_equal(ask("about >= 100", 90, 365, 365).day, 1009);
}

static void a_limit_is_approached_downwards_and_a_range_from_either_side(void **state)
{
    (void)state;
    assert_int_equal(ask("<= 50", 60, -365, 365).day, 1009);
    assert_int_equal(ask("< 50", 60, -365, 365).day, 1010);
    assert_int_equal(ask("<= 50", 60, 365, 365).why, FORECAST_AWAY);
    assert_int_equal(ask("40 .. 50", 30, 365, 365).day, 1009);
    assert_int_equal(ask("40 .. 50", 60, -365, 365).day, 1009);
    assert_int_equal(ask("40 .. 50", 60, 365, 365).why, FORECAST_AWAY);
    assert_int_equal(ask("40 .. 50", 45, 365, 365).why, FORECAST_REACHED);
}

static void there_is_no_date_for_what_is_reached_shrinking_still_far_or_unknown(void **state)
{
    (void)state;
    struct statement unknown = target("unknown"), fact = target("100"), scoped = target("100"),
                     indexed = target("200"), t = target("100");
    struct run_rate r = run_rate_of(whole(365), 0, 365), none = {0};
    fact.kind = STATEMENT_CAPACITY;
    scoped.scope = "the whole country";
    indexed.base = whole(100);
    assert_int_equal(ask(">= 100", 100, 365, 365).why, FORECAST_REACHED);
    assert_int_equal(ask("100", 90, -1, 365).why, FORECAST_AWAY);
    assert_int_equal(ask("100", 90, 0, 365).why, FORECAST_STILL);
    assert_int_equal(ask("100", 90, 365, 89).why, FORECAST_SHORT);
    assert_int_equal(ask("36525", 0, 365, 365).why, FORECAST_KNOWN);
    assert_int_equal(ask("36526", 0, 365, 365).why, FORECAST_FAR);
    assert_int_equal(forecast_make(&unknown, whole(1), 0, &r).why, FORECAST_NO_VALUE);
    assert_int_equal(forecast_make(&t, figure_missing(), 0, &r).why, FORECAST_NO_FACT);
    assert_int_equal(forecast_make(&scoped, whole(1), 0, &r).why, FORECAST_NO_FACT);
    assert_int_equal(forecast_make(&indexed, whole(1), 0, &r).why, FORECAST_NO_FACT);
    assert_int_equal(forecast_make(&fact, whole(1), 0, &r).why, FORECAST_NO_TARGET);
    assert_int_equal(forecast_make(&t, whole(1), 0, &none).why, FORECAST_SHORT);
    assert_string_equal(forecast_why_text(FORECAST_KNOWN), "");
    for (enum forecast_why w = FORECAST_NO_TARGET; w <= FORECAST_FAR; w++)
        assert_true(strlen(forecast_why_text(w)) > 5);
}

static bool is_excess(const char *value, int64_t actual)
{
    struct statement t = target(value);
    return target_gap_is_excess(&t, whole(actual));
}

static void a_gap_above_a_limit_or_a_range_is_an_excess(void **state)
{
    (void)state;
    assert_true(is_excess("< 10", 40));
    assert_true(is_excess("< 10", 10));
    assert_true(is_excess("<= 10", 11));
    assert_true(is_excess("40 .. 50", 60));
    assert_false(is_excess("40 .. 50", 30));
    assert_false(is_excess(">= 200", 150));
    assert_false(is_excess("<= 10", 10)); // kept
}

static void gap_is(const char *value, int64_t actual, int64_t gap, int64_t per_cent)
{
    struct statement t = target(value);
    struct figure of = figure_missing(), is = target_gap(&t, whole(actual), &of);
    if (gap < 0) {
        assert_int_equal(is.kind, FIGURE_MISSING);
        assert_int_equal(of.kind, FIGURE_MISSING);
        return;
    }
    assert_true(figure_equal(is, whole(gap)));
    if (per_cent < 0)
        assert_int_equal(of.kind, FIGURE_MISSING);
    else
        assert_true(figure_equal(of, whole(per_cent)));
}

static void a_gap_is_what_is_lacking_and_there_is_none_once_it_is_reached(void **state)
{
    (void)state;
    gap_is(">= 200", 150, 50, 25);
    gap_is(">= 200", 200, -1, -1);
    gap_is("> 200", 200, 0, 0);
    gap_is("200", 250, -1, -1);
    gap_is("<= 200", 250, 50, 25);
    gap_is("<= 200", 150, -1, -1);
    gap_is("100 .. 200", 50, 50, 50);
    gap_is("100 .. 200", 300, 100, 50);
    gap_is("100 .. 200", 150, -1, -1);
    gap_is("<= 0", 5, 5, -1); // nothing can be a per cent of nothing
    gap_is("unknown", 5, -1, -1);
    struct statement t = target("200");
    assert_int_equal(target_gap(&t, figure_missing(), NULL).kind, FIGURE_MISSING);
}

static void invent(struct random *r, FILE *out)
{
    static const char *const comparators[] = {"=", ">=", ">", "<=", "<", "range"};
    bool big = random_below(r, 4) == 0;
    uint64_t limit = big ? UINT64_C(1) << 52 : 3000;
    struct statement t = {
        .kind = STATEMENT_TARGET, .scope = "", .comparator = (enum comparator)random_below(r, 6)};
    int64_t value = (int64_t)random_below(r, limit), high = value + 1 + (int64_t)random_below(r, limit);
    int64_t actual = (int64_t)random_below(r, 2 * limit);
    int64_t gained = (int64_t)random_below(r, limit / 2) - (int64_t)limit / 4;
    int32_t end = (int32_t)random_below(r, 30000), span = 60 + (int32_t)random_below(r, 306);
    if (random_below(r, 20) == 0)
        gained = 0;
    if (random_below(r, 10) == 0)
        gained = (int64_t)random_below(r, 3);
    char day[16] = "missing", gap[FIGURE_TEXT], word[16];
    t.value = whole(value);
    t.value_high = t.comparator == COMPARE_RANGE ? whole(high) : figure_missing();
    struct run_rate rate = run_rate_of(whole(gained), end - span, end);
    struct forecast f = forecast_make(&t, whole(actual), end, &rate);
    figure_text(target_gap(&t, whole(actual), NULL), gap);
    snprintf(word, sizeof word, "%s", f.why == FORECAST_KNOWN ? "known" : forecast_why_text(f.why));
    word[strcspn(word, " ")] = '\0';
    if (f.why == FORECAST_KNOWN)
        snprintf(day, sizeof day, "%d", f.day);
    fprintf(out, "%s %lld %lld %lld %d %lld %d %s %s %s\n", comparators[t.comparator], (long long)value,
            (long long)high, (long long)actual, end, (long long)gained, span, word, day,
            *gap ? gap : "missing");
}

static void twenty_thousand_forecasts_are_what_fractions_say(void **state)
{
    (void)state;
    struct test_folder folder;
    char path[TEST_PATH];
    struct random r = {5};
    int status = -1;
    assert_int_equal(test_folder_make(&folder), 0);
    test_folder_path(&folder, "forecasts", path);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < 20000; i++)
        invent(&r, out);
    assert_int_equal(fclose(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("python3", "python3", "tests/unit/kpi/target_check.py", "forecast", path, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(test_folder_remove(&folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_rate_needs_ninety_days_and_a_figure),
        cmocka_unit_test(a_rate_over_a_year_is_what_was_gained_to_the_last_digit),
        cmocka_unit_test(the_day_is_the_first_at_whose_end_it_is_reached),
        cmocka_unit_test(a_limit_is_approached_downwards_and_a_range_from_either_side),
        cmocka_unit_test(there_is_no_date_for_what_is_reached_shrinking_still_far_or_unknown),
        cmocka_unit_test(a_gap_above_a_limit_or_a_range_is_an_excess),
        cmocka_unit_test(a_gap_is_what_is_lacking_and_there_is_none_once_it_is_reached),
        cmocka_unit_test(twenty_thousand_forecasts_are_what_fractions_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
