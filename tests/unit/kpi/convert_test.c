#include "kpi/convert.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/folder.h"
#include "tests/support/random.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int32_t day(const char *text)
{
    struct period p;
    assert_int_equal(period_parse(text, &p), ERR_OK);
    return p.start;
}

static void take(struct rate_book *b, enum bank bank, const char *asked, const char *answered,
                 const char *usd, const char *uzs_100)
{
    struct rates r = {.bank = bank, .asked = day(asked), .answered = day(answered)};
    struct diag d = {""};
    assert_int_equal(rate_parse("USD", "1", usd, '.', &r.list[r.count++], &d), ERR_OK);
    if (uzs_100)
        assert_int_equal(rate_parse("UZS", "100", uzs_100, '.', &r.list[r.count++], &d), ERR_OK);
    assert_int_equal(rate_book_take(b, &r), ERR_OK);
}

static struct rate_book *book(void)
{
    struct rate_book *b = NULL;
    assert_int_equal(rate_book_create(&b), ERR_OK);
    return b;
}

static int64_t apply(const struct conversion *c, int64_t minor, const char *from, const char *to)
{
    struct figure in, out;
    assert_int_equal(figure_from_integer(minor, &in), ERR_OK);
    assert_int_equal(conversion_apply(c, in, currency_find(from), currency_find(to), &out), ERR_OK);
    assert_int_equal(out.kind, FIGURE_INTEGER);
    return out.integer;
}

static void a_flow_is_converted_by_the_average_of_its_days(void **state)
{
    (void)state;
    struct rate_book *b = book();
    struct conversion c;
    char text[RATE_TEXT];
    take(b, BANK_KZ, "2026-03-01", "2026-03-01", "400", NULL);
    take(b, BANK_KZ, "2026-03-02", "2026-03-02", "500", NULL);
    take(b, BANK_KZ, "2026-03-03", "2026-03-03", "900", NULL);
    assert_int_equal(conversion_by(b, BANK_KZ, "USD", "KZT", day("2026-03-01"), day("2026-03-03"), &c, NULL),
                     ERR_OK);
    assert_int_equal(c.days, 2);
    assert_int_equal(c.carried, 0);
    assert_int_equal(c.rated, day("2026-03-02"));
    conversion_text(&c, text);
    assert_string_equal(text, "450");
    assert_int_equal(apply(&c, 100, "USD", "KZT"), 45000);
    assert_int_equal(conversion_by(b, BANK_KZ, "KZT", "USD", day("2026-03-01"), day("2026-03-03"), &c, NULL),
                     ERR_OK);
    conversion_text(&c, text);
    assert_string_equal(text, "0.0022222222");
    rate_book_destroy(b);
}

static void a_level_is_converted_by_the_last_day_of_its_period(void **state)
{
    (void)state;
    struct rate_book *b = book();
    struct conversion c;
    struct period march = {PERIOD_MONTH, day("2026-03-01")};
    take(b, BANK_KZ, "2026-03-31", "2026-03-31", "500.5", NULL);
    assert_int_equal(conversion_of(b, "KZT", "USD", "KZT", false, march, &c), ERR_OK);
    assert_int_equal(c.days, 1);
    assert_int_equal(apply(&c, 1, "USD", "KZT"), 500);  // 500.5, to the even one
    assert_int_equal(apply(&c, 3, "USD", "KZT"), 1502); // 1501.5
    assert_int_equal(apply(&c, -1, "USD", "KZT"), -500);
    assert_int_equal(apply(&c, -3, "USD", "KZT"), -1502);
    assert_int_equal(conversion_of(b, "KZT", "USD", "KZT", true, march, &c),
                     ERR_NOT_FOUND); // its other days lack
    rate_book_destroy(b);
}

static void two_foreign_currencies_go_through_the_parks_bank(void **state)
{
    (void)state;
    struct rate_book *b = book();
    struct conversion c;
    struct period p = {PERIOD_DAY, day("2026-03-02")};
    take(b, BANK_KZ, "2026-03-02", "2026-03-02", "500", "4");
    take(b, BANK_KG, "2026-03-02", "2026-03-02", "80", NULL);
    assert_int_equal(conversion_of(b, "KZT", "USD", "UZS", true, p, &c), ERR_OK);
    assert_int_equal(c.bank, BANK_KZ);
    assert_int_equal(apply(&c, 1, "USD", "UZS"), 12500);
    assert_int_equal(conversion_of(b, "KGS", "USD", "KGS", true, p, &c), ERR_OK);
    assert_int_equal(c.bank, BANK_KG);
    assert_int_equal(conversion_of(b, "KGS", "USD", "UZS", true, p, &c),
                     ERR_OK); // Kyrgyzstan has no soums: the pivot
    assert_int_equal(c.bank, BANK_KZ);
    assert_int_equal(conversion_of(b, "USD", "USD", "KZT", true, p, &c),
                     ERR_OK); // a park that counts in dollars
    assert_int_equal(c.bank, BANK_KZ);
    assert_int_equal(conversion_of(b, "KZT", "USD", "RUB", true, p, &c), ERR_NOT_FOUND);
    rate_book_destroy(b);
}

