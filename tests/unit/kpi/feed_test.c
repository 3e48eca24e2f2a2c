// The banks' answers as they come (files of tests/fuzz/corpus), and everything that is refused.
#include "kpi/feed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fs.h"
#include "kpi/period.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define XML      "tests/fuzz/corpus/feed_xml/"
#define JSON     "tests/fuzz/corpus/feed_json/"

static int32_t day(const char *text)
{
    struct period p;
    assert_int_equal(period_parse(text, &p), ERR_OK);
    return p.start;
}

static enum err parse_file(enum bank bank, const char *asked, const char *path, struct rates *out,
                           struct diag *d)
{
    char *body = NULL;
    size_t len = 0;
    assert_int_equal(fs_read_file(path, FEED_MAX_BYTES, &body, &len, d), ERR_OK);
    enum err e = feed_parse(bank, day(asked), body, len, out, d);
    free(body);
    return e;
}

static void assert_rate(const struct rates *r, const char *currency, uint32_t quant, const char *text,
                        int64_t per_unit)
{
    char said[RATE_TEXT];
    const struct rate *rate = rates_find(r, currency);
    assert_non_null(rate);
    assert_int_equal(rate->quant, quant);
    rate_text(rate, said);
    assert_string_equal(said, text);
    assert_true(rate_per_unit(rate) == per_unit);
}

static void kazakhstan_quotes_soums_by_the_hundred(void **state)
{
    (void)state;
    struct rates r;
    struct diag d = {""};
    assert_int_equal(parse_file(BANK_KZ, "2026-03-13", XML "nbrk-day.xml", &r, &d), ERR_OK);
    assert_int_equal(r.count, 5);
    assert_int_equal(r.others, 2);
    assert_false(rates_carried(&r));
    assert_rate(&r, "USD", 1, "478.52", 4785200000000);
    assert_rate(&r, "UZS", 100, "3.95", 395000000);
    assert_rate(&r, "EUR", 1, "520.4", 5204000000000);
    assert_null(rates_find(&r, "KZT"));
}

static void russia_writes_windows_1251_and_a_decimal_comma(void **state)
{
    (void)state;
    struct rates r;
    struct diag d = {""};
    assert_int_equal(parse_file(BANK_RU, "2026-03-14", XML "cbr-day.xml", &r, &d), ERR_OK);
    assert_int_equal(r.count, 5);
    assert_rate(&r, "KZT", 100, "18.8315", 1883150000);
    assert_rate(&r, "UZS", 10000, "74.3819", 74381900);
    assert_rate(&r, "KGS", 10, "10.3044", 10304400000);
    assert_rate(&r, "USD", 1, "90.1127", 901127000000);
}

static void sundays_answer_keeps_the_day_it_is_of(void **state)
{
    (void)state;
    struct rates r;
    struct diag d = {""};
    assert_int_equal(parse_file(BANK_RU, "2026-03-15", XML "cbr-day.xml", &r, &d), ERR_OK);
    assert_int_equal(r.asked, day("2026-03-15"));
    assert_int_equal(r.answered, day("2026-03-14"));
    assert_true(rates_carried(&r));
}

static void kyrgyzstan_answers_with_tomorrows_rates_and_is_undated(void **state)
{
    (void)state;
    struct rates r;
    struct diag d = {""};
    assert_int_equal(parse_file(BANK_KG, "2026-03-13", XML "nbkr-day.xml", &r, &d), ERR_OK);
    assert_int_equal(r.asked, day("2026-03-14"));
    assert_false(rates_carried(&r));
    assert_rate(&r, "KZT", 1, "0.1827", 1827000000);
    assert_rate(&r, "USD", 1, "87.4500", 874500000000);
}

static void uzbekistan_writes_texts_in_json(void **state)
{
    (void)state;
    struct rates r;
    struct diag d = {""};
    assert_int_equal(parse_file(BANK_UZ, "2026-03-14", JSON "cbu-day.json", &r, &d), ERR_OK);
    assert_int_equal(r.count, 5);
    assert_true(rates_carried(&r));
    assert_rate(&r, "USD", 1, "12150.31", 121503100000000);
    assert_rate(&r, "KZT", 1, "25.32", 253200000000);
}

