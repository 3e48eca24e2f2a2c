#include "base/figure.h"
#include "base/fs.h"
#include "tests/support/folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct figure integer(int64_t value)
{
    struct figure f;
    assert_int_equal(figure_from_integer(value, &f), ERR_OK);
    return f;
}

static struct figure real(double value)
{
    struct figure f;
    assert_int_equal(figure_from_real(value, &f), ERR_OK);
    return f;
}

static uint64_t next_random(uint64_t *state) // SplitMix64
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void assert_round_trip(double value)
{
    struct figure f = real(value), back;
    char text[FIGURE_TEXT];
    figure_text(f, text);
    assert_int_equal(figure_parse(text, &back), ERR_OK);
    if (!figure_equal(f, back) || figure_to_real(back) != value)
        fail_msg("%a came back as %a from \"%s\"", value, figure_to_real(back), text);
}

static void figure_parse_reads_whole_numbers_as_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } table[] = {
        {"0", 0},
        {"-0", 0},
        {"+7", 7},
        {"007", 7},
        {"-12", -12},
        {"1e3", 1000},
        {"1E3", 1000},
        {"1.5e1", 15},
        {"12.00", 12},
        {"1200e-2", 12},
        {"0e999999999999", 0},
        {"0.000e-999999999999", 0},
        {"9007199254740992", FIGURE_INTEGER_MAX},
        {"-9007199254740992", -FIGURE_INTEGER_MAX},
        {"9007199254740991", FIGURE_INTEGER_MAX - 1},
        {"9007199254740992.0", FIGURE_INTEGER_MAX},
        {"00000000000000000000000000000000000000009007199254740992", FIGURE_INTEGER_MAX},
        {"9007199254740992000e-3", FIGURE_INTEGER_MAX},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct figure f;
        assert_int_equal(figure_parse(table[i].text, &f), ERR_OK);
        assert_int_equal(f.kind, FIGURE_INTEGER);
        assert_int_equal(f.integer, table[i].value);
    }
}

static void figure_parse_reads_fractions_to_the_nearest_double(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } table[] = {
        {"0.1", 0.1},
        {"-2.5", -2.5},
        {"123.456e-2", 1.23456},
        {"5e-324", 0x1p-1074},
        {"2.2250738585072014e-308", DBL_MIN},
        {"1.7976931348623157e308", DBL_MAX},
        {"9007199254740994", 0x1p53 + 2},
        {"9007199254740990.5", 0x1p53 - 1.5 + 0.0},
        {"1e22", 1e22},
        // exactly between two doubles: to even; a hair above: up
        {"1.00000000000000011102230246251565404236316680908203125", 1.0},
        {"1.00000000000000011102230246251565404236316680908203126", 1.0 + DBL_EPSILON},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct figure f;
        assert_int_equal(figure_parse(table[i].text, &f), ERR_OK);
        assert_true(figure_to_real(f) == table[i].value);
    }
}

static void figure_parse_refuses_what_is_no_decimal_number(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",     " ",     "1 ",   " 1",    "+",     "-",     "--1",       "+-1", ".",        ".5",  "5.",
        "1..2", "1.2.3", "1,5",  "1 000", "1_000", "0x10",  "0x1p3",     "nan", "NaN",      "inf", "-inf",
        "1e",   "1e+",   "e5",   "1e5.0", "1d5",   "1f",    "\302\2401", "١",   "infinity", "U",   "null",
        "1\n",  "\t1",   "1e 5", "0b11",  "1e--5", "12abc", "-",         "½",
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct figure f = integer(42);
        if (figure_parse(table[i], &f) != ERR_INVALID || figure_parse_scaled(table[i], 2, &f) != ERR_INVALID)
            fail_msg("\"%s\" was taken for a number", table[i]);
        assert_int_equal(f.integer, 42);
    }
}

static void figure_parse_refuses_what_a_double_cannot_hold(void **state)
{
    (void)state;
    static const char *const table[] = {
        "1e309",
        "-1e309",
        "1e999999999999999999",
        "1e-400",
        "-1e-999999999999999999",
        "1.8e308",
        "9007199254740993",              // an amount moved by one is a wrong amount
        "-9007199254740993",             //
        "9007199254740995",              //
        "123456789012345678901234567890" //
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct figure f = integer(42);
        if (figure_parse(table[i], &f) != ERR_TOO_BIG)
            fail_msg("\"%s\" was taken", table[i]);
        assert_int_equal(f.integer, 42);
    }
}

