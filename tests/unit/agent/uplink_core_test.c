#include "tests/support/uplink_stage.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

// ---- greeting

static void hello_comes_first_and_says_what_the_spool_holds(void **state)
{
    struct stage *s = *state;
    s->spool.counters = (struct wire_counters){.sampled = 9, .spooled = 4};
    s->spool.receipt = (struct wire_receipt){.position = 77};
    stage_spool_is(s, 2, 3, 5);
    stage_expect(s, "", "", "");
    uplink_core_connected(s->core);
    stage_expect(s, "hello ", "", "");
    assert_int_equal(s->hello.protocol, WIRE_PROTOCOL);
    assert_int_equal(s->hello.clock_us, STAGE_NOW_S * US_PER_S);
    assert_memory_equal(&s->hello.incarnation, &s->spool.incarnation, 16);
    assert_int_equal(s->hello.declares, 2);
    assert_int_equal(s->hello.first_kept, 1);
    assert_int_equal(s->hello.last_written, 5);
    assert_int_equal(s->hello.last_acknowledged, 2);
    assert_int_equal(s->hello.last_receipt.position, 77);
    assert_int_equal(s->hello.counters.sampled, 9);
    assert_int_equal(s->hello.counters.spooled, 4);
}

static void hello_waits_for_the_spool(void **state)
{
    struct stage *s = *state;
    uplink_core_connected(s->core);
    stage_expect(s, "", "", "");
    stage_spool_is(s, 0, 0, 0);
    stage_expect(s, "hello ", "", "");
}

static void hello_is_said_each_5_s_until_answered(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 0, 0, 0);
    uplink_core_connected(s->core);
    stage_forget(s);
    for (int i = 0; i < 5; i++) {
        assert_true(uplink_core_wait_ms(s->core) <= 5000);
        stage_pass(s, 4999 * US_PER_MS);
        stage_expect(s, "", "", "");
        stage_pass(s, US_PER_MS);
        stage_expect(s, "hello ", "", "");
    }
    stage_welcome(s, 0, 0, STAGE_CREDIT);
    stage_expect(s, "declare0 declare1 ", "allow ", "connected ");
    stage_pass(s, 6 * US_PER_S);
    stage_expect(s, "", "", "");
}

static void nothing_but_hello_is_sent_before_welcome(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 0, 5, 5);
    uplink_core_connected(s->core);
    stage_forget(s);
    stage_ack(s, 3, STAGE_CREDIT);
    stage_spool_is(s, 0, 6, 6);
    uplink_core_tick(s->core);
    stage_expect(s, "", "", "");
}

static void a_full_socket_delays_hello(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 0, 0, 0);
    s->send_result = ERR_AGAIN;
    s->sends_left = 0;
    uplink_core_connected(s->core);
    assert_true(uplink_core_wants_to_send(s->core));
    s->send_result = ERR_OK;
    stage_pass(s, 200 * US_PER_MS);
    stage_expect(s, "hello ", "", "");
}

static void welcome_tells_who_we_are_and_the_clocks_difference(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 0);
    const struct uplink_link *l = uplink_core_link(s->core);
    assert_true(l->connected);
    assert_string_equal(l->resident, "yashnabad/acme");
    assert_int_equal(l->skew_ms, 250);
}

// ---- nobody there

static void what_is_owed_is_kept_as_it_came_and_asked_for_by_hello(void **state)
{
    struct stage *s = *state;
    const struct wire_message m = {.type = WIRE_OBLIGATIONS, .obligations = {.as_of_us = 1, .late = 2}};
    stage_start(s, 0, 0);
    assert_true(s->hello.obligations);
    stage_hear(s, &m);
    stage_expect(s, "", "owed7 ", "");
    uplink_core_disconnected(s->core); // what comes after the loss was said to somebody else
    stage_forget(s);
    stage_hear(s, &m);
    stage_expect(s, "", "", "");
}

