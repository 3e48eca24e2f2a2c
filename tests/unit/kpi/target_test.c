#include "kpi/target.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct figure of(double real)
{
    struct figure f = figure_missing();

    assert_int_equal(figure_from_real(real, &f), ERR_OK);
    return f;
}

static struct statement target(const char *value)
{
    struct statement s = {.kind = STATEMENT_TARGET, .currency = "", .scope = "", .part_of = ""};

    assert_int_equal(statement_parse_value(value, 0, &s), ERR_OK);
    return s;
}

static void comparators_have_texts_that_parse(void **state)
{
    (void)state;
    static const char *const texts[] = {"=", ">=", ">", "<=", "<", "range"};
    static const char *const bad[] = {"", "==", "=>", "≥", "about", ">= ", "RANGE"};
    enum comparator c = COMPARE_EQ;

    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(comparator_parse(texts[i], &c), ERR_OK);
        assert_int_equal(c, i);
        assert_string_equal(comparator_text(c), texts[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(comparator_parse(bad[i], &c), ERR_INVALID);
    assert_string_equal(comparator_text((enum comparator)99), "");
    assert_string_equal(statement_kind_name(STATEMENT_CAPACITY), "capacity");
    assert_string_equal(statement_kind_name((enum statement_kind)99), "");
}

static void values_parse_with_their_doubt_and_print_back(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool about;
        enum comparator comparator;
        double value, high;
        const char *back; // NULL: the same
    } table[] = {
        {"9", false, COMPARE_EQ, 9, 0, NULL},
        {"= 9", false, COMPARE_EQ, 9, 0, "9"},
        {">= 2000", false, COMPARE_GE, 2000, 0, NULL},
        {"> 1000", false, COMPARE_GT, 1000, 0, NULL},
        {"<= 5", false, COMPARE_LE, 5, 0, NULL},
        {"< 5", false, COMPARE_LT, 5, 0, NULL},
        {"about 80000", true, COMPARE_EQ, 80000, 0, NULL},
        {"about >= 10", true, COMPARE_GE, 10, 0, NULL},
        {"2.5", false, COMPARE_EQ, 2.5, 0, NULL},
        {"-4", false, COMPARE_EQ, -4, 0, NULL},
        {"0", false, COMPARE_EQ, 0, 0, NULL},
        {"3 .. 5", false, COMPARE_RANGE, 3, 5, NULL},
        {"about -1 .. 1", true, COMPARE_RANGE, -1, 1, NULL},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct statement s = target(table[i].text);
        char text[STATEMENT_VALUE_TEXT];
        assert_int_equal(s.about, table[i].about);
        assert_int_equal(s.comparator, table[i].comparator);
        assert_true(figure_equal(s.value, of(table[i].value)));
        if (table[i].comparator == COMPARE_RANGE)
            assert_true(figure_equal(s.value_high, of(table[i].high)));
        else
            assert_int_equal(s.value_high.kind, FIGURE_MISSING);
        statement_value_text(&s, text);
        assert_string_equal(text, table[i].back != NULL ? table[i].back : table[i].text);
    }
}

static void a_value_that_is_unknown_is_missing_and_not_zero(void **state)
{
    (void)state;
    struct statement s = target("unknown");
    char text[STATEMENT_VALUE_TEXT];

    assert_int_equal(s.value.kind, FIGURE_MISSING);
    assert_false(s.about);
    statement_value_text(&s, text);
    assert_string_equal(text, "unknown");
}

static void values_that_do_not_parse_leave_the_statement_alone(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        " ",
        "about",
        "about ",
        "about unknown",
        "> unknown",
        ">=2000",
        ">=  2000",
        " 2000",
        "2000 ",
        ">",
        "> ",
        "=> 5",
        "≥ 5",
        "~5",
        "5-6",
        "5..6",
        "5 .. ",
        " .. 6",
        "6 .. 5",
        "5 .. 5",
        "> 5 .. 6",
        "5 .. > 6",
        "1 .. 2 .. 3",
        "about about 5",
        "5 about",
        "x2",
        "×2",
        "2,5",
        "1 000",
        "null",
        "nan",
        "inf",
        "Unknown",
        "> > 5",
        "1000000000000000000000000000000000000000000 .. 2",
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct statement s = target("about 7");
        if (statement_parse_value(table[i], 0, &s) != ERR_INVALID || !s.about || s.value.integer != 7)
            fail_msg("\"%s\" was taken", table[i]);
    }
}

static void money_values_are_minor_units_and_print_as_major_ones(void **state)
{
    (void)state;
    struct statement s = {.currency = "KZT"};
    char text[STATEMENT_VALUE_TEXT];

    assert_int_equal(statement_parse_value("> 37000000", 2, &s), ERR_OK);
    assert_true(figure_equal(s.value, of(3700000000.0)));
    statement_value_text(&s, text);
    assert_string_equal(text, "> 37000000.00");
    assert_int_equal(statement_parse_value("about 1.25 .. 2", 2, &s), ERR_OK);
    statement_value_text(&s, text);
    assert_string_equal(text, "about 1.25 .. 2.00");
    assert_int_equal(statement_parse_value("1.255", 2, &s), ERR_INVALID);
}

