#include "kpi/formula.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct formula *parse(const char *text)
{
    struct formula *f = NULL;
    struct diag d = {""};
    size_t at;
    if (formula_parse(text, &f, &at, &d) != ERR_OK)
        fail_msg("%s: at %zu: %s", text, at, d.text);
    return f;
}

// Parts by their order in the text.
static struct formula_result evaluate(const char *text, const struct fraction *parts)
{
    struct formula *f = parse(text);
    struct formula_result r = formula_evaluate(f, parts);
    r.part = NULL;
    formula_free(f);
    return r;
}

static void formula_obeys_precedence_and_order(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"1 + 2 * 3", 7},    {"(1 + 2) * 3", 9}, {"10 - 4 - 3", 3},
        {"100 / 10 / 5", 2}, {"2*(3+4)*5", 70},  {"1.5 + 0.25", 1.75},
        {"((((7))))", 7},    {"7", 7},           {"1 - 2 / 4", 0.5},
        {"1/3", 1.0 / 3},    {"2 / 3 * 3", 2},   {" 1+1 ", 2},
        {"0.1 + 0.2", 0.3},  {"1 - (2 - 3)", 2}, {"999999999999999", 1e15 - 1},
        {"1 - 2", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct formula_result r = evaluate(cases[i].text, NULL);
        if (r.why != FORMULA_KNOWN || figure_to_real(fraction_figure(r.value)) != cases[i].value)
            fail_msg("%s is not %.17g", cases[i].text, cases[i].value);
    }
}

static void formula_names_where_it_stops_making_sense(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
        const char *says;
    } cases[] = {
        {"", 0, "belongs here"},
        {"  ", 2, "belongs here"},
        {"1 +", 3, "belongs here"},
        {"1 + * 2", 4, "belongs here"},
        {"-1", 0, "belongs here"},
        {"a b", 2, "+ - * /"},
        {"a ; b", 2, "+ - * /"},
        {"a-b.c", 3, "+ - * /"},
        {"(a", 0, "never closed"},
        {"((a)", 0, "never closed"},
        {"a)", 1, "closes no bracket"},
        {"()", 1, "belongs here"},
        {"1.", 0, "a number is digits"},
        {".5", 0, "belongs here"},
        {"1.2.3", 3, "+ - * /"},
        {"1234567890123456", 0, "at most 15"},
        {"sum(a)", 0, "no function"},
        {"1 + system(a)", 4, "no function"},
        {"annualised(a + b)", 13, "one KPI's code"},
        {"annualised()", 11, "KPI's code belongs"},
        {"target(a", 8, "\")\" belongs"},
        {"A", 0, "belongs here"},
        {"a + \xd0\xb0", 4, "belongs here"},
        {"a_very_long_name_a_very_long_name_a_very_long_name_a_very_long_na", 0, "too long"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct formula *f = NULL;
        struct diag d = {""};
        size_t at = 999;
        enum err e = formula_parse(cases[i].text, &f, &at, &d);
        if (e != ERR_INVALID || at != cases[i].at || !strstr(d.text, cases[i].says) || f)
            fail_msg("\"%s\": %s at %zu: %s", cases[i].text, err_name(e), at, d.text);
    }
}

static void formula_has_bounds(void **state)
{
    (void)state;
    char deep[200] = "", wide[FORMULA_TEXT_MAX + 10] = "1", longest[FORMULA_TEXT_MAX + 2];
    struct formula *f = NULL;
    struct diag d = {""};
    size_t at;
    memset(deep, '(', FORMULA_DEEP_MAX + 1);
    assert_int_equal(formula_parse(deep, &f, &at, &d), ERR_INVALID);
    assert_int_equal(at, FORMULA_DEEP_MAX);
    for (int i = 0; i < FORMULA_OPS_MAX / 2; i++)
        strncat(wide, "+1", 3);
    assert_int_equal(formula_parse(wide, &f, &at, &d), ERR_INVALID);
    assert_non_null(strstr(d.text, "too long"));
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(formula_parse(longest, &f, &at, &d), ERR_INVALID);
}