static void silence_is_told_once_until_somebody_answers(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 0, 0, 0);
    stage_pass(s, 9 * US_PER_S);
    stage_expect(s, "", "", "");
    stage_pass(s, US_PER_S);
    stage_expect(s, "", "", "no-answer ");
    stage_pass(s, 3600 * US_PER_S);
    stage_expect(s, "", "", "");
    assert_int_equal(uplink_core_link(s->core)->contact, UPLINK_CONTACT_NONE);
    uplink_core_connected(s->core);
    assert_int_equal(uplink_core_link(s->core)->contact, UPLINK_CONTACT_UP);
    uplink_core_disconnected(s->core);
    stage_pass(s, 15 * US_PER_S); // opened again
    stage_forget(s);
    stage_pass(s, 10 * US_PER_S);
    stage_expect(s, "", "", "no-answer ");
}

static void a_key_that_is_not_admitted_is_told_once_until_it_is(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 0, 0, 0);
    for (int i = 0; i < 3; i++) {
        uplink_core_denied(s->core);
        stage_expect(s, "", "", i == 0 ? "key-unknown " : "");
        stage_pass(s, 20 * US_PER_S);
    }
    assert_int_equal(uplink_core_link(s->core)->contact, UPLINK_CONTACT_DENIED);
    assert_false(uplink_core_link(s->core)->connected);
    uplink_core_connected(s->core);
    uplink_core_denied(s->core); // an old answer
    assert_int_equal(uplink_core_link(s->core)->contact, UPLINK_CONTACT_UP);
    stage_expect(s, "hello ", "", "");
    uplink_core_disconnected(s->core);
    stage_forget(s);
    uplink_core_denied(s->core);
    stage_expect(s, "", "", "key-unknown ");
}

// ---- declares and batches

static void declares_go_before_the_batches_that_need_them(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 0, 2, 2);
    uplink_core_connected(s->core);
    stage_forget(s);
    stage_welcome(s, 0, 1, STAGE_CREDIT);
    stage_expect(s, "declare1 batch1 batch2 ", "allow ", "connected ");
    s->spool.declares = 4;
    stage_spool_is(s, 0, 3, 3);
    stage_expect(s, "declare2 declare3 batch3 ", "", "");
}

static void only_what_is_sendable_is_sent(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 0);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_spool_is(s, 0, 1, 3);
    stage_expect(s, "batch1 ", "", "");
    stage_spool_is(s, 0, 3, 3);
    stage_expect(s, "batch2 batch3 ", "", "");
}

static void credit_bounds_the_bytes_on_the_way(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 10);
    stage_ack(s, 0, 1);
    stage_expect(s, "batch1 ", "", ""); // larger than the credit, but nothing else is on the way
    size_t len = s->batch_len;
    stage_ack(s, 0, 2 * len);
    stage_expect(s, "batch2 ", "", "");
    stage_ack(s, 1, 3 * len + 1);
    stage_expect(s, "batch3 batch4 ", "ack1 ", "");
    stage_ack(s, 4, 0);
    stage_expect(s, "", "ack4 ", "");
    stage_pass(s, US_PER_S);
    stage_expect(s, "", "", "");
    stage_ack(s, 4, len);
    stage_expect(s, "batch5 ", "", "");
}

static void the_window_bounds_the_batches_on_the_way(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 600);
    stage_ack(s, 0, 64 * STAGE_CREDIT);
    assert_non_null(strstr(buf_str(&s->said), "batch256 "));
    assert_null(strstr(buf_str(&s->said), "batch257 "));
    stage_forget(s);
    stage_ack(s, 2, 64 * STAGE_CREDIT);
    stage_expect(s, "batch257 batch258 ", "ack2 ", "");
}

