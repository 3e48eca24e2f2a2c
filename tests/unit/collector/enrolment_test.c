// Who gets in by an invitation, how an agent's key follows another, and how fast a revoked one is out.
#include "collector/admin.h"
#include "tests/support/collector_bench.h"
#include "wire/invite.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RESIDENT "almaty-iz/lamp-plant"

static void fill(uint8_t *out, uint8_t seed)
{
    memset(out, seed, KEY_BYTES);
}

static struct ledger_invite invite(struct bench *b, uint8_t hash, int64_t for_s)
{
    uint8_t bytes[HASH_BYTES];
    struct ledger_invite i = {.resident = RESIDENT, .author = "root"};
    i.expires_us = clock_wall(&b->clock.clock).us + for_s * US_PER_S;
    fill(bytes, hash);
    assert_int_equal(ledger_invite_add(b->ledger, bytes, &i, NULL), ERR_OK);
    return i;
}

// Through the committer, as from the door. The item is the caller's.
static struct item *enrol(struct bench *b, uint8_t hash, uint8_t key)
{
    struct item *item = item_create(ITEM_ENROL, NULL);
    assert_non_null(item);
    fill(item->admin->enrolment.secret_hash, hash);
    fill(item->admin->enrolment.key, key);
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    assert_int_equal(item->admin->result, ERR_OK);
    return item;
}

static enum wire_refuse_reason refused(struct bench *b, uint8_t hash, uint8_t key)
{
    struct item *item = enrol(b, hash, key);
    enum wire_refuse_reason r = item->admin->enrolment.refuse;
    assert_true(r == WIRE_REFUSE_NONE || item->admin->diag.text[0]);
    item_destroy(item);
    return r;
}

static bool is_in(struct bench *b, uint8_t seed)
{
    uint8_t key[KEY_BYTES];
    char token[ADMISSION_TOKEN];
    fill(key, seed);
    return admission_decide(b->admission, key, token);
}

// ---- enrolment ----------------------------------------------------------------------------------
static void an_invited_key_is_in_at_once_and_after_a_restart(void **state)
{
    struct bench *b = *state;
    invite(b, 1, 60);
    assert_false(is_in(b, 7));
    struct item *item = enrol(b, 1, 7);
    assert_int_equal(item->admin->enrolment.refuse, WIRE_REFUSE_NONE);
    assert_string_equal(item->admin->agent.resident, RESIDENT);
    item_destroy(item);
    assert_true(is_in(b, 7));
    assert_int_equal(bench_counted(b, COUNTER_ENROLMENTS), 1);
    bench_restart(b);
    assert_int_equal(refused(b, 1, 7), WIRE_REFUSE_NONE);
}

static void the_same_key_gets_the_same_answer_however_often_it_asks(void **state)
{
    struct bench *b = *state;
    invite(b, 1, 60);
    struct item *first = enrol(b, 1, 7);
    fake_clock_advance_us(&b->clock, 3600 * US_PER_S); // expired by now, and used before
    struct item *again = enrol(b, 1, 7);
    assert_int_equal(again->admin->agent.key_id, first->admin->agent.key_id);
    assert_int_equal(again->admin->agent.agent_id, first->admin->agent.agent_id);
    item_destroy(first);
    item_destroy(again);
    assert_int_equal(bench_counted(b, COUNTER_ENROLMENTS), 1);
    assert_int_equal(bench_counted(b, COUNTER_ENROLMENTS_REPEATED), 1);
}

static void used_expired_forged_and_withdrawn_are_refused_each_by_its_name(void **state)
{
    struct bench *b = *state;
    invite(b, 1, 60);
    assert_int_equal(refused(b, 1, 7), WIRE_REFUSE_NONE);
    assert_int_equal(refused(b, 1, 8), WIRE_REFUSE_INVITE_USED);
    assert_int_equal(refused(b, 9, 8), WIRE_REFUSE_NOT_INVITED);
    invite(b, 2, 60);
    fake_clock_advance_us(&b->clock, 60 * US_PER_S);
    assert_int_equal(refused(b, 2, 8), WIRE_REFUSE_INVITE_EXPIRED);
    struct ledger_invite i = invite(b, 3, 60);
    assert_int_equal(ledger_invite_withdraw(b->ledger, i.invite_id, NULL), ERR_OK);
    assert_int_equal(refused(b, 3, 8), WIRE_REFUSE_NOT_INVITED);
    assert_false(is_in(b, 8));
    assert_int_equal(bench_counted(b, COUNTER_ENROLMENTS_REFUSED_USED), 1);
    assert_int_equal(bench_counted(b, COUNTER_ENROLMENTS_REFUSED_EXPIRED), 1);
    assert_int_equal(bench_counted(b, COUNTER_ENROLMENTS_REFUSED_UNKNOWN), 2);
}

