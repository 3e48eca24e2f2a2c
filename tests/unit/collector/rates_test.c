// From a bank's answer to the ledger and to what readers see, by a made-up bank and a clock that moves when
// told.
#include "collector/rates_agent.h"
#include "kpi/convert.h"
#include "kpi/feed.h"
#include "store/observations_rates.h"
#include "store/reader_control.h"
#include "tests/support/collector_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>

#define TODAY  20454 // BENCH_NOW_S
#define HOUR_S 3600

struct rig {
    struct bench *b;
    struct rates_desk *desk;
    struct rates_agent *agent;
    struct collector_rates config;
    char asked[FEED_URL_MAX]; // the last address
    size_t questions;
    char answer[600];
    enum err fetch_result, submit_result;
};

static enum err fetch(void *ctx, const char *url, size_t max_bytes, char **body, size_t *len, struct diag *d)
{
    struct rig *x = ctx;
    x->questions++;
    snprintf(x->asked, sizeof x->asked, "%s", url);
    if (x->fetch_result != ERR_OK)
        return diag_fail(d, x->fetch_result, "made up");
    *body = strdup(x->answer);
    *len = strlen(x->answer);
    assert_true(*len <= max_bytes);
    return ERR_OK;
}

static enum err submit(void *ctx, struct rates_request *r, struct diag *d)
{
    struct rig *x = ctx;
    return x->submit_result == ERR_OK ? rates_desk_take(x->desk, r, d) : x->submit_result;
}

static void open_agent(struct rig *x)
{
    const struct rates_agent_options o = {.config = &x->config,
                                          .clock = &x->b->clock.clock,
                                          .counters = &x->b->counters,
                                          .reader = x->b->reader,
                                          .fetch = fetch,
                                          .submit = submit,
                                          .ctx = x};
    struct diag d = {""};
    rates_agent_destroy(x->agent);
    assert_int_equal(rates_agent_create(&o, &x->agent, &d), ERR_OK);
}

static void open_desk(struct rig *x)
{
    struct diag d = {""};
    rates_desk_destroy(x->desk);
    assert_int_equal(rates_desk_create(x->b->ledger, x->b->reader, &x->b->counters, &x->desk, &d), ERR_OK);
}

static int setup(void **state)
{
    struct rig *x = calloc(1, sizeof *x);
    void *b = NULL;
    assert_non_null(x);
    assert_int_equal(bench_setup(&b), 0);
    x->b = b;
    x->config = (struct collector_rates){.hour = 12, .since = COLLECTOR_RATES_FROM_NOW};
    x->config.url[BANK_KZ] = "http://kz/{ymd-}";
    open_desk(x);
    open_agent(x);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct rig *x = *state;
    void *b = x->b;
    rates_agent_destroy(x->agent);
    rates_desk_destroy(x->desk);
    free(x);
    return bench_teardown(&b);
}

static void answer(struct rig *x, const char *date, const char *usd)
{
    snprintf(
        x->answer, sizeof x->answer,
        "<rates><date>%s</date><item><title>USD</title><quant>1</quant><description>%s</description></item>"
        "</rates>",
        date, usd);
}

