#include "kpi/money.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void currencies_are_those_of_iso_4217(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int number;
    } table[] = {{"KZT", 398}, {"UZS", 860}, {"KGS", 417}, {"RUB", 643}, {"USD", 840}, {"EUR", 978}};

    for (size_t i = 0; i < COUNT(table); i++) {
        const struct currency *c = currency_find(table[i].code);
        assert_non_null(c);
        assert_string_equal(c->code, table[i].code);
        assert_int_equal(c->number, table[i].number);
        assert_int_equal(c->decimals, 2);
        assert_true(strlen(c->sign) > 0);
    }
}

static void other_currencies_are_not_found(void **state)
{
    (void)state;
    static const char *const table[] = {"",    "kzt", "KZ",  "KZTT", "KZT ", " KZT",
                                        "RUR", "XXX", "JPY", "₸",    "398"};

    for (size_t i = 0; i < COUNT(table); i++)
        assert_null(currency_find(table[i]));
}

static void money_parses_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t minor;
    } table[] = {
        {"0", 0},
        {"12.5", 1250},
        {"12.50", 1250},
        {"12.500", 1250},
        {"0.01", 1},
        {"-0.01", -1},
        {"+7", 700},
        {"0.1", 10},
        {"17000000000", INT64_C(1700000000000)},
        {"4.35", 435}, // 434.99999999999994 as a double
        {"1.15", 115},
        {"90000000000000", MONEY_MINOR_MAX},
        {"-90000000000000.00", -MONEY_MINOR_MAX},
        {"89999999999999.99", MONEY_MINOR_MAX - 1},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct figure f;
        assert_int_equal(money_parse(table[i].text, currency_find("KZT"), &f), ERR_OK);
        assert_int_equal(f.kind, FIGURE_INTEGER);
        assert_true(f.integer == table[i].minor);
    }
}

static void money_refuses_and_leaves_the_output_alone(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err e;
    } table[] = {
        {"", ERR_INVALID},
        {" ", ERR_INVALID},
        {"0.001", ERR_INVALID},
        {"12.345", ERR_INVALID},
        {"12,50", ERR_INVALID},
        {"1 000", ERR_INVALID},
        {" 1", ERR_INVALID},
        {"1 ", ERR_INVALID},
        {"1.2.3", ERR_INVALID},
        {"--1", ERR_INVALID},
        {"0x10", ERR_INVALID},
        {"nan", ERR_INVALID},
        {"inf", ERR_INVALID},
        {"unknown", ERR_INVALID},
        {"₸5", ERR_INVALID},
        {"5 KZT", ERR_INVALID},
        {"1'000", ERR_INVALID},
        {"90000000000000.01", ERR_TOO_BIG},
        {"-90000000000000.01", ERR_TOO_BIG},
        {"92233720368547758.08", ERR_TOO_BIG},
        {"95000000000000", ERR_TOO_BIG},
        {"1000000000000000000000000000000", ERR_TOO_BIG},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct figure f = figure_missing();
        enum err e = money_parse(table[i].text, currency_find("RUB"), &f);
        if (e != table[i].e || f.kind != FIGURE_MISSING)
            fail_msg("\"%s\": %s", table[i].text, err_name(e));
    }
}

static void money_text_is_exact_in_minor_units(void **state)
{
    (void)state;
    static const struct {
        int64_t minor;
        const char *text;
    } table[] = {{0, "0.00"},
                 {1, "0.01"},
                 {-1, "-0.01"},
                 {10, "0.10"},
                 {1250, "12.50"},
                 {-1250, "-12.50"},
                 {99, "0.99"},
                 {MONEY_MINOR_MAX, "90000000000000.00"},
                 {MONEY_MINOR_MAX - 1, "89999999999999.99"}};

    for (size_t i = 0; i < COUNT(table); i++) {
        struct figure f;
        struct figure back;
        char text[FIGURE_TEXT];
        assert_int_equal(figure_from_integer(table[i].minor, &f), ERR_OK);
        money_text(f, currency_find("UZS"), text);
        assert_string_equal(text, table[i].text);
        assert_int_equal(money_parse(text, currency_find("UZS"), &back), ERR_OK);
        assert_true(figure_equal(f, back));
    }
}

static void money_that_is_missing_is_no_text_and_never_zero(void **state)
{
    (void)state;
    char text[FIGURE_TEXT] = "x";

    money_text(figure_missing(), currency_find("KZT"), text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(currencies_are_those_of_iso_4217),
        cmocka_unit_test(other_currencies_are_not_found),
        cmocka_unit_test(money_parses_exactly),
        cmocka_unit_test(money_refuses_and_leaves_the_output_alone),
        cmocka_unit_test(money_text_is_exact_in_minor_units),
        cmocka_unit_test(money_that_is_missing_is_no_text_and_never_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
