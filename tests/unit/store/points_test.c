// Exact measurements: whatever the projection has read or not, the last in ledger order is what is seen.
#include "store/observations.h"
#include "tests/support/random.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct store store;
    struct store_stream stream;
    struct reader *reader;
    struct observations *writer;
    struct observations_reader *view;
    const struct ledger_series *series;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    store_create(&f->store);
    f->stream = store_agent(&f->store, "penza/one", 1);
    store_declare(&f->store, &f->stream, 0, "penza/one/out_units", WIRE_MEASUREMENT, 10, 0);
    store_declare(&f->store, &f->stream, 1, "penza/one/energy_kwh", WIRE_MEASUREMENT, 10, 0);
    store_declare(&f->store, &f->stream, 2, "penza/one/jobs_total", WIRE_REPORT, 0, 2);
    assert_int_equal(reader_open(f->store.folder, &f->reader, &f->store.diag), ERR_OK);
    assert_int_equal(reader_series_by_name(f->reader, "penza/one/out_units", &f->series, &f->store.diag),
                     ERR_OK);
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

static void advance(struct fixture *f)
{
    size_t rows = 1;
    while (rows > 0)
        assert_int_equal(observations_advance(f->writer, f->reader, 1000, &rows, &f->store.diag), ERR_OK);
}

struct texts {
    char text[4000];
};

static enum err put_point(void *ctx, const struct point *p)
{
    struct texts *t = ctx;
    char value[FIGURE_TEXT];
    size_t at = strlen(t->text);
    figure_text(p->value, value);
    snprintf(t->text + at, sizeof t->text - at, "%lld=%s;", (long long)(p->time - STORE_EPOCH),
             p->value.kind == FIGURE_MISSING ? "U" : value);
    return ERR_OK;
}

static const char *ask(struct fixture *f, struct texts *t, int64_t from, int64_t to)
{
    t->text[0] = '\0';
    enum err e = points_read(f->view, f->reader, f->series, STORE_EPOCH + from, STORE_EPOCH + to, 10000,
                             put_point, t, &f->store.diag);
    if (e != ERR_OK)
        fail_msg("points_read: %s: %s", err_name(e), f->store.diag.text);
    return t->text;
}

static void measure(struct fixture *f, int64_t offset, int64_t value)
{
    store_one(&f->store, &f->stream, WIRE_MEASUREMENT, 0, STORE_EPOCH + offset, store_integer(value));
}

static void a_figure_committed_a_moment_ago_is_seen_with_those_before(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    measure(f, 10, 1);
    assert_string_equal(ask(f, &t, 0, 100), "10=1;"); // the projection is empty
    advance(f);
    assert_string_equal(ask(f, &t, 0, 100), "10=1;");
    measure(f, 20, 2);
    assert_string_equal(ask(f, &t, 0, 100), "10=1;20=2;");
    advance(f);
    assert_string_equal(ask(f, &t, 0, 100), "10=1;20=2;");
}

static void the_span_leaves_its_beginning_out_and_takes_its_end(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    for (int i = 1; i <= 4; i++)
        measure(f, 10 * i, i);
    advance(f);
    assert_string_equal(ask(f, &t, 10, 30), "20=2;30=3;");
    assert_string_equal(ask(f, &t, 40, 100), "");
    assert_string_equal(ask(f, &t, 40, 40), "");
    assert_string_equal(ask(f, &t, 40, 10), "");
}

static void late_and_corrected_figures_take_their_place_by_ledger_order(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    measure(f, 30, 3);
    measure(f, 10, 1);
    measure(f, 30, 33);
    store_one(&f->store, &f->stream, WIRE_MEASUREMENT, 0, STORE_EPOCH + 10, figure_missing());
    advance(f);
    measure(f, 20, 2);
    measure(f, 30, 333);
    assert_string_equal(ask(f, &t, 0, 100), "10=U;20=2;30=333;");
}

