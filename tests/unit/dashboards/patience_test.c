#include "dashboards/patience.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PLACES 6

static struct {
    struct fake_clock clock;
    struct metrics *metrics;
    struct patience *patience;
    int ours[PLACES], theirs[PLACES];
    struct patience_place *at[PLACES];
} w;

static int setup(void **state)
{
    (void)state;
    fake_clock_init(&w.clock, INT64_C(1780000000) * US_PER_S);
    if (metrics_create(&w.metrics) != ERR_OK ||
        patience_create(PLACES, &w.clock.clock, w.metrics, &w.patience) != ERR_OK)
        return -1;
    for (int i = 0; i < PLACES; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
            return -1;
        w.ours[i] = pair[0];
        w.theirs[i] = pair[1];
        if (!(w.at[i] = patience_begin(w.patience, w.ours[i])))
            return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < PLACES; i++) {
        close(w.ours[i]);
        close(w.theirs[i]);
    }
    patience_destroy(w.patience);
    metrics_destroy(w.metrics);
    return 0;
}

static bool is_shut(int i)
{
    char byte;
    return recv(w.theirs[i], &byte, 1, 0) == 0;
}

static size_t after_s(int64_t s)
{
    fake_clock_advance_us(&w.clock, s * US_PER_S);
    return patience_look(w.patience);
}

static bool answer(int i, const char *address, size_t len)
{
    patience_asked(w.patience, w.at[i]);
    return patience_answered(w.patience, w.at[i], address, len);
}

static void a_request_that_is_never_whole_is_ended(void **state)
{
    (void)state;
    patience_asked(w.patience, w.at[0]); // whole: making the answer takes as long as it takes
    assert_int_equal(after_s(PATIENCE_ASK_S), 0);
    assert_int_equal(after_s(1), PLACES - 1);
    for (int i = 0; i < PLACES; i++)
        assert_int_equal(is_shut(i), i != 0);
    assert_int_equal(metrics_value(w.metrics, METRIC_CONNECTIONS_ENDED), PLACES - 1);
    assert_int_equal(after_s(100), 0); // once each
}

static void the_next_request_has_its_own_time(void **state)
{
    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        assert_int_equal(after_s(PATIENCE_ASK_S), 0);
        for (int i = 0; i < PLACES; i++) {
            assert_true(answer(i, "10.0.0.1", 100));
            patience_done(w.patience, w.at[i]);
        }
    }
}

static void a_long_answer_may_be_read_for_longer(void **state)
{
    (void)state;
    const size_t len = 100 * (size_t)PATIENCE_READ_BYTES_S;
    for (int i = 1; i < PLACES; i++)
        patience_end(w.patience, w.at[i]);
    assert_true(answer(0, "10.0.0.1", len));
    assert_int_equal(after_s(PATIENCE_READ_S + 100), 0);
    assert_int_equal(after_s(1), 1);
    assert_true(is_shut(0));
}

static void one_address_has_a_share_of_what_may_wait(void **state)
{
    (void)state;
    const size_t share = PATIENCE_BYTES / PATIENCE_SHARE;
    assert_true(answer(0, "10.0.0.1", share - 1));
    assert_false(answer(1, "10.0.0.1", PATIENCE_SMALL + 1));
    assert_true(answer(1, "10.0.0.1", PATIENCE_SMALL)); // what is small is always sent
    assert_true(answer(2, "10.0.0.2", share));
    patience_done(w.patience, w.at[0]); // read
    assert_true(answer(0, "10.0.0.1", share - PATIENCE_SMALL));
}

static void what_waits_has_a_limit_whoever_reads(void **state)
{
    (void)state;
    const char *const address[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"};
    const size_t share = PATIENCE_BYTES / PATIENCE_SHARE;
    for (int i = 0; i < PATIENCE_SHARE; i++)
        assert_true(answer(i, address[i], share));
    assert_false(answer(4, "10.0.0.5", PATIENCE_SMALL + 1));
    assert_true(answer(4, "10.0.0.5", PATIENCE_SMALL));
    patience_done(w.patience, w.at[4]);
    patience_end(w.patience, w.at[3]); // gone without reading
    assert_true(answer(4, "10.0.0.5", share));
}

static void without_a_place_only_little_is_sent(void **state)
{
    (void)state;
    struct patience_place *none = patience_begin(w.patience, w.ours[0]);
    assert_null(none);
    patience_asked(w.patience, none);
    assert_true(patience_answered(w.patience, none, "10.0.0.1", PATIENCE_SMALL));
    assert_false(patience_answered(w.patience, none, "10.0.0.1", PATIENCE_SMALL + 1));
    patience_done(w.patience, none);
    patience_end(w.patience, none);
}

static void its_thread_looks_and_ends(void **state)
{
    (void)state;
    struct diag d = {""};
    fake_clock_advance_us(&w.clock, (PATIENCE_ASK_S + 1) * (int64_t)US_PER_S);
    assert_int_equal(patience_watch(w.patience, &d), ERR_OK);
    for (int i = 0; i < 1000 && !is_shut(0); i++)
        usleep(10000);
    assert_int_equal(metrics_value(w.metrics, METRIC_CONNECTIONS_ENDED), PLACES);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_request_that_is_never_whole_is_ended),
        T(the_next_request_has_its_own_time),
        T(a_long_answer_may_be_read_for_longer),
        T(one_address_has_a_share_of_what_may_wait),
        T(what_waits_has_a_limit_whoever_reads),
        T(without_a_place_only_little_is_sent),
        T(its_thread_looks_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