static void days_between_answers_take_the_rates_of_before_and_say_so(void **state)
{
    (void)state;
    struct rate_book *b = book();
    struct conversion c;
    int32_t lacking = 0;
    take(b, BANK_KZ, "2026-03-13", "2026-03-13", "500", NULL);
    take(b, BANK_KZ, "2026-03-15", "2026-03-13", "500", NULL); // Sunday; nobody asked on Saturday
    take(b, BANK_KZ, "2026-03-18", "2026-03-18", "510", NULL);
    assert_int_equal(
        conversion_by(b, BANK_KZ, "USD", "KZT", day("2026-03-13"), day("2026-03-19"), &c, &lacking), ERR_OK);
    assert_int_equal(c.days, 6);
    assert_int_equal(c.carried, 4);
    assert_true(c.from == (5 * INT64_C(500) + 510) * RATE_UNIT);
    // Nobody knows tomorrow's, nor those of before the first answer.
    assert_int_equal(
        conversion_by(b, BANK_KZ, "USD", "KZT", day("2026-03-18"), day("2026-03-20"), &c, &lacking),
        ERR_NOT_FOUND);
    assert_int_equal(lacking, day("2026-03-19"));
    assert_int_equal(
        conversion_by(b, BANK_KZ, "USD", "KZT", day("2026-03-12"), day("2026-03-14"), &c, &lacking),
        ERR_NOT_FOUND);
    assert_int_equal(lacking, day("2026-03-12"));
    // Sixteen days old is too old.
    take(b, BANK_KZ, "2026-04-10", "2026-04-10", "520", NULL);
    assert_int_equal(
        conversion_by(b, BANK_KZ, "USD", "KZT", day("2026-04-02"), day("2026-04-03"), &c, &lacking), ERR_OK);
    assert_int_equal(
        conversion_by(b, BANK_KZ, "USD", "KZT", day("2026-04-03"), day("2026-04-04"), &c, &lacking),
        ERR_NOT_FOUND);
    rate_book_destroy(b);
}

