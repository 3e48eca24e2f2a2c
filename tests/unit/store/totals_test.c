// Totals as they are made from a ledger: each level from its parts, as known by a moment, in one currency.
#include "store/day_totals.h"
#include "tests/support/totals_rig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct totals_rig *open_rig(const char *more)
{
    struct totals_rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    totals_rig_open(r, more);
    return r;
}

static void close_rig(struct totals_rig *r)
{
    totals_rig_close(r);
    free(r);
}

#define SPANS 400
struct asked {
    struct totals_question q;
    struct totals_said said;
    struct span spans[SPANS];
    struct kpi_total at[SPANS];
};

static struct asked *ask(struct totals_rig *r, const char *series, enum span_kind kind, const char *from,
                         const char *to, int64_t as_of_us, const char *currency)
{
    static struct asked a;
    static struct series_name name;
    struct totals_place place = totals_rig_place(r);
    struct period first, last;
    char full[SERIES_NAME_MAX + 1];
    memset(&a, 0, sizeof a);
    snprintf(full, sizeof full, "works/%s", series);
    memset(&name, 0, sizeof name);
    assert_int_equal(series_parse(full, &name), ERR_OK);
    assert_int_equal(period_parse(from, &first), ERR_OK);
    assert_int_equal(period_parse(to, &last), ERR_OK);
    a.q.kpi = catalogue_find(r->catalogue, name.kpi);
    a.q.resident = strcmp(name.resident, "all") == 0 ? "" : name.resident;
    a.q.dimension = name.dimension;
    a.q.spans = a.spans;
    a.q.count = calendar_spans(&place.park->calendar, kind, first.start, period_end(last), a.spans, SPANS);
    a.q.as_of_us = as_of_us;
    a.q.to = currency ? currency_find(currency) : NULL;
    enum err e = totals_read(&place, &a.q, a.at, &a.said, &r->store.diag);
    if (e != ERR_OK)
        fail_msg("%s: %s: %s", series, err_name(e), r->store.diag.text);
    return &a;
}

static void expect(const struct kpi_total *t, int64_t value, unsigned contributors, unsigned missing)
{
    if (t->why != TOTAL_KNOWN || t->value.kind != FIGURE_INTEGER || t->value.integer != value ||
        t->contributors != contributors || t->missing != missing)
        fail_msg("%" PRId64 " of %u, %u missing (%s), not %" PRId64 " of %u, %u missing",
                 t->value.kind == FIGURE_INTEGER ? t->value.integer : -1, t->contributors, t->missing,
                 total_why_word(t->why), value, contributors, missing);
}

static void expect_none(const struct kpi_total *t, enum total_why why, unsigned missing)
{
    if (t->why != why || t->value.kind != FIGURE_MISSING || t->missing != missing)
        fail_msg("%s with %u missing, not %s with %u", total_why_word(t->why), t->missing,
                 total_why_word(why), missing);
}

#define RESIDENTS                                                                                            \
    "residents:\n  - {code: a, names: {en: A}, about: {en: a}, simulated: true}\n"                           \
    "  - {code: b, names: {en: B}, about: {en: b}, simulated: false, source: r}\n"

static void a_total_has_its_contributors_and_its_missing(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(RESIDENTS);
    totals_rig_report(r, "a/jobs_total", "", "2025-12", 100);
    totals_rig_report(r, "a/jobs_total", "", "2026-01", 110);
    totals_rig_report(r, "b/jobs_total", "", "2025-12", 7);
    totals_rig_missing(r, "b/jobs_total", "", "2026-01");
    totals_rig_report(r, "c/jobs_total", "", "2026-01", 5); // not in the profile, and new
    struct asked *a = ask(r, "all/jobs_total", SPAN_MONTH, "2025-11", "2026-02", 0, NULL);
    expect_none(&a->at[0], TOTAL_NOBODY, 0);
    expect(&a->at[1], 107, 2, 0);
    expect(&a->at[2], 115, 2, 1);
    expect_none(&a->at[3], TOTAL_MISSING, 3);
    assert_true(a->at[1].simulated);
    close_rig(r);
}

