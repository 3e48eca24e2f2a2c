// Sums over a park's calendar: which figures belong to a span, as known by when, in which money.
#include "store/ledger_keep.h"
#include "store/rollup.h"
#include "store/sums.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define HOUR INT64_C(3600)

struct fixture {
    struct store store;
    struct store_stream stream;
    struct reader *reader;
    struct observations *writer;
    struct observations_reader *view;
    struct zone *almaty;
};

static const char *const names[] = {"almaty-iz/one/out_units", "almaty-iz/one/out_value", "almaty-iz/one/inv",
                                    "almaty-iz/one/jobs_total"};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    store_create(&f->store);
    f->stream = store_agent(&f->store, "almaty-iz/one", 1);
    store_declare(&f->store, &f->stream, 0, names[0], WIRE_MEASUREMENT, 3600, 0);
    struct ledger_series value = store_series(names[1], WIRE_MEASUREMENT, 3600, 0), out;
    struct ledger_series inv = store_series(names[2], WIRE_REPORT, 0, PERIOD_MONTH);
    memcpy(value.currency, "KZT", 4);
    memcpy(inv.currency, "KZT", 4);
    store_begin(&f->store);
    assert_int_equal(ledger_declare(f->store.ledger, f->stream.stream_id, 1, &value, &out, &f->store.diag),
                     ERR_OK);
    assert_int_equal(ledger_declare(f->store.ledger, f->stream.stream_id, 2, &inv, &out, &f->store.diag),
                     ERR_OK);
    store_commit(&f->store);
    store_declare(&f->store, &f->stream, 3, names[3], WIRE_REPORT, 0, PERIOD_QUARTER);
    assert_int_equal(reader_open(f->store.folder, &f->reader, &f->store.diag), ERR_OK);
    assert_int_equal(observations_open(f->store.folder, &f->writer, &f->store.diag), ERR_OK);
    assert_int_equal(observations_reader_open(f->store.folder, &f->view, &f->store.diag), ERR_OK);
    assert_int_equal(zone_load(NULL, "Asia/Almaty", &f->almaty, &f->store.diag), ERR_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    zone_free(f->almaty);
    observations_reader_close(f->view);
    observations_close(f->writer);
    reader_close(f->reader);
    store_destroy(&f->store);
    free(f);
    return 0;
}

static void advance(struct fixture *f)
{
    size_t rows = 1;
    while (rows > 0)
        assert_int_equal(observations_advance(f->writer, f->reader, 1000, &rows, &f->store.diag), ERR_OK);
}

static int32_t day(const char *text)
{
    struct period p;
    assert_int_equal(period_parse(text, &p), ERR_OK);
    return p.start;
}

static const struct ledger_series *series(struct fixture *f, int number)
{
    const struct ledger_series *s = NULL;
    assert_int_equal(reader_series_by_name(f->reader, names[number], &s, &f->store.diag), ERR_OK);
    return s;
}

#define SPANS 64
struct asked {
    struct sums_query q;
    struct span spans[SPANS];
    struct span_sum sums[SPANS];
};

static void prepare(struct fixture *f, struct asked *a, int number, const struct calendar *c,
                    enum span_kind k, const char *from, const char *to)
{
    *a = (struct asked){.q = {.series = series(f, number),
                              .zone = f->almaty,
                              .spans = a->spans,
                              .flow = true,
                              .park_currency = "KZT"}};
    a->q.count = calendar_spans(c, k, day(from), day(to), a->spans, SPANS);
    assert_true(a->q.count <= SPANS);
}

static void ask(struct fixture *f, struct asked *a)
{
    enum err e = sums_read(f->view, f->reader, &a->q, a->sums, &f->store.diag);
    if (e != ERR_OK)
        fail_msg("sums_read: %s: %s", err_name(e), f->store.diag.text);
}

static void expect(const struct span_sum *s, const char *sum, uint64_t known, uint64_t expected)
{
    char text[TALLY_TEXT];
    tally_text(&s->tally, 0, text);
    assert_string_equal(text, sum);
    assert_int_equal(s->known, known);
    assert_int_equal(s->expected, expected);
}

