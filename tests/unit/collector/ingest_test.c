// Who may say what, when, and how much of it.
#include "tests/support/collector_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct mq_peer other_peer = {.id = {9, 9, 9}, .len = 3};

static enum wire_refuse_reason refusal(struct bench *b, size_t i)
{
    return bench_reply(b, i, WIRE_REFUSE).refuse.reason;
}

static void hello_is_welcomed_with_credit_and_the_resident_of_the_key(void **state)
{
    struct bench *b = *state;
    struct wire_message m = bench_hello_message(b);
    bench_send(b, &m);
    struct wire_message w = bench_reply(b, 0, WIRE_WELCOME);
    assert_string_equal(w.welcome.resident, "almaty-iz/acme");
    assert_int_equal(w.welcome.last_sequence, 0);
    assert_int_equal(w.welcome.declares_known, 0);
    assert_true(w.welcome.credit_bytes >= WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(w.welcome.clock_us, BENCH_NOW_S * US_PER_S);
    assert_int_equal(w.welcome.max_series, COLLECTOR_MAX_SERIES);
}

static void anything_before_hello_is_refused(void **state)
{
    struct bench *b = *state;
    struct wire_message m = {.type = WIRE_HEARTBEAT, .heartbeat = {.clock_us = 1}};
    bench_send(b, &m);
    m = bench_declare_message(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    bench_send(b, &m);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_HELLO_FIRST);
    assert_int_equal(refusal(b, 1), WIRE_REFUSE_HELLO_FIRST);
    assert_int_equal(bench_counted(b, COUNTER_MESSAGES_BEFORE_HELLO), 2);
}

static void another_protocol_is_refused(void **state)
{
    struct bench *b = *state;
    struct wire_message m = bench_hello_message(b);
    m.hello.protocol = 2;
    bench_send(b, &m);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_BAD_PROTOCOL);
    assert_int_equal(bench_counted(b, COUNTER_HELLOS_REFUSED), 1);
}

static void nonsense_is_refused_and_counted(void **state)
{
    struct bench *b = *state;
    bench_hello(b);
    bench_receive(b, &b->peer, b->token, "\xff\xff\xff\xff", 4);
    bench_receive(b, &b->peer, b->token, "", 0);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_BAD_MESSAGE);
    assert_int_equal(refusal(b, 1), WIRE_REFUSE_BAD_MESSAGE);
    assert_int_equal(bench_counted(b, COUNTER_MESSAGES_MALFORMED), 2);
}

static void a_sequence_beyond_what_can_be_stored_is_refused_and_not_an_error(void **state)
{
    struct bench *b = *state;
    const struct wire_message gap = {.type = WIRE_GAP,
                                     .gap = {.incarnation = b->incarnation,
                                             .first = 1,
                                             .last = INT64_MAX,
                                             .samples = 7,
                                             .from_s = BENCH_NOW_S,
                                             .to_s = BENCH_NOW_S + 10,
                                             .reason = WIRE_GAP_QUOTA_AGE}};
    const struct wire_sample sample = bench_sample(0, BENCH_NOW_S, 5);
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    bench_clear(b);
    bench_send(b, &gap);
    assert_int_equal(bench_reply(b, 0, WIRE_ACK).ack.sequence, INT64_MAX);
    bench_clear(b);
    bench_batch(b, (uint64_t)INT64_MAX + 1, WIRE_MEASUREMENT, &sample, 1);
    assert_int_equal(bench_reply(b, 0, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_BAD_MESSAGE);
    assert_int_equal(bench_counted(b, COUNTER_COMMIT_ERRORS), 0);
}

static void the_collectors_own_messages_are_refused_from_an_agent(void **state)
{
    struct bench *b = *state;
    bench_hello(b);
    struct wire_message m = {.type = WIRE_ACK, .ack = {.sequence = 9, .credit_bytes = 1}};
    bench_send(b, &m);
    m = (struct wire_message){.type = WIRE_NEED_DECLARE, .need_declare_from = 3};
    bench_send(b, &m);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_BAD_MESSAGE);
    assert_int_equal(refusal(b, 1), WIRE_REFUSE_BAD_MESSAGE);
}

static void an_unknown_token_is_refused(void **state)
{
    struct bench *b = *state;
    struct wire_message m = bench_hello_message(b);
    buf_reset(&b->out);
    assert_int_equal(wire_encode(&m, &b->out), ERR_OK);
    bench_receive(b, &b->peer, "", b->out.data, b->out.len);
    bench_receive(b, &b->peer, "0123456789abcdef0123456789abcdef", b->out.data, b->out.len);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_REVOKED);
    assert_int_equal(refusal(b, 1), WIRE_REFUSE_REVOKED);
    assert_int_equal(bench_counted(b, COUNTER_MESSAGES_REVOKED), 2);
}