static void days_months_quarters_and_years_agree_to_the_last_digit(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig("calendar: {fiscal_year_from: 7}\n");
    char period[PERIOD_TEXT];
    struct period p = {PERIOD_MONTH, civil_to_days((struct civil){2024, 1, 1})};
    for (int i = 0; i < 24; i++, p = period_next(p)) {
        period_text(p, period);
        totals_rig_report(r, "a/inv", "KZT", period, INT64_C(8999999999999000) + i);
        totals_rig_report(r, "b/inv", "KZT", period, 1 + i * 3);
    }
    static const enum span_kind kinds[] = {SPAN_MONTH, SPAN_QUARTER, SPAN_YEAR, SPAN_FISCAL_YEAR};
    double sums[4] = {0};
    for (int k = 0; k < 4; k++) {
        struct asked *a = ask(r, "all/inv", kinds[k], "2024", "2025", 0, NULL);
        for (size_t i = 0; i < a->q.count; i++)
            sums[k] += a->at[i].why == TOTAL_KNOWN ? figure_to_real(a->at[i].value) : 0;
    }
    assert_true(sums[0] > 2e17 && sums[1] == sums[2] && sums[2] == sums[3]);
    // What no double holds is still divided exactly: 24 equal parts and one unit.
    for (int i = 0; i < 2; i++)
        totals_rig_report(r, i ? "b/jobs_total" : "a/jobs_total", "", "2024-12", 3);
    totals_rig_report(r, "a/out_value", "KZT", "2024-12", INT64_C(8999999999999999));
    totals_rig_report(r, "b/out_value", "KZT", "2024-12", 3);
    expect(&ask(r, "all/productivity", SPAN_MONTH, "2024-12", "2024-12", 0, NULL)->at[0],
           INT64_C(1500000000000000), 2, 0); // 9000000000000002 / 6 = 1500000000000000.33
    close_rig(r);
}

static void ratios_are_made_anew_at_each_level(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(RESIDENTS);
    totals_rig_report(r, "a/apt_s", "", "2026-01", 50);
    totals_rig_report(r, "a/pbt_s", "", "2026-01", 100);
    totals_rig_report(r, "b/apt_s", "", "2026-01", 300);
    totals_rig_report(r, "b/pbt_s", "", "2026-01", 300);
    totals_rig_report(r, "a/apt_s", "", "2026-02", 40);
    totals_rig_report(r, "a/pbt_s", "", "2026-02", 400);
    struct asked *a = ask(r, "all/oee_avail", SPAN_MONTH, "2026-01", "2026-02", 0, NULL);
    assert_true(figure_to_real(a->at[0].value) == 87.5);
    expect(&a->at[1], 10, 1, 1);
    a = ask(r, "a/oee_avail", SPAN_QUARTER, "2026-Q1", "2026-Q1", 0, NULL);
    expect(&a->at[0], 18, 1, 0); // 90 of 500, not (50 + 10) / 2
    a = ask(r, "all/oee_avail", SPAN_QUARTER, "2026-Q1", "2026-Q1", 0, NULL);
    assert_true(figure_to_real(a->at[0].value) == 48.75); // 390 of 800
    assert_int_equal(a->at[0].partial, 1);                // b's February is missing
    close_rig(r);
}

static void what_was_known_then_is_answered_as_of_then(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(RESIDENTS);
    totals_rig_report(r, "a/jobs_total", "", "2026-01", 100);
    int64_t first_us = clock_wall(&r->store.clock.clock).us;
    totals_rig_later(r);
    totals_rig_report(r, "b/jobs_total", "", "2026-01", 20);
    totals_rig_report(r, "a/jobs_total", "", "2026-01", 101);
    int64_t second_us = clock_wall(&r->store.clock.clock).us;
    totals_rig_later(r);
    totals_rig_missing(r, "a/jobs_total", "", "2026-01");
#define THEN(us) (&ask(r, "all/jobs_total", SPAN_MONTH, "2026-01", "2026-01", us, NULL)->at[0])
    expect_none(THEN(first_us - 1), TOTAL_NOBODY, 0);
    expect(THEN(first_us), 100, 1, 0); // that b would report was not known
    expect(THEN(second_us), 121, 2, 0);
    expect(THEN(0), 20, 1, 1);
    close_rig(r);
}