static void a_full_socket_is_tried_again_without_loss_or_repeat(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 4);
    s->send_result = ERR_AGAIN;
    s->sends_left = 2;
    stage_ack(s, 0, STAGE_CREDIT);
    stage_expect(s, "batch1 batch2 ", "", "");
    assert_true(uplink_core_wants_to_send(s->core));
    uplink_core_tick(s->core);
    stage_expect(s, "", "", "");
    s->send_result = ERR_OK;
    uplink_core_tick(s->core);
    stage_expect(s, "batch3 batch4 ", "", "");
    assert_false(uplink_core_wants_to_send(s->core));
}

static void gaps_are_sent_in_their_place(void **state)
{
    struct stage *s = *state;
    s->gap_first = 2;
    s->gap_last = 7;
    stage_start(s, 0, 9);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_expect(s, "batch1 gap2-7 batch8 batch9 ", "", "");
    stage_ack(s, 7, STAGE_CREDIT);
    stage_expect(s, "", "ack7 ", "");
}

static void hold_sends_nothing_new_and_waits_for_what_is_on_the_way(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 1);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_forget(s);
    uplink_core_hold(s->core, true);
    stage_spool_is(s, 0, 2, 2);
    stage_expect(s, "", "", "");
    assert_false(uplink_core_idle(s->core));
    assert_false(uplink_core_done(s->core));
    stage_ack(s, 1, STAGE_CREDIT);
    stage_expect(s, "", "ack1 ", "");
    assert_true(uplink_core_idle(s->core));
    assert_false(uplink_core_done(s->core));
    uplink_core_hold(s->core, false);
    stage_expect(s, "batch2 ", "", "");
    stage_ack(s, 2, STAGE_CREDIT);
    assert_true(uplink_core_done(s->core));
}

// ---- acknowledgements

static void acks_are_cumulative_and_old_ones_only_renew_credit(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 5);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_forget(s);
    stage_ack(s, 3, STAGE_CREDIT);
    stage_expect(s, "", "ack3 ", "");
    stage_ack(s, 2, 77);
    stage_expect(s, "", "", "");
    assert_int_equal(uplink_core_link(s->core)->credit_bytes, 77);
    stage_ack(s, 5, STAGE_CREDIT);
    stage_expect(s, "", "ack5 ", "");
}

static void an_ack_of_what_was_never_sent_is_ignored(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 5);
    s->spool.sendable = 5;
    stage_ack(s, 4, STAGE_CREDIT);
    stage_expect(s, "batch1 batch2 batch3 batch4 batch5 ", "", "bad-message ");
    stage_ack(s, 6, STAGE_CREDIT);
    stage_expect(s, "", "", "bad-message ");
    stage_ack(s, UINT64_MAX, STAGE_CREDIT);
    stage_expect(s, "", "", "bad-message ");
}

// The collector takes what was sent before one Hello after it has answered the Hello before that.
static void an_ack_that_crosses_a_second_hello_counts(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 2);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_expect(s, "batch1 batch2 ", "", "");
    stage_pass(s, 10 * US_PER_S);
    stage_expect(s, "hello ", "stop ", "silent ");
    stage_welcome(s, 0, 2, STAGE_NO_CREDIT);
    stage_expect(s, "", "allow ", "connected ");
    stage_ack(s, 2, STAGE_CREDIT);
    stage_expect(s, "", "ack2 ", "");
}

static void what_was_sent_on_another_connection_counts_no_more(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 2);
    stage_ack(s, 0, STAGE_CREDIT);
    uplink_core_disconnected(s->core);
    stage_pass(s, 15 * US_PER_S);
    uplink_core_connected(s->core);
    stage_welcome(s, 0, 2, STAGE_NO_CREDIT);
    stage_forget(s);
    stage_ack(s, 2, STAGE_NO_CREDIT);
    stage_expect(s, "", "", "bad-message ");
}