static void figure_parse_of_a_very_long_text_is_exact_and_quick(void **state)
{
    (void)state;
    char text[20001];
    memset(text, '0', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct figure f;
    assert_int_equal(figure_parse(text, &f), ERR_OK);
    assert_int_equal(f.integer, 0);
    text[1] = '.';
    text[sizeof text - 2] = '1';
    assert_int_equal(figure_parse(text, &f), ERR_TOO_BIG);
    text[0] = '3';
    assert_int_equal(figure_parse(text, &f), ERR_OK);
    assert_true(figure_to_real(f) == 3.0);
}

static void figure_from_real_sorts_whole_numbers_from_fractions(void **state)
{
    (void)state;
    assert_int_equal(real(3.0).kind, FIGURE_INTEGER);
    assert_int_equal(real(-0.0).kind, FIGURE_INTEGER);
    assert_int_equal(real(-0.0).integer, 0);
    assert_int_equal(real(0x1p53).kind, FIGURE_INTEGER);
    assert_int_equal(real(0x1p53 + 2).kind, FIGURE_REAL);
    assert_int_equal(real(-0x1p53 - 2).kind, FIGURE_REAL);
    assert_int_equal(real(0.5).kind, FIGURE_REAL);
    struct figure f = integer(42);
    assert_int_equal(figure_from_real((double)NAN, &f), ERR_INVALID);
    assert_int_equal(figure_from_real((double)INFINITY, &f), ERR_INVALID);
    assert_int_equal(figure_from_real(-(double)INFINITY, &f), ERR_INVALID);
    assert_int_equal(f.integer, 42);
}

static void figure_from_integer_ends_at_two_to_the_53(void **state)
{
    (void)state;
    struct figure f = integer(FIGURE_INTEGER_MAX);
    assert_true(figure_to_real(f) == 0x1p53);
    assert_int_equal(figure_from_integer(FIGURE_INTEGER_MAX + 1, &f), ERR_INVALID);
    assert_int_equal(figure_from_integer(-FIGURE_INTEGER_MAX - 1, &f), ERR_INVALID);
    assert_int_equal(figure_from_integer(INT64_MIN, &f), ERR_INVALID);
    assert_int_equal(f.integer, FIGURE_INTEGER_MAX);
}

static void figure_missing_is_never_zero(void **state)
{
    (void)state;
    char text[FIGURE_TEXT] = "left";
    struct figure missing = figure_missing();
    assert_true(isnan(figure_to_real(missing)));
    assert_false(figure_equal(missing, integer(0)));
    assert_true(figure_equal(missing, figure_missing()));
    figure_text(missing, text);
    assert_string_equal(text, "");
    figure_text_scaled(missing, 2, text);
    assert_string_equal(text, "");
}

static void figure_equal_tells_kinds_and_values(void **state)
{
    (void)state;
    assert_true(figure_equal(integer(5), real(5.0)));
    assert_false(figure_equal(integer(5), integer(-5)));
    assert_true(figure_equal(real(0.1), real(0.1)));
    assert_false(figure_equal(real(0.1), real(nextafter(0.1, 1))));
}

static void figure_text_is_short(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } table[] = {
        {0, "0"},
        {-12, "-12"},
        {0x1p53, "9007199254740992"},
        {-0x1p53, "-9007199254740992"},
        {0.1, "0.1"},
        {-2.5, "-2.5"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e22, "1e+22"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {-2.2250738585072011e-308, "-2.225073858507201e-308"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        char text[FIGURE_TEXT];
        figure_text(real(table[i].value), text);
        assert_string_equal(text, table[i].text);
    }
}

static void figure_text_reads_back_equal_for_any_bits(void **state)
{
    (void)state;
    uint64_t seed = 20240229;
    for (int n = 0; n < 100000;) {
        double value = from_bits(next_random(&seed));
        if (!isfinite(value))
            continue;
        assert_round_trip(value);
        n++;
    }
}

static void figure_text_reads_back_equal_for_figures_of_daily_life(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int n = 0; n < 100000; n++) {
        int64_t minor = (int64_t)(next_random(&seed) % UINT64_C(20000000000)) - INT64_C(10000000000);
        assert_round_trip((double)minor / 100);
        assert_round_trip((double)(next_random(&seed) >> 11) * 0x1p-53);
    }
}

static void figure_text_reads_back_equal_next_to_every_power_of_two(void **state)
{
    (void)state;
    for (int exponent = -1074; exponent < 1024; exponent++) {
        double power = ldexp(1.0, exponent);
        assert_round_trip(power);
        assert_round_trip(-power);
        assert_round_trip(nextafter(power, 0));
        assert_round_trip(nextafter(power, DBL_MAX));
    }
    for (int64_t step = -1000; step <= 1000; step++)
        assert_round_trip(0x1p53 + (double)step);
}

static void figure_parse_scaled_shifts_digits_and_rounds_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int decimals;
        enum err e;
        int64_t value;
    } table[] = {
        {"12.5", 2, ERR_OK, 1250},
        {"12.50", 2, ERR_OK, 1250},
        {"12.5000000000000000000000000000", 2, ERR_OK, 1250},
        {"-0.01", 2, ERR_OK, -1},
        {"-0.00", 2, ERR_OK, 0},
        {"+3", 0, ERR_OK, 3},
        {"0.001", 2, ERR_INVALID, 0},
        {"0.10000000000000000000000001", 2, ERR_INVALID, 0},
        {"1e-2", 2, ERR_OK, 1},
        {"1e-3", 2, ERR_INVALID, 0},
        {"1.25e3", 0, ERR_OK, 1250},
        // through a double these come out as 113 and 4034999999999999.5
        {"1.14", 2, ERR_OK, 114},
        {"40350000000000.00", 2, ERR_OK, INT64_C(4035000000000000)},
        {"90071992547409.92", 2, ERR_OK, FIGURE_INTEGER_MAX},
        {"90071992547409.93", 2, ERR_TOO_BIG, 0},
        {"-90071992547409.92", 2, ERR_OK, -FIGURE_INTEGER_MAX},
        {"-90071992547409.93", 2, ERR_TOO_BIG, 0},
        {"9007199254740992", 2, ERR_TOO_BIG, 0},
        {"1e999999999", 2, ERR_TOO_BIG, 0},
        {"1e-999999999", 2, ERR_INVALID, 0},
        {"0e999999999", 2, ERR_OK, 0},
        {"0.009007199254740992", 18, ERR_OK, FIGURE_INTEGER_MAX},
        {"1", -1, ERR_INVALID, 0},
        {"1", 19, ERR_INVALID, 0},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct figure f = integer(42);
        enum err e = figure_parse_scaled(table[i].text, table[i].decimals, &f);
        if (e != table[i].e || f.integer != (e ? 42 : table[i].value))
            fail_msg("\"%s\" x 10^%d gave %s, %lld", table[i].text, table[i].decimals, err_name(e),
                     (long long)f.integer);
    }
}

