// The trap list of totals, one test each, over the catalogue that is delivered.
#include "kpi/total.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LINES 40

struct table { // what residents say of one span
    struct catalogue *catalogue;
    struct total_line lines[LINES];
    struct total_cell cells[LINES];
    struct total_source source;
    struct statement statements[4];
    struct park park;
    struct fraction plan;
};

static struct fraction planned(void *ctx, const struct kpi *k, const char *resident, const char *dimension)
{
    const struct table *t = ctx;
    (void)k, (void)resident, (void)dimension;
    return t->plan;
}

static int setup(void **state)
{
    static struct table t;
    struct diag d = {""};
    memset(&t, 0, sizeof t);
    if (catalogue_load("deploy/catalogue.yaml", &t.catalogue, &d) != ERR_OK)
        fail_msg("%s", d.text);
    t.park.statements = t.statements;
    t.source = (struct total_source){.catalogue = t.catalogue,
                                     .park = &t.park,
                                     .lines = t.lines,
                                     .cells = t.cells,
                                     .planned = planned,
                                     .ctx = &t};
    *state = &t;
    return 0;
}

static int teardown(void **state)
{
    struct table *t = *state;
    catalogue_free(t->catalogue);
    return 0;
}

static const struct kpi *kpi(const struct table *t, const char *code)
{
    const struct kpi *k = catalogue_find(t->catalogue, code);
    if (!k)
        fail_msg("%s is not in the catalogue", code);
    return k;
}

static struct total_cell *say(struct table *t, const char *resident, const char *code, const char *dimension,
                              struct figure f)
{
    size_t i = t->source.count++;
    assert_true(i < LINES);
    t->lines[i] = (struct total_line){resident, dimension, kpi(t, code), "", false};
    t->cells[i] = (struct total_cell){.owed = true,
                                      .why = f.kind == FIGURE_MISSING ? TOTAL_MISSING : TOTAL_KNOWN,
                                      .a_year = fraction_whole(12)};
    tally_add(&t->cells[i].tally, f);
    return &t->cells[i];
}

static struct total_cell *say_whole(struct table *t, const char *resident, const char *code,
                                    const char *dimension, int64_t value)
{
    struct figure f;
    assert_int_equal(figure_from_integer(value, &f), ERR_OK);
    return say(t, resident, code, dimension, f);
}

static struct kpi_total ask(struct table *t, const char *code, const char *resident, const char *dimension)
{
    struct kpi_total out;
    total_of(&t->source, kpi(t, code), resident, dimension, &out);
    return out;
}

static void expect(struct kpi_total got, double value, unsigned contributors, unsigned missing)
{
    if (got.why != TOTAL_KNOWN || figure_to_real(got.value) != value || got.contributors != contributors ||
        got.missing != missing)
        fail_msg("%.17g of %u, %u missing (%s), not %.17g of %u, %u missing", figure_to_real(got.value),
                 got.contributors, got.missing, total_why_word(got.why), value, contributors, missing);
}

static void expect_none(struct kpi_total got, enum total_why why)
{
    if (got.why != why || got.value.kind != FIGURE_MISSING)
        fail_msg("%s, not %s", total_why_word(got.why), total_why_word(why));
}

// ---- the trap list

static void unlike_pieces_are_never_summed(void **state)
{
    struct table *t = *state;
    say_whole(t, "a", "out_units", "pumps", 100);
    say_whole(t, "a", "out_units", "lifts", 3);
    say_whole(t, "b", "out_units", "pumps", 40);
    say_whole(t, "c", "out_units", "", 7);
    expect_none(ask(t, "out_units", "", ""), TOTAL_UNLIKE);
    expect(ask(t, "out_units", "", "pumps"), 140, 2, 0); // of one product they are
    expect(ask(t, "out_units", "", "lifts"), 3, 1, 0);
    expect_none(ask(t, "out_units", "", "moulds"), TOTAL_NOBODY);
    say_whole(t, "a", "prj_stage_done", "3", 80);
    say_whole(t, "b", "prj_stage_done", "3", 90);
    expect_none(ask(t, "prj_stage_done", "", "3"), TOTAL_NO_TOTAL); // 170 % is nobody's
    // Nor by way of a ratio.
    say_whole(t, "d", "good_units", "pumps", 30);
    say_whole(t, "d", "out_units", "pumps", 40);
    say_whole(t, "e", "good_units", "lifts", 2);
    say_whole(t, "e", "out_units", "lifts", 4);
    expect_none(ask(t, "oee_qual", "", ""), TOTAL_UNLIKE);
    expect(ask(t, "oee_qual", "", "pumps"), 75, 1, 2);
}

