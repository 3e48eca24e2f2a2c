// A resident's limits: over them it is slowed by credit, then refused, and nobody else notices.
#include "tests/support/collector_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// ON_THE_WAY: what one connection may have sent by its credit when the bucket is empty.
enum { RATE = 10, BATCH = 100, BUCKET = 60 * RATE, ON_THE_WAY = BUCKET + WIRE_SAMPLES_MAX };

static struct quota_of of_neighbour = {"penza/rosstat", {2, 0}};
static const struct quotas quotas = {.usual = {3, RATE}, .count = 1, .of = &of_neighbour};

static int setup(void **state)
{
    if (bench_setup(state) != 0)
        return -1;
    struct bench *b = *state;
    b->quotas = &quotas;
    bench_restart(b);
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    return 0;
}

// A batch of BATCH samples; what is answered to it.
static void send_batch(struct bench *b, uint64_t sequence)
{
    struct wire_sample samples[BATCH];
    for (int i = 0; i < BATCH; i++)
        samples[i] = bench_sample(0, BENCH_NOW_S - 10 * (int64_t)(sequence * BATCH) - 10 * i, i);
    bench_clear(b);
    bench_batch(b, sequence, WIRE_MEASUREMENT, samples, BATCH);
}

static uint64_t credit_after(struct bench *b, uint64_t sequence)
{
    send_batch(b, sequence);
    return bench_reply(b, b->reply_count - 1, WIRE_ACK).ack.credit_bytes;
}

static void a_minute_s_worth_is_taken_at_once_and_then_there_is_no_credit(void **state)
{
    struct bench *b = *state;
    uint64_t sequence = 1;
    for (; sequence < 6; sequence++)
        assert_true(credit_after(b, sequence) > 0);
    assert_int_equal(credit_after(b, sequence), 0);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 6 * BATCH); // nothing is lost by it
    bench_clear(b);
    ingest_tick(b->ingest, false);
    assert_int_equal(b->reply_count, 0);
    fake_clock_advance_us(&b->clock, 3 * US_PER_S);
    ingest_tick(b->ingest, false);
    assert_true(bench_reply(b, 0, WIRE_ACK).ack.credit_bytes > 0);
}

static void without_credit_they_are_refused_and_then_dropped(void **state)
{
    struct bench *b = *state;
    uint64_t sequence = 1;
    for (; sequence <= (BUCKET + ON_THE_WAY) / BATCH; sequence++)
        send_batch(b, sequence);
    assert_int_equal(bench_counted(b, COUNTER_REFUSED_QUOTA), 0);
    send_batch(b, sequence);
    struct wire_message reject = bench_reply(b, 0, WIRE_REJECT);
    assert_true(reject.reject.whole);
    assert_int_equal(reject.reject.whole_reason, WIRE_REASON_QUOTA);
    assert_int_equal(bench_reply(b, 1, WIRE_ACK).ack.sequence, sequence); // refused is an answer
    while (bench_counted(b, COUNTER_QUOTA_DROPPED) == 0 && sequence < 1000)
        send_batch(b, ++sequence);
    assert_in_range(sequence, (BUCKET + 2 * ON_THE_WAY) / BATCH, (BUCKET + 2 * ON_THE_WAY) / BATCH + 2);
    assert_int_equal(b->reply_count, 0);
    // accepted + quarantined is all that was acknowledged
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED) +
                         bench_counted(b, COUNTER_SAMPLES_QUARANTINED),
                     (sequence - 1) * BATCH);
    fake_clock_advance_us(&b->clock, (2 * ON_THE_WAY / RATE + 20) * US_PER_S); // the debt is paid by waiting
    assert_true(credit_after(b, sequence) > 0);
}

static void what_comes_in_between_two_looks_is_not_lost(void **state)
{
    struct bench *b = *state;
    for (uint64_t sequence = 1; sequence <= 7; sequence++)
        send_batch(b, sequence);
    bench_clear(b);
    for (int i = 0; i < 54; i++) { // ten seconds and a bit: the seventh batch
        assert_int_equal(b->reply_count, 0);
        fake_clock_advance_us(&b->clock, 190 * US_PER_MS);
        ingest_tick(b->ingest, false);
    }
    assert_true(bench_reply(b, 0, WIRE_ACK).ack.credit_bytes > 0);
}

// As many of the smallest samples as the credit of its Welcome takes, in messages that are as full as can be.
static void send_by_credit(struct bench *b, const struct mq_peer *peer, const char *token, uint64_t credit)
{
    enum { MANY = 3000 };
    struct wire_sample *samples = calloc(MANY, sizeof *samples);
    uint64_t sent = 0;
    assert_non_null(samples);
    for (int i = 0; i < MANY; i++)
        samples[i] = bench_sample(0, BENCH_NOW_S - 10 * (int64_t)(MANY - i), 1);
    for (uint64_t sequence = 1;; sequence++) {
        bench_build(b, sequence, WIRE_MEASUREMENT, samples, NULL, MANY);
        if (sent + b->out.len > credit)
            break;
        sent += b->out.len;
        bench_clear(b);
        bench_receive(b, peer, token, b->out.data, b->out.len);
        assert_int_equal(bench_reply(b, b->reply_count - 1, WIRE_ACK).ack.sequence, sequence);
    }
    assert_true(sent > 0);
    free(samples);
}