static void a_key_that_is_another_s_or_revoked_is_refused_and_spends_nothing(void **state)
{
    struct bench *b = *state;
    struct item *item;
    invite(b, 1, 60);
    assert_int_equal(refused(b, 1, b->agent.public_key[0]),
                     WIRE_REFUSE_NONE); // not that key: only its first byte
    invite(b, 2, 60);
    item = item_create(ITEM_ENROL, NULL);
    fill(item->admin->enrolment.secret_hash, 2);
    memcpy(item->admin->enrolment.key, b->agent.public_key, KEY_BYTES);
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    assert_int_equal(item->admin->enrolment.refuse, WIRE_REFUSE_KEY_TAKEN);
    item_destroy(item);
    assert_int_equal(refused(b, 2, 7), WIRE_REFUSE_NONE); // still good for another
}

static void an_invitation_for_an_agent_that_was_shut_out_since_lets_nobody_in(void **state)
{
    struct bench *b = *state;
    uint8_t hash[HASH_BYTES];
    struct ledger_invite i = {.author = "root", .agent_id = b->agent.agent_id};
    strcpy(i.resident, b->agent.resident);
    i.expires_us = clock_wall(&b->clock.clock).us + 60 * US_PER_S;
    fill(hash, 1);
    assert_int_equal(ledger_invite_add(b->ledger, hash, &i, NULL), ERR_OK);
    struct item *item = item_create(ITEM_REVOKE, NULL);
    item->admin->agent.key_id = b->agent.key_id;
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    item_destroy(item);
    assert_int_equal(refused(b, 1, 7), WIRE_REFUSE_NOT_INVITED);
    assert_false(is_in(b, 7));
    assert_int_equal(bench_counted(b, COUNTER_ENROLMENTS_REFUSED_UNKNOWN), 1);
}

// ---- rotation -----------------------------------------------------------------------------------
struct other { // a connection with a key of its own
    struct mq_peer peer;
    char token[ADMISSION_TOKEN];
};

static struct other connect_with(struct bench *b, uint8_t key, uint8_t peer)
{
    struct other o = {.peer = {.id = {peer, 1, 2, 3, 4}, .len = 5}};
    uint8_t bytes[KEY_BYTES];
    fill(bytes, key);
    assert_true(admission_decide(b->admission, bytes, o.token));
    return o;
}

static void send_as(struct bench *b, const struct mq_peer *peer, const char *token,
                    const struct wire_message *m)
{
    struct buf bytes;
    buf_init(&bytes, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_encode(m, &bytes), ERR_OK);
    bench_receive(b, peer, token, bytes.data, bytes.len);
    buf_deinit(&bytes);
}

static void rotate(struct bench *b, uint8_t key)
{
    struct wire_message m = {.type = WIRE_ROTATE};
    const struct mq_peer peer = {.id = {77, 1, 2, 3, 4}, .len = 5};
    fill(m.rotate.key, key);
    bench_clear(b);
    send_as(b, &peer, b->token, &m);
}