static void a_revoked_key_is_refused_at_its_next_message(void **state)
{
    struct bench *b = *state;
    struct item *item = item_create(ITEM_REVOKE, NULL);
    bench_hello(b);
    item->admin->agent.key_id = b->agent.key_id;
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    assert_int_equal(item->admin->result, ERR_OK);
    item_destroy(item);
    struct wire_message m = {.type = WIRE_HEARTBEAT, .heartbeat = {.clock_us = 1}};
    bench_send(b, &m);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_REVOKED);
}

static void another_incarnation_than_hellos_is_refused(void **state)
{
    struct bench *b = *state;
    bench_hello(b);
    struct wire_message m = bench_declare_message(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    m.declare.incarnation.bytes[0] ^= 1;
    bench_send(b, &m);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_WRONG_INCARNATION);
}

static size_t audited(struct bench *b)
{
    struct audit_entry lines[AUDIT_TALLY_TAKE_MAX];
    return audit_tally_take(b->tally, true, lines);
}

static void of_two_connections_with_one_key_the_later_wins(void **state)
{
    struct bench *b = *state;
    bench_hello(b);
    struct mq_peer first = b->peer;
    b->peer = other_peer;
    struct wire_message m = bench_hello_message(b);
    bench_send(b, &m);
    assert_memory_equal(b->replies[0].peer.id, first.id, first.len);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_OTHER_CONNECTION);
    (void)bench_reply(b, 1, WIRE_WELCOME);
    assert_int_equal(bench_counted(b, COUNTER_CONNECTIONS_SUPERSEDED), 1);
    assert_int_equal(audited(b), 1);
    bench_clear(b);
    b->peer = first; // the earlier one goes on as if nothing had happened
    m = bench_declare_message(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    bench_send(b, &m);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_OTHER_CONNECTION);
}

static void a_reconnection_after_a_dead_one_is_no_alarm(void **state)
{
    struct bench *b = *state;
    bench_hello(b);
    struct wire_message m = bench_hello_message(b);
    buf_reset(&b->out);
    assert_int_equal(wire_encode(&m, &b->out), ERR_OK);
    b->send_result = ERR_CLOSED; // the old address takes nothing any more
    struct item *item = bench_ingest(b, &other_peer, b->token, b->out.data, b->out.len);
    b->send_result = ERR_OK;
    assert_non_null(item);
    ingest_abandon(b->ingest, item);
    assert_int_equal(bench_counted(b, COUNTER_CONNECTIONS_SUPERSEDED), 0);
    assert_int_equal(audited(b), 0);
}

static void a_silent_connection_is_forgotten(void **state)
{
    struct bench *b = *state;
    struct snapshot s;
    bench_hello(b);
    assert_int_equal(ingest_snapshot(b->ingest, &s), ERR_OK);
    assert_int_equal(s.count, 1);
    assert_true(s.agents[0].connected);
    assert_int_equal(s.agents[0].clock_skew_ms, 1500);
    assert_string_equal(s.agents[0].version, "1.2.3");
    free(s.agents);
    fake_clock_advance_us(&b->clock, (INGEST_SILENCE_S + 1) * US_PER_S);
    ingest_tick(b->ingest, false);
    assert_int_equal(ingest_snapshot(b->ingest, &s), ERR_OK);
    assert_int_equal(s.count, 0);
    free(s.agents);
    assert_int_equal(bench_counted(b, COUNTER_CONNECTIONS_EXPIRED), 1);
}

static void a_heartbeat_keeps_it_and_brings_counters(void **state)
{
    struct bench *b = *state;
    struct snapshot s;
    bench_hello(b);
    fake_clock_advance_us(&b->clock, 60 * US_PER_S);
    struct wire_message m = {
        .type = WIRE_HEARTBEAT,
        .heartbeat = {.clock_us = b->clock.wall_us - 250000, .counters = {.sampled = 5, .spooled = 2}}};
    bench_send(b, &m);
    fake_clock_advance_us(&b->clock, 60 * US_PER_S);
    ingest_tick(b->ingest, false);
    assert_int_equal(ingest_snapshot(b->ingest, &s), ERR_OK);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.agents[0].counters.spooled, 2);
    assert_int_equal(s.agents[0].clock_skew_ms, -250);
    free(s.agents);
}