static bool step(struct rig *x)
{
    struct diag d = {""};
    bool asked = false;
    if (rates_agent_step(x->agent, &asked, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return asked;
}

static void go_to(struct rig *x, int32_t day, int hour)
{
    int64_t wanted = ((int64_t)day * 86400 + (int64_t)hour * HOUR_S) * US_PER_S;
    fake_clock_advance_us(&x->b->clock, wanted - clock_wall(&x->b->clock.clock).us);
}

static struct rate_book *stored(struct rig *x)
{
    struct rate_book *book = NULL;
    struct diag d = {""};
    uint64_t sequence = 0;
    assert_int_equal(rate_book_create(&book), ERR_OK);
    assert_int_equal(reader_rates(x->b->reader, &sequence, book, &d), ERR_OK);
    return book;
}

static enum rates_state state_of(struct rig *x, int32_t day)
{
    struct rate_book *book = stored(x);
    const struct rates *r = rate_book_asked(book, BANK_KZ, day);
    assert_non_null(r);
    enum rates_state s = r->state;
    rate_book_destroy(book);
    return s;
}

static void todays_rates_are_asked_for_once_their_hour_has_come(void **state)
{
    struct rig *x = *state;
    answer(x, "01.01.2026", "500");
    assert_false(step(x));
    go_to(x, TODAY, 12);
    assert_true(step(x));
    assert_string_equal(x->asked, "http://kz/2026-01-01");
    assert_int_equal(state_of(x, TODAY), RATES_ACCEPTED);
    assert_false(step(x));
    go_to(x, TODAY + 1, 11);
    assert_false(step(x));
    go_to(x, TODAY + 1, 12);
    answer(x, "01.01.2026", "500"); // a holiday: still those of the day before
    assert_true(step(x));
    struct rate_book *book = stored(x);
    assert_true(rates_carried(rate_book_asked(book, BANK_KZ, TODAY + 1)));
    rate_book_destroy(book);
    assert_int_equal(bench_counted(x->b, COUNTER_RATES_STORED), 2);
}

static void days_that_were_slept_through_are_asked_for_in_order(void **state)
{
    struct rig *x = *state;
    static const char *const dates[] = {"30.12.2025", "31.12.2025", "01.01.2026"};
    x->config.since = TODAY - 2;
    for (int i = 0; i < 3; i++) {
        answer(x, dates[i], "500");
        go_to(x, TODAY, 12);
        open_agent(x); // knows what is stored from the ledger alone
        assert_true(step(x));
    }
    assert_false(step(x));
    assert_int_equal(state_of(x, TODAY - 2), RATES_ACCEPTED);
    x->config.since = COLLECTOR_RATES_FROM_NOW; // then from the last one stored
    open_agent(x);
    go_to(x, TODAY + 3, 12);
    answer(x, "02.01.2026", "500");
    assert_true(step(x));
    assert_string_equal(x->asked, "http://kz/2026-01-02");
    x->config.since = TODAY - 3; // what lies before is asked for as well
    open_agent(x);
    answer(x, "29.12.2025", "500");
    assert_true(step(x));
    assert_string_equal(x->asked, "http://kz/2025-12-29");
    assert_true(step(x));
    assert_string_equal(x->asked, "http://kz/2026-01-03");
}

static void a_bank_without_dates_is_asked_for_today_only(void **state)
{
    struct rig *x = *state;
    x->config.since = TODAY - 100;
    x->config.url[BANK_KZ] = NULL;
    x->config.url[BANK_KG] = "http://kg/daily.xml";
    snprintf(x->answer, sizeof x->answer,
             "<CurrencyRates Date=\"02.01.2026\"><Currency "
             "ISOCode=\"USD\"><Nominal>1</Nominal><Value>87,45</Value>"
             "</Currency></CurrencyRates>");
    go_to(x, TODAY, 12);
    assert_true(step(x));
    assert_false(step(x));
    struct rate_book *book = stored(x);
    assert_int_equal(rate_book_count(book, BANK_KG), 1);
    assert_non_null(rate_book_asked(book, BANK_KG, TODAY + 1)); // tomorrow's are published today
    rate_book_destroy(book);
}

// At noon the bank has tomorrow's already: that they are stored is no reason not to ask tomorrow.
static void a_bank_that_gives_tomorrows_rates_is_asked_every_day(void **state)
{
    struct rig *x = *state;
    x->config.url[BANK_KZ] = NULL;
    x->config.url[BANK_KG] = "http://kg/daily.xml";
    for (int i = 0; i < 4; i++) {
        snprintf(x->answer, sizeof x->answer,
                 "<CurrencyRates Date=\"%02d.01.2026\"><Currency "
                 "ISOCode=\"USD\"><Nominal>1</Nominal><Value>87,4%d</Value>"
                 "</Currency></CurrencyRates>",
                 i + 2, i);
        go_to(x, TODAY + i, 12);
        assert_true(step(x));
        assert_false(step(x));
        open_agent(x); // started again, it asks once more, and nothing is stored twice
        assert_true(step(x));
        assert_false(step(x));
        assert_int_equal(bench_counted(x->b, COUNTER_RATES_STORED), i + 1);
    }
    struct rate_book *book = stored(x);
    assert_int_equal(rate_book_count(book, BANK_KG), 4);
    for (int i = 1; i <= 4; i++)
        assert_int_equal(rate_book_on(book, BANK_KG, TODAY + i)->answered, TODAY + i);
    rate_book_destroy(book);
}

static enum err import_of(struct rig *x, int32_t day, struct diag *d)
{
    struct rates_request r = {.rates = {.bank = BANK_KZ, .asked = day, .answered = day, .count = 1},
                              .author = "aigul"};
    r.rates.list[0] = (struct rate){.currency = "USD", .quant = 1, .value = 500};
    return rates_desk_take(x->desk, &r, d);
}

static void rates_of_days_to_come_are_refused_but_for_tomorrows(void **state)
{
    struct rig *x = *state;
    struct diag d = {""};
    go_to(x, TODAY, 9); // 23:00 where the day began first
    assert_int_equal(import_of(x, TODAY + 2, &d), ERR_INVALID);
    assert_non_null(strstr(d.text, "2026-01-03 are of the future"));
    assert_int_equal(bench_counted(x->b, COUNTER_RATES_STORED), 0);
    assert_int_equal(import_of(x, TODAY + 1, &d), ERR_OK);
    assert_int_equal(import_of(x, TODAY + 400, &d), ERR_INVALID);
    go_to(x, TODAY, 10);
    assert_int_equal(import_of(x, TODAY + 2, &d), ERR_OK);
    assert_int_equal(bench_counted(x->b, COUNTER_RATES_STORED), 2);
}

static void the_same_answer_is_stored_once(void **state)
{
    struct rig *x = *state;
    struct rates_request r = {.author = "aigul"};
    struct diag d = {""};
    answer(x, "01.01.2026", "500");
    assert_int_equal(feed_parse(BANK_KZ, TODAY, x->answer, strlen(x->answer), &r.rates, &d), ERR_OK);
    assert_int_equal(rates_desk_take(x->desk, &r, &d), ERR_OK);
    assert_false(r.known);
    uint64_t position = ledger_position(x->b->ledger);
    open_desk(x);
    assert_int_equal(rates_desk_take(x->desk, &r, &d), ERR_OK);
    assert_true(r.known);
    assert_int_equal(ledger_position(x->b->ledger), position);
}

static void a_bank_that_is_away_loses_no_day_and_is_asked_again_later(void **state)
{
    struct rig *x = *state;
    go_to(x, TODAY, 12);
    x->fetch_result = ERR_CLOSED;
    assert_true(step(x));
    assert_false(step(x));
    fake_clock_advance_us(&x->b->clock, RATES_RETRY_S * US_PER_S);
    assert_true(step(x));
    assert_int_equal(bench_counted(x->b, COUNTER_RATES_REFUSED), 2);
    go_to(x, TODAY + 1, 12);
    x->fetch_result = ERR_OK;
    answer(x, "01.01.2026", "500");
    assert_true(step(x));
    assert_string_equal(x->asked, "http://kz/2026-01-01");
    answer(x, "02.01.2026", "500");
    assert_true(step(x));
    assert_string_equal(x->asked, "http://kz/2026-01-02");
}

static void a_past_day_without_rates_is_left_out(void **state)
{
    struct rig *x = *state;
    x->config.since = TODAY - 1;
    go_to(x, TODAY, 12);
    snprintf(x->answer, sizeof x->answer, "<rates><info>none</info></rates>");
    assert_true(step(x));
    assert_string_equal(x->asked, "http://kz/2025-12-31");
    snprintf(x->answer, sizeof x->answer, "<html>oops</html>");
    assert_true(step(x));
    assert_string_equal(x->asked, "http://kz/2026-01-01");
    assert_false(step(x)); // today's: later again
    fake_clock_advance_us(&x->b->clock, RATES_RETRY_S * US_PER_S);
    answer(x, "01.01.2026", "500");
    assert_true(step(x));
    assert_int_equal(state_of(x, TODAY), RATES_ACCEPTED);
}

static void a_full_ledger_loses_no_answer(void **state)
{
    struct rig *x = *state;
    struct diag d = {""};
    bool asked;
    go_to(x, TODAY, 12);
    answer(x, "01.01.2026", "500");
    x->submit_result = ERR_FULL;
    assert_int_equal(rates_agent_step(x->agent, &asked, &d), ERR_FULL);
    x->submit_result = ERR_OK;
    fake_clock_advance_us(&x->b->clock, RATES_RETRY_S * US_PER_S);
    assert_true(step(x));
    assert_int_equal(state_of(x, TODAY), RATES_ACCEPTED);
}

static void a_jump_is_held_alarmed_and_confirmed_by_the_banks_next_word(void **state)
{
    struct rig *x = *state;
    go_to(x, TODAY, 12);
    answer(x, "01.01.2026", "400");
    assert_true(step(x));
    go_to(x, TODAY + 1, 12);
    answer(x, "02.01.2026", "500");
    assert_true(step(x));
    assert_int_equal(state_of(x, TODAY + 1), RATES_HELD);
    assert_int_equal(bench_counted(x->b, COUNTER_RATES_HELD_BACK), 1);
    assert_int_equal(collector_gauge(&x->b->counters, GAUGE_RATES_HELD), 1);
    go_to(x, TODAY + 2, 12);
    open_desk(x);
    open_agent(x);
    answer(x, "03.01.2026", "505");
    assert_true(step(x));
    assert_int_equal(state_of(x, TODAY + 1), RATES_CONFIRMED);
    assert_int_equal(state_of(x, TODAY + 2), RATES_ACCEPTED);
    assert_int_equal(collector_gauge(&x->b->counters, GAUGE_RATES_HELD), 0);
}

static void a_person_confirms_what_is_held_and_nothing_else(void **state)
{
    struct rig *x = *state;
    struct diag d = {""};
    struct rates_request r = {.confirm = true, .author = "aigul", .who = "uid:0"};
    go_to(x, TODAY, 12);
    answer(x, "01.01.2026", "400");
    assert_true(step(x));
    go_to(x, TODAY + 1, 12);
    answer(x, "02.01.2026", "500");
    assert_true(step(x));
    r.rates.bank = BANK_KZ;
    r.rates.asked = TODAY;
    assert_int_equal(rates_desk_take(x->desk, &r, &d), ERR_NOT_FOUND);
    r.rates.asked = TODAY + 1;
    assert_int_equal(rates_desk_take(x->desk, &r, &d), ERR_OK);
    assert_int_equal(state_of(x, TODAY + 1), RATES_CONFIRMED);
    assert_int_equal(collector_gauge(&x->b->counters, GAUGE_RATES_HELD), 0);
    assert_int_equal(rates_desk_take(x->desk, &r, &d), ERR_OK);
    assert_true(r.known);
}

// ---- what readers see
// ---------------------------------------------------------------------------------------------------

static char *seen(struct rig *x, int64_t as_of_us)
{
    struct observations_reader *o = NULL;
    struct observations *writer = NULL;
    struct rate_book *book = NULL;
    struct diag d = {""};
    struct buf out;
    size_t rows = 1;
    buf_init(&out, 1 << 16);
    assert_int_equal(observations_open(x->b->folder.path, &writer, &d), ERR_OK);
    while (rows > 0)
        assert_int_equal(observations_advance(writer, x->b->reader, 3, &rows, &d), ERR_OK);
    observations_close(writer);
    assert_int_equal(observations_reader_open(x->b->folder.path, &o, &d), ERR_OK);
    assert_int_equal(observations_rate_book(o, as_of_us, &book, &d), ERR_OK);
    for (size_t i = 0; i < rate_book_count(book, BANK_KZ); i++)
        assert_int_equal(rates_write(rate_book_at(book, BANK_KZ, i), &out), ERR_OK);
    rate_book_destroy(book);
    observations_reader_close(o);
    return buf_take(&out, NULL);
}

static void readers_see_what_was_known_then_and_a_rebuild_is_byte_equal(void **state)
{
    struct rig *x = *state;
    char path[TEST_PATH];
    go_to(x, TODAY, 12);
    answer(x, "01.01.2026", "400");
    assert_true(step(x));
    int64_t then_us = clock_wall(&x->b->clock.clock).us;
    go_to(x, TODAY + 1, 12);
    answer(x, "02.01.2026", "500");
    assert_true(step(x));
    go_to(x, TODAY + 2, 12);
    answer(x, "03.01.2026", "505");
    assert_true(step(x));
    char *now = seen(x, 0), *then = seen(x, then_us), *held = seen(x, then_us + 86400 * US_PER_S);
    assert_non_null(strstr(now, "answered 2026-01-02\nstate confirmed USD\nUSD 1 500\n"));
    assert_string_equal(
        then, "rates 1\nbank kz\nasked 2026-01-01\nanswered 2026-01-01\nstate accepted\nUSD 1 400\n");
    assert_non_null(strstr(held, "state held USD\nUSD 1 500\n"));
    test_folder_path(&x->b->folder, OBSERVATIONS_FILE, path);
    assert_int_equal(remove(path), 0);
    char *again = seen(x, 0);
    assert_string_equal(again, now);
    free(again);
    free(now);
    free(then);
    free(held);
}

static void verify_finds_a_document_that_was_changed(void **state)
{
    struct rig *x = *state;
    struct reader_verified v;
    struct diag d = {""};
    char path[TEST_PATH];
    sqlite3 *db = NULL;
    go_to(x, TODAY, 12);
    answer(x, "01.01.2026", "400");
    assert_true(step(x));
    assert_int_equal(reader_verify(x->b->reader, NULL, NULL, &v, &d), ERR_OK);
    assert_int_equal(v.damaged, 0);
    test_folder_path(&x->b->folder, LEDGER_FILE, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "UPDATE batch SET body=CAST(replace(CAST(body AS TEXT), 'USD 1 400', 'USD 1 900') "
                     "AS BLOB)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(reader_verify(x->b->reader, NULL, NULL, &v, &d), ERR_OK);
    assert_true(v.damaged > 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(todays_rates_are_asked_for_once_their_hour_has_come),
        CASE(days_that_were_slept_through_are_asked_for_in_order),
        CASE(a_bank_without_dates_is_asked_for_today_only),
        CASE(a_bank_that_gives_tomorrows_rates_is_asked_every_day),
        CASE(rates_of_days_to_come_are_refused_but_for_tomorrows),
        CASE(the_same_answer_is_stored_once),
        CASE(a_bank_that_is_away_loses_no_day_and_is_asked_again_later),
        CASE(a_past_day_without_rates_is_left_out),
        CASE(a_full_ledger_loses_no_answer),
        CASE(a_jump_is_held_alarmed_and_confirmed_by_the_banks_next_word),
        CASE(a_person_confirms_what_is_held_and_nothing_else),
        CASE(readers_see_what_was_known_then_and_a_rebuild_is_byte_equal),
        CASE(verify_finds_a_document_that_was_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