static void two_keys_are_valid_until_the_new_one_says_hello(void **state)
{
    struct bench *b = *state;
    struct wire_sample s = bench_sample(0, BENCH_NOW_S, 5);
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    rotate(b, 7);
    assert_int_equal(bench_reply(b, 0, WIRE_ROTATED).rotate.key[0], 7);
    assert_true(is_in(b, 7));
    bench_clear(b);
    bench_batch(b, 1, WIRE_MEASUREMENT, &s, 1); // with the old key, on the connection at work
    assert_int_equal(bench_reply(b, 0, WIRE_ACK).ack.sequence, 1);

    struct other next = connect_with(b, 7, 50);
    struct wire_message hello = bench_hello_message(b);
    bench_clear(b);
    send_as(b, &next.peer, next.token, &hello);
    struct wire_message welcome = bench_reply(b, 0, WIRE_WELCOME); // the same incarnation goes on
    assert_int_equal(welcome.welcome.last_sequence, 1);
    assert_int_equal(welcome.welcome.declares_known, 1);
    bench_clear(b);
    bench_batch(b, 2, WIRE_MEASUREMENT, &s, 1); // the old key is out
    assert_int_equal(bench_reply(b, 0, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_REVOKED);
    assert_int_equal(bench_counted(b, COUNTER_KEYS_ROTATED), 1);
    assert_int_equal(bench_counted(b, COUNTER_KEYS_REVOKED), 1);
}

static void asking_again_changes_nothing_and_asking_for_another_replaces_the_one_that_waits(void **state)
{
    struct bench *b = *state;
    rotate(b, 7);
    rotate(b, 7);
    assert_int_equal(bench_reply(b, 0, WIRE_ROTATED).rotate.key[0], 7);
    assert_int_equal(admission_count(b->admission), 2);
    rotate(b, 8);
    assert_int_equal(bench_reply(b, 0, WIRE_ROTATED).rotate.key[0], 8);
    assert_int_equal(admission_count(b->admission), 2);
    assert_false(is_in(b, 7));
    assert_true(is_in(b, 8));
    rotate(b, 7); // revoked, for good
    assert_int_equal(bench_reply(b, 0, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_KEY_TAKEN);
}

static void an_agent_can_t_rotate_without_end(void **state)
{
    struct bench *b = *state;
    bool ended = false;
    for (uint8_t key = 1; key < 40 && !ended; key++) {
        fake_clock_advance_us(&b->clock, 2 * US_PER_S);
        rotate(b, key);
        struct wire_message m;
        assert_int_equal(wire_decode(b->arena, b->replies[0].bytes, b->replies[0].len, &m, NULL), ERR_OK);
        ended = m.type == WIRE_REFUSE && m.refuse.reason == WIRE_REFUSE_UNAVAILABLE;
    }
    assert_true(ended);
    assert_true(bench_counted(b, COUNTER_KEYS_ROTATED) <= 10);
    assert_int_equal(bench_counted(b, COUNTER_ROTATIONS_REFUSED), 1);
}

static void another_s_key_is_not_to_be_had(void **state)
{
    struct bench *b = *state;
    struct ledger_agent stranger;
    char token[ADMISSION_TOKEN];
    struct wire_message m = {.type = WIRE_ROTATE};
    bench_admit(b, "penza/rosstat", &stranger, token);
    memcpy(m.rotate.key, stranger.public_key, KEY_BYTES);
    bench_send(b, &m);
    assert_int_equal(bench_reply(b, b->reply_count - 1, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_KEY_TAKEN);
}

// ---- revocation ---------------------------------------------------------------------------------
static void a_revoked_key_s_next_batch_is_refused_and_its_connection_closed(void **state)
{
    struct bench *b = *state;
    struct wire_sample s = bench_sample(0, BENCH_NOW_S, 5);
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    assert_int_equal(admission_remove(b->admission, b->agent.key_id), ERR_OK);
    bench_clear(b);
    bench_batch(b, 1, WIRE_MEASUREMENT, &s, 1);
    assert_int_equal(bench_reply(b, 0, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_REVOKED);
    assert_int_equal(ledger_position(b->ledger), 0);
    assert_int_equal(b->shut_fd, 0); // the refusal goes first
    ingest_tick(b->ingest, false);
    assert_int_equal(b->shut_fd, 100 + b->peer.id[0]);
    assert_int_equal(bench_counted(b, COUNTER_CONNECTIONS_CLOSED), 1);
}

static void a_silent_connection_of_a_revoked_key_is_closed_too(void **state)
{
    struct bench *b = *state;
    struct snapshot s = {0};
    bench_hello(b);
    ingest_tick(b->ingest, false);
    assert_int_equal(admission_remove(b->admission, b->agent.key_id), ERR_OK);
    ingest_tick(b->ingest, false);
    assert_int_equal(bench_reply(b, 0, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_REVOKED);
    ingest_tick(b->ingest, false);
    assert_int_equal(b->shut_fd, 100 + b->peer.id[0]);
    assert_int_equal(ingest_snapshot(b->ingest, &s), ERR_OK);
    assert_int_equal(s.count, 0);
    free(s.agents);
}

static void what_waited_for_the_ledger_when_the_key_was_revoked_is_not_stored(void **state)
{
    struct bench *b = *state;
    struct wire_sample s = bench_sample(0, BENCH_NOW_S, 5);
    struct diag d = {0};
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    bench_build(b, 1, WIRE_MEASUREMENT, &s, NULL, 1);
    struct item *item = bench_ingest(b, &b->peer, b->token, b->out.data, b->out.len);
    assert_non_null(item);
    assert_int_equal(admission_remove(b->admission, b->agent.key_id), ERR_OK);
    assert_int_equal(committer_run(b->committer, &item, 1, &d), ERR_OK);
    assert_int_equal(item->message.outcome.kind, OUTCOME_REFUSE);
    assert_int_equal(item->message.outcome.refuse, WIRE_REFUSE_REVOKED);
    ingest_finish(b->ingest, item);
    assert_int_equal(ledger_position(b->ledger), 0);
}

static void another_s_revocation_disturbs_nobody(void **state)
{
    struct bench *b = *state;
    struct wire_sample s = bench_sample(0, BENCH_NOW_S, 5);
    struct ledger_agent stranger;
    char token[ADMISSION_TOKEN];
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    bench_admit(b, "penza/rosstat", &stranger, token);
    assert_int_equal(admission_remove(b->admission, stranger.key_id), ERR_OK);
    ingest_tick(b->ingest, false);
    bench_clear(b);
    bench_batch(b, 1, WIRE_MEASUREMENT, &s, 1);
    assert_int_equal(bench_reply(b, 0, WIRE_ACK).ack.sequence, 1);
}

// ---- whose a series is --------------------------------------------------------------------------
struct second { // another agent of the bench's resident
    struct ledger_agent agent;
    struct mq_peer peer;
    char token[ADMISSION_TOKEN];
    struct wire_incarnation incarnation;
};

static void as_second(struct bench *b, const struct second *s, struct wire_message m)
{
    bench_clear(b);
    if (m.type == WIRE_HELLO)
        m.hello.incarnation = s->incarnation;
    else if (m.type == WIRE_DECLARE)
        m.declare.incarnation = s->incarnation;
    else
        m.batch.incarnation = s->incarnation;
    send_as(b, &s->peer, s->token, &m);
}

static void second_batch(struct bench *b, const struct second *s, uint64_t sequence)
{
    const struct wire_sample samples[] = {bench_sample(0, BENCH_NOW_S, 5), bench_sample(1, BENCH_NOW_S, 6)};
    const struct wire_message m = {
        .type = WIRE_BATCH,
        .batch = {
            .sequence = sequence, .class = WIRE_MEASUREMENT, .declares = 2, .count = 2, .samples = samples}};
    as_second(b, s, m);
}

// The bench's agent owns out_units/lifts; the second one declares it too, and out_units/cabins of its own.
static struct second two_agents(struct bench *b)
{
    struct second s = {.peer = {.id = {90, 1, 2, 3, 4}, .len = 5}, .incarnation = {{42}}};
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    bench_admit(b, "almaty-iz/acme", &s.agent, s.token);
    as_second(b, &s, bench_hello_message(b));
    (void)bench_reply(b, 0, WIRE_WELCOME);
    as_second(b, &s, bench_declare_message(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT));
    struct wire_message refused_it = bench_reply(b, 0, WIRE_REFUSE);
    assert_int_equal(refused_it.refuse.reason, WIRE_REFUSE_SERIES_OWNED);
    assert_non_null(strstr(refused_it.refuse.text, "esep-collector move"));
    as_second(b, &s, bench_declare_message(b, 1, "out_units/cabins", "piece", WIRE_MEASUREMENT));
    assert_int_equal(b->reply_count, 0);
    return s;
}

static void another_agent_s_series_is_refused_and_its_own_go_on(void **state)
{
    struct bench *b = *state;
    struct wire_sample mine = bench_sample(0, BENCH_NOW_S, 7);
    struct second s = two_agents(b);
    second_batch(b, &s, 1);
    struct wire_message reject = bench_reply(b, 0, WIRE_REJECT);
    assert_int_equal(reject.reject.count, 1);
    assert_int_equal(reject.reject.refusals[0].index, 0);
    assert_int_equal(reject.reject.refusals[0].reason, WIRE_REASON_SERIES_TAKEN);
    assert_int_equal(bench_reply(b, 1, WIRE_ACK).ack.sequence, 1);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 1);
    assert_int_equal(bench_counted(b, COUNTER_REFUSED_SERIES_TAKEN), 1);
    bench_clear(b);
    bench_batch(b, 1, WIRE_MEASUREMENT, &mine, 1); // the owner is not disturbed
    assert_int_equal(bench_reply(b, 0, WIRE_ACK).ack.sequence, 1);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 2);
}

static void a_move_turns_it_round(void **state)
{
    struct bench *b = *state;
    struct wire_sample mine = bench_sample(0, BENCH_NOW_S, 7);
    struct second s = two_agents(b);
    struct item *item = item_create(ITEM_MOVE, NULL);
    strcpy(item->admin->series, "almaty-iz/acme/out_units/lifts");
    item->admin->agent.agent_id = s.agent.agent_id;
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    assert_int_equal(item->admin->result, ERR_OK);
    assert_int_equal(item->admin->from, b->agent.agent_id);
    item_destroy(item);
    second_batch(b, &s, 1);
    (void)bench_reply(b, 0, WIRE_ACK);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 2);
    bench_clear(b);
    bench_batch(b, 1, WIRE_MEASUREMENT, &mine, 1);
    struct wire_message reject = bench_reply(b, 0, WIRE_REJECT);
    assert_true(reject.reject.whole);
    assert_int_equal(reject.reject.whole_reason, WIRE_REASON_SERIES_TAKEN);
}

static void revoke_owner(struct bench *b)
{
    struct item *item = item_create(ITEM_REVOKE, NULL);
    item->admin->agent.key_id = b->agent.key_id;
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    assert_int_equal(item->admin->result, ERR_OK);
    item_destroy(item);
}

static void the_series_of_a_revoked_agent_go_to_the_one_that_sends_them(void **state)
{
    struct bench *b = *state;
    struct second s = two_agents(b);
    revoke_owner(b);
    second_batch(b, &s, 1); // the first figures too
    (void)bench_reply(b, 0, WIRE_ACK);
    second_batch(b, &s, 2);
    (void)bench_reply(b, 0, WIRE_ACK);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 4);
    assert_int_equal(bench_counted(b, COUNTER_REFUSED_SERIES_TAKEN), 0);
}

static void the_series_of_an_agent_whose_next_key_waits_for_its_hello_stay_its_own(void **state)
{
    struct bench *b = *state;
    struct second s = two_agents(b);
    rotate(b, 7);
    (void)bench_reply(b, 0, WIRE_ROTATED);
    revoke_owner(b);
    second_batch(b, &s, 1);
    assert_int_equal(bench_reply(b, 0, WIRE_REJECT).reject.refusals[0].reason, WIRE_REASON_SERIES_TAKEN);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 1);
}

