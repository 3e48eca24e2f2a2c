// Reading beside the writer: what a row, a sample and a listing say, and that nothing uncommitted is seen.
#include "store/reader.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
    struct store *s = malloc(sizeof *s);
    store_create(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_destroy(*state);
    free(*state);
    return 0;
}

static struct reader *open_reader(struct store *s)
{
    struct reader *r = NULL;
    enum err e = reader_open(s->folder, &r, &s->diag);
    if (e != ERR_OK)
        fail_msg("reader_open: %s: %s", err_name(e), s->diag.text);
    return r;
}

// ---- rows
// -----------------------------------------------------------------------------------------------------------

struct seen_rows {
    int count;
    int stop_after; // 0: never
    uint64_t sequences, positions;
    bool gap;
};

static enum err see_row(void *ctx, const struct reader_row *row)
{
    struct seen_rows *seen = ctx;
    seen->count++;
    seen->sequences = seen->sequences * 10 + row->sequence;
    seen->positions = seen->positions * 10 + row->position;
    seen->gap = seen->gap || row->gap;
    return seen->count == seen->stop_after ? ERR_CLOSED : ERR_OK;
}

static void rows_come_in_order_up_to_the_limit_and_say_where_they_ended(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    struct store_stream b = store_agent(s, "aztm/two", 2);
    uint64_t last = 99;
    store_declare(s, &a, 0, "aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    store_declare(s, &b, 0, "aztm/two/x", WIRE_MEASUREMENT, 10, 0);
    for (int i = 0; i < 3; i++) {
        store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH + 10 * i, store_integer(i));
        store_one(s, &b, WIRE_MEASUREMENT, 0, STORE_EPOCH + 10 * i, store_integer(i));
    }
    struct reader *r = open_reader(s);
    struct seen_rows seen = {0};
    assert_int_equal(reader_rows(r, 0, 4, see_row, &seen, &last, &s->diag), ERR_OK);
    assert_int_equal(last, 4);
    assert_int_equal(seen.positions, 1234);
    assert_int_equal(seen.sequences, 1122);
    seen = (struct seen_rows){0};
    assert_int_equal(reader_rows(r, last, 100, see_row, &seen, &last, &s->diag), ERR_OK);
    assert_int_equal(last, 6);
    assert_int_equal(seen.positions, 56);
    assert_int_equal(reader_rows(r, last, 100, see_row, &seen, &last, &s->diag), ERR_OK);
    assert_int_equal(last, 6);
    seen = (struct seen_rows){.stop_after = 2};
    assert_int_equal(reader_rows(r, 0, 100, see_row, &seen, &last, &s->diag), ERR_CLOSED);
    assert_int_equal(last, 1); // the row that stopped it is not behind us
    seen = (struct seen_rows){0};
    assert_int_equal(reader_stream_rows(r, b.stream_id, 2, UINT64_MAX, see_row, &seen, NULL), ERR_OK);
    assert_int_equal(seen.sequences, 23);
    reader_close(r);
}

static void only_committed_rows_are_seen(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    uint64_t position = 9;
    int64_t received_us = 9;
    struct reader *r = open_reader(s);
    const struct wire_sample sample = {.time = STORE_EPOCH, .value = store_integer(1)};
    assert_int_equal(reader_head(r, &position, &received_us, &s->diag), ERR_OK);
    assert_int_equal(position, 0);
    assert_int_equal(received_us, 0);
    store_begin(s);
    store_append(s, &a, WIRE_MEASUREMENT, &sample, NULL, 1, NULL, 0);
    assert_int_equal(reader_head(r, &position, &received_us, &s->diag), ERR_OK);
    assert_int_equal(position, 0);
    store_commit(s);
    assert_int_equal(reader_head(r, &position, &received_us, &s->diag), ERR_OK);
    assert_int_equal(position, 1);
    assert_true(received_us == STORE_EPOCH * US_PER_S);
    reader_close(r);
}

static void a_ledger_that_is_not_there_yet_is_not_found(void **state)
{
    struct store *s = *state;
    struct reader *r = NULL;
    char folder[STORE_PATH];
    store_temp_folder(folder);
    assert_int_equal(reader_open(folder, &r, &s->diag), ERR_NOT_FOUND);
    assert_null(r);
    store_remove_folder(folder);
}

