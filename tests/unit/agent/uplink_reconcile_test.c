#include "tests/support/uplink_stage.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void after_lost_acks_each_message_is_sent_again_and_waited_for(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 2, 5, 6);
    uplink_core_connected(s->core);
    stage_forget(s);
    stage_welcome(s, 4, 2, STAGE_CREDIT);
    stage_expect(s, "batch3 batch4 ", "allow ", "connected ");
    stage_ack_repeat(s, 3, 4, STAGE_CREDIT);
    stage_expect(s, "", "ack3(no receipt) ", "");
    stage_ack_repeat(s, 4, 4, STAGE_CREDIT);
    stage_expect(s, "batch5 ", "ack4 allow ", "");
}

// A copy of the machine may have stored other figures under an earlier sequence and the same under the last.
static void that_the_last_is_the_same_proves_nothing_of_those_before(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 2, 5, 5);
    uplink_core_connected(s->core);
    stage_welcome(s, 4, 2, STAGE_CREDIT);
    stage_forget(s);
    stage_refuse(s, WIRE_REFUSE_OTHER_BODY); // of 3
    stage_ack_repeat(s, 4, 4, STAGE_CREDIT);
    stage_expect(s, "", "stop renew ", "refused(other-body) other-body ");
}

static void an_ack_that_names_no_repeat_proves_nothing(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 2, 5, 5);
    uplink_core_connected(s->core);
    stage_welcome(s, 3, 2, STAGE_CREDIT);
    stage_forget(s);
    stage_ack(s, 3, STAGE_CREDIT);
    stage_ack_repeat(s, 2, 3, STAGE_CREDIT);
    stage_ack_repeat(s, 4, 3, STAGE_CREDIT);
    stage_expect(s, "", "", "");
    stage_ack_repeat(s, 3, 3, STAGE_CREDIT);
    stage_expect(s, "batch4 batch5 ", "ack3 allow ", "");
}

static void a_lost_ack_of_a_gap_is_found_by_sending_the_gap_again(void **state)
{
    struct stage *s = *state;
    s->gap_first = 3;
    s->gap_last = 5;
    stage_spool_is(s, 2, 6, 6);
    uplink_core_connected(s->core);
    stage_forget(s);
    stage_welcome(s, 5, 2, STAGE_CREDIT);
    stage_expect(s, "gap3-5 ", "allow ", "connected ");
    stage_ack_repeat(s, 3, 5, STAGE_CREDIT);
    stage_expect(s, "batch6 ", "ack5 allow ", "");
}

static void a_probe_waits_for_credit_and_declares(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 2, 5, 5);
    uplink_core_connected(s->core);
    stage_forget(s);
    stage_welcome(s, 3, 0, STAGE_NO_CREDIT);
    stage_expect(s, "declare0 declare1 ", "allow ", "connected ");
    stage_ack(s, 3, STAGE_CREDIT); // only credit: nothing was asked yet
    stage_expect(s, "batch3 ", "", "");
    stage_ack_repeat(s, 3, 3, STAGE_CREDIT);
    stage_expect(s, "batch4 batch5 ", "ack3 allow ", "");
}

static void an_unanswered_probe_leads_to_hello(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 2, 5, 5);
    uplink_core_connected(s->core);
    stage_welcome(s, 4, 2, STAGE_CREDIT);
    stage_forget(s);
    stage_pass(s, 10 * US_PER_S);
    stage_expect(s, "hello ", "stop ", "silent ");
}