// Taken in by ingest, and not yet by the committer.
static struct item *waiting(struct bench *b, const struct second *s, const struct wire_message *m)
{
    struct buf bytes;
    buf_init(&bytes, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_encode(m, &bytes), ERR_OK);
    struct item *item = bench_ingest(b, &s->peer, s->token, bytes.data, bytes.len);
    assert_non_null(item);
    buf_deinit(&bytes);
    return item;
}

static void commit(struct bench *b, struct item **items, size_t count)
{
    struct diag d = {0};
    bench_clear(b);
    assert_int_equal(committer_run(b->committer, items, count, &d), ERR_OK);
    for (size_t i = 0; i < count; i++)
        ingest_finish(b->ingest, items[i]);
}

static struct wire_message lifts(const struct second *s, const struct wire_sample *sample)
{
    return (struct wire_message){.type = WIRE_BATCH,
                                 .batch = {.incarnation = s->incarnation,
                                           .sequence = 1,
                                           .class = WIRE_MEASUREMENT,
                                           .declares = 1,
                                           .count = 1,
                                           .samples = sample}};
}

// Of the second agent's resident: it has said Hello only.
static struct second third_agent(struct bench *b)
{
    struct second s = {.peer = {.id = {91, 1, 2, 3, 4}, .len = 5}, .incarnation = {{43}}};
    bench_admit(b, "almaty-iz/acme", &s.agent, s.token);
    as_second(b, &s, bench_hello_message(b));
    (void)bench_reply(b, 0, WIRE_WELCOME);
    return s;
}