static void measure(struct fixture *f, uint32_t number, int64_t time, int64_t value)
{
    store_one(&f->store, &f->stream, WIRE_MEASUREMENT, number, time, store_integer(value));
}

// One unit each hour of three days, the middle one of which has 25.
static void measure_leap_days(struct fixture *f)
{
    int64_t from = zone_midnight(f->almaty, day("2024-02-28")),
            to = zone_midnight(f->almaty, day("2024-03-02"));
    for (int64_t t = from + HOUR; t <= to; t += HOUR)
        measure(f, 0, t, 1);
}

static void a_local_day_has_its_hours_and_the_months_are_its_days(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    measure_leap_days(f);
    advance(f);
    prepare(f, &a, 0, &calendar_default, SPAN_DAY, "2024-02-27", "2024-03-03");
    ask(f, &a);
    static const char *const days[] = {"", "24", "25", "24", ""};
    static const uint64_t known[] = {0, 24, 25, 24, 0}, expected[] = {24, 24, 25, 24, 24};
    for (int i = 0; i < 5; i++)
        expect(&a.sums[i], days[i], known[i], expected[i]);
    prepare(f, &a, 0, &calendar_default, SPAN_MONTH, "2024-02-01", "2024-04-01");
    ask(f, &a);
    expect(&a.sums[0], "49", 49, 29 * 24 + 1);
    expect(&a.sums[1], "24", 24, 31 * 24);
    a.q.until_s = zone_midnight(f->almaty, day("2024-03-02"));
    ask(f, &a);
    expect(&a.sums[1], "24", 24, 24);
}

static void without_a_zone_days_are_utc(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    measure_leap_days(f);
    advance(f);
    prepare(f, &a, 0, &calendar_default, SPAN_DAY, "2024-02-27", "2024-03-03");
    a.q.zone = NULL;
    ask(f, &a);
    expect(&a.sums[0], "6", 6, 24); // 28 February began there at 18:00 of the 27th
    expect(&a.sums[4], "", 0, 24);
}

static void a_figure_committed_a_moment_ago_and_a_late_one_are_in_the_sum(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    int64_t noon = zone_midnight(f->almaty, day("2026-02-10")) + 12 * HOUR;
    measure(f, 0, noon, 5);
    advance(f);
    measure(f, 0, noon - HOUR, 7);
    measure(f, 0, noon, 6); // corrected
    prepare(f, &a, 0, &calendar_default, SPAN_DAY, "2026-02-10", "2026-02-11");
    ask(f, &a);
    expect(&a.sums[0], "13", 2, 24);
    store_one(&f->store, &f->stream, WIRE_MEASUREMENT, 0, noon, figure_missing());
    ask(f, &a);
    expect(&a.sums[0], "7", 1, 24);
}

static void a_measurement_is_known_from_when_it_was_received(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    int64_t noon = zone_midnight(f->almaty, day("2026-02-10")) + 12 * HOUR, then_us;
    measure(f, 0, noon, 5);
    then_us = f->store.clock.wall_us;
    fake_clock_advance_us(&f->store.clock, US_PER_S);
    measure(f, 0, noon, 6);
    measure(f, 0, noon + HOUR, 1);
    advance(f);
    prepare(f, &a, 0, &calendar_default, SPAN_MONTH, "2026-02-01", "2026-03-01");
    a.q.as_of_us = then_us;
    ask(f, &a);
    expect(&a.sums[0], "5", 1, 28 * 24);
    a.q.as_of_us = then_us - 1;
    ask(f, &a);
    expect(&a.sums[0], "", 0, 28 * 24);
}