static void a_rate_is_read_from_the_dearer_of_the_two_currencies(void **state)
{
    (void)state;
    static const struct {
        int64_t from, to;
        const char *of, *in, *text;
    } rows[] = {{INT64_C(5116800000000), RATE_UNIT, "USD", "KZT", "1 USD = 511.68 KZT"},
                {RATE_UNIT, INT64_C(5116800000000), "KZT", "USD", "1 USD = 511.68 KZT"},
                {2 * RATE_UNIT, 3 * RATE_UNIT, "KGS", "KZT", "1 KZT = 1.5 KGS"},
                {3 * RATE_UNIT, 2 * RATE_UNIT, "KGS", "KZT", "1 KGS = 1.5 KZT"},
                {7, 7, "RUB", "KZT", "1 RUB = 1 KZT"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conversion c = {.from = rows[i].from, .to = rows[i].to, .days = 1};
        char text[CONVERSION_PAIR_TEXT];
        memcpy(c.of, rows[i].of, 4);
        memcpy(c.in, rows[i].in, 4);
        conversion_pair_text(&c, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void what_is_missing_stays_missing_and_too_much_is_refused(void **state)
{
    (void)state;
    struct conversion c = {.from = 1000000 * RATE_UNIT, .to = 1, .days = 1};
    struct figure out = figure_missing(), in, real;
    const struct currency *kzt = currency_find("KZT"), *usd = currency_find("USD");
    assert_int_equal(conversion_apply(&c, figure_missing(), usd, kzt, &out), ERR_OK);
    assert_int_equal(out.kind, FIGURE_MISSING);
    assert_int_equal(figure_from_integer(MONEY_MINOR_MAX, &in), ERR_OK);
    assert_int_equal(figure_from_real(0.5, &real), ERR_OK);
    assert_int_equal(conversion_apply(&c, in, usd, kzt, &out), ERR_TOO_BIG);
    assert_int_equal(conversion_apply(&c, real, usd, kzt, &out), ERR_INVALID);
    assert_int_equal(out.kind, FIGURE_MISSING);
    c.to = c.from;
    assert_int_equal(conversion_apply(&c, in, usd, kzt, &out), ERR_OK);
    assert_true(out.integer == MONEY_MINOR_MAX);
}

static void one_currency_needs_no_rates(void **state)
{
    (void)state;
    struct rate_book *b = book();
    struct conversion c;
    assert_int_equal(
        conversion_of(b, "KZT", "USD", "USD", true, (struct period){PERIOD_YEAR, day("2026-01-01")}, &c),
        ERR_OK);
    assert_true(c.same);
    assert_int_equal(apply(&c, 17, "USD", "USD"), 17);
    rate_book_destroy(b);
}

// ---- against decimal fractions
// ---------------------------------------------------------------------------------------------------------------

static const char *const codes[] = {"KZT", "USD", "UZS", "RUB", "KGS"};
static const char *const typical[BANKS][5] = { // of 1, 1, 100, 1, 1 units
    [BANK_KZ] = {NULL, "478.52", "3.95", "5.31", "5.47"},
    [BANK_UZ] = {"25.32", "12150.31", NULL, "134.45", "138.92"},
    [BANK_RU] = {"0.188315", "90.1127", "0.743819", NULL, "1.03044"},
    [BANK_KG] = {"0.1827", "87.4500", NULL, "0.9704", NULL}};

static void invent_answer(struct random *rnd, struct rate_book *b, FILE *f, enum bank bank, int32_t asked)
{
    struct rates r = {.bank = bank, .asked = asked, .answered = asked - (int32_t)random_below(rnd, 4) / 3};
    for (int i = 0; i < 5; i++) {
        struct rate *rate = &r.list[r.count];
        char text[RATE_TEXT];
        if (!typical[bank][i] || random_below(rnd, 400) == 0)
            continue;
        assert_int_equal(rate_parse(codes[i], i == 2 ? "100" : "1", typical[bank][i], '.', rate, NULL),
                         ERR_OK);
        rate->value += rate->value * (int64_t)random_below(rnd, 2000) / 10000 + (int64_t)random_below(rnd, 3);
        rate_text(rate, text);
        fprintf(f, "rate %s %d %d %s %u %s\n", bank_info(bank)->code, asked, r.answered, codes[i],
                rate->quant, text);
        r.count++;
    }
    if (r.count > 0)
        assert_int_equal(rate_book_take(b, &r), ERR_OK);
}

static void invent_question(struct random *rnd, const struct rate_book *b, FILE *f, int32_t from, int days)
{
    enum period_kind kind = (enum period_kind)(PERIOD_DAY + (int)random_below(rnd, 4));
    struct period p = period_containing(kind, from + (int32_t)random_below(rnd, (uint64_t)days));
    const char *park = codes[random_below(rnd, 5)], *a = codes[random_below(rnd, 5)],
               *z = codes[random_below(rnd, 5)];
    bool flow = random_below(rnd, 2) == 0;
    int64_t most = random_below(rnd, 2) ? 1000 : INT64_C(100000000000);
    int64_t minor = (int64_t)random_below(rnd, (uint64_t)most) - most / 4;
    struct conversion c;
    struct figure in, out = figure_missing();
    char answer[FIGURE_TEXT];
    assert_int_equal(figure_from_integer(minor, &in), ERR_OK);
    if (conversion_of(b, park, a, z, flow, p, &c) == ERR_OK)
        assert_int_equal(conversion_apply(&c, in, currency_find(a), currency_find(z), &out), ERR_OK);
    figure_text(out, answer);
    fprintf(f, "ask %s %s %s %s %d %d %" PRId64 " %s\n", park, a, z, flow ? "flow" : "level", p.start,
            period_end(p), minor, out.kind == FIGURE_MISSING ? "missing" : answer);
}

static void twenty_thousand_conversions_are_what_decimal_fractions_make_of_them(void **state)
{
    (void)state;
    struct test_folder folder;
    char path[TEST_PATH];
    struct random rnd = {.state = 20260322};
    struct rate_book *b = book();
    int32_t from = day("2022-01-01");
    int days = 5 * 365, status = -1;
    assert_int_equal(test_folder_make(&folder), 0);
    test_folder_path(&folder, "cases", path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int bank = 0; bank < BANKS; bank++)
        for (int i = 0; i < days; i++) // now and then a day, and once three weeks, without
            if (random_below(&rnd, 20) > 0 && (i < 700 || i > 720))
                invent_answer(&rnd, b, f, (enum bank)bank, from + i);
    for (int i = 0; i < 20000; i++)
        invent_question(&rnd, b, f, from, days);
    assert_int_equal(fclose(f), 0);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("python3", "python3", "tests/unit/kpi/convert_check.py", path, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(test_folder_remove(&folder), 0);
    rate_book_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_is_converted_by_the_average_of_its_days),
        cmocka_unit_test(a_level_is_converted_by_the_last_day_of_its_period),
        cmocka_unit_test(two_foreign_currencies_go_through_the_parks_bank),
        cmocka_unit_test(days_between_answers_take_the_rates_of_before_and_say_so),
        cmocka_unit_test(a_rate_is_read_from_the_dearer_of_the_two_currencies),
        cmocka_unit_test(what_is_missing_stays_missing_and_too_much_is_refused),
        cmocka_unit_test(one_currency_needs_no_rates),
        cmocka_unit_test(twenty_thousand_conversions_are_what_decimal_fractions_make_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
