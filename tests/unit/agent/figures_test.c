#include "agent/sources/figures.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define NBSP   "\xc2\xa0"
#define THIN   "\xe2\x80\x89"
#define NARROW "\xe2\x80\xaf"
#define MINUS  "\xe2\x88\x92"

static const struct agent_series pieces = {.declared = "out_units", .unit = "piece", .currency = ""};

static struct agent_series tenge(void)
{
    return (struct agent_series){
        .declared = "inv", .unit = "money", .currency = "KZT", .money = currency_find("KZT")};
}

static void values_that_must_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char decimal;
        double value;
    } cases[] = {
        {"12", '.', 12},
        {" 12 ", '.', 12},
        {"12.5", '.', 12.5},
        {"-3", '.', -3},
        {"+3", '.', 3},
        {MINUS "3", '.', -3},
        {"1e3", '.', 1000},
        {"57.49999999999999", '.', 57.49999999999999},
        {"0", ',', 0},
        {"12,5", ',', 12.5},
        {"-0,25", ',', -0.25},
        {"1 250,5", ',', 1250.5},
        {"1" NBSP "250" NBSP "000,5", ',', 1250000.5},
        {"12" THIN "345", ',', 12345},
        {"123" NARROW "456", ',', 123456},
        {NBSP "7" NBSP, ',', 7},
        {MINUS "1 000", ',', -1000},
        {"9007199254740992", '.', 9007199254740992.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct figure f;
        struct diag d = {""};
        bool nothing = true;
        enum err e = figures_value(cases[i].text, cases[i].decimal, &pieces, &f, &nothing, &d);
        if (e != ERR_OK || nothing || figure_to_real(f) != cases[i].value)
            fail_msg("'%s': %s %s", cases[i].text, err_name(e), d.text);
    }
}

static void values_that_must_not_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char decimal;
    } cases[] = {
        {"12x", '.'},
        {"1,234", '.'},
        {"1 234", '.'},
        {"nan", '.'},
        {"inf", '.'},
        {"-inf", '.'},
        {"NaN", ','},
        {"0x10", '.'},
        {"--1", '.'},
        {"1.5", ','},
        {"1.234,5", ','},
        {"12 34", ','},
        {"1 2345", ','},
        {"1234 567", ','},
        {"1 234 ,5", ','},
        {"1,2,3", ','},
        {"1,2.3", ','},
        {",", ','},
        {"1e", '.'},
        {"9007199254740993", '.'},
        {"1e16", '.'},
        {"-1e300", '.'},
        {"1e999", '.'},
        {"5%", '.'},
        {"U", '.'},
        {"111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
         "1"
         "11111111111111111111111111111111111111111",
         '.'},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct figure f = figure_missing();
        struct diag d = {""};
        bool nothing = false;
        enum err e = figures_value(cases[i].text, cases[i].decimal, &pieces, &f, &nothing, &d);
        if (e != ERR_INVALID || d.text[0] == '\0')
            fail_msg("'%s' parsed: %s", cases[i].text, err_name(e));
        if (!strstr(d.text, cases[i].text) && strlen(cases[i].text) < 40)
            fail_msg("'%s' is not quoted in: %s", cases[i].text, d.text);
    }
}

static void texts_that_say_there_is_no_figure(void **state)
{
    (void)state;
    static const char *const texts[] = {"",  "  ",  NBSP,    "-",   "–",   "—",   "...",
                                        "…", "н/д", " н/д ", "Н/Д", "n/a", "N/A", "#Н/Д"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct figure f;
        struct diag d = {""};
        bool nothing = false;
        if (figures_value(texts[i], ',', &pieces, &f, &nothing, &d) != ERR_OK || !nothing)
            fail_msg("'%s' is not taken as nothing: %s", texts[i], d.text);
    }
}

static void money_is_exact_in_minor_units_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t minor;
    } good[] = {{"1250,5", 125050}, {"0,07", 7}, {"-3", -300}, {"1 000 000", 100000000}, {"1,500", 150}};
    static const char *const bad[] = {"0,001", "1,005", "12.50", "99999999999999999"};
    struct agent_series s = tenge();
    struct figure f;
    struct diag d = {""};
    bool nothing = false;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(figures_value(good[i].text, ',', &s, &f, &nothing, &d), ERR_OK);
        assert_int_equal(f.kind, FIGURE_INTEGER);
        assert_int_equal(f.integer, good[i].minor);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(figures_value(bad[i], ',', &s, &f, &nothing, &d), ERR_INVALID);
}

static void measurement_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time;
    } good[] = {{"1772366400", 1772366400},
                {"2026-03-01T12:00:00Z", 1772366400},
                {" 2026-03-01T12:00:00Z ", 1772366400},
                {"2026-03-01t12:00:00.000z", 1772366400},
                {"0", 0},
                {"1970-01-01T00:00:00Z", 0},
                {"2024-02-29T23:59:59Z", 1709251199}};
    static const char *const bad[] = {"",
                                      "2026-03-01",
                                      "2026-03-01T12:00:00",
                                      "2026-03-01T12:00:00+05:00",
                                      "2026-02-29T12:00:00Z",
                                      "2026-03-01T24:00:00Z",
                                      "2026-03-01T12:00:00.5Z",
                                      "1772366400.5",
                                      "1.7e9",
                                      "12:00",
                                      "01.03.2026 12:00"};
    int64_t t = 0;
    struct diag d = {""};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (figures_measurement_time(good[i].text, &t, &d) != ERR_OK || t != good[i].time)
            fail_msg("'%s' → %lld %s", good[i].text, (long long)t, d.text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (figures_measurement_time(bad[i], &t, &d) != ERR_INVALID)
            fail_msg("'%s' was taken for a time", bad[i]);
}

static void report_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum period_kind kind;
        struct civil first;
    } good[] = {{"2026-03", PERIOD_MONTH, {2026, 3, 1}},      {"2026-03-14", PERIOD_MONTH, {2026, 3, 1}},
                {"2026-03-14", PERIOD_DAY, {2026, 3, 14}},    {"2026-Q1", PERIOD_QUARTER, {2026, 1, 1}},
                {"2026-02-28", PERIOD_QUARTER, {2026, 1, 1}}, {"2026", PERIOD_YEAR, {2026, 1, 1}},
                {"1999-01-31", PERIOD_MONTH, {1999, 1, 1}}};
    static const struct {
        const char *text;
        enum period_kind kind;
    } bad[] = {{"2026-03", PERIOD_QUARTER},  {"2026-03", PERIOD_DAY},   {"2026", PERIOD_MONTH},
               {"March 2026", PERIOD_MONTH}, {"2026-13", PERIOD_MONTH}, {"", PERIOD_MONTH}};
    int64_t t = 0;
    struct diag d = {""};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(figures_report_time(good[i].text, good[i].kind, &t, &d), ERR_OK);
        assert_int_equal(t, civil_to_days(good[i].first));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(figures_report_time(bad[i].text, bad[i].kind, &t, &d), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_must_parse),
        cmocka_unit_test(values_that_must_not_parse),
        cmocka_unit_test(texts_that_say_there_is_no_figure),
        cmocka_unit_test(money_is_exact_in_minor_units_or_refused),
        cmocka_unit_test(measurement_times),
        cmocka_unit_test(report_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