static void what_is_not_the_form_is_refused_and_says_why(void **state)
{
    (void)state;
    static const struct {
        enum bank bank;
        const char *asked, *file;
        enum err e;
        const char *says;
    } table[] = {
        {BANK_KZ, "2026-03-16", XML "nbrk-info.xml", ERR_NOT_FOUND, "не установлены"},
        {BANK_UZ, "2026-03-16", JSON "cbu-empty.json", ERR_NOT_FOUND, "none for that day"},
        {BANK_KZ, "2026-03-13", XML "bomb.xml", ERR_INVALID, "<!DOCTYPE"},
        {BANK_KZ, "2026-03-13", XML "outside-entity.xml", ERR_INVALID, "<!DOCTYPE"},
        {BANK_KZ, "2026-03-13", XML "undeclared-entity.xml", ERR_INVALID, "undefined entity"},
        {BANK_KZ, "2026-03-13", XML "deep.xml", ERR_INVALID, "nested deeper"},
        {BANK_RU, "2026-03-14", XML "page.xml", ERR_INVALID, "begins with <html>, not with <ValCurs>"},
        {BANK_RU, "2026-03-14", XML "cut.xml", ERR_INVALID, "not XML: line 1"},
        {BANK_RU, "2026-03-14", XML "cbr-twice.xml", ERR_INVALID, "USD: is there twice"},
        {BANK_RU, "2026-03-14", XML "cbr-point.xml", ERR_INVALID, "'90.1127' is not a number"},
        {BANK_RU, "2026-03-14", XML "cbr-error.xml", ERR_INVALID, "<ValCurs> has no Date"},
        {BANK_RU, "2026-03-13", XML "cbr-day.xml", ERR_INVALID, "rates of 2026-03-14, asked for 2026-03-13"},
        {BANK_RU, "2026-04-14", XML "cbr-day.xml", ERR_INVALID, "more than 15 days old"},
        {BANK_KG, "2026-02-01", XML "nbkr-day.xml", ERR_INVALID, "asked for 2026-02-01"},
        {BANK_RU, "2026-03-13", XML "nbrk-day.xml", ERR_INVALID, "begins with <rates>"},
        {BANK_UZ, "2026-03-13", JSON "cbu-page.json", ERR_INVALID, "not JSON: line 1"},
        {BANK_UZ, "2026-03-13", JSON "cbu-number.json", ERR_INVALID, "as texts"},
        {BANK_UZ, "2026-03-13", JSON "cbu-two-days.json", ERR_INVALID, "rates of several days"},
        {BANK_UZ, "2026-03-13", JSON "deep.json", ERR_INVALID, "lacks Ccy"},
        {BANK_UZ, "2026-03-13", XML "nbrk-day.xml", ERR_INVALID, "not JSON"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct rates r = {.count = 77};
        struct diag d = {""};
        enum err e = parse_file(table[i].bank, table[i].asked, table[i].file, &r, &d);
        if (e != table[i].e || !strstr(d.text, table[i].says) || r.count != 77)
            fail_msg("%s: %s: %s", table[i].file, err_name(e), d.text);
        assert_non_null(strstr(d.text, bank_info(table[i].bank)->name));
    }
}

static void parse_of_fifty_megabytes_is_refused_unread(void **state)
{
    (void)state;
    struct rates r;
    struct diag d = {""};
    size_t len = 50u << 20;
    char *body = malloc(len);
    assert_non_null(body);
    memset(body, '<', len);
    assert_int_equal(feed_parse(BANK_KZ, 20000, body, len, &r, &d), ERR_TOO_BIG);
    assert_non_null(strstr(d.text, "52428800 bytes"));
    free(body);
}

static enum err parse_kz(const char *title, const char *quant, const char *value, struct diag *d)
{
    char body[600];
    struct rates r;
    snprintf(
        body, sizeof body,
        "<rates><date>13.03.2026</date><item><title>USD</title><quant>1</quant><description>1</description>"
        "</item><item><title>%s</title><quant>%s</quant><description>%s</description></item></rates>",
        title, quant, value);
    return feed_parse(BANK_KZ, day("2026-03-13"), body, strlen(body), &r, d);
}

static void a_rate_is_a_plain_decimal_above_zero(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "0",
                                      "0.00",
                                      "-1",
                                      "+1",
                                      "1,5",
                                      "1 000",
                                      "1e3",
                                      "nan",
                                      "1.2.3",
                                      ".5",
                                      "5.",
                                      "0x1",
                                      "१",
                                      "1\u00a0000",
                                      "12345678901234567890",
                                      "0.00000000001",
                                      "1000000.1"};
    static const char *const good[] = {"1", " 5.31 ", "\n5.31\n", "0.0000000001", "1000000"};
    struct diag d = {""};
    for (size_t i = 0; i < COUNT(bad); i++)
        if (parse_kz("RUB", "1", bad[i], &d) != ERR_INVALID)
            fail_msg("'%s'", bad[i]);
    for (size_t i = 0; i < COUNT(good); i++)
        if (parse_kz("RUB", "1", good[i], &d) != ERR_OK)
            fail_msg("'%s': %s", good[i], d.text);
}