static void another_process_reads_while_rows_are_written(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_declare(s, &a, 0, "aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH, store_integer(1));
    int done[2];
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct reader *r = NULL;
        struct diag d = {0};
        uint64_t position = 0;
        uint64_t before = 0;
        int64_t received_us = 0;
        enum err e = reader_open(s->folder, &r, &d);
        while (e == ERR_OK && position < 301) {
            struct seen_rows seen = {0};
            uint64_t last = 0;
            e = reader_head(r, &position, &received_us, &d);
            if (e == ERR_OK && position < before)
                e = ERR_INTERNAL;
            before = position;
            if (e == ERR_OK)
                e = reader_rows(r, 0, 1000, see_row, &seen, &last, &d);
            if (e == ERR_OK && last < position)
                e = ERR_INTERNAL;
        }
        reader_close(r);
        _exit((int)e);
    }
    for (int i = 1; i <= 300; i++)
        store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH + 10 * i, store_integer(i));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(done[0]);
    close(done[1]);
}

// ---- samples
// --------------------------------------------------------------------------------------------------------

struct seen_samples {
    struct reader *reader;
    struct diag *diag;
    int count;
    char text[1000];
};

static enum err see_sample(void *ctx, const struct reader_sample *sample)
{
    struct seen_samples *seen = ctx;
    char value[FIGURE_TEXT];
    figure_text(sample->value, value);
    size_t at = strlen(seen->text);
    snprintf(seen->text + at, sizeof seen->text - at, "%u:%s@%lld=%s%s%s;", sample->index,
             sample->series->name, (long long)sample->time, value, sample->note ? " " : "",
             sample->note ? sample->note->reason : "");
    seen->count++;
    return ERR_OK;
}

static enum err see_samples(void *ctx, const struct reader_row *row)
{
    struct seen_samples *seen = ctx;
    return reader_samples(seen->reader, row, see_sample, seen, seen->diag);
}

static void samples_obey_the_verdict_and_carry_their_notes(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "penza/one", 1);
    uint64_t last = 0;
    store_declare(s, &a, 0, "penza/one/jobs_total", WIRE_REPORT, 0, 2);
    store_declare(s, &a, 1, "penza/one/inv", WIRE_REPORT, 0, 2);
    const struct wire_sample samples[] = {
        {.series = 0, .time = 20000, .value = store_integer(10)},
        {.series = 1, .time = 20000, .value = store_real(1.5)},
        {.series = 0, .time = 20031, .value = figure_missing()},
        {.series = 1, .time = 20031, .value = store_integer(7)},
        {.series = 1, .time = 20061, .value = store_integer(8)},
    };
    const struct wire_note notes[5] = {
        [1] = {.status = WIRE_ESTIMATED, .reason = "guess", .author = "", .currency = ""},
        [2] = {.status = WIRE_MISSING, .reason = "lost", .author = "", .currency = ""},
        [4] = {.status = WIRE_PROVISIONAL, .reason = "early", .author = "", .currency = ""},
    };
    const struct wire_refusal refused[] = {{0, WIRE_REASON_OUT_OF_RANGE}, {3, WIRE_REASON_FUTURE}};
    store_begin(s);
    store_append(s, &a, WIRE_REPORT, samples, notes, 5, refused, 2);
    store_gap(s, &a, 9, 100);
    store_commit(s);
    struct reader *r = open_reader(s);
    struct seen_samples seen = {.reader = r, .diag = &s->diag};
    assert_int_equal(reader_rows(r, 0, 10, see_samples, &seen, &last, &s->diag), ERR_OK);
    assert_string_equal(seen.text, "1:penza/one/inv@20000=1.5 guess;2:penza/one/jobs_total@20031= lost;"
                                   "4:penza/one/inv@20061=8 early;");
    reader_close(r);
}