static void a_whole_swallows_its_parts_only_from_its_first_figure_on(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(RESIDENTS);
    totals_rig_declare(r, "a/inv", "KZT");
    totals_rig_report(r, "a/inv/north", "KZT", "2025-12", 500);
    totals_rig_report(r, "a/inv/south", "KZT", "2025-12", 700);
    totals_rig_report(r, "b/inv", "KZT", "2025-12", 100);
    totals_rig_report(r, "a/inv/north", "KZT", "2026-01", 50);
    expect(&ask(r, "all/inv", SPAN_MONTH, "2025-12", "2025-12", 0, NULL)->at[0], 1300, 2, 0);
    int64_t before_us = clock_wall(&r->store.clock.clock).us;
    totals_rig_later(r);
    totals_rig_report(r, "a/inv", "KZT", "2026-01", 60);
    struct asked *a = ask(r, "all/inv", SPAN_MONTH, "2025-12", "2026-02", 0, NULL);
    expect(&a->at[0], 1300, 2, 0); // before the whole began
    expect(&a->at[1], 60, 1, 1);
    expect_none(&a->at[2], TOTAL_MISSING, 2);
    a = ask(r, "all/inv", SPAN_MONTH, "2026-01", "2026-01", before_us, NULL);
    expect(&a->at[0], 50, 1, 1); // as it was known then
    close_rig(r);
}

static void unlike_currencies_are_added_only_converted(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(RESIDENTS);
    totals_rig_report(r, "a/inv", "KZT", "2026-01", 1000);
    totals_rig_report(r, "b/inv", "USD", "2026-01", 3);
    totals_rig_report(r, "a/inv", "KZT", "2025-12", 5);
    totals_rig_report(r, "b/inv", "USD", "2025-12", 1);
    struct asked *a = ask(r, "all/inv", SPAN_MONTH, "2025-12", "2026-01", 0, NULL);
    expect_none(&a->at[0], TOTAL_RATE, 1);
    expect_none(&a->at[1], TOTAL_RATE, 1);
    totals_rig_rates(r, "2026-01-01", "2026-01-30", "USD", "500.5");
    expect_none(&ask(r, "all/inv", SPAN_MONTH, "2026-01", "2026-01", 0, NULL)->at[0], TOTAL_RATE, 1);
    int64_t before_us = clock_wall(&r->store.clock.clock).us;
    totals_rig_later(r);
    totals_rig_rates(r, "2026-01-31", "2026-01-31", "USD", "500.5");
    a = ask(r, "all/inv", SPAN_MONTH, "2026-01", "2026-01", 0, NULL);
    expect(&a->at[0], 2502, 2, 0); // 1000 + 1501.5, half to even
    assert_string_equal(a->said.currency->code, "KZT");
    assert_true(a->said.converted);
    a = ask(r, "all/inv", SPAN_MONTH, "2026-01", "2026-01", 0, "USD");
    expect(&a->at[0], 5, 2, 0); // 3 + 1.998
    assert_string_equal(a->said.currency->code, "USD");
    a = ask(r, "all/inv", SPAN_MONTH, "2026-01", "2026-01", before_us, NULL);
    expect_none(&a->at[0], TOTAL_RATE, 1); // the last day's rate was not known yet
    close_rig(r);
}

static void an_amount_of_another_currency_within_a_series_is_converted_too(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(RESIDENTS);
    totals_rig_report(r, "a/inv", "KZT", "2026-01", 1000);
    totals_rig_foreign(r, "a/inv", "KZT", "2026-02", 4, "USD");
    expect_none(&ask(r, "all/inv", SPAN_MONTH, "2026-02", "2026-02", 0, NULL)->at[0], TOTAL_RATE, 1);
    totals_rig_rates(r, "2026-02-01", "2026-02-28", "USD", "500");
    struct asked *a = ask(r, "all/inv", SPAN_QUARTER, "2026-Q1", "2026-Q1", 0, NULL);
    expect(&a->at[0], 3000, 1, 0);
    assert_true(a->said.converted);
    close_rig(r);
}