static void without_space_credit_is_0_and_comes_back_by_itself(void **state)
{
    struct bench *b = *state;
    bench_hello(b);
    ingest_tick(b->ingest, true);
    assert_int_equal(bench_reply(b, 0, WIRE_ACK).ack.credit_bytes, 0);
    ingest_tick(b->ingest, true);
    assert_int_equal(b->reply_count, 1); // said once
    ingest_tick(b->ingest, false);
    assert_true(bench_reply(b, 1, WIRE_ACK).ack.credit_bytes > 0);
}

static void an_acknowledgement_that_did_not_fit_is_sent_later(void **state)
{
    struct bench *b = *state;
    struct wire_sample sample = bench_sample(0, BENCH_NOW_S, 5);
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    b->send_result = ERR_AGAIN;
    bench_batch(b, 1, WIRE_MEASUREMENT, &sample, 1);
    assert_int_equal(b->reply_count, 0);
    b->send_result = ERR_OK;
    ingest_tick(b->ingest, false);
    assert_int_equal(bench_reply(b, 0, WIRE_ACK).ack.sequence, 1);
}

static void a_second_welcome_that_did_not_fit_leaves_the_first_in_force(void **state)
{
    struct bench *b = *state;
    struct wire_message again = bench_hello_message(b);
    bench_hello(b);
    ingest_tick(b->ingest, true);
    b->send_result = ERR_AGAIN;
    bench_send(b, &again);
    bench_clear(b);
    b->send_result = ERR_OK;
    ingest_tick(b->ingest, false); // it waits for credit, having heard the first
    assert_true(bench_reply(b, 0, WIRE_ACK).ack.credit_bytes > 0);
}

static void received_bytes_never_pass_the_budget(void **state)
{
    struct bench *b = *state;
    struct item *items[64] = {NULL};
    size_t count = 0;
    struct wire_sample sample = bench_sample(0, BENCH_NOW_S, 5);
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    bench_build(b, 1, WIRE_MEASUREMENT, &sample, NULL, 1);
    while (ingest_has_room(b->ingest)) { // 64 items at most here
        assert_true(count < 64);
        items[count] = bench_ingest(b, &b->peer, b->token, b->out.data, b->out.len);
        assert_non_null(items[count++]);
    }
    assert_true(count > 1);
    ingest_abandon(b->ingest, items[0]);
    assert_true(ingest_has_room(b->ingest));
    for (size_t i = 1; i < count; i++)
        ingest_abandon(b->ingest, items[i]);
}

static void new_incarnations_without_end_are_refused(void **state)
{
    struct bench *b = *state;
    struct wire_message m = bench_hello_message(b);
    for (int i = 0; i < INGEST_CHANGES_MAX + 1; i++) {
        m.hello.incarnation.bytes[0] = (uint8_t)(100 + i);
        bench_clear(b);
        bench_send(b, &m);
    }
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_UNAVAILABLE);
    fake_clock_advance_us(&b->clock, 61 * US_PER_S);
    bench_clear(b);
    m.hello.incarnation.bytes[0] = 5;
    bench_send(b, &m);
    (void)bench_reply(b, 0, WIRE_WELCOME);
}

static void connections_are_bounded(void **state)
{
    struct bench *b = *state;
    struct wire_message m = bench_hello_message(b);
    for (uint8_t i = 0; i < 40; i++) { // one key, ever new addresses: the table holds 16
        b->peer = (struct mq_peer){.id = {i, 1}, .len = 2};
        bench_clear(b);
        bench_send(b, &m);
        (void)bench_reply(b, b->reply_count - 1, WIRE_WELCOME);
    }
}

// ---- the audit log
struct audited {
    struct audit_entry entries[AUDIT_TALLY_TAKE_MAX];
    size_t count;
};

static void take_audited(struct bench *b, struct audited *a)
{
    a->count = audit_tally_take(b->tally, true, a->entries);
    audit_tally_taken(b->tally, true);
}