static void years_without_figures_between_are_passed_over(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    static const char *const days[] = {"2019-03-01", "2019-03-02", "2022-06-30", "2024-02-29", "2024-03-01"};
    for (size_t i = 0; i < 5; i++)
        for (int64_t h = 1; h <= 24; h++)
            measure(f, 0, zone_midnight(f->almaty, day(days[i])) + h * HOUR, (int64_t)i + 1);
    advance(f);
    prepare(f, &a, 0, &calendar_default, SPAN_YEAR, "2019-01-01", "2025-01-01");
    ask(f, &a);
    static const char *const sums[] = {"72", "", "", "72", "", "216"};
    for (size_t i = 0; i < 6; i++) {
        char text[TALLY_TEXT];
        tally_text(&a.sums[i].tally, 0, text);
        assert_string_equal(text, sums[i]);
    }
    a.q.points_max = 120;
    ask(f, &a);
    a.q.points_max = 119;
    assert_int_equal(sums_read(f->view, f->reader, &a.q, a.sums, &f->store.diag), ERR_TOO_BIG);
    assert_non_null(strstr(f->store.diag.text, "119 points"));
}

// What cannot have been known by a moment is not read to be thrown away: here it is a figure of days ahead,
// which no collector takes, that would show it.
static void nothing_is_read_of_days_after_the_asked_moment(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    int64_t midnight = zone_midnight(f->almaty, day("2026-03-01")), then_us = f->store.clock.wall_us;
    measure(f, 0, midnight + HOUR, 5);
    measure(f, 0, midnight + 10 * 24 * HOUR, 7);
    fake_clock_advance_us(&f->store.clock, 20 * 24 * HOUR * US_PER_S);
    measure(f, 0, midnight + 20 * 24 * HOUR, 1);
    advance(f);
    prepare(f, &a, 0, &calendar_default, SPAN_MONTH, "2026-03-01", "2026-04-01");
    a.q.as_of_us = then_us;
    a.q.points_max = 1;
    ask(f, &a);
    expect(&a.sums[0], "5", 1, 31 * 24);
    a.q.as_of_us = 0;
    a.q.points_max = 3;
    ask(f, &a);
    expect(&a.sums[0], "13", 3, 31 * 24);
}

static void questions_share_a_limit(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    uint64_t read = 0;
    measure_leap_days(f); // 73 hours
    advance(f);
    prepare(f, &a, 0, &calendar_default, SPAN_MONTH, "2024-02-01", "2024-04-01");
    a.q.points_max = 100;
    a.q.points_read = &read;
    ask(f, &a);
    assert_int_equal(read, 73);
    assert_int_equal(sums_read(f->view, f->reader, &a.q, a.sums, &f->store.diag), ERR_TOO_BIG);
    assert_non_null(strstr(f->store.diag.text, "ask for a shorter time"));
}

static void refuse_and_let_in(struct fixture *f, int64_t time, int64_t value)
{
    const struct wire_sample sample = {.series = 0, .time = time, .value = store_integer(value)};
    const struct wire_refusal no = {.index = 0, .reason = WIRE_REASON_OUT_OF_RANGE};
    const uint32_t index = 0;
    struct wire_receipt let_in;
    store_begin(&f->store);
    struct wire_receipt at = store_append(&f->store, &f->stream, WIRE_MEASUREMENT, &sample, NULL, 1, &no, 1);
    assert_int_equal(ledger_add_release(f->store.ledger, at.position, &index, 1, "aigul", "it was right",
                                        &let_in, &f->store.diag),
                     ERR_OK);
    store_commit(&f->store);
}

// It lies in another stream than the one that declared the series.
static void a_figure_that_was_let_in_counts_where_it_is_the_first_or_the_only_one(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    int64_t noon = zone_midnight(f->almaty, day("2026-02-03")) + 12 * HOUR;
    refuse_and_let_in(f, noon, 1000);
    advance(f);
    prepare(f, &a, 0, &calendar_default, SPAN_MONTH, "2026-02-01", "2026-03-01");
    ask(f, &a);
    expect(&a.sums[0], "1000", 1, 28 * 24);
    measure(f, 0, noon + 10 * 24 * HOUR, 5);
    advance(f);
    ask(f, &a);
    expect(&a.sums[0], "1005", 2, 28 * 24);
    refuse_and_let_in(f, noon - 24 * HOUR, 300);
    advance(f);
    ask(f, &a);
    expect(&a.sums[0], "1305", 3, 28 * 24);
}