static void formula_lists_each_part_once_with_its_place(void **state)
{
    (void)state;
    struct formula *f = parse("100 * annualised( out ) / (cap + out) - target(out) * out");
    assert_int_equal(formula_part_count(f), 4);
    assert_string_equal(formula_part_at(f, 0)->kpi, "out");
    assert_int_equal(formula_part_at(f, 0)->call, FORMULA_ANNUALISED);
    assert_int_equal(formula_part_at(f, 0)->at, 18);
    assert_string_equal(formula_part_at(f, 1)->kpi, "cap");
    assert_int_equal(formula_part_at(f, 2)->call, FORMULA_KPI);
    assert_int_equal(formula_part_at(f, 3)->call, FORMULA_TARGET);
    assert_null(formula_part_at(f, 4));
    formula_free(f);
}

static void a_missing_part_makes_it_missing_and_is_named(void **state)
{
    (void)state;
    struct formula *f = parse("100 * out / cap");
    const struct fraction parts[] = {fraction_whole(5), fraction_missing()};
    struct formula_result r = formula_evaluate(f, parts);
    assert_int_equal(r.why, FORMULA_MISSING);
    assert_string_equal(r.part->kpi, "cap");
    assert_int_equal(fraction_figure(r.value).kind, FIGURE_MISSING);
    formula_free(f);
}

static void division_by_zero_is_missing_not_infinite_and_not_zero(void **state)
{
    (void)state;
    const struct fraction zero[] = {fraction_whole(5), fraction_whole(0)};
    const struct fraction real_zero[] = {fraction_real(0.5), fraction_real(0)};
    const struct fraction none[] = {fraction_whole(0), fraction_whole(0)};
    struct formula_result a = evaluate("a / b", zero), b = evaluate("a / b", real_zero),
                          c = evaluate("a / b", none), e = evaluate("1 + a / (b - b)", zero);
    assert_int_equal(a.why, FORMULA_ZERO);
    assert_int_equal(b.why, FORMULA_ZERO);
    assert_int_equal(c.why, FORMULA_ZERO);
    assert_int_equal(e.why, FORMULA_ZERO);
    assert_false(a.value.known || b.value.known || c.value.known || e.value.known);
}

static void whole_parts_are_divided_once_at_the_end(void **state)
{
    (void)state;
    // In doubles (9007199254740993 - 9007199254740992) is 0 and 1/49*49 is not 1.
    const struct fraction big[] = {fraction_whole(INT64_C(9007199254740993)),
                                   fraction_whole(INT64_C(9007199254740992))};
    struct formula_result r = evaluate("a - b", big);
    assert_int_equal(fraction_figure(r.value).integer, 1);
    r = evaluate("1 / 49 * 49", NULL);
    assert_true(fraction_figure(r.value).kind == FIGURE_INTEGER && fraction_figure(r.value).integer == 1);
    // A year's money of a big park (10^18) times seconds (10^10): its own product is far past 64 bits.
    const struct fraction wide[] = {fraction_whole((int128)1000000000000000003 * 9999999967),
                                    fraction_whole((int128)1000000000000000003 * 9999999967 * 3)};
    r = evaluate("100 * a / b", wide);
    assert_true(r.value.exact);
    assert_true(figure_to_real(fraction_figure(r.value)) == 100.0 / 3);
}

static void what_128_bits_do_not_hold_goes_on_as_a_double(void **state)
{
    (void)state;
    int128 huge = (int128)1 << 126;
    const struct fraction parts[] = {fraction_whole(huge), fraction_whole(huge - 1)};
    struct formula_result r = evaluate("a * b / b", parts);
    assert_int_equal(r.why, FORMULA_KNOWN);
    assert_false(r.value.exact);
    assert_true(fabs(r.value.real / ldexp(1, 126) - 1) < 1e-15);
    const struct fraction real[] = {fraction_real(1e300), fraction_real(1e300)};
    r = evaluate("a * b", real);
    assert_int_equal(r.why, FORMULA_RANGE);
    assert_false(r.value.known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formula_obeys_precedence_and_order),
        cmocka_unit_test(formula_names_where_it_stops_making_sense),
        cmocka_unit_test(formula_has_bounds),
        cmocka_unit_test(formula_lists_each_part_once_with_its_place),
        cmocka_unit_test(a_missing_part_makes_it_missing_and_is_named),
        cmocka_unit_test(division_by_zero_is_missing_not_infinite_and_not_zero),
        cmocka_unit_test(whole_parts_are_divided_once_at_the_end),
        cmocka_unit_test(what_128_bits_do_not_hold_goes_on_as_a_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