static void what_no_figure_holds_in_the_other_currency_lacks_no_rate(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(RESIDENTS);
    totals_rig_foreign(r, "a/inv", "KZT", "2026-02", INT64_C(9000000000000000), "USD");
    totals_rig_report(r, "b/inv", "KZT", "2026-02", 5);
    totals_rig_rates(r, "2026-02-01", "2026-02-28", "USD", "500");
    expect_none(&ask(r, "all/inv", SPAN_MONTH, "2026-02", "2026-02", 0, "KZT")->at[0], TOTAL_RANGE, 1);
    close_rig(r);
}

static void machines_figures_are_added_by_the_parks_own_days(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(RESIDENTS);
    int64_t midnight = zone_midnight(r->zone, civil_to_days((struct civil){2026, 2, 27}));
    for (int h = 1; h <= 24; h++) {
        totals_rig_measure(r, "a/energy_kwh", midnight + h * 3600, 10);
        totals_rig_measure(r, "b/energy_kwh", midnight + h * 3600, h == 24 ? 1 : 2);
    }
    struct asked *a = ask(r, "all/energy_kwh", SPAN_DAY, "2026-02-26", "2026-02-28", 0, NULL);
    expect_none(&a->at[0], TOTAL_NOBODY, 0); // by UTC they began then
    expect(&a->at[1], 240 + 47, 2, 0);
    expect_none(&a->at[2], TOTAL_MISSING, 2);
    a = ask(r, "all/energy_kwh", SPAN_MONTH, "2026-02", "2026-02", 0, NULL);
    expect(&a->at[0], 287, 2, 0);
    assert_int_equal(a->at[0].partial, 2);
    // The limit of what is read is for both together: 48 points.
    struct totals_place place = totals_rig_place(r);
    a->q.points_max = 48;
    assert_int_equal(totals_read(&place, &a->q, a->at, &a->said, &r->store.diag), ERR_OK);
    a->q.points_max = 47;
    assert_int_equal(totals_read(&place, &a->q, a->at, &a->said, &r->store.diag), ERR_TOO_BIG);
    assert_non_null(strstr(r->store.diag.text, "ask for a shorter time"));
    close_rig(r);
}

static void a_yearly_rate_is_of_what_is_known(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(
        RESIDENTS "statements:\n  - {id: c, kind: capacity, names: {en: C}, kpi: cap_nominal, resident: "
                  "a, dimension: pumps, value: 1000, per: year, at: 2025, source: s}\n"
                  "  - {id: d, kind: capacity, names: {en: D}, kpi: cap_nominal, resident: b, "
                  "dimension: lifts, value: unknown, at: 2025, source: s}\n"
                  "dimensions: [{code: pumps, names: {en: P}}, {code: lifts, names: {en: L}}]\n");
    totals_rig_report(r, "a/out_units/pumps", "", "2025-01", 31);
    totals_rig_report(r, "a/out_units/pumps", "", "2025-02", 28);
    totals_rig_report(r, "b/out_units/lifts", "", "2025-01", 31);
    // January alone: 31 pieces of 31 days, 365 a year of 1000.
    assert_true(figure_to_real(
                    ask(r, "all/cap_util/pumps", SPAN_MONTH, "2025-01", "2025-01", 0, NULL)->at[0].value) ==
                36.5);
    // Of the year two of twelve months are known: 59 pieces in a sixth of it, not in the whole.
    double year = figure_to_real(ask(r, "a/cap_util/pumps", SPAN_YEAR, "2025", "2025", 0, NULL)->at[0].value);
    assert_true(year > 35.39 && year < 35.41); // 59 * 6 of 1000
    struct asked *a = ask(r, "b/cap_util/lifts", SPAN_MONTH, "2025-01", "2025-01", 0, NULL);
    expect_none(&a->at[0], TOTAL_CAPACITY, 1);
    assert_string_equal(a->at[0].part->code, "cap_nominal");
    close_rig(r);
}

