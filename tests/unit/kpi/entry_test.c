// What people write into a field, and what must not be guessed.
#include "kpi/entry.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NBSP   "\xc2\xa0"
#define NARROW "\xe2\x80\xaf"
#define THIN   "\xe2\x80\x89"
#define MINUS  "\xe2\x88\x92"

static const struct {
    const char *text;
    const char *currency; // NULL: no money
    enum entry_fault fault;
    const char *is; // as figure_text says it, money in minor units
} rows[] = {
    {"1250", NULL, ENTRY_FINE, "1250"},
    {"  1 250 000 ", NULL, ENTRY_FINE, "1250000"},
    {"1" NBSP "250" NBSP "000", NULL, ENTRY_FINE, "1250000"},
    {"1" NARROW "250" THIN "000", NULL, ENTRY_FINE, "1250000"},
    {"12,5", NULL, ENTRY_FINE, "12.5"},
    {"12.5", NULL, ENTRY_FINE, "12.5"},
    {"-3", NULL, ENTRY_FINE, "-3"},
    {MINUS " 3,25", NULL, ENTRY_FINE, "-3.25"},
    {"+7", NULL, ENTRY_FINE, "7"},
    {"0,125", NULL, ENTRY_FINE, "0.125"},
    {"1 250,125", NULL, ENTRY_FINE, "1250.125"},
    {"12,3450", NULL, ENTRY_FINE, "12.345"},
    {"0", NULL, ENTRY_FINE, "0"},
    {"9007199254740992", NULL, ENTRY_FINE, "9007199254740992"},
    {"1 250 000,50", "KZT", ENTRY_FINE, "125000050"},
    {"1250000.5", "KZT", ENTRY_FINE, "125000050"},
    {"0,01", "UZS", ENTRY_FINE, "1"},
    {"-0,01", "RUB", ENTRY_FINE, "-1"},
    {"90 000 000 000 000", "KZT", ENTRY_FINE, "9000000000000000"},
    {"", NULL, ENTRY_EMPTY, NULL},
    {" " NBSP " ", NULL, ENTRY_EMPTY, NULL},
    {"-", NULL, ENTRY_NO_NUMBER, NULL},
    {",5", NULL, ENTRY_NO_NUMBER, NULL},
    {"5,", NULL, ENTRY_NO_NUMBER, NULL},
    {"1e5", NULL, ENTRY_NO_NUMBER, NULL},
    {"0x10", NULL, ENTRY_NO_NUMBER, NULL},
    {"nan", NULL, ENTRY_NO_NUMBER, NULL},
    {"12%", NULL, ENTRY_NO_NUMBER, NULL},
    {"5-", NULL, ENTRY_NO_NUMBER, NULL},
    {"--5", NULL, ENTRY_NO_NUMBER, NULL},
    {"1,250.50", "KZT", ENTRY_TWO_SIGNS, NULL},
    {"1.250.000", NULL, ENTRY_TWO_SIGNS, NULL},
    {"1 25 000", NULL, ENTRY_GROUPS, NULL},
    {"1250 000", NULL, ENTRY_GROUPS, NULL},
    {"1  250", NULL, ENTRY_GROUPS, NULL},
    {"12 50", NULL, ENTRY_GROUPS, NULL},
    {"1,5 0", NULL, ENTRY_GROUPS, NULL},
    {"12 34,5", NULL, ENTRY_GROUPS, NULL},
    {"12,345", NULL, ENTRY_AMBIGUOUS, NULL},
    {"12.345", "KZT", ENTRY_AMBIGUOUS, NULL},
    {"-1,000", NULL, ENTRY_AMBIGUOUS, NULL},
    {"1234,567", "KZT", ENTRY_DECIMALS, NULL},
    {"1,2300", "KZT", ENTRY_DECIMALS, NULL},
    {"9007199254740993", NULL, ENTRY_TOO_BIG, NULL},
    {"90000000000000,01", "KZT", ENTRY_TOO_BIG, NULL},
    {"11111111111111111111111111111111111111111111111111111111111111111111", NULL, ENTRY_TOO_BIG, NULL},
};

static void what_people_write_is_read_exactly_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct figure out = {.kind = FIGURE_MISSING};
        char text[FIGURE_TEXT];
        const struct currency *money = rows[i].currency ? currency_find(rows[i].currency) : NULL;
        enum entry_fault f = entry_parse(rows[i].text, money, &out);
        figure_text(out, text);
        if (f != rows[i].fault || strcmp(text, rows[i].is ? rows[i].is : "") != 0)
            fail_msg("row %zu, '%s': fault %d, read as '%s'", i, rows[i].text, (int)f, text);
    }
}

static void every_fault_says_the_way_out(void **state)
{
    (void)state;
    for (int f = ENTRY_FINE + 1; f < ENTRY_FAULTS; f++)
        assert_true(strlen(entry_fault_text((enum entry_fault)f)) > 10);
    assert_string_equal(entry_fault_text(ENTRY_FINE), "");
    assert_string_equal(entry_fault_text((enum entry_fault)99), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_write_is_read_exactly_or_refused),
        cmocka_unit_test(every_fault_says_the_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