static void silence_of_10_s_leads_to_hello_and_resending(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 3);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_forget(s);
    stage_pass(s, 5 * US_PER_S);
    stage_ack(s, 1, STAGE_CREDIT);
    stage_forget(s);
    stage_pass(s, 9999 * US_PER_MS);
    stage_expect(s, "", "", "");
    stage_pass(s, US_PER_MS);
    stage_expect(s, "hello ", "stop ", "silent ");
    assert_int_equal(s->hello.last_acknowledged, 1);
    stage_welcome(s, 1, 2, STAGE_CREDIT);
    stage_expect(s, "batch2 batch3 ", "allow ", "connected ");
}

static void with_nothing_on_the_way_silence_is_no_matter(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 1);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_ack(s, 1, STAGE_CREDIT);
    stage_forget(s);
    stage_pass(s, 29 * US_PER_S);
    stage_expect(s, "", "", "");
}

static void without_credit_and_word_for_a_minute_hello_asks(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 2);
    stage_pass(s, 59 * US_PER_S);
    stage_expect(s, "heartbeat ", "", "");
    stage_pass(s, US_PER_S);
    stage_expect(s, "hello ", "stop ", "silent ");
}

// ---- other answers

static void each_refusal_is_told_and_waits_30_s(void **state)
{
    static const enum wire_refuse_reason reasons[] = {
        WIRE_REFUSE_BAD_PROTOCOL,     WIRE_REFUSE_BAD_MESSAGE,     WIRE_REFUSE_REVOKED,
        WIRE_REFUSE_OTHER_CONNECTION, WIRE_REFUSE_DECLARE_INVALID, WIRE_REFUSE_DECLARE_CONFLICT,
        WIRE_REFUSE_OVER_QUOTA,       WIRE_REFUSE_UNAVAILABLE,     WIRE_REFUSE_WRONG_INCARNATION};
    struct stage *s = *state;
    stage_start(s, 0, 2);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        char told[64];
        snprintf(told, sizeof told, "refused(%s) ", wire_refuse_reason_name(reasons[i]));
        stage_refuse(s, reasons[i]);
        stage_expect(s, "", "stop ", told);
        assert_int_equal(uplink_core_link(s->core)->refused, reasons[i]);
        assert_string_equal(uplink_core_link(s->core)->refused_text, "because");
        assert_true(strlen(uplink_refuse_advice(reasons[i])) > 20);
        stage_pass(s, 30 * US_PER_S - 1);
        stage_welcome(s, 0, 2, STAGE_CREDIT); // not asked for
        stage_expect(s, "", "", "");
        stage_pass(s, 1);
        stage_expect(s, "hello ", "", "");
        stage_welcome(s, 0, 2, STAGE_NO_CREDIT);
        stage_expect(s, "", "allow ", "connected ");
        assert_int_equal(uplink_core_link(s->core)->refused, WIRE_REFUSE_NONE);
    }
}

static void need_declare_sends_declares_and_the_batches_again(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 3);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_ack(s, 1, STAGE_CREDIT);
    stage_forget(s);
    stage_hear(s, &(struct wire_message){.type = WIRE_NEED_DECLARE, .need_declare_from = 1});
    stage_expect(s, "declare1 batch2 batch3 ", "", "");
    stage_ack(s, 3, STAGE_CREDIT);
    stage_expect(s, "", "ack3 ", "");
    stage_hear(s, &(struct wire_message){.type = WIRE_NEED_DECLARE, .need_declare_from = 3});
    stage_expect(s, "", "", "bad-message ");
}

static void an_ack_that_crosses_a_need_declare_counts(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 3);
    stage_ack(s, 0, STAGE_CREDIT);
    s->send_result = ERR_AGAIN;
    s->sends_left = 0;
    stage_forget(s);
    stage_hear(s, &(struct wire_message){.type = WIRE_NEED_DECLARE, .need_declare_from = 0});
    stage_ack(s, 2, STAGE_CREDIT);
    stage_expect(s, "", "ack2 ", "");
    s->send_result = ERR_OK;
    uplink_core_tick(s->core);
    stage_expect(s, "declare0 declare1 batch3 ", "", "");
}