static void a_yearly_rate_stands_still_between_two_steps(void **state)
{
    (void)state;
    struct totals_rig *r =
        open_rig("residents:\n  - {code: a, names: {en: A}, about: {en: a}, simulated: false, source: r}\n"
                 "statements:\n  - {id: c, kind: capacity, names: {en: C}, kpi: cap_nominal, resident: a, "
                 "dimension: pumps, value: 8760, per: year, at: 2025, source: s}\n"
                 "dimensions: [{code: pumps, names: {en: P}}]\n");
    for (int64_t h = 0; h < 30; h++)
        totals_rig_measure(r, "a/out_units/pumps", STORE_EPOCH - h * 3600, 1);
    // A piece an hour, of as many a year as it has hours.
    expect(&ask(r, "all/cap_util/pumps", SPAN_YEAR, "2026", "2026", 0, NULL)->at[0], 100, 1, 0);
    fake_clock_advance_us(&r->store.clock, 1799 * US_PER_S);
    expect(&ask(r, "all/cap_util/pumps", SPAN_YEAR, "2026", "2026", 0, NULL)->at[0], 100, 1, 0);
    close_rig(r);
}

// At full capacity from the first whole month on. What it joined within is not asked for: those days count
// for nothing.
static void a_yearly_rate_of_a_part_of_the_year_is_scaled_to_all_of_it(void **state)
{
    (void)state;
    static const char *const months[] = {"2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12"};
    static const char *const joined[] = {"2025-07-01", "2025-07-16"};
    static const int64_t days[] = {31, 31, 30, 31, 30, 31};
    for (size_t first = 0; first < 2; first++) {
        char more[500];
        snprintf(more, sizeof more,
                 "residents:\n  - {code: a, names: {en: A}, about: {en: a}, simulated: false, source: r, "
                 "joined: %s}\nstatements:\n  - {id: c, kind: capacity, names: {en: C}, kpi: cap_nominal, "
                 "resident: a, dimension: pumps, value: 365, per: year, at: 2025, source: s}\n"
                 "dimensions: [{code: pumps, names: {en: P}}]\n",
                 joined[first]);
        struct totals_rig *r = open_rig(more);
        for (size_t i = first; i < 6; i++)
            totals_rig_report(r, "a/out_units/pumps", "", months[i], days[i]);
        expect(&ask(r, "all/cap_util/pumps", SPAN_YEAR, "2025", "2025", 0, NULL)->at[0], 100, 1, 0);
        close_rig(r);
    }
}

static void plans_are_shared_out_over_spans_only_where_they_say_how(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig("statements:\n  - {id: p, kind: target, names: {en: P}, kpi: inv, value: "
                                    "1200, currency: KZT, per: year, due: unknown, source: s}\n");
    totals_rig_report(r, "a/inv", "KZT", "2026-01", 5000);
    expect(&ask(r, "all/inv_plan_pct", SPAN_MONTH, "2026-01", "2026-01", 0, NULL)->at[0], 50, 1, 0);
    double quarter =
        figure_to_real(ask(r, "all/inv_plan_pct", SPAN_QUARTER, "2026-Q1", "2026-Q1", 0, NULL)->at[0].value);
    assert_true(quarter == 50.0 / 3);
    close_rig(r);
    r = open_rig(
        "statements:\n  - {id: p, kind: target, names: {en: P}, kpi: inv, value: 1200, currency: KZT, "
        "cumulative: true, due: unknown, source: s}\n");
    totals_rig_report(r, "a/inv", "KZT", "2026-01", 5000);
    expect_none(&ask(r, "all/inv_plan_pct", SPAN_MONTH, "2026-01", "2026-01", 0, NULL)->at[0], TOTAL_TARGET,
                0);
    close_rig(r);
}

static void who_joined_or_left_counts_while_it_belonged(void **state)
{
    (void)state;
    struct totals_rig *r =
        open_rig("residents:\n  - {code: a, names: {en: A}, about: {en: a}, simulated: "
                 "false, source: r, joined: 2026-02-01}\n"
                 "  - {code: b, names: {en: B}, about: {en: b}, simulated: false, source: r}\n");
    for (int m = 1; m <= 2; m++) {
        totals_rig_report(r, "a/inv", "KZT", m == 1 ? "2026-01" : "2026-02", 100);
        totals_rig_report(r, "b/inv", "KZT", m == 1 ? "2026-01" : "2026-02", 10);
    }
    struct asked *a = ask(r, "all/inv", SPAN_MONTH, "2026-01", "2026-02", 0, NULL);
    expect(&a->at[0], 10, 1, 0);
    expect(&a->at[1], 110, 2, 0);
    expect(&ask(r, "all/inv", SPAN_QUARTER, "2026-Q1", "2026-Q1", 0, NULL)->at[0], 120, 2, 0);
    close_rig(r);
}

