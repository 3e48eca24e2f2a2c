// Revisions, what was known when, the newest figure of each series, and the cursor that never runs ahead of
// its data.
#include "base/fs.h"
#include "store/observations.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MARCH 20513 // 2026-03-01

struct fixture {
    struct store store;
    struct store_stream stream;
    struct reader *reader;
    struct observations *writer;
    struct observations_reader *view;
    int64_t series_id;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    store_create(&f->store);
    f->stream = store_agent(&f->store, "penza/one", 1);
    f->series_id = store_declare(&f->store, &f->stream, 0, "penza/one/jobs_total", WIRE_REPORT, 0, 2);
    store_declare(&f->store, &f->stream, 1, "penza/one/out_units", WIRE_MEASUREMENT, 10, 0);
    assert_int_equal(reader_open(f->store.folder, &f->reader, &f->store.diag), ERR_OK);
    assert_int_equal(observations_open(f->store.folder, &f->writer, &f->store.diag), ERR_OK);
    assert_int_equal(observations_reader_open(f->store.folder, &f->view, &f->store.diag), ERR_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    observations_reader_close(f->view);
    observations_close(f->writer);
    reader_close(f->reader);
    store_destroy(&f->store);
    free(f);
    return 0;
}

static size_t advance(struct fixture *f)
{
    size_t rows = 0;
    size_t all = 0;
    do {
        enum err e = observations_advance(f->writer, f->reader, 7, &rows, &f->store.diag);
        if (e != ERR_OK)
            fail_msg("observations_advance: %s: %s", err_name(e), f->store.diag.text);
        all += rows;
    } while (rows > 0);
    return all;
}

// One report; each comes an hour after the one before.
static void report(struct fixture *f, int32_t start, struct figure value, const struct wire_note *note)
{
    const struct wire_sample sample = {.series = 0, .time = start, .value = value};
    store_begin(&f->store);
    store_append(&f->store, &f->stream, WIRE_REPORT, &sample, note, 1, NULL, 0);
    store_commit(&f->store);
    fake_clock_advance_us(&f->store.clock, 3600 * US_PER_S);
}

static int64_t hour(int n)
{
    return (STORE_EPOCH + 3600 * n) * US_PER_S;
}

struct texts {
    char text[2000];
};

static enum err put_observation(void *ctx, const struct observation *o)
{
    struct texts *t = ctx;
    char value[FIGURE_TEXT];
    size_t at = strlen(t->text);
    figure_text(o->value, value);
    snprintf(t->text + at, sizeof t->text - at, "%d.%u=%s%s%s%s%s;", o->period_start - MARCH, o->revision,
             o->status == WIRE_MISSING ? "missing" : value, o->currency,
             o->status == WIRE_PROVISIONAL ? " p" : "", o->confidential ? " c" : "", o->reason);
    return ERR_OK;
}

static const char *ask(struct fixture *f, struct texts *t, struct observation_query q)
{
    t->text[0] = '\0';
    if (q.series_id == 0)
        q.series_id = f->series_id;
    if (q.to == 0) {
        q.from = MARCH - 1000;
        q.to = MARCH + 1000;
    }
    enum err e = observations_query(f->view, &q, put_observation, t, &f->store.diag);
    if (e != ERR_OK)
        fail_msg("observations_query: %s: %s", err_name(e), f->store.diag.text);
    return t->text;
}

// ---- revisions
// ------------------------------------------------------------------------------------------------------

static void every_change_is_a_revision_and_an_equal_report_a_counted_repeat(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    const struct wire_note provisional = {
        .status = WIRE_PROVISIONAL, .reason = "", .author = "", .currency = ""};
    const struct wire_note secret = {.confidential = true, .reason = "", .author = "", .currency = ""};
    const struct wire_note tenge = {.reason = "", .author = "", .currency = "KZT"};
    const struct wire_note why = {.reason = "recount", .author = "anna", .currency = ""};
    report(f, MARCH, store_integer(10), &provisional);
    report(f, MARCH, store_integer(10), NULL);     // the status
    report(f, MARCH, store_integer(10), NULL);     // nothing
    report(f, MARCH, store_integer(11), NULL);     // the value
    report(f, MARCH, store_integer(11), &why);     // only a reason: nothing
    report(f, MARCH, store_integer(11), &tenge);   // the currency
    report(f, MARCH, figure_missing(), NULL);      // vanished
    report(f, MARCH, figure_missing(), NULL);      // still
    report(f, MARCH, store_real(10.5), &secret);   // back, confidential
    report(f, MARCH + 31, store_integer(1), NULL); // another period
    advance(f);
    assert_string_equal(ask(f, &t, (struct observation_query){.all_revisions = true}),
                        "0.1=10 p;0.2=10;0.3=11;0.4=11KZT;0.5=missing;0.6=10.5 c;31.1=1;");
    assert_string_equal(ask(f, &t, (struct observation_query){0}), "0.6=10.5 c;31.1=1;");
    assert_int_equal(observations_repeats(f->writer), 3);
}

static void figures_come_back_as_integers_or_reals_exactly(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    report(f, MARCH, store_integer(FIGURE_INTEGER_MAX), NULL);
    report(f, MARCH + 31, store_integer(-FIGURE_INTEGER_MAX), NULL);
    report(f, MARCH + 61, store_real(0.1), NULL);
    report(f, MARCH + 92, store_real(-123456.789), NULL);
    report(f, MARCH + 122, store_integer(0), NULL);
    advance(f);
    assert_string_equal(ask(f, &t, (struct observation_query){0}),
                        "0.1=9007199254740992;31.1=-9007199254740992;61.1=0.1;92.1=-123456.789;122.1=0;");
}

static void what_was_known_then_is_answered_by_receipt(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    report(f, MARCH, store_integer(10), NULL);     // hour 0
    report(f, MARCH, store_integer(11), NULL);     // hour 1
    report(f, MARCH + 31, store_integer(5), NULL); // hour 2
    report(f, MARCH, store_integer(12), NULL);     // hour 3
    advance(f);
    assert_string_equal(ask(f, &t, (struct observation_query){.as_of_us = hour(0) - 1}), "");
    assert_string_equal(ask(f, &t, (struct observation_query){.as_of_us = hour(0)}), "0.1=10;");
    assert_string_equal(ask(f, &t, (struct observation_query){.as_of_us = hour(1)}), "0.2=11;");
    assert_string_equal(ask(f, &t, (struct observation_query){.as_of_us = hour(3) - 1}), "0.2=11;31.1=5;");
    assert_string_equal(ask(f, &t, (struct observation_query){.as_of_us = hour(99)}), "0.3=12;31.1=5;");
    assert_string_equal(ask(f, &t, (struct observation_query){.from = MARCH + 1, .to = MARCH + 32}),
                        "31.1=5;");
    assert_string_equal(ask(f, &t, (struct observation_query){.from = MARCH, .to = MARCH + 31}), "0.3=12;");
}

static void what_was_published_then_is_another_question(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    const struct wire_note late = {.published_us = hour(-100), .reason = "", .author = "", .currency = ""};
    const struct wire_note early = {.published_us = hour(-50), .reason = "", .author = "", .currency = ""};
    const struct wire_note same = {.published_us = hour(-50), .reason = "", .author = "", .currency = ""};
    report(f, MARCH, store_integer(10), &early); // published later, received first
    report(f, MARCH, store_integer(11), &late);
    advance(f);
    assert_string_equal(ask(f, &t, (struct observation_query){.by_published = true, .as_of_us = hour(-101)}),
                        "");
    assert_string_equal(ask(f, &t, (struct observation_query){.by_published = true, .as_of_us = hour(-60)}),
                        "0.2=11;");
    assert_string_equal(ask(f, &t, (struct observation_query){.by_published = true, .as_of_us = hour(-50)}),
                        "0.1=10;");
    assert_string_equal(ask(f, &t, (struct observation_query){.by_published = true}), "0.1=10;");
    assert_string_equal(ask(f, &t, (struct observation_query){.as_of_us = hour(99)}), "0.2=11;");
    report(f, MARCH, store_integer(12), &same); // of two published at once the last in the ledger
    advance(f);
    assert_string_equal(ask(f, &t, (struct observation_query){.by_published = true, .as_of_us = hour(-50)}),
                        "0.3=12;");
}

static void publish(struct fixture *f, int32_t start, int64_t value, int at)
{
    const struct wire_note n = {.published_us = hour(at), .reason = "", .author = "", .currency = ""};
    report(f, start, store_integer(value), &n);
}

// Equal to what came last, yet not to what was in force when it was published: no repeat.
static void releases_out_of_order_are_each_answered_at_their_own_date(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    publish(f, MARCH, 110, -60);
    publish(f, MARCH, 100, -90); // the release before, loaded afterwards
    publish(f, MARCH, 100, -30); // back to it
    publish(f, MARCH + 31, 7, -30);
    publish(f, MARCH + 31, 7, -60); // known earlier than was thought
    publish(f, MARCH + 31, 7, -60); // these two are said already
    publish(f, MARCH + 31, 7, -45);
    advance(f);
    static const struct {
        int at;
        const char *want;
    } then[] = {{-91, ""}, {-90, "0.2=100;"}, {-60, "0.1=110;31.2=7;"}, {-30, "0.3=100;31.1=7;"}};
    for (size_t i = 0; i < sizeof then / sizeof then[0]; i++)
        assert_string_equal(
            ask(f, &t, (struct observation_query){.by_published = true, .as_of_us = hour(then[i].at)}),
            then[i].want);
    assert_string_equal(ask(f, &t, (struct observation_query){0}), "0.3=100;31.2=7;");
    assert_int_equal(observations_repeats(f->writer), 2);
}

static void a_refused_report_is_no_revision(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    const struct wire_sample samples[] = {{.series = 0, .time = MARCH, .value = store_integer(1)},
                                          {.series = 0, .time = MARCH, .value = store_integer(2)}};
    const struct wire_refusal refused[] = {{1, WIRE_REASON_OUT_OF_RANGE}};
    store_begin(&f->store);
    store_append(&f->store, &f->stream, WIRE_REPORT, samples, NULL, 2, refused, 1);
    store_commit(&f->store);
    advance(f);
    assert_string_equal(ask(f, &t, (struct observation_query){.all_revisions = true}), "0.1=1;");
}

// ---- latest
// ---------------------------------------------------------------------------------------------------------

static void measure(struct fixture *f, int64_t time, int64_t value)
{
    store_one(&f->store, &f->stream, WIRE_MEASUREMENT, 1, time, store_integer(value));
}

static void the_latest_is_the_newest_time_and_of_one_time_the_last_in_the_ledger(void **state)
{
    struct fixture *f = *state;
    struct latest latest;
    const int64_t id = f->series_id + 1;
    assert_int_equal(observations_latest(f->view, id, &latest, &f->store.diag), ERR_NOT_FOUND);
    measure(f, STORE_EPOCH + 20, 2);
    measure(f, STORE_EPOCH + 10, 1); // late
    advance(f);
    assert_int_equal(observations_latest(f->view, id, &latest, &f->store.diag), ERR_OK);
    assert_true(latest.time == STORE_EPOCH + 20 && latest.value.integer == 2 && latest.position == 1);
    measure(f, STORE_EPOCH + 20, 3); // corrected
    advance(f);
    assert_int_equal(observations_latest(f->view, id, &latest, &f->store.diag), ERR_OK);
    assert_true(latest.time == STORE_EPOCH + 20 && latest.value.integer == 3 && latest.position == 3);
    store_one(&f->store, &f->stream, WIRE_MEASUREMENT, 1, STORE_EPOCH + 30, figure_missing());
    advance(f);
    assert_int_equal(observations_latest(f->view, id, &latest, &f->store.diag), ERR_OK);
    assert_true(latest.time == STORE_EPOCH + 30 && latest.value.kind == FIGURE_MISSING);
    report(f, MARCH, store_integer(7), NULL);
    advance(f);
    assert_int_equal(observations_latest(f->view, f->series_id, &latest, &f->store.diag), ERR_OK);
    assert_true(latest.time == MARCH && latest.value.integer == 7);
}

static void the_latest_survives_a_restart_of_its_writer(void **state)
{
    struct fixture *f = *state;
    struct latest latest;
    measure(f, STORE_EPOCH + 20, 2);
    advance(f);
    observations_close(f->writer);
    assert_int_equal(observations_open(f->store.folder, &f->writer, &f->store.diag), ERR_OK);
    assert_int_equal(observations_cursor(f->writer), 1);
    measure(f, STORE_EPOCH + 10, 1);
    assert_int_equal(advance(f), 1);
    assert_int_equal(observations_latest(f->view, f->series_id + 1, &latest, &f->store.diag), ERR_OK);
    assert_int_equal(latest.value.integer, 2);
}

// ---- the cursor
// -----------------------------------------------------------------------------------------------------

static void rows_are_read_once_in_steps_of_at_most_so_many(void **state)
{
    struct fixture *f = *state;
    uint64_t position = 9;
    size_t rows = 9;
    for (int i = 0; i < 20; i++)
        measure(f, STORE_EPOCH + 10 * i, i);
    assert_int_equal(observations_advance(f->writer, f->reader, 7, &rows, &f->store.diag), ERR_OK);
    assert_int_equal(rows, 7);
    assert_int_equal(observations_cursor(f->writer), 7);
    assert_int_equal(observations_reader_cursor(f->view, &position, &f->store.diag), ERR_OK);
    assert_int_equal(position, 7);
    assert_int_equal(advance(f), 13);
    assert_int_equal(advance(f), 0);
}

static void a_row_that_does_not_decode_stops_the_cursor_before_it_and_nothing_is_lost(void **state)
{
    struct fixture *f = *state;
    struct wire_receipt receipt;
    struct latest latest;
    struct texts t;
    size_t rows = 0;
    measure(f, STORE_EPOCH, 1);
    advance(f);
    report(f, MARCH, store_integer(5), NULL);
    const struct ledger_row bad = {.stream_id = f->stream.stream_id,
                                   .class = WIRE_MEASUREMENT,
                                   .sequence = f->stream.sequence + 1,
                                   .last_sequence = f->stream.sequence + 1,
                                   .samples = 1,
                                   .body = "\xff",
                                   .body_len = 1};
    store_begin(&f->store);
    assert_int_equal(ledger_append(f->store.ledger, &bad, &receipt, &f->store.diag), ERR_OK);
    store_commit(&f->store);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(observations_advance(f->writer, f->reader, 100, &rows, &f->store.diag), ERR_CORRUPT);
        assert_non_null(strstr(f->store.diag.text, "position 3"));
        assert_int_equal(observations_cursor(f->writer), 1);
    }
    assert_string_equal(ask(f, &t, (struct observation_query){.all_revisions = true}), "");
    assert_int_equal(observations_advance(f->writer, f->reader, 1, &rows, &f->store.diag),
                     ERR_OK); // the one before it
    assert_string_equal(ask(f, &t, (struct observation_query){.all_revisions = true}), "0.1=5;");
    assert_int_equal(observations_latest(f->view, f->series_id, &latest, &f->store.diag), ERR_OK);
}