static void figures_that_come_with_their_declare_are_let_in_when_the_owner_s_key_is_gone(void **state)
{
    struct bench *b = *state;
    struct item *items[2];
    struct wire_sample sample = bench_sample(0, BENCH_NOW_S, 5);
    (void)two_agents(b);
    struct second s = third_agent(b);
    revoke_owner(b);
    struct wire_message m = bench_declare_message(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    m.declare.incarnation = s.incarnation;
    items[0] = waiting(b, &s, &m);
    m = lifts(&s, &sample);
    items[1] = waiting(b, &s, &m);
    commit(b, items, 2);
    assert_int_equal(b->reply_count, 1);
    assert_int_equal(bench_reply(b, 0, WIRE_ACK).ack.sequence, 1);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 1);
}

static void of_two_that_send_a_series_without_an_owner_in_one_group_the_first_has_it(void **state)
{
    struct bench *b = *state;
    struct item *items[2];
    struct wire_sample sample = bench_sample(0, BENCH_NOW_S, 5);
    struct second first = two_agents(b), then = third_agent(b);
    as_second(b, &then, bench_declare_message(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT));
    revoke_owner(b);
    struct wire_message m = lifts(&first, &sample);
    items[0] = waiting(b, &first, &m);
    m = lifts(&then, &sample);
    items[1] = waiting(b, &then, &m);
    commit(b, items, 2);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 1);
    assert_int_equal(bench_counted(b, COUNTER_REFUSED_SERIES_TAKEN), 1);
    second_batch(b, &first, 2); // it is the owner now
    (void)bench_reply(b, 0, WIRE_ACK);
}