static void other_series_classes_and_refused_samples_are_left_out(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    const struct wire_sample samples[] = {
        {.series = 1, .time = STORE_EPOCH + 10, .value = store_integer(100)},
        {.series = 0, .time = STORE_EPOCH + 10, .value = store_real(0.25)},
        {.series = 0, .time = STORE_EPOCH + 20, .value = store_integer(9)}};
    const struct wire_refusal refused[] = {{2, WIRE_REASON_OUT_OF_RANGE}};
    store_begin(&f->store);
    store_append(&f->store, &f->stream, WIRE_MEASUREMENT, samples, NULL, 3, refused, 1);
    store_commit(&f->store);
    store_one(&f->store, &f->stream, WIRE_REPORT, 2, 20513, store_integer(8));
    advance(f);
    assert_string_equal(ask(f, &t, -100000000, 100000000), "10=0.25;");
    const struct ledger_series *report = NULL;
    assert_int_equal(reader_series_by_name(f->reader, "penza/one/jobs_total", &report, &f->store.diag),
                     ERR_OK);
    assert_int_equal(points_read(f->view, f->reader, report, 0, 1, 10, put_point, &t, &f->store.diag),
                     ERR_INVALID);
}

static void two_incarnations_of_an_agent_are_one_series(void **state)
{
    struct fixture *f = *state;
    struct texts t;
    struct store_stream second = f->stream;
    struct ledger_stream stream;
    measure(f, 10, 1);
    measure(f, 20, 2);
    advance(f);
    memset(second.incarnation.bytes, 77, sizeof second.incarnation.bytes);
    second.sequence = 0;
    store_begin(&f->store);
    assert_int_equal(
        ledger_stream_open(f->store.ledger, second.agent_id, &second.incarnation, &stream, &f->store.diag),
        ERR_OK);
    second.stream_id = stream.stream_id;
    store_declare(&f->store, &second, 0, "penza/one/out_units", WIRE_MEASUREMENT, 10, 0);
    store_commit(&f->store);
    store_one(&f->store, &second, WIRE_MEASUREMENT, 0, STORE_EPOCH + 20, store_integer(22));
    assert_string_equal(ask(f, &t, 0, 100), "10=1;20=22;");
    advance(f);
    store_one(&f->store, &second, WIRE_MEASUREMENT, 0, STORE_EPOCH + 30, store_integer(3));
    assert_string_equal(ask(f, &t, 0, 100), "10=1;20=22;30=3;");
    // The old incarnation's row is later in the ledger: it wins.
    measure(f, 30, 4);
    assert_string_equal(ask(f, &t, 0, 100), "10=1;20=22;30=4;");
}

static void too_many_points_are_refused_and_repeats_of_one_time_are_one(void **state)
{
    struct fixture *f = *state;
    struct texts t = {0};
    for (int i = 0; i < 50; i++)
        measure(f, 10 * (i % 5), i);
    advance(f);
    assert_int_equal(points_read(f->view, f->reader, f->series, STORE_EPOCH - 10, STORE_EPOCH + 100, 4,
                                 put_point, &t, &f->store.diag),
                     ERR_TOO_BIG);
    assert_string_equal(t.text, "");
    assert_int_equal(points_read(f->view, f->reader, f->series, STORE_EPOCH - 10, STORE_EPOCH + 100, 5,
                                 put_point, &t, &f->store.diag),
                     ERR_OK);
    assert_string_equal(t.text, "0=45;10=46;20=47;30=48;40=49;");
}

static enum err stop(void *ctx, const struct point *p)
{
    (void)ctx;
    (void)p;
    return ERR_CLOSED;
}