static void attainment_per_comparator(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        double actual;
        double per_cent; // negative: missing
        bool reached;
    } table[] = {
        {">= 2000", 1999, 99.95, false},
        {">= 2000", 2000, 100, true},
        {">= 2000", 2500, 125, true},
        {"> 2000", 2000, 100, false},
        {"> 2000", 2001, 100.05, true},
        {"9", 8, 800.0 / 9, false},
        {"9", 9, 100, true},
        {"9", 10, 1000.0 / 9, true},  // a plan that is overfulfilled is fulfilled
        {"about 100", 99, 99, false}, // about does not loosen it
        {"about 100", 100, 100, true},
        {"100", 7, 7, false},
        {"100", 0, 0, false},
        {"<= 5", 4, -1, true},
        {"<= 5", 5, -1, true},
        {"<= 5", 6, -1, false},
        {"< 5", 5, -1, false},
        {"< 5", 4.5, -1, true},
        {"3 .. 5", 3, -1, true},
        {"3 .. 5", 5, -1, true},
        {"3 .. 5", 2.9, -1, false},
        {"3 .. 5", 5.1, -1, false},
        {"0", 1, -1, true}, // no per cent of nothing
        {"0", 0, -1, true},
        {">= 0", -1, -1, false},
        {"9007199254740992", 9007199254740991, 99.99999999999999, false}, // exact to the last integer
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct statement t = target(table[i].target);
        bool reached = !table[i].reached;
        struct figure f = target_attainment(&t, of(table[i].actual), &reached);
        if (reached != table[i].reached)
            fail_msg("%g against %s: reached is wrong", table[i].actual, table[i].target);
        if (table[i].per_cent < 0)
            assert_int_equal(f.kind, FIGURE_MISSING);
        else if (!figure_equal(f, of(table[i].per_cent)))
            fail_msg("%g against %s: %.17g", table[i].actual, table[i].target, figure_to_real(f));
    }
}

static void attainment_of_a_negative_value_is_no_per_cent(void **state)
{
    (void)state;
    struct statement t = target("-10");
    bool reached = false;

    assert_int_equal(target_attainment(&t, of(-5), &reached).kind, FIGURE_MISSING);
    assert_true(reached);
}

static void attainment_is_missing_when_anything_is(void **state)
{
    (void)state;
    struct statement t = target(">= 10");
    bool reached = true;

    assert_int_equal(target_attainment(&t, figure_missing(), &reached).kind, FIGURE_MISSING);
    assert_false(reached);
    t = target("unknown");
    reached = true;
    assert_int_equal(target_attainment(&t, of(10), &reached).kind, FIGURE_MISSING);
    assert_false(reached);
    assert_int_equal(target_attainment(&t, of(0), NULL).kind, FIGURE_MISSING);
}

static void attainment_of_a_figure_credited_to_others_is_missing(void **state)
{
    (void)state;
    struct statement t = target("100");
    bool reached = true;

    t.scope = "the whole exchange";
    assert_int_equal(target_attainment(&t, of(100), &reached).kind, FIGURE_MISSING);
    assert_false(reached);
}

static void attainment_of_an_index_without_its_base_is_missing(void **state)
{
    (void)state;
    struct statement t = target("200");
    bool reached = true;

    t.base = of(100);
    assert_int_equal(target_attainment(&t, of(250), &reached).kind, FIGURE_MISSING);
    assert_false(reached);
}

static void a_fact_stated_as_a_plain_number_holds_only_exactly(void **state)
{
    (void)state;
    struct statement t = target("6");
    bool reached = false;

    t.kind = STATEMENT_FACT;
    assert_true(figure_equal(target_attainment(&t, of(6), &reached), of(100)));
    assert_true(reached);
    (void)target_attainment(&t, of(7), &reached);
    assert_false(reached);
}

static void attainment_of_huge_reals_stays_finite(void **state)
{
    (void)state;
    struct statement t = target("1e300");

    assert_true(figure_equal(target_attainment(&t, of(1.7e308), NULL), of(1.7e308 / 1e300 * 100)));
    t = target("1e-300");
    assert_int_equal(target_attainment(&t, of(1e308), NULL).kind, FIGURE_MISSING);
}

static void only_the_parks_own_whole_figures_count(void **state)
{
    (void)state;
    struct statement s = target("9");

    assert_true(statement_counts(&s));
    s.scope = "the nation's manufacturing";
    assert_false(statement_counts(&s));
    s.scope = "";
    s.part_of = "raised-2018";
    assert_false(statement_counts(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparators_have_texts_that_parse),
        cmocka_unit_test(values_parse_with_their_doubt_and_print_back),
        cmocka_unit_test(a_value_that_is_unknown_is_missing_and_not_zero),
        cmocka_unit_test(values_that_do_not_parse_leave_the_statement_alone),
        cmocka_unit_test(money_values_are_minor_units_and_print_as_major_ones),
        cmocka_unit_test(attainment_per_comparator),
        cmocka_unit_test(attainment_of_a_negative_value_is_no_per_cent),
        cmocka_unit_test(attainment_is_missing_when_anything_is),
        cmocka_unit_test(attainment_of_a_figure_credited_to_others_is_missing),
        cmocka_unit_test(attainment_of_an_index_without_its_base_is_missing),
        cmocka_unit_test(a_fact_stated_as_a_plain_number_holds_only_exactly),
        cmocka_unit_test(attainment_of_huge_reals_stays_finite),
        cmocka_unit_test(only_the_parks_own_whole_figures_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