static void figure_text_scaled_places_the_point_exactly(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        int decimals;
        const char *text;
    } table[] = {
        {1250, 2, "12.50"},
        {0, 2, "0.00"},
        {5, 2, "0.05"},
        {-5, 2, "-0.05"},
        {-100, 2, "-1.00"},
        {7, 0, "7"},
        {FIGURE_INTEGER_MAX, 2, "90071992547409.92"},
        {-FIGURE_INTEGER_MAX, 18, "-0.009007199254740992"},
        {12, 3, "0.012"},
        {1, 19, ""},
        {1, -1, ""},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        char text[FIGURE_TEXT] = "left";
        figure_text_scaled(integer(table[i].value), table[i].decimals, text);
        assert_string_equal(text, table[i].text);
    }
    char text[FIGURE_TEXT];
    figure_text_scaled(real(12.5), 2, text);
    assert_string_equal(text, "0.125");
}

static void figure_scaled_text_reads_back_equal(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int n = 0; n < 100000; n++) {
        int decimals = (int)(next_random(&seed) % 19);
        int64_t value = (int64_t)(next_random(&seed) >> (11 + next_random(&seed) % 50));
        struct figure f = integer(n % 2 ? value : -value), back;
        char text[FIGURE_TEXT];
        figure_text_scaled(f, decimals, text);
        assert_int_equal(figure_parse_scaled(text, decimals, &back), ERR_OK);
        assert_true(figure_equal(f, back));
    }
}

