#include "dashboards/html.h"
#include "dashboards/show.h"
#include "dashboards/writer.h"
#include "kpi/tally.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NBSP "\xc2\xa0"

static void everything_put_into_markup_is_escaped(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    html_put(&b, "<a title=\"%s\">%s %d%% %zu</a>", "\" onclick='x'", "<script>&", -5, (size_t)7);
    assert_string_equal(buf_str(&b), "<a title=\"&quot; onclick=&#39;x&#39;\">&lt;script&gt;&amp; -5% 7</a>");
    buf_reset(&b);
    html_put(&b, "%s", "%s%n%d");
    assert_string_equal(buf_str(&b), "%s%n%d");
    buf_reset(&b);
    html_url(&b, "/a b?c&d=\"<ә");
    assert_string_equal(buf_str(&b), "/a%20b%3Fc%26d%3D%22%3C%D3%99");
    buf_deinit(&b);
}

static void json_is_escaped_and_its_numbers_are_the_shortest_exact_ones(void **state)
{
    (void)state;
    struct buf b;
    struct writer w;
    struct figure f;
    buf_init(&b, 2000);
    writer_init(&w, &b);
    writer_object(&w, NULL);
    writer_text(&w, "a\"\\", "x\n\t\"\\\x01<ә");
    static const double reals[] = {57.49999999999999, 92.2, 0.1, 1e22, 5e-324, 9007199254740992.0, -0.0};
    writer_array(&w, "n");
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        if (figure_from_real(reals[i], &f))
            fail();
        writer_figure(&w, NULL, f);
    }
    writer_figure(&w, NULL, figure_missing());
    writer_end_array(&w);
    if (figure_from_integer(1250, &f))
        fail();
    writer_figure_scaled(&w, "m", f, 2);
    writer_end_object(&w);
    const char *text = buf_str(&b);
    static const char *const wanted[] = {"57.49999999999999,",       "92.2,",        "0.1,",     "1e+22",
                                         "9007199254740992,0,null]", "\"m\":12.50}", "\\u0001<ә"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(text, wanted[i]))
            fail_msg("%s is not in %s", wanted[i], text);
    buf_deinit(&b);
}

static struct figure real(double v)
{
    struct figure f;
    assert_int_equal(figure_from_real(v, &f), ERR_OK);
    return f;
}

static void figures_are_shown_as_their_readers_write_them(void **state)
{
    (void)state;
    char out[SHOW_TEXT];
    const struct measure kzt = {.currency = currency_find("KZT"), .currency_code = "KZT"}, none = {0};
    show_number(out, real(1234567.5), 0, LANG_EN);
    assert_string_equal(out, "1,234,567.5");
    show_number(out, real(-1234567.5), 0, LANG_RU);
    assert_string_equal(out, "−1" NBSP "234" NBSP "567,5");
    show_number(out, real(999), 0, LANG_EN);
    assert_string_equal(out, "999");
    show_exact(out, real(1250), &kzt, LANG_EN);
    assert_string_equal(out, "12.50" NBSP "KZT");
    show_short(out, real(1700000000000), &kzt, LANG_EN);
    assert_string_equal(out, "17" NBSP "bn");
    show_short(out, real(1234567890), &kzt, LANG_RU);
    assert_string_equal(out, "12,35" NBSP "млн");
    show_short(out, real(57.49999999999999), &none, LANG_EN);
    assert_string_equal(out, "57.5");
    show_short(out, real(412), &none, LANG_EN);
    assert_string_equal(out, "412");
    show_short(out, real(999999), &none, LANG_EN);
    assert_string_equal(out, "999,999");
    show_number(out, figure_missing(), 0, LANG_EN);
    assert_string_equal(out, "unknown");
}

static void a_rate_is_shown_as_other_figures_are(void **state)
{
    (void)state;
    char out[SHOW_TEXT];
    const struct conversion c = {
        .from = 12650 * RATE_UNIT + RATE_UNIT / 4, .to = RATE_UNIT, .of = "USD", .in = "UZS"};
    show_rate(out, &c, LANG_EN);
    assert_string_equal(out, "1 USD = 12,650.25 UZS");
    show_rate(out, &c, LANG_RU);
    assert_string_equal(out, "1 USD = 12" NBSP "650,25 UZS");
}

static void a_percentage_is_never_rounded_up_to_a_target_that_is_not_reached(void **state)
{
    (void)state;
    char out[SHOW_TEXT];
    static const struct {
        double v;
        const char *wanted;
    } cases[] = {{500.0 / 3, "166.7%"}, {53.57, "53.6%"},   {12.25, "12.2%"}, {12.35, "12.4%"},
                 {1.15, "1.2%"},        {99.94, "99.9%"},   {99.99, "99.9%"}, {100, "100%"},
                 {100.04, "100%"},      {100.06, "100.1%"}, {0, "0%"},        {0.003, "0.003%"},
                 {1666.5, "1,666%"},    {-0.04, "−0.04%"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show_per_cent(out, real(cases[i].v), LANG_EN);
        assert_string_equal(out, cases[i].wanted);
    }
    show_per_cent(out, real(53.57), LANG_RU);
    assert_string_equal(out, "53,6" NBSP "%");
}

static void ages_are_told_in_one_unit(void **state)
{
    (void)state;
    char out[SHOW_TEXT];
    const int64_t now = INT64_C(1772366400000000);
    static const struct {
        int64_t s;
        const char *wanted;
    } cases[] = {{-5, "just now"},   {1, "just now"},   {12, "12 s ago"},   {119, "119 s ago"},
                 {120, "2 min ago"}, {7200, "2 h ago"}, {172800, "2 d ago"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show_ago(out, now - cases[i].s * 1000000, now, LANG_EN);
        assert_string_equal(out, cases[i].wanted);
    }
}

static void sums_are_exact_while_figures_are_whole_and_missing_is_never_zero(void **state)
{
    (void)state;
    struct tally t = {0};
    assert_int_equal(tally_sum(&t).kind, FIGURE_MISSING);
    assert_int_equal(tally_average(&t).kind, FIGURE_MISSING);
    tally_add(&t, figure_missing());
    assert_int_equal(tally_sum(&t).kind, FIGURE_MISSING);
    tally_add(&t, real(9007199254740991));
    tally_add(&t, real(-9007199254740990));
    assert_int_equal(tally_sum(&t).integer, 1);
    struct tally tenths = {0};
    for (int i = 0; i < 10; i++)
        tally_add(&tenths, real(0.1));
    assert_float_equal(figure_to_real(tally_sum(&tenths)), 1.0, 1e-15);
    assert_int_equal(t.missing, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_put_into_markup_is_escaped),
        cmocka_unit_test(json_is_escaped_and_its_numbers_are_the_shortest_exact_ones),
        cmocka_unit_test(figures_are_shown_as_their_readers_write_them),
        cmocka_unit_test(a_rate_is_shown_as_other_figures_are),
        cmocka_unit_test(a_percentage_is_never_rounded_up_to_a_target_that_is_not_reached),
        cmocka_unit_test(ages_are_told_in_one_unit),
        cmocka_unit_test(sums_are_exact_while_figures_are_whole_and_missing_is_never_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