static void a_level_counts_by_the_last_day_of_its_period(void **state)
{
    (void)state;
    // "Now" is 1 March.
    struct totals_rig *r = open_rig(
        "residents:\n"
        "  - {code: a, names: {en: A}, about: {en: a}, simulated: false, source: r, joined: 2026-01-15}\n"
        "  - {code: b, names: {en: B}, about: {en: b}, simulated: false, source: r}\n"
        "  - {code: c, names: {en: C}, about: {en: c}, simulated: false, source: r, left: 2026-01-15}\n");
    static const char *const months[] = {"2025-12", "2026-01", "2026-02"};
    for (size_t i = 0; i < 3; i++) {
        totals_rig_report(r, "a/jobs_total", "", months[i], 100);
        totals_rig_report(r, "b/jobs_total", "", months[i], 7);
        totals_rig_report(r, "c/jobs_total", "", months[i], 1000);
    }
    struct asked *a = ask(r, "all/jobs_total", SPAN_MONTH, "2025-12", "2026-02", 0, NULL);
    expect(&a->at[0], 1007, 2, 0);
    expect(&a->at[1], 107, 2, 0);
    expect(&a->at[2], 107, 2, 0);
    expect(&ask(r, "all/jobs_total", SPAN_YEAR, "2026", "2026", 0, NULL)->at[0], 107, 2, 0);
    close_rig(r);
}

static void a_level_of_a_period_that_is_not_over_counts_too(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig("residents:\n  - {code: a, names: {en: A}, about: {en: a}, simulated: "
                                    "false, source: r, joined: 2026-02-15}\n");
    totals_rig_report(r, "a/jobs_total", "", "2026-Q1", 100);
    expect(&ask(r, "all/jobs_total", SPAN_QUARTER, "2026-Q1", "2026-Q1", 0, NULL)->at[0], 100, 1, 0);
    close_rig(r);
}

static void a_residents_own_figures_are_its_own(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig("residents:\n  - {code: a, names: {en: A}, about: {en: a}, simulated: "
                                    "false, source: r, joined: 2026-02-01}\n");
    for (int m = 1; m <= 2; m++) {
        totals_rig_report(r, "a/apt_s", "", m == 1 ? "2026-01" : "2026-02", 50 * m);
        totals_rig_report(r, "a/pbt_s", "", m == 1 ? "2026-01" : "2026-02", 100);
    }
    struct asked *a = ask(r, "a/oee_avail", SPAN_MONTH, "2026-01", "2026-02", 0, NULL);
    expect(&a->at[0], 50, 1, 0);
    expect(&a->at[1], 100, 1, 0);
    a = ask(r, "all/oee_avail", SPAN_MONTH, "2026-01", "2026-02", 0, NULL);
    expect_none(&a->at[0], TOTAL_NOBODY, 0);
    expect(&a->at[1], 100, 1, 0);
    close_rig(r);
}

static void who_owes_it_and_never_reported_is_missing(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(
        RESIDENTS "obligations:\n  - {kpi: jobs_total, residents: [all], period: month, due: {days: 10}, "
                  "from: 2025-12, source: s}\n");
    totals_rig_report(r, "a/jobs_total", "", "2025-11", 3);
    totals_rig_report(r, "a/jobs_total", "", "2025-12", 4);
    struct asked *a = ask(r, "all/jobs_total", SPAN_MONTH, "2025-11", "2026-03", 0, NULL);
    expect(&a->at[0], 3, 1, 0); // nobody owed it yet
    expect(&a->at[1], 4, 1, 1); // b
    expect_none(&a->at[2], TOTAL_MISSING, 2);
    expect_none(&a->at[4], TOTAL_MISSING, 1); // March is not over: b owes nothing yet, a has begun to report
    close_rig(r);
}

