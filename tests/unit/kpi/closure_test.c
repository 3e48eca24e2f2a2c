// Which word about a period counts, and the documents that carry them.
#include "kpi/closure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct period period(const char *text)
{
    struct period p;
    assert_int_equal(period_parse(text, &p), ERR_OK);
    return p;
}

static void say(struct closure_book *b, const char *text, const char *kpi, bool reopens)
{
    struct closure c = {.period = period(text), .reopens = reopens};
    snprintf(c.park, sizeof c.park, "almaty-iz");
    snprintf(c.kpi, sizeof c.kpi, "%s", kpi);
    c.position = closure_book_count(b) * 10 + 10;
    c.received_us = (int64_t)c.position * 100;
    assert_int_equal(closure_book_take(b, &c), ERR_OK);
}

static uint64_t closed_at(const struct closure_book *b, const char *kpi, const char *text, int64_t as_of_us,
                          uint64_t before)
{
    const struct closure_question q = {"almaty-iz", kpi, period(text), as_of_us, before};
    const struct closure *c = closure_book_find(b, &q);
    return c ? c->position : 0;
}

static void the_last_word_that_covers_a_period_counts(void **state)
{
    struct closure_book *b;
    (void)state;
    assert_int_equal(closure_book_create(&b), ERR_OK);
    say(b, "2025", "", false);       // 10
    say(b, "2025-03", "", true);     // 20
    say(b, "2025-03", "inv", false); // 30
    say(b, "2026-01-05", "", false); // 40
    assert_int_equal(closed_at(b, "inv", "2025-02", 0, 0), 10);
    assert_int_equal(closed_at(b, "inv", "2025-Q1", 0, 0), 10);
    assert_int_equal(closed_at(b, "inv", "2025-02-28", 0, 0), 10);
    assert_int_equal(closed_at(b, "inv", "2025", 0, 0), 10);
    assert_int_equal(closed_at(b, "jobs_total", "2025-03", 0, 0), 0);
    assert_int_equal(closed_at(b, "inv", "2025-03", 0, 0), 30);
    assert_int_equal(closed_at(b, "inv", "2025-03-31", 0, 0), 30);
    assert_int_equal(closed_at(b, "inv", "2024-12", 0, 0), 0);
    assert_int_equal(closed_at(b, "inv", "2026-01-05", 0, 0), 40);
    assert_int_equal(closed_at(b, "inv", "2026-01", 0, 0), 0); // a month is more than its one closed day
    closure_book_destroy(b);
}

static void what_was_closed_then_can_be_asked_for(void **state)
{
    struct closure_book *b;
    (void)state;
    assert_int_equal(closure_book_create(&b), ERR_OK);
    say(b, "2025", "", false);
    say(b, "2025", "", true);
    say(b, "2025", "", false);
    assert_int_equal(closed_at(b, "inv", "2025-03", 999, 0), 0);
    assert_int_equal(closed_at(b, "inv", "2025-03", 1000, 0), 10);
    assert_int_equal(closed_at(b, "inv", "2025-03", 2000, 0), 0);
    assert_int_equal(closed_at(b, "inv", "2025-03", 3000, 0), 30);
    assert_int_equal(closed_at(b, "inv", "2025-03", 0, 10), 0);
    assert_int_equal(closed_at(b, "inv", "2025-03", 0, 11), 10);
    assert_int_equal(closed_at(b, "inv", "2025-03", 0, 21), 0);
    closure_book_destroy(b);
}

static void a_series_of_another_park_or_a_day_that_is_none_is_open(void **state)
{
    struct closure_book *b;
    const int32_t march = period("2025-03").start;
    (void)state;
    assert_int_equal(closure_book_create(&b), ERR_OK);
    assert_null(closure_of(NULL, "almaty-iz/acme/inv", PERIOD_MONTH, march, 0, 0));
    say(b, "2025", "", false);
    assert_non_null(closure_of(b, "almaty-iz/acme/inv", PERIOD_MONTH, march, 0, 0));
    assert_non_null(closure_of(b, "almaty-iz/acme/inv/land", PERIOD_MONTH, march, 0, 0));
    assert_null(closure_of(b, "almaty/acme/inv", PERIOD_MONTH, march, 0, 0));
    assert_null(closure_of(b, "nonsense", PERIOD_MONTH, march, 0, 0));
    assert_null(closure_of(b, "almaty-iz/acme/inv", PERIOD_MONTH, march + 1, 0, 0));
    assert_null(closure_of(b, "almaty-iz/acme/inv", PERIOD_NONE, march, 0, 0));
    assert_null(closure_of(b, "almaty-iz/acme/inv", PERIOD_DAY, INT64_MAX, 0, 0));
    closure_book_destroy(b);
}

static void a_document_reads_back(void **state)
{
    struct closure c = {.period = period("2026-Q1"), .reopens = true}, read = {.reopens = false};
    struct buf text;
    struct diag d = {""};
    (void)state;
    snprintf(c.kpi, sizeof c.kpi, "inv");
    snprintf(c.reason, sizeof c.reason, "поздний счёт, № 7");
    buf_init(&text, CLOSURE_DOCUMENT_MAX);
    assert_int_equal(closure_write(&c, &text), ERR_OK);
    if (closure_read(text.data, text.len, &read, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(read.period.kind, c.period.kind);
    assert_int_equal(read.period.start, c.period.start);
    assert_true(read.reopens);
    assert_string_equal(read.kpi, c.kpi);
    assert_string_equal(read.reason, c.reason);
    buf_deinit(&text);
}

static void what_is_no_document_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "closure 2\nperiod 2026-03\nstate closed\n",
                                      "closure 1\n",
                                      "closure 1\nstate closed\n",
                                      "closure 1\nperiod 2026-13\nstate closed\n",
                                      "closure 1\nperiod 2026-03\nstate shut\n",
                                      "closure 1\nperiod 2026-03\nkpi In v\n",
                                      "closure 1\nperiod 2026-03\nuntil 2027\n",
                                      "closure 1\nperiod 2026-03\nkpi inv\nkpi in\n",
                                      "closure 1\nperiod\n"};
    struct closure c = {.reason = "before"};
    struct buf text;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (closure_read(bad[i], strlen(bad[i]), &c, NULL) != ERR_INVALID)
            fail_msg("row %zu was read", i);
    assert_string_equal(c.reason, "before");
    c = (struct closure){.period = period("2026-03"), .reason = "two\nlines"};
    buf_init(&text, CLOSURE_DOCUMENT_MAX);
    assert_int_equal(closure_write(&c, &text), ERR_INVALID);
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_word_that_covers_a_period_counts),
        cmocka_unit_test(what_was_closed_then_can_be_asked_for),
        cmocka_unit_test(a_series_of_another_park_or_a_day_that_is_none_is_open),
        cmocka_unit_test(a_document_reads_back),
        cmocka_unit_test(what_is_no_document_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
