#include "dashboards/check/options.h"
#include "dashboards/check/range.h"
#include "dashboards/check/verdict.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void ranges_alert_as_plugins_do(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        double value;
        bool alert;
    } cases[] = {{"10", -0.1, true},   {"10", 0, false},     {"10", 10, false},     {"10", 10.1, true},
                 {"10:", 9.9, true},   {"10:", 10, false},   {"10:", 1e300, false}, {"~:10", -1e300, false},
                 {"~:10", 10, false},  {"~:10", 10.5, true}, {"10:20", 9, true},    {"10:20", 15, false},
                 {"10:20", 21, true},  {"@10:20", 10, true}, {"@10:20", 20, true},  {"@10:20", 21, false},
                 {"@10:20", 9, false}, {"-5:-1", -3, false}, {"-5:-1", 0, true},    {"0.1:0.2", 0.15, false},
                 {"~:", 5, false},     {"5:5", 5, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct check_range r;
        if (check_range_parse(cases[i].range, &r) || check_range_alerts(&r, cases[i].value) != cases[i].alert)
            fail_msg("%s of %g", cases[i].range, cases[i].value);
    }
}

static void ranges_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "@",    "a",   "10:5", "1:2:3", "~",    "~10", "10:~",
                                      "1 0", "0x10", "inf", "nan:", "@@1",   "10,5", "-"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct check_range r;
        if (!check_range_parse(bad[i], &r))
            fail_msg("'%s' was taken", bad[i]);
    }
}

#define NOW_S INT64_C(1772366400) // 2026-03-01T12:00:00Z
static struct check_verdict judged;

static enum check_status judge(const char *arguments, const char *answer)
{
    char words[400], *argv[16];
    struct check_options o;
    int argc = 0;
    snprintf(words, sizeof words, "esep-check %s", arguments);
    for (char *save = NULL, *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    assert_int_equal(check_options_parse(argc, argv, &o, NULL), ERR_OK);
    check_judge(&o, answer, (struct wall){NOW_S * US_PER_S}, &judged);
    return judged.status;
}

#define MACHINE(time, value)                                                                                 \
    "{\"series\":[{\"name\":\"a/b/"                                                                          \
    "c\",\"unit\":\"piece\",\"currency\":null,\"class\":\"measurement\",\"step\":10,\"period\":null,"        \
    "\"latest\":{\"time\":" time ",\"value\":" value "}}]}"
#define REPORT(period, end, value)                                                                           \
    "{\"series\":[{\"name\":\"a/b/"                                                                          \
    "c\",\"unit\":\"person\",\"currency\":null,\"class\":\"report\",\"step\":null,\"period\":\"month\","     \
    "\"latest\":{\"time\":1,\"period\":\"" period "\",\"period_end\":" end ",\"value\":" value "}}]}"

static void a_figure_is_judged_and_printed_in_one_line(void **state)
{
    (void)state;
    assert_int_equal(judge("a/b/c -w 400: -c 350:", REPORT("2026-01", "1769904000", "412")), CHECK_OK);
    assert_string_equal(judged.line, "ESEP OK - a/b/c = 412 person (2026-01) | c=412;400:;350:");
    assert_int_equal(judge("a/b/c -w 420: -c 350:", REPORT("2026-01", "1769904000", "412")), CHECK_WARNING);
    assert_int_equal(judge("a/b/c -w 420: -c 415:", REPORT("2026-01", "1769904000", "412")), CHECK_CRITICAL);
    assert_int_equal(judge("a/b/c", MACHINE("1772366390", "57.49999999999999")), CHECK_OK);
    assert_string_equal(
        judged.line,
        "ESEP OK - a/b/c = 57.49999999999999 piece (2026-03-01T11:59:50Z) | c=57.49999999999999;;");
}

static void what_is_stale_missing_or_not_an_answer_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(judge("a/b/c", MACHINE("1772366339", "5")), CHECK_UNKNOWN); // 61 s
    assert_non_null(strstr(judged.line, "stale"));
    assert_int_equal(judge("a/b/c --max-age 2m", MACHINE("1772366339", "5")), CHECK_OK);
    assert_int_equal(judge("a/b/c", REPORT("2025-11", "1764547200", "412")),
                     CHECK_UNKNOWN); // ended 90 days ago
    assert_int_equal(judge("a/b/c --max-age 91d", REPORT("2025-11", "1764547200", "412")), CHECK_OK);
    assert_int_equal(judge("a/b/c", MACHINE("1772366390", "null")), CHECK_UNKNOWN);
    assert_int_equal(judge("a/b/c", "{\"series\":[]}"), CHECK_UNKNOWN);
    assert_non_null(strstr(judged.line, "there is no series a/b/c for who asks without a token"));
    assert_non_null(strstr(judged.line, "--token-file FILE is needed"));
    assert_int_equal(judge("a/b/c --token-file t", "{\"series\":[]}"), CHECK_UNKNOWN);
    assert_non_null(strstr(judged.line, "or not for whom the token is of"));
    assert_int_equal(judge("a/b/c", "<html>"), CHECK_UNKNOWN);
    assert_int_equal(judge("a/b/c", "{\"series\":[{\"latest\":null}]}"), CHECK_UNKNOWN);
    assert_int_equal(judge("a/b/c", ""), CHECK_UNKNOWN);
}