static void what_is_owed_counts_until_its_end_and_while_one_belongs(void **state)
{
    (void)state;
    // "Now" is 1 March.
    struct totals_rig *r = open_rig(
        "residents:\n"
        "  - {code: a, names: {en: A}, about: {en: a}, simulated: false, source: r}\n"
        "  - {code: b, names: {en: B}, about: {en: b}, simulated: false, source: r, joined: 2026-01-15}\n"
        "obligations:\n  - {kpi: inv, residents: [b], period: month, due: {days: 10}, from: 2025-12, source: "
        "s}\n"
        "  - {kpi: out_value, residents: [b], period: month, due: {days: 10}, from: 2025-12, until: 2025-12, "
        "source: s}\n"
        "  - {kpi: jobs_total, residents: [a], period: month, due: {days: 10}, from: 2025-12, until: "
        "2026-01, "
        "source: s}\n");
    totals_rig_report(r, "a/inv", "KZT", "2025-12", 5);
    totals_rig_report(r, "b/jobs_total", "", "2026-02", 5);
    totals_rig_report(r, "a/out_value", "KZT", "2025-12", 5);
    struct asked *a = ask(r, "all/inv", SPAN_MONTH, "2025-12", "2026-03", 0, NULL);
    expect(&a->at[0], 5, 1, 0);
    expect_none(&a->at[1], TOTAL_MISSING, 1); // a: b belonged to a part of January only
    expect_none(&a->at[2], TOTAL_MISSING, 2);
    expect_none(&a->at[3], TOTAL_MISSING, 1); // a, that began
    expect_none(&ask(r, "all/inv", SPAN_YEAR, "2026", "2026", 0, NULL)->at[0], TOTAL_MISSING, 2);
    // What ended within the span was owed in it.
    expect(&ask(r, "all/jobs_total", SPAN_YEAR, "2026", "2026", 0, NULL)->at[0], 5, 1, 1);
    expect(&ask(r, "all/jobs_total", SPAN_MONTH, "2026-02", "2026-02", 0, NULL)->at[0], 5, 1, 0);
    expect(&ask(r, "all/out_value", SPAN_YEAR, "2025", "2025", 0, NULL)->at[0], 5, 1, 0);
    close_rig(r);
}

static const struct zone *zone_of(void *ctx, const char *park)
{
    const struct totals_rig *r = ctx;
    assert_string_equal(park, "works");
    return r->zone;
}

static void settle(struct totals_rig *r)
{
    const struct day_zones zones = {.of = zone_of, .ctx = r};
    int64_t later_s = clock_wall(&r->store.clock.clock).us / US_PER_S + 5 * 86400;
    size_t days = 1;
    for (int i = 0; i < 20 && days > 0; i++)
        assert_int_equal(
            day_totals_settle(r->writer, r->view, r->reader, &zones, later_s, 100, &days, &r->store.diag),
            ERR_OK);
    assert_int_equal(days, 0);
}

static void a_measurement_begins_with_its_own_first_figure(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(RESIDENTS);
    int64_t midnight = zone_midnight(r->zone, civil_to_days((struct civil){2026, 2, 27}));
    totals_rig_measure(r, "a/energy_kwh", midnight, 10); // the last hour of the 26th
    totals_rig_measure(r, "a/pbt_s", midnight + 24 * 3600 + 3600, 10);
    for (int settled = 0; settled < 2; settled++) {
        struct asked *a = ask(r, "all/energy_kwh", SPAN_DAY, "2026-02-25", "2026-02-27", 0, NULL);
        expect_none(&a->at[0], TOTAL_NOBODY, 0);
        expect(&a->at[1], 10, 1, 0);
        expect_none(&a->at[2], TOTAL_MISSING, 1);
        a = ask(r, "all/pbt_s", SPAN_DAY, "2026-02-26", "2026-02-28", 0, NULL);
        expect_none(&a->at[0], TOTAL_NOBODY, 0); // the same agent's other series spoke already
        expect_none(&a->at[1], TOTAL_NOBODY, 0);
        expect(&a->at[2], 10, 1, 0);
        settle(r); // the same from days' totals
    }
    close_rig(r);
}