// The damaged row is what must not be reached.
static void reading_ends_soon_after_the_most_points_that_may_be_in_memory(void **state)
{
    enum { ROWS = 300, EACH = 1000, MOST = (1 << 18) + 8 };
    static struct wire_sample samples[EACH];
    struct fixture *f = *state;
    const struct ledger_row junk = {.stream_id = f->stream.stream_id,
                                    .class = WIRE_MEASUREMENT,
                                    .sequence = ROWS + 1,
                                    .last_sequence = ROWS + 1,
                                    .samples = 1,
                                    .body = "\xff\xff",
                                    .body_len = 2};
    struct wire_receipt receipt;
    store_begin(&f->store);
    for (int64_t row = 0; row < ROWS; row++) {
        for (int64_t i = 0; i < EACH; i++)
            samples[i] = (struct wire_sample){
                .series = 0, .time = STORE_EPOCH + 10 * (row * EACH + i), .value = store_integer(1)};
        store_append(&f->store, &f->stream, WIRE_MEASUREMENT, samples, NULL, EACH, NULL, 0);
    }
    assert_int_equal(ledger_append(f->store.ledger, &junk, &receipt, &f->store.diag), ERR_OK);
    store_commit(&f->store);
    assert_int_equal(
        points_read(f->view, f->reader, f->series, 0, INT64_MAX, SIZE_MAX, stop, NULL, &f->store.diag),
        ERR_CORRUPT);
    assert_int_equal(
        points_read(f->view, f->reader, f->series, 0, INT64_MAX, MOST, stop, NULL, &f->store.diag),
        ERR_TOO_BIG);
}

static void a_visit_that_stops_ends_the_reading(void **state)
{
    struct fixture *f = *state;
    measure(f, 10, 1);
    assert_int_equal(points_read(f->view, f->reader, f->series, STORE_EPOCH, STORE_EPOCH + 100, 4, stop, NULL,
                                 &f->store.diag),
                     ERR_CLOSED);
}

// ---- against a plain table
// ------------------------------------------------------------------------------------------

#define DAYS   20
#define DAY_S  86400
#define STEP_S 600
#define CELLS  (DAYS * DAY_S / STEP_S)

struct compare {
    const int64_t *expected; // by cell; 0: none
    size_t next;
};

static enum err compare_point(void *ctx, const struct point *p)
{
    struct compare *c = ctx;
    while (c->next < CELLS && c->expected[c->next] == 0)
        c->next++;
    assert_true(c->next < CELLS);
    assert_true(p->time == STORE_EPOCH + STEP_S * (int64_t)c->next);
    assert_true(p->value.integer == c->expected[c->next]);
    c->next++;
    return ERR_OK;
}

// Figures arrive days late, twice, in any order, with the projection lagging by chance: always the last one
// counts.
static void random_arrivals_equal_a_plain_table(void **state)
{
    struct fixture *f = *state;
    struct random random = {7};
    int64_t *expected = calloc(CELLS, sizeof *expected);
    size_t newest = 0;
    for (int64_t i = 1; i <= 6000; i++) {
        size_t cell = random_below(&random, 10) == 0 ? (size_t)random_below(&random, newest + 1) : newest;
        const struct wire_sample sample = {
            .series = 0, .time = STORE_EPOCH + STEP_S * (int64_t)cell, .value = store_integer(i)};
        if (i % 50 == 1)
            store_begin(&f->store);
        store_append(&f->store, &f->stream, WIRE_MEASUREMENT, &sample, NULL, 1, NULL, 0);
        if (i % 50 == 0)
            store_commit(&f->store);
        expected[cell] = i;
        newest = (size_t)((uint64_t)i * CELLS / 6001);
        if (i % 50 == 0 && random_below(&random, 8) == 0)
            advance(f);
    }
    for (int round = 0; round < 2; round++) {
        struct compare c = {.expected = expected};
        assert_int_equal(points_read(f->view, f->reader, f->series, STORE_EPOCH - 1,
                                     STORE_EPOCH + (int64_t)DAYS * DAY_S, CELLS, compare_point, &c,
                                     &f->store.diag),
                         ERR_OK);
        while (c.next < CELLS && expected[c.next] == 0)
            c.next++;
        assert_int_equal(c.next, CELLS);
        advance(f);
    }
    free(expected);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_figure_committed_a_moment_ago_is_seen_with_those_before),
        T(the_span_leaves_its_beginning_out_and_takes_its_end),
        T(late_and_corrected_figures_take_their_place_by_ledger_order),
        T(other_series_classes_and_refused_samples_are_left_out),
        T(two_incarnations_of_an_agent_are_one_series),
        T(too_many_points_are_refused_and_repeats_of_one_time_are_one),
        T(reading_ends_soon_after_the_most_points_that_may_be_in_memory),
        T(a_visit_that_stops_ends_the_reading),
        T(random_arrivals_equal_a_plain_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
