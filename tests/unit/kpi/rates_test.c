#include "kpi/rates.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct rates one(const char *currency, const char *quant, const char *value)
{
    struct rates r = {.bank = BANK_RU, .asked = 20527, .answered = 20526, .count = 1};
    struct diag d = {""};
    assert_int_equal(rate_parse(currency, quant, value, '.', &r.list[0], &d), ERR_OK);
    return r;
}

static void a_jump_is_a_change_of_more_than_a_fifth(void **state)
{
    (void)state;
    static const struct {
        const char *old, *next;
        bool jump;
    } table[] = {{"100", "120", false},    {"100", "120.0001", true}, {"100", "80", false},
                 {"100", "79.9999", true}, {"100", "125", true},      {"0.0000000005", "0.0000000006", false},
                 {"1000000", "0.1", true}, {"0.1", "1000000", true},  {"100", "100", false}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct rates a = one("USD", "1", table[i].old), b = one("USD", "1", table[i].next);
        const char *jumped = rates_jump(&a, &b);
        if (table[i].jump != (jumped && strcmp(jumped, "USD") == 0))
            fail_msg("%s to %s", table[i].old, table[i].next);
    }
}

static void another_quantity_is_no_jump_and_no_other_rate(void **state)
{
    (void)state;
    struct rates a = one("KZT", "100", "18.8315"), b = one("KZT", "1", "0.188315"), c = one("USD", "1", "5");
    assert_null(rates_jump(&a, &b));
    assert_true(rates_same(&a, &b));
    assert_null(rates_jump(&a, &c)); // nothing to compare
    assert_false(rates_same(&a, &c));
}

static void the_currency_that_changed_most_is_named(void **state)
{
    (void)state;
    struct rates a = one("EUR", "1", "100"), b = one("EUR", "1", "130"), more = one("USD", "1", "100");
    a.list[a.count++] = more.list[0];
    more = one("USD", "1", "10");
    b.list[b.count++] = more.list[0];
    assert_string_equal(rates_jump(&a, &b), "USD");
}

static void the_document_is_read_back_whole(void **state)
{
    (void)state;
    struct rates r = one("EUR", "1", "98.0034"), usd = one("USD", "1", "90.10"), back;
    struct diag d = {""};
    struct buf text;
    buf_init(&text, RATES_DOCUMENT_MAX);
    r.list[r.count++] = usd.list[0];
    r.state = RATES_HELD;
    memcpy(r.jumped, "USD", 4);
    assert_int_equal(rates_write(&r, &text), ERR_OK);
    assert_string_equal(buf_str(&text), "rates 1\nbank ru\nasked 2026-03-15\nanswered 2026-03-14\n"
                                        "state held USD\nEUR 1 98.0034\nUSD 1 90.10\n");
    assert_int_equal(rates_read(buf_str(&text), text.len, &back, &d), ERR_OK);
    assert_true(rates_same(&r, &back));
    assert_int_equal(back.state, RATES_HELD);
    assert_string_equal(back.jumped, "USD");
    buf_deinit(&text);
}

static void a_document_of_another_form_is_refused_with_its_line(void **state)
{
    (void)state;
    static const char head[] = "rates 1\nbank kz\nasked 2026-03-15\nanswered 2026-03-13\n";
    static const char *const bad[] = {
        "",
        "rates 2\n",
        "rates 1\nbank us\n",
        "rates 1\nbank kz\nasked 2026-03\n",
        "rates 1\nbank kz\nasked 2026-03-13\nanswered 2026-03-15\nstate accepted\nUSD 1 5\n",
        "rates 1\nbank kz\nasked 2026-03-31\nanswered 2026-03-13\nstate accepted\nUSD 1 5\n",
    };
    static const char *const tails[] = {
        "state accepted\n",
        "state accepted USD\nUSD 1 5\n",
        "state held\nUSD 1 5\n",
        "state perhaps\nUSD 1 5\n",
        "state accepted\nUSD 1 5",
        "state accepted\nUSD 1 5\nUSD 1 5\n",
        "state accepted\nUSD 1 5\nEUR 1 5\n",
        "state accepted\nKZT 1 5\n",
        "state accepted\nXXX 1 5\n",
        "state accepted\nUSD 1 5,1\n",
        "state accepted\nUSD 1\n",
    };
    char text[300];
    for (size_t i = 0; i < COUNT(bad) + COUNT(tails); i++) {
        struct rates r = {.count = 77};
        struct diag d = {""};
        text[0] = '\0';
        if (i >= COUNT(bad))
            strcpy(text, head);
        strcat(text, i < COUNT(bad) ? bad[i] : tails[i - COUNT(bad)]);
        if (rates_read(text, strlen(text), &r, &d) != ERR_INVALID || r.count != 77 || !strstr(d.text, "line"))
            fail_msg("%s: %s", text, d.text);
    }
}

static void each_bank_is_found_by_its_code_and_currency(void **state)
{
    (void)state;
    for (int b = 0; b < BANKS; b++) {
        enum bank found;
        assert_int_equal(bank_parse(bank_info((enum bank)b)->code, &found), ERR_OK);
        assert_int_equal(found, b);
        assert_int_equal(bank_of_currency(bank_info((enum bank)b)->currency), b);
    }
    assert_int_equal(bank_of_currency("USD"), BANK_KZ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jump_is_a_change_of_more_than_a_fifth),
        cmocka_unit_test(another_quantity_is_no_jump_and_no_other_rate),
        cmocka_unit_test(the_currency_that_changed_most_is_named),
        cmocka_unit_test(the_document_is_read_back_whole),
        cmocka_unit_test(a_document_of_another_form_is_refused_with_its_line),
        cmocka_unit_test(each_bank_is_found_by_its_code_and_currency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