static void rejected_samples_are_named_once_a_reason(void **state)
{
    struct stage *s = *state;
    const struct wire_refusal refusals[] = {
        {0, WIRE_REASON_FUTURE}, {1, WIRE_REASON_TOO_OLD}, {2, WIRE_REASON_FUTURE}};
    stage_start(s, 0, 2);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_forget(s);
    stage_hear(s, &(struct wire_message){.type = WIRE_REJECT,
                                         .reject = {.sequence = 2, .count = 3, .refusals = refusals}});
    stage_expect(s, "", "",
                 "rejected(future 2 of 2: out_units at 1772366400, out_units at 1772366420) "
                 "rejected(too-old 1 of 2: apt_s at 1772366410) ");
    assert_int_equal(uplink_core_link(s->core)->rejected, 3);
    assert_string_equal(uplink_core_link(s->core)->rejected_sample, "out_units of 2026-03-01T12:00:20Z");
    assert_int_equal(uplink_core_link(s->core)->rejected_reason, WIRE_REASON_FUTURE);
    stage_hear(s, &(struct wire_message){
                      .type = WIRE_REJECT,
                      .reject = {.sequence = 1, .whole = true, .whole_reason = WIRE_REASON_QUOTA}});
    stage_expect(s, "", "", "rejected(quota 3 of 1: the whole batch) ");
    assert_int_equal(uplink_core_link(s->core)->rejected, 6);
    assert_string_equal(uplink_core_link(s->core)->rejected_sample,
                        "a batch with out_units of 2026-03-01T12:00:00Z");
    assert_int_equal(uplink_core_link(s->core)->rejected_reason, WIRE_REASON_QUOTA);
}

static void bytes_that_are_no_message_or_not_the_collectors_are_ignored(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 0);
    uplink_core_message(s->core, "\xff\xff\xff", 3);
    uplink_core_message(s->core, "", 0);
    stage_hear(s, &(struct wire_message){.type = WIRE_HEARTBEAT, .heartbeat = {.clock_us = 1}});
    stage_expect(s, "", "", "bad-message bad-message bad-message ");
    stage_ack(s, 0, STAGE_CREDIT);
    stage_spool_is(s, 0, 1, 1);
    stage_expect(s, "batch1 ", "", "");
}

static void heartbeats_carry_the_counters_each_30_s(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 0);
    s->spool.counters.sampled = 42;
    stage_spool_is(s, 0, 0, 0);
    for (int i = 0; i < 3; i++) {
        stage_pass(s, 30 * US_PER_S - 1);
        stage_expect(s, "", "", "");
        stage_pass(s, 1);
        stage_expect(s, "heartbeat ", "", "");
        assert_int_equal(s->heartbeat.counters.sampled, 42);
        assert_int_equal(s->heartbeat.clock_us, clock_wall(&s->clock.clock).us);
    }
}

// ---- the connection

static void a_lost_connection_is_closed_and_opened_again_after_a_random_time(void **state)
{
    static const uint32_t waits_ms[] = {0, 1, 7000, 14999};
    struct stage *s = *state;
    stage_spool_is(s, 0, 1, 1);
    for (size_t i = 0; i < 4; i++) {
        s->random = waits_ms[i];
        uplink_core_connected(s->core);
        stage_welcome(s, 0, 2, STAGE_CREDIT);
        stage_forget(s);
        uplink_core_disconnected(s->core);
        stage_expect(s, "", "stop close ", "lost ");
        uplink_core_disconnected(s->core); // told twice
        stage_expect(s, "", "", "");
        if (waits_ms[i] > 0) {
            stage_pass(s, waits_ms[i] * US_PER_MS - 1);
            stage_expect(s, "", "", "");
        }
        stage_pass(s, 1);
        stage_expect(s, "", "open ", "");
        stage_pass(s, 100 * US_PER_S);
        stage_expect(s, "", "", "no-answer ");
    }
    uplink_core_connected(s->core);
    stage_expect(s, "hello ", "", "");
}