static void other_bytes_under_our_sequence_mean_a_new_incarnation(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 2, 5, 5);
    uplink_core_connected(s->core);
    stage_welcome(s, 4, 2, STAGE_CREDIT);
    stage_forget(s);
    stage_refuse(s, WIRE_REFUSE_OTHER_BODY);
    stage_expect(s, "", "stop renew ", "refused(other-body) other-body ");
    s->spool.incarnation = stage_incarnation(2);
    s->spool.generation = 2;
    stage_spool_is(s, 0, 0, 3);
    stage_expect(s, "", "", "");
    stage_pass(s, 29 * US_PER_S);
    stage_expect(s, "", "", "");
    stage_pass(s, US_PER_S);
    stage_expect(s, "hello ", "", "");
    assert_memory_equal(&s->hello.incarnation, &s->spool.incarnation, 16);
    stage_welcome(s, 0, 0, STAGE_CREDIT);
    s->spool.sendable = 3;
    uplink_core_spool(s->core, &s->spool);
    stage_expect(s, "declare0 declare1 batch1 batch2 batch3 ", "allow ", "connected ");
}

static void a_collector_behind_makes_the_spool_rewind(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 5, 6, 6);
    uplink_core_connected(s->core);
    stage_forget(s);
    stage_welcome(s, 2, 1, STAGE_CREDIT);
    stage_expect(s, "", "stop rewind2 ", "connected behind ");
    stage_pass(s, 60 * US_PER_S);
    stage_expect(s, "", "", "");
    s->spool.generation++;
    stage_spool_is(s, 2, 6, 6);
    stage_expect(s, "hello ", "", "");
    assert_int_equal(s->hello.last_acknowledged, 2);
    stage_welcome(s, 2, 1, STAGE_CREDIT);
    stage_expect(s, "declare1 batch3 batch4 batch5 batch6 ", "allow ", "connected ");
}

static void a_collector_ahead_of_an_empty_spool_means_a_new_incarnation(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 5, 5, 5);
    uplink_core_connected(s->core);
    stage_forget(s);
    stage_welcome(s, 9, 2, STAGE_CREDIT);
    stage_expect(s, "", "stop renew ", "connected ahead ");
    s->spool.incarnation = stage_incarnation(2);
    s->spool.generation++;
    stage_spool_is(s, 0, 0, 0);
    stage_expect(s, "hello ", "", "");
}

static void a_collector_ahead_is_asked_whether_it_has_our_unsent_batches(void **state)
{
    struct stage *s = *state;
    stage_spool_is(s, 3, 3, 5);
    uplink_core_connected(s->core);
    stage_forget(s);
    stage_welcome(s, 9, 2, STAGE_CREDIT);
    stage_expect(s, "", "allow ", "connected ahead ");
    s->spool.sendable = 5; // from now on they are not dropped for want of room
    uplink_core_spool(s->core, &s->spool);
    stage_expect(s, "batch4 batch5 ", "", "");
    stage_ack_repeat(s, 4, 9, STAGE_CREDIT); // it has: an old copy of the spool was put back
    stage_ack_repeat(s, 5, 9, STAGE_CREDIT);
    stage_expect(s, "", "ack4(no receipt) ack5(no receipt) stop renew ", "");
}

static void a_collector_whose_last_lies_inside_our_gap_means_a_new_incarnation(void **state)
{
    struct stage *s = *state;
    s->gap_first = 3;
    s->gap_last = 6;
    stage_spool_is(s, 2, 6, 6);
    uplink_core_connected(s->core);
    stage_forget(s);
    stage_welcome(s, 4, 2, STAGE_CREDIT);
    stage_expect(s, "", "allow stop renew ", "connected other-body ");
}

static void other_bytes_while_sending_mean_a_new_incarnation(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 3);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_forget(s);
    stage_refuse(s, WIRE_REFUSE_OTHER_BODY);
    stage_expect(s, "", "stop renew ", "refused(other-body) other-body ");
}

static void a_moved_spool_is_greeted_anew(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 3);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_forget(s);
    s->spool.generation++;
    s->spool.incarnation = stage_incarnation(3);
    stage_spool_is(s, 0, 0, 3);
    stage_expect(s, "hello ", "stop ", "");
}

static void a_series_of_another_agent_holds_nothing_up(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 2);
    stage_refuse(s, WIRE_REFUSE_SERIES_OWNED);
    stage_expect(s, "", "", "refused(series-owned) ");
    assert_true(uplink_core_link(s->core)->connected);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_expect(s, "batch1 batch2 ", "", "");
}