static void a_reset_builds_the_same_again(void **state)
{
    struct fixture *f = *state;
    struct texts before, after;
    uint64_t read = 77;
    report(f, MARCH, store_integer(10), NULL);
    report(f, MARCH, store_integer(10), NULL);
    report(f, MARCH, store_integer(11), NULL);
    advance(f);
    ask(f, &before, (struct observation_query){.all_revisions = true, .read = &read});
    assert_int_equal(read, 3);
    assert_int_equal(observations_reset(f->writer, &f->store.diag), ERR_OK);
    assert_string_equal(ask(f, &after, (struct observation_query){.all_revisions = true, .read = &read}), "");
    assert_int_equal(read, 0);
    assert_int_equal(observations_cursor(f->writer), 0);
    assert_int_equal(advance(f), 3);
    assert_string_equal(ask(f, &after, (struct observation_query){.all_revisions = true}), before.text);
    assert_int_equal(observations_repeats(f->writer), 1);
}

// ---- another ledger, a damaged file
// ---------------------------------------------------------------------------------

static void replace_from(struct fixture *f, const char *folder, const char *name)
{
    char from[STORE_PATH];
    char to[STORE_PATH];
    char *bytes = NULL;
    size_t len = 0;
    assert_int_equal(fs_join(from, sizeof from, folder, name), ERR_OK);
    store_path(&f->store, name, to);
    if (fs_read_file(from, 64u << 20, &bytes, &len, NULL) != ERR_OK) {
        remove(to);
        return;
    }
    assert_int_equal(fs_replace_file(to, bytes, len, 0640, &f->store.diag), ERR_OK);
    free(bytes);
}