// ---- reports

static void report(struct fixture *f, uint32_t number, const char *period, struct figure value,
                   const struct wire_note *note)
{
    const struct wire_sample sample = {.series = number, .time = day(period), .value = value};
    store_begin(&f->store);
    store_append(&f->store, &f->stream, WIRE_REPORT, &sample, note, 1, NULL, 0);
    store_commit(&f->store);
    fake_clock_advance_us(&f->store.clock, US_PER_S);
}

static const struct wire_note published_early = {
    .reason = "", .author = "", .currency = "", .published_us = 5};
static const struct wire_note in_dollars = {.reason = "", .author = "", .currency = "USD"};

static void a_report_counts_in_the_span_that_holds_its_whole_period(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    struct calendar november = calendar_default;
    november.fiscal_year_from = 11;
    report(f, 3, "2025-10-01", store_integer(10), NULL);
    report(f, 3, "2026-01-01", store_integer(20), NULL);
    report(f, 3, "2026-07-01", store_integer(40), NULL);
    advance(f);
    prepare(f, &a, 3, &november, SPAN_YEAR, "2025-01-01", "2027-01-01");
    ask(f, &a);
    expect(&a.sums[0], "10", 1, 4);
    expect(&a.sums[1], "60", 2, 4);
    assert_true(span_sum_whole(&a.sums[1]));
    prepare(f, &a, 3, &november, SPAN_FISCAL_YEAR, "2025-10-31", "2026-11-01");
    assert_int_equal(a.q.count, 2);
    ask(f, &a);
    expect(&a.sums[0], "", 0, 3);
    expect(&a.sums[1], "60", 2, 3); // quarters of January, April, July; the one of October lies across
    assert_int_equal(a.sums[0].split, 1);
    assert_int_equal(a.sums[1].split, 1);
    assert_false(span_sum_whole(&a.sums[0]));
    prepare(f, &a, 3, &november, SPAN_MONTH, "2026-01-01", "2026-03-01");
    ask(f, &a);
    expect(&a.sums[0], "", 0, 0);
    assert_int_equal(a.sums[0].split, 1);
    assert_int_equal(a.sums[1].split, 1);
}

static void revisions_count_as_they_were_known_or_published_then(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    report(f, 2, "2026-01-01", store_integer(100), NULL);
    int64_t then_us = f->store.clock.wall_us - 1;
    report(f, 2, "2026-01-01", store_integer(130), &published_early);
    report(f, 2, "2026-02-01", store_integer(1), NULL);
    report(f, 2, "2026-02-01", figure_missing(), NULL); // taken back
    advance(f);
    prepare(f, &a, 2, &calendar_default, SPAN_QUARTER, "2026-01-01", "2026-04-01");
    ask(f, &a);
    expect(&a.sums[0], "130", 1, 3);
    assert_int_equal(a.sums[0].tally.missing, 1);
    a.q.as_of_us = then_us;
    ask(f, &a);
    expect(&a.sums[0], "100", 1, 3);
    a.q.as_of_us = 10;
    a.q.by_published = true;
    ask(f, &a);
    expect(&a.sums[0], "130", 1, 3);
    a.q.until_s = zone_midnight(f->almaty, day("2026-03-15"));
    ask(f, &a);
    expect(&a.sums[0], "130", 1, 2);
}

// ---- money

static struct rate_book *book(const char *from, const char *to)
{
    struct rate_book *b = NULL;
    struct diag d = {""};
    assert_int_equal(rate_book_create(&b), ERR_OK);
    for (int32_t at = day(from); at <= day(to); at++) {
        struct rates r = {.bank = BANK_KZ, .asked = at, .answered = at, .count = 1};
        assert_int_equal(rate_parse("USD", "1", at % 2 ? "500" : "300", '.', &r.list[0], &d), ERR_OK);
        assert_int_equal(rate_book_take(b, &r), ERR_OK);
    }
    return b;
}