struct found {
    char names[40][SERIES_NAME_MAX + 1];
    enum period_kind period[40];
    size_t count;
};

static enum err keep(void *ctx, const struct total_series *s)
{
    struct found *f = ctx;
    assert_true(f->count < 40);
    f->period[f->count] = s->period;
    series_text(&s->name, f->names[f->count++]);
    return ERR_OK;
}

static bool has(const struct found *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->names[i], name) == 0)
            return true;
    return false;
}

static void the_list_has_what_can_be_made_and_nothing_else(void **state)
{
    (void)state;
    struct totals_rig *r = open_rig(RESIDENTS);
    struct found f = {0};
    totals_rig_report(r, "a/jobs_total", "", "2026-01", 1);
    totals_rig_report(r, "a/out_value", "KZT", "2026-01-01", 1);
    totals_rig_report(r, "b/out_units/pumps", "", "2026-01", 1);
    totals_rig_report(r, "b/wage_avg", "KZT", "2026-01", 1);
    totals_rig_report(r, "b/mkt_share", "", "2026-01", 1);
    struct totals_place place = totals_rig_place(r);
    assert_int_equal(totals_list(&place, "", keep, &f, &r->store.diag), ERR_OK);
    static const char *const wanted[] = {"works/all/jobs_total",      "works/all/out_value",
                                         "works/all/out_units/pumps", "works/all/wage_avg",
                                         "works/all/productivity",    "works/a/productivity"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!has(&f, wanted[i]))
            fail_msg("%s is not listed", wanted[i]);
    assert_int_equal(f.count, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < f.count; i++) {
        struct series_name name = {0};
        struct total_series s;
        assert_int_equal(series_parse(f.names[i], &name), ERR_OK);
        assert_int_equal(totals_find(&place, &name, &s, &r->store.diag), ERR_OK);
        assert_int_equal(s.period, f.period[i]);
        assert_int_equal(s.period, strstr(f.names[i], "out_value") ? PERIOD_DAY : PERIOD_MONTH);
    }
    struct series_name none = {"works", "all", "oee", ""}, reported = {"works", "b", "mkt_share", ""};
    struct total_series s;
    assert_int_equal(totals_find(&place, &none, &s, &r->store.diag), ERR_NOT_FOUND);
    assert_int_equal(totals_find(&place, &reported, &s, &r->store.diag), ERR_NOT_FOUND);
    close_rig(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_total_has_its_contributors_and_its_missing),
        cmocka_unit_test(days_months_quarters_and_years_agree_to_the_last_digit),
        cmocka_unit_test(ratios_are_made_anew_at_each_level),
        cmocka_unit_test(what_was_known_then_is_answered_as_of_then),
        cmocka_unit_test(a_whole_swallows_its_parts_only_from_its_first_figure_on),
        cmocka_unit_test(unlike_currencies_are_added_only_converted),
        cmocka_unit_test(an_amount_of_another_currency_within_a_series_is_converted_too),
        cmocka_unit_test(what_no_figure_holds_in_the_other_currency_lacks_no_rate),
        cmocka_unit_test(machines_figures_are_added_by_the_parks_own_days),
        cmocka_unit_test(a_yearly_rate_is_of_what_is_known),
        cmocka_unit_test(a_yearly_rate_stands_still_between_two_steps),
        cmocka_unit_test(a_yearly_rate_of_a_part_of_the_year_is_scaled_to_all_of_it),
        cmocka_unit_test(plans_are_shared_out_over_spans_only_where_they_say_how),
        cmocka_unit_test(who_joined_or_left_counts_while_it_belonged),
        cmocka_unit_test(a_level_counts_by_the_last_day_of_its_period),
        cmocka_unit_test(a_level_of_a_period_that_is_not_over_counts_too),
        cmocka_unit_test(a_residents_own_figures_are_its_own),
        cmocka_unit_test(who_owes_it_and_never_reported_is_missing),
        cmocka_unit_test(what_is_owed_counts_until_its_end_and_while_one_belongs),
        cmocka_unit_test(a_measurement_begins_with_its_own_first_figure),
        cmocka_unit_test(the_list_has_what_can_be_made_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