static void a_ledger_restored_from_an_older_copy_starts_the_observations_over(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    char old[STORE_PATH];
    static const char *const files[] = {LEDGER_FILE, LEDGER_FILE "-wal", LEDGER_FILE "-shm"};
    report(f, MARCH, store_integer(10), NULL);
    reader_close(f->reader);
    ledger_close(f->store.ledger);
    store_temp_folder(old);
    store_copy(&f->store, old);
    f->store.ledger = NULL;
    store_reopen(&f->store);
    assert_int_equal(reader_open(f->store.folder, &f->reader, &f->store.diag), ERR_OK);
    report(f, MARCH, store_integer(11), NULL);
    advance(f);
    // The older copy comes back, and grows again, differently, as far as before.
    reader_close(f->reader);
    ledger_close(f->store.ledger);
    f->store.ledger = NULL;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        replace_from(f, old, files[i]);
    store_reopen(&f->store);
    f->stream.sequence--;
    report(f, MARCH, store_integer(99), NULL);
    observations_close(f->writer);
    assert_int_equal(reader_open(f->store.folder, &f->reader, &f->store.diag), ERR_OK);
    assert_int_equal(observations_open(f->store.folder, &f->writer, &f->store.diag), ERR_OK);
    assert_int_equal(advance(f), 2);
    assert_string_equal(ask(f, &t, (struct observation_query){.all_revisions = true}), "0.1=10;0.2=99;");
    store_remove_folder(old);
}