static void ratios_are_rebuilt_from_their_parts_never_averaged(void **state)
{
    struct table *t = *state;
    say_whole(t, "a", "out_value", "", 90000);
    say_whole(t, "a", "jobs_total", "", 10); // 9,000 a head
    say_whole(t, "b", "out_value", "", 10000);
    say_whole(t, "b", "jobs_total", "", 90); // 111.11 a head
    expect(ask(t, "productivity", "", ""), 1000, 2, 0);
    expect(ask(t, "productivity", "b", ""), 111, 1, 0); // minor units, half to even
    say_whole(t, "a", "apt_s", "", 50);
    say_whole(t, "a", "pbt_s", "", 100);
    say_whole(t, "b", "apt_s", "", 300);
    say_whole(t, "b", "pbt_s", "", 300);
    expect(ask(t, "oee_avail", "", ""), 87.5, 2, 0); // not (50 + 100) / 2
}

static void a_ratio_is_made_of_residents_with_all_its_parts(void **state)
{
    struct table *t = *state;
    say_whole(t, "a", "out_value", "", 1000);
    say_whole(t, "a", "jobs_total", "", 10);
    say_whole(t, "b", "out_value", "", 1000000); // its staff is not known: its output must not count either
    say(t, "b", "jobs_total", "", figure_missing());
    say_whole(t, "c", "jobs_total", "", 500);
    expect(ask(t, "productivity", "", ""), 100, 1, 2);
}

static void unknown_capacity_is_never_zero(void **state)
{
    struct table *t = *state;
    t->park.statement_count = 2;
    t->statements[0] = (struct statement){.kind = STATEMENT_CAPACITY,
                                          .kpi = "cap_nominal",
                                          .resident = "a",
                                          .dimension = "gas-meters",
                                          .value = figure_missing(),
                                          .per = "",
                                          .scope = "",
                                          .part_of = ""};
    t->statements[1] = t->statements[0];
    t->statements[1].resident = "b";
    t->statements[1].dimension = "pumps";
    t->statements[1].per = "year";
    assert_int_equal(figure_from_integer(2400, &t->statements[1].value), ERR_OK);
    say_whole(t, "a", "out_units", "gas-meters", 100);
    say_whole(t, "b", "out_units", "pumps", 100);
    say_whole(t, "c", "out_units", "lifts", 100);
    say_whole(t, "c", "cap_nominal", "lifts", 4800);
    struct kpi_total unknown = ask(t, "cap_util", "a", "gas-meters");
    expect_none(unknown, TOTAL_CAPACITY);
    assert_string_equal(unknown.part->code, "cap_nominal");
    expect_none(ask(t, "cap_util", "", "gas-meters"), TOTAL_CAPACITY);
    expect(ask(t, "cap_util", "b", "pumps"), 50, 1, 0); // the published one; a month's output times 12
    expect(ask(t, "cap_util", "", "lifts"), 25, 1, 0);
    // Who makes the same without a known capacity bends nothing, and is missing.
    say_whole(t, "d", "out_units", "lifts", 1000000);
    expect(ask(t, "cap_util", "", "lifts"), 25, 1, 1);
    // A capacity that is reported as none at all: nothing to divide by.
    say_whole(t, "e", "out_units", "moulds", 5);
    say_whole(t, "e", "cap_nominal", "moulds", 0);
    expect_none(ask(t, "cap_util", "", "moulds"), TOTAL_ZERO);
}

static void a_plan_for_no_stated_time_gives_no_per_cent_of_a_span(void **state)
{
    struct table *t = *state;
    // No per cent, which would read as late (that it is never late: dashboards/outlook_test.c).
    say_whole(t, "a", "inv", "", 500);
    t->plan = fraction_missing();
    struct kpi_total none = ask(t, "inv_plan_pct", "", "");
    expect_none(none, TOTAL_TARGET);
    assert_string_equal(none.part->code, "inv");
    t->plan = fraction_whole(2000);
    expect(ask(t, "inv_plan_pct", "", ""), 25, 1, 0);
}

static void missing_is_never_zero(void **state)
{
    struct table *t = *state;
    say_whole(t, "a", "jobs_total", "", 57);
    say(t, "b", "jobs_total", "", figure_missing());
    say_whole(t, "c", "jobs_total", "", 0); // nobody works there: that is known
    expect(ask(t, "jobs_total", "", ""), 57, 2, 1);
    say(t, "a", "vacancies", "", figure_missing());
    expect_none(ask(t, "vacancies", "", ""), TOTAL_MISSING);
    expect_none(ask(t, "trainees", "", ""), TOTAL_NOBODY);
    // Not even a weight of nothing.
    struct figure half;
    assert_int_equal(figure_from_real(61.5, &half), ERR_OK);
    say(t, "c", "occupancy", "", half);
    say_whole(t, "c", "area", "", 0);
    expect_none(ask(t, "occupancy", "", ""), TOTAL_ZERO);
}

// ---- the rest of the rules

static void weighted_means_are_weighted_by_their_weights_kpi(void **state)
{
    struct table *t = *state;
    say_whole(t, "a", "wage_avg", "", 30000000);
    say_whole(t, "a", "jobs_total", "", 640);
    say_whole(t, "b", "wage_avg", "", 25500001);
    say_whole(t, "b", "jobs_total", "", 80);
    say_whole(t, "c", "wage_avg", "", 90000000);        // how many earn that is not known
    expect(ask(t, "wage_avg", "", ""), 29500000, 2, 1); // 29500000.11… minor units
    say_whole(t, "a", "occupancy", "", 100);
    say_whole(t, "a", "area", "", 100);
    say_whole(t, "b", "occupancy", "", 40);
    say_whole(t, "b", "area", "", 300);
    expect(ask(t, "occupancy", "", ""), 55, 2, 0); // not 70
}