static void two_agents_that_keep_to_the_credit_they_were_given_have_nothing_refused(void **state)
{
    struct bench *b = *state;
    struct ledger_agent second;
    struct mq_peer peer = {.id = {66, 1, 2, 3, 4}, .len = 5};
    char token[ADMISSION_TOKEN];
    struct wire_message hello = bench_hello_message(b);
    bench_send(b, &hello);
    uint64_t credit = bench_reply(b, b->reply_count - 1, WIRE_WELCOME).welcome.credit_bytes;
    bench_admit(b, "almaty-iz/acme", &second, token);
    b->incarnation.bytes[0] ^= 0x55;
    hello = bench_hello_message(b);
    buf_reset(&b->out);
    assert_int_equal(wire_encode(&hello, &b->out), ERR_OK);
    bench_clear(b);
    bench_receive(b, &peer, token, b->out.data, b->out.len);
    uint64_t second_credit = bench_reply(b, 0, WIRE_WELCOME).welcome.credit_bytes;
    b->incarnation.bytes[0] ^= 0x55;
    send_by_credit(b, &b->peer, b->token, credit);
    b->incarnation.bytes[0] ^= 0x55;
    struct wire_message m = bench_declare_message(b, 0, "out_units/cabins", "piece", WIRE_MEASUREMENT);
    buf_reset(&b->out);
    assert_int_equal(wire_encode(&m, &b->out), ERR_OK);
    bench_receive(b, &peer, token, b->out.data, b->out.len);
    send_by_credit(b, &peer, token, second_credit);
    assert_int_equal(bench_counted(b, COUNTER_REFUSED_QUOTA), 0);
    assert_int_equal(bench_counted(b, COUNTER_QUOTA_DROPPED), 0);
    assert_true(bench_counted(b, COUNTER_SAMPLES_ACCEPTED) >= 6000);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_QUARANTINED), 0);
}

static void a_neighbour_s_credit_is_untouched(void **state)
{
    struct bench *b = *state;
    struct ledger_agent neighbour;
    struct mq_peer peer = {.id = {66, 1, 2, 3, 4}, .len = 5};
    char token[ADMISSION_TOKEN];
    for (uint64_t sequence = 1; sequence <= 12; sequence++)
        send_batch(b, sequence);
    bench_admit(b, "penza/rosstat", &neighbour, token);
    struct wire_message hello = bench_hello_message(b);
    struct buf bytes;
    buf_init(&bytes, WIRE_MESSAGE_MAX_BYTES);
    hello.hello.incarnation.bytes[0] ^= 0x55;
    assert_int_equal(wire_encode(&hello, &bytes), ERR_OK);
    bench_clear(b);
    bench_receive(b, &peer, token, bytes.data, bytes.len);
    buf_deinit(&bytes);
    assert_true(bench_reply(b, 0, WIRE_WELCOME).welcome.credit_bytes >= WIRE_MESSAGE_MAX_BYTES);
}

static void two_agents_of_a_resident_share_its_bucket(void **state)
{
    struct bench *b = *state;
    struct ledger_agent second;
    struct mq_peer peer = {.id = {66, 1, 2, 3, 4}, .len = 5};
    char token[ADMISSION_TOKEN];
    struct wire_message hello = bench_hello_message(b);
    struct buf bytes;
    for (uint64_t sequence = 1; sequence <= 6; sequence++)
        send_batch(b, sequence);
    bench_admit(b, "almaty-iz/acme", &second, token);
    hello.hello.incarnation.bytes[0] ^= 0x55;
    buf_init(&bytes, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_encode(&hello, &bytes), ERR_OK);
    bench_clear(b);
    bench_receive(b, &peer, token, bytes.data, bytes.len);
    buf_deinit(&bytes);
    assert_int_equal(bench_reply(b, 0, WIRE_WELCOME).welcome.credit_bytes, 0);
}

static void more_series_than_allowed_are_refused_with_the_limit_named(void **state)
{
    struct bench *b = *state;
    bench_declare(b, 1, "out_units/cabins", "piece", WIRE_MEASUREMENT);
    bench_declare(b, 2, "jobs_total", "person", WIRE_REPORT);
    struct wire_message m = bench_declare_message(b, 3, "out_units/pumps", "piece", WIRE_MEASUREMENT);
    bench_clear(b);
    bench_send(b, &m);
    struct wire_message refused = bench_reply(b, 0, WIRE_REFUSE);
    assert_int_equal(refused.refuse.reason, WIRE_REFUSE_OVER_QUOTA);
    assert_non_null(strstr(refused.refuse.text, "3 series"));
    b->incarnation.bytes[0] ^= 1; // those it has may be named again
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
}

static void a_resident_may_have_limits_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(quota_find(&quotas, "penza/rosstat").series, 2);
    assert_int_equal(quota_find(&quotas, "penza/rosstat").samples_per_s, 0);
    assert_int_equal(quota_find(&quotas, "penza/other").series, 3);
    assert_int_equal(quota_find(NULL, "penza/other").series, 0);
}

int main(void)
{
#define WITH_BENCH(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        WITH_BENCH(a_minute_s_worth_is_taken_at_once_and_then_there_is_no_credit),
        WITH_BENCH(without_credit_they_are_refused_and_then_dropped),
        WITH_BENCH(what_comes_in_between_two_looks_is_not_lost),
        WITH_BENCH(two_agents_that_keep_to_the_credit_they_were_given_have_nothing_refused),
        WITH_BENCH(a_neighbour_s_credit_is_untouched),
        WITH_BENCH(two_agents_of_a_resident_share_its_bucket),
        WITH_BENCH(more_series_than_allowed_are_refused_with_the_limit_named),
        cmocka_unit_test(a_resident_may_have_limits_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