static void a_damaged_file_is_made_anew_and_open_readers_follow(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    char path[STORE_PATH];
    char junk[5000];
    memset(junk, 7, sizeof junk);
    report(f, MARCH, store_integer(10), NULL);
    advance(f);
    assert_false(observations_renewed(f->writer));
    observations_close(f->writer);
    store_path(&f->store, OBSERVATIONS_FILE "-wal", path);
    assert_int_equal(fs_replace_file(path, junk, sizeof junk, 0640, &f->store.diag), ERR_OK);
    store_path(&f->store, OBSERVATIONS_FILE, path);
    assert_int_equal(fs_replace_file(path, junk, sizeof junk, 0640, &f->store.diag), ERR_OK);
    assert_int_equal(observations_open(f->store.folder, &f->writer, &f->store.diag), ERR_OK);
    assert_true(observations_renewed(f->writer));
    assert_int_equal(advance(f), 1);
    assert_string_equal(ask(f, &t, (struct observation_query){0}), "0.1=10;");
}

static void tables_of_another_version_are_made_anew(void **state)
{
    struct fixture *f = *state;
    char path[STORE_PATH];
    sqlite3 *db = NULL;
    report(f, MARCH, store_integer(10), NULL);
    advance(f);
    observations_close(f->writer);
    store_path(&f->store, OBSERVATIONS_FILE, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE meta SET value='0'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(observations_open(f->store.folder, &f->writer, &f->store.diag), ERR_OK);
    assert_true(observations_renewed(f->writer));
    assert_int_equal(advance(f), 1);
}

static void a_reader_without_a_file_is_told_so(void **state)
{
    struct fixture *f = *state;
    struct observations_reader *o = NULL;
    char folder[STORE_PATH];
    store_temp_folder(folder);
    assert_int_equal(observations_reader_open(folder, &o, &f->store.diag), ERR_NOT_FOUND);
    assert_null(o);
    store_remove_folder(folder);
}

static void the_file_is_readable_by_the_group(void **state)
{
    struct fixture *f = *state;
    char path[STORE_PATH];
    struct stat st;
    store_path(&f->store, OBSERVATIONS_FILE, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(every_change_is_a_revision_and_an_equal_report_a_counted_repeat),
        T(figures_come_back_as_integers_or_reals_exactly),
        T(what_was_known_then_is_answered_by_receipt),
        T(what_was_published_then_is_another_question),
        T(releases_out_of_order_are_each_answered_at_their_own_date),
        T(a_refused_report_is_no_revision),
        T(the_latest_is_the_newest_time_and_of_one_time_the_last_in_the_ledger),
        T(the_latest_survives_a_restart_of_its_writer),
        T(rows_are_read_once_in_steps_of_at_most_so_many),
        T(a_row_that_does_not_decode_stops_the_cursor_before_it_and_nothing_is_lost),
        T(a_reset_builds_the_same_again),
        T(a_ledger_restored_from_an_older_copy_starts_the_observations_over),
        T(a_damaged_file_is_made_anew_and_open_readers_follow),
        T(tables_of_another_version_are_made_anew),
        T(a_reader_without_a_file_is_told_so),
        T(the_file_is_readable_by_the_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