static void a_resident_that_reports_a_whole_and_its_parts_counts_once(void **state)
{
    struct table *t = *state;
    say_whole(t, "a", "export_value", "", 100);
    say_whole(t, "a", "export_value", "kg", 60);
    say_whole(t, "a", "export_value", "uz", 40);
    say_whole(t, "b", "export_value", "kg", 5);
    say_whole(t, "b", "export_value", "ru", 7);
    say(t, "b", "export_value", "uz", figure_missing());
    struct kpi_total got = ask(t, "export_value", "", "");
    expect(got, 112, 2, 0);
    assert_int_equal(got.partial, 1); // b's uz is missing
    expect(ask(t, "export_value", "", "kg"), 65, 2, 0);
}

static void stages_are_counted_not_added(void **state)
{
    struct table *t = *state;
    say_whole(t, "a", "prj_stage", "", 7);
    say_whole(t, "b", "prj_stage", "", 0);
    say_whole(t, "c", "prj_stage", "", 7);
    say(t, "d", "prj_stage", "", figure_missing());
    struct kpi_total got = ask(t, "prj_stage", "", "");
    expect_none(got, TOTAL_BINS);
    assert_int_equal(got.bins[7], 2);
    assert_int_equal(got.bins[0], 1);
    assert_int_equal(got.contributors, 3);
    assert_int_equal(got.missing, 1);
}

static void an_outside_figure_is_taken_from_the_one_that_brings_it(void **state)
{
    struct table *t = *state;
    say_whole(t, "a", "out_value", "", 20);
    say_whole(t, "b", "out_value", "", 30);
    say_whole(t, "rosstat", "nat_out_value", "", 200);
    expect(ask(t, "mkt_share", "", ""), 25, 2, 0);
    expect_none(ask(t, "nat_out_value", "", ""), TOTAL_NO_TOTAL);
    expect_none(ask(t, "mkt_share", "a", ""), TOTAL_MISSING); // it does not know the country's
    say_whole(t, "stat", "nat_out_value", "", 210);
    expect_none(ask(t, "mkt_share", "", ""), TOTAL_UNLIKE); // which of the two?
}

static void what_has_no_rate_is_no_sum_without_it(void **state)
{
    struct table *t = *state;
    say_whole(t, "a", "inv", "", 20);
    say(t, "b", "inv", "", figure_missing())->why = TOTAL_RATE;
    expect_none(ask(t, "inv", "", ""), TOTAL_RATE);
}

static void who_does_not_belong_is_neither_in_it_nor_missing(void **state)
{
    struct table *t = *state;
    say_whole(t, "a", "inv", "", 20);
    say_whole(t, "b", "inv", "", 30)->absent = true;
    expect(ask(t, "inv", "", ""), 20, 1, 0);
}

static void sums_of_whole_numbers_are_exact_past_64_bits(void **state)
{
    struct table *t = *state;
    for (int i = 0; i < 3; i++)
        say_whole(t, i == 0 ? "a" : i == 1 ? "b" : "c", "out_value", "", INT64_C(9000000000000000));
    say_whole(t, "a", "nat_out_value", "", INT64_C(9000000000000000));
    // 3 * 9e15 * 100 / 9e15: in 128 bits, whatever a double would make of it.
    expect(ask(t, "mkt_share", "", ""), 300, 3, 0);
    // No figure holds it; its digits are all there.
    say_whole(t, "d", "out_value", "", 1);
    struct kpi_total sum = ask(t, "out_value", "", "");
    char text[TALLY_TEXT];
    huge_text(&sum.huge, sum.value, 2, text);
    assert_string_equal(text, "270000000000000.01");
    assert_int_equal(sum.why, TOTAL_KNOWN);
    assert_false(ask(t, "mkt_share", "", "").huge.is);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(unlike_pieces_are_never_summed),
        TEST(ratios_are_rebuilt_from_their_parts_never_averaged),
        TEST(a_ratio_is_made_of_residents_with_all_its_parts),
        TEST(unknown_capacity_is_never_zero),
        TEST(a_plan_for_no_stated_time_gives_no_per_cent_of_a_span),
        TEST(missing_is_never_zero),
        TEST(weighted_means_are_weighted_by_their_weights_kpi),
        TEST(a_resident_that_reports_a_whole_and_its_parts_counts_once),
        TEST(stages_are_counted_not_added),
        TEST(an_outside_figure_is_taken_from_the_one_that_brings_it),
        TEST(what_has_no_rate_is_no_sum_without_it),
        TEST(who_does_not_belong_is_neither_in_it_nor_missing),
        TEST(sums_of_whole_numbers_are_exact_past_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