static void append_raw(struct store *s, struct store_stream *a, const void *body, size_t len,
                       const struct wire_reject *reject, uint32_t samples)
{
    struct buf verdict;
    struct wire_receipt receipt;
    buf_init(&verdict, WIRE_MESSAGE_MAX_BYTES);
    if (reject) {
        const struct wire_message m = {.type = WIRE_REJECT, .reject = *reject};
        assert_int_equal(wire_encode(&m, &verdict), ERR_OK);
    }
    const struct ledger_row row = {.stream_id = a->stream_id,
                                   .class = WIRE_MEASUREMENT,
                                   .sequence = a->sequence + 1,
                                   .last_sequence = a->sequence + 1,
                                   .samples = samples,
                                   .refused = reject ? samples : 0,
                                   .body = body,
                                   .body_len = len,
                                   .verdict = verdict.data,
                                   .verdict_len = verdict.len};
    store_begin(s);
    assert_int_equal(ledger_append(s->ledger, &row, &receipt, &s->diag), ERR_OK);
    store_commit(s);
    a->sequence++;
    buf_deinit(&verdict);
}

static void a_batch_refused_as_a_whole_gives_nothing_even_when_it_does_not_decode(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "penza/one", 1);
    uint64_t last = 0;
    const struct wire_reject whole = {.sequence = 1, .whole = true, .whole_reason = WIRE_REASON_MALFORMED};
    append_raw(s, &a, "\xff\xff", 2, &whole, 0);
    struct reader *r = open_reader(s);
    struct seen_samples seen = {.reader = r, .diag = &s->diag};
    assert_int_equal(reader_rows(r, 0, 10, see_samples, &seen, &last, &s->diag), ERR_OK);
    assert_int_equal(seen.count, 0);
    reader_close(r);
}

static void an_accepted_body_that_does_not_decode_is_corrupt_and_named(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "penza/one", 1);
    uint64_t last = 0;
    append_raw(s, &a, "\xff\xff", 2, NULL, 1);
    struct reader *r = open_reader(s);
    struct seen_samples seen = {.reader = r, .diag = &s->diag};
    assert_int_equal(reader_rows(r, 0, 10, see_samples, &seen, &last, &s->diag), ERR_CORRUPT);
    assert_non_null(strstr(s->diag.text, "position 1"));
    reader_close(r);
}

static void an_accepted_sample_of_an_undeclared_number_is_corrupt(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "penza/one", 1);
    uint64_t last = 0;
    store_declare(s, &a, 0, "penza/one/x", WIRE_MEASUREMENT, 10, 0);
    store_one(s, &a, WIRE_MEASUREMENT, 1, STORE_EPOCH, store_integer(1));
    struct reader *r = open_reader(s);
    struct seen_samples seen = {.reader = r, .diag = &s->diag};
    assert_int_equal(reader_rows(r, 0, 10, see_samples, &seen, &last, &s->diag), ERR_CORRUPT);
    reader_close(r);
}

static void a_declare_made_later_is_seen_by_an_open_reader(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "penza/one", 1);
    uint64_t last = 0;
    store_declare(s, &a, 0, "penza/one/x", WIRE_MEASUREMENT, 10, 0);
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH, store_integer(1));
    struct reader *r = open_reader(s);
    struct seen_samples seen = {.reader = r, .diag = &s->diag};
    assert_int_equal(reader_rows(r, 0, 10, see_samples, &seen, &last, &s->diag), ERR_OK);
    store_declare(s, &a, 1, "penza/one/y", WIRE_MEASUREMENT, 10, 0);
    store_one(s, &a, WIRE_MEASUREMENT, 1, STORE_EPOCH, store_integer(2));
    assert_int_equal(reader_rows(r, last, 10, see_samples, &seen, &last, &s->diag), ERR_OK);
    assert_int_equal(seen.count, 2);
    assert_non_null(strstr(seen.text, "penza/one/y"));
    reader_close(r);
}

// ---- what is beside the rows
// ----------------------------------------------------------------------------------------

static enum err join_name(void *ctx, const struct ledger_series *series)
{
    char *text = ctx;
    strcat(text, series->name);
    strcat(text, " ");
    return ERR_OK;
}