int main(void)
{
#define WITH_BENCH(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        WITH_BENCH(an_invited_key_is_in_at_once_and_after_a_restart),
        WITH_BENCH(the_same_key_gets_the_same_answer_however_often_it_asks),
        WITH_BENCH(used_expired_forged_and_withdrawn_are_refused_each_by_its_name),
        WITH_BENCH(a_key_that_is_another_s_or_revoked_is_refused_and_spends_nothing),
        WITH_BENCH(an_invitation_for_an_agent_that_was_shut_out_since_lets_nobody_in),
        WITH_BENCH(two_keys_are_valid_until_the_new_one_says_hello),
        WITH_BENCH(asking_again_changes_nothing_and_asking_for_another_replaces_the_one_that_waits),
        WITH_BENCH(an_agent_can_t_rotate_without_end),
        WITH_BENCH(another_s_key_is_not_to_be_had),
        WITH_BENCH(a_revoked_key_s_next_batch_is_refused_and_its_connection_closed),
        WITH_BENCH(a_silent_connection_of_a_revoked_key_is_closed_too),
        WITH_BENCH(what_waited_for_the_ledger_when_the_key_was_revoked_is_not_stored),
        WITH_BENCH(another_s_revocation_disturbs_nobody),
        WITH_BENCH(another_agent_s_series_is_refused_and_its_own_go_on),
        WITH_BENCH(a_move_turns_it_round),
        WITH_BENCH(the_series_of_a_revoked_agent_go_to_the_one_that_sends_them),
        WITH_BENCH(the_series_of_an_agent_whose_next_key_waits_for_its_hello_stay_its_own),
        WITH_BENCH(figures_that_come_with_their_declare_are_let_in_when_the_owner_s_key_is_gone),
        WITH_BENCH(of_two_that_send_a_series_without_an_owner_in_one_group_the_first_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