static void a_quantity_is_a_power_of_ten(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "0", "3", "-1", "1.0", "10000000", "01", "100a"};
    struct diag d = {""};
    for (size_t i = 0; i < COUNT(bad); i++)
        if (parse_kz("RUB", bad[i], "5", &d) != ERR_INVALID)
            fail_msg("'%s'", bad[i]);
    assert_int_equal(parse_kz("RUB", "1000000", "5", &d), ERR_OK);
    assert_int_equal(parse_kz("XXX", "3", "no number", &d), ERR_OK); // not ours: counted
    assert_int_equal(parse_kz("", "1", "5", &d), ERR_INVALID);
}

static void an_address_gets_the_day_in_its_banks_form(void **state)
{
    (void)state;
    char url[FEED_URL_MAX], lengthy[FEED_URL_MAX + 10];
    struct diag d = {""};
    static const char *const expected[BANKS] = {
        [BANK_KZ] = "https://nationalbank.kz/rss/get_rates.cfm?fdate=05.03.2026",
        [BANK_UZ] = "https://cbu.uz/ru/arkhiv-kursov-valyut/json/all/2026-03-05/",
        [BANK_RU] = "https://www.cbr.ru/scripts/XML_daily.asp?date_req=05/03/2026",
        [BANK_KG] = "https://www.nbkr.kg/XML/daily.xml"};
    for (int b = 0; b < BANKS; b++) {
        assert_int_equal(feed_url(bank_info((enum bank)b)->url, day("2026-03-05"), url, &d), ERR_OK);
        assert_string_equal(url, expected[b]);
    }
    assert_int_equal(feed_url("http://x/{day}", 0, url, &d), ERR_INVALID);
    memset(lengthy, 'a', sizeof lengthy);
    lengthy[sizeof lengthy - 1] = '\0';
    assert_int_equal(feed_url(lengthy, 0, url, &d), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kazakhstan_quotes_soums_by_the_hundred),
        cmocka_unit_test(russia_writes_windows_1251_and_a_decimal_comma),
        cmocka_unit_test(sundays_answer_keeps_the_day_it_is_of),
        cmocka_unit_test(kyrgyzstan_answers_with_tomorrows_rates_and_is_undated),
        cmocka_unit_test(uzbekistan_writes_texts_in_json),
        cmocka_unit_test(what_is_not_the_form_is_refused_and_says_why),
        cmocka_unit_test(parse_of_fifty_megabytes_is_refused_unread),
        cmocka_unit_test(a_rate_is_a_plain_decimal_above_zero),
        cmocka_unit_test(a_quantity_is_a_power_of_ten),
        cmocka_unit_test(an_address_gets_the_day_in_its_banks_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