static int make_folder(void **state)
{
    static struct test_folder folder;
    *state = &folder;
    return test_folder_make(&folder);
}

static int remove_folder(void **state)
{
    return test_folder_remove(*state);
}

// A comma as decimal point is what most of the users' machines are set to, but the machine that runs the
// tests may have no such locale: these are the 54 bytes glibc's localedef makes of `decimal_point ",";
// thousands_sep "."; grouping 3;3`.
static void use_comma_locale(const struct test_folder *folder)
{
    static const uint8_t numeric[54] = {
        0x14, 0x11, 0x03, 0x20, 6,   0, 0,    0, 0x20, 0, 0,    0, 0x22, 0,   0,   0,   0x24, 0,
        0,    0,    0x28, 0,    0,   0, 0x2c, 0, 0,    0, 0x30, 0, 0,    0,   ',', 0,   '.',  0,
        3,    3,    0,    0,    ',', 0, 0,    0, '.',  0, 0,    0, 'U',  'T', 'F', '-', '8',  0,
    };
    char dir[TEST_PATH], path[TEST_PATH];
    test_folder_path(folder, "xx_XX", dir);
    test_folder_path(folder, "xx_XX/LC_NUMERIC", path);
    assert_int_equal(fs_make_dirs(dir, 0755, NULL), ERR_OK);
    assert_int_equal(fs_replace_file(path, numeric, sizeof numeric, 0644, NULL), ERR_OK);
    assert_int_equal(setenv("LOCPATH", folder->path, 1), 0);
    assert_non_null(setlocale(LC_NUMERIC, "xx_XX"));
}

static void figure_text_and_parse_ignore_the_locale(void **state)
{
    char text[FIGURE_TEXT], scaled[FIGURE_TEXT], by_printf[FIGURE_TEXT];
    struct figure f, comma = integer(42);
    use_comma_locale(*state);
    (void)snprintf(by_printf, sizeof by_printf, "%.1f", 0.5);
    figure_text(real(0.5), text);
    figure_text_scaled(integer(125000000), 2, scaled);
    enum err e = figure_parse("0.5", &f), with_comma = figure_parse("0,5", &comma);
    enum err beyond = figure_parse("9007199254740994", &comma);
    (void)setlocale(LC_ALL, "C");
    assert_string_equal(by_printf, "0,5"); // the locale is a different one indeed
    assert_string_equal(text, "0.5");
    assert_string_equal(scaled, "1250000.00");
    assert_int_equal(e, ERR_OK);
    assert_true(f.real == 0.5);
    assert_int_equal(with_comma, ERR_INVALID);
    assert_int_equal(beyond, ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figure_parse_reads_whole_numbers_as_integers),
        cmocka_unit_test(figure_parse_reads_fractions_to_the_nearest_double),
        cmocka_unit_test(figure_parse_refuses_what_is_no_decimal_number),
        cmocka_unit_test(figure_parse_refuses_what_a_double_cannot_hold),
        cmocka_unit_test(figure_parse_of_a_very_long_text_is_exact_and_quick),
        cmocka_unit_test(figure_from_real_sorts_whole_numbers_from_fractions),
        cmocka_unit_test(figure_from_integer_ends_at_two_to_the_53),
        cmocka_unit_test(figure_missing_is_never_zero),
        cmocka_unit_test(figure_equal_tells_kinds_and_values),
        cmocka_unit_test(figure_text_is_short),
        cmocka_unit_test(figure_text_reads_back_equal_for_any_bits),
        cmocka_unit_test(figure_text_reads_back_equal_for_figures_of_daily_life),
        cmocka_unit_test(figure_text_reads_back_equal_next_to_every_power_of_two),
        cmocka_unit_test(figure_parse_scaled_shifts_digits_and_rounds_nothing),
        cmocka_unit_test(figure_text_scaled_places_the_point_exactly),
        cmocka_unit_test(figure_scaled_text_reads_back_equal),
        cmocka_unit_test_setup_teardown(figure_text_and_parse_ignore_the_locale, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