static void each_report_is_converted_by_its_own_periods_rate(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    struct rate_book *b = book("2026-01-01", "2026-02-28");
    report(f, 2, "2026-01-01", store_integer(1000), NULL); // 31 days: the average is not 400
    report(f, 2, "2026-02-01", store_integer(1000), NULL); // 28 days: it is
    report(f, 2, "2026-03-01", store_integer(1000), NULL); // no rates
    report(f, 2, "2026-04-01", store_integer(7), &in_dollars);
    advance(f);
    prepare(f, &a, 2, &calendar_default, SPAN_YEAR, "2026-01-01", "2027-01-01");
    ask(f, &a);
    expect(&a.sums[0], "3000", 3, 12);
    assert_int_equal(a.sums[0].foreign, 1);
    a.q.to = currency_find("USD");
    a.q.book = b;
    ask(f, &a);
    // 1000 / (12300 / 31) = 2.520 and 1000 / 400 = 2.5, a half: to the even 2
    expect(&a.sums[0], "12", 3, 12);
    assert_int_equal(a.sums[0].lacking, 1);
    assert_int_equal(a.sums[0].foreign, 0);
    rate_book_destroy(b);
}

static void a_measured_day_is_converted_once_by_its_own_rate(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    struct rate_book *b = book("2026-01-01", "2026-01-03");
    for (int i = 0; i < 4; i++) {
        int64_t midnight = zone_midnight(f->almaty, day("2026-01-01") + i);
        for (int64_t h = 1; h <= 24; h++)
            measure(f, 1, midnight + h * HOUR, 7); // 168 a day; an hour alone would be nothing
    }
    advance(f);
    prepare(f, &a, 1, &calendar_default, SPAN_DAY, "2026-01-01", "2026-01-05");
    a.q.to = currency_find("USD");
    a.q.book = b;
    ask(f, &a);
    bool odd = day("2026-01-01") % 2;
    expect(&a.sums[0], odd ? "0" : "1", 24, 24); // 0.336 and 0.56
    expect(&a.sums[1], odd ? "1" : "0", 24, 24);
    expect(&a.sums[3], "", 0, 24);
    assert_int_equal(a.sums[3].lacking, 24);
    prepare(f, &a, 1, &calendar_default, SPAN_MONTH, "2026-01-01", "2026-01-05");
    a.q.to = currency_find("USD");
    a.q.book = b;
    ask(f, &a);
    expect(&a.sums[0], odd ? "1" : "2", 72, 31 * 24);
    assert_int_equal(a.sums[0].lacking, 24);
    rate_book_destroy(b);
}

static void spans_that_overlap_are_refused(void **state)
{
    struct fixture *f = *state;
    struct asked a;
    prepare(f, &a, 2, &calendar_default, SPAN_MONTH, "2026-01-01", "2026-03-01");
    a.spans[1] = a.spans[0];
    assert_int_equal(sums_read(f->view, f->reader, &a.q, a.sums, &f->store.diag), ERR_INVALID);
    a.q.count = 0;
    assert_int_equal(sums_read(f->view, f->reader, &a.q, a.sums, &f->store.diag), ERR_OK);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_local_day_has_its_hours_and_the_months_are_its_days),
        test(without_a_zone_days_are_utc),
        test(a_figure_committed_a_moment_ago_and_a_late_one_are_in_the_sum),
        test(a_measurement_is_known_from_when_it_was_received),
        test(years_without_figures_between_are_passed_over),
        test(a_figure_that_was_let_in_counts_where_it_is_the_first_or_the_only_one),
        test(nothing_is_read_of_days_after_the_asked_moment),
        test(questions_share_a_limit),
        test(a_report_counts_in_the_span_that_holds_its_whole_period),
        test(revisions_count_as_they_were_known_or_published_then),
        test(each_report_is_converted_by_its_own_periods_rate),
        test(a_measured_day_is_converted_once_by_its_own_rate),
        test(spans_that_overlap_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