static void a_send_that_finds_no_connection_is_a_lost_one(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 2);
    s->send_result = ERR_CLOSED;
    s->sends_left = 1;
    stage_ack(s, 0, STAGE_CREDIT);
    stage_expect(s, "batch1 ", "stop close ", "lost ");
}

static void after_a_reconnection_sending_goes_on_where_the_collector_is(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 4);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_ack(s, 1, STAGE_CREDIT);
    uplink_core_disconnected(s->core);
    stage_pass(s, 15 * US_PER_S);
    stage_forget(s);
    uplink_core_connected(s->core);
    assert_int_equal(s->hello.last_acknowledged, 1);
    stage_welcome(s, 3, 2, STAGE_CREDIT);
    stage_expect(s, "hello batch2 batch3 ", "allow ", "connected ");
    stage_ack_repeat(s, 2, 3, STAGE_CREDIT);
    stage_ack_repeat(s, 3, 3, STAGE_CREDIT);
    stage_expect(s, "batch4 ", "ack2(no receipt) ack3 allow ", "");
}

static void messages_after_the_loss_are_not_believed(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 2);
    stage_ack(s, 0, STAGE_CREDIT);
    uplink_core_disconnected(s->core);
    stage_forget(s);
    stage_ack(s, 2, STAGE_CREDIT);
    stage_welcome(s, 0, 2, STAGE_CREDIT);
    stage_refuse(s, WIRE_REFUSE_OTHER_BODY);
    stage_expect(s, "", "", "");
}

static void a_batch_missing_from_the_spool_is_told_as_damage(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 5);
    s->spool.first_kept = 3; // behind the core's back
    stage_ack(s, 0, STAGE_CREDIT);
    stage_expect(s, "", "stop ", "unreadable ");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        T(hello_comes_first_and_says_what_the_spool_holds),
        T(hello_waits_for_the_spool),
        T(hello_is_said_each_5_s_until_answered),
        T(nothing_but_hello_is_sent_before_welcome),
        T(a_full_socket_delays_hello),
        T(welcome_tells_who_we_are_and_the_clocks_difference),
        T(what_is_owed_is_kept_as_it_came_and_asked_for_by_hello),
        T(silence_is_told_once_until_somebody_answers),
        T(a_key_that_is_not_admitted_is_told_once_until_it_is),
        T(declares_go_before_the_batches_that_need_them),
        T(only_what_is_sendable_is_sent),
        T(credit_bounds_the_bytes_on_the_way),
        T(the_window_bounds_the_batches_on_the_way),
        T(a_full_socket_is_tried_again_without_loss_or_repeat),
        T(gaps_are_sent_in_their_place),
        T(hold_sends_nothing_new_and_waits_for_what_is_on_the_way),
        T(acks_are_cumulative_and_old_ones_only_renew_credit),
        T(an_ack_of_what_was_never_sent_is_ignored),
        T(an_ack_that_crosses_a_second_hello_counts),
        T(what_was_sent_on_another_connection_counts_no_more),
        T(silence_of_10_s_leads_to_hello_and_resending),
        T(with_nothing_on_the_way_silence_is_no_matter),
        T(without_credit_and_word_for_a_minute_hello_asks),
        T(each_refusal_is_told_and_waits_30_s),
        T(need_declare_sends_declares_and_the_batches_again),
        T(an_ack_that_crosses_a_need_declare_counts),
        T(rejected_samples_are_named_once_a_reason),
        T(bytes_that_are_no_message_or_not_the_collectors_are_ignored),
        T(heartbeats_carry_the_counters_each_30_s),
        T(a_lost_connection_is_closed_and_opened_again_after_a_random_time),
        T(a_send_that_finds_no_connection_is_a_lost_one),
        T(after_a_reconnection_sending_goes_on_where_the_collector_is),
        T(messages_after_the_loss_are_not_believed),
        T(a_batch_missing_from_the_spool_is_told_as_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