static void series_are_found_by_number_name_and_prefix(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "penza/one", 1);
    struct store_stream b = store_agent(s, "penza/one-b", 2);
    const struct ledger_series *found = NULL;
    const struct ledger_series *again = NULL;
    char text[500] = "";
    int64_t y = store_declare(s, &a, 0, "penza/one/y", WIRE_MEASUREMENT, 60, 0);
    store_declare(s, &a, 1, "penza/one/x/fridges", WIRE_MEASUREMENT, 10, 0);
    store_declare(s, &b, 0, "penza/one-b/x", WIRE_MEASUREMENT, 10, 0);
    struct reader *r = open_reader(s);
    assert_int_equal(reader_series(r, y, &found, &s->diag), ERR_OK);
    assert_string_equal(found->name, "penza/one/y");
    assert_int_equal(found->step_s, 60);
    assert_int_equal(reader_series_by_name(r, "penza/one/y", &again, &s->diag), ERR_OK);
    assert_ptr_equal(found, again);
    assert_int_equal(reader_series_by_name(r, "penza/one", &again, &s->diag), ERR_NOT_FOUND);
    assert_int_equal(reader_series(r, 99, &again, &s->diag), ERR_NOT_FOUND);
    assert_int_equal(reader_series(r, -1, &again, &s->diag), ERR_NOT_FOUND);
    assert_int_equal(reader_series_list(r, "penza/one/", join_name, text, &s->diag), ERR_OK);
    assert_string_equal(text, "penza/one/x/fridges penza/one/y ");
    text[0] = '\0';
    assert_int_equal(reader_series_list(r, "", join_name, text, &s->diag), ERR_OK);
    assert_string_equal(text, "penza/one-b/x penza/one/x/fridges penza/one/y ");
    reader_close(r);
}

static enum err see_stream(void *ctx, const struct reader_stream *stream)
{
    struct reader_stream *out = ctx;
    *out = *stream;
    return ERR_OK;
}

static enum err see_counter(void *ctx, const char *name, int64_t agent_id, uint64_t value)
{
    char *text = ctx;
    sprintf(text + strlen(text), "%s %lld %llu;", name, (long long)agent_id, (unsigned long long)value);
    return ERR_OK;
}

static enum err see_agent(void *ctx, const struct ledger_agent *agent)
{
    char *text = ctx;
    sprintf(text + strlen(text), "%lld %s;", (long long)agent->key_id, agent->resident);
    return ERR_OK;
}

static void streams_counters_and_agents_are_listed(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "penza/one", 1);
    struct reader_stream stream = {0};
    char text[500] = "";
    store_declare(s, &a, 0, "penza/one/x", WIRE_MEASUREMENT, 10, 0);
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH, store_integer(1));
    fake_clock_advance_us(&s->clock, 5 * US_PER_S);
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH + 10, store_integer(2));
    assert_int_equal(ledger_count(s->ledger, "b", 1, 2), ERR_OK);
    assert_int_equal(ledger_count(s->ledger, "a", 0, 1), ERR_OK);
    struct reader *r = open_reader(s);
    assert_int_equal(reader_streams(r, see_stream, &stream, &s->diag), ERR_OK);
    assert_string_equal(stream.resident, "penza/one");
    assert_int_equal(stream.stream.last_sequence, 2);
    assert_true(stream.first_received_us == STORE_EPOCH * US_PER_S);
    assert_true(stream.last_received_us == (STORE_EPOCH + 5) * US_PER_S);
    assert_int_equal(reader_counters(r, see_counter, text, &s->diag), ERR_OK);
    assert_string_equal(text, "a 0 1;b 1 2;");
    text[0] = '\0';
    assert_int_equal(reader_agents(r, see_agent, text, &s->diag), ERR_OK);
    assert_string_equal(text, "1 penza/one;");
    reader_close(r);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(rows_come_in_order_up_to_the_limit_and_say_where_they_ended),
        T(only_committed_rows_are_seen),
        T(a_ledger_that_is_not_there_yet_is_not_found),
        T(another_process_reads_while_rows_are_written),
        T(samples_obey_the_verdict_and_carry_their_notes),
        T(a_batch_refused_as_a_whole_gives_nothing_even_when_it_does_not_decode),
        T(an_accepted_body_that_does_not_decode_is_corrupt_and_named),
        T(an_accepted_sample_of_an_undeclared_number_is_corrupt),
        T(a_declare_made_later_is_seen_by_an_open_reader),
        T(series_are_found_by_number_name_and_prefix),
        T(streams_counters_and_agents_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