static void each_refusal_is_noted_once_under_the_keys_own_name(void **state)
{
    struct bench *b = *state;
    static struct audited a;
    struct wire_message m = {.type = WIRE_HEARTBEAT, .heartbeat = {.clock_us = 1}};
    char who[32];
    snprintf(who, sizeof who, "key:%lld", (long long)b->agent.key_id);
    bench_send(b, &m);
    bench_hello(b);
    bench_receive(b, &b->peer, b->token, "\xff\xff\xff\xff", 4);
    m = bench_declare_message(b, 0, "no_such_kpi/x", "piece", WIRE_MEASUREMENT);
    bench_send(b, &m);
    m = bench_hello_message(b);
    m.hello.protocol = 2;
    bench_send(b, &m);
    bench_receive(b, &other_peer, "nobody", "x", 1);
    take_audited(b, &a);
    assert_int_equal(a.count, 4);
    uint64_t messages = 0, declares = 0, hellos = 0, strangers = 0;
    for (size_t i = 0; i < a.count; i++) {
        const struct audit_entry *e = &a.entries[i];
        bool known = strcmp(e->who, who) == 0 && strcmp(e->object, "almaty-iz/acme") == 0;
        messages += known && e->event == AUDIT_MESSAGE ? e->count : 0;
        declares += known && e->event == AUDIT_DECLARE ? e->count : 0;
        hellos += known && e->event == AUDIT_HELLO ? e->count : 0;
        strangers += strcmp(e->who, "address:") == 0 && e->event == AUDIT_MESSAGE ? e->count : 0;
        assert_int_equal(e->outcome, AUDIT_REFUSED);
    }
    assert_int_equal(messages, 2);
    assert_int_equal(declares, 1);
    assert_int_equal(hellos, 1);
    assert_int_equal(strangers, 1);
}

static void a_refusal_is_noted_even_when_its_peer_has_gone(void **state)
{
    struct bench *b = *state;
    static struct audited a;
    bench_hello(b);
    b->send_result = ERR_CLOSED;
    struct wire_message m = bench_declare_message(b, 0, "no_such_kpi/x", "piece", WIRE_MEASUREMENT);
    bench_send(b, &m);
    take_audited(b, &a);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.entries[0].event, AUDIT_DECLARE);
}

static void a_hello_with_an_incarnation_of_another_resident_is_refused(void **state)
{
    struct bench *b = *state;
    struct ledger_agent rival;
    char token[ADMISSION_TOKEN];
    static struct audited a;
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    bench_clear(b);
    bench_admit(b, "almaty-iz/rival", &rival, token);
    struct wire_message m = bench_hello_message(b);
    buf_reset(&b->out);
    assert_int_equal(wire_encode(&m, &b->out), ERR_OK);
    bench_receive(b, &other_peer, token, b->out.data, b->out.len);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_WRONG_INCARNATION);
    take_audited(b, &a);
    assert_int_equal(a.count, 1);
    bench_clear(b);
    m = bench_declare_message(b, 1, "out_units/stairs", "piece", WIRE_MEASUREMENT);
    buf_reset(&b->out);
    assert_int_equal(wire_encode(&m, &b->out), ERR_OK);
    bench_receive(b, &other_peer, token, b->out.data, b->out.len);
    assert_int_equal(refusal(b, 0), WIRE_REFUSE_HELLO_FIRST);
    bench_clear(b);
    bench_admit(b, "almaty-iz/acme", &rival, token); // the same resident's other key may go on with its spool
    m = bench_hello_message(b);
    buf_reset(&b->out);
    assert_int_equal(wire_encode(&m, &b->out), ERR_OK);
    bench_receive(b, &(struct mq_peer){.id = {7, 7}, .len = 2}, token, b->out.data, b->out.len);
    (void)bench_reply(b, 0, WIRE_WELCOME);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        T(hello_is_welcomed_with_credit_and_the_resident_of_the_key),
        T(anything_before_hello_is_refused),
        T(each_refusal_is_noted_once_under_the_keys_own_name),
        T(a_refusal_is_noted_even_when_its_peer_has_gone),
        T(a_hello_with_an_incarnation_of_another_resident_is_refused),
        T(another_protocol_is_refused),
        T(nonsense_is_refused_and_counted),
        T(a_sequence_beyond_what_can_be_stored_is_refused_and_not_an_error),
        T(the_collectors_own_messages_are_refused_from_an_agent),
        T(an_unknown_token_is_refused),
        T(a_revoked_key_is_refused_at_its_next_message),
        T(another_incarnation_than_hellos_is_refused),
        T(of_two_connections_with_one_key_the_later_wins),
        T(a_reconnection_after_a_dead_one_is_no_alarm),
        T(a_silent_connection_is_forgotten),
        T(a_heartbeat_keeps_it_and_brings_counters),
        T(without_space_credit_is_0_and_comes_back_by_itself),
        T(an_acknowledgement_that_did_not_fit_is_sent_later),
        T(a_second_welcome_that_did_not_fit_leaves_the_first_in_force),
        T(received_bytes_never_pass_the_budget),
        T(new_incarnations_without_end_are_refused),
        T(connections_are_bounded),
    };
    return cmocka_run_group_tests_name("ingest", tests, NULL, NULL);
}