static void a_total_is_judged_by_its_period_like_a_report(void **state)
{
    (void)state;
#define TOTAL(period, end)                                                                                   \
    "{\"series\":[{\"name\":\"a/all/"                                                                        \
    "c\",\"unit\":\"person\",\"currency\":null,\"class\":\"computed\",\"step\":"                             \
    "null,\"period\":\"month\",\"latest\":{\"time\":1,\"period\":\"" period "\",\"period_end\":" end         \
    ",\"value\":412}}]}"
    assert_int_equal(judge("a/all/c -w 400:", TOTAL("2026-01", "1769904000")), CHECK_OK);
    assert_string_equal(judged.line, "ESEP OK - a/all/c = 412 person (2026-01) | c=412;400:;");
    assert_int_equal(judge("a/all/c", TOTAL("2025-11", "1764547200")), CHECK_UNKNOWN); // ended 90 days ago
    assert_non_null(strstr(judged.line, "stale"));
}

static void a_hostile_unit_cannot_begin_performance_data(void **state)
{
    (void)state;
    assert_int_equal(judge("a/b/c", "{\"series\":[{\"unit\":\"x | "
                                    "evil=1\\n\",\"class\":\"measurement\",\"step\":10,\"latest\":{\"time\":"
                                    "1772366390,\"value\":1}}]}"),
                     CHECK_OK);
    assert_ptr_equal(strchr(judged.line, '|'), strrchr(judged.line, '|'));
    assert_null(strchr(judged.line, '\n'));
}

static void wrong_arguments_are_named(void **state)
{
    (void)state;
    static const char *const bad[][4] = {{"x"},
                                         {"a/b/c", "-w"},
                                         {"a/b/c", "-w", "5:1"},
                                         {"a/b/c", "--colour", "red"},
                                         {"a/b/c", "d/e/f"},
                                         {"a/b/c", "--max-age", "5 hours"},
                                         {"a/b/c", "--url", "ftp://x"},
                                         {"a/b/c", "--timeout", "0"},
                                         {"-w", "1"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char name[] = "esep-check", *argv[5] = {name};
        int argc = 1;
        struct check_options o;
        struct diag d = {""};
        for (size_t k = 0; k < 4 && bad[i][k]; k++)
            argv[argc++] = (char *)(uintptr_t)bad[i][k];
        if (!check_options_parse(argc, argv, &o, &d) || !*d.text)
            fail_msg("case %zu was taken", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_alert_as_plugins_do),
        cmocka_unit_test(ranges_that_are_none_are_refused),
        cmocka_unit_test(a_figure_is_judged_and_printed_in_one_line),
        cmocka_unit_test(what_is_stale_missing_or_not_an_answer_is_unknown),
        cmocka_unit_test(a_total_is_judged_by_its_period_like_a_report),
        cmocka_unit_test(a_hostile_unit_cannot_begin_performance_data),
        cmocka_unit_test(wrong_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