static void an_exchanged_connection_begins_with_hello_and_sends_again(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 2);
    stage_ack(s, 0, STAGE_CREDIT);
    stage_expect(s, "batch1 batch2 ", "", "");
    uplink_core_exchanged(s->core);
    stage_expect(s, "", "stop ", "");
    stage_ack(s, 2, STAGE_CREDIT); // from the connection before: not believed
    stage_expect(s, "", "", "");
    uplink_core_connected(s->core);
    stage_expect(s, "hello ", "", "");
    stage_welcome(s, 0, 2, STAGE_CREDIT);
    stage_expect(s, "batch1 batch2 ", "allow ", "connected ");
}

static void what_follows_from_an_invalid_declare_does_not_hide_it(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 2);
    stage_refuse(s, WIRE_REFUSE_DECLARE_INVALID);
    stage_expect(s, "", "stop ", "refused(declare-invalid) ");
    stage_refuse(s, WIRE_REFUSE_DECLARE_CONFLICT); // of the number behind it
    stage_expect(s, "", "", "");
    assert_int_equal(uplink_core_link(s->core)->refused, WIRE_REFUSE_DECLARE_INVALID);
    stage_refuse(s, WIRE_REFUSE_REVOKED); // another matter
    stage_expect(s, "", "", "refused(revoked) ");
}

static void hello_first_is_answered_by_hello_at_its_pace(void **state)
{
    struct stage *s = *state;
    stage_start(s, 0, 0);
    stage_pass(s, 2 * US_PER_S);
    stage_refuse(s, WIRE_REFUSE_HELLO_FIRST);
    stage_pass(s, 2999 * US_PER_MS);
    stage_expect(s, "", "stop ", "");
    stage_pass(s, US_PER_MS);
    stage_expect(s, "hello ", "", "");
    stage_refuse(s, WIRE_REFUSE_HELLO_FIRST); // to what was said before it
    stage_welcome(s, 0, 2, STAGE_CREDIT);
    stage_expect(s, "", "allow ", "connected ");
}

static void a_reject_of_a_batch_that_is_no_longer_kept_still_counts(void **state)
{
    struct stage *s = *state;
    const struct wire_refusal refusals[] = {{7, WIRE_REASON_FUTURE}};
    stage_start(s, 0, 2);
    stage_hear(s, &(struct wire_message){.type = WIRE_REJECT,
                                         .reject = {.sequence = 9, .count = 1, .refusals = refusals}});
    stage_expect(s, "", "", "rejected(future 1 of 9: sample 7) ");
    assert_string_equal(uplink_core_link(s->core)->rejected_sample, "batch 9");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        T(what_follows_from_an_invalid_declare_does_not_hide_it),
        T(hello_first_is_answered_by_hello_at_its_pace),
        T(a_series_of_another_agent_holds_nothing_up),
        T(an_exchanged_connection_begins_with_hello_and_sends_again),
        T(after_lost_acks_each_message_is_sent_again_and_waited_for),
        T(that_the_last_is_the_same_proves_nothing_of_those_before),
        T(an_ack_that_names_no_repeat_proves_nothing),
        T(a_lost_ack_of_a_gap_is_found_by_sending_the_gap_again),
        T(a_probe_waits_for_credit_and_declares),
        T(an_unanswered_probe_leads_to_hello),
        T(other_bytes_under_our_sequence_mean_a_new_incarnation),
        T(a_collector_behind_makes_the_spool_rewind),
        T(a_collector_ahead_of_an_empty_spool_means_a_new_incarnation),
        T(a_collector_ahead_is_asked_whether_it_has_our_unsent_batches),
        T(a_collector_whose_last_lies_inside_our_gap_means_a_new_incarnation),
        T(other_bytes_while_sending_mean_a_new_incarnation),
        T(a_reject_of_a_batch_that_is_no_longer_kept_still_counts),
        T(a_moved_spool_is_greeted_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
